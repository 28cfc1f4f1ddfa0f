//! Statistics of inequality against values worked out apart (`fixtures/stats`), every row of them.

use std::collections::BTreeMap;

use riskstrat::figures::funnel::{Finding, Funnel};
use riskstrat::figures::interval::{byar, events, wilson};
use riskstrat::figures::slope::fit;
use riskstrat::figures::standard::{Band, Reference, direct, expected, ratio};
use riskstrat::figures::{Figure, Limits, Z95, Z998};

use crate::runs;

/// Rows of a file by column name.
fn rows(file: &str) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(runs::root().join("fixtures/stats").join(file)).unwrap();
    let cells = |line: &str| -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    };
    let mut lines = text.lines();
    let header = cells(lines.next().unwrap());
    let rows: Vec<_> = lines.map(|line| header.iter().cloned().zip(cells(line)).collect()).collect();
    assert!(!rows.is_empty(), "{file} has rows");
    rows
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let off = (ours - theirs).abs() / theirs.abs().max(1.0);
    assert!(off <= tolerance, "{what}: {ours}, but the reference has {theirs}");
}

#[track_caller]
fn same(what: &str, at95: Figure, at998: Figure, scale: f64, row: &BTreeMap<String, String>) {
    near(what, scale * at95.value, number(row, "value"), 1e-12);
    for (figure, level) in [(at95, "95_0"), (at998, "99_8")] {
        near(what, scale * figure.limits.low, number(row, &format!("lower{level}cl")), 1e-10);
        near(what, scale * figure.limits.high, number(row, &format!("upper{level}cl")), 1e-10);
    }
}

fn bands(area: &str) -> Vec<Band> {
    let of_area = rows("own_rates_input.csv").into_iter().filter(|row| row["area"] == area);
    let band = |row: BTreeMap<String, String>| Band {
        people: number(&row, "pop"),
        events: number(&row, "count"),
        standard: number(&row, "stdpop"),
    };
    of_area.map(band).collect()
}

#[test]
fn directly_standardised_rates_equal_the_reference() {
    for row in rows("own_dsr_expected.csv") {
        let bands = bands(&row["area"]);
        let [at95, at998] = [Z95, Z998].map(|z| direct(&bands, z).unwrap());
        same(&row["area"], at95, at998, 100_000.0, &row);
    }
}

#[test]
fn indirectly_standardised_rates_and_ratios_equal_the_reference() {
    let reference: Vec<Reference> = rows("own_isr_reference.csv")
        .iter()
        .map(|row| Reference { people: number(row, "refpop"), events: number(row, "refcount") })
        .collect();
    for (file, is_rate) in [("own_israte_expected.csv", true), ("own_isratio_expected.csv", false)] {
        for row in rows(file) {
            let bands = bands(&row["area"]);
            let expected = expected(bands.iter().map(|band| band.people).zip(reference.iter().copied())).unwrap();
            near("expected", expected, number(&row, "expected"), 1e-12);
            let observed: f64 = bands.iter().map(|band| band.events).sum();
            let scale = if is_rate { number(&row, "ref_rate") } else { 1.0 };
            let [at95, at998] = [Z95, Z998].map(|z| ratio(observed, expected, z).unwrap());
            same(&row["area"], at95, at998, scale, &row);
        }
    }
}

#[test]
fn proportions_and_rates_equal_the_reference() {
    for row in rows("own_proportion_expected.csv") {
        let (x, n) = (number(&row, "x"), number(&row, "n"));
        let [at95, at998] = [Z95, Z998].map(|z| Figure { value: x / n, limits: wilson(x, n, z) });
        same(&row["area"], at95, at998, 100.0, &row);
    }
    for row in rows("own_rate_expected.csv") {
        let (x, n) = (number(&row, "x"), number(&row, "n"));
        let of = |limits: Limits| Limits { low: limits.low / n, high: limits.high / n };
        let [at95, at998] = [Z95, Z998].map(|z| Figure { value: x / n, limits: of(events(x, z)) });
        same(&row["area"], at95, at998, 1000.0, &row);
    }
    let none = byar(0.0, Z95);
    assert!(none.low == 0.0 && none.high > 3.0);
}

#[test]
fn the_slope_and_relative_index_equal_the_reference_plain_and_transformed() {
    let groups = rows("own_sii_input.csv");
    let of = |value: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        groups.iter().map(|row| (number(row, "pop"), value(number(row, "events") / number(row, "pop")))).collect()
    };
    let logit = |share: f64| (share / (1.0 - share)).ln();
    let expit = |odds: f64| 1.0 / (1.0 + (-odds).exp());
    for row in rows("own_sii_expected.csv") {
        let line = match row["case"].as_str() {
            "proportion_wls" => fit(&of(&|share| share)),
            "logit_transform" => fit(&of(&logit)),
            "log_transform_rate_per_1000" => fit(&of(&|share| (1000.0 * share).ln())),
            other => panic!("{other}"),
        };
        let line = line.unwrap();
        let back = |value: f64| match row["case"].as_str() {
            "logit_transform" => expit(value),
            "log_transform_rate_per_1000" => value.exp(),
            _ => value,
        };
        let (first, last) = (back(line.intercept), back(line.intercept + line.slope));
        near(&row["case"], last - first, number(&row, "sii"), 1e-8);
        near(&row["case"], last / first, number(&row, "rii"), 1e-8);
        near(&row["case"], first, number(&row, "intercept"), 1e-8);
    }
    let index = fit(&of(&|share| share)).unwrap().slope_index(Z95).unwrap();
    assert!(index.limits.low < index.value && index.value < index.limits.high);
}

#[test]
fn funnel_limits_and_findings_equal_the_reference() {
    for row in rows("own_funnel_prop_expected.csv") {
        let funnel = Funnel::of(number(&row, "baseline") / 100.0, number(&row, "Population"));
        for (ours, column) in [
            (funnel.warning.low, "lower_2s_limit"),
            (funnel.warning.high, "upper_2s_limit"),
            (funnel.alarm.low, "lower_3s_limit"),
            (funnel.alarm.high, "upper_3s_limit"),
        ] {
            near(column, 100.0 * ours, number(&row, column), 1e-10);
        }
    }
    let providers = rows("own_funnel_prop_input_and_significance.csv");
    let total = |column: &str| -> f64 { providers.iter().map(|row| number(row, column)).sum() };
    let average = total("num") / total("den");
    for row in &providers {
        let finding = Funnel::of(average, number(row, "den")).finding(number(row, "num") / number(row, "den"));
        let wanted = match row["significance"].as_str() {
            "Low (0.001)" => Finding::LowAlarm,
            "Low (0.025)" => Finding::LowWarning,
            "High (0.025)" => Finding::HighWarning,
            "High (0.001)" => Finding::HighAlarm,
            "Not significant" => Finding::Within,
            other => panic!("{other}"),
        };
        assert_eq!(finding, wanted, "{}", row["org"]);
    }
}
