//! What the commands print.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};
use crate::explain::{Decomposition, Explanation};
use crate::pipeline::Pipeline;
use crate::publish::{Published, RunEntry, RunId, Verified};
use crate::release::{Done, Entry, Event, ListSent, VerifiedLedger};
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

/// The runs, and what was released of them and withdrawn, in the order of the ledger.
pub fn runs(runs: &[RunEntry], events: &[Entry], as_json: bool) -> Result<()> {
    if as_json {
        let entries = runs.iter().map(|run| {
            let lists: serde_json::Map<String, Value> = run.lists.iter().map(|(name, rows)| (name.clone(), (*rows).into())).collect();
            json!({ "run": run.id.as_str(), "title": run.title, "as_of": run.as_of, "current": run.is_current, "lists": lists })
        });
        let events = events
            .iter()
            .map(|entry| json!({ "event": entry.id, "on": entry.on, "by": entry.by, "what": entry.event }));
        return json(&entries.chain(events).collect::<Vec<_>>());
    }
    if runs.is_empty() {
        return line("no run is published here");
    }
    for run in runs {
        let lists = run.lists.iter().map(|(name, rows)| format!("{name} {rows}")).collect::<Vec<_>>().join(", ");
        line(&format!("{} {}  {}  {lists}", if run.is_current { "*" } else { " " }, run.id, run.title))?;
    }
    events.iter().try_for_each(|entry| line(&format!("  {}  {}  {}, by {}", entry.id, entry.on, told(entry), entry.by)))
}

/// What an event was, in words.
fn told(entry: &Entry) -> String {
    match &entry.event {
        Event::Release(release) => {
            let mut recipients: Vec<&str> = release.lists.iter().map(|list| list.recipient.as_str()).collect();
            recipients.sort_unstable();
            recipients.dedup();
            let sum = |of: fn(&ListSent) -> u64| release.lists.iter().map(of).sum::<u64>();
            format!(
                "released of run {}: {} listed, {} in reserve, {} removed, to {} recipients{}",
                release.run,
                sum(|list| list.listed),
                sum(|list| list.reserve),
                sum(|list| list.removed),
                recipients.len(),
                match release.without_recipient {
                    0 => String::new(),
                    people => format!("; {people} without a recorded recipient, sent to nobody"),
                }
            )
        }
        Event::Withdrawal(withdrawal) => {
            format!("release {} withdrawn from {} recipients", withdrawal.release, withdrawal.recipients.len())
        }
    }
}

/// What was put in force, and where it is.
pub fn event(done: &Done, as_json: bool) -> Result<()> {
    let (entry, to) = (&done.entry, done.folder.join("to"));
    let state = if done.already { "already done" } else { "done" };
    if as_json {
        return json(&json!({
            "event": entry.id, "state": state, "what": entry.event, "to": to, "ledger_head": done.head,
        }));
    }
    let mut text = format!("{} {state}: {}\n", entry.id, told(entry));
    text.push_str(&format!("  to send     {}\n", to.display()));
    line(&format!("{text}  ledger head {}", done.head))
}

pub fn verified(verified: &Verified, ledger: &VerifiedLedger, as_json: bool) -> Result<()> {
    let (id, current) = (verified.id.as_str(), verified.is_current);
    if as_json {
        let events = json!({ "events": ledger.events, "files": ledger.files, "head": ledger.head });
        return json(&json!({
            "run": id, "files": verified.files, "bytes": verified.bytes, "current": current, "ledger": events,
        }));
    }
    let current = if current { ", current" } else { "" };
    line(&format!("run {id} is whole: {} files, {} bytes{current}", verified.files, verified.bytes))?;
    match ledger.events {
        0 => Ok(()),
        events => {
            line(&format!("the ledger is whole: {events} events, {} files sent, head {}", ledger.files, ledger.head))
        }
    }
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
    explanation.models.iter().flatten().for_each(|model| text.push_str(&taken_apart(model)));
    match &explanation.rows {
        None => text.push_str(
            "\nwith --pipeline, also what each feature adds to each score, and the delivered rows, by file and row number",
        ),
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

/// A score as a sum, a line a feature.
fn taken_apart(model: &Decomposition) -> String {
    let Decomposition { scale, base, sum, score, .. } = model;
    let mut text = format!("\n{}: {}\n  {base:>+9.3}  {scale} to begin with\n", model.model, model.title);
    for added in model.features.iter().filter(|added| added.adds != 0.0) {
        text.push_str(&format!("  {:>+9.3}  {}: {}\n", added.adds, added.label, added.value));
    }
    let rest = model.features.iter().filter(|added| added.adds == 0.0).count();
    if rest > 0 {
        text.push_str(&format!("  {:>9}  {rest} other features\n", "0"));
    }
    text.push_str(&match *scale {
        "points" => format!("  {sum:>+9.3}  points: the score is {score}\n"),
        _ => format!("  {sum:>+9.3}  log-odds: the score is {score:.4}\n"),
    });
    text
}
