//! The whole way on what `riskstrat synth` invents: lists, their release, calls that avert admissions, the run a year after.
//!
//! Calls change no row but those of the admissions that they avert, so that the same deliveries without calls show what
//! would have been. In one place the lists are drawn by lot, in the other rank alone gives the places.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::synth::{self, Called, Format, SynthOptions};
use tempfile::TempDir;

use super::town::{SIGNED, release};
use super::{REACHED, at_least, at_most};
use crate::runs::{self, ENGINE, invented};

/// The day that deliveries lead up to, and a year before it, from where on calls avert.
const UNTIL: Date = date(2026, 4, 1);
const SENT: Date = date(2025, 4, 1);

const SOURCES: [&str; 7] = ["people", "practices", "lsoa_imd", "superseded", "admissions", "opt_outs", "hub_feedback"];

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
[need]
label = \"Need\"
derived = { sql = \"0.022 * age_years + 0.4 * admissions_emergency_12m\" }
";

/// Lists in which chance gives the places, and lists in which rank alone does.
const COHORTS: [(&str, &str, &str); 2] = [("lot", "Northvale", "draw = 1.0"), ("rank", "Riverside", "")];

const IMPACT: &str = "title = \"i\"
[impact.lists]
within = \"24 months\"
follow_up = \"12 months\"
reached = { of = \"hub_feedback\", where = \"outcome = 'reached'\" }
by = \"outcome\"
primary = \"admissions\"
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
matched = { nearest = \"need\", at_most = 0.1, same = [\"place\"] }
outcomes.admissions = { label = \"Admissions\", of = \"admissions\", where = \"method = 'emergency'\" }
";

/// What is invented, and by how much a call changes it.
#[derive(Clone, Copy)]
struct Plan {
    people: u64,
    /// Of each list.
    places: u64,
    seed: u64,
    averts: f64,
}

/// People of one seed, their deliveries without calls and with them, and their runs.
struct World {
    folder: TempDir,
    plan: Plan,
}

/// The row of a list by one method, by heading.
type Found = BTreeMap<(String, String), HashMap<String, String>>;

impl World {
    fn new(plan: Plan) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), plan };
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
        let places = plan.places;
        for (name, place, draw) in COHORTS {
            world.write(
                &format!("cohorts/{name}.toml"),
                &format!(
                    "title = \"{name}\"\npurpose = \"a call\"\n{SIGNED}[[include]]\n\
                     any.all = {{ when = \"age_years >= 18 and place = '{place}'\", reason = \"An adult of this place\" }}\n\
                     [rank]\nby = [\"need desc\"]\n[capacity]\ntake = {places}\n{draw}\n"
                ),
            );
        }
        let ranks = places / 2;
        world.write("measures/impact.toml", &format!("{IMPACT}discontinuity = {{ ranks = {ranks} }}\n{SIGNED}"));
        let sources = SOURCES.map(|source| format!("\"{source}\"")).join(", ");
        world.write(
            "run.toml",
            &format!(
                "title = \"Invented\"\ndeliveries = \"without\"\nmax_data_age = \"10 years\"\nsources = [{sources}]\nfeatures = [\"all\"]\n\
                 cohorts = [\"lot\", \"rank\"]\nmeasures = [\"impact\"]\n[outreach]\nremember = true\n[limits]\njudged_from = 1000000\n\
                 [publish]\ndisclosure = \"below-5\"\n"
            ),
        );
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The same people in another folder, some of them called.
    fn invent(&self, folder: &str, tokens: BTreeSet<String>) {
        let Plan { people: persons, seed, averts, .. } = self.plan;
        let out = self.path(folder);
        let options = SynthOptions { persons, seed, as_of: UNTIL, out, format: Format::Csv, clean: true };
        synth::write_called(&options, Called { tokens, averts }, &mut |_| {}).unwrap();
        self.said(folder, &BTreeSet::new());
    }

    /// What the hub says: whom it reached.
    fn said(&self, folder: &str, reached: &BTreeSet<String>) {
        let header = "PSEUDO_NHS_NUMBER,CONTACT_ID,CONTACT_DATE,RECORDED_DATE,COHORT,OUTCOME\n";
        let row = |(at, token): (usize, &String)| format!("{token},call-{at},2025-04-03,,,assessed\n");
        let rows: String = reached.iter().enumerate().map(row).collect();
        self.write(&format!("{folder}/hub_feedback/calls.csv"), &format!("{header}{rows}"));
    }

    fn run(&self, as_of: Date, deliveries: &str, out: &str) -> PathBuf {
        let options = LoadOptions { as_of: Some(as_of), deliveries: Some(self.path(deliveries)) };
        runs::run(&self.path("run.toml"), &options, &self.path(out), ENGINE).unwrap()
    }

    /// What the run of a year after finds.
    fn found(&self, deliveries: &str) -> Found {
        let out = format!("out of {deliveries}");
        runs::copy(&self.path("out"), &self.path(&out));
        let table = invented::csv(&self.run(UNTIL, deliveries, &out).join("aggregate/impact.csv"));
        table.into_iter().map(|row| ((row["cohort"].clone(), row["method"].clone()), row)).collect()
    }
}

/// A world that was played through.
struct Played {
    world: World,
    called: BTreeSet<String>,
    /// Planted, for each 100 listed, by list.
    truth: BTreeMap<&'static str, Truth>,
    with: Found,
    without: Found,
}

/// For each 100 listed, and for each 100 reached.
#[derive(Debug, Clone, Copy)]
struct Truth {
    listed: f64,
    reached: f64,
}

fn play(plan: Plan) -> Played {
    let world = World::new(plan);
    world.invent("without", BTreeSet::new());
    let run = world.run(SENT, "without", "out");
    release(&world.path("run.toml"), &world.path("without"), SENT, &world.path("out"));
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let places = runs::people(&run, "places.parquet");
    let listed = places.iter().filter(|(_, row)| row["place"] == "listed").map(|(token, _)| token.clone());
    let called: BTreeSet<String> = listed.filter(|_| dice.random_bool(REACHED)).collect();
    world.invent("with", called.clone());
    let truth = BTreeMap::from(["lot", "rank"].map(|cohort| (cohort, truth(&world, &run, cohort, &called))));
    ["with", "without"].into_iter().for_each(|folder| world.said(folder, &called));
    let [with, without] = ["with", "without"].map(|folder| world.found(folder));
    Played { world, called, truth, with, without }
}

/// What the plan averts of the admissions that there would have been: of everyone who was drawn for, winners and losers being
/// alike; or of people close to the cut.
fn truth(world: &World, run: &Path, cohort: &str, called: &BTreeSet<String>) -> Truth {
    let admitted = invented::admitted(&world.path("without"), SENT, UNTIL);
    let newest = invented::newest(&world.path("without"));
    let standing = runs::people(run, "standing.parquet");
    let own = standing.iter().filter(|(_, row)| row["cohort"] == cohort);
    let cut = world.plan.places;
    let near = own.filter(|(_, row)| {
        let drawn = !row["probability"].is_empty();
        let position: u64 = row["position"].parse().unwrap();
        if cohort == "lot" { drawn } else { position.abs_diff(cut) <= cut / 10 }
    });
    let (mut people, mut admissions, mut listed, mut reached) = (0.0, 0.0, 0.0, 0.0);
    for (token, row) in near {
        people += 1.0;
        admissions += admitted.get(&newest(token)).copied().unwrap_or_default();
        listed += f64::from(u8::from(row["listed"] == "true"));
        reached += f64::from(u8::from(called.contains(token)));
    }
    let each_reached = -100.0 * world.plan.averts * admissions / people;
    Truth { listed: each_reached * reached / listed, reached: each_reached }
}

/// Both ends of an interval, where they are shown.
fn limits(row: &HashMap<String, String>, ends: [&str; 2]) -> Option<[f64; 2]> {
    let end = |name: &str| row[name].trim_start_matches('\'').parse().ok();
    Some([end(ends[0])?, end(ends[1])?])
}

fn holds(row: &HashMap<String, String>, ends: [&str; 2], truth: f64) -> bool {
    limits(row, ends).is_some_and(|[low, high]| (low..=high).contains(&truth))
}

const LISTED: [&str; 2] = ["low", "high"];
const REACHED_ENDS: [&str; 2] = ["low_reached", "high_reached"];

fn delivered(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(format!("{name}/part-00001.csv"))).unwrap()
}

/// One world, with calls that avert so much that a few hundred places show it; how often that is found, the next test counts.
#[test]
fn planted_calls_are_found_and_nothing_is_found_where_nobody_called() {
    let plan = Plan { people: 3_000, places: 400, seed: 20_260_402, averts: 0.8 };
    println!("seed {}, {} people", plan.seed, plan.people);
    let Played { world, called, truth, with, without } = play(plan);
    // Calls averted admissions and changed nothing else.
    let told = invented::csv(&world.path("with/truth/called.csv"));
    let averted: f64 = told.iter().map(|row| row["averted"].parse::<f64>().unwrap()).sum();
    assert!(told.iter().all(|row| called.contains(&row["token"])));
    let [before, after] = ["without", "with"].map(|folder| world.path(folder));
    let lines = |folder| invented::delivered(folder, "admissions").len() as f64;
    let gone = lines(&before) - lines(&after);
    assert!((averted..=averted + 5.0).contains(&gone), "{gone} rows are gone, {averted} averted");
    for same in ["people", "attendances", "gp_events"] {
        assert!(delivered(&before, same) == delivered(&after, same), "a call changed {same}");
    }
    for (cohort, method) in [("lot", "lottery"), ("rank", "discontinuity")] {
        let key = (cohort.to_owned(), method.to_owned());
        let (nothing, row, truth) = (&without[&key], &with[&key], truth[cohort]);
        println!("{cohort}: planted {truth:?}\nnobody's call averts: {nothing:?}\ncalls avert: {row:?}");
        assert_eq!([&nothing["may_say_caused"], &nothing["finding"]], ["yes", "no effect is shown"]);
        assert!(holds(row, LISTED, truth.listed) && holds(row, REACHED_ENDS, truth.reached), "{row:?}");
        assert_eq!(row["may_say_caused"], "yes");
        assert_eq!(with[&(cohort.to_owned(), "matched".to_owned())]["may_say_caused"], "no");
    }
    let lottery = &with[&("lot".to_owned(), "lottery".to_owned())];
    assert_eq!(lottery["finding"], "fewer, caused by the list", "{lottery:?}");
}

/// How many worlds, and of how many people each; without the first this is left out.
fn worlds() -> Option<(u64, u64)> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    Some((number("RISKSTRAT_IMPACT_WORLDS")?, number("RISKSTRAT_IMPACT_PEOPLE").unwrap_or(20_000)))
}

