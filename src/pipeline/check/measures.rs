//! Measures: the rows they keep, and webs of care, which features may be made of.

use arrow::datatypes::DataType;

use super::super::decl::measures::{ContactDecl, DefinitionDecl, MeasuresDecl, WebDecl};
use super::super::decl::{Role, WebVerb};
use super::super::document::Document;
use super::super::measures::{Contact, Watch, Web};
use super::super::{Setting, Verb};
use super::Checker;
use super::desk::Loaded;
use super::events::source_schema;
use crate::calendar::Window;

/// A key below a place.
pub(super) fn below<'a>(path: &[&'a str], key: &'a str) -> Vec<&'a str> {
    path.iter().copied().chain([key]).collect()
}

/// Rows as a measure asks for them.
pub(super) struct Asked<'a> {
    pub of: &'a str,
    pub filter: Option<&'a String>,
    pub labels: [Option<(&'a str, &'a str)>; 2],
    pub window: Window,
}

impl Checker {
    /// Webs, before any feature that is made of them.
    pub(super) fn webs(&mut self, file: &Loaded<MeasuresDecl>) {
        let document = &file.document;
        self.signed_off(document, &format!("measures {}", file.name), &file.decl.signed_off);
        self.not_blank(document, &["title"], &file.decl.title);
        for (name, decl) in &file.decl.webs {
            if self.web(document, name, decl).is_none() {
                self.broken.insert(name.clone());
            }
        }
    }

    fn web(&mut self, document: &Document, name: &str, decl: &WebDecl) -> Option<()> {
        let path = ["webs", name];
        self.measure(document, &path, name, &decl.definition);
        if self.measures.webs.iter().any(|web| web.name == name) {
            self.desk.report(document.at_key(&path, format!("another file has a web `{name}`")));
            return None;
        }
        let window = self.length(document, &["webs", name, "within"], &decl.within);
        let contacts = self.rows_of_contacts(document, &["webs", name, "contacts"], &decl.contacts, window);
        if decl.contacts.is_empty() {
            self.desk.report(document.at_value(&["webs", name, "contacts"], "a web needs contacts"));
        }
        let mut assessments = Some(Vec::new());
        let mut again_within_days = Some(0);
        if let Some(declared) = &decl.assessments {
            let path = ["webs", name, "assessments", "again_within"];
            again_within_days = self.days_long(document, &path, &declared.again_within);
            assessments =
                self.rows_of_contacts(document, &["webs", name, "assessments", "rows"], &declared.rows, window);
        }
        self.measures.webs.push(Web {
            name: name.to_owned(),
            decl: decl.clone(),
            window: window?,
            contacts: contacts?,
            assessments: assessments?,
            again_within_days: again_within_days?,
            by: Vec::new(),
        });
        Some(())
    }

    /// Name and definition of any measure.
    pub(super) fn measure(&mut self, document: &Document, path: &[&str], name: &str, definition: &DefinitionDecl) {
        self.name(document, path, name);
        for (key, text) in [("title", &definition.title), ("version", &definition.version), ("says", &definition.says)]
        {
            self.not_blank(document, &below(&below(path, "definition"), key), text);
        }
        if definition.caveats.is_empty() {
            let problem =
                document.at_value(&below(&below(path, "definition"), "caveats"), "no number is without a caveat");
            self.desk.report(problem.help("say what the numbers do not say"));
        }
    }

