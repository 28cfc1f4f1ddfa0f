//! The predicates asked of a source's rows, each once however many features and audits ask it.

use std::sync::Arc;

use arrow::array::{Array, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::conform::{self, Chunk, Memo, Texts, plain};
use crate::error::{Error, Result};
use crate::expr::{self, Compiled};
use crate::link::Linked;
use crate::pipeline::Source;

/// SQL over our columns of one source, compiled.
pub struct Predicates {
    schema: SchemaRef,
    known: Vec<(String, Compiled)>,
}

/// What one worker remembers of each predicate: of the dictionary met last, where it holds.
pub type Remembered = Vec<Memo<Option<BooleanBuffer>>>;

impl Predicates {
    pub fn new(source: &Source) -> Self {
        Self { schema: conform::schema(source), known: Vec::new() }
    }

    /// The number of a predicate, a new one if need be.
    pub fn number(&mut self, sql: &str) -> Result<usize> {
        if let Some(number) = self.known.iter().position(|(known, _)| known == sql) {
            return Ok(number);
        }
        let compiled = expr::compile(sql, &self.schema).map_err(|problem| Error::Fault(problem.message))?;
        self.known.push((sql.to_owned(), compiled));
        Ok(self.known.len() - 1)
    }

    /// As they are declared.
    pub fn sql(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|(sql, _)| sql.as_str())
    }

    pub fn memory(&self) -> Remembered {
        self.known.iter().map(|_| Memo::default()).collect()
    }

    /// By predicate, where it holds, by place among the used rows: no other row is asked, so none can make it fail.
    pub fn masks(&self, memory: &mut Remembered, chunk: &Chunk, linked: &Linked) -> Result<Vec<BooleanBuffer>> {
        let each = self.known.iter().zip(memory);
        each.map(|((_, predicate), memory)| mask(predicate, memory, chunk, linked)).collect()
    }
}

fn mask(
    predicate: &Compiled,
    memory: &mut Memo<Option<BooleanBuffer>>,
    chunk: &Chunk,
    linked: &Linked,
) -> Result<BooleanBuffer> {
    let column = |name: &String| chunk.batch.column_by_name(name);
    if let [name] = predicate.columns.as_slice()
        && let Some(Texts::Coded(coded, values)) = column(name).and_then(|column| Texts::of(column))
    {
        let mut failed = None;
        let holds =
            memory.of(values, |values| predicate.of_each_value(values).map_err(|error| failed = Some(error)).ok()?);
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(holds) = holds {
            let null = values.len();
            let holds = |&row: &u32| holds.value(coded.key(row as usize).unwrap_or(null));
            return Ok(linked.rows.iter().map(holds).collect());
        }
    }
    let rows = (linked.rows.len() < chunk.fates.len()).then(|| UInt32Array::from(linked.rows.clone()));
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, declared) in predicate.columns.iter().zip(predicate.types()) {
        let Some(column) = column(name) else { continue };
        let used = rows.as_ref().map(|rows| take(column, rows, None)).transpose()?;
        fields.push(Field::new(name, declared.clone(), true));
        columns.push(plain(used.as_ref().unwrap_or(column), declared)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(linked.rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
    Ok(predicate.mask(&batch)?.values().clone())
}
