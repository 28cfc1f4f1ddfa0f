//! Both implementations on tables worked out by hand: windows (B13) and ages (B12).

use std::fs;
use std::path::Path;

use riskstrat::conform::Engine;
use riskstrat::oracle::value::Value;
use riskstrat::oracle::{self, OracleOutcome};
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::source;

const PEOPLE: &str = "title = \"People\"\nrole = \"register\"\none_row_is = \"one person\"\nfiles = \"people.csv\"\n\
    legal_basis = \"invented\"\n[columns]\nperson = { from = \"token\", type = \"pseudonym\" }\n\
    birth_date = { from = \"born\", type = \"date\", optional = true }\n";
const SPELLS: &str = "title = \"Spells\"\none_row_is = \"one spell\"\nfiles = \"spells.csv\"\nlegal_basis = \"invented\"\n\
    may_be_empty = true\n[columns]\nperson = { from = \"token\", type = \"pseudonym\" }\ndate = { from = \"day\", type = \"date\" }\n";
const FEATURES: &str = "[age_years]\nlabel = \"Age\"\nage = { of = \"people\" }\n[spells]\nlabel = \"Spells in {window}\"\n\
    windows = [\"1 day\", \"1 month\", \"365 days\", \"366 days\", \"12 months\", \"1 year\", \"ever\"]\n\
    count = { of = \"spells\" }\n";

/// What both make of people (`token,born`) and spells (`token,day`): they must agree.
fn both(as_of: &str, people: &[String], spells: &[String]) -> (Vec<String>, OracleOutcome) {
    let folder = tempfile::tempdir().unwrap();
    let save = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let run = format!(
        "title = \"By hand\"\ndeliveries = \".\"\nas_of = {as_of}\nsources = [\"people\", \"spells\"]\nfeatures = [\"all\"]\n"
    );
    for (path, text) in [
        ("run.toml", run.as_str()),
        ("sources/people.toml", PEOPLE),
        ("sources/spells.toml", SPELLS),
        ("features/all.toml", FEATURES),
        ("people.csv", &format!("token,born\n{}\n", people.join("\n"))),
        ("spells.csv", &format!("token,day\n{}\n", spells.join("\n"))),
    ] {
        save(path, text);
    }
    let pipeline = match parse::load(Path::new(&folder.path().join("run.toml")), &LoadOptions::default()) {
        Ok(pipeline) => pipeline,
        Err(error) => panic!("{error}"),
    };
    let delivered = source::find(&pipeline).unwrap();
    let outcome = oracle::compute(&pipeline, &delivered, None).unwrap();
    let cut = Engine::of(2, 2);
    let (people, features, scores, _) = super::engine(&pipeline, &delivered, cut).unwrap();
    assert_eq!(oracle::compare(&pipeline, &outcome, None, &people, &features, &scores), []);
    (pipeline.features.iter().map(|feature| feature.name.clone()).collect(), outcome)
}

#[test]
fn a_window_holds_its_first_day_and_not_the_as_of_date() {
    // As of 29 February 2024: where each day's spell is counted, by hand.
    let days = [
        ("2023-02-27", "ever"),
        ("2023-02-28", "366d 12m 1y ever"),
        ("2023-03-01", "365d 366d 12m 1y ever"),
        ("2024-01-28", "365d 366d 12m 1y ever"),
        ("2024-01-29", "1m 365d 366d 12m 1y ever"),
        ("2024-02-28", "1d 1m 365d 366d 12m 1y ever"),
        ("2024-02-29", ""),
        ("2024-03-01", ""),
    ];
    let people: Vec<String> = days.iter().map(|(day, _)| format!("p-{day},")).collect();
    let spells: Vec<String> = days.iter().map(|(day, _)| format!("p-{day},{day}")).collect();
    let (names, outcome) = both("2024-02-29", &people, &spells);
    for (day, windows) in days {
        let features = &outcome.people[&format!("p-{day}")].features;
        let counted = names.iter().zip(features).filter(|(_, value)| **value == Some(Value::Int(1)));
        let found: Vec<&str> = counted.filter_map(|(name, _)| name.strip_prefix("spells_")).collect();
        assert_eq!(found.join(" "), windows, "{day}");
    }
}

#[test]
fn a_leap_day_birthday_falls_on_1_march() {
    // Born, as of, age: the limits 17/18, 64/65 and 74/75 on the day before, the day and the day after.
    let cases = [
        ("2004-02-29", "2022-02-28", Some(17)),
        ("2004-02-29", "2022-03-01", Some(18)),
        ("2004-02-29", "2022-03-02", Some(18)),
        ("2004-02-29", "2024-02-28", Some(19)),
        ("2004-02-29", "2024-02-29", Some(20)),
        ("1960-02-29", "2025-02-28", Some(64)),
        ("1960-02-29", "2025-03-01", Some(65)),
        ("1952-02-29", "2027-02-28", Some(74)),
        ("1952-02-29", "2027-03-01", Some(75)),
        ("2006-06-15", "2024-06-14", Some(17)),
        ("2006-06-15", "2024-06-15", Some(18)),
        ("2006-06-15", "2024-06-16", Some(18)),
        ("2024-06-15", "2024-06-15", Some(0)),
        ("2024-06-16", "2024-06-15", None),
    ];
    for (born, as_of, age) in cases {
        let (_, outcome) = both(as_of, &[format!("p,{born}")], &[]);
        let expected = age.map_or(Value::Null, Value::Int);
        assert_eq!(outcome.people["p"].features[0], Some(expected), "born {born}, as of {as_of}");
    }
}
