//! A new source, feature, score, audit item and cohort: files, never Rust.

use std::path::Path;

use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no `{from}`", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The starter, grown by one of each kind, in a folder of its own.
fn grown(folder: &Path) {
    runs::copy(&runs::root().join("fixtures/starter"), folder);
    write(
        &folder.join("deliveries/falls.csv"),
        "who|when|severity\na1f3|2026-01-05|3\na1f3|2025-06-30|1\nc9d4|2025-03-31|2\nnobody|2026-01-01|1\n",
    );
    write(
        &folder.join("sources/falls.toml"),
        r#"title = "Falls service"
one_row_is = "one fall"
files = "falls.csv"
delimiter = "|"
legal_basis = "invented"

[columns]
person = { from = "who", type = "pseudonym" }
date = { from = "when", type = "date" }
severity = { from = "severity", type = "integer", between = [1, 5] }
"#,
    );
    write(
        &folder.join("features/falls.toml"),
        r#"[falls]
label = "Falls in the last {window}"
windows = ["12 months"]
count = { of = "falls" }
reason = "{value} falls in the last {window}"

[worst_fall]
label = "Severity of the latest fall"
within = "ever"
latest = { of = "falls", column = "severity" }
"#,
    );
    write(
        &folder.join("models/falls_points/model.toml"),
        r#"title = "Points for falls"
kind = "points"
version = "1"
predicts = "nothing: it shows how a score is added"
population = "nobody"
citation = "this test"
card = "card.md"

[signed_off]
by = "nobody"
on = 2026-01-01
review_by = 2030-01-01

[[thresholds]]
feature = "falls_12m"
at_least = 1
points = 1.5

[[thresholds]]
feature = "worst_fall"
at_least = 3
points = 2
"#,
    );
    write(&folder.join("models/falls_points/card.md"), "# Points for falls\n\nShows how a score is added.\n");
    replace(
        &folder.join("audits/recording_gaps.toml"),
        "[items.sex]",
        "[items.language]\nlabel = \"Language\"\npattern = \"[a-z]{2}\"\nresolve = \"most_recent\"\n\n[items.sex]",
    );
    replace(
        &folder.join("sources/people.toml"),
        "[demographics]",
        "[demographics]\nlanguage = { from = \"language\" }",
    );
    replace(&folder.join("deliveries/people.csv"), "token,born,practice,sex", "token,born,practice,sex,language");
    for (person, language) in
        [("A81001,2", "pa"), ("A81001,1", "en"), ("A81002,X", "?"), ("A81002,1", ""), ("A81001,\n", "")]
    {
        let row = person.trim_end();
        replace(&folder.join("deliveries/people.csv"), &format!("{row}\n"), &format!("{row},{language}\n"));
    }
    let cohort = std::fs::read_to_string(folder.join("cohorts/frequent_visitors.toml")).unwrap();
    let cohort = cohort
        .replace("visits_12m >= 3", "falls_12m >= 1")
        .replace("by = [\"visits_12m desc\", \"visits_90d desc\"]", "by = [\"falls_points desc\"]");
    write(&folder.join("cohorts/fallers.toml"), &cohort);
    let run = folder.join("run.toml");
    replace(&run, "\"visits\"]", "\"visits\", \"falls\"]");
    replace(&run, "[\"basic\"]", "[\"basic\", \"falls\"]\nmodels = [\"falls_points\"]");
    replace(&run, "[\"frequent_visitors\"]", "[\"frequent_visitors\", \"fallers\"]");
}

#[test]
fn one_of_each_kind_is_added_by_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    grown(folder.path());
    let out = folder.path().join("out");
    let run = runs::run(&folder.path().join("run.toml"), &LoadOptions::default(), &out, ENGINE).unwrap();
    let receipt = runs::receipt(&run);
    let falls = runs::account(&receipt, "falls");
    assert_eq!((&falls["rows"], &falls["used"], &falls["not_linked"]), (&4.into(), &3.into(), &1.into()));
    let features = runs::people(&run, "features.parquet");
    assert_eq!(features["a1f3"]["falls_12m"], "2");
    assert_eq!(features["c9d4"]["falls_12m"], "0", "the day before the window opens");
    assert_eq!(features["c9d4"]["worst_fall"], "2");
    assert_eq!(runs::people(&run, "scores.parquet")["a1f3"]["falls_points"], "3.5");
    let fallers = runs::list(&run, "fallers/A81001.csv");
    assert_eq!(fallers.len(), 1);
    assert_eq!(fallers[0]["reasons"], "2 falls in the last 12 months [5 January 2026, Falls service]");
    let items = receipt["demographics"].as_array().unwrap();
    let language = items.iter().find(|item| item["item"] == "language").unwrap();
    let count = |state: &str| {
        let states = language["states"].as_array().unwrap();
        states.iter().find(|entry| entry["state"] == state).unwrap()["people"].as_u64().unwrap()
    };
    assert_eq!((count("known"), count("invalid"), count("blank")), (2, 1, 2));
}

#[test]
fn the_starter_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    runs::copy(&runs::root().join("fixtures/starter"), folder.path());
    let out = folder.path().join("out");
    let run = runs::run(&folder.path().join("run.toml"), &LoadOptions::default(), &out, ENGINE).unwrap();
    let first = runs::list(&run, "frequent_visitors/A81001.csv");
    assert_eq!(first.iter().map(|row| row["person"].as_str()).collect::<Vec<_>>(), ["a1f3"]);
    let other = runs::list(&run, "frequent_visitors/A81002.csv");
    assert_eq!(other.iter().map(|row| row["person"].as_str()).collect::<Vec<_>>(), ["c9d4"], "the child is left out");
}
