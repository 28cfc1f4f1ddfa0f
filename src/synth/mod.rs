//! Invented, linked deliveries of any size with a known truth.
//!
//! People are drawn one by one, each from a stream of chance of their own, and written as they come: memory does not
//! grow with their number. A latent frailty, higher with age and deprivation, drives conditions, care and the true risk
//! of an emergency admission. Nobody in here is real, and nothing learnt from them holds for real people.

mod codes;
mod cohorts;
mod community;
mod deliver;
mod dice;
mod diversions;
mod facts;
mod files;
mod hospital;
mod layout;
mod local;
mod needs;
mod notes;
mod person;
mod primary;
mod recording;
mod risk;
mod services;
mod truth;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::receipt::{PeopleAccount, SourceAccount};
use deliver::Delivery;
use dice::Dice;
pub use files::Format;
use layout::Kind;
use notes::Notes;
use person::{Person, Status};
use truth::Fate;
use world::{World, area_code};

/// What to invent.
#[derive(Debug, Clone)]
pub struct SynthOptions {
    pub persons: u64,
    pub seed: u64,
    pub as_of: Date,
    /// A folder that is not there yet, or is empty.
    pub out: PathBuf,
    pub format: Format,
    /// Without planted faults; people still die, leave and opt out.
    pub clean: bool,
}

/// People whom somebody called a year before the as-of date, and what that changes: `truth/called.csv` says for whom.
#[derive(Debug, Clone, Default)]
pub struct Called {
    pub tokens: BTreeSet<String>,
    /// The chance that an emergency admission of theirs from then on does not happen, nor a readmission that hangs on it.
    pub averts: f64,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct SynthSummary {
    pub persons: u64,
    pub rows: u64,
    pub files: u64,
    /// What a run on it must count, by source.
    pub accounts: Vec<SourceAccount>,
    pub people: PeopleAccount,
}

/// The most people of one world; keys have nine digits for them.
const MOST: u64 = 100_000_000;

/// Invents `persons` people and writes their deliveries and the truth about them.
pub fn write(options: &SynthOptions, progress: &mut dyn FnMut(u64)) -> Result<SynthSummary> {
    write_called(options, Called::default(), progress)
}

/// The same people and the same rows, but for the admissions that calls averted.
pub fn write_called(options: &SynthOptions, called: Called, progress: &mut dyn FnMut(u64)) -> Result<SynthSummary> {
    let year = options.as_of.year();
    if options.persons == 0 || options.persons > MOST || !(2012..=2100).contains(&year) {
        return Err(Error::Usage(format!("synth makes 1 to {MOST} people as of a date from 2012 to 2100")));
    }
    if !(0.0..=1.0).contains(&called.averts) {
        return Err(Error::Usage("what calls avert is a share from 0 to 1".to_owned()));
    }
    ready(&options.out)?;
    let world = World { called, ..World::new(options.persons, options.as_of) };
    let mut delivery = Delivery::create(&options.out, &world, options.format, options.clean)?;
    lookups(&mut delivery)?;
    for index in 0..options.persons {
        let mut dice = Dice::new(options.seed, index);
        let mut person = Person::draw(index, &world, &mut dice);
        // Streams of their own: what the cohorts and the audit need changes nothing of the rest.
        person.notes = Notes::draw(&person, &mut Dice::new(options.seed.rotate_left(32), !index));
        let mut further = Dice::new(!options.seed, index);
        let mut kept_out = Dice::new(options.seed.rotate_left(16), !index);
        one(&mut delivery, &person, &mut dice, &mut further, &mut kept_out)?;
        if index % 1_000 == 999 {
            progress(index + 1);
        }
    }
    progress(options.persons);
    let (truth, tables) = delivery.finish()?;
    let (accounts, people) = truth.finish()?;
    let (rows, files) = tables.iter().fold((0, 0), |(rows, files), table| (rows + table.rows, files + table.files));
    Ok(SynthSummary { persons: options.persons, rows, files, accounts, people })
}

/// Everything that is delivered about one person.
fn one(
    delivery: &mut Delivery,
    person: &Person,
    dice: &mut Dice,
    further: &mut Dice,
    kept_out: &mut Dice,
) -> Result<()> {
    delivery.next_person();
    delivery.truth.person(person, delivery.world)?;
    let died = person.status == Status::Died;
    // Some deaths only the hospital knows of, some only the register, most both.
    let dies_in_hospital = died && dice.chance(0.5);
    let death_on_register = !dies_in_hospital || dice.chance(0.7);
    primary::register(delivery, person, death_on_register, dice)?;
    primary::superseded(delivery, person)?;
    primary::opt_outs(delivery, person, dice)?;
    primary::events(delivery, person, dice)?;
    primary::medicines(delivery, person, dice)?;
    hospital::admissions(delivery, person, dies_in_hospital, dice)?;
    hospital::attendances(delivery, person, dice)?;
    hospital::outpatients(delivery, person, dice)?;
    community::contacts(delivery, person, dice)?;
    community::social_care(delivery, person, dice)?;
    community::calls(delivery, person, dice)?;
    community::feedback(delivery, person, dice)?;
    needs::coded(delivery, person, further)?;
    services::all(delivery, person, further)?;
    diversions::plant(delivery, person, kept_out)?;
    for told in diversions::of(&delivery.story(person)) {
        delivery.truth.emergency(&person.token, &told, delivery.world)?;
    }
    for cohort in cohorts::of(&delivery.facts(person)) {
        delivery.truth.cohort(&person.token, cohort)?;
    }
    if person.on_spine() {
        let recorded = recording::of(&delivery.facts(person));
        delivery.truth.recorded(&person.token, &recorded)?;
    }
    Ok(())
}

fn lookups(delivery: &mut Delivery) -> Result<()> {
    let world = delivery.world;
    for practice in &world.practices {
        let cells = [practice.code.as_str(), &practice.network, &practice.network_name, practice.place];
        delivery.plain(Kind::Practices, &cells, 0, Fate::Used)?;
    }
    for (area, decile) in world.areas.iter().enumerate() {
        let cells = [area_code(area), (area + 1).to_string(), decile.to_string()];
        delivery.plain(Kind::LsoaImd, &cells.each_ref().map(String::as_str), 0, Fate::Used)?;
    }
    Ok(())
}

/// Never writes into a folder that holds something: rows would be doubled.
fn ready(out: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::storage("making", out, &error);
    fs::create_dir_all(out).map_err(failed)?;
    match fs::read_dir(out).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(Error::Usage(format!("{} is not empty; name a new folder", out.display()))),
    }
}
