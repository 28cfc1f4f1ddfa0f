//! Values as people read them.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, TimeUnit, TimestampSecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::civil::{Date, DateTime};

use crate::calendar::date_of;
use crate::error::{Error, Result};
use crate::link::RecordingState;

/// What stands where nothing was recorded: a group of its own in every table.
pub const NOT_RECORDED: &str = "not recorded";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// For a sentence: `3 March 2026`, at most two decimals, yes and no; none for a null.
pub fn spoken(array: &dyn Array, row: usize) -> Result<Option<String>> {
    if array.is_null(row) {
        return Ok(None);
    }
    match array.data_type() {
        DataType::Date32 => date_cell(array, row).map(|date| Some(spoken_date(date))),
        DataType::Timestamp(TimeUnit::Second, _) => {
            let time = time_cell(array, row)?;
            Ok(Some(format!("{} at {:02}:{:02}", spoken_date(time.date()), time.hour(), time.minute())))
        }
        DataType::Float64 => Ok(Some(trimmed(&fixed(array.as_primitive::<Float64Type>().value(row), 2)).to_owned())),
        _ => written(array, row),
    }
}

/// For a cell: ISO dates, decimals trimmed, yes and no; none for a null.
///
/// Scores are cut to four decimals: enough to rank by eye, and the same on every processor's `exp`.
pub fn written(array: &dyn Array, row: usize) -> Result<Option<String>> {
    if array.is_null(row) {
        return Ok(None);
    }
    let text = match array.data_type() {
        DataType::Boolean => yes_or_no(array.as_boolean().value(row)).to_owned(),
        DataType::Date32 => date_cell(array, row)?.to_string(),
        DataType::Timestamp(TimeUnit::Second, _) => time_cell(array, row)?.to_string(),
        DataType::Float64 => trimmed(&fixed(array.as_primitive::<Float64Type>().value(row), 4)).to_owned(),
        DataType::Decimal128(..) => trimmed(&array.as_primitive::<Decimal128Type>().value_as_string(row)).to_owned(),
        _ => {
            let mut text = String::new();
            let formatter = ArrayFormatter::try_new(array, &FormatOptions::default())?;
            write!(text, "{}", formatter.value(row))
                .map_err(|_| Error::Fault("a value could not be written as text".to_owned()))?;
            text
        }
    };
    Ok(Some(text))
}

/// A whole column as [`written`] has it.
pub fn column(array: &ArrayRef) -> Result<StringArray> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string().clone()),
        DataType::Boolean => Ok(array.as_boolean().iter().map(|value| value.map(yes_or_no)).collect()),
        DataType::Int64 => Ok(cast(array, &DataType::Utf8)?.as_string().clone()),
        _ => (0..array.len()).map(|row| written(array, row)).collect(),
    }
}

/// A flag as people read it.
pub fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// `3 March 2026`.
pub fn spoken_date(date: Date) -> String {
    let month = usize::try_from(date.month()).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!("{} {} {}", date.day(), month.unwrap_or(&""), date.year())
}

/// How an item is recorded, for people who mend records.
pub fn state(state: RecordingState) -> &'static str {
    match state {
        RecordingState::Known => "known",
        RecordingState::Conflicting => "sources differ",
        RecordingState::Stale => "recorded too long ago",
        RecordingState::Outdated => "outdated code",
        RecordingState::AskedUnsure => "asked, not sure",
        RecordingState::Declined => "declined to say",
        RecordingState::NotKnown => "not known",
        RecordingState::Invalid => "not a valid value",
        RecordingState::Blank => NOT_RECORDED,
    }
}

fn date_cell(array: &dyn Array, row: usize) -> Result<Date> {
    date_of(array.as_primitive::<Date32Type>().value(row)).ok_or_else(out_of_range)
}

fn time_cell(array: &dyn Array, row: usize) -> Result<DateTime> {
    let seconds = array.as_primitive::<TimestampSecondType>().value(row);
    DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
        .checked_add(jiff::SignedDuration::from_secs(seconds))
        .map_err(|_| out_of_range())
}

fn out_of_range() -> Error {
    Error::Fault("a date is out of the calendar's range".to_owned())
}

/// Without a minus before a zero.
fn fixed(number: f64, places: usize) -> String {
    let text = format!("{number:.places$}");
    if text.strip_prefix('-').is_some_and(|rest| rest.chars().all(|c| c == '0' || c == '.')) {
        return text.trim_start_matches('-').to_owned();
    }
    text
}

fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampSecondArray};

    use super::*;

    #[test]
    fn a_value_reads_as_a_person_would_write_it() -> Result<()> {
        let decimal = Decimal128Array::from(vec![125_000, 30_000, 0, -5]).with_precision_and_scale(38, 4)?;
        let columns: Vec<(ArrayRef, &[&str], &[&str])> = vec![
            (Arc::new(Int64Array::from(vec![3, -12])), &["3", "-12"], &["3", "-12"]),
            (Arc::new(decimal), &["12.5", "3", "0", "-0.0005"], &["12.5", "3", "0", "-0.0005"]),
            (
                Arc::new(Float64Array::from(vec![0.25, 15.0, -0.001, 0.123_456, 100.0])),
                &["0.25", "15", "0", "0.12", "100"],
                &["0.25", "15", "-0.001", "0.1235", "100"],
            ),
            (Arc::new(BooleanArray::from(vec![true, false])), &["yes", "no"], &["yes", "no"]),
            (
                Arc::new(Date32Array::from(vec![20_515, 0])),
                &["3 March 2026", "1 January 1970"],
                &["2026-03-03", "1970-01-01"],
            ),
            (
                Arc::new(TimestampSecondArray::from(vec![20_515 * 86_400 + 3_900])),
                &["3 March 2026 at 01:05"],
                &["2026-03-03T01:05:00"],
            ),
            (Arc::new(StringArray::from(vec!["Ash PCN"])), &["Ash PCN"], &["Ash PCN"]),
        ];
        for (array, said, cells) in columns {
            for (row, (said, cell)) in said.iter().zip(cells).enumerate() {
                assert_eq!(spoken(&array, row)?.as_deref(), Some(*said));
                assert_eq!(written(&array, row)?.as_deref(), Some(*cell));
            }
        }
        let nothing = Int64Array::from(vec![None]);
        assert_eq!(spoken(&nothing, 0)?, None);
        assert_eq!(written(&nothing, 0)?, None);
        Ok(())
    }
}
