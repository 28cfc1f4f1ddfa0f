//! One delivered column becomes one of ours.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Builder, Int32Array, Int64Builder, ListBuilder,
    StringArray, StringBuilder, TimestampSecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use jiff::Timestamp;

use super::coded::{Judged, Verdict};
use super::numbers::{microseconds, whole_days};
use super::text::{Memo, NO_DATE, Texts, spelled};
use super::values::{self, DateRule, Rule, TextRule, present};
use crate::calendar;
use crate::error::{Error, Result};
use crate::pipeline::decl::{ColumnType, OnBadValue};
use crate::pipeline::{Column, Source};
use crate::recall::Recall;
use crate::receipt::Reason;

/// Which rows of a batch are bad, and why; and which single values were blanked.
#[derive(Debug, Default)]
pub struct Judge {
    /// By row: 0 for a good one, otherwise one more than the index into `reasons`.
    pub bad: Vec<u16>,
    /// Column and rule; the count is of rows (set aside) or values (blanked).
    pub reasons: Vec<Reason>,
    pub blanked: Vec<Reason>,
}

impl Judge {
    pub fn new(rows: usize) -> Self {
        Self { bad: vec![0; rows], ..Self::default() }
    }

    /// Sets the row aside, unless an earlier column did.
    pub fn set_aside(&mut self, row: usize, column: &str, rule: &str) {
        if self.bad[row] == 0 {
            self.bad[row] = u16::try_from(count(&mut self.reasons, column, rule, 1) + 1).unwrap_or(u16::MAX);
        }
    }

    pub fn blank(&mut self, column: &str, rule: &str) {
        count(&mut self.blanked, column, rule, 1);
    }
}

/// Adds to the count of a reason; its index.
pub fn count(reasons: &mut Vec<Reason>, column: &str, rule: &str, times: u64) -> usize {
    let known = reasons.iter().position(|reason| reason.column == column && reason.rule == rule);
    let index = known.unwrap_or_else(|| {
        reasons.push(Reason { column: column.to_owned(), rule: rule.to_owned(), count: 0 });
        reasons.len() - 1
    });
    reasons[index].count += times;
    index
}

/// Turns delivered cells into a declared column.
#[derive(Debug)]
pub struct Maker {
    pub(super) name: String,
    pub(super) kind: ColumnType,
    pub(super) data_type: DataType,
    pub(super) optional: bool,
    blank_bad: bool,
    pub(super) blank_values: Vec<String>,
    /// How long a text that stands for "nothing" can be.
    pub(super) blank_lengths: Vec<usize>,
    /// A number stands for "nothing".
    pub(super) blank_numbers: bool,
    /// Text stays in the form in which it is stored.
    stored: bool,
    text: Option<TextRule>,
    pub(super) dates: DateRule,
    pub(super) places: u8,
    between: Option<[f64; 2]>,
    yes: Vec<String>,
    no: Vec<String>,
    /// Of the dictionary met last; one for each delivered column of a list.
    pub(super) memo: RefCell<Memo<Judged>>,
    memos: RefCell<Vec<Memo<Judged>>>,
    /// Codes in whole numbers that were found good.
    pub(super) good_numbers: RefCell<Recall>,
}

impl Maker {
    pub fn new(source: &Source, column: &Column, stored: bool) -> Self {
        let decl = &column.decl;
        let words = |given: &Option<Vec<String>>, default: &[&str]| -> Vec<String> {
            given.clone().unwrap_or_else(|| default.iter().map(|word| (*word).to_owned()).collect())
        };
        let default_bad = match column.data_type {
            DataType::List(_) => OnBadValue::Blank,
            _ => OnBadValue::SetAside,
        };
        Self {
            name: column.name.clone(),
            kind: decl.kind,
            data_type: column.data_type.clone(),
            optional: decl.optional || decl.may_be_absent,
            blank_bad: decl.on_bad.unwrap_or(default_bad) == OnBadValue::Blank,
            blank_values: source.decl.blank_values.clone(),
            blank_lengths: source.decl.blank_values.iter().map(String::len).chain(["null".len()]).collect(),
            blank_numbers: source.decl.blank_values.iter().any(|blank| blank.trim().parse::<f64>().is_ok()),
            stored,
            text: TextRule::of(decl),
            dates: DateRule::of(decl),
            places: decl.places.unwrap_or(4),
            between: decl.between,
            yes: words(&decl.yes, &["1", "Y", "yes", "true", "T"]),
            no: words(&decl.no, &["0", "N", "no", "false", "F"]),
            memo: RefCell::default(),
            memos: RefCell::default(),
            good_numbers: RefCell::default(),
        }
    }

