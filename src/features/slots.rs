//! One row of numbers a person: what most features remember, side by side, so that an event touches one place in memory.
//!
//! All workers write into the same rows. Every number only grows by its own rule, whatever the order of the events: so
//! threads, files and batches change nothing.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::met::{Event, Met, set_bits};
use super::state::Rows;

/// How many numbers a person's row has.
#[derive(Debug, Default)]
pub struct Layout {
    words: usize,
}

impl Layout {
    /// Of one person's row.
    pub fn bytes(&self) -> usize {
        self.words * size_of::<AtomicU32>()
    }

    pub fn words(&self) -> usize {
        self.words
    }

    fn place(&mut self, words: usize) -> usize {
        let at = self.words;
        self.words += words;
        at
    }
}

/// The greater of two.
fn grow(known: &AtomicU32, number: u32) {
    if known.load(Relaxed) < number {
        known.fetch_max(number, Relaxed);
    }
}

/// The bits of both.
fn join(known: &AtomicU32, bits: u32) {
    if known.load(Relaxed) & bits != bits {
        known.fetch_or(bits, Relaxed);
    }
}

/// Which events something looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    pub filter: Option<usize>,
    /// Number of the matcher, and the wanted categories as bits.
    pub codes: Option<(usize, Vec<u64>)>,
    /// Only those that were over before the as-of date.
    pub ended: bool,
}

impl Select {
    /// Calls `each` with the events that are looked at, in their order.
    pub fn each(&self, met: &Met, rows: &Rows, mut each: impl FnMut(&Event)) {
        let passes = |event: &&Event| self.passes(event, met, rows);
        match &self.codes {
            None => met.events.iter().filter(passes).for_each(each),
            Some((matcher, wanted)) => {
                let events = met.codes[*matcher].wanted(wanted).map(|at| &met.events[at as usize]);
                events.filter(passes).for_each(&mut each);
            }
        }
    }

    /// Whether an event with a wanted code is looked at.
    pub(super) fn passes(&self, event: &Event, met: &Met, rows: &Rows) -> bool {
        self.filter.is_none_or(|filter| met.filters[filter].value(event.at as usize))
            && (!self.ended || rows.ended(event))
    }
}

/// The latest day of some events, and how many there are since each of some days.
#[derive(Debug)]
pub struct Group {
    pub select: Select,
    /// No event before this day is looked at.
    pub floor: i32,
    /// Ascending: the first days of the windows in which events are counted.
    firsts: Vec<i32>,
    latest: usize,
    /// Events from each of `firsts` up to the next.
    bands: usize,
}

/// The categories that a person's events are of, as bits.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub select: Select,
    pub first_day: i32,
    at: usize,
    words: usize,
}

/// The days on which a person has events, as bits.
#[derive(Debug)]
pub struct Days {
    pub select: Select,
    pub first_day: i32,
    at: usize,
    words: usize,
}

impl Group {
    pub fn new(select: Select) -> Self {
        Self { select, floor: i32::MAX, firsts: Vec::new(), latest: 0, bands: 0 }
    }

    /// Looks at a window that begins on this day, and counts in it if so asked.
    pub fn cover(&mut self, first_day: i32, counted: bool) {
        self.floor = self.floor.min(first_day);
        if counted && let Err(at) = self.firsts.binary_search(&first_day) {
            self.firsts.insert(at, first_day);
        }
    }

    pub fn lay_out(&mut self, layout: &mut Layout) {
        self.latest = layout.place(1);
        self.bands = layout.place(self.firsts.len());
    }

    /// Takes in an event on a day, where that is not too early.
    pub(super) fn note(&self, row: &[AtomicU32], day: i32) {
        if day < self.floor {
            return;
        }
        grow(&row[self.latest], ordered(day));
        let bands = self.firsts.iter().filter(|first| day >= **first).count();
        if bands > 0 {
            row[self.bands + bands - 1].fetch_add(1, Relaxed);
        }
    }

    /// Where its numbers begin in a row.
    pub(super) fn at(&self) -> usize {
        self.latest
    }

    /// The latest day in a window that begins on this day.
    pub fn latest(&self, row: &[AtomicU32], first_day: i32) -> Option<i32> {
        let latest = row[self.latest].load(Relaxed);
        (latest != 0).then(|| day_of(latest)).filter(|day| *day >= first_day)
    }

