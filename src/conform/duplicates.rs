//! Rows that were sent twice.
//!
//! Of the rows with one key the one last `recorded` is kept; of several such, the greatest by its text: the columns, then
//! what it says of the person. So neither the order of rows nor that of files decides.

use std::cmp::{Ordering, Reverse};
use std::fmt::Write as _;
use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimestampSecondType};
use arrow::record_batch::RecordBatch;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use jiff::civil::{Date, DateTime};

use super::batch::days;
use super::text::Texts;
use super::{Chunk, Fate};
use crate::calendar;
use crate::error::Result;
use crate::pipeline::Source;

/// A row by its chunk and its number there.
type Place = (usize, usize);

/// Marks all but one of the good rows of each key, and notes which rows share theirs. A row of the future does not
/// compete: it must not push out what was true before.
pub(super) fn mark(source: &Source, as_of: Date, chunks: &mut [Chunk]) {
    // An opt-out made on the as-of date counts already.
    let first_future_day = calendar::epoch_days(as_of) + i32::from(source.decl.role.names_people());
    let hasher = DefaultHashBuilder::default();
    let mut kept: HashTable<(u64, Place)> =
        HashTable::with_capacity(chunks.iter().map(|chunk| chunk.fates.len()).sum());
    let (mut lost, mut contested) = (Vec::new(), Vec::new());
    let keys: Vec<Vec<&ArrayRef>> = chunks.iter().map(|chunk| key_columns(source, chunk)).collect();
    let (mut key, mut other) = (String::new(), String::new());
    for (number, chunk) in chunks.iter().enumerate() {
        let dates = chunk.batch.column_by_name("date").map(days);
        let past = |row: usize| dates.as_ref().and_then(|days| days[row]).is_none_or(|day| day < first_future_day);
        for row in (0..chunk.fates.len()).filter(|row| chunk.fates[*row] == Fate::Good && past(*row)) {
            if !write_key(&keys[number], row, &mut key) {
                continue;
            }
            let hash = hasher.hash_one(&key);
            let same = |(of_other, (number, row)): &(u64, Place)| {
                *of_other == hash && write_key(&keys[*number], *row, &mut other) && key == other
            };
            match kept.entry(hash, same, |(hash, _)| *hash) {
                Entry::Vacant(entry) => {
                    entry.insert((hash, (number, row)));
                }
                Entry::Occupied(mut entry) => {
                    let rival = entry.get().1;
                    contested.extend([rival, (number, row)]);
                    let wins = standing(chunks, (number, row), rival).is_gt();
                    lost.push(if wins {
                        std::mem::replace(&mut entry.get_mut().1, (number, row))
                    } else {
                        (number, row)
                    });
                }
            }
        }
    }
    for (number, row) in lost {
        chunks[number].fates[row] = Fate::Duplicate;
    }
    for (number, row) in contested {
        chunks[number].contested.push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    for chunk in chunks {
        chunk.contested.sort_unstable();
        chunk.contested.dedup();
    }
}

fn key_columns<'a>(source: &Source, chunk: &'a Chunk) -> Vec<&'a ArrayRef> {
    source.decl.key.iter().filter_map(|key| chunk.batch.column_by_name(key)).collect()
}

/// What decides between two rows of one key; the place in the deliveries only between equal rows.
fn standing(chunks: &[Chunk], a: Place, b: Place) -> Ordering {
    let recorded = |(number, row): Place| {
        chunks[number].batch.column_by_name("recorded").map(|column| text_of(column, row)).unwrap_or_default()
    };
    let whole = |(number, row): Place| {
        let chunk = &chunks[number];
        let columns = chunk.batch.columns().iter().map(|column| text_of(column, row));
        let says = chunk.says.iter().map(|says| text_of(says, row));
        columns.chain(says).collect::<Vec<_>>().join("\u{1f}")
    };
    let place = |(number, row): Place| Reverse((chunks[number].file, chunks[number].rows[row]));
    recorded(a).cmp(&recorded(b)).then_with(|| whole(a).cmp(&whole(b))).then_with(|| place(a).cmp(&place(b)))
}

/// The good rows of a chunk.
pub(super) fn good(chunk: &Chunk) -> Result<RecordBatch> {
    let mask: BooleanArray = chunk.fates.iter().map(|fate| Some(*fate == Fate::Good)).collect();
    Ok(filter_record_batch(&chunk.batch, &mask)?)
}

/// The key of a row as text; none when a part of it is blank.
pub(super) fn key_text(keys: &[&ArrayRef], row: usize) -> Option<String> {
    let mut text = String::new();
    write_key(keys, row, &mut text).then_some(text)
}

/// Puts the key of a row in the place of a text; false when a part of the key is blank.
fn write_key(keys: &[&ArrayRef], row: usize, text: &mut String) -> bool {
    text.clear();
    for (part, key) in keys.iter().enumerate() {
        if key.is_null(row) {
            return false;
        }
        if part > 0 {
            text.push('\u{1f}');
        }
        cell_text(key, row, text);
    }
    true
}

fn text_of(column: &ArrayRef, row: usize) -> String {
    let mut text = String::new();
    cell_text(column, row, &mut text);
    text
}

/// Appends a conformed value as text: ISO dates, decimals with all their places, list items apart by U+001E.
pub fn cell_text(column: &dyn Array, row: usize, out: &mut String) {
    if column.is_null(row) {
        return;
    }
    // Writing to a String cannot fail.
    let _ = match column.data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            out.write_str(Texts::of(column).and_then(|texts| texts.borrowed(row)).unwrap_or_default())
        }
        DataType::Int64 => write!(out, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => write!(out, "{}", column.as_boolean().value(row)),
        DataType::Decimal128(..) => out.write_str(&column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Date32 => match calendar::date_of(column.as_primitive::<Date32Type>().value(row)) {
            Some(date) => write!(out, "{date}"),
            None => Ok(()),
        },
        DataType::Timestamp(..) => {
            let seconds = column.as_primitive::<TimestampSecondType>().value(row);
            let time =
                DateTime::constant(1970, 1, 1, 0, 0, 0, 0).saturating_add(jiff::SignedDuration::from_secs(seconds));
            write!(out, "{}", time.strftime("%Y-%m-%dT%H:%M:%S"))
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            for item in 0..items.len() {
                if item > 0 {
                    out.push('\u{1e}');
                }
                cell_text(&items, item, out);
            }
            Ok(())
        }
        _ => Ok(()),
    };
}
