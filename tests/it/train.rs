//! Training from a study on invented people: same bytes, no leaks, no unread costs, and folders that cannot be passed off.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use riskstrat::conform::Engine;
use riskstrat::error::{Error, Result};
use riskstrat::pipeline::lock::sha256;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::storage::LocalDisk;
use riskstrat::study::{self, Part, Study};
use riskstrat::train;
use tempfile::TempDir;

const RUN: &str = r#"
title = "Invented"
population = "Testshire"
deliveries = "deliveries"
as_of = 2025-01-01
max_data_age = "10 years"
sources = ["people", "spells"]
features = ["all"]
[opt_outs]
none_because = "invented people"
"#;

const PEOPLE: &str = r#"
title = "Register"
role = "register"
one_row_is = "one person"
files = "people.csv"
legal_basis = "invented"
[columns]
person = { from = "id", type = "pseudonym" }
birth_date = { from = "born", type = "date" }
death_date = { from = "died", type = "date", optional = true }
end = { from = "left", type = "date", optional = true }
sex = { from = "sex", type = "text", optional = true }
tell = { from = "tell", type = "integer" }
"#;

const SPELLS: &str = r#"
title = "Spells"
one_row_is = "one spell"
files = "spells.csv"
legal_basis = "invented"
[columns]
person = { from = "id", type = "pseudonym" }
date = { from = "day", type = "date" }
recorded = { from = "recorded", type = "date" }
method = { from = "method", type = "text" }
paid = { from = "paid", type = "decimal", places = 2, unit = "GBP" }
"#;

const FEATURES: &str = r#"
[age_years]
label = "Age"
age = { of = "people" }
[sex]
label = "Sex"
value = { of = "people", column = "sex" }
[tell]
label = "Known only afterwards"
value = { of = "people", column = "tell" }
[spells]
label = "Spells in the last {window}"
windows = ["12 months"]
count = { of = "spells" }
[days_since_spell]
label = "Days since the latest spell"
within = "ever"
days_since = { of = "spells" }
"#;

const STUDY: &str = r#"
title = "Emergency in a year"
run = "run.toml"
as_of = [2024-01-01, 2025-01-01]
deaths = "excluded"
inputs = ["age_years", "sex", "spells_12m", "days_since_spell"]
groups = ["sex"]
[outcome]
label = "An emergency spell"
within = "12 months"
exists = { of = "spells", where = "method = 'emergency'" }
[split]
hold_out = 0.3
key = "k"
[evaluate]
replicates = 20
[train]
learner = "logistic"
folds = 3
[train.logistic]
ridge = [1.0, 10.0]
log1p = ["spells_*"]
[signed_off]
by = "nobody, it is a test"
on = 2025-01-01
review_by = 2099-01-01
"#;

/// A stream of numbers in [0, 1).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

const SEED: u64 = 20_260_401;

pub struct World {
    folder: TempDir,
}

