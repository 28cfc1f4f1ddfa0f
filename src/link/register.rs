//! What a register says of each person, as far as it is read when the spine is settled.

use hashbrown::HashSet;

use crate::columns::Columns;
use crate::pipeline::{Pipeline, Verb};

#[derive(Debug)]
pub struct Register {
    /// Index into [`crate::pipeline::Pipeline::sources`].
    pub source: usize,
    /// One row a person, in the order of [`super::People::tokens`]; null where this register does not know them. Only the columns
    /// that are read of it.
    pub rows: Columns,
}

impl Register {
    /// Keeps what is read when all features are made: who sends whose rows.
    pub fn keep_providers(&mut self, pipeline: &Pipeline) {
        let schema = self.rows.schema();
        let kept = |at: usize| providers(pipeline).any(|column| column == schema.field(at).name());
        self.rows = self.rows.only(kept);
    }
}

/// Columns of registers that say who sends whose rows.
fn providers(pipeline: &Pipeline) -> impl Iterator<Item = &str> {
    pipeline.sources.iter().filter_map(|source| source.decl.provider.as_ref()?.people.as_deref())
}

/// Columns of a register that are read when the spine is settled: for ages, for values, and for who sends whose rows.
pub(super) fn read_later(pipeline: &Pipeline, register: usize) -> HashSet<&str> {
    let values = pipeline.features.iter().filter_map(|feature| match feature.verb {
        Verb::Age { source, .. } if source == register => Some("birth_date"),
        Verb::Value { source, column } if source == register => {
            pipeline.sources[source].columns.get(column).map(|column| column.name.as_str())
        }
        _ => None,
    });
    values.chain(providers(pipeline)).collect()
}
