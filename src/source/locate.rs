//! From the patterns of a declaration to regular files inside the deliveries folder, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::Format;
use crate::error::{Error, Result};
use crate::pipeline::Source;

/// A pattern that takes more has caught something other than a delivery (a loop of links, a whole disk).
const MAX_FILES: usize = 100_000;

/// A file to read, and what to call it.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub path: PathBuf,
    pub name: String,
    pub format: Format,
}

/// The deliveries folder without links: nothing outside it is read.
pub(super) fn root(deliveries: &Path) -> Result<PathBuf> {
    let missing = || Error::NotReady(format!("the deliveries folder {} is not there", deliveries.display()));
    let root = fs::canonicalize(deliveries).map_err(|_| missing())?;
    if root.is_dir() { Ok(root) } else { Err(missing()) }
}

/// The files of `source`, by name. Each of its patterns must take one.
pub(super) fn files(root: &Path, source: &Source) -> Result<Vec<Located>> {
    let mut located = BTreeMap::new();
    for pattern in source.decl.files.as_slice() {
        let before = located.len();
        let paths = matches(root, source, pattern)?;
        let mut any = false;
        for path in paths {
            for file in take(root, source, &path)? {
                any = true;
                located.insert(file.path.clone(), file);
            }
            if located.len() - before > MAX_FILES {
                return Err(refused(source, pattern, "takes more than 100,000 files"));
            }
        }
        if !any {
            return Err(Error::NotReady(format!("source {}: nothing is delivered as {pattern:?}", source.name)));
        }
    }
    let mut files: Vec<Located> = located.into_values().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Paths below `root` that fit `pattern`.
fn matches(root: &Path, source: &Source, pattern: &str) -> Result<Vec<PathBuf>> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if pattern.is_empty() || pattern.contains('\\') || !Path::new(pattern).components().all(plain) {
        return Err(refused(source, pattern, "must be a path below the deliveries folder"));
    }
    if pattern.contains("**") {
        // It would follow links between folders in every order there is.
        return Err(refused(source, pattern, "must name each level of folders: `**` is not taken"));
    }
    let literal = root.join(pattern);
    if literal.symlink_metadata().is_ok() {
        return Ok(vec![literal]);
    }
    let Some(folder) = root.to_str() else {
        return Err(Error::Usage("the path of the deliveries folder is not UTF-8".to_owned()));
    };
    let options =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let full = format!("{}/{pattern}", Pattern::escape(folder));
    let found = glob::glob_with(&full, options).map_err(|_| refused(source, pattern, "is not a valid pattern"))?;
    let mut paths = Vec::new();
    for path in found.take(MAX_FILES + 1) {
        paths.push(path.map_err(|error| Error::storage("reading", error.path(), error.error()))?);
    }
    // A pattern may also fit a note beside the data, or a checksum.
    paths.retain(|path| path.is_dir() || format(path).is_some());
    Ok(paths)
}

/// The file at `path`; of a folder the data files directly in it.
fn take(root: &Path, source: &Source, path: &Path) -> Result<Vec<Located>> {
    let name = name(root, path);
    let stop = |text: &str| Error::Check(format!("source {}, file {name}: {text}", source.name));
    let real = fs::canonicalize(path).map_err(|_| stop("cannot be opened (a link to nothing, or no permission)"))?;
    if !real.starts_with(root) {
        return Err(stop("leads out of the deliveries folder"));
    }
    let kind = fs::metadata(&real).map_err(|error| Error::storage("reading", path, &error))?;
    if kind.is_dir() {
        let mut files = Vec::new();
        for child in children(path)? {
            if child.is_dir() {
                let name = self::name(root, &child);
                return Err(stop(&format!("holds the folder {name}: name it, or files in it, in `files`")));
            }
            files.extend(take(root, source, &child)?);
        }
        return Ok(files);
    }
    if !kind.is_file() {
        return Err(stop("is not a regular file"));
    }
    let Some(format) = format(path) else {
        return Err(stop("is neither .parquet nor .csv nor .csv.gz"));
    };
    Ok(vec![Located { path: real, name, format }])
}

/// Entries of a folder that look like data, by name; hidden ones are other programs' business.
fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    let storage = |error: std::io::Error| Error::storage("reading", folder, &error);
    let mut children = Vec::new();
    for entry in fs::read_dir(folder).map_err(storage)? {
        let entry = entry.map_err(storage)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && format(&entry.path()).is_some() {
            children.push(entry.path());
        }
    }
    children.sort();
    Ok(children)
}

fn format(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    [(".parquet", Format::Parquet), (".csv", Format::Csv), (".csv.gz", Format::CsvGz)]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
}

/// The path below `root`, with `/`, fit to be printed.
fn name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let part = |part: Component<'_>| part.as_os_str().to_string_lossy().chars().map(printable).collect::<String>();
    below.components().map(part).collect::<Vec<_>>().join("/")
}

fn refused(source: &Source, pattern: &str, text: &str) -> Error {
    Error::Check(format!("source {}: files = {pattern:?} {text}", source.name))
}
