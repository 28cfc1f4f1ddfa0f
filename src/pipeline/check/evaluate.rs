//! How a study judges: names of features, and numbers that mean something.

use super::super::document::Document;
use super::super::evaluate::{EvaluateDecl, EvaluatePlan};
use super::Checker;

impl Checker {
    pub(super) fn evaluate(&mut self, document: &Document, decl: &EvaluateDecl) -> EvaluatePlan {
        let mut plan = EvaluatePlan {
            decl: decl.clone(),
            intersections: Vec::new(),
            by_size: Vec::new(),
            need: Vec::new(),
            per: None,
        };
        for (at, names) in decl.intersections.iter().enumerate() {
            let place = at.to_string();
            if names.len() < 2 {
                self.desk.report(
                    document
                        .at_value(&["evaluate", "intersections", &place], "an intersection is of two features or more"),
                );
            }
            plan.intersections.push(self.features_at(document, &["evaluate", "intersections", &place], names));
        }
        for (at, size) in decl.by_size.iter().enumerate() {
            let place = at.to_string();
            let here = |message: String| document.at_value(&["evaluate", "by_size", &place, "of"], message);
            let of = self.feature_named(here, &size.of);
            if size.from.is_empty() || !size.from.is_sorted_by(|a, b| a < b) {
                let message = "sizes rise, for example [5000, 10000]";
                self.desk.report(document.at_value(&["evaluate", "by_size", &place, "from"], message));
            }
            plan.by_size.extend(of.map(|of| (of, size.from.clone())));
        }
        for (at, name) in decl.need.iter().enumerate() {
            let place = at.to_string();
            let here = |message: String| document.at_value(&["evaluate", "need", &place], message);
            plan.need.extend(self.numeric(here, name));
        }
        if let Some(per) = decl.list.as_ref().and_then(|list| list.per.as_ref()) {
            plan.per = self.feature_named(|message| document.at_value(&["evaluate", "list", "per"], message), per);
        }
        if decl.thresholds.iter().any(|at| !(*at > 0.0 && *at < 1.0)) {
            self.desk
                .report(document.at_value(&["evaluate", "thresholds"], "a threshold is a probability between 0 and 1"));
        }
        if decl.top.iter().any(|top| !(*top > 0.0 && (*top < 1.0 || top.fract() == 0.0))) {
            let message = "a length is a whole number of places, or a share below 1";
            self.desk.report(document.at_value(&["evaluate", "top"], message));
        }
        plan
    }

    fn features_at(&mut self, document: &Document, path: &[&str], names: &[String]) -> Vec<usize> {
        let mut found = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let place = at.to_string();
            let path: Vec<&str> = path.iter().copied().chain([place.as_str()]).collect();
            found.extend(self.feature_named(|message| document.at_value(&path, message), name));
        }
        found
    }
}
