//! By what a count is shown: a table of presets.

use std::fmt;

/// Named in `[publish] disclosure`.
pub use crate::pipeline::decl::DisclosureRule as Rule;

/// What may be shown of a count, a share or a figure.
#[derive(Clone, Copy)]
pub struct Disclosed {
    shown: Shown,
    /// A count; otherwise worked out from counts.
    is_count: bool,
    /// The count itself, for what must be hidden beside it; neither printed nor compared.
    count: Option<u64>,
}

impl fmt::Debug for Disclosed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.shown)
    }
}

impl PartialEq for Disclosed {
    fn eq(&self, other: &Self) -> bool {
        (self.shown, self.is_count) == (other.shown, other.is_count)
    }
}

impl Eq for Disclosed {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Suppressed,
    Count(u64),
    /// Tenths of a percent.
    Share(u64),
    /// Thousandths of a figure that is no count.
    Figure(i64),
    /// A share of nobody.
    Undefined,
}

/// What a preset does.
#[derive(Debug, Clone, Copy)]
struct Preset {
    /// The smallest count above 0 that is shown.
    smallest: u64,
    zero_is_shown: bool,
    /// Counts are shown as a multiple of this.
    rounded_to: u64,
}

/// Of a base below this it is not told that none of it, or all of it, is something.
const SMALL_BASE: u64 = 20;

impl Rule {
    fn preset(self) -> Preset {
        let preset = |smallest, zero_is_shown, rounded_to| Preset { smallest, zero_is_shown, rounded_to };
        match self {
            Self::Hes2018 => preset(8, true, 5),
            Self::Mhsds => preset(5, true, 5),
            Self::OpenSafely => preset(8, false, 5),
            Self::Below5 => preset(5, true, 1),
            Self::Threshold10 => preset(10, true, 1),
        }
    }

    /// As a run file names it.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// In words, for readers of the tables.
    pub fn words(self) -> String {
        let Preset { smallest, zero_is_shown, rounded_to } = self.preset();
        let from = if zero_is_shown { 1 } else { 0 };
        let others = match rounded_to {
            1 => "other counts as they are".to_owned(),
            base => format!("other counts to the nearest {base}, shares from the rounded counts"),
        };
        format!("{from} to {} are shown as *, {others}", smallest - 1)
    }

    /// What a count that is not shown can be, in words.
    pub fn hidden(self) -> String {
        format!("fewer than {}, or gives such a number away", self.preset().smallest)
    }

    /// A small count is not shown, and the rest is rounded where the rule rounds.
    pub fn count(self, n: u64) -> Disclosed {
        counted(self.shown(n).map_or(Shown::Suppressed, Shown::Count), Some(n))
    }

    /// A count within a group of `whole`: of a group too small to count no part is shown, not even that it is nobody. Where
    /// counts are not rounded, neither is a part that leaves a small rest.
    pub fn part(self, n: u64, whole: u64) -> Disclosed {
        let rest = whole.saturating_sub(n);
        let small_rest = self.preset().rounded_to == 1 && self.shown(rest).is_none();
        let is_hidden = self.shown(whole).is_none() || small_rest;
        if is_hidden { self.count(n).hidden() } else { self.count(n) }
    }

    /// Percent with one decimal, from the counts as they are shown; suppressed if either is, or if it would say of a small
    /// group that it is nobody or everybody.
    pub fn share(self, numerator: u64, denominator: u64) -> Disclosed {
        let (Some(part), Some(whole)) = (self.shown(numerator), self.shown(denominator)) else {
            return derived(Shown::Suppressed);
        };
        if whole == 0 {
            return derived(Shown::Undefined);
        }
        if self.part(numerator, denominator).is_suppressed() || (whole < SMALL_BASE && (part == 0 || part >= whole)) {
            return derived(Shown::Suppressed);
        }
        let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
        derived(Shown::Share(u64::try_from(tenths).unwrap_or(u64::MAX)))
    }

    /// A figure with three decimals, such as a mean or an area under a curve; suppressed if any count that stands behind it is.
    pub fn figure(self, value: f64, behind: &[u64]) -> Disclosed {
        if behind.iter().any(|count| self.shown(*count).is_none()) {
            return derived(Shown::Suppressed);
        }
        Disclosed::computed(Some(value))
    }

    /// The count as it is shown, for what is computed of counts; none where it is suppressed.
    pub fn rounded(self, n: u64) -> Option<u64> {
        self.shown(n)
    }

    fn shown(self, n: u64) -> Option<u64> {
        let Preset { smallest, zero_is_shown, rounded_to } = self.preset();
        match n {
            0 => zero_is_shown.then_some(0),
            small if small < smallest => None,
            _ => Some(n.saturating_add(rounded_to / 2) / rounded_to * rounded_to),
        }
    }

    /// The counts that are shown as this one: the least and the greatest.
    pub fn behind(self, shown: u64) -> [u64; 2] {
        let Preset { smallest, rounded_to, .. } = self.preset();
        if shown == 0 {
            return [0, 0];
        }
        [shown.saturating_sub(rounded_to / 2).max(smallest), shown.saturating_add(rounded_to / 2)]
    }

    pub(super) fn rounds(self) -> bool {
        self.preset().rounded_to > 1
    }

