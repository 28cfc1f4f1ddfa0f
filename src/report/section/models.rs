//! The models: what they are, how well they are calibrated, and whether people still look like those they were made on.

use super::super::facts::Facts;
use super::super::part::{Block, Panel, Section, Sheet};
use super::super::picture::{Calibration, Tenth};
use super::super::table::{Row, Tables, distinct, only};
use super::super::words;
use super::{EVERYONE, group, with_interval};
use crate::error::Result;

/// Measures that people ask for first, of everyone.
const MEASURES: [(&str, &str); 4] = [
    ("AUROC", "Ranks people by risk (AUROC; 0.5 is chance, 1 is perfect)"),
    ("observed over expected", "Happened, for each one predicted"),
    ("calibration slope", "Calibration slope (1 is right)"),
    ("Brier score", "Brier score (0 is right)"),
];

pub(super) fn section(facts: &Facts, tables: Tables) -> Result<Option<Section>> {
    if facts.models.is_empty() {
        return Ok(None);
    }
    let mut blocks = vec![what_they_are(facts)];
    blocks.extend(performance(facts, &tables.rows("model_performance"))?);
    blocks.extend(calibration(facts, &tables.rows("model_calibration"))?);
    blocks.extend(drift(facts, &tables.rows("model_drift"))?);
    blocks.extend(movement(facts, &tables.rows("score_movement"))?);
    let lead = vec![
        "A score orders people. It is no diagnosis, and it holds only for people like those it was made on.".to_owned(),
    ];
    Ok(Some(Section::new("models", "Models", lead, blocks)))
}

fn what_they_are(facts: &Facts) -> Block {
    let rows = facts.models.iter().map(|model| {
        vec![
            model.title.clone(),
            model.kind.to_owned(),
            model.predicts.clone(),
            model.population.clone(),
            model.signed_off.clone(),
            model.citation.clone(),
        ]
    });
    let header = ["Model", "Kind", "Predicts", "Made and validated on", "Signed off by", "Source"];
    let sheet = Sheet::new("Models of this run", None, 6, header, rows.collect());
    Block::new("What they are", None).with(Panel::of(None, sheet))
}

fn performance(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    let everyone = only(rows, "split", EVERYONE)?;
    let mut table = Vec::new();
    for model in distinct(&everyone, "model")? {
        let of_model = only(&everyone, "model", &model)?;
        for (measure, means) in MEASURES {
            if let Some(row) = only(&of_model, "measure", measure)?.first() {
                let value = with_interval(row, ["value", "low", "high"], words::figure)?;
                table.push(vec![
                    facts.model(&model),
                    means.to_owned(),
                    row.count("people")?,
                    row.count("with_outcome")?,
                    value,
                ]);
            }
        }
    }
    if table.is_empty() {
        return Ok(None);
    }
    let header = ["Model", "Measure", "People", "With the outcome", "Value (95% interval)"];
    let sheet = Sheet::new("How good each model is, on everyone judged", "model_performance", 2, header, table);
    let mut block = Block::new("How good they are", None).with(Panel::of(None, sheet));
    block.panels.extend(by_group(facts, rows)?);
    Ok(Some(block))
}

/// Observed over expected, where a model is off for a group.
fn by_group(facts: &Facts, rows: &[Row]) -> Result<Option<Panel>> {
    let mut table = Vec::new();
    for row in only(rows, "measure", "observed over expected")? {
        if !row.is("split", EVERYONE)? {
            table.push(vec![
                facts.model(&row.text("model")?),
                facts.split(&row.text("split")?),
                group(&row.text("group")?),
                row.count("people")?,
                with_interval(&row, ["value", "low", "high"], words::figure)?,
            ]);
        }
    }
    let header = ["Model", "By", "Group", "People", "Happened, for each one predicted (95% interval)"];
    let sheet = Sheet::new("How far each model is off for each group", "model_performance", 3, header, table.clone());
    Ok((!table.is_empty()).then(|| Panel::of(None, sheet.beneath())))
}

fn calibration(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    let everyone = only(rows, "split", EVERYONE)?;
    let text =
        "People in ten parts by their score: how many of each were predicted to have the outcome, and how many had it.";
    let mut block = Block::new("Calibration", [text.to_owned()]);
    for model in distinct(&everyone, "model")? {
        let (mut tenths, mut table) = (Vec::new(), Vec::new());
        for row in only(&everyone, "model", &model)? {
            let predicted = row.shown("predicted")?.number().map(|share| share * 100.0);
            tenths.extend(
                predicted
                    .zip(row.shown("observed")?.number())
                    .map(|(predicted, observed)| Tenth { predicted, observed }),
            );
            let predicted = predicted.map_or(super::Shown::Hidden, super::Shown::Number);
            table.push(vec![
                words::percent(predicted),
                row.percent("observed")?,
                row.count("people")?,
                row.count("with_outcome")?,
            ]);
        }
        let hidden = table.len() - tenths.len();
        let mut description =
            "A dot for each tenth of the people. On the dashed line, what was predicted happened.".to_owned();
        if hidden > 0 {
            description.push_str(&format!(" {hidden} of {} are not drawn: {}.", table.len(), facts.hidden));
        }
        let name = facts.model(&model);
        let title = format!("{name}: predicted and observed");
        let picture = Calibration { title: &title, description: &description, tenths };
        let header = ["Predicted", "Observed", "People", "With the outcome"];
        let sheet = Sheet::new(title.as_str(), "model_calibration", 0, header, table).beneath();
        let mut panel = Panel::of(Some(picture.draw()), sheet).titled(name);
        panel.text.extend((hidden > 0).then(|| format!("{hidden} parts are not drawn: {}.", facts.hidden)));
        block.panels.push(panel);
    }
    Ok((!block.panels.is_empty()).then_some(block))
}

fn drift(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let table = rows.iter().map(|row| {
        let input = row.text("input")?;
        let input =
            if input == crate::drift::reference::SCORE { "The score itself".to_owned() } else { facts.split(&input) };
        Ok(vec![facts.model(&row.text("model")?), input, row.text("can_stop_the_run")?, row.figure("psi")?])
    });
    let header = ["Model", "Input", "Beyond the limit, stops the run", "Population stability index"];
    let sheet = Sheet::new(
        "How far inputs and scores have moved since training",
        "model_drift",
        3,
        header,
        table.collect::<Result<_>>()?,
    );
    let text = "0 is no change. Above 0.2 these are no longer the people that the model was made on.".to_owned();
    Ok(Some(Block::new("Drift", [text]).with(Panel::of(None, sheet))))
}

fn movement(facts: &Facts, rows: &[Row]) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let table = rows.iter().map(|row| {
        Ok(vec![
            facts.model(&row.text("model")?),
            words::capital(&row.text("band_last_run")?),
            words::capital(&row.text("band_this_run")?),
            row.count("people")?,
            row.count("rose")?,
            row.count("fell")?,
        ])
    });
    let header = ["Model", "Band last run", "Band this run", "People", "Score rose", "Score fell"];
    let sheet = Sheet::new(
        "Who moved from band to band since the last run",
        "score_movement",
        3,
        header,
        table.collect::<Result<_>>()?,
    );
    Ok(Some(Block::new("Movement between runs", None).with(Panel::of(None, sheet))))
}
