//! One spelling for each code, whoever recorded it.
//!
//! Conform and the code lists go through the same function, so that they meet. A code that cannot be one of its system
//! is none: it is never guessed at.

use std::borrow::Cow;

use super::Matching;
use crate::pipeline::decl::CodeSystem;

/// The one spelling of a recorded code; none when it cannot be a code of the system.
pub fn normalise(system: CodeSystem, raw: &str) -> Option<Cow<'_, str>> {
    let raw = raw.trim();
    match system {
        CodeSystem::Icd10 => icd10(raw),
        CodeSystem::Icd9 => check(squeezed(raw), is_icd9),
        CodeSystem::Opcs4 => check(squeezed(raw), is_opcs4),
        CodeSystem::Snomed | CodeSystem::Dmd => check(Cow::Borrowed(raw), is_sctid),
        CodeSystem::Ctv3 => check(Cow::Borrowed(raw), is_ctv3),
        CodeSystem::Bnf => check(upper(raw), |c| (4..=15).contains(&c.len()) && alphanumeric(c)),
        CodeSystem::Loinc => check(Cow::Borrowed(raw), is_loinc),
        CodeSystem::Ods => check(upper(raw), |c| (3..=10).contains(&c.len()) && alphanumeric(c)),
        CodeSystem::Lsoa => check(upper(raw), is_lsoa),
        CodeSystem::Local => check(Cow::Borrowed(raw), |c| !c.is_empty()),
    }
}

/// A code as a list writes it: in a list matched by prefix, a chapter or block (`I2`, `F0`) will do.
pub(super) fn listed(system: CodeSystem, matching: Matching, raw: &str) -> Option<String> {
    if let Some(code) = normalise(system, raw) {
        return Some(code.into_owned());
    }
    if matching == Matching::Exact {
        return None;
    }
    let raw = raw.trim();
    let code = match system {
        CodeSystem::Ctv3 => raw.to_owned(),
        _ => squeezed(raw).into_owned(),
    };
    let begins = match system {
        CodeSystem::Icd10 | CodeSystem::Opcs4 => letter_and_digits(&code, 0..=3),
        CodeSystem::Icd9 => code.len() <= 5 && alphanumeric(&code),
        CodeSystem::Ctv3 => code.len() <= 5 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'),
        CodeSystem::Bnf => code.len() <= 15 && alphanumeric(&code),
        CodeSystem::Ods | CodeSystem::Lsoa => code.len() <= 10 && alphanumeric(&code),
        CodeSystem::Snomed | CodeSystem::Dmd | CodeSystem::Loinc | CodeSystem::Local => false,
    };
    (begins && !code.is_empty()).then_some(code)
}

fn check(code: Cow<'_, str>, rule: impl Fn(&str) -> bool) -> Option<Cow<'_, str>> {
    rule(&code).then_some(code)
}

/// Undotted upper case. Hospital systems add fillers and markers: `I50X`, `I50.0D` (dagger), `I50.0A` (asterisk),
/// `I50-`, and a site in fifth place behind a filler (`M45X2`), which is left out with it.
fn icd10(raw: &str) -> Option<Cow<'_, str>> {
    let code = squeezed(raw);
    let marked = code.trim_end_matches(['†', '*', '+', '-']);
    let marked = if marked.len() > 4 { marked.trim_end_matches(['D', 'A']) } else { marked };
    let plain = match marked.as_bytes() {
        [_, _, _, b'X'] => marked.get(..3)?,
        [_, _, _, b'X', site] if site.is_ascii_digit() => marked.get(..3)?,
        _ => marked,
    };
    if !letter_and_digits(plain, 2..=4) {
        return None;
    }
    let length = plain.len();
    Some(match code {
        Cow::Borrowed(code) => Cow::Borrowed(code.get(..length)?),
        Cow::Owned(mut code) => {
            code.truncate(length);
            Cow::Owned(code)
        }
    })
}

fn letter_and_digits(code: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    let Some((first, rest)) = code.as_bytes().split_first() else { return false };
    first.is_ascii_uppercase() && digits.contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
}

fn is_icd9(code: &str) -> bool {
    let digits = |code: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
    };
    match code.as_bytes().first() {
        Some(b'V') => digits(code.get(1..).unwrap_or_default(), 2..=4),
        Some(b'E') => digits(code.get(1..).unwrap_or_default(), 3..=5),
        _ => digits(code, 3..=5),
    }
}

fn is_opcs4(code: &str) -> bool {
    letter_and_digits(code, 2..=3)
}

fn is_ctv3(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

fn is_loinc(code: &str) -> bool {
    let Some((number, digit)) = code.split_once('-') else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (1..=7).contains(&number.len()) && digits(number) && digit.len() == 1 && digits(digit)
}

/// England and Wales, Scotland (data zones), Northern Ireland.
fn is_lsoa(code: &str) -> bool {
    let digits = |from: usize| code.bytes().skip(from).all(|b| b.is_ascii_digit());
    match code.get(..3) {
        Some("E01" | "W01" | "S01" | "N20" | "N21") => code.len() == 9 && digits(3),
        Some(start) if start.starts_with("95") => code.len() == 8 && code.bytes().all(|b| b.is_ascii_alphanumeric()),
        _ => false,
    }
}

/// A SNOMED CT identifier: 6 to 18 digits, no leading zero, Verhoeff check digit last.
fn is_sctid(code: &str) -> bool {
    (6..=18).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_digit())
        && !code.starts_with('0')
        && verhoeff(code) == 0
}

/// 0 when the last digit checks the others (dihedral group D5, permutation by position).
fn verhoeff(digits: &str) -> u8 {
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    digits.bytes().rev().enumerate().fold(0, |check, (position, digit)| {
        let mut digit = digit - b'0';
        for _ in 0..position % 8 {
            digit = PERMUTE.get(usize::from(digit)).copied().unwrap_or(digit);
        }
        multiply(check, digit)
    })
}

/// In D5, rotations are 0 to 4 and reflections 5 to 9.
fn multiply(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

fn alphanumeric(code: &str) -> bool {
    code.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn upper(raw: &str) -> Cow<'_, str> {
    if raw.bytes().any(|b| b.is_ascii_lowercase()) { Cow::Owned(raw.to_ascii_uppercase()) } else { Cow::Borrowed(raw) }
}

/// Upper case, without dots and spaces.
fn squeezed(raw: &str) -> Cow<'_, str> {
    if raw.contains(['.', ' ']) {
        return Cow::Owned(raw.replace(['.', ' '], "").to_ascii_uppercase());
    }
    upper(raw)
}
