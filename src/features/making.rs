//! What sources have made of features, until all of them are there.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array};
use arrow::datatypes::Date32Type;

use super::held::Held;
use super::plan::Made;
use crate::aside::Aside;
use crate::error::Result;
use crate::pipeline::Pipeline;

/// Features source by source, on the disk where memory is short.
pub struct Making {
    on_disk: bool,
    /// By source: the features whose columns are put aside, each followed by its days if it has any.
    sources: Vec<(Vec<(usize, bool)>, Aside)>,
    waiting: Vec<(usize, Held)>,
}

/// The same by feature, as far as events made them.
pub struct ByFeature {
    pub columns: Vec<Option<ArrayRef>>,
    /// Days of the latest events.
    pub latest: Vec<Option<Date32Array>>,
    pub waiting: Vec<Option<Held>>,
}

impl Making {
    pub fn new(on_disk: bool) -> Self {
        Self { on_disk, sources: Vec::new(), waiting: Vec::new() }
    }

    /// Adds what became of the features of a source.
    pub fn add(&mut self, made: Vec<(usize, Made)>) -> Result<()> {
        let (mut features, mut columns) = (Vec::new(), Vec::<ArrayRef>::new());
        for (feature, made) in made {
            match made {
                Made::Waiting(held) => self.waiting.push((feature, held)),
                Made::Column(column, days) => {
                    features.push((feature, days.is_some()));
                    columns.push(column);
                    columns.extend(days.map(|days| Arc::new(Date32Array::from(days)) as ArrayRef));
                }
            }
        }
        self.sources.push((features, Aside::put(columns, self.on_disk)?));
        Ok(())
    }

    /// Everything that was added.
    pub fn take(self, pipeline: &Pipeline) -> Result<ByFeature> {
        let mut all = ByFeature {
            columns: vec![None; pipeline.features.len()],
            latest: vec![None; pipeline.features.len()],
            waiting: pipeline.features.iter().map(|_| None).collect(),
        };
        for (features, aside) in self.sources {
            let mut columns = aside.take()?.into_iter();
            for (feature, dated) in features {
                all.columns[feature] = columns.next();
                if dated {
                    let days = columns.next();
                    all.latest[feature] = days.and_then(|days| days.as_primitive_opt::<Date32Type>().cloned());
                }
            }
        }
        self.waiting.into_iter().for_each(|(feature, held)| all.waiting[feature] = Some(held));
        Ok(all)
    }
}
