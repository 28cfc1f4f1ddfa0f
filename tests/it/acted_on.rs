//! A score that is acted on, and what a model learns from the time after: with the lists left out of account, and with them.
//!
//! The risk of everyone is known, and so is by how much a place on a list lowers it. Lists are those of real runs, which are
//! acted on as they are, or only once they were released.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::error::{Error, Result};
use riskstrat::evaluate::calibration;
use riskstrat::evaluate::sample::{Row, Sample};
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::release::{self, Done, Request, WithdrawRequest};
use riskstrat::run::Options;
use riskstrat::storage::LocalDisk;
use riskstrat::study::{self, DateAccount, Study};
use riskstrat::token::Key;
use riskstrat::train;
use tempfile::TempDir;
use zeroize::Zeroizing;

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

/// The day on which the first list is released, where lists are.
const RELEASED: &str = "2024-01-08";

/// Who visits between the run and the release of its list, which takes them off.
fn visits_since(person: usize) -> bool {
    person.is_multiple_of(10)
}

struct World {
    folder: TempDir,
    visits: Vec<usize>,
    /// The first list: who had a place, and who of them won it by lot.
    listed: BTreeSet<String>,
    won: BTreeSet<String>,
    /// The day of the first admission, of those who had one.
    admitted: BTreeMap<String, String>,
    release: Option<Done>,
}

const SIGNED: &str = "[signed_off]\nby = \"nobody, it is a test\"\non = 2024-01-01\nreview_by = 2099-01-01\n";

impl World {
    /// Lists on 1 January (half of the places by lot) and 1 July 2024 (all of them), and what follows on them.
    fn new() -> Self {
        Self::followed(false)
    }

    /// The same, but that only what is released is acted on: the first list, a week later.
    fn released() -> Self {
        Self::followed(true)
    }

    fn followed(released: bool) -> Self {
        println!("seed {SEED}");
        let mut dice = ChaCha8Rng::seed_from_u64(SEED);
        let visits: Vec<usize> = (0..PEOPLE).map(|_| dice.random_range(0..9)).collect();
        let folder = tempfile::tempdir().unwrap();
        let (listed, won, admitted) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let mut world = Self { folder, visits, listed, won, admitted, release: None };
        world.declare();
        let people: String = (0..PEOPLE).map(|person| format!("P{person:05}\n")).collect();
        world.write("deliveries/people.csv", &format!("id\n{people}"));
        let mut rows = "id,date\n".to_owned();
        for (person, count) in world.visits.iter().enumerate() {
            for _ in 0..*count {
                writeln!(rows, "P{person:05},2023-{:02}-15", dice.random_range(1..12)).unwrap();
            }
        }
        world.write("deliveries/visits.csv", &rows);
        let mut called: BTreeMap<String, &str> = BTreeMap::new();
        for (name, as_of, part) in [("first", "2024-01-01", 0), ("second", "2024-07-01", 1)] {
            world.write_admissions();
            let run = world.run(name, as_of);
            if part == 0 {
                let drawn = runs::people(&run, "draws/first.parquet").into_iter();
                world.won = drawn.filter(|(_, row)| row["drawn"] == "true").map(|(token, _)| token).collect();
                world.listed = listed_by(&run);
            }
            if !released {
                called.extend(listed_by(&run).into_iter().map(|token| (token, as_of)));
            } else if part == 0 {
                (0..PEOPLE).filter(|person| visits_since(*person)).for_each(|person| {
                    writeln!(rows, "P{person:05},2024-01-03").unwrap();
                });
                world.write("deliveries/visits.csv", &rows);
                world.release = Some(world.release_first());
                let sent = world.listed.iter().filter(|token| !visits_since(number(token)));
                called.extend(sent.map(|token| (token.clone(), RELEASED)));
            }
            for person in 0..PEOPLE {
                let token = format!("P{person:05}");
                let admitted = dice.random_bool(half(world.visits[person]));
                let (month, day) = (1 + 6 * part + dice.random_range(0..6), dice.random_range(1..29));
                let day = format!("2024-{month:02}-{day:02}");
                let spared =
                    dice.random_bool(1.0 - CALLED) && called.get(&token).is_some_and(|from| day.as_str() >= *from);
                if admitted && !spared {
                    world.admitted.entry(token).or_insert(day);
                }
            }
        }
        world.write_admissions();
        world
    }

    fn write_admissions(&self) {
        let rows: String = self.admitted.iter().map(|(token, day)| format!("{token},{day}\n")).collect();
        // Of nobody whom the study means, so that the deliveries reach the end of the follow-up.
        self.write("deliveries/admissions.csv", &format!("id,date\n{rows}nobody,2024-12-31\n"));
    }

