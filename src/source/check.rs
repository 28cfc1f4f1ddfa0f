//! What a header must hold, and what files of one source must agree on.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Field, Schema};

use super::columns::{self, FILE, Need, Sql};
use super::find::Head;
use super::{DeliveredFile, Place};
use crate::expr;
use crate::pipeline::Source;

/// Below this a name is another name, not a slip of the pen.
const ALIKE: f64 = 0.7;

/// Missing and repeated columns, SQL that these columns give no meaning to, and codes kept as floating-point numbers.
pub(super) fn header(source: &Source, place: &Place, head: &Head) -> Vec<String> {
    let needs = columns::needs(source, &head.names);
    let mut problems = repeated(source, place, &head.names, &needs);
    let free = free(&needs, &head.names);
    let mut reported = BTreeSet::new();
    for need in &needs {
        let unquoted = unquoted(need, &head.names);
        if need.found.is_empty() && (need.required || unquoted.is_some()) && reported.insert(&need.name) {
            problems.push(place.says(&unquoted.unwrap_or_else(|| missing(&need.name, &free))));
        }
        for (name, what) in need.found.iter().filter_map(|name| Some((name, need.exact?))) {
            if is_float(head, name) {
                problems.push(place.says(&format!(
                    "column {name} holds {what} as floating-point numbers, which merge long ones; deliver them as text"
                )));
            }
        }
    }
    problems.extend(columns::expressions(source).filter_map(|sql| meaning(&sql, place, head)));
    problems
}

/// A name of SQL that the header has in other letters: without quotes it is lower case.
fn unquoted(need: &Need, header: &[String]) -> Option<String> {
    let written = header.iter().find(|name| need.sql && name.eq_ignore_ascii_case(&need.name))?;
    Some(format!("column {} is missing; write \"{written}\" in double quotes", need.name))
}

/// What keeps SQL from running over the columns of this file; one that it lacks is told elsewhere.
fn meaning(sql: &Sql<'_>, place: &Place, head: &Head) -> Option<String> {
    let needs = columns::sql_needs(sql.text, &head.names, sql.required);
    if needs.iter().any(|need| need.found.is_empty() && (need.required || unquoted(need, &head.names).is_some())) {
        return None;
    }
    let field = |need: &Need| {
        // As the readers give them: text in CSV, and a column that is not there has no value of any type in Parquet.
        let absent = if head.types.is_some() { DataType::Null } else { DataType::Utf8 };
        Field::new(&need.name, type_of(head, &need.name).cloned().unwrap_or(absent), true)
    };
    let file = Field::new(FILE, DataType::Utf8, false);
    let schema = Schema::new(needs.iter().map(field).chain([file]).collect::<Vec<_>>());
    let problem = expr::compile(sql.text, &schema).err()?;
    let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
    Some(place.says(&format!("{}: {}{help}", sql.makes, problem.message)))
}

/// Delivered columns that nothing reads and `ignore` does not name.
pub(super) fn unused(source: &Source, header: &[String]) -> Vec<String> {
    let mut unused = free(&columns::needs(source, header), header);
    unused.retain(|name| !source.decl.ignore.iter().any(|ignored| columns::fits(ignored, name)));
    unused.into_iter().cloned().collect()
}

/// Columns in use whose type differs from one Parquet file to the next.
pub(super) fn drift(source: &Source, files: &[DeliveredFile], heads: &[Head]) -> Vec<String> {
    let mut first: BTreeMap<String, (&str, &DataType)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (file, head) in files.iter().zip(heads) {
        for name in columns::delivered_columns(source, &head.names) {
            // A column without any value has no type to disagree about.
            let Some(data_type) = type_of(head, &name).filter(|data_type| **data_type != DataType::Null) else {
                continue;
            };
            match first.get(&name) {
                Some((other, expected)) if *expected != data_type => problems.push(format!(
                    "source {}: column {name} is {expected} in file {other} and {data_type} in file {}",
                    source.name, file.name
                )),
                Some(_) => {}
                None => drop(first.insert(name, (&file.name, data_type))),
            }
        }
    }
    problems
}

/// A header without names is a first row: what it repeats is printed only when the declarations know it.
fn repeated(source: &Source, place: &Place, header: &[String], needs: &[Need]) -> Vec<String> {
    let mut at: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, name) in header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        at.entry(name).or_default().push((index + 1).to_string());
    }
    at.retain(|_, places| places.len() > 1);
    let known = |name: &str| {
        needs.iter().any(|need| columns::fits(&need.name, name))
            || source.decl.ignore.iter().any(|ignored| ignored == name)
    };
    at.into_iter()
        .map(|(name, places)| {
            let what =
                if known(name) { format!("column {name} is there twice") } else { "two columns have one name".into() };
            place.says(&format!("{what} (columns {})", places.join(", ")))
        })
        .collect()
}

/// Names in the header that no declaration reads.
fn free<'a>(needs: &[Need], header: &'a [String]) -> Vec<&'a String> {
    let used: BTreeSet<&String> = needs.iter().flat_map(|need| &need.found).collect();
    header.iter().filter(|name| !name.is_empty() && !used.contains(name)).collect()
}

fn missing(name: &str, free: &[&String]) -> String {
    if columns::is_pattern(name) {
        return format!("no column fits {name}");
    }
    let wanted = name.to_lowercase();
    let score = |other: &str| strsim::normalized_damerau_levenshtein(&wanted, &other.trim().to_lowercase());
    let best = free.iter().map(|other| (score(other), other)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, other)) if score >= ALIKE => format!("column {name} is missing; did you mean {other:?}?"),
        _ => format!("column {name} is missing"),
    }
}

fn type_of<'a>(head: &'a Head, name: &str) -> Option<&'a DataType> {
    let index = head.names.iter().position(|other| other == name)?;
    head.types.as_ref()?.get(index)
}

fn is_float(head: &Head, name: &str) -> bool {
    type_of(head, name).is_some_and(DataType::is_floating)
}
