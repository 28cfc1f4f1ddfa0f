//! Webs of care: how many hands a person's care is in.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet, Tile};
use super::super::picture::{Bar, Bars, MOST_ROWS, Part};
use super::super::table::{Row, Tables, distinct, only};
use super::super::words;
use super::{EVERYONE, counted, extremes, group, said};
use crate::error::Result;

/// The most hand-offs between organisations that are listed.
const PAIRS: usize = 20;

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("web_fragmentation");
    if rows.is_empty() {
        return Ok(None);
    }
    let (mut blocks, mut tiles) = (Vec::new(), Vec::new());
    for web in distinct(&rows, "web")? {
        let own = only(&rows, "web", &web)?;
        if let Some(everyone) = only(&own, "split", EVERYONE)?.first() {
            tiles.extend(tiles_of(everyone)?);
        }
        let title = facts.measure(&web).map_or_else(|| words::spaced(&web), |measure| measure.title.clone());
        let mut block = Block::new(title, ["Hand-offs: the mean number of contacts in the time counted with another provider than the contact before, among people in contact.".to_owned()]);
        for split in distinct(&own, "split")?.into_iter().filter(|split| split != EVERYONE) {
            block.panels.push(by_group(facts, &split, &only(&own, "split", &split)?)?);
        }
        blocks.push(block);
        blocks.extend(between(&only(&tables.rows("web_edges"), "web", &web)?)?);
        blocks.extend(counted(facts, &web));
    }
    let lead = vec!["The more hands care is in, the more can be dropped between them.".to_owned()];
    Ok(Some(Section { tiles, ..Section::new("webs", "Webs of care", lead, blocks) }))
}

fn tiles_of(everyone: &Row) -> Result<[Tile; 4]> {
    let tile = |number: String, of: &str| Tile { number, of: of.to_owned() };
    Ok([
        tile(everyone.count("in_contact")?, "people in contact with any service"),
        tile(everyone.shown("mean_teams").map(words::tenth)?, "teams for each of them, on average"),
        tile(everyone.shown("mean_hand_offs").map(words::tenth)?, "hand-offs for each of them, on average"),
        tile(everyone.figure("mean_bice_boxerman")?, "mean continuity (Bice-Boxerman; 1 is one provider)"),
    ])
}

fn by_group(facts: &Facts, split: &str, rows: &[Row]) -> Result<Panel> {
    let (mut bars, mut table, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let name = group(&row.text("group")?);
        let hand_offs = row.shown("mean_hand_offs")?;
        shown.extend(hand_offs.number().map(|number| (name.clone(), number)));
        bars.push(Bar {
            label: name.clone(),
            said: said(facts, hand_offs, words::tenth),
            parts: hand_offs.number().map(|value| Part { look: "bar", value }).into_iter().collect(),
        });
        let mut cells = vec![name, row.count("in_contact")?];
        for column in ["mean_teams", "mean_hand_offs", "mean_usual_provider", "mean_bice_boxerman", "mean_mmci"] {
            cells.push(row.figure(column)?);
        }
        cells.push(row.count("assessed_again")?);
        table.push(cells);
    }
    let named = words::lower(&facts.split(split));
    let description = format!("A bar for each group. {}", extremes(&shown, words::tenth));
    let picture = (bars.len() <= MOST_ROWS).then(|| {
        Bars {
            title: &format!("Hand-offs for each person in contact, by {named}"),
            description: &description,
            axis: "Hand-offs for each person",
            at_least: 0.0,
            key: &[],
            rows: bars,
        }
        .draw()
    });
    let header =
        ["Group", "In contact", "Teams", "Hand-offs", "Usual provider", "Bice-Boxerman", "MMCI", "Assessed again"];
    let sheet = Sheet::new(format!("Webs of care, by {named}"), "web_fragmentation", 1, header, table).beneath();
    Ok(Panel::of(picture, sheet).titled(format!("By {named}")))
}

/// Between which organisations care changes hands most.
fn between(rows: &[Row]) -> Result<Option<Block>> {
    let mut pairs = Vec::new();
    for row in rows {
        let cells = [
            row.text("from_organisation")?,
            row.text("to_organisation")?,
            row.count("people")?,
            row.count("hand_offs")?,
        ];
        pairs.push((row.shown("hand_offs")?.number().unwrap_or(0.0), cells.to_vec()));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    pairs.truncate(PAIRS);
    if pairs.is_empty() {
        return Ok(None);
    }
    let header = ["From", "To", "People", "Hand-offs"];
    let table = pairs.into_iter().map(|(_, cells)| cells).collect();
    let sheet = Sheet::new("Hand-offs between organisations, the most frequent", "web_edges", 2, header, table);
    let text = "Pairs of organisations with few people are left out.".to_owned();
    Ok(Some(Block::new("Between organisations", [text]).with(Panel::of(None, sheet))))
}
