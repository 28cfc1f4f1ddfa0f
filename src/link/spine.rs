//! Who is on the spine: registered, alive and not opted out at the as-of date.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, UInt64Array, make_comparator};
use arrow::compute::{SortOptions, concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;

use super::superseded::Superseded;
use super::{Entry, Register};
use crate::calendar;
use crate::conform::{self, Chunk, Conformed, Fate, batch_days};
use crate::error::{Error, Result};
use crate::pipeline::decl::Role;
use crate::pseudonym::Pseudonym;
use crate::receipt::PeopleAccount;

/// The spine before any event is read.
pub(super) struct Spine {
    pub tokens: Vec<Pseudonym>,
    /// Every token of the registers, folded.
    pub known: HashMap<String, Entry>,
    pub registers: Vec<Register>,
    pub account: PeopleAccount,
}

/// One register: the rows that count, and the best of each person.
struct Rows {
    source: usize,
    batch: RecordBatch,
    best: BTreeMap<String, usize>,
}

pub(super) fn build(conformed: &Conformed, superseded: &Superseded) -> Result<Spine> {
    let pipeline = conformed.pipeline;
    let as_of = calendar::epoch_days(pipeline.as_of);
    let mut everyone = BTreeSet::new();
    let mut registers = Vec::new();
    for (index, _) in pipeline.with_role(Role::Register) {
        registers.push(read_register(conformed, superseded, index, as_of, &mut everyone)?);
    }
    let deaths = deaths(conformed, superseded, as_of)?;
    let opted_out = opted_out(conformed, superseded, as_of)?;
    let mut account = PeopleAccount { in_registers: everyone.len() as u64, ..PeopleAccount::default() };
    let mut spine = Vec::new();
    let mut known = HashMap::with_capacity(everyone.len());
    for token in everyone {
        let registration = registers.iter().map(|register| standing(register, &token, as_of)).min();
        let died = deaths.get(&token).is_some_and(|day| *day < as_of);
        let fate = match registration {
            _ if opted_out.contains(&token) => &mut account.opted_out,
            _ if died => &mut account.died,
            Some(Standing::Registered) => &mut account.on_spine,
            Some(Standing::Left) => &mut account.left,
            _ => &mut account.not_yet,
        };
        *fate += 1;
        let on_spine = registration == Some(Standing::Registered) && !died && !opted_out.contains(&token);
        let number = |count: usize| u32::try_from(count).map_err(|_| too_many());
        let entry = Entry {
            index: number(known.len())?,
            person: if on_spine { Some(number(spine.len())?) } else { None },
            birth: registers.iter().find_map(|register| day(register, &token, "birth_date")),
            death: deaths.get(&token).copied().filter(|day| *day < as_of),
        };
        if on_spine {
            spine.push(Pseudonym::new(token.clone()));
        }
        known.insert(token, entry);
    }
    let registers = registers.iter().map(|register| resolved(register, &spine)).collect::<Result<_>>()?;
    Ok(Spine { tokens: spine, known, registers, account })
}

fn too_many() -> Error {
    Error::Resources("more people than a 32-bit number counts".to_owned())
}

/// A person's registration in one register; the order is from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Registered,
    Left,
    NotYet,
}

fn standing(register: &Rows, token: &str, as_of: i32) -> Standing {
    if !register.best.contains_key(token) || day(register, token, "start").is_some_and(|start| start >= as_of) {
        Standing::NotYet
    } else if day(register, token, "end").is_some_and(|end| end < as_of) {
        Standing::Left
    } else {
        Standing::Registered
    }
}

/// A date in a person's best row.
fn day(register: &Rows, token: &str, name: &str) -> Option<i32> {
    let row = register.best.get(token)?;
    batch_days(&register.batch.column_by_name(name)?.slice(*row, 1)).first().copied().flatten()
}