impl World {
    /// 1,500 people; who is old or was in hospital is likelier to be there the next year.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder };
        for (file, text) in [
            ("run.toml", RUN),
            ("sources/people.toml", PEOPLE),
            ("sources/spells.toml", SPELLS),
            ("features/all.toml", FEATURES),
            ("study.toml", STUDY),
        ] {
            world.write(file, text);
        }
        let mut chance = Chance(SEED);
        let mut people = String::from("id,born,died,left,sex,tell\n");
        let mut spells = String::from("id,day,recorded,method,paid\n");
        for n in 0..1_500 {
            let age = (chance.next() * 80.0) as i32;
            let mut before = 0;
            let mut last = false;
            for year in 2022..2026 {
                last = chance.next() < 0.05 + 0.003 * f64::from(age) + 0.15 * f64::from(before);
                before = i32::from(last);
                if last {
                    let (month, day) = (1 + (chance.next() * 12.0) as i32, 1 + (chance.next() * 27.0) as i32);
                    let date = format!("{year}-{month:02}-{day:02}");
                    writeln!(spells, "p{n:04},{date},{date},emergency,1200.50").unwrap();
                }
            }
            let sex = ["F", "M", ""][(chance.next() * 2.2) as usize];
            let (died, left) = match n % 100 {
                7 => ("2025-06-01", ""),
                8 => ("", "2025-03-01"),
                _ => ("", ""),
            };
            writeln!(people, "p{n:04},{}-05-05,{died},{left},{sex},{}", 2021 - age, i32::from(last)).unwrap();
        }
        // The deliveries reach the end of the follow-up.
        spells.push_str("p0000,2025-12-30,2026-01-20,planned,10.00\n");
        world.write("deliveries/people.csv", &people);
        world.write("deliveries/spells.csv", &spells);
        world
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(self.path(file), text.replace(from, to)).unwrap();
    }

    fn study(&self, threads: usize) -> Result<Study> {
        let (pipeline, plan) = parse::load_study(&self.path("study.toml"), &LoadOptions::default(), &[])?;
        study::assemble(&pipeline, &plan, Engine::of(threads, 100), &|_, _| {})
    }

    pub fn train(&self, threads: usize) -> Result<BTreeMap<String, String>> {
        let (pipeline, plan) = parse::load_study(&self.path("study.toml"), &LoadOptions::default(), &[])?;
        let study = study::assemble(&pipeline, &plan, Engine::of(threads, 100), &|_, _| {})?;
        let trained = train::train(&pipeline, &plan, &study, "risk", threads, &mut || {})?;
        train::folder::files(&pipeline, &plan, &trained)
    }

    /// Trains, puts the folder into `models/`, and names it in the run.
    pub fn ship(&self) {
        fs::create_dir_all(self.path("models")).unwrap();
        train::folder::write(&LocalDisk, &self.path("models/risk"), &self.train(1).unwrap()).unwrap();
        self.edit("run.toml", "features = [\"all\"]", "features = [\"all\"]\nmodels = [\"risk\"]");
    }

    pub fn refusal(&self) -> String {
        parse::load(&self.path("run.toml"), &LoadOptions::default()).map(|_| ()).unwrap_err().to_string()
    }
}

