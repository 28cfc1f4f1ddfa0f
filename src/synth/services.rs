//! What is delivered by services that the cohorts read: appointments, ambulances, virtual wards, care homes, screening.

use super::codes::{CONDITIONS, Medicine};
use super::cohorts;
use super::deliver::Delivery;
use super::dice::Dice;
use super::layout::Kind;
use super::person::{Person, Recorder};
use super::primary;
use super::world::area_code;
use crate::error::Result;

/// The conditions of the two-hour standard as the ambulance feed words them, then others.
pub const UCR_REASONS: [&str; 9] = [
    "Fall without serious injury",
    "Decompensation of frailty",
    "Reduced function or mobility",
    "Palliative or end of life crisis",
    "Urgent equipment",
    "Confusion or delirium",
    "Urgent catheter care",
    "Urgent diabetes support",
    "Unpaid carer breakdown",
];
const OTHER_REASONS: [&str; 4] = ["Chest pain", "Breathing problem", "Injury", "Other"];

pub fn all(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    appointments(delivery, person, dice)?;
    ambulances(delivery, person, dice)?;
    virtual_ward(delivery, person, dice)?;
    care_home(delivery, person, dice)?;
    screening(delivery, person, dice)?;
    contact_needs(delivery, person, dice)?;
    palliative_team(delivery, person, dice)?;
    many_medicines(delivery, person, dice)?;
    home_yesterday(delivery, person, dice)
}

/// Some people never come.
fn appointments(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    let (first, last) = person.days(world.as_of, 400);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    if dice.chance(0.12) {
        return Ok(());
    }
    let practice = world.practice_code(person.practice);
    for _ in 0..dice.poisson(years * (0.8 + 1.6 * person.need())) {
        let status = dice.weighted(&[("Attended", 82), ("Did not attend", 6), ("Cancelled", 10), ("Unknown", 2)]);
        let by = dice.weighted(&[("GP", 48), ("Nurse", 28), ("Pharmacist", 8), ("Physiotherapist", 4), ("Admin", 12)]);
        delivery.event(Kind::GpAppointments, person, dice.between(first, last), dice, |row, when, _| {
            row.fill(4, &[practice, if when.date >= world.as_of { "Booked" } else { status }, by]);
        })?;
    }
    Ok(())
}

/// Frail people call again and again for what a community team could answer.
fn ambulances(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 730);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    let again = if person.frailty > 1.4 && dice.chance(0.12) { 2.0 } else { 0.0 };
    if person.frailty > 1.2 && first <= last && dice.chance(0.06) {
        let date = dice.between(first.max(last - 5), last);
        delivery.event(Kind::AmbulanceCalls, person, date, dice, |row, _, dice| {
            row.fill(4, &[dice.pick(&UCR_REASONS), dice.pick(&["Seen and treated", "Heard and treated"])]);
        })?;
    }
    for _ in 0..dice.poisson(years * (0.05 + 0.9 * person.true_risk + again)) {
        let reason = if dice.chance((0.3 + 0.2 * person.frailty).clamp(0.1, 0.8)) {
            dice.pick(&UCR_REASONS)
        } else {
            dice.pick(&OTHER_REASONS)
        };
        let outcome = dice.weighted(&[("Conveyed", 58), ("Seen and treated", 30), ("Heard and treated", 12)]);
        delivery.event(Kind::AmbulanceCalls, person, dice.between(first, last), dice, |row, _, _| {
            row.fill(4, &[reason, outcome]);
        })?;
    }
    Ok(())
}

fn virtual_ward(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    let (first, last) = person.days(world.as_of, 300);
    if person.age < 18.0 || first > last || !dice.chance((0.02 + 0.5 * person.true_risk).min(0.4)) {
        return Ok(());
    }
    let stay = dice.between(3, 24);
    let pathway = dice.pick(&["Frailty", "Respiratory", "Heart failure"]);
    let route = dice.pick(&["Step up", "Step down"]);
    delivery.event(Kind::VirtualWards, person, dice.between(first, last), dice, |row, when, _| {
        let end = when.date + stay;
        row.fill(4, &[if end < world.as_of { world.days.iso(end) } else { "" }, pathway, route]);
    })
}

/// One stay, or two when somebody moved from one home to another.
fn care_home(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    let (first, last) = person.days(world.as_of, 1_200);
    if person.age < 70.0 || first > last || !dice.chance((0.12 * person.frailty).clamp(0.03, 0.45)) {
        return Ok(());
    }
    let mut stays = vec![dice.between(first, last)];
    if dice.chance(0.15) {
        stays.push(dice.between(first, last));
        stays.sort_unstable();
    }
    for (at, moved_in) in stays.iter().enumerate() {
        let home = format!("CH{:03}", (person.practice as u64 * 2 + dice.below(2)) % 1_000);
        let next = stays.get(at + 1).copied();
        let left = next.or_else(|| dice.chance(0.1).then(|| moved_in + dice.between(5, 400)));
        delivery.event(Kind::CareHomes, person, *moved_in, dice, |row, when, _| {
            let left = left.filter(|left| *left < world.as_of && *left >= when.date);
            row.fill(4, &[left.map_or("", |left| world.days.iso(left)), &home]);
        })?;
    }
    Ok(())
}

