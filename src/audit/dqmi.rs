//! The Data Quality Maturity Index, worked out as NHS Digital's methodology (Appendix 1) has it.
//!
//! A data item scores the share of records that are valid and complete, less the default codes above what is allowed:
//! `(valid − max(0, defaults − allowed × records)) / records`. The index is the mean item score times the mean coverage
//! over the data items. Valid is every value of the national list, defaults among them. Coverage here is the share of the
//! last three months with a record; a register's is 1.

use std::collections::BTreeMap;

use super::tables::{ALL_SOURCES, text};
use crate::disclosure::{AggregateTable, Cell, Disclosed};
use crate::error::Result;
use crate::features::hear::MONTHS;
use crate::link::{People, RecordingState};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;

/// Stands for every provider, and for every item.
pub(super) const ALL_PROVIDERS: &str = "all providers";
const ALL_ITEMS: &str = "all items";

/// Records of one data item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Records {
    pub records: u64,
    /// Those with a value of the national list, default codes among them.
    pub valid: u64,
    pub defaults: u64,
}

impl Records {
    /// Between 0 and 1; none without records. `allowed` is the share of records that may hold a default code.
    pub fn score(self, allowed: f64) -> Option<f64> {
        let records = self.records as f64;
        let excess = (self.defaults as f64 - allowed * records).max(0.0);
        (self.records > 0).then(|| ((self.valid as f64 - excess) / records).max(0.0))
    }

    fn of(states: &[u64; RecordingState::ALL.len()]) -> Self {
        let of = |state: RecordingState| states[state as usize];
        let defaults = of(RecordingState::NotKnown);
        let answers = of(RecordingState::Known) + of(RecordingState::AskedUnsure) + of(RecordingState::Declined);
        Self { records: states.iter().sum(), valid: answers + defaults, defaults }
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.valid += other.valid;
        self.defaults += other.defaults;
    }
}

/// The mean score times the mean coverage, both between 0 and 1; none without items.
pub fn index(items: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut score, mut coverage, mut count) = (0.0, 0.0, 0_u32);
    for item in items {
        score += item.0;
        coverage += item.1;
        count += 1;
    }
    (count > 0).then(|| (score / f64::from(count)) * (coverage / f64::from(count)))
}

/// One data item of one provider.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    records: Records,
    months: u32,
}

/// By provider, then source and item.
type Lines<'a> = BTreeMap<Option<&'a str>, BTreeMap<(usize, usize), Line>>;

/// `dqmi.csv`: all providers first, then each; their index is the line of all items.
pub fn table(pipeline: &Pipeline, people: &People) -> Result<AggregateTable> {
    let header = [
        "source",
        "provider",
        "item",
        "records",
        "valid_and_complete",
        "defaults",
        "defaults_allowed",
        "item_score",
        "coverage",
    ];
    let mut table = AggregateTable::new("dqmi", header);
    for (provider, items) in lines(pipeline, people) {
        let mut scores = Vec::new();
        for ((source, item), line) in items {
            let coverage = match pipeline.sources[source].decl.role {
                Role::Register => 1.0,
                _ => f64::from(line.months) / f64::from(MONTHS),
            };
            let allowed = pipeline.items[item].decl.defaults_allowed;
            let score = shown_score(pipeline, line.records, allowed);
            scores.extend(score.map(|score| (score, coverage)));
            let Records { records, valid, defaults } = line.records;
            let behind = [records, valid, defaults];
            table.row([
                text(&pipeline.sources[source].name),
                text(provider.unwrap_or(ALL_PROVIDERS)),
                text(&pipeline.items[item].name),
                Cell::Count(pipeline.disclosure.count(records)),
                Cell::Count(pipeline.disclosure.part(valid, records)),
                Cell::Count(pipeline.disclosure.part(defaults, records)),
                text(&percent(allowed)),
                figure(pipeline, score.or(Some(0.0)), &behind),
                figure(pipeline, Some(coverage), &[records]),
            ])?;
        }
        let total = index(scores);
        let [source, item] = [ALL_SOURCES, ALL_ITEMS].map(text);
        let provider = text(provider.unwrap_or(ALL_PROVIDERS));
        let empty = || Cell::Empty;
        table.row([
            source,
            provider,
            item,
            empty(),
            empty(),
            empty(),
            empty(),
            figure(pipeline, total, &[]),
            empty(),
        ])?;
    }
    Ok(table)
}

fn lines<'a>(pipeline: &Pipeline, people: &'a People) -> Lines<'a> {
    let mut lines: Lines = BTreeMap::new();
    for (number, (source, rows)) in pipeline.sources.iter().zip(&people.rows).enumerate() {
        for by in rows.by.iter().filter(|by| audited(pipeline, by.item)) {
            let months = rows.months.get(&by.recorder).copied().unwrap_or_default();
            let named = source.recorded_by().map(|_| Some(&*by.recorder));
            for provider in [None].into_iter().chain(named) {
                let line = lines.entry(provider).or_default().entry((number, by.item)).or_default();
                line.records.add(Records::of(&by.states));
                line.months = line.months.max(months);
            }
        }
    }
    lines
}

/// Whether an audit of the run expects the item.
pub(super) fn audited(pipeline: &Pipeline, item: usize) -> bool {
    pipeline.audits.iter().any(|audit| audit.items.contains(&item))
}

/// From the counts as they are shown; none where one is not.
fn shown_score(pipeline: &Pipeline, records: Records, allowed: f64) -> Option<f64> {
    let shown = |count| pipeline.disclosure.rounded(count);
    let shown =
        Records { records: shown(records.records)?, valid: shown(records.valid)?, defaults: shown(records.defaults)? };
    shown.score(allowed).map(|score| score.min(1.0))
}

/// "3.5 %", and "10 %".
pub(super) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    format!("{tenths} %")
}

/// Percent.
fn figure(pipeline: &Pipeline, share: Option<f64>, behind: &[u64]) -> Cell {
    let shown = |share: f64| -> Disclosed { pipeline.disclosure.figure(share * 100.0, behind) };
    share.map_or(Cell::Empty, |share| Cell::Count(shown(share)))
}