    /// Counts below this were hidden, or would have been with a few people less.
    pub(super) fn clear_from(self) -> u64 {
        self.preset().smallest + 5
    }
}

fn counted(shown: Shown, count: Option<u64>) -> Disclosed {
    Disclosed { shown, is_count: true, count }
}

fn derived(shown: Shown) -> Disclosed {
    Disclosed { shown, is_count: false, count: None }
}

impl Disclosed {
    /// A figure, with three decimals, that is computed from what is shown alone; none where that does not say it.
    pub(crate) fn computed(value: Option<f64>) -> Self {
        let Some(value) = value else { return derived(Shown::Suppressed) };
        let thousandths = (value * 1000.0).round();
        // Figures are small: a greater one than fits is none.
        let fits = thousandths.is_finite() && thousandths.abs() < 1e15;
        derived(if fits { Shown::Figure(thousandths as i64) } else { Shown::Undefined })
    }

    /// A count as an earlier table shows it; none of what is no count.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "*" => Some(counted(Shown::Suppressed, None)),
            number => number.parse().ok().map(|number| counted(Shown::Count(number), None)),
        }
    }

    /// The count itself, as far as this run counted it.
    pub(super) fn behind(self) -> Option<u64> {
        self.count
    }

    pub(super) fn hidden(self) -> Self {
        Self { shown: Shown::Suppressed, ..self }
    }

    pub(super) fn is_count(self) -> bool {
        self.is_count
    }

    pub fn is_suppressed(self) -> bool {
        self.shown == Shown::Suppressed
    }

    /// The count that is shown; none where it is not, and of what is no count.
    pub fn shown_count(self) -> Option<u64> {
        match self.shown {
            Shown::Count(count) => Some(count),
            _ => None,
        }
    }
}

impl fmt::Display for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            Shown::Suppressed => f.write_str("*"),
            Shown::Count(count) => write!(f, "{count}"),
            Shown::Share(tenths) => write!(f, "{}.{}", tenths / 10, tenths % 10),
            Shown::Figure(thousandths) => {
                let sign = if thousandths < 0 { "-" } else { "" };
                let size = thousandths.unsigned_abs();
                write!(f, "{sign}{}.{:03}", size / 1000, size % 1000)
            }
            Shown::Undefined => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked values of the two published methodologies: count, HES and ECDS 2018, MHSDS.
    const WORKED: [(u64, &str, &str); 18] = [
        (0, "0", "0"),
        (1, "*", "*"),
        (4, "*", "*"),
        (5, "*", "5"),
        (6, "*", "5"),
        (7, "*", "5"),
        (8, "10", "10"),
        (11, "10", "10"),
        (12, "10", "10"),
        (13, "15", "15"),
        (17, "15", "15"),
        (18, "20", "20"),
        (22, "20", "20"),
        (23, "25", "25"),
        (97, "95", "95"),
        (98, "100", "100"),
        (102, "100", "100"),
        (103, "105", "105"),
    ];

    #[test]
    fn counts_are_shown_as_published() {
        for (count, hes, mhsds) in WORKED {
            assert_eq!(Rule::Hes2018.count(count).to_string(), hes, "{count} by hes-2018");
            assert_eq!(Rule::Mhsds.count(count).to_string(), mhsds, "{count} by mhsds");
        }
    }

    #[test]
    fn every_count_shown_is_zero_or_a_multiple_of_five_that_hides_the_small() {
        for rule in [Rule::Hes2018, Rule::Mhsds] {
            for count in 0..2000_u64 {
                match rule.count(count).shown {
                    Shown::Suppressed => assert!(count > 0 && count < 8),
                    Shown::Count(shown) => assert!(shown % 5 == 0 && shown.abs_diff(count) <= 2),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_share_comes_from_rounded_counts() {
        let hes = |part, whole| Rule::Hes2018.share(part, whole).to_string();
        assert_eq!(hes(12, 103), "9.5"); // 10 of 105
        assert_eq!(hes(8, 9), "*"); // 10 of 10, and a small group
        assert_eq!(hes(20, 20), "100.0");
        assert_eq!(hes(0, 50), "0.0");
        assert_eq!(hes(7, 50), "*");
        assert_eq!(hes(0, 7), "*");
        assert_eq!(hes(0, 0), "");
        assert_eq!(hes(u64::MAX, u64::MAX), "100.0");
        assert_eq!(Rule::Mhsds.share(5, 50).to_string(), "10.0");
        assert_eq!(Rule::Mhsds.share(4, 50).to_string(), "*");
        assert_eq!(Rule::Mhsds.share(10, 15).to_string(), "66.7");
    }

    #[test]
    fn a_figure_is_shown_when_every_count_behind_it_is() {
        let hes = |value: f64, behind: &[u64]| Rule::Hes2018.figure(value, behind).to_string();
        assert_eq!(hes(0.730_893, &[400, 122]), "0.731");
        assert_eq!(hes(-0.0126, &[400]), "-0.013");
        assert_eq!(hes(-12.0, &[0]), "-12.000");
        assert_eq!(hes(0.5, &[400, 7]), "*");
        assert_eq!(hes(f64::NAN, &[400]), "");
    }
}