fn screening(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 1_000);
    let (age, woman) = (person.age, person.sex == "2");
    let programmes = [
        ("Bowel", (50.0..75.0).contains(&age), 2.0),
        ("Breast", woman && (50.0..71.0).contains(&age), 3.0),
        ("Cervical", woman && (25.0..65.0).contains(&age), 3.0),
    ];
    let deprived = u32::from(11 - person.decile.min(10));
    for (programme, _, every) in programmes.into_iter().filter(|(_, invited, _)| *invited) {
        for _ in 0..dice.poisson(f64::from(last - first + 1).max(0.0) / 365.25 / every) {
            let outcome = dice.weighted(&[
                ("Attended", 68),
                ("Did not attend", 18 + 2 * deprived),
                ("Opted out", 4),
                ("Invited", 4),
            ]);
            delivery.event(Kind::Screening, person, dice.between(first, last), dice, |row, _, _| {
                row.fill(4, &[programme, outcome]);
            })?;
        }
    }
    Ok(())
}

/// Who needs an interpreter or another form of information.
fn contact_needs(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 1_800);
    if first > last {
        return Ok(());
    }
    let mut needs = Vec::new();
    if person.language != "en" && dice.chance(0.5) {
        needs.push(("Requires communication professional", "Interpreter"));
    }
    if dice.chance(0.04 + 0.02 * person.frailty.max(0.0)) {
        needs.push(dice.pick(&[
            ("Requires communication professional", "British Sign Language interpreter"),
            ("Requires specific information format", "Large print"),
            ("Requires specific information format", "Easy read"),
            ("Requires specific contact method", "Text message"),
            ("Requires specific contact method", "By telephone"),
            ("Communication support", "Hearing aid"),
        ]));
    }
    for (area, detail) in needs {
        delivery.event(Kind::ContactNeeds, person, dice.between(first, last), dice, |row, _, _| {
            row.fill(4, &[area, detail]);
        })?;
    }
    Ok(())
}

/// A contact of the specialist palliative care team, still open or not.
fn palliative_team(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    let (first, last) = person.days(world.as_of, 300);
    if person.age < 18.0 || first > last || !dice.chance((0.004 * person.need()).min(0.02)) {
        return Ok(());
    }
    let stay = dice.between(10, 400);
    delivery.event(Kind::CommunityContacts, person, dice.between(first, last), dice, |row, when, _| {
        let said = person.said(Recorder::Community);
        let end = when.date + stay;
        let end = if end < world.as_of { world.days.iso(end) } else { "" };
        row.fill(4, &["47", end, "30", "01", "5", "RY9"]);
        let birth = said.birth.map_or("", |birth| world.days.iso(birth));
        row.fill(10, &[world.practice_code(said.practice), birth, said.sex, said.ethnicity, said.language]);
    })
}

/// Some old people take ten medicines or more.
fn many_medicines(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 200);
    if person.age < 60.0 || first > last || !dice.chance((0.03 * person.need()).min(0.15)) {
        return Ok(());
    }
    let medicines: Vec<Medicine> = CONDITIONS.iter().flat_map(|condition| condition.medicines).copied().collect();
    for _ in 0..14 {
        primary::repeat(delivery, person, dice.pick(&medicines), (first, last), dice)?;
    }
    Ok(())
}

/// An emergency stay that ended the day before the as-of date, so that a daily list has people on it. Only of people who had
/// one in the last year already: nobody is admitted beyond the risk that was planted.
fn home_yesterday(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let world = delivery.world;
    if !person.on_spine() || person.age < 18.0 || !dice.chance((0.03 * person.need()).min(0.3)) {
        return Ok(());
    }
    if cohorts::emergencies(&delivery.facts(person), world.index.day) == 0 {
        return Ok(());
    }
    let date = (world.as_of - 1 - dice.poisson(4.0) as i32).max(person.birth);
    delivery.event(Kind::Admissions, person, date, dice, |row, when, dice| {
        let said = person.said(Recorder::Acute);
        let home = when.date < world.as_of;
        let (end, outcome) = if home { (world.days.iso(world.as_of - 1), "1") } else { ("", "8") };
        let (method, goes) = (dice.pick(&["21", "2A", "22"]), dice.pick(&["19", "19", "19", "54", "51"]));
        row.fill(4, &[end, method, "19", outcome, if home { goes } else { "98" }, "1", "300", "RZ1"]);
        let birth = said.birth.map_or("", |birth| world.days.iso(birth));
        let area = said.area.map(area_code).unwrap_or_default();
        row.fill(12, &[world.practice_code(said.practice), birth, said.sex, said.ethnicity, &area]);
        row.set(17, "J189");
    })
}
