//! A list as its recipient reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Date32Type, Field as ArrowField, Schema};
use arrow::record_batch::RecordBatch;

use super::{CohortList, ListRow, words};
use crate::calendar::{date_of, epoch_days};
use crate::error::{Error, Result};
use crate::link::{People, RecordingState};
use crate::pipeline::decl::ListFormat;
use crate::pipeline::{Cohort, Pipeline};
use crate::publish::{Draft, Field, file_stem};

/// A column of every list and what it means, or of this one.
pub struct Heading {
    pub name: String,
    pub means: String,
}

/// Writes one file a recipient and format; a single list for all is there even when it is empty.
pub fn write(
    pipeline: &Pipeline,
    people: &People,
    table: &RecordBatch,
    cohort: &Cohort,
    list: &CohortList,
    draft: &mut Draft,
) -> Result<Vec<Heading>> {
    let (headings, batch) = columns(pipeline, people, table, cohort, list)?;
    let mut parts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    if cohort.per.is_none() {
        parts.insert(super::EVERYONE, (0, 0));
    }
    for (at, row) in list.rows.iter().enumerate() {
        let (from, length) = parts.entry(&row.recipient).or_insert((at, 0));
        if *length == 0 {
            *from = at;
        }
        *length += 1;
    }
    let header: Vec<&str> = headings.iter().map(|heading| heading.name.as_str()).collect();
    for (recipient, (from, length)) in parts {
        let path = format!("lists/{}/{}", cohort.name, file_stem(recipient));
        let part = batch.slice(from, length);
        for format in &pipeline.formats {
            match format {
                ListFormat::Csv => {
                    let cells = cells(&part)?;
                    let rows = cells.iter().map(|row| row.iter().map(CellValue::field));
                    draft.person_csv(&format!("{path}.csv"), &header, rows)?;
                }
                ListFormat::Parquet => draft.person_parquet(&format!("{path}.parquet"), &part)?,
            }
        }
    }
    Ok(headings)
}

/// The columns of a cohort's list, in the order in which a caller reads them.
fn columns(
    pipeline: &Pipeline,
    people: &People,
    table: &RecordBatch,
    cohort: &Cohort,
    list: &CohortList,
) -> Result<(Vec<Heading>, RecordBatch)> {
    let rows = &list.rows;
    let mut columns = Columns::default();
    let ranks: Int64Array = rows.iter().map(|row| Some(i64::from(row.rank))).collect();
    columns.add("rank", "who to call first", Arc::new(ranks))?;
    columns.text("status", "listed, or in reserve behind the list", rows.iter().map(|row| row.place.name()))?;
    let tokens: Vec<&str> = rows.iter().map(|row| token(people, row)).collect::<Result<_>>()?;
    columns.text("person", "the person's token", tokens)?;
    let persons: UInt32Array = rows.iter().map(|row| Some(row.person)).collect();
    let scores = scores_ranked_by(pipeline, table, cohort);
    for name in &scores {
        columns.taken(pipeline, table, cohort, name, &persons)?;
    }
    let reasons = rows.iter().map(|row| row.reasons.join("; "));
    columns.text("reasons", "why the person is on this list", reasons)?;
    if let Some(action) = &cohort.decl.action {
        columns.text("suggested_action", "what to do at the contact", rows.iter().map(|_| action.as_str()))?;
    }
    for name in cohort.show.iter().filter(|name| !scores.contains(name)) {
        columns.taken(pipeline, table, cohort, name, &persons)?;
    }
    let gaps = rows.iter().map(|row| gaps_of(pipeline, people, row));
    columns.text("recording_gaps", "what is not recorded of the person and could be asked", gaps)?;
    let as_of = epoch_days(pipeline.as_of);
    let as_of: Date32Array = rows.iter().map(|_| Some(as_of)).collect();
    columns.add("as_of", "the list holds for this date; nothing later was known", Arc::new(as_of))?;
    columns.finish(rows.len())
}

/// Each model that the cohort ranks by, and its band.
fn scores_ranked_by(pipeline: &Pipeline, table: &RecordBatch, cohort: &Cohort) -> Vec<String> {
    let ranked = cohort.rank.iter().map(|key| &key.column);
    let models = ranked.filter(|name| pipeline.models.iter().any(|model| &model.name == *name));
    let mut names = Vec::new();
    for name in models.flat_map(|name| [name.clone(), format!("{name}_band")]) {
        if table.column_by_name(&name).is_some() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn token<'a>(people: &'a People, row: &ListRow) -> Result<&'a str> {
    let token = people.tokens.get(row.person as usize);
    token.map(|token| token.reveal()).ok_or_else(|| Error::Fault("a person on a list has no token".to_owned()))
}

