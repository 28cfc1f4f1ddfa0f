//! Inequality, with the bounds within which it lies however the gaps are filled.

use std::collections::BTreeMap;

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Dot, Dots, MOST_ROWS};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{EVERYONE, extremes, figures, group, said, span, with_interval};
use crate::error::Result;

/// What stands for all groups of a split.
const ALL_GROUPS: &str = "all groups";

const PERCENT: &str = "percent";

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("inequality_figures");
    if rows.is_empty() {
        return Ok(None);
    }
    let bounds = tables.rows("bounds");
    let mut blocks = Vec::new();
    for [figure, label] in figures(tables)? {
        let of_figure = only(&rows, "figure", &figure)?;
        let bounds = only(&bounds, "figure", &figure)?;
        let mut block = Block::new(label.as_str(), None);
        let mut alone = Vec::new();
        for split in distinct(&of_figure, "split")?.into_iter().filter(|split| split != EVERYONE) {
            let scene = Scene {
                facts,
                figure: &label,
                split: facts.split(&split),
                everyone: everyone(&of_figure)?,
                rows: only(&of_figure, "split", &split)?,
                bounds: only(&bounds, "split", &split)?,
                key: block.panels.is_empty(),
            };
            match scene.compares()? {
                true => block.panels.push(scene.panel()?),
                false => alone.push(words::lower(&scene.split)),
            }
        }
        if !alone.is_empty() {
            block.text.push(format!(
                "Nothing can be compared by {}: fewer than two groups may be shown. The file has what there is.",
                alone.join(", nor by ")
            ));
        }
        blocks.extend((!block.panels.is_empty() || !block.text.is_empty()).then_some(block));
    }
    let lead = vec![
        "A difference between groups can be real, or made by who is not recorded. The hatched bar shows how far each figure could \
         move if everyone of whom the group is not recorded belonged to one group or another."
            .to_owned(),
        "The dot is the figure as recorded. The diamond is what it would be if those not recorded were like others of their age, \
         sex, area and practice."
            .to_owned(),
    ];
    Ok(Some(Section::new("inequality", "Inequality, and how far gaps could move it", lead, blocks)))
}

fn everyone(rows: &[Row]) -> Result<Option<f64>> {
    let rows = only(&only(rows, "split", EVERYONE)?, "measure", PERCENT)?;
    rows.first().map_or(Ok(None), |row| Ok(row.shown("value")?.number()))
}

/// One figure by one split.
struct Scene<'a> {
    facts: &'a Facts,
    figure: &'a str,
    split: String,
    everyone: Option<f64>,
    rows: Vec<Row<'a>>,
    bounds: Vec<Row<'a>>,
    /// Whether it says what its marks mean: the first of a figure does.
    key: bool,
}

