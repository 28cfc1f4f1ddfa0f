//! The counts of figures as they are shown: what every further figure is computed from.

use super::groups::EVERYONE;
use super::inequality::{ALL_AGES, COUNTS};
use crate::disclosure::{AggregateTable, Cell};

/// One figure in every group.
#[derive(Debug)]
pub struct ShownFigure {
    pub name: String,
    pub everyone: ShownGroup,
    /// In the order of the declaration, then whether each item is recorded.
    pub splits: Vec<ShownSplit>,
}

#[derive(Debug)]
pub struct ShownSplit {
    pub name: String,
    /// In the split's own order; "not recorded" last.
    pub groups: Vec<ShownGroup>,
}

/// A group as its row shows it.
#[derive(Debug)]
pub struct ShownGroup {
    pub name: String,
    /// As they are published: counts, or nothing where the figure is a mean.
    pub people_cell: Cell,
    pub counted_cell: Cell,
    pub mean: Option<Cell>,
    pub all: Shown,
    pub bands: Vec<(String, Shown)>,
}

/// A count of people and of those counted, each none where it is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub people: Option<u64>,
    pub counted: Option<u64>,
}

impl Shown {
    /// Both as numbers.
    pub fn both(self) -> Option<(f64, f64)> {
        Some((self.people? as f64, self.counted? as f64))
    }
}

/// Reads the released counts.
pub fn read(tables: &[AggregateTable]) -> Vec<ShownFigure> {
    let mut figures: Vec<ShownFigure> = Vec::new();
    let Some(table) = tables.iter().find(|table| table.name() == COUNTS) else { return figures };
    for (row, cells) in table.rows().iter().enumerate() {
        let [Cell::Text(figure), Cell::Text(split), Cell::Text(group), Cell::Text(age), people, counted, mean] =
            cells.as_slice()
        else {
            continue;
        };
        let shown = Shown { people: table.shown_count(row, "people"), counted: table.shown_count(row, "counted") };
        if age.as_str() != ALL_AGES {
            let band = (age.as_str().to_owned(), shown);
            figures
                .last_mut()
                .and_then(ShownFigure::last_group)
                .into_iter()
                .for_each(|group| group.bands.push(band.clone()));
            continue;
        }
        let group = ShownGroup {
            name: group.as_str().to_owned(),
            people_cell: people.clone(),
            counted_cell: counted.clone(),
            mean: (*mean != Cell::Empty).then(|| mean.clone()),
            all: shown,
            bands: Vec::new(),
        };
        if split.as_str() == EVERYONE {
            figures.push(ShownFigure { name: figure.as_str().to_owned(), everyone: group, splits: Vec::new() });
        } else if let Some(figure) = figures.last_mut() {
            figure.add(split.as_str(), group);
        }
    }
    figures
}

impl ShownFigure {
    fn add(&mut self, split: &str, group: ShownGroup) {
        match self.splits.last_mut().filter(|last| last.name == split) {
            Some(last) => last.groups.push(group),
            None => self.splits.push(ShownSplit { name: split.to_owned(), groups: vec![group] }),
        }
    }

    fn last_group(&mut self) -> Option<&mut ShownGroup> {
        match self.splits.last_mut() {
            Some(split) => split.groups.last_mut(),
            None => Some(&mut self.everyone),
        }
    }
}
