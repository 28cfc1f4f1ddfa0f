//! Workbooks with typed cells, ready to print.
//!
//! The first sheet says what the list is for and how fresh it is, the second is the list. Text is a text cell: it stays
//! as it is whatever it looks like, and nothing runs. The same sheet gives the same bytes: no date is that of the writing.

mod about;

use arrow::array::{ArrayRef, AsArray};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::cell::{self, Cell};
use super::{Heading, Kind, Sheet};
use crate::cohort::Place;
use crate::error::{Error, Result};

/// Rows that a sheet of a workbook holds, the header among them.
const ROWS: usize = 1_048_576;

/// Characters that a cell holds.
const CHARACTERS: usize = 32_767;

/// From this length on, Excel shows cells of the format "text" as `####`.
const CHARACTERS_AS_TEXT: usize = 255;

const BLUE: u32 = 0x00_5E_B8;
const RED: u32 = 0xB1_0E_1E;
const GREY: u32 = 0xF0_F4_F5;
const LINE: u32 = 0xAE_B7_BD;

pub(super) fn bytes(sheet: &Sheet) -> Result<Vec<u8>> {
    let cohort = &sheet.about.cohort;
    if sheet.rows.num_rows() >= ROWS {
        return Err(Error::Check(format!(
            "cohort {cohort}: a list of {} people is longer than a workbook's sheet; nothing was written",
            sheet.rows.num_rows()
        )));
    }
    let rows = rows(sheet)?;
    workbook(sheet, &rows).map_err(|_| Error::Fault(format!("cohort {cohort}: a list cannot be written as a workbook")))
}

/// What is read and printed first; what is the same in every row stands on the first sheet too, so here it comes last.
fn columns(sheet: &Sheet) -> Vec<(&Heading, &ArrayRef)> {
    let (last, first): (Vec<_>, Vec<_>) = sheet.for_people().partition(|(heading, _)| is_same(heading.kind, sheet));
    first.into_iter().chain(last).collect()
}

fn is_same(kind: Kind, sheet: &Sheet) -> bool {
    let of_recipient = |column: &ArrayRef| {
        let teams = column.as_string_opt::<i32>();
        teams.is_some_and(|teams| teams.iter().flatten().all(|team| team == sheet.recipient))
    };
    match kind {
        Kind::Team => sheet.column(kind).is_ok_and(of_recipient),
        kind => matches!(kind, Kind::DataUpTo | Kind::AsOf | Kind::ValidUntil),
    }
}

/// The cells of every row, each short enough.
fn rows(sheet: &Sheet) -> Result<Vec<Vec<Cell>>> {
    let columns = columns(sheet);
    let row = |row: usize| {
        let cells = columns.iter().map(|(heading, column)| {
            let cell = cell::cell(column, row)?;
            if cell.text("\n").chars().count() > CHARACTERS {
                return Err(Error::Check(format!(
                    "cohort {}: row {} of a list has more text in `{}` than a workbook's cell holds",
                    sheet.about.cohort,
                    row + 1,
                    heading.column
                )));
            }
            Ok(cell)
        });
        cells.collect()
    };
    (0..sheet.rows.num_rows()).map(row).collect()
}

fn workbook(sheet: &Sheet, rows: &[Vec<Cell>]) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let about = &sheet.about;
    let properties = DocProperties::new().set_title(&about.title).set_subject(&about.purpose);
    workbook.set_properties(&properties.set_creation_datetime(&day(about.as_of)?));
    about::write(workbook.add_worksheet(), sheet)?;
    list(workbook.add_worksheet(), sheet, rows)?;
    workbook.save_to_buffer()
}

fn list(page: &mut Worksheet, sheet: &Sheet, rows: &[Vec<Cell>]) -> std::result::Result<(), XlsxError> {
    page.set_name("List")?.set_freeze_panes(1, 3)?.set_repeat_rows(0, 0)?;
    page.set_landscape().set_paper_size(A4).set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    page.set_header(format!("&L{}&R{}", plain(&sheet.about.title), plain(&sheet.recipient)));
    let warned =
        if is_stale(sheet) { format!("&C&B&K{RED:06X}Stale data: see the first sheet") } else { String::new() };
    let as_of = sheet.about.as_of;
    page.set_footer(format!("&LConfidential: for direct care. As of {as_of}{warned}&RPage &P of &N"));
    let header = Format::new().set_bold().set_font_color(Color::White).set_background_color(Color::RGB(BLUE));
    let header = header.set_text_wrap().set_align(FormatAlign::Top).set_border(FormatBorder::Thin);
    let header = header.set_border_color(Color::RGB(LINE));
    let headings: Vec<&Heading> = columns(sheet).into_iter().map(|(heading, _)| heading).collect();
    for (heading, column) in headings.iter().zip(0_u16..) {
        page.set_column_width(column, width(heading.kind))?;
        page.write_string_with_format(0, column, &heading.heading, &header)?;
    }
    let tall = headings.iter().map(|heading| lines(&heading.heading, width(heading.kind) - 3.0)).fold(1.0, f64::max);
    page.set_row_height(0, LINE_POINTS * tall)?;
    let reserve = headings.iter().position(|heading| heading.kind == Kind::Status);
    for (cells, row) in rows.iter().zip(1_u32..) {
        let in_reserve = reserve.and_then(|at| cells.get(at)) == Some(&Cell::Text(Place::Reserve.name().to_owned()));
        for ((heading, cell), column) in headings.iter().zip(cells).zip(0_u16..) {
            let format = format(heading.kind, cell, in_reserve);
            let warned = heading.kind == Kind::DataUpTo && is_stale(sheet);
            write(page, row, column, cell, &if warned { red(format) } else { format })?;
        }
        let texts = headings.iter().zip(cells).filter(|(heading, _)| !is_same(heading.kind, sheet));
        let tall = texts.map(|(heading, cell)| lines(&cell.text("\n"), width(heading.kind))).fold(1.0, f64::max);
        page.set_row_height(row, LINE_POINTS * tall)?;
    }
    let last = u16::try_from(headings.len().saturating_sub(1)).unwrap_or(u16::MAX);
    page.autofilter(0, 0, u32::try_from(rows.len()).unwrap_or(u32::MAX), last)?;
    let printed: Vec<f64> =
        headings.iter().filter(|heading| !is_same(heading.kind, sheet)).map(|heading| width(heading.kind)).collect();
    // On one page so wide nobody could read it: who is meant is printed again on the next.
    let pages = if printed.iter().sum::<f64>() > READABLE { 2 } else { 1 };
    page.set_print_fit_to_pages(pages, 0).set_repeat_columns(0, 2)?;
    let last = u16::try_from(printed.len().saturating_sub(1)).unwrap_or(u16::MAX);
    page.set_print_area(0, 0, u32::try_from(rows.len()).unwrap_or(u32::MAX), last)?;
    Ok(())
}

