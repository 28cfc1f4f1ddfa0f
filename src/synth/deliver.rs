//! One event becomes one delivered row, or two, with the faults that real feeds have.
//!
//! At most one fault a row, so that the row has one right fate; the order of the fates is that of a run.

use std::path::Path;

use super::dice::Dice;
use super::facts::{Fact, Facts};
use super::files::{Format, Row, Table};
use super::layout::Kind;
use super::person::Person;
use super::truth::{Fate, Truth};
use super::world::World;
use crate::error::Result;

/// What goes wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Sent again later: the later row counts.
    Resent,
    /// The same event once more under a token that no register knows.
    Stranger,
    Future,
    /// Recorded on or after the as-of date.
    Late,
    BlankToken,
    PlaceholderDate,
    ImpossibleDate,
    BeforeBirth,
    AfterDeath,
    /// A required code or number that is none.
    BadValue,
}

impl Fault {
    /// Chances in ten thousand rows.
    const CHANCES: [(Option<Fault>, u32); 11] = [
        (None, 9_696),
        (Some(Self::Resent), 60),
        (Some(Self::Stranger), 45),
        (Some(Self::Future), 25),
        (Some(Self::Late), 25),
        (Some(Self::BlankToken), 9),
        (Some(Self::PlaceholderDate), 8),
        (Some(Self::ImpossibleDate), 8),
        (Some(Self::BeforeBirth), 8),
        (Some(Self::AfterDeath), 100),
        (Some(Self::BadValue), 16),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Resent => "duplicate",
            Self::Stranger => "orphan",
            Self::Future => "future",
            Self::Late => "not_yet_known",
            Self::BlankToken => "blank_token",
            Self::PlaceholderDate => "placeholder_date",
            Self::ImpossibleDate => "impossible_date",
            Self::BeforeBirth => "before_birth",
            Self::AfterDeath => "after_death",
            Self::BadValue => "bad_value",
        }
    }
}

/// When an event happened and when it was written down, faults included.
#[derive(Debug, Clone, Copy)]
pub struct When {
    pub date: i32,
    pub recorded: i32,
}

/// Everything that is being written.
pub struct Delivery<'w> {
    pub world: &'w World,
    pub truth: Truth,
    tables: Vec<Table>,
    clean: bool,
    row: Row,
    /// Rows of the present person, by kind: what keys are made of.
    numbers: [u32; Kind::ALL.len()],
    /// Rows of the present person that a run must use.
    used: Vec<Fact>,
    /// Rows of somebody who is no longer on the spine that count for what followed on an emergency.
    gone: Vec<Fact>,
    /// Rows are made and not written: a call averted what they are about.
    pub withheld: bool,
}

impl<'w> Delivery<'w> {
    pub fn create(out: &Path, world: &'w World, format: Format, clean: bool) -> Result<Self> {
        let tables = Kind::ALL.iter().map(|kind| Table::create(kind.layout(), out, format)).collect::<Result<_>>()?;
        let truth = Truth::create(out, world)?;
        let numbers = [0; Kind::ALL.len()];
        Ok(Self {
            world,
            truth,
            tables,
            clean,
            row: Row::default(),
            numbers,
            used: Vec::new(),
            gone: Vec::new(),
            withheld: false,
        })
    }

    pub fn clean(&self) -> bool {
        self.clean
    }

    pub fn next_person(&mut self) {
        self.numbers = [0; Kind::ALL.len()];
        self.used.clear();
        self.gone.clear();
    }

    /// What a run must know of the present person.
    pub fn facts<'d>(&'d self, person: &'d Person) -> Facts<'d> {
        Facts::new(person, self.world, &self.used)
    }

    /// The rows of the present person, on the spine or no longer.
    pub fn story<'d>(&'d self, person: &'d Person) -> Facts<'d> {
        Facts::new(person, self.world, if person.on_spine() { &self.used } else { &self.gone })
    }

    /// One event with the usual faults.
    pub fn event<F>(&mut self, kind: Kind, person: &Person, date: i32, dice: &mut Dice, fill: F) -> Result<()>
    where
        F: FnOnce(&mut Row, When, &mut Dice),
    {
        let fault = if self.clean { None } else { dice.weighted(&Fault::CHANCES) };
        let fault = fault.filter(|fault| possible(*fault, kind, person, self.world.as_of));
        self.deliver(kind, person, date, fault, dice, fill)
    }

