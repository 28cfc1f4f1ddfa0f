//! A model trained on invented deliveries against the risk that was planted in them.
//!
//! 6,000 people on every change, held loosely; `RISKSTRAT_TRAINED_PEOPLE=100000` holds it to the figures that are claimed.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use riskstrat::cohort::words;
use riskstrat::conform::Engine;
use riskstrat::evaluate::sample::{Row, Sample};
use riskstrat::evaluate::{calibration, rank};
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::study;
use riskstrat::synth::{self, Format, SynthOptions};
use riskstrat::train;

use crate::runs;

const SEED: u64 = 42;

/// Calibration slope, observed over expected, and AUROC, with each row as its chance of the outcome and of none: what the
/// figures would be on endless people with these risks.
fn against_truth(risk: &[f64], truth: &[f64]) -> (f64, f64, f64) {
    let row = |((person, risk), truth): ((u32, &f64), &f64)| {
        let of = |outcome, weight| Row { score: *risk, outcome, weight, person };
        [of(true, *truth), of(false, 1.0 - truth)]
    };
    let rows = (0..).zip(risk).zip(truth).flat_map(row).collect();
    let sample = Sample::new(rows).unwrap();
    let levels = sample.levels();
    let slope = calibration::line(levels).unwrap().slope;
    (slope, calibration::observed_expected(levels).unwrap(), rank::auroc(levels).unwrap())
}

#[test]
fn the_planted_risk_is_recovered() {
    let people: u64 = std::env::var("RISKSTRAT_TRAINED_PEOPLE").map_or(6_000, |people| people.parse().unwrap());
    let strict = people >= 50_000;
    let (slope_within, auroc_within) = if strict { (0.05, 0.005) } else { (0.3, 0.03) };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deliveries");
    let as_of = jiff::civil::date(2026, 4, 1);
    let options =
        SynthOptions { persons: people, seed: SEED, as_of, out: out.clone(), format: Format::Parquet, clean: false };
    synth::write(&options, &mut |_| {}).unwrap();
    let text = fs::read_to_string(out.join("truth/risk_2025-04-01.csv")).unwrap();
    let truth: HashMap<&str, f64> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',');
            (cells.next().unwrap(), cells.next().unwrap().parse().unwrap())
        })
        .collect();
    let file = runs::root().join("pipelines/studies/emergency_admission_12m.toml");
    let load = LoadOptions { as_of: None, deliveries: Some(out) };
    let (pipeline, mut plan) = parse::load_study(&file, &load, &[]).unwrap();
    // The truth is at hand: no intervals are needed.
    plan.evaluate.decl.replicates = 0;
    let engine = Engine::of(2, 8192);
    let study = study::assemble(&pipeline, &plan, engine, &|_, _| {}).unwrap();
    let trained = train::train(&pipeline, &plan, &study, "risk", 2, &mut || {}).unwrap();
    let (held, risk) = &trained.held;
    let planted: Vec<f64> = held.iter().map(|row| truth[&*study.tokens[*row].reveal()]).collect();
    let ((slope, expected, auroc), (_, _, bound)) = (against_truth(risk, &planted), against_truth(&planted, &planted));
    println!("seed {SEED}, {people} people: slope {slope:.4}, O/E {expected:.4}, AUROC {auroc:.4} of {bound:.4}");
    assert!((slope - 1.0).abs() < slope_within && (bound - auroc).abs() < auroc_within, "{slope} {auroc} {bound}");
    let mut off = Vec::new();
    let least = if strict { 1_000 } else { usize::MAX };
    for feature in &plan.groups {
        let name = &pipeline.features[*feature].name;
        let column = study.table.column(*feature);
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, row) in held.iter().enumerate() {
            let value = format!("{:?}", column.slice(*row, 1));
            groups.entry(value).or_default().push(at);
        }
        for members in groups.into_values().filter(|members| members.len() >= least) {
            let of = |values: &[f64]| members.iter().map(|at| values[*at]).collect::<Vec<f64>>();
            let (slope, expected, _) = against_truth(&of(risk), &of(&planted));
            let value = words::written(column, held[members[0]]).unwrap();
            println!("  {name} {value:?}, {} people: slope {slope:.4}, O/E {expected:.4}", members.len());
            off.extend(((slope - 1.0).abs() >= slope_within).then(|| format!("{name} {value:?}: {slope}")));
        }
    }
    assert!(off.is_empty(), "{off:?}");
}
