//! Deliveries as sent: found, hashed, opened by header name.
//!
//! `find` settles what was delivered before a row is read; `open` gives the rows of one file, column by name.

mod check;
mod columns;
mod csv;
mod find;
mod footer;
mod hex;
mod locate;
mod parquet;
mod record;

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};
use crate::pipeline::Source;
use crate::release::Crosswalk;

pub use columns::{delivered_columns, expand};
pub use find::find;

/// The files of every source, in the order of [`crate::pipeline::Pipeline::sources`].
#[derive(Debug)]
pub struct Delivered {
    pub sources: Vec<DeliveredSource>,
    /// Whose tokens recipients send back; [`find`] leaves it empty.
    pub released: Crosswalk,
}

/// What was found for one source.
#[derive(Debug)]
pub struct DeliveredSource {
    /// Sorted by content hash (and by name where SQL reads `_file`), so that their order changes nothing.
    pub files: Vec<DeliveredFile>,
    /// Delivered columns that no declaration uses or ignores.
    pub unused_columns: Vec<String>,
    /// Files left out because their bytes equal another file's; none where SQL reads `_file`.
    pub repeated: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct DeliveredFile {
    pub path: PathBuf,
    /// Relative to the deliveries folder, with `/`: what messages and outputs name.
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    pub modified: SystemTime,
    pub format: Format,
    /// Its column names, in order; none when the file holds nothing at all.
    pub header: Vec<String>,
    /// Where the file itself says how many rows it holds, in how many groups.
    pub counted: Option<Counted>,
}

/// What the footer of a file counts.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    pub rows: u64,
    pub row_groups: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Parquet,
    Csv,
    CsvGz,
}

/// Rows of one file, columns as delivered: text in CSV, the file's own types in Parquet.
#[derive(Debug)]
pub struct RawBatch {
    /// Where each row stands: the physical line it begins on (CSV, header is line 1) or its number from 1 (Parquet).
    pub rows: Vec<u64>,
    pub batch: RecordBatch,
    /// Rows that could not be split into fields; they are in no column.
    pub malformed: Vec<Malformed>,
}

/// A row that is no row: too many fields, an open quote, a NUL byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub row: u64,
    pub rule: String,
}

/// The rows of one file, in batches.
pub type Batches = Box<dyn Iterator<Item = Result<RawBatch>> + Send>;

/// Opens `file` for the delivered `columns`, which come in this order. One that this file lacks is all null: text in
/// CSV, of Arrow's null type in Parquet. An error ends the iteration.
pub fn open(source: &Source, file: &DeliveredFile, columns: &[String], batch_rows: usize) -> Result<Batches> {
    opened(source, file, columns, batch_rows, Text::Plain)
}

/// The same with text in Parquet as it is stored, so that none is copied: by dictionary (32-bit keys) where all of a
/// column is, else as views of the file's pages.
pub fn open_stored(source: &Source, file: &DeliveredFile, columns: &[String], batch_rows: usize) -> Result<Batches> {
    opened(source, file, columns, batch_rows, Text::Stored)
}

/// How text in Parquet is handed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Plain,
    Stored,
}

fn opened(source: &Source, file: &DeliveredFile, columns: &[String], batch_rows: usize, text: Text) -> Result<Batches> {
    recheck(file)?;
    let batch_rows = batch_rows.max(1);
    match file.format {
        Format::Parquet => parquet::open(source, file, columns, batch_rows, text),
        Format::Csv | Format::CsvGz => csv::open(source, file, columns, batch_rows),
    }
}

/// Whether `file` still is what [`find`] hashed, by size and time of change.
pub fn recheck(file: &DeliveredFile) -> Result<()> {
    let metadata = fs::metadata(&file.path).map_err(|error| Error::storage("reading", &file.path, &error))?;
    if metadata.len() == file.bytes && modified(&metadata, &file.path)? == file.modified {
        return Ok(());
    }
    Err(Error::Check(format!("file {} changed while it was being read; run again when it is whole", file.name)))
}

fn modified(metadata: &Metadata, path: &Path) -> Result<SystemTime> {
    metadata.modified().map_err(|error| Error::storage("reading", path, &error))
}

/// What a message about a file begins with.
#[derive(Debug, Clone)]
struct Place {
    source: String,
    file: String,
}

impl Place {
    fn new(source: &Source, file: &str) -> Self {
        Self { source: source.name.clone(), file: file.to_owned() }
    }

    fn says(&self, text: &str) -> String {
        format!("source {}, file {}: {text}", self.source, self.file)
    }

    fn check(&self, text: &str) -> Error {
        Error::Check(self.says(text))
    }
}
