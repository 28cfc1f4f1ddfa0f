//! CSV that a spreadsheet opens without harm.
//!
//! UTF-8 with a byte-order mark, so that Excel does not read it as Windows-1252; rows end in a line feed, which every
//! spreadsheet takes, and which no tool mistakes for a part of the last cell. [`crate::publish::read_csv`] says how to
//! read a text back as it was.

use super::Sheet;
use super::cell::{self, Cell};
use crate::error::{Error, Result};
use crate::publish::{CsvText, Field};

pub(super) fn bytes(sheet: &Sheet) -> Result<Vec<u8>> {
    let mut csv = CsvText::for_spreadsheets(sheet.for_people().map(|(heading, _)| heading.column.as_str()));
    for row in 0..sheet.rows.num_rows() {
        let cells: Vec<Cell> = sheet.for_people().map(|(_, column)| cell::cell(column, row)).collect::<Result<_>>()?;
        let texts: Vec<String> = cells.iter().map(|cell| cell.text("; ")).collect();
        let fields = cells.iter().zip(&texts).map(|(cell, text)| match cell {
            Cell::Empty => Field::Empty,
            Cell::Integer(number) => Field::Integer(*number),
            Cell::Number(number) => Field::Number(*number),
            Cell::Date(date) => Field::Date(*date),
            Cell::Text(_) | Cell::Texts(_) | Cell::YesNo(_) => Field::Exact(text),
        });
        csv.row(fields)
            .map_err(|_| Error::Fault(format!("cohort {}: a list cannot be written as CSV", sheet.about.cohort)))?;
    }
    Ok(csv.finish().0)
}
