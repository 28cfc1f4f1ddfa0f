//! Where files may be, and which count: A11, A12, B1, I3.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use riskstrat::source;

use super::{Deliveries, assert_says, is_inside};

const ROW: &str = "PSEUDO_ID,EVENT_DATE,SNOMED\np1,d,c\n";
const OTHER: &str = "PSEUDO_ID,EVENT_DATE,SNOMED\np2,d,c\n";

#[test]
fn only_paths_below_the_folder_are_patterns() {
    for pattern in ["/etc/passwd", "../x.csv", "gp/../../x.csv", "", "gp\\\\a.csv", "file:///etc/*.csv", "**/*.csv"] {
        let error = Deliveries::gp_with("\"gp\"", &format!("\"{pattern}\"")).refused();
        assert_says(&error, &["gp_events"]);
        assert!([1, 3].contains(&error.exit_code()));
    }
}

#[test]
fn links_lead_nowhere_outside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.csv"), ROW).unwrap();
    let deliveries = Deliveries::gp();
    symlink(outside.path().join("x.csv"), deliveries.path("gp/x.csv")).unwrap();
    assert_says(&deliveries.refused(), &["gp/x.csv", "leads out of the deliveries folder"]);
    fs::remove_file(deliveries.path("gp/x.csv")).unwrap();
    symlink(outside.path(), deliveries.path("gp/far")).unwrap();
    let mut deliveries = deliveries;
    deliveries.pipeline.sources[0].decl.files = riskstrat::pipeline::decl::OneOrMany::One("gp/far/*.csv".to_owned());
    assert_says(&deliveries.refused(), &["leads out of the deliveries folder"]);
}

#[test]
fn a_link_inside_the_folder_is_followed() {
    let deliveries = Deliveries::gp();
    deliveries.write("kept.csv", ROW);
    symlink(deliveries.path("kept.csv"), deliveries.path("gp/a.csv")).unwrap();
    let delivered = deliveries.find().unwrap();
    assert!(is_inside(&delivered.sources[0].files[0].path, deliveries.folder.path()));
    assert_eq!(delivered.sources[0].files[0].name, "gp/a.csv");
}

#[test]
fn only_regular_files_are_opened() {
    let deliveries = Deliveries::gp();
    assert!(Command::new("mkfifo").arg(deliveries.path("gp/a.csv")).status().unwrap().success());
    assert_says(&deliveries.refused(), &["gp/a.csv", "not a regular file"]);
    let deliveries = Deliveries::gp();
    symlink("/dev/zero", deliveries.path("gp/a.csv")).unwrap();
    assert_says(&deliveries.refused(), &["leads out of the deliveries folder"]);
    let deliveries = Deliveries::gp();
    symlink(deliveries.path("gp"), deliveries.path("gp/loop.csv")).unwrap();
    assert_says(&deliveries.refused(), &["holds the folder gp/loop.csv"]);
    let deliveries = Deliveries::gp();
    symlink("nowhere.csv", deliveries.path("gp/a.csv")).unwrap();
    assert_says(&deliveries.refused(), &["gp/a.csv", "cannot be opened"]);
}

#[test]
fn a_folder_gives_its_data_files_only() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/README.md", "x").write("gp/.hidden.csv", "x").write("gp/A.CSV", ROW).write("gp/b.csv", OTHER);
    let mut names: Vec<String> = deliveries.find().unwrap().sources[0].files.iter().map(|f| f.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["gp/A.CSV", "gp/b.csv"]);
    let deliveries = Deliveries::gp_with("\"gp\"", "\"gp/notes.txt\"");
    deliveries.write("gp/notes.txt", ROW);
    assert_says(&deliveries.refused(), &["gp/notes.txt", "neither .parquet nor .csv nor .csv.gz"]);
}

#[test]
fn a_file_delivered_twice_counts_once() {
    let deliveries = Deliveries::gp_with("\"gp\"", "[\"gp\", \"gp/*.csv\"]");
    deliveries.write("gp/b.csv", ROW).write("gp/a.csv", ROW).write("gp/c.csv", OTHER);
    let found = deliveries.find().unwrap();
    assert_eq!(found.sources[0].repeated, ["gp/b.csv"]);
    assert_eq!(deliveries.read().unwrap().rows.len(), 2);
}

#[test]
fn names_do_not_decide_the_order() {
    let one = Deliveries::gp();
    one.write("gp/1.csv", ROW).write("gp/2.csv", OTHER);
    let two = Deliveries::gp();
    two.write("gp/2.csv", ROW).write("gp/1.csv", OTHER);
    assert_eq!(one.read().unwrap(), two.read().unwrap());
}

#[test]
fn a_file_that_changes_is_refused() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", ROW);
    let delivered = deliveries.find().unwrap();
    let file = &delivered.sources[0].files[0];
    source::recheck(file).unwrap();
    let source = &deliveries.pipeline.sources[0];
    let mut rows = source::open(source, file, &["SNOMED".to_owned()], 1).unwrap();
    rows.next().unwrap().unwrap();
    deliveries.write("gp/a.csv", format!("{ROW}CANARY7Q,d,c\n"));
    let error = rows.find_map(Result::err).unwrap();
    assert_eq!(error.exit_code(), 1);
    assert_says(&error, &["gp/a.csv", "changed while it was being read"]);
    assert!(source::recheck(file).is_err());
    assert!(source::open(source, file, &[], 1).is_err());
}
