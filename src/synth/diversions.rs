//! Emergencies that were kept out of hospital, planted over midnight, month ends and clock changes; and what became of every
//! emergency, worked out once more in plain loops.

use super::deliver::Delivery;
use super::dice::Dice;
use super::facts::{Fact, Facts};
use super::layout::Kind;
use super::person::{Person, Status};
use super::{cohorts, community};
use crate::error::Result;

/// One emergency and what became of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub day: i32,
    /// Code of the practice by which the place is known.
    pub practice: String,
    pub fate: &'static str,
    /// Within 7 and 30 days; of those cared for at home.
    pub failed: Option<[bool; 2]>,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Minutes of the day at which people call: around midnight, around the hour of the clock change, and at noon.
const CALLED_AT: [u32; 8] = [0, 5, 59, 90, 150, 720, 1_410, 1_439];

/// Days from a call to an admission or a death: around 48 hours, 7 and 30 days.
const UNTIL: [i32; 9] = [1, 2, 3, 6, 7, 8, 14, 30, 31];

/// A call, and who came; sometimes before an admission or a death that there is anyway.
pub fn plant(delivery: &mut Delivery, person: &Person, dice: &mut Dice) -> Result<()> {
    let (first, last) = person.days(delivery.world.as_of, 420);
    if person.age < 18.0 || first > last || !dice.chance((0.3 * person.need()).min(0.8)) {
        return Ok(());
    }
    let admitted: Vec<i32> = delivery.story(person).since(Kind::Admissions, first).map(|fact| fact.day).collect();
    let before = match (person.death(), dice.below(3)) {
        (Some(death), 0..=1) => Some(death),
        (None, 0..=1) if !admitted.is_empty() => Some(dice.pick(&admitted)),
        _ => None,
    };
    let day = match before {
        Some(day) => day - dice.pick(&UNTIL),
        None => special_day(dice.between(first, last), dice),
    };
    if !(first..=last).contains(&day) {
        return Ok(());
    }
    let world = delivery.world;
    let minute = dice.pick(&CALLED_AT);
    let service = dice.pick(&["999", "111"]);
    delivery.event(Kind::UrgentCalls, person, day, dice, |row, when, dice| {
        community::fill_call(row, when, world, person, [service, "Ambulance dispatch"], minute, dice);
    })?;
    let comes = day + dice.pick(&[0, 0, 1, 1, 2, 3, 4]);
    if comes > last {
        return Ok(());
    }
    let team = dice.pick(&["51", "51", "12", "52", "26"]);
    delivery.event(Kind::CommunityContacts, person, comes, dice, |row, when, dice| {
        community::fill_contact(row, when, world, person, Some(team), dice);
    })
}

/// Half of the days are the last of their month, the first of the next, or next to a change of the clocks.
fn special_day(day: i32, dice: &mut Dice) -> i32 {
    let Some(date) = crate::calendar::date_of(day) else { return day };
    let month_end = crate::calendar::epoch_days(date.last_of_month());
    match dice.below(6) {
        0 => month_end,
        1 => month_end + 1,
        2 => clocks_change(i32::from(date.year()), if date.month() < 7 { 3 } else { 10 }) - dice.between(0, 2),
        _ => day,
    }
}

/// Every emergency of a person of whom a run knows, oldest first.
pub fn of(facts: &Facts) -> Vec<Told> {
    if !matches!(facts.person.status, Status::Here | Status::Died | Status::Left) {
        return Vec::new();
    }
    let mut rows: Vec<&Fact> = facts.all().filter(|fact| is_emergency(fact)).collect();
    rows.sort_by_key(|fact| (span(fact), practice(fact).to_owned()));
    let mut groups: Vec<Vec<&Fact>> = Vec::new();
    for fact in rows {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| span(fact).0 <= span(first).0 + 24 * HOUR) => {
                group.push(fact)
            }
            _ => groups.push(vec![fact]),
        }
    }
    groups.iter().filter_map(|group| one(facts, group.first()?, group)).collect()
}

