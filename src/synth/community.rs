//! What is delivered from outside hospital and surgery: community services, social care, urgent calls, the hub.

use super::codes;
use super::deliver::{Delivery, When, date_text};
use super::dice::{Dice, logistic};
use super::files::Row;
use super::layout::Kind;
use super::person::{Person, Recorder};
use super::world::World;
use crate::error::Result;

const BACK: i32 = 730;

/// District nursing, long-term case management, physiotherapy, podiatry, tissue viability, crisis response.
const TEAMS: [(&str, u32); 6] = [("12", 45), ("19", 12), ("26", 15), ("27", 12), ("43", 8), ("51", 8)];

pub fn contacts(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, BACK);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    let frail = (person.frailty - 0.7).max(0.0);
    let rate = if person.age < 5.0 { 1.5 } else { 0.06 + 1.6 * frail * frail };
    for _ in 0..dice.poisson((years * rate).min(40.0)) {
        let world = delivery.world;
        delivery.event(Kind::CommunityContacts, person, dice.between(first, last), dice, |row, when, dice| {
            fill_contact(row, when, world, person, None, dice);
        })?;
    }
    Ok(())
}

/// One contact of this team, or of any.
pub fn fill_contact(row: &mut Row, when: When, world: &World, person: &Person, team: Option<&str>, dice: &mut Dice) {
    let said = person.said(Recorder::Community);
    let any = if person.age < 5.0 { dice.pick(&["16", "38"]) } else { dice.weighted(&TEAMS) };
    let team = team.unwrap_or(any);
    let discharge = when.date + dice.between(0, 300);
    let discharge = if discharge < world.as_of { world.days.iso(discharge) } else { "" };
    let minutes = dice.between(10, 75).to_string();
    let medium = dice.weighted(&[("01", 80), ("02", 17), ("03", 3)]);
    let kept = dice.weighted(&[("5", 90), ("3", 5), ("4", 5)]);
    row.fill(4, &[team, discharge, &minutes, medium, kept, dice.pick(&["RY9", "RYX"])]);
    let birth = said.birth.map_or("", |birth| world.days.iso(birth));
    row.fill(10, &[world.practice_code(said.practice), birth, said.sex, said.ethnicity, said.language]);
    row.fill(15, &person.notes.community);
}

/// A council package: request, assessment, service and reviews, in the words of client-level data.
pub fn social_care(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 1_096);
    if person.age < 18.0 || first > last || !dice.chance(logistic(-5.2 + 1.7 * person.frailty)) {
        return Ok(());
    }
    let asked = dice.between(first, last);
    let outcome = dice.pick(&[
        "Progress to Assessment",
        "Progress to Support Planning / Services",
        "NFA - Information & Advice / Signposting only",
    ]);
    step(delivery, person, (asked, Some(asked + 5)), ["Request", "", "", ""], outcome, dice)?;
    let assessed = asked + dice.between(5, 40);
    if assessed > last || outcome.starts_with("NFA") {
        return Ok(());
    }
    let outcome = "Progress to Support Planning / Services";
    step(delivery, person, (assessed, Some(assessed + 10)), ["Assessment", "", "", ""], outcome, dice)?;
    let begins = assessed + dice.between(3, 30);
    if begins > last {
        return Ok(());
    }
    let ends = dice.chance(0.35).then(|| begins + dice.between(20, 500));
    let service = dice.weighted(&[
        (["Service", "Long Term Support: Community", "Home Support", "CASSR Managed Personal Budget"], 50),
        (["Service", "Long Term Support: Community", "Direct Payment", "Direct Payment"], 12),
        (
            [
                "Service",
                "Long Term Support: Residential Care",
                "Long Term Residential Care",
                "CASSR Commissioned Support",
            ],
            12,
        ),
        (["Service", "Long Term Support: Nursing Care", "Long Term Nursing Care", "CASSR Commissioned Support"], 8),
        (["Service", "Short Term Support: ST-Max", "Reablement", "CASSR Commissioned Support"], 18),
    ]);
    step(delivery, person, (begins, ends), service, "Provision of service", dice)?;
    let review = begins + dice.between(80, 380);
    if review > last {
        return Ok(());
    }
    step(delivery, person, (review, Some(review + 3)), ["Review", "", "", ""], "No change in package", dice)
}

