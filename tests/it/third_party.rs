//! Five data sets that nobody here wrote, read by declarations alone.
//!
//! `third_party.json` was counted from the files by an independent script, with the rules of the README and no code of
//! this project. The data are not part of the project: without them the test says so and skips.

use std::path::{Path, PathBuf};

use riskstrat::pipeline::decl::DisclosureRule;
use riskstrat::pipeline::parse::LoadOptions;
use serde_json::Value;

use crate::runs::{self, ENGINE};

const FOLDERS: [(&str, &str); 5] = [
    ("uk_synthea", "uk_synthea_dev353"),
    ("ni_linked_dummy", "ni_linked_dummy"),
    ("nhs_artificial_hes", "nhs_artificial_hes"),
    ("hospitalflow", "hospitalflow"),
    ("cms_desynpuf", "cms_desynpuf"),
];

/// The folder of the third-party data: `RISKSTRAT_THIRD_PARTY`, or beside the checkout.
fn data() -> Option<PathBuf> {
    let beside = runs::root().join("../shared/data");
    let folder = std::env::var_os("RISKSTRAT_THIRD_PARTY").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn counted(set: &str) {
    let Some(data) = data() else {
        println!("skipped: no third-party data; RISKSTRAT_THIRD_PARTY names their folder");
        return;
    };
    let expected = std::fs::read_to_string(runs::root().join("tests/it/third_party.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let expected = &expected[set];
    let folder = FOLDERS.iter().find(|(name, _)| *name == set).unwrap().1;
    let out = tempfile::tempdir().unwrap();
    let options = LoadOptions { as_of: None, deliveries: Some(data.join(folder)) };
    let pipeline = runs::root().join(format!("pipelines/examples/{set}.toml"));
    let run = runs::run(&pipeline, &options, out.path(), ENGINE).unwrap();
    let receipt = runs::receipt(&run);
    for (fate, count) in expected["people"].as_object().unwrap() {
        assert_eq!(&receipt["people"][fate], count, "people {fate}");
    }
    for (source, counts) in expected["sources"].as_object().unwrap() {
        let account = runs::account(&receipt, source);
        for (fate, count) in counts.as_object().unwrap() {
            assert_eq!(&account[fate], count, "{source} {fate}");
        }
    }
    for (state, count) in expected["ethnicity"].as_object().into_iter().flatten() {
        let items = receipt["demographics"].as_array().unwrap();
        let ethnicity = items.iter().find(|item| item["item"] == "ethnicity").unwrap();
        let states = ethnicity["states"].as_array().unwrap();
        let found = states.iter().find(|entry| entry["state"] == state.as_str()).unwrap();
        assert_eq!(&found["people"], count, "ethnicity {state}");
    }
    recorded(&run, expected);
}

/// States by item and source, as the audit shows them. A count may be hidden too where another of the same people is small.
fn recorded(run: &Path, expected: &Value) {
    let rule = DisclosureRule::Hes2018;
    let table = riskstrat::publish::read_csv(&std::fs::read(run.join("aggregate/recording_gaps.csv")).unwrap());
    for (item, sources) in expected["recording"].as_object().into_iter().flatten() {
        let counts = sources.as_object().unwrap().values().flat_map(|states| states.as_object().unwrap().values());
        let one_is_small = counts.filter_map(Value::as_u64).any(|count| rule.count(count).is_suppressed());
        for (source, states) in sources.as_object().unwrap() {
            let name = |row: &[String]| row[2].rsplit('/').next() == Some(source.as_str());
            let of = |row: &&Vec<String>| row[1] == *item && name(row) && row[3] == "everyone";
            let mut compared = 0;
            for row in table.iter().filter(of) {
                let counted = states.get(&row[6]).and_then(Value::as_u64).unwrap_or_default();
                let shown = rule.count(counted).to_string();
                if row[7] != "*" || !one_is_small {
                    assert_eq!(row[7], shown, "{item} {source} {}", row[6]);
                    compared += 1;
                }
            }
            assert!(compared > 0, "{item} {source}");
        }
    }
}

#[test]
fn uk_synthea_is_counted_as_by_hand() {
    counted("uk_synthea");
}

#[test]
fn northern_ireland_linked_dummy_is_counted_as_by_hand() {
    counted("ni_linked_dummy");
}

#[test]
fn artificial_hes_is_counted_as_by_hand() {
    counted("nhs_artificial_hes");
}

#[test]
fn hospitalflow_is_counted_as_by_hand() {
    counted("hospitalflow");
}

#[test]
fn cms_desynpuf_is_counted_as_by_hand() {
    counted("cms_desynpuf");
}
