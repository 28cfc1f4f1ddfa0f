//! One recipient's list of one cohort, as data, and the formats in which it leaves.
//!
//! A run writes every list as Parquet with an `about.json` beside, whatever formats are asked for: from these two
//! `Sheet::read` makes the same sheet again, so that a release can take people off, give it other tokens, and write it
//! in every format anew.

/// What goes with a list: purpose, law, counts, headings, how fresh its data are.
pub mod about;

/// A probability in words.
pub mod risk;

/// What a cell holds, for the formats that people read.
mod cell;

/// The columns of a cohort's lists, in the order in which a caller reads them.
mod columns;

/// CSV that a spreadsheet opens without harm.
mod csv;

/// Workbooks with typed cells, ready to print.
mod xlsx;

/// FHIR R4, one resource a line.
mod fhir;

/// A page to print for a team's huddle.
mod worklist;

/// How many people a list's file holds.
mod reread;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

pub use about::{About, Heading, Kind};
pub(crate) use reread::{holds_reserve, rows_in};

use crate::cohort::{CohortList, EVERYONE, Place};
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::link::People;
use crate::pipeline::decl::ListFormat;
use crate::pipeline::{Cohort, Pipeline};
use crate::publish::{self, Draft, file_stem};
use crate::receipt::SourceAccount;

/// A list as its recipient gets it. Its cells are about people: it has no `Debug`.
#[derive(Clone)]
pub struct Sheet {
    /// The same for all recipients of the cohort.
    pub about: About,
    pub recipient: String,
    /// Best first; one column for each of [`About::columns`], in that order.
    pub rows: RecordBatch,
}

/// One file of a sheet.
pub struct SheetFile {
    /// What follows the name of the recipient, without the dot: "csv".
    pub ending: &'static str,
    pub bytes: Vec<u8>,
}

impl Sheet {
    /// The files of this sheet in a format.
    pub fn files(&self, format: ListFormat) -> Result<Vec<SheetFile>> {
        let file = |ending, bytes| vec![SheetFile { ending, bytes }];
        Ok(match format {
            ListFormat::Csv => file("csv", csv::bytes(self)?),
            ListFormat::Xlsx => file("xlsx", xlsx::bytes(self)?),
            ListFormat::Parquet => file("parquet", self.parquet()?),
            ListFormat::Fhir => fhir::files(self)?,
            ListFormat::Ids => file("ids.txt", ids(self)?),
            ListFormat::Worklist => file("worklist.html", worklist::bytes(self)?),
        })
    }

