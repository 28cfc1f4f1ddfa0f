//! A trained model is used as it was trained and judged, on the population it was judged on, or not at all.

use serde::Deserialize;

use super::super::calibration::CalibrationDecl;
use super::super::decl::{ModelDecl, TrainedDecl};
use super::super::document::Document;
use super::super::lock::{self, ModelLock};
use super::super::problem::Problem;
use super::super::schema::Kind;
use super::Checker;
use super::desk::Loaded;
use super::model::beside;
use crate::evaluate::limits::Finding;

/// The layout of model folders that this program reads.
pub const FORMAT: u32 = 1;

/// A model that ranks those it learnt from better than this knows something of the outcome itself.
pub const TOO_GOOD: f64 = 0.95;

/// What an evaluation says of whom it was made on.
#[derive(Debug, Deserialize)]
struct Validation {
    population: String,
    outcome_id: String,
    #[serde(default)]
    models: Vec<Evaluated>,
}

/// What was beyond the limits.
#[derive(Debug, Deserialize)]
struct Evaluated {
    findings: Vec<Finding>,
}

impl Checker {
    pub(super) fn trained(&mut self, file: &Loaded<ModelDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        let Some(trained) = &decl.trained else {
            if decl.accepted_without_local_validation.is_some() {
                let message = "only a trained model is judged on the population it is used for";
                self.desk.report(document.at_key(&["accepted_without_local_validation"], message));
            }
            return;
        };
        if trained.format != FORMAT {
            let message = format!("a model folder of format {}; this program reads {FORMAT}", trained.format);
            self.desk.report(document.at_value(&["trained", "format"], message).help("train it again"));
            return;
        }
        if trained.auroc_in_training > TOO_GOOD {
            let message = format!("it ranks those it learnt from too well: an AUROC above {TOO_GOOD}");
            let help = "something that is known only with the outcome is among its inputs";
            self.desk.report(document.at_value(&["trained", "auroc_in_training"], message).help(help));
        }
        self.cost(file, trained);
        let Some(lock) = self.locked(document, decl) else { return };
        self.validated(file, trained, &lock);
    }

    fn cost(&mut self, file: &Loaded<ModelDecl>, trained: &TrainedDecl) {
        if !trained.cost_label {
            return;
        }
        if file.decl.i_understand_cost_label {
            self.warnings.push(format!(
                "model {}: it predicts a cost, which stands for need only where access to care is equal",
                file.name
            ));
        } else {
            let problem = file.document.at_key(&["trained", "cost_label"], "this model predicts a cost, not a need");
            self.desk.report(problem.help("if it is meant all the same: i_understand_cost_label = true"));
        }
    }

    /// The lock, when every file is what it says.
    fn locked(&mut self, document: &Document, decl: &ModelDecl) -> Option<ModelLock> {
        let missing = || document.at_key(&["trained"], format!("there is no `{}` beside a trained model", lock::FILE));
        let Some(shown) = beside(&document.file, lock::FILE).and_then(|shown| self.desk.find(&shown)) else {
            self.desk.report(missing().help("use the folder as `riskstrat train` wrote it"));
            return None;
        };
        let (_, lock) = self.desk.document::<ModelLock>(&shown, Kind::ModelLock)?;
        let lock = lock?;
        let mut good = true;
        let steps = decl.calibration.iter().filter_map(CalibrationDecl::table);
        let tables = decl
            .table
            .iter()
            .chain(decl.bases.iter().map(|base| &base.table))
            .chain(&decl.reference)
            .chain([&decl.card])
            .map(String::as_str)
            .chain(steps);
        for needed in tables.chain(["model.toml"]).filter(|file| !lock.files.contains_key(*file)) {
            self.desk.report(Problem::new(&shown, format!("`{needed}` is not in the lock")));
            good = false;
        }
        for (file, sha256) in &lock.files {
            let found = beside(&document.file, file).and_then(|shown| self.desk.find(&shown));
            let hash = match (file.as_str(), found) {
                ("model.toml", _) => Some(lock::seal(&document.value)),
                (_, Some(shown)) => {
                    self.desk.read(&shown)?;
                    self.desk.sha256(&shown).map(str::to_owned)
                }
                (_, None) => None,
            };
            if hash.as_ref() != Some(sha256) {
                let message = format!("`{file}` is not the file that was trained and judged");
                self.desk.report(Problem::new(&shown, message).help("train again, or take the folder as it was"));
                good = false;
            }
        }
        good.then_some(lock)
    }

    /// A model that was off on this population is not used there, but where somebody answers for it.
    fn within_limits(&mut self, file: &Loaded<ModelDecl>, name: &str, found: &Validation) {
        if self.judging || self.population.as_ref() != Some(&found.population) || self.accepted.contains(&file.name) {
            return;
        }
        for finding in found.models.iter().flat_map(|model| &model.findings) {
            let problem = file.document.at_key(&["trained"], format!("`{name}`: {finding}"));
            self.desk
                .report(problem.help("recalibrate it, or name who answers for it in [limits.models] of the run file"));
        }
    }

    /// An evaluation of this population, or a person who answers for there being none.
    fn validated(&mut self, file: &Loaded<ModelDecl>, trained: &TrainedDecl, lock: &ModelLock) {
        let (document, decl) = (&file.document, &file.decl);
        let mut populations = Vec::new();
        for name in lock.files.keys().filter(|name| name.starts_with("evaluation") && name.ends_with(".json")) {
            let shown = beside(&document.file, name).and_then(|shown| self.desk.find(&shown));
            let text = shown.and_then(|shown| self.desk.read(&shown)).unwrap_or_default();
            match serde_json::from_str::<Validation>(&text) {
                Ok(found) if found.outcome_id == trained.outcome_id => {
                    self.within_limits(file, name, &found);
                    populations.push(found.population);
                }
                Ok(_) => self.desk.report(document.at_value(
                    &["trained", "outcome_id"],
                    format!("`{name}` is about another outcome than the one this model predicts"),
                )),
                Err(_) => self.desk.report(document.at_key(&["trained"], format!("`{name}` is no evaluation"))),
            }
        }
        let here = self.population.clone();
        if self.judging || here.as_ref().is_some_and(|here| populations.contains(here)) {
            return;
        }
        if let Some(accepted) = &decl.accepted_without_local_validation {
            for (key, text) in [("by", &accepted.by), ("why", &accepted.why)] {
                self.not_blank(document, &["accepted_without_local_validation", key], text);
            }
            let whose = here.unwrap_or_else(|| "this population".to_owned());
            self.warnings.push(format!(
                "model {}: not validated on {whose}; accepted by {} on {}: {}",
                file.name, accepted.by, accepted.on, accepted.why
            ));
            return;
        }
        let whose = match &here {
            Some(here) => format!("it has not been validated on `{here}`, the population of this run"),
            None => "the run does not say whose people they are, so no evaluation can be on them".to_owned(),
        };
        let help = match here {
            Some(_) => {
                "evaluate it there, or write who answers: accepted_without_local_validation = { by = \"…\", on = 2026-04-01, why = \"…\" }"
            }
            None => "write population = \"…\" in the run file",
        };
        self.desk.report(document.at_key(&["trained"], whose).help(help));
    }
}
