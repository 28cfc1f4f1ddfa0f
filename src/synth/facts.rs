//! What a run must know of one person, asked in plain loops: neither the engine nor the oracle has a part in it.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;

use super::files::Row;
use super::layout::Kind;
use super::person::Person;
use super::world::World;
use crate::calendar;

/// A delivered row that counts.
pub struct Fact {
    pub kind: Kind,
    pub day: i32,
    cells: Vec<String>,
}

/// The rows of a person that count, and the dates that windows hang on.
pub struct Facts<'a> {
    pub person: &'a Person,
    rows: &'a [Fact],
    as_of: i32,
    date: Option<Date>,
}

impl Fact {
    /// Tables that are no events about a person are left out.
    pub fn of(kind: Kind, row: &Row) -> Option<Self> {
        let day = day(row.get(kind.layout().date))?;
        Some(Self { kind, day, cells: row.cells().to_vec() })
    }

    pub fn get(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    pub fn is(&self, column: usize, any: &[&str]) -> bool {
        any.contains(&self.get(column))
    }
}

/// The day of a cell in any of the ways in which feeds write it.
pub fn day(text: &str) -> Option<i32> {
    let iso = match text.split('/').collect::<Vec<_>>().as_slice() {
        [day, month, year] => format!("{year}-{month}-{day}"),
        _ => text.get(..10)?.to_owned(),
    };
    iso.parse::<Date>().ok().map(calendar::epoch_days)
}

impl<'a> Facts<'a> {
    pub fn new(person: &'a Person, world: &World, rows: &'a [Fact]) -> Self {
        Self { person, rows, as_of: world.as_of, date: calendar::date_of(world.as_of) }
    }

    /// Full years by the register's date of birth; a birthday on 29 February falls on 1 March in other years.
    pub fn age_years(&self) -> Option<i16> {
        let (now, birth) = (self.date?, calendar::date_of(self.person.register_birth()?)?);
        let had_birthday = (now.month(), now.day()) >= (birth.month(), birth.day());
        Some(now.year() - birth.year() - i16::from(!had_birthday))
    }

    pub fn days(&self, days: i32) -> i32 {
        self.as_of - days
    }

    pub fn months(&self, months: i32) -> i32 {
        let first = self.date.and_then(|date| date.checked_sub(Span::new().months(months)).ok());
        first.map_or(self.as_of, calendar::epoch_days)
    }

    /// Rows of a kind on or after a day.
    pub fn since(&self, kind: Kind, first: i32) -> impl Iterator<Item = &Fact> {
        self.rows.iter().filter(move |fact| fact.kind == kind && fact.day >= first)
    }

    pub fn all(&self) -> impl Iterator<Item = &Fact> {
        self.rows.iter()
    }

    pub fn ever(&self, kind: Kind) -> impl Iterator<Item = &Fact> {
        self.since(kind, i32::MIN)
    }

    /// Whether a stay or a service goes on: no last day, or one on or after the as-of date.
    pub fn open(&self, fact: &Fact, end: usize) -> bool {
        day(fact.get(end)).is_none_or(|end| end >= self.as_of)
    }

    /// Days from the day in this column to the as-of date; none is long ago.
    pub fn days_since(&self, fact: &Fact, column: usize) -> i32 {
        day(fact.get(column)).map_or(i32::MAX, |day| self.as_of - day)
    }

    /// The state last recorded of those that are written in this column, by its place; on one day the later place.
    pub fn latest(&self, kind: Kind, first: i32, column: usize, states: &[&[&str]]) -> Option<usize> {
        let place = |fact: &Fact| states.iter().position(|state| fact.is(column, state));
        self.since(kind, first).filter_map(|fact| Some((fact.day, place(fact)?))).max().map(|(_, place)| place)
    }

    /// How many different texts.
    pub fn distinct(texts: impl Iterator<Item = impl Ord>) -> usize {
        texts.collect::<BTreeSet<_>>().len()
    }
}
