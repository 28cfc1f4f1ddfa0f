//! A score that is acted on, and what a model learns from the time after: with the lists left out of account, and with them.
//!
//! The risk of everyone is known, and so is by how much a place on a list lowers it. Lists are those of real runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::error::{Error, Result};
use riskstrat::evaluate::calibration;
use riskstrat::evaluate::sample::{Row, Sample};
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::study::{self, DateAccount, Study};
use riskstrat::train;
use tempfile::TempDir;

use crate::runs::{self, ENGINE};

const SEED: u64 = 20_260_401;
const PEOPLE: usize = 12_000;

/// What is left of the risk of somebody who was called.
const CALLED: f64 = 0.2;

/// Of a year in which nobody calls, by visits in the year before.
fn alone(visits: usize) -> f64 {
    1.0 / (1.0 + (2.6 - 0.45 * visits as f64).exp())
}

/// Of half of it.
fn half(visits: usize) -> f64 {
    1.0 - (1.0 - alone(visits)).sqrt()
}

struct World {
    folder: TempDir,
    visits: Vec<usize>,
}

const SIGNED: &str = "[signed_off]\nby = \"nobody, it is a test\"\non = 2024-01-01\nreview_by = 2099-01-01\n";

impl World {
    /// Lists on 1 January (half of the places by lot) and 1 July 2024 (all of them), and what follows on them.
    fn new() -> Self {
        println!("seed {SEED}");
        let mut dice = ChaCha8Rng::seed_from_u64(SEED);
        let visits: Vec<usize> = (0..PEOPLE).map(|_| dice.random_range(0..9)).collect();
        let world = Self { folder: tempfile::tempdir().unwrap(), visits };
        world.declare();
        let people: String = (0..PEOPLE).map(|person| format!("P{person:05}\n")).collect();
        world.write("deliveries/people.csv", &format!("id\n{people}"));
        let mut rows = "id,date\n".to_owned();
        for (person, count) in world.visits.iter().enumerate() {
            for _ in 0..*count {
                writeln!(rows, "P{person:05},2023-{:02}-15", dice.random_range(1..13)).unwrap();
            }
        }
        world.write("deliveries/visits.csv", &rows);
        let mut admitted = "id,date\n".to_owned();
        let mut called = BTreeSet::new();
        for (run, part) in [("first", 0), ("second", 1)] {
            world.write("deliveries/admissions.csv", &admitted);
            called.extend(world.run(run, if part == 0 { "2024-01-01" } else { "2024-07-01" }));
            for (person, visits) in world.visits.iter().enumerate() {
                let left = if called.contains(&format!("P{person:05}")) { CALLED } else { 1.0 };
                if dice.random_bool(half(*visits) * left) {
                    let month = 1 + 6 * part + dice.random_range(0..6);
                    writeln!(admitted, "P{person:05},2024-{month:02}-{:02}", dice.random_range(1..29)).unwrap();
                }
            }
        }
        // The deliveries reach the end of the follow-up.
        admitted.push_str("P00000,2024-12-31\n");
        world.write("deliveries/admissions.csv", &admitted);
        world
    }

    fn declare(&self) {
        let source = |name: &str, rest: &str, columns: &str| {
            let text = format!(
                "title = \"{name}\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\nfiles = \"{name}.csv\"\n{rest}\
                 [columns]\nperson = {{ from = \"id\", type = \"pseudonym\" }}\n{columns}"
            );
            self.write(&format!("sources/{name}.toml"), &text);
        };
        let date = "date = { from = \"date\", type = \"date\" }\n";
        source("people", "role = \"register\"\n", "");
        source("visits", "", date);
        source("admissions", "may_be_empty = true\n", date);
        self.write(
            "features/all.toml",
            "[visits]\nlabel = \"Visits in the last {window}\"\nwindows = [\"18 months\"]\ncount = { of = \"visits\" }\n",
        );
        self.write("models/old/card.md", "Invented.\n");
        self.write(
            "models/old/model.toml",
            &format!(
                "title = \"Old\"\nkind = \"logistic\"\nversion = \"1\"\npredicts = \"admission\"\npopulation = \"nobody\"\n\
                 citation = \"none\"\ncard = \"card.md\"\nintercept = -2.6\n{SIGNED}\
                 [[terms]]\nfeature = \"visits_18m\"\ncoefficient = 0.45\n"
            ),
        );
        for (name, draw) in [("first", "0.5"), ("second", "1.0")] {
            self.write(
                &format!("{name}.toml"),
                &format!(
                    "title = \"{name}\"\npopulation = \"Nowhere\"\ndeliveries = \"deliveries\"\nmax_data_age = \"10 years\"\n\
                     sources = [\"people\", \"visits\", \"admissions\"]\nfeatures = [\"all\"]\nmodels = [\"old\"]\n\
                     cohorts = [\"{name}\"]\n[opt_outs]\nnone_because = \"invented people\"\n"
                ),
            );
            self.write(
                &format!("cohorts/{name}.toml"),
                &format!(
                    "title = \"{name}\"\npurpose = \"a call\"\n{SIGNED}[[include]]\nany.all = {{ when = \"old > 0\", reason = \"{{visits_18m}} visits\" }}\n\
                     [rank]\nby = [\"old desc\"]\n[capacity]\ntake = {}\ndraw = {draw}\n",
                    PEOPLE / 4
                ),
            );
        }
        self.write(
            "naive.toml",
            &format!(
                "title = \"Admission\"\nrun = \"first.toml\"\nas_of = [2024-01-01]\ndeaths = \"excluded\"\ninputs = [\"visits_18m\"]\n\
                 {SIGNED}[outcome]\nlabel = \"Admission\"\nwithin = \"12 months\"\nexists = {{ of = \"admissions\" }}\n\
                 [split]\nhold_out = 0.2\nkey = \"k\"\n[evaluate]\nreplicates = 0\n\
                 [train]\nlearner = \"logistic\"\nfolds = 2\n"
            ),
        );
        let naive = std::fs::read_to_string(self.path("naive.toml")).unwrap();
        self.write("safe.toml", &format!("{naive}[acted_on]\nruns = \"out\"\nlasts = \"6 months\"\n"));
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The tokens of those who got a place.
    fn run(&self, name: &str, as_of: &str) -> Vec<String> {
        let options = LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: None };
        let run = runs::run(&self.path(&format!("{name}.toml")), &options, &self.path("out"), ENGINE).unwrap();
        let places = runs::people(&run, "places.parquet");
        places.into_iter().filter(|(_, row)| row["place"] == "listed").map(|(token, _)| token).collect()
    }

