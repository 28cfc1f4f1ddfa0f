//! One delivered cell becomes one value of a declared type, or names the rule that it breaks.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::{Timestamp, Zoned};

use super::value::{Value, power_of_ten};
use crate::calendar;
use crate::codelist;
use crate::pipeline::decl::{ColumnDecl, ColumnType};

/// The rule that a value breaks, as receipts name it.
pub type Rule = String;

/// Whether a delivered text means that nothing was recorded.
pub fn is_blank(text: &str, blank_values: &[String]) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("NULL") || blank_values.iter().any(|blank| blank == text)
}

/// A delivered cell by its declaration; null when it is blank.
pub fn conform(cell: &Value, decl: &ColumnDecl, blank_values: &[String]) -> Result<Value, Rule> {
    let value = match (cell, decl.kind) {
        (Value::Null, _) => return Ok(Value::Null),
        (Value::Foreign | Value::List(_), _) => return broken("type"),
        (Value::Int(_), ColumnType::Integer) | (Value::Bool(_), ColumnType::Boolean) => cell.clone(),
        (Value::Float(value), ColumnType::Integer) => whole(*value)?,
        (Value::Date(_) | Value::Datetime(_), ColumnType::Date | ColumnType::Datetime) => day_or_time(cell, decl)?,
        _ => {
            let text = cell.print();
            if is_blank(&text, blank_values) {
                return Ok(Value::Null);
            }
            of_text(text.trim(), decl)?
        }
    };
    within_range(value, decl)
}

fn broken<T>(rule: &str) -> Result<T, Rule> {
    Err(rule.to_owned())
}

fn of_text(text: &str, decl: &ColumnDecl) -> Result<Value, Rule> {
    match decl.kind {
        ColumnType::Pseudonym => pseudonym(text),
        ColumnType::Text => {
            if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
                return broken("control character");
            }
            Ok(Value::text(text))
        }
        ColumnType::Integer => integer(text),
        ColumnType::Decimal => decimal(text, decl.places.unwrap_or(4)),
        ColumnType::Boolean => boolean(text, decl),
        ColumnType::Date | ColumnType::Datetime => day_from_text(text, decl),
        ColumnType::Category => category(text, decl),
        ColumnType::Code => {
            let normal = decl.system.and_then(|system| codelist::normalise(system, text));
            normal.map_or_else(|| broken("code"), |code| Ok(Value::text(code)))
        }
    }
}

fn pseudonym(text: &str) -> Result<Value, Rule> {
    if text.len() > 1 && text.bytes().all(|byte| byte == b'0') {
        return broken("blank token");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return broken("malformed token");
    }
    Ok(Value::text(text))
}

fn integer(text: &str) -> Result<Value, Rule> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return broken("integer");
    }
    text.parse().map_or_else(|_| broken("integer"), |value| Ok(Value::Int(value)))
}

fn whole(value: f64) -> Result<Value, Rule> {
    if value.fract() != 0.0 || value.abs() > 9e15 {
        return broken("integer");
    }
    Ok(Value::Int(value as i64))
}

/// Decimal text with an optional exponent, worked out digit by digit and rounded half to even.
fn decimal(text: &str, places: u8) -> Result<Value, Rule> {
    read_decimal(text, places).map_or_else(|| broken("decimal"), |value| Ok(Value::Decimal(value, places)))
}

fn read_decimal(text: &str, places: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = mantissa.strip_prefix('-').map_or((false, mantissa), |digits| (true, digits));
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(fraction) || exponent.abs() > 60 || digits.len() > 60 {
        return None;
    }
    let all: Vec<i128> = whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0')).collect();
    // The digits stand for 0.d1d2d3… × 10^point; `places` more of them are kept behind the point.
    let kept = i32::try_from(whole.len()).ok()? + exponent + i32::from(places);
    let digit = |at: i32| usize::try_from(at).ok().and_then(|at| all.get(at)).copied().unwrap_or(0);
    let mut value: i128 = 0;
    for at in 0..kept.max(0) {
        value = value.checked_mul(10)?.checked_add(digit(at))?;
    }
    let first = if kept < 0 { 0 } else { digit(kept) };
    let from = usize::try_from(kept.saturating_add(1).max(0)).ok()?;
    let more = all.iter().skip(from).any(|digit| *digit != 0);
    if first > 5 || (first == 5 && (more || value % 2 == 1)) {
        value += 1;
    }
    if value >= power_of_ten(18) {
        return None;
    }
    Some(if negative { -value } else { value })
}

