//! One delivered cell becomes one value, or breaks a rule.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::calendar;
use crate::codelist;
use crate::pipeline::decl::{CodeSystem, ColumnDecl, ColumnType};

/// What a bad cell broke; never holds the cell.
pub type Rule = Cow<'static, str>;

/// The cell without surrounding white space; none when it stands for "nothing was recorded".
pub fn present<'a>(cell: &'a str, blank_values: &[String]) -> Option<&'a str> {
    let cell = cell.trim();
    let blank = cell.is_empty()
        || cell.eq_ignore_ascii_case("null")
        || blank_values.iter().any(|blank| cell.eq_ignore_ascii_case(blank));
    (!blank).then_some(cell)
}

/// How a text-like cell is normalised.
#[derive(Debug)]
pub enum TextRule {
    Text,
    Pseudonym,
    Code(CodeSystem),
    Category { map: HashMap<String, String>, otherwise: Option<String> },
}

impl TextRule {
    /// The rule of a declared column; none for numbers, dates and booleans.
    pub fn of(decl: &ColumnDecl) -> Option<Self> {
        match decl.kind {
            ColumnType::Text => Some(Self::Text),
            ColumnType::Pseudonym => Some(Self::Pseudonym),
            ColumnType::Code => decl.system.map(Self::Code),
            ColumnType::Category => {
                let pairs = decl.map.iter().flat_map(|(category, values)| {
                    values.iter().map(move |value| (value.trim().to_owned(), category.clone()))
                });
                Some(Self::Category { map: pairs.collect(), otherwise: decl.otherwise.clone() })
            }
            _ => None,
        }
    }

    /// `cell` is trimmed and not blank.
    pub fn apply<'a>(&'a self, cell: &'a str) -> Result<Cow<'a, str>, Rule> {
        match self {
            Self::Text => match cell.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
                true => Err("control character".into()),
                false => Ok(cell.into()),
            },
            Self::Pseudonym => {
                if !cell.bytes().all(|byte| byte.is_ascii_graphic()) {
                    Err("malformed token".into())
                } else if cell.bytes().all(|byte| byte == b'0') {
                    Err("blank token".into())
                } else {
                    Ok(cell.into())
                }
            }
            Self::Code(system) => {
                codelist::normalise(*system, cell).ok_or_else(|| format!("not a {} code", system_name(*system)).into())
            }
            Self::Category { map, otherwise } => match map.get(cell).or(otherwise.as_ref()) {
                Some(category) => Ok(category.as_str().into()),
                None => Err("not in the map".into()),
            },
        }
    }
}

fn system_name(system: CodeSystem) -> &'static str {
    match system {
        CodeSystem::Icd10 => "ICD-10",
        CodeSystem::Icd9 => "ICD-9",
        CodeSystem::Snomed => "SNOMED CT",
        CodeSystem::Ctv3 => "CTV3",
        CodeSystem::Opcs4 => "OPCS-4",
        CodeSystem::Dmd => "dm+d",
        CodeSystem::Bnf => "BNF",
        CodeSystem::Loinc => "LOINC",
        CodeSystem::Ods => "ODS",
        CodeSystem::Lsoa => "LSOA",
        CodeSystem::Local => "local code",
    }
}

/// A whole number in text.
pub fn integer(cell: &str) -> Result<i64, Rule> {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => cell.parse().map_err(|_| "too large a number".into()),
        false => Err("not a whole number".into()),
    }
}

