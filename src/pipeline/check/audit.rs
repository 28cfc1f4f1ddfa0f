//! Audits: their items, what sources say about them, and by what the counts are split.

use arrow::datatypes::DataType;
use regex::{Regex, RegexBuilder};

use super::super::decl::{AuditDecl, ItemDecl, Role, SourceDecl};
use super::super::document::Document;
use super::super::{Audit, Demographic, Item, Verb};
use super::desk::Loaded;
use super::{Checker, is_name};
use crate::expr;

pub(super) const EVIDENCE: [Role; 3] = [Role::Register, Role::Events, Role::Feedback];

impl Checker {
    /// The items of all audits; one that two audits declare must be the same in both.
    pub(super) fn items(&mut self, audits: &[Loaded<AuditDecl>]) {
        for audit in audits {
            if audit.decl.items.is_empty() && audit.decl.figures.is_empty() {
                self.desk.report(audit.document.at_key(&["items"], "an audit expects at least one item or figure"));
            }
            for (name, decl) in &audit.decl.items {
                self.item(&audit.document, name, decl);
            }
        }
    }

    fn item(&mut self, document: &Document, name: &str, decl: &ItemDecl) {
        let path = ["items", name];
        if !is_name(name) {
            let problem = document.at_key(&path, format!("`{name}` cannot be the name of an item"));
            self.desk.report(problem.help("write lower-case letters, digits and `_`"));
        }
        if let Some(known) = self.items.iter().find(|item| item.name == name) {
            if serde_json::to_value(&known.decl).ok() != serde_json::to_value(decl).ok() {
                let message = format!("another audit declares `{name}` differently");
                self.desk.report(document.at_key(&path, message).help("an item has one rule for the whole run"));
            }
            return;
        }
        let pattern = decl.pattern.as_ref().map(|pattern| whole(pattern)).transpose();
        let pattern = pattern.unwrap_or_else(|_| {
            self.desk.report(document.at_value(&["items", name, "pattern"], "this is not a regular expression"));
            None
        });
        if decl.pattern.is_some() && decl.date_not_before.is_some() {
            self.desk.report(
                document.at_key(&["items", name, "pattern"], "an item has `pattern` or `date_not_before`, not both"),
            );
        }
        let mut order = Vec::new();
        for (at, source) in decl.order.iter().enumerate() {
            let place = ["items", name, "order", &at.to_string()];
            order.extend(self.source_named(document, &place, source, &EVIDENCE));
        }
        let rest: Vec<usize> = (0..self.sources.len()).filter(|source| !order.contains(source)).collect();
        order.extend(rest);
        let expires = self.item_limits(document, name, decl);
        self.items.push(Item { name: name.to_owned(), decl: decl.clone(), pattern, expires, order });
    }

    /// What the sources say about the person.
    pub(super) fn demographics(&mut self, files: &[Loaded<SourceDecl>], items_unknown: bool) {
        for (at, file) in files.iter().enumerate() {
            let mut made = Vec::new();
            if !file.decl.demographics.is_empty() && !EVIDENCE.contains(&file.decl.role) {
                let message =
                    format!("a source with the role {} says nothing about people", super::text::role(&file.decl.role));
                self.desk.report(file.document.at_key(&["demographics"], message));
            }
            for name in file.decl.demographics.keys() {
                made.extend(self.demographic(file, name, items_unknown));
            }
            if let Some(source) = self.sources.get_mut(at) {
                source.demographics = made;
            }
        }
    }

