//! People whose scores are worked out line by line, and what the shipped models make of them (L8).
//!
//! `fixtures/golden/ledger.csv` says of each person in words what is the case, and how the score comes about: terms with
//! a number at the end of each, added up. What a model does with the sum (a logistic function, a share of 36, a floor)
//! is applied here, so that neither the sum nor the expected figure can be wrong alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::Array;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::pseudonym::Pseudonym;
use riskstrat::publish::RunId;
use riskstrat::{calendar, conform, explain, features, link, source};

use crate::runs::{self, ENGINE};

type Row = BTreeMap<String, String>;

fn csv(path: &Path) -> Vec<Row> {
    let mut records = riskstrat::publish::read_csv(&std::fs::read(path).unwrap()).into_iter();
    let header = records.next().unwrap();
    records.map(|record| header.iter().cloned().zip(record).collect()).collect()
}

fn ledger() -> Vec<Row> {
    csv(&runs::root().join("fixtures/golden/ledger.csv"))
}

/// The golden run with the shipped models and features; of PARR-30 with the published terms of two trusts.
fn pipeline_in(folder: &Path) {
    let root = runs::root();
    runs::copy(&root.join("fixtures/golden"), folder);
    runs::copy(&root.join("models"), &folder.join("models"));
    for name in ["medicines", "last_stay", "hfrs", "charlson", "shmi", "elixhauser"] {
        let file = format!("features/{name}.toml");
        std::fs::copy(root.join("pipelines").join(&file), folder.join(file)).unwrap();
    }
    for (model, name) in [
        ("hospital_score_2013", "hospital_score"),
        ("parr30_2012", "parr30"),
        ("electronic_frailty_index_2016", "efi"),
        ("cambridge_multimorbidity_general_2020", "cambridge"),
    ] {
        let text = std::fs::read_to_string(root.join(format!("models/{model}/features.toml"))).unwrap();
        let term = "within = \"12 months\"\nsince = \"last_stay_admitted\"\nuntil = \"last_stay_admitted\"\n\
                    latest = { of = \"admissions\", column = \"trust_term\" }";
        let text = text.replace("derived = { sql = \"0.0\" }", term);
        assert_eq!(text.contains("trust_term\" }\n"), name == "parr30", "{name}");
        std::fs::write(folder.join(format!("features/{name}.toml")), text).unwrap();
    }
}

/// The sum of the working: of each term the last word, a product of numbers.
fn worked(working: &str) -> f64 {
    let product = |term: &str| -> f64 {
        let last = term.split(' ').next_back().unwrap();
        last.split('*').map(|factor| factor.parse::<f64>().unwrap_or_else(|_| panic!("{working}: {last}"))).product()
    };
    working.split(" + ").map(product).sum()
}

fn score_of(model: &str, sum: f64) -> f64 {
    match model {
        "parr30_2012" => 1.0 / (1.0 + (-sum).exp()),
        "electronic_frailty_index_2016" => sum / 36.0,
        "charlson_shmi_2020" => sum.max(0.0),
        _ => sum,
    }
}

