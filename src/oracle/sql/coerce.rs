//! Which kind two values meet in, and which kind a result has.

use datafusion::sql::sqlparser::ast::{DataType, ExactNumberInfo, TimezoneInfo};

use super::{Arithmetic, Expression, Node, Unsupported, unsupported};
use crate::oracle::value::Kind;

/// The kind that a cast names.
pub(super) fn kind_of(data_type: &DataType) -> Result<Kind, Unsupported> {
    match data_type {
        DataType::BigInt(None) | DataType::Int(None) | DataType::Integer(None) => Ok(Kind::Int),
        DataType::Double(_) | DataType::DoublePrecision => Ok(Kind::Float),
        DataType::Text | DataType::Varchar(_) | DataType::String(None) => Ok(Kind::Text),
        DataType::Boolean | DataType::Bool => Ok(Kind::Bool),
        DataType::Date => Ok(Kind::Date),
        DataType::Timestamp(None, TimezoneInfo::None) => Ok(Kind::Datetime),
        DataType::Decimal(ExactNumberInfo::PrecisionAndScale(_, places))
        | DataType::Numeric(ExactNumberInfo::PrecisionAndScale(_, places)) => match u8::try_from(*places) {
            Ok(places) if places <= 18 => Ok(Kind::Decimal(places)),
            _ => unsupported("a decimal of this scale"),
        },
        other => unsupported(format!("a cast to {other}")),
    }
}

/// The kind in which two values are compared.
pub(super) fn common(left: Kind, right: Kind) -> Result<Kind, Unsupported> {
    match (left, right) {
        (a, b) if a == b => Ok(a),
        (Kind::Null, other) | (other, Kind::Null) => Ok(other),
        (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Ok(Kind::Float),
        (Kind::Int, Kind::Decimal(places)) | (Kind::Decimal(places), Kind::Int) => Ok(Kind::Decimal(places)),
        (Kind::Decimal(a), Kind::Decimal(b)) => Ok(Kind::Decimal(a.max(b))),
        // A decimal meets a float as a decimal of 15 places.
        (Kind::Float, Kind::Decimal(places)) | (Kind::Decimal(places), Kind::Float) => {
            Ok(Kind::Decimal(places.max(15)))
        }
        (Kind::Text, number @ (Kind::Int | Kind::Float)) | (number @ (Kind::Int | Kind::Float), Kind::Text) => {
            Ok(number)
        }
        (Kind::Date, Kind::Datetime) | (Kind::Datetime, Kind::Date) => Ok(Kind::Datetime),
        (Kind::Text, day @ (Kind::Date | Kind::Datetime)) | (day @ (Kind::Date | Kind::Datetime), Kind::Text) => {
            Ok(day)
        }
        _ => unsupported("a comparison of these types"),
    }
}

/// The kind that holds every one of several results (`CASE`, `coalesce`, …).
pub(super) fn union(kinds: impl Iterator<Item = Kind>) -> Result<Kind, Unsupported> {
    let mut all = Kind::Null;
    for kind in kinds {
        all = match (all, kind) {
            (a, b) if a == b => a,
            (Kind::Null, other) | (other, Kind::Null) => other,
            (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Kind::Float,
            (Kind::Int, Kind::Decimal(places)) | (Kind::Decimal(places), Kind::Int) => Kind::Decimal(places),
            (Kind::Decimal(a), Kind::Decimal(b)) => Kind::Decimal(a.max(b)),
            (Kind::Date, Kind::Datetime) | (Kind::Datetime, Kind::Date) => Kind::Datetime,
            _ => return unsupported("results of different types"),
        };
    }
    Ok(all)
}

/// Two operands brought together, and the kind of what comes out.
pub(super) fn arithmetic(operator: Arithmetic, left: Expression, right: Expression) -> Result<Expression, Unsupported> {
    let node =
        |kind, left, right| Ok(Expression::new(kind, Node::Arithmetic(operator, Box::new(left), Box::new(right))));
    match (left.kind, right.kind) {
        (Kind::Date, Kind::Date) if operator == Arithmetic::Subtract => node(Kind::Int, left, right),
        (Kind::Int, Kind::Int) | (Kind::Int, Kind::Null) | (Kind::Null, Kind::Int) => node(Kind::Int, left, right),
        (Kind::Float, Kind::Float | Kind::Int | Kind::Decimal(_) | Kind::Null)
        | (Kind::Int | Kind::Decimal(_) | Kind::Null, Kind::Float) => {
            node(Kind::Float, left.into_kind(Kind::Float), right.into_kind(Kind::Float))
        }
        (Kind::Decimal(_), Kind::Int) => node_decimal(operator, left, right.into_kind(Kind::Decimal(0))),
        (Kind::Int, Kind::Decimal(_)) => node_decimal(operator, left.into_kind(Kind::Decimal(0)), right),
        (Kind::Decimal(_), Kind::Decimal(_)) => node_decimal(operator, left, right),
        _ => unsupported("arithmetic on these types"),
    }
}

/// Places of a decimal result: the larger of the two for sums, their sum for products, four more for quotients.
fn node_decimal(operator: Arithmetic, left: Expression, right: Expression) -> Result<Expression, Unsupported> {
    let (Kind::Decimal(a), Kind::Decimal(b)) = (left.kind, right.kind) else {
        return unsupported("arithmetic on these types");
    };
    let places = match operator {
        Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Remainder => a.max(b),
        Arithmetic::Multiply => a.saturating_add(b),
        Arithmetic::Divide => a.saturating_add(4),
    };
    if places > 30 {
        return unsupported("a decimal with more than 30 places");
    }
    Ok(Expression::new(Kind::Decimal(places), Node::Arithmetic(operator, Box::new(left), Box::new(right))))
}
