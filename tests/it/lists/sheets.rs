//! A published list read back, and changed as a release changes it.

use std::path::Path;

use riskstrat::cohort::Place;
use riskstrat::error::Error;
use riskstrat::pipeline::decl::ListFormat;
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::sheet::Sheet;

use crate::runs::{self, ENGINE};

/// `about.json` and the Parquet file of the list of practice A81001 in the ledger of twelve.
fn published(out: &Path) -> (Vec<u8>, Vec<u8>) {
    let run = runs::run(&runs::root().join("fixtures/tiny/run.toml"), &LoadOptions::default(), out, ENGINE).unwrap();
    let read = |name: &str| std::fs::read(run.join("person/lists/emergency_admissions").join(name)).unwrap();
    (read("about.json"), read("A81001.parquet"))
}

#[test]
fn a_list_reads_back_as_it_was_written() {
    let out = tempfile::tempdir().unwrap();
    let (about, parquet) = published(out.path());
    let sheet = Sheet::read(&about, "A81001", parquet.clone()).unwrap();
    assert_eq!(sheet.persons().unwrap(), ["t-agnes", "t-hana", "t-george"]);
    assert_eq!(sheet.places().unwrap(), [Place::Listed, Place::Listed, Place::Reserve]);
    assert_eq!(sheet.about.json().unwrap(), about);
    assert_eq!(sheet.files(ListFormat::Parquet).unwrap()[0].bytes, parquet);
}

#[test]
fn people_are_taken_off_and_the_reserve_moves_up() {
    let out = tempfile::tempdir().unwrap();
    let (about, parquet) = published(out.path());
    let sheet = Sheet::read(&about, "A81001", parquet).unwrap();
    let tokens = ["T1".to_owned(), "T2".to_owned()];
    let released = sheet.pick(&[1, 2]).unwrap();
    let released = released.with_persons(&tokens).unwrap();
    let released = released.with_places(&[(1, Place::Listed), (2, Place::Listed)]).unwrap();
    let csv = released.files(ListFormat::Csv).unwrap().remove(0).bytes;
    let rows = riskstrat::publish::read_csv(&csv);
    let first: Vec<&[String]> = rows.iter().map(|row| &row[..3]).collect();
    assert_eq!(first, [["rank", "status", "person"], ["1", "listed", "T1"], ["2", "listed", "T2"]]);
    let text = String::from_utf8(csv).unwrap();
    assert!(!text.contains("t-hana") && !text.contains("t-agnes"));
    assert!(sheet.pick(&[3]).is_err(), "a choice for other rows");
    assert!(sheet.with_persons(&tokens).is_err(), "tokens for other rows");
}

#[test]
fn a_list_that_is_damaged_or_another_cohorts_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let (about, parquet) = published(out.path());
    let refused = |about: &[u8], parquet: &[u8]| {
        assert!(matches!(Sheet::read(about, "A81001", parquet.to_vec()), Err(Error::Check(_))));
    };
    refused(&about, &parquet[..parquet.len() / 2]);
    refused(&about[..about.len() / 2], &parquet);
    let other = String::from_utf8(about.clone()).unwrap().replace("\"rank\"", "\"rang\"");
    refused(other.as_bytes(), &parquet);
    let other = String::from_utf8(about).unwrap().replace("\"purpose\"", "\"aim\"");
    refused(other.as_bytes(), &parquet);
}
