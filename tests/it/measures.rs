//! Every measure against the reference values of other implementations, and what must hold of any.

use riskstrat::evaluate::calibration;
use riskstrat::evaluate::interval::Bootstrap;
use riskstrat::evaluate::measures::{Ask, Measures, measure};
use riskstrat::evaluate::rank::{auroc_difference, auroc_interval};
use riskstrat::evaluate::sample::{Row, Sample};
use riskstrat::score::calibration::{expit, logit};
use serde_json::Value;

use crate::runs;

const NONE: Bootstrap = Bootstrap { replicates: 0, seed: 0 };

fn read(file: &str) -> String {
    std::fs::read_to_string(runs::root().join("fixtures/eval").join(file)).unwrap()
}

fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap()
}

/// Outcome and both scores of the 400 records.
fn records() -> (Vec<bool>, Vec<f64>, Vec<f64>) {
    let text = read("oracle_input.csv");
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = text.lines().skip(1).map(cells).collect();
    let numbers = |column: usize| rows.iter().map(|row| row[column].parse::<f64>().unwrap()).collect();
    (rows.iter().map(|row| row[0] == "1").collect(), numbers(1), numbers(2))
}

fn sample(outcome: &[bool], score: &[f64]) -> Sample {
    let rows = outcome.iter().zip(score).zip(0..);
    let row = |((outcome, score), person): ((&bool, &f64), u32)| Row {
        score: *score,
        outcome: *outcome,
        weight: 1.0,
        person,
    };
    Sample::new(rows.map(row).collect()).unwrap()
}

fn measured(outcome: &[bool], score: &[f64], bootstrap: Bootstrap) -> Measures {
    let ask =
        Ask { probability: true, thresholds: &[0.05, 0.1, 0.2, 0.3, 0.4, 0.5], places: &[40.0, 100.0], bootstrap };
    measure(&sample(outcome, score), &ask)
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: &Value, tolerance: f64) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours}, but the reference has {theirs}");
}

#[test]
fn every_measure_equals_the_reference() {
    let (outcome, p, p2) = records();
    let (python, r) = (json("oracle_expected.json"), json("oracle_expected_R.json"));
    let all = measured(&outcome, &p, NONE);
    let probability = all.probability.as_ref().unwrap();
    let auroc = all.auroc.unwrap();
    let delong = auroc.interval.unwrap();
    near("auroc", auroc.value, &python["auroc"], 1e-9);
    near("auroc of p2", measured(&outcome, &p2, NONE).auroc.unwrap().value, &python["auroc_p2"], 1e-9);
    near("delong low", delong.low, &python["auroc_ci95_delong"][0], 1e-9);
    near("delong high", delong.high, &python["auroc_ci95_delong"][1], 1e-9);
    near("delong low in R", delong.low, &r["ci_delong_pROC"][0], 1e-6);
    near("average precision", all.average_precision.unwrap().value, &python["average_precision"], 1e-9);
    near("brier", probability.brier.unwrap().value, &python["brier"], 1e-9);
    near("scaled brier", probability.scaled_brier.unwrap().value, &python["brier_skill"], 1e-9);
    near("log loss", probability.log_loss.unwrap().value, &python["log_loss"], 1e-9);
    near("in the large", probability.in_the_large.unwrap().value, &python["calibration_in_the_large"], 1e-9);
    near("intercept", probability.intercept.unwrap().value, &python["calibration_intercept_joint"], 1e-9);
    near("slope", probability.slope.unwrap().value, &python["calibration_slope"], 1e-9);
    near("observed over expected", probability.observed_expected.unwrap().value, &python["oe_ratio"], 1e-9);
    near("ece", probability.ece.unwrap().value, &python["ece_10_equal_width"], 1e-9);
    near("ici", probability.ici.unwrap().value, &r["ici_loess_span075_deg2"], 1e-3);
    let sample = sample(&outcome, &p);
    near(
        "error in the large",
        calibration::in_the_large(sample.levels()).unwrap().intercept_error,
        &python["citl_se"],
        1e-9,
    );
    near(
        "error of the slope",
        calibration::line(sample.levels()).unwrap().slope_error,
        &python["calibration_slope_se"],
        1e-9,
    );
    let difference = auroc_difference(&p, &p2, &outcome).unwrap();
    near("z of the difference", difference.z, &python["delong_z_p_vs_p2"], 1e-9);
    near("p of the difference", difference.p, &python["delong_p_value"], 1e-9);
    for benefit in &probability.net_benefit {
        let theirs = &python["net_benefit"][benefit.threshold.to_string()];
        near("net benefit", benefit.model.unwrap().value, &theirs["model"], 1e-9);
        near("net benefit of everyone", benefit.everyone.unwrap(), &theirs["treat_all"], 1e-9);
    }
    assert_eq!((all.people, all.rows, all.events), (400, 400, 122));
}

