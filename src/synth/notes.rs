//! What settings write down about a person beside the register's basics: often nothing, now and then something else.

use super::dice::Dice;
use super::person::Person;

/// Cells in the order of each layout's last columns.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    pub gp: [&'static str; 10],
    /// Carer support.
    pub hospital: &'static str,
    /// Accommodation, interpreter, accessible information.
    pub emergency: [&'static str; 3],
    /// Accommodation, disability.
    pub community: [&'static str; 2],
}

/// In place of a concept: only that a code was sent is read.
pub const ANY_CODE: &str = "999999999999999";

type Weighted<'a> = &'a [(&'static str, u32)];

const NOT_SAID: Weighted = &[("", 1)];
const NO_ANSWER: Weighted = &[("", 60), ("99", 20), ("Z", 8), ("U", 6), ("?", 6)];

impl Notes {
    pub fn draw(person: &Person, dice: &mut Dice) -> Self {
        let foreign = person.language != "en";
        let old = person.age > 65.0;
        let yes = |chance: f64, dice: &mut Dice| if dice.chance(chance) { "Y" } else { "N" };
        let interpreter = yes(if foreign { 0.6 } else { 0.01 }, dice);
        let information = yes(if old { 0.12 } else { 0.03 }, dice);
        let home = if dice.chance(0.002 * f64::from(11 - person.decile)) { "HM01" } else { "MA01" };
        let home = if old && dice.chance(0.06) { "CH03" } else { home };
        let disability =
            if dice.chance(0.1 + 0.05 * person.frailty.max(0.0)) { dice.pick(&["02", "05", "09", "XX"]) } else { "NN" };
        let carer = if dice.chance(0.1) { "01" } else { "02" };
        let alone = yes(if old { 0.34 } else { 0.1 }, dice);
        let register = yes(0.01, dice);
        let gender = if dice.chance(0.006) { "N" } else { "Y" };
        let orientation = dice.weighted(&[("1", 930), ("2", 30), ("3", 25), ("4", 15)]);
        let religion = dice.weighted(&[("C", 46), ("L", 37), ("G", 7), ("D", 2), ("I", 1), ("K", 2), ("B", 1)]);
        let gp = [
            said(gender, 0.3, &[("", 70), ("Z", 20), ("X", 10)], dice),
            said(orientation, 0.4, &[("", 60), ("U", 12), ("Z", 22), ("9", 6)], dice),
            said(religion, 0.35, &[("", 55), ("M", 15), ("N", 25), ("Q", 5)], dice),
            said(disability, 0.3, &[("", 80), ("ZZ", 14), ("11", 6)], dice),
            said(home, 0.4, &[("", 94), ("XX00", 6)], dice),
            said(carer, 0.3, &[("", 95), ("03", 5)], dice),
            said(alone, 0.35, NO_ANSWER, dice),
            said(register, 0.05, NO_ANSWER, dice),
            said(interpreter, 0.3, NO_ANSWER, dice),
            said(information, 0.45, NO_ANSWER, dice),
        ];
        let sometimes = |is: bool, dice: &mut Dice| {
            if is && dice.chance(0.7) { ANY_CODE } else { dice.weighted(&[("", 98), ("?", 2)]) }
        };
        let shelter = match home {
            "HM01" => "32911000",
            "CH03" => "160734000",
            _ => "224221006",
        };
        let moved = if dice.chance(0.04) { "HM04" } else { home };
        Self {
            gp,
            hospital: said(carer, 0.4, NOT_SAID, dice),
            emergency: [
                said(shelter, 0.6, &[("", 95), ("0", 5)], dice),
                sometimes(interpreter == "Y", dice),
                sometimes(information == "Y", dice),
            ],
            community: [
                said(moved, 0.4, NOT_SAID, dice),
                said(if dice.chance(0.05) { "NN" } else { disability }, 0.3, &[("", 90), ("ZZ", 10)], dice),
            ],
        }
    }
}

/// The truth, or what stands there in its place.
fn said(truth: &'static str, unsaid: f64, otherwise: Weighted, dice: &mut Dice) -> &'static str {
    if dice.chance(unsaid) { dice.weighted(otherwise) } else { truth }
}
