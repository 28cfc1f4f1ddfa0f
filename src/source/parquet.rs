//! Parquet, column by name in the file's own types. Its reader trusts what it reads: limits stand before it, and its
//! panics end here.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::new_null_array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::find::Head;
use super::{Batches, Counted, DeliveredFile, Place, RawBatch, Text, footer, hex, recheck};
use crate::error::{Error, Result};
use crate::pipeline::Source;

/// A row has at least a token of its own, which no encoding brings below a byte or so.
const MAX_ROWS_PER_BYTE: u64 = 64;
/// Below this many rows nothing is a bomb.
const ROWS_ALWAYS_ALLOWED: u64 = 1 << 20;
/// Encoded columns shrink to a tenth, at the very best to a hundredth.
const MAX_RATIO: u64 = 400;
/// Below this nothing is a bomb.
const BYTES_ALWAYS_ALLOWED: u64 = 64 << 20;

/// Schema and number of rows, from the footer.
pub(super) fn head(source: &Source, file: &DeliveredFile) -> Result<Head> {
    let (_, metadata) = load(&Place::new(source, &file.name), file)?;
    let fields = metadata.schema().fields();
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or_default();
    Ok(Head {
        names: fields.iter().map(|field| field.name().clone()).collect(),
        types: Some(fields.iter().map(|field| hex::read_as(field.data_type(), Text::Plain)).collect()),
        has_rows: rows > 0,
        counted: Some(Counted { rows, row_groups: metadata.metadata().num_row_groups() }),
    })
}

pub(super) fn open(
    source: &Source,
    file: &DeliveredFile,
    columns: &[String],
    batch_rows: usize,
    text: Text,
) -> Result<Batches> {
    if file.bytes == 0 {
        return Ok(Box::new(std::iter::empty()));
    }
    let place = Place::new(source, &file.name);
    let (opened, mut metadata) = load(&place, file)?;
    if text == Text::Stored {
        metadata = contained(|| as_stored(&metadata)).ok_or_else(|| place.check("malformed Parquet"))?;
    }
    let schema = metadata.schema().clone();
    let at: Vec<Option<usize>> =
        columns.iter().map(|column| schema.fields().iter().position(|field| field.name() == column)).collect();
    let fields = columns.iter().zip(&at).map(|(name, at)| {
        let found = at.and_then(|at| schema.fields().get(at));
        Field::new(name, found.map_or(DataType::Null, |field| hex::read_as(field.data_type(), text)), true)
    });
    let wanted = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let expected = metadata.metadata().file_metadata().num_rows().cast_unsigned();
    let reader = contained(|| {
        let mask = ProjectionMask::roots(metadata.parquet_schema(), at.iter().copied().flatten());
        ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata.clone())
            .with_projection(mask)
            .with_batch_size(batch_rows.min(1 << 20))
            .build()
    });
    let reader = reader.ok_or_else(|| place.check("malformed Parquet"))?;
    Ok(Box::new(Reader { place, file: file.clone(), reader, schema: wanted, expected, rows: 0, done: false }))
}

/// The footer, once it is known to keep within limits.
fn load(place: &Place, file: &DeliveredFile) -> Result<(File, ArrowReaderMetadata)> {
    let storage = |error: std::io::Error| Error::storage("reading", &file.path, &error);
    let mut opened = File::open(&file.path).map_err(storage)?;
    footer::check(&mut opened, file.bytes).map_err(|text| place.check(text))?;
    // The types of the format itself: what a writer's library called them would differ between writers.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = contained(|| ArrowReaderMetadata::load(&opened, options))
        .ok_or_else(|| place.check("malformed Parquet: the footer cannot be decoded"))?;
    limits(&metadata, file.bytes).map_err(|text| place.check(text))?;
    Ok((opened, metadata))
}

fn limits(metadata: &ArrowReaderMetadata, bytes: u64) -> Result<(), &'static str> {
    const NEGATIVE: &str = "malformed Parquet: the footer claims less than nothing";
    let groups = metadata.metadata().row_groups();
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).map_err(|_| NEGATIVE)?;
    if rows > bytes.saturating_mul(MAX_ROWS_PER_BYTE).max(ROWS_ALWAYS_ALLOWED) {
        return Err("claims more rows than a file of its size can hold");
    }
    let (mut in_groups, mut unpacked) = (0u64, 0u64);
    for group in groups {
        in_groups = in_groups.saturating_add(u64::try_from(group.num_rows()).map_err(|_| NEGATIVE)?);
        for column in group.columns() {
            unpacked = unpacked.saturating_add(u64::try_from(column.uncompressed_size()).map_err(|_| NEGATIVE)?);
        }
    }
    if in_groups != rows {
        return Err("malformed Parquet: its row groups do not add up to its rows");
    }
    if unpacked > bytes.saturating_mul(MAX_RATIO).max(BYTES_ALWAYS_ALLOWED) {
        return Err("unpacks to more than 400 times its size");
    }
    Ok(())
}

/// The same file, its text by dictionary or as views.
fn as_stored(metadata: &ArrowReaderMetadata) -> Result<ArrowReaderMetadata, ParquetError> {
    let stored = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 if is_coded(metadata.metadata(), field.name()) => {
            let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(field.as_ref().clone().with_data_type(coded))
        }
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = metadata.schema().fields().iter().map(stored).collect();
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
}

/// Whether every page of a column is written by dictionary, as far as the footer says.
fn is_coded(metadata: &ParquetMetaData, column: &str) -> bool {
    let columns = metadata.file_metadata().schema_descr().columns();
    let Some(leaf) = columns.iter().position(|leaf| leaf.path().parts() == [column]) else { return false };
    let by_dictionary = [Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];
    let coded = |group: &RowGroupMetaData| {
        let pages = group.columns().get(leaf).and_then(|column| column.page_encoding_stats_mask());
        pages.is_some_and(|pages| by_dictionary.iter().any(|encoding| pages.is_only(*encoding)))
    };
    metadata.num_row_groups() > 0 && metadata.row_groups().iter().all(coded)
}

/// Runs a call into the Parquet crate: nothing when it fails or panics. Its texts can quote values.
fn contained<T, E>(call: impl FnOnce() -> Result<T, E>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()?.ok()
}

struct Reader {
    place: Place,
    file: DeliveredFile,
    reader: ParquetRecordBatchReader,
    /// The columns asked for, in that order.
    schema: SchemaRef,
    expected: u64,
    rows: u64,
    done: bool,
}

impl Iterator for Reader {
    type Item = Result<RawBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.batch();
        self.done |= batch.is_err();
        batch.transpose()
    }
}

impl Reader {
    fn batch(&mut self) -> Result<Option<RawBatch>> {
        let read = contained(|| self.reader.next().transpose());
        let Some(read) = read else {
            return Err(self.place.check(&format!("malformed Parquet after row {}", self.rows)));
        };
        let Some(batch) = read else {
            self.done = true;
            recheck(&self.file)?;
            if self.rows != self.expected {
                return Err(self.place.check("malformed Parquet: it holds fewer rows than it claims"));
            }
            return Ok(None);
        };
        let first = self.rows + 1;
        self.rows += batch.num_rows() as u64;
        let batch = self.arrange(&batch)?;
        Ok(Some(RawBatch { rows: (first..=self.rows).collect(), batch, malformed: Vec::new() }))
    }

    fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let column = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
            Some(found) => hex::written(found, field.data_type()),
            None => new_null_array(field.data_type(), rows),
        };
        let arrays = self.schema.fields().iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}
