//! What is wrong in declarations is said once, all of it, at its place, before any record is read.

mod figures;
mod gaps;
mod good;
mod hostile;
mod located;
mod locked;
mod measures;
mod names;
mod refused;
mod sheets;
mod trees;

use std::fs;
use std::path::Path;

use riskstrat::error::Error;
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::parse::{LoadOptions, load};
use riskstrat::pipeline::problem::Problem;
use sha2::{Digest, Sha256};

/// A copy of `small/`, to be spoilt.
struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/declarations/small"), root.path());
        Self { root }
    }

    /// Writes the code list's present hash into its lock.
    fn review(&self) {
        let lock = "models/codelists/codelists.lock";
        let hash = |path: &str| {
            let bytes = fs::read(self.root.path().join(path)).unwrap();
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let text = fs::read_to_string(self.root.path().join(lock)).unwrap();
        let line = text.lines().find(|line| line.starts_with("sha256")).unwrap().to_owned();
        self.edit(lock, &line, &format!("sha256 = \"{}\"", hash("models/codelists/conditions.csv")));
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.root.path().join(path), text).unwrap();
    }

    fn add(&self, path: &str, text: &str) {
        let old = fs::read_to_string(self.root.path().join(path)).unwrap();
        self.write(path, &format!("{old}{text}"));
    }

    /// Replaces the one place where `old` stands.
    fn edit(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.root.path().join(path)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{path}: {old}");
        self.write(path, &text.replace(old, new));
    }

    fn load(&self) -> Result<Pipeline, Error> {
        load(&self.root.path().join("pipelines/small.toml"), &LoadOptions::default())
    }

    fn problems(&self) -> Vec<Problem> {
        match self.load() {
            Err(Error::Declarations(problems)) => problems,
            other => panic!("no problems: {:?}", other.map(|_| ())),
        }
    }

    /// File, line, message, and the text from the caret on.
    fn places(&self) -> Vec<String> {
        let rest = |p: &Problem| {
            let text = p.text.clone().unwrap_or_default();
            text.chars().skip(p.column.unwrap_or(1) - 1).take(12).collect::<String>()
        };
        let line = |p: &Problem| p.line.map(|line| line.to_string()).unwrap_or_default();
        self.problems().iter().map(|p| format!("{}:{}: {} @ {}", p.file, line(p), p.message, rest(p))).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// One edit, and all that must be said about it.
fn one(path: &str, old: &str, new: &str) -> String {
    let folder = Folder::new();
    folder.edit(path, old, new);
    folder.problems().iter().map(|problem| format!("{problem}\n")).collect()
}
