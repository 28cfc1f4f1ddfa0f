//! `riskstrat evaluate`: scores head to head, as a table for people and as files for the next step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{EngineArgs, output, progress};
use crate::cohort::words::NOT_RECORDED;
use crate::error::{Error, Result};
use crate::evaluate::cut::Rates;
use crate::evaluate::interval::Estimate;
use crate::evaluate::judge::{Group, Judged};
use crate::evaluate::{self, Evaluation, tables};
use crate::pipeline::Pipeline;
use crate::pipeline::parse::{self, LoadOptions};
use crate::pipeline::study::StudyPlan;
use crate::publish;
use crate::report::{self, Facts};
use crate::storage::{LocalDisk, Storage};
use crate::study::{self, Study};

/// Which study, read from where.
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// The study file: who is judged, on what outcome.
    study: PathBuf,
    /// The folder of the deliveries, in place of the run file's.
    #[arg(long, value_name = "FOLDER")]
    deliveries: Option<PathBuf>,
    /// Of a study with [acted_on]: the output folder of the runs whose lists were acted on, in place of the study's.
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
}

impl StudyArgs {
    pub fn file(&self) -> &Path {
        &self.study
    }

    /// The study's people, with the models to judge loaded; `everyone` holds nobody out.
    pub fn assemble(&self, models: &[String], everyone: bool) -> Result<(Pipeline, StudyPlan, Study)> {
        let options = LoadOptions { as_of: None, deliveries: self.deliveries.clone() };
        let (pipeline, mut plan) = super::in_folder(&self.study, parse::load_study(&self.study, &options, models))?;
        of_runs(&mut plan, self.runs.as_deref())?;
        if everyone {
            plan.decl.split.hold_out = 0.0;
            plan.decl.split.from = None;
        }
        // Of each as-of date every source, and the outcome's once more.
        let (count, done) = progress::counter("sources", ((pipeline.sources.len() + 1) * plan.decl.as_of.len()) as u64);
        let count = RefCell::new((count, 0));
        let study = study::assemble(&pipeline, &plan, self.engine.engine()?, &|_, _| {
            let (show, read) = &mut *count.borrow_mut();
            *read += 1;
            show(*read);
        });
        done();
        Ok((pipeline, plan, study?))
    }
}

/// Takes the lists that were acted on from another folder than the study's.
pub fn of_runs(plan: &mut StudyPlan, runs: Option<&Path>) -> Result<()> {
    let Some(runs) = runs else { return Ok(()) };
    let missing = || Error::Usage(format!("--runs: the study {} has no [acted_on]", plan.name));
    plan.acted_on.as_mut().ok_or_else(missing)?.out = runs.to_owned();
    Ok(())
}

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// A model to judge, by name; all of them on the same people.
    #[arg(long = "model", value_name = "NAME", required = true)]
    models: Vec<String>,
    /// Judge on everyone, not only on people held out: for models that learnt from none of them.
    #[arg(long)]
    everyone: bool,
    /// A new folder for evaluation.json, which stays with the data team, and aggregate/, which may leave the building.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Judges, prints, writes; a model beyond a limit that nobody answers for ends in exit code 1, when all is written.
pub fn run(args: &EvaluateArgs, json: bool) -> Result<()> {
    let (pipeline, plan, study) = args.study.assemble(&args.models, args.everyone)?;
    let evaluation = evaluate::judge(&pipeline, &plan, &study, &evaluate::scored(&pipeline, &study)?)?;
    if let Some(out) = &args.out {
        write(&pipeline, &evaluation, out)?;
    }
    if json {
        output::json(&evaluation)?
    } else {
        output::line(&in_words(&evaluation))?
    }
    judged(&pipeline, &evaluation)
}

fn write(pipeline: &Pipeline, evaluation: &Evaluation, out: &Path) -> Result<()> {
    write_new(out, &BTreeMap::from([("evaluation.json".to_owned(), evaluation.text()?)]))?;
    let tables = tables::tables(evaluation, pipeline.disclosure)?;
    let mut files = BTreeMap::new();
    for table in &tables {
        let text = String::from_utf8_lossy(&publish::aggregate_csv(table)?).into_owned();
        files.insert(format!("{}.csv", table.name()), text);
    }
    let facts = Facts::of_models(pipeline, &format!("{}: {}", evaluation.population, evaluation.outcome));
    files.insert("report.html".to_owned(), report::page(&facts, &tables)?.html().to_owned());
    write_new(&out.join("aggregate"), &files)
}

/// A folder that was not there before, with these files.
pub fn write_new(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let failed = |error: std::io::Error| Error::storage("cannot write", folder, &error);
    LocalDisk.create_dir(folder).map_err(failed)?;
    for (name, text) in files {
        LocalDisk.write_new(&folder.join(name), text.as_bytes()).map_err(failed)?;
    }
    LocalDisk.sync_dir(folder).map_err(failed)
}

