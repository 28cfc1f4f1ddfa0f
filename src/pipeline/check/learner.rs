//! How a model is to be fitted: numbers that mean something to the learner.

use super::super::document::Document;
use super::super::study::{LogisticDecl, TrainDecl, TreesDecl};
use super::Checker;

/// More trees, or more leaves of a tree, learn noise and take hours.
const MOST_TREES: u32 = 10_000;
const MOST_LEAVES: u32 = 1_024;

impl Checker {
    pub(super) fn learner(&mut self, document: &Document, train: &TrainDecl) {
        if !(2..=20).contains(&train.folds) {
            self.desk.report(document.at_value(&["train", "folds"], "2 to 20 folds"));
        }
        let wrong = logistic(&train.logistic).map(|(key, message)| ("logistic", key, message));
        for (learner, key, message) in wrong.chain(trees(&train.trees).map(|(key, message)| ("trees", key, message))) {
            self.desk.report(document.at_value(&["train", learner, key], message));
        }
        self.bands(document, &["train", "bands"], &train.bands);
    }
}

/// Keys with a wrong value, and what would be right.
fn logistic(decl: &LogisticDecl) -> impl Iterator<Item = (&'static str, &'static str)> {
    let message = "one penalty or several, none below 0";
    let penalties = [("ridge", penalties(&decl.ridge), message), ("lasso", penalties(&decl.lasso), message)];
    wrong(penalties.to_vec())
}

/// Keys with a wrong value, and what would be right.
fn trees(decl: &TreesDecl) -> impl Iterator<Item = (&'static str, &'static str)> {
    let leaves = decl.leaves.iter().all(|leaves| (2..=MOST_LEAVES).contains(leaves));
    let rates = decl.learning_rate.iter().all(|rate| *rate > 0.0 && *rate <= 1.0);
    wrong(vec![
        ("trees", (1..=MOST_TREES).contains(&decl.trees), "1 to 10,000 trees"),
        ("leaves", leaves && !decl.leaves.is_empty(), "one number of leaves or several, each from 2 to 1,024"),
        ("learning_rate", rates && !decl.learning_rate.is_empty(), "one rate or several, each above 0 and at most 1"),
        ("ridge", penalties(&decl.ridge), "one penalty or several, none below 0"),
        ("patience", decl.patience < decl.trees, "fewer trees than are grown at most; 0 grows them all"),
    ])
}

fn wrong(judged: Vec<(&'static str, bool, &'static str)>) -> impl Iterator<Item = (&'static str, &'static str)> {
    judged.into_iter().filter(|(_, good, _)| !good).map(|(key, _, message)| (key, message))
}

/// Written so that NaN is none.
fn penalties(penalties: &[f64]) -> bool {
    !penalties.is_empty() && penalties.iter().all(|penalty| *penalty >= 0.0 && penalty.is_finite())
}
