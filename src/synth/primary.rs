//! What general practice delivers: the register, coded events, medicines issued, opt-outs, superseded tokens.

use super::codes::{self, CONDITIONS, Medicine};
use super::deliver::Delivery;
use super::dice::Dice;
use super::files::Row;
use super::layout::Kind;
use super::person::{Person, Recorder, Said, Status};
use super::truth::Fate;
use super::world::area_code;
use crate::error::Result;

/// Days of history in each feed.
const EVENTS_BACK: i32 = 1_826;
const MEDICINES_BACK: i32 = 730;

/// One registration; people who moved have two.
struct Registration<'p> {
    effective: i32,
    recorded: i32,
    start: i32,
    end: Option<i32>,
    death: Option<i32>,
    practice: usize,
    ethnicity: &'p str,
}

pub fn register(delivery: &mut Delivery, person: &Person, death_here: bool, dice: &mut Dice) -> Result<()> {
    let as_of = delivery.world.as_of;
    let said = person.said(Recorder::Gp);
    let last = person.days(as_of, 0).1;
    let mut start = dice.between((last - 8_000).max(person.birth), last);
    let moved = dice.between(start + 1, last);
    let turned = person.turning_day.filter(|day| *day < as_of).unwrap_or(start).max(start);
    let recorded = (turned + dice.between(0, 20)).min(as_of - 1);
    if dice.chance(0.08) && moved < last && moved > start {
        let practice = dice.below(delivery.world.practices.len() as u64) as usize;
        let ethnicity = dice.pick(&[said.ethnicity, said.ethnicity, "", "99"]);
        let recorded = (moved + dice.between(0, 20)).min(as_of - 1);
        let earlier =
            Registration { effective: start, recorded, start, end: Some(moved - 1), death: None, practice, ethnicity };
        registration(delivery, person, said, &earlier, dice)?;
        start = moved;
    }
    let (death, end) = match (person.status, person.turning_day) {
        (Status::Died, day) if death_here => (day, None),
        (Status::Left, day) => (None, day),
        _ => (None, None),
    };
    let joins = person.turning_day.filter(|_| person.status == Status::NotYet);
    let effective = if joins.is_some() { as_of - 2 } else { start };
    let start = joins.unwrap_or(start);
    let recorded = recorded.max(effective);
    let present =
        Registration { effective, recorded, start, end, death, practice: said.practice, ethnicity: said.ethnicity };
    registration(delivery, person, said, &present, dice)
}

/// Writes one row, and now and then one beside it that a run must not use.
fn registration(
    delivery: &mut Delivery,
    person: &Person,
    said: &Said,
    of: &Registration,
    dice: &mut Dice,
) -> Result<()> {
    let world = delivery.world;
    let (as_of, clean) = (world.as_of, delivery.clean());
    let day = |day: Option<i32>| day.map(|day| world.days.iso(day)).unwrap_or("");
    let area = match (said.area, dice.below(400)) {
        (_, 0) if !clean => "E0100".to_owned(),
        (area, _) => area.map(area_code).unwrap_or_default(),
    };
    let practice = if dice.chance(0.002) { "" } else { world.practice_code(of.practice) };
    let birth = said.birth.map_or("1900-01-01", |birth| world.days.iso(birth));
    let (effective, recorded) = (world.days.iso(of.effective), world.days.iso(of.recorded));
    let efi2 = person.efi2().map_or(String::new(), |score| format!("0.{score:04}"));
    let basics = [
        person.token_on(of.recorded),
        effective,
        recorded,
        birth,
        day(of.death),
        said.sex,
        of.ethnicity,
        said.language,
        &area,
        practice,
        day(Some(of.start)),
        day(of.end),
        &efi2,
    ];
    let cells: Vec<&str> = basics.into_iter().chain(person.notes.gp).collect();
    let used = if person.on_spine() { Fate::Used } else { Fate::OffSpine };
    let mut write = |change: &[(usize, &str)], at: i32, fate: Fate, what: &str| {
        let mut cells = cells.clone();
        for (column, text) in change {
            if let Some(cell) = cells.get_mut(*column) {
                *cell = text;
            }
        }
        if !what.is_empty() {
            let file = delivery.file(Kind::People);
            delivery.truth.planted(Kind::People, what, &file, "", &person.token)?;
        }
        delivery.plain(Kind::People, &cells, at, fate)
    };
    let fault = if clean { 1_000 } else { dice.below(1_000) };
    let future = as_of + dice.between(0, 60);
    let late = as_of + dice.between(0, 10);
    match fault {
        0..=7 if of.recorded > of.effective => {
            write(&[(2, effective)], of.effective, Fate::Duplicate, "duplicate")?;
            write(&[], of.recorded, used, "")
        }
        8..=9 => {
            write(&[(0, dice.pick(&["", "NULL"]))], of.recorded, Fate::SetAside, "blank_token")?;
            write(&[], of.recorded, used, "")
        }
        10..=14 => {
            write(&[(1, world.days.iso(future))], of.recorded, Fate::Future, "future")?;
            write(&[], of.recorded, used, "")
        }
        15..=18 => {
            write(&[(2, world.days.iso(late))], late, Fate::NotYetKnown, "not_yet_known")?;
            write(&[], of.recorded, used, "")
        }
        _ => write(&[], of.recorded, used, ""),
    }
}

