//! Which delivered columns a source's declarations read.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::expr;
use crate::pipeline::decl::ColumnType;
use crate::pipeline::{Column, Source};

/// The column that SQL may read beside the delivered ones: the file's name.
pub(super) const FILE: &str = "_file";

/// A delivered column, or a family of them, as one declaration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub name: String,
    /// Names in the header that answer to it.
    pub found: Vec<String>,
    pub required: bool,
    /// Named by SQL, which takes a name without quotes for lower case.
    pub sql: bool,
    /// What it holds that no floating-point number can: codes, tokens, keys.
    pub exact: Option<&'static str>,
}

impl Need {
    fn named(name: &str, header: &[String], required: bool, exact: Option<&'static str>) -> Self {
        Self { name: name.to_owned(), found: expand(name, header), required, sql: false, exact }
    }
}

/// SQL of a source, and what it makes.
pub(super) struct Sql<'a> {
    /// "column stay", "item ethnicity".
    pub makes: String,
    pub text: &'a str,
    pub required: bool,
}

/// What the declarations of `source` read from a file with this header, in the order of declaration, each once. A
/// column named outright is there even when the header lacks it ([`super::open`] makes it null); of a pattern, what
/// the header holds.
pub fn delivered_columns(source: &Source, header: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for need in needs(source, header) {
        let names = if need.found.is_empty() && !is_pattern(&need.name) { vec![need.name] } else { need.found };
        columns.extend(names.into_iter().filter(|name| seen.insert(name.clone())));
    }
    columns
}

/// Names in `header` that a `from` stands for: itself, or with `*` all that fit, by their numbers (`DIAG_2` before
/// `DIAG_10`).
pub fn expand(pattern_or_name: &str, header: &[String]) -> Vec<String> {
    let mut names: Vec<String> = header.iter().filter(|name| fits(pattern_or_name, name)).cloned().collect();
    names.sort_by(|a, b| natural(a, b));
    names.dedup();
    names
}

pub(super) fn needs(source: &Source, header: &[String]) -> Vec<Need> {
    let mut needs = Vec::new();
    for column in &source.columns {
        let decl = &column.decl;
        let required = !decl.may_be_absent;
        for name in decl.from.iter().flat_map(|from| from.as_slice()) {
            needs.push(Need::named(name, header, required, exact(source, column)));
        }
        if let Some(sql) = &decl.expr {
            needs.extend(sql_needs(sql, header, required));
        }
    }
    for demographic in &source.demographics {
        if let Some(name) = &demographic.decl.from {
            needs.push(Need::named(name, header, true, None));
        }
        if let Some(sql) = &demographic.decl.expr {
            needs.extend(sql_needs(sql, header, true));
        }
    }
    needs
}

/// What a column holds that must arrive digit by digit.
fn exact(source: &Source, column: &Column) -> Option<&'static str> {
    let is_key = || {
        source.decl.key.contains(&column.name)
            || source.columns.iter().any(|other| other.decl.by.as_ref() == Some(&column.name))
    };
    match column.decl.kind {
        ColumnType::Code => Some("codes"),
        ColumnType::Pseudonym => Some("tokens"),
        ColumnType::Text if is_key() => Some("keys"),
        _ => None,
    }
}

/// The SQL of a source's columns and items.
pub(super) fn expressions(source: &Source) -> impl Iterator<Item = Sql<'_>> {
    let columns = source.columns.iter().filter_map(|column| {
        let required = !column.decl.may_be_absent;
        column.decl.expr.as_deref().map(|text| Sql { makes: format!("column {}", column.name), text, required })
    });
    let items = source.decl.demographics.iter().filter_map(|(item, decl)| {
        decl.expr.as_deref().map(|text| Sql { makes: format!("item {item}"), text, required: true })
    });
    columns.chain(items)
}

/// Whether what becomes of a row depends on the name of its file.
pub(super) fn reads_file_name(source: &Source) -> bool {
    expressions(source).any(|sql| names_read(sql.text).iter().any(|name| name == FILE))
}

/// The names that an expression reads. What may not be run reads nothing: it was refused with the declarations.
fn names_read(sql: &str) -> Vec<String> {
    expr::columns_read(sql).unwrap_or_default()
}

/// The columns that an expression reads, as the run will resolve them: to the letter.
pub(super) fn sql_needs(sql: &str, header: &[String], required: bool) -> Vec<Need> {
    let names = names_read(sql).into_iter().filter(|name| name != FILE);
    let need = |name: String| {
        let found = header.iter().find(|other| **other == name).cloned().into_iter().collect();
        Need { name, found, required, sql: true, exact: None }
    };
    names.map(need).collect()
}

pub(super) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// Whether `name` is `pattern`, in which `*` stands for any text.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Runs of digits compare as numbers, all else as text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (one, left_rest) = run(left);
        let (other, right_rest) = run(right);
        let order = if is_number(one) && is_number(other) {
            let (x, y) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            one.cmp(other)
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits, or the text up to the next digit, that `text` begins with.
fn run(text: &str) -> (&str, &str) {
    let digits = is_number(text);
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_pattern_takes_names_by_their_numbers() {
        let header = names(&["DIAG_10", "DIAG_2", "DIAG_01", "OPER_1", "DIAG"]);
        assert_eq!(expand("DIAG_*", &header), names(&["DIAG_01", "DIAG_2", "DIAG_10"]));
        assert_eq!(expand("*_1*", &header), names(&["DIAG_10", "OPER_1"]));
        assert_eq!(expand("OPER_1", &header), names(&["OPER_1"]));
        assert_eq!(expand("oper_1", &header), names(&[]));
    }

    #[test]
    fn numbers_of_any_length_are_ordered() {
        assert_eq!(natural("D_007", "D_7"), Ordering::Less);
        assert_eq!(natural("D_99999999999999999999", "D_100000000000000000000"), Ordering::Less);
        assert_eq!(natural("D_2_a", "D_2"), Ordering::Greater);
        assert_eq!(natural("", ""), Ordering::Equal);
    }

    #[test]
    fn an_expression_names_its_columns() {
        let header = names(&["DISDATE", "ADMIDATE", "kind", "Kind"]);
        let found = |sql: &str| -> Vec<(String, Vec<String>)> {
            sql_needs(sql, &header, true).into_iter().map(|need| (need.name, need.found)).collect()
        };
        assert_eq!(found("\"DISDATE\" - 1"), [("DISDATE".to_owned(), names(&["DISDATE"]))]);
        assert_eq!(found("ADMIDATE"), [("admidate".to_owned(), vec![])], "as in all SQL: lower case without quotes");
        assert_eq!(found("KIND"), [("kind".to_owned(), names(&["kind"]))]);
        assert_eq!(found("concat(kind, _file, 'x')"), [("kind".to_owned(), names(&["kind"]))]);
    }
}
