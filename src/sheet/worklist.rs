//! A page to print for a team's huddle: whom to call first, why, what to know before, and boxes to tick.
//!
//! Readable without script and without network; every text is escaped, and the page's policy lets nothing run but its own
//! style, named by hash.

use data_encoding::BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};
use sha2::{Digest, Sha256};

use super::cell::{self, Cell};
use super::{Kind, Sheet};
use crate::cohort::Place;
use crate::cohort::words::spoken_date;
use crate::error::{Error, Result};

const PAGE: &str = include_str!("worklist.html");
const STYLE: &str = include_str!("worklist.css");

/// What a hub can say happened, in its own words; the feedback file has a code for each.
const OUTCOMES: [&str; 7] =
    ["Accepted", "Declined", "Not appropriate", "Already known", "Not reached", "Died or moved", "Wrong person"];

/// What begins each row of a person, and nothing else: text is escaped.
const ROW: &str = "<tr class=\"person\">";

/// People on a worklist as it stands.
pub(super) fn people_in(page: &str) -> u64 {
    page.matches(ROW).map(|_| 1_u64).sum()
}

pub(super) fn bytes(sheet: &Sheet) -> Result<Vec<u8>> {
    let fault = |_| Error::Fault(format!("cohort {}: the worklist cannot be written", sheet.about.cohort));
    let about = &sheet.about;
    let sources = about.sources.iter().filter(|source| source.counts_here);
    let sources = sources.map(|source| context! { words => source.words(), stale => source.stale });
    let context = context! {
        title => about.title.as_str(),
        purpose => about.purpose.as_str(),
        recipient => sheet.recipient.as_str(),
        as_of => spoken_date(about.as_of),
        valid_until => about.valid_until.map(spoken_date),
        teams => teams(sheet)?,
        sources => sources.collect::<Vec<Value>>(),
        outcomes => OUTCOMES.map(Value::from).to_vec(),
        style => Value::from_safe_string(STYLE.to_owned()),
        style_hash => Value::from_safe_string(BASE64.encode(&Sha256::digest(STYLE))),
    };
    let mut pages = Environment::new();
    pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(fault)?);
    pages.add_template("worklist.html", PAGE).map_err(fault)?;
    let page = pages.get_template("worklist.html").and_then(|page| page.render(context)).map_err(fault)?;
    Ok(page.into_bytes())
}

/// A page each, by name; where nobody is listed, the recipient has an empty one.
fn teams(sheet: &Sheet) -> Result<Vec<Value>> {
    let mut teams: Vec<(String, Vec<Value>, Vec<Value>)> = Vec::new();
    let names = sheet.column(Kind::Team)?;
    for (row, place) in sheet.places()?.into_iter().enumerate() {
        let name = cell::cell(names, row)?.text("");
        if !teams.iter().any(|(known, ..)| *known == name) {
            teams.push((name.clone(), Vec::new(), Vec::new()));
        }
        if let Some((_, listed, reserve)) = teams.iter_mut().find(|(known, ..)| *known == name) {
            let people = if place == Place::Listed { listed } else { reserve };
            people.push(person(sheet, row)?);
        }
    }
    if teams.is_empty() {
        teams.push((sheet.recipient.clone(), Vec::new(), Vec::new()));
    }
    teams.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(teams.into_iter().map(|(name, listed, reserve)| context! { name, listed, reserve }).collect())
}

/// What a caller reads of one person.
fn person(sheet: &Sheet, row: usize) -> Result<Value> {
    let (mut first, mut unknown, mut details) = (Vec::new(), Vec::new(), Vec::new());
    let mut risk: Vec<(String, String)> = Vec::new();
    let (mut reasons, mut gaps) = (Vec::new(), Vec::new());
    let (mut rank, mut token, mut action) = (String::new(), String::new(), String::new());
    for (heading, column) in sheet.for_people() {
        let cell = cell::cell(column, row)?;
        let said = || context! { label => heading.heading.as_str(), value => cell.text(", ") };
        match heading.kind {
            Kind::Rank => rank = cell.text(""),
            Kind::Person => token = cell.text(""),
            Kind::Action => action = cell.text(""),
            Kind::Reasons => reasons = several(cell),
            Kind::Gaps => gaps = several(cell),
            // What a caller must know is said even when it is not known.
            Kind::BeforeCalling if cell == Cell::Empty => unknown.push(Value::from(heading.heading.to_lowercase())),
            Kind::BeforeCalling => first.push(said()),
            Kind::Risk | Kind::Score if cell != Cell::Empty => risk.push((heading.heading.clone(), cell.text(""))),
            // A band stands behind its score.
            Kind::Band if cell != Cell::Empty => match risk.last_mut() {
                Some((_, said)) => said.push_str(&format!(" ({})", cell.text(""))),
                None => risk.push((heading.heading.clone(), cell.text(""))),
            },
            Kind::Detail | Kind::Standing if !matches!(cell, Cell::Empty | Cell::YesNo(false)) => details.push(said()),
            _ => {}
        }
    }
    let said = |(label, value): (String, String)| context! { label, value };
    let risk: Vec<Value> = risk.into_iter().map(said).collect();
    Ok(context! { rank, token, risk, first, unknown, details, reasons, action, gaps })
}

fn several(cell: Cell) -> Vec<Value> {
    match cell {
        Cell::Texts(texts) => texts.into_iter().map(Value::from).collect(),
        _ => Vec::new(),
    }
}
