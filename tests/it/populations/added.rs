//! Rows that must change nothing, added to a population.

use jiff::ToSpan;
use rand::Rng;

use super::declare::Declarations;
use super::layout::{Delivered, Stored, Table};

/// Delivered columns that hold the `date` of a source.
const DATED: [&str; 6] = ["UPDATED", "ADMIDATE", "WHEN", "DAY", "CALLED", "FROM"];

/// Rows with the keys of rows that are there, dated on the as-of date or later, and many recorded later than those.
pub fn future_rows(declarations: &Declarations, seed: u64, tables: &mut [Table]) {
    let mut random = super::random(seed, 3);
    for table in tables {
        let at = |wanted: &[&str]| table.columns.iter().position(|column| wanted.contains(&column.name));
        let Some(date) = at(&DATED) else { continue };
        if !declarations.files[&format!("sources/{}.toml", table.name)].contains(table.columns[date].name) {
            continue;
        }
        let recorded = at(&["RECORDED"]);
        let mut rows = Vec::new();
        for row in &table.rows {
            if !random.random_bool(0.4) {
                continue;
            }
            let mut later = row.clone();
            // An opt-out from the as-of date on counts.
            let first = i32::from(table.name == "opt_outs");
            later[date] = (declarations.as_of + random.random_range(first..400).days()).to_string();
            if table.columns[date].name == "WHEN" {
                later[date].push_str("T12:00:00");
            }
            if let Some(recorded) = recorded.filter(|_| random.random_bool(0.6)) {
                later[recorded] = (declarations.as_of - 1.day()).to_string();
            }
            rows.push(later);
        }
        table.rows.extend(rows);
    }
}

/// Rows of people whom no register knows, and a column that no declaration reads.
pub fn strangers(tables: &mut [Table]) {
    for table in tables {
        if matches!(table.name, "spells" | "practice_events" | "contacts" | "opt_outs" | "feedback") {
            let spell = table.columns.iter().position(|column| column.name == "SPELL");
            let mut rows = table.rows.clone();
            for (number, row) in rows.iter_mut().enumerate() {
                row[0] = format!("stranger-{}", number % 7);
                if let Some(spell) = spell {
                    row[spell] = format!("stranger-{number}");
                }
            }
            table.rows.extend(rows);
        }
        table.columns.push(Delivered { name: "NOTES", stored: Stored::Text });
        for (number, row) in table.rows.iter_mut().enumerate() {
            row.push(format!("note, {number}"));
        }
    }
}