    fn rows_of_contacts(
        &mut self,
        document: &Document,
        path: &[&str],
        rows: &[ContactDecl],
        window: Option<Window>,
    ) -> Option<Vec<Contact>> {
        let mut made = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let place = at.to_string();
            let path = below(path, &place);
            let organisation = row.organisation.as_deref().map(|column| ("organisation", column));
            let labels = [organisation, row.team.as_deref().map(|column| ("team", column))];
            let asked =
                Asked { of: &row.of, filter: row.filter.as_ref(), labels, window: window.unwrap_or(Window::Ever) };
            if let Some(set) = &row.team_names {
                let path = below(&path, "team_names");
                if row.team.is_none() {
                    self.desk.report(document.at_value(&path, "this names teams, and no column is a team"));
                }
                self.lists.value_set(&mut self.desk, document, &path, set);
            }
            let Some(watch) = self.watch(document, &path, &asked) else { continue };
            match self.setting_of(watch) {
                Some(setting) => made.push(Contact { watch, setting }),
                None => {
                    let problem = document.at_value(&below(&path, "of"), format!("`{}` names no setting", row.of));
                    self.desk.report(problem.help("write setting = \"…\" in the source's file"));
                }
            }
        }
        (made.len() == rows.len()).then_some(made)
    }

    fn setting_of(&self, watch: usize) -> Option<Setting> {
        let watch = self.measures.watches.get(watch)?;
        self.sources.get(watch.source)?.decl.setting
    }

    /// Rows that are kept one by one.
    pub(super) fn watch(&mut self, document: &Document, path: &[&str], asked: &Asked) -> Option<usize> {
        let source = self.source_named(document, &below(path, "of"), asked.of, &[Role::Events, Role::Feedback])?;
        if self.sources.get(source)?.column("date").is_none() {
            self.desk.report(document.at_value(&below(path, "of"), format!("`{}` has no column `date`", asked.of)));
            return None;
        }
        let schema = source_schema(self.sources.get(source)?);
        let mut good =
            asked.filter.is_none_or(|sql| self.filter(document, &below(path, "where"), sql, &schema).is_some());
        let mut labels = [None; 2];
        for (label, wanted) in labels.iter_mut().zip(asked.labels) {
            let Some((key, name)) = wanted else { continue };
            let column = self.column_named(document, &below(path, key), source, name);
            *label = column.filter(|column| self.is_name_column(document, &below(path, key), source, *column));
            good &= label.is_some();
        }
        let watch = Watch { source, filter: asked.filter.cloned(), labels, window: asked.window };
        good.then(|| self.measures.watch(watch))
    }

    fn is_name_column(&mut self, document: &Document, path: &[&str], source: usize, column: usize) -> bool {
        match self.publishable(document, path, source, column) {
            Some(DataType::Utf8) => true,
            Some(other) => {
                let message = format!("this is {}, and this needs text", super::text::type_name(&other));
                self.desk.report(document.at_value(path, message));
                false
            }
            None => false,
        }
    }

    /// A length of time in days.
    pub(super) fn days_long(&mut self, document: &Document, path: &[&str], text: &str) -> Option<i32> {
        match Window::parse(text) {
            Ok(Window::Days(days)) => Some(days),
            _ => {
                self.desk.report(document.at_value(path, "write it in days, such as \"30 days\""));
                None
            }
        }
    }

    /// The feature that a web gives.
    pub(super) fn web_verb(&mut self, document: &Document, name: &str, verb: &WebVerb) -> Option<(Verb, DataType)> {
        let Some(web) = self.measures.webs.iter().position(|web| web.name == verb.of) else {
            if !self.broken.contains(&verb.of) && !self.measures_unknown {
                let names = self.measures.webs.iter().map(|web| web.name.as_str());
                let problem = document.at_value(&[name, "web", "of"], format!("the run has no web `{}`", verb.of));
                self.desk.report(problem.did_you_mean(&verb.of, names));
            }
            return None;
        };
        let data_type = if verb.figure.is_count() { DataType::Int64 } else { DataType::Float64 };
        Some((Verb::Web { web, figure: verb.figure }, data_type))
    }

    /// By what webs are compared, and measures of which no feature is made; a study has none of them.
    pub(super) fn after_features(&mut self, file: &Loaded<MeasuresDecl>) {
        for (name, decl) in &file.decl.webs {
            let by = self.splits(&file.document, &["webs", name, "by"], &decl.by);
            if let Some(web) = self.measures.webs.iter_mut().find(|web| web.name == *name) {
                web.by = by;
            }
        }
        if self.judging {
            return;
        }
        for (name, decl) in &file.decl.diversions {
            self.diversion(&file.document, name, decl);
        }
    }

    /// Measures of what lists did, and of what scores imply.
    pub(super) fn after_cohorts(&mut self, file: &Loaded<MeasuresDecl>, cohorts_known: bool) {
        if self.judging {
            return;
        }
        for (name, decl) in &file.decl.impact {
            self.impact(&file.document, name, decl, cohorts_known);
        }
        for (name, decl) in &file.decl.demand {
            self.demand(&file.document, name, decl);
        }
    }
}
