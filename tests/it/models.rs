//! What is shipped in `models/` and `pipelines/examples/`: named, cited, signed off, locked, reachable.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use riskstrat::pipeline::decl::{ModelDecl, ModelKind, RunDecl, SourceDecl};
use riskstrat::pipeline::document::Document;
use riskstrat::pipeline::parse::{self, LoadOptions};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Locked {
    file: String,
    sha256: String,
    version: String,
    source: String,
    system: Option<String>,
    #[serde(rename = "match")]
    matching: Option<String>,
    #[serde(default)]
    exclusive: bool,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn declared<T: DeserializeOwned>(path: &Path) -> T {
    let (document, problems) = Document::parse(&path.display().to_string(), read(path));
    assert!(problems.is_empty(), "{}: not TOML", path.display());
    serde_json::from_value(document.value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below a folder with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Rows of a CSV file as maps by header name; quotes are honoured, no field holds a line break.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = read(path);
    let mut lines = text.lines().map(fields);
    let header = lines.next().unwrap();
    lines
        .map(|row| {
            assert_eq!(row.len(), header.len(), "{}: a row of another width", path.display());
            header.iter().cloned().zip(row).collect()
        })
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut row = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            other => row.last_mut().unwrap().push(other),
        }
    }
    row
}

fn models() -> Vec<(String, PathBuf, ModelDecl)> {
    files(&root().join("models"), "model.toml")
        .into_iter()
        .map(|path| {
            let folder = path.parent().unwrap().to_path_buf();
            (folder.file_name().unwrap().to_string_lossy().into_owned(), folder, declared(&path))
        })
        .collect()
}

fn lock(kind: &str) -> BTreeMap<String, Locked> {
    declared(&root().join("models").join(kind).join(format!("{kind}.lock")))
}

#[test]
fn every_model_has_a_card_a_citation_and_a_sign_off() {
    // The card of a trained model is made, item by item of a checklist.
    let written = || models().into_iter().filter(|(_, _, model)| model.trained.is_none());
    let names: Vec<String> = written().map(|(name, _, _)| name).collect();
    let expected = [
        "cambridge_multimorbidity_general_2020",
        "cambridge_multimorbidity_mortality_2020",
        "charlson_original_1987",
        "charlson_quan_2011",
        "charlson_shmi_2020",
        "demo_emergency_admission",
        "electronic_frailty_index_2016",
        "elixhauser_van_walraven_2009",
        "hospital_frailty_2018",
        "hospital_score_2013",
        "hospital_score_2016",
        "lace_2010",
        "parr30_2012",
    ];
    assert_eq!(names, expected);
    for (name, folder, model) in written() {
        let card = read(&folder.join(&model.card));
        for part in
            ["What it predicts", "Population", "Validation", "Limits and traps", "Licence", "Source", "Sign-off"]
        {
            assert!(card.contains(&format!("**{part}")), "{name}: the card does not say: {part}");
        }
        for text in [&model.title, &model.predicts, &model.population, &model.citation, &model.signed_off.by] {
            assert!(text.len() > 10, "{name}: too short to mean anything: {text}");
        }
        assert!(model.signed_off.review_by > model.signed_off.on, "{name}: reviewed before it was signed off");
        assert!(model.bands.iter().rev().skip(1).all(|band| band.below.is_some()), "{name}: a band without an end");
        assert!(model.bands.last().is_none_or(|band| band.below.is_none()), "{name}: nothing above the last band");
    }
}

#[test]
fn every_folder_of_models_is_a_model_or_a_store_of_lists() {
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let store = name == "codelists" || name == "valuesets" || name == "README.md";
        assert!(store || path.join("model.toml").is_file(), "models/{name} has no model.toml");
    }
}

