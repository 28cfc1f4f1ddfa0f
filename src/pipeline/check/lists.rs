//! Code lists and value sets: found beside the run or the models, and only as their lock files know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::super::document::Document;
use super::super::problem::Problem;
use super::super::schema::Kind;
use super::super::table::LineProblem;
use super::desk::Desk;
use crate::codelist::{self, CodeList, CodeListEntry, ValueSet, ValueSetEntry};

/// What has been loaded, by name; none when it was found wanting.
#[derive(Default)]
pub(super) struct Lists {
    codelists: Vec<Arc<CodeList>>,
    by_name: BTreeMap<String, Option<usize>>,
    value_sets: BTreeMap<String, Option<Arc<ValueSet>>>,
}

/// An entry of a lock file.
trait Locked: DeserializeOwned {
    const FOLDER: &'static str;
    const KIND: Kind;
    fn file(&self) -> &str;
    fn sha256(&self) -> &str;
}

impl Locked for CodeListEntry {
    const FOLDER: &'static str = "codelists";
    const KIND: Kind = Kind::Codelists;

    fn file(&self) -> &str {
        &self.file
    }

    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Locked for ValueSetEntry {
    const FOLDER: &'static str = "valuesets";
    const KIND: Kind = Kind::Valuesets;

    fn file(&self) -> &str {
        &self.file
    }

    fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Lists {
    /// Index of a code list, loaded at its first use.
    pub fn code_list(&mut self, desk: &mut Desk, user: &Document, path: &[&str], name: &str) -> Option<usize> {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let loaded = load::<CodeListEntry, _>(desk, user, path, name, codelist::code_list);
        let index = loaded.map(|list| {
            self.codelists.push(Arc::new(list));
            self.codelists.len() - 1
        });
        self.by_name.insert(name.to_owned(), index);
        index
    }

    pub fn value_set(&mut self, desk: &mut Desk, user: &Document, path: &[&str], name: &str) -> Option<Arc<ValueSet>> {
        if let Some(known) = self.value_sets.get(name) {
            return known.clone();
        }
        let loaded = load::<ValueSetEntry, _>(desk, user, path, name, codelist::value_set).map(Arc::new);
        self.value_sets.insert(name.to_owned(), loaded.clone());
        loaded
    }

    pub fn get(&self, index: usize) -> Option<Arc<CodeList>> {
        self.codelists.get(index).cloned()
    }

    pub fn finish(self) -> (Vec<Arc<CodeList>>, BTreeMap<String, Arc<ValueSet>>) {
        let sets = self.value_sets.into_iter().filter_map(|(name, set)| Some((name, set?))).collect();
        (self.codelists, sets)
    }
}

/// Finds the file, holds it against the lock beside it, and reads it.
fn load<E: Locked, T>(
    desk: &mut Desk,
    user: &Document,
    path: &[&str],
    name: &str,
    read: impl Fn(&str, &E, &str) -> Result<T, Vec<LineProblem>>,
) -> Option<T> {
    let folder = E::FOLDER;
    let places = [folder.to_owned(), format!("models/{folder}")];
    let found =
        places.iter().filter(|_| super::is_name(name)).find_map(|place| desk.find(&format!("{place}/{name}.csv")));
    let Some(shown) = found else {
        let names: Vec<String> = places.iter().flat_map(|place| desk.names_in(place)).collect();
        let problem = user.at_value(path, format!("there is no `{folder}/{name}.csv`"));
        desk.report(problem.did_you_mean(name, names.iter().map(String::as_str)));
        return None;
    };
    let lock = shown.replace(&format!("{name}.csv"), &format!("{folder}.lock"));
    let text = desk.read(&shown)?;
    let sha256 = desk.sha256(&shown).unwrap_or_default().to_owned();
    let entry = entry::<E>(desk, &lock, name, &sha256)?;
    match read(name, &entry, &text) {
        Ok(list) => Some(list),
        Err(problems) => {
            problems.iter().for_each(|problem| desk.report(problem.located(&shown, &text)));
            None
        }
    }
}

/// The lock's entry, when it is about this very file.
fn entry<E: Locked>(desk: &mut Desk, lock: &str, name: &str, sha256: &str) -> Option<E> {
    let read = desk.document::<indexmap::IndexMap<String, E>>(lock, E::KIND);
    let Some((document, Some(mut entries))) = read else { return None };
    let Some(entry) = entries.shift_remove(name) else {
        let problem = Problem::new(lock, format!("`{name}.csv` is not in the lock: nobody has reviewed it"));
        desk.report(
            problem.help(format!("after review, add [{name}] with file = \"{name}.csv\" and sha256 = \"{sha256}\"")),
        );
        return None;
    };
    if entry.file() != format!("{name}.csv") {
        desk.report(document.at_value(&[name, "file"], format!("the file of this entry is `{name}.csv`")));
        return None;
    }
    if !entry.sha256().eq_ignore_ascii_case(sha256) {
        let problem = document.at_value(&[name, "sha256"], format!("`{name}.csv` has changed since it was reviewed"));
        desk.report(problem.help(format!("after review, write sha256 = \"{sha256}\"")));
        return None;
    }
    Some(entry)
}
