//! A TOML file as read: its text, its values, and where each of them stands.
//!
//! Checks that come later than parsing name a value by its path; the place is looked up here.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// Tables and arrays inside one another.
const MAX_DEPTH: usize = 32;

/// A file with one broken bracket can yield an error for each later line; the first ones say it.
const MAX_SYNTAX_PROBLEMS: usize = 10;

/// One TOML file: values with their places.
#[derive(Debug)]
pub struct Document {
    /// As messages show it.
    pub file: String,
    pub text: String,
    /// Dates are text; keys are in the order of the file.
    pub value: Value,
    /// By JSON pointer.
    places: HashMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Document {
    /// Reads the text; syntax errors, duplicate keys and numbers that are none are all in the list.
    pub fn parse(file: &str, text: String) -> (Self, Vec<Problem>) {
        let (tree, errors) = DeTable::parse_recoverable(&text);
        let mut problems: Vec<Problem> = errors
            .iter()
            .take(MAX_SYNTAX_PROBLEMS)
            .map(|error| Problem::new(file, error.message()).at(&text, error.span().unwrap_or(0..0)))
            .collect();
        let mut reader = Reader { file, text: &text, places: HashMap::new(), problems: Vec::new() };
        let value = reader.table(tree.get_ref(), "", 0);
        let Reader { places, problems: more, .. } = reader;
        problems.extend(more);
        let document = Self { file: file.to_owned(), text, value, places };
        (document, problems)
    }

    /// A problem under the key at the end of the path (the nearest one there is).
    pub fn at_key(&self, path: &[&str], message: impl Into<String>) -> Problem {
        self.located(path, message.into(), |place| place.key.clone().unwrap_or_else(|| place.value.clone()))
    }

    /// A problem under the value at the path (the nearest one there is).
    pub fn at_value(&self, path: &[&str], message: impl Into<String>) -> Problem {
        self.located(path, message.into(), |place| place.value.clone())
    }

    /// A problem under these bytes of the string at the path.
    pub fn inside(&self, path: &[&str], at: Range<usize>, message: impl Into<String>) -> Problem {
        let Some(place) = self.places.get(&pointer(path)) else { return self.at_value(path, message) };
        let raw = self.text.get(place.value.clone()).unwrap_or_default();
        let (start, end) = (skip_nothing(raw, raw_offset(raw, at.start)), raw_offset(raw, at.end));
        let span = place.value.start + start..place.value.start + end.max(start + 1);
        Problem::new(&self.file, message).at(&self.text, span)
    }

    fn located(&self, path: &[&str], message: String, pick: impl Fn(&Place) -> Range<usize>) -> Problem {
        let problem = Problem::new(&self.file, message);
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(&pointer(path)) {
                return problem.at(&self.text, pick(place));
            }
            match path.split_last() {
                Some((_, shorter)) if !shorter.is_empty() => path = shorter,
                _ => return problem,
            }
        }
    }
}

/// RFC 6901, as the JSON Schema validator writes instance paths.
fn pointer(path: &[&str]) -> String {
    path.iter().map(|segment| format!("/{}", escape(segment))).collect()
}

fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// Walks the parsed tree once: JSON values out, places noted.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    places: HashMap<String, Place>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, at: &str, depth: usize) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut map = Map::new();
        for (key, value) in entries {
            let name: &str = key.get_ref().as_ref();
            let json = self.value(value, &format!("{at}/{}", escape(name)), Some(key.span()), depth + 1);
            map.insert(name.to_owned(), json);
        }
        Value::Object(map)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, at: &str, key: Option<Range<usize>>, depth: usize) -> Value {
        let span = value.span();
        self.places.insert(at.to_owned(), Place { key, value: span.clone() });
        if depth > MAX_DEPTH {
            self.wrong(span, format!("nested more than {MAX_DEPTH} deep"));
            return Value::Null;
        }
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(when) => Value::String(when.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Number(number.into()),
                Err(_) => self.wrong(span, "this number is too large".to_owned()),
            },
            DeValue::Float(number) => {
                match number.as_str().parse().ok().filter(|n: &f64| n.is_finite()).and_then(Number::from_f64) {
                    Some(number) => Value::Number(number),
                    None => self.wrong(span, "a number must be finite: neither `nan` nor `inf`".to_owned()),
                }
            }
            DeValue::Array(items) => {
                let item =
                    |(i, item): (usize, &Spanned<DeValue<'_>>)| self.value(item, &format!("{at}/{i}"), None, depth + 1);
                Value::Array(items.iter().enumerate().map(item).collect())
            }
            DeValue::Table(table) => self.table(table, at, depth),
        }
    }

    fn wrong(&mut self, span: Range<usize>, message: String) -> Value {
        self.problems.push(Problem::new(self.file, message).at(self.text, span));
        Value::Null
    }
}

