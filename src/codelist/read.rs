//! Code lists and value sets from CSV, as their lock files describe them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::normalise::listed;
use super::{CodeList, Matching, Value, ValueSet};
use crate::link::RecordingState;
use crate::pipeline::decl::CodeSystem;
use crate::pipeline::table::{LineProblem, Table};

/// `codelists.lock`: what each list is, where it is from, and the hash under which it was reviewed.
pub type CodeListLock = IndexMap<String, CodeListEntry>;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeListEntry {
    /// The CSV beside the lock file.
    pub file: String,
    /// Of the CSV's bytes, when it was last reviewed.
    pub sha256: String,
    pub system: CodeSystem,
    pub version: String,
    /// Citation.
    pub source: String,
    #[serde(rename = "match")]
    pub matching: Matching,
    /// No code may be in two categories.
    #[serde(default)]
    pub exclusive: bool,
}

/// `valuesets.lock`
pub type ValueSetLock = IndexMap<String, ValueSetEntry>;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSetEntry {
    /// The CSV beside the lock file.
    pub file: String,
    /// Of the CSV's bytes, when it was last reviewed.
    pub sha256: String,
    pub version: String,
    /// Citation.
    pub source: String,
}

/// Reads `code,category` and, when there is one, `label`: of the category where all its rows agree, else of the code.
pub fn code_list(name: &str, entry: &CodeListEntry, text: &str) -> Result<CodeList, Vec<LineProblem>> {
    let table = Table::read(text, &["code", "category"])?;
    let mut problems = Vec::new();
    let mut categories: IndexMap<String, Vec<String>> = IndexMap::new();
    let mut codes = Vec::new();
    for row in &table.rows {
        let category = row.get("category").to_lowercase();
        let Some(code) = listed(entry.system, entry.matching, row.get("code")) else {
            problems.push(row.problem(format!("this is no code of {}", system_name(entry.system))));
            continue;
        };
        if !is_category(&category) {
            problems.push(row.problem("a category is written in letters, digits and `_`"));
            continue;
        }
        let label = row.get("label");
        let labels = categories.entry(category).or_default();
        if !label.is_empty() && !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
        let index = categories.get_index_of(&row.get("category").to_lowercase()).unwrap_or_default();
        codes.push((code, index, row));
    }
    codes.sort_by(|a, b| (&a.0, a.1, a.2.line).cmp(&(&b.0, b.1, b.2.line)));
    for pair in codes.windows(2) {
        if let [first, second] = pair
            && first.0 == second.0
        {
            let line = first.2.line;
            if first.1 == second.1 {
                problems.push(second.2.problem(format!("the same code is in the same category on line {line}")));
            } else if entry.exclusive {
                problems.push(
                    second.2.problem(format!("an exclusive list has this code in another category on line {line}")),
                );
            }
        }
    }
    if codes.is_empty() && problems.is_empty() {
        problems.push(LineProblem::new(1, "the list has no codes"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let words = |(name, labels): (&String, &Vec<String>)| match labels.as_slice() {
        [only] => only.clone(),
        _ => name.replace('_', " "),
    };
    Ok(CodeList {
        name: name.to_owned(),
        system: entry.system,
        matching: entry.matching,
        labels: categories.iter().map(words).collect(),
        categories: categories.into_keys().collect(),
        codes: codes.into_iter().map(|(code, category, _)| (code, category)).collect(),
        version: entry.version.clone(),
        citation: entry.source.clone(),
        sha256: entry.sha256.to_lowercase(),
    })
}

/// Reads `code,value,label,group,state`.
pub fn value_set(name: &str, entry: &ValueSetEntry, text: &str) -> Result<ValueSet, Vec<LineProblem>> {
    let table = Table::read(text, &["code", "value", "label", "group", "state"])?;
    let mut problems = Vec::new();
    let mut values: Vec<(Value, usize)> = Vec::new();
    for row in &table.rows {
        let known = RecordingState::ALL.into_iter().find(|state| state.name() == row.get("state"));
        let state = match known {
            Some(
                RecordingState::Conflicting | RecordingState::Stale | RecordingState::Invalid | RecordingState::Blank,
            )
            | None => {
                let message = "state is one of known, asked_unsure, declined, not_known, outdated";
                problems.push(row.problem(message));
                continue;
            }
            Some(state) => state,
        };
        let code = row.get("code").to_uppercase();
        let value = row.get("value").to_owned();
        if code.is_empty() {
            problems.push(row.problem("`code` is blank: a blank cell needs no code"));
        }
        if state == RecordingState::Known && value.is_empty() {
            problems.push(row.problem("a known code needs a `value`"));
        }
        let (label, group) = (row.get("label").to_owned(), row.get("group").to_owned());
        values.push((Value { code, value, label, group, state }, row.line));
    }
    values.sort_by(|a, b| (&a.0.code, a.1).cmp(&(&b.0.code, b.1)));
    for pair in values.windows(2) {
        if let [(first, line), (second, at)] = pair
            && first.code == second.code
        {
            problems.push(LineProblem::new(*at, format!("the same code is on line {line}")));
        }
    }
    if values.is_empty() && problems.is_empty() {
        problems.push(LineProblem::new(1, "the value set has no codes"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let values = values.into_iter().map(|(value, _)| value).collect();
    Ok(ValueSet { name: name.to_owned(), values, sha256: entry.sha256.to_lowercase() })
}

fn is_category(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn system_name(system: CodeSystem) -> &'static str {
    match system {
        CodeSystem::Icd10 => "ICD-10",
        CodeSystem::Icd9 => "ICD-9",
        CodeSystem::Snomed => "SNOMED CT (6 to 18 digits, the last a check digit)",
        CodeSystem::Ctv3 => "CTV3 or Read (5 characters)",
        CodeSystem::Opcs4 => "OPCS-4",
        CodeSystem::Dmd => "dm+d (6 to 18 digits, the last a check digit)",
        CodeSystem::Bnf => "the BNF",
        CodeSystem::Loinc => "LOINC",
        CodeSystem::Ods => "ODS",
        CodeSystem::Lsoa => "LSOA",
        CodeSystem::Local => "your own (anything but a blank)",
    }
}
