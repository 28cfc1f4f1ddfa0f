//! How each item of a person is recorded, worked out in plain loops from the rows that count: neither the engine nor the
//! oracle has a part in it.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::council_ethnicity;
use super::facts::Facts;
use super::layout::Kind;
use super::notes::ANY_CODE;

/// From the best evidence to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Known,
    Conflicting,
    Stale,
    Outdated,
    AskedUnsure,
    Declined,
    NotKnown,
    Invalid,
    Blank,
}

use State::{AskedUnsure, Blank, Conflicting, Declined, Invalid, Known, NotKnown, Outdated, Stale};

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Known => "known",
            Conflicting => "conflicting",
            Stale => "stale",
            Outdated => "outdated",
            AskedUnsure => "asked_unsure",
            Declined => "declined",
            NotKnown => "not_known",
            Invalid => "invalid",
            Blank => "blank",
        }
    }
}

/// What a cell says.
type Means = fn(&str, &Facts) -> (State, String);

/// An item as the shipped audit declares it: where it is written, for how many months a value counts.
struct Item {
    name: &'static str,
    months: Option<i32>,
    fixed: bool,
    written: &'static [(Kind, &'static str, Means)],
}

const fn item(name: &'static str, months: Option<i32>, written: &'static [(Kind, &'static str, Means)]) -> Item {
    Item { name, months, fixed: false, written }
}

const ETHNIC: &str = "ETHNIC CATEGORY";
const GENDER: &str = "PERSON STATED GENDER CODE";
const GENDER_NOW: &str = "PERSON GENDER CODE CURRENT";
const BORN: &str = "PERSON BIRTH DATE";
const SURGERY: &str = "GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION)";
const CARER: &str = "CARER SUPPORT INDICATOR";

const ITEMS: [Item; 16] = [
    item(
        "ethnicity",
        None,
        &[
            (Kind::People, "ETHNIC_CATEGORY", ethnicity),
            (Kind::Admissions, ETHNIC, ethnicity),
            (Kind::Attendances, ETHNIC, ethnicity),
            (Kind::Outpatients, ETHNIC, ethnicity),
            (Kind::CommunityContacts, ETHNIC, ethnicity),
            (Kind::SocialCare, "Ethnicity", council),
        ],
    ),
    item(
        "sex",
        None,
        &[
            (Kind::People, "PERSON_STATED_GENDER_CODE", stated_gender),
            (Kind::Admissions, GENDER_NOW, gender_code),
            (Kind::Attendances, GENDER, stated_gender),
            (Kind::Outpatients, GENDER_NOW, gender_code),
            (Kind::CommunityContacts, GENDER, stated_gender),
            (Kind::SocialCare, "Gender", gender_in_words),
            (Kind::UrgentCalls, "Sex", gender_in_words),
        ],
    ),
    Item {
        name: "birth_date",
        months: None,
        fixed: true,
        written: &[
            (Kind::People, "BIRTH_DATE", birth),
            (Kind::Admissions, BORN, birth),
            (Kind::Attendances, BORN, birth),
            (Kind::Outpatients, BORN, birth),
            (Kind::CommunityContacts, BORN, birth),
            (Kind::SocialCare, "Date of Birth", british_birth),
        ],
    },
    item(
        "lsoa",
        None,
        &[
            (Kind::People, "LSOA_2021", area),
            (Kind::Admissions, "LSOA_2021", area),
            (Kind::Attendances, "LSOA_2021", area),
        ],
    ),
    item(
        "practice",
        None,
        &[
            (Kind::People, "PRACTICE_CODE", plain),
            (Kind::Admissions, SURGERY, plain),
            (Kind::Attendances, SURGERY, plain),
            (Kind::Outpatients, SURGERY, plain),
            (Kind::CommunityContacts, SURGERY, plain),
            (Kind::SocialCare, "GP Practice Code", plain),
            (Kind::UrgentCalls, "GP Surgery ID", plain),
        ],
    ),
    item(
        "language",
        None,
        &[
            (Kind::People, "LANGUAGE_CODE_PREFERRED", language),
            (Kind::CommunityContacts, "LANGUAGE CODE (PREFERRED)", language),
        ],
    ),
    item(
        "interpreter_needed",
        Some(120),
        &[
            (Kind::People, "INTERPRETER_NEEDED", yes_no),
            (Kind::Attendances, "INTERPRETER LANGUAGE (SNOMED CT)", any_code),
        ],
    ),
    item(
        "information_need",
        Some(120),
        &[
            (Kind::People, "ACCESSIBLE_INFORMATION_NEED", yes_no),
            (Kind::Attendances, "ACCESSIBLE INFORMATION PROFESSIONAL REQUIRED CODE (SNOMED CT)", any_code),
        ],
    ),
    item("gender_identity", None, &[(Kind::People, "GENDER_IDENTITY_SAME_AT_BIRTH", gender_identity)]),
    item("sexual_orientation", None, &[(Kind::People, "SEXUAL_ORIENTATION", orientation)]),
    item("religion", None, &[(Kind::People, "RELIGION", religion)]),
    item(
        "disability",
        Some(120),
        &[(Kind::People, "DISABILITY_CODE", disability), (Kind::CommunityContacts, "DISABILITY CODE", disability)],
    ),
    item(
        "accommodation",
        Some(36),
        &[
            (Kind::People, "ACCOMMODATION_STATUS_CODE", home),
            (Kind::Attendances, "ACCOMMODATION STATUS (SNOMED CT)", home),
            (Kind::CommunityContacts, "ACCOMMODATION STATUS CODE", home),
            (Kind::SocialCare, "Accommodation Status", home),
        ],
    ),
    item(
        "carer_support",
        Some(60),
        &[
            (Kind::People, "CARER_SUPPORT_INDICATOR", carer),
            (Kind::Admissions, CARER, carer),
            (Kind::Outpatients, CARER, carer),
        ],
    ),
    item("living_alone", Some(60), &[(Kind::People, "LIVES_ALONE", yes_no)]),
    item("learning_disability_register", None, &[(Kind::People, "LEARNING_DISABILITY_REGISTER", yes_no)]),
];

pub fn names() -> impl Iterator<Item = &'static str> {
    ITEMS.iter().map(|item| item.name)
}

/// By item: the state over all sources, and of each source with a row, under its name.
pub fn of(facts: &Facts) -> Vec<(State, BTreeMap<&'static str, State>)> {
    ITEMS.iter().map(|item| item.recorded(facts)).collect()
}

/// What a source said: day, state and value of each row.
type Said = Vec<(i32, State, String)>;

impl Item {
    fn recorded(&self, facts: &Facts) -> (State, BTreeMap<&'static str, State>) {
        let mut states = BTreeMap::new();
        let mut fresh = BTreeSet::new();
        for (kind, header, means) in self.written {
            let layout = kind.layout();
            let column = layout.columns.iter().position(|(name, _)| name == header).unwrap_or(usize::MAX);
            let said: Said = facts
                .ever(*kind)
                .map(|fact| {
                    let (state, value) = means(fact.get(column), facts);
                    (fact.day, state, value)
                })
                .collect();
            let Some((state, latest)) = self.of_source(&said, facts) else { continue };
            states.insert(layout.name, state);
            if matches!(state, Known | Conflicting) {
                fresh.insert(latest);
            }
        }
        let conflict = fresh.len() > 1 || states.values().any(|state| *state == Conflicting);
        let best = states.values().min().copied().unwrap_or(Blank);
        (if conflict { Conflicting } else { best }, states)
    }

    /// The state of a source with rows, and its latest known value.
    fn of_source(&self, said: &Said, facts: &Facts) -> Option<(State, String)> {
        let best = said.iter().map(|(_, state, _)| *state).min()?;
        let known = said.iter().filter(|(_, state, _)| *state == Known).map(|(day, _, value)| (*day, value.clone()));
        let Some((day, value)) = known.clone().max() else { return Some((best, String::new())) };
        let differs = known.clone().any(|(_, other)| other != value);
        let expired = self.months.is_some_and(|months| day < facts.months(months));
        let state = match (self.fixed && differs, expired) {
            (true, _) => Conflicting,
            (_, true) => Stale,
            _ => Known,
        };
        Some((state, value))
    }
}

/// Known where it is one of these; blank and invalid are left.
fn one_of(text: &str, known: &[&str]) -> (State, String) {
    match text {
        "" => (Blank, String::new()),
        text if known.contains(&text) => (Known, text.to_owned()),
        _ => (Invalid, String::new()),
    }
}

/// These states by text; otherwise as [`one_of`].
fn coded(text: &str, states: &[(&str, State)], known: &[&str]) -> (State, String) {
    match states.iter().find(|(code, _)| *code == text) {
        Some((_, state)) => (*state, String::new()),
        None => one_of(text, known),
    }
}

const CATEGORIES: [&str; 16] = ["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S"];

fn ethnicity(text: &str, _: &Facts) -> (State, String) {
    let states = [("Z", Declined), ("99", NotKnown), ("0", Outdated), ("1", Outdated), ("4", Outdated)];
    coded(text, &states, &CATEGORIES)
}

fn council(text: &str, facts: &Facts) -> (State, String) {
    let code = CATEGORIES.iter().chain(&["Z", "99", ""]).find(|code| council_ethnicity(code) == text);
    ethnicity(code.copied().unwrap_or("?"), facts)
}

fn stated_gender(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("X", NotKnown)], &["1", "2", "9"])
}

