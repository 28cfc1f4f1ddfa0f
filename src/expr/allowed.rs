//! What an expression may be made of: a list of what is allowed, so that what SQL gains later is refused.

use std::ops::Range;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, UnaryOperator,
    Value,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::SqlProblem;
use super::grammar::{FUNCTIONS, castable, operator_allowed, parts};
use crate::pipeline::problem::closest;

const MAX_BYTES: usize = 4096;
const MAX_DEPTH: usize = 64;

/// Memory that one regular expression may compile to.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// An expression that keeps to the rules, and the names it reads, each with its place.
pub(super) struct Reading {
    pub expr: Expr,
    pub names: Vec<(String, Range<usize>)>,
}

/// Parses one expression and refuses whatever is not on the list.
pub(super) fn read(sql: &str) -> Result<Reading, SqlProblem> {
    if sql.len() > MAX_BYTES {
        return Err(SqlProblem::new(0..sql.len(), format!("longer than {MAX_BYTES} bytes")));
    }
    let dialect = GenericDialect {};
    let failed = |error| located(sql, &error);
    let mut parser = Parser::new(&dialect).with_recursion_limit(4 * MAX_DEPTH).try_with_sql(sql).map_err(failed)?;
    let expr = parser.parse_expr().map_err(failed)?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = range(sql, next.span.start, next.span.end);
        return Err(SqlProblem::new(at, format!("`{}` does not belong to the expression", next.token))
            .help("write one expression: no statement, no `;`"));
    }
    let mut walker = Walker { sql, names: Vec::new() };
    walker.walk(&expr, 0)?;
    Ok(Reading { expr, names: walker.names })
}

struct Walker<'a> {
    sql: &'a str,
    names: Vec<(String, Range<usize>)>,
}

