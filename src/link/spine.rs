//! Who is on the spine: registered, alive, not opted out at the as-of date, and no test.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, DynComparator, StringArray};
use arrow::array::{UInt32Array, UInt64Array, make_comparator, new_empty_array};
use arrow::compute::{SortOptions, concat, take, take_record_batch};
use arrow::datatypes::{Date32Type, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use hashbrown::hash_table::{Entry as Place, HashTable};
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use super::known::Known;
use super::register::{Register, read_later};
use super::standing::{Judge, Judged, Standing};
use super::superseded::Superseded;
use super::{Entry, Presence};
use crate::calendar;
use crate::columns::Columns;
use crate::conform::{self, Chunk, Conformed, Fate, Texts, batch_days};
use crate::error::{Error, Result};
use crate::nhs_number;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;
use crate::pseudonym::Pseudonym;
use crate::receipt::PeopleAccount;
use crate::workers;

/// The spine before any event is read.
pub(super) struct Spine {
    pub tokens: Vec<Pseudonym>,
    pub known: Known,
    pub registers: Vec<Register>,
    pub account: PeopleAccount,
}

/// One register: the rows that count, and the best of each person.
pub(super) struct Rows<'a> {
    superseded: &'a Superseded,
    source: usize,
    batch: RecordBatch,
    tokens: StringArray,
    best: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Tokens of which no row counts, folded; they may be in `best` as well.
    others: HashSet<String>,
    start: Days,
    end: Days,
    pub birth: Days,
    tests: Option<BooleanArray>,
}

/// The days of a column, by row; without a column, none.
pub(super) struct Days(Option<Date32Array>);

impl Days {
    fn of(batch: &RecordBatch, name: &str) -> Self {
        let days = |column: &ArrayRef| match column.as_primitive_opt::<Date32Type>() {
            Some(days) => days.clone(),
            None => batch_days(column).into(),
        };
        Self(batch.column_by_name(name).map(days))
    }

    pub fn get(&self, row: usize) -> Option<i32> {
        self.0.as_ref().filter(|days| days.is_valid(row)).map(|days| days.value(row))
    }
}

pub(super) fn build(conformed: &Conformed, superseded: &Superseded) -> Result<Spine> {
    let pipeline = conformed.pipeline;
    let as_of = calendar::epoch_days(pipeline.as_of);
    let mut registers = Vec::new();
    for (index, source) in pipeline.with_role(Role::Register) {
        let register = Rows::read(conformed, superseded, index, as_of)?;
        nhs_number::refuse(&source.name, "person", register.counting())?;
        registers.push(register);
    }
    let deaths = said(conformed, superseded, as_of, "death_date", i32::min)?;
    let left = said(conformed, superseded, as_of, "left_date", i32::max)?;
    let named = Named::read(conformed, superseded, as_of, as_of)?;
    let everyone = sorted(registers.iter().flat_map(|register| {
        let others = register.others.iter().map(String::as_str);
        register.counting().chain(others)
    }));
    let judge = Judge { registers: &registers, deaths: &deaths, left: &left, named: &named, as_of };
    let partitions = conformed.engine.partitions;
    let judged = workers::each(partitions, workers::ranges(everyone.len(), TOGETHER), |range| {
        Ok(everyone[range].iter().map(|(_, token)| judge.of(token)).collect::<Vec<_>>())
    })?;
    let mut account = PeopleAccount { in_registers: everyone.len() as u64, ..PeopleAccount::default() };
    let mut spine = Vec::with_capacity(everyone.len());
    let mut known = Vec::with_capacity(everyone.len());
    for ((_, token), Judged { presence, birth, death }) in everyone.iter().zip(judged.into_iter().flatten()) {
        *match presence {
            Presence::OnSpine => &mut account.on_spine,
            Presence::TestPerson => &mut account.test_people,
            Presence::OptedOut => &mut account.opted_out,
            Presence::Died => &mut account.died,
            Presence::Left => &mut account.left,
            Presence::NotYet => &mut account.not_yet,
        } += 1;
        let on_spine = presence == Presence::OnSpine;
        let number = |count: usize| u32::try_from(count).map_err(|_| too_many());
        let index = number(known.len())?;
        let person = if on_spine { Some(number(spine.len())?) } else { None };
        if on_spine {
            spine.push(Pseudonym::new(*token));
        }
        known.push((*token, Entry { index, presence, person, birth, death, kept: false }));
    }
    drop(everyone);
    let (known, rows) = workers::both(
        partitions,
        || Known::of(known, superseded),
        || registers.iter().map(|register| register.resolved(pipeline, &spine)).collect::<Result<_>>(),
    )?;
    Ok(Spine { tokens: spine, known, registers: rows, account })
}

