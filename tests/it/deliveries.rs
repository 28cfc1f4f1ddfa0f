//! What is delivered, and what is refused: rows A, B1 of the trust table.

mod damage;
mod headers;
mod places;
mod rows;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use parquet::arrow::ArrowWriter;
use riskstrat::error::{Error, Result};
use riskstrat::pipeline::decl::{DisclosureRule, SourceDecl};
use riskstrat::pipeline::{Column, Pipeline, Source};
use riskstrat::source::{self, Delivered, Malformed};
use tempfile::TempDir;

/// Stands in cells; must be in no message.
const CANARY: &str = "CANARY7Q";

/// Four columns, of which the last may be absent, in the folder `gp`.
const GP_EVENTS: &str = r#"{
    "title": "GP events",
    "one_row_is": "one event",
    "legal_basis": "test",
    "files": "gp",
    "ignore": ["EXTRACT_*"],
    "columns": {
        "person": { "from": "PSEUDO_ID", "type": "pseudonym" },
        "date": { "from": "EVENT_DATE", "type": "date" },
        "code": { "from": "SNOMED", "type": "code", "system": "snomed" },
        "note": { "from": "NOTE", "type": "text", "optional": true, "may_be_absent": true }
    }
}"#;

/// A folder of deliveries and the sources that are read from it.
struct Deliveries {
    folder: TempDir,
    pipeline: Pipeline,
}

impl Deliveries {
    fn new(sources: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("gp")).unwrap();
        let pipeline = Pipeline {
            name: "test".to_owned(),
            decl: serde_json::from_str(r#"{"title": "Test", "deliveries": ".", "sources": []}"#).unwrap(),
            as_of: jiff::civil::date(2026, 1, 1),
            deliveries: folder.path().to_owned(),
            sources: sources.iter().map(|(name, json)| declared(name, json)).collect(),
            items: vec![],
            features: vec![],
            models: vec![],
            audits: vec![],
            measures: Default::default(),
            cohorts: vec![],
            outreach: Default::default(),
            codelists: vec![],
            value_sets: Default::default(),
            files: vec![],
            formats: vec![],
            disclosure: DisclosureRule::Hes2018,
            warnings: vec![],
        };
        Self { folder, pipeline }
    }

    fn gp() -> Self {
        Self::new(&[("gp_events", GP_EVENTS)])
    }

    fn gp_with(from: &str, to: &str) -> Self {
        assert!(GP_EVENTS.contains(from));
        Self::new(&[("gp_events", &GP_EVENTS.replace(from, to))])
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn find(&self) -> Result<Delivered> {
        source::find(&self.pipeline)
    }

    /// The error, which must not quote a cell.
    fn refused(&self) -> Error {
        let Err(error) = self.read() else { panic!("this was read, and should not be") };
        assert!(!error.to_string().contains(CANARY), "{error}");
        error
    }

    /// Every row of the first source: its number and its cells, `None` for null.
    fn read(&self) -> Result<Read> {
        let delivered = self.find()?;
        let source = self.pipeline.sources.first().unwrap();
        let mut read = Read::default();
        for file in &delivered.sources.first().unwrap().files {
            let columns = source::delivered_columns(source, &file.header);
            for batch in source::open(source, file, &columns, 1000)? {
                read.add(batch?);
            }
        }
        Ok(read)
    }
}

#[derive(Debug, Default, PartialEq)]
struct Read {
    rows: Vec<(u64, Vec<Option<String>>)>,
    malformed: Vec<Malformed>,
}

impl Read {
    fn add(&mut self, raw: source::RawBatch) {
        assert_eq!(raw.rows.len(), raw.batch.num_rows());
        let text = |column: &ArrayRef| arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
        let columns: Vec<ArrayRef> = raw.batch.columns().iter().map(text).collect();
        let cell = |column: &ArrayRef, row: usize| {
            column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned())
        };
        for (at, &row) in raw.rows.iter().enumerate() {
            self.rows.push((row, columns.iter().map(|column| cell(column, at)).collect()));
        }
        assert!(raw.malformed.iter().all(|malformed| !malformed.rule.contains(CANARY)));
        self.malformed.extend(raw.malformed);
    }

    fn cells(&self) -> Vec<Vec<&str>> {
        self.rows
            .iter()
            .map(|(_, cells)| cells.iter().map(|cell| cell.as_deref().unwrap_or("null")).collect())
            .collect()
    }

    fn numbers(&self) -> Vec<u64> {
        self.rows.iter().map(|(row, _)| *row).collect()
    }

    fn rules(&self) -> Vec<(u64, &str)> {
        self.malformed.iter().map(|malformed| (malformed.row, malformed.rule.as_str())).collect()
    }
}

fn declared(name: &str, json: &str) -> Source {
    let decl: SourceDecl = serde_json::from_str(json).unwrap();
    let column = |(name, decl): (&String, &riskstrat::pipeline::decl::ColumnDecl)| Column {
        name: name.clone(),
        decl: decl.clone(),
        data_type: arrow::datatypes::DataType::Utf8,
        lookup: None,
    };
    let columns = decl.columns.iter().map(column).collect();
    Source { name: name.to_owned(), decl, columns, demographics: vec![] }
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Tokens in sixteen bytes are the tokens that another sender writes in thirty-two letters.
#[test]
fn tokens_of_bytes_are_read_as_hexadecimal_text() {
    let tokens: [[u8; 16]; 2] = [[0x0f; 16], std::array::from_fn(|at| (at * 17) as u8)];
    let read_as = |tokens: ArrayRef| {
        let deliveries = Deliveries::gp();
        let rest = [("EVENT_DATE", texts(&["d", "d"])), ("SNOMED", texts(&["c", "c"])), ("NOTE", texts(&["n", "n"]))];
        deliveries.write("gp/a.parquet", parquet([("PSEUDO_ID", tokens)].into_iter().chain(rest).collect()));
        deliveries.read().unwrap()
    };
    let bytes = arrow::array::FixedSizeBinaryArray::try_from_iter(tokens.iter()).unwrap();
    let read = read_as(Arc::new(bytes));
    assert_eq!(read.cells()[1][0], "00112233445566778899aabbccddeeff");
    assert_eq!(read, read_as(texts(&[&"0f".repeat(16), "00112233445566778899aabbccddeeff"])));
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(arrow::array::StringArray::from(values.to_vec()))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn assert_says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

fn is_inside(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder.canonicalize().unwrap())
}
