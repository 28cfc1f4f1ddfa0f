//! Everyone's rows of numbers, which all workers write into side by side.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::met::{Event, Met};
use super::newest::{Far, Values};
use super::plan::Plan;
use super::slots::Select;
use super::state::Rows;
use crate::ahead;
use crate::error::Result;
use crate::workers;

/// People whose rows lie together, and are given back together.
pub const PART: usize = 1 << 15;

/// Everyone's row.
#[derive(Debug, Default)]
pub struct Table {
    /// Numbers of one person.
    words: usize,
    /// Latest values of one person.
    latest: usize,
    parts: Vec<Part>,
}

/// The rows of some people who follow one another.
#[derive(Debug, Default)]
pub struct Part {
    words: Vec<AtomicU32>,
    latest: Vec<AtomicU64>,
}

impl Table {
    /// With 0 everywhere, made by so many workers.
    pub fn new(words: usize, latest: usize, people: usize, workers: usize) -> Result<Self> {
        let parts = workers::each(workers, workers::ranges(people, PART), |people| {
            let words = (0..people.len() * words).map(|_| AtomicU32::new(0));
            let latest = (0..people.len() * latest).map(|_| AtomicU64::new(0));
            Ok(Part { words: words.collect(), latest: latest.collect() })
        });
        Ok(Self { words, latest, parts: parts? })
    }

    fn row(&self, person: u32) -> &[AtomicU32] {
        let (part, at) = place(person);
        &self.parts[part].words[at * self.words..][..self.words]
    }

    fn latest(&self, person: u32) -> &[AtomicU64] {
        let (part, at) = place(person);
        &self.parts[part].latest[at * self.latest..][..self.latest]
    }

    /// What is held of all people, a part at a time, with how many numbers and latest values each of them has.
    pub fn into_parts(self) -> (Vec<Part>, [usize; 2]) {
        (self.parts, [self.words, self.latest])
    }

    /// All that is noted in it takes in a chunk. Who asks for codes is asked event by event, and only about events that
    /// they want. `values` are the columns of [`Plan::newest`].
    pub fn update(&self, plan: &Plan, far: &mut Far, met: &Met, rows: &Rows, values: &[Option<Values>]) -> Result<()> {
        for group in plan.groups.iter().filter(|group| group.select.codes.is_none()) {
            let near = |event: &Event| self.row(event.person)[group.at()].load(Relaxed);
            in_blocks(&group.select, group.floor, met, rows, near, |event| {
                group.note(self.row(event.person), event.day);
                Ok(())
            })?;
        }
        for seen in &plan.seen {
            let Some((matcher, _)) = &seen.select.codes else { continue };
            let codes = &met.codes[*matcher];
            let near = |event: &Event| self.row(event.person)[seen.at()].load(Relaxed);
            in_blocks(&seen.select, seen.first_day, met, rows, near, |event| {
                seen.note(self.row(event.person), codes.of(event));
                Ok(())
            })?;
        }
        for days in &plan.days {
            let near = |event: &Event| self.row(event.person)[days.at()].load(Relaxed);
            in_blocks(&days.select, days.first_day, met, rows, near, |event| {
                days.note(self.row(event.person), event.day);
                Ok(())
            })?;
        }
        for (newest, values) in plan.newest.iter().zip(values).filter(|(newest, _)| newest.select.codes.is_none()) {
            let near = |event: &Event| self.latest(event.person)[newest.at].load(Relaxed) as u32;
            in_blocks(&newest.select, newest.first_day, met, rows, near, |event| {
                newest.note(self.latest(event.person), far, met, values.as_ref(), event)
            })?;
        }
        self.by_codes(plan, far, met, rows, values)
    }

    /// The same of those who ask for codes.
    fn by_codes(&self, plan: &Plan, far: &mut Far, met: &Met, rows: &Rows, values: &[Option<Values>]) -> Result<()> {
        let groups = plan.groups.len();
        for codes in &met.codes {
            for block in codes.met.chunks(ahead::BLOCK) {
                let near = |at: &u32| {
                    let person = met.events[*at as usize].person;
                    codes.askers(*at).iter().map(move |asker| match plan.groups.get(*asker as usize) {
                        Some(group) => self.row(person)[group.at()].load(Relaxed),
                        None => self.latest(person)[*asker as usize - groups].load(Relaxed) as u32,
                    })
                };
                ahead::read(block.iter().flat_map(near).map(Some));
                for at in block {
                    let event = &met.events[*at as usize];
                    for asker in codes.askers(*at) {
                        let asker = *asker as usize;
                        if let Some(group) = plan.groups.get(asker) {
                            if group.select.passes(event, met, rows) {
                                group.note(self.row(event.person), event.day);
                            }
                        } else {
                            let (newest, values) = (&plan.newest[asker - groups], &values[asker - groups]);
                            if newest.select.passes(event, met, rows) {
                                newest.note(self.latest(event.person), far, met, values.as_ref(), event)?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Calls `each` with the selected events from a day on, when what it needs of them is `near`.
fn in_blocks(
    select: &Select,
    first_day: i32,
    met: &Met,
    rows: &Rows,
    near: impl Fn(&Event) -> u32,
    mut each: impl FnMut(&Event) -> Result<()>,
) -> Result<()> {
    let mut block: Vec<Event> = Vec::with_capacity(ahead::BLOCK);
    let mut take = |block: &mut Vec<Event>| {
        ahead::read(block.iter().map(|event| Some(near(event))));
        block.drain(..).try_for_each(|event| each(&event))
    };
    let mut taken = Ok(());
    select.each(met, rows, |event| {
        if event.day >= first_day {
            block.push(*event);
        }
        if block.len() == ahead::BLOCK && taken.is_ok() {
            taken = take(&mut block);
        }
    });
    taken.and_then(|()| take(&mut block))
}

/// The part of a person, and the place there.
fn place(person: u32) -> (usize, usize) {
    (person as usize / PART, person as usize % PART)
}

impl Part {
    /// The numbers of the person at a place, of whom there are so many.
    pub fn row(&self, at: usize, words: usize) -> &[AtomicU32] {
        &self.words[at * words..][..words]
    }

    /// The latest values of the person at a place, of whom there are so many.
    pub fn latest(&self, at: usize, count: usize) -> &[AtomicU64] {
        &self.latest[at * count..][..count]
    }
}
