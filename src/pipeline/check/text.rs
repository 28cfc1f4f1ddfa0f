//! Words for messages, and the placeholders in texts that people will read.

use std::ops::Range;

use arrow::datatypes::DataType;

use super::super::decl::Role;

/// As declarations write it.
pub(super) fn role(role: &Role) -> String {
    let name = match role {
        Role::Register => "register",
        Role::Events => "events",
        Role::OptOut => "opt_out",
        Role::AllowList => "allow_list",
        Role::TestPeople => "test_people",
        Role::Feedback => "feedback",
        Role::Lookup => "lookup",
        Role::Superseded => "superseded",
    };
    format!("`{name}`")
}

pub(super) fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "true or false",
        DataType::Date32 => "a date",
        DataType::Timestamp(..) => "a datetime",
        DataType::List(_) => "a list",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        other if other.is_numeric() => "a number",
        _ => "something that no column can hold",
    }
}

/// The `{name}`s of a text with their places; an open or empty brace is the error.
pub(super) fn placeholders(text: &str) -> Result<Vec<(&str, Range<usize>)>, Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['{', '}'])).map(|next| at + next) {
        let name = text.get(next..).and_then(|rest| rest.strip_prefix('{')).and_then(|rest| rest.split_once('}'));
        match name {
            Some((name, _)) if !name.is_empty() && !name.contains('{') => {
                let end = next + name.len() + 2;
                found.push((name, next..end));
                at = end;
            }
            _ => return Err(next..next + 1),
        }
    }
    Ok(found)
}

/// Puts values in place of `{name}`s; others stay.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_have_places() {
        assert_eq!(placeholders("{value} in {window}"), Ok(vec![("value", 0..7), ("window", 11..19)]));
        assert_eq!(placeholders("none"), Ok(vec![]));
        for (text, at) in [("a {b", 2..3), ("a } b", 2..3), ("{}", 0..1), ("{a{b}", 0..1)] {
            assert_eq!(placeholders(text), Err(at), "{text}");
        }
        assert_eq!(fill("{value} in {window}", &[("window", "90 days")]), "{value} in 90 days");
    }
}
