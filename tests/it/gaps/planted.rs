//! Every gap, conflict, default and stale record that was planted is found, and no other.
//!
//! `truth/` holds what a third and plain reckoning makes of the rows that count, by person and by source.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use riskstrat::features::{self, Accounts};
use riskstrat::link::{People, RecordingState};
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::synth::{self, Format, SynthOptions};
use riskstrat::{conform, link, source};

use crate::runs::{self, ENGINE};

const SEED: u64 = 5_105;

/// People invented on every change; `tests/full` asks for 100,000.
fn persons() -> u64 {
    std::env::var("RISKSTRAT_GAPS_PERSONS").ok().map_or(2_000, |text| text.parse().unwrap())
}

/// The weekly audit over what `synth` delivers, up to the evidence.
fn audited(deliveries: &Path) -> (Pipeline, People, Accounts) {
    let options = LoadOptions { as_of: Some(date(2026, 4, 1)), deliveries: Some(deliveries.to_owned()) };
    let mut pipeline = parse::load(&runs::root().join("pipelines/nhs-weekly.toml"), &options).unwrap();
    // Nothing but what is said of people is asked here.
    pipeline.features.clear();
    pipeline.models.clear();
    pipeline.cohorts.clear();
    let delivered = source::find(&pipeline).unwrap();
    let conformed = conform::conform(&pipeline, &delivered, ENGINE).unwrap();
    let records = link::link(&conformed).unwrap();
    let (people, _, accounts) = features::pass(records, &|_| ()).unwrap();
    drop(conformed);
    (pipeline, people, accounts)
}

fn table(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let deliveries = folder.path().join("deliveries");
    let options = SynthOptions {
        persons: persons(),
        seed: SEED,
        as_of: date(2026, 4, 1),
        out: deliveries.clone(),
        format: Format::Mixed,
        clean: false,
    };
    println!("seed {SEED}, {} people", options.persons);
    synth::write(&options, &mut |_| {}).unwrap();
    let (pipeline, people, accounts) = audited(&deliveries);
    by_person(&pipeline, &people, &deliveries);
    by_source(&pipeline, &people, &deliveries);
    rows_are_all_accounted_for(&pipeline, &people, &accounts);
}

/// State by state: what is found is what was planted.
fn by_person(pipeline: &Pipeline, people: &People, deliveries: &Path) {
    let rows = table(&deliveries.join("truth/recording.csv"));
    let (header, rows) = rows.split_first().unwrap();
    let planted: BTreeMap<&str, &[String]> = rows.iter().map(|row| (row[0].as_str(), &row[1..])).collect();
    assert_eq!(planted.len(), people.tokens.len());
    assert_eq!(header.len() - 1, pipeline.items.len());
    let mut confusion: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (number, item) in header[1..].iter().enumerate() {
        let at = pipeline.items.iter().position(|known| known.name == *item).unwrap();
        let mut differ = 0;
        for (token, found) in people.tokens.iter().zip(&people.items[at].state) {
            let planted = planted[&*token.reveal()][number].as_str();
            let planted = if planted.is_empty() { "known" } else { planted };
            *confusion.entry((planted, found.name())).or_default() += 1;
            differ += u64::from(planted != found.name());
        }
        assert_eq!(differ, 0, "{item}: {differ} people are in another state than was planted; {confusion:?}");
    }
    for state in RecordingState::ALL {
        let found = confusion.get(&(state.name(), state.name())).copied().unwrap_or_default();
        println!("{}: {found} planted, {found} found", state.name());
        assert!(found > 0, "nothing of the state {} was planted", state.name());
    }
}

fn by_source(pipeline: &Pipeline, people: &People, deliveries: &Path) {
    let mut found: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for (item, evidence) in pipeline.items.iter().zip(&people.items) {
        let mut count = |source: &str, state: RecordingState, people: u64| {
            if people > 0 {
                *found.entry((item.name.clone(), source.to_owned(), state.name().to_owned())).or_default() += people;
            }
        };
        evidence.state.iter().for_each(|state| count("all sources", *state, 1));
        for (source, states) in pipeline.sources.iter().zip(&evidence.by_source) {
            RecordingState::ALL.iter().zip(states).for_each(|(state, people)| count(&source.name, *state, *people));
        }
    }
    let rows = table(&deliveries.join("truth/expected_recording.csv"));
    let planted: BTreeMap<_, _> = rows[1..]
        .iter()
        .map(|row| ((row[0].clone(), row[1].clone(), row[2].clone()), row[3].parse::<u64>().unwrap()))
        .collect();
    assert_eq!(found, planted);
}

/// No row is lost between linkage, recorders and states.
fn rows_are_all_accounted_for(pipeline: &Pipeline, people: &People, accounts: &Accounts) {
    for ((source, rows), account) in pipeline.sources.iter().zip(&people.rows).zip(&accounts.sources) {
        for demographic in &source.demographics {
            let by = rows.by.iter().filter(|by| by.item == demographic.item);
            let counted: u64 = by.flat_map(|by| by.states).sum();
            assert_eq!(counted, account.used, "{}: rows by recorder and state", source.name);
        }
        for split in rows.groups.chunk_by(|a, b| a.split == b.split) {
            let sum = |of: fn(&link::RowGroup) -> u64| split.iter().map(of).sum::<u64>();
            let found = [sum(|row| row.used), sum(|row| row.not_linked), sum(|row| row.outside_life)];
            let expected = [account.used, account.not_linked, account.before_birth + account.after_death];
            assert_eq!(found, expected, "{}: rows by {}", source.name, split[0].split);
        }
    }
    let compared = people.rows.iter().flat_map(|rows| &rows.groups).filter(|row| row.not_linked > 0);
    assert!(compared.count() > 10, "rows that were not linked are compared");
}
