//! A smooth calibration curve by local regression, and how far it is from the diagonal.
//!
//! Loess as R computes it by default (Cleveland and Grosse 1991): degree 2, span 0.75, tricube weights, fitted with its slope
//! at the corners of cells that hold at most a fifth of the span, and joined by cubics. People of one score are one point.

use super::calibration::parts;
use super::sample::{Level, totals};

const SPAN: f64 = 0.75;
const CELL: f64 = 0.2;

/// By how much of the range the outermost corners stand off the data.
const MARGIN: f64 = 0.005;

/// Above so many different scores, neighbours are put together first.
const POINTS: usize = 1000;

/// The curve, corner by corner from the lowest score.
#[derive(Debug, Clone, PartialEq)]
pub struct Smooth(Vec<Corner>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Corner {
    score: f64,
    value: f64,
    slope: f64,
}

/// None with fewer than three different scores.
pub fn smooth(levels: &[Level]) -> Option<Smooth> {
    let mut points: Vec<Level> = levels.iter().filter(|level| level.people > 0.0).copied().collect();
    if points.len() > POINTS {
        points = parts(&points, POINTS);
    }
    let (first, last) = (points.first()?.score, points.last()?.score);
    if points.len() < 3 {
        return None;
    }
    let margin = MARGIN * (last - first);
    let mut corners = vec![first - margin];
    split(&points, SPAN * CELL * totals(&points).0 + 1e-9, &mut corners);
    corners.push(last + margin);
    Some(Smooth(corners.into_iter().map(|score| local_fit(&points, score)).collect()))
}

/// Halves a cell until it holds few enough people; never between people of one score.
fn split(points: &[Level], at_most: f64, corners: &mut Vec<f64>) {
    let (people, _) = totals(points);
    if people <= at_most {
        return;
    }
    let (mut below, mut middle, mut nearest) = (0.0, 0, f64::INFINITY);
    for (at, point) in points.iter().enumerate().take(points.len().saturating_sub(1)) {
        below += point.people;
        let off = (below - people / 2.0).abs();
        if off <= nearest {
            (middle, nearest) = (at + 1, off);
        }
    }
    let (left, right) = points.split_at(middle);
    if let (Some(before), Some(after)) = (left.last(), right.first()) {
        split(left, at_most, corners);
        corners.push((before.score + after.score) / 2.0);
        split(right, at_most, corners);
    }
}

impl Smooth {
    /// By the cubic with the values and slopes of the two corners about it; level beyond the outermost.
    pub fn at(&self, score: f64) -> f64 {
        let above = self.0.partition_point(|corner| corner.score < score);
        let below = above.checked_sub(1).and_then(|below| self.0.get(below));
        match (below, self.0.get(above)) {
            (Some(a), Some(b)) => {
                let width = b.score - a.score;
                let t = (score - a.score) / width;
                let u = 1.0 - t;
                let values = a.value * u * u * (1.0 + 2.0 * t) + b.value * t * t * (1.0 + 2.0 * u);
                values + width * t * u * (a.slope * u - b.slope * t)
            }
            (Some(corner), None) | (None, Some(corner)) => corner.value,
            (None, None) => f64::NAN,
        }
    }
}

/// Integrated calibration index: the mean distance of the smooth curve from the diagonal (Austin and Steyerberg 2019).
pub fn integrated_calibration_index(levels: &[Level]) -> Option<f64> {
    let (people, _) = totals(levels);
    let smooth = smooth(levels)?;
    let apart = |level: &Level| level.people * (smooth.at(level.score) - level.score).abs();
    Some(levels.iter().map(apart).sum::<f64>() / people)
}

/// The parabola through the nearest [`SPAN`] of people, by weighted least squares: its value and slope at `score`. Where the
/// scores allow no parabola, a line, else the mean.
fn local_fit(points: &[Level], score: f64) -> Corner {
    let reach = reach(points, score);
    let mut moments = [0.0; 5];
    let mut sides = [0.0; 3];
    for point in points {
        let u = (point.score - score) / reach;
        if u.abs() >= 1.0 {
            continue;
        }
        let weight = point.people * (1.0 - u.abs().powi(3)).powi(3);
        let observed = point.events / point.people;
        let powers = [1.0, u, u * u, u * u * u, u * u * u * u];
        moments.iter_mut().zip(powers).for_each(|(moment, power)| *moment += weight * power);
        sides.iter_mut().zip(powers).for_each(|(side, power)| *side += weight * power * observed);
    }
    let [value, slope] =
        parabola(moments, sides).or_else(|| line(moments, sides)).unwrap_or([sides[0] / moments[0], 0.0]);
    Corner { score, value, slope: slope / reach }
}

/// The least part of a moment that must be left for a coefficient to be determined.
const DETERMINED: f64 = 1e-10;

/// The first two coefficients; the normal equations by Cramer's rule.
fn parabola([m0, m1, m2, m3, m4]: [f64; 5], [s0, s1, s2]: [f64; 3]) -> Option<[f64; 2]> {
    let minors = [m2 * m4 - m3 * m3, m1 * m4 - m2 * m3, m1 * m3 - m2 * m2];
    let all = m0 * minors[0] - m1 * minors[1] + m2 * minors[2];
    let value = s0 * minors[0] - m1 * (s1 * m4 - s2 * m3) + m2 * (s1 * m3 - s2 * m2);
    let slope = m0 * (s1 * m4 - s2 * m3) - s0 * minors[1] + m2 * (m1 * s2 - m2 * s1);
    (all > DETERMINED * m0 * m2 * m4).then(|| [value / all, slope / all])
}

fn line([m0, m1, m2, ..]: [f64; 5], [s0, s1, _]: [f64; 3]) -> Option<[f64; 2]> {
    let all = m0 * m2 - m1 * m1;
    (all > DETERMINED * m0 * m2).then(|| [(s0 * m2 - m1 * s1) / all, (m0 * s1 - m1 * s0) / all])
}

/// The distance within which the nearest [`SPAN`] of all people stand; more than 0.
fn reach(points: &[Level], score: f64) -> f64 {
    let wanted = SPAN * totals(points).0 - 1e-5;
    let first = points.partition_point(|point| point.score < score);
    let (mut left, mut right) = (first, first);
    let (mut people, mut reach) = (0.0, 0.0_f64);
    while people < wanted {
        let before = left.checked_sub(1).and_then(|before| points.get(before));
        let after = points.get(right);
        let nearer_before = match (before, after) {
            (Some(before), Some(after)) => score - before.score < after.score - score,
            (before, _) => before.is_some(),
        };
        let Some(next) = (if nearer_before { before } else { after }) else { break };
        people += next.people;
        reach = reach.max((next.score - score).abs());
        if nearer_before {
            left -= 1;
        } else {
            right += 1;
        }
    }
    reach.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(of: impl Fn(f64) -> f64, people: f64) -> Vec<Level> {
        let at = |n: u32| f64::from(n) / 50.0;
        (1..50).map(|n| Level { score: at(n), people, events: people * of(at(n)) }).collect()
    }

    #[test]
    fn a_parabola_is_its_own_smooth() {
        let levels = curve(|x| 0.1 + 0.2 * x + 0.5 * x * x, 7.0);
        let smooth = smooth(&levels).unwrap();
        for level in &levels {
            assert!((smooth.at(level.score) - level.events / level.people).abs() < 1e-9, "{level:?}");
        }
        assert!(integrated_calibration_index(&curve(|x| x, 3.0)).unwrap() < 1e-12);
        let off = integrated_calibration_index(&curve(|x| x / 2.0, 3.0)).unwrap();
        assert!((off - 0.25).abs() < 1e-9, "{off}");
    }

    #[test]
    fn few_scores_have_no_curve() {
        let two = &curve(|x| x, 5.0)[..2];
        assert_eq!(smooth(two), None);
        assert_eq!(integrated_calibration_index(two), None);
        let three = smooth(&curve(|x| x, 5.0)[..3]).unwrap();
        assert!([0.02, 0.04, 0.06].iter().all(|x| (three.at(*x) - x).abs() < 1e-9), "{three:?}");
    }
}
