//! Exclusions: by a predicate, by an event, by a cool-off; each from sources that say how old they may be.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Schema};

use super::super::behind::Behind;
use super::super::decl::{CohortDecl, CoolOffDecl, ExcludeDecl, Role};
use super::super::document::Document;
use super::super::{Bounds, Events, Exclusion, Feature, Verb, What};
use super::Checker;
use super::events::source_schema;
use crate::calendar::Window;

/// What a cool-off reads where nothing else is said.
const OUTCOME: &str = "outcome";

/// How long people are left alone, checked.
#[derive(Debug, Clone, Default)]
pub(super) struct CoolOff {
    after: Vec<Contact>,
    pub listed_within: Option<Window>,
}

/// Events of a source within a window, after which a person is left alone.
#[derive(Debug, Clone)]
struct Contact {
    /// Of the exclusion.
    name: String,
    source: usize,
    filter: Option<String>,
    window: Window,
}

impl Checker {
    /// Those declared one by one, then those of the cool-off.
    pub(super) fn exclusions(
        &mut self,
        document: &Document,
        cohort: &str,
        decl: &CohortDecl,
        schema: &Schema,
        cool_off: &CoolOff,
    ) -> Vec<Exclusion> {
        let mut exclude = Vec::new();
        for (name, exclusion) in &decl.exclude {
            self.name(document, &["exclude", name], name);
            exclude.extend(self.exclusion(document, cohort, name, exclusion, schema));
        }
        for contact in &cool_off.after {
            exclude.extend(self.by_events(document, &["cool_off"], cohort, contact));
        }
        exclude
    }

    fn exclusion(
        &mut self,
        document: &Document,
        cohort: &str,
        name: &str,
        decl: &ExcludeDecl,
        schema: &Schema,
    ) -> Option<Exclusion> {
        let path = |key: &'static str| ["exclude", name, key];
        match (&decl.when, &decl.of, &decl.within) {
            (Some(when), None, None) if decl.filter.is_none() => {
                let compiled = self.predicate(document, &path("when"), when, schema)?;
                let Self { sources, features, models, measures, .. } = &*self;
                let behind = Behind { sources, features, models, measures, births: false };
                let sources = behind.sources(compiled.columns.iter().map(String::as_str));
                self.fresh(document, &path("when"), name, &sources);
                Some(Exclusion { name: name.to_owned(), when: when.clone() })
            }
            (None, Some(of), Some(within)) => {
                let window = Window::parse(within);
                if let Err(message) = &window {
                    self.desk.report(document.at_value(&path("within"), message.as_str()));
                }
                let source = self.source_named(document, &path("of"), of, &[Role::Events, Role::Feedback])?;
                self.fresh(document, &path("of"), name, &BTreeSet::from([source]));
                let events = source_schema(self.sources.get(source)?);
                if let Some(sql) = &decl.filter {
                    self.filter(document, &path("where"), sql, &events)?;
                }
                let contact =
                    Contact { name: name.to_owned(), source, filter: decl.filter.clone(), window: window.ok()? };
                self.by_events(document, &path("of")[..2], cohort, &contact)
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

    /// Gets a hidden feature to read.
    fn by_events(&mut self, document: &Document, path: &[&str], cohort: &str, contact: &Contact) -> Option<Exclusion> {
        let Contact { name, source, filter, window } = contact;
        let hidden = format!("exclude_{cohort}_{name}");
        if let Some(what) = self.taken(&hidden) {
            self.desk.report(document.at_key(path, what));
            return None;
        }
        self.features.push(Feature {
            name: hidden.clone(),
            label: format!("Excluded from {cohort}: {name}"),
            heading: None,
            reason: None,
            never_as_reason: true,
            family: hidden.clone(),
            unit: None,
            verb: Verb::Events(Events {
                what: What::Exists,
                source: *source,
                filter: filter.clone(),
                ended: false,
                bounds: Bounds::default(),
                column: None,
                codes: None,
            }),
            window: *window,
            data_type: DataType::Boolean,
            shown: false,
        });
        Some(Exclusion { name: name.clone(), when: hidden })
    }

    /// What a cool-off is short for; problems stand at `path` of the document that declares it.
    pub(super) fn cool_off(&mut self, document: &Document, path: &[&str], decl: &CoolOffDecl) -> CoolOff {
        let at = |key: &'static str| path.iter().copied().chain([key]).collect::<Vec<_>>();
        let listed_within = decl.listed_within.as_ref().and_then(|text| {
            if !self.remembers {
                let problem = document.at_key(&at("listed_within"), "who was listed before is not remembered");
                self.desk.report(problem.help("write remember = true in the run file's [outreach]"));
            }
            self.length(document, &at("listed_within"), text)
        });
        let after = self.contacts(document, &at, decl).unwrap_or_default();
        CoolOff { after, listed_within }
    }

    fn contacts<'a>(
        &mut self,
        document: &Document,
        at: &impl Fn(&'static str) -> Vec<&'a str>,
        decl: &'a CoolOffDecl,
    ) -> Option<Vec<Contact>> {
        let Some(of) = &decl.of else {
            if !decl.after.is_empty() {
                let problem = document.at_key(&at("after"), "`after` needs `of`: the feedback source");
                self.desk.report(problem.help("for example of = \"hub_feedback\""));
            }
            return None;
        };
        let source = self.source_named(document, &at("of"), of, &[Role::Events, Role::Feedback])?;
        self.fresh(document, &at("of"), "cool_off", &BTreeSet::from([source]));
        let column = decl.column.as_deref().unwrap_or(OUTCOME);
        let named = if decl.column.is_some() { at("column") } else { at("of") };
        let index = self.column_named(document, &named, source, column)?;
        let found = &self.sources.get(source)?.columns.get(index)?.decl;
        let categories: Vec<String> = found.map.keys().chain(&found.otherwise).cloned().collect();
        let mut contacts = Vec::new();
        for (category, within) in &decl.after {
            let place: Vec<&str> = at("after").into_iter().chain([category.as_str()]).collect();
            if !categories.contains(category) {
                let problem = document.at_key(&place, format!("`{of}.{column}` has no category `{category}`"));
                let problem = problem.help(format!("write one of {}", categories.join(", ")));
                self.desk.report(problem.did_you_mean(category, categories.iter().map(String::as_str)));
                continue;
            }
            let Some(window) = self.length(document, &place, within) else { continue };
            let filter = Some(format!("\"{column}\" = '{}'", category.replace('\'', "''")));
            contacts.push(Contact { name: format!("cool_off_{category}"), source, filter, window });
        }
        Some(contacts)
    }

    /// A stale source would put people back on a list: each that an exclusion reads says how old it may be.
    fn fresh(&mut self, document: &Document, path: &[&str], name: &str, sources: &BTreeSet<usize>) {
        let undated: Vec<String> = sources
            .iter()
            .filter_map(|source| self.sources.get(*source))
            .filter(|source| source.decl.max_age.is_none())
            .map(|source| source.name.clone())
            .collect();
        for source in undated {
            let message = format!("`{name}` excludes by `{source}`, which does not say how old it may be");
            let help = format!("write a `max_age` in sources/{source}.toml: a stale source puts people back on lists");
            self.desk.report(document.at_value(path, message).help(help));
        }
    }
}