fn shuffled(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].sort_by_key(|line| {
        line.bytes().fold(7_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    });
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// F4.
#[test]
fn threads_and_the_order_of_rows_change_no_byte_of_a_model() {
    let world = World::new();
    let files = world.train(1).unwrap();
    assert_eq!(files, world.train(2).unwrap());
    shuffled(&world.path("deliveries/people.csv"));
    shuffled(&world.path("deliveries/spells.csv"));
    assert_eq!(files, world.train(3).unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let all = ["card.md", "coefficients.csv", "evaluation.json", "model.lock", "model.toml", "reference.csv"];
    assert_eq!(names, all);
    assert!(files["coefficients.csv"].contains("\nspells_12m,,log1p,,0."), "{}", files["coefficients.csv"]);
    assert!(files["coefficients.csv"].contains("\ndays_since_spell,,is_missing,,"), "{}", files["coefficients.csv"]);
}

/// What the program cannot know is said to be not reported, and nothing else.
#[test]
fn the_card_says_of_every_item_of_tripod_ai_what_was_done_or_that_it_was_not() {
    let world = World::new();
    world.edit("sources/spells.toml", "one_row_is", "setting = \"acute\"\none_row_is");
    let files = world.train(2).unwrap();
    let card = &files["card.md"];
    let items = include_str!("../../src/train/tripod_ai_items.csv").lines().skip(1);
    let mut not_reported = Vec::new();
    for item in items.filter_map(|line| line.split(',').next()) {
        let begins = |part: &&str| part.strip_prefix(item).is_some_and(|rest| rest.starts_with([' ', '*']));
        let said = card.split("\n**").find(begins).unwrap_or_else(|| panic!("nothing of item {item}"));
        let said = said.split_once(".** ").unwrap().1;
        assert!(said.len() > 10, "{item}: {said}");
        if said.starts_with("Not reported") {
            not_reported.push(item);
        }
    }
    assert_eq!(not_reported, ["3a", "17", "18a", "18b", "18c", "18d", "18e", "19", "25", "27b", "27c"]);
    assert!(card.contains("Records of acute hospitals."), "{card}");
    assert!(card.contains("\n| sex | ") && card.contains("On people held out its AUROC was 0."), "{card}");
}

#[test]
fn everyone_of_a_date_is_counted_once_and_nobody_is_on_two_sides() {
    let study = World::new().study(2).unwrap();
    for date in &study.account {
        let out = date.not_meant + date.opted_out + date.merged + date.left + date.died + date.acted_on;
        assert_eq!(date.on_spine, out + date.censored + date.rows, "{date:?}");
        assert!(date.events > 0);
    }
    let second = &study.account[1];
    assert_eq!((second.died, second.left), (15, 15));
    let mut sides: BTreeMap<u32, Vec<Part>> = BTreeMap::new();
    for (person, part) in study.person.iter().zip(&study.part) {
        sides.entry(*person).or_default().push(*part);
    }
    assert!(sides.values().all(|parts| parts.iter().all(|part| *part == parts[0])));
}

/// The outcome is recounted from the rows as delivered.
#[test]
fn the_outcome_is_what_the_rows_say() {
    let world = World::new();
    let study = world.study(1).unwrap();
    let spells = fs::read_to_string(world.path("deliveries/spells.csv")).unwrap();
    for (row, token) in study.tokens.iter().enumerate() {
        let year = study.as_of[row].year().to_string();
        let counts = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            *cells[0] == *token.reveal() && cells[1].starts_with(&year) && cells[3] == "emergency"
        };
        assert_eq!(study.outcome[row], spells.lines().any(counts), "row {row}");
    }
}

#[test]
fn nobody_is_followed_beyond_the_deliveries() {
    let world = World::new();
    world.edit("study.toml", "as_of = [2024-01-01, 2025-01-01]", "as_of = [2025-06-01]");
    let error = world.study(1).map(|_| ()).unwrap_err();
    assert!(matches!(&error, Error::NotReady(text) if text.contains("the follow-up ends on 2026-06-01")), "{error}");
}

/// L1: a copy of the outcome; and rows on or after the as-of date are in no feature.
#[test]
fn what_is_known_only_with_the_outcome_is_refused_by_name() {
    let world = World::new();
    let before = world.study(1).unwrap().table;
    let mut spells = fs::read_to_string(world.path("deliveries/spells.csv")).unwrap();
    spells.push_str("p0001,2025-01-01,2025-01-01,emergency,1.00\np0002,2024-06-01,2025-02-01,planned,1.00\n");
    world.write("deliveries/spells.csv", &spells);
    assert_eq!(world.study(1).unwrap().table, before);
    world.edit("study.toml", "as_of = [2024-01-01, 2025-01-01]", "as_of = [2025-01-01]");
    world.edit("study.toml", "inputs = [", "inputs = [\"tell\", ");
    let error = world.train(1).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("above 0.95") && error.contains("alone it is told by tell"), "{error}");
}

/// L2.
#[test]
fn a_cost_is_no_outcome_unless_it_is_meant_and_then_it_is_said_everywhere() {
    let world = World::new();
    world.edit(
        "study.toml",
        "exists = { of = \"spells\", where = \"method = 'emergency'\" }",
        "total = { of = \"spells\", column = \"paid\" }\nat_least = 1000",
    );
    let error = world.train(1).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("this outcome is a cost") && error.contains("study.toml"), "{error}");
    world.edit("study.toml", "deaths =", "i_understand_cost_label = true\ndeaths =");
    let files = world.train(1).unwrap();
    assert!(files["card.md"].contains(study::COST_LABEL));
    assert!(files["evaluation.json"].contains(study::COST_LABEL));
    assert!(files["model.toml"].contains("cost_label = true"));
    world.ship();
    let pipeline = parse::load(&world.path("run.toml"), &LoadOptions::default()).unwrap();
    assert!(pipeline.warnings.iter().any(|warning| warning.contains("it predicts a cost")));
    world.edit("models/risk/model.toml", "i_understand_cost_label = true\n", "");
    assert!(world.refusal().contains("this model predicts a cost, not a need"));
}

