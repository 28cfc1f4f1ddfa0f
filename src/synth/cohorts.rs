//! Who belongs to each shipped cohort, worked out from what was planted.
//!
//! The rules of `pipelines/cohorts/` once more, in plain Rust over delivered rows: what a run lists is held against them.

use std::collections::HashMap;

use super::codes::CONDITIONS;
use super::facts::{Fact, Facts};
use super::layout::Kind;
use super::needs;
use super::services::UCR_REASONS;

pub const EMERGENCY: [&str; 10] = ["21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"];
pub const UNPLANNED: [&str; 3] = ["1", "2", "3"];
const COMPLEX: [&str; 11] = [
    "atrial_fibrillation",
    "asthma",
    "coronary_heart_disease",
    "chronic_kidney_disease",
    "copd",
    "dementia",
    "diabetes",
    "epilepsy",
    "heart_failure",
    "stroke",
    "parkinsons",
];

/// Names of the cohorts that include the person and do not exclude them; nobody off the spine is in any.
pub fn of(facts: &Facts) -> Vec<&'static str> {
    if !facts.person.on_spine() {
        return Vec::new();
    }
    let about = About::new(facts);
    let included = [
        ("end_of_life", about.end_of_life && about.may_be_called(18, 28)),
        ("virtual_ward_step_up", about.step_up() && about.at_home() && about.may_be_called(18, 7)),
        ("urgent_community_response", about.unanswered_calls() && about.at_home() && about.may_be_called(18, 28)),
        (
            "learning_disability_pregnant",
            about.learning_disability && pregnant(facts) && !about.end_of_life && about.may_be_called(16, 28),
        ),
        ("learning_disability", about.learning_disability_unseen() && about.at_home() && about.may_be_called(14, 90)),
        ("homeless", about.homeless && !about.on_virtual_ward && !about.end_of_life && about.may_be_called(18, 28)),
        ("care_homes", about.unsettled_resident() && about.may_be_called(18, 28)),
        ("high_intensity_use", about.uses_urgent_care() && about.at_home() && about.may_be_called(18, 90)),
        ("complex_adults", about.complex() && about.not_cared_for() && about.may_be_called(18, 90)),
        ("proactive_frailty", about.frail() && about.at_home() && about.not_cared_for() && about.may_be_called(18, 90)),
        ("social_care_check", about.alone_at_risk() && about.at_home() && about.may_be_called(18, 90)),
        ("medication_safety", many_medicines(facts) && !about.end_of_life && about.may_be_called(18, 90)),
        ("anticholinergic_load", points(facts) >= 4 && !about.end_of_life && about.may_be_called(18, 90)),
        ("rising_risk", about.rising() && about.at_home() && about.not_cared_for() && about.may_be_called(18, 90)),
        ("screening_non_attenders", missed_screening(facts) && !about.end_of_life && about.may_be_called(18, 90)),
        ("discharge_day", about.home_yesterday() && about.may_be_called(18, 7)),
    ];
    included.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// What several cohorts ask.
struct About<'a> {
    facts: &'a Facts<'a>,
    age: i16,
    in_hospital: bool,
    on_virtual_ward: bool,
    end_of_life: bool,
    care_home_resident: bool,
    care_home: bool,
    case_management: bool,
    learning_disability: bool,
    homeless: bool,
    housebound: bool,
    /// 0 mild, 1 moderate, 2 severe.
    severity: Option<usize>,
    emergencies_12m: usize,
    attendances_12m: usize,
}

