//! One delivered row, column by column and item by item.

use super::cell::{self, Rule};
use super::conform::{Conformed, Context, fold};
use super::items;
use super::rows::Means;
use super::sql::{Expression, NoValue};
use super::value::Value;
use crate::link::RecordingState;
use crate::pipeline::decl::{ColumnType, OnBadValue};
use crate::pipeline::{Column, Demographic, Pipeline, Source};

const FAILED: &str = "the expression failed";

pub enum Trouble {
    Bad(Rule),
    Unsupported(String),
}

/// The value of a column that is not looked up; what `on_bad` blanks is counted.
pub fn value(
    source: &Source,
    column: &Column,
    means: &Means,
    cells: &[Value],
    into: &mut Conformed,
) -> Result<Value, Trouble> {
    let decl = &column.decl;
    let read = |cell: &Value| cell::conform(cell, decl, &source.decl.blank_values).map_err(Trouble::Bad);
    let mut settle = |read: Result<Value, Trouble>, default: OnBadValue| match read {
        Err(Trouble::Bad(rule)) if decl.on_bad.unwrap_or(default) == OnBadValue::Blank => {
            into.count_blanked(&column.name, rule);
            Ok(Value::Null)
        }
        other => other,
    };
    let value = match means {
        Means::Cell(at) => settle(read(cells.get(*at).unwrap_or(&Value::Null)), OnBadValue::SetAside)?,
        Means::Sql(sql) => settle(computed(sql, cells).and_then(|value| read(&value)), OnBadValue::SetAside)?,
        Means::Cells(all) => {
            let mut items = Vec::new();
            for cell in all.iter().filter_map(|at| cells.get(*at)) {
                let item = settle(read(cell), OnBadValue::Blank)?;
                if !item.is_null() {
                    items.push(item.print());
                }
            }
            Value::List(items)
        }
        Means::Nothing => Value::Null,
        Means::Unsupported(what) => return Err(Trouble::Unsupported(what.clone())),
    };
    if value.is_null() { absent(column) } else { Ok(value) }
}

fn computed(sql: &Expression, cells: &[Value]) -> Result<Value, Trouble> {
    sql.value(cells).map_err(|why| match why {
        NoValue::Fails => Trouble::Bad(FAILED.to_owned()),
        NoValue::Unsupported(what) => Trouble::Unsupported(what.0),
    })
}

/// Null, where the column may be that: a row about nobody is none, whatever is declared.
fn absent(column: &Column) -> Result<Value, Trouble> {
    let decl = &column.decl;
    let required = !decl.optional && !decl.may_be_absent && column.lookup.is_none();
    if matches!(column.name.as_str(), "person" | "superseded_by") || (required && decl.kind == ColumnType::Pseudonym) {
        Err(Trouble::Bad("blank token".to_owned()))
    } else if required {
        Err(Trouble::Bad("required, blank".to_owned()))
    } else {
        Ok(Value::Null)
    }
}

/// The value that a lookup gives for the key that stands before it; a key that the lookup lacks is counted.
pub fn looked_up(
    context: &Context<'_>,
    source: &Source,
    values: &[Value],
    at: usize,
    into: &mut Conformed,
) -> Option<Value> {
    let column = source.columns.get(at)?;
    let lookup = column.lookup.as_ref()?;
    let key = values.get(lookup.by).filter(|key| !key.is_null());
    let Some(key) = key else { return Some(Value::Null) };
    let is_token = source.columns.get(lookup.by).is_some_and(|column| column.decl.kind == ColumnType::Pseudonym);
    let text = if is_token { fold(&context.folded, &key.print()).to_owned() } else { key.print() };
    match context.lookups.get(&lookup.source).and_then(|table| table.get(&text)) {
        Some(row) => row.values.get(lookup.column).cloned(),
        None => {
            let name = context.pipeline.sources.get(lookup.source).map_or("", |source| &source.name);
            into.count_blanked(&column.name, format!("not in {name}"));
            Some(Value::Null)
        }
    }
}

/// What a row says about an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// As delivered and trimmed; empty when blank.
    pub text: String,
    pub state: RecordingState,
    /// Only when known.
    pub value: Option<String>,
}

impl Said {
    pub fn nothing() -> Self {
        Self { text: String::new(), state: RecordingState::Blank, value: None }
    }
}

/// What a row says about an item; a failing expression says nothing, and is counted under the item's name.
pub fn said(
    pipeline: &Pipeline,
    source: &Source,
    demographic: &Demographic,
    means: &Means,
    cells: &[Value],
    into: &mut Conformed,
) -> Result<Said, Trouble> {
    let cell = match means {
        Means::Cell(at) => Ok(cells.get(*at).cloned().unwrap_or(Value::Null)),
        Means::Sql(sql) => computed(sql, cells),
        Means::Nothing | Means::Cells(_) => Ok(Value::Null),
        Means::Unsupported(what) => Err(Trouble::Unsupported(what.clone())),
    };
    let item = pipeline.items.get(demographic.item);
    let cell = match cell {
        Err(Trouble::Bad(rule)) => {
            into.count_blanked(item.map_or("", |item| &item.name), rule);
            Value::Null
        }
        other => other?,
    };
    let unknown = || Trouble::Unsupported("what is said about an item".to_owned());
    if cell == Value::Foreign {
        return Err(unknown());
    }
    // A moment at midnight is what databases make of a day.
    let text = match &cell {
        Value::Datetime(time) if [time.hour(), time.minute(), time.second()] == [0; 3] => time.date().to_string(),
        other => other.print().trim().to_owned(),
    };
    if cell.is_null() || cell::is_blank(&text, &source.decl.blank_values) {
        return Ok(Said::nothing());
    }
    let decl = &item.ok_or_else(unknown)?.decl;
    let state = items::state(&text, decl, demographic.values.as_deref(), pipeline.as_of);
    let (state, value) = state.ok_or_else(unknown)?;
    Ok(Said { text, state, value })
}
