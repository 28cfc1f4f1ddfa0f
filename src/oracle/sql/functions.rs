//! The named functions.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::coerce::union;
use super::{Expression, NoValue, Node, Unsupported, unsupported};
use crate::oracle::value::{Kind, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Ceil,
    Coalesce,
    Concat,
    Exp,
    Floor,
    Greatest,
    Least,
    Left,
    Length,
    Ln,
    Lower,
    MakeDate,
    Nullif,
    Part,
    Right,
    Round,
    Sqrt,
    StartsWith,
    Substring,
    ToDate,
    Trim,
    Upper,
}

impl Function {
    pub fn named(name: &str) -> Result<Self, Unsupported> {
        Ok(match name {
            "abs" => Self::Abs,
            "ceil" => Self::Ceil,
            "coalesce" => Self::Coalesce,
            "concat" => Self::Concat,
            "exp" => Self::Exp,
            "floor" => Self::Floor,
            "greatest" => Self::Greatest,
            "least" => Self::Least,
            "left" => Self::Left,
            "length" | "char_length" | "character_length" => Self::Length,
            "ln" => Self::Ln,
            "lower" => Self::Lower,
            "make_date" => Self::MakeDate,
            "nullif" => Self::Nullif,
            "date_part" | "datepart" => Self::Part,
            "right" => Self::Right,
            "round" => Self::Round,
            "sqrt" => Self::Sqrt,
            "starts_with" => Self::StartsWith,
            "substr" | "substring" => Self::Substring,
            "to_date" => Self::ToDate,
            "btrim" | "trim" => Self::Trim,
            "upper" => Self::Upper,
            other => return unsupported(format!("the function `{other}`")),
        })
    }

    /// A call with its arguments brought to the kinds that the function works on.
    pub fn typed(self, arguments: Vec<Expression>) -> Result<Expression, Unsupported> {
        let (result, wanted) = self.signature(&arguments)?;
        if wanted.len() != arguments.len() {
            return unsupported("a function with this many arguments");
        }
        let arguments = arguments.into_iter().zip(wanted).map(|(argument, kind)| argument.into_kind(kind)).collect();
        Ok(Expression::new(result, Node::Call(self, arguments)))
    }

    /// The result's kind and each argument's.
    fn signature(self, arguments: &[Expression]) -> Result<(Kind, Vec<Kind>), Unsupported> {
        let kinds: Vec<Kind> = arguments.iter().map(|argument| argument.kind).collect();
        let first = kinds.first().copied().unwrap_or(Kind::Null);
        let text = |kind: Kind| matches!(kind, Kind::Text | Kind::Null);
        let day = |kind: Kind| matches!(kind, Kind::Date | Kind::Datetime);
        Ok(match self {
            Self::Coalesce | Self::Greatest | Self::Least if !kinds.is_empty() => {
                let kind = union(kinds.iter().copied())?;
                (kind, vec![kind; kinds.len()])
            }
            Self::Nullif if kinds.len() == 2 => {
                let kind = union(kinds.iter().copied())?;
                (kind, vec![kind; 2])
            }
            Self::Abs if matches!(first, Kind::Int | Kind::Float | Kind::Decimal(_)) => (first, vec![first]),
            Self::Ceil | Self::Floor if first == Kind::Float => (Kind::Float, vec![Kind::Float]),
            Self::Round if first == Kind::Float && kinds.len() < 3 => {
                (Kind::Float, [Kind::Float, Kind::Int].into_iter().take(kinds.len()).collect())
            }
            Self::Exp | Self::Ln | Self::Sqrt if matches!(first, Kind::Int | Kind::Float) => {
                (Kind::Float, vec![Kind::Float])
            }
            Self::Lower | Self::Upper | Self::Trim if text(first) => (Kind::Text, vec![Kind::Text]),
            Self::Length if text(first) => (Kind::Int, vec![Kind::Text]),
            Self::Left | Self::Right if text(first) => (Kind::Text, vec![Kind::Text, Kind::Int]),
            Self::Substring if text(first) => {
                (Kind::Text, [Kind::Text, Kind::Int, Kind::Int].into_iter().take(kinds.len().max(2)).collect())
            }
            Self::StartsWith if text(first) => (Kind::Bool, vec![Kind::Text; 2]),
            Self::Concat if kinds.iter().all(|kind| text(*kind)) => (Kind::Text, vec![Kind::Text; kinds.len()]),
            Self::MakeDate => (Kind::Date, vec![Kind::Int; 3]),
            Self::ToDate if text(first) || day(first) => (Kind::Date, vec![Kind::Date]),
            Self::Part if kinds.get(1).copied().is_some_and(day) => {
                (Kind::Int, vec![Kind::Text, kinds.get(1).copied().unwrap_or(Kind::Null)])
            }
            _ => return unsupported(format!("{self:?} on these types")),
        })
    }

