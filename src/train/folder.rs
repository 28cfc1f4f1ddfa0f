//! The folder of a trained model: what it is, its numbers, how it was judged, its card, and a lock over them all.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Base, Declared, Trained, card};
use crate::error::{Error, Result};
use crate::evaluate::Evaluation;
use crate::evaluate::calibration::Tenth;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::lock::{self, ModelLock};
use crate::pipeline::study::StudyPlan;
use crate::score::calibration::logit;
use crate::sheet::risk;
use crate::storage::Storage;

/// Whose bins a run is held against.
const REFERENCE: &str = "reference.csv";

/// Files by name, the lock among them.
pub fn files(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<String, String> = trained.declared.tables().cloned().collect();
    files.insert("evaluation.json".to_owned(), trained.evaluation.text()?);
    files.insert(REFERENCE.to_owned(), trained.reference.clone());
    files.insert("card.md".to_owned(), card::card(pipeline, plan, trained)?);
    files.insert("model.toml".to_owned(), model(pipeline, plan, trained));
    let lock = ModelLock::of(&files)?;
    files.insert(lock::FILE.to_owned(), lock.text());
    Ok(files)
}

/// Writes the folder whole or not at all; it must not exist.
pub fn write(storage: &dyn Storage, out: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let failed = |error: std::io::Error| Error::storage("writing", out, &error);
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = out.with_file_name(format!(".{name}.new"));
    if storage.list(out).is_ok() {
        return Err(Error::Usage(format!("{} is there already: a model is never written over", out.display())));
    }
    if storage.list(&beside).is_ok() {
        storage.remove_dir_all(&beside).map_err(failed)?;
    }
    storage.create_dir(&beside).map_err(failed)?;
    for (name, text) in files {
        storage.write_new(&beside.join(name), text.as_bytes()).map_err(failed)?;
    }
    storage.sync_dir(&beside).map_err(failed)?;
    storage.rename(&beside, out).map_err(failed)?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage.sync_dir(parent).map_err(failed)
}

/// Whose people they were.
pub(super) fn population(pipeline: &Pipeline) -> &str {
    pipeline.decl.population.as_deref().unwrap_or(&pipeline.decl.title)
}

