//! Values of one kind as values of another.

use jiff::civil::{Date, DateTime, Time};

use super::eval::Evaluated;
use super::{NoValue, unsupported};
use crate::oracle::value::{Kind, Value, power_of_ten, rescale};

/// A value as another kind; what cannot be read is a failure, not a null.
pub(super) fn cast(value: Value, kind: Kind) -> Evaluated {
    let failed = || unsupported("a cast that fails, or between these types");
    match (value, kind) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), kind) => text_as(text, kind),
        (value @ (Value::Bool(_) | Value::Date(_) | Value::Datetime(_) | Value::Int(_)), Kind::Text) => {
            Ok(Value::Text(value.print()))
        }
        (value @ Value::Decimal(..), Kind::Text) => Ok(Value::Text(value.print())),
        (Value::Int(value), Kind::Int) => Ok(Value::Int(value)),
        (Value::Int(value), Kind::Float) => Ok(Value::Float(value as f64)),
        (Value::Int(value), Kind::Decimal(places)) => Ok(Value::Decimal(rescale(i128::from(value), 0, places), places)),
        (Value::Int(value), Kind::Bool) => Ok(Value::Bool(value != 0)),
        (Value::Bool(value), Kind::Int) => Ok(Value::Int(i64::from(value))),
        (Value::Bool(value), Kind::Bool) => Ok(Value::Bool(value)),
        (Value::Float(value), Kind::Float) => Ok(Value::Float(value)),
        (Value::Float(value), Kind::Int) if value.is_finite() && value.abs() < 9e15 => {
            Ok(Value::Int(value.trunc() as i64))
        }
        (Value::Float(value), Kind::Int) if !value.is_finite() => Err(NoValue::Fails),
        (Value::Float(value), Kind::Decimal(places)) if value.is_finite() && value.abs() < 1e15 => {
            Ok(Value::Decimal((value * 10f64.powi(i32::from(places))).round() as i128, places))
        }
        (Value::Decimal(value, from), Kind::Decimal(to)) => Ok(Value::Decimal(rescale(value, from, to), to)),
        (Value::Decimal(value, places), Kind::Int) => {
            i64::try_from(value / power_of_ten(places)).map_or_else(|_| failed(), |value| Ok(Value::Int(value)))
        }
        (value @ Value::Decimal(..), Kind::Float) => {
            value.number().map_or_else(failed, |value| Ok(Value::Float(value)))
        }
        (Value::Date(date), Kind::Date) => Ok(Value::Date(date)),
        (Value::Date(date), Kind::Datetime) => Ok(Value::Datetime(date.to_datetime(Time::midnight()))),
        (Value::Datetime(datetime), Kind::Datetime) => Ok(Value::Datetime(datetime)),
        (Value::Datetime(datetime), Kind::Date) => Ok(Value::Date(datetime.date())),
        _ => failed(),
    }
}

/// Text that no reading accepts is a failure; text that some reading may accept is not computed.
fn text_as(text: String, kind: Kind) -> Evaluated {
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let read = match kind {
        Kind::Text => return Ok(Value::Text(text)),
        Kind::Int => return text.trim_ascii().parse().map_or(Err(NoValue::Fails), |value| Ok(Value::Int(value))),
        Kind::Date if text.len() <= 10 && !text.starts_with(['+', '-']) => {
            return short_date(&text).map_or(Err(NoValue::Fails), |date| Ok(Value::Date(date)));
        }
        Kind::Date | Kind::Datetime if !digits => return Err(NoValue::Fails),
        Kind::Float => text.parse().ok().map(Value::Float),
        Kind::Bool => match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Datetime if matches!(text.len(), 10 | 19) => text.parse::<DateTime>().ok().map(Value::Datetime),
        Kind::Decimal(places) => exact_decimal(&text, places),
        _ => None,
    };
    read.map_or_else(|| unsupported("a cast of text that fails"), Ok)
}

/// `2024-02-09`, `2024-2-9` or `20240209`.
fn short_date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = match text.len() {
        8 if !text.contains('-') => vec![text.get(..4)?, text.get(4..6)?, text.get(6..)?],
        _ => text.split('-').collect(),
    };
    let [year, month, day] = parts.as_slice() else { return None };
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let short = |part: &str| matches!(part.len(), 1 | 2);
    if year.len() != 4 || !short(month) || !short(day) || !parts.iter().all(|part| numeric(part)) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Text with no more digits than the places hold, so that no rounding rule matters.
fn exact_decimal(text: &str, places: u8) -> Option<Value> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !plain || fraction.len() > usize::from(places) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let from = u8::try_from(fraction.len()).ok()?;
    Some(Value::Decimal(sign * rescale(number, from, places), places))
}
