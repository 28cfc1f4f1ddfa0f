//! Models learnt from studies.

use std::path::Path;

use super::{TrainArgs, evaluate, in_folder, output, progress};
use crate::error::{Error, Result};
use crate::pipeline::parse::{self, LoadOptions};
use crate::storage::{LocalDisk, Storage};
use crate::study;
use crate::train;

pub(super) fn train(args: &TrainArgs, json: bool) -> Result<()> {
    let options = LoadOptions { as_of: None, deliveries: args.deliveries.clone() };
    let loaded = parse::load_study(&args.study, &options, &[]);
    let (pipeline, mut plan) = in_folder(&args.study, loaded)?;
    evaluate::of_runs(&mut plan, args.runs.as_deref())?;
    if let Some(out) = &args.out
        && LocalDisk.list(out).is_ok()
    {
        return Err(Error::Usage(format!("{} is there already: a model is never written over", out.display())));
    }
    // Said now, not after the hours of a training.
    if let Some(folder) = args.out.as_deref().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
        && LocalDisk.list(folder).is_err()
    {
        return Err(Error::Usage(format!("--out: the folder {} is not there", folder.display())));
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
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Error::Usage("--out names a folder".to_owned()))?;
    let (mut count, done) = progress::counter("fits", train::fits(&plan)?);
    let mut fits = 0;
    let trained = train::train(&pipeline, &plan, &study, &name, engine.partitions, &mut || {
        fits += 1;
        count(fits);
    });
    done();
    let trained = trained?;
    let files = train::folder::files(&pipeline, &plan, &trained)?;
    train::folder::write(&LocalDisk, out, &files)?;
    match json {
        true => output::json(&trained.evaluation)?,
        false => output::line(&summary(out, &trained))?,
    }
    evaluate::judged(&pipeline, &trained.evaluation)
}

/// One row a person, so for the owner's eyes.
fn private(file: &Path, text: &str) -> Result<()> {
    LocalDisk.write_new(file, text.as_bytes()).map_err(|error| Error::storage("writing", file, &error))
}

/// The page of the evaluation, between what was learnt from and where it is.
fn summary(out: &Path, trained: &train::Trained) -> String {
    let learnt = trained.learnt;
    let tried: Vec<String> =
        trained.tried.iter().map(|tried| format!("  {:.5}  {}", tried.log_loss, tried.settings)).collect();
    format!(
        "Learnt from {} rows, {} events (AUROC on them {:.3}). Mean log loss in cross-validation:\n{}\n\n{}\n\n{} holds the model; read {} before it is used",
        learnt.rows,
        learnt.events,
        learnt.auroc,
        tried.join("\n"),
        evaluate::in_words(&trained.evaluation),
        out.display(),
        out.join("card.md").display()
    )
}
