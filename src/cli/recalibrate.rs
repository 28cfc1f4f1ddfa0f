//! `riskstrat recalibrate`: a model with one more calibration step, in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::Float64Array;
use arrow::record_batch::RecordBatch;
use clap::Args;
use jiff::civil::Date;

use super::evaluate::{StudyArgs, in_words, write_new};
use super::output;
use crate::cohort::words;
use crate::drift;
use crate::drift::reference::SCORE;
use crate::error::{Error, Result};
use crate::evaluate::recalibrate::{self, Fitted, Groups, Method, Signature};
use crate::evaluate::sample::Row;
use crate::evaluate::{self, Evaluation, Scored};
use crate::pipeline::calibration::Step;
use crate::pipeline::lock::{self, ModelLock};
use crate::pipeline::study::StudyPlan;
use crate::pipeline::{Model, Pipeline};
use crate::score::calibration;
use crate::study::{Part, Study};

#[derive(Debug, Args)]
pub struct RecalibrateArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// The model that gets one more step.
    #[arg(long, value_name = "NAME")]
    model: String,
    #[arg(long, value_enum)]
    method: Method,
    /// Of `by_group`: the feature whose values are the groups.
    #[arg(long, value_name = "FEATURE")]
    group: Option<String>,
    /// Who answers for the step.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The day on which it is fitted.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Date,
    /// A new folder for the recalibrated model: `models/<new name>`.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Fits the step on the people who are learnt from, shows before and after on those held out, and writes the folder.
pub fn run(args: &RecalibrateArgs, json: bool) -> Result<()> {
    if args.by.trim().is_empty() {
        return Err(Error::Usage("--by names a person".to_owned()));
    }
    let (pipeline, plan, study) = args.study.assemble(std::slice::from_ref(&args.model), false)?;
    let model = pipeline.models.first().ok_or_else(|| Error::Fault("the model was not loaded".to_owned()))?;
    if !model.is_probability() {
        return Err(Error::Usage(format!(
            "model {}: points are no probability, so there is nothing to calibrate",
            model.name
        )));
    }
    let before =
        evaluate::scored(&pipeline, &study)?.into_iter().next().map(|scored| scored.scores).unwrap_or_default();
    let fitted = fit(args, &pipeline, &plan, &study, model, &before)?;
    let recalibrated = stepped(&fitted.step, &study.table, &before)?;
    let name = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Error::Usage("--out names a folder".to_owned()))?;
    let scored = |name: &str, scores| Scored {
        name: name.to_owned(),
        version: model.decl.version.clone(),
        probability: true,
        scores,
    };
    let after = scored(&name, recalibrated.clone());
    let evaluation = evaluate::judge(&pipeline, &plan, &study, std::slice::from_ref(&after))?;
    let both = evaluate::judge(&pipeline, &plan, &study, &[scored(&format!("{} before", model.name), before), after])?;
    let mut files = files(args, &pipeline, &plan, model, &fitted, &evaluation)?;
    if let Some(file) = &model.decl.reference {
        let text = files.entry(file.clone()).or_default();
        *text = spread(text, &recalibrated)?;
    }
    if files.remove(lock::FILE).is_some() {
        let sealed = ModelLock::of(&files)?.text();
        files.insert(lock::FILE.to_owned(), sealed);
    }
    write_new(&args.out, &files)?;
    if json { output::json(&both) } else { output::line(&in_words(&both)) }
}

/// Every score there is, after one more step.
fn stepped(step: &Step, table: &RecordBatch, scores: &[Option<f64>]) -> Result<Vec<Option<f64>>> {
    let mut after: Vec<f64> = scores.iter().map(|score| score.unwrap_or(0.0)).collect();
    calibration::apply(std::slice::from_ref(step), table, &mut after)?;
    Ok(scores.iter().zip(after).map(|(before, after)| before.map(|_| after)).collect())
}

