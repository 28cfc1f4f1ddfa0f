//! Whether a probability means what it says: in the large, along a line, by tenths, and in bins.

use serde::{Deserialize, Serialize};

use super::interval::{self, Estimate, Interval, Method};
use super::sample::{Level, totals};
use crate::score::calibration::{EDGE, expit, logit};

/// A line on the logit scale: what the probabilities should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub intercept: f64,
    pub slope: f64,
    pub intercept_error: f64,
    pub slope_error: f64,
}

impl Line {
    pub fn intercept_interval(self) -> Interval {
        interval::around(self.intercept, self.intercept_error, [f64::NEG_INFINITY, f64::INFINITY], Method::Wald)
    }

    pub fn slope_interval(self) -> Interval {
        interval::around(self.slope, self.slope_error, [f64::NEG_INFINITY, f64::INFINITY], Method::Wald)
    }
}

/// Mean squared error of the probability (Brier, Monthly Weather Review 1950).
pub fn brier(levels: &[Level]) -> Option<f64> {
    let (people, _) = totals(levels);
    let error = |level: &Level| {
        level.events * (1.0 - level.score).powi(2) + (level.people - level.events) * level.score.powi(2)
    };
    (people > 0.0).then(|| levels.iter().map(error).sum::<f64>() / people)
}

/// 1 less the Brier score over that of giving everyone the prevalence. None when everyone or nobody has the outcome.
pub fn scaled_brier(levels: &[Level]) -> Option<f64> {
    let (people, events) = totals(levels);
    let guess = events / people * (1.0 - events / people);
    let brier = brier(levels)?;
    (guess > 0.0).then_some(1.0 - brier / guess)
}

/// Mean negative logarithm of the probability given to what happened, in natural units.
pub fn log_loss(levels: &[Level]) -> Option<f64> {
    let (people, _) = totals(levels);
    let loss = |level: &Level| {
        let p = level.score.clamp(EDGE, 1.0 - EDGE);
        -(level.events * p.ln() + (level.people - level.events) * (1.0 - p).ln())
    };
    (people > 0.0).then(|| levels.iter().map(loss).sum::<f64>() / people)
}

/// People with the outcome over those expected to have it.
pub fn observed_expected(levels: &[Level]) -> Option<f64> {
    let (_, events) = totals(levels);
    let expected: f64 = levels.iter().map(|level| level.people * level.score).sum();
    (expected > 0.0).then_some(events / expected)
}

/// … with Wilson's interval of the observed share, what is expected taken as known.
pub fn observed_expected_interval(levels: &[Level]) -> Option<Interval> {
    let (people, events) = totals(levels);
    let by = observed_expected(levels)? * people / events;
    let observed = interval::wilson(events, people);
    by.is_finite().then_some(Interval { low: observed.low * by, high: observed.high * by, by: Method::Wilson })
}

/// Calibration in the large: the intercept of the outcome on the logit as an offset (Steyerberg 2009). The slope is 1.
pub fn in_the_large(levels: &[Level]) -> Option<Line> {
    fit(levels, false)
}

/// Calibration intercept and slope: the outcome on the logit (Cox, Biometrika 1958).
pub fn line(levels: &[Level]) -> Option<Line> {
    fit(levels, true)
}

/// Newton's method. None when there is no finite maximum: one outcome only, one score only, or a perfect split.
fn fit(levels: &[Level], slope_free: bool) -> Option<Line> {
    const STEPS: usize = 60;
    let (people, events) = totals(levels);
    let distinct = levels.iter().filter(|level| level.people > 0.0).count();
    if events <= 0.0 || events >= people || (slope_free && distinct < 2) {
        return None;
    }
    let logits: Vec<f64> = levels.iter().map(|level| logit(level.score)).collect();
    let (mut intercept, mut slope) = (0.0, 1.0);
    for _ in 0..STEPS {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (level, x) in levels.iter().zip(&logits) {
            let p = expit(intercept + slope * x);
            let (rest, weight) = (level.events - level.people * p, level.people * p * (1.0 - p));
            g0 += rest;
            g1 += rest * x;
            h00 += weight;
            h01 += weight * x;
            h11 += weight * x * x;
        }
        let determinant = if slope_free { h00 * h11 - h01 * h01 } else { h00 };
        if determinant.is_nan() || determinant <= 1e-12 * (h00 * h11).max(h00) {
            return None;
        }
        let (step, turn) = match slope_free {
            true => ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant),
            false => (g0 / h00, 0.0),
        };
        let shorter = (step.abs() / 5.0).max(turn.abs() / 2.0).max(1.0);
        (intercept, slope) = (intercept + step / shorter, slope + turn / shorter);
        if step.abs().max(turn.abs()) < 1e-11 {
            let (intercept_error, slope_error) = match slope_free {
                true => ((h11 / determinant).sqrt(), (h00 / determinant).sqrt()),
                false => ((1.0 / h00).sqrt(), 0.0),
            };
            return Some(Line { intercept, slope, intercept_error, slope_error });
        }
    }
    None
}

/// Expected calibration error: the mean distance of observed from predicted over ten bins of equal width, by their people
/// (Naeini, AAAI 2015).
pub fn expected_calibration_error(levels: &[Level]) -> Option<f64> {
    let (people, _) = totals(levels);
    let mut bins = [(0.0, 0.0); 10];
    for level in levels {
        let bin = ((level.score * 10.0) as usize).min(9);
        if let Some((events, expected)) = bins.get_mut(bin) {
            *events += level.events;
            *expected += level.people * level.score;
        }
    }
    let apart: f64 = bins.iter().map(|(events, expected)| (events - expected).abs()).sum();
    (people > 0.0).then_some(apart / people)
}

