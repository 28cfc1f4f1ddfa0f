//! The files of a pipeline: found, read once, hashed; and the problems found in them, in the order of reading.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::super::decl::ModelDecl;
use super::super::document::Document;
use super::super::problem::Problem;
use super::super::schema::Kind;
use super::super::validate;
use crate::error::{Error, Result};
use crate::expr::SqlProblem;

const MAX_TOML_BYTES: u64 = 1 << 20;
const MAX_CSV_BYTES: u64 = 64 << 20;

/// How many folders above the run file are searched.
const LEVELS: usize = 3;

/// Where files are found and problems are put down.
pub(super) struct Desk {
    /// Of the run file.
    folder: PathBuf,
    problems: Vec<Problem>,
    /// Shown path and SHA-256.
    files: BTreeMap<String, String>,
    /// Shown paths in the order of reading.
    order: Vec<String>,
}

/// A declaration with its document.
pub(super) struct Loaded<T> {
    /// File stem; of a model, its folder.
    pub name: String,
    pub document: Document,
    pub decl: T,
}

/// The declarations of one kind that a run names.
pub(super) struct Set<T> {
    pub good: Vec<Loaded<T>>,
    /// Named, but not there or not readable.
    pub broken: Vec<String>,
}

impl Desk {
    /// Starts in the run file's folder; gives the file's name there.
    pub fn open(run_file: &Path) -> Result<(Self, String)> {
        let missing = || Error::Usage(format!("there is no file {}", run_file.display()));
        let run_file = fs::canonicalize(run_file).map_err(|_| missing())?;
        let name = run_file.file_name().and_then(|name| name.to_str()).ok_or_else(missing)?.to_owned();
        let folder = run_file.parent().ok_or_else(missing)?.to_owned();
        Ok((Self { folder, problems: Vec::new(), files: BTreeMap::new(), order: Vec::new() }, name))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A problem of SQL, under the word.
    pub fn report_sql(&mut self, document: &Document, path: &[&str], problem: SqlProblem) {
        let located = document.inside(path, problem.at, problem.message);
        self.report(match problem.help {
            Some(help) => located.help(help),
            None => located,
        });
    }

    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// By file in the order of reading, then by line; and what was read.
    pub fn finish(mut self) -> (Vec<Problem>, Vec<(String, String)>) {
        let order = &self.order;
        let rank = |problem: &Problem| {
            let file = order.iter().position(|file| *file == problem.file).unwrap_or(order.len());
            (file, problem.line, problem.column)
        };
        self.problems.sort_by_key(rank);
        self.problems.dedup();
        (self.problems, self.files.into_iter().collect())
    }

    /// The nearest such file: beside the run file, else in a folder above.
    pub fn find(&self, relative: &str) -> Option<String> {
        ups().map(|up| format!("{up}{relative}")).find(|shown| self.folder.join(shown).is_file())
    }

    /// Names (without extension) of what stands in such folders: for "did you mean".
    pub fn names_in(&self, relative: &str) -> Vec<String> {
        let folders = ups().map(|up| self.folder.join(format!("{up}{relative}")));
        let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| Path::new(&entry.file_name()).file_stem()?.to_str().map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The text of a file; a problem when it cannot be had.
    pub fn read(&mut self, shown: &str) -> Option<String> {
        let (text, problem) = self.text(shown);
        if let Some(message) = problem {
            self.report(Problem::new(shown, message));
        }
        text
    }

    fn text(&mut self, shown: &str) -> (Option<String>, Option<String>) {
        let path = self.folder.join(shown);
        let table = Path::new(shown).extension().is_some_and(|extension| extension == "csv");
        let limit = if table { MAX_CSV_BYTES } else { MAX_TOML_BYTES };
        match fs::metadata(&path) {
            Ok(about) if about.len() > limit => {
                return (None, Some(format!("larger than {} MB", limit >> 20)));
            }
            Ok(_) => {}
            Err(error) => return (None, Some(format!("this file cannot be read: {}", error.kind()))),
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return (None, Some(format!("this file cannot be read: {}", error.kind()))),
        };
        if !self.order.iter().any(|file| file == shown) {
            self.order.push(shown.to_owned());
        }
        self.files.insert(shown.to_owned(), hex(&bytes));
        match String::from_utf8(bytes) {
            Ok(text) => (Some(text), None),
            Err(_) => (None, Some("this file is not UTF-8 text".to_owned())),
        }
    }

    /// Of a file that was read.
    pub fn sha256(&self, shown: &str) -> Option<&str> {
        self.files.get(shown).map(String::as_str)
    }

    /// A TOML file with its declaration, when it is one.
    pub fn document<T: DeserializeOwned>(&mut self, shown: &str, kind: Kind) -> Option<(Document, Option<T>)> {
        let text = self.read(shown)?;
        let (document, problems) = Document::parse(shown, text);
        let broken = !problems.is_empty();
        self.problems.extend(problems);
        if broken {
            return Some((document, None));
        }
        match validate::declaration(&document, kind) {
            Ok(decl) => Some((document, Some(decl))),
            Err(problems) => {
                self.problems.extend(problems);
                Some((document, None))
            }
        }
    }

    /// Every declaration that the run names under this key.
    pub fn load_all<T: DeserializeOwned>(&mut self, run: &Document, key: &str, kind: Kind) -> Set<T> {
        let mut set = Set { good: Vec::new(), broken: Vec::new() };
        let names: Vec<String> = run
            .value
            .get(key)
            .and_then(|names| names.as_array())
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (at, written) in names.iter().enumerate() {
            let place = at.to_string();
            let path = [key, place.as_str()];
            let name = written.rsplit('/').next().unwrap_or_default().to_owned();
            if !written.split('/').all(is_file_name) || !super::is_name(&name) {
                let problem = run.at_value(&path, format!("`{written}` cannot be the name of a declaration"));
                self.report(problem.help("write lower-case letters, digits and `_`; a subfolder as `folder/name`"));
                continue;
            }
            if seen.insert(name.clone(), at).is_some() {
                self.report(run.at_value(&path, format!("`{name}` is named twice")));
                continue;
            }
            let inside = if kind == Kind::Model { format!("{written}/model") } else { written.clone() };
            match self.find(&format!("{key}/{inside}.toml")) {
                None => {
                    let names = self.names_in(key);
                    let problem = run.at_value(&path, format!("there is no `{key}/{inside}.toml`"));
                    let help = "looked in the folder of the run file and in the 3 above it";
                    self.report(problem.help(help).did_you_mean(written, names.iter().map(String::as_str)));
                    set.broken.push(name);
                }
                Some(shown) => self.load_into(&mut set, name, &shown, kind),
            }
        }
        set
    }

    /// Models by name, as the command line gives them.
    pub fn load_models(&mut self, names: &[String]) -> Set<ModelDecl> {
        let mut set = Set { good: Vec::new(), broken: Vec::new() };
        for name in names {
            let file = format!("models/{name}/model.toml");
            let found = if name.split('/').all(is_file_name) { self.find(&file) } else { None };
            match found {
                Some(shown) => {
                    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
                    self.load_into(&mut set, name, &shown, Kind::Model);
                }
                None => {
                    let known = self.names_in("models");
                    let problem = Problem::new(&file, "there is no such model");
                    self.report(problem.did_you_mean(name, known.iter().map(String::as_str)));
                }
            }
        }
        set
    }

    fn load_into<T: DeserializeOwned>(&mut self, set: &mut Set<T>, name: String, shown: &str, kind: Kind) {
        match self.document(shown, kind) {
            Some((document, Some(decl))) => set.good.push(Loaded { name, document, decl }),
            _ => set.broken.push(name),
        }
    }
}

fn ups() -> impl Iterator<Item = String> {
    (0..=LEVELS).map(|level| "../".repeat(level))
}

fn is_file_name(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= 100
        && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