    /// One event that must arrive as it is, because other truths hang on it.
    pub fn sure<F>(&mut self, kind: Kind, person: &Person, date: i32, dice: &mut Dice, fill: F) -> Result<()>
    where
        F: FnOnce(&mut Row, When, &mut Dice),
    {
        self.deliver(kind, person, date, None, dice, fill)
    }

    fn deliver<F>(
        &mut self,
        kind: Kind,
        person: &Person,
        date: i32,
        fault: Option<Fault>,
        dice: &mut Dice,
        fill: F,
    ) -> Result<()>
    where
        F: FnOnce(&mut Row, When, &mut Dice),
    {
        let layout = kind.layout();
        let when = self.when(fault, date, person, dice);
        let mut row = std::mem::take(&mut self.row);
        row.reset(layout.columns.len());
        row.set(layout.token, person.token_on(when.date));
        row.set(layout.date, &date_text(kind, self.world, when.date));
        if let Some(recorded) = layout.recorded {
            row.set(recorded, &recorded_text(kind, self.world, when.recorded));
        }
        if let Some(key) = layout.key {
            row.set(key, &self.key(kind, person));
        }
        fill(&mut row, when, dice);
        let fate = match fault {
            Some(Fault::BlankToken | Fault::PlaceholderDate | Fault::ImpossibleDate | Fault::BadValue) => {
                Fate::SetAside
            }
            Some(Fault::Late) => Fate::NotYetKnown,
            _ => settle(person, when.date, self.world.as_of),
        };
        self.send(kind, &mut row, when, fault, fate, person, dice)?;
        self.row = row;
        Ok(())
    }

    /// Puts the fault into the row and writes it, with its double if it has one.
    #[expect(clippy::too_many_arguments, reason = "one step of `deliver`, parted for its length")]
    fn send(
        &mut self,
        kind: Kind,
        row: &mut Row,
        when: When,
        fault: Option<Fault>,
        fate: Fate,
        person: &Person,
        dice: &mut Dice,
    ) -> Result<()> {
        let layout = kind.layout();
        match fault {
            Some(Fault::BlankToken) => row.set(layout.token, dice.pick(&["", "NULL", &"0".repeat(32)])),
            Some(Fault::PlaceholderDate) => {
                row.set(layout.date, if kind == Kind::SocialCare { "01/01/1900" } else { "1900-01-01" })
            }
            Some(Fault::ImpossibleDate) => {
                row.set(layout.date, if kind == Kind::SocialCare { "31/02/2025" } else { "2025-02-30" })
            }
            Some(Fault::BadValue) => spoil(kind, row, dice),
            _ => {}
        }
        if let Some(fault) = fault.filter(|_| !self.withheld) {
            let file = self.file(kind);
            let key = layout.key.map_or("", |key| row.get(key)).to_owned();
            let token = if fault == Fault::Stranger { &person.stranger } else { &person.token };
            self.truth.planted(kind, fault.name(), &file, &key, token)?;
        }
        match fault {
            Some(Fault::Resent) => {
                self.write(kind, row, when.recorded, Fate::Duplicate)?;
                let again = (when.recorded + 1 + dice.between(0, 20)).min(self.world.as_of - 1).max(when.recorded);
                if let Some(recorded) = layout.recorded {
                    row.set(recorded, &recorded_text(kind, self.world, again));
                }
                self.write(kind, row, again, fate)
            }
            Some(Fault::Stranger) => {
                self.write(kind, row, when.recorded, fate)?;
                row.set(layout.token, &person.stranger);
                if let Some(key) = layout.key {
                    let key_text = format!("{}S", row.get(key));
                    row.set(key, &key_text);
                }
                self.write(kind, row, when.recorded, Fate::NotLinked)
            }
            _ => self.write(kind, row, when.recorded, fate),
        }
    }

    /// A row of a table that is no event; the caller knows its fate.
    pub fn plain(&mut self, kind: Kind, cells: &[&str], day: i32, fate: Fate) -> Result<()> {
        let mut row = std::mem::take(&mut self.row);
        row.reset(kind.layout().columns.len());
        row.fill(0, cells);
        self.write(kind, &row, day, fate)?;
        self.row = row;
        Ok(())
    }

