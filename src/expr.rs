//! SQL expressions over declared columns: typed, bounded, expressions only.
//!
//! An expression is parsed and checked against a list of what is allowed, then typed by DataFusion against the columns
//! there are; nothing else of SQL can be reached. It is compiled once and bound to batches by column name.

mod allowed;
mod grammar;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat, prep_null_mask_filter};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::ast::{self, ExprWithAlias};

use crate::error::{Error, Result};
use crate::pipeline::problem::closest;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlProblem {
    pub message: String,
    pub help: Option<String>,
    /// Bytes of the expression.
    pub at: Range<usize>,
    /// The name that no column has, when that is the problem.
    pub unknown: Option<String>,
}

impl SqlProblem {
    fn new(at: Range<usize>, message: String) -> Self {
        Self { message, help: None, at, unknown: None }
    }

    fn help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }
}

impl fmt::Display for SqlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An expression that is known to run over batches with its columns.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub data_type: DataType,
    /// Names read, sorted.
    pub columns: Vec<String>,
    sql: String,
    schema: Arc<Schema>,
    expr: Arc<dyn PhysicalExpr>,
}

/// What an expression makes of the rows of a batch.
#[derive(Debug)]
pub struct Attempt {
    pub values: ArrayRef,
    /// Rows on which it fails, ascending; null in `values`.
    pub failed: Vec<usize>,
}

impl Compiled {
    /// One value a row; an error says on how many rows the SQL fails. The batch holds at least the columns read, in any
    /// order.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let attempt = self.attempt(batch)?;
        self.fails_on(attempt.failed.len()).map(|()| attempt.values)
    }

    /// An error where the SQL fails on so many rows, if they are any.
    pub fn fails_on(&self, rows: usize) -> Result<()> {
        match rows {
            0 => Ok(()),
            rows => Err(Error::Check(format!(
                "the SQL `{}` fails on {rows} row{} (a cast, or a division by zero)",
                self.sql,
                if rows == 1 { "" } else { "s" }
            ))),
        }
    }

    /// One value a row, null where the SQL fails on that row by itself: so how rows are cut into batches decides nothing.
    pub fn attempt(&self, batch: &RecordBatch) -> Result<Attempt> {
        let columns = self.bind(batch)?;
        let mut failed = Vec::new();
        let values = self.halve(&columns, 0, batch.num_rows(), &mut failed)?;
        Ok(Attempt { values, failed })
    }

    fn halve(&self, columns: &[ArrayRef], from: usize, rows: usize, failed: &mut Vec<usize>) -> Result<ArrayRef> {
        let part = columns.iter().map(|column| column.slice(from, rows)).collect();
        match self.run(part, rows) {
            Ok(values) => Ok(values),
            Err(_) if rows == 1 => {
                failed.push(from);
                Ok(new_null_array(&self.data_type, 1))
            }
            Err(_) => {
                let first = self.halve(columns, from, rows / 2, failed)?;
                let second = self.halve(columns, from + rows / 2, rows - rows / 2, failed)?;
                Ok(concat(&[&first, &second])?)
            }
        }
    }

    fn bind(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for field in self.schema.fields() {
            let column = batch.column_by_name(field.name()).ok_or_else(|| {
                Error::Fault(format!("an expression reads `{}`, which the batch lacks", field.name()))
            })?;
            if column.data_type() != field.data_type() {
                let (is, was) = (column.data_type(), field.data_type());
                return Err(Error::Fault(format!(
                    "`{}` is {is} where an expression was typed for {was}",
                    field.name()
                )));
            }
            columns.push(Arc::clone(column));
        }
        Ok(columns)
    }

    /// Where a predicate holds; null counts as not.
    pub fn mask(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let values = self.evaluate(batch)?;
        let Some(mask) = values.as_boolean_opt() else {
            return Err(Error::Fault(format!("a predicate is {}", values.data_type())));
        };
        Ok(holding(mask))
    }

    /// Types of the columns read, as [`Self::columns`].
    pub fn types(&self) -> impl Iterator<Item = &DataType> {
        self.schema.fields().iter().map(|field| field.data_type())
    }

    /// Where a predicate of one column of text holds: for each value, and for null behind them. Nothing where it fails on
    /// any, or reads another type.
    pub fn of_each_value(&self, values: &StringArray) -> Result<Option<BooleanBuffer>> {
        let column = concat(&[values, &new_null_array(&DataType::Utf8, 1)])?;
        if self.types().ne([column.data_type()]) || self.data_type != DataType::Boolean {
            return Ok(None);
        }
        let attempt = self.attempt(&RecordBatch::try_new(Arc::clone(&self.schema), vec![column])?)?;
        Ok(attempt.failed.is_empty().then(|| holding(attempt.values.as_boolean()).values().clone()))
    }

    fn run(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef, DataFusionError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        self.expr.evaluate(&batch)?.into_array(rows)
    }
}

/// Null counts as not.
fn holding(mask: &BooleanArray) -> BooleanArray {
    if mask.null_count() == 0 { mask.clone() } else { prep_null_mask_filter(mask) }
}

