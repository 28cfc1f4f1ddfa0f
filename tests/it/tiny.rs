//! The ledger of twelve: what the run must publish, byte for byte, and why.

use std::path::Path;

use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

fn published(out: &Path) -> std::path::PathBuf {
    runs::run(&runs::root().join("fixtures/tiny/run.toml"), &LoadOptions::default(), out, ENGINE).unwrap()
}

#[test]
fn the_ledger_is_published_byte_for_byte() {
    let out = tempfile::tempdir().unwrap();
    let run = runs::files(&published(out.path()));
    let expected = runs::root().join("fixtures/tiny/expected");
    if std::env::var_os("RISKSTRAT_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(&expected);
        for (name, bytes) in &run {
            let path = expected.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    let expected = runs::files(&expected);
    assert_eq!(run.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in &run {
        assert!(bytes == &expected[name], "{name} differs from fixtures/tiny/expected; see the ledger");
    }
}

#[test]
fn the_ledger_is_kept() {
    let out = tempfile::tempdir().unwrap();
    let run = published(out.path());
    let receipt = runs::receipt(&run);
    let people = &receipt["people"];
    assert_eq!(people["in_registers"], 12);
    for (fate, count) in [("on_spine", 8), ("opted_out", 1), ("died", 1), ("left", 1), ("not_yet", 1)] {
        assert_eq!(people[fate], count, "{fate}");
    }
    let spells = runs::account(&receipt, "admissions");
    let fates = [
        ("rows", 22),
        ("set_aside", 3),
        ("not_yet_known", 1),
        ("duplicates", 1),
        ("not_linked", 1),
        ("future", 1),
        ("after_death", 1),
        ("off_spine", 2),
        ("used", 12),
    ];
    for (fate, count) in fates {
        assert_eq!(spells[fate], count, "{fate}");
    }
    let features = runs::people(&run, "features.parquet");
    let feature = |person: &str, name: &str| features[person][name].clone();
    assert_eq!(feature("t-chen", "admissions_emergency_12m"), "1");
    assert_eq!(feature("t-george", "age_years"), "18");
    assert_eq!(feature("t-imran", "admissions_emergency_12m"), "1");
    assert_eq!(feature("t-hana", "admissions_emergency_12m"), "1");
    assert_eq!(feature("t-hana", "systolic_latest"), "131.5");
    assert_eq!(feature("t-bola", "ethnicity"), "N");
    assert_eq!(feature("t-kofi", "ethnicity"), "N");
    assert_eq!(feature("t-imran", "condition_diabetes"), "true");
    assert_eq!(feature("t-kofi", "condition_diabetes"), "false");
    let scores = runs::people(&run, "scores.parquet");
    assert_eq!(scores["t-agnes"]["hospital_frailty_2018"], "10.3");
    let text = runs::files(&run);
    for gone in ["t-esme", "t-dafydd", "t-farah", "t-lena", "t-nobody"] {
        let held = text.iter().filter(|(_, bytes)| bytes.windows(gone.len()).any(|window| window == gone.as_bytes()));
        assert_eq!(held.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [""; 0], "{gone}");
    }
}

#[test]
fn the_list_is_short_explained_and_without_the_excluded() {
    let out = tempfile::tempdir().unwrap();
    let run = published(out.path());
    let list = runs::list(&run, "emergency_admissions/A81001.csv");
    let people: Vec<&str> = list.iter().map(|row| row["person"].as_str()).collect();
    assert_eq!(people[0], "t-agnes");
    assert_eq!(people.len(), 3, "two places and one in reserve");
    let reasons = &list[0]["reasons"];
    assert!(
        reasons.starts_with("Emergency admissions in the last 12 months: 3, the latest on 20 February 2026"),
        "{reasons}"
    );
    assert!(reasons.ends_with("84 years old [Practice register]"), "{reasons}");
    let other = runs::list(&run, "emergency_admissions/A81002.csv");
    assert!(other.iter().all(|row| row["person"] != "t-joan"), "called three weeks ago");
}

#[test]
fn a_second_run_says_that_it_is_done() {
    let out = tempfile::tempdir().unwrap();
    let first = published(out.path());
    let before = runs::files(out.path());
    assert_eq!(published(out.path()), first);
    assert_eq!(runs::files(out.path()), before);
}
