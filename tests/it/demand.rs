//! Demand: intervals of 90 % hold 85 to 95 % of weeks that nobody had seen, where the risk is as it was planted.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use jiff::civil::{Date, date};
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs::{self, ENGINE, invented, write};

/// People of each world; `tests/full` asks for more.
fn persons() -> u64 {
    std::env::var("RISKSTRAT_DEMAND_PERSONS").ok().map_or(4_500, |text| text.parse().unwrap())
}

/// Seeds of the worlds of every change, or as many from another one on.
fn seeds() -> std::ops::Range<u64> {
    let number = |name, otherwise| std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap());
    let first = number("RISKSTRAT_DEMAND_FIRST", 31);
    first..first + number("RISKSTRAT_DEMAND_WORLDS", 2)
}

/// The risk is planted from here on.
const INDEX: Date = date(2025, 4, 1);
const WEEKS: usize = 48;

const SIGNED: &str = "[signed_off]\nby = \"nobody, it is a test\"\non = 2024-01-01\nreview_by = 2099-01-01\n";

/// The planted risk is of admissions but those that end with a death, which is drawn apart.
const DEMAND: &str = "title = \"d\"
[demand.d]
risk = \"planted\"
predicts = { of = \"admissions\", where = \"method = 'emergency' and outcome <> 'died'\" }
within = \"12 months\"
weeks = 48
by = [\"place\", \"practice\"]
interval_percent = 90
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
scenario = { reach = 100, averts_percent = 10, because = \"a test\" }
[demand.d.events]
admissions = { label = \"a\", of = \"admissions\", where = \"method = 'emergency' and outcome <> 'died'\" }
attendances = { label = \"a\", of = \"attendances\", where = \"category = 'unplanned'\" }
bed_days = { label = \"a\", of = \"admissions\", where = \"method = 'emergency' and outcome <> 'died'\", days = true }
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

/// What there was from the index on: by event, split and group, week by week, counted apart from the engine.
fn seen(deliveries: &Path, run: &Path) -> BTreeMap<(String, String, String), Vec<f64>> {
    let newest = invented::newest(deliveries);
    let people: HashMap<String, BTreeMap<String, String>> =
        runs::people(run, "features.parquet").into_iter().map(|(token, row)| (newest(&token), row)).collect();
    let died: HashMap<String, Date> = invented::delivered(deliveries, "people")
        .iter()
        .filter_map(|row| Some((newest(&row["PSEUDO_NHS_NUMBER"]), row["DEATH_DATE"].parse().ok()?)))
        .collect();
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
    let day = |date: Date| (date - INDEX).get_days();
    for stay in invented::emergencies(deliveries).into_iter().filter(|stay| !stay.died) {
        let begins = day(stay.begins);
        add("admissions", &stay.person, begins, 1.0);
        let leaves = stay.ends.or_else(|| died.get(&stay.person).copied());
        (begins..leaves.map_or(365, day)).for_each(|day| add("bed_days", &stay.person, day, 1.0));
    }
    for row in invented::delivered(deliveries, "attendances") {
        let planned = !["1", "2", "3"].contains(&row["EMERGENCY CARE ATTENDANCE CATEGORY"].as_str());
        if let Some(date) = row["EMERGENCY CARE ARRIVAL DATE"].parse().ok().filter(|_| !planned) {
            add("attendances", &row["PSEUDO_NHS_NUMBER"], day(date), 1.0);
        }
    }
    seen
}

/// How weeks that nobody had seen lay to their intervals.
#[derive(Default)]
struct Held {
    weeks: usize,
    inside: usize,
    above: usize,
    /// Events, in all.
    seen: f64,
    expected: f64,
}

impl Held {
    fn add(&mut self, row: &HashMap<String, String>, count: f64) {
        let [expected, low, high] = ["expected", "low", "high"].map(|name| row[name].parse::<f64>().unwrap());
        self.weeks += 1;
        self.inside += usize::from((low..=high).contains(&count));
        self.above += usize::from(count > high);
        self.seen += count;
        self.expected += expected;
    }

    fn share(&self) -> f64 {
        self.inside as f64 / self.weeks as f64
    }
}

#[test]
fn intervals_hold_as_many_weeks_as_they_say() {
    let mut held: BTreeMap<(String, String), Held> = BTreeMap::new();
    println!("{} people of each of the seeds {:?}", persons(), seeds());
    for seed in seeds() {
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
        let expected = invented::csv(&run.join("aggregate/demand.csv"));
        let seen = seen(&deliveries, &run);
        for ((event, split, group), weeks) in &seen {
            let own =
                expected.iter().filter(|row| (&row["event"], &row["split"], &row["group"]) == (event, split, group));
            let own: Vec<_> = own.filter(|row| row["week"] != "all weeks").collect();
            assert_eq!(own.len(), WEEKS, "{event} {split} {group}");
            for (row, count) in own.iter().zip(weeks) {
                held.entry((event.clone(), split.clone())).or_default().add(row, *count);
            }
        }
        let scenario = invented::csv(&run.join("aggregate/demand_scenario.csv"));
        let [expected, averted] = ["expected", "averted"].map(|column| scenario[0][column].parse::<f64>().unwrap());
        assert!(expected > 0.0 && (averted - expected / 10.0).abs() < 0.002);
    }
    for ((event, split), held) in &held {
        let Held { weeks, inside, above, seen, expected } = held;
        println!(
            "{event} by {split}: {inside} of {weeks} weeks inside, {:.1} %, {above} above; {seen} seen of {expected:.0} expected",
            100.0 * held.share()
        );
    }
    for ((event, split), held) in &held {
        assert!(held.weeks > 150 && (0.85..=0.95).contains(&held.share()), "{event} by {split}");
    }
    assert_eq!(held.len(), 6);
}
