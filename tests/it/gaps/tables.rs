//! The tables of the audit, on a world small enough to count by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::date;
use riskstrat::pipeline::parse::LoadOptions;
use sha2::{Digest, Sha256};

use crate::runs::{self, ENGINE};

pub(super) type Table = Vec<Vec<String>>;

pub(super) fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// 120 people of two practices, with a register, a hospital of two sites and a clinic. Everybody is of one of six kinds,
/// twenty of each:
///
/// | kind | register (2020) | hospital (February 2026, sites N and S) | clinic (March 2026) |
/// | --- | --- | --- | --- |
/// | 0 | A | A | A |
/// | 1 | A | B | B |
/// | 2 | nothing | 99 | A |
/// | 3 | nothing | no row | no row |
/// | 4 | A | A | B, then A a week later |
/// | 5 | C, last recorded in 2010 | no row | no row |
///
/// Fifteen more rows of the hospital are about people whom nobody knows, ten of them without an ethnicity.
fn world(folder: &Path) {
    let mut people = "token,known_on,born,practice,eth\n".to_owned();
    let mut hospital = "token,id,day,site,born,eth\n".to_owned();
    let mut clinic = "token,id,day,eth\n".to_owned();
    for number in 0..120 {
        let (kind, token) = (number / 20, format!("p{number:03}"));
        let practice = if number % 2 == 0 { "A81001" } else { "A81002" };
        let site = if number % 4 < 2 { "N" } else { "S" };
        let (known_on, ethnicity) = [
            ("2020-01-01", "A"),
            ("2020-01-01", "A"),
            ("2020-01-01", ""),
            ("2020-01-01", ""),
            ("2020-01-01", "A"),
            ("2010-01-01", "C"),
        ][kind];
        people += &format!("{token},{known_on},1970-01-01,{practice},{ethnicity}\n");
        // Of kind 1, the hospital has the birth date of somebody else.
        let born = if kind == 1 { "1971-01-01" } else { "1970-01-01" };
        if let Some(ethnicity) = [Some("A"), Some("B"), Some("99"), None, Some("A"), None][kind] {
            hospital += &format!("{token},h{number},2026-02-01,{site},{born},{ethnicity}\n");
        }
        if let Some(ethnicity) = [Some("A"), Some("B"), Some("A"), None, Some("B"), None][kind] {
            clinic += &format!("{token},c{number},2026-03-01,{ethnicity}\n");
        }
        if kind == 4 {
            clinic += &format!("{token},d{number},2026-03-08,A\n");
        }
    }
    for stranger in 0..15 {
        let ethnicity = if stranger < 10 { "" } else { "B" };
        hospital += &format!("x{stranger},x{stranger},2026-02-01,N,1970-01-01,{ethnicity}\n");
    }
    write(folder, "deliveries/people.csv", &people);
    write(folder, "deliveries/hospital.csv", &hospital);
    write(folder, "deliveries/clinic.csv", &clinic);
    declarations(folder);
}

