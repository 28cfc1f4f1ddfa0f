//! A town through run, release, feedback and the run after: what is published of its lists, and in what words.

use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::release::{self, Request};
use riskstrat::run::Options;
use riskstrat::storage::LocalDisk;
use riskstrat::token::Key;
use zeroize::Zeroizing;

use super::{REACHED, poisson, said};
use crate::runs::{self, ENGINE};

pub(super) const SIGNED: &str =
    "[signed_off]\nby = \"nobody, it is a test\"\non = 2023-01-01\nreview_by = 2099-01-01\n";

const IMPACT: &str = "title = \"i\"
[impact.lists]
within = \"12 months\"
follow_up = \"90 days\"
reached = { of = \"feedback\", where = \"outcome = 'reached'\" }
by = \"outcome\"
primary = \"admissions\"
reason = \"why\"
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
discontinuity = { ranks = 300 }
matched = { nearest = \"visits_12m\", at_most = 0.5, same = [\"half\"] }
[impact.lists.outcomes]
admissions = { label = \"Admissions\", of = \"admissions\" }
habits = { label = \"Habits\", of = \"habits\" }
[impact.alone]
cohorts = [\"rank\"]
within = \"12 months\"
follow_up = \"90 days\"
reached = { of = \"feedback\", where = \"outcome = 'reached'\" }
by = \"outcome\"
primary = \"admissions\"
definition = { title = \"Nobody to compare with\", version = \"1\", says = \"s\", caveats = [\"c\"] }
discontinuity = { ranks = 1 }
matched = { nearest = \"number\", at_most = 0 }
outcomes.admissions = { label = \"Admissions\", of = \"admissions\" }
";

/// One world through run, release, feedback and the next run.
struct Town {
    folder: tempfile::TempDir,
    visits: Vec<u32>,
}

const TOWN: usize = 4_000;

/// Of the admissions of those reached.
const AVERTS: f64 = 0.9;

impl Town {
    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn new(dice: &mut ChaCha8Rng) -> Self {
        let visits = (0..TOWN).map(|_| dice.random_range(1..12)).collect();
        let town = Self { folder: tempfile::tempdir().unwrap(), visits };
        let source = |name: &str, rest: &str, columns: &str| {
            let text = format!(
                "title = \"{name}\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\nfiles = \"{name}.csv\"\nmay_be_empty = true\n{rest}[columns]\n\
                 person = {{ from = \"id\", type = \"pseudonym\" }}\n{columns}"
            );
            town.write(&format!("sources/{name}.toml"), &text);
        };
        let date = "date = { from = \"date\", type = \"date\" }\n";
        let columns =
            "half = { from = \"half\", type = \"text\" }\nnumber = { from = \"number\", type = \"integer\" }\n";
        source("people", "role = \"register\"\n", columns);
        source("visits", "", date);
        source("admissions", "", date);
        source("habits", "", date);
        source(
            "feedback",
            "role = \"feedback\"\n",
            &format!(
                "{date}outcome = {{ from = \"outcome\", type = \"text\" }}\n\
                 why = {{ from = \"why\", type = \"category\", map = {{ at_work = [\"at work\"] }}, otherwise = \"other\", optional = true }}\n"
            ),
        );
        town.write(
            "features/all.toml",
            "[visits]\nlabel = \"Visits\"\nwindows = [\"12 months\"]\ncount = { of = \"visits\" }\n\
             [half]\nlabel = \"Half\"\nvalue = { of = \"people\", column = \"half\" }\n\
             [number]\nlabel = \"Number\"\nvalue = { of = \"people\", column = \"number\" }\n",
        );
        for (name, draw) in [("lot", "draw = 1.0"), ("rank", "")] {
            town.write(
                &format!("cohorts/{name}.toml"),
                &format!(
                    "title = \"{name}\"\npurpose = \"a call\"\n{SIGNED}[[include]]\nany.all = {{ when = \"half = '{name}'\", reason = \"visits\" }}\n\
                     [rank]\nby = [\"visits_12m desc\"]\n[capacity]\ntake = 900\n{draw}\n"
                ),
            );
        }
        town.write("measures/impact.toml", &format!("{IMPACT}{SIGNED}"));
        town.write(
            "run.toml",
            "title = \"t\"\ndeliveries = \"deliveries\"\nmax_data_age = \"10 years\"\nsources = [\"people\", \"visits\", \"admissions\", \"habits\", \"feedback\"]\n\
             features = [\"all\"]\ncohorts = [\"lot\", \"rank\"]\nmeasures = [\"impact\"]\n[outreach]\nremember = true\n\
             [opt_outs]\nnone_because = \"invented people\"\n[limits]\njudged_from = 1000000\n[publish]\ndisclosure = \"below-5\"\n",
        );
        let half = |person: usize| if person.is_multiple_of(2) { "lot" } else { "rank" };
        let people: String = (0..TOWN).map(|person| format!("P{person:05},{},{person}\n", half(person))).collect();
        town.write("deliveries/people.csv", &format!("id,half,number\n{people}"));
        let mut rows = "id,date\n".to_owned();
        for (person, count) in town.visits.iter().enumerate() {
            (1..=*count).for_each(|month| rows += &format!("P{person:05},2023-{month:02}-15\n"));
        }
        town.write("deliveries/visits.csv", &rows);
        town.write("deliveries/admissions.csv", "id,date\n");
        town.write("deliveries/habits.csv", "id,date\n");
        town.write("deliveries/feedback.csv", "id,date,outcome,why\n");
        town
    }

    fn run(&self, as_of: &str) -> PathBuf {
        let options = LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: None };
        runs::run(&self.folder.path().join("run.toml"), &options, &self.folder.path().join("out"), ENGINE).unwrap()
    }

    /// What followed on those who were listed and on the others, and what the hub said of it.
    fn play(&self, listed: impl Fn(usize) -> bool, dice: &mut ChaCha8Rng) {
        let [mut feedback, mut admitted, mut habits] =
            ["id,date,outcome,why\n", "id,date\n", "id,date\n"].map(str::to_owned);
        for (person, visits) in self.visits.iter().enumerate() {
            let reached = listed(person) && dice.random_bool(REACHED);
            if listed(person) {
                let said = match (reached, person % 3) {
                    (true, _) => "reached,",
                    (false, 0) => "no answer,at work",
                    (false, 1) => "no answer,in words that nobody else reads",
                    _ => "no answer,",
                };
                feedback += &format!("P{person:05},2024-01-05,{said}\n");
            }
            let mean = 0.15 * f64::from(*visits);
            // An admission before the list was sent is none that follows on it.
            admitted += &format!("P{person:05},2024-01-01\n");
            for _ in 0..poisson(mean * if reached { 1.0 - AVERTS } else { 1.0 }, dice) {
                admitted += &format!("P{person:05},2024-02-{:02}\n", dice.random_range(1..29));
            }
            // The cut of the list lies where habits change, before it was sent as after.
            if *visits >= 7 || person % 8 < 2 {
                habits += &format!("P{person:05},2023-12-01\nP{person:05},2024-02-01\n");
            }
        }
        for (name, text) in [("feedback", feedback), ("admissions", admitted), ("habits", habits)] {
            self.write(&format!("deliveries/{name}.csv"), &text);
        }
    }
}

/// Releases the lists of the latest run.
pub(super) fn release(run_file: &Path, deliveries: &Path, as_of: Date, out: &Path) {
    let options = LoadOptions { as_of: Some(as_of), deliveries: Some(deliveries.to_owned()) };
    let pipeline = parse::load(run_file, &options).unwrap();
    let options = Options { out: out.to_owned(), engine: ENGINE, consent: Consent::default() };
    let request = Request { run: None, cohorts: Vec::new(), by: "a tester".to_owned(), new_key: false };
    let key = Key::new(Zeroizing::new(b"a key for tests, and for nothing else".to_vec())).unwrap();
    release::release(&pipeline, &options, &request, &key, &LocalDisk, &Journal::default()).unwrap();
}

/// The rows of a published table of counts.
pub(super) fn rows(run: &Path, table: &str) -> Vec<Vec<String>> {
    riskstrat::publish::read_csv(&std::fs::read(run.join(format!("aggregate/{table}.csv"))).unwrap()).split_off(1)
}

/// Columns of `impact.csv`.
pub(super) const AVOIDED: usize = 15;
pub(super) const LOW_BEFORE: usize = 19;
pub(super) const FINDING: usize = 21;

/// Spreadsheets take a minus for a formula: files have an apostrophe before it.
pub(super) fn number(cell: &str) -> f64 {
    cell.trim_start_matches('\'').parse().unwrap()
}

/// By cohort, outcome and method; of the measure of all that can be compared.
fn of(rows: &[Vec<String>], [cohort, outcome, method]: [&str; 3]) -> Vec<String> {
    let wanted = ["lists", cohort, outcome, method];
    rows.iter().find(|row| row[..4] == wanted).unwrap().clone()
}

#[test]
fn what_a_released_list_changed_is_found_by_the_run_after() {
    let seed = 4_242;
    println!("seed {seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let town = Town::new(&mut dice);
    let first = town.run("2024-01-01");
    let at = |name: &str| town.folder.path().join(name);
    release(&at("run.toml"), &at("deliveries"), date(2024, 1, 2), &at("out"));
    let places = runs::people(&first, "places.parquet");
    let listed = |person: usize| places.get(&format!("P{person:05}")).is_some_and(|row| row["place"] == "listed");
    town.play(listed, &mut dice);
    // The follow-up of 90 days from 2 January is over on 1 April, and not on 31 March.
    let early = rows(&town.run("2024-03-31"), "impact");
    assert!(of(&early, ["all lists", "admissions", "lottery"])[5..FINDING].iter().all(String::is_empty));
    let second = town.run("2024-04-01");
    let found = rows(&second, "impact");
    found.iter().for_each(|row| println!("{}", row.join(" | ")));
    let lottery = of(&found, ["lot", "admissions", "lottery"]);
    // The 1,800 of most visits drew for 900 places: 7 in 10 of the winners were reached, and lost 9 admissions in 10.
    let mut most: Vec<u32> = town.visits.iter().step_by(2).copied().collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    let truth =
        -100.0 * REACHED * AVERTS * 0.15 * most[..1_800].iter().map(|visits| f64::from(*visits)).sum::<f64>() / 1_800.0;
    assert!((number(&lottery[10])..=number(&lottery[11])).contains(&truth), "{truth}: {lottery:?}");
    assert_eq!([&lottery[4], &lottery[FINDING]], ["yes", "fewer, caused by the list"]);
    assert!((number(&lottery[12]) * REACHED / number(&lottery[9]) - 1.0).abs() < 0.1, "for each reached: {lottery:?}");
    // 900 winners: what each of them was spared, for all of them.
    for (all, each) in [(AVOIDED, 9), (AVOIDED + 1, 11), (AVOIDED + 2, 10)] {
        assert!((number(&lottery[all]) + 9.0 * number(&lottery[each])).abs() < 0.01, "{lottery:?}");
    }
    let untold = of(&found, ["lot", "admissions", "discontinuity"]);
    assert_eq!(untold[FINDING], "too few people around a cut that rank alone made");
    let cut = of(&found, ["rank", "admissions", "discontinuity"]);
    // At the cut stands the 900th of those ranked.
    let mut ranked: Vec<u32> = town.visits.iter().skip(1).step_by(2).copied().collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    let truth = -100.0 * REACHED * AVERTS * 0.15 * f64::from(ranked[899]);
    assert!((number(&cut[10])..=number(&cut[11])).contains(&truth), "{truth}: {cut:?}");
    assert_eq!([&cut[4], &cut[FINDING]], ["yes", "fewer, caused by the list"], "{cut:?}");
    assert_eq!(of(&found, ["rank", "admissions", "lottery"])[FINDING], "too few places were drawn by lot");
    let matched = of(&found, ["lot", "admissions", "matched"]);
    assert_eq!([&matched[4], &matched[FINDING]], ["no", "fewer than among like people off the list"], "{matched:?}");
    assert!(of(&found, ["lot", "admissions", "before_after"])[FINDING].ends_with("says nothing of the list"));
    differed_before(&found);
    let [causes, differed] = said::table(&second);
    assert!(causes >= 4 && differed >= 1, "{causes} name a cause, {differed} differed before");
    said::page(&second);
    by_reason(&rows(&second, "impact_feedback"));
}

/// Habits jump at the cut, after the list as before it, and are the same for winners and losers.
fn differed_before(found: &[Vec<String>]) {
    let cut = of(found, ["rank", "habits", "discontinuity"]);
    assert_eq!(cut[4], "no");
    assert!(cut[FINDING].ends_with("do not rest anything on it"), "{cut:?}");
    assert!(number(&cut[10]) > 0.0 && number(&cut[LOW_BEFORE]) > 0.0, "{cut:?}");
    let lottery = of(found, ["lot", "habits", "lottery"]);
    assert_eq!([&lottery[4], &lottery[FINDING]], ["yes", "no effect is shown"], "{lottery:?}");
    // Nobody to compare with: before and after is not published alone.
    let alone: Vec<&Vec<String>> = found.iter().filter(|row| row[0] == "alone").collect();
    assert!(alone.len() >= 5 && alone.iter().all(|row| row[5..FINDING].iter().all(String::is_empty)), "{alone:?}");
    assert!(alone.iter().any(|row| row[FINDING] == "not shown: no comparison stands beside it"));
}

/// People by what came of it and why add up, and nobody's own words are published.
fn by_reason(came: &[Vec<String>]) {
    let of = |of_it: &str, reason: &str| {
        let wanted = ["lists", "all lists", "admissions", of_it, reason];
        came.iter().find(|row| row[..5] == wanted).unwrap_or_else(|| panic!("{wanted:?}")).clone()
    };
    let rate = |of_it: &str| number(&of(of_it, "all reasons")[6]);
    assert!(rate("reached") < 0.6 * rate("no answer"), "{came:?}");
    let people = |reason: &str| number(&of("no answer", reason)[5]);
    let parts = people("at_work") + people("other") + people("not recorded");
    assert!(people("at_work") > 100.0 && (parts - people("all reasons")).abs() < 1.0, "{came:?}");
    assert!(came.iter().all(|row| !row[4].contains("words")));
    assert!(!came.iter().any(|row| row[3] == "reached" && row[4] != "all reasons"), "no reason was given for them");
}
