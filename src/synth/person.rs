//! One invented person: where they live, how frail they are, what they have, and what each setting wrote down about them.

use super::codes::{self, CONDITIONS};
use super::dice::{Dice, logistic};
use super::notes::Notes;
use super::world::World;

/// What becomes of a person by the as-of date; exactly one, so that counts have one right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Here,
    OptedOut,
    Died,
    Left,
    /// Registered from a day after the as-of date.
    NotYet,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::OptedOut => "opted_out",
            Self::Died => "died",
            Self::Left => "left",
            Self::NotYet => "not_yet",
        }
    }
}

/// A setting that writes down demographics for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorder {
    Gp,
    Acute,
    Urgent,
    Community,
    Social,
}

/// What one setting wrote down, in the codes of NHS data sets.
#[derive(Debug, Clone)]
pub struct Said {
    pub ethnicity: &'static str,
    pub sex: &'static str,
    pub language: &'static str,
    pub birth: Option<i32>,
    pub area: Option<usize>,
    pub practice: usize,
}

pub struct Person {
    pub index: u64,
    pub token: String,
    /// Earlier tokens, oldest first, with the day from which each was replaced.
    pub former: Vec<(i32, String)>,
    /// A token that no register knows, for rows about somebody passing through.
    pub stranger: String,
    pub birth: i32,
    pub age: f64,
    pub sex: &'static str,
    pub ethnicity: &'static str,
    pub language: &'static str,
    pub area: usize,
    pub decile: u8,
    pub practice: usize,
    pub frailty: f64,
    /// By condition: the day it was diagnosed.
    pub conditions: Vec<Option<i32>>,
    pub true_risk: f64,
    pub outcome: bool,
    pub status: Status,
    /// The day of death, of leaving or of joining.
    pub turning_day: Option<i32>,
    /// What settings write down beside.
    pub notes: Notes,
    said: [Said; 5],
}

impl Person {
    pub fn draw(index: u64, world: &World, dice: &mut Dice) -> Self {
        let token = dice.token();
        let practice = dice.below(world.practices.len() as u64) as usize;
        let area = world.area_of(practice, dice);
        let decile = world.decile(area);
        let age = draw_age(decile, dice);
        let birth = world.as_of - (age * 365.25) as i32 - 1;
        let sex = dice.weighted(&[("2", 5_040), ("1", 4_940), ("9", 20)]);
        let ethnicity = draw_ethnicity(decile, dice);
        let language = draw_language(ethnicity, dice);
        let deprived = (5.5 - f64::from(decile)) / 4.5;
        let frailty = 0.8 * dice.normal() + ((age - 40.0) / 25.0).clamp(-1.0, 2.4) + 0.25 * deprived;
        let conditions = draw_conditions(world.as_of, age, frailty, dice);
        let count = conditions.iter().flatten().count() as f64;
        let true_risk = logistic(-3.7 + 0.85 * frailty + 0.16 * count + if age < 2.0 { 1.2 } else { 0.0 });
        let outcome = dice.chance(true_risk);
        let (status, turning_day) = draw_status(world.as_of, birth, frailty, dice);
        let truth = Said { ethnicity, sex, language, birth: Some(birth), area: Some(area), practice };
        let unsaid =
            0.05 + 0.09 * deprived.max(0.0) + if sex == "1" && (16.0..40.0).contains(&age) { 0.1 } else { 0.0 };
        let said = [1.0, 1.4, 2.0, 1.6, 1.8].map(|factor| write_down(&truth, unsaid * factor, age, world, dice));
        let mut person = Self {
            index,
            token,
            former: Vec::new(),
            stranger: dice.token(),
            birth,
            age,
            sex,
            ethnicity,
            language,
            area,
            decile,
            practice,
            frailty,
            conditions,
            true_risk,
            outcome,
            status,
            turning_day,
            notes: Notes::default(),
            said,
        };
        person.former = draw_former(world.as_of, dice);
        person
    }

    pub fn said(&self, by: Recorder) -> &Said {
        let [gp, acute, urgent, community, social] = &self.said;
        match by {
            Recorder::Gp => gp,
            Recorder::Acute => acute,
            Recorder::Urgent => urgent,
            Recorder::Community => community,
            Recorder::Social => social,
        }
    }

    /// The token by which a row of that day was pseudonymised.
    pub fn token_on(&self, day: i32) -> &str {
        self.former.iter().find(|(changed, _)| day < *changed).map_or(self.token.as_str(), |(_, token)| token.as_str())
    }

    /// The date of birth on the register, which decides what was before it.
    pub fn register_birth(&self) -> Option<i32> {
        self.said(Recorder::Gp).birth
    }

    pub fn death(&self) -> Option<i32> {
        self.turning_day.filter(|_| self.status == Status::Died)
    }

    pub fn on_spine(&self) -> bool {
        self.status == Status::Here
    }

    /// The days on which care can have been given: from birth or so long ago, to death, leaving or yesterday.
    pub fn days(&self, as_of: i32, back: i32) -> (i32, i32) {
        let last = match (self.status, self.turning_day) {
            (Status::Died | Status::Left, Some(day)) => day - 1,
            _ => as_of - 1,
        };
        (self.birth.max(as_of - back), last)
    }

    /// The frailty index that half of the practices' systems work out for people of 65 and over, in ten thousandths.
    pub fn efi2(&self) -> Option<i64> {
        let computed = self.age >= 65.5 && self.practice.is_multiple_of(2);
        computed.then(|| ((0.06 + 0.055 * self.frailty.max(0.0)) * 10_000.0) as i64)
    }

