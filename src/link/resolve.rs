//! Which of the values that are known of a person wins: by the declared rule, with the others beside it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Beside;
use super::places::Times;
use crate::pipeline::decl::Resolve;

/// A known value of one source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub source: u16,
    /// Place of the source in the item's order.
    pub order: usize,
    pub value: u32,
    pub times: Times,
}

/// The rules of resolution, each followed for every person.
pub(super) struct SideBySide {
    declared: Resolve,
    /// By value: of whom all sources know the same, so that every rule agrees.
    agreed: Vec<u64>,
    /// By rule and value: the others.
    people: [Vec<u64>; Resolve::ALL.len()],
    counts: Beside,
}

impl SideBySide {
    pub fn new(values: usize, declared: Resolve) -> Self {
        Self {
            declared,
            agreed: vec![0; values],
            people: Resolve::ALL.map(|_| vec![0; values]),
            counts: Beside::default(),
        }
    }

    /// Adds what was counted of others.
    pub fn add(&mut self, other: &Self) {
        let mine = self.people.iter_mut().flatten().chain(&mut self.agreed);
        mine.zip(other.people.iter().flatten().chain(&other.agreed)).for_each(|(mine, theirs)| *mine += theirs);
        let (mine, theirs) = (&mut self.counts, &other.counts);
        mine.moved.iter_mut().zip(theirs.moved).for_each(|(mine, theirs)| *mine += theirs);
        mine.known += theirs.known;
        mine.changed += theirs.changed;
        mine.went_back += theirs.went_back;
    }

    /// All that is known of a person is this.
    pub fn agree(&mut self, value: u32) {
        self.counts.known += 1;
        self.agreed[value as usize] += 1;
    }

    /// The value of the declared rule, of a person of whom different values are known.
    pub fn differ(&mut self, known: &[Known]) -> Option<u32> {
        let first = known.first()?.value;
        self.counts.known += 1;
        let winner = winner(self.declared, known);
        for (rule, (people, moved)) in Resolve::ALL.iter().zip(self.people.iter_mut().zip(&mut self.counts.moved)) {
            let theirs = self::winner(*rule, known);
            people[theirs.unwrap_or(first) as usize] += 1;
            *moved += u64::from(theirs != winner);
        }
        let (changed, went_back) = over_time(known);
        self.counts.changed += u64::from(changed);
        self.counts.went_back += u64::from(went_back);
        winner
    }

    pub fn finish(mut self, values: &[Arc<str>]) -> Beside {
        for (named, people) in self.counts.people.iter_mut().zip(&self.people) {
            let people = people.iter().zip(&self.agreed).map(|(people, agreed)| people + agreed);
            named.extend(values.iter().cloned().zip(people).filter(|(_, people)| *people > 0));
        }
        self.counts
    }
}

/// Whether a person's dated values changed, and whether one came back after another.
fn over_time(known: &[Known]) -> (bool, bool) {
    let mut spans: BTreeMap<u32, (i32, i32)> = BTreeMap::new();
    for known in known {
        let Some((first, latest)) = known.times.span() else { continue };
        let span = spans.entry(known.value).or_insert((first, latest));
        *span = (span.0.min(first), span.1.max(latest));
    }
    let inside = |day: i32, (first, latest): (i32, i32)| first < day && day < latest;
    let between = |a: &u32, b: &u32| a != b && (inside(spans[b].0, spans[a]) || inside(spans[b].1, spans[a]));
    (spans.len() > 1, spans.keys().any(|a| spans.keys().any(|b| between(a, b))))
}

fn winner(resolve: Resolve, known: &[Known]) -> Option<u32> {
    let recent = |known: &Known| (known.times.latest(), Reverse(known.order), known.value);
    match resolve {
        Resolve::MostRecent => known.iter().map(recent).max().map(|(.., value)| value),
        Resolve::SourceOrder => {
            let trusted =
                |known: &Known| (Reverse(known.order), Reverse(known.source), known.times.latest(), known.value);
            known.iter().map(trusted).max().map(|(.., value)| value)
        }
        Resolve::MostFrequent => {
            let mut rows: BTreeMap<u32, u64> = BTreeMap::new();
            for known in known {
                *rows.entry(known.value).or_default() += u64::from(known.times.rows);
            }
            known.iter().map(|known| (rows.get(&known.value), recent(known))).max().map(|(_, (.., value))| value)
        }
    }
}
