//! One row of numbers a person: what most features remember, side by side, so that an event touches one place in memory.
//!
//! Every number only grows by its own rule, whatever the order of the events: so threads, files and batches change
//! nothing.

use std::ops::Range;

use super::met::{Event, Met, set_bits};
use super::state::Rows;
use crate::ahead;

/// How two workers' numbers come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Greater,
    Sum,
    Either,
}

/// The places in a person's row.
#[derive(Debug, Default)]
pub struct Layout {
    rules: Vec<Rule>,
}

impl Layout {
    /// Of one person's row.
    pub fn bytes(&self) -> usize {
        self.rules.len() * size_of::<u32>()
    }

    fn place(&mut self, rule: Rule, words: usize) -> usize {
        let at = self.rules.len();
        self.rules.resize(at + words, rule);
        at
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
    fn passes(&self, event: &Event, met: &Met, rows: &Rows) -> bool {
        self.filter.is_none_or(|filter| met.filters[filter].value(event.at as usize))
            && (!self.ended || rows.ended(event))
    }
}

/// The latest day of some events, and how many there are since each of some days.
#[derive(Debug)]
pub struct Group {
    pub select: Select,
    /// No event before this day is looked at.
    floor: i32,
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
    select: Select,
    first_day: i32,
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
        self.latest = layout.place(Rule::Greater, 1);
        self.bands = layout.place(Rule::Sum, self.firsts.len());
    }

    fn note(&self, row: &mut [u32], day: i32) {
        row[self.latest] = row[self.latest].max(ordered(day));
        let bands = self.firsts.iter().filter(|first| day >= **first).count();
        if bands > 0 {
            row[self.bands + bands - 1] += 1;
        }
    }

    /// The latest day in a window that begins on this day.
    pub fn latest(&self, row: &[u32], first_day: i32) -> Option<i32> {
        let latest = row[self.latest];
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
        self.at = layout.place(Rule::Either, self.words);
    }

    /// How many of these categories, by bits of words of 32, there are.
    pub fn count(&self, row: &[u32], wanted: &[u32]) -> u32 {
        row[self.at..][..self.words].iter().zip(wanted).map(|(bits, wanted)| (bits & wanted).count_ones()).sum()
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
        self.at = layout.place(Rule::Either, self.words);
    }

    pub fn count(&self, row: &[u32]) -> u32 {
        row[self.at..][..self.words].iter().map(|days| days.count_ones()).sum()
    }
}

/// Days in the order of numbers, none below all of them.
fn ordered(day: i32) -> u32 {
    day.cast_unsigned() ^ (1 << 31)
}

fn day_of(ordered: u32) -> i32 {
    (ordered ^ (1 << 31)).cast_signed()
}

/// Everyone's row.
#[derive(Debug)]
pub struct Table {
    width: usize,
    words: Vec<u32>,
}

impl Table {
    pub fn new(layout: &Layout, people: usize) -> Self {
        let width = layout.rules.len();
        Self { width, words: vec![0; width * people] }
    }

    pub fn row(&self, person: usize) -> &[u32] {
        &self.words[person * self.width..][..self.width]
    }

    fn row_of(&mut self, event: &Event) -> &mut [u32] {
        &mut self.words[event.person as usize * self.width..][..self.width]
    }

    /// All groups take in a chunk. Those who ask for codes are asked event by event, and only about events that they want.
    pub fn groups(&mut self, groups: &[Group], met: &Met, rows: &Rows) {
        for group in groups.iter().filter(|group| group.select.codes.is_none()) {
            self.in_blocks(&group.select, group.floor, group.latest, met, rows, |row, event| {
                group.note(row, event.day);
            });
        }
        for codes in &met.codes {
            for block in codes.met.chunks(ahead::BLOCK) {
                let asked = |at: &u32| codes.askers(*at).iter().map(|asker| &groups[*asker as usize]);
                let row = |at: &u32| met.events[*at as usize].person as usize * self.width;
                let places = block.iter().flat_map(|at| asked(at).map(move |group| row(at) + group.latest));
                ahead::read(places.map(|place| self.words.get(place).copied()));
                for at in block {
                    let event = &met.events[*at as usize];
                    for group in asked(at).filter(|group| event.day >= group.floor) {
                        if group.select.passes(event, met, rows) {
                            group.note(self.row_of(event), event.day);
                        }
                    }
                }
            }
        }
    }

    pub fn seen(&mut self, seen: &Seen, met: &Met, rows: &Rows) {
        let Some((matcher, _)) = &seen.select.codes else { return };
        let codes = &met.codes[*matcher];
        self.in_blocks(&seen.select, seen.first_day, seen.at, met, rows, |row, event| {
            let row = &mut row[seen.at..][..seen.words];
            for (halves, bits) in row.chunks_exact_mut(2).zip(codes.of(event)) {
                halves[0] |= *bits as u32;
                halves[1] |= (*bits >> 32) as u32;
            }
        });
    }

    pub fn days(&mut self, days: &Days, met: &Met, rows: &Rows) {
        self.in_blocks(&days.select, days.first_day, days.at, met, rows, |row, event| {
            if let Ok(day) = usize::try_from(event.day - days.first_day)
                && let Some(word) = row[days.at..][..days.words].get_mut(day / 32)
            {
                *word |= 1 << (day % 32);
            }
        });
    }

    /// Calls `each` with the selected events from a day on and their people's rows, which are near from `at` on.
    fn in_blocks(
        &mut self,
        select: &Select,
        first_day: i32,
        at: usize,
        met: &Met,
        rows: &Rows,
        each: impl Fn(&mut [u32], &Event),
    ) {
        let mut block: Vec<Event> = Vec::with_capacity(ahead::BLOCK);
        let mut take = |block: &mut Vec<Event>| {
            let places = block.iter().map(|event| event.person as usize * self.width + at);
            ahead::read(places.map(|place| self.words.get(place).copied()));
            block.drain(..).for_each(|event| each(self.row_of(&event), &event));
        };
        select.each(met, rows, |event| {
            if event.day >= first_day {
                block.push(*event);
            }
            if block.len() == ahead::BLOCK {
                take(&mut block);
            }
        });
        take(&mut block);
    }

    /// Adds what another worker noted.
    pub fn merge(&mut self, other: &Self, layout: &Layout) {
        if self.width == 0 {
            return;
        }
        for (mine, theirs) in self.words.chunks_exact_mut(self.width).zip(other.words.chunks_exact(self.width)) {
            for ((mine, theirs), rule) in mine.iter_mut().zip(theirs).zip(&layout.rules) {
                *mine = match rule {
                    Rule::Greater => (*mine).max(*theirs),
                    Rule::Sum => *mine + theirs,
                    Rule::Either => *mine | theirs,
                };
            }
        }
    }
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

    /// Nested windows, two workers: each window has the events that a plain count of days gives.
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
            let mut tables = [Table::new(&layout, 1), Table::new(&layout, 1)];
            for (at, &day) in days.iter().enumerate() {
                let event = Event { row: 0, at: 0, person: 0, day };
                group.note(tables[at % 2].row_of(&event), day);
            }
            let [mut table, other] = tables;
            table.merge(&other, &layout);
            for (at, &first) in firsts.iter().enumerate() {
                let inside = days.iter().copied().filter(|day| *day >= first);
                assert_eq!(group.latest(table.row(0), first), inside.clone().max(), "seed {seed}");
                if at % 3 != 0 {
                    let counted: u32 = table.row(0)[group.counts(first)].iter().sum();
                    assert_eq!(counted as usize, inside.count(), "seed {seed}");
                }
            }
        }
    }
}