fn write(
    page: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    format: &Format,
) -> std::result::Result<(), XlsxError> {
    match cell {
        Cell::Empty => page.write_blank(row, column, format)?,
        Cell::Integer(number) => page.write_with_format(row, column, *number, format)?,
        Cell::Number(number) => page.write_with_format(row, column, *number, format)?,
        Cell::Date(date) => page.write_with_format(row, column, &day(*date)?, format)?,
        Cell::Text(_) | Cell::Texts(_) | Cell::YesNo(_) => {
            page.write_string_with_format(row, column, cell.text("\n"), format)?
        }
    };
    Ok(())
}

fn format(kind: Kind, cell: &Cell, in_reserve: bool) -> Format {
    let format = Format::new().set_align(FormatAlign::Top).set_text_wrap();
    let format = format.set_border(FormatBorder::Thin).set_border_color(Color::RGB(LINE));
    let format = match cell {
        Cell::Date(_) => format.set_num_format("d mmm yyyy"),
        Cell::Text(text) if text.chars().count() <= CHARACTERS_AS_TEXT => format.set_num_format("@"),
        _ => format,
    };
    let format = match kind {
        Kind::Rank => format.set_bold().set_font_size(14).set_align(FormatAlign::Center),
        Kind::BeforeCalling => format.set_bold(),
        Kind::Score | Kind::Detail | Kind::Standing => format.set_align(FormatAlign::Left),
        _ => format,
    };
    if in_reserve { format.set_background_color(Color::RGB(GREY)).set_italic() } else { format }
}

/// Whether a source that this list rests on is older than it should be.
fn is_stale(sheet: &Sheet) -> bool {
    sheet.about.sources.iter().any(|source| source.counts_here && source.stale)
}

fn red(format: Format) -> Format {
    format.set_bold().set_font_color(Color::RGB(RED))
}

/// How many lines a text takes in a column so wide: not every program makes a row fit what it holds.
fn lines(text: &str, width: f64) -> f64 {
    let letters = |line: &str| f64::from(u32::try_from(line.chars().count()).unwrap_or(u32::MAX));
    // Words do not fill a line to its end.
    text.split('\n').map(|line| (letters(line) * 1.15 / width).ceil().max(1.0)).sum::<f64>().min(MOST_LINES)
}

const LINE_POINTS: f64 = 15.0;

/// A row is at most 409 points high.
const MOST_LINES: f64 = 27.0;

/// In characters.
fn width(kind: Kind) -> f64 {
    match kind {
        Kind::Rank => 6.0,
        Kind::Status => 9.0,
        Kind::Person | Kind::Team => 18.0,
        Kind::Score | Kind::Probability | Kind::Band => 12.0,
        Kind::Risk => 16.0,
        Kind::Reasons => 50.0,
        Kind::Action => 30.0,
        Kind::BeforeCalling => 14.0,
        Kind::Detail | Kind::Standing => 11.0,
        Kind::Gaps => 20.0,
        Kind::DataUpTo => 44.0,
        Kind::AsOf | Kind::ValidUntil => 12.0,
    }
}

/// The width of a list, in characters, that can be read when it is printed on one page.
const READABLE: f64 = 170.0;

/// The paper of the United Kingdom, as workbooks number it.
const A4: u8 = 9;

fn day(date: jiff::civil::Date) -> std::result::Result<ExcelDateTime, XlsxError> {
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    ExcelDateTime::from_ymd(u16::try_from(date.year()).unwrap_or_default(), part(date.month()), part(date.day()))
}

/// Text in a page header, where `&` begins a command.
fn plain(text: &str) -> String {
    text.chars().take(100).collect::<String>().replace('&', "&&")
}
