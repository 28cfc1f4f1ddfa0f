//! One column of a source: how it is made, of what type, and what may be said of that type.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use jiff::civil::Date;

use super::super::decl::{ColumnDecl, ColumnType, OneOrMany, Tokens};
use super::super::document::Document;
use super::{Checker, is_name};
use crate::expr;

/// Decimal places when none are declared.
const DEFAULT_PLACES: u8 = 4;

impl Checker {
    pub(super) fn column(&mut self, document: &Document, tokens: Tokens, name: &str, decl: &ColumnDecl) {
        let at = |key: &'static str| ["columns", name, key];
        if !is_name(name) {
            let problem = document.at_key(&["columns", name], format!("`{name}` cannot be the name of a column"));
            self.desk.report(problem.help("write lower-case letters, digits and `_`, and no word of SQL"));
        }
        let special: &[ColumnType] = match name {
            "person" | "superseded_by" => &[ColumnType::Pseudonym],
            "date" | "end" | "recorded" | "start" => &[ColumnType::Date, ColumnType::Datetime],
            "birth_date" | "death_date" | "left_date" => &[ColumnType::Date],
            "recipient" if tokens == Tokens::Recipient => &[ColumnType::Text],
            "test_person" => &[ColumnType::Boolean],
            _ => &[],
        };
        if !special.is_empty() && !special.contains(&decl.kind) {
            let wanted: Vec<&str> = special.iter().map(|kind| kind_name(*kind)).collect();
            let message = format!("`{name}` has a meaning and is of type {}", wanted.join(" or "));
            self.desk.report(document.at_value(&at("type"), message));
        }
        let makers =
            usize::from(decl.from.is_some()) + usize::from(decl.expr.is_some()) + usize::from(decl.lookup.is_some());
        if makers != 1 {
            let message = format!("`{name}` needs exactly one of `from`, `expr` and `lookup`");
            self.desk.report(document.at_key(&["columns", name], message));
        }
        if let Some(from) = &decl.from
            && (from.as_slice().is_empty() || from.as_slice().iter().any(|name| name.trim().is_empty()))
        {
            self.desk.report(document.at_value(&at("from"), "a delivered column has a name"));
        }
        if is_list(decl) && !matches!(decl.kind, ColumnType::Text | ColumnType::Code | ColumnType::Category) {
            let message =
                format!("several delivered columns make a list, and a list is not of type {}", kind_name(decl.kind));
            self.desk.report(document.at_value(&at("type"), message).help("a list is of type text, code or category"));
        }
        if let Some(sql) = &decl.expr
            && let Err(problem) = expr::columns_read(sql)
        {
            self.desk.report_sql(document, &at("expr"), problem);
        }
        self.options(document, name, decl);
        self.ranges(document, name, decl);
    }

    /// Options that only some types have.
    fn options(&mut self, document: &Document, name: &str, decl: &ColumnDecl) {
        use ColumnType as Type;
        let dated = matches!(decl.kind, Type::Date | Type::Datetime);
        let numeric = matches!(decl.kind, Type::Integer | Type::Decimal);
        let given = [
            ("format", decl.format.is_some(), dated),
            ("not_before", decl.not_before.is_some(), dated),
            ("not_after", decl.not_after.is_some(), dated),
            ("placeholders", decl.placeholders.is_some(), dated),
            ("between", decl.between.is_some(), numeric),
            ("places", decl.places.is_some(), decl.kind == Type::Decimal),
            ("system", decl.system.is_some(), decl.kind == Type::Code),
            ("map", !decl.map.is_empty(), decl.kind == Type::Category),
            ("otherwise", decl.otherwise.is_some(), decl.kind == Type::Category),
            ("yes", decl.yes.is_some(), decl.kind == Type::Boolean),
            ("no", decl.no.is_some(), decl.kind == Type::Boolean),
        ];
        for (key, _, _) in given.iter().filter(|(_, given, allowed)| *given && !allowed) {
            let message = format!("a column of type {} has no `{key}`", kind_name(decl.kind));
            self.desk.report(document.at_key(&["columns", name, key], message));
        }
        let path = ["columns", name];
        if decl.kind == Type::Code && decl.system.is_none() {
            let problem = document.at_key(&path, format!("`{name}` needs a `system`"));
            self.desk.report(problem.help("for example system = \"icd10\""));
        }
        if decl.kind == Type::Category && decl.map.is_empty() && decl.lookup.is_none() {
            self.desk.report(document.at_key(&path, format!("`{name}` needs a `map`")).help(
                "for example map = { emergency = [\"21\", \"22\"] }; a column kept as delivered is of type text",
            ));
        }
    }