/// Tokens that one worker judges at a time.
const TOGETHER: usize = 1 << 13;

/// Each token once, in their order, behind its first bytes: most are told apart by those, which lie side by side.
fn sorted<'t>(tokens: impl Iterator<Item = &'t str>) -> Vec<(u64, &'t str)> {
    let begins =
        |token: &str| token.bytes().chain([0; 8]).take(8).fold(0, |begins, byte| begins << 8 | u64::from(byte));
    let mut tokens: Vec<(u64, &str)> = tokens.map(|token| (begins(token), token)).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

pub(super) fn too_many() -> Error {
    Error::Resources("more people than a 32-bit number counts".to_owned())
}

impl<'a> Rows<'a> {
    /// All good rows of a register dated before the as-of date, and the best of each person.
    pub fn read(conformed: &Conformed, superseded: &'a Superseded, source: usize, as_of: i32) -> Result<Self> {
        let new = <(HashSet<String>, Vec<RecordBatch>)>::default;
        let (states, _) = conformed.scan(source, new, |(others, batches), chunk| {
            let dates = chunk.batch.column_by_name("date").map(batch_days);
            let person = person(&chunk)?;
            let mut keep = Vec::new();
            for row in (0..chunk.fates.len()).filter(|row| chunk.fates[*row] == Fate::Good) {
                if dates.as_ref().is_none_or(|days| days[row].is_none_or(|day| day < as_of)) {
                    keep.push(row as u64);
                    continue;
                }
                let token = superseded.fold(person.as_string::<i32>().value(row));
                if !others.contains(token) {
                    others.insert(token.to_owned());
                }
            }
            batches.push(take_record_batch(&chunk.batch, &UInt64Array::from(keep))?);
            Ok(())
        })?;
        let (others, batches): (Vec<_>, Vec<_>) = states.into_iter().unzip();
        let batch = whole(&conform::schema(&conformed.pipeline.sources[source]), batches.into_iter().flatten())?;
        let tokens = batch.column_by_name("person").ok_or_else(no_person)?.as_string::<i32>().clone();
        let (start, end) = (Days::of(&batch, "start"), Days::of(&batch, "end"));
        let birth = Days::of(&batch, "birth_date");
        let tests = batch.column_by_name("test_person").and_then(|column| column.as_boolean_opt()).cloned();
        let others = others.into_iter().flatten().collect();
        let best = HashTable::with_capacity(batch.num_rows());
        let hasher = DefaultHashBuilder::default();
        let mut rows = Self { superseded, source, batch, tokens, best, hasher, others, start, end, birth, tests };
        rows.find_best()?;
        Ok(rows)
    }

    fn find_best(&mut self) -> Result<()> {
        let order = precedence(&self.batch);
        let greater = |a: usize, b: usize| {
            order.iter().map(|compare| compare(a, b)).find(|order| order.is_ne()) == Some(Ordering::Greater)
        };
        let token = |row: usize| self.superseded.fold(self.tokens.value(row));
        for row in 0..self.batch.num_rows() {
            let number = u32::try_from(row).map_err(|_| too_many())?;
            let (this, hash) = (token(row), |row: &u32| self.hasher.hash_one(token(*row as usize)));
            let same = |rival: &u32| token(*rival as usize) == this;
            match self.best.entry(self.hasher.hash_one(this), same, hash) {
                Place::Occupied(mut rival) if greater(row, *rival.get() as usize) => *rival.get_mut() = number,
                Place::Occupied(_) => {}
                Place::Vacant(place) => drop(place.insert(number)),
            }
        }
        Ok(())
    }

    fn token(&self, row: u32) -> &str {
        self.superseded.fold(self.tokens.value(row as usize))
    }

    /// Each token with a row that counts, once.
    fn counting(&self) -> impl Iterator<Item = &str> {
        self.best.iter().map(|row| self.token(*row))
    }

    /// The best row of a token.
    pub fn best(&self, token: &str) -> Option<usize> {
        let found = self.best.find(self.hasher.hash_one(token), |row| self.token(*row) == token);
        found.map(|row| *row as usize)
    }

    /// A say that the person left holds until a registration begins after it: registers are slow to notice.
    pub fn standing(&self, left: &HashMap<String, i32>, token: &str, as_of: i32) -> Standing {
        self.standing_of(self.best(token), left, token, as_of)
    }

    pub fn standing_of(&self, best: Option<usize>, left: &HashMap<String, i32>, token: &str, as_of: i32) -> Standing {
        let Some(best) = best else { return Standing::NotYet };
        let start = self.start.get(best);
        let moved = left.get(token).is_some_and(|left| *left < as_of && start.is_none_or(|start| start <= *left));
        if start.is_some_and(|start| start >= as_of) {
            Standing::NotYet
        } else if moved || self.end.get(best).is_some_and(|end| end < as_of) {
            Standing::Left
        } else {
            Standing::Registered
        }
    }

    /// Whether the best row says that the person is a test.
    pub fn is_test(&self, best: Option<usize>) -> bool {
        self.tests.as_ref().zip(best).is_some_and(|(tests, row)| tests.is_valid(row) && tests.value(row))
    }

    /// Of the best row of each person of the spine the columns that are read later, null where the register does not know
    /// them.
    fn resolved(&self, pipeline: &Pipeline, spine: &[Pseudonym]) -> Result<Register> {
        let row = |token: &Pseudonym| self.best(&token.reveal()).and_then(|row| u32::try_from(row).ok());
        let best: UInt32Array = spine.iter().map(row).collect();
        let read = read_later(pipeline, self.source);
        let mut rows = Columns::new(best.len());
        for (field, column) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            if read.contains(field.name().as_str()) {
                rows.push(field.as_ref().clone().with_nullable(true), &take(column, &best, None)?)?;
            }
        }
        Ok(Register { source: self.source, rows })
    }
}

