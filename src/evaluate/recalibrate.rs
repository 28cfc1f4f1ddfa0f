//! A calibration step fitted on the people of a study, as the model file holds it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::ValueEnum;
use jiff::civil::Date;

use super::calibration::{self, parts, places};
use super::sample::{Level, Row, Sample, totals};
use crate::cohort::words::NOT_RECORDED;
use crate::error::{Error, Result};
use crate::pipeline::calibration::{EVERYONE_ELSE, LogitLine, Step};

/// A group has a line of its own from so many people and outcomes on; smaller ones share that of everyone.
const GROUP_PEOPLE: f64 = 1000.0;
const GROUP_OUTCOMES: f64 = 100.0;

/// A point of an isotonic curve stands for at least so many people: a model file remembers nobody.
const POINT_PEOPLE: usize = 50;

/// Points enough for any curve.
const MOST_POINTS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Method {
    InTheLarge,
    Slope,
    Isotonic,
    ByGroup,
}

/// Who fits a step, when, on whom.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    pub fitted_on: &'a str,
    pub by: &'a str,
    pub on: Date,
}

/// The feature whose values are the groups, with its value of each row; none where it is not recorded.
#[derive(Debug, Clone)]
pub struct Groups {
    /// Index into [`crate::pipeline::Pipeline::features`].
    pub feature: usize,
    pub name: String,
    pub of: Vec<Option<String>>,
}

/// A fitted step.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub step: Step,
    /// Its name and text, where the step is a table.
    pub table: Option<(String, String)>,
    /// `[[calibration]]`, to stand at the end of the model file.
    pub toml: String,
}

/// Fits a step on rows whose score is the model's probability so far; `table` names the file that a table goes to.
///
/// # Errors
/// When the rows settle no step: one outcome only, one score only, or an order that would be turned round.
pub fn fit(
    method: Method,
    rows: Vec<Row>,
    groups: Option<&Groups>,
    table: &str,
    signature: Signature,
) -> Result<Fitted> {
    let sample = Sample::new(rows.clone())?;
    let (step, text, said) = match method {
        Method::InTheLarge => {
            let line = LogitLine { slope: 1.0, ..line(sample.levels(), false)? };
            (Step::Line(line), None, format!("in_the_large = {{ intercept = {:?} }}", line.intercept))
        }
        Method::Slope => {
            let line = line(sample.levels(), true)?;
            let said = format!("slope = {{ intercept = {:?}, slope = {:?} }}", line.intercept, line.slope);
            (Step::Line(line), None, said)
        }
        Method::Isotonic => {
            let curve = curve(sample.levels())?;
            let mut csv = "score,calibrated\n".to_owned();
            // Writing to a String does not fail.
            curve.iter().for_each(|[score, calibrated]| {
                let _ = writeln!(csv, "{score:?},{calibrated:?}");
            });
            (Step::Isotonic(curve), Some(csv), format!("isotonic = {{ table = \"{table}\" }}"))
        }
        Method::ByGroup => {
            let missing = || Error::Usage("by_group needs the feature whose values are the groups: --group".to_owned());
            let groups = groups.ok_or_else(missing)?;
            let lines = lines(&rows, groups, line(sample.levels(), true)?)?;
            let mut csv = "group,intercept,slope\n".to_owned();
            lines.iter().for_each(|(group, line)| {
                let _ = writeln!(csv, "{group},{:?},{:?}", line.intercept, line.slope);
            });
            let said = format!("by_group = {{ feature = \"{}\", table = \"{table}\" }}", groups.name);
            (Step::ByGroup { feature: groups.feature, groups: lines }, Some(csv), said)
        }
    };
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let toml = format!(
        "\n[[calibration]]\n{said}\nfitted_on = {}\nby = {}\non = {}\n",
        quoted(signature.fitted_on),
        quoted(signature.by),
        signature.on
    );
    Ok(Fitted { step, table: text.map(|text| (table.to_owned(), text)), toml })
}

fn line(levels: &[Level], slope_free: bool) -> Result<LogitLine> {
    let fitted = if slope_free { calibration::line(levels) } else { calibration::in_the_large(levels) };
    let fitted = fitted.map(|line| LogitLine { intercept: line.intercept, slope: line.slope });
    fitted.filter(|line| line.slope > 0.0).ok_or_else(|| {
        Error::Check(
            "these people settle no calibration: one outcome only, one score only, or an order turned round".to_owned(),
        )
    })
}

/// A line for each group that is large enough, and one for everyone else.
fn lines(rows: &[Row], groups: &Groups, everyone: LogitLine) -> Result<BTreeMap<String, LogitLine>> {
    let mut by_group: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for (row, group) in rows.iter().zip(&groups.of) {
        by_group.entry(group.as_deref().unwrap_or(NOT_RECORDED)).or_default().push(*row);
    }
    let mut lines = BTreeMap::from([(EVERYONE_ELSE.to_owned(), everyone)]);
    for (group, rows) in by_group {
        let sample = Sample::new(rows)?;
        let (people, events) = totals(sample.levels());
        let plain = !group.contains(['"', ',', '\n', '\r']) && group.trim() == group;
        if people >= GROUP_PEOPLE && events.min(people - events) >= GROUP_OUTCOMES && plain {
            // A group whose order would be turned round shares the line of everyone.
            lines.extend(line(sample.levels(), true).ok().map(|line| (group.to_owned(), line)));
        }
    }
    Ok(lines)
}

