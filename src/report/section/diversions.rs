//! Diversions: emergencies kept out of a hospital bed, from month to month, and whether that was safe.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet, Tile};
use super::super::picture::{RunChart, Visit};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{counted, span};
use crate::error::Result;

const ALL_PLACES: &str = "all places";
const ALL_MONTHS: &str = "all months";

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("diversions");
    if rows.is_empty() {
        return Ok(None);
    }
    let (charts, safety) = (tables.rows("diversion_charts"), tables.rows("diversion_safety"));
    let (mut blocks, mut tiles) = (Vec::new(), Vec::new());
    for measure in distinct(&rows, "measure")? {
        let [rows, charts, safety] = [
            only(&rows, "measure", &measure)?,
            only(&charts, "measure", &measure)?,
            only(&safety, "measure", &measure)?,
        ];
        let all = only(&only(&rows, "place", ALL_PLACES)?, "month", ALL_MONTHS)?;
        let safe = only(&only(&safety, "place", ALL_PLACES)?, "month", ALL_MONTHS)?;
        tiles.extend(tiles_of(&all, &safe)?);
        let title = facts.measure(&measure).map_or_else(|| words::spaced(&measure), |known| known.title.clone());
        let mut block = Block::new(title, ["Percent of emergencies that did not become a bed and were followed by care at home. The table has all that became of them.".to_owned()]);
        let mut places = distinct(&charts, "place")?;
        places.sort_by_key(|place| place != ALL_PLACES);
        for place in places {
            let months = only(&rows, "place", &place)?;
            let points = only(&charts, "place", &place)?;
            // Of a place with few emergencies, hardly a month may be shown.
            let enough = points.last().map(|row| row.shown("mean")).transpose()?.and_then(Shown::number).is_some();
            if enough || place == ALL_PLACES {
                block.panels.push(panel(&place, &points, &months)?);
            }
        }
        blocks.push(block);
        blocks.push(safe_block(&safety)?);
        blocks.extend(counted(facts, &measure));
    }
    let lead = vec![
        "An emergency that is looked after at home frees a bed, if it is safe: both numbers belong together."
            .to_owned(),
    ];
    Ok(Some(Section { tiles, ..Section::new("diversions", "Diversions", lead, blocks) }))
}

fn tiles_of(all: &[Row], safe: &[Row]) -> Result<Vec<Tile>> {
    let home = only(all, "fate", "home")?;
    let mut tiles = Vec::new();
    if let Some(home) = home.first() {
        tiles.push(Tile { number: home.count("emergencies")?, of: "emergencies in the months counted".to_owned() });
        tiles.push(Tile {
            number: home.percent("share")?,
            of: "of them were kept out of a bed, with care at home".to_owned(),
        });
    }
    for row in safe {
        let of = format!("of those were admitted as an emergency or died within {}", row.text("within")?);
        tiles.push(Tile { number: row.percent("share_failed")?, of });
    }
    Ok(tiles)
}

fn panel(place: &str, points: &[Row], months: &[Row]) -> Result<Panel> {
    let (mut visits, mut findings, mut table) = (Vec::new(), Vec::new(), Vec::new());
    for point in points {
        let (month, finding) = (point.text("month")?, point.text("finding")?);
        if !finding.is_empty() {
            findings.push(format!("{month}: {finding}"));
        }
        let of_month = only(months, "month", &month)?;
        let mut cells = vec![month.clone(), finding.clone()];
        cells.push(of_month.first().map_or(Ok(String::new()), |row| row.count("emergencies"))?);
        for fate in ["bed", "home", "neither"] {
            cells.push(only(&of_month, "fate", fate)?.first().map_or(Ok(String::new()), |row| row.count("count"))?);
        }
        cells.push(point.percent("share")?);
        table.push(cells);
        visits.push(Visit { date: month, value: point.shown("share")?.number(), finding: !finding.is_empty() });
    }
    let last = points.last();
    let mean = last.map(|row| row.shown("mean")).transpose()?.and_then(Shown::number);
    let limits = last.map_or(Ok(None), |row| span(row, "low", "high"))?;
    let text = match (findings.last(), mean) {
        (Some(latest), _) => format!("More than ordinary variation, last in {latest}."),
        (None, Some(_)) => "No more than ordinary variation.".to_owned(),
        (None, None) => "Too few months can be shown to tell ordinary variation from a change.".to_owned(),
    };
    let title = words::capital(place);
    let description = format!("A mark for each month, oldest first. {text}");
    let chart = RunChart {
        title: &format!("Emergencies kept out of a bed: {place}"),
        description: &description,
        across: "Month",
        up: "Percent of emergencies",
        visits,
        mean,
        limits,
    };
    let header = ["Month", "Finding", "Emergencies", "A bed", "Care at home", "Neither", "Care at home, percent"];
    let sheet = Sheet::new(format!("What became of emergencies: {place}"), "diversions", 2, header, table).beneath();
    Ok(Panel { title, text: vec![text], picture: Some(chart.draw()), sheet: Some(sheet) })
}

fn safe_block(safety: &[Row]) -> Result<Block> {
    let mut table = Vec::new();
    for row in only(safety, "month", ALL_MONTHS)? {
        let [diverted, failed, share] = [row.count("diverted")?, row.count("failed")?, row.percent("share_failed")?];
        table.push(vec![words::capital(&row.text("place")?), row.text("within")?, diverted, failed, share]);
    }
    let header = ["Place", "Within", "Kept out of a bed", "Admitted or died", "Percent"];
    let sheet = Sheet::new("Whether it was safe, all months together", "diversion_safety", 2, header, table);
    let text =
        "Of emergencies that were kept out of a bed: how many were followed by an emergency admission or a death."
            .to_owned();
    Ok(Block::new("Was it safe?", [text]).with(Panel::of(None, sheet)))
}