fn step(
    delivery: &mut Delivery,
    person: &Person,
    days: (i32, Option<i32>),
    service: [&'static str; 4],
    outcome: &str,
    dice: &mut Dice,
) -> Result<()> {
    let world = delivery.world;
    let said = person.said(Recorder::Social);
    let length = days.1.map(|end| end - days.0);
    delivery.event(Kind::SocialCare, person, days.0, dice, |row, when, dice| {
        let end = length.map(|length| when.date + length).filter(|end| *end < world.as_of);
        let end = end.map(|end| date_text(Kind::SocialCare, world, end)).unwrap_or_default();
        let birth = said.birth.map(|birth| date_text(Kind::SocialCare, world, birth)).unwrap_or_default();
        let [event, kind, component, mechanism] = service;
        let reason = dice.pick(&[
            "Physical Support: Personal care support",
            "Physical Support: Access & mobility only",
            "Support with Memory & Cognition",
        ]);
        let home = match component {
            "Long Term Residential Care" => "Registered care home",
            "Long Term Nursing Care" => "Registered nursing home",
            _ => dice.pick(&[
                "Owner occupier or shared ownership scheme",
                "Tenant",
                "Sheltered housing / extra care housing / other sheltered housing",
            ]),
        };
        let sex = match said.sex {
            "1" => "Male",
            "2" => "Female",
            "9" => "Other",
            "" => "",
            _ => "Unknown",
        };
        let practice = world.practice_code(said.practice);
        row.fill(
            4,
            &[&end, event, "Service User", kind, component, mechanism, reason, home, outcome, practice, &birth, sex],
        );
        row.set(16, codes::council_ethnicity(said.ethnicity));
    })
}

pub fn calls(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, BACK);
    let years = f64::from(last - first + 1).max(0.0) / 365.25;
    for _ in 0..dice.poisson(years * (0.1 + 0.8 * person.true_risk)) {
        let world = delivery.world;
        delivery.event(Kind::UrgentCalls, person, dice.between(first, last), dice, |row, when, dice| {
            let service = if dice.chance((0.2 + 0.15 * person.frailty).clamp(0.1, 0.7)) { "999" } else { "111" };
            let group = match service {
                "999" => {
                    dice.weighted(&[("Ambulance dispatch", 80), ("Recommended to attend ED", 12), ("Self care", 8)])
                }
                _ => dice.weighted(&[
                    ("Recommended to contact primary care", 55),
                    ("Recommended to attend ED", 18),
                    ("Ambulance dispatch", 12),
                    ("Self care", 15),
                ]),
            };
            let minute = (60 * dice.below(24) + dice.below(60)) as u32;
            fill_call(row, when, world, person, [service, group], minute, dice);
        })?;
    }
    Ok(())
}

/// One call to a service at a minute of the day, and what was made of it.
pub fn fill_call(
    row: &mut Row,
    when: When,
    world: &World,
    person: &Person,
    [service, group]: [&str; 2],
    minute: u32,
    dice: &mut Dice,
) {
    let said = person.said(Recorder::Urgent);
    row.set(2, &format!("{}T{:02}:{:02}:00", world.days.iso(when.date), minute / 60, minute % 60));
    let caller = if dice.chance(0.6) { "Y" } else { "N" };
    let sex = match said.sex {
        "1" => "Male",
        "2" => "Female",
        _ => "Unknown",
    };
    row.fill(4, &[service, caller, group, world.practice_code(said.practice), sex]);
}

/// What the hub did with earlier lists: some of those at risk were called.
pub fn feedback(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 200);
    if person.age < 18.0 || first > last || !dice.chance((person.true_risk - 0.12).max(0.0)) {
        return Ok(());
    }
    delivery.event(Kind::HubFeedback, person, dice.between(first, last), dice, |row, _, dice| {
        let cohort = dice.pick(&["proactive_frailty", "rising_risk", "high_intensity_use"]);
        let outcome = dice.weighted(&[
            ("assessed", 40),
            ("care_plan", 25),
            ("no_answer", 20),
            ("declined", 10),
            ("already_known", 5),
        ]);
        row.fill(4, &[cohort, outcome]);
    })
}
