//! Diversions: emergencies that did not become a hospital bed and were followed by care at home, and whether that was safe.
//!
//! People who died or left since are among them: who died is no success. Rows of one person so soon after the first are one
//! emergency, of the place that is recorded first.

/// When something may have happened.
mod moment;

/// What is published of diversions.
mod tables;

use jiff::Span;
use jiff::civil::Date;

use crate::calendar;
use crate::features::keep::{Kept, KeptRow};
use crate::pipeline::measures::Diversion;
use moment::{Clock, Moment};
pub use tables::{charts, write};

/// What became of an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// A hospital bed, soon after.
    Bed,
    /// No bed, and care at home: a diversion.
    Home,
    /// No bed, and no care at home that was recorded.
    Neither,
}

impl Fate {
    pub const ALL: [Self; 3] = [Self::Bed, Self::Home, Self::Neither];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bed => "bed",
            Self::Home => "home",
            Self::Neither => "neither",
        }
    }
}

/// One emergency of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    pub person: u32,
    /// Of its first row, London.
    pub day: i32,
    /// A name of [`Kept`]; 0 is none.
    pub place: u32,
    pub fate: Fate,
    /// Of a diversion: by [`Diversion::safe_for_days`], whether safety failed within so long.
    pub failed: Vec<bool>,
}

/// What was found by one declaration.
#[derive(Debug)]
pub struct Diversions {
    /// First days of the months, oldest first.
    pub months: Vec<Date>,
    /// By person, then day.
    pub emergencies: Vec<Emergency>,
}

/// The first days of the months that are counted, and the first day behind the last: each has its longest follow-up before
/// the as-of date.
pub fn months(diversion: &Diversion, as_of: Date) -> Vec<Date> {
    let longest = diversion.safe_for_days.iter().copied().max().unwrap_or(0);
    let settled = as_of.saturating_sub(Span::new().days(longest));
    let end = settled.first_of_month();
    let count = i32::try_from(diversion.decl.months).unwrap_or(1);
    (0..=count).rev().map(|back| end.saturating_sub(Span::new().months(back))).collect()
}

/// Every emergency of the counted months.
pub fn find(diversion: &Diversion, as_of: Date, kept: &Kept) -> Diversions {
    let clock = Clock::london();
    let mut months = months(diversion, as_of);
    let end = months.pop().map_or(0, calendar::epoch_days);
    let first = months.first().copied().map_or(end, calendar::epoch_days);
    let mut rows: Vec<KeptRow> = diversion.emergencies.iter().flat_map(|watch| kept.rows(*watch)).copied().collect();
    rows.sort_unstable_by_key(|row| (row.person, row.day));
    let mut emergencies = Vec::new();
    for own in rows.chunk_by(|a, b| a.person == b.person) {
        let story = Story { diversion, clock: &clock, kept, person: own.first().map_or(0, |row| row.person) };
        let counted = |emergency: &Emergency| (first..end).contains(&emergency.day);
        emergencies.extend(story.emergencies(own).into_iter().filter(counted));
    }
    Diversions { months, emergencies }
}

/// What is recorded of one person.
struct Story<'a> {
    diversion: &'a Diversion,
    clock: &'a Clock,
    kept: &'a Kept,
    person: u32,
}

/// The rows of one emergency, by the first.
struct First {
    moment: Moment,
    day: i32,
    place: u32,
}

impl Story<'_> {
    fn emergencies(&self, rows: &[KeptRow]) -> Vec<Emergency> {
        let mut timed: Vec<(Moment, &KeptRow)> =
            rows.iter().filter_map(|row| Some((self.clock.of(row)?, row))).collect();
        timed.sort_unstable_by_key(|(moment, row)| (moment.from, moment.to, row.labels));
        let mut firsts: Vec<First> = Vec::new();
        let apart = self.diversion.one_emergency_hours.saturating_mul(3600);
        for (moment, row) in timed {
            match firsts.last_mut().filter(|first| moment.from <= first.moment.from.saturating_add(apart)) {
                Some(first) if first.place == 0 => first.place = row.labels[0],
                Some(_) => {}
                None => firsts.push(First { moment, day: row.day, place: row.labels[0] }),
            }
        }
        firsts.iter().filter_map(|first| self.told(first)).collect()
    }

    /// What became of an emergency; none of somebody who was in a bed already.
    fn told(&self, first: &First) -> Option<Emergency> {
        let beds = || self.of(&self.diversion.beds);
        let before = |bed: &KeptRow| {
            let begun = self.clock.of(bed).is_some_and(|moment| moment.to < first.moment.from);
            begun && bed.end.is_none_or(|end| end > first.day)
        };
        if beds().any(before) {
            return None;
        }
        let soon = |bed: &KeptRow| {
            self.clock.of(bed).is_some_and(|moment| moment.may_follow(first.moment, self.diversion.no_bed_hours))
        };
        let days = |row: &KeptRow| row.day - first.day;
        let at_home = |care: &KeptRow| {
            let not_before = self.clock.of(care).is_some_and(|moment| moment.to >= first.moment.from);
            not_before && days(care) <= self.diversion.care_days
        };
        let fate = match () {
            () if beds().any(soon) => Fate::Bed,
            () if self.of(&self.diversion.care_at_home).any(at_home) => Fate::Home,
            () => Fate::Neither,
        };
        let failed = match fate {
            Fate::Home => self.diversion.safe_for_days.iter().map(|within| self.failed(first, *within)).collect(),
            Fate::Bed | Fate::Neither => Vec::new(),
        };
        Some(Emergency { person: self.person, day: first.day, place: first.place, fate, failed })
    }

    /// Whether safety failed from the day of the emergency on, up to and with the day so many days after it.
    fn failed(&self, first: &First, within_days: i32) -> bool {
        let inside = |day: i32| (first.day..=first.day + within_days).contains(&day);
        let after =
            |row: &KeptRow| inside(row.day) && self.clock.of(row).is_some_and(|moment| moment.to >= first.moment.from);
        let died = self.person.checked_sub(self.kept.people).and_then(|number| self.kept.gone.died(number));
        self.of(&self.diversion.failures).any(after) || died.is_some_and(inside)
    }

    fn of(&self, watches: &[usize]) -> impl Iterator<Item = &KeptRow> {
        watches.iter().flat_map(|watch| self.kept.of(*watch, self.person))
    }
}