    fn demographic(&mut self, file: &Loaded<SourceDecl>, name: &str, items_unknown: bool) -> Option<Demographic> {
        let document = &file.document;
        let path = ["demographics", name];
        let decl = file.decl.demographics.get(name)?;
        if decl.from.is_some() == decl.expr.is_some() {
            self.desk.report(document.at_key(&path, format!("`{name}` needs exactly one of `from` and `expr`")));
        }
        if let Some(sql) = &decl.expr
            && let Err(problem) = expr::columns_read(sql)
        {
            self.desk.report_sql(document, &["demographics", name, "expr"], problem);
        }
        let values = match &decl.values {
            Some(set) => {
                Some(self.lists.value_set(&mut self.desk, document, &["demographics", name, "values"], set)?)
            }
            None => None,
        };
        let Some(item) = self.items.iter().position(|item| item.name == name) else {
            if !items_unknown {
                let names = self.items.iter().map(|item| item.name.as_str());
                let problem = document.at_key(&path, format!("no audit of the run declares the item `{name}`"));
                let help = format!("name an audit with [items.{name}] under `audits`, or leave this out");
                self.desk.report(problem.help(help).did_you_mean(name, names));
            }
            return None;
        };
        let rule =
            self.items.get(item).is_some_and(|item| item.decl.pattern.is_some() || item.decl.date_not_before.is_some());
        if values.is_none() && !rule {
            let problem = document.at_key(&path, format!("nothing says which values of `{name}` are valid"));
            let help = "name a value set with `values`, or give the item a `pattern` or `date_not_before`";
            self.desk.report(problem.help(help));
        }
        Some(Demographic { item, decl: decl.clone(), values })
    }

    pub(super) fn audit(&mut self, file: &Loaded<AuditDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        let names = decl.items.keys();
        let items = names.filter_map(|name| self.items.iter().position(|item| item.name == *name)).collect();
        let split_by = self.splits(document, &["split_by"], &decl.split_by);
        let worklist_by = decl.worklist_by.as_ref().and_then(|name| {
            let feature = self.value_feature(document, &["worklist_by"], name)?;
            self.must_be_text(document, &["worklist_by"], feature);
            Some(feature)
        });
        let (name, decl) = (file.name.clone(), decl.clone());
        let mut audit = Audit {
            name,
            decl,
            items,
            split_by,
            worklist_by,
            pathways: Vec::new(),
            compare: None,
            figures: Vec::new(),
        };
        self.pathways(document, &mut audit);
        if let Some(linkage) = &audit.decl.linkage {
            self.linkage(document, linkage);
        }
        self.audits.push(audit);
    }

    /// Features whose values are few enough to be groups.
    pub(super) fn splits(&mut self, document: &Document, path: &[&str], names: &[String]) -> Vec<usize> {
        let mut groups = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let place = at.to_string();
            let path: Vec<&str> = path.iter().copied().chain([place.as_str()]).collect();
            groups.extend(self.split_by(document, &path, name));
        }
        groups
    }

    pub(super) fn split_by(&mut self, document: &Document, path: &[&str], name: &str) -> Option<usize> {
        let feature = self.value_feature(document, path, name)?;
        let groups = self.features.get(feature).is_some_and(|feature| match feature.data_type {
            DataType::Utf8 | DataType::Boolean => true,
            // A number as it is recorded may be a decile; one that is worked out from events has any value.
            DataType::Int64 => {
                matches!(feature.verb, Verb::Value { .. } | Verb::Item { .. } | Verb::Derived { .. })
            }
            _ => false,
        });
        if !groups {
            let problem = document.at_value(path, format!("`{name}` has too many values to split by"));
            self.desk.report(problem.help("split by a band of it: a `derived` feature that yields text"));
        }
        Some(feature)
    }

    /// A feature; of a register's bare column it is said how to make one.
    fn value_feature(&mut self, document: &Document, path: &[&str], name: &str) -> Option<usize> {
        let bare = |source: &&super::super::Source| source.decl.role == Role::Register && source.column(name).is_some();
        let help = self.sources.iter().find(bare).map(|source| {
            format!(
                "declare a feature: [{name}] with label = \"…\" and value = {{ of = \"{}\", column = \"{name}\" }}",
                source.name
            )
        });
        self.feature_named(
            |message| {
                let problem = document.at_value(path, message);
                help.iter().fold(problem, |problem, help| problem.help(help.as_str()))
            },
            name,
        )
    }

    pub(super) fn must_be_text(&mut self, document: &Document, path: &[&str], feature: usize) {
        if let Some(feature) = self.features.get(feature).filter(|feature| feature.data_type != DataType::Utf8) {
            let message =
                format!("`{}` is {}, and this needs text", feature.name, super::text::type_name(&feature.data_type));
            self.desk.report(document.at_value(path, message));
        }
    }
}

/// A pattern that a text must match from end to end. It is one by itself, too: its brackets do not close ours.
fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    let compiled = |pattern: &str| RegexBuilder::new(pattern).size_limit(1 << 20).build();
    compiled(pattern)?;
    compiled(&format!("^(?:{pattern})$"))
}