/// A decimal in text as an integer of `10^-places`; further digits are rounded half to even.
pub fn decimal(cell: &str, places: u8) -> Result<i128, Rule> {
    const WRONG: &str = "not a number";
    let (mantissa, exponent) = match cell.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| WRONG)?),
        None => (cell, 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || !(-40..=40).contains(&exponent) {
        return Err(WRONG.into());
    }
    // Position of the decimal point in `digits` after shifting by the exponent and by the places kept.
    let fraction_digits = i32::try_from(fraction.len()).map_err(|_| WRONG)?;
    let surplus = fraction_digits - exponent - i32::from(places);
    let keep = i32::try_from(digits.len()).map_err(|_| WRONG)? - surplus.max(0);
    let (kept, dropped) = digits.split_at(usize::try_from(keep.max(0)).unwrap_or(0).min(digits.len()));
    let mut value: i128 = 0;
    for digit in kept {
        value =
            value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit - b'0'))).ok_or("too large a number")?;
    }
    for _ in 0..(-surplus).max(0) {
        value = value.checked_mul(10).ok_or("too large a number")?;
    }
    if keep >= 0 && rounds_up(dropped, value % 2 == 1) {
        value += 1;
    }
    if value >= 10_i128.pow(18) {
        return Err("too large a number".into());
    }
    Ok(if negative { -value } else { value })
}

fn rounds_up(dropped: &[u8], odd: bool) -> bool {
    match dropped.split_first() {
        None => false,
        Some((first, rest)) => match first.cmp(&b'5') {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => odd || rest.iter().any(|digit| *digit != b'0'),
        },
    }
}

/// How dates and datetimes are written in one column.
#[derive(Debug)]
pub struct DateRule {
    formats: Vec<String>,
    placeholders: Vec<Date>,
    not_before: Option<Date>,
    not_after: Option<Date>,
    london: TimeZone,
    /// The days that are allowed, but for the placeholders among them.
    plain: RangeInclusive<i32>,
    placeholder_days: Vec<i32>,
}

impl DateRule {
    pub fn of(decl: &ColumnDecl) -> Self {
        let formats = decl.format.as_ref().map(|formats| formats.as_slice().to_vec()).unwrap_or_default();
        let placeholders = match &decl.placeholders {
            Some(dates) => dates.iter().filter_map(|date| date.parse().ok()).collect(),
            None => vec![Date::constant(1900, 1, 1), Date::constant(9999, 12, 31)],
        };
        // At the ends of the calendar not every instant is a date.
        let first = calendar::epoch_days(decl.not_before.unwrap_or(Date::MIN)).max(calendar::epoch_days(Date::MIN) + 2);
        let last = calendar::epoch_days(decl.not_after.unwrap_or(Date::MAX)).min(calendar::epoch_days(Date::MAX) - 2);
        Self {
            formats,
            plain: first..=last,
            placeholder_days: placeholders.iter().map(|date| calendar::epoch_days(*date)).collect(),
            placeholders,
            not_before: decl.not_before,
            not_after: decl.not_after,
            london: TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC),
        }
    }

    pub fn date(&self, cell: &str) -> Result<Option<Date>, Rule> {
        let date = if self.formats.is_empty() {
            iso_date(cell)
        } else {
            self.formats.iter().find_map(|format| Some(self.formatted(format, cell)?.date()))
        };
        self.judge(date.ok_or("not a date")?)
    }

    pub fn datetime(&self, cell: &str) -> Result<Option<DateTime>, Rule> {
        let datetime = if self.formats.is_empty() {
            self.iso_datetime(cell)
        } else {
            self.formats.iter().find_map(|format| self.formatted(format, cell))
        };
        let datetime = datetime.ok_or("not a date and time")?;
        Ok(self.judge(datetime.date())?.map(|_| datetime))
    }

    /// An instant as civil London time.
    pub fn instant(&self, instant: Timestamp) -> DateTime {
        self.london.to_datetime(instant)
    }

    /// Whether [`Self::judge`] would surely let a day pass.
    pub fn is_plain(&self, day: i32) -> bool {
        self.plain.contains(&day) && !self.placeholder_days.contains(&day)
    }

    /// None for a placeholder; an error outside the declared range.
    pub fn judge(&self, date: Date) -> Result<Option<Date>, Rule> {
        if self.placeholders.contains(&date) {
            return Ok(None);
        }
        if let Some(first) = self.not_before.filter(|first| date < *first) {
            return Err(format!("before {first}").into());
        }
        if let Some(last) = self.not_after.filter(|last| date > *last) {
            return Err(format!("after {last}").into());
        }
        Ok(Some(date))
    }

    fn iso_datetime(&self, cell: &str) -> Option<DateTime> {
        if let Ok(instant) = cell.parse::<Timestamp>() {
            return Some(self.instant(instant));
        }
        cell.parse().ok()
    }

    fn formatted(&self, format: &str, cell: &str) -> Option<DateTime> {
        let parts = BrokenDownTime::parse(format, cell).ok()?;
        match parts.offset() {
            Some(_) => Some(self.instant(parts.to_timestamp().ok()?)),
            None => parts
                .to_datetime()
                .ok()
                .or_else(|| Some(parts.to_date().ok()?.to_datetime(jiff::civil::Time::midnight()))),
        }
    }
}