/// I6 and L5.
#[test]
fn a_folder_that_is_not_what_was_trained_and_judged_here_is_refused() {
    let world = World::new();
    world.ship();
    let loads = || parse::load(&world.path("run.toml"), &LoadOptions::default());
    assert_eq!(loads().unwrap().models.len(), 1);
    let refused_with = |file: &str, from: &str, to: &str, words: &str| {
        let whole = fs::read_to_string(world.path(file)).unwrap();
        world.edit(file, from, to);
        let refusal = world.refusal();
        assert!(refusal.contains(words), "{file}, {from:?} to {to:?}: {refusal}");
        fs::write(world.path(file), whole).unwrap();
    };
    let (model, table) = ("models/risk/model.toml", "models/risk/coefficients.csv");
    refused_with(table, "age_years,,,,", "age_years,,,,1", "`coefficients.csv` is not the file that was trained");
    refused_with(table, "age_years,,,,", "age_years,,,,nan", "`reference` is no finite number");
    refused_with(table, "age_years,", "shoe_size,", "there is no feature `shoe_size`");
    refused_with(model, "intercept = ", "intercept = 0.5 # ", "`model.toml` is not the file that was trained");
    refused_with(model, "format = 1", "format = 2", "this program reads 1");
    refused_with(model, "auroc_in_training = 0.", "auroc_in_training = 0.99", "too well: an AUROC above 0.95");
    refused_with(model, "outcome_id = \"", "outcome_id = \"0", "`model.toml` is not the file that was trained");
    refused_with("models/risk/evaluation.json", "Testshire", "Elsewhere", "`evaluation.json` is not the file");
    refused_with(
        "models/risk/model.lock",
        "\"coefficients.csv\"",
        "\"other.csv\"",
        "`coefficients.csv` is not in the lock",
    );
    refused_with("run.toml", "\"Testshire\"", "\"Elsewhere\"", "it has not been validated on `Elsewhere`");
    refused_with("run.toml", "population = \"Testshire\"\n", "", "the run does not say whose people they are");
    // An evaluation of another outcome, with a lock to match.
    let (evaluation, lock) = ("models/risk/evaluation.json", "models/risk/model.lock");
    let whole = fs::read_to_string(world.path(evaluation)).unwrap();
    let other = whole.replace("\"outcome_id\": \"", "\"outcome_id\": \"0");
    fs::write(world.path(evaluation), &other).unwrap();
    refused_with(lock, &sha256(whole.as_bytes()), &sha256(other.as_bytes()), "is about another outcome");
    fs::write(world.path(evaluation), whole).unwrap();
    // What people write later is no part of the lock.
    world.edit(model, "nobody, it is a test", "Dr A. Nother");
    assert!(loads().is_ok());
    world.edit("run.toml", "\"Testshire\"", "\"Elsewhere\"");
    world.edit(
        model,
        "\n[signed_off]",
        "accepted_without_local_validation = { by = \"The medical director\", on = 2025-01-01, why = \"a pilot\" }\n\n[signed_off]",
    );
    let accepted = loads().unwrap();
    let says = "not validated on Elsewhere; accepted by The medical director";
    assert!(accepted.warnings.iter().any(|warning| warning.contains(says)), "{:?}", accepted.warnings);
    fs::remove_file(world.path("models/risk/model.lock")).unwrap();
    assert!(world.refusal().contains("there is no `model.lock` beside a trained model"));
}
