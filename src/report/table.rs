//! Aggregate tables read by their headings, as their files have them.

use super::words;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::{Error, Result};

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Number(f64),
    /// Too few, or hidden for the sake of another cell: nothing may be drawn of it.
    Hidden,
    /// There is nothing to say: a share of nobody.
    Nothing,
}

/// A row under its headings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a AggregateTable,
    cells: &'a [Cell],
}

/// The tables of a run, by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a>(pub &'a [AggregateTable]);

impl<'a> Tables<'a> {
    /// The rows of a table; none where the run has no such table.
    pub fn rows(self, name: &str) -> Vec<Row<'a>> {
        let table = self.0.iter().find(|table| table.name() == name);
        table.map(|table| table.rows().iter().map(|cells| Row { table, cells }).collect()).unwrap_or_default()
    }
}

impl Row<'_> {
    fn cell(&self, heading: &str) -> Result<&Cell> {
        let at = self.table.header().iter().position(|known| known == heading);
        at.and_then(|at| self.cells.get(at)).ok_or_else(|| {
            Error::Fault(format!("the report reads {heading} of aggregate table {}, which has none", self.table.name()))
        })
    }

    /// As the file has it, but for a spreadsheet's apostrophe.
    pub fn text(&self, heading: &str) -> Result<String> {
        Ok(match self.cell(heading)? {
            Cell::Text(label) => label.as_str().to_owned(),
            Cell::Count(disclosed) => disclosed.to_string(),
            Cell::Empty => String::new(),
        })
    }

    pub fn is(&self, heading: &str, text: &str) -> Result<bool> {
        Ok(self.text(heading)? == text)
    }

    pub fn shown(&self, heading: &str) -> Result<Shown> {
        let text = self.text(heading)?;
        Ok(match text.as_str() {
            "" => Shown::Nothing,
            text => text.parse().map_or(Shown::Hidden, Shown::Number),
        })
    }

    /// For a cell of the page: `1,250`, `12.5%`, what is said of a hidden one.
    pub fn count(&self, heading: &str) -> Result<String> {
        self.shown(heading).map(words::count)
    }

    pub fn percent(&self, heading: &str) -> Result<String> {
        self.shown(heading).map(words::percent)
    }

    pub fn figure(&self, heading: &str) -> Result<String> {
        self.shown(heading).map(words::figure)
    }
}

impl Shown {
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Hidden | Self::Nothing => None,
        }
    }
}

/// The distinct values of a column, in the order of their first row.
pub(super) fn distinct(rows: &[Row], heading: &str) -> Result<Vec<String>> {
    let mut known: Vec<String> = Vec::new();
    for row in rows {
        let text = row.text(heading)?;
        if !known.contains(&text) {
            known.push(text);
        }
    }
    Ok(known)
}

/// The rows where a column says this.
pub(super) fn only<'a>(rows: &[Row<'a>], heading: &str, text: &str) -> Result<Vec<Row<'a>>> {
    let mut some = Vec::new();
    for row in rows {
        if row.is(heading, text)? {
            some.push(*row);
        }
    }
    Ok(some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disclosure::{Label, Rule};

    #[test]
    fn a_row_is_read_by_its_headings() -> Result<()> {
        let mut table = AggregateTable::new("t", ["group", "people", "share"]);
        table.row([
            Cell::Text(Label::new("a")),
            Cell::Count(Rule::Hes2018.count(1252)),
            Cell::Count(Rule::Hes2018.share(3, 1252)),
        ])?;
        table.row([Cell::Text(Label::new("b")), Cell::Count(Rule::Hes2018.count(0)), Cell::Empty])?;
        let tables = [table];
        let rows = Tables(&tables).rows("t");
        assert_eq!(rows[0].count("people")?, "1,250");
        assert_eq!(rows[0].shown("share")?, Shown::Hidden);
        assert_eq!(rows[1].shown("people")?, Shown::Number(0.0));
        assert_eq!(rows[1].shown("share")?, Shown::Nothing);
        assert_eq!(only(&rows, "group", "b")?.len(), 1);
        assert_eq!(distinct(&rows, "group")?, ["a", "b"]);
        assert!(rows[0].text("listed").is_err());
        assert!(Tables(&tables).rows("other").is_empty());
        Ok(())
    }
}
