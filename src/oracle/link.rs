//! Who is on the spine, and which rows are theirs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::conform::{Conformed, Row, day, is_future, person};
use super::fates::place_rows;
use super::items::Evidence;
use super::value::Value;
use crate::error::{Error, Result};
use crate::pipeline::decl::Role;
use crate::pipeline::{Pipeline, Source};
use crate::receipt::{PeopleAccount, SourceAccount};

/// One person on the spine.
#[derive(Debug, Default)]
pub struct Person {
    /// The resolved row of each register that knows them, by source.
    pub registers: BTreeMap<usize, Row>,
    /// Used rows of events and feedback, by source.
    pub events: BTreeMap<usize, Vec<Row>>,
    /// By item, in the order of the pipeline's.
    pub evidence: BTreeMap<usize, Vec<Evidence>>,
}

/// People and accounts of a linked delivery.
#[derive(Debug, Default)]
pub struct Linked {
    pub people: BTreeMap<String, Person>,
    pub people_account: PeopleAccount,
    pub accounts: Vec<SourceAccount>,
}

/// Where a registered token stands at the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    OnSpine,
    Test,
    OptedOut,
    Died,
    Left,
    NotYet,
}

/// What the registers, deaths and opt-outs say about a token.
#[derive(Debug)]
pub struct Registered {
    pub standing: Standing,
    pub born: Option<Date>,
    /// Only a death before the as-of date.
    pub died: Option<Date>,
}

/// Old tokens to newest ones; a chain is followed to its end.
pub fn fold_chains(pipeline: &Pipeline, conformed: &[Conformed]) -> Result<BTreeMap<String, String>> {
    let mut steps: BTreeMap<String, String> = BTreeMap::new();
    for (index, source) in pipeline.with_role(Role::Superseded) {
        for row in conformed.get(index).into_iter().flat_map(|table| &table.rows) {
            let new = source.column("superseded_by").and_then(|at| row.values.get(at)).and_then(Value::as_text);
            if let (Some(old), Some(new)) = (person(source, row), new)
                && steps.insert(old.to_owned(), new.to_owned()).is_some_and(|other| other != new)
            {
                return Err(Error::Check(format!("source {}: an old token has two successors", source.name)));
            }
        }
    }
    let mut folded = BTreeMap::new();
    for old in steps.keys() {
        let mut seen = BTreeSet::from([old]);
        let mut token = old;
        while let Some(next) = steps.get(token) {
            if !seen.insert(next) {
                return Err(Error::Check("superseded tokens lead round in a circle".to_owned()));
            }
            token = next;
        }
        folded.insert(old.clone(), token.clone());
    }
    Ok(folded)
}

/// Joins all sources by person.
pub fn link(pipeline: &Pipeline, folded: &BTreeMap<String, String>, conformed: &[Conformed]) -> Linked {
    let as_of = pipeline.as_of;
    let mut registered: BTreeMap<String, BTreeMap<usize, Row>> = BTreeMap::new();
    for (index, source) in pipeline.with_role(Role::Register) {
        for row in conformed.get(index).into_iter().flat_map(|table| &table.rows) {
            let Some(token) = person(source, row) else { continue };
            let rows = registered.entry(token.to_owned()).or_default();
            if is_future(source, row, as_of) {
                continue;
            }
            let best = rows.entry(index).or_insert_with(|| row.clone());
            if resolved_order(source, row, best).is_gt() {
                *best = row.clone();
            }
        }
    }
    let deaths = said(pipeline, conformed, "death_date", Date::min);
    let left = said(pipeline, conformed, "left_date", Date::max);
    let named = |role: Role| -> Vec<BTreeSet<String>> {
        pipeline
            .with_role(role)
            .filter_map(|(index, source)| Some(in_force(pipeline, source, conformed.get(index)?)))
            .collect()
    };
    let (opted_out, allowed, tests) = (named(Role::OptOut), named(Role::AllowList), named(Role::TestPeople));
    let objects = |token: &String| {
        opted_out.iter().any(|source| source.contains(token)) || !allowed.iter().all(|source| source.contains(token))
    };
    let describe = |(token, rows): (&String, &BTreeMap<usize, Row>)| {
        let died = deaths.get(token).copied();
        let standing = if tests.iter().any(|source| source.contains(token)) || is_test(pipeline, rows) {
            Standing::Test
        } else if objects(token) {
            Standing::OptedOut
        } else if died.is_some() {
            Standing::Died
        } else {
            registration(pipeline, rows, left.get(token).copied())
        };
        (token.clone(), Registered { standing, born: birth_date(pipeline, rows), died })
    };
    let registers: BTreeMap<String, Registered> = registered.iter().map(describe).collect();
    let mut linked = Linked { people_account: count_people(&registers), ..Linked::default() };
    for (token, rows) in registered {
        if registers.get(&token).is_some_and(|known| known.standing == Standing::OnSpine) {
            linked.people.insert(token, Person { registers: rows, ..Person::default() });
        }
    }
    for (index, source) in pipeline.sources.iter().enumerate() {
        if let Some(table) = conformed.get(index) {
            let account = place_rows(pipeline.as_of, folded, (index, source), table, &registers, &mut linked.people);
            linked.accounts.push(account);
        }
    }
    linked
}

