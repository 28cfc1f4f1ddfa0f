//! Each figure of everyone from run to run, with the limits of what is usual and the rules that a run breaks.
//!
//! The points of earlier runs are those that the run before released; no row of a person is read again.

use jiff::civil::Date;

use super::comparison::{computed, told};
use super::shown::ShownFigure;
use crate::disclosure::{AggregateTable, Before, Cell};
use crate::error::Result;
use crate::figures::chart;

const NAME: &str = "trend";

/// `trend`: one row a figure and run, oldest first.
pub fn table(as_of: Date, figures: &[ShownFigure], before: &Before) -> Result<AggregateTable> {
    let mut table = AggregateTable::new(NAME, ["figure", "as_of", "value", "mean", "low", "high", "finding"]);
    for figure in figures {
        let mut points = earlier(before, &figure.name);
        let (_, [now, ..]) = told(&figure.everyone);
        points.push((as_of.to_string(), value(&now)));
        let (usual, findings) = chart::told(&points.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        for ((date, value), finding) in points.iter().zip(&findings) {
            let limits = match usual {
                Some(usual) => [usual.mean, usual.limits.low, usual.limits.high].map(|end| computed(Some(end))),
                None => [Cell::Empty, Cell::Empty, Cell::Empty],
            };
            let texts = [Cell::text(&figure.name), Cell::text(date), computed(*value)];
            table.row(texts.into_iter().chain(limits).chain([Cell::text(finding)]))?;
        }
    }
    Ok(table)
}

/// Date and value of each earlier run; none where it was hidden.
fn earlier(before: &Before, figure: &str) -> Vec<(String, Option<f64>)> {
    let rows = before.tables.get(NAME).map(Vec::as_slice).unwrap_or_default();
    let point = |row: &Vec<String>| match row.as_slice() {
        [name, date, value, ..] if name == figure => Some((date.clone(), value.parse().ok())),
        _ => None,
    };
    rows.iter().skip(1).filter_map(point).collect()
}

fn value(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Count(shown) => shown.to_string().parse().ok(),
        Cell::Text(_) | Cell::Empty => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::shown::{Shown, ShownGroup};
    use super::*;
    use crate::disclosure::Rule;

    fn now(mean: f64, people: u64) -> ShownFigure {
        let everyone = ShownGroup {
            name: "everyone".to_owned(),
            people_cell: Cell::Count(Rule::Hes2018.count(people)),
            counted_cell: Cell::Empty,
            mean: Some(Cell::Count(Rule::Hes2018.figure(mean, &[people]))),
            all: Shown { people: Rule::Hes2018.rounded(people), counted: None },
            bands: Vec::new(),
        };
        ShownFigure { name: "risk".to_owned(), everyone, splits: Vec::new() }
    }

    fn before(values: &[&str]) -> Before {
        let row = |(at, value): (usize, &&str)| {
            ["risk", &format!("2026-01-0{}", at + 1), value, "", "", "", ""].map(str::to_owned).to_vec()
        };
        let header = vec!["figure".to_owned()];
        let rows = std::iter::once(header).chain(values.iter().enumerate().map(row)).collect();
        Before { tables: BTreeMap::from([("trend".to_owned(), rows)]) }
    }

    fn lines(table: &AggregateTable) -> Vec<String> {
        let text = crate::publish::aggregate_csv(table).unwrap();
        String::from_utf8(text).unwrap().lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn a_run_beyond_what_is_usual_is_found_and_hidden_ones_are_left_out() {
        let earlier = before(&["9.000", "11.000", "9.000", "*", "11.000", "9.000", "11.000", "9.000"]);
        let as_of = Date::constant(2026, 2, 1);
        let told = lines(&table(as_of, &[now(40.0, 100)], &earlier).unwrap());
        assert_eq!(told.len(), 9);
        assert!(told[3].starts_with("risk,2026-01-04,*,"), "{told:?}");
        assert!(told[8].starts_with("risk,2026-02-01,40.000,") && told[8].ends_with(",outside the limits"), "{told:?}");
        assert!(told[..8].iter().all(|line| line.ends_with(',')), "{told:?}");
    }

    #[test]
    fn too_few_runs_have_no_limits_and_too_few_people_no_value() {
        let as_of = Date::constant(2026, 2, 1);
        assert_eq!(
            lines(&table(as_of, &[now(40.0, 100)], &Before::default()).unwrap()),
            ["risk,2026-02-01,40.000,,,,"]
        );
        assert_eq!(lines(&table(as_of, &[now(40.0, 7)], &before(&[])).unwrap()), ["risk,2026-02-01,*,,,,"]);
    }
}