    /// How much more care than usual.
    pub fn need(&self) -> f64 {
        super::dice::exp(0.55 * self.frailty.min(3.0)).min(6.0)
    }
}

fn draw_age(decile: u8, dice: &mut Dice) -> f64 {
    let young = 12 - u32::from(decile).min(10);
    let (low, width) = dice.weighted(&[
        ((0, 18), 190 + young),
        ((18, 22), 270 + 4 * young),
        ((40, 25), 330),
        ((65, 15), 140),
        ((80, 20), 55),
    ]);
    let share = dice.unit();
    // Few of the oldest band are near its end.
    let share = if low == 80 { share * share } else { share };
    f64::from(low) + share * f64::from(width)
}

fn draw_ethnicity(decile: u8, dice: &mut Dice) -> &'static str {
    let other = 3 + 2 * (10 - u32::from(decile.min(10)));
    let minority = [("B", 6), ("C", 30), ("D", 4), ("E", 3), ("F", 4), ("G", 5), ("H", 26), ("J", 22), ("K", 9)];
    let rest = [("L", 14), ("M", 10), ("N", 21), ("P", 5), ("R", 7), ("S", 14)];
    if dice.below(100) < u64::from(other + 8) {
        let all: Vec<_> = minority.iter().chain(&rest).copied().collect();
        dice.weighted(&all)
    } else {
        "A"
    }
}

fn draw_language(ethnicity: &str, dice: &mut Dice) -> &'static str {
    let (first, share) = match ethnicity {
        "C" => (["pl", "ro", "pt"], 0.55),
        "H" => (["gu", "pa", "hi"], 0.25),
        "J" => (["ur", "pa", "ur"], 0.35),
        "K" => (["bn", "bn", "bn"], 0.4),
        "N" => (["so", "yo", "fr"], 0.3),
        "R" => (["zh", "zh", "zh"], 0.4),
        "L" | "S" => (["ar", "fa", "ta"], 0.3),
        _ => (["en", "en", "en"], 0.0),
    };
    if dice.chance(share) { dice.pick(&first) } else { "en" }
}

fn draw_conditions(as_of: i32, age: f64, frailty: f64, dice: &mut Dice) -> Vec<Option<i32>> {
    let mut draw = |condition: &codes::Condition| {
        let logit = condition.base + condition.by_age * (age - 60.0) / 20.0 + 0.55 * frailty;
        let has = dice.chance(logistic(logit).min(0.75));
        let years = dice.unit() * 9.0_f64.min(age);
        (has && age >= condition.from_age).then(|| as_of - 1 - (years * 365.0) as i32)
    };
    CONDITIONS.iter().map(&mut draw).collect()
}

fn draw_status(as_of: i32, birth: i32, frailty: f64, dice: &mut Dice) -> (Status, Option<i32>) {
    let dies = logistic(-5.4 + 1.1 * frailty);
    let point = dice.unit();
    let day = dice.between((as_of - 540).max(birth + 1), as_of - 1);
    match point {
        x if x < dies => (Status::Died, Some(day)),
        x if x < dies + 0.032 => (Status::OptedOut, Some(day)),
        x if x < dies + 0.062 => (Status::Left, Some(day)),
        x if x < dies + 0.064 => (Status::NotYet, Some(as_of + dice.between(1, 60))),
        _ => (Status::Here, None),
    }
}

/// What one setting writes down: often nothing for some people, now and then something else than the others.
fn write_down(truth: &Said, unsaid: f64, age: f64, world: &World, dice: &mut Dice) -> Said {
    let mut said = truth.clone();
    let point = dice.unit();
    said.ethnicity = match point {
        x if x < unsaid => "",
        x if x < unsaid + 0.025 => "Z",
        x if x < unsaid + 0.04 => "99",
        x if x < unsaid + 0.05 && age > 25.0 => dice.pick(&codes::OUTDATED_ETHNICITY),
        x if x < unsaid + 0.054 => "?",
        x if x < unsaid + 0.084 => draw_ethnicity(5, dice),
        _ => truth.ethnicity,
    };
    said.sex = dice.weighted(&[(truth.sex, 9_930), ("", 30), ("0", 20), ("X", 10), ("2", 10)]);
    said.language = match truth.language {
        "en" => dice.weighted(&[("en", 80), ("", 20)]),
        own => dice.weighted(&[(own, 62), ("", 30), ("en", 6), ("q9", 2)]),
    };
    said.birth = match dice.unit() {
        x if x < 0.003 => None,
        x if x < 0.006 => truth.birth.map(|birth| birth - 31),
        _ => truth.birth,
    };
    said.area = match dice.unit() {
        x if x < 0.008 => None,
        x if x < 0.03 => Some(world.area_of(truth.practice, dice)),
        _ => truth.area,
    };
    if dice.chance(0.02) {
        said.practice = dice.below(world.practices.len() as u64) as usize;
    }
    said
}

/// One person in a hundred had another token before; a few of them two.
fn draw_former(as_of: i32, dice: &mut Dice) -> Vec<(i32, String)> {
    if !dice.chance(0.012) {
        return Vec::new();
    }
    let last = as_of - dice.between(40, 700);
    let mut former = vec![(last, dice.token())];
    if dice.chance(0.2) {
        former.insert(0, (last - dice.between(30, 300), dice.token()));
    }
    former
}
