//! Where recording has gaps: item by item, source by source, group by group.

use std::collections::BTreeMap;

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Bar, Bars, MOST_ROWS, Part};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{ALL_SOURCES, EVERYONE, group};
use crate::error::Result;
use crate::link::RecordingState;

/// What a state comes to for a reader: how it looks in a picture, and what it means.
const KINDS: [(&str, &str); 4] = [
    ("known", "a value that can be used"),
    ("doubt", "a value in doubt"),
    ("answered", "asked, and no value given"),
    ("gap", "nothing usable recorded"),
];

/// Index into [`KINDS`].
fn kind_of(state: &str) -> usize {
    let known = RecordingState::ALL.into_iter().find(|known| known.name() == state);
    match known {
        Some(RecordingState::Known) => 0,
        Some(RecordingState::AskedUnsure | RecordingState::Declined) => 2,
        Some(RecordingState::NotKnown | RecordingState::Invalid | RecordingState::Blank) | None => 3,
        Some(_) => 1,
    }
}

/// Percent of people, of which some may be hidden.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    percent: f64,
    some_hidden: bool,
}

impl Sum {
    fn add(&mut self, shown: Shown) {
        self.percent += shown.number().unwrap_or(0.0);
        self.some_hidden |= shown == Shown::Hidden;
    }

    fn said(self) -> String {
        match (self.some_hidden, self.percent > 0.0) {
            (false, _) => words::percent(Shown::Number(self.percent)),
            (true, true) => format!("at least {}", words::percent(Shown::Number(self.percent))),
            (true, false) => words::HIDDEN.to_owned(),
        }
    }
}

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("recording_gaps");
    let overall = only(&only(&rows, "split", EVERYONE)?, "source", ALL_SOURCES)?;
    if overall.is_empty() {
        return Ok(None);
    }
    let mut items = Vec::new();
    for item in distinct(&overall, "item")? {
        items.push((
            facts.item(&item),
            kinds(&only(&overall, "item", &item)?)?,
            people(&only(&overall, "item", &item)?)?,
        ));
    }
    let usable = |item: &(String, [Sum; 4], String)| item.1[0].percent;
    let is_hidden = |item: &(String, [Sum; 4], String)| item.1[0].some_hidden;
    items.sort_by(|a, b| {
        is_hidden(a).cmp(&is_hidden(b)).then(usable(a).total_cmp(&usable(b))).then_with(|| a.0.cmp(&b.0))
    });
    let lead = items.first().filter(|item| !is_hidden(item)).map(|item| match (item.0.as_str(), item.1[0].said()) {
        (_, said) if said == "100.0%" => "No item has a gap that is large enough to be shown.".to_owned(),
        (label, said) => format!("{label} has the most gaps: {said} of people have a value that can be used."),
    });
    let mut blocks = vec![by_item(&items)];
    blocks.push(by_source(facts, &rows)?);
    blocks.extend(by_group(facts, &rows)?);
    Ok(Some(Section::new("gaps", "Gaps in what is recorded", lead.into_iter().collect(), blocks)))
}

fn kinds(rows: &[Row]) -> Result<[Sum; 4]> {
    let mut kinds = [Sum::default(); 4];
    for row in rows {
        if let Some(sum) = kinds.get_mut(kind_of(&row.text("state")?)) {
            sum.add(row.shown("share")?);
        }
    }
    Ok(kinds)
}

fn people(rows: &[Row]) -> Result<String> {
    rows.first().map_or(Ok(String::new()), |row| row.count("people"))
}

