//! One person's webs of care, as a run published them: a picture, for those with a right to see people.

use std::path::Path;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;
use crate::publish::{self, RunId};
use crate::receipt::Receipt;
use crate::report::{HandOff, Provider, web_svg};
use crate::storage::LocalDisk;

const NODES: &str = "_nodes.parquet";

/// The picture of a person's web, as SVG that stands alone; of the web of this name, or of the only one.
///
/// # Errors
/// When the run has no such web, or the person none.
pub fn web(out: &Path, id: &RunId, token: &Pseudonym, name: Option<&str>) -> Result<String> {
    let receipt = publish::receipt_of(&LocalDisk, out, id)?;
    let name = named(&receipt, name)?;
    let table = |end: &str| {
        let table = publish::table(&LocalDisk, out, &receipt, &format!("person/webs/{name}{end}"))?;
        table.ok_or_else(|| Error::Check(format!("run {id} has no web {name}")))
    };
    let (nodes, edges) = (table(NODES)?, table("_edges.parquet")?);
    let (mut places, mut providers) = (Vec::new(), Vec::new());
    for row in rows_of(&nodes, token)? {
        let place = Place::read(&nodes, "", row)?;
        let contacts = number(&nodes, "contacts", row)?;
        let organisation = if place.team.is_empty() { String::new() } else { place.organisation.clone() };
        let setting = place.setting.replace('_', " ");
        let name = named_team(&nodes, row)?.unwrap_or_else(|| place.name());
        providers.push(Provider { name, organisation, setting, contacts });
        places.push(place);
    }
    if providers.is_empty() {
        return Err(Error::Check(format!("run {id} knows no contact of a person with this token")));
    }
    // Those with most contacts first: others may not be drawn.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(providers[*at].contacts), providers[*at].name.clone()));
    let at = |place: &Place| order.iter().position(|at| places[*at] == *place);
    let mut hand_offs = Vec::new();
    for row in rows_of(&edges, token)? {
        let ends = [Place::read(&edges, "from_", row)?, Place::read(&edges, "to_", row)?];
        if let [Some(from), Some(to)] = ends.each_ref().map(at) {
            hand_offs.push(HandOff { from, to, times: number(&edges, "hand_offs", row)? });
        }
    }
    let providers: Vec<Provider> = order.iter().map(|at| providers[*at].clone()).collect();
    Ok(web_svg(&providers, &hand_offs))
}

/// The web of this name, or the only one of the run.
fn named(receipt: &Receipt, name: Option<&str>) -> Result<String> {
    let webs =
        receipt.outputs.iter().filter_map(|output| output.path.strip_prefix("person/webs/")?.strip_suffix(NODES));
    let webs: Vec<&str> = webs.collect();
    match (name, webs.as_slice()) {
        (Some(name), webs) if webs.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => Err(Error::Usage("this run made no web of care".to_owned())),
        (_, webs) => Err(Error::Usage(format!("name one of the run's webs with --web: {}", webs.join(", ")))),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    setting: String,
    organisation: String,
    team: String,
}

impl Place {
    fn read(table: &RecordBatch, before: &str, row: usize) -> Result<Self> {
        let text = |name: &str| -> Result<String> {
            let column = texts(table, &format!("{before}{name}"))?;
            Ok(if column.is_valid(row) { column.value(row).to_owned() } else { String::new() })
        };
        Ok(Self { setting: text("setting")?, organisation: text("organisation")?, team: text("team")? })
    }

    /// The team, or else the organisation, or else the setting.
    fn name(&self) -> String {
        match (self.team.as_str(), self.organisation.as_str()) {
            ("", "") => format!("{}, not recorded", self.setting.replace('_', " ")),
            ("", organisation) => organisation.to_owned(),
            (team, _) => team.replace('_', " "),
        }
    }
}

/// What the run's declarations call the team; runs of earlier versions do not say.
fn named_team(nodes: &RecordBatch, row: usize) -> Result<Option<String>> {
    const NAME: &str = "team_name";
    let Some(_) = nodes.column_by_name(NAME) else { return Ok(None) };
    let names = texts(nodes, NAME)?;
    Ok(names.is_valid(row).then(|| names.value(row).to_owned()))
}

fn rows_of(table: &RecordBatch, token: &Pseudonym) -> Result<Vec<usize>> {
    let persons = texts(table, "person")?;
    Ok((0..persons.len()).filter(|row| Pseudonym::new(persons.value(*row)) == *token).collect())
}

fn texts<'a>(table: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = table.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| Error::Check(format!("a web has no column {name}")))
}

fn number(table: &RecordBatch, name: &str, row: usize) -> Result<u64> {
    let column = table.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let number = column.and_then(|column| u64::try_from(column.value(row)).ok());
    number.ok_or_else(|| Error::Check(format!("a web has no column {name}")))
}
