//! A small population whose later weeks can be told person by person.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use riskstrat::error::Result;
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::release::{self, Done, Request};
use riskstrat::run::Options;
use riskstrat::storage::{LocalDisk, Storage};
use riskstrat::token::Key;
use zeroize::Zeroizing;

use crate::runs::{self, ENGINE};

pub const COHORT: &str = "often";
pub const KEY: &str = "a key for tests, and for nothing else";

/// Someone who is registered, with as many admissions as decide their rank.
#[derive(Debug, Clone)]
pub struct Person {
    pub token: String,
    pub practice: &'static str,
    pub admissions: u32,
    pub fate: Fate,
}

/// What became of them after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    Stays,
    OptsOut,
    DiesInTheRegister,
    DiesInHospital,
    DiesSaysTheHub,
    LeavesTheRegister,
    MovesSaysTheHub,
    NoLongerInTheRegister,
    Declined,
    InHospital,
    NotReached,
    NewToken,
    ChangesPractice,
}

impl Fate {
    pub const ALL: [Self; 13] = [
        Self::Stays,
        Self::OptsOut,
        Self::DiesInTheRegister,
        Self::DiesInHospital,
        Self::DiesSaysTheHub,
        Self::LeavesTheRegister,
        Self::MovesSaysTheHub,
        Self::NoLongerInTheRegister,
        Self::Declined,
        Self::InHospital,
        Self::NotReached,
        Self::NewToken,
        Self::ChangesPractice,
    ];

    /// What a hub writes of them.
    pub fn outcome(self) -> Option<&'static str> {
        match self {
            Self::DiesSaysTheHub => Some("died"),
            Self::MovesSaysTheHub => Some("moved"),
            Self::Declined => Some("declined"),
            Self::NotReached => Some("unable_to_reach"),
            _ => None,
        }
    }

    /// Why they must not be called; none of whom may be.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Stays | Self::NotReached | Self::NewToken => None,
            Self::OptsOut => Some("opted out"),
            Self::DiesInTheRegister | Self::DiesInHospital | Self::DiesSaysTheHub => Some("died"),
            Self::LeavesTheRegister | Self::MovesSaysTheHub => Some("left"),
            Self::NoLongerInTheRegister => Some("not in a register"),
            Self::Declined => Some("contacted"),
            Self::InHospital => Some("in_hospital"),
            Self::ChangesPractice => Some("of another recipient now"),
        }
    }
}

/// A pipeline, its deliveries of two weeks, and what it publishes.
pub struct World {
    folder: tempfile::TempDir,
    pub people: Vec<Person>,
    /// That is run and released.
    pub run_file: &'static str,
}

const RUN: &str = r#"
title = "Often in hospital"
deliveries = "first"
as_of = 2026-04-01
sources = ["superseded", "people", "admissions", "opt_outs", "hub_feedback"]
features = ["all"]
cohorts = ["often", "everyone"]
[publish]
formats = ["csv", "parquet"]
[self_check]
one_in = 1
"#;

const SOURCES: [(&str, &str); 5] = [
    (
        "superseded",
        r#"title = "Tokens that were replaced"
role = "superseded"
one_row_is = "one token"
files = "superseded.csv"
legal_basis = "invented people"
may_be_empty = true
[columns]
person = { from = "old", type = "pseudonym" }
superseded_by = { from = "new", type = "pseudonym" }
"#,
    ),
    (
        "people",
        r#"title = "Register"
role = "register"
one_row_is = "one person"
files = "people.csv"
legal_basis = "invented people"
[columns]
person = { from = "token", type = "pseudonym" }
date = { from = "updated", type = "date" }
end = { from = "left", type = "date", optional = true }
death_date = { from = "died", type = "date", optional = true }
practice = { from = "practice", type = "code", system = "ods" }
"#,
    ),
    (
        "admissions",
        r#"title = "Admissions"
setting = "acute"
one_row_is = "one admission"
files = "admissions.csv"
key = ["spell"]
legal_basis = "invented people"
max_age = "1 year"
[columns]
person = { from = "token", type = "pseudonym" }
spell = { from = "spell", type = "text" }
date = { from = "admitted", type = "date" }
end = { from = "discharged", type = "date", optional = true }
death_date = { from = "died", type = "date", optional = true }
"#,
    ),
    (
        "opt_outs",
        r#"title = "Opt-outs"
role = "opt_out"
one_row_is = "one opt-out"
files = "opt_outs.csv"
legal_basis = "invented people"
max_age = "14 days"
[columns]
person = { from = "token", type = "pseudonym" }
recorded = { from = "recorded", type = "date" }
"#,
    ),
    ("hub_feedback", ""),
];

