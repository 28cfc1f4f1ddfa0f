//! Rows of a source on disk, where memory does not hold them all: cut by the hash of their key, so that all rows of a key
//! lie in one bucket, and read back one bucket after the other.
//!
//! The files have no name, only their owner can open them, and they end with the process, however that ends. They lie in
//! the folder for temporary files (`TMPDIR`).

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, BufWriter, Seek};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatchOptions, UInt8Array, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, UInt8Type, UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use hashbrown::DefaultHashBuilder;

use super::text::plain;
use super::{Chunk, Fate, duplicates, schema};
use crate::aside::{failed, no_room};
use crate::error::{Error, Result};
use crate::memory::MemoryLimit;
use crate::pipeline::Source;
use crate::source::{DeliveredFile, Format};

/// Buckets of a source, at most: each is an open file.
const MOST_BUCKETS: u64 = 256;

/// So much of the memory that a run may take is for rows that are held.
pub(super) const SHARE: u64 = 8;

/// Rows of all buckets that a worker gathers before it writes them.
const GATHERED: usize = 1 << 16;

/// Into how many buckets the rows of these files are cut, so that each worker can hold one: one bucket is no cut.
pub fn buckets(files: &[DeliveredFile], limit: MemoryLimit, workers: usize) -> usize {
    let held = files.iter().map(held_bytes).sum::<u64>().saturating_mul(workers as u64);
    let needed = held.div_ceil((limit.bytes() / SHARE).max(1)).clamp(1, MOST_BUCKETS);
    usize::try_from(needed.next_power_of_two()).unwrap_or(usize::MAX)
}

/// What the rows of a file take while they are held, roughly: so many times what they take where they are stored.
pub fn held_bytes(file: &DeliveredFile) -> u64 {
    let times = match file.format {
        Format::Parquet => 8,
        Format::Csv => 4,
        Format::CsvGz => 20,
    };
    file.bytes * times
}

/// The rows of one source, written bucket by bucket.
pub(super) struct Spill<'a> {
    source: &'a Source,
    hasher: DefaultHashBuilder,
    buckets: Vec<Mutex<BufWriter<File>>>,
}

/// Rows of one file that wait until there are enough of them to be written.
pub(super) struct Gathered {
    /// By bucket.
    rows: Vec<Vec<RecordBatch>>,
    count: usize,
}

impl<'a> Spill<'a> {
    pub fn new(source: &'a Source, buckets: usize) -> Result<Self> {
        let new = |_| tempfile::tempfile().map(|file| Mutex::new(BufWriter::new(file)));
        let buckets = (0..buckets).map(new).collect::<io::Result<_>>().map_err(|error| no_room(&error))?;
        Ok(Self { source, hasher: DefaultHashBuilder::default(), buckets })
    }

    pub fn gathered(&self) -> Gathered {
        Gathered { rows: vec![Vec::new(); self.buckets.len()], count: 0 }
    }

    /// Cuts a chunk by the hash of each row's key; rows without one anywhere.
    pub fn add(&self, gathered: &mut Gathered, chunk: &Chunk) -> Result<()> {
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); self.buckets.len()];
        duplicates::each_key(self.source, chunk, |row, key| {
            let hash = key.map_or(u64::from(row), |key| self.hasher.hash_one(key));
            rows[hash as usize % self.buckets.len()].push(row);
        });
        let whole = to_batch(self.source, chunk)?;
        gathered.count += whole.num_rows();
        for (bucket, rows) in gathered.rows.iter_mut().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
            bucket.push(take_record_batch(&whole, &UInt32Array::from(rows))?);
        }
        if gathered.count < GATHERED { Ok(()) } else { self.write(gathered) }
    }

    /// Writes what was gathered: at the end of each file, so that what is written together is of one.
    pub fn write(&self, gathered: &mut Gathered) -> Result<()> {
        gathered.count = 0;
        for (bucket, rows) in self.buckets.iter().zip(&mut gathered.rows) {
            for alike in std::mem::take(rows).chunk_by(|a, b| a.schema() == b.schema()) {
                let Some(first) = alike.first() else { continue };
                let batch = concat_batches(&first.schema(), alike)?;
                let mut file = bucket.lock().map_err(|_| stopped())?;
                let mut writer = StreamWriter::try_new(&mut *file, &batch.schema()).map_err(failed)?;
                writer.write(&batch).and_then(|()| writer.finish()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// What was written, one bucket after the other.
    pub fn written(self) -> Result<Vec<Bucket<'a>>> {
        let Self { source, buckets, .. } = self;
        let each = buckets.into_iter().map(|bucket| {
            let bucket = bucket.into_inner().map_err(|_| stopped())?;
            let mut file = bucket.into_inner().map_err(|error| no_room(error.error()))?;
            file.rewind().map_err(|error| no_room(&error))?;
            Ok(Bucket { source, file })
        });
        each.collect()
    }
}

/// Rows on disk.
pub(super) struct Bucket<'a> {
    source: &'a Source,
    file: File,
}

impl Bucket<'_> {
    /// Everything that was written.
    pub fn read(self) -> Result<Vec<Chunk>> {
        let mut file = BufReader::new(self.file);
        let mut chunks = Vec::new();
        while !file.fill_buf().map_err(|error| no_room(&error))?.is_empty() {
            for batch in StreamReader::try_new(&mut file, None).map_err(failed)? {
                chunks.push(to_chunk(self.source, &batch.map_err(failed)?)?);
            }
        }
        Ok(chunks)
    }
}

