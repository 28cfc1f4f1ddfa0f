//! Counts that may leave the building.
//!
//! A number reaches `aggregate/` only as a `Disclosed`, and only a `Rule` makes one; a raw count does not compile:
//!
//! ```
//! use riskstrat::disclosure::{AggregateTable, Cell, Label, Rule};
//!
//! let mut table = AggregateTable::new("recording_gaps", ["item", "people"]);
//! table.row([Cell::Text(Label::new("ethnicity")), Cell::Count(Rule::Hes2018.count(12))])?;
//! # Ok::<(), riskstrat::error::Error>(())
//! ```
//!
//! ```compile_fail,E0308
//! use riskstrat::disclosure::{AggregateTable, Cell, Label};
//!
//! let mut table = AggregateTable::new("recording_gaps", ["item", "people"]);
//! let people: u64 = 12;
//! table.row([Cell::Text(Label::new("ethnicity")), Cell::Count(people)])?;
//! # Ok::<(), riskstrat::error::Error>(())
//! ```

use std::fmt;

use crate::error::{Error, Result};

/// By what a count is shown; named in `[publish] disclosure`.
pub use crate::pipeline::decl::DisclosureRule as Rule;

/// What may be shown of a count or a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disclosed(Shown);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Suppressed,
    /// A multiple of [`ROUNDED_TO`].
    Count(u64),
    /// Tenths of a percent.
    Share(u64),
    /// Thousandths of a figure that is no count.
    Figure(i64),
    /// A share of nobody.
    Undefined,
}

const ROUNDED_TO: u64 = 5;

impl Rule {
    /// 0 is shown, a small count is not, and the rest is rounded.
    pub fn count(self, n: u64) -> Disclosed {
        Disclosed(self.shown(n).map_or(Shown::Suppressed, Shown::Count))
    }

    /// A count within a group of `whole`: of a group too small to count, no part is shown, not even that it is nobody.
    pub fn part(self, n: u64, whole: u64) -> Disclosed {
        if self.shown(whole).is_none() { Disclosed(Shown::Suppressed) } else { self.count(n) }
    }

    /// Percent with one decimal, from the rounded counts; suppressed if either count is.
    pub fn share(self, numerator: u64, denominator: u64) -> Disclosed {
        let (Some(part), Some(whole)) = (self.shown(numerator), self.shown(denominator)) else {
            return Disclosed(Shown::Suppressed);
        };
        if whole == 0 {
            return Disclosed(Shown::Undefined);
        }
        let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
        Disclosed(Shown::Share(u64::try_from(tenths).unwrap_or(u64::MAX)))
    }

    /// A figure with three decimals, such as a mean or an area under a curve; suppressed if any count that stands behind it is.
    pub fn figure(self, value: f64, behind: &[u64]) -> Disclosed {
        if behind.iter().any(|count| self.shown(*count).is_none()) {
            return Disclosed(Shown::Suppressed);
        }
        let thousandths = (value * 1000.0).round();
        // Figures are small: a greater one than fits is none.
        let fits = thousandths.is_finite() && thousandths.abs() < 1e15;
        Disclosed(if fits { Shown::Figure(thousandths as i64) } else { Shown::Undefined })
    }

    /// The count as it is shown, for what is computed of counts; none where it is suppressed.
    pub fn rounded(self, n: u64) -> Option<u64> {
        self.shown(n)
    }

    fn shown(self, n: u64) -> Option<u64> {
        if n != 0 && n < self.smallest_shown() {
            return None;
        }
        Some(n.saturating_add(ROUNDED_TO / 2) / ROUNDED_TO * ROUNDED_TO)
    }

    /// The smallest count above 0 that is shown.
    fn smallest_shown(self) -> u64 {
        match self {
            Self::Hes2018 => 8,
            Self::Mhsds => 5,
        }
    }
}

impl fmt::Display for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
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

/// A declared name or category: an item, a state, a group, an organisation. Never a row's free text; the publish gate
/// refuses one that holds a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A cell of an aggregate table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(Label),
    /// A count or a share.
    Count(Disclosed),
    /// Nothing to say here, for example the total of a category.
    Empty,
}

/// The only thing that is published as `aggregate/<name>.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateTable {
    name: String,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl AggregateTable {
    pub fn new<H: Into<String>>(name: impl Into<String>, header: impl IntoIterator<Item = H>) -> Self {
        Self { name: name.into(), header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row as wide as the header.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<()> {
        let cells: Vec<Cell> = cells.into_iter().collect();
        if cells.len() != self.header.len() {
            let (has, wants) = (cells.len(), self.header.len());
            return Err(Error::Fault(format!(
                "aggregate table {}: a row of {has} cells under {wants} headings",
                self.name
            )));
        }
        self.rows.push(cells);
        Ok(())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
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
                match rule.count(count).0 {
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
        assert_eq!(hes(8, 9), "100.0");
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

    #[test]
    fn a_row_is_as_wide_as_its_header() {
        let mut table = AggregateTable::new("t", ["a", "b"]);
        assert!(table.row([Cell::Empty]).is_err());
        assert!(table.row([Cell::Empty, Cell::Empty]).is_ok());
    }
}
