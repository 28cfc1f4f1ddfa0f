//! How rows become files: CSV or Parquet, one to four of them, in any order.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float32Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use riskstrat::calendar;

/// The rows of one source, as text.
#[derive(Clone)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Delivered>,
    pub rows: Vec<Vec<String>>,
    /// Whether its rows belong to people.
    pub about_people: bool,
}

/// A delivered column, and the type that Parquet files give it.
#[derive(Clone, Copy)]
pub struct Delivered {
    pub name: &'static str,
    pub stored: Stored,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Text,
    Integer,
    /// A short float: Parquet's `FLOAT`.
    Short,
    /// ISO dates; what is none becomes null, so only for columns without dirt.
    Day,
}

pub fn write(table: &Table, folder: &Path, random: &mut ChaCha8Rng) {
    let mut rows: Vec<(usize, &Vec<String>)> = table.rows.iter().enumerate().collect();
    rows.shuffle(random);
    let files = random.random_range(1..=4usize).min(rows.len().max(1));
    let parquet = random.random_bool(0.5);
    let tag: u32 = random.random_range(0..1000);
    for file in 0..files {
        let part: Vec<_> = rows.iter().copied().skip(file).step_by(files).collect();
        // Names say nothing about order: a later part may sort first.
        let name = format!("{}-{:03}", table.name, (tag as usize + file * 377) % 1000);
        if parquet {
            write_parquet(table, &part, &folder.join(format!("{name}.parquet")));
        } else {
            write_csv(table, &part, &folder.join(format!("{name}.csv")));
        }
    }
}

fn write_csv(table: &Table, rows: &[(usize, &Vec<String>)], path: &Path) {
    let quoted = |cell: &str| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let mut text = format!("row_no,{}\n", names.join(","));
    for (number, row) in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&format!("{number},{}\n", cells.join(",")));
    }
    super::save(path, text.as_bytes());
}

fn write_parquet(table: &Table, rows: &[(usize, &Vec<String>)], path: &Path) {
    let numbers = Int64Array::from_iter_values(rows.iter().map(|(number, _)| *number as i64));
    let mut columns: Vec<(&str, ArrayRef)> = vec![("row_no", Arc::new(numbers))];
    for (at, column) in table.columns.iter().enumerate() {
        let cells = rows.iter().map(|(_, row)| row[at].as_str());
        let array: ArrayRef = match column.stored {
            Stored::Text => Arc::new(cells.map(|cell| (!cell.is_empty()).then_some(cell)).collect::<StringArray>()),
            Stored::Short => Arc::new(cells.map(|cell| cell.parse::<f32>().ok()).collect::<Float32Array>()),
            Stored::Integer => Arc::new(cells.map(|cell| cell.parse::<i64>().ok()).collect::<Int64Array>()),
            Stored::Day => {
                Arc::new(cells.map(|cell| cell.parse().ok().map(calendar::epoch_days)).collect::<Date32Array>())
            }
        };
        columns.push((column.name, array));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
