//! Which of the values that are known of a person wins: by the declared rule, with the others beside it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::places::Times;
use super::{Beside, NO_VALUE, Pair, Pairs, RecordingState, Say, States};
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

/// What sources say of everyone, beside each other, and the rules of resolution, each followed for every person.
pub(super) struct SideBySide {
    sources: usize,
    /// By source: people in each state.
    by_source: Vec<States>,
    /// By source and source: people of whom both know a value, and those of whom they know the same.
    pairs: Vec<[u64; 2]>,
    /// By a pair and its two values.
    unlike: HashMap<(u32, u32, u32), u64>,
    declared: Resolve,
    /// By value: of whom all sources know the same, so that every rule agrees.
    agreed: Vec<u64>,
    /// By rule and value: the others.
    people: [Vec<u64>; Resolve::ALL.len()],
    counts: Beside,
}

impl SideBySide {
    pub fn new(values: usize, sources: usize, declared: Resolve) -> Self {
        Self {
            sources,
            by_source: vec![Default::default(); sources],
            pairs: vec![[0; 2]; sources * sources],
            unlike: HashMap::new(),
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
        let mine = self.by_source.iter_mut().flatten().chain(self.pairs.iter_mut().flatten());
        let theirs = other.by_source.iter().flatten().chain(other.pairs.iter().flatten());
        mine.zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        other.unlike.iter().for_each(|(values, people)| *self.unlike.entry(*values).or_default() += people);
    }

    /// What each source says of one person, in their order.
    pub fn hear(&mut self, says: &[Say]) {
        for (at, say) in says.iter().enumerate() {
            self.by_source[usize::from(say.source)][say.state as usize] += 1;
            let Some(first) = say.value() else { continue };
            for (other, second) in says[at + 1..].iter().filter_map(|other| Some((other, other.value()?))) {
                let pair = usize::from(say.source) * self.sources + usize::from(other.source);
                self.pairs[pair][0] += 1;
                self.pairs[pair][1] += u64::from(first == second);
                if first != second {
                    *self.unlike.entry((pair as u32, first, second)).or_default() += 1;
                }
            }
        }
    }

    /// How sources record one person of whom all who know a value know this one.
    pub fn hear_agreed(&mut self, states: &[(u16, RecordingState)], value: u32) {
        for (at, (source, state)) in states.iter().enumerate() {
            self.by_source[usize::from(*source)][*state as usize] += 1;
            if *state != RecordingState::Known {
                continue;
            }
            for (other, _) in states[at + 1..].iter().filter(|(_, state)| *state == RecordingState::Known) {
                let pair = usize::from(*source) * self.sources + usize::from(*other);
                self.pairs[pair].iter_mut().for_each(|people| *people += 1);
            }
        }
        self.agree(value);
    }

    /// All that is said of one person, and the value that is known by it; the one that wins.
    pub fn hear_only(&mut self, say: &Say, known: Option<u32>) -> u32 {
        self.by_source[usize::from(say.source)][say.state as usize] += 1;
        known.iter().for_each(|value| self.agree(*value));
        known.unwrap_or(NO_VALUE)
    }

    /// People by source and state, and each two sources that know a value of the same people.
    pub fn of_sources(&mut self) -> (Vec<States>, Pairs) {
        let named = |at: usize| ((at / self.sources) as u16, (at % self.sources) as u16);
        let both = self.pairs.iter().enumerate().filter(|(_, [people, _])| *people > 0);
        let pair = |(at, &[people, same]): (usize, &[u64; 2])| (named(at), Pair { people, same, ..Pair::default() });
        let mut pairs: Pairs = both.map(pair).collect();
        for (&(at, first, second), &people) in &self.unlike {
            let pair = pairs.entry(named(at as usize)).or_default();
            pair.differ.insert((first, second), people);
        }
        (std::mem::take(&mut self.by_source), pairs)
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