fn declarations(folder: &Path) {
    write(
        folder,
        "run.toml",
        "title = \"By hand\"\ndeliveries = \"deliveries\"\nas_of = 2026-04-01\nsources = [\"people\", \"hospital\", \"clinic\"]\n\
         features = [\"who\"]\naudits = [\"gaps\"]\n[opt_outs]\nnone_because = \"invented\"\n[self_check]\none_in = 1\n",
    );
    write(
        folder,
        "features/who.toml",
        "[practice]\nlabel = \"Practice\"\nvalue = { of = \"people\", column = \"practice\" }\n",
    );
    write(
        folder,
        "sources/people.toml",
        "title = \"Register\"\nrole = \"register\"\none_row_is = \"a person\"\nfiles = \"people.csv\"\nlegal_basis = \"invented\"\n\
         recorded_by = \"practice\"\n[columns]\nperson = { from = \"token\", type = \"pseudonym\" }\n\
         date = { from = \"known_on\", type = \"date\" }\nbirth_date = { from = \"born\", type = \"date\" }\n\
         practice = { from = \"practice\", type = \"text\" }\n[demographics]\n\
         ethnicity = { from = \"eth\", values = \"eth\" }\nbirth = { from = \"born\" }\n",
    );
    write(
        folder,
        "sources/hospital.toml",
        "title = \"Hospital\"\none_row_is = \"a stay\"\nfiles = \"hospital.csv\"\nlegal_basis = \"invented\"\n\
         recorded_by = \"site\"\n[columns]\nperson = { from = \"token\", type = \"pseudonym\" }\n\
         date = { from = \"day\", type = \"date\" }\nsite = { from = \"site\", type = \"text\" }\n[demographics]\n\
         ethnicity = { from = \"eth\", values = \"eth\" }\nbirth = { from = \"born\" }\n",
    );
    write(
        folder,
        "sources/clinic.toml",
        "title = \"Clinic\"\none_row_is = \"a visit\"\nfiles = \"clinic.csv\"\nlegal_basis = \"invented\"\n[columns]\n\
         person = { from = \"token\", type = \"pseudonym\" }\ndate = { from = \"day\", type = \"date\" }\n[demographics]\n\
         ethnicity = { from = \"eth\", values = \"eth\" }\n",
    );
    let codes = "code,value,label,group,state\nA,A,Apple,,known\nB,B,Berry,,known\nC,C,Other,,known\n99,,Not known,,not_known\n";
    write(folder, "valuesets/eth.csv", codes);
    let sha256: String = Sha256::digest(codes).iter().map(|byte| format!("{byte:02x}")).collect();
    write(
        folder,
        "valuesets/valuesets.lock",
        &format!("[eth]\nfile = \"eth.csv\"\nsha256 = \"{sha256}\"\nversion = \"1\"\nsource = \"invented\"\n"),
    );
    write(
        folder,
        "audits/gaps.toml",
        r#"title = "Gaps"
split_by = ["practice"]
worklist_by = "practice"
worklist_rows = 25

[items.ethnicity]
label = "Ethnicity"
expires = "10 years"
other = { values = ["C"], at_most = 0.2 }
defaults_allowed = 0.1
resolve = "most_recent"
order = ["people", "hospital"]

[items.birth]
label = "Date of birth"
date_not_before = 1901-01-01
fixed = true
resolve = "source_order"

[pathways.stay]
title = "From a stay to the clinic"
within = "1 year"
steps = [{ title = "Stay", source = "hospital", where = "site = 'N'" }, { title = "Visit", source = "clinic" }]

[linkage]
by = ["ethnicity"]
identity = ["birth"]
"#,
    );
}

pub(super) fn tables(run: &Path) -> BTreeMap<String, Table> {
    let files = runs::files(&run.join("aggregate")).into_iter().filter(|(name, _)| name.ends_with(".csv"));
    files
        .map(|(name, bytes)| (name.trim_end_matches(".csv").to_owned(), riskstrat::publish::read_csv(&bytes)))
        .collect()
}

fn run(folder: &Path) -> std::path::PathBuf {
    let options = LoadOptions { as_of: Some(date(2026, 4, 1)), deliveries: None };
    runs::run(&folder.join("run.toml"), &options, &folder.join("out"), ENGINE).unwrap()
}

/// The rows of a table that begin with these cells, the rest of each joined.
pub(super) fn rows(table: &Table, begin: &[&str]) -> Vec<String> {
    let rows = table.iter().filter(|row| row.iter().zip(begin).all(|(cell, wanted)| cell == wanted));
    rows.map(|row| row[begin.len()..].join(" ")).collect()
}

#[test]
fn states_by_source_are_those_of_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let tables = tables(&run(folder.path()));
    let state = |source: &str, state: &str| {
        let of = |row: &&Vec<String>| row[1..5] == ["ethnicity", source, "everyone", "everyone"] && row[6] == state;
        tables["recording_gaps"].iter().find(of).map(|row| row[7].clone()).unwrap()
    };
    // Kind 1 is told differently by register and hospital; kind 4 agrees once more in the end.
    let all = ["known", "conflicting", "stale", "not_known", "blank"].map(|name| state("all sources", name));
    assert_eq!(all, ["60", "20", "20", "0", "20"]);
    assert_eq!(["known", "stale", "blank"].map(|name| state("people", name)), ["60", "20", "40"]);
    assert_eq!(["known", "not_known", "no_record"].map(|name| state("hospital", name)), ["60", "20", "40"]);
}

#[test]
fn rules_stand_side_by_side_and_sources_disagree_by_pairs() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let tables = tables(&run(folder.path()));
    assert_eq!(
        rows(&tables["resolution"], &["ethnicity"]),
        [
            // Recent, frequent, by source: kind 1 is B but by the register.
            "most_recent Apple 60 60 80",
            "most_recent Berry 20 20 0",
            "most_recent Other 20 20 20",
            "most_recent not recorded 20 20 20",
            "most_recent differs from the declared rule 0 0 20",
        ]
    );
    assert_eq!(
        rows(&tables["disagreement"], &["ethnicity", "people", "hospital"]),
        [
            "any value any value 60 100.0",
            "any value the same 40 66.7",
            "any value another 20 33.3",
            "Apple Berry 20 33.3"
        ]
    );
    assert_eq!(
        rows(&tables["disagreement"], &["birth"]),
        [
            "people hospital any value any value 80 100.0",
            "people hospital any value the same 60 75.0",
            "people hospital any value another 20 25.0"
        ]
    );
    // Kinds 1 and 4 changed; kind 4 came back.
    assert_eq!(rows(&tables["flips"], &["ethnicity"]), ["100 40 40.0 20 20.0"]);
}

