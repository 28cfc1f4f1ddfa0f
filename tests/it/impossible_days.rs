//! Parquet holds days and moments by number, and any number: those that no calendar reaches are bad values as any other.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use parquet::arrow::ArrowWriter;
use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

fn texts<const N: usize>(texts: [&str; N]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

/// Delivers a source of the starter pipeline as Parquet, and says more about it.
fn deliver(folder: &Path, source: &str, columns: Vec<(&str, ArrayRef)>, declared: &[(&str, &str)]) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, cells)| (name, cells, true)));
    let batch = batch.unwrap();
    let file = File::create(folder.join(format!("deliveries/{source}.parquet"))).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let path = folder.join(format!("sources/{source}.toml"));
    let mut text = fs::read_to_string(&path).unwrap().replace(".csv", ".parquet");
    for (from, to) in declared {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(path, text).unwrap();
}

/// Has the starter pipeline look for gaps in dates of birth.
fn audit_births(folder: &Path) {
    let audit = folder.join("audits/recording_gaps.toml");
    let item =
        "\n[items.birth_date]\nlabel = \"Date of birth\"\nresolve = \"most_recent\"\ndate_not_before = 1900-01-01\n";
    fs::write(&audit, fs::read_to_string(&audit).unwrap() + item).unwrap();
}

#[test]
fn what_no_calendar_reaches_is_a_bad_value_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs::copy(&runs::root().join("fixtures/starter"), folder);
    let born = Date32Array::from(vec![-10_471, 3_255, i32::MAX, -8_000_000, 3_000_000]);
    let columns = vec![
        ("token", texts(["a1f3", "b7c2", "c1", "d1", "e1"])),
        ("born", Arc::new(born) as ArrayRef),
        ("practice", texts(["A81001"; 5])),
        ("sex", texts(["2"; 5])),
    ];
    let blanked = ("not_before = 1900-01-02 }", "on_bad = \"blank\", optional = true }");
    deliver(
        folder,
        "people",
        columns,
        &[blanked, ("[demographics]", "[demographics]\nbirth_date = { from = \"born\" }")],
    );
    audit_births(folder);
    // One good moment, none, and two that neither microseconds nor a calendar hold.
    let seen = TimestampMillisecondArray::from(vec![Some(1_770_076_800_000), None, Some(i64::MAX), Some(i64::MIN)]);
    let columns = vec![
        ("token", texts(["a1f3"; 4])),
        ("visit", texts(["v1", "v2", "v3", "v4"])),
        ("date", Arc::new(seen) as ArrayRef),
        ("arrived_by", texts(["walk-in"; 4])),
    ];
    let bad_rows = ("[columns]", "max_bad_share = 0.8\n\n[columns]");
    deliver(folder, "visits", columns, &[(", format = \"%d/%m/%Y\"", ""), bad_rows]);

    let run = runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("out"), ENGINE).unwrap();
    let receipt = runs::receipt(&run);
    let people = runs::account(&receipt, "people");
    assert_eq!((&people["rows"], &people["used"]), (&5.into(), &5.into()));
    assert_eq!(people["blanked"], serde_json::json!([{"column": "birth_date", "rule": "not a date", "count": 3}]));
    let gaps = String::from_utf8(runs::files(&run)["person/gaps/A81001.csv"].clone()).unwrap();
    assert_eq!(gaps.matches(",Date of birth,not a valid value,").count(), 3, "{gaps}");
    let visits = runs::account(&receipt, "visits");
    assert_eq!((&visits["used"], &visits["set_aside"]), (&1.into(), &3.into()));
    let reasons = serde_json::json!([
        {"column": "date", "rule": "not a date and time", "count": 2},
        {"column": "date", "rule": "required, blank", "count": 1},
    ]);
    assert_eq!(visits["set_aside_reasons"], reasons);
}

/// As databases hand over a column that can hold a time of day; the whole run is computed a second time.
#[test]
fn a_date_of_birth_that_comes_as_a_moment_is_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs::copy(&runs::root().join("fixtures/starter"), folder);
    const DAY: i64 = 86_400_000_000;
    let born = TimestampMicrosecondArray::from(vec![-10_471 * DAY, 3_255 * DAY, 3_255 * DAY + DAY / 2]);
    let columns = vec![
        ("token", texts(["a1f3", "b7c2", "c1"])),
        ("born", Arc::new(born) as ArrayRef),
        ("practice", texts(["A81001"; 3])),
        ("sex", texts(["2"; 3])),
    ];
    let says = ("[demographics]", "[demographics]\nbirth_date = { from = \"born\" }");
    deliver(folder, "people", columns, &[says]);
    audit_births(folder);
    // Numbers of visits that look like days, as spreadsheets make them: one is none.
    let numbers = Date32Array::from(vec![20_000, 20_001, i32::MAX]);
    let columns = vec![
        ("token", texts(["a1f3"; 3])),
        ("visit", Arc::new(numbers) as ArrayRef),
        ("date", texts(["02/02/2026"; 3])),
        ("arrived_by", texts(["walk-in"; 3])),
    ];
    deliver(folder, "visits", columns, &[("[columns]", "max_bad_share = 0.5\n\n[columns]")]);

    let run = runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("out"), ENGINE).unwrap();
    let receipt = runs::receipt(&run);
    let births = receipt["demographics"].as_array().unwrap().iter().find(|item| item["item"] == "birth_date").unwrap();
    let people = |state: &str| births["states"].as_array().unwrap().iter().find(|of| of["state"] == state).unwrap();
    assert_eq!((&people("known")["people"], &people("invalid")["people"]), (&2.into(), &1.into()));
    let visits = runs::account(&receipt, "visits");
    assert_eq!(visits["used"], 2);
    let reasons = serde_json::json!([{"column": "visit", "rule": "not a date", "count": 1}]);
    assert_eq!(visits["set_aside_reasons"], reasons);
}