/// "Ethnicity: not known; Preferred language: not recorded".
fn gaps_of(pipeline: &Pipeline, people: &People, row: &ListRow) -> String {
    let mut gaps = Vec::new();
    for (item, evidence) in pipeline.items.iter().zip(&people.items) {
        match evidence.state.get(row.person as usize) {
            None | Some(RecordingState::Known) => {}
            Some(state) => gaps.push(format!("{}: {}", item.decl.label, words::state(*state))),
        }
    }
    gaps.join("; ")
}

#[derive(Default)]
struct Columns {
    headings: Vec<Heading>,
    fields: Vec<ArrowField>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn has(&self, name: &str) -> bool {
        self.headings.iter().any(|heading| heading.name == name)
    }

    fn text<T: AsRef<str>>(&mut self, name: &str, means: &str, cells: impl IntoIterator<Item = T>) -> Result<()> {
        self.add(name, means, Arc::new(StringArray::from_iter_values(cells)))
    }

    /// A feature, score or band of the people on the list.
    fn taken(
        &mut self,
        pipeline: &Pipeline,
        table: &RecordBatch,
        cohort: &Cohort,
        name: &str,
        persons: &UInt32Array,
    ) -> Result<()> {
        let column = table
            .column_by_name(name)
            .ok_or_else(|| Error::Fault(format!("cohort {}: shows `{name}`, which was not made", cohort.name)))?;
        self.add(name, &meaning(pipeline, name), take(column, persons, None)?)
    }

    fn add(&mut self, name: &str, means: &str, array: ArrayRef) -> Result<()> {
        if self.has(name) {
            return Err(Error::Check(format!(
                "a list shows `{name}` twice, or as a name that is a column of every list"
            )));
        }
        self.headings.push(Heading { name: name.to_owned(), means: means.to_owned() });
        self.fields.push(ArrowField::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        Ok(())
    }

    fn finish(self, rows: usize) -> Result<(Vec<Heading>, RecordBatch)> {
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::new(Schema::new(self.fields));
        Ok((self.headings, RecordBatch::try_new_with_options(schema, self.arrays, &options)?))
    }
}

fn meaning(pipeline: &Pipeline, name: &str) -> String {
    let feature = pipeline.features.iter().find(|feature| feature.name == name).map(|feature| feature.label.clone());
    let score = pipeline.models.iter().find(|model| model.name == name).map(|model| {
        let decl = &model.decl;
        format!("{}: {}", decl.title, decl.predicts)
    });
    let band = || {
        let model = name.strip_suffix("_band").and_then(|name| pipeline.models.iter().find(|model| model.name == name));
        model.map(|model| format!("{}: band", model.decl.title))
    };
    feature.or(score).or_else(band).unwrap_or_default()
}

/// A cell of a list, typed so that only text is guarded against formulas.
enum CellValue {
    Text(String),
    Number(f64),
    Integer(i64),
    Date(jiff::civil::Date),
    Empty,
}

impl CellValue {
    fn field(&self) -> Field<'_> {
        match self {
            Self::Text(text) => Field::Text(text),
            Self::Number(number) => Field::Number(*number),
            Self::Integer(number) => Field::Integer(*number),
            Self::Date(date) => Field::Date(*date),
            Self::Empty => Field::Empty,
        }
    }
}

fn cells(batch: &RecordBatch) -> Result<Vec<Vec<CellValue>>> {
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| cell(column, row)).collect()).collect()
}

fn cell(column: &ArrayRef, row: usize) -> Result<CellValue> {
    let Some(text) = words::written(column, row)? else { return Ok(CellValue::Empty) };
    let data_type = column.data_type();
    let number = || text.parse().map_err(|_| Error::Fault("a number on a list does not read as one".to_owned()));
    Ok(match data_type {
        DataType::Date32 => {
            date_of(column.as_primitive::<Date32Type>().value(row)).map_or(CellValue::Empty, CellValue::Date)
        }
        DataType::Float64 | DataType::Decimal128(..) => CellValue::Number(number()?),
        _ if data_type.is_integer() => text.parse().map_or_else(|_| CellValue::Text(text.clone()), CellValue::Integer),
        _ => CellValue::Text(text),
    })
}
