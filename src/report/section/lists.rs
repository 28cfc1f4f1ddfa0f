//! Whom the lists reach, group by group.

use std::collections::BTreeMap;

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Bar, Bars, MOST_ROWS, Part};
use super::super::table::{Row, Tables, distinct, only};
use super::super::words;
use super::{EVERYONE, extremes, group, said};
use crate::error::Result;

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let any = tables.rows("inequality");
    let each = tables.rows("list_equity");
    if each.is_empty() {
        return Ok(None);
    }
    let mut blocks = Vec::new();
    let mut block = Block::new("On any list", ["Percent of each group with a place on at least one list.".to_owned()]);
    for split in distinct(&any, "split")?.into_iter().filter(|split| split != EVERYONE) {
        block.panels.push(on_any(facts, &split, &only(&any, "split", &split)?)?);
    }
    blocks.extend((!block.panels.is_empty()).then_some(block));
    let mut block = Block::new("List by list", ["Percent of each group with a place on each list.".to_owned()]);
    for split in distinct(&each, "split")?.into_iter().filter(|split| split != EVERYONE) {
        block.panels.push(on_each(facts, &split, &only(&each, "split", &split)?)?);
    }
    blocks.push(block);
    let lead = vec![
        "A fair list does not reach every group alike: need differs. But a group with more need and fewer places deserves a question."
            .to_owned(),
    ];
    Ok(Some(Section::new("lists", "Whom the lists reach", lead, blocks)))
}

fn on_any(facts: &Facts, split: &str, rows: &[Row]) -> Result<Panel> {
    let (mut bars, mut table, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let name = group(&row.text("group")?);
        let share = row.shown("share_listed")?;
        shown.extend(share.number().map(|number| (name.clone(), number)));
        bars.push(Bar {
            label: name.clone(),
            said: said(facts, share, words::percent),
            parts: share.number().map(|value| Part { look: "bar", value }).into_iter().collect(),
        });
        table.push(vec![name, row.count("people")?, row.count("listed")?, row.percent("share_listed")?]);
    }
    let named = facts.split(split);
    let title = format!("By {}", words::lower(&named));
    let description = format!("A bar for each group. {}", extremes(&shown, words::percent));
    let picture = (bars.len() <= MOST_ROWS).then(|| {
        Bars {
            title: &format!("People with a place on a list, by {}", words::lower(&named)),
            description: &description,
            axis: "Percent of the group",
            at_least: 0.0,
            key: &[],
            rows: bars,
        }
        .draw()
    });
    let caption = format!("Places on any list, by {}", words::lower(&named));
    let sheet = Sheet::new(caption, "inequality", 1, ["Group", "People", "On a list", "Percent"], table).beneath();
    Ok(Panel::of(picture, sheet).titled(title))
}

/// Groups down, lists across.
fn on_each(facts: &Facts, split: &str, rows: &[Row]) -> Result<Panel> {
    let cohorts = distinct(rows, "cohort")?;
    let mut order: Vec<Vec<String>> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let name = row.text("group")?;
        let at = match place.get(&name) {
            Some(at) => *at,
            None => {
                order.push(vec![group(&name), row.count("people")?]);
                place.insert(name, order.len() - 1);
                order.len() - 1
            }
        };
        if let Some(cells) = order.get_mut(at) {
            cells.push(row.percent("share_listed")?);
        }
    }
    let header =
        ["Group".to_owned(), "People".to_owned()].into_iter().chain(cohorts.iter().map(|name| facts.cohort(name)));
    let caption = format!("Places on each list, by {}", words::lower(&facts.split(split)));
    let sheet = Sheet::new(caption, "list_equity", 1, header, order).beneath().on_screen_alone();
    Ok(Panel::of(None, sheet))
}
