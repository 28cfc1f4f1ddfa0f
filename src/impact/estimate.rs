//! What a list changed, by lottery, by discontinuity and by matching: pure functions of who was listed and what followed.
//!
//! A difference is that of means, listed less others. All intervals are of 95 % and robust to unequal variances and to one
//! person being on several lists (Liang and Zeger, Biometrika 1986), by Student's distribution. The effect for each person
//! who was reached is the difference divided by that in being reached (Wald's ratio; Imbens and Angrist, Econometrica 1994).

use std::collections::BTreeMap;

use crate::figures::{Figure, Limits, Z95, student};

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
const CLEARLY_REACHED: f64 = 4.0;

/// What stands for 1.96 where the estimate may be beside the truth by half of its standard error, since a straight line leaves
/// out how outcomes bend: the 95 % quantile of |N(1/2, 1)| (Armstrong and Kolesár, Quantitative Economics 2020;11:1,
/// doi 10.3982/QE1199, who round it to 2.18).
///
/// Half a standard error is the most in the window of the least squared error: with bias b h² and variance s² / h, b² h⁴ + s² / h
/// is least where 4 b² h⁴ = s² / h. In a narrower window the bias is less, and the interval wider than it need be; in a wider
/// one it is more, and the interval too narrow. The window is declared, not chosen by the data: that outcomes bend no more than
/// this in it is an assumption, and is told as one.
const HONEST: f64 = 2.181_477_442_328;

/// Places that were drawn by lot, each draw compared within itself.
pub fn lottery(units: &[Unit]) -> Option<Estimate> {
    let mut strata: BTreeMap<u32, Vec<&Unit>> = BTreeMap::new();
    units.iter().for_each(|unit| strata.entry(unit.stratum).or_default().push(unit));
    strata.retain(|_, units| units.iter().any(|unit| unit.listed) && units.iter().any(|unit| !unit.listed));
    let lots = strata.len() as f64;
    let mut rows = Vec::new();
    for units in strata.values() {
        let mean = |of: fn(&Unit) -> f64| units.iter().map(|unit| of(unit)).sum::<f64>() / units.len() as f64;
        let (listed, outcome, reached) = (mean(as_listed), mean(|unit| unit.outcome), mean(as_reached));
        rows.extend(units.iter().map(|unit| Row {
            person: unit.person,
            listed: unit.listed,
            weight: 1.0,
            columns: [as_listed(unit) - listed, 0.0, 0.0, 0.0],
            outcome: unit.outcome - outcome,
            reached: as_reached(unit) - reached,
        }));
    }
    fitted(&rows, 1, lots + 1.0, Z95)
}

/// People on both sides of the cut, by a local straight line on either side; nearer ranks weigh more (triangular kernel).
pub fn discontinuity(units: &[Unit], ranks: u32) -> Option<Estimate> {
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
    fitted(&rows, 4, 4.0, HONEST)
}

/// Pairs of a listed person and one like them off the list.
pub fn matched(pairs: &[(Unit, Unit)]) -> Option<Estimate> {
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
    let estimate = fitted_enough(&rows, 1, [1.0, Z95], pairs.len() >= FEWEST)?;
    Some(Estimate { listed: pairs.len() as u64, others: pairs.len() as u64, ..estimate })
}

/// The mean of one difference a person; none of too few.
pub fn mean(values: &[(u32, f64)]) -> Option<Figure> {
    let row = |&(person, outcome): &(u32, f64)| Row {
        person,
        listed: true,
        weight: 1.0,
        columns: [1.0, 0.0, 0.0, 0.0],
        outcome,
        reached: 0.0,
    };
    let rows: Vec<Row> = values.iter().map(row).collect();
    fitted_enough(&rows, 1, [1.0, Z95], values.len() >= FEWEST).map(|estimate| estimate.difference)
}

fn as_listed(unit: &Unit) -> f64 {
    f64::from(u8::from(unit.listed))
}

