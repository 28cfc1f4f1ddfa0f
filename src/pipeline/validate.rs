//! A document against the schema of its kind: every difference, each at its place.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Rule;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::Document;
use super::problem::Problem;
use super::schema::{Kind, checker};

/// The declaration, or everything that keeps the document from being one.
pub(super) fn declaration<T: DeserializeOwned>(document: &Document, kind: Kind) -> Result<T, Vec<Problem>> {
    let checker = checker(kind).map_err(|message| vec![Problem::new(&document.file, message)])?;
    let problems: Vec<Problem> = checker
        .validator
        .iter_errors(&document.value)
        .flat_map(|error| describe(document, &checker.schema, &error))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(document.value.clone())
        .map_err(|error| vec![Problem::new(&document.file, error.to_string())])
}

fn describe(document: &Document, schema: &Value, error: &ValidationError<'_>) -> Vec<Problem> {
    let path: Vec<String> = error
        .instance_path()
        .as_str()
        .split('/')
        .skip(1)
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let at = error.schema_path().as_str();
    match error.kind() {
        Rule::AdditionalProperties { unexpected } => {
            let known = sibling(schema, at, "properties").and_then(Value::as_object);
            let names: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
            unexpected.iter().map(|key| unknown_key(document, &path, key, &names)).collect()
        }
        Rule::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let place = if path.is_empty() { String::new() } else { format!(" in `{}`", path.join(".")) };
            vec![document.at_key(&path, format!("`{name}` is missing{place}"))]
        }
        Rule::Type { .. } => {
            let wanted = schema.pointer(at).map(type_names).unwrap_or_default();
            vec![document.at_value(&path, format!("expected {wanted}, found {}", found(error.instance())))]
        }
        Rule::AnyOf { .. } | Rule::OneOfNotValid { .. } | Rule::Enum { .. } => {
            vec![choice(document, &path, schema.pointer(at), error.instance())]
        }
        Rule::Format { format } if format == "date" => {
            vec![document.at_value(&path, "this is no date").help("write it as 2026-04-01")]
        }
        _ => vec![document.at_value(&path, error.to_string())],
    }
}

fn unknown_key(document: &Document, path: &[&str], key: &str, known: &[&str]) -> Problem {
    let full: Vec<&str> = path.iter().copied().chain([key]).collect();
    let mut known = known.to_vec();
    known.sort_unstable();
    document
        .at_key(&full, format!("unknown key `{key}`"))
        .help(format!("known keys are {}", known.join(", ")))
        .did_you_mean(key, known)
}

/// None of several allowed values, or of several allowed types.
fn choice(document: &Document, path: &[&str], rule: Option<&Value>, instance: &Value) -> Problem {
    let options: Vec<&Value> = rule.and_then(Value::as_array).into_iter().flatten().collect();
    let values: Vec<&str> = options
        .iter()
        .flat_map(|option| match option {
            Value::String(_) => vec![*option],
            other => other
                .get("const")
                .into_iter()
                .chain(other.get("enum").and_then(Value::as_array).into_iter().flatten())
                .collect(),
        })
        .filter_map(Value::as_str)
        .collect();
    match instance {
        Value::String(written) if !values.is_empty() => document
            .at_value(path, format!("`{written}` is none of the values allowed here"))
            .help(format!("write one of {}", values.join(", ")))
            .did_you_mean(written, values),
        _ => {
            let wanted: Vec<String> = if values.is_empty() {
                options.iter().map(|option| option.get("type").map(type_names).unwrap_or_default()).collect()
            } else {
                vec!["a string".to_owned()]
            };
            document.at_value(path, format!("expected {}, found {}", wanted.join(" or "), found(instance)))
        }
    }
}

/// The rule beside this one in the same schema object.
fn sibling<'a>(schema: &'a Value, at: &str, name: &str) -> Option<&'a Value> {
    let (parent, _) = at.rsplit_once('/')?;
    schema.pointer(&format!("{parent}/{name}"))
}

fn type_names(types: &Value) -> String {
    let name = |name: &str| match name {
        "object" => "a table",
        "array" => "an array",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a string",
    };
    match types {
        Value::String(only) => name(only).to_owned(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(" or "),
        _ => "something else".to_owned(),
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}