/// Refuses a model that is beyond a limit, where nobody answers for it.
pub fn judged(pipeline: &Pipeline, evaluation: &Evaluation) -> Result<()> {
    let limits = pipeline.model_limits();
    let beyond = evaluation.models.iter().filter(|model| !limits.accepts(&model.name));
    let beyond: Vec<String> = beyond
        .flat_map(|model| model.findings.iter().map(|finding| format!("model {}: {finding}", model.name)))
        .collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let help = "recalibrate it, or let somebody answer for it by name in [limits.models] of the run file";
    Err(Error::Check(format!("{}: {help}", beyond.join("; "))))
}

/// The tables for people.
pub fn in_words(evaluation: &Evaluation) -> String {
    let dates: Vec<String> = evaluation.dates.iter().map(|date| date.as_of.to_string()).collect();
    let first = evaluation.models.first().map(|model| &model.everyone);
    let (people, rows, events) = first.map_or((0, 0, 0), |all| (all.people, all.rows, all.events));
    let mut text = format!(
        "{}: {events} of {rows}, judged on {} ({people} people) as of {}\n",
        evaluation.outcome,
        evaluation.judged_on,
        dates.join(", ")
    );
    evaluation.warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    if evaluation.not_compared > 0 {
        let all = rows + evaluation.not_compared;
        let about = evaluation.models.iter().map(|model| format!("{} is about {}", model.name, model.about));
        let about = about.collect::<Vec<_>>().join(", ");
        text.push_str(&format!("Of {all} rows, {about}; all are judged on the {rows} that every one is about.\n"));
    }
    text.push('\n');
    text.push_str(&aligned(&head_to_head(evaluation)));
    for pair in &evaluation.differences {
        if let Some(difference) = pair.difference {
            let (value, low, high) = (difference.value, difference.interval.low, difference.interval.high);
            let (first, second, p) = (&pair.first, &pair.second, difference.p);
            let p = if p < 0.001 { "p below 0.001".to_owned() } else { format!("p = {p:.3}") };
            text.push_str(&format!(
                "\nAUROC of {first} less that of {second}: {value:.3} ({low:.3} to {high:.3}), {p}"
            ));
        }
    }
    if !evaluation.differences.is_empty() {
        text.push('\n');
    }
    for model in &evaluation.models {
        text.push_str(&by_group(model));
    }
    text.trim_end().to_owned()
}

fn head_to_head(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let header = [
        "model",
        "AUROC",
        "average precision",
        "scaled Brier",
        "slope",
        "observed / expected",
        "ICI",
        "PPV of the lists",
        "sensitivity of the lists",
    ];
    let row = |model: &Judged| {
        let all = &model.everyone;
        let probability =
            |of: fn(&evaluate::measures::Probability) -> Option<Estimate>| shown(all.probability.as_ref().and_then(of));
        let list = |of: fn(&Rates) -> Option<Estimate>| shown(model.list.as_ref().and_then(of));
        vec![
            model.name.clone(),
            shown(all.auroc),
            shown(all.average_precision),
            probability(|it| it.scaled_brier),
            probability(|it| it.slope),
            probability(|it| it.observed_expected),
            probability(|it| it.ici),
            list(|rates| rates.ppv),
            list(|rates| rates.sensitivity),
        ]
    };
    std::iter::once(header.map(str::to_owned).to_vec()).chain(evaluation.models.iter().map(row)).collect()
}

/// A table a split: who is there, how well they are ranked, how far the score is off for them, and whom the lists miss.
fn by_group(model: &Judged) -> String {
    let header = ["group", "people", "outcomes", "AUROC", "observed / expected", "missed by the lists (FNR)", "FOR"];
    let mut text = String::new();
    for groups in model.groups.chunk_by(|a, b| a.split == b.split) {
        let row = |group: &Group| {
            let mut row = vec![group.group.clone(), group.rows.to_string(), group.events.to_string()];
            let Some(measures) = &group.measures else {
                // Said of a group that has people, and of "not recorded" also when it has none.
                row.extend([if group.rows == 0 { "nobody" } else { "too few to say" }.to_owned()]);
                return row;
            };
            let expected = measures.probability.as_ref().and_then(|it| it.observed_expected);
            let rate = |of: fn(&Rates) -> Option<Estimate>| shown(group.list.as_ref().and_then(of));
            let missed = rate(|rates| rates.false_negative_rate);
            row.extend([shown(measures.auroc), shown(expected), missed, rate(|rates| rates.false_omission_rate)]);
            row
        };
        let shown = groups.iter().filter(|group| group.rows > 0 || group.group == NOT_RECORDED);
        let rows: Vec<Vec<String>> =
            std::iter::once(header.map(str::to_owned).to_vec()).chain(shown.map(row)).collect();
        let split = groups.first().map_or("", |group| group.split.as_str());
        text.push_str(&format!("\n{} by {split}\n{}", model.name, aligned(&rows)));
    }
    text
}

/// A dash where there is nothing to say.
fn shown(estimate: Option<Estimate>) -> String {
    estimate.map_or("-".to_owned(), |estimate| estimate.to_string())
}

/// Cells under each other, two spaces apart.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
