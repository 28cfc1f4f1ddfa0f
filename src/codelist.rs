//! Code lists and value sets, locked by hash.

mod normalise;
mod read;

pub use normalise::normalise;
pub use read::{CodeListEntry, CodeListLock, ValueSetEntry, ValueSetLock, code_list, value_set};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::link::RecordingState;
use crate::pipeline::decl::CodeSystem;

/// Codes by category.
#[derive(Debug, Clone)]
pub struct CodeList {
    pub name: String,
    pub system: CodeSystem,
    pub matching: Matching,
    /// Names, in the order of first appearance in the file.
    pub categories: Vec<String>,
    /// Plain words of each category.
    pub labels: Vec<String>,
    /// Normalised code and category index, sorted.
    pub codes: Vec<(String, usize)>,
    pub version: String,
    pub citation: String,
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    Exact,
    /// A recorded code matches every listed code that it begins with.
    Prefix,
}

/// What the delivered values of a demographic item mean.
#[derive(Debug, Clone)]
pub struct ValueSet {
    pub name: String,
    /// Upper case, sorted by code.
    pub values: Vec<Value>,
    pub sha256: String,
}

#[derive(Debug, Clone)]
pub struct Value {
    pub code: String,
    /// What a known code resolves to.
    pub value: String,
    pub label: String,
    pub group: String,
    pub state: RecordingState,
}

impl CodeList {
    /// Categories (indices, ascending, each once) of a normalised code.
    pub fn matches(&self, code: &str) -> impl Iterator<Item = usize> + use<> {
        let mut categories = Vec::new();
        match self.matching {
            Matching::Exact => self.listed(code, &mut categories),
            Matching::Prefix => {
                for end in (1..=code.len()).filter(|end| code.is_char_boundary(*end)) {
                    self.listed(code.get(..end).unwrap_or_default(), &mut categories);
                }
            }
        }
        categories.sort_unstable();
        categories.dedup();
        categories.into_iter()
    }

    fn listed(&self, code: &str, categories: &mut Vec<usize>) {
        let from = self.codes.partition_point(|(listed, _)| listed.as_str() < code);
        let same = self.codes.get(from..).into_iter().flatten().take_while(|(listed, _)| listed == code);
        categories.extend(same.map(|(_, category)| *category));
    }

    /// Index of a category.
    pub fn category(&self, name: &str) -> Option<usize> {
        self.categories.iter().position(|category| category == name)
    }
}

impl ValueSet {
    /// What a delivered value says. Only a known one has a value to resolve to.
    pub fn state(&self, raw: &str) -> (RecordingState, Option<&Value>) {
        let code = raw.trim().to_uppercase();
        if code.is_empty() {
            return (RecordingState::Blank, None);
        }
        match self.values.binary_search_by(|value| value.code.as_str().cmp(&code)) {
            Ok(at) => self.values.get(at).map_or((RecordingState::Invalid, None), |value| (value.state, Some(value))),
            Err(_) => (RecordingState::Invalid, None),
        }
    }
}

#[cfg(test)]
mod tests;
