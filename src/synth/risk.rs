//! The true risk of an emergency admission in the year before the as-of date: a function of what is delivered by its start.
//!
//! So that a model that is trained on the deliveries can be held against the truth, nothing hidden is part of it.

use super::dice::logistic;
use super::person::{Person, Recorder};
use super::world::World;
use crate::calendar;

/// The days that a risk is about.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The first day of the follow-up, which ends with the as-of date.
    pub day: i32,
    /// Admissions from this day on to the index count.
    pub year_before: i32,
}

/// The probability of an emergency admission from the index on, for somebody born before it.
pub fn at(index: Index, person: &Person, world: &World, admissions_before: u32) -> f64 {
    let day = calendar::date_of;
    let years =
        person.register_birth().and_then(day).zip(day(index.day)).and_then(|(b, on)| calendar::age_years(b, on));
    let age_years = years.map_or(45.0, |years| years as f64);
    let conditions = person.conditions.iter().flatten().filter(|onset| **onset < index.day && **onset >= person.birth);
    let decile = person.said(Recorder::Gp).area.map_or(5.5, |area| f64::from(world.decile(area)));
    logistic(
        -4.2 + 0.022 * age_years
            + 0.28 * conditions.count() as f64
            + 0.4 * f64::from(admissions_before)
            + 0.05 * (5.5 - decile),
    )
}