#[test]
fn providers_score_and_overuse_other_categories() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let tables = tables(&run(folder.path()));
    let providers = &tables["recording_by_provider"];
    // Ten of forty known values of each practice say no more than "other": kind 5.
    let other = rows(providers, &["ethnicity", "people", "A81001", "60", "other_category"]);
    assert_eq!(other, ["10 25.0 above the limit of 20 %"]);
    assert_eq!(rows(providers, &["ethnicity", "hospital", "N", "40", "not_known"]), ["10 25.0 "]);
    // 40 records, all valid, 10 defaults where 4 are allowed: (40 - 6) / 40. Rows in one month of three.
    let dqmi = rows(&tables["dqmi"], &["hospital", "N", "ethnicity"]);
    assert_eq!(dqmi, ["40 40 10 10 % 85.000 33.333"]);
    // With the birth dates, which are all there: (0.85 + 1) / 2, a third covered.
    assert_eq!(rows(&tables["dqmi"], &["all sources", "N", "all items"]), ["    30.833 "]);
}

#[test]
fn a_gap_at_one_step_breaks_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let tables = tables(&run(folder.path()));
    let of = |step: &str, source: &str, item: &str| rows(&tables["pathways"], &["gaps", "stay", step, source, item]);
    // Forty people stayed at N; ten of them, of kind 2, with a default code, which the clinic mended.
    let stay = of("Stay", "hospital", "ethnicity");
    assert_eq!(stay[0], "40 known 30 75.0");
    assert!(stay.contains(&"40 not_known 10 25.0".to_owned()), "{stay:?}");
    assert_eq!(of("Visit", "clinic", "ethnicity")[0], "40 known 40 100.0");
    assert_eq!(of("Visit", "clinic", "birth"), ["40 not_carried 40 100.0"]);
    assert_eq!(
        of("whole pathway", "", "ethnicity"),
        ["40 unbroken 30 75.0", "40 broken 10 25.0", "40 not_carried 0 0.0"]
    );
}

#[test]
fn linkage_is_counted_by_what_rows_say_and_conflicts_by_who_people_are() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let tables = tables(&run(folder.path()));
    assert_eq!(
        rows(&tables["linkage"], &["hospital", "ethnicity"]),
        ["Apple 40 40 100.0 0 0", "Berry 25 20 * * 0", "not recorded 30 20 66.7 10 0"]
    );
    let conflicts = rows(&tables["false_links"], &["ethnicity"]);
    assert_eq!(conflicts[0], "Apple 60 0 0.0 0 0.0");
    assert_eq!(conflicts[1], "Berry 20 20 100.0 0 0.0");
    assert_eq!(conflicts[3], "not recorded 20 0 0.0 0 0.0");
}

/// The cells that say which rows belong together, in any table.
const KEYS: [&str; 7] = ["audit", "cohort", "model", "item", "source", "split", "score"];

fn without_not_recorded(tables: &BTreeMap<String, Table>) -> Vec<String> {
    let mut without = Vec::new();
    for (name, table) in tables {
        let (header, rows) = table.split_first().unwrap();
        let Some(group) = header.iter().position(|cell| cell == "group") else { continue };
        // What the unrecorded could do to the others is said of the others; a funnel holds providers, and who is favoured
        // is declared.
        if ["bounds", "funnel", "list_favoured"].contains(&name.as_str()) {
            continue;
        }
        let keys: Vec<usize> = (0..header.len()).filter(|at| KEYS.contains(&header[*at].as_str())).collect();
        let mut groups: BTreeMap<Vec<&str>, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            groups.entry(keys.iter().map(|at| row[*at].as_str()).collect()).or_default().insert(&row[group]);
        }
        for (key, groups) in groups {
            if !groups.contains("not recorded") && !groups.contains("everyone") {
                without.push(format!("{name}: {key:?} has {groups:?}"));
            }
        }
    }
    without
}

#[test]
fn not_recorded_is_a_group_of_its_own_in_every_table() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    assert_eq!(without_not_recorded(&tables(&run(folder.path()))), Vec::<String>::new());
    let demo = runs::root().join("pipelines/demo.toml");
    let run = runs::run(&demo, &LoadOptions::default(), &folder.path().join("demo"), ENGINE).unwrap();
    let tables = tables(&run);
    let grouped = tables.values().filter(|table| table[0].iter().any(|cell| cell == "group")).count();
    assert!(grouped >= 6, "only {grouped} tables have groups");
    assert_eq!(without_not_recorded(&tables), Vec::<String>::new());
}