/// A chunk as one table: our columns as declared, what it says, and of each row its fate, its place and its file.
fn to_batch(source: &Source, chunk: &Chunk) -> Result<RecordBatch> {
    let declared = source.columns.iter().zip(chunk.batch.columns());
    let mut columns: Vec<ArrayRef> =
        declared.map(|(declared, column)| plain(column, &declared.data_type)).collect::<Result<_>>()?;
    for says in &chunk.says {
        let days = *says.data_type() == DataType::Date32;
        columns.push(plain(says, if days { &DataType::Date32 } else { &DataType::Utf8 })?);
    }
    let rows = chunk.fates.len();
    columns.push(Arc::new(chunk.fates.iter().map(|fate| *fate as u8).collect::<UInt8Array>()));
    columns.push(Arc::new(UInt64Array::from(chunk.rows.clone())));
    let file = u32::try_from(chunk.file).map_err(|_| Error::Fault("too many files to number".to_owned()))?;
    columns.push(Arc::new(UInt32Array::from(vec![file; rows])));
    let fields = columns.iter().map(|column| Field::new("", column.data_type().clone(), true));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// The same rows as a chunk; how they were delivered is not known any more.
fn to_chunk(source: &Source, batch: &RecordBatch) -> Result<Chunk> {
    let fault = || Error::Fault(format!("source {}: rows came back from the disk in another form", source.name));
    let (made, rest) = batch.columns().split_at_checked(source.columns.len()).ok_or_else(fault)?;
    let (says, rest) = rest.split_at_checked(source.demographics.len()).ok_or_else(fault)?;
    let [fates, rows, files] = rest else { return Err(fault()) };
    let fates = fates.as_primitive_opt::<UInt8Type>().ok_or_else(fault)?.values();
    let fates = fates.iter().map(|fate| Fate::ALL.get(usize::from(*fate)).copied().ok_or_else(fault));
    let file = files.as_primitive_opt::<UInt32Type>().and_then(|files| files.values().first().copied());
    Ok(Chunk {
        file: file.ok_or_else(fault)? as usize,
        rows: rows.as_primitive_opt::<UInt64Type>().ok_or_else(fault)?.values().to_vec(),
        batch: RecordBatch::try_new(schema(source), made.to_vec())?,
        says: says.to_vec(),
        fates: fates.collect::<Result<_>>()?,
        contested: Vec::new(),
        raw: None,
    })
}

fn stopped() -> Error {
    Error::Fault("a worker stopped while it wrote rows".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::SystemTime;

    use super::*;

    fn file(bytes: u64, format: Format) -> DeliveredFile {
        let name = String::new();
        let sha256 = String::new();
        let (path, modified) = (PathBuf::new(), SystemTime::UNIX_EPOCH);
        DeliveredFile { path, name, sha256, bytes, modified, format, header: Vec::new(), counted: None }
    }

    #[test]
    fn there_are_as_many_buckets_as_memory_asks_for() {
        let files = [file(1 << 30, Format::Csv), file(1 << 20, Format::Parquet)];
        let asked = |limit: &str, workers| buckets(&files, limit.parse().unwrap(), workers);
        assert_eq!([asked("64 GiB", 1), asked("16 GiB", 1), asked("16 GiB", 2), asked("1 GiB", 2)], [1, 4, 8, 128]);
        assert_eq!((asked("1 MiB", 8), buckets(&[], "1 MiB".parse().unwrap(), 8)), (256, 1));
        assert!(held_bytes(&file(100, Format::CsvGz)) > held_bytes(&file(100, Format::Csv)));
    }
}
