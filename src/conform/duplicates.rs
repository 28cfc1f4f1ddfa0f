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
use crate::workers;

/// A row by its chunk and its number there.
type Place = (u32, u32);

/// A row by the hash of its key.
type Hashed = (u64, Place);

/// Rows of one bucket, so few that what is known of them stays in a cache of the processor.
const BUCKET_ROWS: usize = 8192;

/// Buckets, at most.
const BUCKETS: usize = 1024;

/// Rows that are not kept, and rows that share their key with another.
#[derive(Default)]
struct Found {
    lost: Vec<Place>,
    contested: Vec<Place>,
}

/// Marks all but one of the good rows of each key, and notes which rows share theirs. A row of the future does not
/// compete: it must not push out what was true before.
pub(super) fn mark(source: &Source, as_of: Date, workers: usize, chunks: &mut [Chunk]) -> Result<()> {
    // An opt-out made on the as-of date counts already.
    let first_future_day = calendar::epoch_days(as_of) + i32::from(source.decl.role.names_people());
    let rows: usize = chunks.iter().map(|chunk| chunk.fates.len()).sum();
    let count = (rows / BUCKET_ROWS).next_power_of_two().min(BUCKETS);
    let hasher = DefaultHashBuilder::default();
    let keys: Vec<Keys> = chunks.iter().map(|chunk| Keys::of(source, chunk)).collect();
    let numbered: Vec<(u32, &Chunk)> = (0..).zip(&*chunks).collect();
    let new = || (vec![Vec::new(); count], String::new());
    let hash = |(buckets, key): &mut (Vec<Vec<Hashed>>, String), (number, chunk): (u32, &Chunk)| {
        let dates = chunk.batch.column_by_name("date").map(days);
        let past = |row: usize| dates.as_ref().and_then(|days| days[row]).is_none_or(|day| day < first_future_day);
        for (row, place) in (0..chunk.fates.len()).zip(0..) {
            if chunk.fates[row] == Fate::Good
                && past(row)
                && let Some(key) = keys[number as usize].read(row, key)
            {
                let hash = hasher.hash_one(key);
                buckets[(hash >> 32) as usize & (count - 1)].push((hash, (number, place)));
            }
        }
        Ok(())
    };
    let hashed = workers::share(workers, numbered, new, hash)?;
    let find = |(found, kept): &mut (Found, HashTable<Hashed>), bucket: usize| {
        let rows = hashed.iter().flat_map(|(buckets, _)| &buckets[bucket]);
        found.among(chunks, &keys, rows, kept);
        Ok(())
    };
    let found = workers::share(workers, (0..count).collect(), Default::default, find)?;
    for (found, _) in found {
        for (number, row) in found.lost {
            chunks[number as usize].fates[row as usize] = Fate::Duplicate;
        }
        for (number, row) in found.contested {
            chunks[number as usize].contested.push(row);
        }
    }
    for chunk in chunks {
        chunk.contested.sort_unstable();
        chunk.contested.dedup();
    }
    Ok(())
}

impl Found {
    /// Finds rows of the same key; all rows of a key are among these.
    fn among<'a>(
        &mut self,
        chunks: &[Chunk],
        keys: &[Keys],
        rows: impl Iterator<Item = &'a Hashed>,
        kept: &mut HashTable<Hashed>,
    ) {
        kept.clear();
        let (mut one, mut other) = (String::new(), String::new());
        for &(hash, place) in rows {
            let mut same = |(of_other, rival): &Hashed| {
                let [mine, theirs] = [place, *rival].map(|(number, row)| (&keys[number as usize], row as usize));
                *of_other == hash && mine.0.read(mine.1, &mut one) == theirs.0.read(theirs.1, &mut other)
            };
            match kept.entry(hash, &mut same, |(hash, _)| *hash) {
                Entry::Vacant(entry) => {
                    entry.insert((hash, place));
                }
                Entry::Occupied(mut entry) => {
                    let rival = entry.get().1;
                    self.contested.extend([rival, place]);
                    let wins = standing(chunks, place, rival).is_gt();
                    self.lost.push(if wins { std::mem::replace(&mut entry.get_mut().1, place) } else { place });
                }
            }
        }
    }
}

/// The keys of a chunk's rows.
struct Keys<'a> {
    columns: Vec<&'a ArrayRef>,
    /// The only column, where it is text: its cells are keys as they stand.
    text: Option<Texts<'a>>,
}

impl<'a> Keys<'a> {
    fn of(source: &Source, chunk: &'a Chunk) -> Self {
        let columns = source.decl.key.iter().filter_map(|key| chunk.batch.column_by_name(key));
        let columns: Vec<&ArrayRef> = columns.collect();
        let text = if let [only] = *columns { Texts::of(only) } else { None };
        Self { columns, text: text.filter(|text| !matches!(text, Texts::Digits(_))) }
    }

    /// The key of a row, put together in `room` if need be; none when a part of it is blank.
    fn read<'k>(&'k self, row: usize, room: &'k mut String) -> Option<&'k str> {
        match &self.text {
            Some(text) => text.borrowed(row),
            None => write_key(&self.columns, row, room).then_some(&**room),
        }
    }
}

/// What decides between two rows of one key; the place in the deliveries only between equal rows.
fn standing(chunks: &[Chunk], a: Place, b: Place) -> Ordering {
    let at = |(number, row): Place| (&chunks[number as usize], row as usize);
    let recorded = |of: Place| {
        let (chunk, row) = at(of);
        chunk.batch.column_by_name("recorded").map(|column| text_of(column, row)).unwrap_or_default()
    };
    let whole = |of: Place| {
        let (chunk, row) = at(of);
        let columns = chunk.batch.columns().iter().map(|column| text_of(column, row));
        let says = chunk.says.iter().map(|says| text_of(says, row));
        columns.chain(says).collect::<Vec<_>>().join("\u{1f}")
    };
    let place = |of: Place| {
        let (chunk, row) = at(of);
        Reverse((chunk.file, chunk.rows[row]))
    };
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

/// Calls `each` with the key of every row as text; none where a part of it is blank.
pub(super) fn each_key(source: &Source, chunk: &Chunk, mut each: impl FnMut(u32, Option<&str>)) {
    let keys = Keys::of(source, chunk);
    let mut room = String::new();
    for (row, place) in (0..chunk.fates.len()).zip(0..) {
        each(place, keys.read(row, &mut room));
    }
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
