//! What FHIR R4 (4.0.1) demands of the three resources, as far as lists use them: elements, cardinality, types, codes.
//!
//! Required codes: <http://hl7.org/fhir/R4/valueset-observation-status.html> (`RiskAssessment.status`),
//! <http://hl7.org/fhir/R4/valueset-group-type.html>, <http://hl7.org/fhir/R4/valueset-list-status.html>,
//! <http://hl7.org/fhir/R4/valueset-list-mode.html>. Ids and dates: <http://hl7.org/fhir/R4/datatypes.html>. Elements that
//! R5 renamed (`Group.membership` for `actual`) are no part of this.

use std::collections::BTreeSet;

use serde_json::Value;

/// What an element holds.
#[derive(Clone, Copy)]
enum Shape {
    Id,
    /// A string that says something.
    Text,
    /// An absolute URI.
    Uri,
    /// A required binding.
    Code(&'static [&'static str]),
    /// A code whose binding is not required.
    AnyCode,
    Boolean,
    /// A date without a time of day, as `dateTime` allows.
    Date,
    Count,
    /// From 0 to 1: the specification allows up to 100 (ras-2); lists keep to one scale.
    Probability,
    Element(&'static [Rule]),
}

/// An element: its name, whether it must be there, whether there may be several.
type Rule = (&'static str, Must, Many, Shape);

#[derive(Clone, Copy, PartialEq)]
enum Must {
    Be,
    NotBe,
}
use Must::{Be, NotBe};

#[derive(Clone, Copy, PartialEq)]
enum Many {
    One,
    Several,
}
use Many::{One, Several};

const IDENTIFIER: &[Rule] = &[("system", Be, One, Shape::Uri), ("value", Be, One, Shape::Text)];

const PERSON: &[Rule] =
    &[("type", Be, One, Shape::Code(&["Patient"])), ("identifier", Be, One, Shape::Element(IDENTIFIER))];

const REFERENCE: &[Rule] = &[("reference", Be, One, Shape::Text)];

const DISPLAY: &[Rule] = &[("display", Be, One, Shape::Text)];

const CODING: &[Rule] = &[("system", Be, One, Shape::Uri), ("code", Be, One, Shape::AnyCode)];

const CODED: &[Rule] = &[("coding", Be, Several, Shape::Element(CODING))];

const WORDS: &[Rule] = &[("text", Be, One, Shape::Text)];

const PERIOD: &[Rule] = &[("start", Be, One, Shape::Date), ("end", Be, One, Shape::Date)];

const PREDICTION: &[Rule] = &[
    ("outcome", NotBe, One, Shape::Element(WORDS)),
    ("probabilityDecimal", NotBe, One, Shape::Probability),
    ("qualitativeRisk", NotBe, One, Shape::Element(WORDS)),
    ("whenPeriod", NotBe, One, Shape::Element(PERIOD)),
    ("rationale", NotBe, One, Shape::Text),
];

const OBSERVATION_STATUS: &[&str] =
    &["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"];

const RISK_ASSESSMENT: &[Rule] = &[
    ("resourceType", Be, One, Shape::Code(&["RiskAssessment"])),
    ("id", Be, One, Shape::Id),
    ("status", Be, One, Shape::Code(OBSERVATION_STATUS)),
    ("method", NotBe, One, Shape::Element(WORDS)),
    ("code", NotBe, One, Shape::Element(WORDS)),
    ("subject", Be, One, Shape::Element(PERSON)),
    ("occurrenceDateTime", NotBe, One, Shape::Date),
    ("basis", NotBe, Several, Shape::Element(DISPLAY)),
    ("prediction", NotBe, Several, Shape::Element(PREDICTION)),
    ("mitigation", NotBe, One, Shape::Text),
    ("note", NotBe, Several, Shape::Element(WORDS)),
];

const ENTRY: &[Rule] = &[("flag", NotBe, One, Shape::Element(WORDS)), ("item", Be, One, Shape::Element(REFERENCE))];

const LIST: &[Rule] = &[
    ("resourceType", Be, One, Shape::Code(&["List"])),
    ("id", Be, One, Shape::Id),
    ("status", Be, One, Shape::Code(&["current", "retired", "entered-in-error"])),
    ("mode", Be, One, Shape::Code(&["working", "snapshot", "changes"])),
    ("title", NotBe, One, Shape::Text),
    ("code", NotBe, One, Shape::Element(WORDS)),
    ("date", NotBe, One, Shape::Date),
    ("source", NotBe, One, Shape::Element(DISPLAY)),
    ("orderedBy", NotBe, One, Shape::Element(CODED)),
    ("note", NotBe, Several, Shape::Element(WORDS)),
    ("entry", NotBe, Several, Shape::Element(ENTRY)),
];

const MEMBER: &[Rule] = &[("entity", Be, One, Shape::Element(PERSON))];

const GROUP_TYPE: &[&str] = &["person", "animal", "practitioner", "device", "medication", "substance"];

const GROUP: &[Rule] = &[
    ("resourceType", Be, One, Shape::Code(&["Group"])),
    ("id", Be, One, Shape::Id),
    ("active", NotBe, One, Shape::Boolean),
    ("type", Be, One, Shape::Code(GROUP_TYPE)),
    ("actual", Be, One, Shape::Boolean),
    ("code", NotBe, One, Shape::Element(WORDS)),
    ("name", NotBe, One, Shape::Text),
    ("quantity", NotBe, One, Shape::Count),
    ("managingEntity", NotBe, One, Shape::Element(DISPLAY)),
    ("member", NotBe, Several, Shape::Element(MEMBER)),
];

/// All of it, and what holds between the resources; the problem names the element, never its value.
pub(super) fn resources(assessments: &[Value], list: &Value, group: &Value) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for assessment in assessments {
        element("RiskAssessment", RISK_ASSESSMENT, assessment)?;
        if !ids.insert(assessment.get("id").and_then(Value::as_str).unwrap_or_default()) {
            return Err("two RiskAssessments have one id".to_owned());
        }
    }
    element("List", LIST, list)?;
    element("Group", GROUP, group)?;
    let entries = items(list, "entry").iter().map(|entry| entry.pointer("/item/reference").and_then(Value::as_str));
    for reference in entries {
        let id = reference.and_then(|reference| reference.strip_prefix("RiskAssessment/"));
        if !id.is_some_and(|id| ids.contains(id)) {
            return Err("List.entry.item points to no RiskAssessment".to_owned());
        }
    }
    if items(list, "entry").len() != ids.len() {
        return Err("a RiskAssessment is not on the List".to_owned());
    }
    let members = items(group, "member");
    // grp-1
    if !members.is_empty() && group.get("actual") != Some(&Value::Bool(true)) {
        return Err("Group.member: only an actual group has members".to_owned());
    }
    if group.get("quantity").and_then(Value::as_u64) != Some(members.len() as u64) {
        return Err("Group.quantity is not the number of members".to_owned());
    }
    Ok(())
}

