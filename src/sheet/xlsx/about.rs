//! The first sheet: what the list is for, on what law and data it stands, and what its columns mean.

use rust_xlsxwriter::{Color, Format, FormatAlign, Worksheet, XlsxError};

use super::super::Sheet;
use super::{A4, BLUE, LINE_POINTS, lines, red};
use crate::cohort::words::spoken_date;

/// In characters.
const WIDTHS: [f64; 3] = [36.0, 30.0, 60.0];

pub(super) fn write(page: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    page.set_name("About this list")?.set_portrait().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    for (width, column) in WIDTHS.into_iter().zip(0_u16..) {
        page.set_column_width(column, width)?;
    }
    let mut row = 0;
    let title = Format::new().set_bold().set_font_size(16).set_font_color(Color::RGB(BLUE));
    page.write_string_with_format(row, 0, &sheet.about.title, &title)?;
    row += 2;
    for (label, text) in facts(sheet) {
        line(page, &mut row, [label, &text, ""], &Format::new())?;
    }
    data(page, &mut row, sheet)?;
    section(page, &mut row, ["What the columns say", "Column in CSV", "Meaning"])?;
    for (heading, _) in sheet.for_people() {
        line(page, &mut row, [&heading.heading, &heading.column, &heading.means], &Format::new())?;
    }
    Ok(())
}

/// What anyone who opens the list should know first.
fn facts(sheet: &Sheet) -> Vec<(&'static str, String)> {
    let about = &sheet.about;
    let (listed, reserve) = sheet.counts().unwrap_or_default();
    let (signed, counts) = (&about.signed_off, &about.people);
    let excluded: u64 = counts.excluded.iter().map(|excluded| excluded.people).sum();
    let mut facts = vec![
        ("For", sheet.recipient.clone()),
        ("Purpose", about.purpose.clone()),
        ("As of", format!("{}; nothing later was known", spoken_date(about.as_of))),
    ];
    facts.extend(about.valid_until.map(|date| ("Use until", spoken_date(date))));
    facts.push((
        "To call",
        format!("{listed} people, and {reserve} in reserve: call those only for a place that falls free"),
    ));
    facts.extend(about.suggested_action.clone().map(|action| ("Suggested action", action)));
    facts.push((
        "Over all teams",
        format!(
            "{} people looked at; {} listed, {} in reserve, {excluded} excluded, {} below the cut",
            counts.scored, counts.listed, counts.reserve, counts.below_the_cut
        ),
    ));
    let until = spoken_date(signed.review_by);
    facts.push(("Criteria signed off by", format!("{}, {}; review by {until}", signed.by, spoken_date(signed.on))));
    facts
}

/// How far each source that counts here reaches, and under which law it is used; what is stale in red.
fn data(page: &mut Worksheet, row: &mut u32, sheet: &Sheet) -> Result<(), XlsxError> {
    section(page, row, ["Made from", "Data up to", "Legal basis"])?;
    for source in sheet.about.sources.iter().filter(|source| source.counts_here) {
        let date = source.data_up_to.map_or_else(|| "no date".to_owned(), spoken_date);
        let (date, format) =
            if source.stale { (format!("{date}: stale"), red(Format::new())) } else { (date, Format::new()) };
        line(page, row, [&source.title, &date, &source.legal_basis], &format)?;
    }
    Ok(())
}

fn section(page: &mut Worksheet, row: &mut u32, words: [&str; 3]) -> Result<(), XlsxError> {
    *row += 1;
    line(page, row, words, &Format::new().set_bold().set_font_color(Color::RGB(BLUE)))
}

fn line(page: &mut Worksheet, row: &mut u32, words: [&str; 3], format: &Format) -> Result<(), XlsxError> {
    let format = format.clone().set_align(FormatAlign::Top).set_text_wrap();
    let [first, second, third] = words;
    let tall = if third.is_empty() {
        page.write_string_with_format(*row, 0, first, &format.clone().set_bold())?;
        page.merge_range(*row, 1, *row, 2, second, &format)?;
        lines(second, WIDTHS[1] + WIDTHS[2])
    } else {
        for (text, column) in words.iter().zip(0_u16..) {
            page.write_string_with_format(*row, column, *text, &format)?;
        }
        words.iter().zip(WIDTHS).map(|(text, width)| lines(text, width)).fold(1.0, f64::max)
    };
    page.set_row_height(*row, LINE_POINTS * tall)?;
    *row += 1;
    Ok(())
}
