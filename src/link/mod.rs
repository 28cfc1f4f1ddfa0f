//! One spine of people, their events, and what every source says about them.

/// Who is on the spine.
mod spine;

/// A count of where the rows of a source went.
mod ledger;

/// What a register says of each person.
mod register;

/// What is not read while sources are read.
mod shelved;

/// Where everyone stands.
mod standing;

/// Old tokens and what they became.
mod superseded;

/// The tokens of the registers, to be found.
mod known;

/// Tokens in half a line of memory.
mod packed;

/// A place for each hash.
mod displaced;

/// People of an earlier date, followed up.
mod follow;

/// Who is no longer on the spine.
mod gone;

/// What the rows of a source say, as they pass by.
pub mod heard;

/// Texts by number.
pub mod numbers;

/// Rows by recorder and value.
mod pairs;

/// What rows say of each person, without a search for most.
pub mod places;

/// What delivered values mean.
pub mod meaning;

/// Which of the values that are known of a person wins.
mod resolve;

/// What is said of a few people about one item.
mod gathered;

/// What every source says about a person.
pub mod evidence;

/// How people and rows are recorded.
mod recorded;

/// What the rows of a source come to.
pub mod rows;

pub use gone::Gone;
pub use ledger::Ledger;
pub use recorded::{
    AtStep, Beside, ItemEvidence, NO_VALUE, Pair, Pairs, RecordingState, RowGroup, RowsBy, Say, SourceRows, States,
};
pub use register::Register;
pub use superseded::Superseded;

use crate::ahead;
use crate::calendar;
use crate::conform::{Chunk, Conformed, Fate, batch_days};
use crate::error::Result;
use crate::pipeline::decl::Role;
use crate::pseudonym::Pseudonym;
use crate::receipt::PeopleAccount;
use known::{Known, Search};

pub use follow::{Followed, Since, follow};

/// Deliveries whose rows are known to belong to people.
#[derive(Debug)]
pub struct Records<'a> {
    pub conformed: &'a Conformed<'a>,
    /// Sorted; a person's id is the index.
    pub tokens: Vec<Pseudonym>,
    pub registers: Vec<Register>,
    pub account: PeopleAccount,
    pub superseded: Superseded,
    known: Known,
}

/// A token that a register knows.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Dense number over all registers' tokens.
    index: u32,
    presence: Presence,
    /// Number on the spine.
    person: Option<u32>,
    birth: Option<i32>,
    /// Only a death before the as-of date.
    death: Option<i32>,
    /// Rows are to be kept as they came.
    kept: bool,
}

/// Where someone whom a register knows stands at the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    OnSpine,
    TestPerson,
    OptedOut,
    Died,
    Left,
    NotYet,
}

/// Reads registers, superseded tokens, deaths and opt-outs, and settles who is on the spine.
pub fn link<'a>(conformed: &'a Conformed<'a>) -> Result<Records<'a>> {
    let superseded = superseded::read(conformed)?;
    let spine = spine::build(conformed, &superseded)?;
    Ok(Records {
        conformed,
        tokens: spine.tokens,
        registers: spine.registers,
        account: spine.account,
        known: spine.known,
        superseded,
    })
}

/// What became of a linked row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    SetAside,
    NotYetKnown,
    Duplicate,
    NotLinked,
    Future,
    BeforeBirth,
    AfterDeath,
    OffSpine,
    Used,
}

impl Outcome {
    /// As the receipt and `explain` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetAside => "set aside",
            Self::NotYetKnown => "not yet known",
            Self::Duplicate => "duplicate",
            Self::NotLinked => "not linked",
            Self::Future => "on or after the as-of date",
            Self::BeforeBirth => "before birth",
            Self::AfterDeath => "after death",
            Self::OffSpine => "off the spine",
            Self::Used => "used",
        }
    }
}

/// The rows of a chunk that count, and where the others went.
#[derive(Debug, Default)]
pub struct Linked {
    /// Row numbers in the chunk, with person and day (as of which the row counts; none where a source has no date).
    pub rows: Vec<u32>,
    pub persons: Vec<u32>,
    pub days: Vec<Option<i32>>,
    /// Rows of people who died or left since: row, number among all tokens of registers, day.
    pub gone: Vec<(u32, u32, Option<i32>)>,
    /// Rows that are nobody's, or lie outside their person's life.
    pub strays: Vec<(u32, Stray)>,
    /// Rows of the sample, whatever became of them.
    pub sampled: Vec<u32>,
}

/// Why a row may have been linked wrongly, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// No register knows its token.
    NotLinked,
    /// Before birth, or after death.
    OutsideLife,
}

impl Stray {
    fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::NotLinked => Some(Self::NotLinked),
            Outcome::BeforeBirth | Outcome::AfterDeath => Some(Self::OutsideLife),
            _ => None,
        }
    }
}