/// `2026-01-31` and nothing else.
fn iso_date(cell: &str) -> Option<Date> {
    let bytes = cell.as_bytes();
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return None };
    let number = |digits: &[&u8]| -> Option<i16> {
        digits.iter().try_fold(0_i16, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i16::from(**digit - b'0')))
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Seconds since 1970-01-01 of a civil time, as Arrow's zoneless timestamps count them.
pub fn civil_seconds(datetime: DateTime) -> i64 {
    let time = datetime.time();
    i64::from(calendar::epoch_days(datetime.date())) * 86_400
        + i64::from(time.hour()) * 3_600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_places_and_round_half_to_even() {
        let cases = [
            ("1", 4, Ok(10_000)),
            ("-1.5", 2, Ok(-150)),
            ("0.00005", 4, Ok(0)),
            ("0.00015", 4, Ok(2)),
            ("0.000050001", 4, Ok(1)),
            ("12.34565", 4, Ok(123_456)),
            ("1.5e1", 2, Ok(1_500)),
            ("1e-3", 2, Ok(0)),
            ("6e-3", 2, Ok(1)),
            ("5e-9", 2, Ok(0)),
            (".5", 0, Ok(0)),
            ("1.5", 0, Ok(2)),
            ("", 2, Err("not a number".into())),
            ("NaN", 2, Err("not a number".into())),
            ("inf", 2, Err("not a number".into())),
            ("1,5", 2, Err("not a number".into())),
            ("99999999999999999999", 2, Err("too large a number".into())),
        ];
        for (cell, places, expected) in cases {
            assert_eq!(decimal(cell, places), expected, "{cell}");
        }
    }

    #[test]
    fn dates_are_exact() {
        let rule = DateRule::of(&ColumnDecl::default());
        assert_eq!(rule.date("2026-02-28"), Ok(Some(Date::constant(2026, 2, 28))));
        for wrong in ["2026-02-30", "30/02/2026", "2026-2-3", "2026-02-28T00:00:00", "2026-02-28 "] {
            assert!(rule.date(wrong).is_err(), "{wrong}");
        }
        assert_eq!(rule.date("1900-01-01"), Ok(None));
        assert_eq!(rule.date("9999-12-31"), Ok(None));
    }

    #[test]
    fn blanks_are_recognised() {
        let blanks = ["", "  ", "NULL", "null", "\u{a0}", "n/a"];
        let declared = ["N/A".to_owned()];
        assert!(blanks.iter().all(|cell| present(cell, &declared).is_none()));
        assert_eq!(present(" 0 ", &declared), Some("0"));
    }

    #[test]
    fn tokens_of_zeros_or_with_spaces_are_refused() {
        let rule = TextRule::Pseudonym;
        for wrong in ["0", "0000000000", "ab cd", "a\u{a0}b", "é", "a\u{0}"] {
            assert!(rule.apply(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(rule.apply("00a"), Ok("00a".into()));
    }
}
