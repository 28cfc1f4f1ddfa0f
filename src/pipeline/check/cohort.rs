//! Cohorts: criteria, exclusions, rank, recipients.

use arrow::datatypes::{DataType, Schema};

use super::super::decl::{CohortDecl, ExcludeDecl, Role};
use super::super::document::Document;
use super::super::{Cohort, Criterion, Events, Exclusion, Feature, RankKey, Verb, What};
use super::desk::Loaded;
use super::events::source_schema;
use super::{Checker, is_name};
use crate::calendar::Window;
use crate::expr::Compiled;

/// What every list holds, as `cohort::list` writes it.
const LIST_COLUMNS: [&str; 7] = ["rank", "status", "person", "reasons", "suggested_action", "recording_gaps", "as_of"];

impl Checker {
    pub(super) fn cohort(&mut self, file: &Loaded<CohortDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        self.not_blank(document, &["purpose"], &decl.purpose);
        self.signed_off(document, &format!("cohort {}", file.name), &decl.signed_off);
        let schema = self.schema();
        let include = self.include(document, decl, &schema);
        let mut exclude = Vec::new();
        for (name, exclusion) in &decl.exclude {
            let when = self.exclusion(document, &file.name, name, exclusion, &schema);
            exclude.extend(when.map(|when| Exclusion { name: name.clone(), when }));
        }
        let rank = self.rank(document, decl, &schema);
        let per = decl.capacity.per.as_ref().and_then(|name| {
            let feature = self.feature_named(|message| document.at_value(&["capacity", "per"], message), name)?;
            self.must_be_text(document, &["capacity", "per"], feature);
            Some(feature)
        });
        if decl.capacity.take == 0 {
            self.desk.report(document.at_value(&["capacity", "take"], "a list without places calls nobody"));
        }
        self.show(document, &decl.show, &schema);
        let (name, show) = (file.name.clone(), decl.show.clone());
        self.cohorts.push(Cohort { name, decl: decl.clone(), include, exclude, rank, per, show });
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
                self.criterion_name(document, &path("when")[..4], name);
                if let Some(reason) = &criterion.reason {
                    self.criterion_reason(document, &path("reason"), reason, &columns);
                }
                let Some(compiled) = self.predicate(document, &path("when"), &criterion.when, schema) else { continue };
                criteria.push(Criterion {
                    name: name.clone(),
                    when: criterion.when.clone(),
                    reason: criterion.reason.clone(),
                    features: self.features_read(&compiled),
                });
            }
            include.push(criteria);
        }
        include
    }

    fn criterion_name(&mut self, document: &Document, path: &[&str], name: &str) {
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
                for (name, at) in found.into_iter().filter(|(name, _)| !columns.contains(name)) {
                    if !self.may_be_broken(name) {
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

    /// The predicate of an exclusion; one by events gets a hidden feature.
    fn exclusion(
        &mut self,
        document: &Document,
        cohort: &str,
        name: &str,
        decl: &ExcludeDecl,
        schema: &Schema,
    ) -> Option<String> {
        let path = |key: &'static str| ["exclude", name, key];
        self.criterion_name(document, &path("when")[..2], name);
        match (&decl.when, &decl.of, &decl.within) {
            (Some(when), None, None) if decl.filter.is_none() => {
                self.predicate(document, &path("when"), when, schema).map(|_| when.clone())
            }
            (None, Some(of), Some(within)) => {
                let window = Window::parse(within);
                if let Err(message) = &window {
                    self.desk.report(document.at_value(&path("within"), message.as_str()));
                }
                let source = self.source_named(document, &path("of"), of, &[Role::Events, Role::Feedback])?;
                let events = source_schema(self.sources.get(source)?);
                if let Some(sql) = &decl.filter {
                    self.filter(document, &path("where"), sql, &events)?;
                }
                let verb =
                    Events { what: What::Exists, source, filter: decl.filter.clone(), column: None, codes: None };
                let hidden = format!("exclude_{cohort}_{name}");
                if let Some(what) = self.taken(&hidden) {
                    self.desk.report(document.at_key(&path("of")[..2], what));
                    return None;
                }
                self.features.push(Feature {
                    name: hidden.clone(),
                    label: format!("Excluded from {cohort}: {name}"),
                    reason: None,
                    unit: None,
                    verb: Verb::Events(verb),
                    window: window.ok()?,
                    data_type: DataType::Boolean,
                    shown: false,
                });
                Some(hidden)
            }
            _ => {
                let problem =
                    document.at_key(&path("when")[..2], format!("`{name}` needs `when`, or `of` and `within`"));
                self.desk.report(
                    problem.help("for example when = \"died\", or of = \"hub_feedback\" and within = \"90 days\""),
                );
                None
            }
        }
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