    pub fn call(self, values: &[Value]) -> Result<Value, NoValue> {
        match self {
            Self::Greatest => return Ok(extreme(values, Ordering::Greater)),
            Self::Least => return Ok(extreme(values, Ordering::Less)),
            Self::Concat => return Ok(Value::Text(values.iter().map(Value::print).collect())),
            Self::Nullif => return Ok(nullif(values)),
            _ if values.iter().any(Value::is_null) => return Ok(Value::Null),
            _ => {}
        }
        match values {
            [Value::Text(text), rest @ ..] => self.of_text(text, rest),
            [Value::Float(value), rest @ ..] => self.of_float(*value, rest),
            [Value::Int(value)] if self == Self::Abs => Ok(Value::Int(value.saturating_abs())),
            [Value::Decimal(value, places)] if self == Self::Abs => Ok(Value::Decimal(value.abs(), *places)),
            [value @ Value::Date(_)] if self == Self::ToDate => Ok(value.clone()),
            [Value::Int(year), Value::Int(month), Value::Int(day)] if self == Self::MakeDate => {
                make_date(*year, *month, *day).map_or(Err(NoValue::Fails), |date| Ok(Value::Date(date)))
            }
            _ => unsupported(format!("{self:?} on these types")),
        }
    }

    fn of_text(self, text: &str, rest: &[Value]) -> Result<Value, NoValue> {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        Ok(match (self, rest) {
            (Self::Lower, []) => Value::Text(text.to_lowercase()),
            (Self::Upper, []) => Value::Text(text.to_uppercase()),
            (Self::Trim, []) => Value::text(text.trim_matches(' ')),
            (Self::Length, []) => Value::Int(length),
            (Self::StartsWith, [Value::Text(start)]) => Value::Bool(text.starts_with(start.as_str())),
            (Self::Left, [Value::Int(count)]) => Value::Text(between(text, 1, kept(*count, length))),
            (Self::Right, [Value::Int(count)]) => Value::Text(between(text, length - kept(*count, length) + 1, length)),
            (Self::Substring, [Value::Int(start)]) => Value::Text(between(text, *start, length)),
            (Self::Substring, [Value::Int(start), Value::Int(count)]) if *count >= 0 => {
                Value::Text(between(text, *start, start.saturating_add(*count).saturating_sub(1)))
            }
            (Self::Part, [day]) => return part(text, day),
            _ => return unsupported(format!("{self:?} of text")),
        })
    }

    fn of_float(self, value: f64, rest: &[Value]) -> Result<Value, NoValue> {
        Ok(Value::Float(match (self, rest) {
            (Self::Abs, []) => value.abs(),
            (Self::Ceil, []) => value.ceil(),
            (Self::Floor, []) => value.floor(),
            (Self::Round, []) => value.round(),
            (Self::Round, [Value::Int(places)]) if (0..=12).contains(places) => {
                let scale = 10f64.powi(i32::try_from(*places).unwrap_or(0));
                (value * scale).round() / scale
            }
            (Self::Exp, []) => value.exp(),
            (Self::Ln, []) => value.ln(),
            (Self::Sqrt, []) => value.sqrt(),
            _ => return unsupported(format!("{self:?} of a number")),
        }))
    }
}

/// The greatest or least value; nulls are passed over.
fn extreme(values: &[Value], wanted: Ordering) -> Value {
    let mut best = Value::Null;
    for value in values.iter().filter(|value| !value.is_null()) {
        if best.is_null() || value.order(&best) == wanted {
            best = value.clone();
        }
    }
    best
}

fn nullif(values: &[Value]) -> Value {
    match values {
        [left, right] if !left.is_null() && left.order(right).is_eq() => Value::Null,
        [left, ..] => left.clone(),
        [] => Value::Null,
    }
}

/// How many characters `left` and `right` keep: a negative count leaves that many off.
fn kept(count: i64, length: i64) -> i64 {
    if count >= 0 { count.min(length) } else { length.saturating_add(count).max(0) }
}

/// Characters from the first to the last position, both from 1 and both included.
fn between(text: &str, first: i64, last: i64) -> String {
    (1..).zip(text.chars()).filter(|(at, _)| first <= *at && *at <= last).map(|(_, character)| character).collect()
}

fn make_date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn part(field: &str, day: &Value) -> Result<Value, NoValue> {
    let Some(date) = day.day() else {
        return unsupported("a part of something that is no date");
    };
    Ok(Value::Int(match field.to_ascii_lowercase().as_str() {
        "year" => i64::from(date.year()),
        "quarter" => i64::from(date.month() - 1) / 3 + 1,
        "month" => i64::from(date.month()),
        "day" => i64::from(date.day()),
        "doy" => i64::from(date.day_of_year()),
        _ => return unsupported("this part of a date"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::sql::cast;

    #[test]
    fn left_and_right_count_characters() {
        for (count, left, right) in
            [(2, "äb", "cd"), (-1, "äbc", "bcd"), (9, "äbcd", "äbcd"), (-9, "", ""), (0, "", "")]
        {
            let arguments = [Value::text("äbcd"), Value::Int(count)];
            assert_eq!(Function::Left.call(&arguments), Ok(Value::text(left)), "left {count}");
            assert_eq!(Function::Right.call(&arguments), Ok(Value::text(right)), "right {count}");
        }
    }

    #[test]
    fn a_cast_is_a_failure_and_never_a_null() {
        for (text, kind) in [("12x", Kind::Int), ("", Kind::Int), ("2023-02-29", Kind::Date), ("soon", Kind::Datetime)]
        {
            assert_eq!(cast(Value::text(text), kind), Err(NoValue::Fails), "{text}");
        }
        assert_eq!(cast(Value::text(" 12 "), Kind::Int), Ok(Value::Int(12)));
        assert_eq!(cast(Value::Null, Kind::Int), Ok(Value::Null));
    }
}
