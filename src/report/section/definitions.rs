//! What the words of the page and of its files mean.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::table::Tables;
use super::super::words;
use crate::error::Result;

pub(super) fn section(_: &Facts, tables: Tables) -> Result<Option<Section>> {
    let about = tables.rows("about");
    let mut blocks = Vec::new();
    if !about.is_empty() {
        let rows =
            about.iter().map(|row| Ok(vec![words::capital(&row.text("term")?.replace('_', " ")), row.text("means")?]));
        let sheet = Sheet::new("Terms", "about", 2, ["Term", "Means"], rows.collect::<Result<_>>()?);
        blocks.push(Block::new("Terms", None).with(Panel::of(None, sheet)));
    }
    let counted = tables.rows("figures");
    if !counted.is_empty() {
        let rows = counted.iter().map(|row| Ok(vec![row.text("label")?, row.text("about")?, row.text("counts")?]));
        let header = ["Figure", "Of whom", "Who is counted, as declared"];
        let sheet = Sheet::new("What is counted", "figures", 3, header, rows.collect::<Result<_>>()?);
        blocks.push(Block::new("Figures", None).with(Panel::of(None, sheet)));
    }
    Ok((!blocks.is_empty()).then_some(Section::new("definitions", "What the words mean", Vec::new(), blocks)))
}
