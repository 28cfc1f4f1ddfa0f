//! One row a person, verb by verb.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::conform::Row;
use super::items;
use super::link::Person;
use super::sql::{self, Expression, Unsupported};
use super::value::{Kind, Value};
use super::webs;
use crate::calendar;
use crate::codelist::{CodeList, Matching};
use crate::link::RecordingState;
use crate::pipeline::{Codes, End, Events, Feature, Pipeline, Source, Verb, What};

/// The features of one person: none where this implementation does not compute it.
pub type PersonRow = Vec<Option<Value>>;

/// What of the pipeline is not computed, and why, by feature.
pub type NotChecked = BTreeMap<String, String>;

/// Predicates and derived expressions, read once.
pub struct Compiled {
    /// By feature: the `where` of events, or the SQL of a derived one.
    expressions: Vec<Option<Result<Expression, Unsupported>>>,
    /// By model: whom it is about.
    pub applies: Vec<Option<Result<Expression, Unsupported>>>,
    /// By watch of the measures.
    watches: webs::Filters,
    /// The categories of codes that were looked up before, by list.
    looked_up: RefCell<BTreeMap<usize, HashMap<String, Vec<usize>>>>,
}

/// What this implementation did not compute of the sources.
#[derive(Debug, Default)]
pub struct Gaps {
    pub sources: BTreeMap<usize, String>,
    pub items: BTreeMap<usize, String>,
}

impl Compiled {
    pub fn new(pipeline: &Pipeline) -> Self {
        let mut earlier: Vec<(String, Kind)> = Vec::new();
        let mut expressions = Vec::new();
        for feature in &pipeline.features {
            expressions.push(match &feature.verb {
                Verb::Derived { sql } => Some(sql::compile(sql, &earlier)),
                Verb::Events(events) => events.filter.as_ref().map(|filter| {
                    let source = pipeline.sources.get(events.source);
                    let columns = source.map(columns).unwrap_or_default();
                    sql::compile(filter, &columns)
                }),
                _ => None,
            });
            earlier.push((feature.name.clone(), Kind::of(&feature.data_type)));
        }
        let applies =
            pipeline.models.iter().map(|model| Some(sql::compile(model.decl.applies_when.as_ref()?, &earlier)));
        let looked_up = RefCell::default();
        Self { expressions, applies: applies.collect(), watches: webs::filters(pipeline), looked_up }
    }
}

fn columns(source: &Source) -> Vec<(String, Kind)> {
    source.columns.iter().map(|column| (column.name.clone(), Kind::of(&column.data_type))).collect()
}

/// Every feature of a person.
pub fn features(
    pipeline: &Pipeline,
    compiled: &Compiled,
    gaps: &Gaps,
    person: &Person,
    not_checked: &mut NotChecked,
) -> PersonRow {
    let mut values: PersonRow = Vec::new();
    for (feature, expression) in pipeline.features.iter().zip(&compiled.expressions) {
        let value = one(pipeline, compiled, feature, expression.as_ref(), gaps, person, &values);
        let value = value.and_then(|value| Ok(sql::cast(value, Kind::of(&feature.data_type))?));
        values.push(match value {
            Ok(value) => Some(value),
            Err(what) => {
                not_checked.entry(feature.name.clone()).or_insert(what.0);
                None
            }
        });
    }
    values
}

fn one(
    pipeline: &Pipeline,
    compiled: &Compiled,
    feature: &Feature,
    expression: Option<&Result<Expression, Unsupported>>,
    gaps: &Gaps,
    person: &Person,
    earlier: &[Option<Value>],
) -> Result<Value, Unsupported> {
    let expression = expression.map(|read| read.as_ref().map_err(Clone::clone)).transpose()?;
    let register = |source: &usize| person.registers.get(source);
    match &feature.verb {
        Verb::Age { source, on } => {
            let day = match on {
                None => Some(pipeline.as_of),
                Some(on) => known_day(earlier, *on)?,
            };
            let column = pipeline.sources.get(*source).and_then(|source| source.column("birth_date"));
            let born = register(source).zip(column).and_then(|(row, at)| row.values.get(at)).and_then(Value::day);
            let age = born.zip(day).and_then(|(born, day)| calendar::age_years(born, day));
            Ok(age.map_or(Value::Null, Value::Int))
        }
        Verb::Value { source, column } => {
            Ok(register(source).and_then(|row| row.values.get(*column)).cloned().unwrap_or(Value::Null))
        }
        Verb::Item { item } => {
            if let Some(what) = gaps.items.get(item) {
                return Err(Unsupported(what.clone()));
            }
            Ok(resolved(pipeline, *item, person).0.map_or(Value::Null, Value::Text))
        }
        Verb::ItemState { item } => {
            if let Some(what) = gaps.items.get(item) {
                return Err(Unsupported(what.clone()));
            }
            Ok(Value::Text(resolved(pipeline, *item, person).1.name().to_owned()))
        }
        Verb::Derived { .. } => {
            let row: Vec<Value> = earlier.iter().map(|value| value.clone().unwrap_or(Value::Foreign)).collect();
            Ok(expression.map_or(Ok(Value::Null), |sql| sql.value(&row))?)
        }
        Verb::Web { web, figure } => webs::figure(pipeline, &compiled.watches, &gaps.sources, *web, *figure, person),
        Verb::Events(events) => {
            if let Some(what) = gaps.sources.get(&events.source) {
                return Err(Unsupported(what.clone()));
            }
            let Some(window) = window(pipeline, feature, events, earlier)? else { return Ok(Value::Null) };
            over_events(pipeline, compiled, feature, events, window, expression, person)
        }
    }
}

