//! Delimited text, plain or gzipped: cells as they were sent, columns by header name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use flate2::bufread::MultiGzDecoder;

use super::find::Head;
use super::record::{Broken, Fields, Records, Row};
use super::{Batches, DeliveredFile, Format, Malformed, Place, RawBatch, recheck};
use crate::error::{Error, Result};
use crate::pipeline::Source;
use crate::pipeline::decl::RaggedRows;

const BUFFER: usize = 1 << 17;
/// Text of one batch, far below the 2 GiB at which Arrow's offsets end.
const MAX_BATCH_BYTES: usize = 64 << 20;
/// Extracts shrink to a fifth, at the very best to a fiftieth; a bomb to a thousandth.
const MAX_RATIO: u64 = 400;
/// Below this nothing is a bomb.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// As for Parquet: wider than any extract.
const MAX_COLUMNS: usize = 10_000;

type Input = Box<dyn BufRead + Send>;

/// The header, and whether a row follows.
pub(super) fn head(source: &Source, file: &DeliveredFile) -> Result<Head> {
    let (mut records, names) = start(source, file)?;
    let place = Place::new(source, &file.name);
    let has_rows = records.next().map_err(|broken| stop(&place, file, broken))?.is_some();
    Ok(Head { names, types: None, has_rows, counted: None })
}

pub(super) fn open(source: &Source, file: &DeliveredFile, columns: &[String], batch_rows: usize) -> Result<Batches> {
    let (records, header) = start(source, file)?;
    let at: Vec<Option<usize>> = columns.iter().map(|column| header.iter().position(|name| name == column)).collect();
    let fields: Vec<Field> = columns.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let mut reader = Reader {
        place: Place::new(source, &file.name),
        file: file.clone(),
        records,
        width: header.len(),
        ragged_rows: source.decl.ragged_rows,
        schema: Arc::new(Schema::new(fields)),
        wanted: at.iter().copied().flatten().collect(),
        at,
        builders: Vec::new(),
        batch_rows,
        done: false,
    };
    reader.builders = reader.wanted.iter().map(|_| reader.builder()).collect();
    Ok(Box::new(reader))
}

/// Opens the file and reads its header: no names when there is not even that.
fn start(source: &Source, file: &DeliveredFile) -> Result<(Records<Input>, Vec<String>)> {
    let place = Place::new(source, &file.name);
    let mut input = input(file)?;
    let first = input.fill_buf().map_err(|error| stop(&place, file, Broken::Io(error)))?;
    if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
        return Err(place.check("is UTF-16; deliver it as UTF-8"));
    }
    let delimiter = source.decl.separator().ok_or_else(|| {
        Error::Check(format!("source {}: the delimiter is one ASCII character, and no quote", source.name))
    })?;
    let mut records = Records::new(input, delimiter);
    let names = match records.next().map_err(|broken| stop(&place, file, broken))? {
        None => Vec::new(),
        Some(Row { fields: Ok(fields), .. }) => fields.iter().map(str::to_owned).collect(),
        Some(Row { line, fields: Err(rule), .. }) => {
            return Err(place.check(&format!("line {line}, the header: {rule}; deliver it as UTF-8 text")));
        }
    };
    if names.len() > MAX_COLUMNS {
        return Err(place.check("has more than 10,000 columns"));
    }
    if names.iter().any(|name| name.contains('\r')) {
        return Err(place.check("its lines end in CR alone; deliver LF or CR LF"));
    }
    Ok((records, names))
}

fn input(file: &DeliveredFile) -> Result<Input> {
    let opened = File::open(&file.path).map_err(|error| Error::storage("reading", &file.path, &error))?;
    let plain = BufReader::with_capacity(BUFFER, opened);
    if file.format != Format::CsvGz {
        return Ok(Box::new(plain));
    }
    let left = file.bytes.saturating_mul(MAX_RATIO).max(ALWAYS_ALLOWED);
    let capped = Capped { input: MultiGzDecoder::new(plain), left };
    Ok(Box::new(BufReader::with_capacity(BUFFER, capped)))
}

