//! Who is hidden by a gap: the figures of people of whom an item is not recorded beside those of whom it is.

use super::comparison::told;
use super::inequality::item_of;
use super::shown::ShownFigure;
use crate::disclosure::{AggregateTable, Cell};
use crate::error::Result;

/// `hidden`: each figure and item, recorded and not.
pub fn table(figures: &[ShownFigure]) -> Result<AggregateTable> {
    let header = ["figure", "item", "group", "people", "counted", "measure", "value", "low", "high"];
    let mut table = AggregateTable::new("hidden", header);
    for figure in figures {
        for (item, split) in figure.splits.iter().filter_map(|split| Some((item_of(&split.name)?, split))) {
            for group in &split.groups {
                let (measure, [value, low, high]) = told(group);
                let texts = [&figure.name, item, &group.name].map(Cell::text);
                let counts = [group.people_cell.clone(), group.counted_cell.clone()];
                table.row(texts.into_iter().chain(counts).chain([Cell::text(measure), value, low, high]))?;
            }
        }
    }
    Ok(table)
}
