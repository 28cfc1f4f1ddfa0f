//! A stack: bases whose tables stand in its own folder, each with a weight above 0.

use std::collections::BTreeSet;

use super::super::decl::{BaseDecl, ModelDecl, ModelKind};
use super::super::document::Document;
use super::super::{Scoring, Stack};
use super::Checker;

impl Checker {
    pub(super) fn stack(&mut self, document: &Document, decl: &ModelDecl) -> Option<Stack> {
        let Some(intercept) = decl.intercept.filter(|intercept| intercept.is_finite()) else {
            self.desk.report(document.at_key(&["kind"], "a stack needs an `intercept`, a finite number"));
            return None;
        };
        if decl.bases.is_empty() {
            let problem = document.at_key(&["kind"], "a stack needs `bases`");
            self.desk.report(problem.help("one [[bases]] for each: name, kind, table, intercept, weight"));
            return None;
        }
        let (mut names, mut tables) = (BTreeSet::new(), BTreeSet::new());
        let mut bases = Vec::new();
        for (at, base) in decl.bases.iter().enumerate() {
            let place = at.to_string();
            let twice = (!names.insert(&base.name), !tables.insert(&base.table));
            for (key, twice) in [("name", twice.0), ("table", twice.1)] {
                if twice {
                    self.desk.report(document.at_value(&["bases", &place, key], "each base has its own"));
                }
            }
            self.not_blank(document, &["bases", &place, "name"], &base.name);
            bases.push(self.base(document, &place, base, decl));
        }
        Some(Stack { intercept, bases: bases.into_iter().collect::<Option<_>>()? })
    }

    fn base(&mut self, document: &Document, place: &str, base: &BaseDecl, decl: &ModelDecl) -> Option<(f64, Scoring)> {
        for (key, number, good) in [
            ("intercept", base.intercept, base.intercept.is_finite()),
            ("weight", base.weight, base.weight.is_finite() && base.weight > 0.0),
        ] {
            if !good {
                let bounds = if key == "weight" { " above 0" } else { "" };
                let message = format!("{number} is no finite number{bounds}");
                self.desk.report(document.at_value(&["bases", place, key], message));
                return None;
            }
        }
        let own = ModelDecl { table: Some(base.table.clone()), intercept: Some(base.intercept), ..decl.clone() };
        let scoring = match base.kind {
            ModelKind::Logistic => self.logistic(document, &own).map(Scoring::Logistic),
            ModelKind::Trees => self.trees(document, &own).map(Scoring::Trees),
            ModelKind::Points | ModelKind::Stack => {
                let message = "a base is `logistic` or `trees`: what it gives are log-odds";
                self.desk.report(document.at_value(&["bases", place, "kind"], message));
                None
            }
        };
        scoring.map(|scoring| (base.weight, scoring))
    }
}