fn model(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> String {
    let Declared { kind, intercept, table, bases, .. } = &trained.declared;
    let train = plan.decl.train.as_ref();
    let title = train.and_then(|train| train.title.clone()).unwrap_or_else(|| plan.decl.title.clone());
    let outcome = &plan.decl.outcome;
    let program = env!("CARGO_PKG_VERSION");
    let citation = format!("Trained by riskstrat {program} from the study {}; not published", plan.name);
    let mut text = String::new();
    let mut say = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    say("title", quoted(&title));
    say("kind", quoted(word(*kind)));
    say("version", quoted(&trained.version));
    say("predicts", quoted(&format!("{} (within {})", outcome.label, outcome.within)));
    say("population", quoted(population(pipeline)));
    say("citation", quoted(&citation));
    say("card", quoted("card.md"));
    // Whom the study did not mean, the model is not about.
    plan.decl.filter.iter().for_each(|sql| say("applies_when", quoted(sql)));
    table.iter().for_each(|(file, _)| say("table", quoted(file)));
    intercept.iter().for_each(|intercept| say("intercept", float(*intercept)));
    say("reference", quoted(REFERENCE));
    if plan.outcome.cost {
        say("i_understand_cost_label", "true".to_owned());
    }
    let signed = &plan.decl.signed_off;
    let by = quoted(&signed.by);
    text.push_str(&format!("\n[signed_off]\nby = {by}\non = {}\nreview_by = {}\n", signed.on, signed.review_by));
    text.push_str(&probability(plan, &trained.evaluation).unwrap_or_default());
    text.push_str(&origin(plan, trained));
    bases.iter().for_each(|base| text.push_str(&stacked(base)));
    for band in train.map(|train| train.bands.as_slice()).unwrap_or_default() {
        text.push_str(&format!("\n[[bands]]\nname = {}\n", quoted(&band.name)));
        if let Some(below) = band.below {
            text.push_str(&format!("below = {}\n", float(below)));
        }
    }
    text
}

/// `[probability]`: what the score is of, and between which risks it may be said in words, those held out being the witness.
/// None where nowhere on its scale the model said what came.
fn probability(plan: &StudyPlan, evaluation: &Evaluation) -> Option<String> {
    let measures = &evaluation.models.first()?.everyone;
    let [low, high] = said_well(&measures.probability.as_ref()?.tenths)?;
    let outcome = &plan.decl.outcome;
    let (of, within) = (quoted(&lower_first(&outcome.label)), quoted(&outcome.within));
    let calibrated = format!("[{}, {}]", float(low), float(high));
    Some(format!("\n[probability]\nof = {of}\nwithin = {within}\ncalibrated = {calibrated}\n"))
}

/// The longest stretch of tenths in which the odds foreseen and the odds observed differ by less than a half: as much as
/// two neighbouring fractions of a list differ at the most.
fn said_well(tenths: &[Tenth]) -> Option<[f64; 2]> {
    let well = |tenth: &Tenth| (logit(tenth.predicted) - logit(tenth.observed.value)).abs() < 1.5_f64.ln();
    let stretches = tenths.chunk_by(|a, b| well(a) == well(b)).filter(|stretch| stretch.first().is_some_and(well));
    let longest = stretches.rev().max_by_key(|stretch| stretch.len())?;
    risk::ends(longest.first()?.predicted, longest.last()?.predicted)
}

/// "Any admission" within a sentence; "A&E attendance" stays.
fn lower_first(text: &str) -> String {
    let mut rest = text.chars();
    match (rest.next(), rest.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}

/// `[trained]`
fn origin(plan: &StudyPlan, trained: &Trained) -> String {
    let mut text = "\n[trained]\n".to_owned();
    let mut say = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    say("format", "1".to_owned());
    say("study", quoted(&plan.name));
    say("study_sha256", quoted(&plan.sha256));
    say("outcome_id", quoted(&plan.outcome.id));
    say("cost_label", plan.outcome.cost.to_string());
    say("auroc_in_training", float(trained.learnt.auroc));
    say("rows", trained.learnt.rows.to_string());
    say("events", trained.learnt.events.to_string());
    text
}

/// `[[bases]]`
fn stacked(base: &Base) -> String {
    let Base { name, weight, declared } = base;
    let table = declared.table.as_ref().map_or("", |(file, _)| file);
    format!(
        "\n[[bases]]\nname = {}\nkind = {}\ntable = {}\nintercept = {}\nweight = {}\n",
        quoted(name),
        quoted(word(declared.kind)),
        quoted(table),
        float(declared.intercept.unwrap_or(0.0)),
        float(*weight)
    )
}

fn word(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Points => "points",
        ModelKind::Logistic => "logistic",
        ModelKind::Trees => "trees",
        ModelKind::Stack => "stack",
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// In the shortest form that reads back to the same bits, with the point that TOML wants.
fn float(value: f64) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::interval;

    fn tenth(predicted: f64, events: f64) -> Tenth {
        Tenth { people: 1000.0, events, predicted, observed: interval::share(events, 1000.0).unwrap() }
    }

    #[test]
    fn words_are_for_risks_that_came_as_foreseen() {
        // Far too many were foreseen in the first two, a little too many in the last.
        let tenths = [(0.05, 20.0), (0.06, 25.0), (0.12, 110.0), (0.2, 205.0), (0.3, 320.0), (0.45, 400.0)];
        let tenths = tenths.map(|(predicted, events)| tenth(predicted, events));
        assert_eq!(said_well(&tenths), Some([0.125, 0.4]));
        assert_eq!(said_well(&tenths[..2]), None);
        // Of two stretches as long, the lower.
        let gap = [(0.04, 40.0), (0.1, 100.0), (0.2, 400.0), (0.3, 300.0), (0.5, 500.0)];
        assert_eq!(said_well(&gap.map(|(predicted, events)| tenth(predicted, events))), Some([0.04, 0.1]));
    }

    #[test]
    fn a_label_stands_within_a_sentence() {
        assert_eq!(lower_first("Any admission"), "any admission");
        assert_eq!(lower_first("A stay"), "a stay");
        assert_eq!(lower_first("A&E attendance"), "A&E attendance");
    }
}