fn gender_code(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("0", NotKnown), ("9", NotKnown)], &["1", "2"])
}

fn gender_in_words(text: &str, facts: &Facts) -> (State, String) {
    let words = [("Male", "1"), ("Female", "2"), ("Other", "9"), ("Unknown", "X")];
    stated_gender(words.iter().find(|(word, _)| *word == text).map_or(text, |(_, code)| code), facts)
}

/// Every written date lies within a life, but for the placeholder.
fn birth(text: &str, _: &Facts) -> (State, String) {
    match text {
        "" => (Blank, String::new()),
        "1900-01-01" => (NotKnown, String::new()),
        text if text < "1905-01-01" => (Invalid, String::new()),
        text => (Known, text.to_owned()),
    }
}

fn british_birth(text: &str, facts: &Facts) -> (State, String) {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [day, month, year] => birth(&format!("{year}-{month}-{day}"), facts),
        _ => birth(text, facts),
    }
}

fn area(text: &str, facts: &Facts) -> (State, String) {
    if text == "E0100" { (Invalid, String::new()) } else { plain(text, facts) }
}

fn plain(text: &str, _: &Facts) -> (State, String) {
    one_of(text, &[text])
}

fn language(text: &str, facts: &Facts) -> (State, String) {
    if text == "q9" { (Invalid, String::new()) } else { plain(text, facts) }
}

