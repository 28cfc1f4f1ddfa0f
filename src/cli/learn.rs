//! Models learnt from studies.

use std::path::Path;

use super::{TrainArgs, in_folder, output, progress};
use crate::error::{Error, Result};
use crate::pipeline::parse::{self, LoadOptions};
use crate::storage::{LocalDisk, Storage};
use crate::study;
use crate::train;

pub(super) fn train(args: &TrainArgs, json: bool) -> Result<()> {
    let options = LoadOptions { as_of: None, deliveries: args.deliveries.clone() };
    let loaded = parse::load_study(&args.study, &options, &[]);
    let (pipeline, plan) = in_folder(&args.study, loaded)?;
    if let Some(out) = &args.out
        && LocalDisk.list(out).is_ok()
    {
        return Err(Error::Usage(format!("{} is there already: a model is never written over", out.display())));
    }
    let engine = args.engine.engine()?;
    let say = progress::lines(json);
    pipeline.warnings.iter().for_each(|warning| say("study", &format!("warning: {warning}")));
    let study = study::assemble(&pipeline, &plan, engine, &|step, source| {
        say("study", &format!("{step}: {}, {} of {} rows used", source.source, source.used, source.rows));
    })?;
    for date in &study.account {
        say("study", &format!("{}: {} of {} people, {} events", date.as_of, date.rows, date.on_spine, date.events));
    }
    if let Some(file) = &args.matrix {
        private(file, &train::matrix_csv(&pipeline, &plan, &study)?)?;
    }
    let Some(out) = &args.out else { return Ok(()) };
    let (mut count, done) = progress::counter("fits", train::fits(&plan)?);
    let mut fits = 0;
    let trained = train::train(&pipeline, &plan, &study, engine.partitions, &mut || {
        fits += 1;
        count(fits);
    });
    done();
    let trained = trained?;
    let files = train::folder::files(&pipeline, &plan, &trained)?;
    train::folder::write(&LocalDisk, out, &files)?;
    match json {
        true => output::json(&train::folder::evaluation(&pipeline, &plan, &trained)),
        false => output::line(&summary(out, &plan.decl.outcome.label, plan.outcome.cost, &trained)),
    }
}

/// One row a person, so for the owner's eyes.
fn private(file: &Path, text: &str) -> Result<()> {
    LocalDisk.write_new(file, text.as_bytes()).map_err(|error| Error::storage("writing", file, &error))
}

fn summary(out: &Path, outcome: &str, cost: bool, trained: &train::Trained) -> String {
    let shown = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.4}"));
    let held = &trained.held_out;
    let mut text = String::new();
    if cost {
        text.push_str(&format!("{}\n", train::COST_LABEL));
    }
    text.push_str(&format!(
        "{}: predicts {outcome}\n  held out: {} rows, {} events, AUROC {}, Brier {:.4}, calibration slope {}, observed over expected {:.3}\n  learnt from: {} rows, {} events, AUROC {}\n  read {} before it is used",
        out.display(), held.rows, held.events, shown(held.auroc), held.brier, shown(held.calibration_slope),
        held.observed_over_expected, trained.in_training.rows, trained.in_training.events,
        shown(trained.in_training.auroc), out.join("card.md").display()
    ));
    text
}
