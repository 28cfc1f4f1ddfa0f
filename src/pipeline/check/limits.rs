//! Limits of models: ranges that a good model is within, and people who answer for one that is not.

use super::super::decl::RunDecl;
use super::super::document::Document;
use super::Checker;

impl Checker {
    pub(super) fn model_limits(&mut self, document: &Document, decl: &RunDecl) {
        let Some(limits) = decl.limits.as_ref().and_then(|limits| limits.models.as_ref()) else { return };
        for (key, [low, high]) in [
            ("calibration_slope", limits.calibration_slope),
            ("observed_expected", limits.observed_expected),
            ("observed_expected_of_groups", limits.observed_expected_of_groups),
        ] {
            if !(low < 1.0 && high > 1.0) {
                self.desk
                    .report(document.at_value(&["limits", "models", key], "a range about 1, for example [0.8, 1.2]"));
            }
        }
        for (key, limit) in [("max_psi", limits.max_psi), ("max_mapped_fall", limits.max_mapped_fall)] {
            if limit < 0.0 {
                self.desk.report(document.at_value(&["limits", "models", key], "a limit is 0 or more"));
            }
        }
        for (at, accepted) in limits.accepted.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["limits", "models", "accepted", place.as_str(), key];
            for (key, text) in [("by", &accepted.by), ("why", &accepted.why)] {
                self.not_blank(document, &path(key), text);
            }
            if !decl.models.iter().any(|model| model.rsplit('/').next() == Some(accepted.model.as_str())) {
                let problem = document.at_value(&path("model"), format!("the run has no model `{}`", accepted.model));
                self.desk.report(problem.did_you_mean(&accepted.model, decl.models.iter().map(String::as_str)));
            } else {
                let (model, by, on) = (&accepted.model, &accepted.by, accepted.on);
                self.warnings.push(format!("model {model}: {by} answers since {on} for using it beyond the limits"));
            }
        }
    }
}
