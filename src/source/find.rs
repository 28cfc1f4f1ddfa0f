//! Every source's files, hashed and judged by their headers, before a row is read; all problems at once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;

use arrow::datatypes::DataType;
use sha2::{Digest, Sha256};

use super::locate::{self, Located};
use super::{
    Counted, Delivered, DeliveredFile, DeliveredSource, Format, Place, check, columns, csv, modified, parquet,
};
use crate::error::{Error, Result};
use crate::pipeline::{Pipeline, Source};
use crate::release::Crosswalk;
use crate::workers;

/// Enough to see a pattern; the rest is counted.
const SHOWN: usize = 50;

/// What a look into a file's head has shown.
#[derive(Debug)]
pub(super) struct Head {
    pub names: Vec<String>,
    /// Types of the columns, where the file has any.
    pub types: Option<Vec<DataType>>,
    pub has_rows: bool,
    pub counted: Option<Counted>,
}

/// Finds, hashes and judges the files of every source.
pub fn find(pipeline: &Pipeline) -> Result<Delivered> {
    let root = locate::root(&pipeline.deliveries)?;
    let mut problems = Problems::default();
    let mut sources = Vec::new();
    for source in &pipeline.sources {
        match find_source(&root, source, &mut problems) {
            Ok(delivered) => sources.push(delivered),
            Err(error) => problems.note(error)?,
        }
    }
    problems.result()?;
    Ok(Delivered { sources, released: Crosswalk::default() })
}

fn find_source(root: &Path, source: &Source, problems: &mut Problems) -> Result<DeliveredSource> {
    let (kept, repeated) = distinct(source, locate::files(root, source)?)?;
    let count = kept.len();
    let mut files = Vec::new();
    let mut heads = Vec::new();
    for mut file in kept {
        match head(source, &file) {
            Ok(head) => {
                file.header.clone_from(&head.names);
                file.counted = head.counted;
                files.push(file);
                heads.push(head);
            }
            Err(error) => problems.note(error)?,
        }
    }
    let empty = files.len() == count && !heads.iter().any(|head| head.has_rows);
    let nothing = heads.iter().all(|head| head.names.is_empty());
    if empty && !source.decl.may_be_empty {
        problems.note(Error::NotReady(format!("source {} is empty: its files hold no row", source.name)))?;
    }
    let mut unused_columns = BTreeSet::new();
    for (file, head) in files.iter().zip(&heads) {
        let place = Place::new(source, &file.name);
        if head.names.is_empty() {
            if !nothing {
                problems.checks.push(place.says("holds nothing, not even a header, while other files do"));
            }
            continue;
        }
        problems.checks.extend(check::header(source, &place, head));
        unused_columns.extend(check::unused(source, &head.names));
    }
    problems.checks.extend(check::drift(source, &files, &heads));
    Ok(DeliveredSource { files, unused_columns: unused_columns.into_iter().collect(), repeated })
}

/// Files by hash; those whose bytes another one has are only named. Of such the first by name is kept. A source that
/// reads the name of a file keeps them all: equal bytes under two names are two deliveries.
fn distinct(source: &Source, located: Vec<Located>) -> Result<(Vec<DeliveredFile>, Vec<String>)> {
    let named = columns::reads_file_name(source);
    let mut kept = BTreeMap::new();
    let mut repeated = Vec::new();
    for file in hashed(source, located)? {
        let key = (file.sha256.clone(), if named { file.name.clone() } else { String::new() });
        if let Entry::Vacant(free) = kept.entry(key) {
            free.insert(file);
        } else {
            repeated.push(file.name);
        }
    }
    Ok((kept.into_values().collect(), repeated))
}

/// Hashes files side by side; of several that cannot be read the first is told of.
fn hashed(source: &Source, located: Vec<Located>) -> Result<Vec<DeliveredFile>> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let numbered = located.into_iter().enumerate().collect();
    let states = workers::share(threads, numbered, Vec::new, |hashed: &mut Vec<_>, (number, file)| {
        hashed.push((number, hash(source, file)));
        Ok(())
    })?;
    let in_order: BTreeMap<usize, _> = states.into_iter().flatten().collect();
    in_order.into_values().collect()
}

fn hash(source: &Source, located: Located) -> Result<DeliveredFile> {
    let Located { path, name, format } = located;
    let storage = |error: io::Error| Error::storage("reading", &path, &error);
    let before = fs::metadata(&path).map_err(storage)?;
    let mut file = File::open(&path).map_err(storage)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(storage)?;
        if read == 0 {
            break;
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
    let after = fs::metadata(&path).map_err(storage)?;
    let changed = modified(&before, &path)? != modified(&after, &path)? || after.len() != bytes;
    if changed {
        return Err(Place::new(source, &name).check("changed while it was being read; run again when it is whole"));
    }
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let modified = modified(&after, &path)?;
    Ok(DeliveredFile { path, name, sha256, bytes, modified, format, header: Vec::new(), counted: None })
}

fn head(source: &Source, file: &DeliveredFile) -> Result<Head> {
    if file.bytes == 0 {
        return Ok(Head { names: Vec::new(), types: None, has_rows: false, counted: None });
    }
    match file.format {
        Format::Parquet => parquet::head(source, file),
        Format::Csv | Format::CsvGz => csv::head(source, file),
    }
}

/// What is wrong with deliveries, and what is not there yet.
#[derive(Default)]
struct Problems {
    checks: Vec<String>,
    not_ready: Vec<String>,
}

impl Problems {
    /// Keeps what the next source's files do not depend on; any other error ends the search.
    fn note(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Check(text) => self.checks.push(text),
            Error::NotReady(text) => self.not_ready.push(text),
            other => return Err(other),
        }
        Ok(())
    }

    fn result(self) -> Result<()> {
        let Self { mut checks, not_ready } = self;
        if checks.is_empty() {
            return if not_ready.is_empty() { Ok(()) } else { Err(Error::NotReady(listed(&not_ready))) };
        }
        checks.extend(not_ready);
        Err(Error::Check(listed(&checks)))
    }
}

fn listed(lines: &[String]) -> String {
    let mut text = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    if lines.len() > SHOWN {
        text.push_str(&format!("\nand {} more problems", lines.len() - SHOWN));
    }
    text
}