    /// Name of the file that takes the next row of that kind.
    pub fn file(&self, kind: Kind) -> String {
        self.tables.get(kind as usize).map(Table::file).unwrap_or_default()
    }

    fn write(&mut self, kind: Kind, row: &Row, day: i32, fate: Fate) -> Result<()> {
        if self.withheld {
            return Ok(());
        }
        let layout = kind.layout();
        let file = self.file(kind);
        for what in &row.spoilt {
            self.truth.planted(kind, what, &file, layout.key.map_or("", |key| row.get(key)), row.get(layout.token))?;
        }
        self.truth.count(kind, fate);
        match fate {
            Fate::Used => self.used.extend(Fact::of(kind, row)),
            Fate::OffSpine => self.gone.extend(Fact::of(kind, row)),
            _ => {}
        }
        self.tables.get_mut(kind as usize).map_or(Ok(()), |table| table.push(row, day))
    }

    fn when(&self, fault: Option<Fault>, date: i32, person: &Person, dice: &mut Dice) -> When {
        let as_of = self.world.as_of;
        let lag = dice.below(15) as i32;
        match fault {
            Some(Fault::Future) => When { date: as_of + dice.below(120) as i32, recorded: as_of - 1 - lag },
            Some(Fault::Late) => When { date, recorded: as_of + lag },
            Some(Fault::BeforeBirth) => When {
                date: person.register_birth().unwrap_or(person.birth) - dice.between(1, 200),
                recorded: as_of - 1 - lag,
            },
            Some(Fault::AfterDeath) => {
                let death = person.turning_day.unwrap_or(date);
                let date = dice.between(death + 1, (death + 60).min(as_of - 1));
                When { date, recorded: (date + lag).min(as_of - 1) }
            }
            _ => When { date, recorded: (date + lag).min(as_of - 1) },
        }
    }

    fn key(&mut self, kind: Kind, person: &Person) -> String {
        let number = self.numbers.get_mut(kind as usize).map_or(0, |number| {
            *number += 1;
            *number
        });
        format!("{:02}{:09}{number:04}", kind as usize, person.index)
    }

    pub fn finish(mut self) -> Result<(Truth, Vec<Table>)> {
        self.tables.iter_mut().try_for_each(Table::finish)?;
        Ok((self.truth, self.tables))
    }
}

/// Councils write the day first.
pub fn date_text(kind: Kind, world: &World, day: i32) -> String {
    if kind == Kind::SocialCare { world.days.british(day) } else { world.days.iso(day).to_owned() }
}

/// Some feeds stamp the time beside the day.
fn recorded_text(kind: Kind, world: &World, day: i32) -> String {
    let day = world.days.iso(day);
    if kind == Kind::CommunityContacts { format!("{day}T02:15:00") } else { day.to_owned() }
}

/// Where a run puts a good row of a person that a register knows.
fn settle(person: &Person, date: i32, as_of: i32) -> Fate {
    match () {
        () if date >= as_of => Fate::Future,
        () if person.register_birth().is_some_and(|birth| date < birth) => Fate::BeforeBirth,
        () if person.death().is_some_and(|death| date > death) => Fate::AfterDeath,
        () if !person.on_spine() => Fate::OffSpine,
        () => Fate::Used,
    }
}

/// Whether this fault can befall this row with a fate that is certain.
fn possible(fault: Fault, kind: Kind, person: &Person, as_of: i32) -> bool {
    match fault {
        // Declarations refuse dates before 1995.
        Fault::BeforeBirth => person.age < 12.0 && person.register_birth().is_some(),
        Fault::AfterDeath => person.death().is_some_and(|death| death + 1 < as_of),
        Fault::BadValue => matches!(kind, Kind::GpEvents | Kind::GpMedications | Kind::CommunityContacts),
        _ => true,
    }
}

fn spoil(kind: Kind, row: &mut Row, dice: &mut Dice) {
    match kind {
        Kind::GpEvents => {
            let code = super::codes::with_wrong_check_digit(row.get(5));
            let spoilt = dice.pick(&[code.as_str(), "1.23457E+17", "OLD-EMIS-123"]).to_owned();
            row.set(5, &spoilt);
        }
        Kind::GpMedications => row.set(5, dice.pick(&["0", "BNF?", "04.07.01"])),
        _ => row.set(6, dice.pick(&["-15", "99999"])),
    }
}
