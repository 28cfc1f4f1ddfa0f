//! The shipped code lists and comorbidity scores: equal to others' computation, and every code alone sets its condition alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use riskstrat::codelist::{CodeListLock, Matching};
use riskstrat::pipeline::document::Document;
use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

/// A score by hospital diagnoses: the model, the family of its features, its code list, and others' column.
struct Comorbidity {
    model: &'static str,
    family: &'static str,
    list: &'static str,
    column: &'static str,
}

const SCORES: [Comorbidity; 5] = [
    Comorbidity { model: "hospital_frailty_2018", family: "hfrs", list: "hfrs_gilbert2018", column: "hfrs_x10" },
    Comorbidity {
        model: "charlson_quan_2011",
        family: "charlson",
        list: "charlson_quan2005",
        column: "charlson_quan2011",
    },
    Comorbidity {
        model: "charlson_original_1987",
        family: "charlson",
        list: "charlson_quan2005",
        column: "charlson_original",
    },
    Comorbidity { model: "charlson_shmi_2020", family: "shmi", list: "charlson_shmi2020", column: "charlson_shmi" },
    Comorbidity {
        model: "elixhauser_van_walraven_2009",
        family: "elixhauser",
        list: "elixhauser_quan2005",
        column: "elixhauser_vw",
    },
];

type Row = BTreeMap<String, String>;

/// A pipeline with one event a code, over one family of features a list, scored by these models.
fn pipeline(
    folder: &Path,
    system: &str,
    families: &BTreeSet<(&str, &str)>,
    models: &[&str],
    codes: &[(String, String)],
) -> PathBuf {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let people: BTreeSet<&str> = codes.iter().map(|(person, _)| person.as_str()).collect();
    write("deliveries/people.csv", &format!("id\n{}\n", people.into_iter().collect::<Vec<_>>().join("\n")));
    let mut events = "id,code,date\n".to_owned();
    codes.iter().for_each(|(person, code)| writeln!(events, "{person},{code},2026-01-01").unwrap());
    write("deliveries/events.csv", &events);
    let head = "title = \"t\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\n";
    let person = "[columns]\nperson = { from = \"id\", type = \"pseudonym\" }\n";
    write("sources/people.toml", &format!("{head}role = \"register\"\nfiles = \"people.csv\"\n{person}"));
    write(
        "sources/events.toml",
        &format!(
            "{head}files = \"events.csv\"\n{person}date = {{ from = \"date\", type = \"date\" }}\n\
             code = {{ from = \"code\", type = \"code\", system = \"{system}\" }}\n"
        ),
    );
    let mut features = String::new();
    for (name, list) in families {
        write!(
            features,
            "[{name}]\nlabel = \"{{category}}\"\nwithin = \"2 years\"\n\
             exists = {{ of = \"events\", codelist = \"{list}\", each = \"category\" }}\n"
        )
        .unwrap();
    }
    write("features/all.toml", &features);
    write(
        "run.toml",
        &format!(
            "title = \"scores\"\ndeliveries = \"deliveries\"\nas_of = 2026-04-01\nsources = [\"people\", \"events\"]\n\
             features = [\"all\"]\nmodels = {models:?}\n[self_check]\none_in = 1\n"
        ),
    );
    runs::copy(&runs::root().join("models"), &folder.join("models"));
    folder.join("run.toml")
}

fn csv(path: &Path) -> Vec<Row> {
    let mut records = riskstrat::publish::read_csv(&std::fs::read(path).unwrap()).into_iter();
    let header = records.next().unwrap();
    records.map(|record| header.iter().cloned().zip(record).collect()).collect()
}

