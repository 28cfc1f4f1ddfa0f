//! The published worked example of the national index of data quality.

use riskstrat::audit::dqmi::{Records, index};

use crate::runs;

fn share(text: &str) -> f64 {
    match text.split_once('/') {
        Some((part, whole)) => part.parse::<f64>().unwrap() / whole.parse::<f64>().unwrap(),
        None => text.parse().unwrap(),
    }
}

#[test]
fn every_item_score_and_the_index_are_those_of_the_worked_example() {
    let text = std::fs::read_to_string(runs::root().join("fixtures/dqmi/worked_example.csv")).unwrap();
    let mut items = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [.., records, valid, defaults, excess, allowed, score, coverage] = cells[..] else { panic!("{line}") };
        let count = |text: &str| text.parse::<u64>().unwrap();
        let allowed = if allowed.is_empty() { 1.0 } else { share(allowed) / 100.0 };
        let records = Records { records: count(records), valid: count(valid), defaults: count(defaults) };
        let ours = records.score(allowed).unwrap();
        assert!((ours * 100.0 - share(score)).abs() < 1e-9, "{line}: {ours}");
        let lost = records.valid as f64 / records.records as f64 - ours;
        assert!((lost * records.records as f64 - share(excess)).abs() < 1e-6, "{line}: {lost}");
        items.push((ours, share(coverage)));
    }
    assert_eq!(items.len(), 12);
    let index = index(items).unwrap();
    assert_eq!(format!("{:.1}", index * 100.0), "47.2");
}

#[test]
fn nothing_has_no_score() {
    assert_eq!(Records::default().score(0.0), None);
    assert_eq!(index([]), None);
    let defaults_only = Records { records: 10, valid: 5, defaults: 10 };
    assert_eq!(defaults_only.score(0.0), Some(0.0), "a score is never below 0");
}
