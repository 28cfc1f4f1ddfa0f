//! Tables that may leave the building, and what in them adds up.

use hashbrown::{HashMap, HashSet};

use super::rule::Disclosed;
use crate::error::{Error, Result};

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

impl Cell {
    pub fn text(text: &str) -> Self {
        Self::Text(Label::new(text))
    }

    fn as_text(&self) -> &str {
        match self {
            Self::Text(label) => label.as_str(),
            Self::Count(_) | Self::Empty => "",
        }
    }
}

/// The only thing that is published as `aggregate/<name>.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateTable {
    name: String,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
    identities: Vec<Identity>,
    /// Counts of single rows that are counts of other tables too.
    equal: Vec<Equation>,
    sums: Vec<Sum>,
}

/// What identifies a count: the same people counted in two tables are one count.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    column: usize,
    what: String,
    by: Vec<usize>,
}

/// Counts that add up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
    column: usize,
    /// The column of groups that are summed; none where the one count is a part of the other.
    over: Option<usize>,
    to: To,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    /// The same column, where these columns have these values.
    Row(Vec<(usize, String)>),
    /// Another column of the same row.
    Column(usize),
}

/// To what counts add up.
#[derive(Debug, Clone, Copy)]
pub enum Whole<'a> {
    /// The same column in the row of these values, for example `[("split", "everyone"), ("group", "everyone")]`.
    Row(&'a [(&'a str, &'a str)]),
    /// Another column of the same row.
    Column(&'a str),
}

/// A count of a table: which one it is, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(String);

impl Key {
    /// Of a count that no table holds.
    pub(super) fn unpublished(number: usize) -> Self {
        Self(format!("{SEPARATOR}{number}"))
    }
}

/// The name of a count by values, as [`AggregateTable::counts`] makes it of columns.
pub fn counted(what: &str, values: &[&str]) -> String {
    values.iter().fold(what.to_owned(), |name, value| name + SEPARATOR + value)
}

/// Between the parts of a count's name; no label holds it.
const SEPARATOR: &str = "\u{1f}";

/// One sum of a table: the parts, and the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Equation {
    pub whole: Key,
    pub parts: Vec<Key>,
    /// Something more that is not published may be among the parts.
    pub open: bool,
}