/// Types an expression against the columns of a schema.
pub fn compile(sql: &str, schema: &Schema) -> Result<Compiled, SqlProblem> {
    let reading = allowed::read(sql)?;
    let mut fields = Vec::with_capacity(reading.names.len());
    for (name, at) in &reading.names {
        match schema.field_with_name(name) {
            Ok(field) => fields.push(Arc::new(Field::new(name, field.data_type().clone(), true))),
            Err(_) => return Err(unknown(name, at.clone(), schema)),
        }
    }
    fields.sort_by(|a, b| a.name().cmp(b.name()));
    fields.dedup();
    let schema = Arc::new(Schema::new(fields));
    let failed =
        |error: DataFusionError| SqlProblem::new(0..sql.len(), format!("this SQL has no meaning: {}", plain(&error)));
    let expr = physical(reading.expr, &schema).map_err(failed)?;
    let data_type = expr.data_type(&schema).map_err(failed)?;
    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
    let compiled = Compiled { data_type, columns, sql: sql.to_owned(), schema, expr };
    // A literal that does not fit its column ('2025-02-30' beside a date) only fails when it is evaluated.
    for rows in [0, 1] {
        let nulls = compiled.schema.fields().iter().map(|field| new_null_array(field.data_type(), rows)).collect();
        compiled.run(nulls, rows).map_err(failed)?;
    }
    Ok(compiled)
}

/// The names an expression reads, sorted: what can be known before there are types.
pub fn columns_read(sql: &str) -> Result<Vec<String>, SqlProblem> {
    let mut names: Vec<String> = allowed::read(sql)?.names.into_iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Whether a name can stand in SQL without quotes.
pub fn is_plain_name(name: &str) -> bool {
    columns_read(name).is_ok_and(|names| names == [name])
}

/// Settings under which DataFusion gives the same, right rows: see the two pinned faults in its joins.
pub fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new().with_information_schema(false).with_create_default_catalog_and_schema(false);
    let optimizer = &mut config.options_mut().optimizer;
    // Turning off the first alone leaves the other three on when it is set as a field.
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    optimizer.prefer_hash_join = true;
    config
}

fn session() -> &'static SessionState {
    static SESSION: OnceLock<SessionState> = OnceLock::new();
    SESSION.get_or_init(|| SessionContext::new_with_config(session_config()).state())
}

fn physical(expr: ast::Expr, schema: &Arc<Schema>) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let df_schema = DFSchema::try_from(Arc::clone(schema))?;
    let logical = session().create_logical_expr_from_sql_expr(ExprWithAlias { expr, alias: None }, &df_schema)?;
    alike(&logical, &df_schema)?;
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(df_schema.clone()))
        .with_config_options(Arc::clone(session().config_options()))
        .build();
    let simplifier = ExprSimplifier::new(context);
    // Some functions (`coalesce`) only run in the form that simplifying gives them.
    let logical = simplifier.simplify(simplifier.coerce(logical, &df_schema)?)?;
    session().create_physical_expr(logical, &df_schema)
}

/// Refuses comparisons that a silent conversion would make possible: a date with a number, text with a number.
fn alike(expr: &Expr, schema: &DFSchema) -> Result<(), DataFusionError> {
    let check = |left: &Expr, right: &Expr| {
        let (a, b) = (left.get_type(schema)?, right.get_type(schema)?);
        if comparable(&a, &b) || comparable(&b, &a) {
            return Ok(());
        }
        plan_err!("it compares {a} with {b}")
    };
    expr.apply(|expr| {
        match expr {
            Expr::BinaryExpr(binary) if binary.op.supports_propagation() => check(&binary.left, &binary.right)?,
            Expr::InList(list) => list.list.iter().try_for_each(|item| check(&list.expr, item))?,
            Expr::Between(between) => {
                check(&between.expr, &between.low)?;
                check(&between.expr, &between.high)?;
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn comparable(a: &DataType, b: &DataType) -> bool {
    a == b
        || a.is_null()
        || (a.is_numeric() && b.is_numeric())
        || (a.is_temporal() && (b.is_temporal() || is_text(b)))
        || (is_text(a) && is_text(b))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn unknown(name: &str, at: Range<usize>, schema: &Schema) -> SqlProblem {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let help = match names().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => Some(format!("write \"{known}\" in double quotes")),
        None => closest(name, names()).map(|known| format!("did you mean `{known}`?")),
    };
    let message = format!("there is no column `{name}`");
    SqlProblem { help, unknown: Some(name.to_owned()), ..SqlProblem::new(at, message) }
}

/// The first line of DataFusion's message, without the names of its layers.
fn plain(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    let start = ["Error during planning: ", "Arrow error: ", "Cast error: ", "type_coercion\ncaused by\n"];
    start.iter().fold(line, |line, prefix| line.strip_prefix(prefix).unwrap_or(line)).to_owned()
}

#[cfg(test)]
mod tests;

/// The settings in force that could change a result, by DataFusion's name for them.
pub fn settings() -> std::collections::BTreeMap<String, String> {
    let told = ["datafusion.optimizer.enable_dynamic_filter_pushdown", "datafusion.optimizer.prefer_hash_join"];
    let entries = session_config().options().entries();
    let told = entries.into_iter().filter(|entry| told.contains(&entry.key.as_str()));
    told.map(|entry| (entry.key, entry.value.unwrap_or_default())).collect()
}