/// Stops a gzip bomb.
struct Capped<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// Says why a file ends here; never what it holds.
fn stop(place: &Place, file: &DeliveredFile, broken: Broken) -> Error {
    match broken {
        Broken::TooLong { line } => place.check(&format!("line {line} is longer than 1 MiB")),
        Broken::Open { line } => {
            place.check(&format!("a quote opened on line {line} is never closed (within 1 MiB, or the file's end)"))
        }
        Broken::Swallowed { line, last } => place.check(&format!(
            "a quote opened on line {line} takes in the lines up to {last}, and text follows where it closes"
        )),
        Broken::Io(error) if error.kind() == ErrorKind::FileTooLarge => {
            place.check("unpacks to more than 400 times its size")
        }
        Broken::Io(_) if file.format == Format::CsvGz => place.check("malformed gzip: cut off or damaged"),
        Broken::Io(error) => Error::storage("reading", &file.path, &error),
    }
}

struct Reader {
    place: Place,
    file: DeliveredFile,
    records: Records<Input>,
    /// Fields of the header.
    width: usize,
    ragged_rows: RaggedRows,
    schema: SchemaRef,
    /// For each column its field, if the file has it …
    at: Vec<Option<usize>>,
    /// … and those it has, one builder each.
    wanted: Vec<usize>,
    builders: Vec<StringBuilder>,
    batch_rows: usize,
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
        match batch {
            Ok(batch) if batch.rows.is_empty() && batch.malformed.is_empty() => None,
            other => Some(other),
        }
    }
}

impl Reader {
    fn builder(&self) -> StringBuilder {
        // Codes, dates and tokens are about this long; a guess saves growing step by step.
        let rows = self.batch_rows.min(1 << 16);
        StringBuilder::with_capacity(rows, rows * 12)
    }

    fn batch(&mut self) -> Result<RawBatch> {
        let mut rows = Vec::new();
        let mut malformed = Vec::new();
        let mut bytes = 0;
        while rows.len() + malformed.len() < self.batch_rows && bytes < MAX_BATCH_BYTES {
            let next = self.records.next().map_err(|broken| stop(&self.place, &self.file, broken))?;
            let Some(Row { line, last, fields }) = next else {
                self.done = true;
                recheck(&self.file)?;
                break;
            };
            let count = match fields {
                Err(rule) => {
                    malformed.push(Malformed { row: line, rule: rule.to_owned() });
                    continue;
                }
                Ok(fields) if fits(fields, self.width, self.ragged_rows) => {
                    for (builder, &field) in self.builders.iter_mut().zip(&self.wanted) {
                        let cell = fields.get(field);
                        bytes += cell.len();
                        builder.append_value(cell);
                    }
                    rows.push(line);
                    continue;
                }
                Ok(fields) => fields.len(),
            };
            let rule = format!("{count} fields, header has {}", self.width);
            if last > line {
                // Whole rows may be inside it: to set it aside would lose them without a trace.
                let text = format!("a quote opened on line {line} takes in the lines up to {last}: {rule}");
                return Err(self.place.check(&text));
            }
            malformed.push(Malformed { row: line, rule });
        }
        Ok(RawBatch { batch: self.finish(rows.len())?, rows, malformed })
    }

    fn finish(&mut self, rows: usize) -> Result<RecordBatch> {
        let fresh = self.builders.iter().map(|_| self.builder()).collect();
        let mut built = mem::replace(&mut self.builders, fresh).into_iter();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for at in &self.at {
            let filled = at.and_then(|_| built.next());
            arrays.push(match filled {
                Some(mut builder) => Arc::new(builder.finish()),
                None => new_null_array(&DataType::Utf8, rows),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}

fn fits(fields: Fields<'_>, width: usize, ragged_rows: RaggedRows) -> bool {
    match ragged_rows {
        _ if fields.len() == width => true,
        RaggedRows::SetAside => false,
        RaggedRows::DropBlankSurplus => {
            fields.len() > width && fields.iter().skip(width).all(|field| field.trim().is_empty())
        }
        RaggedRows::BlankMissing => fields.len() < width,
    }
}
