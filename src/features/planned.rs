//! One feature of the pass over a source.

use std::sync::Arc;

use super::distinct::Shared;
use super::met::{Event, Met};
use super::slots::{self, Select};
use super::state::Rows;
use crate::pipeline::{Events, What};

/// One feature of the pass.
pub struct Planned<'a> {
    /// Index into [`Pipeline::features`].
    pub feature: usize,
    pub events: &'a Events,
    pub select: Select,
    pub first_day: i32,
    pub kept: Kept,
    /// What workers share of a state of its own that counts what is different.
    pub distinct: Option<Arc<Shared>>,
    /// Which group tells the latest day, where a reason names it or a list may say when it was.
    pub latest: Option<usize>,
    pub dated: bool,
}

/// Where a feature's numbers are kept.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    Group(usize),
    Seen(usize),
    Days(usize),
    Newest(usize),
    /// In a state of its own.
    State,
    /// With its events, until the days are known on which its window hangs.
    Held,
}

impl Planned<'_> {
    /// Whether the window hangs on a feature that is known only when every source has been read.
    pub fn waits(&self) -> bool {
        matches!(self.kept, Kept::Held)
    }

    /// Whether categories are what is counted.
    pub fn by_category(&self) -> bool {
        matches!(self.events.what, What::CountDistinct | What::Latest) && self.events.column.is_none()
    }

    /// The categories that count, as bits.
    pub fn wanted_categories(&self) -> &[u64] {
        self.select.codes.as_ref().map_or(&[], |(_, wanted)| wanted)
    }

    /// The events in the window, each once.
    pub fn wanted(&self, met: &Met, rows: &Rows) -> Vec<Event> {
        let mut wanted = Vec::new();
        self.select.each(met, rows, |event| wanted.extend((event.day >= self.first_day).then_some(*event)));
        wanted
    }

    /// Each event with its category, where categories are counted; else each event once.
    pub fn categorised(&self, met: &Met, rows: &Rows) -> Vec<(Event, u32)> {
        let wanted = self.wanted(met, rows).into_iter();
        if !self.by_category() {
            return wanted.map(|event| (event, 0)).collect();
        }
        let number = |category: usize| u32::try_from(category).unwrap_or(u32::MAX);
        let each = |event: Event| {
            let of_event = slots::categories(met, &self.select, &event);
            of_event.map(move |category| (event, number(category))).collect::<Vec<_>>()
        };
        wanted.flat_map(each).collect()
    }
}
