//! Demand: what the risk of today's people implies for the weeks to come, and where it sits.

use super::super::facts::{Facts, MeasureFact};
use super::super::part::{Block, Panel, Section, Sheet, Tile};
use super::super::picture::{Dot, Dots, MOST_ROWS};
use super::super::table::{Row, Tables, distinct, only};
use super::super::words;
use super::{EVERYONE, counted, group, said, span};
use crate::error::Result;

const ALL_WEEKS: &str = "all weeks";

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("demand");
    if rows.is_empty() {
        return Ok(None);
    }
    let (risk, scenario) = (tables.rows("demand_risk"), tables.rows("demand_scenario"));
    let (mut blocks, mut tiles) = (Vec::new(), Vec::new());
    for measure in distinct(&rows, "measure")? {
        let Some(known) = facts.measure(&measure) else { continue };
        let [own, risk, scenario] = [
            only(&rows, "measure", &measure)?,
            only(&risk, "measure", &measure)?,
            only(&scenario, "measure", &measure)?,
        ];
        for event in distinct(&own, "event")? {
            let own = only(&own, "event", &event)?;
            let all = only(&own, "split", EVERYONE)?;
            if let Some(first) = all.iter().find(|row| row.text("week").is_ok_and(|week| week != ALL_WEEKS)) {
                let of = format!(
                    "{} a week are expected ({} to {})",
                    words::lower(&known.label(&event)),
                    events(first, "low")?,
                    events(first, "high")?
                );
                tiles.push(Tile { number: events(first, "expected")?, of });
            }
            let mut block = Block::new(
                known.label(&event),
                ["Expected in a week, with the range in which nine weeks of ten should lie.".to_owned()],
            );
            for split in distinct(&own, "split")?.into_iter().filter(|split| split != EVERYONE) {
                let place = (only(&own, "split", &split)?, only(&only(&risk, "event", &event)?, "split", &split)?);
                block.panels.push(panel(facts, known, &event, &split, &place.0, &place.1)?);
            }
            blocks.push(block);
        }
        blocks.extend(what_if(known, &scenario)?);
        blocks.extend(counted(facts, &measure));
    }
    let lead = vec![
        "What to staff for, if nothing changes; and what reaching people early could take off it, if it works."
            .to_owned(),
    ];
    Ok(Some(Section { tiles, ..Section::new("demand", "Demand in the weeks to come", lead, blocks) }))
}

/// To one decimal: whole events at the ends.
fn events(row: &Row, column: &str) -> Result<String> {
    row.shown(column).map(words::tenth)
}

fn panel(facts: &Facts, known: &MeasureFact, event: &str, split: &str, rows: &[Row], risk: &[Row]) -> Result<Panel> {
    let (mut dots, mut table) = (Vec::new(), Vec::new());
    for name in distinct(rows, "group")? {
        let own = only(rows, "group", &name)?;
        let risk = only(risk, "group", &name)?;
        let (Some(week), Some(all), Some(risk)) = (own.first(), own.last(), risk.first()) else { continue };
        let expected = week.shown("expected")?;
        let label = group(&name);
        dots.push(Dot {
            label: label.clone(),
            said: match span(week, "low", "high")? {
                Some(_) => {
                    format!("{} ({} to {})", events(week, "expected")?, events(week, "low")?, events(week, "high")?)
                }
                None => said(facts, expected, words::tenth),
            },
            value: expected.number(),
            interval: span(week, "low", "high")?,
            ..Dot::default()
        });
        let mut cells = vec![label, risk.count("people")?];
        cells.extend([week.figure("expected")?, events(week, "low")?, events(week, "high")?]);
        cells.extend([events(all, "expected")?, events(all, "low")?, events(all, "high")?]);
        cells.extend([risk.figure("for_each_1000_people")?, risk.percent("share")?]);
        table.push(cells);
    }
    let named = words::lower(&facts.split(split));
    let title = format!("{} in a week, by {named}", known.label(event));
    let picture = (dots.len() <= MOST_ROWS).then(|| {
        Dots {
            key: true,
            title: &title,
            description: "A mark for each group: what is expected in a week, and the range in which nine weeks of ten should lie.",
            axis: "In a week",
            line: None,
            point: "expected",
            interval: "nine weeks of ten",
            bounds: "",
            second: "",
            rows: dots,
        }
        .draw()
    });
    let header = [
        "Group",
        "People",
        "A week",
        "Low",
        "High",
        "All weeks",
        "Low",
        "High",
        "All weeks, for each 1,000 people",
        "Share of all",
    ];
    let sheet = Sheet::new(title.clone(), "demand", 1, header, table).beneath();
    Ok(Panel::of(picture, sheet).titled(format!("By {named}")))
}

fn what_if(known: &MeasureFact, rows: &[Row]) -> Result<Option<Block>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let text = format!(
        "If the {} people with the highest risk were reached, and {} of their events did not happen. {}.",
        first.count("reached")?,
        first.percent("averts_percent")?,
        first.text("because")?.trim_end_matches('.'),
    );
    let row = |row: &Row| -> Result<Vec<String>> {
        Ok(vec![known.label(&row.text("event")?), row.figure("expected")?, row.figure("averted")?])
    };
    let table = rows.iter().map(row).collect::<Result<_>>()?;
    let header = ["What", "Expected among them in all weeks", "Would not happen"];
    let sheet = Sheet::new("What if they were reached", "demand_scenario", 1, header, table);
    Ok(Some(Block::new("What if?", [text]).with(Panel::of(None, sheet))))
}
