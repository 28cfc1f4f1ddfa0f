//! What a list changed, by discontinuity and by matching: pure functions of who was listed and what followed.
//!
//! A difference is that of means, listed less others. Of all intervals a share of `miss` does not hold the truth, or less;
//! they are robust to unequal variances and to one person being on several lists (Liang and Zeger, Biometrika 1986), by
//! Student's distribution. The effect for each person who was reached is the difference divided by that in being reached
//! (Wald's ratio; Imbens and Angrist, Econometrica 1994).

use std::collections::BTreeMap;

use crate::figures::{Figure, Limits, student};

/// One person of one list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Who it is, over all lists.
    pub person: u32,
    /// The list and recipient, or the draw.
    pub stratum: u32,
    pub listed: bool,
    pub reached: bool,
    /// What followed.
    pub outcome: f64,
    /// Ranks behind the middle of the cut: listed people are below 0.
    pub distance: f64,
}

/// A difference, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub listed: u64,
    pub others: u64,
    /// For each person listed.
    pub difference: Figure,
    /// For each person reached; none where listing hardly changed who was reached.
    pub for_each_reached: Option<Figure>,
}

/// Fewer people than this on either side say nothing.
pub const FEWEST: usize = 20;

/// Listing must have changed who was reached by so many standard errors, or the ratio has no bounds.
pub(super) const CLEARLY_REACHED: f64 = 4.0;

/// How far an estimate at the cut may be beside the truth, in standard errors, since a straight line leaves out how outcomes
/// bend (Armstrong and Kolesár, Quantitative Economics 2020;11:1, doi 10.3982/QE1199: 2.18 stands for 1.96).
///
/// Half a standard error is the most in the window of the least squared error: with bias b h² and variance s² / h, b² h⁴ + s² / h
/// is least where 4 b² h⁴ = s² / h. In a narrower window the bias is less, and the interval wider than it need be; in a wider
/// one it is more, and the interval too narrow. The window is declared, not chosen by the data: that outcomes bend no more than
/// this in it is an assumption, and is told as one.
const BEND: f64 = 0.5;

/// People on both sides of the cut, by a local straight line on either side; nearer ranks weigh more (triangular kernel).
pub fn discontinuity(units: &[Unit], ranks: u32, miss: f64) -> Option<Estimate> {
    let width = f64::from(ranks);
    let near = units.iter().filter(|unit| unit.distance.abs() < width);
    let rows: Vec<Row> = near
        .map(|unit| Row {
            person: unit.person,
            listed: unit.listed,
            weight: 1.0 - unit.distance.abs() / width,
            columns: [as_listed(unit), 1.0, unit.distance, as_listed(unit) * unit.distance],
            outcome: unit.outcome,
            reached: as_reached(unit),
        })
        .collect();
    let listed = rows.iter().filter(|row| row.listed).count();
    let enough = listed.min(rows.len() - listed) >= FEWEST;
    if enough { fitted(&rows, 4, Wide { beside: BEND, miss }) } else { None }
}

/// Pairs of a listed person and one like them off the list.
pub fn matched(pairs: &[(Unit, Unit)], miss: f64) -> Option<Estimate> {
    let rows: Vec<Row> = pairs
        .iter()
        .map(|(listed, other)| Row {
            person: listed.person,
            listed: true,
            weight: 1.0,
            columns: [1.0, 0.0, 0.0, 0.0],
            outcome: listed.outcome - other.outcome,
            reached: as_reached(listed) - as_reached(other),
        })
        .collect();
    let estimate = alone(&rows, miss)?;
    Some(Estimate { others: estimate.listed, ..estimate })
}

/// The mean of one difference a person; none of too few.
pub fn mean(values: &[(u32, f64)], miss: f64) -> Option<Figure> {
    let row = |&(person, outcome): &(u32, f64)| Row {
        person,
        listed: true,
        weight: 1.0,
        columns: [1.0, 0.0, 0.0, 0.0],
        outcome,
        reached: 0.0,
    };
    let rows: Vec<Row> = values.iter().map(row).collect();
    alone(&rows, miss).map(|estimate| estimate.difference)
}

/// A mean of rows that are differences already.
fn alone(rows: &[Row], miss: f64) -> Option<Estimate> {
    if rows.len() >= FEWEST { fitted(rows, 1, Wide { beside: 0.0, miss }) } else { None }
}

pub(super) fn as_listed(unit: &Unit) -> f64 {
    f64::from(u8::from(unit.listed))
}

pub(super) fn as_reached(unit: &Unit) -> f64 {
    f64::from(u8::from(unit.reached))
}

/// The most columns of a regression.
const COLUMNS: usize = 4;

/// A row of a weighted regression; the effect is that of the first column.
struct Row {
    person: u32,
    listed: bool,
    weight: f64,
    columns: [f64; COLUMNS],
    outcome: f64,
    reached: f64,
}

type Matrix = [[f64; COLUMNS]; COLUMNS];

/// How wide an interval is: so many standard errors may be between estimate and truth beside what chance does, and such a
/// share may miss.
struct Wide {
    beside: f64,
    miss: f64,
}