impl AggregateTable {
    pub fn new<H: Into<String>>(name: impl Into<String>, header: impl IntoIterator<Item = H>) -> Self {
        Self {
            name: name.into(),
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            identities: Vec::new(),
            equal: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// A column counts `what` by these columns, here as in every table that says so; otherwise a count is this table's own.
    #[must_use]
    pub fn counts(mut self, column: &str, what: &str, by: &[&str]) -> Self {
        self.identities.extend(self.identity(column, what, by));
        self
    }

    /// The counts of a column add up to a whole over the values of another column.
    #[must_use]
    pub fn sums(mut self, column: &str, over: &str, to: Whole) -> Self {
        if let (Some(column), Some(over), Some(to)) = (self.place(column), self.place(over), self.whole(to)) {
            self.sums.push(Sum { column, over: Some(over), to });
        }
        self
    }

    /// A count is part of another in its row.
    #[must_use]
    pub fn part_of(mut self, column: &str, whole: &str) -> Self {
        if let (Some(column), Some(whole)) = (self.place(column), self.place(whole)) {
            self.sums.push(Sum { column, over: None, to: To::Column(whole) });
        }
        self
    }

    fn whole(&self, to: Whole) -> Option<To> {
        match to {
            Whole::Column(column) => self.place(column).map(To::Column),
            Whole::Row(values) => {
                let place = |(column, value): &(&str, &str)| Some((self.place(column)?, (*value).to_owned()));
                values.iter().map(place).collect::<Option<_>>().map(To::Row)
            }
        }
    }

    fn identity(&self, column: &str, what: &str, by: &[&str]) -> Option<Identity> {
        let by = by.iter().map(|name| self.place(name)).collect::<Option<_>>()?;
        Some(Identity { column: self.place(column)?, what: what.to_owned(), by })
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
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

    /// The count in a column of the row added last is also what other tables count as `what` by these columns.
    pub fn last_counts(&mut self, column: &str, what: &str, by: &[&str]) {
        let Some((row, identity)) = self.rows.len().checked_sub(1).zip(self.identity(column, what, by)) else { return };
        let other = self.written(&identity.what, identity.by.iter().copied(), row, &[]);
        let own = self.key(row, identity.column, &[]);
        self.equal.extend(own.map(|own| Equation { whole: other, parts: vec![own], open: false }));
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

    /// The count in a column of a row, as far as it is shown.
    pub fn shown_count(&self, row: usize, column: &str) -> Option<u64> {
        match self.rows.get(row)?.get(self.place(column)?)? {
            Cell::Count(disclosed) => disclosed.shown_count(),
            Cell::Text(_) | Cell::Empty => None,
        }
    }

    /// The same table with the rows that an earlier run published, as far as they are counts.
    pub(super) fn with_rows(&self, rows: &[Vec<String>]) -> Option<Self> {
        let (header, rows) = rows.split_first()?;
        if *header != self.header {
            return None;
        }
        let is_number = |column: usize| self.rows.iter().any(|cells| matches!(cells.get(column), Some(Cell::Count(_))));
        let columns: Vec<(bool, bool)> =
            (0..self.header.len()).map(|column| (is_number(column), self.is_counted(column))).collect();
        let cell = |(text, (is_number, is_counted)): (&String, &(bool, bool))| {
            match Disclosed::read(text).filter(|_| *is_counted) {
                Some(count) => Cell::Count(count),
                // Shares and figures name no row.
                None if *is_number => Cell::Empty,
                None => Cell::text(text),
            }
        };
        let rows = rows.iter().map(|row| row.iter().zip(&columns).map(cell).collect()).collect();
        // Which of those rows count what other tables count is not written in them.
        Some(Self { rows, equal: Vec::new(), ..self.clone() })
    }

    /// Whether a column is part of a sum or counts what other tables count.
    fn is_counted(&self, column: usize) -> bool {
        let to = |sum: &Sum| sum.column == column || matches!(sum.to, To::Column(whole) if whole == column);
        self.sums.iter().any(to) || self.identities.iter().any(|identity| identity.column == column)
    }

    /// Every count that adds up or stands in other tables too, with its place: row, column.
    pub(super) fn count_cells(&self) -> impl Iterator<Item = (usize, usize, Key, Disclosed)> + '_ {
        let cells = self
            .rows
            .iter()
            .enumerate()
            .flat_map(|(row, cells)| cells.iter().enumerate().map(move |(column, cell)| (row, column, cell)));
        cells.filter_map(|(row, column, cell)| match cell {
            Cell::Count(disclosed) if disclosed.is_count() && self.is_counted(column) => {
                Some((row, column, self.key(row, column, &[])?, *disclosed))
            }
            _ => None,
        })
    }

    /// The sums, in the order of rows.
    pub(super) fn equations(&self) -> Vec<Equation> {
        let mut equations: Vec<Equation> = self.equal.clone();
        let (mut by_whole, mut seen) = (HashMap::new(), HashSet::new());
        for (number, sum) in self.sums.iter().enumerate() {
            for row in 0..self.rows.len() {
                let Some((group, whole, part)) = self.term(sum, row) else { continue };
                let at = *by_whole.entry((number, group)).or_insert_with(|| {
                    equations.push(Equation { whole, parts: Vec::new(), open: sum.over.is_none() });
                    equations.len() - 1
                });
                if let Some(equation) = equations.get_mut(at).filter(|_| seen.insert((at, part.clone()))) {
                    equation.parts.push(part);
                }
            }
        }
        equations
    }

    /// What a row adds to a sum: the sum, its whole, the part.
    fn term(&self, sum: &Sum, row: usize) -> Option<(Key, Key, Key)> {
        let part = self.key(row, sum.column, &[])?;
        let left_out = sum.over.map(|over| (over, String::new()));
        let group = self.key(row, sum.column, left_out.as_slice())?;
        let whole = match &sum.to {
            To::Column(column) => self.key(row, *column, &[])?,
            To::Row(values) => {
                let is_whole =
                    values.iter().any(|(column, value)| Some(*column) == sum.over && self.text(row, *column) == value);
                if is_whole {
                    return None;
                }
                self.key(row, sum.column, values)?
            }
        };
        Some((group, whole, part))
    }

    fn text(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|cells| cells.get(column)).map_or("", Cell::as_text)
    }

    /// The key of a count, with other values in some columns.
    fn key(&self, row: usize, column: usize, instead: &[(usize, String)]) -> Option<Key> {
        match self.identities.iter().find(|identity| identity.column == column) {
            Some(Identity { what, by, .. }) => Some(self.written(what, by.iter().copied(), row, instead)),
            None => self.key_by(row, column, instead),
        }
    }

    /// By every column of texts.
    fn key_by(&self, row: usize, column: usize, instead: &[(usize, String)]) -> Option<Key> {
        let name = format!("{} {}", self.name, self.header.get(column)?);
        let texts = self.rows.get(row)?.iter().enumerate().filter(|(_, cell)| matches!(cell, Cell::Text(_)));
        Some(self.written(&name, texts.map(|(column, _)| column), row, instead))
    }

    fn written(
        &self,
        what: &str,
        by: impl Iterator<Item = usize> + Clone,
        row: usize,
        instead: &[(usize, String)],
    ) -> Key {
        let text = |column: usize| {
            let other = instead.iter().find(|(at, _)| *at == column).map(|(_, value)| value.as_str());
            other.unwrap_or_else(|| self.text(row, column))
        };
        let length = by.clone().map(|column| SEPARATOR.len() + text(column).len()).sum::<usize>();
        let mut key = String::with_capacity(what.len() + length);
        key.push_str(what);
        for column in by {
            key.push_str(SEPARATOR);
            key.push_str(text(column));
        }
        Key(key)
    }

    /// Hides a count.
    pub(super) fn hide(&mut self, row: usize, column: usize) {
        if let Some(Cell::Count(disclosed)) = self.rows.get_mut(row).and_then(|cells| cells.get_mut(column)) {
            *disclosed = disclosed.hidden();
        }
    }

    /// Hides what is worked out from counts of the same row of which one is hidden.
    pub(super) fn hide_derived(&mut self) {
        for cells in &mut self.rows {
            let hidden = |cell: &Cell| matches!(cell, Cell::Count(count) if count.is_count() && count.is_suppressed());
            if !cells.iter().any(hidden) {
                continue;
            }
            for cell in cells {
                if let Cell::Count(disclosed) = cell {
                    *disclosed = if disclosed.is_count() { *disclosed } else { disclosed.hidden() };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_its_header() {
        let mut table = AggregateTable::new("t", ["a", "b"]);
        assert!(table.row([Cell::Empty]).is_err());
        assert!(table.row([Cell::Empty, Cell::Empty]).is_ok());
    }
}
