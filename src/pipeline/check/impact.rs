//! Impact: lists that are looked back on, and what is counted after them.

use super::super::decl::ColumnType;
use super::super::decl::measures::{ImpactDecl, OutcomeRowsDecl};
use super::super::document::Document;
use super::super::measures::Impact;
use super::Checker;
use super::measures::{Asked, below};
use crate::calendar::Window;

impl Checker {
    pub(super) fn impact(
        &mut self,
        document: &Document,
        name: &str,
        decl: &ImpactDecl,
        cohorts_known: bool,
    ) -> Option<()> {
        let path = ["impact", name];
        self.measure(document, &path, name, &decl.definition);
        if self.measures.impacts.iter().any(|known| known.name == name) {
            self.desk.report(document.at_key(&path, format!("another file measures an impact `{name}`")));
        }
        if !self.remembers {
            let problem = document.at_key(&path, "impact looks back on earlier lists, and this run remembers none");
            self.desk.report(problem.help("write remember = true under [outreach] in the run file"));
        }
        let within = self.length(document, &below(&path, "within"), &decl.within);
        let follow_up = self.length(document, &below(&path, "follow_up"), &decl.follow_up);
        // Lists so long ago, and as long before them as after.
        let window = Window::Days(within.map_or(1, days) + 2 * follow_up.map_or(1, days) + 31);
        let mut outcomes = Vec::new();
        for (outcome, rows) in &decl.outcomes {
            outcomes.extend(self.outcome_rows(document, &["impact", name, "outcomes", outcome], outcome, rows, window));
        }
        if decl.outcomes.is_empty() {
            self.desk.report(document.at_value(&below(&path, "outcomes"), "nothing is counted after a list"));
        }
        if !decl.outcomes.contains_key(&decl.primary) {
            let message = format!("no outcome is called `{}`", decl.primary);
            let problem = document.at_value(&below(&path, "primary"), message);
            self.desk.report(problem.did_you_mean(&decl.primary, decl.outcomes.keys().map(String::as_str)));
        }
        let labels = [Some(("by", decl.by.as_str())), decl.reason.as_deref().map(|reason| ("reason", reason))];
        let asked = Asked { of: &decl.reached.of, filter: decl.reached.filter.as_ref(), labels, window };
        let reached = self.watch(document, &below(&path, "reached"), &asked);
        self.is_category(document, &path, reached);
        let feedback = self.watch(document, &below(&path, "reached"), &Asked { filter: None, ..asked });
        if decl.discontinuity.ranks == 0 {
            let at = below(&below(&path, "discontinuity"), "ranks");
            self.desk.report(document.at_value(&at, "somebody must be compared: at least 1 rank"));
        }
        self.matched(document, name, decl);
        let cohorts = self.measured_cohorts(document, name, &decl.cohorts, cohorts_known);
        self.measures.impacts.push(Impact {
            name: name.to_owned(),
            decl: decl.clone(),
            cohorts,
            within: within?,
            follow_up: follow_up?,
            outcomes,
            reached: reached?,
            feedback: feedback?,
        });
        Some(())
    }

    /// What people write in their own words is published nowhere.
    fn is_category(&mut self, document: &Document, path: &[&str], watch: Option<usize>) {
        let watch = watch.and_then(|watch| self.measures.watches.get(watch));
        let column = watch.and_then(|watch| self.sources.get(watch.source)?.columns.get(watch.labels[1]?));
        if let Some(column) = column.filter(|column| column.decl.kind != ColumnType::Category) {
            let message = format!("`{}` is in people's own words, and its values are published", column.name);
            let problem = document.at_value(&below(path, "reason"), message);
            self.desk.report(problem.help("name a column with type = \"category\""));
        }
    }

    fn measured_cohorts(&mut self, document: &Document, name: &str, wanted: &[String], known: bool) -> Vec<usize> {
        if wanted.is_empty() {
            return (0..self.cohorts.len()).collect();
        }
        let mut found = Vec::new();
        for (at, cohort) in wanted.iter().enumerate() {
            match self.cohorts.iter().position(|known| known.name == *cohort) {
                Some(at) => found.push(at),
                None if known => {
                    let place = at.to_string();
                    let path = ["impact", name, "cohorts", place.as_str()];
                    let problem = document.at_value(&path, format!("the run has no cohort `{cohort}`"));
                    self.desk
                        .report(problem.did_you_mean(cohort, self.cohorts.iter().map(|cohort| cohort.name.as_str())));
                }
                None => {}
            }
        }
        found
    }

    fn matched(&mut self, document: &Document, name: &str, decl: &ImpactDecl) {
        let schema = self.schema();
        let path = ["impact", name, "matched", "nearest"];
        self.number(document, &path, &decl.matched.nearest, &schema);
        if !(decl.matched.at_most >= 0.0 && decl.matched.at_most.is_finite()) {
            self.desk.report(document.at_value(&["impact", name, "matched", "at_most"], "this is no distance"));
        }
        self.splits(document, &["impact", name, "matched", "same"], &decl.matched.same);
    }

    /// Rows that are counted, or their days.
    pub(super) fn outcome_rows(
        &mut self,
        document: &Document,
        path: &[&str],
        name: &str,
        rows: &OutcomeRowsDecl,
        window: Window,
    ) -> Option<usize> {
        self.name(document, path, name);
        self.not_blank(document, &below(path, "label"), &rows.label);
        let asked = Asked { of: &rows.of, filter: rows.filter.as_ref(), labels: [None, None], window };
        let watch = self.watch(document, path, &asked)?;
        let source = self.measures.watches.get(watch).map(|watch| watch.source)?;
        if rows.days && self.sources.get(source).is_some_and(|source| source.column("end").is_none()) {
            let message = format!("`{}` has no column `end`, so that its days cannot be counted", rows.of);
            self.desk.report(document.at_value(&below(path, "days"), message));
        }
        Some(watch)
    }
}

/// At most so many days.
fn days(window: Window) -> i32 {
    match window {
        Window::Days(days) => days,
        Window::Months(months) => months.saturating_mul(31),
        Window::Years(years) => years.saturating_mul(366),
        Window::Ever => 40_000,
    }
}