/// The closest curve that never falls, by pooling neighbours that do (Ayer 1955); both ends of each level stretch.
fn curve(levels: &[Level]) -> Result<Vec<[f64; 2]>> {
    let (people, _) = totals(levels);
    let count = (people as usize / POINT_PEOPLE).min(MOST_POINTS);
    if count < 2 || places(levels, count).first() == places(levels, count).last() {
        return Err(Error::Check(format!("fewer than {} people, or one score, settle no curve", 2 * POINT_PEOPLE)));
    }
    let mut pools: Vec<(Level, [f64; 2])> = Vec::new();
    for part in parts(levels, count) {
        let mut pool = (part, [part.score, part.score]);
        while let Some((before, ends)) = pools.pop_if(|(before, _)| rate(before) >= rate(&pool.0)) {
            pool.0.people += before.people;
            pool.0.events += before.events;
            pool.1[0] = ends[0];
        }
        pools.push(pool);
    }
    let ends = |(pool, [first, last]): &(Level, [f64; 2])| {
        let value = rate(pool);
        let both = [[*first, value], [*last, value]];
        both.into_iter().take(if first == last { 1 } else { 2 }).collect::<Vec<_>>()
    };
    Ok(pools.iter().flat_map(ends).collect())
}

fn rate(level: &Level) -> f64 {
    level.events / level.people
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::score::calibration::{along, expit, logit};

    const SIGNED: Signature = Signature { fitted_on: "invented", by: "nobody", on: date(2026, 4, 1) };

    /// Of 400 people at each of nine scores, as many with the outcome as `truth` says.
    fn rows(truth: impl Fn(f64) -> f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for tenth in 1..10 {
            let score = f64::from(tenth) / 10.0;
            let events = (400.0 * truth(score)).round() as u32;
            rows.extend((0..400).map(|at| Row { score, outcome: at < events, weight: 1.0, person: 0 }));
        }
        (0..).zip(&mut rows).for_each(|(person, row)| row.person = person);
        rows
    }

    #[test]
    fn a_line_undoes_a_known_distortion() {
        let fitted = fit(Method::Slope, rows(|p| expit(0.5 + 0.6 * logit(p))), None, "t.csv", SIGNED).unwrap();
        let Step::Line(line) = fitted.step else { panic!("{fitted:?}") };
        assert!((line.intercept - 0.5).abs() < 0.01 && (line.slope - 0.6).abs() < 0.01, "{line:?}");
        let fitted = fit(Method::InTheLarge, rows(|p| expit(logit(p) - 1.0)), None, "t.csv", SIGNED).unwrap();
        let Step::Line(line) = fitted.step else { panic!("{fitted:?}") };
        assert!((line.intercept + 1.0).abs() < 0.01 && line.slope == 1.0, "{line:?}");
        assert!(fitted.toml.contains("by = \"nobody\"\non = 2026-04-01"));
        assert!(fit(Method::Slope, rows(|p| 1.0 - p), None, "t.csv", SIGNED).is_err(), "an order turned round");
    }

    #[test]
    fn a_curve_never_falls_and_meets_what_was_seen() {
        let seen = |p: f64| if p < 0.45 { p * p } else { 0.5 };
        let fitted = fit(Method::Isotonic, rows(seen), None, "t.csv", SIGNED).unwrap();
        let Step::Isotonic(points) = &fitted.step else { panic!("{fitted:?}") };
        assert!(points.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] <= pair[1][1]), "{points:?}");
        assert!((along(points, 0.3) - 0.09).abs() < 0.002 && (along(points, 0.7) - 0.5).abs() < 1e-12, "{points:?}");
        // A dip is pooled with what comes before it.
        let dip = fit(Method::Isotonic, rows(|p| if p == 0.5 { 0.2 } else { p }), None, "t.csv", SIGNED).unwrap();
        let Step::Isotonic(points) = &dip.step else { panic!("{dip:?}") };
        assert!((along(points, 0.4) - 0.3).abs() < 1e-12 && (along(points, 0.5) - 0.3).abs() < 1e-12, "{points:?}");
        assert!(fit(Method::Isotonic, rows(seen).split_off(3550), None, "t.csv", SIGNED).is_err(), "too few people");
    }

    #[test]
    fn only_large_groups_have_their_own_line() {
        let mut all = rows(|p| p);
        let shifted = rows(|p| expit(logit(p) + 1.0));
        all.extend(shifted.iter().map(|row| Row { person: row.person + 10_000, ..*row }));
        all.extend(shifted.iter().step_by(9).map(|row| Row { person: row.person + 20_000, ..*row }));
        let of = (0..all.len()).map(|at| match at {
            0..3600 => None,
            3600..7200 => Some("B".to_owned()),
            _ => Some("C".to_owned()),
        });
        let groups = Groups { feature: 3, name: "ethnicity".to_owned(), of: of.collect() };
        let fitted = fit(Method::ByGroup, all, Some(&groups), "t.csv", SIGNED).unwrap();
        let Step::ByGroup { feature: 3, groups } = &fitted.step else { panic!("{fitted:?}") };
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["B", EVERYONE_ELSE, NOT_RECORDED]);
        assert!((groups["B"].intercept - 1.0).abs() < 0.02 && groups[NOT_RECORDED].intercept.abs() < 0.02);
        assert!(fitted.table.unwrap().1.starts_with("group,intercept,slope\nB,"));
    }
}
