//! How well risks rank people and agree with what happened, on people that no fit has seen.

use serde::Serialize;

use super::choose::log_loss;

/// Figures of one set of rows; weights count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    pub rows: u64,
    pub events: u64,
    /// Weighted share of rows with the outcome.
    pub prevalence: f64,
    /// Chance that a row with the outcome has a higher risk than one without, ties half; none with one kind of row only.
    pub auroc: Option<f64>,
    pub brier: f64,
    pub log_loss: f64,
    /// Observed over expected events.
    pub observed_over_expected: f64,
    /// Of a logistic regression of the outcome on the logit of the risk (Cox 1958); none without an optimum.
    pub calibration_intercept: Option<f64>,
    pub calibration_slope: Option<f64>,
}

pub fn judge(risk: &[f64], outcome: &[bool], weight: &[f64]) -> Judged {
    let total: f64 = weight.iter().sum();
    let observed: f64 = outcome.iter().zip(weight).filter(|(event, _)| **event).map(|(_, weight)| weight).sum();
    let expected: f64 = risk.iter().zip(weight).map(|(risk, weight)| risk * weight).sum();
    let square = |((risk, event), weight): ((&f64, &bool), &f64)| {
        let miss = risk - f64::from(u8::from(*event));
        weight * miss * miss
    };
    let line = calibration(risk, outcome, weight);
    Judged {
        rows: outcome.len() as u64,
        events: outcome.iter().filter(|event| **event).count() as u64,
        prevalence: observed / total,
        auroc: auroc(risk, outcome, weight),
        brier: risk.iter().zip(outcome).zip(weight).map(square).sum::<f64>() / total,
        log_loss: log_loss(risk, outcome, weight),
        observed_over_expected: observed / expected,
        calibration_intercept: line.map(|(intercept, _)| intercept),
        calibration_slope: line.map(|(_, slope)| slope),
    }
}

/// Area under the receiver operating characteristic: pairs in the right order, ties half.
pub fn auroc(risk: &[f64], outcome: &[bool], weight: &[f64]) -> Option<f64> {
    let mut order: Vec<usize> = (0..risk.len()).collect();
    order.sort_by(|a, b| risk[*a].total_cmp(&risk[*b]));
    let (mut below, mut pairs, mut with) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| risk[*a] == risk[*b]) {
        let sum = |event: bool| tied.iter().filter(|row| outcome[**row] == event).map(|row| weight[*row]).sum::<f64>();
        let (events, others) = (sum(true), sum(false));
        pairs += events * (below + others / 2.0);
        below += others;
        with += events;
    }
    (with > 0.0 && below > 0.0).then(|| pairs / (with * below))
}

/// Intercept and slope of the outcome on the logit of the risk.
fn calibration(risk: &[f64], outcome: &[bool], weight: &[f64]) -> Option<(f64, f64)> {
    let logit: Vec<f64> =
        risk.iter().map(|risk| risk.clamp(1e-12, 1.0 - 1e-12)).map(|r| (r / (1.0 - r)).ln()).collect();
    let (mut intercept, mut slope) = (0.0, 1.0);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((x, event), weight) in logit.iter().zip(outcome).zip(weight) {
            let p = 1.0 / (1.0 + (-(intercept + slope * x)).exp());
            let (miss, curve) = (weight * (f64::from(u8::from(*event)) - p), weight * p * (1.0 - p));
            (g0, g1) = (g0 + miss, g1 + miss * x);
            (h00, h01, h11) = (h00 + curve, h01 + curve * x, h11 + curve * x * x);
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant.is_nan() || determinant <= 1e-12 * h00 * h11 {
            return None;
        }
        let (a, b) = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
        (intercept, slope) = (intercept + a, slope + b);
        if a.abs().max(b.abs()) < 1e-10 {
            return Some((intercept, slope));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_worked_by_hand() {
        let risk = [0.1, 0.4, 0.4, 0.8];
        let outcome = [false, true, false, true];
        let judged = judge(&risk, &outcome, &[1.0; 4]);
        // Of four pairs three are in order and one is a tie.
        assert_eq!(judged.auroc, Some(3.5 / 4.0));
        assert!((judged.brier - (0.01 + 0.36 + 0.16 + 0.04) / 4.0).abs() < 1e-15);
        assert!((judged.observed_over_expected - 2.0 / 1.7).abs() < 1e-15);
        assert_eq!(auroc(&risk, &[true; 4], &[1.0; 4]), None);
        // Twice a weight is the row twice.
        let doubled = judge(&[0.1, 0.4, 0.4, 0.8, 0.8], &[false, true, false, true, true], &[1.0; 5]);
        let weighted = judge(&risk, &outcome, &[1.0, 1.0, 1.0, 2.0]);
        assert_eq!(weighted.auroc, doubled.auroc);
        assert!((weighted.brier - doubled.brier).abs() < 1e-15);
    }

    #[test]
    fn risks_that_hold_have_slope_one() {
        // In each group of 10 as many events as its risk says.
        let groups = [(0.1, 1), (0.3, 3), (0.5, 5), (0.9, 9)];
        let rows = groups.iter().flat_map(|(risk, events)| (0..10).map(move |n| (*risk, n < *events)));
        let (risk, outcome): (Vec<f64>, Vec<bool>) = rows.unzip();
        let judged = judge(&risk, &outcome, &[1.0; 40]);
        assert!((judged.calibration_slope.unwrap() - 1.0).abs() < 1e-9);
        assert!(judged.calibration_intercept.unwrap().abs() < 1e-9);
    }
}
