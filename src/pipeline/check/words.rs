//! Delivered values that a declaration names: each can be met in a cell, and means one thing.

use std::collections::BTreeMap;

use super::super::decl::{ColumnDecl, ColumnType};
use super::super::document::Document;
use super::Checker;
use crate::conform::values::present;

/// Words of a boolean whose own are not written.
const YES: [&str; 5] = ["1", "Y", "yes", "true", "T"];
const NO: [&str; 5] = ["0", "N", "no", "false", "F"];

impl Checker {
    /// The values of a `map`, and the words for yes and no.
    pub(super) fn words(&mut self, document: &Document, name: &str, decl: &ColumnDecl, blank_values: &[String]) {
        let mut seen = BTreeMap::new();
        for (category, values) in &decl.map {
            for (at, value) in values.iter().enumerate() {
                let path = ["columns", name, "map", category, &at.to_string()];
                self.word(document, &path, value, blank_values);
                if let Some(other) = seen.insert(value.trim(), category) {
                    let problem = document.at_value(&path, format!("`{value}` is mapped to `{other}` already"));
                    self.desk.report(problem.help("a delivered value belongs to one category, and is named once"));
                }
            }
        }
        if decl.kind == ColumnType::Boolean {
            self.yes_and_no(document, name, decl, blank_values);
        }
    }

    fn yes_and_no(&mut self, document: &Document, name: &str, decl: &ColumnDecl, blank_values: &[String]) {
        let mut seen = BTreeMap::new();
        for (key, given, default) in [("yes", &decl.yes, YES), ("no", &decl.no, NO)] {
            let Some(words) = given else {
                for word in default {
                    let known = seen.insert(word.to_ascii_lowercase(), key);
                    if let Some(other) = known.filter(|other| *other != key) {
                        let message = format!("`{word}` means {key} unless `{key}` is written too");
                        let problem = document.at_key(&["columns", name, other], message);
                        self.desk.report(problem.help(format!("write the words for {key} as well")));
                    }
                }
                continue;
            };
            for (at, word) in words.iter().enumerate() {
                let path = ["columns", name, key, &at.to_string()];
                self.word(document, &path, word, blank_values);
                if let Some(other) = seen.insert(word.trim().to_ascii_lowercase(), key) {
                    let problem = document.at_value(&path, format!("`{word}` means {other} already"));
                    self.desk.report(problem.help("a word means yes or no, in capitals or not, and is named once"));
                }
            }
        }
    }

    /// A cell is trimmed, and may be blank, before it is compared.
    fn word(&mut self, document: &Document, path: &[&str], word: &str, blank_values: &[String]) {
        if present(word, blank_values).is_none() {
            let problem = document.at_value(path, "no cell matches this: such a cell is blank");
            let help = "leave it out: empty cells, NULL and `blank_values` are blank before anything else is asked";
            self.desk.report(problem.help(help));
        } else if word.trim() != word {
            let problem = document.at_value(path, "no cell matches this: cells are compared without the space around");
            self.desk.report(problem.help(format!("write \"{}\"", word.trim())));
        }
    }
}
