//! The rows of a source as delivered, and which delivered cells each of our columns is made from.

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use super::sql::{self, Expression};
use super::value::{self, Kind, Value};
use crate::conform::RawRows;
use crate::error::Result;
use crate::pipeline::decl::OneOrMany;
use crate::pipeline::{Column, Demographic, Source};
use crate::source::{self, DeliveredFile};

/// How a column comes out of a delivered row.
#[derive(Debug)]
pub enum Means {
    /// One delivered cell.
    Cell(usize),
    /// A list of cells.
    Cells(Vec<usize>),
    /// SQL over the delivered row.
    Sql(Box<Expression>),
    /// Not in this file, or filled from a lookup later.
    Nothing,
    /// An expression that this implementation does not compute.
    Unsupported(String),
}

/// How every column and demographic item comes out of the rows of one file.
#[derive(Debug)]
pub struct Plan {
    pub columns: Vec<Means>,
    pub demographics: Vec<Means>,
}

/// What is seen of one delivered row before its cells are taken out.
pub struct Delivered<'a> {
    arrays: &'a [ArrayRef],
    at: usize,
    file: &'a str,
}

impl Delivered<'_> {
    pub fn cell(&self, column: usize) -> Value {
        self.arrays.get(column).map_or(Value::Null, |array| value::of_array(array, self.at))
    }

    /// All cells, and the file's name last.
    pub fn cells(&self) -> Vec<Value> {
        let mut cells: Vec<Value> = (0..self.arrays.len()).map(|column| self.cell(column)).collect();
        cells.push(Value::text(self.file));
        cells
    }
}

/// Walks over every row of a file, or over those that were `kept` of it; `broken` is told of rows that could not be split
/// into fields.
pub fn walk<'a>(
    source: &Source,
    file: &DeliveredFile,
    kept: Option<impl Iterator<Item = &'a RawRows>>,
    mut broken: impl FnMut(&str),
    mut each: impl FnMut(&Plan, Delivered<'_>) -> Result<()>,
) -> Result<()> {
    let mut plan = None;
    let mut batch = |batch: &RecordBatch| {
        let plan = plan.get_or_insert_with(|| {
            let schema = batch.schema();
            let kinds = schema.fields().iter().map(|field| (field.name().clone(), Kind::of(field.data_type())));
            plan_for(source, kinds.collect(), &file.header)
        });
        (0..batch.num_rows()).try_for_each(|at| each(plan, Delivered { arrays: batch.columns(), at, file: &file.name }))
    };
    if let Some(mut kept) = kept {
        return kept.try_for_each(|rows| batch(&rows.batch));
    }
    let names = source::delivered_columns(source, &file.header);
    for raw in source::open(source, file, &names, 1024)? {
        let raw = raw?;
        raw.malformed.iter().for_each(|row| broken(&row.rule));
        batch(&raw.batch)?;
    }
    Ok(())
}

/// The plan for rows with these delivered columns.
fn plan_for(source: &Source, mut kinds: Vec<(String, Kind)>, header: &[String]) -> Plan {
    kinds.push(("_file".to_owned(), Kind::Text));
    Plan {
        columns: source.columns.iter().map(|column| of_column(column, &kinds, header)).collect(),
        demographics: source.demographics.iter().map(|demographic| of_demographic(demographic, &kinds)).collect(),
    }
}

fn of_column(column: &Column, kinds: &[(String, Kind)], header: &[String]) -> Means {
    if let Some(sql) = &column.decl.expr {
        return compiled(sql, kinds);
    }
    match &column.decl.from {
        None => Means::Nothing,
        Some(OneOrMany::One(name)) if !name.contains('*') => place(name, kinds).map_or(Means::Nothing, Means::Cell),
        Some(names) => {
            let delivered = names.as_slice().iter().flat_map(|name| source::expand(name, header));
            Means::Cells(delivered.filter_map(|name| place(&name, kinds)).collect())
        }
    }
}

fn of_demographic(demographic: &Demographic, kinds: &[(String, Kind)]) -> Means {
    match (&demographic.decl.from, &demographic.decl.expr) {
        (_, Some(sql)) => compiled(sql, kinds),
        (Some(name), None) => place(name, kinds).map_or(Means::Nothing, Means::Cell),
        (None, None) => Means::Nothing,
    }
}

fn compiled(sql: &str, kinds: &[(String, Kind)]) -> Means {
    sql::compile(sql, kinds).map_or_else(|what| Means::Unsupported(what.0), |sql| Means::Sql(Box::new(sql)))
}

fn place(name: &str, kinds: &[(String, Kind)]) -> Option<usize> {
    kinds.iter().position(|(column, _)| column == name)
}
