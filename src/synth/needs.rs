//! What practices code of a person's situation: frailty, home, pregnancy, disability, palliative care.
//!
//! Each code stands on the list of the same name in `models/codelists/`.

use super::deliver::Delivery;
use super::dice::{Dice, logistic};
use super::person::Person;
use super::primary;
use crate::error::Result;

/// Mild, moderate, severe.
pub const FRAILTY: [&str; 3] = ["925791000000100", "925831000000107", "925861000000102"];
pub const HOUSEBOUND: [&str; 2] = ["160689007", "138079003"];
pub const NO_LONGER_HOUSEBOUND: [&str; 1] = ["760661000000106"];
pub const PALLIATIVE: [&str; 4] = ["414937009", "526631000000108", "713673000", "201511000000105"];
pub const PREGNANT: [&str; 3] = ["169560008", "169711001", "169714009"];
pub const NO_LONGER_PREGNANT: [&str; 2] = ["11466000", "156073000"];
pub const HOMELESS: [&str; 3] = ["32911000", "224231004", "381751000000106"];
pub const LIVES_IN_CARE_HOME: [&str; 2] = ["160734000", "394923006"];
pub const MISUSES_DRUGS: [&str; 3] = ["361055000", "191816009", "228388006"];
pub const NO_DRUGS: [&str; 2] = ["228367002", "1461000119109"];
pub const LEARNING_DISABILITY: [&str; 2] = ["416075005", "110359009"];
pub const MENTAL_ILLNESS: [&str; 3] = ["13746004", "58214004", "68890003"];
pub const LIVES_ALONE: [&str; 1] = ["105529008"];
pub const LIVES_WITH_OTHERS: [&str; 1] = ["224133007"];
pub const CARER: [&str; 2] = ["224484003", "302767002"];
/// Codes of everyday surgeries that name a condition, too (`codes::GP_CODES`).
pub const HYPERTENSION: [&str; 1] = ["59621000"];
pub const DEPRESSION: [&str; 1] = ["35489007"];
pub const ANXIETY: [&str; 1] = ["197480006"];

/// Writes the codes, some of them overtaken by a later one.
pub fn coded(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (age, frailty) = (person.age, person.frailty);
    let disabled = age > 3.0 && dice.chance(0.02);
    let pregnant = match person.sex == "2" && (16.0..45.0).contains(&age) {
        true if disabled => 0.6,
        true => 0.05,
        false => 0.0,
    };
    let alone = match age {
        age if age > 65.0 => 0.34,
        age if age > 18.0 => 0.1,
        _ => 0.0,
    };
    let states: [(f64, &[&str], i32, &[&str]); 9] = [
        (if age > 60.0 { logistic(-3.5 + 1.1 * frailty) } else { 0.003 }, &HOUSEBOUND, 1_400, &NO_LONGER_HOUSEBOUND),
        (logistic(-6.2 + 1.2 * frailty), &PALLIATIVE, 700, &[]),
        (f64::from(u8::from(disabled)), &LEARNING_DISABILITY, 1_800, &[]),
        (pregnant, &PREGNANT, 280, &NO_LONGER_PREGNANT),
        (if age > 18.0 { 0.002 * f64::from(11 - person.decile) } else { 0.0 }, &HOMELESS, 900, &LIVES_IN_CARE_HOME),
        (if (18.0..65.0).contains(&age) { 0.02 } else { 0.0 }, &MISUSES_DRUGS, 1_500, &NO_DRUGS),
        (if age > 18.0 { 0.014 } else { 0.0 }, &MENTAL_ILLNESS, 1_800, &[]),
        (alone, &LIVES_ALONE, 1_500, &LIVES_WITH_OTHERS),
        (if age > 16.0 { 0.05 } else { 0.0 }, &CARER, 1_500, &[]),
    ];
    for (chance, codes, back, overtaken_by) in states {
        if dice.chance(chance) {
            state(delivery, person, codes, back, overtaken_by, dice)?;
        }
    }
    severity(delivery, person, dice)
}