fn one(facts: &Facts, first: &Fact, group: &[&Fact]) -> Option<Told> {
    let (from, to) = span(first);
    let beds: Vec<&Fact> = facts.all().filter(|fact| fact.kind == Kind::Admissions && fact.is(9, &["1"])).collect();
    let in_bed = |bed: &&Fact| span(bed).1 < from && super::facts::day(bed.get(4)).is_none_or(|end| end > first.day);
    if beds.iter().any(in_bed) {
        return None;
    }
    let practice = group.iter().map(|fact| practice(fact)).find(|code| !code.is_empty()).unwrap_or_default();
    let bed = beds.iter().any(|bed| span(bed).1 >= from && span(bed).0 <= to + 48 * HOUR);
    let home = facts.all().filter(|fact| is_home(fact)).any(|care| span(care).1 >= from && care.day <= first.day + 3);
    let fate = match (bed, home) {
        (true, _) => "bed",
        (false, true) => "home",
        (false, false) => "neither",
    };
    let failed = |days: i32| {
        let inside = |day: i32| day >= first.day && day <= first.day + days;
        let admitted = facts.all().filter(|fact| fact.kind == Kind::Admissions && fact.is(5, &cohorts::EMERGENCY));
        admitted.filter(|fact| span(fact).1 >= from).any(|fact| inside(fact.day))
            || facts.person.death().is_some_and(inside)
    };
    let failed = (fate == "home").then(|| [failed(7), failed(30)]);
    Some(Told { day: first.day, practice: practice.to_owned(), fate, failed })
}

fn is_emergency(fact: &Fact) -> bool {
    match fact.kind {
        Kind::UrgentCalls => fact.is(4, &["999"]) || fact.is(6, &["Ambulance dispatch", "Recommended to attend ED"]),
        Kind::AmbulanceCalls => true,
        Kind::Attendances => fact.is(7, &cohorts::UNPLANNED),
        _ => false,
    }
}

fn is_home(fact: &Fact) -> bool {
    match fact.kind {
        Kind::CommunityContacts => fact.is(8, &["5", "6"]) && fact.is(4, &["12", "19", "51", "52", "53", "54"]),
        Kind::VirtualWards => fact.is(6, &["Step up"]),
        _ => false,
    }
}

fn practice(fact: &Fact) -> &str {
    match fact.kind {
        Kind::UrgentCalls => fact.get(7),
        Kind::Attendances => fact.get(14),
        _ => "",
    }
}

/// The first and the last second, UTC, at which a row may have happened.
fn span(fact: &Fact) -> (i64, i64) {
    let midnight = i64::from(fact.day) * DAY;
    let text = fact.get(fact.kind.layout().date);
    let number = |from: usize| text.get(from..from + 2).and_then(|digits| digits.parse::<i64>().ok());
    let Some((hour, minute)) = number(11).zip(number(14)) else {
        return (midnight - summer(fact.day, 0), midnight + DAY - summer(fact.day + 1, 0) - 1);
    };
    let civil = midnight + hour * HOUR + minute * 60;
    let change = |month| clocks_change(year_of(fact.day), month);
    let on_change = fact.day == change(3) || fact.day == change(10);
    // On the nights of the change, what reads 01:xx is an hour that was not, or was twice.
    if on_change && hour == 1 {
        return (civil - HOUR, civil);
    }
    let at = civil - summer(fact.day, hour);
    (at, at)
}

/// How far London is ahead of UTC at an hour of a day.
fn summer(day: i32, hour: i64) -> i64 {
    let year = year_of(day);
    let (spring, autumn) = (clocks_change(year, 3), clocks_change(year, 10));
    let after_spring = day > spring || (day == spring && hour >= 2);
    let before_autumn = day < autumn || (day == autumn && hour < 1);
    if after_spring && before_autumn { HOUR } else { 0 }
}

fn year_of(day: i32) -> i32 {
    crate::calendar::date_of(day).map_or(1970, |date| i32::from(date.year()))
}

/// The last Sunday of March or October, both of 31 days.
fn clocks_change(year: i32, month: i8) -> i32 {
    let last = i16::try_from(year).ok().and_then(|year| jiff::civil::Date::new(year, month, 31).ok());
    // 1 January 1970 was a Thursday.
    last.map_or(0, |last| {
        let last = crate::calendar::epoch_days(last);
        last - (last + 4).rem_euclid(7)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::calendar::epoch_days;

    #[test]
    fn the_clocks_change_when_they_do() {
        assert_eq!(clocks_change(2025, 3), epoch_days(date(2025, 3, 30)));
        assert_eq!(clocks_change(2025, 10), epoch_days(date(2025, 10, 26)));
        assert_eq!(clocks_change(2026, 3), epoch_days(date(2026, 3, 29)));
        assert_eq!(clocks_change(2026, 10), epoch_days(date(2026, 10, 25)));
    }
}
