//! The folder of a trained model: what it is, its numbers, how it was judged, its card, and a lock over them all.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Base, Declared, Trained, card};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::lock::{self, ModelLock};
use crate::pipeline::study::StudyPlan;
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