/// The value that won for an item, and its state.
pub fn resolved(pipeline: &Pipeline, item: usize, person: &Person) -> (Option<String>, RecordingState) {
    let evidence = person.evidence.get(&item).map(Vec::as_slice).unwrap_or_default();
    pipeline
        .items
        .get(item)
        .map_or((None, RecordingState::Blank), |item| items::resolve(item, evidence, pipeline.as_of))
}

/// The value of an earlier feature that is a day.
fn known_day(earlier: &[Option<Value>], feature: usize) -> Result<Option<Date>, Unsupported> {
    match earlier.get(feature) {
        Some(Some(value)) => Ok(value.day()),
        _ => Err(Unsupported("a day that it hangs on is not computed".to_owned())),
    }
}

/// The first and the last day that count; none when the window hangs on a day that is not known.
type Window = Option<(Option<Date>, Option<Date>)>;

fn window(
    pipeline: &Pipeline,
    feature: &Feature,
    events: &Events,
    earlier: &[Option<Value>],
) -> Result<Window, Unsupported> {
    let (back_from, last) = match events.bounds.end {
        None => (pipeline.as_of, None),
        Some(End::Before(day)) => match known_day(earlier, day)? {
            Some(day) => (day, day.yesterday().ok()),
            None => return Ok(None),
        },
        Some(End::Until(day)) => match known_day(earlier, day)? {
            Some(day) => (day, Some(day)),
            None => return Ok(None),
        },
    };
    let mut first = feature.window.first_day(back_from);
    if let Some(since) = events.bounds.since {
        let Some(since) = known_day(earlier, since)? else { return Ok(None) };
        first = first.max(Some(since));
    }
    Ok(Some((first, last)))
}

/// One event that a feature counts.
struct Event<'a> {
    row: &'a Row,
    date: Date,
    end: Option<Date>,
    /// Categories of the code list that it meets.
    categories: BTreeSet<usize>,
}

fn over_events(
    pipeline: &Pipeline,
    compiled: &Compiled,
    feature: &Feature,
    events: &Events,
    (first, last): (Option<Date>, Option<Date>),
    filter: Option<&Expression>,
    person: &Person,
) -> Result<Value, Unsupported> {
    let Some(source) = pipeline.sources.get(events.source) else { return Ok(Value::Null) };
    let mut counted = Vec::new();
    for row in person.events.get(&events.source).into_iter().flatten() {
        let day = |name: &str| source.column(name).and_then(|at| row.values.get(at)).and_then(Value::day);
        let Some(date) = day("date") else { continue };
        if first.is_some_and(|first| date < first) || last.is_some_and(|last| date > last) || date >= pipeline.as_of {
            continue;
        }
        if events.ended && day("end").is_none_or(|end| end >= pipeline.as_of) {
            continue;
        }
        if let Some(filter) = filter
            && !filter.holds(&row.values)?
        {
            continue;
        }
        let mut categories = BTreeSet::new();
        if let Some(codes) = &events.codes {
            categories = met(pipeline, compiled, codes, row);
            if categories.is_empty() {
                continue;
            }
        }
        counted.push(Event { row, date, end: day("end"), categories });
    }
    if let (What::Latest, None, Some(codes)) = (events.what, events.column, &events.codes) {
        return Ok(latest_category(pipeline, codes, &counted));
    }
    Ok(verb(events, &counted, pipeline.as_of, Kind::of(&feature.data_type)))
}

