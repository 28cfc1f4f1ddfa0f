//! Cohorts: criteria, rank, recipients.

use arrow::datatypes::Schema;

use super::super::decl::CohortDecl;
use super::super::document::Document;
use super::super::{Cohort, Criterion, Model, RankKey};
use super::desk::Loaded;
use super::{Checker, is_name};
use crate::expr::Compiled;

/// What lists hold beside scores and shown features, as `sheet::columns` writes it.
const LIST_COLUMNS: [&str; 14] = [
    "rank",
    "status",
    "person",
    "team",
    "new_or_repeat",
    "times_listed",
    "first_listed",
    "rank_before",
    "reasons",
    "suggested_action",
    "recording_gaps",
    "data_up_to",
    "as_of",
    "valid_until",
];

impl Checker {
    pub(super) fn cohort(&mut self, file: &Loaded<CohortDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        self.not_blank(document, &["purpose"], &decl.purpose);
        self.signed_off(document, &format!("cohort {}", file.name), &decl.signed_off);
        let schema = self.schema();
        let include = self.include(document, decl, &schema);
        let cool_off = match &decl.cool_off {
            Some(own) => self.cool_off(document, &["cool_off"], own),
            None => self.runs_cool_off.clone(),
        };
        let exclude = self.exclusions(document, &file.name, decl, &schema, &cool_off);
        let rank = self.rank(document, decl, &schema);
        let per = decl.capacity.per.as_ref().and_then(|name| {
            let feature = self.feature_named(|message| document.at_value(&["capacity", "per"], message), name)?;
            self.must_be_text(document, &["capacity", "per"], feature);
            Some(feature)
        });
        let mut capacity = self.capacity(document, decl, &schema);
        capacity.listed_within = cool_off.listed_within;
        self.show(document, &decl.show, &schema);
        self.sheet(document, decl, &schema);
        let (name, show) = (file.name.clone(), decl.show.clone());
        self.cohorts.push(Cohort { name, decl: decl.clone(), include, exclude, rank, per, capacity, show });
    }

    fn include(&mut self, document: &Document, decl: &CohortDecl, schema: &Schema) -> Vec<Vec<Criterion>> {
        if decl.include.is_empty() {
            self.desk.report(document.at_value(&["include"], "nobody would be in: name at least one criterion"));
        }
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut include = Vec::new();
        for (at, set) in decl.include.iter().enumerate() {
            let place = at.to_string();
            if set.any.is_empty() {
                self.desk.report(
                    document
                        .at_value(&["include", &place, "any"], "nobody would meet this: name at least one criterion"),
                );
            }
            let mut criteria = Vec::new();
            for (name, criterion) in &set.any {
                let path = |key: &'static str| ["include", place.as_str(), "any", name.as_str(), key];
                self.name(document, &path("when")[..4], name);
                if let Some(reason) = &criterion.reason {
                    self.criterion_reason(document, &path("reason"), reason, &columns);
                }
                let Some(compiled) = self.predicate(document, &path("when"), &criterion.when, schema) else { continue };
                criteria.push(Criterion {
                    name: name.clone(),
                    when: criterion.when.clone(),
                    reason: criterion.reason.clone(),
                    told: self.told(decl, &compiled.columns, criterion.reason.as_deref()),
                    features: self.features_read(&compiled),
                    models: self.models_read(&compiled),
                });
            }
            include.push(criteria);
        }
        include
    }

    pub(super) fn name(&mut self, document: &Document, path: &[&str], name: &str) {
        if !is_name(name) {
            let problem = document.at_key(path, format!("`{name}` cannot be a name here"));
            self.desk.report(problem.help("write lower-case letters, digits and `_`"));
        }
    }

