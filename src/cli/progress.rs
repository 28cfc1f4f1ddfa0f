//! Progress on a terminal, a line a stage elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::journal::Journal;

/// A journal that shows each stage as it goes by, and what ends the showing.
pub fn journal(json: bool) -> (Journal, impl FnOnce()) {
    if json {
        return (Journal::default(), end(None));
    }
    if !std::io::stderr().is_terminal() {
        let journal = Journal::watched(|stage, words, _| {
            // Nobody reads stderr any more: no reason to stop the run.
            let _ = writeln!(std::io::stderr(), "{stage:>8}  {words}");
        });
        return (journal, end(None));
    }
    let bar = ProgressBar::new(100).with_message("reading the deliveries");
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_bar} {percent:>3} %  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    let shown = bar.clone();
    let journal = Journal::watched(move |stage, words, percent| {
        shown.println(format!("{stage:>8}  {words}"));
        shown.set_position(percent);
        shown.set_message(after(stage));
    });
    (journal, end(Some(bar)))
}

/// What follows on a stage.
fn after(stage: &str) -> &'static str {
    match stage {
        "source" => "finding people",
        "link" | "features" => "reading the deliveries",
        "score" => "choosing who is listed",
        _ => "publishing",
    }
}

/// A line on stderr for each thing said: the stage, and words; none for machines.
pub fn lines(json: bool) -> impl Fn(&str, &str) {
    move |stage, words| {
        if !json {
            // Nobody reads stderr any more: no reason to stop the work.
            let _ = writeln!(std::io::stderr(), "{stage:>8}  {words}");
        }
    }
}

/// A bar that counts to `total` on a terminal and nothing elsewhere.
pub fn counter(what: &'static str, total: u64) -> (impl FnMut(u64), impl FnOnce()) {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_message(what);
    let counted = bar.clone();
    (move |done| counted.set_position(done), end(Some(bar)))
}

fn end(bar: Option<ProgressBar>) -> impl FnOnce() {
    move || {
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}
