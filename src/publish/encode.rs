//! Columns as the bytes of a file.

use std::io::Write;
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
pub(super) fn write_parquet<W: Write + Send>(
    to: W,
    people: Option<&[Pseudonym]>,
    table: &Columns,
    workers: usize,
) -> Result<W> {
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
    let writer = ArrowWriter::try_new_with_options(to, schema, options)?;
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

/// The same in memory.
pub(crate) fn parquet_bytes(table: &Columns, workers: usize) -> Result<Vec<u8>> {
    write_parquet(Vec::new(), None, table, workers)
}

/// A column that is not nested, in memory that it gives back before the next one.
fn encode(mut writer: ArrowColumnWriter, field: &Field, column: &ArrayRef) -> Result<ArrowColumnChunk> {
    for leaf in compute_leaves(field, column)? {
        writer.write(&leaf)?;
    }
    writer.close()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array};
    use arrow::record_batch::RecordBatch;

    use super::super::draft::parquet_rows;
    use super::*;

    fn batch() -> RecordBatch {
        let columns: [(&str, ArrayRef); 3] = [
            ("person", Arc::new(StringArray::from_iter_values((0..3000).map(|n| format!("P{n:05}"))))),
            ("count", Arc::new(Int64Array::from_iter((0..3000).map(|n| (n % 7 != 0).then_some(n))))),
            ("score", Arc::new(Float64Array::from_iter_values((0..3000).map(|n| f64::from(n) / 7.0)))),
        ];
        let schema = RecordBatch::try_from_iter(columns.clone()).unwrap().schema();
        let metadata = (0..20).map(|n| (format!("key {n}"), format!("value {n}"))).collect();
        let schema = schema.as_ref().clone().with_metadata(metadata);
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect()).unwrap()
    }

    #[test]
    fn the_same_batch_gives_the_same_parquet_bytes() {
        let bytes = parquet_bytes(&Columns::from(&batch()), 2).unwrap();
        for _ in 0..5 {
            assert!(parquet_bytes(&Columns::from(&batch()), 2).unwrap() == bytes);
        }
        assert_eq!(parquet_rows(&bytes), Some(3000));
    }

    #[test]
    fn parquet_that_is_cut_has_no_rows() {
        let bytes = parquet_bytes(&Columns::from(&batch()), 2).unwrap();
        for cut in [0, 3, 8, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(parquet_rows(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn tokens_stand_in_front_as_if_they_were_a_column() {
        let whole = batch();
        let people: Vec<Pseudonym> = (0..3000).map(|n| Pseudonym::new(format!("P{n:05}"))).collect();
        let rest = Columns::from(&whole.project(&[1, 2]).unwrap());
        let fields = whole.schema().fields().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>();
        let plain = RecordBatch::try_new(Arc::new(Schema::new(fields)), whole.columns().to_vec()).unwrap();
        let with_tokens = write_parquet(Vec::new(), Some(&people), &rest, 2).unwrap();
        assert!(with_tokens == parquet_bytes(&Columns::from(&plain), 1).unwrap());
    }
}