    fn criterion_reason(&mut self, document: &Document, path: &[&str], reason: &str, columns: &[&str]) {
        // An empty one is written on purpose: the criterion adds nothing to what a list says of a person.
        if !reason.is_empty() {
            self.not_blank(document, path, reason);
        }
        match super::text::placeholders(reason) {
            Err(at) => self.desk.report(document.inside(path, at, "a brace that opens no `{name}`")),
            Ok(found) => {
                for (name, at) in found {
                    if self.features.iter().any(|feature| feature.name == name && feature.never_as_reason) {
                        let problem = document.inside(path, at, format!("`{name}` is never given as a reason"));
                        self.desk.report(problem.help("`never_as_reason` keeps it off lists, here or in the run file"));
                    } else if !columns.contains(&name) && !self.may_be_broken(name) {
                        let problem = document.inside(path, at, format!("there is no feature `{name}`"));
                        self.desk.report(problem.did_you_mean(name, columns.iter().copied()));
                    }
                }
            }
        }
    }

    /// Whose reasons stand in when a criterion gives none.
    fn features_read(&self, compiled: &Compiled) -> Vec<usize> {
        let index = |name: &String| self.features.iter().position(|feature| feature.shown && feature.name == *name);
        let mut features: Vec<usize> = compiled.columns.iter().filter_map(index).collect();
        features.sort_unstable();
        features
    }

    /// Whose contributions stand in when a criterion gives no reason.
    fn models_read(&self, compiled: &Compiled) -> Vec<usize> {
        let reads = |model: &Model| {
            let of = |name: &String| ["", "_band", "_change"].contains(&name.strip_prefix(&model.name).unwrap_or("?"));
            compiled.columns.iter().any(of)
        };
        (0..self.models.len()).filter(|at| self.models.get(*at).is_some_and(reads)).collect()
    }

    fn rank(&mut self, document: &Document, decl: &CohortDecl, schema: &Schema) -> Vec<RankKey> {
        if decl.rank.by.is_empty() {
            self.desk.report(document.at_value(&["rank", "by"], "nothing says who comes first"));
        }
        let mut rank = Vec::new();
        for (at, text) in decl.rank.by.iter().enumerate() {
            let place = at.to_string();
            let path = ["rank", "by", place.as_str()];
            let words: Vec<&str> = text.split_whitespace().collect();
            let (column, descending) = match words.as_slice() {
                [column, "desc"] => (*column, true),
                [column, "asc"] => (*column, false),
                _ => {
                    let problem = document.at_value(&path, "a rank is a feature or a score with `desc` or `asc`");
                    self.desk.report(problem.help("for example \"emergency_admission_12m desc\""));
                    continue;
                }
            };
            if self.shown_column(document, &path, column, schema) {
                if self.models.iter().any(|model| model.name == column) {
                    self.list_column(document, &path, column);
                }
                rank.push(RankKey { column: column.to_owned(), descending });
            }
        }
        rank
    }

    /// What is printed beside the reasons.
    fn show(&mut self, document: &Document, show: &[String], schema: &Schema) {
        for (at, name) in show.iter().enumerate() {
            let place = at.to_string();
            let path = ["show", place.as_str()];
            if !self.shown_column(document, &path, name, schema) {
                continue;
            }
            if show.iter().take(at).any(|other| other == name) {
                let problem = document.at_value(&path, format!("`{name}` is shown twice"));
                self.desk.report(problem.help("name each feature once"));
            }
            self.list_column(document, &path, name);
        }
    }

    /// A list has one column of a name.
    fn list_column(&mut self, document: &Document, path: &[&str], name: &str) {
        if LIST_COLUMNS.contains(&name) {
            let problem = document.at_value(path, format!("`{name}` is a column of every list"));
            self.desk.report(problem.help("give the feature or model another name"));
        }
    }

    /// A feature or a score.
    fn shown_column(&mut self, document: &Document, path: &[&str], name: &str, schema: &Schema) -> bool {
        let known = schema.field_with_name(name).is_ok();
        if !known && !self.may_be_broken(name) {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let problem = document.at_value(path, format!("there is no feature or score `{name}`"));
            self.desk.report(problem.did_you_mean(name, names));
        }
        known
    }
}
