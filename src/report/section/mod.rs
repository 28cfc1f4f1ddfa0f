//! What each section of the page says: the files stand in the order of the sections.

mod glance;

mod gaps;

mod evidence;

mod hidden;

mod inequality;

mod providers;

mod trend;

mod lists;

mod webs;

mod diversions;

mod impact;

mod demand;

mod models;

mod definitions;

use super::facts::Facts;
use super::part::{Block, Section};
use super::table::{Row, Shown, Tables};
use super::words;
use crate::cohort::words::NOT_RECORDED;
use crate::error::Result;

/// What stands for all groups of a split, all sources, all items.
const EVERYONE: &str = "everyone";
const ALL_SOURCES: &str = "all sources";

/// The sections of which the tables speak.
pub(super) fn all(facts: &Facts, tables: Tables) -> Result<Vec<Section>> {
    let makers = [
        glance::section,
        gaps::section,
        evidence::section,
        hidden::section,
        inequality::section,
        providers::section,
        trend::section,
        lists::section,
        webs::section,
        diversions::section,
        impact::section,
        demand::section,
        models::section,
        definitions::section,
    ];
    let sections = makers.into_iter().map(|make| make(facts, tables));
    Ok(sections.collect::<Result<Vec<Option<Section>>>>()?.into_iter().flatten().collect())
}

/// What the audits count: name and label.
fn figures(tables: Tables) -> Result<Vec<[String; 2]>> {
    let rows = tables.rows("figures");
    rows.iter().map(|row| Ok([row.text("figure")?, row.text("label")?])).collect()
}

/// `12.5% (10.1% to 15.2%)`, or what is known of it.
fn with_interval(row: &Row, [value, low, high]: [&str; 3], say: fn(Shown) -> String) -> Result<String> {
    let [value, low, high] = [row.shown(value)?, row.shown(low)?, row.shown(high)?];
    Ok(match (value, low, high) {
        (Shown::Number(_), Shown::Number(_), Shown::Number(_)) => {
            format!("{} ({} to {})", say(value), say(low), say(high))
        }
        _ => say(value),
    })
}

/// What a measure counts, and what it does not say.
fn counted(facts: &Facts, measure: &str) -> Option<Block> {
    let known = facts.measure(measure)?;
    let version = format!("{} (measure {}, version {}). {}", known.title, known.name, known.version, known.says);
    Some(Block::new("What is counted", std::iter::once(version).chain(known.caveats.iter().cloned())))
}

/// Both ends, where both are shown.
fn span(row: &Row, low: &str, high: &str) -> Result<Option<(f64, f64)>> {
    Ok(row.shown(low)?.number().zip(row.shown(high)?.number()))
}

/// What a picture says of a number: itself, or that it is hidden and why.
fn said(facts: &Facts, shown: Shown, say: fn(Shown) -> String) -> String {
    match shown {
        Shown::Hidden => format!("not shown: {}", facts.hidden),
        Shown::Nothing => "nobody is in this group".to_owned(),
        shown => say(shown),
    }
}

/// A group as the page names it.
fn group(name: &str) -> String {
    if name == NOT_RECORDED { words::capital(NOT_RECORDED) } else { name.to_owned() }
}

/// For the description of a picture: the largest and smallest of what it shows.
fn extremes(rows: &[(String, f64)], say: fn(Shown) -> String) -> String {
    let least = rows.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let most = rows.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    match (least, most) {
        (Some((low, least)), Some((high, most))) if low != high => {
            let [least, most] = [*least, *most].map(|number| say(Shown::Number(number)));
            format!("Lowest: {low}, {least}. Highest: {high}, {most}.")
        }
        (Some((only, number)), _) => format!("{only}: {}.", say(Shown::Number(*number))),
        _ => "No number may be shown.".to_owned(),
    }
}