/// By date, then start, then every other column in order; nulls are least.
fn resolved_order(source: &Source, a: &Row, b: &Row) -> std::cmp::Ordering {
    let first = ["date", "start"].into_iter().filter_map(|name| source.column(name));
    let columns: Vec<usize> =
        first.clone().chain((0..source.columns.len()).filter(|at| !first.clone().any(|f| f == *at))).collect();
    let null = Value::Null;
    let cell = |row: &Row, at: usize| row.values.get(at).unwrap_or(&null).clone();
    columns
        .into_iter()
        .map(|at| cell(a, at).order(&cell(b, at)))
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

/// What any source says in such a column of each person (the earliest death, the latest leaving), before the as-of date.
fn said(
    pipeline: &Pipeline,
    conformed: &[Conformed],
    column: &str,
    of_two: fn(Date, Date) -> Date,
) -> BTreeMap<String, Date> {
    let mut all: BTreeMap<String, Date> = BTreeMap::new();
    for (source, table) in pipeline.sources.iter().zip(conformed) {
        if matches!(source.decl.role, Role::Lookup | Role::Superseded) {
            continue;
        }
        for row in table.rows.iter() {
            if day(source, row, "date").is_some_and(|date| date >= pipeline.as_of) {
                continue;
            }
            let said = day(source, row, column).filter(|said| *said < pipeline.as_of);
            if let (Some(token), Some(said)) = (person(source, row), said) {
                let known = all.entry(token.to_owned()).or_insert(said);
                *known = of_two(said, *known);
            }
        }
    }
    all
}

/// Whom a source of people names at the as-of date; those of bad rows, where they were kept, too.
fn in_force(pipeline: &Pipeline, source: &Source, table: &Conformed) -> BTreeSet<String> {
    let mut named = table.named_badly.clone();
    for row in &table.rows {
        let begun = day(source, row, "date").is_none_or(|from| from <= pipeline.as_of);
        let lasts = day(source, row, "end").is_none_or(|until| until > pipeline.as_of);
        if let Some(token) = person(source, row).filter(|_| begun && lasts) {
            named.insert(token.to_owned());
        }
    }
    named
}

/// Whether a register says that the person is a test.
fn is_test(pipeline: &Pipeline, rows: &BTreeMap<usize, Row>) -> bool {
    rows.iter().any(|(index, row)| {
        let source = pipeline.sources.get(*index);
        let flag = source.and_then(|source| source.column("test_person")).and_then(|at| row.values.get(at));
        flag == Some(&Value::Bool(true))
    })
}

/// Registered in any register; else left one, else not yet in any. Who was said to have left is back only with a
/// registration that begins later.
fn registration(pipeline: &Pipeline, rows: &BTreeMap<usize, Row>, left: Option<Date>) -> Standing {
    let mut standing = Standing::NotYet;
    for (index, row) in rows {
        let Some(source) = pipeline.sources.get(*index) else { continue };
        if day(source, row, "start").is_some_and(|start| start >= pipeline.as_of) {
            continue;
        }
        let still_left = left.is_some_and(|left| day(source, row, "start").is_none_or(|start| start <= left));
        if still_left || day(source, row, "end").is_some_and(|end| end < pipeline.as_of) {
            standing = Standing::Left;
            continue;
        }
        return Standing::OnSpine;
    }
    standing
}

fn count_people(registers: &BTreeMap<String, Registered>) -> PeopleAccount {
    let count = |wanted| registers.values().filter(|known| known.standing == wanted).count() as u64;
    PeopleAccount {
        in_registers: registers.len() as u64,
        on_spine: count(Standing::OnSpine),
        opted_out: count(Standing::OptedOut),
        died: count(Standing::Died),
        left: count(Standing::Left),
        not_yet: count(Standing::NotYet),
        test_people: count(Standing::Test),
    }
}

/// By the first register, in the order of the run, that has one.
fn birth_date(pipeline: &Pipeline, rows: &BTreeMap<usize, Row>) -> Option<Date> {
    rows.iter().find_map(|(index, row)| day(pipeline.sources.get(*index)?, row, "birth_date"))
}
