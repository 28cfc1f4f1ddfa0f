//! Lists and gaps over hand-made people.

mod balance;
mod capacity;
mod evidence;
mod formats;
mod gaps;
mod places;
mod scores;
mod sheets;
mod spreadsheets;
mod world;
mod written;
