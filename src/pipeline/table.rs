//! A small CSV of a declaration (code list, value set, points, terms): header names decide, every line keeps its number.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::problem::Problem;

/// Fields of one line; a line with more ends the table.
const MAX_FIELDS: usize = 1024;

/// What is wrong on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// From 1.
    pub line: usize,
    pub message: String,
}

impl LineProblem {
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// With the file and the line itself.
    pub fn located(&self, file: &str, text: &str) -> Problem {
        let mut lines = text.split_inclusive('\n');
        let start: usize = lines.by_ref().take(self.line.saturating_sub(1)).map(str::len).sum();
        let length = lines.next().map_or(0, |line| line.trim_end().len());
        Problem::new(file, self.message.as_str()).at(text, start..start + length)
    }
}

/// Rows by column name, cells trimmed.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<Row>,
}

#[derive(Debug)]
pub struct Row {
    /// The line it begins on; the header is line 1.
    pub line: usize,
    header: std::sync::Arc<[String]>,
    cells: Vec<String>,
}

impl Row {
    /// Empty when there is no such column.
    pub fn get(&self, column: &str) -> &str {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    pub fn problem(&self, message: impl Into<String>) -> LineProblem {
        LineProblem::new(self.line, message)
    }
}

impl Table {
    /// Splits the text; blank lines are left out.
    pub fn read(text: &str, required: &[&str]) -> Result<Self, Vec<LineProblem>> {
        let mut records = split(text.trim_start_matches('\u{feff}')).into_iter();
        let header: std::sync::Arc<[String]> = records
            .next()
            .map(|(_, cells)| cells.into_iter().map(|cell| cell.to_lowercase()).collect())
            .unwrap_or_default();
        let mut problems: Vec<LineProblem> = required
            .iter()
            .filter(|name| !header.iter().any(|column| column == *name))
            .map(|name| LineProblem::new(1, format!("the column `{name}` is missing")))
            .collect();
        let twice =
            header.iter().enumerate().find(|(at, name)| header.iter().take(*at).any(|earlier| earlier == *name));
        if let Some((_, name)) = twice {
            problems.push(LineProblem::new(1, format!("the column `{name}` is there twice")));
        }
        let mut rows = Vec::new();
        for (line, cells) in records {
            if cells.len() <= header.len() && cells.iter().all(String::is_empty) {
                continue;
            }
            if cells.len() != header.len() {
                let message = format!("{} fields where the header has {}", cells.len(), header.len());
                problems.push(LineProblem::new(line, message));
            }
            rows.push(Row { line, header: header.clone(), cells });
        }
        if problems.is_empty() { Ok(Self { rows }) } else { Err(problems) }
    }
}

/// Records with the line each begins on.
pub fn split(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut reader = ReaderBuilder::new().build();
    let mut input = text.as_bytes();
    let mut output = vec![0; input.len() + 1];
    let mut ends = vec![0; MAX_FIELDS];
    let (mut filled, mut fields) = (0, 0);
    let (mut records, mut lines_before, mut line) = (Vec::new(), 0, 1);
    loop {
        let room = (output.get_mut(filled..).unwrap_or_default(), ends.get_mut(fields..).unwrap_or_default());
        let (result, read, wrote, ended) = reader.read_record(input, room.0, room.1);
        let (taken, rest) = input.split_at(read.min(input.len()));
        // The reader skips blank lines in front of a record; they belong to none.
        let skipped =
            taken.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
        if filled == 0 && fields == 0 {
            line = 1 + lines_before + skipped;
        }
        lines_before += taken.iter().filter(|byte| **byte == b'\n').count();
        input = rest;
        filled += wrote;
        fields += ended;
        match result {
            ReadRecordResult::Record => {
                let mut start = 0;
                let mut cells = Vec::with_capacity(fields);
                for end in ends.iter().take(fields) {
                    let cell = output.get(start..*end).unwrap_or_default();
                    cells.push(String::from_utf8_lossy(cell).trim().to_owned());
                    start = *end;
                }
                records.push((line, cells));
                (filled, fields) = (0, 0);
            }
            ReadRecordResult::OutputEndsFull => {
                // As one row of another width than the header's, which is refused.
                records.push((line, vec![String::new(); MAX_FIELDS + 1]));
                return records;
            }
            ReadRecordResult::End | ReadRecordResult::OutputFull => return records,
            ReadRecordResult::InputEmpty => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_name_and_lines_keep_their_numbers() {
        let text = "\u{feff}Code, category\r\n\r\nI50,\"heart\nfailure\"\nE11,diabetes\n\n\nJ44,copd";
        let table = Table::read(text, &["code", "category"]).unwrap();
        let rows: Vec<_> = table.rows.iter().map(|row| (row.line, row.get("code"), row.get("category"))).collect();
        assert_eq!(rows, [(3, "I50", "heart\nfailure"), (5, "E11", "diabetes"), (8, "J44", "copd")]);
    }

    #[test]
    fn a_table_of_another_shape_is_refused() {
        let problems = |text: &str| Table::read(text, &["code", "category"]).unwrap_err();
        assert_eq!(problems("code,kind\nI50,x"), [LineProblem::new(1, "the column `category` is missing")]);
        assert_eq!(
            problems("code,category\nI50\nE11,x,y"),
            [
                LineProblem::new(2, "1 fields where the header has 2"),
                LineProblem::new(3, "3 fields where the header has 2"),
            ]
        );
        assert_eq!(problems("").len(), 2);
        assert_eq!(problems(&format!("code,category\n{}\n", "x,".repeat(5000))).len(), 1);
        assert_eq!(problems("code,category,code\n"), [LineProblem::new(1, "the column `code` is there twice")]);
    }
}
