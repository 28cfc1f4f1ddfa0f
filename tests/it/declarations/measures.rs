//! A measure of each kind is a file, and one wrong word of it is one problem at its place.

use super::Folder;

const FILE: &str = "pipelines/measures/care.toml";

const CARE: &str = r#"title = "Care"
signed_off = { by = "A. Clinician", on = 2025-01-01, review_by = 2027-01-01 }
[webs.care]
within = "12 months"
provider = "team"
by = ["pcn"]
contacts = [{ of = "admissions", where = "method = 'emergency'", team = "method" }]
definition = { title = "t", version = "1", says = "s", caveats = ["c"] }
[diversions.home]
months = 6
one_emergency_within = "24 hours"
no_bed_within = "48 hours"
care_within = "3 days"
safe_for = ["7 days", "30 days"]
emergencies = [{ of = "admissions", place = "method" }]
beds = [{ of = "admissions" }]
care_at_home = [{ of = "admissions" }]
failures = [{ of = "admissions" }]
definition = { title = "t", version = "1", says = "s", caveats = ["c"] }
[impact.lists]
within = "24 months"
follow_up = "90 days"
reached = { of = "admissions", where = "method = 'other'" }
by = "method"
primary = "bed_days"
outcomes.bed_days = { label = "Bed days", of = "admissions", days = true }
discontinuity = { ranks = 10 }
matched = { nearest = "risk", at_most = 0.1, same = ["age_band"] }
definition = { title = "t", version = "1", says = "s", caveats = ["c"] }
[demand.weeks]
risk = "risk"
predicts = { of = "admissions" }
within = "12 months"
weeks = 4
by = ["pcn"]
interval_percent = 90
events.spells = { label = "Spells", of = "admissions" }
definition = { title = "t", version = "1", says = "s", caveats = ["c"] }
"#;

fn with_measures() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.root.path().join("pipelines/measures")).unwrap();
    folder.write(FILE, CARE);
    let named = "audits = [\"gaps\"]\nmeasures = [\"care\"]\noutreach = { remember = true }\n";
    folder.edit("pipelines/small.toml", "audits = [\"gaps\"]\n", named);
    folder.add(
        "pipelines/features/utilisation.toml",
        "[teams]\nlabel = \"Teams\"\nweb = { of = \"care\", figure = \"teams\" }\n",
    );
    folder
}

#[test]
fn what_measures_keep_is_kept_once() {
    let pipeline = with_measures().load().unwrap();
    let measures = &pipeline.measures;
    let all = [measures.webs.len(), measures.diversions.len(), measures.impacts.len(), measures.demands.len()];
    assert_eq!(all, [1, 1, 1, 1]);
    // All spells serve as beds, care, failures, bed days and what is predicted: one watch.
    let plain = measures.watches.iter().filter(|watch| watch.filter.is_none() && watch.labels == [None, None]);
    assert_eq!(plain.count(), 1);
    assert!(pipeline.features.iter().any(|feature| feature.name == "teams"));
}

#[test]
fn each_wrong_word_is_said_at_its_place() {
    for (old, new, said) in [
        ("within = \"12 months\"\nprovider", "within = \"ever\"\nprovider", "care.toml:4: \"ever\" is no limit"),
        (
            "where = \"method = 'emergency'\"",
            "where = \"methd = 'emergency'\"",
            "care.toml:7: there is no column `methd`",
        ),
        ("team = \"method\"", "team = \"tem\"", "care.toml:7: `admissions` has no column `tem`"),
        (
            "caveats = [\"c\"] }\n[diversions",
            "caveats = [] }\n[diversions",
            "care.toml:8: no number is without a caveat",
        ),
        ("\"48 hours\"", "\"2 days\"", "care.toml:12: write it in hours"),
        ("[\"7 days\", \"30 days\"]", "[\"30 days\", \"7 days\"]", "care.toml:14: safety is looked at after"),
        ("place = \"method\"", "place = \"cost\"", "care.toml:15: this is a number"),
        ("nearest = \"risk\"", "nearest = \"pcn\"", "care.toml:28: `pcn` is text, which has no mean"),
        ("primary = \"bed_days\"", "primary = \"bed_day\"", "care.toml:25: no outcome is called `bed_day`"),
        ("ranks = 10", "ranks = 0", "care.toml:27: somebody must be compared"),
        ("by = \"method\"", "by = \"method\"\nreason = \"spell\"", "care.toml:25: `spell` is in people's own words"),
        ("risk = \"risk\"", "risk = \"points\"", "care.toml:31: `points` gives points"),
        ("interval_percent = 90", "interval_percent = 99", "care.toml:36: an interval holds"),
        (
            "events.spells = { label = \"Spells\", of = \"admissions\" }",
            "events.spells = { label = \"Spells\", of = \"admission\" }",
            "care.toml:37: the run has no source `admission`",
        ),
    ] {
        let folder = with_measures();
        folder.edit(FILE, old, new);
        let places = folder.places();
        assert!(places.iter().any(|place| place.contains(said)), "{said}: {places:?}");
        assert!(places.len() <= 2, "{said}: {places:?}");
    }
}

#[test]
fn impact_needs_a_run_that_remembers_and_a_feature_a_web_that_is_there() {
    let folder = with_measures();
    folder.edit("pipelines/small.toml", "outreach = { remember = true }\n", "");
    assert!(folder.places().iter().any(|place| place.contains("this run remembers none")), "{:?}", folder.places());
    let folder = with_measures();
    folder.edit("pipelines/features/utilisation.toml", "of = \"care\"", "of = \"cares\"");
    assert!(folder.places().iter().any(|place| place.contains("the run has no web `cares`")), "{:?}", folder.places());
}
