//! What was planted, so that a receipt can be held against it: `truth/` beside the deliveries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::codes::CONDITIONS;
use super::diversions::Told;
use super::files::push_field;
use super::layout::Kind;
use super::person::{Person, Status};
use super::recording::{self, State};
use super::world::{World, area_code};
use crate::error::{Error, Result};
use crate::receipt::{PeopleAccount, SourceAccount};

/// Where a run must put a row; in the order in which it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    SetAside,
    NotYetKnown,
    Duplicate,
    NotLinked,
    Future,
    BeforeBirth,
    AfterDeath,
    OffSpine,
    Used,
}

/// The truth about one seed, written while it is planted.
pub struct Truth {
    people: Ledger,
    planted: Ledger,
    cohorts: Ledger,
    risks: Ledger,
    /// Where somebody was called.
    called: Option<(BTreeSet<String>, Ledger)>,
    recording: Ledger,
    emergencies: Ledger,
    /// People by item, source and state.
    recorded: BTreeMap<(&'static str, &'static str, State), u64>,
    pub accounts: Vec<SourceAccount>,
    pub registers: PeopleAccount,
    folder: PathBuf,
}

/// A CSV of plain cells.
struct Ledger {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Ledger {
    fn create(folder: &Path, name: &str, header: &[&str]) -> Result<Self> {
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(|error| Error::storage("writing", &path, &error))?;
        let mut ledger = Self { path, out: BufWriter::new(file) };
        ledger.line(header)?;
        Ok(ledger)
    }

    fn line(&mut self, cells: &[&str]) -> Result<()> {
        let mut line = String::new();
        for (at, cell) in cells.iter().enumerate() {
            push_field(&mut line, at, cell);
        }
        line.push_str("\r\n");
        self.out.write_all(line.as_bytes()).map_err(|error| Error::storage("writing", &self.path, &error))
    }

    fn finish(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::storage("writing", &self.path, &error))
    }
}

const PEOPLE: [&str; 16] = [
    "token",
    "true_risk",
    "outcome_12m",
    "frailty",
    "age",
    "sex",
    "ethnicity",
    "language",
    "imd_decile",
    "lsoa",
    "practice",
    "conditions",
    "status",
    "died",
    "opted_out",
    "left",
];

impl Truth {
    pub fn create(out: &Path, world: &World) -> Result<Self> {
        let folder = out.join("truth");
        fs::create_dir_all(&folder).map_err(|error| Error::storage("making", &folder, &error))?;
        let account = |kind: &Kind| SourceAccount { source: kind.layout().name.to_owned(), ..SourceAccount::default() };
        Ok(Self {
            people: Ledger::create(&folder, "people.csv", &PEOPLE)?,
            planted: Ledger::create(&folder, "planted.csv", &["source", "kind", "file", "key", "token", "count"])?,
            cohorts: Ledger::create(&folder, "cohorts.csv", &["token", "cohort"])?,
            risks: Ledger::create(
                &folder,
                &format!("risk_{}.csv", world.days.iso(world.index.day)),
                &["token", "true_risk", "outcome"],
            )?,
            called: match world.called.tokens.is_empty() {
                true => None,
                false => Some((
                    world.called.tokens.clone(),
                    Ledger::create(&folder, "called.csv", &["token", "admissions_without", "averted"])?,
                )),
            },
            recording: Ledger::create(
                &folder,
                "recording.csv",
                &std::iter::once("token").chain(recording::names()).collect::<Vec<_>>(),
            )?,
            emergencies: Ledger::create(
                &folder,
                "emergencies.csv",
                &["token", "date", "place", "fate", "failed_7d", "failed_30d"],
            )?,
            recorded: BTreeMap::new(),
            accounts: Kind::ALL.iter().map(account).collect(),
            registers: PeopleAccount::default(),
            folder,
        })
    }

    pub fn person(&mut self, person: &Person, world: &World) -> Result<()> {
        let registers = &mut self.registers;
        registers.in_registers += 1;
        match person.status {
            Status::Here => registers.on_spine += 1,
            Status::OptedOut => registers.opted_out += 1,
            Status::Died => registers.died += 1,
            Status::Left => registers.left += 1,
            Status::NotYet => registers.not_yet += 1,
        }
        let has = CONDITIONS.iter().zip(&person.conditions).filter(|(_, onset)| onset.is_some());
        let conditions: Vec<&str> = has.map(|(condition, _)| condition.name).collect();
        let flag = |is: bool| if is { "1" } else { "0" };
        self.people.line(&[
            &person.token,
            &format!("{:.6}", person.true_risk),
            flag(person.outcome),
            &format!("{:.4}", person.frailty),
            &(person.age as i64).to_string(),
            person.sex,
            person.ethnicity,
            person.language,
            &person.decile.to_string(),
            &area_code(person.area),
            world.practice_code(person.practice),
            &conditions.join(" "),
            person.status.name(),
            flag(person.status == Status::Died),
            flag(person.status == Status::OptedOut),
            flag(person.status == Status::Left),
        ])
    }

