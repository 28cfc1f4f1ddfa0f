//! A line a stage, for people, for machines and for the run's own log.
//!
//! The log holds no clock and no row: the same run writes the same log.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::cohort::{Cohorts, Place};
use crate::pipeline::Pipeline;
use crate::receipt::{Check, PeopleAccount, SourceAccount};
use crate::source::{Delivered, DeliveredSource};

/// Collects what the stages say.
#[derive(Default)]
pub struct Journal {
    lines: Mutex<Vec<Value>>,
    /// Bytes delivered: of all sources, and of each one still to be read, last first.
    bytes: Mutex<(u64, Vec<u64>)>,
    watch: Option<Watch>,
}

/// Called with each event as it happens: the stage, what it says in words, and how far the run is, in percent.
type Watch = Box<dyn Fn(&str, &str, u64) + Send + Sync>;

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

impl Journal {
    /// A journal that also tells `watch`: the stage, what it says in words, and how far the run is, in percent.
    pub fn watched(watch: impl Fn(&str, &str, u64) + Send + Sync + 'static) -> Self {
        Self { watch: Some(Box::new(watch)), ..Self::default() }
    }

    /// The log so far, as NDJSON.
    pub fn ndjson(&self) -> String {
        let lines = self.lines.lock().map(|lines| lines.clone()).unwrap_or_default();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    pub fn found(&self, pipeline: &Pipeline, delivered: &Delivered) {
        if let Ok(mut bytes) = self.bytes.lock() {
            let of_source = |source: &DeliveredSource| source.files.iter().map(|file| file.bytes).sum();
            let left: Vec<u64> = delivered.sources.iter().rev().map(of_source).collect();
            *bytes = (left.iter().sum(), left);
        }
        self.warn(&pipeline.warnings);
        for (source, found) in pipeline.sources.iter().zip(&delivered.sources) {
            if !found.unused_columns.is_empty() {
                let columns = found.unused_columns.join(", ");
                let words = format!("{}: columns delivered and not declared: {columns}", source.name);
                self.say("source", json!({ "source": source.name, "unused_columns": found.unused_columns }), &words);
            }
            if !found.repeated.is_empty() {
                let words = format!("{}: {} files delivered twice, read once", source.name, found.repeated.len());
                self.say("source", json!({ "source": source.name, "repeated_files": found.repeated.len() }), &words);
            }
        }
        let files: usize = delivered.sources.iter().map(|source| source.files.len()).sum();
        let sources = pipeline.sources.len();
        let words = format!("{files} files of {sources} sources found, each column in its place");
        self.say("source", json!({ "files": files, "sources": sources }), &words);
    }

    pub fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.say("source", json!({ "warning": warning }), &format!("warning: {warning}"));
        }
    }

    pub fn linked(&self, people: &PeopleAccount) {
        let words = format!(
            "{} people on the spine of {} registered ({} opted out, {} died, {} left, {} not yet, {} test people)",
            people.on_spine,
            people.in_registers,
            people.opted_out,
            people.died,
            people.left,
            people.not_yet,
            people.test_people
        );
        self.say("link", json!({ "people": people }), &words);
    }

    pub fn read(&self, account: &SourceAccount) {
        let mut words = format!("{}: {} of {} rows used", account.source, account.used, account.rows);
        let fates = [
            (account.set_aside, "set aside"),
            (account.duplicates, "duplicate"),
            (account.not_linked, "not linked"),
            (account.off_spine, "off the spine"),
            (account.future, "on or after the as-of date"),
            (account.not_yet_known, "not yet known"),
            (account.before_birth, "before birth"),
            (account.after_death, "after death"),
        ];
        for (count, name) in fates.into_iter().filter(|(count, _)| *count > 0) {
            words.push_str(&format!(", {count} {name}"));
        }
        if let Ok(mut bytes) = self.bytes.lock() {
            bytes.1.pop();
        }
        self.say("features", json!({ "source": account }), &words);
    }

    pub fn scored(&self, pipeline: &Pipeline, people: usize, checks: &[Check]) {
        let models: Vec<&str> = pipeline.models.iter().map(|model| model.name.as_str()).collect();
        let words = format!("{people} people scored by {} models; {}", models.len(), checked(checks));
        self.say("score", json!({ "people": people, "models": models, "checks": checks }), &words);
    }

    pub fn listed(&self, cohorts: &Cohorts) {
        for list in &cohorts.lists {
            let of = |place| list.rows.iter().filter(|row| row.place == place).count();
            let excluded: u64 = list.excluded.iter().map(|(_, people)| people).sum();
            let words = format!(
                "{}: {} listed for {} recipients, {} in reserve, {excluded} excluded, {} below the cut, {} not drawn",
                list.name,
                of(Place::Listed),
                list.recipients.len(),
                of(Place::Reserve),
                list.below_the_cut,
                list.not_drawn
            );
            let counts = json!({
                "cohort": list.name,
                "listed": of(Place::Listed),
                "reserve": of(Place::Reserve),
                "not_drawn": list.not_drawn,
            });
            self.say("cohort", counts, &words);
        }
    }

    fn say(&self, stage: &str, mut what: Value, words: &str) {
        if let Some(fields) = what.as_object_mut() {
            fields.insert("stage".to_owned(), stage.into());
        }
        if let Ok(mut lines) = self.lines.lock() {
            lines.push(what);
        }
        tracing::debug!(stage, "{words}");
        if let Some(watch) = &self.watch {
            watch(stage, words, self.percent(stage));
        }
    }

    /// Reading is most of the work.
    fn percent(&self, stage: &str) -> u64 {
        let (all, left) = self.bytes.lock().map_or((0, 0), |bytes| (bytes.0, bytes.1.iter().sum()));
        match stage {
            "source" => 2,
            "link" => 15,
            "features" => 15 + 70 * all.saturating_sub(left) / all.max(1),
            "score" => 90,
            _ => 95,
        }
    }
}

fn checked(checks: &[Check]) -> String {
    match checks.iter().filter(|check| check.passed).count() {
        0 => "no second computation was asked for".to_owned(),
        passed => format!("{passed} of {} checks passed", checks.len()),
    }
}