fn as_reached(unit: &Unit) -> f64 {
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

fn fitted(rows: &[Row], columns: usize, parameters: f64, reach: f64) -> Option<Estimate> {
    let listed = rows.iter().filter(|row| row.listed).count();
    fitted_enough(rows, columns, [parameters, reach], listed.min(rows.len() - listed) >= FEWEST)
}

/// `parameters` that were fitted, and how many standard errors an interval reaches where the spread is known; it reaches further
/// as Student's distribution does where it is not.
fn fitted_enough(rows: &[Row], columns: usize, [parameters, reach]: [f64; 2], enough: bool) -> Option<Estimate> {
    let n = rows.len() as f64;
    if !enough || n <= parameters + 1.0 {
        return None;
    }
    let inverse = inverse(&products(rows), columns)?;
    let outcome = regress(rows, &inverse, |row| row.outcome);
    let reached = regress(rows, &inverse, |row| row.reached);
    let free = n - parameters;
    let error = |of: &dyn Fn(&Row) -> f64, fit: &[f64; COLUMNS]| robust(rows, &inverse, of, fit) * (n / free).sqrt();
    let wide = reach / Z95 * student::point(free, 0.05);
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
mod tests {
    use super::*;

    fn unit(person: u32, listed: bool, reached: bool, outcome: f64) -> Unit {
        let distance = if listed { -0.5 } else { 0.5 };
        Unit { person, stratum: 0, listed, reached, outcome, distance }
    }

    /// One draw: the difference of two means, with the standard error that is robust to unequal variances.
    #[test]
    fn a_single_draw_is_a_difference_of_means() {
        let listed = (0..40).map(|at| unit(at, true, at % 2 == 0, f64::from(at % 4)));
        let lost = (40..100).map(|at| unit(at, false, false, f64::from(at % 3)));
        let units: Vec<Unit> = listed.chain(lost).collect();
        let found = lottery(&units).unwrap();
        assert_eq!((found.listed, found.others), (40, 60));
        assert!((found.difference.value - 0.5).abs() < 1e-12, "1.5 less 1");
        // Sums of squares 50 of 40 and 40 of 60: 50 / 1600 + 40 / 3600, and 100 / 98 for the two means.
        let error = ((50.0 / 1600.0 + 40.0 / 3600.0) * 100.0_f64 / 98.0).sqrt();
        assert!((found.difference.limits.high - 0.5 - student::point(98.0, 0.05) * error).abs() < 1e-9);
        let reached = found.for_each_reached.unwrap();
        assert!((reached.value - 1.0).abs() < 1e-12, "half of them were reached");
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
        let found = discontinuity(&units, 60).unwrap();
        assert!((found.difference.value - 2.0).abs() < 1e-9);
        assert!((found.listed, found.others) == (60, 60) && found.for_each_reached.is_some());
    }

    /// By Simpson's rule: of N(1/2, 1), 95 in 100 lie within the critical value on either side of 0.
    #[test]
    fn the_honest_interval_allows_for_half_a_standard_error() {
        let density = |x: f64| (-(x - 0.5).powi(2) / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let (steps, width) = (2_000, 2.0 * HONEST / 2_000.0);
        let weight = |at: i32| if at % steps == 0 { 1.0 } else { 2.0 + 2.0 * f64::from(at % 2) };
        let inside =
            (0..=steps).map(|at| weight(at) * density(f64::from(at) * width - HONEST)).sum::<f64>() * width / 3.0;
        assert!((inside - 0.95).abs() < 1e-10, "{inside}");
    }

    #[test]
    fn too_few_say_nothing() {
        let units: Vec<Unit> = (0..30).map(|at| unit(at, at < 12, false, 0.0)).collect();
        assert_eq!(lottery(&units), None);
        assert_eq!(discontinuity(&[], 10), None);
        assert_eq!(mean(&[(1, 2.0)]), None);
    }
}
