//! JSON Schema of every kind of declaration.
//!
//! The same schema checks the files before serde reads them, so an editor and a run refuse the same things.

use std::sync::OnceLock;

use clap::ValueEnum;
use jsonschema::Validator;
use schemars::schema_for;
use serde_json::{Map, Value};

use super::decl::measures::MeasuresDecl;
use super::decl::{AuditDecl, CohortDecl, FeaturesDecl, ModelDecl, RunDecl, SourceDecl};
use super::lock::ModelLock;
use super::study::StudyDecl;
use crate::codelist::{CodeListLock, ValueSetLock};

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Run,
    Source,
    Features,
    Model,
    Audit,
    Measures,
    Cohort,
    Study,
    /// `codelists.lock`
    Codelists,
    /// `valuesets.lock`
    Valuesets,
    /// `model.lock`
    ModelLock,
}

/// A schema with the validator made from it.
pub(super) struct Checker {
    pub schema: Value,
    pub validator: Validator,
}

/// The schema, draft 2020-12.
pub fn print(kind: Kind) -> Value {
    let schema = match kind {
        Kind::Run => schema_for!(RunDecl),
        Kind::Source => schema_for!(SourceDecl),
        Kind::Features => schema_for!(FeaturesDecl),
        Kind::Model => schema_for!(ModelDecl),
        Kind::Audit => schema_for!(AuditDecl),
        Kind::Measures => schema_for!(MeasuresDecl),
        Kind::Cohort => schema_for!(CohortDecl),
        Kind::Study => schema_for!(StudyDecl),
        Kind::Codelists => schema_for!(CodeListLock),
        Kind::Valuesets => schema_for!(ValueSetLock),
        Kind::ModelLock => schema_for!(ModelLock),
    };
    let mut schema = schema.to_value();
    without_null(&mut schema);
    schema
}

/// Made once a kind: compiling a schema costs more than checking a file.
pub(super) fn checker(kind: Kind) -> Result<&'static Checker, String> {
    static CHECKERS: [OnceLock<Checker>; 11] = [const { OnceLock::new() }; 11];
    let fault = || format!("the schema of {kind:?} cannot be compiled");
    let slot = CHECKERS.get(kind as usize).ok_or_else(fault)?;
    if let Some(checker) = slot.get() {
        return Ok(checker);
    }
    let schema = print(kind);
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).map_err(|_| fault())?;
    Ok(slot.get_or_init(|| Checker { schema, validator }))
}

/// TOML has no null: an optional key is left out, and nothing may offer null in its place.
fn without_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(map) => {
            map.retain(|key, value| key != "default" || !value.is_null());
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only: Map<String, Value> = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_without_null() {
        for kind in Kind::value_variants() {
            let schema = print(*kind);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind:?}");
            assert!(!schema.to_string().contains("\"null\""), "{kind:?}");
            assert!(checker(*kind).is_ok(), "{kind:?}");
        }
        assert_eq!(print(Kind::Source)["properties"]["setting"]["$ref"], "#/$defs/Setting");
        assert_eq!(print(Kind::Run)["properties"]["as_of"]["type"], "string");
    }
}
