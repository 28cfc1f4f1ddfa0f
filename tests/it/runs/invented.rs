//! What `riskstrat synth` delivered, read again without the engine.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::civil::Date;

/// The rows of a CSV, by heading.
pub fn csv(path: &Path) -> Vec<HashMap<String, String>> {
    let records = riskstrat::publish::read_csv(&std::fs::read(path).unwrap());
    let (header, rows) = records.split_first().unwrap();
    rows.iter().map(|row| header.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

/// Every row of a delivered table.
pub fn delivered(deliveries: &Path, table: &str) -> Vec<HashMap<String, String>> {
    let files = std::fs::read_dir(deliveries.join(table)).unwrap();
    files.flat_map(|file| csv(&file.unwrap().path())).collect()
}

/// The token by which somebody is known in the end.
pub fn newest(deliveries: &Path) -> impl Fn(&str) -> String + use<> {
    let rows = delivered(deliveries, "superseded").into_iter();
    let newer: HashMap<String, String> =
        rows.map(|row| (row["OLD_PSEUDO_NHS_NUMBER"].clone(), row["NEW_PSEUDO_NHS_NUMBER"].clone())).collect();
    move |token| {
        let mut token = token;
        while let Some(next) = newer.get(token) {
            token = next;
        }
        token.to_owned()
    }
}

/// An emergency admission.
pub struct Stay {
    pub person: String,
    pub begins: Date,
    /// None of who is in hospital yet.
    pub ends: Option<Date>,
    pub died: bool,
}

/// Every row of an emergency admission.
pub fn emergencies(deliveries: &Path) -> Vec<Stay> {
    let newest = newest(deliveries);
    let mut stays = Vec::new();
    for row in delivered(deliveries, "admissions") {
        let method = row["ADMISSION METHOD CODE (HOSPITAL PROVIDER SPELL)"].as_str();
        let Ok(begins) = row["START DATE (HOSPITAL PROVIDER SPELL)"].parse() else { continue };
        if ["21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"].contains(&method) {
            let ends = row["DISCHARGE DATE (HOSPITAL PROVIDER SPELL)"].parse().ok();
            let died = row["DISCHARGE METHOD CODE (HOSPITAL PROVIDER SPELL)"] == "4";
            stays.push(Stay { person: newest(&row["PSEUDO_NHS_NUMBER"]), begins, ends, died });
        }
    }
    stays
}

/// Emergency admissions that began within these days, by person.
pub fn admitted(deliveries: &Path, from: Date, until: Date) -> BTreeMap<String, f64> {
    let mut people = BTreeMap::new();
    for stay in emergencies(deliveries).into_iter().filter(|stay| (from..until).contains(&stay.begins)) {
        *people.entry(stay.person).or_default() += 1.0;
    }
    people
}