fn boolean(text: &str, decl: &ColumnDecl) -> Result<Value, Rule> {
    let listed = |declared: &Option<Vec<String>>, default: [&str; 5]| match declared {
        Some(words) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
        None => default.iter().any(|word| word.eq_ignore_ascii_case(text)),
    };
    if listed(&decl.yes, ["1", "Y", "yes", "true", "T"]) {
        Ok(Value::Bool(true))
    } else if listed(&decl.no, ["0", "N", "no", "false", "F"]) {
        Ok(Value::Bool(false))
    } else {
        broken("boolean")
    }
}

fn category(text: &str, decl: &ColumnDecl) -> Result<Value, Rule> {
    let found = decl.map.iter().find(|(_, delivered)| delivered.iter().any(|value| value == text));
    match (found, &decl.otherwise) {
        (Some((category, _)), _) => Ok(Value::text(category)),
        (None, Some(otherwise)) => Ok(Value::text(otherwise)),
        (None, None) => broken("not in map"),
    }
}

/// A placeholder counts whether it is written as the text or as the day it means.
fn day_from_text(text: &str, decl: &ColumnDecl) -> Result<Value, Rule> {
    if placeholders(decl).iter().any(|placeholder| placeholder == text) {
        return Ok(Value::Null);
    }
    let formats = decl.format.as_ref().map(|format| format.as_slice()).unwrap_or_default();
    let value = match (decl.kind, formats) {
        (ColumnType::Date, []) => Date::strptime("%Y-%m-%d", text).ok().map(Value::Date),
        (ColumnType::Date, formats) => formats.iter().find_map(|format| formatted_day(format, text)).map(Value::Date),
        (_, []) => iso_time(text).map(Value::Datetime),
        (_, formats) => formats.iter().find_map(|format| formatted_time(format, text)).map(Value::Datetime),
    };
    value.map_or_else(|| broken("date"), |value| day_or_time(&value, decl))
}

/// With an offset it is an instant, without one London time already.
fn iso_time(text: &str) -> Option<DateTime> {
    match text.parse::<Timestamp>() {
        Ok(instant) => calendar::london(instant).ok(),
        Err(_) => text.parse().ok(),
    }
}

fn formatted_time(format: &str, text: &str) -> Option<DateTime> {
    let parts = strtime::parse(format, text).ok()?;
    if parts.offset().is_some() {
        return parts.to_zoned().ok().map(|zoned: Zoned| zoned.timestamp()).and_then(|at| calendar::london(at).ok());
    }
    parts.to_datetime().ok().or_else(|| Some(parts.to_date().ok()?.to_datetime(jiff::civil::Time::midnight())))
}

/// With an offset it is London's day at that instant.
fn formatted_day(format: &str, text: &str) -> Option<Date> {
    let parts = strtime::parse(format, text).ok()?;
    if parts.offset().is_some() {
        return parts.to_timestamp().ok().and_then(|at| calendar::london(at).ok()).map(DateTime::date);
    }
    parts.to_date().ok()
}

fn placeholders(decl: &ColumnDecl) -> Vec<String> {
    let default = || vec!["1900-01-01".to_owned(), "9999-12-31".to_owned()];
    decl.placeholders.clone().unwrap_or_else(default)
}

/// To the declared one of date and datetime, with whole seconds; then the days that mean nothing, and the limits.
fn day_or_time(value: &Value, decl: &ColumnDecl) -> Result<Value, Rule> {
    let Some(day) = value.day() else { return broken("date") };
    if placeholders(decl).contains(&day.to_string()) {
        return Ok(Value::Null);
    }
    if let Some(limit) = decl.not_before.filter(|limit| day < *limit) {
        return Err(format!("before {limit}"));
    }
    if let Some(limit) = decl.not_after.filter(|limit| day > *limit) {
        return Err(format!("after {limit}"));
    }
    Ok(match (decl.kind, value) {
        (ColumnType::Date, _) => Value::Date(day),
        (_, Value::Datetime(time)) => Value::Datetime(time.with().subsec_nanosecond(0).build().unwrap_or(*time)),
        _ => Value::Datetime(day.to_datetime(jiff::civil::Time::midnight())),
    })
}