impl Walker<'_> {
    fn walk(&mut self, expr: &Expr, depth: usize) -> Result<(), SqlProblem> {
        if depth > MAX_DEPTH {
            return Err(SqlProblem::new(0..self.sql.len(), format!("nested more than {MAX_DEPTH} deep"))
                .help("a long chain of `or` over one column is shorter as `column in (…)`"));
        }
        match expr {
            Expr::Identifier(name) => {
                self.names.push((column_name(name), range(self.sql, name.span.start, name.span.end)));
                Ok(())
            }
            Expr::Value(value) => match &value.value {
                Value::Number(..) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null => Ok(()),
                _ => Err(self.refuse(expr, "this kind of literal is not allowed")),
            },
            Expr::TypedString(typed) => match typed.data_type {
                DataType::Date | DataType::Timestamp(..) => Ok(()),
                _ => Err(self.refuse(expr, "only `date '…'` and `timestamp '…'` literals are allowed")),
            },
            Expr::Function(function) => self.function(function, expr, depth),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                Err(self.refuse(expr, "a subquery is not allowed: only an expression over the columns of one row"))
            }
            // DataFusion 55.2 takes `case when b then 7 else m end` in a list for a constant, and loses rows.
            Expr::InList { list, .. } if !list.iter().all(is_literal) => Err(self
                .refuse(expr, "only literals can stand in an `in` list")
                .help("compare with the others by `=` and `or`")),
            Expr::BinaryOp { op, .. } if !operator_allowed(op) => {
                Err(self.refuse(expr, &format!("the operator `{op}` is not allowed")))
            }
            Expr::UnaryOp { op, .. }
                if !matches!(op, UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus) =>
            {
                Err(self.refuse(expr, &format!("the operator `{op}` is not allowed")))
            }
            Expr::Cast { kind, data_type, array, format, .. }
                if *array || format.is_some() || *kind == CastKind::SafeCast || !castable(data_type) =>
            {
                Err(self.refuse(expr, &format!("a cast to `{data_type}` is not allowed")))
            }
            _ => {
                let Some(parts) = parts(expr) else {
                    return Err(self.refuse(expr, "this is not allowed in an expression"));
                };
                parts.into_iter().try_for_each(|part| self.walk(part, depth + 1))
            }
        }
    }

    fn function(&mut self, function: &Function, expr: &Expr, depth: usize) -> Result<(), SqlProblem> {
        let name = function.name.to_string().to_lowercase();
        if !FUNCTIONS.contains(&name.as_str()) {
            let at = function.name.span();
            let help = closest(&name, FUNCTIONS).map(|near| format!("did you mean `{near}`?"));
            return Err(SqlProblem {
                help: help.or_else(|| Some(format!("allowed are {}", FUNCTIONS.join(", ")))),
                ..SqlProblem::new(range(self.sql, at.start, at.end), format!("the function `{name}` is not allowed"))
            });
        }
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && !function.uses_odbc_syntax
            && matches!(function.parameters, FunctionArguments::None);
        let FunctionArguments::List(list) = &function.args else {
            return Err(self.refuse(expr, &format!("`{name}` needs its arguments in brackets")));
        };
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(self.refuse(expr, &format!("`{name}` takes arguments and nothing else")));
        }
        let mut arguments = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => arguments.push(argument),
                _ => return Err(self.refuse(expr, &format!("`{name}` takes expressions"))),
            }
        }
        if name == "regexp_like" {
            self.regex(&arguments, expr)?;
        }
        arguments.into_iter().try_for_each(|argument| self.walk(argument, depth + 1))
    }

    /// A pattern is written out, and compiles to little.
    fn regex(&self, arguments: &[&Expr], expr: &Expr) -> Result<(), SqlProblem> {
        let [_, Expr::Value(pattern)] = arguments else {
            return Err(self.refuse(expr, "`regexp_like` takes a column and a pattern written out"));
        };
        let Value::SingleQuotedString(text) = &pattern.value else {
            return Err(self.refuse(expr, "`regexp_like` takes a column and a pattern written out"));
        };
        match regex::RegexBuilder::new(text).size_limit(MAX_REGEX_BYTES).build() {
            Ok(_) => Ok(()),
            Err(_) => {
                let at = range(self.sql, pattern.span.start, pattern.span.end);
                Err(SqlProblem::new(at, "this pattern is not a regular expression, or is too large".to_owned()))
            }
        }
    }

    fn refuse(&self, expr: &Expr, message: &str) -> SqlProblem {
        let span = expr.span();
        SqlProblem::new(range(self.sql, span.start, span.end), message.to_owned())
    }
}

/// A value written out, a sign in front of it allowed.
fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_literal(expr),
        Expr::Nested(expr) => is_literal(expr),
        _ => false,
    }
}

/// Unquoted names are lower case, as everywhere in SQL.
fn column_name(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The parser says where in words: "… at Line: 1, Column: 9".
fn located(sql: &str, error: &ParserError) -> SqlProblem {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return SqlProblem::new(0..sql.len(), format!("nested more than {MAX_DEPTH} deep"));
        }
    };
    let (message, place) = text.rsplit_once(" at Line: ").unwrap_or((text, ""));
    let at = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
    });
    let start = at.map_or(if text.ends_with("EOF") { sql.len() } else { 0 }, |at| offset(sql, at));
    let word = sql.get(start..).unwrap_or_default();
    let length = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len()).max(1);
    SqlProblem::new(
        start..start + length,
        format!("this SQL cannot be read: {}", message.replace("Expected: ", "expected ")),
    )
}

/// Bytes between two places; everything when the parser noted none.
fn range(sql: &str, start: Location, end: Location) -> Range<usize> {
    if start.line == 0 {
        return 0..sql.len();
    }
    let from = offset(sql, start);
    from..offset(sql, end).max(from)
}

fn offset(sql: &str, at: Location) -> usize {
    let line = usize::try_from(at.line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(at.column).unwrap_or(1).saturating_sub(1);
    let start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = sql.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}
