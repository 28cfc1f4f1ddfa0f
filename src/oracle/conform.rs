//! Delivered rows become rows of values; bad, unknown and repeated ones are counted away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::cell::{self, Rule};
use super::columns::{self, Said, Trouble};
use super::duplicates::{drop_duplicates, key_of, one_row_a_key};
use super::rows::{self, Delivered, Means, Plan};
use super::value::Value;
use crate::conform::{MISTYPED, RawRows};
use crate::error::Result;
use crate::pipeline::decl::{ColumnType, Role, Tokens};
use crate::pipeline::{Pipeline, Source};
use crate::receipt::Reason;
use crate::release::Crosswalk;
use crate::source::{DeliveredFile, DeliveredSource};
use crate::token;

/// One row that conforms.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// In the order of the source's columns.
    pub values: Vec<Value>,
    /// What it says about each demographic item, in the order of the source's.
    pub says: Vec<Said>,
}

/// The rows of a source that count so far, and what became of the others.
#[derive(Debug, Default)]
pub struct Conformed {
    pub rows: Vec<Row>,
    pub delivered: u64,
    pub set_aside: BTreeMap<(String, Rule), u64>,
    pub blanked: BTreeMap<(String, Rule), u64>,
    pub not_yet_known: u64,
    pub duplicates: u64,
    /// Of opt-outs and test persons: the people of rows set aside. Whatever else is wrong with such a row, it names them.
    pub named_badly: BTreeSet<String>,
    /// The latest day before the as-of date on any row that is good and known.
    pub dated_up_to: Option<Date>,
    /// Why the source as a whole is not checked.
    pub unsupported: Option<String>,
    /// Demographics (by position) that are not checked.
    pub unsupported_says: BTreeSet<usize>,
}

impl Conformed {
    pub fn count_blanked(&mut self, column: &str, rule: Rule) {
        *self.blanked.entry((column.to_owned(), rule)).or_default() += 1;
    }
}

/// What conforming needs beside the source itself.
pub struct Context<'a> {
    pub pipeline: &'a Pipeline,
    /// Whose token a recipient sent back.
    pub released: &'a Crosswalk,
    /// Old token to the newest one.
    pub folded: BTreeMap<String, String>,
    /// Rows of the lookup sources, by source and key.
    pub lookups: BTreeMap<usize, BTreeMap<String, Row>>,
    /// Only these people, by their newest token.
    pub only: Option<&'a dyn Fn(&str) -> bool>,
}

impl Context<'_> {
    fn newest<'b>(&'b self, token: &'b str) -> &'b str {
        fold(&self.folded, token)
    }

    /// Tokens are folded wherever they are read, but for the source that says how.
    fn fold_tokens(&self, source: &Source, row: &mut Row) {
        if source.decl.role == Role::Superseded {
            return;
        }
        for (column, value) in source.columns.iter().zip(&mut row.values) {
            if let (ColumnType::Pseudonym, Value::Text(token)) = (column.decl.kind, &*value) {
                *value = Value::text(self.newest(token));
            }
        }
    }
}

/// The person whom a token that a recipient sent back stands for; a bad row where it is mistyped.
fn returned(context: &Context<'_>, source: &Source, row: &mut Row) -> Option<(String, Rule)> {
    let (person, recipient) = (source.column("person")?, source.column("recipient")?);
    let recipient = row.values.get(recipient)?.as_text()?.to_owned();
    let token = row.values.get(person)?.as_text()?.to_ascii_uppercase();
    if !token::is_well_formed(&token) {
        return Some(("person".to_owned(), MISTYPED.to_owned()));
    }
    let of = context.released.person(&recipient, &token);
    *row.values.get_mut(person)? = Value::text(of.as_deref().unwrap_or(&token));
    None
}

/// Where the rows of a source are read: in its files, or in what was kept of them.
struct Rows<'a> {
    files: &'a [DeliveredFile],
    kept: Option<&'a [RawRows]>,
}

