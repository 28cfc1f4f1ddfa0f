//! Invented people of one hub, each with what keeps them off a list, and the deliveries that say so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use riskstrat::error::Error;
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::publish::Published;
use riskstrat::run::{self, Options};
use riskstrat::storage::LocalDisk;

use crate::runs::{self, ENGINE};

pub const AS_OF: Date = date(2026, 4, 1);

/// What keeps a person off every list, each said by one source alone.
pub const KEPT_OFF: [&str; 17] = [
    "opted_out",
    "opted_out_under_an_old_token",
    "opted_out_in_a_bad_row",
    "not_allowed",
    "allowed_until_yesterday",
    "died_in_the_register",
    "died_in_hospital",
    "left",
    "test_by_flag",
    "test_by_list",
    "in_hospital",
    "end_of_life",
    "contacted",
    "declined_long_ago",
    "child",
    "not_registered_yet",
    "no_need",
];

/// Of those, the ones that no register or list of people needs to know: they stay on the spine.
pub const ON_THE_SPINE: [&str; 6] =
    ["in_hospital", "end_of_life", "contacted", "declined_long_ago", "child", "no_need"];

#[derive(Debug, Clone)]
pub struct Person {
    pub token: String,
    pub practice: Option<&'static str>,
    pub team: Option<&'static str>,
    pub area: &'static str,
    pub born: Date,
    pub visits: usize,
    pub kept_off: Option<&'static str>,
}

impl Person {
    pub fn new(name: &str, practice: &'static str, visits: usize) -> Self {
        let team = if practice < "P3" { "T1" } else { "T2" };
        Self {
            token: name.to_owned(),
            practice: Some(practice),
            team: Some(team),
            area: "A",
            born: date(1940, 1, 1),
            visits,
            kept_off: None,
        }
    }

    pub fn kept_off(self, why: &'static str) -> Self {
        Self { kept_off: Some(why), ..self }
    }

    pub fn band(&self, as_of: Date) -> &'static str {
        let years = riskstrat::calendar::age_years(self.born, as_of).unwrap();
        if years >= 75 { "old" } else { "adult" }
    }
}

/// Twenty to sixty people, most of them well; one for each thing that keeps a person off, needing more than anyone. Each
/// seed has tokens of its own, so that its lots are drawn anew.
pub fn people(seed: u64, random: &mut ChaCha8Rng) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..random.random_range(20..60) {
        let practice = *["P1", "P2", "P3", "P4"].choose(random).unwrap();
        let mut person = Person::new(&format!("p{seed}-{number:02}"), practice, random.random_range(0..9));
        person.area = ["A", "B", "C", "D", ""].choose(random).unwrap();
        person.born = date(random.random_range(1930..2005), 6, 1);
        if random.random_bool(0.05) {
            (person.practice, person.team) = (None, None);
        }
        if random.random_bool(0.3) {
            person.kept_off = KEPT_OFF.choose(random).copied();
        }
        people.push(person);
    }
    for (number, why) in KEPT_OFF.into_iter().enumerate() {
        people.push(Person::new(&format!("k{seed}-{number:02}"), "P1", 12).kept_off(why));
    }
    people
}

/// The rows of every delivery, by source: the header first.
pub type Rows = BTreeMap<&'static str, Vec<String>>;

/// What is delivered about these people for this date.
pub fn rows(people: &[Person], as_of: Date) -> Rows {
    let headers = [
        ("people", "token,updated,left,born,died,test,practice,team,area"),
        ("visits", "token,date,practice"),
        ("spells", "token,admitted,discharged,died"),
        ("hospice", "token,entered"),
        ("feedback", "token,contacted,outcome"),
        ("opt_outs", "token,since,until"),
        ("allowed", "token,since,until"),
        ("tests", "token"),
        ("superseded", "old,new"),
    ];
    let mut rows: Rows = headers.into_iter().map(|(source, header)| (source, vec![header.to_owned()])).collect();
    people.iter().for_each(|person| add(&mut rows, person, as_of));
    rows
}

fn add(rows: &mut Rows, person: &Person, as_of: Date) {
    let token = person.token.as_str();
    let ago = |days: i64| (as_of - days.days()).to_string();
    let is = |why: &str| person.kept_off == Some(why);
    let when = |held: bool, text: String| if held { text } else { String::new() };
    let mut row = |source: &str, cells: &[&str]| rows.get_mut(source).unwrap().push(cells.join(","));
    let (left, died) = (when(is("left"), ago(20)), when(is("died_in_the_register"), ago(9)));
    let born = if is("child") { "2015-06-01".to_owned() } else { person.born.to_string() };
    let updated = if is("not_registered_yet") { (as_of + 3.days()).to_string() } else { ago(1) };
    let test = if is("test_by_flag") { "1" } else { "" };
    let (practice, team) = (person.practice.unwrap_or(""), person.team.unwrap_or(""));
    row("people", &[token, &updated, &left, &born, &died, test, practice, team, person.area]);
    let visits = if is("no_need") { 0 } else { person.visits };
    for visit in 0..visits as i64 {
        row("visits", &[token, &ago(12 + visit * 20), practice]);
    }
    match person.kept_off {
        Some("opted_out") => row("opt_outs", &[token, &ago(2), ""]),
        Some("opted_out_in_a_bad_row") => row("opt_outs", &[token, "soon", ""]),
        Some("opted_out_under_an_old_token") => {
            row("opt_outs", &[&format!("old-{token}"), &ago(2), ""]);
            row("superseded", &[&format!("old-{token}"), token]);
        }
        Some("died_in_hospital") => row("spells", &[token, &ago(9), &ago(5), &ago(5)]),
        Some("in_hospital") => row("spells", &[token, &ago(9), "", ""]),
        Some("end_of_life") => row("hospice", &[token, &ago(9)]),
        Some("contacted") => row("feedback", &[token, &ago(10), "reached"]),
        Some("declined_long_ago") => row("feedback", &[token, &ago(300), "declined"]),
        Some("test_by_list") => row("tests", &[token]),
        _ => {}
    }
    match person.kept_off {
        Some("not_allowed") => {}
        Some("allowed_until_yesterday") => row("allowed", &[token, &ago(200), &ago(1)]),
        _ => row("allowed", &[token, &ago(6), ""]),
    }
}

