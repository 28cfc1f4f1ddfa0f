//! FHIR R4, one resource a line and one type a file, as bulk data has it.
//!
//! A `RiskAssessment` for each person says why and, where the score is a probability, how likely, on the scale from 0 to 1
//! and no more exactly than the words of the list; a `List` puts them in order and marks the reserve; a `Group` holds
//! those with a place, for systems that act on members. Every resource is checked before it is written.

mod check;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::about::Predicts;
use super::cell::{self, Cell};
use super::{Kind, Sheet, SheetFile};
use crate::calendar::Window;
use crate::cohort::Place;
use crate::error::{Error, Result};

pub(super) fn files(sheet: &Sheet) -> Result<Vec<SheetFile>> {
    let assessments = assessments(sheet)?;
    let list = list(sheet, &assessments)?;
    let group = group(sheet)?;
    check::resources(&assessments, &list, &group).map_err(|problem| {
        Error::Fault(format!("cohort {}: a list cannot be written as FHIR: {problem}", sheet.about.cohort))
    })?;
    let lines = |resources: &[Value]| resources.iter().map(|resource| format!("{resource}\n")).collect::<String>();
    let file = |ending, resources: &[Value]| SheetFile { ending, bytes: lines(resources).into_bytes() };
    Ok(vec![file("RiskAssessment.ndjson", &assessments), file("List.ndjson", &[list]), file("Group.ndjson", &[group])])
}

/// One a person, in the order of the rows.
fn assessments(sheet: &Sheet) -> Result<Vec<Value>> {
    let about = &sheet.about;
    let fresh: Vec<Value> = about
        .sources
        .iter()
        .filter(|source| source.counts_here)
        .map(|source| json!({ "display": source.words() }))
        .collect();
    let row = |(row, token): (usize, &str)| {
        let mut resource = json!({
            "resourceType": "RiskAssessment",
            "id": id(sheet, token),
            "status": "final",
            "code": { "text": about.title },
            "subject": subject(sheet, token)?,
            "occurrenceDateTime": about.as_of.to_string(),
        });
        let predictions = about.models.iter().map(|model| prediction(sheet, model, row)).collect::<Result<Vec<_>>>()?;
        let methods: Vec<String> =
            about.models.iter().map(|model| format!("{} {}", model.title, model.version)).collect();
        let action = text_of(sheet, Kind::Action, row)?;
        let notes: Vec<Value> =
            texts_of(sheet, Kind::Reasons, row)?.into_iter().map(|text| json!({ "text": text })).collect();
        let method = if methods.is_empty() { Value::Null } else { json!({ "text": methods.join("; ") }) };
        let rest = [
            ("method", method),
            ("basis", json!(fresh)),
            ("prediction", json!(predictions)),
            ("mitigation", json!(action)),
            ("note", json!(notes)),
        ];
        add(&mut resource, rest);
        Ok(resource)
    };
    sheet.persons()?.into_iter().enumerate().map(row).collect()
}

fn prediction(sheet: &Sheet, model: &Predicts, row: usize) -> Result<Value> {
    let named = |name: &str| sheet.about.columns.iter().position(|heading| heading.column == name);
    let cell = |name: &str| match named(name).and_then(|at| sheet.rows.columns().get(at)) {
        Some(column) => cell::cell(column, row),
        None => Ok(Cell::Empty),
    };
    let band = match cell(&format!("{}_band", model.model))? {
        Cell::Empty => Value::Null,
        band => json!({ "text": band.text("") }),
    };
    let score = cell(&model.model)?;
    let (number, rationale, when) = match &model.probability {
        None if score == Cell::Empty => (Value::Null, Value::Null, Value::Null),
        None => (Value::Null, json!(format!("{}: {}", model.title, score.text(""))), Value::Null),
        Some(decl) => {
            let number = if let Cell::Number(fraction) = score { json!(fraction) } else { Value::Null };
            let words = cell(&format!("{}_risk", model.model))?.text("");
            (number, json!(words), period(sheet, &decl.within))
        }
    };
    let mut prediction = json!({ "outcome": { "text": model.predicts } });
    let rest =
        [("probabilityDecimal", number), ("qualitativeRisk", band), ("whenPeriod", when), ("rationale", rationale)];
    add(&mut prediction, rest);
    Ok(prediction)
}