    fn study(&self, file: &str) -> Result<Study> {
        let (pipeline, plan) = parse::load_study(&self.path(file), &LoadOptions::default(), &[])?;
        study::assemble(&pipeline, &plan, ENGINE, &|_, _| {})
    }

    /// Slope and observed over expected of a model's risks against the risks of people whom nobody calls.
    fn learnt(&self, file: &str) -> (f64, f64) {
        let (pipeline, plan) = parse::load_study(&self.path(file), &LoadOptions::default(), &[]).unwrap();
        let study = self.study(file).unwrap();
        let trained = train::train(&pipeline, &plan, &study, "new", 2, &mut || {}).unwrap();
        let (held, said) = &trained.held;
        let mut rows = Vec::new();
        for (row, said) in held.iter().zip(said) {
            let person: usize = study.tokens[*row].reveal()[1..].parse().unwrap();
            let alone = alone(self.visits[person]);
            let of = |outcome, weight| Row { score: *said, outcome, weight, person: person as u32 };
            rows.extend([of(true, alone), of(false, 1.0 - alone)]);
        }
        let sample = Sample::new(rows).unwrap();
        let slope = calibration::line(sample.levels()).unwrap().slope;
        (slope, calibration::observed_expected(sample.levels()).unwrap())
    }
}

#[test]
fn a_deployed_score_biases_its_retraining_unless_people_left_alone_stand_for_the_others() {
    let world = World::new();
    let (naive, naive_expected) = world.learnt("naive.toml");
    let (safe, safe_expected) = world.learnt("safe.toml");
    println!(
        "left out of account: slope {naive:.3}, O/E {naive_expected:.3}; taken into account: {safe:.3}, {safe_expected:.3}"
    );
    assert!(naive > 1.3 && naive_expected > 1.2, "the lists did not bias the retraining: {naive} {naive_expected}");
    assert!((safe - 1.0).abs() < 0.15 && (safe_expected - 1.0).abs() < 0.08, "{safe} {safe_expected}");
}

/// Every draw is of one in two: who lost one stands for two people, who lost two for four.
#[test]
fn everyone_is_counted_once_and_stands_for_as_many_as_the_lots_say() {
    let world = World::new();
    let study = world.study("safe.toml").unwrap();
    let DateAccount { on_spine, acted_on, by_rank, rows, .. } = study.account[0];
    assert_eq!((on_spine, acted_on + rows), (PEOPLE as u64, PEOPLE as u64));
    // Half of the first list by rank; whoever else had a place won it.
    assert_eq!(by_rank, PEOPLE as u64 / 8);
    assert!(acted_on > by_rank && acted_on < PEOPLE as u64 / 2, "{acted_on}");
    let mut weights: BTreeMap<u64, usize> = BTreeMap::new();
    study.weight.iter().for_each(|weight| *weights.entry(*weight as u64).or_default() += 1);
    assert!(study.weight.iter().all(|weight| [0.0, 1.0, 2.0, 4.0].contains(weight)));
    assert_eq!(weights[&0] as u64, acted_on);
    assert!(weights[&2] > 500 && weights[&4] > 200, "{weights:?}");
    // Those left alone stand for those drawn for, in expectation: everyone but those with places by rank.
    let all: f64 = study.weight.iter().sum();
    let wanted = (PEOPLE - PEOPLE / 8) as f64;
    assert!((all / wanted - 1.0).abs() < 0.02, "{all} for {wanted}");
}

#[test]
fn a_folder_without_runs_is_no_account_of_nobody() {
    let world = World::new();
    let safe = std::fs::read_to_string(world.path("safe.toml")).unwrap();
    world.write("safe.toml", &safe.replace("runs = \"out\"", "runs = \"elsewhere\""));
    let error = world.study("safe.toml").map(|_| ()).unwrap_err();
    assert!(matches!(&error, Error::NotReady(text) if text.contains("there is no run before 2025-01-01")), "{error}");
    world.write("safe.toml", &safe.replace("lasts = \"6 months\"", "lasts = \"ever\""));
    let error = world.study("safe.toml").map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("\"ever\" is no limit"), "{error}");
    assert!(Path::new(&world.path("out/current")).exists());
}