/// The first seed of the worlds.
fn first_seed() -> u64 {
    std::env::var("RISKSTRAT_IMPACT_FIRST").ok().map_or(2_000_001, |text| text.parse().unwrap())
}

/// A right interval of 95 % holds fewer than 95 times in two of five hundreds: what must hold is what chance leaves of right ones.
#[test]
fn fifteen_in_a_hundred_are_recovered_as_often_as_intervals_say() {
    let Some((worlds, people)) = worlds() else {
        println!("left out: RISKSTRAT_IMPACT_WORLDS says of how many worlds");
        return;
    };
    let first = first_seed();
    println!("{worlds} worlds of {people} people, seeds from {first}; calls avert 15 in 100 admissions");
    let mut counted: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for seed in first..first + worlds {
        let Played { truth, with, without, .. } = play(Plan { people, places: people / 14, seed, averts: 0.15 });
        for (cohort, method) in [("lot", "lottery"), ("rank", "discontinuity")] {
            let key = (cohort.to_owned(), method.to_owned());
            let (nothing, row, truth) = (&without[&key], &with[&key], truth[cohort]);
            let naive = &without[&(cohort.to_owned(), "before_after".to_owned())];
            let matched = &with[&(cohort.to_owned(), "matched".to_owned())];
            let mut count = |what, yes: bool| *counted.entry((method, what)).or_default() += u64::from(yes);
            count("hold what was planted for each listed", holds(row, LISTED, truth.listed));
            count("hold it for each reached", holds(row, REACHED_ENDS, truth.reached));
            count("say that the list caused fewer", row["finding"] == "fewer, caused by the list");
            count("find nothing's effect", !holds(nothing, LISTED, 0.0));
            count("find it for each reached", !holds(nothing, REACHED_ENDS, 0.0));
            count("say that nothing caused something", nothing["finding"].contains("caused"));
            count("naive falls where nothing was averted", limits(naive, LISTED).is_some_and(|[_, high]| high < 0.0));
            count(
                "naive holds what was planted",
                holds(&with[&(cohort.to_owned(), "before_after".to_owned())], LISTED, truth.listed),
            );
            count("matched holds what was planted", holds(matched, LISTED, truth.listed));
            println!(
                "{seed} {method}: planted {:.2}, found {} ({} to {}); of nothing {} ({} to {}); before and after of nothing {} ({} to {})",
                truth.listed,
                row["difference"],
                row["low"],
                row["high"],
                nothing["difference"],
                nothing["low"],
                nothing["high"],
                naive["difference"],
                naive["low"],
                naive["high"],
            );
        }
    }
    counted.iter().for_each(|((method, what), times)| println!("{method}: {times} of {worlds} {what}"));
    for method in ["lottery", "discontinuity"] {
        let times = |what| counted[&(method, what)];
        at_least(worlds, times("hold what was planted for each listed"));
        at_least(worlds, times("hold it for each reached"));
        at_most(worlds, times("find nothing's effect"));
        at_most(worlds, times("find it for each reached"));
        at_most(worlds, times("say that nothing caused something"));
    }
    at_least(worlds, counted[&("discontinuity", "naive falls where nothing was averted")]);
}
