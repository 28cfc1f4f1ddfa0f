//! The allowed functions, operators, casts and shapes.

use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, Expr};

/// Ordinary functions of one row: no clock, no chance, no state, and no result much longer than its arguments.
pub(super) const FUNCTIONS: [&str; 49] = [
    "abs",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_length",
    "array_position",
    "array_to_string",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "date_part",
    "date_trunc",
    "empty",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "least",
    "left",
    "length",
    "ln",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "make_array",
    "make_date",
    "nullif",
    "power",
    "regexp_like",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "signum",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "to_date",
    "trim",
    "trunc",
    "upper",
];

/// What an allowed expression is made of; none for what is not allowed at all.
pub(super) fn parts(expr: &Expr) -> Option<Vec<&Expr>> {
    Some(match expr {
        Expr::Nested(e)
        | Expr::IsFalse(e)
        | Expr::IsNotFalse(e)
        | Expr::IsTrue(e)
        | Expr::IsNotTrue(e)
        | Expr::IsNull(e)
        | Expr::IsNotNull(e)
        | Expr::IsUnknown(e)
        | Expr::IsNotUnknown(e)
        | Expr::UnaryOp { expr: e, .. }
        | Expr::Cast { expr: e, .. }
        | Expr::Extract { expr: e, .. }
        | Expr::Ceil { expr: e, .. }
        | Expr::Floor { expr: e, .. } => vec![e],
        Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => vec![a, b],
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::Position { expr, r#in } => vec![expr, r#in],
        Expr::Like { any: false, expr, pattern, .. } | Expr::ILike { any: false, expr, pattern, .. } => {
            vec![expr, pattern]
        }
        Expr::InList { expr, list, .. } => std::iter::once(expr.as_ref()).chain(list).collect(),
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            [Some(expr), substring_from.as_ref(), substring_for.as_ref()]
                .into_iter()
                .flatten()
                .map(AsRef::as_ref)
                .collect()
        }
        Expr::Trim { expr, trim_what, trim_characters: None, .. } => {
            [Some(expr), trim_what.as_ref()].into_iter().flatten().map(AsRef::as_ref).collect()
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let ends = operand.iter().chain(else_result).map(AsRef::as_ref);
            ends.chain(conditions.iter().flat_map(|when| [&when.condition, &when.result])).collect()
        }
        Expr::Array(array) => array.elem.iter().collect(),
        Expr::Interval(interval) => vec![&interval.value],
        _ => return None,
    })
}

pub(super) fn operator_allowed(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::And
            | Op::Or
    )
}

pub(super) fn castable(data_type: &DataType) -> bool {
    use DataType as Type;
    matches!(
        data_type,
        Type::Int(_)
            | Type::Integer(_)
            | Type::BigInt(_)
            | Type::SmallInt(_)
            | Type::Double(_)
            | Type::Float(_)
            | Type::Real
            | Type::Decimal(_)
            | Type::Numeric(_)
            | Type::Varchar(_)
            | Type::Text
            | Type::Date
            | Type::Timestamp(..)
            | Type::Boolean
    )
}
