//! What is said of a few people about one item, and what that comes to.

use super::places::Times;
use super::resolve::Known;
use super::{NO_VALUE, RecordingState, Say};

/// People of whom is read ahead what was said, so that looking up one does not wait for another.
pub(super) const BLOCK: usize = 128;

/// One delivered value of one person in one source, judged; a known value by its place among the item's sorted values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub source: u16,
    pub state: RecordingState,
    pub value: u32,
    pub times: Times,
}

/// Before anything is said.
const NOTHING: Said = Said { source: 0, state: RecordingState::Blank, value: NO_VALUE, times: Times::NONE };

impl Said {
    pub fn known(&self) -> Option<u32> {
        (self.value != NO_VALUE).then_some(self.value)
    }

    /// What a source says that never said anything else.
    pub fn alone(&self, person: u32, expired_before: Option<i32>) -> Say {
        let value = self.known();
        let date = value.and_then(|_| self.times.latest());
        let stale = date.zip(expired_before).is_some_and(|(day, limit)| day < limit);
        let state = if stale { RecordingState::Stale } else { self.state };
        Say::new(person, self.source, state, value, date)
    }

    /// Where a value is known: with the place of its source in the order of the item.
    pub fn among(&self, orders: &[usize]) -> Option<Known> {
        let (source, order) = (self.source, orders[usize::from(self.source)]);
        Some(Known { source, order, value: self.known()?, times: self.times })
    }
}

/// What is said of the people of a block about one item.
pub(super) struct Gathered {
    /// By source, each with the number of the person in the block.
    pub said: Vec<(u32, Said)>,
    /// By person, then source.
    sorted: Vec<Said>,
    /// Where those of each person of the block begin, and the last ones end.
    begins: [u32; BLOCK + 1],
}

impl Gathered {
    pub fn new() -> Self {
        Self { said: Vec::new(), sorted: Vec::new(), begins: [0; BLOCK + 1] }
    }

    /// Puts what is said of the same person side by side.
    pub fn sort(&mut self) {
        self.begins = [0; BLOCK + 1];
        self.said.iter().for_each(|(at, _)| self.begins[*at as usize + 1] += 1);
        (1..=BLOCK).for_each(|at| self.begins[at] += self.begins[at - 1]);
        // Each place is written.
        self.sorted.resize(self.said.len(), NOTHING);
        let mut next = self.begins;
        for (at, said) in &self.said {
            let place = &mut next[*at as usize];
            self.sorted[*place as usize] = *said;
            *place += 1;
        }
    }

    /// What is said of a person of the block.
    pub fn of(&self, at: usize) -> &[Said] {
        &self.sorted[self.begins[at] as usize..self.begins[at + 1] as usize]
    }
}

/// The one value that is known of a person, as long as it has not expired anywhere.
#[inline]
pub(super) fn agreed(said: &[Said], expired_before: Option<i32>) -> Option<u32> {
    let value = said.iter().find_map(Said::known)?;
    let limit = expired_before.unwrap_or(i32::MIN);
    let fresh = |said: &Said| said.times.latest().is_none_or(|day| day >= limit);
    said.iter().all(|said| said.value == NO_VALUE || (said.value == value && fresh(said))).then_some(value)
}

/// How each source records a person of whom no more than one value is known.
pub(super) fn states(said: &[Said], states: &mut Vec<(u16, RecordingState)>) {
    states.clear();
    for said in said {
        match states.last_mut().filter(|(source, _)| *source == said.source) {
            Some((_, state)) => *state = said.state.min(*state),
            None => states.push((said.source, said.state)),
        }
    }
}

/// What one source says of one person; a value that was last recorded before a day has expired.
pub(super) fn say(person: u32, said: &[Said], fixed: bool, expired_before: Option<i32>) -> Option<Say> {
    let first = said.first()?;
    if said.len() == 1 {
        return Some(first.alone(person, expired_before));
    }
    let latest = said.iter().filter_map(|said| Some((said.times.latest(), said.known()?))).max();
    let other = |said: &Said| said.known().is_some_and(|value| Some(value) != latest.map(|(_, value)| value));
    let state = match latest {
        Some(_) if fixed && said.iter().any(other) => RecordingState::Conflicting,
        Some((Some(day), _)) if expired_before.is_some_and(|limit| day < limit) => RecordingState::Stale,
        _ => said.iter().map(|said| said.state).min()?,
    };
    let (date, value) = (latest.and_then(|(day, _)| day), latest.map(|(_, value)| value));
    Some(Say::new(person, first.source, state, value, date))
}

/// A person's state over all sources; what has expired contradicts nothing.
pub(super) fn overall(says: &[Say]) -> RecordingState {
    if let [only] = says {
        return only.state;
    }
    let fresh = |say: &&Say| matches!(say.state, RecordingState::Known | RecordingState::Conflicting);
    let mut values = says.iter().filter(fresh).filter_map(Say::value);
    let first = values.next();
    let differ = values.any(|value| Some(value) != first);
    if differ || says.iter().any(|say| say.state == RecordingState::Conflicting) {
        return RecordingState::Conflicting;
    }
    says.iter().map(|say| say.state).min().unwrap_or(RecordingState::Blank)
}