fn run(run_file: &Path) -> PathBuf {
    let out = run_file.parent().unwrap().join("out");
    runs::run(run_file, &LoadOptions::default(), &out, ENGINE).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn comorbidity_scores_equal_400_people_computed_elsewhere() {
    let oracle = runs::root().join("fixtures/comorbidity_oracle");
    let diagnoses: Vec<(String, String)> = csv(&oracle.join("diagnoses.csv"))
        .into_iter()
        .map(|row| (row["patient_id"].clone(), row["icd10"].clone()))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let families = SCORES.iter().map(|score| (score.family, score.list)).collect();
    let models = SCORES.each_ref().map(|score| score.model);
    let published = run(&pipeline(folder.path(), "icd10", &families, &models, &diagnoses));
    let scores = runs::people(&published, "scores.parquet");
    let expected = csv(&oracle.join("expected.csv"));
    let mut compared = 0;
    for row in &expected {
        for score in &SCORES {
            let theirs = row[score.column].parse::<f64>().unwrap();
            // A person without a diagnosis is in no delivery.
            let Some(ours) = scores.get(&row["patient_id"]) else {
                assert_eq!(theirs, 0.0, "{} of {}", score.model, row["patient_id"]);
                continue;
            };
            let ours = ours[score.model].parse::<f64>().unwrap();
            let ours = if score.column.ends_with("_x10") { ours * 10.0 } else { ours };
            assert!((ours - theirs).abs() < 1e-9, "{} of {}: {ours}, {theirs}", score.model, row["patient_id"]);
            compared += 1;
        }
    }
    assert_eq!(expected.len(), 400);
    assert!(compared > 350 * SCORES.len(), "{compared}");
}

/// Walks every code list that is shipped, whatever it is for.
#[test]
fn every_code_alone_sets_its_condition_alone() {
    let folder = runs::root().join("models/codelists");
    let (document, _) =
        Document::parse("codelists.lock", std::fs::read_to_string(folder.join("codelists.lock")).unwrap());
    let lock: CodeListLock = serde_json::from_value(document.value).unwrap();
    assert!(lock.len() >= 5, "{} lists", lock.len());
    for (list, entry) in &lock {
        let codes = csv(&folder.join(&entry.file));
        let system = serde_json::to_value(entry.system).unwrap();
        let alone: Vec<(String, String)> =
            codes.iter().enumerate().map(|(n, row)| (format!("p{n:04}"), row["code"].clone())).collect();
        let models: Vec<&Comorbidity> = SCORES.iter().filter(|score| score.list == *list).collect();
        let family = models.first().map_or("family", |score| score.family);
        let names: Vec<&str> = models.iter().map(|score| score.model).collect();
        let temporary = tempfile::tempdir().unwrap();
        let families = BTreeSet::from([(family, list.as_str())]);
        let published = run(&pipeline(temporary.path(), system.as_str().unwrap(), &families, &names, &alone));
        let features = runs::people(&published, "features.parquet");
        let scores = runs::people(&published, "scores.parquet");
        for (person, code) in &alone {
            let set: BTreeSet<String> = features[person]
                .iter()
                .filter(|(name, value)| name.starts_with(&format!("{family}_")) && *value == "true")
                .map(|(name, _)| name.clone())
                .collect();
            let meets = |listed: &str| match entry.matching {
                Matching::Exact => code == listed,
                Matching::Prefix => code.starts_with(listed),
            };
            let listed: BTreeSet<String> = codes
                .iter()
                .filter(|row| meets(&row["code"]))
                .map(|row| format!("{family}_{}", row["category"]))
                .collect();
            assert_eq!(set, listed, "{list} {code}");
            assert!(listed.len() == 1 || !entry.exclusive, "{list} {code}");
            for score in &models {
                let ours: f64 = scores[person][score.model].parse().unwrap();
                assert_eq!(ours, points(score.model, family, &set), "{} {code}", score.model);
            }
        }
    }
}

/// What the points table gives for these features, none of which silences another.
fn points(model: &str, family: &str, set: &BTreeSet<String>) -> f64 {
    let folder = runs::root().join("models").join(model);
    let rows = csv(&folder.join("points.csv"));
    let present = rows.iter().filter(|row| set.contains(&format!("{family}_{}", row["category"])));
    let sum: f64 = present.map(|row| row["points"].parse::<f64>().unwrap()).sum();
    let floored = std::fs::read_to_string(folder.join("model.toml")).unwrap().contains("\nfloor = 0.0\n");
    if floored { sum.max(0.0) } else { sum }
}
