//! Rows become files: parts of at most so many rows, each sorted by the day of recording as feeds are.
//!
//! The same rows give the same bytes: gzip without name and time, Parquet with a fixed `created_by`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use flate2::{Compression, GzBuilder};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::layout::{Cell, Layout};
use crate::calendar;
use crate::error::{Error, Result};

/// How deliveries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    CsvGz,
    Parquet,
    /// As it comes in life: hospital data and lookups in Parquet, the rest as compressed CSV.
    Mixed,
}

/// Rows of a part: what bounds the memory of a run of any size.
const ROWS_PER_FILE: usize = 100_000;

/// One row while it is filled in; cells in the order of the layout.
#[derive(Debug, Default)]
pub struct Row {
    cells: Vec<String>,
    /// Single values spoilt while the row was filled in.
    pub spoilt: Vec<&'static str>,
}

impl Row {
    /// Empties every cell and keeps the memory.
    pub fn reset(&mut self, columns: usize) {
        self.cells.resize_with(columns, String::new);
        self.cells.iter_mut().for_each(String::clear);
        self.spoilt.clear();
    }

    pub fn set(&mut self, column: usize, text: &str) {
        if let Some(cell) = self.cells.get_mut(column) {
            cell.clear();
            cell.push_str(text);
        }
    }

    /// Sets cells from `first` on.
    pub fn fill(&mut self, first: usize, texts: &[&str]) {
        for (offset, text) in texts.iter().enumerate() {
            self.set(first + offset, text);
        }
    }

    pub fn cells(&self) -> &[String] {
        &self.cells
    }

    pub fn get(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// One folder of deliveries.
pub struct Table {
    layout: &'static Layout,
    folder: PathBuf,
    format: Format,
    text: String,
    /// Where each cell ends in `text`, row after row.
    ends: Vec<u32>,
    /// Sort key of each row.
    days: Vec<i32>,
    part: u32,
    pub rows: u64,
    pub files: u64,
}

impl Table {
    pub fn create(layout: &'static Layout, out: &Path, format: Format) -> Result<Self> {
        let folder = out.join(layout.name);
        fs::create_dir_all(&folder).map_err(|error| Error::storage("making", &folder, &error))?;
        let format = match format {
            Format::Mixed if in_parquet(layout.name) => Format::Parquet,
            Format::Mixed => Format::CsvGz,
            other => other,
        };
        let (text, ends, days) = (String::new(), Vec::new(), Vec::new());
        Ok(Self { layout, folder, format, text, ends, days, part: 1, rows: 0, files: 0 })
    }

    /// Name of the file that takes the next row, below the deliveries folder.
    pub fn file(&self) -> String {
        let ending = match self.format {
            Format::Csv => "csv",
            Format::CsvGz => "csv.gz",
            Format::Parquet | Format::Mixed => "parquet",
        };
        format!("{}/part-{:05}.{ending}", self.layout.name, self.part)
    }

    pub fn push(&mut self, row: &Row, day: i32) -> Result<()> {
        for cell in &row.cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len() as u32);
        }
        self.days.push(day);
        self.rows += 1;
        if self.days.len() >= ROWS_PER_FILE { self.flush() } else { Ok(()) }
    }

    /// Writes what is left; a delivery without rows still has a file with its header.
    pub fn finish(&mut self) -> Result<()> {
        if self.days.is_empty() && self.files > 0 { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let mut order: Vec<usize> = (0..self.days.len()).collect();
        order.sort_by_key(|row| self.days.get(*row).copied());
        let name = self.file();
        let path = match name.rsplit_once('/') {
            Some((_, file)) => self.folder.join(file),
            None => self.folder.join(&name),
        };
        let failed = |error: std::io::Error| Error::storage("writing", &path, &error);
        let file = File::create_new(&path).map_err(failed)?;
        match self.format {
            Format::Csv => self.csv(&order, BufWriter::new(file)).map_err(failed)?.flush().map_err(failed)?,
            Format::CsvGz => {
                let gzip = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::new(6));
                self.csv(&order, gzip).and_then(|gzip| gzip.finish()).map_err(failed)?;
            }
            Format::Parquet | Format::Mixed => self.parquet(&order, file)?,
        }
        self.text.clear();
        self.ends.clear();
        self.days.clear();
        self.part += 1;
        self.files += 1;
        Ok(())
    }

    fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.layout.columns.len() + column;
        let end = self.ends.get(at).copied().unwrap_or(0) as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0) as usize;
        self.text.get(start..end).unwrap_or("")
    }

    fn csv<W: Write>(&self, order: &[usize], mut out: W) -> std::io::Result<W> {
        let columns = self.layout.columns.len();
        let mut line = String::new();
        for (at, (name, _)) in self.layout.columns.iter().enumerate() {
            push_field(&mut line, at, name);
        }
        for row in order {
            line.push_str("\r\n");
            out.write_all(line.as_bytes())?;
            line.clear();
            for column in 0..columns {
                push_field(&mut line, column, self.cell(*row, column));
            }
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
        Ok(out)
    }

    fn parquet(&self, order: &[usize], file: File) -> Result<()> {
        let columns = self.layout.columns.iter().enumerate();
        let fields: Vec<Field> = columns.clone().map(|(_, (name, cell))| field(name, *cell)).collect();
        let arrays: Vec<ArrayRef> = columns.map(|(at, (_, cell))| self.array(order, at, *cell)).collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        let level = ZstdLevel::try_new(3).map_err(|_| Error::Fault("zstd has no level 3".to_owned()))?;
        let properties = WriterProperties::builder()
            .set_compression(Codec::ZSTD(level))
            .set_created_by("riskstrat synth".to_owned())
            .build();
        let failed = |_| Error::Resources(format!("writing Parquet below {}", self.folder.display()));
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(failed)?;
        writer.write(&batch).map_err(failed)?;
        writer.close().map_err(failed)?;
        Ok(())
    }

    fn array(&self, order: &[usize], column: usize, cell: Cell) -> ArrayRef {
        let texts = order.iter().map(|row| Some(self.cell(*row, column)).filter(|text| !text.is_empty()));
        match cell {
            Cell::Text => Arc::new(texts.collect::<StringArray>()),
            Cell::Whole => Arc::new(texts.map(|text| text?.parse().ok()).collect::<Int64Array>()),
            Cell::Day => Arc::new(texts.map(|text| iso_day(text?)).collect::<Date32Array>()),
        }
    }
}

fn in_parquet(name: &str) -> bool {
    ["admissions", "attendances", "outpatients", "lsoa_imd"].contains(&name)
}

fn iso_day(text: &str) -> Option<i32> {
    text.parse::<Date>().ok().map(calendar::epoch_days)
}

fn field(name: &str, cell: Cell) -> Field {
    let data_type = match cell {
        Cell::Text => DataType::Utf8,
        Cell::Day => DataType::Date32,
        Cell::Whole => DataType::Int64,
    };
    Field::new(name, data_type, true)
}

/// A field as RFC 4180 has it: quoted only where it must be.
pub fn push_field(line: &mut String, column: usize, text: &str) {
    if column > 0 {
        line.push(',');
    }
    if text.contains([',', '"', '\r', '\n']) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}