fn fit(
    args: &RecalibrateArgs,
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    model: &Model,
    scores: &[Option<f64>],
) -> Result<Fitted> {
    let about = |row: &usize| scores[*row].is_some();
    let learnt: Vec<usize> = study.rows(Part::Train).into_iter().filter(about).collect();
    let row = |&row: &usize| {
        let (outcome, weight, person) = (study.outcome[row], study.weight[row], study.person[row]);
        scores[row].map(|score| Row { score, outcome, weight, person })
    };
    let rows: Vec<Row> = learnt.iter().filter_map(row).collect();
    let groups = args.group.as_ref().map(|name| {
        let feature = pipeline.features.iter().position(|feature| feature.name == *name);
        let feature = feature.ok_or_else(|| Error::Usage(format!("the study's run has no feature `{name}`")))?;
        let column = study.table.column(feature);
        let of = learnt.iter().map(|row| words::written(column, *row)).collect::<Result<_>>()?;
        Ok::<_, Error>(Groups { feature, name: name.clone(), of })
    });
    let events = rows.iter().filter(|row| row.outcome).count();
    let dates: Vec<String> = plan.decl.as_of.iter().map(Date::to_string).collect();
    let whom = if plan.decl.split.hold_out > 0.0 { "people not held out" } else { "everyone" };
    let fitted_on =
        format!("{}, {whom}: {} rows, {events} outcomes, as of {}", plan.name, rows.len(), dates.join(", "));
    let signature = Signature { fitted_on: &fitted_on, by: &args.by, on: args.on };
    let table = format!("calibration_{}.csv", model.calibration.len() + 1);
    recalibrate::fit(args.method, rows, groups.transpose()?.as_ref(), &table, signature)
}

/// The model's own files with the step at the end of `model.toml`; evaluations of what it was before are left out.
fn files(
    args: &RecalibrateArgs,
    pipeline: &Pipeline,
    plan: &StudyPlan,
    model: &Model,
    fitted: &Fitted,
    evaluation: &Evaluation,
) -> Result<BTreeMap<String, String>> {
    let folder = folder(args, pipeline, plan, model)?;
    let unreadable = |error: std::io::Error| Error::storage("reading", &folder, &error);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("evaluation") && !name.starts_with('.') {
            files.insert(name, std::fs::read_to_string(entry.path()).map_err(unreadable)?);
        }
    }
    files.entry("model.toml".to_owned()).or_default().push_str(&fitted.toml);
    files.entry(model.decl.card.clone()).or_default().push_str(&format!(
        "\n## Calibration\n\nA calibration step was added on {} by {}; `model.toml` says which.\n",
        args.on, args.by
    ));
    files.extend(fitted.table.clone());
    files.insert("evaluation.json".to_owned(), evaluation.text()?);
    Ok(files)
}

/// What a run is held against, with the score as it is after the step.
fn spread(reference: &str, scores: &[Option<f64>]) -> Result<String> {
    let scores: Float64Array = scores.iter().flatten().copied().map(Some).collect();
    let mut text = drift::reference(&scores, &[])?;
    let inputs = reference.lines().skip(1).filter(|line| !line.starts_with(SCORE));
    inputs.for_each(|line| text.push_str(&format!("{line}\n")));
    Ok(text)
}

/// Where the model stands: its path is told from the run file's folder.
fn folder(args: &RecalibrateArgs, pipeline: &Pipeline, plan: &StudyPlan, model: &Model) -> Result<PathBuf> {
    let own = Path::new(&model.name).join("model.toml");
    let file = pipeline.files.iter().map(|(path, _)| Path::new(path)).find(|path| path.ends_with(&own));
    let file = file.ok_or_else(|| Error::Fault("the model's own file is not among those read".to_owned()))?;
    let run = args.study.file().with_file_name("").join(&plan.decl.run);
    Ok(run.with_file_name("").join(file).with_file_name(""))
}
