//! What hospitals deliver: admitted patient care, emergency care, outpatients.

use super::codes::{self, CONDITIONS};
use super::deliver::{Delivery, When};
use super::dice::Dice;
use super::files::Row;
use super::layout::Kind;
use super::person::{Person, Recorder, Status};
use super::risk;
use super::world::{World, area_code};
use crate::error::Result;

const BACK: i32 = 1_096;

const EMERGENCY_METHODS: [(&str, u32); 9] =
    [("21", 66), ("22", 9), ("23", 3), ("24", 4), ("25", 1), ("28", 4), ("2A", 6), ("2B", 3), ("2D", 4)];
const ELECTIVE_METHODS: [(&str, u32); 4] = [("11", 55), ("12", 25), ("13", 18), ("81", 2)];
const PROVIDERS: [(&str, u32); 5] = [("RZ1", 50), ("RZ2", 25), ("RZ3", 15), ("RZ100", 5), ("RZ4", 5)];

/// What one spell is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spell {
    Emergency,
    Elective,
    /// An emergency that ends with death on the day of death.
    Last,
}

pub fn admissions(delivery: &mut Delivery, person: &Person, dies_here: bool, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, BACK);
    emergencies(delivery, person, (first, last), dice)?;
    let years = years(first, last);
    for _ in 0..dice.poisson(years * 0.05 * person.need()) {
        spell(delivery, person, Spell::Elective, dice.between(first, last), dice)?;
    }
    match (person.status, person.turning_day) {
        (Status::Died, Some(death)) if dies_here => {
            let date = (death - dice.poisson(5.0) as i32).max(person.birth);
            spell(delivery, person, Spell::Last, date, dice)
        }
        _ => Ok(()),
    }
}

/// As often in the years before the index as in the year from there on, so that the past tells of what comes; but the risk
/// of that year also counts what was delivered by then.
fn emergencies(delivery: &mut Delivery, person: &Person, (first, last): (i32, i32), dice: &mut Dice) -> Result<()> {
    let index = delivery.world.index;
    let unborn = person.birth >= index.day;
    let until = if unborn { last } else { last.min(index.day - 1) };
    let before = risk::at(index, person, delivery.world, 0) * AGAIN;
    let mut in_year_before = 0;
    for (first, until) in [(first, until.min(index.year_before - 1)), (first.max(index.year_before), until)] {
        for _ in 0..in_a_year(before * years(first, until), dice) {
            let date = dice.between(first, until);
            in_year_before += u32::from((index.year_before..index.day).contains(&date));
            spell(delivery, person, Spell::Emergency, date, dice)?;
        }
    }
    if unborn {
        return Ok(());
    }
    let risk = risk::at(index, person, delivery.world, in_year_before);
    let planned = in_a_year(risk, dice);
    let happens = planned > 0 && last >= index.day;
    let (mut all, mut averted) = (0, 0);
    if happens {
        let called = delivery.world.called.tokens.contains(&person.token);
        // A stream of its own: everything else stays as it is without the call.
        let mut lots = Dice::new(CALLS, person.index);
        for _ in 0..planned {
            let averts = called && lots.chance(delivery.world.called.averts);
            all += 1;
            averted += u32::from(averts);
            delivery.withheld = averts;
            let made = spell(delivery, person, Spell::Emergency, dice.between(index.day, last), dice);
            delivery.withheld = false;
            made?;
        }
    }
    delivery.truth.called(person, all, averted)?;
    delivery.truth.risk(person, risk, all > averted)
}

/// Emergencies in a year, where the probability of any is this.
fn in_a_year(risk: f64, dice: &mut Dice) -> u32 {
    if dice.chance(risk) { 1 + dice.poisson(risk / 2.0) } else { 0 }
}

/// By how much those who were admitted before raise the mean risk.
const AGAIN: f64 = 1.05;

/// Seed of what calls avert.
const CALLS: u64 = 0x00ca_11ed;

fn years(first: i32, last: i32) -> f64 {
    f64::from(last - first + 1).max(0.0) / 365.25
}