/// The token that stands for this one today.
pub fn fold<'a>(folded: &'a BTreeMap<String, String>, token: &'a str) -> &'a str {
    folded.get(token).map_or(token, String::as_str)
}

/// Reads and conforms a whole source, or the rows that were `kept` of it.
pub fn source(
    context: &Context<'_>,
    source: &Source,
    delivered: &DeliveredSource,
    kept: Option<&[RawRows]>,
) -> Result<Conformed> {
    let delivered = Rows { files: &delivered.files, kept };
    let mut conformed = Conformed::default();
    let about_people = !matches!(source.decl.role, Role::Lookup | Role::Superseded);
    let only = context.only.filter(|_| about_people);
    let own_tokens = source.decl.tokens == Tokens::Source;
    let theirs = |values: &[Option<Value>]| match values {
        [Some(token)] if own_tokens => {
            only.is_none_or(|only| token.as_text().is_some_and(|token| only(context.newest(token))))
        }
        _ => true,
    };
    read(context, source, &delivered, &mut conformed, &["person".to_owned()], &theirs)?;
    let of_sample = |row: &Row| only.is_none_or(|only| person(source, row).is_some_and(|of| only(context.newest(of))));
    if only.is_some() {
        conformed.rows.retain(of_sample);
        add_rivals(context, source, &delivered, &mut conformed)?;
    }
    if source.decl.role == Role::Lookup && source.decl.rows_per_key.is_some() {
        one_row_a_key(source, &conformed.rows)?;
    }
    drop_duplicates(source, context.pipeline.as_of, &mut conformed);
    conformed.rows.retain(of_sample);
    conformed.rows.iter_mut().for_each(|row| context.fold_tokens(source, row));
    Ok(conformed)
}

/// Reads again for the rows of other people that share a key with a row of the sample: they are its duplicates too.
fn add_rivals(context: &Context<'_>, source: &Source, delivered: &Rows<'_>, conformed: &mut Conformed) -> Result<()> {
    if source.decl.key.is_empty() || source.decl.key.iter().any(|column| column == "person") {
        return Ok(());
    }
    let (keyed, unkeyed): (Vec<Row>, Vec<Row>) =
        std::mem::take(&mut conformed.rows).into_iter().partition(|row| key_of(source, row).is_some());
    let keys: BTreeSet<Vec<String>> = keyed.iter().filter_map(|row| key_of(source, row)).collect();
    let rival = |values: &[Option<Value>]| {
        let key: Option<Vec<String>> = values.iter().map(|value| value.as_ref().map(Value::print)).collect();
        key.is_none_or(|key| keys.contains(&key))
    };
    read(context, source, delivered, conformed, &source.decl.key, &rival)?;
    conformed.rows.retain(|row| key_of(source, row).is_some_and(|key| keys.contains(&key)));
    conformed.rows.extend(unkeyed);
    Ok(())
}

/// The token of a row.
pub fn person<'a>(source: &Source, row: &'a Row) -> Option<&'a str> {
    source.column("person").and_then(|at| row.values.get(at)).and_then(Value::as_text)
}

/// Reads every row whose `first` columns are `wanted`; those columns come alone first, as most rows of a sample are not.
fn read(
    context: &Context<'_>,
    source: &Source,
    delivered: &Rows<'_>,
    into: &mut Conformed,
    first: &[String],
    wanted: &dyn Fn(&[Option<Value>]) -> bool,
) -> Result<()> {
    let mut malformed: Vec<Rule> = Vec::new();
    for (number, file) in delivered.files.iter().enumerate() {
        rows::walk(
            source,
            file,
            delivered.kept.map(|kept| kept.iter().filter(move |rows| rows.file == number)),
            |rule| malformed.push(rule.to_owned()),
            |plan, delivered| {
                let glance = |name: &String| glance(source, plan, &delivered, name);
                if context.only.is_none() || wanted(&first.iter().map(glance).collect::<Vec<_>>()) {
                    one_row(context, source, plan, &delivered, into);
                }
                Ok(())
            },
        )?;
    }
    for rule in malformed {
        into.delivered += 1;
        *into.set_aside.entry((String::new(), rule)).or_default() += 1;
    }
    Ok(())
}

