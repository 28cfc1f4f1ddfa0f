//! The whole way on what `riskstrat synth` invents: a list, its release, calls that avert admissions, the run a year after.
//!
//! Calls change no row but those of the admissions that they avert, so that the same deliveries without calls show what
//! would have been.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::synth::{self, Called, Format, SynthOptions};
use tempfile::TempDir;

use super::REACHED;
use super::town::{SIGNED, number, release, rows};
use crate::runs::{self, ENGINE};

/// The day that deliveries lead up to, and a year before it, from where on calls avert.
const UNTIL: Date = date(2026, 4, 1);
const SENT: Date = date(2025, 4, 1);

const SEED: u64 = 20_260_401;
const PEOPLE: u64 = 3_000;
const AVERTS: f64 = 0.8;

const SOURCES: [&str; 9] = [
    "people",
    "practices",
    "lsoa_imd",
    "superseded",
    "gp_events",
    "admissions",
    "attendances",
    "opt_outs",
    "hub_feedback",
];

const FEATURES: &str = "[age_years]
label = \"Age in full years\"
age = { of = \"people\" }
[place]
label = \"Place\"
value = { of = \"people\", column = \"place\" }
[admissions_emergency]
label = \"Emergency admissions in the last {window}\"
windows = [\"12 months\"]
count = { of = \"admissions\", where = \"method = 'emergency'\" }
";

const COHORT: &str = "title = \"Often here\"
purpose = \"a call\"
include = [{ any.all = { when = \"age_years >= 40\", reason = \"Forty or older\" } }]
rank.by = [\"admissions_emergency_12m desc\", \"age_years desc\"]
capacity = { take = 500, draw = 0.8 }
";

const IMPACT: &str = "title = \"i\"
[impact.lists]
within = \"24 months\"
follow_up = \"12 months\"
reached = { of = \"hub_feedback\", where = \"cohort = 'often' and outcome = 'reached'\" }
by = \"outcome\"
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
discontinuity = { ranks = 100 }
matched = { nearest = \"admissions_emergency_12m\", at_most = 1, same = [\"place\"] }
outcomes.admissions = { label = \"Admissions\", of = \"admissions\", where = \"method = 'emergency'\" }
";

struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for source in SOURCES {
            let text = std::fs::read_to_string(runs::root().join(format!("pipelines/sources/{source}.toml"))).unwrap();
            // Nothing is audited here, and deliveries are a year ahead of the list.
            let text = text.split("[demographics]").next().unwrap();
            let lines = text.lines().filter(|line| !line.starts_with("max_age")).collect::<Vec<_>>().join("\n");
            let lines = lines.replace(
                "[columns]",
                if source == "opt_outs" { "max_age = \"10 years\"\n[columns]" } else { "[columns]" },
            );
            world.write(&format!("sources/{source}.toml"), &lines);
        }
        world.write("features/all.toml", FEATURES);
        world.write("cohorts/often.toml", &format!("{COHORT}{SIGNED}"));
        world.write("measures/impact.toml", &format!("{IMPACT}{SIGNED}"));
        let sources = SOURCES.map(|source| format!("\"{source}\"")).join(", ");
        world.write(
            "run.toml",
            &format!(
                "title = \"Invented\"\ndeliveries = \"first\"\nmax_data_age = \"10 years\"\nsources = [{sources}]\nfeatures = [\"all\"]\n\
                 cohorts = [\"often\"]\nmeasures = [\"impact\"]\n[outreach]\nremember = true\n[limits]\njudged_from = 1000000\n\
                 [publish]\ndisclosure = \"below-5\"\n"
            ),
        );
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The same people in another folder, some of them called, and what the hub said of it.
    fn invent(&self, folder: &str, tokens: BTreeSet<String>) {
        let out = self.path(folder);
        let feedback: String = tokens
            .iter()
            .enumerate()
            .map(|(at, token)| format!("{token},often-{at},2025-04-03,,often,assessed\n"))
            .collect();
        let options = SynthOptions { persons: PEOPLE, seed: SEED, as_of: UNTIL, out, format: Format::Csv, clean: true };
        synth::write_called(&options, Called { tokens, averts: AVERTS }, &mut |_| {}).unwrap();
        let header = "PSEUDO_NHS_NUMBER,CONTACT_ID,CONTACT_DATE,RECORDED_DATE,COHORT,OUTCOME";
        self.write(&format!("{folder}/hub_feedback/often.csv"), &format!("{header}\n{feedback}"));
    }

    fn run(&self, as_of: Date, deliveries: &str, out: &str) -> PathBuf {
        let options = LoadOptions { as_of: Some(as_of), deliveries: Some(self.path(deliveries)) };
        runs::run(&self.path("run.toml"), &options, &self.path(out), ENGINE).unwrap()
    }

    /// What the run of a year after finds, by method.
    fn found(&self, deliveries: &str, out: &str) -> BTreeMap<String, Vec<String>> {
        runs::copy(&self.path("out"), &self.path(out));
        let table = rows(&self.run(UNTIL, deliveries, out), "impact");
        table.into_iter().filter(|row| row[1] == "often").map(|row| (row[3].clone(), row)).collect()
    }
}

fn delivered(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(format!("{name}/part-00001.csv"))).unwrap()
}

fn holds(row: &[String], low: usize, truth: f64) -> bool {
    (number(&row[low])..=number(&row[low + 1])).contains(&truth)
}

#[test]
fn planted_calls_are_found_and_nothing_is_found_where_nobody_called() {
    println!("seed {SEED}, {PEOPLE} people");
    let world = World::new();
    world.invent("first", BTreeSet::new());
    let run = world.run(SENT, "first", "out");
    release(&world.path("run.toml"), &world.path("first"), SENT, &world.path("out"));
    let places = runs::people(&run, "places.parquet");
    let drawn = runs::people(&run, "draws/often.parquet");
    let winners: Vec<&String> =
        drawn.iter().filter(|(_, row)| row["drawn"] == "true").map(|(token, _)| token).collect();
    assert_eq!((drawn.len(), winners.len()), (800, 400));
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let listed = places.iter().filter(|(_, row)| row["place"] == "listed").map(|(token, _)| token.clone());
    let called: BTreeSet<String> = listed.filter(|_| dice.random_bool(REACHED)).collect();
    world.invent("later", called.clone());

    // Calls averted admissions and changed nothing else.
    let truth = riskstrat::publish::read_csv(&std::fs::read(world.path("later/truth/called.csv")).unwrap());
    let averted: BTreeMap<&String, f64> = truth[1..].iter().map(|row| (&row[0], number(&row[2]))).collect();
    assert!(averted.keys().all(|token| called.contains(*token)));
    let [first, later] = ["first", "later"].map(|folder| world.path(folder));
    let lines = |folder| riskstrat::publish::read_csv(&delivered(folder, "admissions")).len() as f64;
    let (gone, all) = (lines(&first) - lines(&later), averted.values().sum::<f64>());
    assert!((all..=all + 5.0).contains(&gone), "{gone} rows are gone, {all} averted; a readmission may hang on one");
    for same in ["people", "attendances", "gp_events"] {
        assert!(delivered(&first, same) == delivered(&later, same), "a call changed {same}");
    }

    // Nobody called.
    let nothing = world.found("first", "without");
    let lottery = &nothing["lottery"];
    assert_eq!([&lottery[4], &lottery[18]], ["yes", "no effect is shown"], "{lottery:?}");
    let naive = &nothing["before_after"];
    println!("nobody called; lottery {lottery:?}\nbefore and after {naive:?}");
    assert!(number(&naive[11]) < 0.0, "admissions fall though nobody called: {naive:?}");
    assert!(naive[18].ends_with("says nothing of the list"));

    // Seven in ten of the listed were called.
    let found = world.found("later", "with");
    let lottery = &found["lottery"];
    let of_winners: f64 = winners.iter().filter_map(|token| averted.get(token)).sum();
    let reached = winners.iter().filter(|token| called.contains(**token)).count() as f64;
    let [each_listed, each_reached] = [winners.len() as f64, reached].map(|people| -100.0 * of_winners / people);
    println!(
        "planted {each_listed:.1} for each 100 listed, {each_reached:.1} for each 100 reached; lottery {lottery:?}"
    );
    assert!(holds(lottery, 10, each_listed) && holds(lottery, 13, each_reached), "{lottery:?}");
    // Too few of them were admitted before to show by how many; a difference would have been said.
    assert_eq!(&lottery[15..18], ["*", "*", "*"]);
    assert_eq!([&lottery[4], &lottery[18]], ["yes", "fewer, caused by the list"], "{lottery:?}");
    assert_eq!(found["matched"][4], "no");
}
