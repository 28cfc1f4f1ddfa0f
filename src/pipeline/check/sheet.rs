//! What lists show, to whom: roles, actions, teams, and scores that are probabilities.

use std::collections::BTreeSet;

use arrow::datatypes::Schema;

use super::super::decl::{CohortDecl, ListFormat, ModelDecl, ModelKind, RecipientRoleDecl, RunDecl, matches};
use super::super::document::Document;
use super::Checker;
use crate::sheet::risk;

impl Checker {
    /// Every pattern of a role is about something.
    pub(super) fn roles(&mut self, document: &Document, decl: &RunDecl, models_known: bool) {
        let schema = self.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone());
        let names: BTreeSet<String> = columns.chain(self.items.iter().map(|item| item.name.clone())).collect();
        for (name, role) in &decl.roles {
            self.not_blank(document, &["roles", name, "title"], &role.title);
            for (at, pattern) in role.may_see.iter().enumerate() {
                let known = names.iter().any(|name| matches(pattern, name));
                if known || !models_known || self.may_be_broken(pattern.trim_end_matches('*')) {
                    continue;
                }
                let path = ["roles", name, "may_see", &at.to_string()];
                let problem = document.at_value(&path, format!("no feature, score or item is called `{pattern}`"));
                self.desk.report(problem.did_you_mean(pattern, names.iter().map(String::as_str)));
            }
        }
    }

    /// FHIR says whose tokens they are.
    pub(super) fn identifier_system(&mut self, document: &Document, decl: &RunDecl) {
        let publish = &decl.publish;
        match &publish.identifier_system {
            Some(system) if !system.contains(':') || system.contains(char::is_whitespace) => {
                let problem = document.at_value(&["publish", "identifier_system"], "this is no URI");
                self.desk.report(problem.help("for example \"https://icb.example.nhs.uk/id/outreach\""));
            }
            None if publish.formats.contains(&ListFormat::Fhir) => {
                let problem = document.at_key(&["publish", "formats"], "FHIR needs the system that tokens belong to");
                let help = "write identifier_system = \"https://…\": a URI of your own, the same in every run";
                self.desk.report(problem.help(help));
            }
            _ => {}
        }
    }

    /// What a cohort's lists hold beside what selects.
    pub(super) fn sheet(&mut self, document: &Document, decl: &CohortDecl, schema: &Schema) {
        self.recipients(document, decl);
        for (at, name) in decl.show.iter().enumerate() {
            self.visible(document, &["show", &at.to_string()], decl, name);
        }
        for (at, action) in decl.actions.iter().enumerate() {
            let place = at.to_string();
            self.not_blank(document, &["actions", &place, "do"], &action.what);
            let path = ["actions", place.as_str(), "when"];
            let Some(compiled) = self.predicate(document, &path, &action.when, schema) else { continue };
            for name in &compiled.columns {
                self.visible(document, &path, decl, name);
                if self.features.iter().any(|feature| feature.name == *name && feature.never_as_reason) {
                    let problem = document.at_value(&path, format!("an action would tell of `{name}`"));
                    self.desk.report(problem.help("`never_as_reason` keeps it off lists, here or in the run file"));
                }
            }
        }
        for (at, name) in decl.before_calling.iter().enumerate() {
            self.among_shown(document, &["before_calling", &at.to_string()], decl, name);
        }
        if let Some(name) = &decl.team
            && let Some(feature) = self.feature_named(|message| document.at_value(&["team"], message), name)
        {
            self.must_be_text(document, &["team"], feature);
        }
    }

    /// Where there are roles, somebody's role reads the lists.
    fn recipients(&mut self, document: &Document, decl: &CohortDecl) {
        let Some(roles) = &self.roles else { return };
        let problem = match &decl.role {
            Some(role) if !roles.contains_key(role) => {
                let problem = document.at_value(&["role"], format!("the run has no role `{role}`"));
                Some(problem.did_you_mean(role, roles.keys().map(String::as_str)))
            }
            None if !roles.is_empty() => {
                let problem = document.at_key(&["title"], "the run has roles: whose list is this?");
                let known: Vec<&str> = roles.keys().map(String::as_str).collect();
                Some(problem.help(format!("write role = \"…\": one of {}", known.join(", "))))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            self.desk.report(problem);
        }
    }

    fn role_of(&self, decl: &CohortDecl) -> Option<&RecipientRoleDecl> {
        self.roles.as_ref()?.get(decl.role.as_ref()?)
    }

    fn visible(&mut self, document: &Document, path: &[&str], decl: &CohortDecl, name: &str) {
        if let Some(role) = self.role_of(decl)
            && !role.sees(name)
        {
            let message = format!("`{name}` is not for the eyes of a {}", role.title.to_lowercase());
            let problem = document.at_value(path, message);
            self.desk.report(problem.help("take it out here, or name it in the role's `may_see`"));
        }
    }

    fn among_shown(&mut self, document: &Document, path: &[&str], decl: &CohortDecl, name: &str) {
        if !decl.show.iter().any(|shown| shown == name) {
            let problem = document.at_value(path, format!("`{name}` is not in `show`"));
            self.desk.report(problem.did_you_mean(name, decl.show.iter().map(String::as_str)));
        }
    }

    /// Whether a criterion may be spoken of to those who read the lists.
    pub(super) fn told(&self, decl: &CohortDecl, columns: &[String], reason: Option<&str>) -> bool {
        let Some(role) = self.role_of(decl) else { return true };
        let said = super::text::placeholders(reason.unwrap_or_default()).unwrap_or_default();
        columns.iter().all(|name| role.sees(name)) && said.iter().all(|(name, _)| role.sees(name))
    }

    /// A probability of something, within a time, in words that are not more exact than it is.
    pub(super) fn probability(&mut self, document: &Document, decl: &ModelDecl) {
        let Some(probability) = &decl.probability else { return };
        self.not_blank(document, &["probability", "of"], &probability.of);
        if decl.kind == ModelKind::Points {
            let problem = document.at_key(&["probability"], "points are no probability");
            self.desk.report(problem.help("leave out [probability]"));
        }
        self.age_limit(document, &["probability", "within"], &probability.within);
        let [low, high] = probability.calibrated;
        let on_ladder =
            |value: f64| risk::LADDER.iter().any(|(n, d)| (f64::from(*n) / f64::from(*d) - value).abs() < 1e-9);
        if low >= high || !on_ladder(low) || !on_ladder(high) {
            let problem = document.at_value(&["probability", "calibrated"], "a list has no words for these ends");
            self.desk
                .report(problem.help("two of 0.01, 0.02, 0.04, 0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9"));
        }
    }
}