fn verb(events: &Events, counted: &[Event<'_>], as_of: Date, kind: Kind) -> Value {
    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let days = |from: Date, to: Date| i64::from(calendar::epoch_days(to)) - i64::from(calendar::epoch_days(from));
    let latest = counted.iter().map(|event| event.date).max();
    let cells = |column: Option<usize>| -> Vec<Value> {
        let cell = |event: &Event<'_>| column.and_then(|column| event.row.values.get(column)).cloned();
        counted.iter().filter_map(cell).collect()
    };
    let stay = |event: &Event<'_>| days(event.date, event.end.unwrap_or(as_of).min(as_of)).max(0);
    match events.what {
        What::Count => number(counted.len()),
        What::Exists => Value::Bool(!counted.is_empty()),
        What::CountDays => number(counted.iter().map(|event| event.date).collect::<BTreeSet<_>>().len()),
        What::DaysSince => latest.map_or(Value::Null, |latest| Value::Int(days(latest, as_of))),
        What::CountDistinct => match events.column {
            Some(_) => number(distinct(&cells(events.column))),
            None => number(counted.iter().flat_map(|event| &event.categories).collect::<BTreeSet<_>>().len()),
        },
        What::Latest => events.column.map_or(Value::Null, |column| latest_value(counted, column)),
        What::Total => total(&cells(events.column), kind),
        What::Longest => counted.iter().map(stay).max().map_or(Value::Null, Value::Int),
        What::BedDays => Value::Int(counted.iter().map(stay).sum()),
        What::OpenAtIndex => Value::Bool(counted.iter().any(|event| event.end.is_none_or(|end| end >= as_of))),
    }
}

/// The greatest value on the latest day on which there is one.
fn latest_value(counted: &[Event<'_>], column: usize) -> Value {
    let valued = counted.iter().filter_map(|event| Some((event.date, event.row.values.get(column)?)));
    let best = valued
        .filter(|(_, value)| !value.is_null())
        .max_by(|(day, value), (other_day, other)| day.cmp(other_day).then_with(|| value.order(other)));
    best.map_or(Value::Null, |(_, value)| value.clone())
}

/// The category of the latest event; of several on that day the one that stands last on the list.
fn latest_category(pipeline: &Pipeline, codes: &Codes, counted: &[Event<'_>]) -> Value {
    let met = counted.iter().flat_map(|event| event.categories.iter().map(|category| (event.date, *category)));
    let names = pipeline.codelists.get(codes.codelist).map(|list| list.categories.as_slice()).unwrap_or_default();
    let name = met.max().and_then(|(_, category)| names.get(category));
    name.map_or(Value::Null, |name| Value::Text(name.clone()))
}

/// Values other than null, each once; the items of lists one by one.
fn distinct(values: &[Value]) -> usize {
    let mut seen: Vec<Value> = Vec::new();
    for value in values {
        match value {
            Value::Null => {}
            Value::List(items) => seen.extend(items.iter().map(Value::text)),
            other => seen.push(other.clone()),
        }
    }
    seen.sort_by(Value::order);
    seen.dedup();
    seen.len()
}

fn total(values: &[Value], kind: Kind) -> Value {
    let sum = values.iter().map(|value| match value {
        Value::Int(value) => i128::from(*value),
        Value::Decimal(value, _) => *value,
        _ => 0,
    });
    match kind {
        Kind::Decimal(places) => Value::Decimal(sum.sum(), places),
        _ => i64::try_from(sum.sum::<i128>()).map_or(Value::Foreign, Value::Int),
    }
}

/// The wanted categories of the code list that a row's codes meet.
fn met(pipeline: &Pipeline, compiled: &Compiled, codes: &Codes, row: &Row) -> BTreeSet<usize> {
    let Some(list) = pipeline.codelists.get(codes.codelist) else { return BTreeSet::new() };
    let recorded: Vec<&str> = match row.values.get(codes.column) {
        Some(Value::Text(code)) => vec![code.as_str()],
        Some(Value::List(items)) => items.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let mut looked_up = compiled.looked_up.borrow_mut();
    let looked_up = looked_up.entry(codes.codelist).or_default();
    let mut all = BTreeSet::new();
    for code in recorded {
        if !looked_up.contains_key(code) {
            looked_up.insert(code.to_owned(), categories(list, code).collect());
        }
        all.extend(looked_up.get(code).into_iter().flatten().filter(|category| codes.categories.contains(category)));
    }
    all
}

fn categories<'a>(list: &'a CodeList, recorded: &'a str) -> impl Iterator<Item = usize> + 'a {
    let meets = move |code: &str| match list.matching {
        Matching::Exact => recorded == code,
        Matching::Prefix => recorded.starts_with(code),
    };
    list.codes.iter().filter(move |(code, _)| meets(code)).map(|(_, category)| *category)
}
