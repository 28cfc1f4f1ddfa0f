//! Columns as the bytes of a file.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;

use crate::columns::{Columns, wide};
use crate::pseudonym::Pseudonym;
use crate::workers;

/// Rows of a row group: a column of it is encoded at once.
const ROW_GROUP: usize = 1 << 20;

/// Fewer are encoded sooner than threads are made.
const FEW_CELLS: usize = 1 << 14;

/// What becomes a column of a file.
enum Cells<'a> {
    Tokens(FieldRef, &'a [Pseudonym]),
    Column(&'a FieldRef, &'a ArrayRef),
}

impl Cells<'_> {
    fn field(&self) -> &FieldRef {
        match self {
            Self::Tokens(field, _) => field,
            Self::Column(field, _) => field,
        }
    }

    /// Some rows, as they are written: text by number is written as the text.
    fn part(&self, rows: Range<usize>) -> Result<ArrayRef> {
        match self {
            Self::Tokens(_, tokens) => {
                let tokens = tokens.get(rows).unwrap_or_default().iter().map(Pseudonym::reveal);
                Ok(Arc::new(StringArray::from_iter_values(tokens)))
            }
            Self::Column(field, column) => match column.slice(rows.start, rows.len()) {
                part if matches!(part.data_type(), DataType::Dictionary(..)) => Ok(part),
                part => wide(&part, field.data_type()).map_err(|error| ParquetError::General(error.to_string())),
            },
        }
    }
}

/// Parquet whose bytes depend on the columns and values alone: all rows at once, because where batches end would show.
/// Columns are encoded side by side, by so many workers; in front of them stand the tokens of people, one a row, if they
/// are given.
pub(crate) fn parquet_bytes(people: Option<&[Pseudonym]>, table: &Columns, workers: usize) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_created_by("riskstrat".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    // Arrow keeps a schema's metadata in a hash map, whose order would show.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let person = || Arc::new(Field::new("person", DataType::Utf8, false));
    let tokens = people.map(|people| Cells::Tokens(person(), people));
    let cells: Vec<Cells> =
        tokens.into_iter().chain(table.held().map(|(field, held)| Cells::Column(field, held))).collect();
    let schema = Arc::new(Schema::new(cells.iter().map(|cells| Arc::clone(cells.field())).collect::<Vec<_>>()));
    let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options)?;
    let (mut file, columns) = writer.into_serialized_writer()?;
    for (number, rows) in workers::ranges(table.num_rows(), ROW_GROUP).into_iter().enumerate() {
        let columns: Vec<_> = columns.create_column_writers(number)?.into_iter().zip(&cells).collect();
        let encode = |(writer, cells): (ArrowColumnWriter, &Cells)| {
            Ok(cells.part(rows.clone()).and_then(|part| encode(writer, cells.field(), &part)))
        };
        let encoded = match rows.len() * columns.len() {
            0..FEW_CELLS => columns.into_iter().map(encode).collect(),
            _ => workers::each(workers, columns, encode),
        };
        let encoded = encoded.map_err(|error| ParquetError::General(error.to_string()))?;
        let mut group = file.next_row_group()?;
        for column in encoded {
            column?.append_to_row_group(&mut group)?;
        }
        group.close()?;
    }
    file.into_inner()
}

/// A column that is not nested, in memory that it gives back before the next one.
fn encode(mut writer: ArrowColumnWriter, field: &Field, column: &ArrayRef) -> Result<ArrowColumnChunk> {
    for leaf in compute_leaves(field, column)? {
        writer.write(&leaf)?;
    }
    writer.close()
}
