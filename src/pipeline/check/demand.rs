//! Demand: a calibrated risk, what it is of, and what is expected of it.

use super::super::decl::measures::DemandDecl;
use super::super::document::Document;
use super::super::measures::Demand;
use super::Checker;
use super::measures::{Asked, below};
use crate::calendar::Window;

const MOST_WEEKS: u32 = 52;

/// Intervals that hold so many percent of weeks.
const PERCENTS: [u32; 3] = [80, 90, 95];

impl Checker {
    pub(super) fn demand(&mut self, document: &Document, name: &str, decl: &DemandDecl) -> Option<()> {
        let path = ["demand", name];
        self.measure(document, &path, name, &decl.definition);
        if self.measures.demands.iter().any(|known| known.name == name) {
            self.desk.report(document.at_key(&path, format!("another file expects a demand `{name}`")));
        }
        let window = self.length(document, &below(&path, "within"), &decl.within);
        let kept = window.unwrap_or(Window::Ever);
        let asked =
            Asked { of: &decl.predicts.of, filter: decl.predicts.filter.as_ref(), labels: [None, None], window: kept };
        let predicts = self.watch(document, &below(&path, "predicts"), &asked);
        let mut events = Vec::new();
        for (event, rows) in &decl.events {
            events.extend(self.outcome_rows(document, &["demand", name, "events", event], event, rows, kept));
        }
        if decl.events.is_empty() {
            self.desk.report(document.at_value(&below(&path, "events"), "nothing is expected"));
        }
        if !(1..=MOST_WEEKS).contains(&decl.weeks) {
            let message = format!("1 to {MOST_WEEKS} weeks are looked ahead");
            self.desk.report(document.at_value(&below(&path, "weeks"), message));
        }
        if !PERCENTS.contains(&decl.interval_percent) {
            self.desk
                .report(document.at_value(&below(&path, "interval_percent"), "an interval holds 80, 90 or 95 percent"));
        }
        if let Some(scenario) = &decl.scenario {
            let at = |key| ["demand", name, "scenario", key];
            self.not_blank(document, &at("because"), &scenario.because);
            if !(0.0..=100.0).contains(&scenario.averts_percent) {
                self.desk.report(document.at_value(&at("averts_percent"), "this is no percentage"));
            }
        }
        let by = self.splits(document, &below(&path, "by"), &decl.by);
        let risk = self.risk_named(document, &below(&path, "risk"), &decl.risk);
        self.measures.demands.push(Demand {
            name: name.to_owned(),
            decl: decl.clone(),
            risk: risk?,
            window: window?,
            predicts: predicts?,
            events,
            by,
        });
        Some(())
    }

    /// A model of the run whose score is a probability.
    fn risk_named(&mut self, document: &Document, path: &[&str], name: &str) -> Option<usize> {
        let Some(at) = self.models.iter().position(|model| model.name == name) else {
            if !self.may_be_broken(name) {
                let problem = document.at_value(path, format!("the run has no model `{name}`"));
                self.desk.report(problem.did_you_mean(name, self.models.iter().map(|model| model.name.as_str())));
            }
            return None;
        };
        if !self.models.get(at).is_some_and(|model| model.is_probability()) {
            let message = format!("`{name}` gives points; what is expected needs a probability");
            self.desk.report(document.at_value(path, message));
        }
        Some(at)
    }
}
