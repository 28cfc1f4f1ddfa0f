//! A typed expression over one row.

use std::cmp::Ordering;

use super::cast::cast;
use super::functions::Function;
use super::{Arithmetic, Comparison, Expression, NoValue, Node, unsupported};
use crate::oracle::value::{Kind, Value, power_of_ten, rescale};

pub(super) type Evaluated = Result<Value, NoValue>;

pub(super) fn value(expression: &Expression, row: &[Value]) -> Evaluated {
    match &expression.node {
        Node::Literal(value) => Ok(value.clone()),
        Node::Column(index) => match row.get(*index) {
            Some(Value::Foreign) => unsupported("a column that was not computed"),
            cell => Ok(cell.cloned().unwrap_or(Value::Null)),
        },
        Node::Not(inner) => Ok(truth_value(truth(inner, row)?.map(|holds| !holds))),
        Node::And(left, right) => match truth(left, row)? {
            Some(false) => Ok(Value::Bool(false)),
            left => Ok(truth_value(both(left, truth(right, row)?))),
        },
        Node::Or(left, right) => match truth(left, row)? {
            Some(true) => Ok(Value::Bool(true)),
            left => {
                let neither = both(left.map(|holds| !holds), truth(right, row)?.map(|holds| !holds));
                Ok(truth_value(neither.map(|holds| !holds)))
            }
        },
        Node::Compare(comparison, left, right) => {
            Ok(truth_value(compare(*comparison, &left.value(row)?, &right.value(row)?)))
        }
        Node::Distinct { left, right, negated } => {
            Ok(Value::Bool((left.value(row)?.order(&right.value(row)?) != Ordering::Equal) != *negated))
        }
        Node::Arithmetic(operator, left, right) => {
            arithmetic(*operator, left.value(row)?, right.value(row)?, expression.kind)
        }
        Node::Negate(inner) => negate(inner.value(row)?),
        Node::Concat(left, right) => match (left.value(row)?, right.value(row)?) {
            (Value::Text(left), Value::Text(right)) => Ok(Value::Text(left + &right)),
            _ => Ok(Value::Null),
        },
        Node::Is { inner, what, negated } => {
            let is = match what {
                None => inner.value(row)?.is_null(),
                Some(wanted) => truth(inner, row)? == Some(*wanted),
            };
            Ok(Value::Bool(is != *negated))
        }
        Node::In { inner, list, negated } => {
            let found = is_in(&inner.value(row)?, list, row)?;
            Ok(truth_value(found.map(|found| found != *negated)))
        }
        Node::Like { inner, pattern, negated, any_case } => match (inner.value(row)?, pattern.value(row)?) {
            (Value::Text(text), Value::Text(pattern)) => {
                let matched =
                    if *any_case { like(&text.to_lowercase(), &pattern.to_lowercase()) } else { like(&text, &pattern) };
                Ok(Value::Bool(matched != *negated))
            }
            _ => Ok(Value::Null),
        },
        Node::Case { branches, otherwise } => {
            for (condition, result) in branches {
                if truth(condition, row)? == Some(true) {
                    return result.value(row);
                }
            }
            otherwise.as_ref().map_or(Ok(Value::Null), |last| last.value(row))
        }
        Node::Cast { inner, lenient } => {
            let cast = cast(inner.value(row)?, expression.kind);
            if *lenient && cast == Err(NoValue::Fails) { Ok(Value::Null) } else { cast }
        }
        Node::Call(Function::Coalesce, arguments) => first_value(arguments, row),
        Node::Call(function, arguments) => {
            let values = arguments.iter().map(|argument| argument.value(row)).collect::<Result<Vec<_>, _>>()?;
            function.call(&values)
        }
    }
}

/// Stops at the first value, so that what stands behind it may fail.
fn first_value(arguments: &[Expression], row: &[Value]) -> Evaluated {
    for argument in arguments {
        let value = argument.value(row)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

fn truth(expression: &Expression, row: &[Value]) -> Result<Option<bool>, NoValue> {
    match expression.value(row)? {
        Value::Bool(value) => Ok(Some(value)),
        Value::Null => Ok(None),
        _ => unsupported("a condition that is not boolean"),
    }
}

fn truth_value(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Bool)
}

/// Three-valued AND.
fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return None;
    }
    let order = left.order(right);
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}

