//! What a feature or score rests on.

use std::collections::BTreeSet;

use super::measures::Measures;
use super::{Feature, Model, Pipeline, Scoring, Source, Verb};
use crate::expr;

/// Where to look names up: a pipeline, or what has been checked of one so far.
#[derive(Clone, Copy)]
pub(crate) struct Behind<'a> {
    pub sources: &'a [Source],
    pub features: &'a [Feature],
    pub models: &'a [Model],
    pub measures: &'a Measures,
    /// Whether a register counts for its birth date, which never grows old.
    pub births: bool,
}

impl Behind<'_> {
    /// The sources (indices) that features, scores, bands and hidden features are made from, through whatever is derived.
    pub fn sources<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> BTreeSet<usize> {
        let mut sources = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        while let Some(name) = names.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(feature) = self.features.iter().find(|feature| feature.name == name) {
                match &feature.verb {
                    Verb::Age { source, .. } => sources.extend(self.births.then_some(*source)),
                    Verb::Value { source, .. } => sources.extend([*source]),
                    Verb::Events(events) => sources.extend([events.source]),
                    Verb::Item { item } | Verb::ItemState { item } => sources.extend(self.sources_that_say(*item)),
                    Verb::Web { web, .. } => sources.extend(self.measures.sources_of_web(*web)),
                    Verb::Derived { sql } => names.extend(expr::columns_read(sql).unwrap_or_default()),
                }
            } else if let Some(model) = self.models.iter().find(|model| is_of_model(&name, &model.name)) {
                let applies_when = model.decl.applies_when.as_deref();
                names.extend(applies_when.and_then(|sql| expr::columns_read(sql).ok()).unwrap_or_default());
                let read = model.kind.features().into_iter();
                names.extend(read.filter_map(|at| Some(self.features.get(at)?.name.clone())));
            }
        }
        sources
    }

    fn sources_that_say(&self, item: usize) -> impl Iterator<Item = usize> {
        let says = move |at: &usize| {
            self.sources.get(*at).is_some_and(|source| source.demographics.iter().any(|says| says.item == item))
        };
        (0..self.sources.len()).filter(says)
    }
}

impl Pipeline {
    /// The sources (indices) that features, scores, bands and hidden features are made from, through whatever is derived.
    pub fn sources_behind<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<usize> {
        let Self { sources, features, models, measures, .. } = self;
        Behind { sources, features, models, measures, births: true }.sources(names)
    }
}

impl Scoring {
    /// The features (indices) that the score reads, ascending, each once.
    pub fn features(&self) -> Vec<usize> {
        let read: BTreeSet<usize> = match self {
            Self::Points(points) => {
                let items = points.items.iter().map(|item| item.feature);
                items.chain(points.thresholds.iter().map(|threshold| threshold.feature)).collect()
            }
            Self::Logistic(logistic) => logistic.terms.iter().map(|term| term.feature).collect(),
            Self::Trees(trees) => trees.inputs.iter().map(|input| input.feature).collect(),
            Self::Stack(stack) => stack.bases.iter().flat_map(|(_, base)| base.features()).collect(),
        };
        read.into_iter().collect()
    }
}

/// The score itself, its band, its change.
fn is_of_model(name: &str, model: &str) -> bool {
    name.strip_prefix(model).is_some_and(|rest| ["", "_band", "_change"].contains(&rest))
}