/// One column of a row by itself; none when it is bad or is not one delivered cell.
fn glance(source: &Source, plan: &Plan, row: &Delivered<'_>, name: &str) -> Option<Value> {
    let at = source.column(name)?;
    let (Some(Means::Cell(cell)), Some(column)) = (plan.columns.get(at), source.columns.get(at)) else { return None };
    cell::conform(&row.cell(*cell), &column.decl, &source.decl.blank_values).ok()
}

fn one_row(context: &Context<'_>, source: &Source, plan: &Plan, delivered: &Delivered<'_>, into: &mut Conformed) {
    into.delivered += 1;
    let cells = delivered.cells();
    let mut bad: Option<(String, Rule)> = None;
    let mut row = Row { values: Vec::new(), says: Vec::new() };
    for (column, means) in source.columns.iter().zip(&plan.columns) {
        let value = columns::value(source, column, means, &cells, into);
        row.values.push(value.unwrap_or_else(|trouble| {
            match trouble {
                Trouble::Bad(rule) => drop(bad.get_or_insert((column.name.clone(), rule))),
                Trouble::Unsupported(what) => into.unsupported = Some(what),
            }
            Value::Null
        }));
    }
    for at in 0..row.values.len() {
        if let Some(value) = columns::looked_up(context, source, &row.values, at, into)
            && let Some(place) = row.values.get_mut(at)
        {
            *place = value;
        }
    }
    for (position, (demographic, means)) in source.demographics.iter().zip(&plan.demographics).enumerate() {
        let said = columns::said(context.pipeline, source, demographic, means, &cells, into);
        row.says.push(said.unwrap_or_else(|_| {
            into.unsupported_says.insert(position);
            Said::nothing()
        }));
    }
    if source.decl.tokens == Tokens::Recipient {
        let mistyped = returned(context, source, &mut row);
        bad = bad.or(mistyped);
    }
    if let Some(reason) = bad {
        *into.set_aside.entry(reason).or_default() += 1;
        if matches!(source.decl.role, Role::OptOut | Role::TestPeople) {
            into.named_badly.extend(person(source, &row).map(|token| context.newest(token).to_owned()));
        }
        return;
    }
    let as_of = context.pipeline.as_of;
    let recorded = day(source, &row, "recorded");
    if recorded.is_some_and(|day| day >= as_of) {
        into.not_yet_known += 1;
        return;
    }
    into.dated_up_to = into.dated_up_to.max(day(source, &row, "date").or(recorded).filter(|day| *day < as_of));
    into.rows.push(row);
}

/// The day in a column of that name, if the source has one.
pub fn day(source: &Source, row: &Row, column: &str) -> Option<Date> {
    source.column(column).and_then(|at| row.values.get(at)).and_then(Value::day)
}

/// Whether a row is dated later than the run looks; an opt-out counts from its own day on.
pub fn is_future(source: &Source, row: &Row, as_of: Date) -> bool {
    let date = day(source, row, "date");
    match source.decl.role {
        Role::Register | Role::Events | Role::Feedback => date.is_some_and(|date| date >= as_of),
        Role::OptOut | Role::AllowList | Role::TestPeople => date.is_some_and(|from| from > as_of),
        Role::Lookup | Role::Superseded => false,
    }
}

/// Counts as receipts list them.
pub fn reasons(counts: &BTreeMap<(String, Rule), u64>) -> Vec<Reason> {
    let reason = |((column, rule), count): (&(String, Rule), &u64)| Reason {
        column: column.clone(),
        rule: rule.clone(),
        count: *count,
    };
    counts.iter().map(reason).collect()
}
