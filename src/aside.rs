//! Columns that are put aside while memory is wanted for something else, and taken back: on the disk where memory is short.
//!
//! The files have no name, only their owner can open them, and they end with the process, however that ends. They lie in
//! the folder for temporary files (`TMPDIR`).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use crate::error::{Error, Result};

/// Some columns, which need not be of one length.
#[derive(Debug)]
pub enum Aside {
    Held(Vec<ArrayRef>),
    /// One after the other, so many.
    Written(File, usize),
}

impl Aside {
    /// Puts columns aside, on the disk if so asked.
    pub fn put(columns: impl IntoIterator<Item = ArrayRef>, on_disk: bool) -> Result<Self> {
        if !on_disk {
            return Ok(Self::Held(columns.into_iter().collect()));
        }
        let mut count = 0;
        let mut file = BufWriter::new(tempfile::tempfile().map_err(|error| no_room(&error))?);
        for column in columns {
            count += 1;
            let field = Field::new("", column.data_type().clone(), true);
            let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column])?;
            let mut writer = StreamWriter::try_new(&mut file, &batch.schema()).map_err(failed)?;
            writer.write(&batch).and_then(|()| writer.finish()).map_err(failed)?;
        }
        file.flush().map_err(|error| no_room(&error))?;
        let file = file.into_inner().map_err(|error| no_room(error.error()))?;
        Ok(Self::Written(file, count))
    }

    /// The same columns, one after the other.
    pub fn each(self) -> Result<Each> {
        Ok(match self {
            Self::Held(columns) => Each::Held(columns.into_iter()),
            Self::Written(mut file, columns) => {
                file.rewind().map_err(|error| no_room(&error))?;
                Each::Written(BufReader::new(file), columns)
            }
        })
    }

    /// All of them.
    pub fn take(self) -> Result<Vec<ArrayRef>> {
        self.each()?.collect()
    }
}

/// Columns as they come back.
pub enum Each {
    Held(std::vec::IntoIter<ArrayRef>),
    /// So many are left.
    Written(BufReader<File>, usize),
}

impl Iterator for Each {
    type Item = Result<ArrayRef>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Held(columns) => columns.next().map(Ok),
            Self::Written(_, 0) => None,
            Self::Written(file, left) => {
                *left -= 1;
                Some(next(file))
            }
        }
    }
}

fn next(file: &mut BufReader<File>) -> Result<ArrayRef> {
    let fault = || Error::Fault("a column came back from the disk in another form".to_owned());
    let mut reader = StreamReader::try_new(file, None).map_err(failed)?;
    let batch = reader.next().ok_or_else(fault)?.map_err(failed)?;
    // Up to the end of the stream, where the next one begins.
    if reader.next().is_some() {
        return Err(fault());
    }
    batch.columns().first().cloned().ok_or_else(fault)
}

/// The disk does not take what is put aside.
pub(crate) fn no_room(error: &io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::Resources(format!(
        "what memory does not hold cannot be kept in {}: {}; name a folder with room in TMPDIR, or allow more memory",
        folder.display(),
        error.kind()
    ))
}

/// Arrow tells of a full disk as of anything else that keeps it from writing or reading.
pub(crate) fn failed(error: arrow::error::ArrowError) -> Error {
    match error {
        arrow::error::ArrowError::IoError(_, error) => no_room(&error),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Date32Array, Decimal64Array, Int8Array, StringArray};

    use super::*;

    #[test]
    fn columns_come_back_as_they_were() -> Result<()> {
        let decimals = Decimal64Array::from(vec![Some(15), None]).with_precision_and_scale(18, 1)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int8Array::from(vec![Some(1), None, Some(-3)])),
            Arc::new(StringArray::from(vec![Some("a"), None])),
            Arc::new(BooleanArray::from(vec![true; 70]).slice(3, 60)),
            Arc::new(Date32Array::from(Vec::<i32>::new())),
            Arc::new(decimals),
        ];
        for on_disk in [false, true] {
            assert_eq!(Aside::put(columns.clone(), on_disk)?.take()?, columns);
            assert!(Aside::put(Vec::new(), on_disk)?.take()?.is_empty());
        }
        Ok(())
    }

    #[test]
    fn an_error_says_what_to_change() {
        let error = failed(arrow::error::ArrowError::IoError("x".to_owned(), io::ErrorKind::StorageFull.into()));
        assert_eq!(error.exit_code(), 5);
        assert!(error.to_string().contains("no storage space") && error.to_string().contains("TMPDIR"), "{error}");
    }
}
