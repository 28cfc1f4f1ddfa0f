//! How far the records themselves can be trusted: quality, agreement, pathways, linkage, and what was mended.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Bar, Bars, MOST_ROWS, Part};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{group, said};
use crate::error::{Error, Result};
use crate::pipeline::decl::Resolve;

/// What stands for all of a kind in the tables of data quality.
const ALL_PROVIDERS: &str = "all providers";
const ALL_ITEMS: &str = "all items";

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let blocks = [
        quality(facts, &tables.rows("dqmi"))?,
        overused(facts, &tables.rows("recording_by_provider"))?,
        pathways(facts, &tables.rows("pathways"))?,
        agreement(facts, tables)?,
        linkage(facts, &tables.rows("linkage"))?,
        false_links(facts, &tables.rows("false_links"))?,
        mended(facts, &tables.rows("mended"))?,
    ];
    let blocks: Vec<Block> = blocks.into_iter().flatten().collect();
    let lead =
        vec!["What the sources sent, how far they agree, and what has been mended since the last run.".to_owned()];
    Ok((!blocks.is_empty()).then_some(Section::new("evidence", "Quality of the records", lead, blocks)))
}

/// A bar a row, and the table beneath.
struct Shares<'a> {
    title: &'a str,
    axis: &'a str,
    column: &'a str,
}

impl Shares<'_> {
    fn panel(&self, facts: &Facts, rows: &[(String, Row)], sheet: Sheet) -> Result<Panel> {
        if rows.is_empty() || rows.len() > MOST_ROWS {
            return Ok(Panel::of(None, sheet));
        }
        let mut bars = Vec::new();
        for (label, row) in rows {
            let shown = row.shown(self.column)?;
            bars.push(Bar {
                label: label.clone(),
                said: said(facts, shown, words::percent),
                parts: shown.number().map(|value| Part { look: "bar", value }).into_iter().collect(),
            });
        }
        let picture = Bars {
            title: self.title,
            description: "A bar for each row of the table beneath.",
            axis: self.axis,
            at_least: 100.0,
            key: &[],
            rows: bars,
        };
        Ok(Panel::of(Some(picture.draw()), sheet.beneath()))
    }
}

fn quality(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut bars = Vec::new();
    for row in only(&only(rows, "provider", ALL_PROVIDERS)?, "item", ALL_ITEMS)? {
        bars.push((facts.source(&row.text("source")?), row));
    }
    let all = rows.iter().map(|row| {
        let (item, source) = (row.text("item")?, row.text("source")?);
        Ok(vec![
            facts.source(&source),
            row.text("provider")?,
            if item == ALL_ITEMS { words::capital(&item) } else { facts.item(&item) },
            row.count("records")?,
            row.percent("coverage")?,
            row.percent("item_score")?,
        ])
    });
    let header = ["Source", "Provider", "Item", "Records", "Coverage", "Score"];
    let sheet = Sheet::new("Data Quality Maturity Index", "dqmi", 3, header, all.collect::<Result<_>>()?).beneath();
    let shares = Shares { title: "Data quality score of each source", axis: "Score, of 100", column: "item_score" };
    let text = "The score of NHS England's Data Quality Maturity Index: how many records hold a valid value, with fewer defaults than \
                are allowed, times coverage. It counts records, not people."
        .to_owned();
    Ok(Some(Block::new("Data quality score", [text]).with(shares.panel(facts, &bars, sheet)?)))
}