    /// Where the counts of the events from this day on stand in a row: all of them together are the events.
    pub fn counts(&self, first_day: i32) -> Range<usize> {
        let from = self.firsts.partition_point(|first| *first < first_day);
        self.bands + from..self.bands + self.firsts.len()
    }
}

impl Seen {
    pub fn new(select: Select, first_day: i32, words: usize) -> Self {
        Self { select, first_day, at: 0, words: words * 2 }
    }

    pub fn lay_out(&mut self, layout: &mut Layout) {
        self.at = layout.place(self.words);
    }

    /// Adds the categories of an event.
    pub(super) fn note(&self, row: &[AtomicU32], categories: &[u64]) {
        let row = &row[self.at..][..self.words];
        for (halves, bits) in row.chunks_exact(2).zip(categories) {
            join(&halves[0], *bits as u32);
            join(&halves[1], (*bits >> 32) as u32);
        }
    }

    /// Where its bits begin in a row.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many of these categories, by bits of words of 32, there are.
    pub fn count(&self, row: &[AtomicU32], wanted: &[u32]) -> u32 {
        let words = row[self.at..][..self.words].iter().zip(wanted);
        words.map(|(bits, wanted)| (bits.load(Relaxed) & wanted).count_ones()).sum()
    }
}

impl Days {
    /// Longer windows would take more room than most people's events.
    pub const LONGEST: i32 = 400;

    pub fn new(select: Select, first_day: i32, as_of: i32) -> Self {
        let days = usize::try_from(as_of - first_day).unwrap_or_default();
        Self { select, first_day, at: 0, words: days.div_ceil(32) }
    }

    pub fn lay_out(&mut self, layout: &mut Layout) {
        self.at = layout.place(self.words);
    }

    /// Adds the day of an event.
    pub(super) fn note(&self, row: &[AtomicU32], day: i32) {
        if let Ok(day) = usize::try_from(day - self.first_day)
            && let Some(word) = row[self.at..][..self.words].get(day / 32)
        {
            join(word, 1 << (day % 32));
        }
    }

    /// Where its bits begin in a row.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub fn count(&self, row: &[AtomicU32]) -> u32 {
        row[self.at..][..self.words].iter().map(|days| days.load(Relaxed).count_ones()).sum()
    }
}

/// Days, and other whole numbers, in the order of numbers without a sign; no day is 0.
pub(super) fn ordered(day: i32) -> u32 {
    day.cast_unsigned() ^ (1 << 31)
}

pub(super) fn day_of(ordered: u32) -> i32 {
    (ordered ^ (1 << 31)).cast_signed()
}

/// Each wanted category of an event.
pub fn categories<'a>(met: &'a Met, select: &Select, event: &Event) -> impl Iterator<Item = usize> + 'a {
    let codes = select.codes.as_ref().map(|(matcher, wanted)| (met.codes[*matcher].of(event), wanted.clone()));
    let (bits, wanted) = codes.unwrap_or_default();
    let both: Vec<u64> = bits.iter().zip(wanted).map(|(bits, wanted)| bits & wanted).collect();
    set_bits(&both).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Nested windows, two workers on one row: each window has the events that a plain count of days gives.
    #[test]
    fn windows_of_one_group_are_counted_as_if_alone() {
        for seed in 0..50 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut group = Group::new(Select { filter: None, codes: None, ended: false });
            let firsts: Vec<i32> = (0..5).map(|_| random.random_range(-400..100)).chain([i32::MIN]).collect();
            firsts.iter().enumerate().for_each(|(at, first)| group.cover(*first, at % 3 != 0));
            let mut layout = Layout::default();
            group.lay_out(&mut layout);
            let days: Vec<i32> = (0..200).map(|_| random.random_range(-500..100)).collect();
            let row: Vec<AtomicU32> = (0..layout.words()).map(|_| AtomicU32::new(0)).collect();
            std::thread::scope(|scope| {
                for days in days.chunks(100) {
                    scope.spawn(|| days.iter().for_each(|day| group.note(&row, *day)));
                }
            });
            for (at, &first) in firsts.iter().enumerate() {
                let inside = days.iter().copied().filter(|day| *day >= first);
                assert_eq!(group.latest(&row, first), inside.clone().max(), "seed {seed}");
                if at % 3 != 0 {
                    let counted: u32 = row[group.counts(first)].iter().map(|count| count.load(Relaxed)).sum();
                    assert_eq!(counted as usize, inside.count(), "seed {seed}");
                }
            }
        }
    }
}