impl<'a> About<'a> {
    fn new(facts: &'a Facts<'a>) -> Self {
        let (ever, year) = (i32::MIN, facts.months(12));
        let open_team = |teams: &[&str]| {
            facts.since(Kind::CommunityContacts, year).any(|fact| fact.is(4, teams) && facts.open(fact, 5))
        };
        let coded = |states: &[&[&str]]| facts.latest(Kind::GpEvents, ever, 5, states);
        let residence = coded(&[&needs::LIVES_IN_CARE_HOME, &needs::HOMELESS]);
        let resident = facts.ever(Kind::CareHomes).any(|fact| facts.open(fact, 4));
        let council_home = facts.ever(Kind::SocialCare).any(|fact| {
            facts.open(fact, 4)
                && fact.is(7, &["Long Term Support: Nursing Care", "Long Term Support: Residential Care"])
        });
        Self {
            facts,
            age: facts.age_years().unwrap_or(-1),
            in_hospital: facts
                .since(Kind::Admissions, facts.months(36))
                .any(|fact| fact.is(9, &["1"]) && facts.open(fact, 4)),
            on_virtual_ward: facts.since(Kind::VirtualWards, year).any(|fact| facts.open(fact, 4)),
            end_of_life: coded(&[&needs::PALLIATIVE]).is_some() || open_team(&["14", "47"]),
            care_home_resident: resident,
            care_home: resident || council_home || residence == Some(0),
            case_management: open_team(&["19"]),
            learning_disability: coded(&[&needs::LEARNING_DISABILITY]).is_some(),
            homeless: residence == Some(1),
            housebound: coded(&[&needs::NO_LONGER_HOUSEBOUND, &needs::HOUSEBOUND]) == Some(1),
            severity: coded(&[&needs::FRAILTY[..1], &needs::FRAILTY[1..2], &needs::FRAILTY[2..]]),
            emergencies_12m: emergencies(facts, year),
            attendances_12m: attendances(facts, year),
        }
    }

    /// Old enough, not in hospital, did not decline within a year, and not spoken to within so many days.
    fn may_be_called(&self, from_age: i16, days: i32) -> bool {
        let declined = self.facts.since(Kind::HubFeedback, self.facts.months(12)).any(|fact| fact.is(5, &["declined"]));
        let reached = |fact: &Fact| !fact.is(5, &["no_answer"]);
        let contacted = self.facts.since(Kind::HubFeedback, self.facts.days(days)).any(reached);
        self.age >= from_age && !self.in_hospital && !declined && !contacted
    }

    fn at_home(&self) -> bool {
        !self.on_virtual_ward && !self.end_of_life && !self.care_home
    }

    fn not_cared_for(&self) -> bool {
        !self.on_virtual_ward && !self.care_home && !self.case_management
    }

    fn moderate_or_severe(&self) -> bool {
        self.severity >= Some(1)
    }

    fn step_up(&self) -> bool {
        let facts = self.facts;
        let week = facts.days(7);
        let has = conditions(facts);
        let treatable = self.moderate_or_severe() || has("copd") || has("heart_failure");
        let ambulance = facts.since(Kind::AmbulanceCalls, week).any(|fact| !fact.is(5, &["Conveyed"]));
        let attended =
            facts.since(Kind::Attendances, week).any(|fact| fact.is(7, &UNPLANNED) && fact.is(12, &["306689006"]));
        treatable && (ambulance || attended || calls(facts, week, "111") > 0)
    }

    fn unanswered_calls(&self) -> bool {
        let facts = self.facts;
        let year = facts.months(12);
        let called = facts.since(Kind::AmbulanceCalls, year).filter(|fact| fact.is(4, &UCR_REASONS)).count();
        let answered =
            facts.since(Kind::CommunityContacts, year).any(|fact| fact.is(4, &["51"]) && fact.is(8, &["5", "6"]));
        called >= 2 && !answered
    }

    fn learning_disability_unseen(&self) -> bool {
        let facts = self.facts;
        let used = self.emergencies_12m >= 1 || self.attendances_12m >= 2;
        self.learning_disability && (used || appointments(facts) == 0)
    }

    fn unsettled_resident(&self) -> bool {
        let facts = self.facts;
        let quarter = facts.days(90);
        let ambulance = facts.since(Kind::AmbulanceCalls, quarter).next().is_some();
        let unsettled = ambulance || attendances(facts, quarter) >= 1 || emergencies(facts, quarter) >= 1;
        let eligible = self.care_home_resident && !self.on_virtual_ward && !self.end_of_life;
        eligible && (unsettled || substances(facts, quarter, &[]) >= 8)
    }

    fn uses_urgent_care(&self) -> bool {
        let facts = self.facts;
        let year = facts.months(12);
        let ambulances = facts.since(Kind::AmbulanceCalls, year).count();
        let called = calls(facts, year, "111") + calls(facts, year, "999") >= 3;
        self.attendances_12m >= 3 || self.emergencies_12m >= 2 || called || ambulances >= 3
    }