fn fitted(rows: &[Row], columns: usize, wide: Wide) -> Option<Estimate> {
    let (people, free) = (rows.len() as f64, rows.len() as f64 - columns as f64);
    let inverse = inverse(&products(rows), columns)?;
    let outcome = regress(rows, &inverse, |row| row.outcome);
    let reached = regress(rows, &inverse, |row| row.reached);
    let error =
        |of: &dyn Fn(&Row) -> f64, fit: &[f64; COLUMNS]| robust(rows, &inverse, of, fit) * (people / free).sqrt();
    let wide = student::point(free, wide.miss, wide.beside);
    let difference = figure(outcome[0], wide * error(&|row| row.outcome, &outcome));
    let clearly = reached[0].abs() > CLEARLY_REACHED * error(&|row| row.reached, &reached) && reached[0].abs() > 1e-9;
    let for_each_reached = clearly.then(|| {
        let ratio = outcome[0] / reached[0];
        let left = |row: &Row| row.outcome - ratio * row.reached;
        let fit = regress(rows, &inverse, left);
        figure(ratio, wide * error(&left, &fit) / reached[0].abs())
    });
    let listed = rows.iter().filter(|row| row.listed).count() as u64;
    Some(Estimate { listed, others: rows.len() as u64 - listed, difference, for_each_reached })
}

fn figure(value: f64, half: f64) -> Figure {
    Figure { value, limits: Limits { low: value - half, high: value + half } }
}

fn products(rows: &[Row]) -> Matrix {
    let mut sums = Matrix::default();
    for row in rows {
        for (line, left) in sums.iter_mut().zip(row.columns) {
            line.iter_mut().zip(row.columns).for_each(|(sum, right)| *sum += row.weight * left * right);
        }
    }
    sums
}

/// By Gauss and Jordan, of the first so many columns; the rest is 0. None where a column follows from the others.
fn inverse(of: &Matrix, columns: usize) -> Option<Matrix> {
    let (mut left, mut right) = (*of, Matrix::default());
    (0..columns).for_each(|at| right[at][at] = 1.0);
    for column in 0..columns {
        let best = (column..columns).max_by(|a, b| left[*a][column].abs().total_cmp(&left[*b][column].abs()))?;
        left.swap(column, best);
        right.swap(column, best);
        let pivot = left[column][column];
        if pivot.abs() < 1e-12 {
            return None;
        }
        for at in 0..COLUMNS {
            left[column][at] /= pivot;
            right[column][at] /= pivot;
        }
        for row in (0..columns).filter(|row| *row != column) {
            let times = left[row][column];
            for at in 0..COLUMNS {
                left[row][at] -= times * left[column][at];
                right[row][at] -= times * right[column][at];
            }
        }
    }
    Some(right)
}

fn regress(rows: &[Row], inverse: &Matrix, of: impl Fn(&Row) -> f64) -> [f64; COLUMNS] {
    let mut sums = [0.0; COLUMNS];
    for row in rows {
        sums.iter_mut().zip(row.columns).for_each(|(sum, column)| *sum += row.weight * column * of(row));
    }
    inverse.map(|line| line.iter().zip(sums).map(|(a, b)| a * b).sum())
}

/// The standard error of the first coefficient, with the residuals of one person taken together.
fn robust(rows: &[Row], inverse: &Matrix, of: &dyn Fn(&Row) -> f64, fit: &[f64; COLUMNS]) -> f64 {
    let mut by_person: BTreeMap<u32, f64> = BTreeMap::new();
    let [first, ..] = inverse;
    for row in rows {
        let fitted: f64 = row.columns.iter().zip(fit).map(|(column, coefficient)| column * coefficient).sum();
        let influence: f64 = row.columns.iter().zip(first).map(|(column, line)| column * line).sum();
        *by_person.entry(row.person).or_default() += row.weight * influence * (of(row) - fitted);
    }
    by_person.values().map(|sum| sum * sum).sum::<f64>().sqrt()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn unit(person: u32, listed: bool, reached: bool, outcome: f64) -> Unit {
        let distance = if listed { -0.5 } else { 0.5 };
        Unit { person, stratum: 0, listed, reached, outcome, distance }
    }

    #[test]
    fn a_jump_between_two_lines_is_found() {
        let at = |n: u32| f64::from(n) - 99.5;
        let units: Vec<Unit> = (0..200)
            .map(|n| {
                let (x, listed) = (at(n), n < 100);
                let outcome = 10.0 - 0.03 * x + if listed { 2.0 + 0.05 * x } else { 0.0 };
                Unit { person: n, stratum: 0, listed, reached: listed, outcome, distance: x }
            })
            .collect();
        let found = discontinuity(&units, 60, 0.05).unwrap();
        assert!((found.difference.value - 2.0).abs() < 1e-9);
        assert!((found.listed, found.others) == (60, 60) && found.for_each_reached.is_some());
    }

    #[test]
    fn a_mean_has_students_interval() {
        let values: Vec<(u32, f64)> = (0..25).map(|at| (at, f64::from(at % 5))).collect();
        let limits = mean(&values, 0.05).unwrap().limits;
        // Sum of squares 50 of 25, 24 degrees of freedom: 2.0639 standard errors.
        let half = 2.0639 * (50.0_f64 / 24.0 / 25.0).sqrt();
        assert!((limits.low - 2.0 + half).abs() < 1e-4 && (limits.high - 2.0 - half).abs() < 1e-4, "{limits:?}");
    }

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(discontinuity(&[], 10, 0.05), None);
        assert_eq!(mean(&[(1, 2.0)], 0.05), None);
    }
}
