//! Text to a typed expression.

use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, CastKind, CeilFloorKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::coerce::{arithmetic, common, kind_of, union};
use super::functions::Function;
use super::{Arithmetic, Comparison, Expression, Node, Unsupported, unsupported};
use crate::oracle::value::{Kind, Value};

/// Parses and types an expression over columns of these names and kinds.
pub fn compile(sql: &str, columns: &[(String, Kind)]) -> Result<Expression, Unsupported> {
    let dialect = GenericDialect {};
    let mut parser =
        Parser::new(&dialect).try_with_sql(sql).map_err(|_| Unsupported("text that does not parse".to_owned()))?;
    let tree = parser.parse_expr().map_err(|_| Unsupported("text that does not parse".to_owned()))?;
    if parser.peek_token().token != Token::EOF {
        return unsupported("text behind an expression");
    }
    Compiler { columns }.expression(&tree)
}

struct Compiler<'a> {
    columns: &'a [(String, Kind)],
}

type Compiled = Result<Expression, Unsupported>;

impl Compiler<'_> {
    fn expression(&self, tree: &Expr) -> Compiled {
        match tree {
            Expr::Identifier(name) => self.column(name),
            Expr::Nested(inner) => self.expression(inner),
            Expr::Value(value) => literal(&value.value),
            Expr::TypedString(typed) => match &typed.value.value {
                ast::Value::SingleQuotedString(text) => {
                    Ok(constant(Value::text(text), Kind::Text).into_kind(kind_of(&typed.data_type)?))
                }
                _ => unsupported("a typed literal"),
            },
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::IsNull(inner) => self.is(inner, None, false),
            Expr::IsNotNull(inner) => self.is(inner, None, true),
            Expr::IsTrue(inner) => self.is(inner, Some(true), false),
            Expr::IsNotTrue(inner) => self.is(inner, Some(true), true),
            Expr::IsFalse(inner) => self.is(inner, Some(false), false),
            Expr::IsNotFalse(inner) => self.is(inner, Some(false), true),
            Expr::IsUnknown(inner) => self.is(inner, None, false),
            Expr::IsNotUnknown(inner) => self.is(inner, None, true),
            Expr::IsDistinctFrom(left, right) => self.distinct(left, right, false),
            Expr::IsNotDistinctFrom(left, right) => self.distinct(left, right, true),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::Between { expr, negated, low, high } => self.between(expr, low, high, *negated),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, *negated, false)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, *negated, true)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Cast { kind, expr, data_type, format: None, .. } => {
                let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                let inner = Box::new(self.expression(expr)?);
                Ok(Expression::new(kind_of(data_type)?, Node::Cast { inner, lenient }))
            }
            other => self.call_like(other),
        }
    }

    /// What SQL writes in its own way but means as a function call.
    fn call_like(&self, tree: &Expr) -> Compiled {
        match tree {
            Expr::Function(function) => self.function(function),
            Expr::Extract { field, expr, .. } => {
                let field = constant(Value::Text(field.to_string().to_ascii_lowercase()), Kind::Text);
                Function::Part.typed(vec![field, self.expression(expr)?])
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let mut arguments = vec![self.expression(expr)?, self.expression(from)?];
                if let Some(count) = substring_for {
                    arguments.push(self.expression(count)?);
                }
                Function::Substring.typed(arguments)
            }
            Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                Function::Trim.typed(vec![self.expression(expr)?])
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                Function::Floor.typed(vec![self.expression(expr)?])
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                Function::Ceil.typed(vec![self.expression(expr)?])
            }
            _ => unsupported("an expression of this form"),
        }
    }

    fn function(&self, function: &ast::Function) -> Compiled {
        let name = function.name.to_string().to_ascii_lowercase();
        let FunctionArguments::List(list) = &function.args else {
            return unsupported(format!("`{name}` without arguments"));
        };
        if function.over.is_some() || function.filter.is_some() || list.duplicate_treatment.is_some() {
            return unsupported(format!("`{name}` over several rows"));
        }
        let mut arguments = Vec::new();
        for argument in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) = argument else {
                return unsupported(format!("a named argument of `{name}`"));
            };
            arguments.push(self.expression(tree)?);
        }
        Function::named(&name)?.typed(arguments)
    }

    /// Names without quotes are read in lower case; failing that, as the one column that differs only in case.
    fn column(&self, name: &ast::Ident) -> Compiled {
        let lower = name.value.to_ascii_lowercase();
        let wanted = if name.quote_style.is_some() { &name.value } else { &lower };
        let at = |wanted: &str| self.columns.iter().position(|(column, _)| column == wanted);
        let mut alike = self.columns.iter().filter(|(column, _)| column.eq_ignore_ascii_case(&lower));
        let only = alike.next().filter(|_| name.quote_style.is_none() && alike.next().is_none());
        let index = at(wanted).or_else(|| only.and_then(|(column, _)| at(column)));
        match index.and_then(|index| self.columns.get(index).map(|(_, kind)| (index, *kind))) {
            Some((index, kind)) if !matches!(kind, Kind::Foreign) => Ok(Expression::new(kind, Node::Column(index))),
            Some(_) => unsupported(format!("a column of the type of `{wanted}`")),
            None => unsupported(format!("the unknown column `{wanted}`")),
        }
    }

    fn unary(&self, op: UnaryOperator, inner: &Expr) -> Compiled {
        let inner = self.expression(inner)?;
        match op {
            UnaryOperator::Not => Ok(Expression::new(Kind::Bool, Node::Not(Box::new(boolean(inner)?)))),
            UnaryOperator::Minus if matches!(inner.kind, Kind::Int | Kind::Float | Kind::Decimal(_)) => {
                Ok(Expression::new(inner.kind, Node::Negate(Box::new(inner))))
            }
            UnaryOperator::Plus => Ok(inner),
            _ => unsupported(format!("the operator `{op}`")),
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Compiled {
        let (left, right) = (self.expression(left)?, self.expression(right)?);
        match op {
            BinaryOperator::And => {
                let (left, right) = (Box::new(boolean(left)?), Box::new(boolean(right)?));
                Ok(Expression::new(Kind::Bool, Node::And(left, right)))
            }
            BinaryOperator::Or => {
                let (left, right) = (Box::new(boolean(left)?), Box::new(boolean(right)?));
                Ok(Expression::new(Kind::Bool, Node::Or(left, right)))
            }
            BinaryOperator::StringConcat => {
                let (left, right) = (Box::new(left.into_kind(Kind::Text)), Box::new(right.into_kind(Kind::Text)));
                Ok(Expression::new(Kind::Text, Node::Concat(left, right)))
            }
            BinaryOperator::Eq => compared(Comparison::Equal, left, right),
            BinaryOperator::NotEq => compared(Comparison::NotEqual, left, right),
            BinaryOperator::Lt => compared(Comparison::Less, left, right),
            BinaryOperator::LtEq => compared(Comparison::LessOrEqual, left, right),
            BinaryOperator::Gt => compared(Comparison::Greater, left, right),
            BinaryOperator::GtEq => compared(Comparison::GreaterOrEqual, left, right),
            BinaryOperator::Plus => arithmetic(Arithmetic::Add, left, right),
            BinaryOperator::Minus => arithmetic(Arithmetic::Subtract, left, right),
            BinaryOperator::Multiply => arithmetic(Arithmetic::Multiply, left, right),
            BinaryOperator::Divide => arithmetic(Arithmetic::Divide, left, right),
            BinaryOperator::Modulo => arithmetic(Arithmetic::Remainder, left, right),
            _ => unsupported(format!("the operator `{op}`")),
        }
    }

    fn is(&self, inner: &Expr, what: Option<bool>, negated: bool) -> Compiled {
        let inner = self.expression(inner)?;
        let inner = if what.is_some() { boolean(inner)? } else { inner };
        Ok(Expression::new(Kind::Bool, Node::Is { inner: Box::new(inner), what, negated }))
    }

    fn distinct(&self, left: &Expr, right: &Expr, negated: bool) -> Compiled {
        let (left, right) = alike(self.expression(left)?, self.expression(right)?)?;
        Ok(Expression::new(Kind::Bool, Node::Distinct { left: Box::new(left), right: Box::new(right), negated }))
    }

    /// One common kind for the value and the whole list.
    fn in_list(&self, inner: &Expr, list: &[Expr], negated: bool) -> Compiled {
        let mut inner = self.expression(inner)?;
        let mut items = list.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>, _>>()?;
        let mut kind = inner.kind;
        for item in &items {
            kind = common(kind, item.kind)?;
        }
        inner = inner.into_kind(kind);
        items = items.into_iter().map(|item| item.into_kind(kind)).collect();
        Ok(Expression::new(Kind::Bool, Node::In { inner: Box::new(inner), list: items, negated }))
    }

    fn between(&self, inner: &Expr, low: &Expr, high: &Expr, negated: bool) -> Compiled {
        let value = self.expression(inner)?;
        let above = compared(Comparison::GreaterOrEqual, value.clone(), self.expression(low)?)?;
        let below = compared(Comparison::LessOrEqual, value, self.expression(high)?)?;
        let both = Expression::new(Kind::Bool, Node::And(Box::new(above), Box::new(below)));
        Ok(if negated { Expression::new(Kind::Bool, Node::Not(Box::new(both))) } else { both })
    }

    fn like(&self, inner: &Expr, pattern: &Expr, negated: bool, any_case: bool) -> Compiled {
        let (inner, pattern) = (self.expression(inner)?, self.expression(pattern)?);
        if [inner.kind, pattern.kind].iter().any(|kind| !matches!(kind, Kind::Text | Kind::Null)) {
            return unsupported("LIKE on something other than text");
        }
        let (inner, pattern) = (Box::new(inner), Box::new(pattern));
        Ok(Expression::new(Kind::Bool, Node::Like { inner, pattern, negated, any_case }))
    }

    fn case(&self, operand: Option<&Expr>, conditions: &[ast::CaseWhen], otherwise: Option<&Expr>) -> Compiled {
        let mut branches = Vec::new();
        for when in conditions {
            let condition = self.expression(&when.condition)?;
            let condition = match operand {
                Some(operand) => compared(Comparison::Equal, self.expression(operand)?, condition)?,
                None => boolean(condition)?,
            };
            branches.push((condition, self.expression(&when.result)?));
        }
        let otherwise = otherwise.map(|tree| self.expression(tree)).transpose()?;
        let results = branches.iter().map(|(_, result)| result.kind).chain(otherwise.as_ref().map(|last| last.kind));
        let kind = union(results)?;
        let branches = branches.into_iter().map(|(condition, result)| (condition, result.into_kind(kind))).collect();
        let otherwise = otherwise.map(|last| Box::new(last.into_kind(kind)));
        Ok(Expression::new(kind, Node::Case { branches, otherwise }))
    }
}

fn constant(value: Value, kind: Kind) -> Expression {
    Expression::new(kind, Node::Literal(value))
}

fn literal(value: &ast::Value) -> Compiled {
    match value {
        ast::Value::SingleQuotedString(text) => Ok(constant(Value::text(text), Kind::Text)),
        ast::Value::Boolean(value) => Ok(constant(Value::Bool(*value), Kind::Bool)),
        ast::Value::Null => Ok(constant(Value::Null, Kind::Null)),
        ast::Value::Number(digits, _) => {
            if let Ok(number) = digits.to_string().parse::<i64>() {
                return Ok(constant(Value::Int(number), Kind::Int));
            }
            match digits.to_string().parse::<f64>() {
                Ok(number) => Ok(constant(Value::Float(number), Kind::Float)),
                Err(_) => unsupported("a number of this form"),
            }
        }
        _ => unsupported("a literal of this form"),
    }
}

fn boolean(expression: Expression) -> Compiled {
    match expression.kind {
        Kind::Bool => Ok(expression),
        Kind::Null => Ok(expression.into_kind(Kind::Bool)),
        _ => unsupported("a condition that is not boolean"),
    }
}

fn compared(comparison: Comparison, left: Expression, right: Expression) -> Compiled {
    let (left, right) = alike(left, right)?;
    Ok(Expression::new(Kind::Bool, Node::Compare(comparison, Box::new(left), Box::new(right))))
}

fn alike(left: Expression, right: Expression) -> Result<(Expression, Expression), Unsupported> {
    let kind = common(left.kind, right.kind)?;
    Ok((left.into_kind(kind), right.into_kind(kind)))
}