    /// The sheet that [`Self::files`] wrote as Parquet, with the `about.json` of its cohort.
    ///
    /// Bytes that do not belong together, or are damaged, are an [`Error::Check`].
    pub fn read(about: &[u8], recipient: &str, parquet: Vec<u8>) -> Result<Self> {
        let about: About = serde_json::from_slice(about).map_err(|error| {
            Error::Check(format!(
                "an about.json does not read as one: line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        let rows = publish::read_parquet(parquet)?;
        let sheet = Self { about, recipient: recipient.to_owned(), rows };
        sheet.check()?;
        Ok(sheet)
    }

    /// The tokens, in the order of the rows.
    pub fn persons(&self) -> Result<Vec<&str>> {
        let column = self.column(Kind::Person)?;
        Ok(column.as_string_opt::<i32>().into_iter().flat_map(|tokens| tokens.iter().flatten()).collect())
    }

    /// Whether each row has a place or stands in reserve.
    pub fn places(&self) -> Result<Vec<Place>> {
        let column = self.column(Kind::Status)?;
        let names = column.as_string_opt::<i32>().into_iter().flat_map(|names| names.iter().flatten());
        let place = |name| [Place::Listed, Place::Reserve].into_iter().find(|place| place.name() == name);
        names.map(|name| place(name).ok_or_else(|| self.fault("a row has no known status"))).collect()
    }

    /// Only these rows, in this order; ranks stay as they are.
    pub fn pick(&self, rows: &[usize]) -> Result<Self> {
        let chosen = rows.iter().map(|row| u32::try_from(*row).ok().filter(|_| *row < self.rows.num_rows()));
        let chosen: Option<Vec<u32>> = chosen.collect();
        let chosen = chosen.ok_or_else(|| self.fault("rows were chosen that are not there"))?;
        let rows = take_record_batch(&self.rows, &UInt32Array::from(chosen))?;
        Ok(Self { rows, ..self.clone() })
    }

    /// Other tokens for the same people, in the order of the rows.
    pub fn with_persons(&self, tokens: &[String]) -> Result<Self> {
        self.with(Kind::Person, Arc::new(StringArray::from_iter_values(tokens)))
    }

    /// Other ranks and places, in the order of the rows.
    pub fn with_places(&self, places: &[(u32, Place)]) -> Result<Self> {
        let ranks: Int64Array = places.iter().map(|(rank, _)| Some(i64::from(*rank))).collect();
        let names = StringArray::from_iter_values(places.iter().map(|(_, place)| place.name()));
        self.with(Kind::Rank, Arc::new(ranks))?.with(Kind::Status, Arc::new(names))
    }

    /// The one column of a kind that every list has.
    pub(crate) fn column(&self, kind: Kind) -> Result<&ArrayRef> {
        self.rows.columns().get(self.position(kind)?).ok_or_else(|| self.fault("a column is missing"))
    }

    /// The columns that people read, with their headings.
    fn for_people(&self) -> impl Iterator<Item = (&Heading, &ArrayRef)> {
        let columns = self.about.columns.iter().zip(self.rows.columns());
        columns.filter(|(heading, _)| heading.kind != Kind::Probability)
    }

    /// Rows with a place, and in reserve.
    fn counts(&self) -> Result<(usize, usize)> {
        let places = self.places()?;
        let listed = places.iter().filter(|place| **place == Place::Listed).count();
        Ok((listed, places.len() - listed))
    }

    fn position(&self, kind: Kind) -> Result<usize> {
        let position = self.about.columns.iter().position(|heading| heading.kind == kind);
        position.ok_or_else(|| self.fault("a column that every list has is missing"))
    }

    fn with(&self, kind: Kind, column: ArrayRef) -> Result<Self> {
        let at = self.position(kind)?;
        let mut columns = self.rows.columns().to_vec();
        if let Some(place) = columns.get_mut(at) {
            *place = column;
        }
        let rows = RecordBatch::try_new(self.rows.schema(), columns)?;
        Ok(Self { rows, ..self.clone() })
    }

    fn parquet(&self) -> Result<Vec<u8>> {
        publish::parquet_bytes(&Columns::from(&self.rows), 1)
            .map_err(|_| self.fault("the columns cannot be written as Parquet"))
    }

    /// The columns are those of the headings, and what every row must have is there.
    fn check(&self) -> Result<()> {
        let other = |what: &str| Err(Error::Check(format!("cohort {}: {what}", self.about.cohort)));
        let schema = self.rows.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let headings: Vec<&str> = self.about.columns.iter().map(|heading| heading.column.as_str()).collect();
        if names != headings {
            return other("a list has other columns than its about.json says");
        }
        for (kind, data_type) in
            [(Kind::Rank, DataType::Int64), (Kind::Status, DataType::Utf8), (Kind::Person, DataType::Utf8)]
        {
            let column = self.column(kind)?;
            if *column.data_type() != data_type || column.null_count() > 0 {
                return other("a list has a row without rank, status or person");
            }
        }
        self.places().map(|_| ())
    }

    fn fault(&self, what: &str) -> Error {
        Error::Fault(format!("cohort {}: {what}", self.about.cohort))
    }
}

/// The tokens of those who have a place, one a line: a clinical system knows no reserve.
fn ids(sheet: &Sheet) -> Result<Vec<u8>> {
    let mut lines = String::new();
    for (token, place) in sheet.persons()?.into_iter().zip(sheet.places()?) {
        if token.contains(char::is_control) {
            return Err(Error::Check(format!("cohort {}: a token holds a control character", sheet.about.cohort)));
        }
        if place == Place::Listed {
            lines.push_str(token);
            lines.push('\n');
        }
    }
    Ok(lines.into_bytes())
}

/// Writes the lists of a cohort, one sheet a recipient, and the `about.json` that goes with them; a single list for all
/// is there even when it is empty.
pub fn write(
    pipeline: &Pipeline,
    people: &People,
    sources: &[SourceAccount],
    table: &Columns,
    cohort: &Cohort,
    list: &CohortList,
    draft: &mut Draft,
) -> Result<()> {
    let fresh = about::freshness(pipeline, cohort, sources);
    let (columns, batch) = columns::of(pipeline, people, table, cohort, list, &fresh)?;
    let about = about::of(pipeline, fresh, cohort, list, table.num_rows(), columns);
    let mut parts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    if cohort.per.is_none() {
        parts.insert(EVERYONE, (0, 0));
    }
    for (at, row) in list.rows.iter().enumerate() {
        let (from, length) = parts.entry(&row.recipient).or_insert((at, 0));
        if *length == 0 {
            *from = at;
        }
        *length += 1;
    }
    for (recipient, (from, length)) in parts {
        let sheet = Sheet { about: about.clone(), recipient: recipient.to_owned(), rows: batch.slice(from, length) };
        sheet.check()?;
        // A release reads Parquet, whatever else is asked for.
        let others = pipeline.formats.iter().filter(|format| **format != ListFormat::Parquet);
        for format in [ListFormat::Parquet].iter().chain(others) {
            for file in sheet.files(*format)? {
                let path = format!("lists/{}/{}.{}", cohort.name, file_stem(recipient), file.ending);
                draft.person_bytes(&path, file.bytes)?;
            }
        }
    }
    draft.person_bytes(&format!("lists/{}/about.json", cohort.name), about.json()?)
}