fn by_item(items: &[(String, [Sum; 4], String)]) -> Block {
    let bar = |(label, kinds, _): &(String, [Sum; 4], String)| {
        // Shares of rounded counts can come to a little more than all.
        let mut room = 100.0;
        let parts = KINDS.iter().zip(kinds).map(|((look, _), sum)| {
            let value = sum.percent.min(room);
            room -= value;
            Part { look, value }
        });
        // What is left is hidden: drawn as such, so that no bar looks shorter than it is.
        let left = 100.0 - kinds.iter().map(|sum| sum.percent).sum::<f64>();
        let unseen =
            (left > 0.2 && kinds.iter().any(|sum| sum.some_hidden)).then_some(Part { look: "unseen", value: left });
        let parts = parts.filter(|part| part.value > 0.0).chain(unseen).collect();
        Bar { label: label.clone(), said: kinds.first().copied().unwrap_or_default().said(), parts }
    };
    let key: Vec<(&'static str, &str)> = KINDS.into_iter().chain([("unseen", "numbers that are not shown")]).collect();
    let picture = Bars {
        title: "How each item is recorded",
        description: "A bar for each item, the item with most gaps first. Its parts are the percentage of people with a value that \
                      can be used, a value in doubt, no value although asked, and nothing usable.",
        axis: "Percent of people",
        at_least: 100.0,
        key: &key,
        rows: items.iter().take(MOST_ROWS).map(bar).collect(),
    };
    let row = |(label, kinds, people): &(String, [Sum; 4], String)| {
        [label.clone(), people.clone()].into_iter().chain(kinds.iter().map(|sum| sum.said())).collect()
    };
    let header = ["Item", "People", "Can be used", "In doubt", "Asked, not given", "Nothing usable"];
    let rows = items.iter().map(row).collect();
    let sheet =
        Sheet::new("How each item is recorded, all sources together", "recording_gaps", 1, header, rows).beneath();
    let text = "In doubt: sources differ, the value is old, or its code is out of use. Asked, not given: the person declined or was \
                not sure. Nothing usable: blank, a default such as “not known”, or not a valid value."
        .to_owned();
    Block::new("By item", [text]).with(Panel::of(Some(picture.draw()), sheet))
}

/// Of the people of whom a source has a row, how many it knows a value of.
fn by_source(facts: &Facts, rows: &[Row]) -> Result<Block> {
    let everyone: Vec<Row> = only(rows, "split", EVERYONE)?;
    let sources: Vec<String> =
        distinct(&everyone, "source")?.into_iter().filter(|source| source != ALL_SOURCES).collect();
    let mut known: BTreeMap<(String, String), String> = BTreeMap::new();
    for source in &sources {
        let of_source = only(&everyone, "source", source)?;
        for item in distinct(&of_source, "item")? {
            known.insert((item.clone(), source.clone()), known_here(&only(&of_source, "item", &item)?)?);
        }
    }
    let mut table = Vec::new();
    for item in distinct(&everyone, "item")? {
        let cells = sources.iter().map(|source| {
            known.get(&(item.clone(), source.clone())).cloned().unwrap_or_else(|| "not carried".to_owned())
        });
        table.push(std::iter::once(facts.item(&item)).chain(cells).collect());
    }
    let named = sources.iter().map(|source| {
        let setting = facts.sources.iter().find(|fact| fact.name == *source).map_or("", |fact| fact.setting);
        let title = facts.source(source);
        if setting.is_empty() { title } else { format!("{title} ({setting})") }
    });
    let header: Vec<String> = std::iter::once("Item".to_owned()).chain(named).collect();
    let caption = "People with a known value, in percent of those in the source";
    let sheet = Sheet::new(caption, "recording_gaps", 1, header, table);
    Ok(Block::new("By item and source", None).with(Panel::of(None, sheet)))
}

fn known_here(rows: &[Row]) -> Result<String> {
    let count = |state: &str, column: &str| -> Result<Shown> {
        only(rows, "state", state)?.first().map_or(Ok(Shown::Nothing), |row| row.shown(column))
    };
    let known = count(RecordingState::Known.name(), "count")?;
    Ok(match (known, count("no_record", "people")?, count("no_record", "count")?) {
        (Shown::Number(known), Shown::Number(people), Shown::Number(without)) if people > without => {
            words::percent(Shown::Number((known / (people - without) * 100.0).min(100.0)))
        }
        (Shown::Number(_), Shown::Number(_), Shown::Number(_)) => "nobody".to_owned(),
        _ => words::HIDDEN.to_owned(),
    })
}

/// A table a split: who has a known value, group by group.
fn by_group(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    let mut known: Vec<Row> = Vec::new();
    for row in only(rows, "source", ALL_SOURCES)? {
        if row.is("state", RecordingState::Known.name())? && !row.is("split", EVERYONE)? {
            known.push(row);
        }
    }
    let mut block = Block::new("By group", ["Percent of each group with a known value.".to_owned()]);
    for split in distinct(&known, "split")? {
        let of_split = only(&known, "split", &split)?;
        let items = distinct(&of_split, "item")?;
        let mut groups: Vec<(String, Vec<Shown>)> = Vec::new();
        let mut place: BTreeMap<String, usize> = BTreeMap::new();
        for row in &of_split {
            let name = row.text("group")?;
            let at = *place.entry(name.clone()).or_insert_with(|| {
                groups.push((name, vec![Shown::Nothing; items.len()]));
                groups.len() - 1
            });
            let item = row.text("item")?;
            let column = items.iter().position(|known| *known == item);
            if let (Some((_, cells)), Some(column)) = (groups.get_mut(at), column)
                && let Some(cell) = cells.get_mut(column)
            {
                *cell = row.shown("share")?;
            }
        }
        let mut text = None;
        if groups.len() > MOST_ROWS {
            groups.sort_by(|a, b| least(&a.1).total_cmp(&least(&b.1)).then_with(|| a.0.cmp(&b.0)));
            text = Some("Those with the most gaps in any item first.".to_owned());
        }
        let rows = groups
            .into_iter()
            .map(|(name, cells)| std::iter::once(group(&name)).chain(cells.into_iter().map(words::percent)).collect());
        let named = facts.split(&split);
        let header: Vec<String> =
            std::iter::once(named.clone()).chain(items.iter().map(|item| facts.item(item))).collect();
        let caption = format!("Known values by {}", words::lower(&named));
        let sheet = Sheet::new(caption, "recording_gaps", 1, header, rows.collect()).beneath();
        block.panels.push(Panel { text: text.into_iter().collect(), sheet: Some(sheet), ..Panel::default() });
    }
    Ok((!block.panels.is_empty()).then_some(block))
}

/// The smallest share shown; groups of which nothing is shown come last.
fn least(cells: &[Shown]) -> f64 {
    cells.iter().filter_map(|cell| cell.number()).fold(f64::INFINITY, f64::min)
}
