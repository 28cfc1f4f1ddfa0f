//! What the commands print.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::pipeline::Pipeline;
use crate::publish::{Published, RunEntry, RunId, Verified};
use crate::source::Delivered;
use crate::synth::SynthSummary;

/// Warnings and worse go to stderr; `RISKSTRAT_LOG` asks for more.
pub fn log_to_stderr(as_json: bool) {
    let filter = EnvFilter::try_from_env("RISKSTRAT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second call (tests) keeps the first.
    let _ = if as_json { log.json().try_init() } else { log.without_time().with_target(false).try_init() };
}

/// The message of a failed command.
pub fn error(error: &Error, as_json: bool) {
    let text = match (as_json, error) {
        (true, Error::Declarations(problems)) => json!({ "exit": error.exit_code(), "problems": problems }).to_string(),
        (true, _) => json!({ "exit": error.exit_code(), "error": error.to_string() }).to_string(),
        (false, Error::Declarations(_)) => error.to_string(),
        (false, _) => format!("error: {error}"),
    };
    // Nobody reads stderr any more: the exit code still tells.
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub fn bytes(bytes: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(bytes) {
        // The reader has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::Resources(format!("cannot write to stdout: {}", error.kind()))),
        Ok(()) => Ok(()),
    }
}

pub fn line(text: &str) -> Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

pub fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|_| Error::Fault("a result is not JSON".to_owned()))?;
    line(&text)
}

/// Where the list, the gap audit and the receipt are.
pub fn published(pipeline: &Pipeline, id: &RunId, published: &Published, as_json: bool) -> Result<()> {
    let (folder, state) = match published {
        Published::Now { folder, is_current: true } => (folder, "published"),
        Published::Now { folder, is_current: false } => (folder, "published; current stays with a later as-of date"),
        Published::Already { folder, is_current: true } => (folder, "already published"),
        Published::Already { folder, is_current: false } => (folder, "already published; another run is current"),
    };
    let lists: Vec<_> = pipeline.cohorts.iter().map(|cohort| folder.join("person/lists").join(&cohort.name)).collect();
    let gaps = (!pipeline.audits.is_empty()).then(|| folder.join("aggregate/recording_gaps.csv"));
    let receipt = folder.join("receipt.json");
    if as_json {
        return json(&json!({ "run": id.as_str(), "state": state, "lists": lists, "gaps": gaps, "receipt": receipt }));
    }
    let mut text = format!("run {id} {state}\n");
    for list in lists {
        text.push_str(&format!("  list      {}\n", list.display()));
    }
    if let Some(gaps) = gaps {
        text.push_str(&format!("  gap audit {}\n", gaps.display()));
    }
    text.push_str(&format!("  receipt   {}", receipt.display()));
    line(&text)
}

pub fn checked(pipeline: &Pipeline, delivered: Option<&Delivered>, as_json: bool) -> Result<()> {
    let files = delivered.map(|found| found.sources.iter().map(|source| source.files.len()).sum::<usize>());
    let counts = [
        ("sources", pipeline.sources.len()),
        ("features", pipeline.features.len()),
        ("models", pipeline.models.len()),
        ("audits", pipeline.audits.len()),
        ("cohorts", pipeline.cohorts.len()),
    ];
    if as_json {
        let mut value = json!({ "pipeline": pipeline.name, "files": files, "warnings": pipeline.warnings });
        counts.iter().for_each(|(name, count)| value[*name] = Value::from(*count));
        return json(&value);
    }
    let counts = counts.map(|(name, count)| format!("{count} {name}")).join(", ");
    let mut text = format!("{}: the declarations are right ({counts})", pipeline.name);
    for warning in &pipeline.warnings {
        text.push_str(&format!("\nwarning: {warning}"));
    }
    if let Some(files) = files {
        text.push_str(&format!("\n{files} delivered files found, each declared column in its header"));
    }
    line(&text)
}

pub fn runs(runs: &[RunEntry], as_json: bool) -> Result<()> {
    if as_json {
        let entries = runs.iter().map(|run| {
            let lists: serde_json::Map<String, Value> = run.lists.iter().map(|(name, rows)| (name.clone(), (*rows).into())).collect();
            json!({ "run": run.id.as_str(), "title": run.title, "as_of": run.as_of, "current": run.is_current, "lists": lists })
        });
        return json(&entries.collect::<Vec<_>>());
    }
    if runs.is_empty() {
        return line("no run is published here");
    }
    for run in runs {
        let lists = run.lists.iter().map(|(name, rows)| format!("{name} {rows}")).collect::<Vec<_>>().join(", ");
        line(&format!("{} {}  {}  {lists}", if run.is_current { "*" } else { " " }, run.id, run.title))?;
    }
    Ok(())
}

pub fn verified(verified: &Verified, as_json: bool) -> Result<()> {
    let (id, current) = (verified.id.as_str(), verified.is_current);
    if as_json {
        return json(&json!({ "run": id, "files": verified.files, "bytes": verified.bytes, "current": current }));
    }
    let current = if current { ", current" } else { "" };
    line(&format!("run {id} is whole: {} files, {} bytes{current}", verified.files, verified.bytes))
}

pub fn synthesised(out: &Path, summary: &SynthSummary, as_json: bool) -> Result<()> {
    if as_json {
        return json(&json!({ "out": out, "persons": summary.persons, "rows": summary.rows, "files": summary.files }));
    }
    let (persons, rows, files) = (summary.persons, summary.rows, summary.files);
    line(&format!("{persons} invented people, {rows} rows in {files} files below {}", out.display()))
}

pub fn explanation(explanation: &Explanation, as_json: bool) -> Result<()> {
    if as_json {
        return json(explanation);
    }
    let mut text = format!("run {}, as of {}\n\nscores\n", explanation.run, explanation.as_of);
    explanation.scores.iter().for_each(|(name, value)| text.push_str(&format!("  {name:<40} {value}\n")));
    for entry in &explanation.lists {
        text.push_str(&format!("\n{}\n", entry.list));
        entry.row.iter().for_each(|(name, value)| text.push_str(&format!("  {name:<40} {value}\n")));
    }
    text.push_str("\nfeatures (those that are 0, no or blank are left out)\n");
    let telling = explanation.features.iter().filter(|(_, value)| !matches!(value.as_str(), "0" | "false"));
    telling.for_each(|(name, value)| text.push_str(&format!("  {name:<40} {value}\n")));
    match &explanation.rows {
        None => text.push_str("\nwith --pipeline, also the delivered rows behind these, by file and row number"),
        Some(rows) => {
            text.push_str("\ndelivered rows\n");
            for row in rows {
                text.push_str(&format!("  {}, {} row {}: {}\n", row.source, row.file, row.row, row.outcome));
                if !row.counts_in.is_empty() {
                    text.push_str(&format!("      counts in {}\n", row.counts_in.join(", ")));
                }
            }
        }
    }
    line(text.trim_end())
}
