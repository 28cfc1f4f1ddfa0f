//! Who rose and who fell since the last run, from band to band.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use crate::disclosure::{AggregateTable, Cell, Label};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::BandDecl;
use crate::score::{Scores, band};

/// Of people who were not scored in the last run.
const NOT_SCORED: &str = "not scored";

/// Of a model without bands.
const ANY: &str = "any score";

/// People of one move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    people: u64,
    rose: u64,
    fell: u64,
}

/// `score_movement`: for each model how many people went from which band of the last run to which of this one, and how many of
/// them rose or fell. `before` gives the last run's score of a model by row of the scores.
pub fn movement(
    pipeline: &Pipeline,
    scores: &Scores,
    before: &dyn Fn(&str, usize) -> Option<f64>,
) -> Result<AggregateTable> {
    let mut table =
        AggregateTable::new("score_movement", ["model", "band_last_run", "band_this_run", "people", "rose", "fell"]);
    let rule = pipeline.disclosure;
    let text = |text: &str| Cell::Text(Label::new(text));
    for model in &pipeline.models {
        let now = scores.batch.column_by_name(&model.name).and_then(|now| now.as_primitive_opt::<Float64Type>());
        let now = now.ok_or_else(|| Error::Fault(format!("score {} was not made", model.name)))?;
        let pairs = now.iter().enumerate().filter_map(|(row, now)| Some((before(&model.name, row), now?)));
        for ((last, this), moved) in moves(&model.decl.bands, pairs) {
            table.row([
                text(&model.name),
                text(last),
                text(this),
                Cell::Count(rule.count(moved.people)),
                Cell::Count(rule.part(moved.rose, moved.people)),
                Cell::Count(rule.part(moved.fell, moved.people)),
            ])?;
        }
    }
    Ok(table)
}

fn moves(bands: &[BandDecl], pairs: impl Iterator<Item = (Option<f64>, f64)>) -> Vec<((&str, &str), Moved)> {
    let named = |score: f64| if bands.is_empty() { ANY } else { band(bands, score) };
    // Bands in their own order, people who were not scored last.
    let place = |name: &str| bands.iter().position(|band| band.name == name).unwrap_or(bands.len());
    let mut moves: BTreeMap<(usize, usize, &str, &str), Moved> = BTreeMap::new();
    for (before, now) in pairs {
        let (last, this) = (before.map_or(NOT_SCORED, named), named(now));
        let moved = moves.entry((place(last), place(this), last, this)).or_default();
        moved.people += 1;
        moved.rose += u64::from(before.is_some_and(|before| now > before));
        moved.fell += u64::from(before.is_some_and(|before| now < before));
    }
    moves.into_iter().map(|((_, _, last, this), moved)| ((last, this), moved)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_in_one_move() {
        let band = |name: &str, below| BandDecl { name: name.to_owned(), below };
        let bands = [band("low", Some(0.2)), band("high", None)];
        let pairs = [(Some(0.1), 0.3), (Some(0.1), 0.15), (Some(0.4), 0.1), (None, 0.5), (Some(0.1), 0.1)];
        let moved = |people, rose, fell| Moved { people, rose, fell };
        let wanted = vec![
            (("low", "low"), moved(2, 1, 0)),
            (("low", "high"), moved(1, 1, 0)),
            (("high", "low"), moved(1, 0, 1)),
            ((NOT_SCORED, "high"), moved(1, 0, 0)),
        ];
        assert_eq!(moves(&bands, pairs.into_iter()), wanted);
        assert_eq!(moves(&[], pairs.into_iter())[0], ((ANY, ANY), moved(4, 2, 1)));
    }
}
