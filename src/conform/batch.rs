//! One batch: every column of a source, and what it says about people.

use std::borrow::Cow;
use std::cell::RefCell;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, TimestampSecondType};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::columns::{Judge, Maker, count};
use super::expression::{Expression, declared, declared_type};
use super::numbers::days_or_times;
use super::text::{Memo, Texts, plain, spelled};
use super::values::present;
use super::{Chunk, Columns, Conformed, Fate, SetAside, Tally, duplicates, returned};
use crate::calendar;
use crate::error::{Error, Result};
use crate::expr::{self, Attempt, SqlProblem};
use crate::pipeline::decl::{OneOrMany, Tokens};
use crate::pipeline::{ColumnLookup, Source};
use crate::source::{self, DeliveredFile, RawBatch};

/// The schema of a source after conform.
pub fn schema(source: &Source) -> SchemaRef {
    let fields = source.columns.iter().map(|column| Field::new(&column.name, column.data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Makes our columns from the batches of one file.
pub(super) struct Conformer<'a> {
    conformed: &'a Conformed<'a>,
    source: &'a Source,
    file: &'a DeliveredFile,
    /// Delivered columns to read.
    wanted: Vec<String>,
    makers: Vec<Maker>,
    /// The compiled SQL of each column, then of each demographic item.
    expressions: Vec<Expression>,
    /// By item: the values of the dictionary met last, blank ones as null.
    present: Vec<RefCell<Memo<ArrayRef>>>,
    known_by_day: i32,
}

/// The column that SQL may read beside the delivered ones: the file's name.
const FILE: &str = "_file";

impl<'a> Conformer<'a> {
    pub(super) fn new(conformed: &'a Conformed<'a>, source: &'a Source, file: &'a DeliveredFile) -> Self {
        let wanted = source::delivered_columns(source, &file.header);
        let stored = super::stays_as_stored(source);
        let makers = source.columns.iter().map(|column| Maker::new(source, column, stored)).collect();
        let known_by_day = calendar::epoch_days(conformed.known_by);
        let expressions = source.columns.len() + source.demographics.len();
        let expressions = (0..expressions).map(|_| Expression::default()).collect();
        let present = source.demographics.iter().map(|_| RefCell::default()).collect();
        Self { conformed, source, file, wanted, makers, expressions, present, known_by_day }
    }

    pub(super) fn wanted(&self) -> &[String] {
        &self.wanted
    }

    pub(super) fn conform(&self, raw: RawBatch, number: usize, tally: &mut Tally) -> Result<Chunk> {
        let rows = raw.batch.num_rows();
        tally.rows += rows as u64 + raw.malformed.len() as u64;
        for malformed in raw.malformed {
            tally.set_aside.push(self.set_aside(malformed.row, "(row)", &malformed.rule));
        }
        let mut judge = Judge::new(rows);
        let mut made: Columns = Vec::with_capacity(self.makers.len());
        for (index, maker) in self.makers.iter().enumerate() {
            let column = self.column(index, maker, &raw.batch, &made, &mut judge)?;
            made.push(column);
        }
        if self.source.decl.tokens == Tokens::Recipient {
            returned::to_people(self.source, &self.conformed.delivered.released, &mut made, &mut judge);
        }
        let says = (0..self.source.demographics.len()).map(|index| self.says(index, &raw.batch, &mut judge));
        let says = says.collect::<Result<Vec<_>>>()?;
        if super::is_read_as_stored(self.source) && !super::stays_as_stored(self.source) {
            for (column, made) in self.source.columns.iter().zip(&mut made) {
                *made = plain(made, &column.data_type)?;
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let named = self.source.columns.iter().zip(&made);
        let fields = named.map(|(column, made)| Field::new(&column.name, made.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = RecordBatch::try_new_with_options(schema, made, &options)?;
        no_blank_tokens(&batch, &mut judge);
        let fates = self.fates(&batch, &raw.rows, &judge, tally);
        for reason in judge.blanked {
            count(&mut tally.blanked, &reason.column, &reason.rule, reason.count);
        }
        Ok(Chunk { file: number, rows: raw.rows, batch, says, fates, contested: Vec::new(), raw: Some(raw.batch) })
    }

    fn set_aside(&self, row: u64, column: &str, rule: &str) -> SetAside {
        SetAside { file: self.file.name.clone(), row, column: column.to_owned(), rule: rule.to_owned() }
    }

    fn column(
        &self,
        index: usize,
        maker: &Maker,
        raw: &RecordBatch,
        made: &Columns,
        judge: &mut Judge,
    ) -> Result<ArrayRef> {
        let column = &self.source.columns[index];
        let rows = raw.num_rows();
        if let Some(lookup) = &column.lookup {
            return self.looked_up(lookup, &column.name, &made[lookup.by], judge);
        }
        let located = |error: Error| match error {
            Error::Check(text) => Error::Check(format!("source {}, file {}, {text}", self.source.name, self.file.name)),
            other => other,
        };
        if let Some(sql) = &column.decl.expr {
            let place = &self.expressions[index];
            let attempt = self.expression(place, sql, raw, &format!("column {}", column.name))?;
            attempt.failed.iter().for_each(|row| maker.failed(*row, judge));
            return maker.column(&attempt.values, judge).map_err(located);
        }
        let absent = || new_null_array(&DataType::Utf8, rows);
        let delivered = |name: &String| raw.column_by_name(name).cloned().unwrap_or_else(absent);
        if matches!(column.data_type, DataType::List(_)) {
            let from = column.decl.from.as_ref().map(OneOrMany::as_slice).unwrap_or_default();
            let names = from.iter().flat_map(|name| source::expand(name, &self.wanted));
            let cells: Vec<ArrayRef> = names.map(|name| delivered(&name)).collect();
            return maker.list(&cells, rows, judge).map_err(located);
        }
        let from = column.decl.from.as_ref().and_then(|from| from.as_slice().first());
        maker.column(&from.map_or_else(absent, delivered), judge).map_err(located)
    }

    /// The lookup's column for each of our keys; null, and counted, where it has no such key.
    fn looked_up(&self, lookup: &ColumnLookup, name: &str, keys: &ArrayRef, judge: &mut Judge) -> Result<ArrayRef> {
        let Some(table) = &self.conformed.lookups[lookup.source] else {
            return Err(Error::Fault("a lookup was used before it was read".to_owned()));
        };
        let missing = format!("not in {}", self.conformed.pipeline.sources[lookup.source].name);
        let texts = Texts::of(keys);
        let mut row_of = |row| {
            let key = match texts.and_then(|texts| texts.borrowed(row)) {
                Some(key) => Cow::Borrowed(key),
                None => Cow::Owned(duplicates::key_text(&[keys], row)?),
            };
            let found = table.by_key.get(&*key).copied();
            if found.is_none() {
                judge.blank(name, &missing);
            }
            found
        };
        let rows: UInt32Array = (0..keys.len()).map(&mut row_of).collect();
        Ok(take(table.rows.column(lookup.column), &rows, None)?)
    }

    /// SQL over delivered columns and `_file`, compiled at the first batch.
    fn expression(&self, place: &Expression, sql: &str, raw: &RecordBatch, what: &str) -> Result<Attempt> {
        let compiled = match place.compiled.get() {
            Some(compiled) => compiled,
            None => {
                let mut fields: Vec<Field> = raw.schema().fields().iter().map(|field| declared(field)).collect();
                fields.push(Field::new(FILE, DataType::Utf8, false));
                let compiled = expr::compile(sql, &Schema::new(fields));
                let compiled = compiled.map_err(|problem| self.sql_problem(what, &problem))?;
                place.compiled.get_or_init(|| compiled)
            }
        };
        if let [name] = compiled.columns.as_slice()
            && let Some(Texts::Coded(coded, values)) = raw.column_by_name(name).and_then(|column| Texts::of(column))
            && let Some(attempt) = place.once_a_value(compiled, name, coded, values)?
        {
            return Ok(attempt);
        }
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for name in &compiled.columns {
            let column: ArrayRef = match raw.column_by_name(name) {
                Some(column) if name != FILE => plain(column, &declared_type(column.data_type()))?,
                _ => Arc::new(StringArray::from_iter_values(repeat_n(&self.file.name, raw.num_rows()))),
            };
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(raw.num_rows()));
        compiled.attempt(&RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    fn sql_problem(&self, what: &str, problem: &SqlProblem) -> Error {
        let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let place = format!("source {}, file {}, {what}", self.source.name, self.file.name);
        Error::Check(format!("{place}: {}{help}", problem.message))
    }

    /// What a demographic column says, blank as null.
    fn says(&self, index: usize, raw: &RecordBatch, judge: &mut Judge) -> Result<ArrayRef> {
        let demographic = &self.source.demographics[index];
        let item = &self.conformed.pipeline.items[demographic.item].name;
        let cells = match (&demographic.decl.expr, &demographic.decl.from) {
            (Some(sql), _) => {
                let place = &self.expressions[self.source.columns.len() + index];
                let attempt = self.expression(place, sql, raw, &format!("demographics {item}"))?;
                attempt.failed.iter().for_each(|_| judge.blank(item, "the expression failed"));
                Some(attempt.values)
            }
            (None, Some(name)) => raw.column_by_name(name).cloned(),
            (None, None) => None,
        };
        let Some(cells) = cells else { return Ok(new_null_array(&DataType::Utf8, raw.num_rows())) };
        if let Some(Texts::Coded(coded, values)) = Texts::of(&cells) {
            let mut present = self.present[index].borrow_mut();
            let values = present.of(values, |values| self.without_blanks(values));
            return Ok(Arc::new(coded.with_values(Arc::clone(values))));
        }
        let cells = days_or_times(&cells)?;
        // No day is declared to be blank.
        let blank_days =
            self.source.decl.blank_values.iter().any(|blank| blank.starts_with(|c: char| c.is_ascii_digit()));
        if *cells.data_type() == DataType::Date32 && !blank_days {
            return Ok(cells);
        }
        Ok(self.without_blanks(&spelled(&cells)?))
    }

    fn without_blanks(&self, texts: &StringArray) -> ArrayRef {
        let present = |cell| present(cell, &self.source.decl.blank_values);
        if texts.iter().flatten().all(|cell| present(cell).is_some_and(|kept| kept.len() == cell.len())) {
            return Arc::new(texts.clone());
        }
        Arc::new(texts.iter().map(|cell| cell.and_then(present)).collect::<StringArray>())
    }

    fn fates(&self, batch: &RecordBatch, rows: &[u64], judge: &Judge, tally: &mut Tally) -> Vec<Fate> {
        if judge.reasons.is_empty() && batch.column_by_name("recorded").is_none() {
            return vec![Fate::Good; rows.len()];
        }
        let recorded = batch.column_by_name("recorded").map(days);
        let mut fates = Vec::with_capacity(rows.len());
        for (row, bad) in judge.bad.iter().enumerate() {
            let late = || recorded.as_ref().and_then(|days| days[row]).is_some_and(|day| day >= self.known_by_day);
            fates.push(match bad.checked_sub(1).map(usize::from) {
                Some(reason) => {
                    let reason = &judge.reasons[reason];
                    tally.set_aside.push(self.set_aside(rows[row], &reason.column, &reason.rule));
                    Fate::SetAside
                }
                None if late() => Fate::NotYetKnown,
                None => Fate::Good,
            });
        }
        fates
    }
}

/// The civil day of each value of a date or datetime column.
pub fn days(column: &ArrayRef) -> Vec<Option<i32>> {
    match column.data_type() {
        DataType::Date32 => column.as_primitive::<Date32Type>().iter().collect(),
        DataType::Timestamp(..) => {
            let seconds = column.as_primitive::<TimestampSecondType>();
            seconds.iter().map(|value| value.and_then(|value| i32::try_from(value.div_euclid(86_400)).ok())).collect()
        }
        _ => vec![None; column.len()],
    }
}

/// Nobody is nobody: a row without a token is set aside, whatever was declared.
fn no_blank_tokens(batch: &RecordBatch, judge: &mut Judge) {
    for name in ["person", "superseded_by"] {
        let Some(tokens) = batch.column_by_name(name).filter(|tokens| tokens.null_count() > 0) else { continue };
        (0..tokens.len()).filter(|row| tokens.is_null(*row)).for_each(|row| judge.set_aside(row, name, "blank token"));
    }
}
