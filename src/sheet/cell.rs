//! What a cell of a sheet holds, for the formats that people read.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use jiff::civil::Date;

use crate::calendar::date_of;
use crate::cohort::words;
use crate::error::{Error, Result};

/// A typed cell; the types that [`super::columns`] gives columns, and no other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    /// Several, the first the most telling.
    Texts(Vec<String>),
    Integer(i64),
    /// At most four decimals.
    Number(f64),
    YesNo(bool),
    Date(Date),
}

impl Cell {
    /// As a person reads it; several texts are joined.
    pub(super) fn text(&self, between: &str) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Texts(texts) => texts.join(between),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::YesNo(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Self::Date(date) => words::spoken_date(*date),
        }
    }
}

/// The cell of a column.
pub(super) fn cell(column: &ArrayRef, row: usize) -> Result<Cell> {
    if column.is_null(row) {
        return Ok(Cell::Empty);
    }
    Ok(match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Cell::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => Cell::YesNo(column.as_boolean().value(row)),
        DataType::Date32 => date_of(column.as_primitive::<Date32Type>().value(row)).map_or(Cell::Empty, Cell::Date),
        DataType::List(_) => {
            let texts = column.as_list::<i32>().value(row);
            let texts = texts.as_string_opt::<i32>().ok_or_else(unknown)?;
            Cell::Texts(texts.iter().flatten().map(str::to_owned).collect())
        }
        DataType::Float64 | DataType::Decimal128(..) => {
            let text = words::written(column, row)?.unwrap_or_default();
            Cell::Number(text.parse().map_err(|_| Error::Fault("a number on a list does not read as one".to_owned()))?)
        }
        _ => return Err(unknown()),
    })
}

fn unknown() -> Error {
    Error::Fault("a list has a column of a type that no list has".to_owned())
}