const FEATURES: &str = r#"
[admissions_12m]
label = "Admissions in the last {window}"
within = "12 months"
count = { of = "admissions" }
reason = "{value} admissions in the last {window}"
[in_hospital]
label = "In hospital"
within = "12 months"
open_at_index = { of = "admissions" }
[practice]
label = "Practice"
value = { of = "people", column = "practice" }
"#;

const COHORTS: [(&str, &str); 2] =
    [("often", "per = \"practice\"\ntake = 2\nreserve = 2"), ("everyone", "take = 3\nreserve = 3")];

fn cohort(name: &str, capacity: &str) -> String {
    format!(
        r#"title = "People often in hospital ({name})"
purpose = "direct care"
action = "Call"
show = ["practice"]
[signed_off]
by = "nobody: the people are invented"
on = 2026-01-01
review_by = 2030-01-01
[[include]]
any.often = {{ when = "admissions_12m >= 1" }}
[exclude]
in_hospital.when = "in_hospital"
contacted = {{ of = "hub_feedback", within = "90 days", where = "outcome <> 'not_reached'" }}
[rank]
by = ["admissions_12m desc"]
[capacity]
{capacity}
"#
    )
}

impl World {
    pub fn new(people: Vec<Person>) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), people, run_file: "run.toml" };
        world.write("run.toml", RUN);
        for (name, text) in SOURCES {
            let text = match name {
                // What hubs send back is read as it is shipped.
                "hub_feedback" => std::fs::read_to_string(runs::root().join("pipelines/sources/hub_feedback.toml"))
                    .unwrap()
                    .replace("max_bad_share = 0.2 ", "max_bad_share = 0.5 "),
                _ => text.to_owned(),
            };
            world.write(&format!("sources/{name}.toml"), &text);
        }
        world.write("features/all.toml", FEATURES);
        COHORTS
            .iter()
            .for_each(|(name, capacity)| world.write(&format!("cohorts/{name}.toml"), &cohort(name, capacity)));
        world.deliver("first", |_| Fate::Stays, "2026-03-30", "");
        world
    }

    /// People at two practices, in the order of their rank.
    pub fn of(count: u32) -> Self {
        let person = |n: u32| Person {
            token: format!("person-{n:04}-canary"),
            practice: if n.is_multiple_of(2) { "A81001" } else { "A81002" },
            admissions: count + 1 - n,
            fate: Fate::Stays,
        };
        Self::new((1..=count).map(person).collect())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Changes a declaration; what is replaced must be there.
    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub fn set(&mut self, token: &str, fate: Fate) {
        self.people.iter_mut().find(|person| person.token == token).unwrap().fate = fate;
    }

    /// The feed up to 2 April 2026, when everyone's fate has come true, with the hub's rows.
    pub fn later(&self, folder: &str, feedback: &str) {
        self.deliver(folder, |person| person.fate, "2026-04-02", feedback);
    }

    fn deliver(&self, folder: &str, fate: impl Fn(&Person) -> Fate, day: &str, feedback: &str) {
        let mut people = "token,updated,left,died,practice\n\
                          long-gone,2025-01-01,,,A81001\nnever-ill,2025-01-01,,,A81001\n"
            .to_owned();
        let mut admissions = "token,spell,admitted,discharged,died\n".to_owned();
        let mut opt_outs = format!("token,recorded\nlong-gone,{day}\n");
        let mut superseded = "old,new\n".to_owned();
        for person in &self.people {
            let (token, fate) = (&person.token, fate(person));
            let after = |happened: Fate| if fate == happened { "2026-04-02" } else { "" };
            let (left, died) = (after(Fate::LeavesTheRegister), after(Fate::DiesInTheRegister));
            let now = if fate == Fate::NewToken { format!("{token}-new") } else { token.clone() };
            if fate != Fate::NoLongerInTheRegister {
                let practice = if fate == Fate::ChangesPractice { "A81009" } else { person.practice };
                writeln!(people, "{now},2025-06-01,{left},{died},{practice}").unwrap();
            }
            for spell in 0..person.admissions {
                let died = if spell == 0 { after(Fate::DiesInHospital) } else { "" };
                writeln!(admissions, "{token},{token}-{spell},2026-01-{:02},2026-02-01,{died}", spell % 28 + 1)
                    .unwrap();
            }
            if fate == Fate::InHospital {
                writeln!(admissions, "{token},{token}-now,2026-04-02,,").unwrap();
            }
            if fate == Fate::OptsOut {
                writeln!(opt_outs, "{token},2026-04-02").unwrap();
            }
            if fate == Fate::NewToken {
                writeln!(superseded, "{token},{now}").unwrap();
            }
        }
        self.write(&format!("{folder}/people.csv"), &people);
        self.write(&format!("{folder}/admissions.csv"), &admissions);
        self.write(&format!("{folder}/opt_outs.csv"), &opt_outs);
        self.write(&format!("{folder}/superseded.csv"), &superseded);
        // Of someone who is on no list, so that feedback is fresh.
        let header = "TOKEN,RECIPIENT,COHORT,CONTACT_DATE,BY_ROLE,OUTCOME,REASON,DETAIL,NEXT_STEP";
        let old = "never-ill,,often,2025-12-01,nurse,unable_to_reach,,,";
        self.write(&format!("{folder}/hub_feedback/returned.csv"), &format!("{header}\n{old}\n{feedback}"));
    }

    pub fn run(&self, as_of: &str, deliveries: &str) -> Result<PathBuf> {
        runs::run(&self.path(self.run_file), &self.options(as_of, deliveries), &self.out(), ENGINE)
    }

    fn options(&self, as_of: &str, deliveries: &str) -> LoadOptions {
        LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: Some(self.path(deliveries)) }
    }

    pub fn release(&self, as_of: &str, deliveries: &str) -> Result<Done> {
        self.release_with(as_of, deliveries, KEY, &LocalDisk, |_| {})
    }

    pub fn release_with(
        &self,
        as_of: &str,
        deliveries: &str,
        key: &str,
        storage: &dyn Storage,
        change: impl Fn(&mut Request),
    ) -> Result<Done> {
        let pipeline = parse::load(&self.path(self.run_file), &self.options(as_of, deliveries))?;
        let options = Options { out: self.out(), engine: ENGINE, consent: Consent::default() };
        let mut request = Request { run: None, cohorts: vec![COHORT.into()], by: "a tester".into(), new_key: false };
        change(&mut request);
        let key = Key::new(Zeroizing::new(key.as_bytes().to_vec()))?;
        release::release(&pipeline, &options, &request, &key, storage, &Journal::default())
    }
}

