//! The files of a run before any of them is written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;

use parquet::errors::ParquetError;
use parquet::file::metadata::{FooterTail, ParquetMetaDataReader};
use sha2::{Digest, Sha256};

use super::bytes::{Bytes, Growing};
use super::csv::{self, BadRow, CsvText, Field};
use super::encode::write_parquet;
use crate::aside::no_room;
use crate::columns::Columns;
use crate::disclosure::{self, AggregateTable, Before, Cell, Rule};
use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;
use crate::receipt::Output;
use crate::report::{self, Facts};
use crate::sheet;

/// Files by path within the run, each under `person/`, `aggregate/` or `to/` by the call that made it.
#[derive(Debug)]
pub struct Draft {
    pub(super) files: BTreeMap<String, DraftFile>,
    /// Aggregate tables, in the order in which they were added: what is released together, and what the report is made of.
    tables: Vec<AggregateTable>,
    workers: usize,
    /// Whether tables of everyone wait on the disk.
    on_disk: bool,
}

pub(super) struct DraftFile {
    pub(super) bytes: Bytes,
    pub(super) sha256: String,
    pub(super) rows: Option<u64>,
}

/// Says how large, never what: the bytes are about people.
impl std::fmt::Debug for DraftFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftFile").field("bytes", &self.bytes.len()).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Draft {
    /// Whose files are made by so many workers.
    pub fn new(workers: usize) -> Self {
        Self { files: BTreeMap::new(), tables: Vec::new(), workers, on_disk: false }
    }

    /// The same, whose tables of everyone wait on the disk until they are written, if so asked.
    pub fn on_disk(self, on_disk: bool) -> Self {
        Self { on_disk, ..self }
    }

    /// How many workers make something of it.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Adds `person/<path>` with rows as wide as the header, in the order given.
    pub fn person_csv<'a, R>(&mut self, path: &str, header: &[&str], rows: impl IntoIterator<Item = R>) -> Result<()>
    where
        R: IntoIterator<Item = Field<'a>>,
    {
        let (bytes, rows) = csv_bytes(path, header, rows)?;
        self.add("person", path, bytes, Some(rows))
    }

    /// Adds `person/<path>`: all rows at once, because where batches end would show in the bytes.
    pub fn person_parquet(&mut self, path: &str, table: impl Into<Columns>) -> Result<()> {
        self.parquet(path, None, &table.into())
    }

    /// Adds `person/<path>` with a row for each of these people: their token in the column `person`, then the columns.
    pub fn people_parquet(&mut self, path: &str, people: &[Pseudonym], columns: &Columns) -> Result<()> {
        self.parquet(path, Some(people), columns)
    }

    fn parquet(&mut self, path: &str, people: Option<&[Pseudonym]>, table: &Columns) -> Result<()> {
        let to = Growing::new(self.on_disk && people.is_some())?;
        let written = write_parquet(to, people, table, self.workers).map_err(|error| match &error {
            ParquetError::External(error) if let Some(error) = error.downcast_ref() => no_room(error),
            _ => Error::Fault(format!("person/{path}: the columns cannot be written as Parquet")),
        });
        let (bytes, sha256) = written?.finish()?;
        let rows = u64::try_from(table.num_rows()).ok();
        self.insert(checked("person", path)?, DraftFile { bytes, sha256, rows })
    }

    /// Adds `person/<path>` as it is.
    pub fn person_bytes(&mut self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let rows = rows_in(path, &bytes)?;
        self.add("person", path, bytes, rows)
    }

    /// Adds `to/<path>`, which is sent, as it is.
    pub(crate) fn sent_bytes(&mut self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let rows = rows_in(path, &bytes)?;
        self.add("to", path, bytes, rows)
    }

    /// Adds `to/<path>`, which is sent, with rows as wide as the header, in the order given.
    pub(crate) fn sent_csv<'a, R>(
        &mut self,
        path: &str,
        header: &[&str],
        rows: impl IntoIterator<Item = R>,
    ) -> Result<()>
    where
        R: IntoIterator<Item = Field<'a>>,
    {
        let (bytes, rows) = csv_bytes(path, header, rows)?;
        self.add("to", path, bytes, Some(rows))
    }

    /// The files below `to/`, which are sent: path and bytes.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter().filter(|(path, _)| path.starts_with("to/"));
        files.map(|(path, file)| (path.as_str(), file.bytes.held()))
    }

    /// Adds `aggregate/<name>.csv`.
    pub fn aggregate(&mut self, table: &AggregateTable) -> Result<()> {
        let bytes = aggregate_csv(table)?;
        self.tables.push(table.clone());
        self.add("aggregate", &format!("{}.csv", table.name()), bytes, Some(table.rows().len() as u64))
    }

    /// Hides in all tables so far what could be worked out from them together and from those of the run before, adds the
    /// tables that `computed` makes of what is then shown, and says in `aggregate/sdc.json` what was hidden.
    pub fn release(
        &mut self,
        rule: Rule,
        before: &Before,
        computed: &dyn Fn(&[AggregateTable]) -> Result<Vec<AggregateTable>>,
    ) -> Result<()> {
        let mut tables = std::mem::take(&mut self.tables);
        let mut decisions = disclosure::release(rule, &mut tables, before);
        let further = computed(&tables)?;
        decisions.add(&further);
        tables.extend(further);
        for table in &tables {
            self.files.remove(&format!("aggregate/{}.csv", table.name()));
            self.aggregate(table)?;
        }
        let decisions = serde_json::to_vec(&decisions).map_err(|_| Error::Fault("decisions are no JSON".to_owned()))?;
        self.add("aggregate", "sdc.json", decisions, None)
    }

    /// Adds `aggregate/report.html`: the page of every aggregate table.
    pub fn report(&mut self, facts: &Facts) -> Result<()> {
        let page = report::page(facts, &self.tables)?;
        self.add("aggregate", "report.html", page.html().as_bytes().to_vec(), None)
    }

    /// The aggregate tables, as they are released.
    pub fn tables(&self) -> &[AggregateTable] {
        &self.tables
    }

    fn add(&mut self, folder: &str, path: &str, bytes: Vec<u8>, rows: Option<u64>) -> Result<()> {
        let path = checked(folder, path)?;
        let sha256 = sha256(&bytes);
        self.insert(path, DraftFile { bytes: Bytes::Held(bytes), sha256, rows })
    }

    /// Adds what another draft holds.
    pub fn append(&mut self, other: Self) -> Result<()> {
        for (path, file) in other.files {
            self.insert(path, file)?;
        }
        self.tables.extend(other.tables);
        Ok(())
    }

    fn insert(&mut self, path: String, file: DraftFile) -> Result<()> {
        match self.files.entry(path) {
            Entry::Occupied(there) => Err(Error::Fault(format!("{} was written twice", there.key()))),
            Entry::Vacant(place) => {
                place.insert(file);
                Ok(())
            }
        }
    }

    /// Adds `log.ndjson`, which is about the run and no person.
    pub fn log(&mut self, lines: Vec<u8>) {
        let sha256 = sha256(&lines);
        self.files.insert("log.ndjson".to_owned(), DraftFile { bytes: Bytes::Held(lines), sha256, rows: None });
    }

    /// The lines of the receipt, sorted by path.
    pub(crate) fn outputs(&self) -> Vec<Output> {
        let output = |(path, file): (&String, &DraftFile)| Output {
            path: path.clone(),
            sha256: file.sha256.clone(),
            bytes: file.bytes.len(),
            rows: file.rows,
        };
        self.files.iter().map(output).collect()
    }
}