#[test]
fn a_new_item_is_three_lines() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let audit = folder.path().join("audits/gaps.toml");
    let text = std::fs::read_to_string(&audit).unwrap();
    let item = "[items.colour]\nlabel = \"Colour\"\nresolve = \"most_recent\"\n";
    std::fs::write(&audit, text.replace("[pathways.stay]", &format!("{item}\n[pathways.stay]"))).unwrap();
    for source in ["people", "hospital"] {
        let path = folder.path().join(format!("sources/{source}.toml"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "colour = { from = \"eth\", values = \"eth\" }\n").unwrap();
    }
    let tables = tables(&run(folder.path()));
    for name in ["recording_gaps", "recording_by_provider", "dqmi", "resolution", "disagreement", "flips", "pathways"] {
        let table = &tables[name];
        let item = table[0].iter().position(|cell| cell == "item").unwrap();
        assert!(table.iter().any(|row| row[item] == "colour"), "{name} knows nothing of the new item");
    }
}

#[test]
fn what_was_mended_is_told_at_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let path = folder.path().join("run.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("[opt_outs]", "[outreach]\nremember = true\n[opt_outs]")).unwrap();
    let first = run(folder.path());
    assert!(!first.join("aggregate/mended.csv").exists(), "nothing was before it");
    // The practices ask the twenty people of kind 3, and ten of them answer.
    let path = folder.path().join("deliveries/people.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let asked = |line: &str| {
        let number = line.get(1..4).and_then(|number| number.parse::<u32>().ok());
        if number.is_some_and(|number| (60..70).contains(&number)) { format!("{line}A") } else { line.to_owned() }
    };
    std::fs::write(&path, text.lines().map(asked).collect::<Vec<_>>().join("\n")).unwrap();
    let options = LoadOptions { as_of: Some(date(2026, 4, 8)), deliveries: None };
    let next = runs::run(&folder.path().join("run.toml"), &options, &folder.path().join("out"), ENGINE).unwrap();
    let tables = tables(&next);
    assert_eq!(rows(&tables["mended"], &["ethnicity"]), ["60 10 16.7 50 0 0"]);
    assert_eq!(rows(&tables["mended"], &["birth"]), ["20 0 0.0 20 0 0"]);
}

#[test]
fn a_worklist_is_no_longer_than_it_was_asked_for_and_begins_with_what_is_worth_most() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let run = run(folder.path());
    let worklist = riskstrat::publish::read_csv(&std::fs::read(run.join("person/gaps/A81001.csv")).unwrap());
    let (header, rows) = worklist.split_first().unwrap();
    assert_eq!(header.last().unwrap(), "value");
    assert_eq!(rows.len(), 25);
    let values: Vec<u32> = rows.iter().map(|row| row.last().unwrap().parse().unwrap()).collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
}

/// How often each source is read, with all that the audits make of it.
fn scans(folder: &Path) -> Vec<usize> {
    let pipeline = riskstrat::pipeline::parse::load(&folder.join("run.toml"), &LoadOptions::default()).unwrap();
    let delivered = riskstrat::source::find(&pipeline).unwrap();
    let conformed = riskstrat::conform::conform(&pipeline, &delivered, ENGINE).unwrap();
    let records = riskstrat::link::link(&conformed).unwrap();
    let (people, features, _) = riskstrat::features::pass(records, &|_| ()).unwrap();
    let scores = riskstrat::score::score(&pipeline, &features, 2).unwrap();
    let (cohorts, history) = (riskstrat::cohort::Cohorts { lists: Vec::new() }, Default::default());
    let gaps = riskstrat::audit::gaps(&pipeline, &people, &features, &scores, &cohorts, &history, 2).unwrap();
    let counted: Vec<u64> = gaps.counts.iter().map(|counts| counts.people).collect();
    assert_eq!(counted.is_empty(), pipeline.audits.is_empty());
    conformed.scans()
}

#[test]
fn audits_read_no_source_again() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let with_audits = scans(folder.path());
    // Who is on the spine is settled before anything else is read.
    assert_eq!(with_audits, [2, 1, 1]);
    for name in ["sources/people.toml", "sources/hospital.toml", "sources/clinic.toml"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        write(folder.path(), name, text.split("[demographics]").next().unwrap());
    }
    let run = std::fs::read_to_string(folder.path().join("run.toml")).unwrap();
    write(folder.path(), "run.toml", &run.replace("audits = [\"gaps\"]\n", ""));
    assert_eq!(scans(folder.path()), with_audits);
}
