//! Events that wait for the days on which their window hangs.
//!
//! Such a day is a feature itself, perhaps of the same source. So its events are kept while the sources are read, and
//! counted when the day is known: one scan of a source still makes all of its features.

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::{concat, nullif, take};

use super::met::Event;
use super::state::{Rows, State};
use crate::calendar;
use crate::error::{Error, Result};
use crate::pipeline::{Bounds, End, Events, Feature, What};

/// The events of one feature that pass its predicate and its code list.
#[derive(Debug, Default)]
pub struct Held {
    /// `row` is the place among these.
    events: Vec<Event>,
    ends: Vec<Option<i32>>,
    /// Of the code list, where categories are what is counted.
    categories: Vec<u32>,
    /// The verb's column, chunk by chunk.
    column: Vec<ArrayRef>,
}

/// The first day of a person's window, and the first day behind it; none when one of them is not known.
pub type Span = Option<(i32, i32)>;

/// Where the window of one person begins and ends; `day` gives the value of another feature.
pub fn span(feature: &Feature, bounds: &Bounds, as_of: i32, day: impl Fn(usize) -> Option<i32>) -> Span {
    let (back_from, end) = match bounds.end {
        None => (as_of, as_of),
        Some(End::Before(other)) => (day(other)?, day(other)?),
        Some(End::Until(other)) => (day(other)?, day(other)?.saturating_add(1)),
    };
    let first = feature.window.first_day(calendar::date_of(back_from)?).map_or(i32::MIN, calendar::epoch_days);
    let first = match bounds.since {
        None => first,
        Some(other) => first.max(day(other)?),
    };
    Some((first, end))
}

impl Held {
    /// Keeps events of a chunk, each with its category.
    pub fn take(&mut self, events: &[(Event, u32)], rows: &Rows) -> Result<()> {
        let mut picked = Vec::new();
        for (event, category) in events {
            picked.push(event.row);
            self.ends.push(rows.end(event));
            self.categories.push(*category);
            self.events.push(Event { row: place(self.events.len())?, ..*event });
        }
        if let Some(column) = rows.column.filter(|_| !picked.is_empty()) {
            self.column.push(take(column, &UInt32Array::from(picked), None)?);
        }
        Ok(())
    }

    /// Adds what another worker kept.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        let from = place(self.events.len())?;
        let moved = other.events.into_iter().map(|event| Ok(Event { row: from + event.row, ..event }));
        self.events.extend(moved.collect::<Result<Vec<_>>>()?);
        self.ends.extend(other.ends);
        self.categories.extend(other.categories);
        self.column.extend(other.column);
        Ok(())
    }

    /// The feature's column, and the latest day inside each person's window; null where the window is not known.
    pub fn finish(
        self,
        feature: &Feature,
        events: &Events,
        categories: &[String],
        as_of: i32,
        spans: &[Span],
    ) -> Result<(ArrayRef, Vec<Option<i32>>)> {
        let columns: Vec<&dyn Array> = self.column.iter().map(AsRef::as_ref).collect();
        let column = (!columns.is_empty()).then(|| concat(&columns)).transpose()?;
        let rows = Rows { column: column.as_ref(), ends: Some(&self.ends), as_of };
        let inside = self.events.iter().filter(|event| {
            spans[event.person as usize].is_some_and(|(first, end)| first <= event.day && event.day < end)
        });
        let mut latest: Vec<Option<i32>> = vec![None; spans.len()];
        for event in inside.clone() {
            let day = &mut latest[event.person as usize];
            *day = (*day).max(Some(event.day));
        }
        let mut state = State::new(events.what, spans.len());
        match (&mut state, events.what, events.column) {
            (State::Distinct(distinct), What::CountDistinct, None) => {
                let numbers = inside.map(|event| (event.person, self.categories[event.row as usize]));
                distinct.add(&numbers.collect::<Vec<_>>());
            }
            (state, What::Latest, None) => {
                inside.for_each(|event| state.update_category(event, self.categories[event.row as usize]));
            }
            // No event passed, so no column was seen either.
            _ if self.events.is_empty() => {}
            (state, what, _) => state.update(what, &inside.copied().collect::<Vec<_>>(), &rows)?,
        }
        let latest = state.chosen_days().unwrap_or(latest);
        let made = state.finish(&feature.data_type, as_of, categories)?;
        let unknown: BooleanArray = spans.iter().map(|span| Some(span.is_none())).collect();
        Ok((nullif(&made, &unknown)?, latest))
    }
}

fn place(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::Check("more than four thousand million events wait for a day".to_owned()))
}
