//! How the cohorts of a run share people, what it remembers, and how far it may differ from the run before.

use arrow::datatypes::DataType;

use super::super::Outreach;
use super::super::decl::{LimitsDecl, Role, RunDecl, SourceDecl};
use super::super::document::Document;
use super::Checker;
use super::desk::Loaded;
use crate::calendar::Window;

impl Checker {
    /// Precedence, and whether what needs a memory has one.
    pub(super) fn outreach(&mut self, document: &Document, decl: &RunDecl) -> Outreach {
        let outreach = &decl.outreach;
        let precedence = match &outreach.precedence {
            Some(names) => self.precedence(document, names, &decl.cohorts),
            None => (0..self.cohorts.len()).collect(),
        };
        if outreach.precedence.is_some() && !outreach.one_owner {
            let problem = document.at_key(&["outreach", "precedence"], "nobody has one owner, so none comes first");
            self.desk.report(problem.help("write one_owner = true, or leave it out"));
        }
        if let Some(limits) = &decl.limits {
            self.limits(document, limits);
            let of_models_alone = LimitsDecl { models: limits.models.clone(), ..LimitsDecl::default() };
            if !outreach.remember && (limits.models.is_none() || *limits != of_models_alone) {
                let problem = document.at_key(&["limits"], "limits compare with the run before, which is not read");
                self.desk.report(problem.help("write remember = true in [outreach]"));
            }
        }
        Outreach {
            one_owner: outreach.one_owner,
            precedence,
            remember: outreach.remember,
            limits: decl.limits.clone().unwrap_or_default(),
        }
    }

    /// Every cohort once.
    fn precedence(&mut self, document: &Document, names: &[String], cohorts: &[String]) -> Vec<usize> {
        let known: Vec<&str> = cohorts.iter().filter_map(|name| name.rsplit('/').next()).collect();
        for (at, name) in names.iter().enumerate() {
            let path = ["outreach", "precedence", &at.to_string()];
            if !known.contains(&name.as_str()) {
                let problem = document.at_value(&path, format!("the run has no cohort `{name}`"));
                self.desk.report(problem.did_you_mean(name, known.iter().copied()));
            } else if names.iter().take(at).any(|other| other == name) {
                let problem = document.at_value(&path, format!("`{name}` is named twice"));
                self.desk.report(problem.help("name each cohort once, first owner first"));
            }
        }
        for missing in known.iter().filter(|name| !names.iter().any(|named| named == *name)) {
            let message = format!("`{missing}` is missing: whose are the people of two lists?");
            let problem = document.at_key(&["outreach", "precedence"], message);
            self.desk.report(problem.help("name each cohort once, first owner first"));
        }
        let index = |name: &String| self.cohorts.iter().position(|cohort| cohort.name == *name);
        names.iter().filter_map(index).collect()
    }

    fn limits(&mut self, document: &Document, limits: &LimitsDecl) {
        let least = [
            ("rows_shrink", limits.rows_shrink),
            ("rows_grow", limits.rows_grow),
            ("list_size", limits.list_size),
            ("list_turnover", limits.list_turnover),
            ("group_points", limits.group_points),
        ];
        for (name, _) in least.into_iter().filter(|(_, limit)| *limit < 0.0) {
            let problem = document.at_value(&["limits", name], "a limit is not below 0");
            self.desk.report(problem.help("leave it out for the usual limit"));
        }
        for name in limits.closed_providers.keys() {
            let source = self.sources.iter().find(|source| source.name == *name);
            let named = source.is_some_and(|source| source.decl.provider.is_some());
            if !named && !self.broken.contains(name) {
                let names = self.sources.iter().filter(|source| source.decl.provider.is_some());
                let problem = document
                    .at_key(&["limits", "closed_providers", name], format!("no source `{name}` names its `provider`"));
                let problem = problem.help("write `provider` in that source: our column that says who sent a row");
                self.desk.report(problem.did_you_mean(name, names.map(|source| source.name.as_str())));
            }
        }
    }

    /// How often a source comes, and who sends it.
    pub(super) fn arrival(&mut self, file: &Loaded<SourceDecl>) {
        if let Some(every) = &file.decl.every {
            self.age_limit(&file.document, &["every"], every);
        }
        let Some(source) = self.sources.iter().position(|source| source.name == file.name) else { return };
        if let Some(recorder) = &file.decl.recorded_by {
            self.recorder(&file.document, source, recorder);
        }
        let Some(provider) = &file.decl.provider else { return };
        let path = ["provider", "column"];
        let Some(column) = self.column_named(&file.document, &path, source, &provider.column) else { return };
        let found = self.sources.get(source).and_then(|source| source.columns.get(column));
        if found.is_some_and(|column| column.data_type != DataType::Utf8) {
            let message = format!("`{}` cannot name who sent a row: it is no single text or code", provider.column);
            self.desk.report(file.document.at_value(&path, message).help("name a column with one word a row"));
        }
        let Some(people) = &provider.people else { return };
        let registers = self.sources.iter().filter(|source| source.decl.role == Role::Register);
        let columns: Vec<&str> = registers
            .flat_map(|register| &register.columns)
            .filter(|column| column.data_type == DataType::Utf8)
            .map(|column| column.name.as_str())
            .collect();
        if !columns.contains(&people.as_str()) {
            let message = format!("no register has a text or code column `{people}`");
            let problem = file.document.at_value(&["provider", "people"], message);
            self.desk.report(problem.did_you_mean(people, columns));
        }
    }

    /// A window that is a length: any but "ever".
    pub(super) fn length(&mut self, document: &Document, path: &[&str], text: &str) -> Option<Window> {
        self.age_limit(document, path, text);
        Window::parse(text).ok().filter(|window| *window != Window::Ever)
    }
}
