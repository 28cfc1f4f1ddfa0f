//! What a model remembers of training: bins of its score and of features that are there.

use arrow::datatypes::DataType;

use super::super::document::Document;
use super::Checker;
use crate::drift::reference::{Bin, Reference, SCORE, Spread};

impl Checker {
    /// The table of a model's `reference`; none where a row is wrong.
    pub(super) fn reference(&mut self, document: &Document, table: &str) -> Option<Reference> {
        let (shown, text, rows) = self.table_at(document, &["reference"], table, &["input", "bin", "share"])?;
        let mut spreads: Vec<Spread> = Vec::new();
        for row in &rows {
            let here = |message: String| row.problem(message).located(&shown, &text);
            let input = row.get("input");
            let bin = Bin::read(row.get("bin"));
            let share = row.get("share").parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
            let (Some(bin), Some(share)) = (bin, share) else {
                let message = "`bin` is a number, `=` and a text, `other` or `missing`; `share` is from 0 to 1";
                self.desk.report(here(message.to_owned()));
                return None;
            };
            if spreads.last().is_none_or(|spread| spread.input != input) {
                let feature = if input == SCORE { None } else { Some(self.feature_named(here, input)?) };
                spreads.push(Spread { input: input.to_owned(), feature, bins: Vec::new() });
            }
            if let Some(spread) = spreads.last_mut() {
                spread.bins.push((bin, share));
            }
        }
        for spread in &spreads {
            if let Some(why) = self.unusable(spread, &spreads) {
                let message = format!("`{table}`: {}: {why}", spread.input);
                self.desk.report(document.at_value(&["reference"], message));
                return None;
            }
        }
        Some(Reference { spreads })
    }

    fn unusable(&self, spread: &Spread, all: &[Spread]) -> Option<&'static str> {
        let starts =
            spread.bins.iter().filter_map(|(bin, _)| if let Bin::From(from) = bin { Some(*from) } else { None });
        let starts: Vec<f64> = starts.collect();
        let data_type = spread.feature.and_then(|at| self.features.get(at)).map(|feature| &feature.data_type);
        let text = data_type == Some(&DataType::Utf8);
        let total: f64 = spread.bins.iter().map(|(_, share)| share).sum();
        if all.iter().filter(|other| other.input == spread.input).count() > 1 {
            return Some("its bins stand together");
        }
        if text != starts.is_empty() || (text && !spread.bins.iter().any(|(bin, _)| *bin == Bin::Other)) {
            return Some("numbers have bins that begin somewhere, texts have bins by text and `other`");
        }
        if !text && (starts.first() != Some(&f64::NEG_INFINITY) || !starts.is_sorted()) {
            return Some("bins of numbers begin at -inf, and rise");
        }
        ((total - 1.0).abs() > 0.001).then_some("the shares are not those of everyone: they do not add up to 1")
    }
}