fn overused(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    let mut found = Vec::new();
    for row in rows {
        let finding = row.text("finding")?;
        if !finding.is_empty() {
            found.push(vec![
                row.text("provider")?,
                facts.source(&row.text("source")?),
                facts.item(&row.text("item")?),
                finding,
                row.percent("share")?,
            ]);
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let header = ["Provider", "Source", "Item", "Finding", "“Any other”"];
    let sheet = Sheet::new("Providers that use “any other” too often", "recording_by_provider", 4, header, found);
    let text = "A value such as “any other” is valid, but says little. Where a provider uses it much, its records hide people too.";
    Ok(Some(Block::new("“Any other” used too often", [text.to_owned()]).with(Panel::of(None, sheet))))
}

fn pathways(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    let of_whole = only(rows, "step", "whole pathway")?;
    let (whole, broken) = (only(&of_whole, "state", "unbroken")?, only(&of_whole, "state", "broken")?);
    if whole.is_empty() {
        return Ok(None);
    }
    let mut block = Block::new("Pathways", [
        "People who went along a pathway, and whether an item is known at every step that carries it. A gap at one step breaks the \
         chain. Items that no step carries are left out."
            .to_owned(),
    ]);
    for pathway in distinct(&whole, "pathway")? {
        let named = words::spaced(&pathway);
        let (mut bars, mut table) = (Vec::new(), Vec::new());
        for row in only(&whole, "pathway", &pathway)? {
            let broken = only(&broken, "pathway", &pathway)?;
            let broken = only(&broken, "item", &row.text("item")?)?;
            let is_nobody = |row: &Row| Ok::<_, Error>(row.shown("count")?.number() == Some(0.0));
            if is_nobody(&row)? && broken.first().map_or(Ok(true), is_nobody)? {
                continue;
            }
            let item = facts.item(&row.text("item")?);
            table.push(vec![item.clone(), row.count("people")?, row.count("count")?, row.percent("share")?]);
            bars.push((item, row));
        }
        let title = format!("{named}: known at every step");
        let sheet = Sheet::new(title.as_str(), "pathways", 1, ["Item", "People", "Unbroken", "Percent"], table);
        let shares = Shares { title: &title, axis: "Percent of people on the pathway", column: "share" };
        block.panels.push(shares.panel(facts, &bars, sheet)?.titled(named));
    }
    Ok(Some(block))
}

fn agreement(facts: &Facts, tables: Tables) -> Result<Option<Block>> {
    let mut block = Block::new("Do the sources agree?", None);
    let compared = only(&tables.rows("disagreement"), "value_b", "another")?;
    if !compared.is_empty() {
        let rows = compared.iter().map(|row| {
            Ok(vec![
                facts.item(&row.text("item")?),
                facts.source(&row.text("source_a")?),
                facts.source(&row.text("source_b")?),
                row.count("people")?,
                row.percent("share")?,
            ])
        });
        let header = ["Item", "Source", "Other source", "People who differ", "Percent of those in both"];
        let sheet = Sheet::new(
            "People of whom two sources say different things",
            "disagreement",
            3,
            header,
            rows.collect::<Result<_>>()?,
        );
        block.panels.push(Panel::of(None, sheet));
    }
    let flips = tables.rows("flips");
    if !flips.is_empty() {
        let rows = flips.iter().map(|row| {
            Ok(vec![
                facts.item(&row.text("item")?),
                row.count("people")?,
                row.count("changed")?,
                row.percent("share_changed")?,
                row.count("went_back")?,
                row.percent("share_went_back")?,
            ])
        });
        let header = ["Item", "People with a known value", "Changed", "Percent", "Changed and back", "Percent"];
        let sheet = Sheet::new(
            "People whose recorded value changes over time",
            "flips",
            1,
            header,
            rows.collect::<Result<_>>()?,
        );
        block.panels.push(Panel::of(None, sheet));
    }
    let rules = tables.rows("resolution");
    if !rules.is_empty() {
        let rows = rules.iter().map(|row| {
            let declared = words::spaced(&row.text("declared")?);
            let mut cells = vec![facts.item(&row.text("item")?), declared, group(&row.text("group")?)];
            for rule in Resolve::ALL {
                cells.push(row.count(rule.name())?);
            }
            Ok(cells)
        });
        let header = ["Item".to_owned(), "Rule used here".to_owned(), "Group".to_owned()];
        let header = header.into_iter().chain(Resolve::ALL.map(|rule| words::spaced(rule.name())));
        let caption = "What each rule of choosing between sources does to each group";
        let sheet = Sheet::new(caption, "resolution", 3, header, rows.collect::<Result<_>>()?).beneath();
        block.panels.push(Panel::of(None, sheet));
    }
    Ok((!block.panels.is_empty()).then_some(block))
}

fn linkage(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let text = "Rows whose token is in no register are in no list and no figure. If they are more often of one group, that group is \
                hidden."
        .to_owned();
    let mut table = Vec::new();
    for source in distinct(rows, "source")? {
        let of_source = only(rows, "source", &source)?;
        for split in distinct(&of_source, "split")? {
            let of_split = only(&of_source, "split", &split)?;
            let mut shown = Vec::new();
            for row in &of_split {
                let name = group(&row.text("group")?);
                shown.extend(row.shown("share_linked")?.number().map(|share| (name, share)));
            }
            let end = |end: Option<&(String, f64)>| {
                end.map_or_else(String::new, |(name, share)| {
                    format!("{name}, {}", words::percent(Shown::Number(*share)))
                })
            };
            let least = shown.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            let most = shown.iter().max_by(|a, b| a.1.total_cmp(&b.1));
            let apart = least.zip(most).map_or(0.0, |(least, most)| most.1 - least.1);
            let of_groups = format!("{} of {}", shown.len(), of_split.len());
            let named = [facts.source(&source), facts.split(&split), of_groups, end(least), end(most)];
            table.push((apart, named.into_iter().chain([words::figure(Shown::Number(apart))]).collect()));
        }
    }
    table.sort_by(|a: &(f64, Vec<String>), b| b.0.total_cmp(&a.0));
    let header = ["Source", "By", "Groups shown", "Linked least", "Linked most", "Points apart"];
    let table = table.into_iter().map(|(_, cells)| cells).collect();
    let caption = "Groups whose rows are linked least and most, in percent of their rows, the widest apart first";
    let sheet = Sheet::new(caption, "linkage", 5, header, table);
    Ok(Some(Block::new("Linkage", [text]).with(Panel::of(None, sheet))))
}

fn false_links(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let text =
        "Where sources differ in more than one of the items that never change, two people may be behind one token."
            .to_owned();
    let mut block = Block::new("Links that may be false", [text]);
    for split in distinct(rows, "split")? {
        let named = facts.split(&split);
        let of_split = only(rows, "split", &split)?;
        let table = of_split.iter().map(|row| {
            let mut cells = vec![group(&row.text("group")?), row.count("people")?];
            for (count, share) in [("one_conflict", "share_one"), ("several_conflicts", "share_several")] {
                cells.extend([row.count(count)?, row.percent(share)?]);
            }
            Ok(cells)
        });
        let header = [named.as_str(), "People", "Sources differ in one", "Percent", "In more than one", "Percent"];
        let caption = format!("People whose sources differ, by {}", words::lower(&named));
        let sheet = Sheet::new(caption, "false_links", 1, header, table.collect::<Result<_>>()?).beneath();
        block.panels.push(Panel::of(None, sheet));
    }
    Ok(Some(block))
}

fn mended(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let table = rows.iter().map(|row| {
        let mut cells = vec![facts.item(&row.text("item")?), row.count("open_before")?, row.count("mended")?];
        cells.push(row.percent("share_mended")?);
        for column in ["still_open", "gone", "new"] {
            cells.push(row.count(column)?);
        }
        Ok(cells)
    });
    let header = ["Item", "Open last time", "Mended", "Percent", "Still open", "Person gone", "New"];
    let sheet = Sheet::new("Gaps since the last run", "mended", 1, header, table.collect::<Result<_>>()?);
    Ok(Some(Block::new("What was mended", None).with(Panel::of(None, sheet))))
}