    /// North Central London's complex adults, criteria of 2026.
    fn complex(&self) -> bool {
        let facts = self.facts;
        let (year, ever) = (facts.months(12), i32::MIN);
        let coded = |codes: &[&str]| facts.ever(Kind::GpEvents).any(|fact| fact.is(5, codes));
        let has = conditions(facts);
        let further = [&needs::HYPERTENSION[..], &needs::DEPRESSION, &needs::ANXIETY, &needs::MENTAL_ILLNESS];
        let many = COMPLEX.iter().filter(|name| has(name)).count()
            + further.iter().filter(|codes| coded(codes)).count()
            + usize::from(self.learning_disability && self.age >= 65);
        let drugs = facts.latest(Kind::GpEvents, ever, 5, &[&needs::NO_DRUGS, &needs::MISUSES_DRUGS]) == Some(1);
        let all_attendances = facts.since(Kind::Attendances, year).count();
        let acute = all_attendances >= 3 || self.emergencies_12m >= 2;
        let seen = facts.since(Kind::Outpatients, year).filter(|fact| fact.is(4, &["5", "6"]));
        let specialties = Facts::distinct(seen.map(|fact| fact.get(6)).filter(|code| !code.is_empty()));
        let complexity = self.moderate_or_severe()
            || (self.age >= 65 && facts.person.efi2() >= Some(1_624))
            || many >= 3
            || self.homeless
            || coded(&needs::PALLIATIVE)
            || has("alcohol_problem")
            || drugs
            || (acute && appointments(facts) == 0);
        complexity && (acute || appointments(facts) >= 15 || specialties >= 5 || self.housebound)
    }

    fn frail(&self) -> bool {
        let facts = self.facts;
        let three_years = facts.months(36);
        let said = |code: &str| facts.since(Kind::GpEvents, three_years).any(|fact| fact.is(5, &[code]));
        let marked = said("217082002") || said("267076002") || self.housebound;
        self.age >= 75
            && (self.moderate_or_severe() || marked || frailty_tenths(facts) >= 50 || count_of_conditions(facts) >= 4)
    }

    fn alone_at_risk(&self) -> bool {
        let facts = self.facts;
        let living = facts.latest(Kind::GpEvents, i32::MIN, 5, &[&needs::LIVES_WITH_OTHERS, &needs::LIVES_ALONE]);
        let package = facts.ever(Kind::SocialCare).any(|fact| fact.is(5, &["Service"]) && facts.open(fact, 4));
        let fell = facts.since(Kind::GpEvents, facts.months(36)).any(|fact| fact.is(5, &["217082002"]));
        let high = || fell || self.moderate_or_severe() || self.emergencies_12m >= 2 || frailty_tenths(facts) >= 50;
        living == Some(1) && !package && high()
    }

    fn rising(&self) -> bool {
        let facts = self.facts;
        let year = facts.months(12);
        let missed = facts.since(Kind::Outpatients, year).filter(|fact| fact.is(4, &["3", "7"])).count();
        let need = count_of_conditions(facts) >= 2 || substances(facts, year, &[]) >= 8;
        let sign = attendances(facts, facts.days(90)) >= 1 || calls(facts, year, "999") >= 1 || missed >= 2;
        need && sign && self.emergencies_12m < 2
    }

    /// The latest of the stays of a year that have ended; of several begun on one day the longest.
    fn home_yesterday(&self) -> bool {
        let facts = self.facts;
        let stays = facts.since(Kind::Admissions, facts.months(12)).filter(|fact| fact.is(9, &["1"]));
        let ended: Vec<&Fact> = stays.filter(|fact| !facts.open(fact, 4)).collect();
        let latest = ended.iter().map(|fact| fact.day).max();
        let stays: Vec<&Fact> = ended.into_iter().filter(|fact| Some(fact.day) == latest).collect();
        let over = stays.iter().all(|fact| facts.days_since(fact, 4) >= 1)
            && stays.iter().any(|fact| facts.days_since(fact, 4) == 1);
        let emergency = stays.iter().any(|fact| fact.is(5, &EMERGENCY));
        let home = stays.iter().any(|fact| fact.is(8, &["19", "29"]));
        over && emergency && home && !self.on_virtual_ward && !self.end_of_life
    }
}