    /// A row on which the column's own expression failed.
    pub fn failed(&self, row: usize, judge: &mut Judge) {
        const RULE: &str = "the expression failed";
        if self.blank_bad { judge.blank(&self.name, RULE) } else { judge.set_aside(row, &self.name, RULE) }
    }

    /// One column from one delivered column.
    pub fn column(&self, cells: &ArrayRef, judge: &mut Judge) -> Result<ArrayRef> {
        match (self.kind, cells.data_type()) {
            (ColumnType::Date, DataType::Date32 | DataType::Date64) => Ok(self.days(&whole_days(cells)?, judge)),
            (ColumnType::Datetime, DataType::Date32 | DataType::Date64) => {
                let days = whole_days(cells)?;
                self.dates_from(cells.len(), judge, |row| {
                    let date = days.is_valid(row).then(|| calendar::date_of(days.value(row)));
                    date.map(|date| Ok(date.ok_or("not a date")?.to_datetime(jiff::civil::Time::midnight())))
                })
            }
            (ColumnType::Date | ColumnType::Datetime, DataType::Timestamp(_, None)) => {
                self.moments(&microseconds(cells, None)?, judge)
            }
            (ColumnType::Date | ColumnType::Datetime, DataType::Timestamp(_, zone)) => {
                let micros = microseconds(cells, zone.clone())?;
                self.dates_from(cells.len(), judge, |row| {
                    micros.is_valid(row).then(|| self.civil(micros.value(row), true))
                })
            }
            (ColumnType::Decimal, DataType::Float64) => self.floats(cells.as_primitive(), judge),
            // A float is read by the shortest text that gives it back: what the sender meant by it.
            (ColumnType::Integer, DataType::Float64) => {
                let floats = cells.as_primitive::<Float64Type>().iter();
                self.texts(&floats.map(|value| value.map(|value| value.to_string())).collect(), judge)
            }
            (ColumnType::Decimal | ColumnType::Integer, DataType::Float32) => {
                let floats = cells.as_primitive::<Float32Type>().iter();
                self.texts(&floats.map(|value| value.map(|value| value.to_string())).collect(), judge)
            }
            (ColumnType::Integer, kind) if kind.is_integer() => {
                let whole = cast(cells, &DataType::Int64)?;
                let whole = whole.as_primitive::<Int64Type>();
                let mut builder = Int64Builder::with_capacity(cells.len());
                for row in 0..cells.len() {
                    let value = whole.is_valid(row).then(|| self.plausible(whole.value(row), 0));
                    builder.append_option(self.settle(value, row, judge));
                }
                Ok(Arc::new(builder.finish()))
            }
            (ColumnType::Code, kind) if self.stored && kind.is_integer() && kind != &DataType::UInt64 => {
                let rule = self.text.as_ref().ok_or_else(|| self.wrong_type(kind))?;
                self.digits(rule, cast(cells, &DataType::Int64)?.as_primitive(), judge)
            }
            (_, DataType::Utf8) => self.texts(cells.as_string::<i32>(), judge),
            (_, _) if let (Some(rule), Some(texts)) = (&self.text, Texts::of(cells)) => match texts {
                Texts::Coded(coded, values) => self.coded(rule, coded, values, judge),
                Texts::View(cells) => Ok(self.viewed(rule, cells, judge)),
                Texts::Plain(cells) => self.texts(cells, judge),
                Texts::Digits(_) => self.texts(cast(cells, &DataType::Utf8)?.as_string::<i32>(), judge),
            },
            (_, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) => self.spelled(cells, judge),
            _ => {
                let texts = cast(cells, &DataType::Utf8).map_err(|_| self.wrong_type(cells.data_type()))?;
                self.texts(texts.as_string::<i32>(), judge)
            }
        }
    }

