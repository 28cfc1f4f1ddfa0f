//! The run at a glance: people, lists, sources, warnings.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet, Tile};
use super::super::picture::{Bar, Bars, Part};
use super::super::run::{ANY, LISTED};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::said;
use crate::cohort::words::spoken_date;
use crate::error::Result;

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let people = tables.rows("run");
    if people.is_empty() {
        return Ok(None);
    }
    let mut blocks = vec![where_people_went(&people)?];
    blocks.extend(lists(facts, tables)?);
    blocks.push(sources(facts));
    let warnings = if facts.warnings.is_empty() {
        vec!["There are no warnings.".to_owned()]
    } else {
        facts.warnings.iter().map(|warning| format!("{}.", warning.trim_end_matches('.'))).collect()
    };
    blocks.push(Block::new("Warnings", warnings));
    let tiles = tiles(facts, tables, &people)?;
    Ok(Some(Section { tiles, ..Section::new("glance", "The run at a glance", Vec::new(), blocks) }))
}

fn tiles(facts: &Facts, tables: Tables, people: &[Row]) -> Result<Vec<Tile>> {
    let first = |rows: &[Row], column: &str| rows.first().map_or(Ok(String::new()), |row| row.count(column));
    let tile = |number: String, of: &str| Tile { number, of: of.to_owned() };
    let mut tiles = vec![tile(
        first(&only(people, "place", "in this run")?, "people")?,
        "people, registered, alive and not opted out",
    )];
    let lists = facts.cohorts.iter().map(|_| 1_u32).sum::<u32>();
    if lists > 0 {
        tiles.push(tile(lists.to_string(), if lists == 1 { "list" } else { "lists" }));
        let any = only(&only(&tables.rows("lists"), "cohort", ANY)?, "place", LISTED)?;
        tiles.push(tile(first(&any, "people")?, "people with a place on any list"));
    }
    if let Some(latest) = facts.sources.iter().filter_map(|source| source.data_up_to.as_deref()).max() {
        tiles.push(tile(spoken(latest), "is the date of the latest record"));
    }
    Ok(tiles)
}

fn where_people_went(people: &[Row]) -> Result<Block> {
    let rows = people.iter().map(|row| Ok(vec![words::capital(&row.text("place")?), row.count("people")?]));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let sheet = Sheet::new("People of the registers", "run", 1, ["People", "Number"], rows);
    Ok(Block::new("People", None).with(Panel::of(None, sheet)))
}

fn lists(facts: &Facts, tables: Tables) -> Result<Option<Block>> {
    let lists = tables.rows("lists");
    if lists.is_empty() {
        return Ok(None);
    }
    let (mut bars, mut rows) = (Vec::new(), Vec::new());
    for cohort in distinct(&lists, "cohort")?.into_iter().filter(|cohort| cohort != ANY) {
        let places = only(&lists, "cohort", &cohort)?;
        let listed = only(&places, "place", LISTED)?.first().map_or(Ok(Shown::Nothing), |row| row.shown("people"))?;
        bars.push(Bar {
            label: facts.cohort(&cohort),
            said: said(facts, listed, words::count),
            parts: listed.number().map(|value| Part { look: "bar", value }).into_iter().collect(),
        });
        let purpose = facts.cohorts.iter().find(|known| known.name == cohort).map(|known| known.purpose.clone());
        let mut row = vec![facts.cohort(&cohort), purpose.unwrap_or_default()];
        for place in places {
            row.push(place.count("people")?);
        }
        rows.push(row);
    }
    let picture = Bars {
        title: "People on each list",
        description: "A bar for each list, as long as the number of people who have a place on it.",
        axis: "People with a place",
        at_least: 0.0,
        key: &[],
        rows: bars,
    };
    let header = [
        "List",
        "Purpose",
        "Scored",
        "On the list",
        "In reserve",
        "Excluded",
        "Below the cut",
        "Not drawn",
        "Not included",
    ];
    let sheet = Sheet::new("Where the people scored went, list by list", "lists", 2, header, rows).beneath();
    let text = "Only a release sends a list to its recipients, after one more check of everyone on it.".to_owned();
    Ok(Some(Block::new("Lists", [text]).with(Panel::of(Some(picture.draw()), sheet))))
}

fn sources(facts: &Facts) -> Block {
    let row = |source: &super::super::facts::SourceFact| {
        let no_date = || "no date".to_owned();
        vec![
            source.title.clone(),
            source.setting.to_owned(),
            source.one_row_is.clone(),
            source.data_up_to.as_deref().map_or_else(no_date, spoken),
            source.max_age.clone().unwrap_or_else(|| "no limit of its own".to_owned()),
        ]
    };
    let rows = facts.sources.iter().map(row).collect();
    let header = ["Source", "Setting", "One row is", "Data up to", "May be this old"];
    let sheet = Sheet::new("What was delivered", None, 5, header, rows);
    let text = "A source older than its limit stops the run.".to_owned();
    Block::new("Sources", [text]).with(Panel::of(None, sheet))
}

/// `2026-03-31` as `31 March 2026`.
pub(super) fn spoken(date: &str) -> String {
    date.parse().map_or_else(|_| date.to_owned(), spoken_date)
}
