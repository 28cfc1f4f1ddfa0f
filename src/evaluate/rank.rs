//! How well a score ranks: the area under the ROC curve, and average precision.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, Method, around};
use super::sample::{Level, totals};

/// Area under the ROC curve: the chance that someone with the outcome scores above someone without, ties counting half.
/// None when everyone or nobody has the outcome.
pub fn auroc(levels: &[Level]) -> Option<f64> {
    let (people, events) = totals(levels);
    let (mut below, mut pairs) = (0.0, 0.0);
    for level in levels {
        let others = level.people - level.events;
        pairs += level.events * (below + others / 2.0);
        below += others;
    }
    let all = events * (people - events);
    (all > 0.0).then_some(pairs / all)
}

/// DeLong's interval of the area (Biometrics 1988; as in pROC), for one row a person of weight 1.
/// None with fewer than two people on either side.
pub fn auroc_interval(levels: &[Level]) -> Option<Interval> {
    let area = auroc(levels)?;
    let (people, events) = totals(levels);
    let others = people - events;
    if events < 2.0 || others < 2.0 {
        return None;
    }
    let (mut others_below, mut events_below, mut of_events, mut of_others) = (0.0, 0.0, 0.0, 0.0);
    for level in levels {
        let others_here = level.people - level.events;
        let above_share = (others_below + others_here / 2.0) / others;
        let below_share = (events - events_below - level.events / 2.0) / events;
        of_events += level.events * (above_share - area).powi(2);
        of_others += others_here * (below_share - area).powi(2);
        others_below += others_here;
        events_below += level.events;
    }
    let variance = of_events / (events - 1.0) / events + of_others / (others - 1.0) / others;
    Some(around(area, variance.sqrt(), [0.0, 1.0], Method::Delong))
}

/// Average precision: precision at each score times the sensitivity gained there, without interpolation (scikit-learn's).
/// None when nobody has the outcome.
pub fn average_precision(levels: &[Level]) -> Option<f64> {
    let (_, events) = totals(levels);
    let (mut flagged, mut found, mut sum) = (0.0, 0.0, 0.0);
    for level in levels.iter().rev().filter(|level| level.people > 0.0) {
        flagged += level.people;
        found += level.events;
        sum += level.events * found / flagged;
    }
    (events > 0.0).then_some(sum / events)
}

/// How far apart two areas are on the same people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub value: f64,
    pub interval: Interval,
    pub z: f64,
    /// Two-sided.
    pub p: f64,
}

/// The area of `first` less that of `second` on the same people, with DeLong's test for paired curves.
/// None with fewer than two people on either side, or where the two rank everyone alike.
pub fn auroc_difference(first: &[f64], second: &[f64], outcome: &[bool]) -> Option<Difference> {
    let events = outcome.iter().filter(|outcome| **outcome).count() as f64;
    let others = outcome.len() as f64 - events;
    if events < 2.0 || others < 2.0 {
        return None;
    }
    let (first, second) = (placements(first, outcome, events, others), placements(second, outcome, events, others));
    let apart: Vec<f64> = first.iter().zip(&second).map(|(first, second)| first - second).collect();
    let mean =
        |of: bool, count: f64| sum(apart.iter().zip(outcome).filter(|(_, o)| **o == of).map(|(d, _)| *d)) / count;
    let value = mean(true, events);
    let spread = |of: bool, count: f64| {
        let centre = mean(of, count);
        let squares = apart.iter().zip(outcome).filter(|(_, o)| **o == of).map(|(d, _)| (d - centre).powi(2));
        sum(squares) / (count - 1.0) / count
    };
    let error = (spread(true, events) + spread(false, others)).sqrt();
    let z = value / error;
    (error > 0.0).then(|| Difference {
        value,
        interval: around(value, error, [-1.0, 1.0], Method::Delong),
        z,
        p: both_tails(z.abs()),
    })
}