/// A tenth of the people, by score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tenth {
    pub people: f64,
    pub events: f64,
    /// Mean probability.
    pub predicted: f64,
    /// Share with the outcome.
    pub observed: Estimate,
}

/// The calibration curve by tenths, lowest first; people with the same score stay together, so a tenth may be missing.
pub fn tenths(levels: &[Level]) -> Vec<Tenth> {
    let made = parts(levels, 10).into_iter().filter_map(|part| {
        let observed = interval::share(part.events, part.people)?;
        Some(Tenth { people: part.people, events: part.events, predicted: part.score, observed })
    });
    made.collect()
}

/// Of each level the part that it is in, from 0, when there are so many of about as many people each; those of one score stay
/// together.
pub fn places(levels: &[Level], count: usize) -> Vec<usize> {
    let (people, _) = totals(levels);
    let mut below = 0.0;
    let place = |level: &Level| {
        let middle = below + level.people / 2.0;
        below += level.people;
        ((middle / people * count as f64) as usize).min(count.saturating_sub(1))
    };
    levels.iter().map(place).collect()
}

/// Neighbouring levels put together by [`places`], each part at its mean score; a part may be missing.
pub fn parts(levels: &[Level], count: usize) -> Vec<Level> {
    let mut parts: Vec<(usize, Level)> = Vec::new();
    for (level, place) in levels.iter().zip(places(levels, count)).filter(|(level, _)| level.people > 0.0) {
        match parts.last_mut() {
            Some((last, sum)) if *last == place => {
                sum.score += level.people * level.score;
                sum.people += level.people;
                sum.events += level.events;
            }
            _ => parts.push((place, Level { score: level.people * level.score, ..*level })),
        }
    }
    parts.into_iter().map(|(_, sum)| Level { score: sum.score / sum.people, ..sum }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(score: f64, people: f64, events: f64) -> Level {
        Level { score, people, events }
    }

    #[test]
    fn worked_by_hand() {
        // Half have the outcome; half of them were given 0.2, half 0.8, and the outcome followed as given.
        let right = [level(0.2, 10.0, 2.0), level(0.8, 10.0, 8.0)];
        assert!((brier(&right).unwrap() - 0.16).abs() < 1e-15);
        assert!((scaled_brier(&right).unwrap() - 0.36).abs() < 1e-14);
        let loss = -(0.8 * 0.8_f64.ln() + 0.2 * 0.2_f64.ln());
        assert!((log_loss(&right).unwrap() - loss).abs() < 1e-15);
        assert!((observed_expected(&right).unwrap() - 1.0).abs() < 1e-15);
        let line = line(&right).unwrap();
        assert!(line.intercept.abs() < 1e-12 && (line.slope - 1.0).abs() < 1e-12, "{line:?}");
        assert!(expected_calibration_error(&right).unwrap() < 1e-15);
    }

    #[test]
    fn a_known_distortion_is_found() {
        // The truth is 1 + 2 × logit.
        let truth = |p: f64| level(p, 1000.0, 1000.0 * expit(1.0 + 2.0 * logit(p)));
        let off: Vec<Level> = [0.1, 0.3, 0.5, 0.7].map(truth).to_vec();
        let line = line(&off).unwrap();
        assert!((line.intercept - 1.0).abs() < 1e-9 && (line.slope - 2.0).abs() < 1e-9, "{line:?}");
        let shifted: Vec<Level> = [0.1, 0.5].map(|p| level(p, 500.0, 500.0 * expit(logit(p) - 0.5))).to_vec();
        assert!((in_the_large(&shifted).unwrap().intercept + 0.5).abs() < 1e-10);
    }

    #[test]
    fn what_has_no_line_says_none() {
        assert_eq!(line(&[level(0.3, 10.0, 4.0)]), None); // one score
        assert!(in_the_large(&[level(0.3, 10.0, 4.0)]).is_some());
        assert_eq!(line(&[level(0.3, 10.0, 0.0), level(0.6, 5.0, 0.0)]), None); // nobody
        assert_eq!(in_the_large(&[level(0.3, 1.0, 1.0)]), None); // one person
        assert_eq!(line(&[level(0.3, 10.0, 0.0), level(0.6, 5.0, 5.0)]), None); // a perfect split
        assert_eq!(line(&[]), None);
        assert_eq!(scaled_brier(&[level(0.3, 4.0, 4.0)]), None);
        assert_eq!(brier(&[]), None);
        // A certain answer that was wrong costs much, and is finite.
        assert!((log_loss(&[level(0.0, 1.0, 1.0)]).unwrap() - 23.025_850_929_940_457).abs() < 1e-9);
    }

    #[test]
    fn people_of_one_score_stay_together() {
        let tenths = tenths(&[level(0.1, 60.0, 6.0), level(0.2, 30.0, 9.0), level(0.3, 10.0, 5.0)]);
        let people: Vec<f64> = tenths.iter().map(|tenth| tenth.people).collect();
        assert_eq!(people, [60.0, 30.0, 10.0]);
        let even: Vec<Level> = (0..100).map(|at| level(f64::from(at) / 100.0, 1.0, 0.0)).collect();
        assert!(super::tenths(&even).iter().all(|tenth| tenth.people == 10.0));
    }
}
