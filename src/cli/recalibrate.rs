//! `riskstrat recalibrate`: a model with one more calibration step, in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;

use super::evaluate::{StudyArgs, in_words, write_new};
use super::output;
use crate::cohort::words;
use crate::error::{Error, Result};
use crate::evaluate::recalibrate::{self, Fitted, Groups, Method, Signature};
use crate::evaluate::sample::Row;
use crate::evaluate::{self, Evaluation, Scored};
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
    let (pipeline, plan, study) = args.study.assemble(std::slice::from_ref(&args.model))?;
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
    let mut after = before.clone();
    calibration::apply(std::slice::from_ref(&fitted.step), &study.table, &mut after)?;
    let name = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Error::Usage("--out names a folder".to_owned()))?;
    let scored = |name: &str, scores| Scored {
        name: name.to_owned(),
        version: model.decl.version.clone(),
        probability: true,
        scores,
    };
    let after = scored(&name, after);
    let evaluation = evaluate::judge(&pipeline, &plan, &study, std::slice::from_ref(&after))?;
    let both = evaluate::judge(&pipeline, &plan, &study, &[scored(&format!("{} before", model.name), before), after])?;
    write_new(&args.out, &files(args, &pipeline, &plan, model, &fitted, &evaluation)?)?;
    if json { output::json(&both) } else { output::line(&in_words(&both)) }
}

fn fit(
    args: &RecalibrateArgs,
    pipeline: &Pipeline,
    plan: &StudyPlan,
    study: &Study,
    model: &Model,
    scores: &[f64],
) -> Result<Fitted> {
    let learnt = study.rows(Part::Train);
    let row = |&row: &usize| Row {
        score: scores[row],
        outcome: study.outcome[row],
        weight: study.weight[row],
        person: study.person[row],
    };
    let rows: Vec<Row> = learnt.iter().map(row).collect();
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
    let mut json = serde_json::to_string_pretty(evaluation)
        .map_err(|_| Error::Fault("an evaluation cannot be written as JSON".to_owned()))?;
    json.push('\n');
    files.insert("evaluation.json".to_owned(), json);
    if files.remove(lock::FILE).is_some() {
        let sealed = ModelLock::of(&files)?.text();
        files.insert(lock::FILE.to_owned(), sealed);
    }
    Ok(files)
}

/// Where the model stands: its path is told from the run file's folder.
fn folder(args: &RecalibrateArgs, pipeline: &Pipeline, plan: &StudyPlan, model: &Model) -> Result<PathBuf> {
    let own = Path::new(&model.name).join("model.toml");
    let file = pipeline.files.iter().map(|(path, _)| Path::new(path)).find(|path| path.ends_with(&own));
    let file = file.ok_or_else(|| Error::Fault("the model's own file is not among those read".to_owned()))?;
    let run = args.study.file().with_file_name("").join(&plan.decl.run);
    Ok(run.with_file_name("").join(file).with_file_name(""))
}
