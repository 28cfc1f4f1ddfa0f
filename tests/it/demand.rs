//! Demand: intervals of 90 % hold 85 to 95 % of weeks that nobody had seen, where the risk is as it was planted.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use jiff::civil::{Date, date};
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs::{self, ENGINE};

/// People of each world; `tests/full` asks for more.
fn persons() -> u64 {
    std::env::var("RISKSTRAT_DEMAND_PERSONS").ok().map_or(4_500, |text| text.parse().unwrap())
}

const SEEDS: [u64; 2] = [31, 32];

/// The risk is planted from here on.
const INDEX: Date = date(2025, 4, 1);
const WEEKS: usize = 48;

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const SIGNED: &str = "[signed_off]\nby = \"nobody, it is a test\"\non = 2024-01-01\nreview_by = 2099-01-01\n";

const DEMAND: &str = "title = \"d\"
[demand.d]
risk = \"planted\"
predicts = { of = \"admissions\", where = \"method = 'emergency'\" }
within = \"12 months\"
weeks = 48
by = [\"place\", \"practice\"]
interval_percent = 90
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
scenario = { reach = 100, averts_percent = 10, because = \"a test\" }
[demand.d.events]
admissions = { label = \"a\", of = \"admissions\", where = \"method = 'emergency'\" }
attendances = { label = \"a\", of = \"attendances\", where = \"category = 'unplanned'\" }
bed_days = { label = \"a\", of = \"admissions\", where = \"method = 'emergency'\", days = true }
";

/// The shipped sources without what they say of people, and the planted risk as a register.
fn declare(folder: &Path, deliveries: &Path) {
    for name in ["people", "practices", "lsoa_imd", "superseded", "admissions", "attendances"] {
        let text = std::fs::read_to_string(runs::root().join(format!("pipelines/sources/{name}.toml"))).unwrap();
        write(&folder.join(format!("sources/{name}.toml")), text.split("[demographics]").next().unwrap());
    }
    write(
        &folder.join("sources/planted.toml"),
        "title = \"p\"\nrole = \"register\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\nfiles = \"planted.csv\"\n[columns]\n\
         person = { from = \"token\", type = \"pseudonym\" }\nlogit = { from = \"logit\", type = \"decimal\", places = 9 }\n",
    );
    let risks = std::fs::read_to_string(deliveries.join("truth/risk_2025-04-01.csv")).unwrap();
    let mut planted = "token,logit\n".to_owned();
    for line in risks.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let risk: f64 = cells[1].parse().unwrap();
        writeln!(planted, "{},{:.9}", cells[0], (risk / (1.0 - risk)).ln()).unwrap();
    }
    write(&deliveries.join("planted.csv"), &planted);
    let value = |name: &str, of: &str, column: &str| {
        format!("[{name}]\nlabel = \"{name}\"\nvalue = {{ of = \"{of}\", column = \"{column}\" }}\n")
    };
    let features = value("place", "people", "place")
        + &value("practice", "people", "practice")
        + &value("logit", "planted", "logit");
    write(&folder.join("features/all.toml"), &features);
    write(&folder.join("measures/demand.toml"), &format!("{DEMAND}{SIGNED}"));
    write(&folder.join("models/planted/card.md"), "Invented.\n");
    write(
        &folder.join("models/planted/model.toml"),
        &format!(
            "title = \"p\"\nkind = \"logistic\"\nversion = \"1\"\npredicts = \"admission\"\npopulation = \"nobody\"\ncitation = \"none\"\n\
             card = \"card.md\"\nintercept = 0\napplies_when = \"logit is not null\"\n{SIGNED}[[terms]]\nfeature = \"logit\"\ncoefficient = 1\n"
        ),
    );
    write(
        &folder.join("run.toml"),
        "title = \"d\"\ndeliveries = \"deliveries\"\nsources = [\"people\", \"planted\", \"practices\", \"lsoa_imd\", \"superseded\", \"admissions\", \"attendances\"]\n\
         features = [\"all\"]\nmodels = [\"planted\"]\nmeasures = [\"demand\"]\n[publish]\ndisclosure = \"below-5\"\n",
    );
}

/// The rows of a CSV without quotes, by heading.
fn csv(path: &Path) -> Vec<HashMap<String, String>> {
    let records = riskstrat::publish::read_csv(&std::fs::read(path).unwrap());
    let (header, rows) = records.split_first().unwrap();
    rows.iter().map(|row| header.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

/// Every row of a delivered table.
fn delivered(deliveries: &Path, table: &str) -> Vec<HashMap<String, String>> {
    let files = std::fs::read_dir(deliveries.join(table)).unwrap();
    files.flat_map(|file| csv(&file.unwrap().path())).collect()
}

/// What there was from the index on: by event, split and group, week by week, counted apart from the engine.
fn seen(deliveries: &Path, run: &Path) -> BTreeMap<(String, String, String), Vec<f64>> {
    let newer: HashMap<String, String> = delivered(deliveries, "superseded")
        .into_iter()
        .map(|row| (row["OLD_PSEUDO_NHS_NUMBER"].clone(), row["NEW_PSEUDO_NHS_NUMBER"].clone()))
        .collect();
    let newest = |token: &str| {
        let mut token = token.to_owned();
        while let Some(next) = newer.get(&token) {
            token.clone_from(next);
        }
        token
    };
    let people: HashMap<String, BTreeMap<String, String>> =
        runs::people(run, "features.parquet").into_iter().map(|(token, row)| (newest(&token), row)).collect();
    let mut seen: BTreeMap<(String, String, String), Vec<f64>> = BTreeMap::new();
    let mut add = |event: &str, token: &str, day: i32, amount: f64| {
        let Some(person) = people.get(&newest(token)) else { return };
        let week = day.div_euclid(7);
        if let Some(week) = usize::try_from(week).ok().filter(|week| *week < WEEKS) {
            for split in ["place", "practice"] {
                // Who has no place on record is in no place.
                if person[split].is_empty() {
                    continue;
                }
                let key = (event.to_owned(), split.to_owned(), person[split].clone());
                seen.entry(key).or_insert_with(|| vec![0.0; WEEKS])[week] += amount;
            }
        }
    };
    let day = |text: &str| text.parse::<Date>().ok().map(|date| (date - INDEX).get_days());
    for row in delivered(deliveries, "admissions") {
        let method = &row["ADMISSION METHOD CODE (HOSPITAL PROVIDER SPELL)"];
        let Some(begins) = day(&row["START DATE (HOSPITAL PROVIDER SPELL)"]) else { continue };
        if !["21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"].contains(&method.as_str()) {
            continue;
        }
        add("admissions", &row["PSEUDO_NHS_NUMBER"], begins, 1.0);
        let ends = day(&row["DISCHARGE DATE (HOSPITAL PROVIDER SPELL)"]).unwrap_or(365);
        (begins..ends).for_each(|day| add("bed_days", &row["PSEUDO_NHS_NUMBER"], day, 1.0));
    }
    for row in delivered(deliveries, "attendances") {
        let planned = !["1", "2", "3"].contains(&row["EMERGENCY CARE ATTENDANCE CATEGORY"].as_str());
        if let Some(day) = day(&row["EMERGENCY CARE ARRIVAL DATE"]).filter(|_| !planned) {
            add("attendances", &row["PSEUDO_NHS_NUMBER"], day, 1.0);
        }
    }
    seen
}

#[test]
fn intervals_hold_as_many_weeks_as_they_say() {
    let mut held: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    println!("{} people of each of the seeds {SEEDS:?}", persons());
    for seed in SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let deliveries = folder.path().join("deliveries");
        let options = SynthOptions {
            persons: persons(),
            seed,
            as_of: date(2026, 4, 1),
            out: deliveries.clone(),
            format: Format::Csv,
            clean: true,
        };
        synth::write(&options, &mut |_| {}).unwrap();
        declare(folder.path(), &deliveries);
        let options = LoadOptions { as_of: Some(INDEX), deliveries: None };
        let run = runs::run(&folder.path().join("run.toml"), &options, &folder.path().join("runs"), ENGINE).unwrap();
        let expected = csv(&run.join("aggregate/demand.csv"));
        let seen = seen(&deliveries, &run);
        for ((event, split, group), weeks) in &seen {
            let own =
                expected.iter().filter(|row| (&row["event"], &row["split"], &row["group"]) == (event, split, group));
            let own: Vec<_> = own.filter(|row| row["week"] != "all weeks").collect();
            assert_eq!(own.len(), WEEKS, "{event} {split} {group}");
            for (row, count) in own.iter().zip(weeks) {
                let [low, high] = ["low", "high"].map(|end| row[end].parse::<f64>().unwrap());
                let (inside, all) = held.entry((event.clone(), split.clone())).or_default();
                *inside += usize::from((low..=high).contains(count));
                *all += 1;
            }
        }
        let scenario = csv(&run.join("aggregate/demand_scenario.csv"));
        let [expected, averted] = ["expected", "averted"].map(|column| scenario[0][column].parse::<f64>().unwrap());
        assert!(expected > 0.0 && (averted - expected / 10.0).abs() < 0.002);
    }
    for ((event, split), (inside, all)) in &held {
        println!("{event} by {split}: {inside} of {all} weeks inside, {:.1} %", 100.0 * *inside as f64 / *all as f64);
    }
    let (inside, all) = held[&("admissions".to_owned(), "place".to_owned())];
    let share = inside as f64 / all as f64;
    assert!(all > 150 && (0.85..=0.95).contains(&share), "{share}");
    for event in ["attendances", "bed_days"] {
        let (inside, all) = held[&(event.to_owned(), "place".to_owned())];
        assert!(inside as f64 / all as f64 >= 0.85, "{event}");
    }
}
