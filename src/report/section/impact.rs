//! Impact: what followed on the lists, and what may be said of it.

use super::super::facts::{Facts, MeasureFact};
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Dot, Dots};
use super::super::table::{Row, Shown, Tables, distinct, only};
use super::super::words;
use super::{counted, span};
use crate::error::Result;

const ALL_LISTS: &str = "all lists";

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    let rows = tables.rows("impact");
    if rows.is_empty() {
        return Ok(None);
    }
    let methods = tables.rows("impact_methods");
    let feedback = tables.rows("impact_feedback");
    let mut blocks = Vec::new();
    for measure in distinct(&rows, "measure")? {
        let Some(known) = facts.measure(&measure) else { continue };
        let own = only(&rows, "measure", &measure)?;
        let outcomes = in_order(&own)?;
        let mut block = Block::new(&known.title, [
                judged_by(known, &outcomes),
                "A number below 0 means fewer after a list. Only a comparison that is marked as such can show that the list was the cause."
                    .to_owned(),
                "Before a list was sent it can have changed nothing. Where the same comparison of the time before finds a difference, the two sides were not alike, and nothing rests on what it finds after."
                    .to_owned(),
            ]);
        for (at, outcome) in outcomes.iter().enumerate() {
            for cohort in distinct(&own, "cohort")? {
                let rows = only(&only(&own, "outcome", outcome)?, "cohort", &cohort)?;
                let told = rows.iter().any(|row| row.shown("difference").is_ok_and(|shown| shown.number().is_some()));
                if told || cohort == ALL_LISTS {
                    let lists = if cohort == ALL_LISTS { cohort } else { facts.cohort(&cohort) };
                    let rank = if at == 0 { "" } else { " (secondary)" };
                    block.panels.push(panel(&format!("{}: {lists}{rank}", known.label(outcome)), &rows)?);
                }
            }
        }
        blocks.push(block);
        blocks.extend(came(known, &only(&feedback, "measure", &measure)?)?);
        blocks.push(assumptions(&methods)?);
        blocks.extend(counted(facts, &measure));
    }
    let lead = vec![
        "Whether calling people changed anything. Whoever was ill enough to come on a list tends to be better later, called or not: that is why before and after is no evidence."
            .to_owned(),
    ];
    Ok(Some(Section::new("impact", "Did it help?", lead, blocks)))
}

/// The outcomes, the one by which lists are judged first.
fn in_order(rows: &[Row]) -> Result<Vec<String>> {
    let mut outcomes = distinct(&only(rows, "outcome_is", "primary")?, "outcome")?;
    outcomes.extend(distinct(&only(rows, "outcome_is", "secondary")?, "outcome")?);
    Ok(outcomes)
}

/// What many comparisons find by chance.
fn judged_by(known: &MeasureFact, outcomes: &[String]) -> String {
    let mut said = "All ranges of one outcome by lottery and at the cut are right at once, at least 19 times of 20: those of all lists together, and again those of the lists one by one.".to_owned();
    if let [primary, _, ..] = outcomes {
        said = format!(
            "Judge the lists by the outcome that was chosen beforehand: {}. The others are secondary: the more of them there are, the likelier it is that one differs by chance alone. {said}",
            known.label(primary),
        );
    }
    said
}

/// In plain words.
fn method(name: &str) -> &'static str {
    match name {
        "lottery" => "By lottery",
        "discontinuity" => "At the cut",
        "matched" => "Like people off the list",
        "before_after" => "Before and after, listed",
        _ => "Before and after, others",
    }
}

/// Of a comparison, in the order of the table.
const NUMBERS: [&str; 9] = [
    "rate_listed",
    "rate_others",
    "difference",
    "low",
    "high",
    "for_each_100_reached",
    "before",
    "low_before",
    "high_before",
];

/// How many, of those who were compared; only where a cause may be named.
const AVOIDED: [&str; 3] = ["avoided", "low_avoided", "high_avoided"];

/// Headings: the comparison, then [`NUMBERS`] and [`AVOIDED`].
const HEADER: [&str; 17] = [
    "Comparison",
    "May show a cause",
    "What may be said",
    "Listed",
    "Others",
    "For each 100 listed",
    "For each 100 others",
    "Difference",
    "Low",
    "High",
    "For each 100 reached",
    "Difference before the list",
    "Low before",
    "High before",
    "Avoided in all",
    "Low",
    "High",
];

