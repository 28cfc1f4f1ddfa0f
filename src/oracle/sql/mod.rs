//! A small interpreter of SQL expressions: types are settled first, then each row is walked by itself.
//!
//! It shares the grammar (`sqlparser`) with the engine and nothing else. What it does not know it refuses by name, so
//! that a figure is either computed twice or reported as not checked.

/// A value as another kind.
mod cast;

/// Which kind two values meet in.
mod coerce;

/// Text to a typed expression.
mod compile;

/// A typed expression over one row.
mod eval;

/// The named functions.
mod functions;

use std::fmt;

use super::value::{Kind, Value};
use functions::Function;

pub use compile::compile;

/// What this interpreter does not compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an expression has no value for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// It fails by the rules of SQL: a cast of text that is no number, a division by zero.
    Fails,
    Unsupported(Unsupported),
}

impl From<Unsupported> for NoValue {
    fn from(what: Unsupported) -> Self {
        Self::Unsupported(what)
    }
}

/// Where a failure has no meaning of its own it is one more thing that is not computed.
impl From<NoValue> for Unsupported {
    fn from(why: NoValue) -> Self {
        match why {
            NoValue::Fails => Self("an expression that fails".to_owned()),
            NoValue::Unsupported(what) => what,
        }
    }
}

fn unsupported<T, E: From<Unsupported>>(what: impl Into<String>) -> Result<T, E> {
    Err(Unsupported(what.into()).into())
}

/// An expression whose columns and types are settled.
#[derive(Debug, Clone)]
pub struct Expression {
    pub kind: Kind,
    node: Node,
}

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    Column(usize),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// Nulls are equal to each other and differ from everything else.
    Distinct {
        left: Box<Expression>,
        right: Box<Expression>,
        negated: bool,
    },
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    Negate(Box<Expression>),
    Concat(Box<Expression>, Box<Expression>),
    /// `IS NULL`, `IS TRUE`, `IS FALSE` and their negations.
    Is {
        inner: Box<Expression>,
        what: Option<bool>,
        negated: bool,
    },
    In {
        inner: Box<Expression>,
        list: Vec<Expression>,
        negated: bool,
    },
    Like {
        inner: Box<Expression>,
        pattern: Box<Expression>,
        negated: bool,
        any_case: bool,
    },
    Case {
        branches: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
    Cast {
        inner: Box<Expression>,
        /// Null instead of a failure.
        lenient: bool,
    },
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Expression {
    fn new(kind: Kind, node: Node) -> Self {
        Self { kind, node }
    }

    /// The value for one row, its cells in the order of the columns given to [`compile`].
    pub fn value(&self, row: &[Value]) -> Result<Value, NoValue> {
        eval::value(self, row)
    }

    /// Whether a predicate holds; null is no.
    pub fn holds(&self, row: &[Value]) -> Result<bool, NoValue> {
        match self.value(row)? {
            Value::Bool(holds) => Ok(holds),
            Value::Null => Ok(false),
            _ => unsupported("a predicate that is not boolean"),
        }
    }

    /// This expression as another kind, as an implicit cast would make it.
    fn into_kind(self, kind: Kind) -> Self {
        if self.kind == kind {
            return self;
        }
        Self::new(kind, Node::Cast { inner: Box::new(self), lenient: false })
    }
}

/// A value as another kind, for a result whose declared type is wider than the one computed.
pub fn cast(value: Value, kind: Kind) -> Result<Value, NoValue> {
    cast::cast(value, kind)
}

#[cfg(test)]
mod tests;
