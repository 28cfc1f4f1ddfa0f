//! What an audit says beside its items: other categories, pathways, linkage.

use arrow::datatypes::DataType;

use super::super::decl::{ItemDecl, LinkageDecl, PathwayDecl, StepDecl};
use super::super::document::Document;
use super::super::{Audit, Pathway, Verb};
use super::Checker;
use super::audit::EVIDENCE;
use super::events::source_schema;
use crate::calendar::Window;

impl Checker {
    /// How long a value counts, and how many may be "other" or a default; gives the first.
    pub(super) fn item_limits(&mut self, document: &Document, name: &str, decl: &ItemDecl) -> Option<Window> {
        let path = ["items", name];
        if let Some(other) = &decl.other {
            if other.values.is_empty() {
                self.desk.report(document.at_key(&["items", name, "other"], "no value is named"));
            }
            self.share(document, &["items", name, "other", "at_most"], other.at_most);
        }
        self.share(document, &["items", name, "defaults_allowed"], decl.defaults_allowed);
        let expires = decl.expires.as_ref()?;
        if decl.fixed {
            let problem = document.at_key(&[path[0], path[1], "expires"], "what never changes does not expire");
            self.desk.report(problem.help("leave out `fixed` or `expires`"));
        }
        self.length(document, &["items", name, "expires"], expires)
    }

    fn share(&mut self, document: &Document, path: &[&str], share: f64) {
        if !(0.0..=1.0).contains(&share) {
            self.desk.report(document.at_value(path, "a share is between 0 and 1"));
        }
    }

    pub(super) fn pathways(&mut self, document: &Document, audit: &mut Audit) {
        let declared = audit.decl.pathways.clone();
        for (name, decl) in declared {
            self.name(document, &["pathways", &name], &name);
            let window = Window::parse(&decl.within);
            if let Err(message) = &window {
                self.desk.report(document.at_value(&["pathways", &name, "within"], message.as_str()));
            }
            if decl.steps.len() < 2 {
                let message = format!("`{name}` needs at least two steps");
                self.desk.report(document.at_key(&["pathways", &name, "steps"], message));
            }
            let sources = self.pathway_steps(document, &name, &decl);
            if let (Ok(window), true) = (window, sources.len() == decl.steps.len()) {
                audit.pathways.push(Pathway { name, decl, window, sources });
            }
        }
    }

    fn pathway_steps(&mut self, document: &Document, name: &str, decl: &PathwayDecl) -> Vec<usize> {
        let mut sources = Vec::new();
        for (at, step) in decl.steps.iter().enumerate() {
            sources.extend(self.pathway_step(document, ["pathways", name, "steps", &at.to_string()], step));
        }
        sources
    }

    fn pathway_step(&mut self, document: &Document, [a, b, c, d]: [&str; 4], step: &StepDecl) -> Option<usize> {
        let source = self.source_named(document, &[a, b, c, d, "source"], &step.source, &EVIDENCE)?;
        if let Some(sql) = &step.filter {
            let schema = source_schema(self.sources.get(source)?);
            self.filter(document, &[a, b, c, d, "where"], sql, &schema)?;
        }
        Some(source)
    }

    pub(super) fn linkage(&mut self, document: &Document, decl: &LinkageDecl) {
        for (at, name) in decl.by.iter().enumerate() {
            let place = at.to_string();
            let path = ["linkage", "by", place.as_str()];
            match self.items.iter().position(|item| item.name == *name) {
                Some(item) if !self.has_value_set(item) => {
                    let problem = document.at_value(&path, format!("`{name}` has too many values to compare by"));
                    self.desk.report(problem.help("name an item whose sources have a value set"));
                }
                Some(_) => {}
                None => self.compared_by_feature(document, &path, name),
            }
        }
        for (at, name) in decl.identity.iter().enumerate() {
            if !self.items.iter().any(|item| item.name == *name) {
                let path = ["linkage", "identity", &at.to_string()];
                let problem = document.at_value(&path, format!("no audit of the run declares the item `{name}`"));
                let names: Vec<&str> = self.items.iter().map(|item| item.name.as_str()).collect();
                self.desk.report(problem.did_you_mean(name, names));
            }
        }
    }

    /// A feature that is a register's column of the same name: rows of any source with such a column tell it, too.
    fn compared_by_feature(&mut self, document: &Document, path: &[&str], name: &str) {
        let Some(feature) = self.feature_named(|message| document.at_value(path, message), name) else { return };
        let groups = self.features.get(feature).is_some_and(|feature| {
            matches!(feature.verb, Verb::Value { .. })
                && matches!(feature.data_type, DataType::Utf8 | DataType::Boolean | DataType::Int64)
        });
        if !groups {
            let problem = document.at_value(path, format!("rows do not say `{name}`"));
            self.desk.report(problem.help("name an item, or a feature that is the value of a register's column"));
        }
    }

    fn has_value_set(&self, item: usize) -> bool {
        let mut said = self.sources.iter().flat_map(|source| &source.demographics).filter(|said| said.item == item);
        said.any(|said| said.values.is_some())
    }

    /// The column that names who recorded a row.
    pub(super) fn recorder(&mut self, document: &Document, source: usize, name: &str) {
        let path = ["recorded_by"];
        let Some(column) = self.column_named(document, &path, source, name) else { return };
        let found = self.sources.get(source).and_then(|source| source.columns.get(column));
        if found.is_some_and(|column| column.data_type != DataType::Utf8) {
            let message = format!("`{name}` cannot name who recorded a row: it is no single text or code");
            self.desk.report(document.at_value(&path, message).help("name a column with one word a row"));
        }
    }
}
