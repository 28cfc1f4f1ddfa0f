//! Two lists of one hub: who may be on them, who has the places, and what the next run remembers.

mod hub;
mod limits;
mod lists;
mod memory;
mod roles;