    /// The risk of an emergency admission from the index to the as-of date, and whether there was one; admissions that
    /// end with death are not part of it.
    pub fn risk(&mut self, person: &Person, risk: f64, outcome: bool) -> Result<()> {
        self.risks.line(&[&person.token, &format!("{risk:.9}"), if outcome { "1" } else { "0" }])
    }

    /// The emergency admissions that somebody who was called would have had, and those of them that the call averted.
    pub fn called(&mut self, person: &Person, without: u32, averted: u32) -> Result<()> {
        match &mut self.called {
            Some((tokens, ledger)) if tokens.contains(&person.token) => {
                ledger.line(&[&person.token, &without.to_string(), &averted.to_string()])
            }
            _ => Ok(()),
        }
    }

    /// Something spoilt, late, doubled or out of place, by the file that it is in.
    pub fn planted(&mut self, kind: Kind, what: &str, file: &str, key: &str, token: &str) -> Result<()> {
        self.planted.line(&[kind.layout().name, what, file, key, token, "1"])
    }

    /// Somebody whom a shipped cohort includes and does not exclude.
    pub fn cohort(&mut self, token: &str, cohort: &str) -> Result<()> {
        self.cohorts.line(&[token, cohort])
    }

    /// How each item of a person is recorded; known ones are left blank.
    pub fn recorded(&mut self, token: &str, items: &[(State, BTreeMap<&'static str, State>)]) -> Result<()> {
        for (item, (state, sources)) in recording::names().zip(items) {
            for (source, state) in sources.iter().chain([(&"all sources", state)]) {
                *self.recorded.entry((item, source, *state)).or_default() += 1;
            }
        }
        let gap = |state: &State| if *state == State::Known { "" } else { state.name() };
        let cells = std::iter::once(token).chain(items.iter().map(|(state, _)| gap(state)));
        self.recording.line(&cells.collect::<Vec<_>>())
    }

    /// What became of an emergency.
    pub fn emergency(&mut self, token: &str, told: &Told, world: &World) -> Result<()> {
        let practice = world.practices.iter().find(|practice| practice.code == told.practice);
        let flag = |is: bool| if is { "1" } else { "0" };
        let [week, month] = told.failed.map_or(["", ""], |failed| failed.map(flag));
        let place = practice.map_or("", |practice| practice.place);
        self.emergencies.line(&[token, world.days.iso(told.day), place, told.fate, week, month])
    }

    pub fn count(&mut self, kind: Kind, fate: Fate) {
        let Some(account) = self.accounts.get_mut(kind as usize) else { return };
        account.rows += 1;
        match fate {
            Fate::SetAside => account.set_aside += 1,
            Fate::NotYetKnown => account.not_yet_known += 1,
            Fate::Duplicate => account.duplicates += 1,
            Fate::NotLinked => account.not_linked += 1,
            Fate::OffSpine => account.off_spine += 1,
            Fate::Future => account.future += 1,
            Fate::BeforeBirth => account.before_birth += 1,
            Fate::AfterDeath => account.after_death += 1,
            Fate::Used => account.used += 1,
        }
    }

    pub fn finish(mut self) -> Result<(Vec<SourceAccount>, PeopleAccount)> {
        let header = [
            "source",
            "rows",
            "used",
            "set_aside",
            "not_yet_known",
            "duplicates",
            "not_linked",
            "off_spine",
            "future",
            "before_birth",
            "after_death",
        ];
        let mut accounts = Ledger::create(&self.folder, "expected_accounts.csv", &header)?;
        for account in &self.accounts {
            let counts = [
                account.rows,
                account.used,
                account.set_aside,
                account.not_yet_known,
                account.duplicates,
                account.not_linked,
                account.off_spine,
                account.future,
                account.before_birth,
                account.after_death,
            ];
            let counts = counts.map(|count| count.to_string());
            let cells: Vec<&str> =
                std::iter::once(account.source.as_str()).chain(counts.iter().map(String::as_str)).collect();
            accounts.line(&cells)?;
        }
        accounts.finish()?;
        let header = ["in_registers", "on_spine", "opted_out", "died", "left", "not_yet"];
        let mut registers = Ledger::create(&self.folder, "expected_people.csv", &header)?;
        let people = &self.registers;
        let counts = [people.in_registers, people.on_spine, people.opted_out, people.died, people.left, people.not_yet];
        let counts = counts.map(|count| count.to_string());
        registers.line(&counts.each_ref().map(String::as_str))?;
        registers.finish()?;
        let mut recorded =
            Ledger::create(&self.folder, "expected_recording.csv", &["item", "source", "state", "people"])?;
        for ((item, source, state), people) in &self.recorded {
            recorded.line(&[item, source, state.name(), &people.to_string()])?;
        }
        recorded.finish()?;
        self.recording.finish()?;
        self.emergencies.finish()?;
        self.people.finish()?;
        self.planted.finish()?;
        self.cohorts.finish()?;
        self.risks.finish()?;
        if let Some((_, ledger)) = &mut self.called {
            ledger.finish()?;
        }
        Ok((self.accounts, self.registers))
    }
}