pub fn events(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, EVENTS_BACK);
    for (condition, onset) in CONDITIONS.iter().zip(&person.conditions) {
        let Some(onset) = onset.filter(|onset| *onset <= last && *onset >= person.birth) else { continue };
        event(delivery, person, onset, condition.snomed.first().copied().unwrap_or(""), dice)?;
        for _ in 0..dice.poisson(f64::from(last - onset) / 500.0) {
            let code = dice.pick(condition.snomed);
            event(delivery, person, dice.between(onset.max(first), last), code, dice)?;
        }
    }
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    let child = if person.age < 5.0 { 3.0 } else { 0.0 };
    for _ in 0..dice.poisson(years * (3.0 + child + 2.5 * person.need())) {
        let date = dice.between(first, last);
        match dice.unit() {
            x if x < 0.3 => measure(delivery, person, date, dice)?,
            x if x < 0.36 && person.frailty > 1.5 => {
                let code = dice.pick(&codes::FRAIL_GP_CODES);
                event(delivery, person, date, code, dice)?;
            }
            _ => {
                let code = dice.weighted(&codes::GP_CODES);
                event(delivery, person, date, code, dice)?;
            }
        }
    }
    Ok(())
}

pub fn event(delivery: &mut Delivery, person: &Person, date: i32, code: &str, dice: &mut Dice) -> Result<()> {
    let practice = delivery.world.practice_code(person.practice);
    delivery.event(Kind::GpEvents, person, date, dice, |row, _, _| row.fill(4, &[practice, code]))
}

fn measure(delivery: &mut Delivery, person: &Person, date: i32, dice: &mut Dice) -> Result<()> {
    let practice = delivery.world.practice_code(person.practice);
    let clean = delivery.clean();
    let (code, unit, mean, spread) = dice.pick(&codes::MEASURES);
    let ill = if unit.starts_with("mL") { -8.0 } else { 0.4 } * person.frailty;
    delivery.event(Kind::GpEvents, person, date, dice, |row, _, dice| {
        let value = (mean + ill + spread * dice.normal()).max(5.0);
        row.fill(4, &[practice, code, &format!("{value:.1}"), unit]);
        if !clean && dice.chance(0.002) {
            row.set(6, dice.pick(&["n/a", ">120", "1,5"]));
            row.spoilt.push("bad_number");
        }
    })
}