/// Emergency admissions from a day on.
pub fn emergencies(facts: &Facts, first: i32) -> usize {
    facts.since(Kind::Admissions, first).filter(|fact| fact.is(5, &EMERGENCY)).count()
}

fn attendances(facts: &Facts, first: i32) -> usize {
    facts.since(Kind::Attendances, first).filter(|fact| fact.is(7, &UNPLANNED)).count()
}

fn calls(facts: &Facts, first: i32, service: &str) -> usize {
    facts.since(Kind::UrgentCalls, first).filter(|fact| fact.is(4, &[service])).count()
}

/// Attended, with a clinician, in the last 12 months.
fn appointments(facts: &Facts) -> usize {
    let year = facts.since(Kind::GpAppointments, facts.months(12));
    year.filter(|fact| fact.is(5, &["Attended"]) && !fact.is(6, &["Admin"])).count()
}

/// Different substances issued, by how they were issued when that is named.
fn substances(facts: &Facts, first: i32, how: &[&str]) -> usize {
    let issued = facts.since(Kind::GpMedications, first).filter(|fact| how.is_empty() || fact.is(8, how));
    Facts::distinct(issued.filter_map(|fact| fact.get(5).get(..9)))
}

/// The long-term condition that a practice code names.
fn condition(fact: &Fact) -> Option<&'static str> {
    CONDITIONS.iter().find(|condition| fact.is(5, condition.snomed)).map(|condition| condition.name)
}

fn conditions(facts: &Facts) -> impl Fn(&str) -> bool + use<> {
    let has: Vec<&str> = facts.ever(Kind::GpEvents).filter_map(condition).collect();
    move |name| has.contains(&name)
}

fn count_of_conditions(facts: &Facts) -> usize {
    Facts::distinct(facts.ever(Kind::GpEvents).filter_map(condition))
}

fn pregnant(facts: &Facts) -> bool {
    let states: [&[&str]; 2] = [&needs::PREGNANT, &needs::NO_LONGER_PREGNANT];
    facts.latest(Kind::GpEvents, facts.months(10), 5, &states) == Some(0)
}

fn many_medicines(facts: &Facts) -> bool {
    substances(facts, facts.months(12), &["repeat"]) >= 10
}

/// Points of the invented demonstration list.
fn points(facts: &Facts) -> usize {
    let with = |begins: &[&str]| {
        let issued = facts.since(Kind::GpMedications, facts.days(90)).filter_map(|fact| fact.get(5).get(..9));
        Facts::distinct(issued.filter(|substance| begins.contains(substance)))
    };
    with(&["0202020L0", "0407020Q0", "0403030Q0"]) + 3 * with(&["0403010B0"])
}

fn missed_screening(facts: &Facts) -> bool {
    ["Bowel", "Breast", "Cervical"].iter().any(|programme| {
        // Of several outcomes on one day the last in the order of the alphabet counts.
        let of = facts.since(Kind::Screening, facts.months(36)).filter(|fact| fact.is(4, &[programme]));
        let latest = of.map(|fact| (fact.day, outcome(fact))).max();
        latest.is_some_and(|(_, outcome)| outcome == "did_not_attend")
    })
}

fn outcome(fact: &Fact) -> &'static str {
    match fact.get(5) {
        "Attended" => "attended",
        "Did not attend" => "did_not_attend",
        "Opted out" => "opted_out",
        _ => "to_come",
    }
}

/// Hospital Frailty Risk Score of two years in tenths, from the published table that ships with the model.
fn frailty_tenths(facts: &Facts) -> i64 {
    let table = include_str!("../../models/hospital_frailty_2018/points.csv");
    let tenths = |points: &str| points.parse::<f64>().map_or(0, |points| (points * 10.0).round() as i64);
    let points: HashMap<String, i64> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .map(|(code, points)| (code.to_uppercase(), tenths(points)))
        .collect();
    let mut codes: Vec<String> = Vec::new();
    for fact in facts.since(Kind::Admissions, facts.months(24)) {
        let three = (17..26).filter_map(|column| fact.get(column).get(..3)).map(str::to_uppercase);
        codes.extend(three);
    }
    codes.sort_unstable();
    codes.dedup();
    codes.iter().filter_map(|code| points.get(code)).sum()
}