/// A folder with the declarations of the hub, and cohorts of the test's own.
pub struct Hub {
    folder: tempfile::TempDir,
}

/// The beginning of both cohorts: who is in and who is out.
pub const FIRST: &str = r#"
title   = "First"
purpose = "a test"
signed_off = { by = "nobody", on = 2026-01-01, review_by = 2030-01-01 }
include = [{ any.need = { when = "need >= 1" } }]

[exclude]
in_hospital.when = "in_hospital"
end_of_life.when = "end_of_life"
child.when       = "age_years < 18"
contacted        = { of = "feedback", within = "28 days", where = "outcome = 'reached'" }

[cool_off]
of    = "feedback"
after = { declined = "12 months" }

[rank]
by = ["need desc"]
"#;

impl Hub {
    /// With the capacity of each cohort.
    pub fn new(first: &str, second: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        runs::copy(&runs::root().join("tests/it/outreach/hub"), folder.path());
        let hub = Self { folder };
        hub.write("cohorts/first.toml", &format!("{FIRST}\n{first}"));
        let second = format!("{}\n{second}", FIRST.replace("First", "Second").replace("need desc", "visits_12m desc"));
        hub.write("cohorts/second.toml", &second);
        hub
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    pub fn replace(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replacen(from, to, 1))
    }

    /// Delivers these rows, in place of what was there.
    pub fn deliver(&self, rows: &Rows) -> &Self {
        self.deliver_to("deliveries", rows, None)
    }

    /// Delivers into a folder; `shuffle` turns the rows round and cuts them into two files each.
    pub fn deliver_to(&self, folder: &str, rows: &Rows, shuffle: Option<&mut ChaCha8Rng>) -> &Self {
        let _ = std::fs::remove_dir_all(self.path(folder));
        let mut shuffle = shuffle;
        for (source, rows) in rows {
            let (header, mut body) = (rows[0].clone(), rows[1..].to_vec());
            let mut cut = body.len();
            if let Some(random) = &mut shuffle {
                body.shuffle(random);
                cut = random.random_range(0..=body.len());
            }
            let (one, other) = body.split_at(cut);
            for (name, part) in
                [("b", one), ("a", other)].into_iter().filter(|(name, part)| *name == "b" || !part.is_empty())
            {
                let text: String = part.iter().map(|row| format!("{row}\n")).collect();
                self.write(&format!("{folder}/{source}-{name}.csv"), &format!("{header}\n{text}"));
            }
        }
        self
    }

    /// Runs for a date; `out/` keeps what was published.
    pub fn run(&self, as_of: Date, consent: &Consent) -> Result<PathBuf, Error> {
        let options = LoadOptions { as_of: Some(as_of), deliveries: None };
        let pipeline = parse::load(&self.path("run.toml"), &options)?;
        let options = Options { out: self.path("out"), engine: ENGINE, consent: consent.clone() };
        let (_, published) = run::run(&pipeline, &options, &LocalDisk, &Journal::default())?;
        Ok(match published {
            Published::Now { folder, .. } | Published::Already { folder, .. } => folder,
        })
    }

    /// Runs, and must publish.
    pub fn published(&self, as_of: Date) -> PathBuf {
        self.run(as_of, &Consent::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The run is refused with this exit code and a message with these words; what was published stays as it is.
    pub fn refused(&self, as_of: Date, code: u8, words: &[&str]) -> String {
        let before = self.path("out").exists().then(|| runs::files(&self.path("out")));
        let error = self.run(as_of, &Consent::default()).map(|run| run.display().to_string()).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.exit_code(), code, "{text}");
        words.iter().for_each(|word| assert!(text.contains(word), "no `{word}` in:\n{text}"));
        let mut after = runs::files(&self.path("out"));
        after.retain(|name, _| name != "lock");
        assert!(before.is_none_or(|before| after.iter().all(|(name, bytes)| before.get(name) == Some(bytes))));
        text
    }

    pub fn load(&self) -> Pipeline {
        parse::load(&self.path("run.toml"), &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Files below a folder that hold one of these tokens.
pub fn holding(folder: &Path, tokens: &[String]) -> Vec<String> {
    let held =
        |bytes: &[u8]| tokens.iter().any(|token| bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    runs::files(folder).into_iter().filter(|(_, bytes)| held(bytes)).map(|(name, _)| name).collect()
}
