//! What the tests of whole runs share: run a pipeline in process, read what it published.

pub mod invented;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use riskstrat::conform::Engine;
use riskstrat::error::Result;
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::publish::Published;
use riskstrat::run::{self, Options};
use riskstrat::storage::LocalDisk;
use serde_json::Value;

pub const ENGINE: Engine = Engine::of(2, 8192);

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `pipeline` and gives the folder of the published run.
pub fn run(pipeline: &Path, options: &LoadOptions, out: &Path, engine: Engine) -> Result<PathBuf> {
    run_loaded(&parse::load(pipeline, options)?, out, engine)
}

/// The same of a pipeline that was changed after it was read.
pub fn run_loaded(pipeline: &Pipeline, out: &Path, engine: Engine) -> Result<PathBuf> {
    let options = Options { out: out.to_owned(), engine, consent: Consent::default() };
    let (_, published) = run::run(pipeline, &options, &LocalDisk, &Journal::default())?;
    Ok(match published {
        Published::Now { folder, .. } | Published::Already { folder, .. } => folder,
    })
}

/// Writes a file, with the folders above it.
pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Declares `<name>.csv` below `folder`: people by `id`; `rest` before the columns, `columns` beside the person.
pub fn declare_source(folder: &Path, name: &str, rest: &str, columns: &str) {
    let text = format!(
        "title = \"{name}\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\nfiles = \"{name}.csv\"\n{rest}[columns]\n\
         person = {{ from = \"id\", type = \"pseudonym\" }}\n{columns}"
    );
    write(&folder.join(format!("sources/{name}.toml")), &text);
}

/// Every file below a folder, by path with `/`.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

pub fn receipt(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("receipt.json")).unwrap()).unwrap()
}

/// One source's account in a receipt.
pub fn account<'a>(receipt: &'a Value, source: &str) -> &'a Value {
    let sources = receipt["sources"].as_array().unwrap();
    sources.iter().find(|account| account["source"] == source).unwrap()
}

/// The rows of a published list, by column name.
pub fn list(run: &Path, path: &str) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read(run.join("person/lists").join(path)).unwrap();
    let mut records = riskstrat::publish::read_csv(&text).into_iter();
    let header = records.next().unwrap();
    records.map(|record| header.iter().cloned().zip(record).collect()).collect()
}

/// A published Parquet table of people: token to column to text.
pub fn people(run: &Path, table: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    use arrow::array::AsArray;
    use arrow::util::display::array_value_to_string;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = std::fs::File::open(run.join("person").join(table)).unwrap();
    let mut people = BTreeMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let schema = batch.schema();
        let tokens = batch.column_by_name("person").unwrap().as_string::<i32>();
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().zip(batch.columns());
            let cells =
                cells.map(|(field, column)| (field.name().clone(), array_value_to_string(column, row).unwrap()));
            people.insert(tokens.value(row).to_owned(), cells.collect());
        }
    }
    people
}
