//! The search for tokens in what may leave the building.
//!
//! Types keep rows out of `aggregate/`; this is the second lock on the same door, over the bytes themselves.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use hashbrown::HashSet;

use super::draft::ending;
use super::earlier::read_parquet;
use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;

/// From this length on a token is found inside other text too; a shorter one only as a whole word.
const LENGTH_FOUND_ANYWHERE: usize = 8;

/// The tokens of a run, ready to be looked for.
pub(crate) struct Tokens<'a> {
    tokens: HashSet<&'a Pseudonym>,
    /// Of tokens found anywhere, ascending.
    lengths: Vec<usize>,
    /// By byte: whether a token found anywhere holds it.
    holds: [bool; 256],
    /// Whether there are tokens that are found as a whole word only.
    short: bool,
    /// Short and all digits: a category or a year looks the same.
    pub(crate) not_searchable: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(tokens: &'a [Pseudonym]) -> Self {
        let is_searchable = |token: &str| {
            token.len() >= LENGTH_FOUND_ANYWHERE
                || token.bytes().any(|byte| !byte.is_ascii_digit()) && !token.is_empty()
        };
        let mut looked_for = HashSet::with_capacity(tokens.len());
        let (mut lengths, mut holds) = (BTreeSet::new(), [false; 256]);
        let (mut short, mut not_searchable) = (false, 0);
        for token in tokens {
            let text = token.reveal();
            if !is_searchable(&text) {
                not_searchable += 1;
                continue;
            }
            looked_for.insert(token);
            if text.len() < LENGTH_FOUND_ANYWHERE {
                short = true;
                continue;
            }
            lengths.insert(text.len());
            text.bytes().for_each(|byte| holds[usize::from(byte)] = true);
        }
        Self { tokens: looked_for, lengths: lengths.into_iter().collect(), holds, short, not_searchable }
    }

    /// Whether any token stands in the text.
    pub(crate) fn any_in(&self, text: &[u8]) -> bool {
        let is_token = |part: &[u8]| str::from_utf8(part).is_ok_and(|part| self.tokens.contains(&Pseudonym::new(part)));
        // No token lies across a byte that none holds.
        let mut stretches = text.split(|byte| !self.holds[usize::from(*byte)]);
        let anywhere =
            stretches.any(|stretch| self.lengths.iter().any(|length| stretch.windows(*length).any(is_token)));
        // A short token may hold dashes and the like: a word ends where a cell or a sentence would.
        anywhere || self.short && text.split(|byte| b",;\"'<>\n\r\t ".contains(byte)).any(is_token)
    }

    /// Whether any token stands in a file, whatever its format, or in its name.
    pub(crate) fn any_in_file(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let unreadable = || Error::Check(format!("{path} cannot be searched for tokens"));
        let texts = match ending(path) {
            "xlsx" => parts(bytes).ok_or_else(unreadable)?,
            "parquet" => vec![cells(bytes)?],
            "worklist.html" => vec![unescaped(bytes)],
            _ => Vec::new(),
        };
        Ok(self.any_in(path.as_bytes()) || self.any_in(bytes) || texts.iter().any(|text| self.any_in(text)))
    }
}

/// The parts of a workbook, as text.
fn parts(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut texts = Vec::new();
    for at in 0..archive.len() {
        let mut text = Vec::new();
        archive.by_index(at).ok()?.read_to_end(&mut text).ok()?;
        texts.push(unescaped(&text));
    }
    Some(texts)
}

/// The cells of a table, one a line.
fn cells(bytes: &[u8]) -> Result<Vec<u8>> {
    let batch = read_parquet(bytes.to_vec())?;
    let mut text = String::new();
    for column in batch.columns() {
        let cells = ArrayFormatter::try_new(column, &FormatOptions::default())?;
        (0..column.len()).for_each(|row| text.push_str(&format!("{}\n", cells.value(row))));
    }
    Ok(text.into_bytes())
}

/// XML and HTML as they are read.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ];
    let text = String::from_utf8_lossy(bytes).into_owned();
    marks.into_iter().fold(text, |text, (mark, character)| text.replace(mark, character)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(tokens: &[&str], text: &str) -> bool {
        let tokens: Vec<Pseudonym> = tokens.iter().map(|token| Pseudonym::new(*token)).collect();
        Tokens::new(&tokens).any_in(text.as_bytes())
    }

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let uuid = "0f8fad5b-d9cd-469f-a165-70867728950e";
        assert!(finds(&[uuid], &format!("practice,people\nx{uuid}y,10\n")));
        assert!(finds(&["P7", uuid], "practice,people\nP7,10\n"));
        assert!(finds(&["P-7"], "\"seen by P-7\",10\n"));
        assert!(finds(&["12345678"], "a,12345678\n"));
        assert!(!finds(&["P7", uuid], "practice,people\nP78,10\n"));
        assert!(!finds(&[], "practice,people\nP7,10\n"));
    }

    #[test]
    fn a_token_is_found_in_compressed_and_in_escaped_files() {
        use std::io::Write as _;
        let tokens = [Pseudonym::new("aGVsbG8/d29ybGQ=")];
        let mut workbook = zip::ZipWriter::new(Cursor::new(Vec::new()));
        workbook.start_file("xl/sharedStrings.xml", zip::write::SimpleFileOptions::default()).unwrap();
        workbook.write_all(&b"<t>nobody</t>".repeat(50)).unwrap();
        workbook.write_all(b"<t>aGVsbG8/d29ybGQ=</t>").unwrap();
        let workbook = workbook.finish().unwrap().into_inner();
        let table = |text: &str| {
            let texts: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::StringArray::from(vec![text; 50]));
            let batch = arrow::record_batch::RecordBatch::try_from_iter([("note", texts)]).unwrap();
            super::super::parquet_bytes(&(&batch).into(), 1).unwrap()
        };
        let held = |path: &str, bytes: &[u8]| Tokens::new(&tokens).any_in_file(path, bytes).unwrap();
        assert!(held("to/x/list.xlsx", &workbook));
        assert!(held("to/x/list.parquet", &table("aGVsbG8/d29ybGQ=")) && !held("to/x/list.parquet", &table("nobody")));
        assert!(held("to/x/list.worklist.html", b"<td>aGVsbG8&#x2f;d29ybGQ=</td>"));
        assert!(held("to/x/list.ids.txt", b"aGVsbG8/d29ybGQ=\n") && !held("to/x/list.ids.txt", b"aGVsbG8\n"));
        assert!(Tokens::new(&tokens).any_in_file("to/x/list.xlsx", b"no archive").is_err());
    }

    #[test]
    fn a_short_number_is_no_proof_of_a_person() {
        assert!(!finds(&["10"], "decile,people\n10,10\n"));
        let tokens = [Pseudonym::new("10"), Pseudonym::new("P10")];
        assert_eq!(Tokens::new(&tokens).not_searchable, 1);
    }
}