#[test]
fn the_order_of_rows_changes_nothing_and_weights_are_people() {
    let (outcome, p, _) = records();
    let whole = measured(&outcome, &p, Bootstrap { replicates: 20, seed: 3 });
    // Row 7 first, then every 7th on: a permutation, since 7 and 400 have no common factor. People keep their numbers.
    let row = |person: usize| Row { score: p[person], outcome: outcome[person], weight: 1.0, person: person as u32 };
    let shuffled = Sample::new((0..400).map(|n| row((n * 7) % 400)).collect()).unwrap();
    let ask = Ask {
        probability: true,
        thresholds: &[0.05, 0.1, 0.2, 0.3, 0.4, 0.5],
        places: &[40.0, 100.0],
        bootstrap: Bootstrap { replicates: 20, seed: 3 },
    };
    assert_eq!(measure(&shuffled, &ask), whole);
    // Each row of weight 3 is three people with the same score: the same values.
    let heavy = Sample::new((0..400).map(|n| Row { weight: 3.0, ..row(n) }).collect()).unwrap();
    let heavy = measure(&heavy, &Ask { bootstrap: NONE, places: &[120.0, 300.0], ..ask });
    assert!((heavy.auroc.unwrap().value - whole.auroc.unwrap().value).abs() < 1e-12);
    let slope = |measures: &Measures| measures.probability.as_ref().unwrap().slope.unwrap().value;
    assert!((slope(&heavy) - slope(&whole)).abs() < 1e-9);
    let ici = |measures: &Measures| measures.probability.as_ref().unwrap().ici.unwrap().value;
    assert!((ici(&heavy) - ici(&whole)).abs() < 1e-9);
    assert!((heavy.top[0].rates.ppv.unwrap().value - whole.top[0].rates.ppv.unwrap().value).abs() < 1e-12);
    // A closed interval would take the weights for people.
    assert_eq!(heavy.auroc.unwrap().interval, None);
}

#[test]
fn a_monotone_transform_ranks_alike_and_a_logit_line_is_undone_by_recalibration() {
    let (outcome, p, _) = records();
    let first = measured(&outcome, &p, NONE);
    let bent: Vec<f64> = p.iter().map(|p| expit(0.4 + 1.7 * logit(*p))).collect();
    let second = measured(&outcome, &bent, NONE);
    assert_eq!(first.auroc, second.auroc);
    assert_eq!(first.average_precision, second.average_precision);
    assert_eq!(first.top[0].rates.ppv, second.top[0].rates.ppv);
    let line = |measures: &Measures| {
        let probability = measures.probability.as_ref().unwrap();
        (probability.intercept.unwrap().value, probability.slope.unwrap().value)
    };
    let ((a0, b0), (a1, b1)) = (line(&first), line(&second));
    assert!((b1 - b0 / 1.7).abs() < 1e-9 && (a1 - (a0 - 0.4 * b0 / 1.7)).abs() < 1e-9);
}

#[test]
fn a_bootstrap_draws_people_and_agrees_with_delong_where_each_has_one_row() {
    let (outcome, p, _) = records();
    let delong = auroc_interval(sample(&outcome, &p).levels()).unwrap();
    // Each record twice is not twice the evidence: the interval of people stays as wide.
    let row = |n: usize| Row { score: p[n / 2], outcome: outcome[n / 2], weight: 1.0, person: (n / 2) as u32 };
    let twice = Sample::new((0..800).map(row).collect()).unwrap();
    let ask = Ask {
        probability: false,
        thresholds: &[],
        places: &[],
        bootstrap: Bootstrap { replicates: 300, seed: 20260401 },
    };
    let drawn = measure(&twice, &ask).auroc.unwrap().interval.unwrap();
    assert!((drawn.low - delong.low).abs() < 0.012 && (drawn.high - delong.high).abs() < 0.012, "{drawn:?} {delong:?}");
}

#[test]
fn what_cannot_be_measured_is_none_and_no_number() {
    for (outcome, score) in [(vec![], vec![]), (vec![true], vec![0.4]), (vec![false; 5], vec![0.1, 0.2, 0.3, 0.4, 0.5])]
    {
        let all = measured(&outcome, &score, Bootstrap { replicates: 10, seed: 1 });
        let probability = all.probability.as_ref().unwrap();
        assert_eq!((all.auroc, probability.slope, probability.scaled_brier), (None, None, None));
        let text = serde_json::to_string(&all).unwrap();
        assert!(!text.contains("NaN"), "{text}");
    }
    let constant = measured(&[true, false, false, true], &[0.5; 4], NONE);
    assert_eq!(constant.auroc.unwrap().value, 0.5);
    assert_eq!(constant.probability.unwrap().slope, None);
}