    /// Options that contradict themselves.
    fn ranges(&mut self, document: &Document, name: &str, decl: &ColumnDecl) {
        let at = |key: &'static str| ["columns", name, key];
        if decl.between.is_some_and(|[low, high]| low > high) {
            self.desk.report(document.at_value(&at("between"), "the lower end is above the upper one"));
        }
        if decl.places.is_some_and(|places| places > 12) {
            self.desk.report(document.at_value(&at("places"), "at most 12 decimal places are kept"));
        }
        if let (Some(first), Some(last)) = (decl.not_before, decl.not_after)
            && first > last
        {
            self.desk.report(document.at_value(&at("not_after"), "this is before `not_before`"));
        }
        for format in decl.format.iter().flat_map(OneOrMany::as_slice) {
            if let Err(message) = date_format(format, decl.kind) {
                self.desk.report(document.at_value(&at("format"), message));
            }
        }
        for (place, date) in decl.placeholders.iter().flatten().enumerate() {
            if date.parse::<Date>().is_ok_and(|day| day.to_string() == *date) {
                continue;
            }
            let path = ["columns", name, "placeholders", &place.to_string()];
            let problem = document.at_value(&path, "this is no date");
            self.desk.report(problem.help("write it as 1900-01-01, whatever the `format` of the column"));
        }
    }
}

/// A list is made of several delivered columns, or of a pattern.
fn is_list(decl: &ColumnDecl) -> bool {
    match &decl.from {
        Some(OneOrMany::Many(_)) => true,
        Some(OneOrMany::One(name)) => name.contains('*'),
        None => false,
    }
}

/// After conform.
pub(super) fn data_type(decl: &ColumnDecl) -> DataType {
    if is_list(decl) {
        return DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    }
    match decl.kind {
        ColumnType::Pseudonym | ColumnType::Text | ColumnType::Category | ColumnType::Code => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Decimal => {
            let places = decl.places.unwrap_or(DEFAULT_PLACES).min(12);
            DataType::Decimal128(18, i8::try_from(places).unwrap_or_default())
        }
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Datetime => DataType::Timestamp(TimeUnit::Second, None),
    }
}

/// A format must be able to read back what it writes.
fn date_format(format: &str, kind: ColumnType) -> Result<(), String> {
    let sample = jiff::civil::date(2026, 11, 23).at(14, 35, 46, 0);
    let written = sample
        .to_zoned(jiff::tz::TimeZone::UTC)
        .and_then(|zoned| jiff::fmt::strtime::format(format, &zoned))
        .map_err(|error| format!("this is no date format: {error}"))?;
    let read =
        jiff::fmt::strtime::parse(format, &written).map_err(|error| format!("this is no date format: {error}"))?;
    let day = read.to_date().or_else(|_| read.to_datetime().map(jiff::civil::DateTime::date));
    match day {
        Ok(day) if day == sample.date() => Ok(()),
        _ if kind == ColumnType::Datetime && read.to_timestamp().is_ok() => Ok(()),
        _ => Err("this format does not name a whole date: year, month and day".to_owned()),
    }
}

pub(super) fn kind_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Pseudonym => "pseudonym",
        ColumnType::Text => "text",
        ColumnType::Integer => "integer",
        ColumnType::Decimal => "decimal",
        ColumnType::Boolean => "boolean",
        ColumnType::Date => "date",
        ColumnType::Datetime => "datetime",
        ColumnType::Category => "category",
        ColumnType::Code => "code",
    }
}
