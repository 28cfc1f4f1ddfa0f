//! Every measure of one score on one set of people.

use serde::{Deserialize, Serialize};

use super::calibration::{self, Line, Tenth};
use super::cut::{self, Cut, Rates};
use super::interval::{self, Bootstrap, Estimate, Interval, Measure};
use super::loess;
use super::rank;
use super::sample::{Level, Sample};

/// What to measure beside what is always measured.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The score is a probability: calibration can be judged.
    pub probability: bool,
    /// Thresholds of net benefit.
    pub thresholds: &'a [f64],
    /// Lengths of lists.
    pub places: &'a [f64],
    pub bootstrap: Bootstrap,
}

/// None where a measure is not defined, for example with one outcome only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    pub people: u64,
    /// People at dates.
    pub rows: u64,
    pub events: u64,
    pub auroc: Option<Estimate>,
    pub average_precision: Option<Estimate>,
    /// None of points, which are no probability.
    pub probability: Option<Probability>,
    pub top: Vec<Top>,
}

/// How good the probabilities are as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probability {
    pub brier: Option<Estimate>,
    pub scaled_brier: Option<Estimate>,
    pub log_loss: Option<Estimate>,
    pub in_the_large: Option<Estimate>,
    pub intercept: Option<Estimate>,
    pub slope: Option<Estimate>,
    pub observed_expected: Option<Estimate>,
    /// Integrated calibration index.
    pub ici: Option<Estimate>,
    /// Expected calibration error, ten bins of equal width.
    pub ece: Option<Estimate>,
    pub net_benefit: Vec<NetBenefit>,
    pub tenths: Vec<Tenth>,
    /// Score and smoothed outcome.
    pub smooth: Vec<[f64; 2]>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetBenefit {
    pub threshold: f64,
    pub model: Option<Estimate>,
    /// Of acting on everyone; acting on nobody has none.
    pub everyone: Option<f64>,
}

/// The highest so many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Top {
    pub places: f64,
    pub rates: Rates,
}

/// Measures a sample.
pub fn measure(sample: &Sample, ask: &Ask) -> Measures {
    let (rows, events) = sample.rows();
    let asked: [(Measure, Option<Interval>); 2] =
        [(&rank::auroc, sample.closed(rank::auroc_interval)), (&rank::average_precision, None)];
    let mut ranks = interval::estimates(sample, ask.bootstrap, &asked).into_iter();
    let mut next = || ranks.next().flatten();
    let top = ask.places.iter().map(|&places| {
        let rates = cut::rates(sample, ask.bootstrap, &|levels| Cut::top(levels, places));
        Top { places, rates }
    });
    Measures {
        people: sample.people() as u64,
        rows,
        events,
        auroc: next(),
        average_precision: next(),
        probability: ask.probability.then(|| probability(sample, ask)),
        top: top.collect(),
    }
}

fn probability(sample: &Sample, ask: &Ask) -> Probability {
    let benefits: Vec<_> =
        ask.thresholds.iter().map(|at| move |levels: &[Level]| cut::net_benefit(levels, *at)).collect();
    let mut asked: Vec<(Measure, Option<Interval>)> = vec![
        (&calibration::brier, None),
        (&calibration::scaled_brier, None),
        (&calibration::log_loss, None),
        (&in_the_large, sample.closed(|levels| calibration::in_the_large(levels).map(Line::intercept_interval))),
        (&intercept, sample.closed(|levels| calibration::line(levels).map(Line::intercept_interval))),
        (&slope, sample.closed(|levels| calibration::line(levels).map(Line::slope_interval))),
        (&calibration::observed_expected, sample.closed(calibration::observed_expected_interval)),
        (&loess::integrated_calibration_index, None),
        (&calibration::expected_calibration_error, None),
    ];
    asked.extend(benefits.iter().map(|benefit| (benefit as Measure, None)));
    let mut estimates = interval::estimates(sample, ask.bootstrap, &asked).into_iter();
    let mut next = || estimates.next().flatten();
    Probability {
        brier: next(),
        scaled_brier: next(),
        log_loss: next(),
        in_the_large: next(),
        intercept: next(),
        slope: next(),
        observed_expected: next(),
        ici: next(),
        ece: next(),
        net_benefit: ask
            .thresholds
            .iter()
            .map(|&threshold| NetBenefit {
                threshold,
                model: next(),
                everyone: cut::net_benefit_of_everyone(sample.levels(), threshold),
            })
            .collect(),
        tenths: calibration::tenths(sample.levels()),
        smooth: smooth(sample.levels()),
    }
}

/// The smooth curve at about as many scores as a drawing shows.
fn smooth(levels: &[Level]) -> Vec<[f64; 2]> {
    let Some(smooth) = loess::smooth(levels) else { return Vec::new() };
    calibration::parts(levels, 50).iter().map(|part| [part.score, smooth.at(part.score)]).collect()
}

fn in_the_large(levels: &[Level]) -> Option<f64> {
    calibration::in_the_large(levels).map(|line| line.intercept)
}

fn intercept(levels: &[Level]) -> Option<f64> {
    calibration::line(levels).map(|line| line.intercept)
}

fn slope(levels: &[Level]) -> Option<f64> {
    calibration::line(levels).map(|line| line.slope)
}