fn items<'a>(resource: &'a Value, name: &str) -> &'a [Value] {
    resource.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn element(path: &str, rules: &[Rule], value: &Value) -> Result<(), String> {
    let Value::Object(map) = value else { return Err(format!("{path} is no element")) };
    if let Some(name) = map.keys().find(|name| !rules.iter().any(|(known, ..)| known == name)) {
        return Err(format!("{path}.{name} is not known"));
    }
    for (name, must, many, shape) in rules {
        let path = format!("{path}.{name}");
        match (map.get(*name), many) {
            (None, _) if *must == Be => return Err(format!("{path} is missing")),
            (None, _) => {}
            (Some(Value::Array(items)), Several) if !items.is_empty() => {
                items.iter().try_for_each(|item| holds(&path, *shape, item))?;
            }
            (Some(_), Several) => return Err(format!("{path} is no list with items")),
            (Some(value), One) => holds(&path, *shape, value)?,
        }
    }
    if let (Some(start), Some(end)) = (map.get("start").and_then(Value::as_str), map.get("end").and_then(Value::as_str))
        && start > end
    {
        return Err(format!("{path} ends before it starts"));
    }
    Ok(())
}

fn holds(path: &str, shape: Shape, value: &Value) -> Result<(), String> {
    let text = value.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let good = match shape {
        Shape::Id => text.is_some_and(|id| (1..=64).contains(&id.len()) && id.chars().all(plain)),
        Shape::Text => text.is_some_and(|text| !text.trim().is_empty()),
        Shape::Uri => text.is_some_and(|uri| uri.contains(':') && !uri.contains(char::is_whitespace)),
        Shape::Code(codes) => text.is_some_and(|code| codes.contains(&code)),
        Shape::AnyCode => text.is_some_and(|code| !code.is_empty() && !code.contains(char::is_whitespace)),
        Shape::Boolean => value.is_boolean(),
        Shape::Date => text.is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok()),
        Shape::Count => value.is_u64(),
        Shape::Probability => value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number)),
        Shape::Element(rules) => return element(path, rules, value),
    };
    if good { Ok(()) } else { Err(format!("{path} does not hold what FHIR R4 allows")) }
}