#[test]
fn golden_people_have_the_scores_worked_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    pipeline_in(folder.path());
    let run = folder.path().join("run.toml");
    let run = runs::run(&run, &LoadOptions::default(), &folder.path().join("out"), ENGINE)
        .unwrap_or_else(|error| panic!("{error}"));
    let scores = runs::people(&run, "scores.parquet");
    let mut wrong = Vec::new();
    for row in ledger() {
        let ours = &scores[&row["person"]][&row["model"]];
        let right = match row["expected"].parse::<f64>() {
            Ok(expected) => ours.parse::<f64>().is_ok_and(|ours| (ours - expected).abs() < 5e-7),
            Err(_) => ours.is_empty(),
        };
        if !right {
            wrong.push(format!(
                "{} {}: {ours:?}, worked {:?}: {} ({})",
                row["person"], row["model"], row["expected"], row["working"], row["facts"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_ledger_adds_up_and_covers_every_published_score() {
    let rows = ledger();
    let people: BTreeSet<&str> = rows.iter().map(|row| row["person"].as_str()).collect();
    assert!(people.len() >= 60, "{} people", people.len());
    let run = std::fs::read_to_string(runs::root().join("fixtures/golden/run.toml")).unwrap();
    let shipped = std::fs::read_dir(runs::root().join("models")).unwrap().map(|entry| entry.unwrap().path());
    for folder in shipped.filter(|path| path.join("model.toml").is_file()) {
        let model = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(folder.join("model.toml")).unwrap();
        if text.contains("facts transcribed") {
            assert!(run.contains(&format!("\"{model}\"")), "the golden run does not score {model}");
            assert!(rows.iter().any(|row| row["model"] == model), "no golden person has a score of {model}");
        }
    }
    for row in &rows {
        if row["working"].starts_with("no score: ") {
            assert_eq!(row["expected"], "", "{row:?}");
            continue;
        }
        let score = score_of(&row["model"], worked(&row["working"]));
        assert_eq!(format!("{score:.6}"), row["expected"], "{row:?}");
    }
}

/// The four worked examples that were published with PARR-30's coefficients.
#[test]
fn published_examples_stand_in_the_ledger() {
    let rows = ledger();
    for (number, probability) in [(1, "0.426148"), (2, "0.241717"), (3, "0.057566"), (4, "0.280797")] {
        let start = format!("published example {number}:");
        let found: Vec<&Row> = rows.iter().filter(|row| row["facts"].starts_with(&start)).collect();
        assert_eq!(found.len(), 1, "{start}");
        assert_eq!((found[0]["model"].as_str(), found[0]["expected"].as_str()), ("parr30_2012", probability));
    }
}

#[test]
fn another_edition_of_the_deprivation_score_is_refused() {
    let cases = [
        ("edition      = \"IMD 2007 on LSOA 2001\"", "edition = \"IMD 2019 on LSOA 2011\"", "which is \"IMD 2019"),
        ("edition      = \"IMD 2007 on LSOA 2001\"", "", "which declares no `edition`"),
    ];
    for (old, new, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        pipeline_in(folder.path());
        let path = folder.path().join("sources/lsoa_imd_2007.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old));
        std::fs::write(&path, text.replace(old, new)).unwrap();
        let run = folder.path().join("run.toml");
        let error = parse::load(&run, &LoadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains("not calibrated"), "{error}");
        assert!(error.contains("models/parr30_2012/model.toml"), "{error}");
    }
}

/// The person of the ledger of whom this is said.
fn person_of(facts: &str) -> String {
    let rows = ledger();
    let found: Vec<&Row> = rows.iter().filter(|row| row["facts"].contains(facts)).collect();
    assert_eq!(found.len(), 1, "{facts}");
    found[0]["person"].clone()
}

/// A window that hangs on a person's own day holds the right rows, and its reason names the latest of them.
#[test]
fn rows_behind_a_window_that_hangs_on_a_day_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    pipeline_in(folder.path());
    let run_file = folder.path().join("run.toml");
    let run = runs::run(&run_file, &LoadOptions::default(), &folder.path().join("out"), ENGINE).unwrap();
    let pipeline = parse::load(&run_file, &LoadOptions::default()).unwrap();
    let feature = "attendances_before_stay_6m";
    let delivered = source::find(&pipeline).unwrap();
    let conformed = conform::conform(&pipeline, &delivered, ENGINE).unwrap();
    let (people, features, _) = features::pass(link::link(&conformed).unwrap(), &|_| ()).unwrap();
    let at = pipeline.features.iter().position(|known| known.name == feature).unwrap();
    let latest = features.latest[at].as_ref().unwrap();
    for (facts, rows, day) in [
        ("heart attack 1 and stroke 1; 4 visits before", 4, Some("2026-03-12")),
        ("a visit on the day six months before the admission", 1, Some("2025-09-20")),
        ("a visit on the day of the admission", 0, None),
        ("a visit after the discharge", 0, None),
    ] {
        let token = person_of(facts);
        let id = RunId::parse(run.file_name().unwrap().to_str().unwrap()).unwrap();
        let out = run.ancestors().nth(2).unwrap();
        let explained = explain::explain(out, &id, &Pseudonym::new(token.as_str()), Some(&pipeline), ENGINE).unwrap();
        let counted = explained.rows.unwrap();
        let counted = counted.iter().filter(|row| row.counts_in.iter().any(|name| name == feature)).count();
        assert_eq!(counted, rows, "{facts}");
        let row = people.tokens.iter().position(|known| *known.reveal() == *token).unwrap();
        let date = latest.is_valid(row).then(|| calendar::date_of(latest.value(row)).unwrap().to_string());
        assert_eq!(date.as_deref(), day, "{facts}");
    }
}