/// From the as-of date for so long.
fn period(sheet: &Sheet, within: &str) -> Value {
    let as_of = sheet.about.as_of;
    let end = Window::parse(within).ok().and_then(|window| window.end(as_of)?.yesterday().ok());
    end.map_or(Value::Null, |end| json!({ "start": as_of.to_string(), "end": end.to_string() }))
}

/// Everyone in the order of the list, with their status.
fn list(sheet: &Sheet, assessments: &[Value]) -> Result<Value> {
    let about = &sheet.about;
    let entry = |(assessment, place): (&Value, Place)| {
        let id = assessment.get("id").and_then(Value::as_str).unwrap_or_default();
        json!({ "flag": { "text": place.name() }, "item": { "reference": format!("RiskAssessment/{id}") } })
    };
    let entries: Vec<Value> = assessments.iter().zip(sheet.places()?).map(entry).collect();
    let priority = "http://terminology.hl7.org/CodeSystem/list-order";
    let mut resource = json!({
        "resourceType": "List",
        "id": id(sheet, "list"),
        "status": "current",
        "mode": "snapshot",
        "title": about.title,
        "code": { "text": about.purpose },
        "date": about.as_of.to_string(),
        "source": { "display": format!("Cohort {}, for {}", about.cohort, sheet.recipient) },
        "orderedBy": { "coding": [{ "system": priority, "code": "priority" }] },
    });
    let until = about.valid_until.map(|date| json!([{ "text": format!("Use until {date}") }]));
    add(&mut resource, [("note", json!(until)), ("entry", json!(entries))]);
    Ok(resource)
}

/// Those with a place.
fn group(sheet: &Sheet) -> Result<Value> {
    let people = sheet.persons()?.into_iter().zip(sheet.places()?).filter(|(_, place)| *place == Place::Listed);
    let member = |(token, _)| Ok(json!({ "entity": subject(sheet, token)? }));
    let members: Vec<Value> = people.map(member).collect::<Result<_>>()?;
    let mut resource = json!({
        "resourceType": "Group",
        "id": id(sheet, "group"),
        "active": true,
        "type": "person",
        "actual": true,
        "code": { "text": sheet.about.title },
        "name": format!("{}, {}", sheet.about.title, sheet.recipient),
        "quantity": members.len(),
        "managingEntity": { "display": sheet.recipient },
    });
    add(&mut resource, [("member", json!(members))]);
    Ok(resource)
}

/// A person by token, in the system that the run names.
fn subject(sheet: &Sheet, token: &str) -> Result<Value> {
    let system = sheet.about.identifier_system.as_ref();
    let system = system.ok_or_else(|| Error::Fault("FHIR was asked for without a system of tokens".to_owned()))?;
    Ok(json!({ "type": "Patient", "identifier": { "system": system, "value": token } }))
}

/// The same for the same list and person; not to be followed back to a token without the list.
fn id(sheet: &Sheet, what: &str) -> String {
    let about = &sheet.about;
    let mut hash = Sha256::new();
    for part in [&about.cohort, &about.as_of.to_string(), &sheet.recipient, what] {
        hash.update(part.as_bytes());
        hash.update([0x1f]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn text_of(sheet: &Sheet, kind: Kind, row: usize) -> Result<Option<String>> {
    Ok(texts_of(sheet, kind, row)?.into_iter().next())
}

fn texts_of(sheet: &Sheet, kind: Kind, row: usize) -> Result<Vec<String>> {
    let Ok(column) = sheet.column(kind) else { return Ok(Vec::new()) };
    Ok(match cell::cell(column, row)? {
        Cell::Empty => Vec::new(),
        Cell::Texts(texts) => texts,
        cell => vec![cell.text("")],
    })
}

/// FHIR has no empty element: what says nothing is left out.
fn add<const N: usize>(resource: &mut Value, elements: [(&str, Value); N]) {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let Value::Object(map) = resource else { return };
    let elements: Map<String, Value> =
        elements.into_iter().filter(|(_, value)| says(value)).map(|(name, value)| (name.to_owned(), value)).collect();
    map.extend(elements);
}