/// Batches as one, column by column: none is held twice but the one at hand.
fn whole(schema: &SchemaRef, batches: impl Iterator<Item = RecordBatch>) -> Result<RecordBatch> {
    let mut rows = 0;
    let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); schema.fields().len()];
    for batch in batches {
        rows += batch.num_rows();
        parts.iter_mut().zip(batch.columns()).for_each(|(parts, column)| parts.push(Arc::clone(column)));
    }
    let columns = schema.fields().iter().zip(parts).map(|(field, parts)| match parts.is_empty() {
        true => Ok(new_empty_array(field.data_type())),
        false => Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_>>()?, &options)?)
}

/// What decides between two rows of a person: date, start, then the columns as declared; null is least.
fn precedence(batch: &RecordBatch) -> Vec<DynComparator> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let rest = names.filter(|name| !["date", "start", "person"].contains(name));
    let columns = ["date", "start"].into_iter().chain(rest).filter_map(|name| batch.column_by_name(name));
    let options = SortOptions { descending: false, nulls_first: true };
    columns.filter_map(|column| make_comparator(column, column, options).ok()).collect()
}

/// What every source that has such a column says of each token (the earliest death, the latest leaving); rows of the
/// future do not speak.
pub(super) fn said(
    conformed: &Conformed,
    superseded: &Superseded,
    as_of: i32,
    column: &str,
    of_two: fn(i32, i32) -> i32,
) -> Result<HashMap<String, i32>> {
    let note = |said: &mut HashMap<String, i32>, token: &str, day: i32| match said.get_mut(token) {
        Some(known) => *known = of_two(day, *known),
        None => drop(said.insert(token.to_owned(), day)),
    };
    let mut all: HashMap<String, i32> = HashMap::new();
    for (index, source) in conformed.pipeline.sources.iter().enumerate() {
        if source.column(column).is_none() || source.column("person").is_none() {
            continue;
        }
        let (states, _) = conformed.scan(index, HashMap::new, |said: &mut HashMap<String, i32>, chunk| {
            let Some(said_days) = chunk.batch.column_by_name(column) else { return Ok(()) };
            let person = person(&chunk)?;
            let tokens = tokens(&person)?;
            let dates = chunk.batch.column_by_name("date").map(batch_days);
            let future = |row: usize| dates.as_ref().is_some_and(|days| days[row].is_some_and(|day| day >= as_of));
            for (row, day) in batch_days(said_days).into_iter().enumerate() {
                let Some(day) = day.filter(|_| chunk.fates[row] == Fate::Good && !future(row)) else { continue };
                tokens.borrowed(row).into_iter().for_each(|token| note(said, superseded.fold(token), day));
            }
            Ok(())
        })?;
        states.iter().flatten().for_each(|(token, day)| note(&mut all, token, *day));
    }
    Ok(all)
}