fn spell(delivery: &mut Delivery, person: &Person, spell: Spell, date: i32, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    let clean = delivery.clean();
    let fill = |row: &mut Row, when: When, dice: &mut Dice| {
        let stay = match spell {
            Spell::Elective => i32::from(dice.chance(0.3)) * dice.poisson(2.0) as i32,
            Spell::Emergency => {
                let mean = if dice.chance(0.4) { 0.2 } else { 3.0 + 2.0 * person.frailty.max(0.0) };
                dice.poisson(mean) as i32
            }
            Spell::Last => person.turning_day.map_or(0, |death| death - when.date),
        };
        fill_spell(row, when, world, person, spell, stay, dice);
        diagnoses(row, person, spell, clean, dice);
    };
    if spell == Spell::Last {
        delivery.sure(Kind::Admissions, person, date, dice, fill)
    } else {
        delivery.event(Kind::Admissions, person, date, dice, fill)
    }
}

fn fill_spell(row: &mut Row, when: When, world: &World, person: &Person, spell: Spell, stay: i32, dice: &mut Dice) {
    let end = when.date + stay;
    // Nobody leaves hospital after the delivery was made, nor after they died.
    let over =
        end < world.as_of && (spell == Spell::Last || person.status != Status::Died || person.turning_day > Some(end));
    let (method, class, specialty) = match spell {
        Spell::Elective => (
            dice.weighted(&ELECTIVE_METHODS),
            if stay == 0 { "2" } else { "1" },
            dice.pick(&["100", "110", "130", "301"]),
        ),
        _ => (dice.weighted(&EMERGENCY_METHODS), "1", dice.pick(&["300", "300", "430", "180", "100", "110"])),
    };
    let (outcome, destination) = match (over, spell) {
        (false, _) => ("8", "98"),
        (true, Spell::Last) => ("4", "79"),
        (true, _) => ("1", dice.weighted(&[("19", 90), ("29", 2), ("51", 3), ("55", 3), ("56", 2)])),
    };
    let said = person.said(Recorder::Acute);
    let area = said.area.map(area_code).unwrap_or_default();
    let birth = said.birth.map_or("", |birth| world.days.iso(birth));
    let source = dice.weighted(&[("19", 93), ("51", 4), ("56", 3)]);
    let discharged = if over { world.days.iso(end) } else { "" };
    let ethnicity = if dice.chance(0.04) { "Z" } else { said.ethnicity };
    row.fill(4, &[discharged, method, source, outcome, destination, class, specialty, dice.weighted(&PROVIDERS)]);
    row.fill(12, &[world.practice_code(said.practice), birth, said.sex, ethnicity, &area]);
    row.set(26, person.notes.hospital);
}

/// The reason, then what else the person has; frail people are coded with more.
fn diagnoses(row: &mut Row, person: &Person, spell: Spell, clean: bool, dice: &mut Dice) {
    let own = CONDITIONS.iter().zip(&person.conditions).filter(|(_, onset)| onset.is_some());
    let mut own: Vec<&str> = own.map(|(condition, _)| dice.pick(condition.icd10)).collect();
    let reason = match spell {
        Spell::Elective => dice.pick(&codes::ELECTIVE_ICD10),
        _ if !own.is_empty() && dice.chance(0.35) => dice.pick(&own),
        _ => dice.weighted(&codes::ACUTE_ICD10),
    };
    own.retain(|code| *code != reason && dice.chance(0.7));
    if spell != Spell::Elective {
        for _ in 0..dice.poisson((person.frailty - 0.6).max(0.0) * 1.1) {
            own.push(dice.pick(&codes::FRAILTY_ICD10));
        }
    }
    row.set(17, &as_written(reason, dice));
    for (at, code) in own.iter().take(8).enumerate() {
        row.set(18 + at, &as_written(code, dice));
    }
    if !clean && dice.chance(0.006) {
        row.set(18, dice.pick(&codes::NO_ICD10));
        row.spoilt.push("bad_code_in_list");
    }
}

