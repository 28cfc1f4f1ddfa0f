//! From run to run: is a change more than ordinary variation?

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{RunChart, Visit};
use super::super::table::{Row, Shown, Tables, only};
use super::{figures, glance, span};
use crate::error::Result;

/// Fewer runs than these are no picture.
const DRAWN_FROM: usize = 3;

pub(super) fn section(_: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("trend");
    if rows.is_empty() {
        return Ok(None);
    }
    let mut block = Block::default();
    let mut begun = Vec::new();
    for [figure, label] in figures(tables)? {
        let runs = only(&rows, "figure", &figure)?;
        match runs.len() {
            0 => {}
            1..DRAWN_FROM => {
                for run in &runs {
                    begun.push(vec![label.clone(), glance::spoken(&run.text("as_of")?), run.percent("value")?]);
                }
            }
            _ => block.panels.push(panel(&label, &runs)?),
        }
    }
    if !begun.is_empty() {
        let sheet = Sheet::new("Figures of too few runs to draw", "trend", 2, ["Figure", "As of", "Percent"], begun);
        block.panels.push(Panel::of(None, sheet));
    }
    let lead = vec![
        "Figures move from run to run without any cause. Only a pattern that chance seldom makes is marked, and its rule is named."
            .to_owned(),
    ];
    Ok(Some(Section::new("trend", "Trends between runs", lead, vec![block])))
}

fn panel(label: &str, runs: &[Row]) -> Result<Panel> {
    let (mut visits, mut table, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs {
        let (date, finding) = (glance::spoken(&run.text("as_of")?), run.text("finding")?);
        if !finding.is_empty() {
            findings.push(format!("{date}: {finding}"));
        }
        visits.push(Visit { date: date.clone(), value: run.shown("value")?.number(), finding: !finding.is_empty() });
        let limits = format!("{} to {}", run.percent("low")?, run.percent("high")?);
        table.push(vec![date, finding, run.percent("value")?, run.percent("mean")?, limits]);
    }
    let last = runs.last();
    let mean = last.map(|run| run.shown("mean")).transpose()?.and_then(Shown::number);
    let limits = last.map_or(Ok(None), |run| span(run, "low", "high"))?;
    let text = match (findings.last(), mean) {
        (Some(latest), _) => format!("More than ordinary variation, last on {latest}."),
        (None, Some(_)) => "No more than ordinary variation.".to_owned(),
        (None, None) => "There are too few runs yet to tell ordinary variation from a change.".to_owned(),
    };
    let description = format!("A mark for each run, oldest first. {text}");
    let chart = RunChart {
        title: &format!("{label}, run by run"),
        description: &description,
        across: "As-of date of the run",
        up: "Percent of people",
        visits,
        mean,
        limits,
    };
    let header = ["As of", "Finding", "Percent", "Mean", "Limits of ordinary variation"];
    let sheet = Sheet::new(format!("{label}, run by run"), "trend", 2, header, table).beneath();
    Ok(Panel { title: label.to_owned(), text: vec![text], picture: Some(chart.draw()), sheet: Some(sheet) })
}