    /// Days or moments as text; those that no calendar reaches are bad values.
    fn spelled(&self, cells: &ArrayRef, judge: &mut Judge) -> Result<ArrayRef> {
        let texts = spelled(cells)?;
        let no_date = |row: &usize| texts.is_valid(*row) && texts.value(*row) == NO_DATE;
        let wrong: Vec<usize> = (0..texts.len()).filter(no_date).collect();
        if wrong.is_empty() {
            return self.texts(&texts, judge);
        }
        for row in wrong {
            self.settle(Some(Err::<(), Rule>(NO_DATE.into())), row, judge);
        }
        self.texts(&texts.iter().map(|text| text.filter(|text| *text != NO_DATE)).collect(), judge)
    }

    /// A list column from several delivered ones; blank items are left out.
    pub fn list(&self, cells: &[ArrayRef], rows: usize, judge: &mut Judge) -> Result<ArrayRef> {
        let Some(rule) = &self.text else { return Err(self.wrong_type(&self.data_type)) };
        let mut memos = self.memos.borrow_mut();
        memos.resize_with(cells.len(), Memo::default);
        let mut columns = Vec::with_capacity(cells.len());
        for (cells, memo) in cells.iter().zip(memos.iter_mut()) {
            columns.push(match Texts::of(cells) {
                Some(Texts::Coded(coded, values)) => {
                    (coded.keys().clone(), &*memo.of(values, |values| self.judged(rule, values)))
                }
                _ => {
                    let texts = cast(cells, &DataType::Utf8).map_err(|_| self.wrong_type(cells.data_type()))?;
                    let keys = Int32Array::from_iter_values(0..i32::try_from(rows).unwrap_or(i32::MAX));
                    *memo = Memo::default();
                    (keys, &*memo.of(texts.as_string::<i32>(), |texts| self.judged(rule, texts)))
                }
            });
        }
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in 0..rows {
            for (keys, judged) in columns.iter().filter(|(keys, _)| keys.is_valid(row)) {
                let Ok(key) = usize::try_from(keys.value(row)) else { continue };
                match &judged.verdicts[key] {
                    Verdict::Good => builder.values().append_value(judged.values.value(key)),
                    Verdict::Blank => {}
                    Verdict::Bad(rule) if self.blank_bad => judge.blank(&self.name, rule),
                    Verdict::Bad(rule) => judge.set_aside(row, &self.name, rule),
                }
            }
            builder.append(true);
        }
        Ok(Arc::new(builder.finish()))
    }

    fn texts(&self, cells: &StringArray, judge: &mut Judge) -> Result<ArrayRef> {
        let rows = cells.len();
        let cell = |row: usize| cells.is_valid(row).then(|| present(cells.value(row), &self.blank_values)).flatten();
        Ok(match self.kind {
            ColumnType::Integer => {
                let mut builder = Int64Builder::with_capacity(rows);
                for row in 0..rows {
                    let value = cell(row).map(|cell| values::integer(cell).and_then(|value| self.plausible(value, 0)));
                    builder.append_option(self.settle(value, row, judge));
                }
                Arc::new(builder.finish())
            }
            ColumnType::Decimal => {
                let mut builder = Decimal128Builder::with_capacity(rows).with_data_type(self.data_type.clone());
                for row in 0..rows {
                    let value = cell(row).map(|cell| {
                        values::decimal(cell, self.places).and_then(|value| self.plausible(value, self.places))
                    });
                    builder.append_option(self.settle(value, row, judge));
                }
                Arc::new(builder.finish())
            }
            ColumnType::Boolean => {
                let mut builder = BooleanBuilder::with_capacity(rows);
                for row in 0..rows {
                    let value = cell(row).map(|cell| self.boolean(cell));
                    builder.append_option(self.settle(value, row, judge));
                }
                Arc::new(builder.finish())
            }
            ColumnType::Date | ColumnType::Datetime => {
                let midnight = jiff::civil::Time::midnight();
                return self.placed_dates(rows, judge, |row| {
                    cell(row).map(|cell| match self.kind {
                        ColumnType::Date => Ok(self.dates.date(cell)?.map(|date| date.to_datetime(midnight))),
                        _ => self.dates.datetime(cell),
                    })
                });
            }
            _ => self.normalised(cells, judge)?,
        })
    }

