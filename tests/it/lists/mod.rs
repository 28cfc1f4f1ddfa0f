//! Lists and gaps over hand-made people.

mod balance;
mod evidence;
mod gaps;
mod places;
mod world;
mod written;