/// All good rows of a register dated before the as-of date, and the best of each person.
fn read_register(
    conformed: &Conformed,
    superseded: &Superseded,
    source: usize,
    as_of: i32,
    everyone: &mut BTreeSet<String>,
) -> Result<Rows> {
    let (states, _) = conformed.scan(source, Vec::new, |chunks: &mut Vec<Chunk>, chunk| {
        chunks.push(chunk);
        Ok(())
    })?;
    let mut batches = Vec::new();
    for chunk in states.into_iter().flatten() {
        let dates = chunk.batch.column_by_name("date").map(batch_days);
        let tokens = person(&chunk)?;
        let mut keep = Vec::new();
        for row in (0..chunk.fates.len()).filter(|row| chunk.fates[*row] == Fate::Good) {
            everyone.insert(superseded.fold(tokens.as_string::<i32>().value(row)).to_owned());
            if dates.as_ref().is_none_or(|days| days[row].is_none_or(|day| day < as_of)) {
                keep.push(row as u64);
            }
        }
        batches.push(take_record_batch(&chunk.batch, &UInt64Array::from(keep))?);
    }
    let batch = concat_batches(&conform::schema(&conformed.pipeline.sources[source]), &batches)?;
    let tokens = batch.column_by_name("person").cloned().ok_or_else(no_person)?;
    let order = precedence(&batch);
    let greater = |a: usize, b: usize| {
        order.iter().map(|compare| compare(a, b)).find(|order| order.is_ne()) == Some(Ordering::Greater)
    };
    let mut best: BTreeMap<String, usize> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let token = superseded.fold(tokens.as_string::<i32>().value(row)).to_owned();
        let rival = best.entry(token).or_insert(row);
        if greater(row, *rival) {
            *rival = row;
        }
    }
    Ok(Rows { source, batch, best })
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

/// The best row of each person of the spine, null where the register does not know them.
fn resolved(register: &Rows, spine: &[Pseudonym]) -> Result<Register> {
    let rows: UInt64Array =
        spine.iter().map(|token| register.best.get(token.reveal()).map(|row| *row as u64)).collect();
    Ok(Register { source: register.source, rows: take_record_batch(&register.batch, &rows)? })
}

/// The earliest date of death of each token, from every source that has one; rows of the future do not speak.
fn deaths(conformed: &Conformed, superseded: &Superseded, as_of: i32) -> Result<BTreeMap<String, i32>> {
    let mut earliest: BTreeMap<String, i32> = BTreeMap::new();
    for (index, source) in conformed.pipeline.sources.iter().enumerate() {
        if source.column("death_date").is_none() || source.column("person").is_none() {
            continue;
        }
        let (states, _) = conformed.scan(index, BTreeMap::new, |deaths: &mut BTreeMap<String, i32>, chunk| {
            let Some(column) = chunk.batch.column_by_name("death_date") else { return Ok(()) };
            let tokens = person(&chunk)?;
            let dates = chunk.batch.column_by_name("date").map(batch_days);
            let future = |row: usize| dates.as_ref().is_some_and(|days| days[row].is_some_and(|day| day >= as_of));
            for (row, day) in batch_days(column).into_iter().enumerate() {
                let Some(day) = day.filter(|_| chunk.fates[row] == Fate::Good && !future(row)) else { continue };
                note_earliest(deaths, superseded.fold(tokens.as_string::<i32>().value(row)), day);
            }
            Ok(())
        })?;
        states.iter().flatten().for_each(|(token, day)| note_earliest(&mut earliest, token, *day));
    }
    Ok(earliest)
}

fn note_earliest(deaths: &mut BTreeMap<String, i32>, token: &str, day: i32) {
    match deaths.get_mut(token) {
        Some(known) => *known = day.min(*known),
        None => {
            deaths.insert(token.to_owned(), day);
        }
    }
}

/// Tokens that an opt-out covers at the as-of date.
fn opted_out(conformed: &Conformed, superseded: &Superseded, as_of: i32) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for (index, _) in conformed.pipeline.with_role(Role::OptOut) {
        let (states, _) = conformed.scan(index, BTreeSet::new, |out: &mut BTreeSet<String>, chunk| {
            let tokens = person(&chunk)?;
            let dates = chunk.batch.column_by_name("date").map(batch_days);
            let ends = chunk.batch.column_by_name("end").map(batch_days);
            for row in (0..chunk.fates.len()).filter(|row| tokens.is_valid(*row)) {
                let begun = dates.as_ref().is_none_or(|days| days[row].is_none_or(|day| day <= as_of));
                let over = ends.as_ref().is_some_and(|days| days[row].is_some_and(|day| day <= as_of));
                let objects = match chunk.fates[row] {
                    Fate::Good => begun && !over,
                    // What else is wrong with the row must not put the person back on a list.
                    Fate::SetAside => true,
                    Fate::NotYetKnown | Fate::Duplicate => false,
                };
                if objects {
                    out.insert(superseded.fold(tokens.as_string::<i32>().value(row)).to_owned());
                }
            }
            Ok(())
        })?;
        all.extend(states.into_iter().flatten());
    }
    Ok(all)
}

/// The token column of a chunk.
pub(super) fn person(chunk: &Chunk) -> Result<ArrayRef> {
    chunk.batch.column_by_name("person").cloned().ok_or_else(no_person)
}

pub(super) fn no_person() -> Error {
    Error::Fault("a source of people has no person column".to_owned())
}
