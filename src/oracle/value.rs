//! A cell of the second implementation: one plain value, no columns.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::calendar;

/// One value of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Int(i64),
    /// An unscaled number and its decimal places.
    Decimal(i128, u8),
    Float(f64),
    Bool(bool),
    Date(Date),
    Datetime(DateTime),
    List(Vec<String>),
    /// A type that this implementation does not read.
    Foreign,
}

/// The type of a value that is not null; `Null` is the type of the bare literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Text,
    Int,
    Decimal(u8),
    Float,
    Bool,
    Date,
    Datetime,
    List,
    Foreign,
}

impl Kind {
    pub fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Null,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Dictionary(_, values) => Self::of(values),
            integer if integer.is_integer() => Self::Int,
            DataType::Decimal128(_, places) => u8::try_from(*places).map_or(Self::Foreign, Self::Decimal),
            // SQL computes with the widened number, which is not the one that the cell shows.
            DataType::Float32 => Self::Foreign,
            DataType::Float64 => Self::Float,
            DataType::Boolean => Self::Bool,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, None) => Self::Datetime,
            DataType::List(_) => Self::List,
            _ => Self::Foreign,
        }
    }
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The civil day of a date or datetime.
    pub fn day(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            Self::Datetime(datetime) => Some(datetime.date()),
            _ => None,
        }
    }

    /// Seconds since midnight of a datetime.
    pub fn second_of_day(&self) -> Option<i64> {
        match self {
            Self::Datetime(datetime) => {
                let time = datetime.time();
                Some(i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second()))
            }
            _ => None,
        }
    }

    /// As a number for models; booleans are 0 and 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Decimal(value, places) => Some(*value as f64 / 10f64.powi(i32::from(*places))),
            Self::Float(value) => Some(*value),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            _ => None,
        }
    }

    /// As it is written out: dates in ISO 8601, decimals with all their places, nothing for null.
    pub fn print(&self) -> String {
        match self {
            Self::Null | Self::Foreign => String::new(),
            Self::Text(text) => text.clone(),
            Self::Int(value) => value.to_string(),
            Self::Decimal(value, places) => print_decimal(*value, *places),
            Self::Float(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Datetime(datetime) => datetime.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            Self::List(items) => items.join(","),
        }
    }

    /// A total order: null first, numbers by size, text by bytes, lists item by item.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Decimal(a, p), Self::Decimal(b, q)) => {
                let places = *p.max(q);
                rescale(*a, *p, places).cmp(&rescale(*b, *q, places))
            }
            // Adding zero turns -0.0, which is equal to 0.0, into it.
            (Self::Float(a), Self::Float(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Datetime(a), Self::Datetime(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Text(_) => 1,
            Self::Int(_) => 2,
            Self::Decimal(..) => 3,
            Self::Float(_) => 4,
            Self::Bool(_) => 5,
            Self::Date(_) => 6,
            Self::Datetime(_) => 7,
            Self::List(_) => 8,
            Self::Foreign => 9,
        }
    }
}

/// Brings an unscaled number to other places; digits that fall off are rounded half away from zero, as SQL casts do.
pub fn rescale(value: i128, from: u8, to: u8) -> i128 {
    if to >= from {
        return value.saturating_mul(power_of_ten(to - from));
    }
    let divisor = power_of_ten(from - to);
    let (whole, rest) = (value / divisor, value % divisor);
    if rest.abs() * 2 >= divisor { whole + value.signum() } else { whole }
}

pub fn power_of_ten(exponent: u8) -> i128 {
    10i128.checked_pow(u32::from(exponent)).unwrap_or(i128::MAX)
}

fn print_decimal(value: i128, places: u8) -> String {
    if places == 0 {
        return value.to_string();
    }
    let scale = power_of_ten(places);
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.abs() / scale, value.abs() % scale);
    format!("{sign}{whole}.{rest:0width$}", width = usize::from(places))
}

/// The value in one row of an Arrow column.
pub fn of_array(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Utf8 => Value::text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Value::text(array.as_string_view().value(row)),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            match of_array(dictionary.keys(), row) {
                Value::Int(key) => {
                    usize::try_from(key).map_or(Value::Foreign, |key| of_array(dictionary.values(), key))
                }
                _ => Value::Foreign,
            }
        }
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Float32 => short_float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, places) => u8::try_from(*places)
            .map_or(Value::Foreign, |places| Value::Decimal(array.as_primitive::<Decimal128Type>().value(row), places)),
        DataType::Date32 => {
            calendar::date_of(array.as_primitive::<Date32Type>().value(row)).map_or(Value::Foreign, Value::Date)
        }
        DataType::Date64 => {
            let days = array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000);
            i32::try_from(days).ok().and_then(calendar::date_of).map_or(Value::Foreign, Value::Date)
        }
        DataType::Timestamp(unit, zone) => timestamp(array, *unit, zone.is_some(), row),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let texts = (0..items.len()).map(|item| of_array(&items, item));
            Value::List(texts.filter(|item| !item.is_null()).map(|item| item.print()).collect())
        }
        _ => integer(array, row).map_or(Value::Foreign, Value::Int),
    }
}

/// A short float means what its shortest text says: 0.1 is not 0.10000000149.
fn short_float(value: f32) -> Value {
    value.to_string().parse().map_or(Value::Foreign, Value::Float)
}

fn integer(array: &dyn Array, row: usize) -> Option<i64> {
    match array.data_type() {
        DataType::Int8 => Some(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Some(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Some(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Some(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Some(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Some(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(row)).ok(),
        _ => None,
    }
}

/// Instants become civil London time; times without a zone are taken as they stand.
fn timestamp(array: &dyn Array, unit: TimeUnit, instant: bool, row: usize) -> Value {
    let nanoseconds = match unit {
        TimeUnit::Second => i128::from(array.as_primitive::<TimestampSecondType>().value(row)) * 1_000_000_000,
        TimeUnit::Millisecond => i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000,
        TimeUnit::Microsecond => i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1_000,
        TimeUnit::Nanosecond => i128::from(array.as_primitive::<TimestampNanosecondType>().value(row)),
    };
    let Ok(moment) = Timestamp::from_nanosecond(nanoseconds) else {
        return Value::Foreign;
    };
    let local = if instant { calendar::london(moment).ok() } else { Some(moment.to_zoned(TimeZone::UTC).datetime()) };
    local.map_or(Value::Foreign, Value::Datetime)
}
