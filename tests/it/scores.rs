//! The shipped scores: equal to others' computation, and every code alone sets its condition alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

const MODELS: [&str; 3] = ["hospital_frailty_2018", "charlson_quan_2011", "charlson_original_1987"];

/// A pipeline with one spell a diagnosis, scored by the shipped models.
fn pipeline(folder: &Path, diagnoses: &[(String, String)]) -> PathBuf {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let mut people: Vec<&str> = diagnoses.iter().map(|(person, _)| person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    write("deliveries/people.csv", &format!("id\n{}\n", people.join("\n")));
    let mut spells = "id,code,date\n".to_owned();
    diagnoses.iter().for_each(|(person, code)| writeln!(spells, "{person},{code},2026-01-01").unwrap());
    write("deliveries/spells.csv", &spells);
    let head = "title = \"t\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\n";
    let person = "[columns]\nperson = { from = \"id\", type = \"pseudonym\" }\n";
    write("sources/people.toml", &format!("{head}role = \"register\"\nfiles = \"people.csv\"\n{person}"));
    write(
        "sources/spells.toml",
        &format!(
            "{head}files = \"spells.csv\"\n{person}date = {{ from = \"date\", type = \"date\" }}\n\
             code = {{ from = \"code\", type = \"code\", system = \"icd10\" }}\n"
        ),
    );
    let family = |name: &str, list: &str| {
        format!(
            "[{name}]\nlabel = \"{{category}}\"\nwithin = \"2 years\"\n\
             exists = {{ of = \"spells\", codelist = \"{list}\", each = \"category\" }}\n"
        )
    };
    write("features/all.toml", &(family("hfrs", "hfrs_gilbert2018") + &family("charlson", "charlson_quan2005")));
    write(
        "run.toml",
        &format!(
            "title = \"scores\"\ndeliveries = \"deliveries\"\nas_of = 2026-04-01\nsources = [\"people\", \"spells\"]\n\
             features = [\"all\"]\nmodels = {MODELS:?}\n[self_check]\none_in = 1\n"
        ),
    );
    runs::copy(&runs::root().join("models"), &folder.join("models"));
    folder.join("run.toml")
}

fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut records = riskstrat::publish::read_csv(&std::fs::read(path).unwrap()).into_iter();
    let header = records.next().unwrap();
    records.map(|record| header.iter().cloned().zip(record).collect()).collect()
}

#[test]
fn frailty_and_charlson_equal_400_people_computed_elsewhere() {
    let oracle = runs::root().join("fixtures/comorbidity_oracle");
    let diagnoses: Vec<(String, String)> = csv(&oracle.join("diagnoses.csv"))
        .into_iter()
        .map(|row| (row["patient_id"].clone(), row["icd10"].clone()))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let run = pipeline(folder.path(), &diagnoses);
    let run = runs::run(&run, &LoadOptions::default(), &folder.path().join("out"), ENGINE).unwrap();
    let scores = runs::people(&run, "scores.parquet");
    let expected = csv(&oracle.join("expected.csv"));
    let mut compared = 0;
    for row in &expected {
        // A person without a diagnosis is in no delivery.
        let Some(ours) = scores.get(&row["patient_id"]) else {
            assert_eq!((row["hfrs_x10"].as_str(), row["charlson_original"].as_str()), ("0", "0"));
            continue;
        };
        let number = |name: &str| ours[name].parse::<f64>().unwrap();
        let theirs = |name: &str| row[name].parse::<f64>().unwrap();
        assert!((number(MODELS[0]) * 10.0 - theirs("hfrs_x10")).abs() < 1e-9, "HFRS of {}", row["patient_id"]);
        assert_eq!(number(MODELS[1]), theirs("charlson_quan2011"), "Quan 2011 of {}", row["patient_id"]);
        assert_eq!(number(MODELS[2]), theirs("charlson_original"), "Charlson 1987 of {}", row["patient_id"]);
        compared += 1;
    }
    assert_eq!(expected.len(), 400);
    assert!(compared > 350, "{compared}");
}

#[test]
fn every_code_alone_sets_its_condition_alone() {
    let lists = [("hfrs_gilbert2018", "hfrs", MODELS[0]), ("charlson_quan2005", "charlson", MODELS[1])];
    for (list, family, model) in lists {
        let codes = csv(&runs::root().join(format!("models/codelists/{list}.csv")));
        let points = csv(&runs::root().join(format!("models/{model}/points.csv")));
        let points: BTreeMap<String, f64> =
            points.iter().map(|row| (row["category"].clone(), row["points"].parse().unwrap())).collect();
        let diagnoses: Vec<(String, String)> =
            codes.iter().enumerate().map(|(n, row)| (format!("p{n:04}"), row["code"].clone())).collect();
        let folder = tempfile::tempdir().unwrap();
        let run = pipeline(folder.path(), &diagnoses);
        let run = runs::run(&run, &LoadOptions::default(), &folder.path().join("out"), ENGINE).unwrap();
        let features = runs::people(&run, "features.parquet");
        let scores = runs::people(&run, "scores.parquet");
        for ((person, code), row) in diagnoses.iter().zip(&codes) {
            let set: Vec<&str> = features[person]
                .iter()
                .filter(|(name, value)| name.starts_with(&format!("{family}_")) && *value == "true")
                .map(|(name, _)| name.as_str())
                .collect();
            assert_eq!(set, [format!("{family}_{}", row["category"])], "{list} {code}");
            let score: f64 = scores[person][model].parse().unwrap();
            assert_eq!(score, points[&row["category"]], "{model} {code}");
        }
    }
}
