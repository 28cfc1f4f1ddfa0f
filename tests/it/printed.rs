//! What a run prints in all of its tables, also those whose counts stand in no sum: no small count, no figure beside a count
//! that is hidden, and no share but that of the counts as they are printed.

use std::collections::BTreeMap;

use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

/// Columns that count people, rows or events, in whichever table.
const COUNTS: [&str; 33] = [
    "people",
    "count",
    "counted",
    "listed",
    "listed_without",
    "rows",
    "linked",
    "not_linked",
    "outside_life",
    "records",
    "valid_and_complete",
    "defaults",
    "changed",
    "went_back",
    "one_conflict",
    "several_conflicts",
    "open_before",
    "mended",
    "still_open",
    "gone",
    "new",
    "emergencies",
    "diverted",
    "failed",
    "in_contact",
    "two_or_more_contacts",
    "assessed_again",
    "hand_offs",
    "most_recent",
    "most_frequent",
    "source_order",
    "rose",
    "fell",
];

/// Table, share, and the counts whose share it is.
const SHARES: [(&str, [&str; 3]); 14] = [
    ("recording_gaps", ["share", "count", "people"]),
    ("inequality", ["share_listed", "listed", "people"]),
    ("list_equity", ["share_listed", "listed", "people"]),
    ("linkage", ["share_linked", "linked", "rows"]),
    ("false_links", ["share_one", "one_conflict", "people"]),
    ("false_links", ["share_several", "several_conflicts", "people"]),
    ("flips", ["share_changed", "changed", "people"]),
    ("flips", ["share_went_back", "went_back", "people"]),
    ("pathways", ["share", "count", "people"]),
    ("diversions", ["share", "count", "emergencies"]),
    ("diversion_safety", ["share_failed", "failed", "diverted"]),
    ("funnel", ["percent", "counted", "people"]),
    ("inequality_figures", ["value", "counted", "people"]),
    ("hidden", ["value", "counted", "people"]),
];

type Table = Vec<Vec<String>>;

fn demo() -> (BTreeMap<String, Table>, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let demo = runs::root().join("pipelines/demo.toml");
    let run = runs::run(&demo, &LoadOptions::default(), folder.path(), ENGINE).unwrap();
    let files = runs::files(&run.join("aggregate"));
    let decided = serde_json::from_slice(&files["sdc.json"]).unwrap();
    let tables = files.iter().filter_map(|(name, bytes)| Some((name.strip_suffix(".csv")?, bytes)));
    (tables.map(|(name, bytes)| (name.to_owned(), riskstrat::publish::read_csv(bytes))).collect(), decided)
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

#[test]
fn no_table_of_the_demo_tells_of_a_count_that_is_hidden() {
    let (tables, decided) = demo();
    let mut seen = [0; 3];
    for (name, table) in &tables {
        for row in &table[1..] {
            for (column, cell) in table[0].iter().zip(row).filter(|(column, _)| COUNTS.contains(&column.as_str())) {
                let Some(count) = number(cell) else { continue };
                assert!(count == 0.0 || count >= 5.0, "{name}, {column}: {row:?}");
                assert!(count % 5.0 == 0.0, "{name}, {column}: {row:?}");
                seen[0] += 1;
            }
        }
    }
    for (name, columns) in SHARES {
        let table = &tables[name];
        let [share, part, whole] = columns.map(|column| table[0].iter().position(|other| other == column).unwrap());
        let measure = table[0].iter().position(|column| column == "measure");
        for row in table[1..].iter().filter(|row| measure.is_none_or(|at| row[at] == "percent")) {
            let Some(shown) = number(&row[share]) else { continue };
            let counts = number(&row[part]).zip(number(&row[whole]));
            let (part, whole) = counts.unwrap_or_else(|| panic!("{name}: {row:?}"));
            assert!((shown - 100.0 * part / whole).abs() <= 0.051, "{name}: {row:?}");
            seen[1] += 1;
        }
    }
    for decision in decided["tables"].as_array().unwrap() {
        let name = decision["table"].as_str().unwrap();
        for hidden in decision["hidden"].as_array().unwrap().iter().filter(|hidden| hidden["why"] == "count") {
            let row = &tables[name][usize::try_from(hidden["row"].as_u64().unwrap()).unwrap()];
            let worked_out = row.iter().find(|cell| cell.contains('.') && number(cell).is_some());
            assert!(worked_out.is_none(), "{name}: {row:?}");
            seen[2] += 1;
        }
    }
    println!("{seen:?} counts, shares and rows with a hidden count");
    assert!(seen.iter().all(|seen| *seen > 1000), "{seen:?}");
}
