//! Rows that share a key: one stays.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::conform::{Conformed, Row, is_future};
use super::value::Value;
use crate::error::{Error, Result};
use crate::pipeline::Source;

/// The printed key of a row; none when the source has no key or a part of it is null.
pub fn key_of(source: &Source, row: &Row) -> Option<Vec<String>> {
    if source.decl.key.is_empty() {
        return None;
    }
    let parts = source.decl.key.iter().map(|column| {
        let value = source.column(column).and_then(|at| row.values.get(at))?;
        if value.is_null() { None } else { Some(value.print()) }
    });
    parts.collect()
}

/// Of rows with one key, the one recorded last stays; of several, the one whose text is greatest. Rows of the future
/// stand apart, as what has not happened yet must not displace what has.
pub fn drop_duplicates(source: &Source, as_of: Date, conformed: &mut Conformed) {
    let recorded = source.column("recorded");
    let mut kept: Vec<Row> = Vec::new();
    let mut by_key: BTreeMap<Vec<String>, Row> = BTreeMap::new();
    for row in std::mem::take(&mut conformed.rows) {
        let Some(key) = key_of(source, &row).filter(|_| !is_future(source, &row, as_of)) else {
            kept.push(row);
            continue;
        };
        let Some(rival) = by_key.remove(&key) else {
            by_key.insert(key, row);
            continue;
        };
        conformed.duplicates += 1;
        let when = |row: &Row| recorded.and_then(|at| row.values.get(at)).cloned().unwrap_or(Value::Null);
        let order = when(&row).order(&when(&rival)).then_with(|| canonical(&row).cmp(&canonical(&rival)));
        by_key.insert(key, if order.is_gt() { row } else { rival });
    }
    kept.extend(by_key.into_values());
    conformed.rows = kept;
}

/// All that a row holds, as text; what it says about the person stands last.
fn canonical(row: &Row) -> String {
    let values = row.values.iter().map(|value| match value {
        Value::List(items) => items.join("\u{1e}"),
        other => other.print(),
    });
    values.chain(row.says.iter().map(|said| said.text.clone())).collect::<Vec<_>>().join("\u{1f}")
}

/// A lookup that promises one row a key is held to it.
pub fn one_row_a_key(source: &Source, rows: &[Row]) -> Result<()> {
    let mut seen: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for key in rows.iter().filter_map(|row| key_of(source, row)) {
        *seen.entry(key).or_default() += 1;
    }
    let repeated = seen.values().filter(|count| **count > 1).count();
    if repeated == 0 {
        return Ok(());
    }
    Err(Error::Check(format!("source {}: {repeated} keys have more than one row", source.name)))
}

/// The rows of a lookup by the text of their key.
pub fn by_key(source: &Source, table: &Conformed) -> BTreeMap<String, Row> {
    let keyed = |row: &Row| Some((key_of(source, row)?.join("\u{1f}"), row.clone()));
    table.rows.iter().filter_map(keyed).collect()
}