    fn release_first(&self) -> Done {
        let options = LoadOptions { as_of: Some(RELEASED.parse().unwrap()), deliveries: None };
        let pipeline = parse::load(&self.path("first.toml"), &options).unwrap();
        let options = Options { out: self.path("out"), engine: ENGINE, consent: Consent::default() };
        let request = Request { run: None, cohorts: vec![], by: "a tester".into(), new_key: false };
        let key = Key::new(Zeroizing::new(b"a key for tests, and for nothing else".to_vec())).unwrap();
        release::release(&pipeline, &options, &request, &key, &LocalDisk, &Journal::default()).unwrap()
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
        source("visits", "max_age = \"10 years\"\n", date);
        source("admissions", "may_be_empty = true\n", date);
        self.write(
            "features/all.toml",
            "[visits]\nlabel = \"Visits in the last {window}\"\nwindows = [\"7 days\", \"18 months\"]\ncount = { of = \"visits\" }\n",
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
                     [exclude]\nseen.when = \"visits_7d > 0\"\n[rank]\nby = [\"old desc\"]\n[capacity]\ntake = {}\ndraw = {draw}\n",
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

    fn run(&self, name: &str, as_of: &str) -> PathBuf {
        let options = LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: None };
        runs::run(&self.path(&format!("{name}.toml")), &options, &self.path("out"), ENGINE).unwrap()
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
            let person = number(&study.tokens[*row].reveal());
            let alone = alone(self.visits[person]);
            let of = |outcome, weight| Row { score: *said, outcome, weight, person: person as u32 };
            rows.extend([of(true, alone), of(false, 1.0 - alone)]);
        }
        let sample = Sample::new(rows).unwrap();
        let slope = calibration::line(sample.levels()).unwrap().slope;
        (slope, calibration::observed_expected(sample.levels()).unwrap())
    }
}

fn number(token: &str) -> usize {
    token[1..].parse().unwrap()
}

/// The tokens of those who got a place.
fn listed_by(run: &Path) -> BTreeSet<String> {
    let places = runs::people(run, "places.parquet");
    places.into_iter().filter(|(_, row)| row["place"] == "listed").map(|(token, _)| token).collect()
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

/// What a run lists is acted on only when it is released, from that day on, for whom it was sent.
#[test]
fn only_what_was_released_was_acted_on() {
    let world = World::released();
    let sent = world.release.as_ref().unwrap();
    let study = world.study("safe.toml").unwrap();
    let DateAccount { on_spine, acted_on, by_rank, rows, .. } = study.account[0];
    assert_eq!((on_spine, acted_on + rows), (PEOPLE as u64, PEOPLE as u64));
    // Who was admitted before that day was not admitted in spite of the list.
    let before = |token: &String| world.admitted.get(token).is_some_and(|day| day.as_str() < RELEASED);
    let taken_off = |token: &String| visits_since(number(token));
    let count = |of: &dyn Fn(&&String) -> bool| world.listed.iter().filter(of).count() as u64;
    assert!(count(&|token| before(token)) > 20 && count(&|token| taken_off(token)) > 200);
    let release::Event::Release(lists) = &sent.entry.event else { panic!("a release") };
    assert_eq!(lists.lists.iter().map(|list| list.listed).sum::<u64>(), count(&|token| !taken_off(token)));
    assert_eq!(by_rank, count(&|token| !world.won.contains(*token) && !taken_off(token) && !before(token)));
    // Those who won and were taken off are stood for by those who lost, like others who won.
    assert_eq!(acted_on - by_rank, count(&|token| world.won.contains(*token) && !before(token)));
    let weights: BTreeSet<u64> = study.weight.iter().map(|weight| *weight as u64).collect();
    assert_eq!(weights, BTreeSet::from([0, 1, 2]), "the second list was never released");
    let all: f64 = study.weight.iter().sum();
    let wanted = PEOPLE as f64 - by_rank as f64;
    assert!((all / wanted - 1.0).abs() < 0.02, "{all} for {wanted}");

    let (naive, naive_expected) = world.learnt("naive.toml");
    let (safe, safe_expected) = world.learnt("safe.toml");
    println!("left out of account: {naive:.3}, {naive_expected:.3}; taken into account: {safe:.3}, {safe_expected:.3}");
    assert!(naive > 1.2 && naive_expected > 1.1, "the list did not bias the retraining: {naive} {naive_expected}");
    assert!((safe - 1.0).abs() < 0.15 && (safe_expected - 1.0).abs() < 0.08, "{safe} {safe_expected}");

    // Taken back, it was acted on by nobody.
    let request = WithdrawRequest {
        release: sent.entry.id.clone(),
        recipients: vec![],
        reason: "an error".into(),
        by: "a tester".into(),
        on: Some(RELEASED.parse().unwrap()),
    };
    release::withdraw(&LocalDisk, &world.path("out"), &request).unwrap();
    let study = world.study("safe.toml").unwrap();
    assert_eq!(study.account[0].acted_on, 0);
    assert!(study.weight.iter().all(|weight| *weight == 1.0));
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