impl Scene<'_> {
    /// `percent` where the figure is one, else the mean.
    fn measure(&self) -> Result<&'static str> {
        Ok(if only(&self.rows, "measure", PERCENT)?.is_empty() { "mean" } else { PERCENT })
    }

    /// Whether two groups or more have a number.
    fn compares(&self) -> Result<bool> {
        let mut shown = 0;
        for row in only(&self.rows, "measure", self.measure()?)? {
            shown += usize::from(row.shown("value")?.number().is_some());
        }
        Ok(shown >= 2)
    }

    fn panel(&self) -> Result<Panel> {
        let measure = self.measure()?;
        let rows = only(&self.rows, "measure", measure)?;
        let picture = if rows.len() > MOST_ROWS { None } else { Some(self.picture(&rows, measure)?) };
        let sheet = self.sheet(&rows, measure)?;
        let mut panel = Panel { picture, sheet: Some(sheet), ..Panel::default() };
        panel.title = format!("By {}", words::lower(&self.split));
        panel.text = self.of_all_groups()?;
        Ok(panel)
    }

    /// What bounds a group's figure, by group.
    fn bounded(&self) -> Result<BTreeMap<String, Row<'_>>> {
        let mut bounded = BTreeMap::new();
        for row in only(&only(&self.bounds, "measure", PERCENT)?, "compared_with", "")? {
            bounded.insert(row.text("group")?, row);
        }
        Ok(bounded)
    }

    fn picture(&self, rows: &[Row], measure: &str) -> Result<super::super::picture::Picture> {
        let bounded = self.bounded()?;
        let say: fn(Shown) -> String = if measure == PERCENT { words::percent } else { words::figure };
        let (mut dots, mut shown) = (Vec::new(), Vec::new());
        for row in rows {
            let name = row.text("group")?;
            let value = row.shown("value")?;
            let bounds = bounded.get(&name);
            shown.extend(value.number().map(|number| (group(&name), number)));
            dots.push(Dot {
                label: group(&name),
                said: said(self.facts, value, say),
                value: value.number(),
                interval: span(row, "low", "high")?,
                bounds: bounds.map_or(Ok(None), |row| span(row, "lowest", "highest"))?,
                second: bounds.map(|row| row.shown("at_random")).transpose()?.and_then(Shown::number),
            });
        }
        let description = format!("A row for each group. {}", extremes(&shown, say));
        let picture = Dots {
            title: &format!("{}, by {}", self.figure, words::lower(&self.split)),
            description: &description,
            axis: if measure == PERCENT { "Percent of people" } else { "Mean" },
            key: self.key,
            line: self.everyone.filter(|_| measure == PERCENT).map(|number| (number, "everyone")),
            point: "as recorded",
            interval: "95% interval",
            bounds: "all it could be, however the gaps were filled",
            second: "if the gaps were like the rest",
            rows: dots,
        };
        Ok(picture.draw())
    }

    fn sheet(&self, rows: &[Row], measure: &str) -> Result<Sheet> {
        let bounded = self.bounded()?;
        let say: fn(Shown) -> String = if measure == PERCENT { words::percent } else { words::figure };
        let [direct, indirect] =
            ["age-standardised percent", "standardised ratio"].map(|measure| only(&self.rows, "measure", measure));
        let (direct, indirect) = (direct?, indirect?);
        let mut table = Vec::new();
        for row in rows {
            let name = row.text("group")?;
            let of_group = |rows: &[Row], say: fn(Shown) -> String| -> Result<String> {
                let row = only(rows, "group", &name)?;
                row.first().map_or(Ok(String::new()), |row| with_interval(row, ["value", "low", "high"], say))
            };
            let (range, at_random) = match bounded.get(&name) {
                None => (String::new(), String::new()),
                Some(row) => {
                    (format!("{} to {}", row.percent("lowest")?, row.percent("highest")?), row.percent("at_random")?)
                }
            };
            let mut cells = vec![group(&name), row.count("people")?];
            cells.push(with_interval(row, ["value", "low", "high"], say)?);
            if measure == PERCENT {
                cells.extend([
                    range,
                    at_random,
                    of_group(&direct, words::percent)?,
                    of_group(&indirect, words::figure)?,
                    self.difference(&name)?,
                ]);
            }
            table.push(cells);
        }
        let header: &[&str] = if measure == PERCENT {
            &[
                "Group",
                "People",
                "Percent (95% interval)",
                "Could be from, to",
                "If gaps were like the rest",
                "Age-standardised",
                "Ratio to expected for age",
                "Difference in points (could be)",
            ]
        } else {
            &["Group", "People", "Mean"]
        };
        let caption = format!("{}, by {}", self.figure, words::lower(&self.split));
        Ok(Sheet::new(caption, "inequality_figures", 1, header.iter().copied(), table).beneath())
    }

    /// How far a group is from the one it is compared with, and how far it could be.
    fn difference(&self, name: &str) -> Result<String> {
        let row = only(&only(&self.bounds, "measure", "difference")?, "group", name)?;
        let Some(row) = row.first() else { return Ok(String::new()) };
        let [value, low, high] = ["value", "lowest", "highest"].map(|column| row.figure(column));
        Ok(format!("{} against {} ({} to {})", value?, row.text("compared_with")?, low?, high?))
    }

    /// The slope over all groups, where they have an order.
    fn of_all_groups(&self) -> Result<Vec<String>> {
        let mut sentences = Vec::new();
        for row in only(&self.rows, "group", ALL_GROUPS)? {
            if row.shown("value")?.number().is_none() {
                continue;
            }
            let measure = row.text("measure")?;
            let mut sentence = format!(
                "{}: {}",
                words::capital(&measure),
                with_interval(&row, ["value", "low", "high"], words::figure)?
            );
            let bounds = only(&only(&self.bounds, "group", ALL_GROUPS)?, "measure", &measure)?;
            if let Some(bounds) = bounds.first() {
                let (low, high) = (bounds.figure("lowest")?, bounds.figure("highest")?);
                sentence.push_str(&format!("; between {low} and {high} however the gaps were filled"));
            }
            sentences.push(format!("{sentence}."));
        }
        Ok(sentences)
    }
}