    fn normalised(&self, cells: &StringArray, judge: &mut Judge) -> Result<ArrayRef> {
        let Some(rule) = &self.text else { return Err(self.wrong_type(&self.data_type)) };
        let mut builder = StringBuilder::with_capacity(cells.len(), cells.value_data().len());
        for row in 0..cells.len() {
            let cell = cells.is_valid(row).then(|| present(cells.value(row), &self.blank_values)).flatten();
            let value = cell.map(|cell| rule.apply(cell));
            builder.append_option(self.settle(value, row, judge));
        }
        Ok(Arc::new(builder.finish()))
    }

    /// What is kept of a value that is absent, good or bad.
    pub(super) fn settle<T>(&self, value: Option<Result<T, Rule>>, row: usize, judge: &mut Judge) -> Option<T> {
        match value {
            Some(Ok(value)) => return Some(value),
            Some(Err(rule)) if self.blank_bad => judge.blank(&self.name, &rule),
            Some(Err(rule)) => judge.set_aside(row, &self.name, &rule),
            None => {}
        }
        if !self.optional {
            let rule = if self.kind == ColumnType::Pseudonym { "blank token" } else { "required, blank" };
            judge.set_aside(row, &self.name, rule);
        }
        None
    }

    fn dates_from(
        &self,
        rows: usize,
        judge: &mut Judge,
        civil: impl Fn(usize) -> Option<Result<jiff::civil::DateTime, Rule>>,
    ) -> Result<ArrayRef> {
        self.placed_dates(rows, judge, |row| {
            civil(row).map(|time| {
                let time = time?;
                Ok(self.dates.judge(time.date())?.map(|_| time))
            })
        })
    }

    /// Dates or datetimes from civil times; a placeholder is a blank.
    fn placed_dates(
        &self,
        rows: usize,
        judge: &mut Judge,
        civil: impl Fn(usize) -> Option<Result<Option<jiff::civil::DateTime>, Rule>>,
    ) -> Result<ArrayRef> {
        let mut times = Vec::with_capacity(rows);
        for row in 0..rows {
            times.push(self.settle(civil(row).and_then(Result::transpose), row, judge));
        }
        if self.kind == ColumnType::Date {
            let mut builder = Date32Builder::with_capacity(rows);
            times.iter().for_each(|time| builder.append_option(time.map(|time| calendar::epoch_days(time.date()))));
            return Ok(Arc::new(builder.finish()));
        }
        let mut builder = TimestampSecondBuilder::with_capacity(rows);
        times.iter().for_each(|time| builder.append_option(time.map(values::civil_seconds)));
        Ok(Arc::new(builder.finish()))
    }

    pub(super) fn civil(&self, micros: i64, zoned: bool) -> Result<jiff::civil::DateTime, Rule> {
        let instant = Timestamp::from_microsecond(micros).map_err(|_| "not a date and time")?;
        Ok(if zoned { self.dates.instant(instant) } else { instant.to_zoned(jiff::tz::TimeZone::UTC).datetime() })
    }

    pub(super) fn plausible<T: Copy + Into<i128>>(&self, value: T, places: u8) -> Result<T, Rule> {
        let Some([low, high]) = self.between else { return Ok(value) };
        // The range is declared with few digits; a value at a bound is inside.
        let number = value.into() as f64 / 10_f64.powi(i32::from(places));
        if (low..=high).contains(&number) { Ok(value) } else { Err(format!("not between {low} and {high}").into()) }
    }

    fn boolean(&self, cell: &str) -> Result<bool, Rule> {
        let among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
        if among(&self.yes) {
            Ok(true)
        } else if among(&self.no) {
            Ok(false)
        } else {
            Err("neither yes nor no".into())
        }
    }

    fn wrong_type(&self, delivered: &DataType) -> Error {
        Error::Check(format!(
            "column {}: a delivered column of type {delivered} cannot become {:?}",
            self.name, self.kind
        ))
    }
}