#[test]
fn lists_and_value_sets_are_what_their_locks_say() {
    for kind in ["codelists", "valuesets"] {
        let folder = root().join("models").join(kind);
        let locked = lock(kind);
        let named: BTreeSet<PathBuf> = locked.values().map(|entry| folder.join(&entry.file)).collect();
        assert_eq!(named, files(&folder, ".csv").into_iter().collect(), "{kind}: files and lock differ");
        for (name, entry) in &locked {
            let bytes = fs::read(folder.join(&entry.file)).unwrap();
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, entry.sha256, "{name}: not the file that was locked");
            assert_eq!(entry.file, format!("{name}.csv"));
            assert!(entry.source.len() > 20 && !entry.version.is_empty(), "{name}: no source or version");
            assert_eq!(entry.system.is_some() && entry.matching.is_some(), kind == "codelists", "{name}");
        }
    }
}

#[test]
fn a_code_is_of_one_condition_but_for_fourteen_as_published() {
    let folder = root().join("models/codelists");
    let mut several = BTreeSet::new();
    for (name, entry) in lock("codelists") {
        let rows = table(&folder.join(&entry.file));
        for row in &rows {
            let met: BTreeSet<&str> = rows
                .iter()
                .filter(|other| row["code"].starts_with(&other["code"]))
                .map(|other| other["category"].as_str())
                .collect();
            assert!(met.contains(row["category"].as_str()), "{name}: {}", row["code"]);
            if met.len() > 1 {
                assert!(!entry.exclusive, "{name}: {} sets {met:?}", row["code"]);
                several.insert((name.clone(), row["code"].clone()));
            }
            assert!(
                row["code"].chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()),
                "{name}: {}",
                row["code"]
            );
        }
    }
    let codes: Vec<&str> = several.iter().map(|(_, code)| code.as_str()).collect();
    assert!(several.iter().all(|(name, _)| name == "elixhauser_quan2005"), "{several:?}");
    let published = [
        "F204", "F315", "G114", "I110", "I120", "I130", "I131", "I132", "I278", "I279", "I426", "K700", "K703", "K709",
    ];
    assert_eq!(codes, published);
}

#[test]
fn points_cover_the_categories_of_their_list() {
    let lists = [
        ("hospital_frailty_2018", "hfrs_gilbert2018", 109, 1732),
        ("charlson_quan_2011", "charlson_quan2005", 17, 280),
        ("charlson_original_1987", "charlson_quan2005", 17, 330),
        ("charlson_shmi_2020", "charlson_shmi2020", 17, 1290),
        ("elixhauser_van_walraven_2009", "elixhauser_quan2005", 31, 700),
    ];
    for (name, list, count, tenths) in lists {
        let points = table(&root().join(format!("models/{name}/points.csv")));
        let codes = table(&root().join(format!("models/codelists/{list}.csv")));
        let scored: BTreeSet<&str> = points.iter().map(|row| row["category"].as_str()).collect();
        let listed: BTreeSet<&str> = codes.iter().map(|row| row["category"].as_str()).collect();
        assert_eq!(scored, listed, "{name}");
        assert_eq!(points.len(), count, "{name}: a category twice");
        let sum: f64 = points.iter().map(|row| (row["points"].parse::<f64>().unwrap() * 10.0).round()).sum();
        assert!((sum - f64::from(tenths)).abs() < 0.5, "{name}: the points sum to {sum} tenths");
        for trumped in points.iter().filter_map(|row| row.get("trumps")).flat_map(|text| text.split_whitespace()) {
            assert!(scored.contains(trumped), "{name}: trumps {trumped}, which it does not score");
        }
    }
}

#[test]
fn frailty_bands_keep_five_and_fifteen_in_the_middle() {
    let (_, _, model) = models().into_iter().find(|(name, _, _)| name == "hospital_frailty_2018").unwrap();
    let band = |score: f64| {
        let band = model.bands.iter().find(|band| band.below.is_none_or(|below| score < below)).unwrap();
        band.name.clone()
    };
    assert_eq!([0.0, 4.9].map(band), ["low", "low"]);
    assert_eq!([5.0, 14.9, 15.0].map(band), ["intermediate", "intermediate", "intermediate"]);
    assert_eq!([15.1, 173.2].map(band), ["high", "high"]);
}