/// What a cause that was found came to, in whole numbers.
fn avoided(row: &Row, finding: &str) -> Result<String> {
    let [many, low, high] = AVOIDED.map(|column| row.count(column));
    match finding.starts_with("fewer, caused") {
        true => Ok(format!("; {} avoided among {} listed people ({} to {})", many?, row.count("listed")?, low?, high?)),
        false => Ok(String::new()),
    }
}

fn panel(title: &str, rows: &[Row]) -> Result<Panel> {
    let (mut dots, mut table, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (name, finding) = (method(&row.text("method")?), row.text("finding")?);
        let difference = row.shown("difference")?;
        let said = match (difference, span(row, "low", "high")?) {
            (Shown::Number(value), Some((low, high))) => {
                let [value, low, high] = [value, low, high].map(|number| words::plain((number * 10.0).round() / 10.0));
                format!("{value} ({low} to {high})")
            }
            _ => "not shown".to_owned(),
        };
        if difference.number().is_some() {
            told.push(format!("{name}: {finding}{}.", avoided(row, &finding)?));
        }
        dots.push(Dot {
            label: name.to_owned(),
            said,
            value: difference.number(),
            interval: span(row, "low", "high")?,
            ..Dot::default()
        });
        let mut cells = vec![name.to_owned(), row.text("may_say_caused")?, finding];
        cells.extend([row.count("listed")?, row.count("others")?]);
        for column in NUMBERS {
            cells.push(row.figure(column)?);
        }
        for column in AVOIDED {
            cells.push(row.count(column)?);
        }
        table.push(cells);
    }
    if told.is_empty() {
        told.push("No list has been followed for long enough, or by enough people, to say anything.".to_owned());
    }
    let description = told.join(" ");
    let picture = dots.iter().any(|dot| dot.value.is_some()).then(|| {
        Dots {
            key: true,
            title,
            description: &description,
            axis: "More or fewer for each 100 people listed",
            line: Some((0.0, "no difference")),
            point: "difference",
            interval: "range in which it lies, at least 19 times of 20",
            bounds: "",
            second: "",
            rows: dots,
        }
        .draw()
    });
    let sheet = Sheet::new(title, "impact", 3, HEADER, table).beneath();
    Ok(Panel { title: title.to_owned(), text: told, picture, sheet: Some(sheet) })
}

fn came(known: &MeasureFact, rows: &[Row]) -> Result<Option<Block>> {
    let rows = only(rows, "cohort", ALL_LISTS)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let outcomes = distinct(&rows, "outcome")?;
    let mut table = Vec::new();
    for of_it in distinct(&rows, "came_of_it")? {
        let own = only(&rows, "came_of_it", &of_it)?;
        for reason in distinct(&own, "reason")? {
            let own = only(&own, "reason", &reason)?;
            let mut cells = vec![words::spaced(&of_it), words::spaced(&reason)];
            cells.push(own.first().map_or(Ok(String::new()), |row| row.count("people"))?);
            for outcome in &outcomes {
                let own = only(&own, "outcome", outcome)?;
                cells.push(own.first().map_or(Ok(String::new()), |row| row.figure("rate"))?);
            }
            table.push(cells);
        }
    }
    let labels = outcomes.iter().map(|outcome| format!("{} for each 100", known.label(outcome)));
    let header = ["What came of the contact", "Why", "People"].map(str::to_owned).into_iter().chain(labels);
    let sheet = Sheet::new("What followed, by what came of the contact", "impact_feedback", 2, header, table);
    let text = "People who are reached differ from those who are not: this table compares nobody.".to_owned();
    Ok(Some(Block::new("By what came of the contact", [text]).with(Panel::of(None, sheet))))
}

fn assumptions(methods: &[Row]) -> Result<Block> {
    let row = |row: &Row| -> Result<Vec<String>> {
        Ok(vec![method(&row.text("method")?).to_owned(), row.text("may_say_caused")?, row.text("assumes")?])
    };
    let table = methods.iter().map(row).collect::<Result<_>>()?;
    let header = ["Comparison", "May show a cause", "It assumes"];
    let sheet = Sheet::new("What each comparison assumes", "impact_methods", 3, header, table);
    Ok(Block::new("What each comparison assumes", None).with(Panel::of(None, sheet)))
}