/// One state, said once or twice; in a fifth of people another follows.
fn state(
    delivery: &mut Delivery,
    person: &Person,
    codes: &[&'static str],
    back: i32,
    overtaken_by: &[&'static str],
    dice: &mut Dice,
) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, back);
    if first > last {
        return Ok(());
    }
    let mut date = dice.between(first, last);
    for _ in 0..=u32::from(dice.chance(0.3)) {
        primary::event(delivery, person, date, dice.pick(codes), dice)?;
        date = dice.between(date, last);
    }
    if !overtaken_by.is_empty() && dice.chance(0.2) {
        primary::event(delivery, person, date, dice.pick(overtaken_by), dice)?;
    }
    Ok(())
}

/// Frailty is graded again and again, and mostly rises.
fn severity(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 1_400);
    if person.age < 65.0 || first > last || !dice.chance(0.65) {
        return Ok(());
    }
    for _ in 0..dice.poisson(1.6) {
        let grade = match person.frailty + 0.4 * dice.normal() {
            x if x < 1.0 => continue,
            x if x < 1.8 => 0,
            x if x < 2.6 => 1,
            _ => 2,
        };
        let code = FRAILTY.get(grade).copied().unwrap_or_default();
        primary::event(delivery, person, dice.between(first, last), code, dice)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::codes;
    use super::*;

    const LISTS: [(&str, &str); 8] = [
        ("frailty_severity", include_str!("../../models/codelists/frailty_severity.csv")),
        ("housebound", include_str!("../../models/codelists/housebound.csv")),
        ("palliative_care", include_str!("../../models/codelists/palliative_care.csv")),
        ("pregnancy", include_str!("../../models/codelists/pregnancy.csv")),
        ("residence", include_str!("../../models/codelists/residence.csv")),
        ("substance_misuse", include_str!("../../models/codelists/substance_misuse.csv")),
        ("further_conditions", include_str!("../../models/codelists/further_conditions.csv")),
        ("living_alone", include_str!("../../models/codelists/living_alone.csv")),
    ];

    /// Category by which the shipped lists know a code, with the list.
    fn known(code: &str) -> Vec<(&'static str, &'static str)> {
        let line = |text: &'static str| text.lines().find_map(|line| line.strip_prefix(&format!("{code},")));
        let category = |text| line(text).and_then(|rest| rest.split(',').next());
        LISTS.iter().filter_map(|(list, text)| Some((*list, category(text)?))).collect()
    }

    #[test]
    fn codes_stand_on_the_list_of_their_state_and_on_no_other() {
        let states: [(&[&str], &str, &str); 17] = [
            (&FRAILTY[..1], "frailty_severity", "mild"),
            (&FRAILTY[1..2], "frailty_severity", "moderate"),
            (&FRAILTY[2..], "frailty_severity", "severe"),
            (&HOUSEBOUND, "housebound", "housebound"),
            (&NO_LONGER_HOUSEBOUND, "housebound", "no_longer_housebound"),
            (&PALLIATIVE, "palliative_care", "palliative_care"),
            (&PREGNANT, "pregnancy", "pregnant"),
            (&NO_LONGER_PREGNANT, "pregnancy", "no_longer_pregnant"),
            (&HOMELESS, "residence", "homeless"),
            (&LIVES_IN_CARE_HOME, "residence", "care_home"),
            (&MISUSES_DRUGS, "substance_misuse", "misusing"),
            (&NO_DRUGS, "substance_misuse", "not_misusing"),
            (&LEARNING_DISABILITY, "further_conditions", "learning_disability"),
            (&MENTAL_ILLNESS, "further_conditions", "severe_mental_illness"),
            (&HYPERTENSION, "further_conditions", "hypertension"),
            (&DEPRESSION, "further_conditions", "depression"),
            (&ANXIETY, "further_conditions", "anxiety"),
        ];
        let mut stated: Vec<&str> = Vec::new();
        for (codes, list, category) in states {
            for code in codes {
                assert_eq!(known(code), [(list, category)], "{code}");
                stated.push(code);
            }
        }
        // Whatever else practices code must set none of these states.
        let everyday = codes::GP_CODES.iter().map(|(code, _)| *code).chain(codes::FRAIL_GP_CODES);
        let conditions = codes::CONDITIONS.iter().flat_map(|condition| condition.snomed.iter().copied());
        for code in everyday.chain(conditions).chain(codes::MEASURES.iter().map(|measure| measure.0)) {
            assert!(stated.contains(&code) || known(code).is_empty(), "{code}");
        }
    }
}
