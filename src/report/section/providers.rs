//! Providers beside each other, within the limits of chance.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Funnel, Limits, Place};
use super::super::table::{Row, Tables, distinct, only};
use super::super::words;
use super::{figures, span};
use crate::error::Result;

/// Fewer providers than these are no funnel.
const DRAWN_FROM: usize = 3;

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("funnel");
    if rows.is_empty() {
        return Ok(None);
    }
    let mut block = Block::default();
    for [figure, label] in figures(tables)? {
        let of_figure = only(&rows, "figure", &figure)?;
        for split in distinct(&of_figure, "split")? {
            let panel = panel(facts, &label, &facts.split(&split), &only(&of_figure, "split", &split)?)?;
            block.panels.push(panel);
        }
    }
    let lead = vec![
        "Small providers differ by chance more than large ones do. Of providers that do not really differ, 95 in 100 lie within the \
         inner limits and 998 in 1,000 within the outer ones. A provider outside deserves a question, not a verdict."
            .to_owned(),
    ];
    Ok(Some(Section::new("providers", "Providers compared", lead, vec![block])))
}

fn panel(facts: &Facts, label: &str, split: &str, rows: &[Row]) -> Result<Panel> {
    let (mut places, mut average, mut hidden) = (Vec::new(), None, 0_usize);
    for row in rows {
        average = average.or(row.shown("average")?.number());
        let inner = span(row, "low_95", "high_95")?;
        let outer = span(row, "low_998", "high_998")?;
        match row.shown("people")?.number().zip(row.shown("percent")?.number()) {
            None => hidden += 1,
            Some((size, value)) => places.push(Place {
                label: row.text("group")?,
                size,
                value,
                limits: inner.zip(outer).map(|(inner, outer)| Limits { inner, outer }),
                outside: !row.text("finding")?.is_empty(),
            }),
        }
    }
    let outside: Vec<&str> = places.iter().filter(|place| place.outside).map(|place| place.label.as_str()).collect();
    let sentence = match outside.as_slice() {
        [] => "None is outside the limits.".to_owned(),
        [one] => format!("One is outside the limits: {one}."),
        many => format!("{} are outside the limits.", many.len()),
    };
    let mut text = vec![sentence];
    if hidden > 0 {
        text.push(format!("Of {hidden} nothing is drawn: their numbers are not shown ({}).", facts.hidden));
    }
    let drawn = average.filter(|_| places.len() >= DRAWN_FROM).map(|average| {
        let description = format!("A mark for each provider, by size and percentage. {}", text.join(" "));
        Funnel {
            title: &format!("{label}, by {}", words::lower(split)),
            description: &description,
            up: "Percent",
            across: "People",
            average,
            places,
        }
        .draw()
    });
    let sheet = sheet(label, split, rows)?;
    Ok(Panel { title: label.to_owned(), text, picture: drawn, sheet: Some(sheet) })
}

/// Those outside the limits first.
fn sheet(label: &str, split: &str, rows: &[Row]) -> Result<Sheet> {
    let mut ordered = Vec::new();
    for row in rows {
        ordered.push((row.text("finding")?, *row));
    }
    ordered.sort_by_key(|(finding, _)| finding.is_empty());
    let row = |(finding, row): (String, Row)| -> Result<Vec<String>> {
        let limits =
            |low, high| Ok::<_, crate::error::Error>(format!("{} to {}", row.percent(low)?, row.percent(high)?));
        Ok(vec![
            row.text("group")?,
            if finding.is_empty() { "within the limits".to_owned() } else { finding },
            row.count("people")?,
            row.count("counted")?,
            row.percent("percent")?,
            limits("low_95", "high_95")?,
            limits("low_998", "high_998")?,
        ])
    };
    let rows = ordered.into_iter().map(row).collect::<Result<Vec<_>>>()?;
    let header = [split, "Finding", "People", "Counted", "Percent", "95% limits", "99.8% limits"];
    Ok(Sheet::new(format!("{label}: each {} and its limits", words::lower(split)), "funnel", 2, header, rows).beneath())
}