impl Records<'_> {
    /// Where the person of a token, old or new, stands; none whom no register knows.
    pub fn presence(&self, token: &Pseudonym) -> Option<Presence> {
        self.known.get(&token.reveal()).map(|entry| entry.presence)
    }

    /// Has the rows of these people kept as they came, by the token in use today.
    pub fn keep_rows_of(&mut self, sample: impl Fn(&str) -> bool) {
        self.known.keep_rows_of(sample);
    }

    /// Finds the person of each row, and counts where every row went.
    pub fn link_chunk(&self, role: Role, chunk: &Chunk, ledger: &mut Ledger) -> Result<Linked> {
        let rows = chunk.fates.len();
        let mut linked = Linked {
            rows: Vec::with_capacity(rows),
            persons: Vec::with_capacity(rows),
            days: Vec::with_capacity(rows),
            ..Linked::default()
        };
        self.each_entry(role, chunk, ledger, |row, outcome, entry, day| {
            match (outcome, entry) {
                (Outcome::Used, Some(Entry { person: Some(person), .. })) => {
                    linked.rows.push(row);
                    linked.persons.push(*person);
                    linked.days.push(day);
                }
                (Outcome::OffSpine, Some(entry)) if entry.is_gone() => linked.gone.push((row, entry.index, day)),
                _ => {}
            }
            linked.strays.extend(Stray::of(outcome).map(|stray| (row, stray)));
            if entry.is_some_and(|entry| entry.kept) {
                linked.sampled.push(row);
            }
        })?;
        Ok(linked)
    }

    fn note_other(&self, token: Option<&str>, ledger: &mut Ledger) {
        if let Some(token) = token.map(|token| self.superseded.fold(token))
            && !ledger.other_tokens.contains(token)
        {
            ledger.other_tokens.insert(token.to_owned());
        }
    }

    /// Calls `each` with the row, its outcome, its person on the spine and its day.
    pub fn each_row(
        &self,
        role: Role,
        chunk: &Chunk,
        ledger: &mut Ledger,
        mut each: impl FnMut(u32, Outcome, Option<u32>, Option<i32>),
    ) -> Result<()> {
        self.each_entry(role, chunk, ledger, |row, outcome, entry, day| {
            each(row, outcome, entry.and_then(|entry| entry.person), day);
        })
    }

    /// Calls `each` with the row, its outcome, what is known of its token and its day.
    fn each_entry(
        &self,
        role: Role,
        chunk: &Chunk,
        ledger: &mut Ledger,
        mut each: impl FnMut(u32, Outcome, Option<&Entry>, Option<i32>),
    ) -> Result<()> {
        let as_of = calendar::epoch_days(self.conformed.pipeline.as_of);
        let days = chunk.batch.column_by_name("date").map(batch_days);
        // A row without a date of its own is as fresh as the day on which it was recorded.
        let recorded = chunk.batch.column_by_name("recorded").map(batch_days);
        let column = if role == Role::Lookup { None } else { Some(spine::person(chunk)?) };
        let tokens = column.as_ref().map(spine::tokens).transpose()?;
        ledger.linked.resize(self.known.len().div_ceil(64), 0);
        let mut search = Search::default();
        for (row, fate) in chunk.fates.iter().enumerate() {
            if row % ahead::BLOCK == 0
                && let Some(tokens) = &tokens
            {
                self.known.find(tokens, row..chunk.fates.len().min(row + ahead::BLOCK), &mut search);
                let found = search.found.iter().filter_map(|line| self.known.entry(*line));
                ahead::read(found.map(|entry| Some(ledger.linked[entry.index as usize / 64] as u32)));
            }
            let day = days.as_ref().and_then(|days| days[row]);
            let entry = search.found.get(row % ahead::BLOCK).and_then(|number| self.known.entry(*number));
            let outcome = match fate {
                Fate::SetAside => Outcome::SetAside,
                Fate::NotYetKnown => Outcome::NotYetKnown,
                Fate::Duplicate => Outcome::Duplicate,
                Fate::Good => {
                    match entry {
                        Some(entry) => ledger.hold(entry.index),
                        None => self.note_other(tokens.as_ref().and_then(|tokens| tokens.borrowed(row)), ledger),
                    }
                    outcome(role, entry, day, as_of)
                }
            };
            // How fresh the opt-outs and allow-lists are does not depend on whose they are.
            if outcome == Outcome::Used || (role.names_people() && matches!(fate, Fate::Good | Fate::Duplicate)) {
                let fresh = day.or_else(|| recorded.as_ref().and_then(|days| days[row]));
                ledger.latest_day = ledger.latest_day.max(fresh.filter(|day| *day < as_of));
            }
            ledger.note(outcome);
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            each(row, outcome, entry, day);
        }
        Ok(())
    }
}

/// What becomes of a good row.
fn outcome(role: Role, entry: Option<&Entry>, day: Option<i32>, as_of: i32) -> Outcome {
    let not_before_as_of = day.is_some_and(|day| day >= as_of);
    match (role, entry) {
        (Role::Lookup | Role::Superseded, _) => Outcome::Used,
        (_, None) => Outcome::NotLinked,
        (role, _) if role.names_people() && day.is_some_and(|day| day > as_of) => Outcome::Future,
        (role, _) if role.names_people() => Outcome::Used,
        (_, Some(_)) if not_before_as_of => Outcome::Future,
        (Role::Register, Some(entry)) if entry.person.is_none() => Outcome::OffSpine,
        (Role::Register, Some(_)) => Outcome::Used,
        (_, Some(entry)) if day.zip(entry.birth).is_some_and(|(day, birth)| day < birth) => Outcome::BeforeBirth,
        (_, Some(entry)) if day.zip(entry.death).is_some_and(|(day, death)| day > death) => Outcome::AfterDeath,
        (_, Some(entry)) if entry.person.is_none() => Outcome::OffSpine,
        (_, Some(_)) => Outcome::Used,
    }
}

/// The people of a run: registered, alive and not opted out at the as-of date.
#[derive(Debug)]
pub struct People {
    /// Sorted; a person's id is the index.
    pub tokens: Vec<Pseudonym>,
    /// For each source with the role `register`: the resolved row of each person, columns as declared.
    pub registers: Vec<Register>,
    /// In the order of [`crate::pipeline::Pipeline::items`].
    pub items: Vec<ItemEvidence>,
    /// By [`crate::pipeline::Pipeline::sources`].
    pub rows: Vec<SourceRows>,
}