/// Where a file stands within the run.
fn checked(folder: &str, path: &str) -> Result<String> {
    if path.split('/').all(is_plain) {
        return Ok(format!("{folder}/{path}"));
    }
    Err(Error::Fault(format!("an output under {folder}/ has a path with a part that is no plain name")))
}

/// An aggregate table as its file has it.
pub fn aggregate_csv(table: &AggregateTable) -> Result<Vec<u8>> {
    let mut csv = CsvText::new(table.header().iter().map(String::as_str));
    for row in table.rows() {
        let shown: Vec<String> = row.iter().map(shown).collect();
        let fields = row.iter().zip(&shown).map(|(cell, text)| match cell {
            // A difference below 0 is a number, and no formula.
            Cell::Count(_) => Field::Shown(text),
            Cell::Text(_) | Cell::Empty => Field::Text(text),
        });
        csv.row(fields).map_err(|bad| refused(table.name(), &bad))?;
    }
    Ok(csv.finish().0)
}

/// A file name for a recipient: what is no letter, digit, `-` or `_` becomes `~` and its bytes in hex, so that two
/// recipients never share a file and none leaves its folder.
pub fn file_stem(recipient: &str) -> String {
    let mut stem = String::with_capacity(recipient.len());
    for byte in recipient.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            stem.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(stem, "~{byte:02x}");
        }
    }
    if stem.is_empty() { "~".to_owned() } else { stem }
}