/// ICD-10 as systems write it: with a dot, without, with a filler, with a dagger suffix.
fn as_written(code: &str, dice: &mut Dice) -> String {
    let (chapter, detail) = code.split_at_checked(3).unwrap_or((code, ""));
    match (dice.below(100), detail) {
        (0..=24, digit) if digit != "X" => format!("{chapter}.{digit}"),
        (0..=24, _) => chapter.to_owned(),
        (25..=26, digit) if digit != "X" => format!("{chapter}.{digit}D"),
        (27..=28, _) => code.to_lowercase(),
        _ => code.to_owned(),
    }
}

pub fn attendances(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, BACK);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    let child = if person.age < 5.0 { 0.35 } else { 0.0 };
    for _ in 0..dice.poisson(years * (0.1 + child + 4.5 * person.true_risk)) {
        let world = delivery.world;
        delivery.event(Kind::Attendances, person, dice.between(first, last), dice, |row, when, dice| {
            fill_attendance(row, when, world, person, dice);
        })?;
    }
    Ok(())
}

fn fill_attendance(row: &mut Row, when: When, world: &World, person: &Person, dice: &mut Dice) {
    let said = person.said(Recorder::Urgent);
    let time = format!("{:02}:{:02}:00", dice.below(24), dice.below(60));
    let ambulance = dice.chance((0.15 + 0.2 * person.frailty).clamp(0.08, 0.7));
    let admitted = dice.chance((0.12 + 0.15 * person.frailty).clamp(0.06, 0.6));
    let leaves = when.date + i32::from(dice.chance(0.1));
    let leaves = if leaves < world.as_of { world.days.iso(leaves) } else { "" };
    let acuity = dice.weighted(&[
        ("1064891000000107", 3),
        ("1064911000000105", 17),
        ("1064901000000108", 45),
        ("1077241000000103", 30),
        ("1077251000000100", 5),
        ("", 3),
    ]);
    let mode = if ambulance { "1048031000000100" } else { dice.pick(&["1048071000000103", "1048061000000105"]) };
    let to = if admitted {
        "306706006"
    } else {
        dice.weighted(&[("306689006", 90), ("1066341000000100", 6), ("306694006", 1)])
    };
    let status = dice.weighted(&[("182992009", 90), ("1066301000000103", 5), ("1077031000000103", 5)]);
    let department = dice.weighted(&[("01", 70), ("02", 3), ("03", 27)]);
    let category = dice.weighted(&[("1", 92), ("2", 4), ("4", 4)]);
    row.fill(4, &[&time, leaves, department, category, mode, acuity, dice.pick(&codes::COMPLAINTS), status, to]);
    let area = said.area.map(area_code).unwrap_or_default();
    let birth = said.birth.map_or("", |birth| world.days.iso(birth));
    let ethnicity = if dice.chance(0.08) { "99" } else { said.ethnicity };
    let practice = world.practice_code(said.practice);
    row.fill(13, &[dice.weighted(&PROVIDERS), practice, birth, said.sex, ethnicity, &area]);
    row.fill(19, &person.notes.emergency);
}

pub fn outpatients(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, BACK);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    let deprived = (6.0 - f64::from(person.decile)).max(0.0) as u32;
    for _ in 0..dice.poisson(years * (0.35 + 0.35 * person.need())) {
        let world = delivery.world;
        delivery.event(Kind::Outpatients, person, dice.between(first, last), dice, |row, when, dice| {
            let said = person.said(Recorder::Acute);
            let kept = dice.weighted(&[("5", 76), ("6", 6), ("3", 6 + 2 * deprived), ("2", 7), ("4", 5)]);
            let kept = if when.date >= world.as_of { "0" } else { kept };
            let first = dice.weighted(&[("1", 30), ("2", 55), ("3", 4), ("4", 11)]);
            let specialty = dice.pick(&["110", "130", "300", "301", "320", "330", "340", "430", "502", "650"]);
            let birth = said.birth.map_or("", |birth| world.days.iso(birth));
            row.fill(
                4,
                &[
                    kept,
                    first,
                    specialty,
                    dice.weighted(&[("01", 75), ("02", 20), ("03", 5)]),
                    dice.weighted(&PROVIDERS),
                ],
            );
            row.fill(9, &[world.practice_code(said.practice), birth, said.sex, said.ethnicity, person.notes.hospital]);
        })?;
    }
    Ok(())
}
