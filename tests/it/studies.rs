//! Every study that is shipped: checked, assembled and trained on invented people.
//!
//! 3,000 people on every change, where the rarer outcomes are too few to learn from and must be refused for that, and those
//! two that differ from others by their follow-up alone are only checked; `RISKSTRAT_STUDY_PEOPLE=60000` trains them all.

use std::collections::BTreeMap;

use riskstrat::error::Error;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::study;
use riskstrat::synth::{self, Format, SynthOptions};
use riskstrat::train;

use crate::runs::{self, ENGINE};

const SEED: u64 = 7;

/// From so many people on, every outcome has enough events.
const ENOUGH: u64 = 60_000;

#[test]
fn every_shipped_study_trains_or_says_that_it_has_too_few_events() {
    let persons: u64 = std::env::var("RISKSTRAT_STUDY_PEOPLE").map_or(3_000, |people| people.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deliveries");
    let as_of = jiff::civil::date(2026, 4, 1);
    let options = SynthOptions { persons, seed: SEED, as_of, out: out.clone(), format: Format::Parquet, clean: false };
    synth::write(&options, &mut |_| {}).unwrap();
    let mut trained: BTreeMap<String, bool> = BTreeMap::new();
    for name in runs::files(&runs::root().join("pipelines/studies")).into_keys() {
        let file = runs::root().join("pipelines/studies").join(&name);
        let load = LoadOptions { as_of: None, deliveries: Some(out.clone()) };
        let (pipeline, mut plan) = parse::load_study(&file, &load, &[]).unwrap();
        if persons < ENOUGH && ["emergency_admission_12m.toml", "emergency_admission_90d.toml"].contains(&name.as_str())
        {
            continue;
        }
        // No intervals, and only the latest follow-up where several would take long: what is tested here is the rest.
        plan.evaluate.decl.replicates = 0;
        if persons < ENOUGH {
            plan.decl.as_of.drain(..plan.decl.as_of.len() - 1);
        }
        let study = study::assemble(&pipeline, &plan, ENGINE, &|_, _| {}).unwrap();
        let dates = &study.account;
        println!("seed {SEED}, {name}: {dates:?}");
        assert!(dates.iter().all(|date| date.rows > 0 && date.events > 0), "{name}: nobody, or no outcome");
        let made = match train::train(&pipeline, &plan, &study, "new", 2, &mut || {}) {
            Ok(model) => {
                let files = train::folder::files(&pipeline, &plan, &model).unwrap();
                assert!(files.contains_key("reference.csv") && files.contains_key("evaluation.json"));
                let all = &model.evaluation.models[0];
                println!("  AUROC {:?}, findings {:?}", all.everyone.auroc, all.findings);
                assert!(all.everyone.auroc.unwrap().value > 0.55, "{name} ranks nobody");
                assert_eq!(files["model.toml"].contains("applies_when"), plan.decl.filter.is_some(), "{name}");
                true
            }
            Err(Error::Check(why)) => {
                assert!(why.contains("too few events to train on"), "{name}: {why}");
                false
            }
            Err(other) => panic!("{name}: {other}"),
        };
        trained.insert(name, made);
    }
    assert!(trained["attendance_12m.toml"] && trained.len() >= 4, "{trained:?}");
    assert!(persons < ENOUGH || trained.values().all(|made| *made), "{trained:?}");
}
