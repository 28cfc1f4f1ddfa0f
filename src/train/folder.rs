//! The folder of a trained model: what it is, its numbers, how it was judged, its card, and a lock over them all.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{Declared, Trained, card};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::lock::{self, ModelLock};
use crate::pipeline::study::StudyPlan;
use crate::storage::Storage;

/// Files by name, the lock among them.
pub fn files(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Result<BTreeMap<String, String>> {
    let (table, rows) = &trained.declared.table;
    let mut files = BTreeMap::new();
    files.insert(table.clone(), rows.clone());
    files.insert("evaluation.json".to_owned(), pretty(&evaluation(pipeline, plan, trained))?);
    files.insert("card.md".to_owned(), card::card(pipeline, plan, trained)?);
    files.insert("model.toml".to_owned(), model(pipeline, plan, trained));
    let lock = locked(&files)?;
    files.insert(lock::FILE.to_owned(), lock.text());
    Ok(files)
}

/// Hashes of files, as the lock of a folder holds them.
pub fn locked(files: &BTreeMap<String, String>) -> Result<ModelLock> {
    let mut lock = ModelLock::default();
    for (name, text) in files.iter().filter(|(name, _)| *name != lock::FILE) {
        let hash = match name.as_str() {
            "model.toml" => {
                let (document, problems) = crate::pipeline::document::Document::parse(name, text.clone());
                if !problems.is_empty() {
                    return Err(Error::Fault("the model's own file is no TOML".to_owned()));
                }
                lock::seal(&document.value)
            }
            _ => lock::sha256(text.as_bytes()),
        };
        lock.files.insert(name.clone(), hash);
    }
    Ok(lock)
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
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let Declared { kind, intercept, table, .. } = &trained.declared;
    let kind = match kind {
        ModelKind::Points => "points",
        ModelKind::Logistic => "logistic",
        ModelKind::Trees => "trees",
    };
    let train = plan.decl.train.as_ref();
    let title = train.and_then(|train| train.title.clone()).unwrap_or_else(|| plan.decl.title.clone());
    let outcome = &plan.decl.outcome;
    let mut text = String::new();
    let mut say = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    say("title", quoted(&title));
    say("kind", quoted(kind));
    say("version", quoted(&trained.version()));
    say("predicts", quoted(&format!("{} (within {})", outcome.label, outcome.within)));
    say("population", quoted(population(pipeline)));
    let program = env!("CARGO_PKG_VERSION");
    say("citation", quoted(&format!("Trained by riskstrat {program} from the study {}; not published", plan.name)));
    say("card", quoted("card.md"));
    say("table", quoted(&table.0));
    if let Some(intercept) = intercept {
        say("intercept", float(*intercept));
    }
    if plan.outcome.cost {
        say("i_understand_cost_label", "true".to_owned());
    }
    let signed = &plan.decl.signed_off;
    text.push_str(&format!(
        "\n[signed_off]\nby = {}\non = {}\nreview_by = {}\n",
        quoted(&signed.by),
        signed.on,
        signed.review_by
    ));
    text.push_str("\n[trained]\n");
    let mut say = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    say("format", "1".to_owned());
    say("study", quoted(&plan.name));
    say("study_sha256", quoted(&plan.sha256));
    say("outcome_id", quoted(&plan.outcome.id));
    say("cost_label", plan.outcome.cost.to_string());
    say("auroc_in_training", float(trained.in_training.auroc.unwrap_or(0.5)));
    say("rows", trained.in_training.rows.to_string());
    say("events", trained.in_training.events.to_string());
    for band in train.map(|train| train.bands.as_slice()).unwrap_or_default() {
        text.push_str(&format!("\n[[bands]]\nname = {}\n", quoted(&band.name)));
        if let Some(below) = band.below {
            text.push_str(&format!("below = {}\n", float(below)));
        }
    }
    text
}

/// In the shortest form that reads back to the same bits, with the point that TOML wants.
fn float(value: f64) -> String {
    format!("{value:?}")
}

/// The figures, with what they are about.
pub fn evaluation(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Value {
    let mut said = json!({
        "population": population(pipeline),
        "outcome": plan.decl.outcome.label,
        "outcome_id": plan.outcome.id,
        "study": plan.name,
        "study_sha256": plan.sha256,
        "people": trained.account,
        "held_out": trained.held_out,
        "held_out_groups": trained.groups,
        "learnt_from": trained.in_training,
        "cross_validation": trained.tried,
    });
    if plan.outcome.cost
        && let Some(said) = said.as_object_mut()
    {
        said.insert("cost_label".to_owned(), json!(super::COST_LABEL));
    }
    said
}

fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(|_| Error::Fault("an evaluation is not JSON".to_owned()))?;
    Ok(text + "\n")
}
