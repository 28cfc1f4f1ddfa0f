//! CSV as RFC 4180 says, safe to open in a spreadsheet.
//!
//! A text that a spreadsheet could take for a formula gets an apostrophe in front; in the lists of a cohort, so does one
//! that it would turn into a number or a date (`00123`, `1E5`, `MAR1`, sixteen digits). To read the text as it was, take
//! one apostrophe off where a text begins with apostrophes and what follows them (white space aside) is one of
//! `= + - @`, or reads as a number or a date.

use jiff::civil::Date;

use crate::pipeline::table;
use crate::pseudonym::Pseudonym;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A typed cell: only text can be mistaken for a formula, so only text is changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'a> {
    Text(&'a str),
    /// A token, as text.
    Token(&'a Pseudonym),
    /// Text that a spreadsheet must neither run nor turn into a number or a date: tokens, codes.
    Exact(&'a str),
    Integer(i64),
    /// Printed as the shortest decimal that reads back to the same number.
    Number(f64),
    /// A number as it is shown: digits with their sign and point, or what stands for a hidden one.
    Shown(&'a str),
    Date(Date),
    Empty,
}

/// Rows of one file, all as wide as the header.
pub(crate) struct CsvText {
    bytes: Vec<u8>,
    columns: usize,
    rows: u64,
}

/// The records of a published CSV, its header first.
pub fn read(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(bytes);
    table::split(text.trim_start_matches(BYTE_ORDER_MARK)).into_iter().map(|(_, record)| record).collect()
}

/// Why a row cannot be written.
pub(crate) enum BadRow {
    Width,
    NotFinite,
}

impl CsvText {
    /// With a byte-order mark, without which Excel takes UTF-8 for Windows-1252.
    pub(crate) fn for_spreadsheets<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut csv = Self::new(header);
        csv.bytes.splice(0..0, BYTE_ORDER_MARK.to_string().into_bytes());
        csv
    }

    pub(super) fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut csv = Self { bytes: Vec::new(), columns: 0, rows: 0 };
        for heading in header {
            csv.separate(csv.columns);
            csv.text(heading);
            csv.columns += 1;
        }
        csv.bytes.push(b'\n');
        csv
    }

    pub(crate) fn row<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) -> Result<(), BadRow> {
        let mut width = 0;
        for field in fields {
            self.separate(width);
            self.field(&field)?;
            width += 1;
        }
        if width != self.columns {
            return Err(BadRow::Width);
        }
        self.bytes.push(b'\n');
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> (Vec<u8>, u64) {
        (self.bytes, self.rows)
    }

    fn separate(&mut self, column: usize) {
        if column > 0 {
            self.bytes.push(b',');
        }
    }

    fn field(&mut self, field: &Field<'_>) -> Result<(), BadRow> {
        match field {
            Field::Text(text) => self.text(text),
            Field::Token(token) => self.text(&token.reveal()),
            // What begins a formula is guarded as every text is.
            Field::Exact(text) if !begins_formula(text) && changes_type(text.trim_start_matches('\'')) => {
                self.text(&format!("'{text}"));
            }
            Field::Exact(text) => self.text(text),
            Field::Integer(number) => self.bytes.extend_from_slice(number.to_string().as_bytes()),
            Field::Number(number) if !number.is_finite() => return Err(BadRow::NotFinite),
            Field::Number(number) => self.bytes.extend_from_slice(number.to_string().as_bytes()),
            Field::Shown(number) => self.bytes.extend_from_slice(number.as_bytes()),
            Field::Date(date) => self.bytes.extend_from_slice(date.to_string().as_bytes()),
            Field::Empty => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if !begins_formula(text) && text.bytes().all(is_plain) {
            return self.bytes.extend_from_slice(text.as_bytes());
        }
        let safe = no_formula(text);
        // `;` and TAB too: where they separate, what follows one would begin a cell.
        if safe.contains([',', '"', '\n', '\r', ';', '\t']) {
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(safe.replace('"', "\"\"").as_bytes());
            self.bytes.push(b'"');
        } else {
            self.bytes.extend_from_slice(safe.as_bytes());
        }
    }
}

/// Whether a byte is written as it stands, and begins no cell after it.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, b',' | b'"' | b'\n' | b'\r' | b';' | b'\t' | b'\0')
}

/// The text with an apostrophe wherever a spreadsheet, of whatever separator, could see a formula begin.
fn no_formula(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    let mut begins_cell = true;
    for (at, character) in text.char_indices() {
        if begins_cell && text.get(at..).is_some_and(begins_formula) {
            safe.push('\'');
        }
        begins_cell = matches!(character, ';' | '\t' | '\n' | '\r');
        safe.push(if character == '\0' { char::REPLACEMENT_CHARACTER } else { character });
    }
    safe
}

fn begins_formula(text: &str) -> bool {
    let invisible =
        |c: char| c == '\'' || c.is_whitespace() || matches!(c, '\0' | '\u{200b}'..='\u{200f}' | '\u{feff}');
    let first = text.trim_start_matches(invisible).chars().next();
    text.starts_with(['\t', '\r'])
        || first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
}

/// Whether a spreadsheet would read the text as a number, a date, a time or a truth value.
fn changes_type(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "true" | "false") {
        return true;
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let is_part =
        |word: &str| matches!(word, "e" | "am" | "pm") || MONTHS.iter().any(|month| is_short_for(word, month));
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let others = text.chars().filter(|c| !c.is_alphabetic());
    words.clone().count() <= 2
        && words.clone().all(is_part)
        && others.clone().all(|c| c.is_ascii_digit() || c.is_whitespace() || ".,:/-+%()£$€".contains(c))
        && !(text.starts_with('e') && words.count() == 1)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// `mar`, `sept`, `march`: three letters of a month or more.
fn is_short_for(word: &str, month: &str) -> bool {
    word.len() >= 3 && month.starts_with(word)
}

/// Records in a file written here, without the header.
pub(super) fn records(bytes: &[u8]) -> u64 {
    let mut quoted = false;
    let mut lines = 0_u64;
    for byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => lines += 1,
            _ => {}
        }
    }
    lines.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(field: Field<'_>) -> String {
        let mut csv = CsvText::new(["h"]);
        assert!(csv.row([field]).is_ok());
        let (bytes, rows) = csv.finish();
        assert_eq!(rows, 1);
        assert_eq!(records(&bytes), 1);
        let text = String::from_utf8(bytes).unwrap();
        text.strip_prefix("h\n").unwrap().strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn no_text_begins_a_formula() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+44 20", "'+44 20"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t'=1\""),
            ("\rx", "\"'\rx\""),
            (" =1", "' =1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("\0=1", "'\u{fffd}=1"),
            ("＝1", "'＝1"),
            ("＠x", "'＠x"),
            ("a;=1+1;b", "\"a;'=1+1;b\""),
            ("a\n=1", "\"a\n'=1\""),
            ("\"=1", "\"\"\"=1\""),
            ("'=1", "''=1"),
            ("'t Hooft", "'t Hooft"),
            ("a=b", "a=b"),
            ("well-known, \"quoted\"", "\"well-known, \"\"quoted\"\"\""),
            ("3 emergency admissions", "3 emergency admissions"),
            ("", ""),
        ];
        for (text, written) in cases {
            assert_eq!(line(Field::Text(text)), written, "{text:?}");
        }
    }

    #[test]
    fn no_token_becomes_a_number_or_a_date() {
        for text in [
            "00123",
            "1E5",
            "1e+05",
            "MAR1",
            "1-Mar",
            "sept 2026",
            "1234567890123456",
            "12:30",
            "1/2",
            "2026-04-01",
            "TRUE",
            "false",
            "50%",
            "1,000",
            "£5",
            "3 pm",
            "'00123",
            "(5)",
        ] {
            assert_eq!(line(Field::Exact(text)).trim_matches('"'), format!("'{text}"), "{text:?}");
        }
        for text in ["A81001", "E01000001", "t-agnes", "MARGE1", "12345678-abcd", "March", "North 1", "e5", "", "1F2E"]
        {
            assert_eq!(line(Field::Exact(text)), text, "{text:?}");
        }
        assert_eq!(line(Field::Text("00123")), "00123");
    }

    #[test]
    fn a_byte_order_mark_stands_first_and_is_no_part_of_a_heading() {
        let mut csv = CsvText::for_spreadsheets(["person"]);
        assert!(csv.row([Field::Text("é")]).is_ok());
        let (bytes, _) = csv.finish();
        assert_eq!(bytes, b"\xef\xbb\xbfperson\n\xc3\xa9\n");
        assert_eq!(read(&bytes), [["person"], ["é"]]);
        assert_eq!(records(&bytes), 1);
    }

    #[test]
    fn typed_cells_are_as_they_are() {
        assert_eq!(line(Field::Integer(-3)), "-3");
        assert_eq!(line(Field::Number(-0.1)), "-0.1");
        assert_eq!(line(Field::Number(0.1 + 0.2)), "0.30000000000000004");
        assert_eq!(line(Field::Date(jiff::civil::date(2026, 4, 1))), "2026-04-01");
        assert_eq!(line(Field::Empty), "");
    }

    #[test]
    fn a_row_that_does_not_fit_is_refused() {
        let mut csv = CsvText::new(["a", "b"]);
        assert!(matches!(csv.row([Field::Empty]), Err(BadRow::Width)));
        let mut csv = CsvText::new(["a"]);
        assert!(matches!(csv.row([Field::Number(f64::NAN)]), Err(BadRow::NotFinite)));
        assert!(matches!(csv.row([Field::Number(f64::INFINITY)]), Err(BadRow::NotFinite)));
    }
}