/// A CSV of what was sent, by column.
pub fn sent(done: &Done, path: &str) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read(done.folder.join("to").join(path)).unwrap();
    let mut records = riskstrat::publish::read_csv(&text).into_iter();
    let header = records.next().unwrap();
    records.map(|record| header.iter().cloned().zip(record).collect()).collect()
}

/// Each released place: recipient, token, person, status; best first.
pub fn crosswalk(folder: &Path) -> Vec<BTreeMap<String, String>> {
    use arrow::util::display::array_value_to_string;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = std::fs::File::open(folder.join("person/crosswalk.parquet")).unwrap();
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let schema = batch.schema();
        rows.extend((0..batch.num_rows()).map(|row| {
            let cells = schema.fields().iter().zip(batch.columns());
            cells.map(|(field, column)| (field.name().clone(), array_value_to_string(column, row).unwrap())).collect()
        }));
    }
    rows
}

/// What a hub sends back of the people on a release, by their fate.
pub fn feedback(world: &World, done: &Done, day: &str) -> String {
    let mut rows = String::new();
    for row in crosswalk(&done.folder) {
        let person = world.people.iter().find(|person| person.token == row["person"]).unwrap();
        if let Some(outcome) = person.fate.outcome() {
            let (token, recipient) = (&row["token"], &row["recipient"]);
            writeln!(rows, "{token},{recipient},{COHORT},{day},nurse,{outcome},,,").unwrap();
        }
    }
    rows
}