fn yes_no(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("U", AskedUnsure), ("Z", Declined), ("99", NotKnown)], &["Y", "N"])
}

fn any_code(text: &str, facts: &Facts) -> (State, String) {
    yes_no(if text == ANY_CODE { "Y" } else { text }, facts)
}

fn gender_identity(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("Z", Declined)], &["Y", "N"])
}

fn orientation(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("U", AskedUnsure), ("Z", Declined)], &["1", "2", "3", "4"])
}

fn religion(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("M", Declined), ("N", NotKnown)], &["B", "C", "D", "G", "I", "K", "L"])
}

fn disability(text: &str, _: &Facts) -> (State, String) {
    coded(text, &[("ZZ", Declined)], &["02", "05", "09", "XX", "NN"])
}

fn carer(text: &str, _: &Facts) -> (State, String) {
    one_of(text, &["01", "02"])
}

/// Three ways to write it, and the group that each belongs to.
fn home(text: &str, _: &Facts) -> (State, String) {
    let group = match text {
        "HM01" | "HM04" | "32911000" => "homeless",
        "CH03" | "160734000" | "Registered care home" | "Registered nursing home" => "care home",
        "MA01" | "Tenant" | "Owner occupier or shared ownership scheme" => "settled",
        "Sheltered housing / extra care housing / other sheltered housing" => "supported",
        "224221006" => "other",
        "" => return (Blank, String::new()),
        _ => return (Invalid, String::new()),
    };
    (Known, group.to_owned())
}
