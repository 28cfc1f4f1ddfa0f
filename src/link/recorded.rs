//! How an item of a person is recorded, and how the rows of a source record it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pipeline::decl::Resolve;

/// How an item is recorded; the order is from best to worst evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordingState {
    Known,
    /// Sources' latest known values differ, or one source gives two of what never changes.
    Conflicting,
    /// Known once, and last recorded longer ago than the item's values count.
    Stale,
    Outdated,
    AskedUnsure,
    Declined,
    NotKnown,
    Invalid,
    Blank,
}

impl RecordingState {
    pub const ALL: [Self; 9] = [
        Self::Known,
        Self::Conflicting,
        Self::Stale,
        Self::Outdated,
        Self::AskedUnsure,
        Self::Declined,
        Self::NotKnown,
        Self::Invalid,
        Self::Blank,
    ];

    /// The name in declarations and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Conflicting => "conflicting",
            Self::Stale => "stale",
            Self::Outdated => "outdated",
            Self::AskedUnsure => "asked_unsure",
            Self::Declined => "declined",
            Self::NotKnown => "not_known",
            Self::Invalid => "invalid",
            Self::Blank => "blank",
        }
    }
}

/// How many are in each state, as [`RecordingState::ALL`].
pub type States = [u64; RecordingState::ALL.len()];

/// Two sources that know a value of the same people, by both of them.
pub type Pairs = BTreeMap<(u16, u16), Pair>;

/// Everything said about one demographic item.
#[derive(Debug, Default)]
pub struct ItemEvidence {
    /// Known values, sorted; what follows names them by their place here.
    pub values: Vec<Arc<str>>,
    /// The value that won, by person; [`NO_VALUE`] where none is known.
    pub won: Vec<u32>,
    /// By person, over all sources.
    pub state: Vec<RecordingState>,
    /// What each source says of people of whom not just one value is known, sorted by person, then source.
    pub open: Vec<Say>,
    /// By source: people in each state, of those of whom it says something.
    pub by_source: Vec<States>,
    /// Each two sources that know a value of the same people, sorted.
    pub pairs: Pairs,
    pub beside: Beside,
}

impl ItemEvidence {
    /// A value by its place.
    pub fn value(&self, place: Option<u32>) -> Option<&str> {
        self.values.get(place? as usize).map(|value| &**value)
    }

    /// People in each state, over all sources.
    pub fn states(&self) -> States {
        let mut people = States::default();
        self.state.iter().for_each(|state| people[*state as usize] += 1);
        people
    }

    /// The place of the value that won, by person.
    pub fn won(&self) -> impl Iterator<Item = Option<u32>> {
        self.won.iter().map(|place| Some(*place).filter(|place| *place != NO_VALUE))
    }

    /// The value that won of one person.
    pub fn resolved_of(&self, person: usize) -> Option<&str> {
        self.won.get(person).and_then(|place| self.value(Some(*place)))
    }

    /// The value that won, by person.
    pub fn resolved(&self) -> impl Iterator<Item = Option<&str>> {
        self.won().map(|place| self.value(place))
    }

    /// What each source says of a person whose record is open.
    pub fn open_of(&self, person: u32) -> &[Say] {
        let from = self.open.partition_point(|say| say.person < person);
        let to = self.open.partition_point(|say| say.person <= person);
        self.open.get(from..to).unwrap_or_default()
    }
}

/// Two sources that know a value of the same people.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pair {
    pub people: u64,
    pub same: u64,
    /// By what the first and the second say: places among the item's values.
    pub differ: BTreeMap<(u32, u32), u64>,
}

/// What one source says about one item of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Say {
    pub person: u32,
    /// Index into [`crate::pipeline::Pipeline::sources`].
    pub source: u16,
    /// The best state of any of its rows.
    pub state: RecordingState,
    value: u32,
    date: i32,
}

/// Instead of the place of a value.
pub const NO_VALUE: u32 = u32::MAX;

/// Instead of a date.
const NO_DATE: i32 = i32::MIN;

impl Say {
    pub fn new(person: u32, source: u16, state: RecordingState, value: Option<u32>, date: Option<i32>) -> Self {
        Self { person, source, state, value: value.unwrap_or(NO_VALUE), date: date.unwrap_or(NO_DATE) }
    }

    /// The latest known value, by its place among those of the item.
    pub fn value(&self) -> Option<u32> {
        Some(self.value).filter(|value| *value != NO_VALUE)
    }

    /// The date of that value, in days since 1970-01-01.
    pub fn date(&self) -> Option<i32> {
        Some(self.date).filter(|date| *date != NO_DATE)
    }
}

/// What the rules of resolution make of an item, side by side.
#[derive(Debug, Default)]
pub struct Beside {
    /// By rule, as [`Resolve::ALL`]: people by the value that would win. Empty for an item without a value set, which has
    /// nearly as many values as people.
    pub people: [BTreeMap<Arc<str>, u64>; Resolve::ALL.len()],
    /// By rule: people whose value differs from the one that the declared rule gives.
    pub moved: [u64; Resolve::ALL.len()],
    /// People with a known value.
    pub known: u64,
    /// People with more than one known value over time.
    pub changed: u64,
    /// People whose value came back after another.
    pub went_back: u64,
}

/// What the rows of a source that count say, without whose they are.
#[derive(Debug, Default)]
pub struct SourceRows {
    /// Sorted by item, then by who recorded them.
    pub by: Vec<RowsBy>,
    /// Months of the last three before the as-of date with a row, by who recorded them.
    pub months: BTreeMap<Arc<str>, u32>,
    /// By what the audits compare linkage by; sorted.
    pub groups: Vec<RowGroup>,
    /// In the order of [`crate::pipeline::Pipeline::steps_at`].
    pub steps: Vec<AtStep>,
}

/// The rows of one recorder about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsBy {
    /// Index into [`crate::pipeline::Pipeline::items`].
    pub item: usize,
    /// Who recorded them; the words for "not recorded" where a row does not say.
    pub recorder: Arc<str>,
    /// As [`RecordingState::ALL`]; a row is neither stale nor in conflict.
    pub states: [u64; RecordingState::ALL.len()],
    /// Known rows that say no more than "other".
    pub other: u64,
}

/// Rows that say the same of a person, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowGroup {
    pub split: String,
    /// As it is resolved; the words for "not recorded" where the row does not say.
    pub group: String,
    pub used: u64,
    pub not_linked: u64,
    pub outside_life: u64,
}

/// People with a row at a step of a pathway, and how those rows record each item.
#[derive(Debug, Default)]
pub struct AtStep {
    /// Sorted.
    pub people: Vec<u32>,
    /// By item of the pipeline: the best state of any row, as `people`; none where the source does not carry the item.
    pub states: Vec<Option<Vec<RecordingState>>>,
}