/// People whom a source names at the as-of date, whatever a register says of them.
pub(super) struct Named {
    opted_out: HashSet<String>,
    /// One set an allow-list: who is missing in any of them objects.
    allowed: Vec<HashSet<String>>,
    pub tests: HashSet<String>,
}

impl Named {
    /// Of opt-outs and tests, those begun by one day and not over by the other; whom an allow-list names by then.
    pub fn read(conformed: &Conformed, superseded: &Superseded, begun_by: i32, not_over_by: i32) -> Result<Self> {
        let objecting = Holds { begun_by, not_over_by, bad_rows_speak: true };
        let allowing = Holds { begun_by: begun_by.min(not_over_by), not_over_by, bad_rows_speak: false };
        let mut named = Self { opted_out: HashSet::new(), allowed: Vec::new(), tests: HashSet::new() };
        for (index, source) in conformed.pipeline.sources.iter().enumerate() {
            match source.decl.role {
                Role::OptOut => named.opted_out.extend(in_force(conformed, superseded, index, objecting)?),
                Role::AllowList => named.allowed.push(in_force(conformed, superseded, index, allowing)?),
                Role::TestPeople => named.tests.extend(in_force(conformed, superseded, index, objecting)?),
                Role::Register | Role::Events | Role::Feedback | Role::Lookup | Role::Superseded => {}
            }
        }
        Ok(named)
    }

    pub fn objects(&self, token: &str) -> bool {
        self.opted_out.contains(token) || self.allowed.iter().any(|allowed| !allowed.contains(token))
    }
}

/// Which rows of such a source hold. What is wrong with a row must not put a person on a list: a bad one speaks where
/// that keeps the person off.
#[derive(Clone, Copy)]
struct Holds {
    begun_by: i32,
    not_over_by: i32,
    bad_rows_speak: bool,
}

/// Tokens of the rows that hold.
fn in_force(conformed: &Conformed, superseded: &Superseded, source: usize, holds: Holds) -> Result<HashSet<String>> {
    let (states, _) = conformed.scan(source, HashSet::new, |named: &mut HashSet<String>, chunk| {
        let tokens = person(&chunk)?;
        let dates = chunk.batch.column_by_name("date").map(batch_days);
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        for row in (0..chunk.fates.len()).filter(|row| tokens.is_valid(*row)) {
            let begun = dates.as_ref().is_none_or(|days| days[row].is_none_or(|day| day <= holds.begun_by));
            let over = ends.as_ref().is_some_and(|days| days[row].is_some_and(|day| day <= holds.not_over_by));
            let speaks = match chunk.fates[row] {
                Fate::Good => begun && !over,
                Fate::SetAside => holds.bad_rows_speak,
                Fate::NotYetKnown | Fate::Duplicate => false,
            };
            if speaks {
                named.insert(superseded.fold(tokens.as_string::<i32>().value(row)).to_owned());
            }
        }
        Ok(())
    })?;
    Ok(states.into_iter().flatten().collect())
}

/// The token column of a chunk.
pub(super) fn person(chunk: &Chunk) -> Result<ArrayRef> {
    chunk.batch.column_by_name("person").cloned().ok_or_else(no_person)
}

/// Tokens by row; those that a column holds are always text.
pub(super) fn tokens(column: &ArrayRef) -> Result<Texts<'_>> {
    Texts::of(column).ok_or_else(no_person)
}

pub(super) fn no_person() -> Error {
    Error::Fault("a source of people has no person column".to_owned())
}