/// Of each person with the outcome the share of the others they score above, and of each of the others the share of
/// those with the outcome that score above them.
fn placements(score: &[f64], outcome: &[bool], events: f64, others: f64) -> Vec<f64> {
    let mut order: Vec<(f64, bool, usize)> =
        score.iter().zip(outcome).enumerate().map(|(at, (score, outcome))| (*score, *outcome, at)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut placements = vec![0.0; order.len()];
    let (mut events_below, mut others_below) = (0.0, 0.0);
    for level in order.chunk_by(|a, b| a.0 == b.0) {
        let here = level.iter().filter(|(_, outcome, _)| *outcome).count() as f64;
        let others_here = level.len() as f64 - here;
        for (_, outcome, at) in level {
            if let Some(placement) = placements.get_mut(*at) {
                *placement = match outcome {
                    true => (others_below + others_here / 2.0) / others,
                    false => (events - events_below - here / 2.0) / events,
                };
            }
        }
        events_below += here;
        others_below += others_here;
    }
    placements
}

/// In ascending order, so that the order of people does not show in the last digit.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.iter().sum()
}

/// The chance of a standard normal value at least this far from 0: a series for the middle, Lentz's continued fraction
/// for the tails (Abramowitz and Stegun 7.1.6 and 7.1.14).
fn both_tails(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let density = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return 1.0 - 2.0 * density * sum;
    }
    let mut fraction = x;
    for n in (1..200).rev() {
        fraction = x + f64::from(n) / 2.0 / fraction;
    }
    density / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(of: &[(f64, f64, f64)]) -> Vec<Level> {
        of.iter().map(|(score, people, events)| Level { score: *score, people: *people, events: *events }).collect()
    }

    #[test]
    fn worked_by_hand() {
        // Scores 1, 2, 2, 3 with outcomes no, no, yes, yes: of four pairs 1 + 0.5 + 1 + 1 are in order.
        let ranked = levels(&[(1.0, 1.0, 0.0), (2.0, 2.0, 1.0), (3.0, 1.0, 1.0)]);
        assert_eq!(auroc(&ranked), Some(3.5 / 4.0));
        // From the top: 1 of 1 found half of them; then 2 of 3 found the other half.
        assert_eq!(average_precision(&ranked), Some(0.5 + 0.5 * 2.0 / 3.0));
    }

    #[test]
    fn one_outcome_only_has_no_area_and_one_score_ranks_nobody() {
        for events in [0.0, 3.0] {
            let one_sided = levels(&[(0.1, 1.0, events / 3.0), (0.2, 2.0, events * 2.0 / 3.0)]);
            assert_eq!(auroc(&one_sided), None);
            assert_eq!(auroc_interval(&one_sided), None);
        }
        let constant = levels(&[(0.3, 10.0, 4.0)]);
        assert_eq!(auroc(&constant), Some(0.5));
        assert_eq!(average_precision(&constant), Some(0.4));
        assert_eq!(average_precision(&levels(&[(0.3, 10.0, 0.0)])), None);
        assert_eq!(auroc(&[]), None);
        assert_eq!(auroc_interval(&levels(&[(0.1, 1.0, 0.0), (0.2, 1.0, 1.0)])), None);
        assert_eq!(auroc_difference(&[0.1; 6], &[0.2; 6], &[true, true, true, false, false, false]), None);
    }

    #[test]
    fn tails_of_the_normal_distribution() {
        // Abramowitz and Stegun, table 26.1.
        let known = [(0.0, 1.0), (1.0, 0.317_310_507_862_914), (2.0, 0.045_500_263_896_358), (4.0, 6.334_248_366_6e-5)];
        for (z, p) in known {
            assert!((both_tails(z) - p).abs() < 1e-12, "{z}: {}", both_tails(z));
        }
        assert!((both_tails(2.828_427) - both_tails(2.828_428)).abs() < 1e-7);
    }
}
