//! The lock of a model folder: a hash of each file, so that what is used is what was trained and judged.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Document;
use crate::error::{Error, Result};

/// The file in the model's folder.
pub const FILE: &str = "model.lock";

/// What people write into `model.toml` after training: no part of the model, so not of its hash.
const WRITTEN_LATER: [&str; 3] = ["signed_off", "accepted_without_local_validation", "i_understand_cost_label"];

/// Every file of a trained model's folder with its SHA-256.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelLock {
    /// By file name; `model.toml` by its content without sign-off and acceptance, which people write later.
    pub files: BTreeMap<String, String>,
}

impl ModelLock {
    /// Of a folder's files by name, other than the lock.
    pub fn of(files: &BTreeMap<String, String>) -> Result<Self> {
        let mut lock = Self::default();
        for (name, text) in files {
            let hash = if name == "model.toml" {
                let (document, problems) = Document::parse(name, text.clone());
                if !problems.is_empty() {
                    return Err(Error::Fault("the model's own file is no TOML".to_owned()));
                }
                seal(&document.value)
            } else {
                sha256(text.as_bytes())
            };
            lock.files.insert(name.clone(), hash);
        }
        Ok(lock)
    }

    /// As the file holds it.
    pub fn text(&self) -> String {
        let mut text = "# What `riskstrat train` wrote: a file that differs is refused.\n[files]\n".to_owned();
        for (file, sha256) in &self.files {
            text.push_str(&format!("\"{file}\" = \"{sha256}\"\n"));
        }
        text
    }
}

/// The hash of a `model.toml`, given its values.
pub fn seal(model: &Value) -> String {
    let mut model = model.clone();
    if let Some(table) = model.as_object_mut() {
        table.retain(|key, _| !WRITTEN_LATER.contains(&key.as_str()));
        table.sort_keys();
    }
    sha256(model.to_string().as_bytes())
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
