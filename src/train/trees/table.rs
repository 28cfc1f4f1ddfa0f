//! Grown trees as a model folder holds them: a row a node.

use std::ops::Range;

use super::super::{Declared, Fitted, Input, Matrix, Says};
use crate::error::Result;
use crate::pipeline::decl::ModelKind;
use crate::pipeline::{Branch, Split, Trees};
use crate::score::trees::log_odds;

/// Fitted trees over the columns of a matrix.
pub struct Ensemble {
    pub names: Vec<Input>,
    pub trees: Trees,
    /// By tree, then node: those learnt from who came there.
    pub people: Vec<Vec<u64>>,
    pub notes: Vec<String>,
}

impl Fitted for Ensemble {
    fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let read = |input: usize, rows: Range<usize>, out: &mut [f64]| matrix.read(input, rows, out);
        let mut scores = log_odds(&self.trees, matrix.rows(), read)?;
        scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
        Ok(scores)
    }

    fn declare(&self) -> Declared {
        Declared {
            kind: ModelKind::Trees,
            intercept: Some(self.trees.intercept),
            table: Some(("trees.csv".to_owned(), self.csv())),
            bases: Vec::new(),
            notes: self.notes.clone(),
        }
    }
}

impl Ensemble {
    /// One row a node.
    pub fn csv(&self) -> String {
        let mut csv = "tree,node,feature,equals,below,missing,left,right,value,rows,people\n".to_owned();
        for (number, (tree, people)) in self.trees.trees.iter().zip(&self.people).enumerate() {
            for (at, (node, people)) in tree.nodes.iter().zip(people).enumerate() {
                let what = match &node.branch {
                    Branch::Leaf(value) => format!(",,,,,,{value}"),
                    Branch::Split(split) => format!("{},{},{},", self.test(split), split.left, split.right),
                };
                csv.push_str(&format!("{number},{at},{what},{},{people}\n", node.rows));
            }
        }
        csv
    }

    /// `feature,equals,below,missing` of a split.
    fn test(&self, split: &Split) -> String {
        let missing = if split.missing_left { "left" } else { "right" };
        let Some(Input { feature, says }) = self.names.get(split.input) else { return ",,,".to_owned() };
        match says {
            Says::Number => format!("{feature},,{},{missing}", split.below),
            // These columns are 0 or 1, never missing: 0 is below every bound, 1 is not.
            Says::Is(value) => format!("{feature},{},,left", quoted(value)),
            Says::IsMissing => format!("{feature},,,right"),
        }
    }
}

/// A cell in quotes where it needs them.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