/// Lower-case hex of the SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Rows in a file as it stands: what its receipt must say. None for a kind of file without rows.
pub(super) fn rows_in(path: &str, bytes: &[u8]) -> Result<Option<u64>> {
    match ending(path) {
        "csv" => Ok(Some(csv::records(bytes))),
        "parquet" => parquet_rows(bytes)
            .map(Some)
            .ok_or_else(|| Error::Check(format!("{path} has no Parquet footer that can be read"))),
        other => sheet::rows_in(other, bytes).transpose().map_err(|problem| Error::Check(format!("{path} {problem}"))),
    }
}

/// What follows the first dot of a file's name: its format.
pub(crate) fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or("", |(_, ending)| ending)
}

pub(super) fn parquet_rows(bytes: &[u8]) -> Option<u64> {
    let (before, tail) = bytes.split_last_chunk::<8>()?;
    let length = FooterTail::try_new(tail).ok()?.metadata_length();
    let start = before.len().checked_sub(length)?;
    let metadata = ParquetMetaDataReader::decode_metadata(before.get(start..)?).ok()?;
    u64::try_from(metadata.file_metadata().num_rows()).ok()
}

fn csv_bytes<'a, R>(path: &str, header: &[&str], rows: impl IntoIterator<Item = R>) -> Result<(Vec<u8>, u64)>
where
    R: IntoIterator<Item = Field<'a>>,
{
    let mut csv = CsvText::new(header.iter().copied());
    for row in rows {
        csv.row(row).map_err(|bad| refused(path, &bad))?;
    }
    Ok(csv.finish())
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(label) => label.as_str().to_owned(),
        Cell::Count(disclosed) => disclosed.to_string(),
        Cell::Empty => String::new(),
    }
}

fn is_plain(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
}

fn refused(path: &str, bad: &BadRow) -> Error {
    Error::Fault(match bad {
        BadRow::Width => format!("{path}: a row is not as wide as the header"),
        BadRow::NotFinite => format!("{path}: a number is not finite"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disclosure::Label;

    #[test]
    fn a_difference_below_nothing_is_a_number_and_a_name_is_no_formula() {
        let mut table = AggregateTable::new("t", ["name", "difference"]);
        let below = crate::disclosure::Rule::Hes2018.figure(-3.104, &[]);
        table.row([Cell::Text(Label::new("-1+1")), Cell::Count(below)]).unwrap();
        assert_eq!(String::from_utf8(aggregate_csv(&table).unwrap()).unwrap(), "name,difference\n'-1+1,-3.104\n");
    }

    #[test]
    fn an_aggregate_is_written_as_disclosed() {
        let mut table = AggregateTable::new("gaps", ["practice, code", "people", "share"]);
        let cells = [Cell::Text(Label::new("=A1")), Cell::Count(Rule::Hes2018.count(7)), Cell::Empty];
        table.row(cells).unwrap();
        let mut draft = Draft::new(1);
        draft.aggregate(&table).unwrap();
        let file = &draft.files["aggregate/gaps.csv"];
        assert_eq!(String::from_utf8_lossy(file.bytes.held()), "\"practice, code\",people,share\n'=A1,*,\n");
        assert_eq!(file.rows, Some(1));
    }

    #[test]
    fn no_path_leaves_its_folder_or_comes_twice() {
        let mut draft = Draft::new(1);
        for path in ["../x.csv", "a/../x.csv", "/x.csv", "", "a//b", ".hidden", "a b.csv", "a\\b"] {
            assert!(draft.person_bytes(path, Vec::new()).is_err(), "{path}");
        }
        assert!(draft.person_bytes("lists/x/a.csv", Vec::new()).is_ok());
        assert!(draft.person_bytes("lists/x/a.csv", Vec::new()).is_err());
        let mut other = Draft::new(1);
        other.person_bytes("lists/x/b.csv", Vec::new()).unwrap();
        draft.append(other).unwrap();
        assert!(draft.person_bytes("lists/x/b.csv", Vec::new()).is_err());
        let mut other = Draft::new(1);
        other.person_bytes("lists/x/a.csv", Vec::new()).unwrap();
        assert!(draft.append(other).is_err());
    }

    #[test]
    fn a_recipient_is_a_plain_and_unique_file_name() {
        let recipients = ["Y12345", "North PCN", "../../etc", "a/b", "a~2fb", "A.B", "", "Caffi Ŵ"];
        let stems: Vec<String> = recipients.iter().map(|recipient| file_stem(recipient)).collect();
        assert_eq!(stems[..2], ["Y12345", "North~20PCN"]);
        for (n, stem) in stems.iter().enumerate() {
            assert!(is_plain(stem) && !stems[..n].contains(stem), "{stem}");
        }
    }
}