#[test]
fn the_invented_model_says_that_it_is_invented() {
    let (_, folder, model) = models().into_iter().find(|(name, _, _)| name == "demo_emergency_admission").unwrap();
    assert_eq!(model.kind, ModelKind::Logistic);
    assert!(read(&folder.join(&model.card)).contains("invented"));
    assert!(model.citation.contains("invented") && model.title.contains("invented"));
    for (name, _, model) in models() {
        assert!(!model.signed_off.by.contains("Dr"), "{name}: signed off in the name of a person");
    }
}

#[test]
fn value_sets_hold_each_code_once_in_a_known_state() {
    let states = ["known", "asked_unsure", "declined", "not_known", "outdated"];
    for path in files(&root().join("models/valuesets"), ".csv") {
        let rows = table(&path);
        let codes: BTreeSet<&str> = rows.iter().map(|row| row["code"].as_str()).collect();
        assert_eq!(codes.len(), rows.len(), "{}: a code twice", path.display());
        for row in &rows {
            assert_eq!(row["code"], row["code"].trim().to_uppercase(), "{}", path.display());
            assert!(states.contains(&row["state"].as_str()), "{}: {}", path.display(), row["state"]);
            assert_eq!(row["state"] == "known", !row["value"].is_empty(), "{}: {}", path.display(), row["code"]);
        }
    }
    let hes = table(&root().join("models/valuesets/ethnic_category_hes.csv"));
    let state = |code: &str| hes.iter().find(|row| row["code"] == code).map(|row| row["state"].clone()).unwrap();
    assert_eq!(
        ["0", "9", "X", "Z", "99", "A"].map(state),
        ["outdated", "not_known", "not_known", "declined", "not_known", "known"]
    );
}

fn examples() -> Vec<PathBuf> {
    let folder = root().join("pipelines/examples");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    runs.sort();
    assert_eq!(runs.len(), 6, "a run for each of the third-party sets, and one with a model");
    runs
}

#[test]
fn every_example_passes_every_check() {
    let mut problems = String::new();
    for path in examples() {
        match parse::load(&path, &LoadOptions { as_of: None, deliveries: None }) {
            Ok(pipeline) => assert!(pipeline.warnings.is_empty(), "{}: {:?}", path.display(), pipeline.warnings),
            Err(error) => problems.push_str(&format!("{}\n{error}\n", path.display())),
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_file_of_the_examples_is_read_by_a_run() {
    let folder = root().join("pipelines/examples");
    let mut named = BTreeSet::new();
    for path in examples() {
        let run: RunDecl = declared(&path);
        assert!(run.as_of.is_some() && run.opt_outs.is_some(), "{}", path.display());
        assert!(!run.cohorts.is_empty() && !run.audits.is_empty(), "{}", path.display());
        let kinds =
            [("sources", run.sources), ("features", run.features), ("audits", run.audits), ("cohorts", run.cohorts)];
        for (kind, names) in kinds {
            named.extend(names.iter().map(|name| folder.join(kind).join(format!("{name}.toml"))));
        }
        named.insert(path);
    }
    for study in files(&folder.join("studies"), ".toml") {
        let (pipeline, plan) = parse::load_study(&study, &LoadOptions::default(), &[]).unwrap();
        assert!(pipeline.decl.population.is_some() && plan.decl.train.is_some(), "{}", study.display());
        named.insert(study);
    }
    assert_eq!(named, files(&folder, ".toml").into_iter().collect());
}

#[test]
fn every_example_source_says_under_which_law_it_is_read() {
    for path in files(&root().join("pipelines/examples/sources"), ".toml") {
        let source: SourceDecl = declared(&path);
        assert!(source.legal_basis.len() > 10, "{}", path.display());
    }
}