fn within_range(value: Value, decl: &ColumnDecl) -> Result<Value, Rule> {
    if let (Some([low, high]), Some(number)) = (decl.between, value.number())
        && !(low..=high).contains(&number)
    {
        return Err(format!("between {low} and {high}"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float32Array};
    use jiff::civil::date;

    use super::*;
    use crate::pipeline::decl::OneOrMany;

    fn decl(kind: ColumnType) -> ColumnDecl {
        ColumnDecl { kind, places: Some(2), ..ColumnDecl::default() }
    }

    fn read(kind: ColumnType, text: &str) -> Result<Value, Rule> {
        conform(&Value::text(text), &decl(kind), &["-".to_owned()])
    }

    #[test]
    fn decimals_are_rounded_half_to_even() {
        let cases = [("1.005", 100), ("1.015", 102), ("1.0051", 101), ("-1.005", -100), ("12e-1", 120), ("0.005", 0)];
        for (text, value) in cases {
            assert_eq!(read(ColumnType::Decimal, text), Ok(Value::Decimal(value, 2)), "{text}");
        }
        let short: ArrayRef = Arc::new(Float32Array::from(vec![0.00035, 120.05]));
        let places = ColumnDecl { places: Some(5), ..decl(ColumnType::Decimal) };
        for (row, value) in [(0, 35), (1, 12_005_000)] {
            let cell = crate::oracle::value::of_array(&short, row);
            assert_eq!(conform(&cell, &places, &[]), Ok(Value::Decimal(value, 5)), "row {row}");
        }
        for bad in ["NaN", "inf", "1,5", "--1", "1e999", "0x1", "99999999999999999"] {
            assert!(read(ColumnType::Decimal, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tokens_are_refused_when_they_are_none() {
        for bad in ["0000000000", "a b", "é", "a\u{7}"] {
            assert!(read(ColumnType::Pseudonym, bad).is_err(), "{bad}");
        }
        assert_eq!(read(ColumnType::Pseudonym, " t1\u{a0}"), Ok(Value::text("t1")));
        for blank in ["", " ", "null", "-"] {
            assert_eq!(read(ColumnType::Pseudonym, blank), Ok(Value::Null), "{blank}");
        }
    }

    #[test]
    fn dates_and_times_are_londons() {
        let day = |text: &str| read(ColumnType::Date, text);
        assert_eq!(day("2024-02-29"), Ok(Value::Date(date(2024, 2, 29))));
        for nothing in ["1900-01-01", "9999-12-31"] {
            assert_eq!(day(nothing), Ok(Value::Null), "{nothing}");
        }
        for bad in ["2023-02-29", "29/02/2024", "2024-02-29T00:00:00"] {
            assert!(day(bad).is_err(), "{bad}");
        }
        let offset = ColumnDecl {
            format: Some(OneOrMany::Many(vec!["%Y-%m-%dT%H:%M:%S%z".to_owned(), "%d/%m/%Y".to_owned()])),
            ..decl(ColumnType::Date)
        };
        for (text, day) in [
            ("2026-06-30T23:30:00+0000", date(2026, 7, 1)),
            ("2026-07-01T00:30:00+0200", date(2026, 6, 30)),
            ("2026-01-31T23:30:00+0000", date(2026, 1, 31)),
            ("31/01/2026", date(2026, 1, 31)),
        ] {
            assert_eq!(conform(&Value::text(text), &offset, &[]), Ok(Value::Date(day)), "{text}");
        }
        let summer = read(ColumnType::Datetime, "2026-06-30T23:30:00Z");
        assert_eq!(summer, Ok(Value::Datetime(date(2026, 7, 1).at(0, 30, 0, 0))));
    }
}