/// Where in a TOML string, quotes included, the byte `decoded` of its value is written.
fn raw_offset(raw: &str, decoded: usize) -> usize {
    let quote = raw.chars().next().unwrap_or('"');
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let mut at = if raw.starts_with(&triple) { 3 } else { 1 };
    if at == 3 {
        at += raw
            .get(at..)
            .map_or(0, |rest| if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) });
    }
    let mut produced = 0;
    while produced < decoded {
        let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) else { break };
        let (bytes, yields) = if quote == '"' { step(rest) } else { plain(rest) };
        at += bytes;
        produced += yields;
    }
    at
}

/// Over line endings that the string leaves out, to the character that is meant.
fn skip_nothing(raw: &str, at: usize) -> usize {
    match raw.get(at..) {
        Some(rest) if raw.starts_with('"') && !rest.is_empty() => match step(rest) {
            (bytes, 0) => at + bytes,
            _ => at,
        },
        _ => at,
    }
}

/// Bytes written, bytes meant, of the next character of a basic string.
fn step(rest: &str) -> (usize, usize) {
    let Some(escaped) = rest.strip_prefix('\\') else { return plain(rest) };
    let digits = match escaped.chars().next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_whitespace() => return (1 + escaped.len() - escaped.trim_start().len(), 0),
        _ => return (2, 1),
    };
    let character = escaped.get(1..=digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    (2 + digits, character.map_or(1, char::len_utf8))
}

fn plain(rest: &str) -> (usize, usize) {
    let bytes = rest.chars().next().map_or(1, char::len_utf8);
    (bytes, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_places_and_the_order_of_the_file() {
        let text = "zebra = 1\nat = 2026-04-01\n[b.\"x/y\"]\nlist = [\"p\", \"q\"]\n".to_owned();
        let (document, problems) = Document::parse("x.toml", text);
        assert_eq!(problems, []);
        assert_eq!(document.value.to_string(), r#"{"zebra":1,"at":"2026-04-01","b":{"x/y":{"list":["p","q"]}}}"#);
        let place = |problem: Problem| (problem.line, problem.column);
        assert_eq!(place(document.at_value(&["b", "x/y", "list", "1"], "")), (Some(4), Some(14)));
        assert_eq!(place(document.at_key(&["b", "x/y", "list"], "")), (Some(4), Some(1)));
        assert_eq!(place(document.at_key(&["b", "x/y", "absent"], "")), (Some(3), Some(4)));
        assert_eq!(place(document.at_key(&["absent"], "")), (None, None));
    }

    #[test]
    fn a_word_inside_a_string_is_found_where_it_is_written() {
        let cases = [
            (r#"s = "a bad b""#, 2..5),
            (r#"s = 'a bad b'"#, 2..5),
            (r#"s = "\"é\" bad b""#, 5..8),
            (r#"s = "\u00e9 bad b""#, 3..6),
            ("s = \"\"\"\na bad b\"\"\"", 2..5),
            ("s = \"\"\"a \\\n   bad b\"\"\"", 2..5),
            ("s = '''\na\nbad b'''", 2..5),
        ];
        for (text, at) in cases {
            let (document, problems) = Document::parse("x.toml", text.to_owned());
            assert_eq!(problems, [], "{text}");
            assert_eq!(document.value["s"].as_str().and_then(|s| s.get(at.clone())), Some("bad"), "{text}");
            let problem = document.inside(&["s"], at, "here");
            let line = problem.text.unwrap_or_default();
            let column = problem.column.unwrap_or_default();
            assert_eq!(line.chars().skip(column - 1).take(3).collect::<String>(), "bad", "{text}");
        }
    }

    #[test]
    fn hostile_files_end_in_a_few_problems() {
        let deep = format!("a = {}", "[".repeat(100_000));
        let closed = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        let dotted = format!("a{} = 1", ".a".repeat(100_000));
        let header = format!("[a{}]\n", ".a".repeat(70));
        let lines = "= \n".repeat(100_000);
        for text in [deep, closed, dotted, header, lines] {
            let (_, problems) = Document::parse("x.toml", text);
            assert!((1..=20).contains(&problems.len()), "{}", problems.len());
            assert!(problems.iter().map(|p| p.to_string().len()).sum::<usize>() < 20_000);
        }
    }
}