/// Found, or not found; unknown when a null might have been it.
fn is_in(value: &Value, list: &[Expression], row: &[Value]) -> Result<Option<bool>, NoValue> {
    let mut unknown = false;
    for item in list {
        match compare(Comparison::Equal, value, &item.value(row)?) {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

/// `%` is any text, `_` any one character, a backslash takes the next one as it stands.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = rest.as_str();
            text.char_indices().any(|(at, _)| like(text.get(at..).unwrap_or(""), rest)) || like("", rest)
        }
        Some(wanted) => {
            let wanted = match wanted {
                '_' => None,
                '\\' => Some(rest.next().unwrap_or('\\')),
                other => Some(other),
            };
            let mut characters = text.chars();
            match characters.next() {
                Some(found) if wanted.is_none_or(|wanted| wanted == found) => like(characters.as_str(), rest.as_str()),
                _ => false,
            }
        }
    }
}

fn arithmetic(operator: Arithmetic, left: Value, right: Value, kind: Kind) -> Evaluated {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Date(left), Value::Date(right)) => {
            Ok(Value::Int(i64::from(crate::calendar::epoch_days(left)) - i64::from(crate::calendar::epoch_days(right))))
        }
        (Value::Int(_), Value::Int(0)) if divides(operator) => Err(NoValue::Fails),
        (Value::Int(left), Value::Int(right)) => {
            let result = match operator {
                Arithmetic::Add => left.checked_add(right),
                Arithmetic::Subtract => left.checked_sub(right),
                Arithmetic::Multiply => left.checked_mul(right),
                Arithmetic::Divide => left.checked_div(right),
                Arithmetic::Remainder => left.checked_rem(right),
            };
            result.map_or_else(|| unsupported("an integer operation that fails"), |value| Ok(Value::Int(value)))
        }
        (Value::Float(left), Value::Float(right)) => Ok(Value::Float(match operator {
            Arithmetic::Add => left + right,
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Remainder => left % right,
        })),
        (Value::Decimal(left, a), Value::Decimal(right, b)) => {
            let Kind::Decimal(places) = kind else {
                return unsupported("arithmetic on these types");
            };
            if right == 0 && divides(operator) {
                return Err(NoValue::Fails);
            }
            decimal(operator, (left, a), (right, b), places)
        }
        _ => unsupported("arithmetic on these types"),
    }
}

fn divides(operator: Arithmetic) -> bool {
    matches!(operator, Arithmetic::Divide | Arithmetic::Remainder)
}

fn decimal(operator: Arithmetic, left: (i128, u8), right: (i128, u8), places: u8) -> Evaluated {
    let aligned = (rescale(left.0, left.1, places), rescale(right.0, right.1, places));
    let result = match operator {
        Arithmetic::Add => aligned.0.checked_add(aligned.1),
        Arithmetic::Subtract => aligned.0.checked_sub(aligned.1),
        Arithmetic::Multiply => left.0.checked_mul(right.0),
        Arithmetic::Divide => {
            let shift = places.saturating_sub(left.1).saturating_add(right.1);
            left.0.checked_mul(power_of_ten(shift)).and_then(|shifted| shifted.checked_div(right.0))
        }
        Arithmetic::Remainder => aligned.0.checked_rem(aligned.1),
    };
    result.map_or_else(|| unsupported("a decimal operation that fails"), |value| Ok(Value::Decimal(value, places)))
}

fn negate(value: Value) -> Evaluated {
    match value {
        Value::Int(value) => {
            value.checked_neg().map_or_else(|| unsupported("an integer operation that fails"), |v| Ok(Value::Int(v)))
        }
        Value::Float(value) => Ok(Value::Float(-value)),
        Value::Decimal(value, places) => Ok(Value::Decimal(-value, places)),
        Value::Null => Ok(Value::Null),
        _ => unsupported("the negative of this type"),
    }
}
