//! House rules, as one test: what is banned, what to use instead, and each exception with its reason.

use std::path::{Path, PathBuf};

use crate::runs;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// What is not written in `src/`, and what is.
const BANNED: [(&str, &str, &[&str]); 8] = [
    ("SystemTime::now", "the as-of date is an argument", &[]),
    ("Zoned::now", "the as-of date is an argument", &[]),
    ("Timestamp::now", "the as-of date is an argument", &[]),
    ("thread_rng", "a seeded generator, so that the same seed gives the same bytes", &[]),
    ("Instant::now", "nothing depends on the clock", &[]),
    ("allow(", "#[expect(…, reason = …)]", &[]),
    ("NOT IN", "an anti-join: one null empties a NOT IN", &[]),
    (
        ".reveal()",
        "a pseudonym stays hidden: only hashing, person/ outputs and the tables that find people use the token",
        &[
            "src/pseudonym.rs",
            "src/token.rs",
            "src/release",
            "src/link",
            "src/cohort",
            "src/sheet",
            "src/history.rs",
            "src/audit",
            "src/webs/tables.rs",
            "src/diversions/tables.rs",
            "src/impact/past.rs",
            "src/outputs.rs",
            "src/publish",
            "src/oracle",
            "src/explain.rs",
            "src/study/split.rs",
            "src/study/acted_on.rs",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every file of `src/` with its path and its text without the tests at its end.
fn code() -> Vec<(String, String)> {
    let root = runs::root();
    let files = sources(&root.join("src")).into_iter().filter(|path| !path.ends_with("tests.rs"));
    let text = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
    };
    files.map(|path| (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text(&path))).collect()
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (path, text) in code() {
        assert!(text.starts_with("//!"), "{path} begins with what it is: a //! line");
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES, "{path}: {lines} lines; two ideas in one?");
    }
}

#[test]
fn functions_are_short() {
    for (path, text) in code() {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let is_fn =
                ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn "].iter().any(|begin| words.starts_with(begin));
            if !is_fn || words.ends_with(';') {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| *line == close).unwrap_or(0);
            assert!(length <= FUNCTION_LINES, "{path}:{}: a function of {length} lines", start + 1);
        }
    }
}

#[test]
fn banned_calls_are_not_made() {
    for (path, text) in code() {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (banned, instead, exceptions) in BANNED {
                let excepted = exceptions.iter().any(|file| path.starts_with(file));
                assert!(excepted || !line.contains(banned), "{path}:{}: `{banned}` is banned: {instead}", number + 1);
            }
        }
    }
}

/// Only `source`, `publish` and `pipeline` touch storage (invariant 1), and what stands beside the flow.
#[test]
fn storage_is_touched_in_few_places() {
    let may = [
        "src/source",
        "src/publish",
        "src/storage.rs",
        "src/pipeline",
        "src/codelist",
        "src/synth",
        "src/explain.rs",
        "src/cli",
        // What memory does not hold.
        "src/conform/spill.rs",
        "src/aside.rs",
        // What the system tells of this process.
        "src/memory.rs",
    ];
    for (path, text) in code() {
        let touches =
            ["std::fs", "File::open", "fs::read", "fs::write", "OpenOptions"].iter().any(|call| text.contains(call));
        assert!(!touches || may.iter().any(|place| path.starts_with(place)), "{path} touches storage");
    }
}

/// `pipelines/` and `models/` know nothing of the engine (invariant 9).
#[test]
fn declarations_name_no_library() {
    let root = runs::root();
    for folder in ["pipelines", "models"] {
        for (name, bytes) in runs::files(&root.join(folder)) {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for library in ["datafusion", "arrow::", "polars", "duckdb"] {
                assert!(!text.contains(library), "{folder}/{name} names {library}");
            }
        }
    }
}

/// Every declaration that is shipped is named by a run that is shipped.
#[test]
fn no_declaration_is_an_orphan() {
    let root = runs::root();
    let all = runs::files(&root.join("pipelines"));
    let text: String = all.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    for name in all.keys().filter(|name| name.ends_with(".toml") && name.contains('/')) {
        let stem = name.trim_end_matches(".toml").rsplit('/').next().unwrap();
        let is_run =
            !["sources/", "features/", "audits/", "measures/", "cohorts/"].iter().any(|kind| name.contains(kind));
        let named = text.contains(&format!("\"{stem}\"")) || text.contains(&format!("/{stem}\""));
        assert!(is_run || named, "pipelines/{name} is named by no run");
    }
}

/// What care does is measured from rows that were kept in the one pass: nothing there opens a source or scans one again.
#[test]
fn measures_read_no_source_again() {
    let measures = ["src/webs", "src/diversions", "src/impact", "src/demand"];
    let mut looked_at = 0;
    for (path, text) in code().into_iter().filter(|(path, _)| measures.iter().any(|folder| path.starts_with(folder))) {
        looked_at += 1;
        for reads in [".scan(", "crate::source", "Conformed", "conform::", "Chunk"] {
            assert!(!text.contains(reads), "{path} reads a source: `{reads}`");
        }
    }
    assert!(looked_at > 10);
}