pub fn medicines(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, MEDICINES_BACK);
    for (condition, onset) in CONDITIONS.iter().zip(&person.conditions) {
        let Some(onset) = onset else { continue };
        for medicine in condition.medicines {
            if dice.chance(0.7) {
                repeat(delivery, person, *medicine, (first.max(*onset), last), dice)?;
            }
        }
    }
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    for _ in 0..dice.poisson(years * (0.5 + 0.5 * person.need())) {
        let medicine = dice.weighted(&codes::OTHER_MEDICINES);
        let date = dice.between(first, last);
        issue(delivery, person, medicine, date, "acute", dice)?;
    }
    if person.age > 45.0 && dice.chance(0.15 + 0.1 * person.need()) {
        let medicine = dice.weighted(&codes::OTHER_MEDICINES);
        repeat(delivery, person, medicine, (first, last), dice)?;
    }
    Ok(())
}

pub fn repeat(delivery: &mut Delivery, person: &Person, of: Medicine, days: (i32, i32), dice: &mut Dice) -> Result<()> {
    let mut date = days.0 + dice.between(0, 56);
    while date <= days.1 {
        issue(delivery, person, of, date, "repeat", dice)?;
        date += dice.between(50, 64);
    }
    Ok(())
}

fn issue(delivery: &mut Delivery, person: &Person, of: Medicine, date: i32, how: &str, dice: &mut Dice) -> Result<()> {
    let practice = delivery.world.practice_code(person.practice);
    delivery.event(Kind::GpMedications, person, date, dice, |row: &mut Row, _, dice| {
        let quantity = dice.pick(&["28", "56", "56", "84", "112", "0.5"]);
        row.fill(4, &[practice, of.0, of.1, quantity, how]);
    })
}

/// Opt-outs that count, and those that were withdrawn or start later.
pub fn opt_outs(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let as_of = delivery.world.as_of;
    let days = &delivery.world.days;
    let kind = dice.pick(&["type_1", "national"]);
    let token = person.token.as_str();
    let out = Kind::OptOuts;
    match (person.status, person.turning_day) {
        (Status::OptedOut, Some(day)) => {
            let text = days.iso(day);
            let token = person.token_on(day);
            delivery.plain(out, &[token, kind, text, ""], day, Fate::Used)?;
            if !delivery.clean() && dice.chance(0.05) {
                let file = delivery.file(out);
                delivery.truth.planted(out, "duplicate", &file, "", token)?;
                delivery.plain(out, &[token, kind, text, ""], day, Fate::Duplicate)?;
            }
        }
        (Status::Here, _) if dice.chance(0.003) => {
            let end = as_of - dice.between(1, 200);
            let start = end - dice.between(30, 600);
            let file = delivery.file(out);
            delivery.truth.planted(out, "withdrawn", &file, "", token)?;
            delivery.plain(out, &[token, kind, days.iso(start), days.iso(end)], start, Fate::Used)?;
        }
        _ => {}
    }
    if delivery.clean() || !dice.chance(0.004) {
        return Ok(());
    }
    let day = as_of - dice.between(1, 900);
    let (what, token, start, fate) = match dice.below(4) {
        0 => ("blank_token", "", day, Fate::SetAside),
        1 => ("future", token, as_of + dice.between(1, 60), Fate::Future),
        _ => ("orphan", person.stranger.as_str(), day, Fate::NotLinked),
    };
    let file = delivery.file(out);
    delivery.truth.planted(out, what, &file, "", token)?;
    delivery.plain(out, &[token, kind, days.iso(start), ""], day, fate)
}

pub fn superseded(delivery: &mut Delivery, person: &Person) -> Result<()> {
    for (at, (changed, old)) in person.former.iter().enumerate() {
        let new = person.former.get(at + 1).map_or(&person.token, |(_, token)| token);
        let text = delivery.world.days.iso(*changed);
        let file = delivery.file(Kind::Superseded);
        delivery.truth.planted(Kind::Superseded, "superseded_token", &file, "", old)?;
        delivery.plain(Kind::Superseded, &[old, new, text], *changed, Fate::Used)?;
    }
    Ok(())
}
