//! What only the run as a whole can lack.

use super::super::decl::{ListFormat, Role, RunDecl, SourceDecl};
use super::super::document::Document;
use super::Checker;
use super::desk::Loaded;
use crate::memory::MemoryLimit;

impl Checker {
    /// Roles, opt-outs, ages and formats.
    pub(super) fn run(&mut self, document: &Document, decl: &RunDecl, sources_known: bool) {
        if let Some(text) = &decl.max_data_age {
            self.age_limit(document, &["max_data_age"], text);
        }
        if let Some(Err(message)) = decl.memory_limit.as_deref().map(str::parse::<MemoryLimit>) {
            self.desk.report(document.at_value(&["memory_limit"], message));
        }
        self.formats(document, &decl.publish.formats);
        self.model_limits(document, decl);
        self.identifier_system(document, decl);
        let has = |role: Role| self.sources.iter().any(|source| source.decl.role == role);
        let (register, opt_out) = (has(Role::Register), has(Role::OptOut) || has(Role::AllowList));
        if sources_known && !register {
            self.desk.report(
                document.at_key(&["sources"], "no source has the role `register`: nobody would be in the population"),
            );
        }
        let reason = decl.opt_outs.as_ref().map(|opt_outs| opt_outs.none_because.trim());
        if reason.is_some_and(str::is_empty) {
            self.desk.report(document.at_value(&["opt_outs", "none_because"], "the reason is empty"));
        }
        if reason.is_some() && opt_out {
            let problem = document.at_key(&["opt_outs"], "a source says who opted out, so there is nothing to explain");
            self.desk.report(problem.help("leave out [opt_outs]"));
        }
        if sources_known && !decl.cohorts.is_empty() && !opt_out && reason.is_none() {
            let problem = document.at_key(&["cohorts"], "lists need a source with the role `opt_out` or `allow_list`");
            let help = "name one in `sources`, or say why there is none: [opt_outs] none_because = \"…\"";
            self.desk.report(problem.help(help));
        }
    }

    /// Marks the features that the run keeps out of reasons, before a cohort is read.
    pub(super) fn never_as_reason(&mut self, document: &Document, names: &[String]) {
        for (at, name) in names.iter().enumerate() {
            let place = at.to_string();
            let found = self.feature_named(|message| document.at_value(&["never_as_reason", &place], message), name);
            if let Some(feature) = found.and_then(|found| self.features.get_mut(found)) {
                feature.never_as_reason = true;
            }
        }
    }

    /// Lists are written in some format, and in each only once.
    fn formats(&mut self, document: &Document, formats: &[ListFormat]) {
        if formats.is_empty() {
            let problem = document.at_value(&["publish", "formats"], "no format is named: lists would not be written");
            self.desk.report(problem.help("write formats = [\"csv\"], or leave it out"));
        }
        for (at, format) in
            formats.iter().enumerate().filter(|(at, format)| formats.iter().take(*at).any(|other| other == *format))
        {
            let place = at.to_string();
            let message = format!("`{}` is named twice", format.name());
            let problem = document.at_value(&["publish", "formats", &place], message);
            self.desk.report(problem.help("name each format once"));
        }
    }

    /// Where there are lists, every source of opt-outs has an age at which it is too old.
    pub(super) fn opt_out_ages(&mut self, sources: &[Loaded<SourceDecl>]) {
        let objects = |role: Role| matches!(role, Role::OptOut | Role::AllowList);
        for file in sources.iter().filter(|file| objects(file.decl.role) && file.decl.max_age.is_none()) {
            let problem = file.document.at_key(&["role"], "opt-outs need a `max_age` in a run with cohorts");
            self.desk.report(
                problem.help(
                    "say how old the opt-outs may be: a stale list of opt-outs lets lists hold people who objected",
                ),
            );
        }
    }
}
