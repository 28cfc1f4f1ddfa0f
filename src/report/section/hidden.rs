//! Who is hidden: people with a gap beside people without.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Dot, Dots, MOST_ROWS};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{figures, said, span, with_interval};
use crate::cohort::words::NOT_RECORDED;
use crate::error::Result;

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("hidden");
    if rows.is_empty() {
        return Ok(None);
    }
    let mut block = Block::default();
    let mut widest: Option<(f64, String)> = None;
    for figure in distinct(&rows, "figure")? {
        let known = figures(tables)?.into_iter().find(|[name, _]| *name == figure);
        let label = known.map_or_else(|| words::spaced(&figure), |[_, label]| label);
        let mut pairs = pairs(&only(&rows, "figure", &figure)?)?;
        if let Some(item) = by_definition(tables, &figure)? {
            pairs.retain(|pair| pair.item != item);
        }
        if pairs.is_empty() {
            continue;
        }
        for pair in &pairs {
            let shown = (pair.with_gap.shown("value")?.number(), pair.recorded.shown("value")?.number());
            if let (Some(with_gap), Some(recorded)) = shown {
                let apart = (with_gap - recorded).abs();
                if pair.measure == "percent" && widest.as_ref().is_none_or(|(most, _)| apart > *most) {
                    let say = |number| words::percent(Shown::Number(number));
                    let sentence = format!(
                        "The largest difference is in {}: {} of people with a gap in {}, {} of the others.",
                        words::lower(&label),
                        say(with_gap),
                        words::lower(&facts.item(&pair.item)),
                        say(recorded)
                    );
                    widest = Some((apart, sentence));
                }
            }
        }
        block.panels.push(panel(facts, &label, &pairs)?);
    }
    let mut lead = vec![
        "People whose record has a gap are missing from every comparison by that item. This is how they differ."
            .to_owned(),
    ];
    lead.extend(widest.map(|(_, sentence)| sentence));
    Ok(Some(Section::new("hidden", "Who is hidden by the gaps", lead, vec![block])))
}

/// The item that a figure counts the known of: nobody with a gap in it is counted, which says nothing.
fn by_definition(tables: Tables, figure: &str) -> Result<Option<String>> {
    let of_figure = only(&tables.rows("figures"), "figure", figure)?;
    let counts = of_figure.first().map(|row| row.text("counts")).transpose()?;
    Ok(counts.and_then(|counts| counts.strip_prefix("known: ").map(str::to_owned)))
}

/// The two groups of an item.
struct Pair<'a> {
    item: String,
    measure: String,
    with_gap: Row<'a>,
    recorded: Row<'a>,
}

fn pairs<'a>(rows: &[Row<'a>]) -> Result<Vec<Pair<'a>>> {
    let mut pairs = Vec::new();
    for item in distinct(rows, "item")? {
        let of_item = only(rows, "item", &item)?;
        let with_gap = only(&of_item, "group", NOT_RECORDED)?.first().copied();
        let recorded = only(&of_item, "group", "recorded")?.first().copied();
        if let Some((with_gap, recorded)) = with_gap.zip(recorded) {
            pairs.push(Pair { item, measure: with_gap.text("measure")?, with_gap, recorded });
        }
    }
    Ok(pairs)
}

fn panel(facts: &Facts, label: &str, pairs: &[Pair]) -> Result<Panel> {
    let (mut dots, mut rows) = (Vec::new(), Vec::new());
    let is_percent = pairs.iter().all(|pair| pair.measure == "percent");
    let say: fn(Shown) -> String = if is_percent { words::percent } else { words::figure };
    for pair in pairs {
        let with_gap = pair.with_gap.shown("value")?;
        dots.push(Dot {
            label: facts.item(&pair.item),
            said: said(facts, with_gap, say),
            value: with_gap.number(),
            interval: span(&pair.with_gap, "low", "high")?,
            bounds: None,
            second: pair.recorded.shown("value")?.number().filter(|_| with_gap.number().is_some()),
        });
        rows.push(vec![
            facts.item(&pair.item),
            pair.with_gap.count("people")?,
            with_interval(&pair.with_gap, ["value", "low", "high"], say)?,
            pair.recorded.count("people")?,
            with_interval(&pair.recorded, ["value", "low", "high"], say)?,
        ]);
    }
    let description = "A row for each item. A dot, with its 95% interval, is the figure of people with a gap in the item; a diamond \
                       is that of people without.";
    let axis = if is_percent { "Percent of people" } else { label };
    dots.truncate(MOST_ROWS);
    let picture = Dots {
        title: &format!("{label}: people with a gap and people without"),
        description,
        axis,
        key: true,
        line: None,
        point: "people with a gap in this item",
        interval: "95% interval",
        bounds: "",
        second: "people without one",
        rows: dots,
    };
    let header = ["Item", "People with a gap", "Figure (95% interval)", "People without", "Figure (95% interval)"];
    let sheet = Sheet::new(format!("{label}, by whether the item is recorded"), "hidden", 1, header, rows).beneath();
    Ok(Panel::of(Some(picture.draw()), sheet).titled(label))
}
