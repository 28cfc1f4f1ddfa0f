//! What a run that differs much from the one before must do (trust rows B3 to B6 and L7).

use jiff::ToSpan;
use jiff::civil::Date;
use riskstrat::error::Error;
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::release::{self, Done, Request};
use riskstrat::run::Options;
use riskstrat::storage::LocalDisk;
use riskstrat::token::Key;
use serde_json::Value;
use zeroize::Zeroizing;

use super::hub::{self, AS_OF, Hub, Person, Rows};
use crate::runs::{self, ENGINE};

const CAPACITY: &str = "[capacity]\nper = \"team\"\ntake = 40\n";

/// Forty people of four practices, with three visits each; nobody is kept off but those whom every source must know.
fn forty() -> Vec<Person> {
    let practice = |number: usize| ["P1", "P2", "P3", "P4"][number % 4];
    let mut people: Vec<Person> =
        (0..40).map(|number| Person::new(&format!("w{number:02}"), practice(number), 3)).collect();
    people.push(Person::new("gone", "P1", 3).kept_off("opted_out"));
    people
}

/// A hub that remembers, with a first run published a week ago.
fn remembering(people: &[Person]) -> Hub {
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.replace("run.toml", "one_owner = true", "remember = true");
    hub.deliver(&hub::rows(people, AS_OF - 7.days()));
    hub.published(AS_OF - 7.days());
    hub
}

fn this_week(people: &[Person]) -> Rows {
    hub::rows(people, AS_OF)
}

fn without(mut rows: Rows, source: &'static str, row: impl Fn(&str) -> bool) -> Rows {
    rows.get_mut(source).unwrap().retain(|text| !row(text));
    rows
}

#[test]
fn b3_a_delivery_older_than_the_last_used_needs_a_word() {
    let people = forty();
    let hub = remembering(&people);
    let mut rows = this_week(&people);
    rows.insert("visits", hub::rows(&people, AS_OF - 9.days()).remove("visits").unwrap());
    hub.deliver(&rows);
    hub.refused(
        AS_OF,
        3,
        &["source visits: data up to 2026-03-11, but the run before had data up to 2026-03-13", "--allow-older"],
    );
    let consent = Consent { allow_older: true, ..Consent::default() };
    let receipt = runs::receipt(&hub.run(AS_OF, &consent).unwrap());
    assert_eq!(receipt["basis"]["allow_older"], true);
}

#[test]
fn b4_a_source_that_shrinks_or_grows_stops_the_run_and_names_the_providers() {
    let people = forty();
    let hub = remembering(&people);
    let fewer = without(this_week(&people), "visits", |row| row.ends_with(",P2") && row.starts_with("w0"));
    let fewer = without(fewer, "visits", |row| row.starts_with("w1") && row.ends_with(",P3"));
    hub.deliver(&fewer);
    hub.refused(
        AS_OF,
        1,
        &["source visits: 105 rows, 123 in run", "shrink by 10 %", "P2: 21 rows, 30 before", "P3: 21 rows, 30 before"],
    );
    let mut more = this_week(&people);
    let again: Vec<String> = more["visits"][1..].iter().map(|row| row.replace("2026-03-20", "2026-03-21")).collect();
    more.get_mut("visits").unwrap().extend(again);
    hub.deliver(&more);
    hub.refused(AS_OF, 1, &["source visits: 246 rows, 123 in run", "grow by 50 %"]);
    hub.replace("run.toml", "[self_check]", "[limits]\nrows_grow = 1.5\n\n[self_check]");
    hub.published(AS_OF);
}

#[test]
fn b5_a_practice_that_sends_nothing_is_named_and_its_people_are_on_no_list() {
    let people = forty();
    let hub = remembering(&people);
    hub.replace(
        "run.toml",
        "[self_check]",
        "[limits]\nrows_shrink = 0.5\nlist_size = 0.5\nlist_turnover = 0.5\ngroup_points = 50\n\n[self_check]",
    );
    hub.deliver(&without(this_week(&people), "visits", |row| row.ends_with(",P2")));
    let week = |run: std::path::PathBuf| {
        let receipt = runs::receipt(&run);
        let first = &receipt["cohorts"][0];
        let no_data =
            first["excluded"].as_array().unwrap().iter().find(|excluded| excluded["reason"] == "no data from P2");
        assert_eq!(no_data.unwrap()["people"], 10);
        assert_eq!(
            (&first["listed"], &first["not_included"]),
            (&Value::from(30), &Value::from(0)),
            "none counts as without need"
        );
        receipt
    };
    let receipt = week(hub.published(AS_OF));
    let warning = receipt["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("source visits: nothing from P2, which sent 30 rows before (24.4 % of the source"),
        "{warning}"
    );
    assert!(warning.ends_with("its 10 people are on no list"), "{warning}");
    // It is missed until it sends again, or is known to have closed.
    hub.deliver(&without(hub::rows(&people, AS_OF + 7.days()), "visits", |row| row.ends_with(",P2")));
    week(hub.published(AS_OF + 7.days()));
    hub.replace("run.toml", "rows_shrink = 0.5", "rows_shrink = 0.5\nclosed_providers = { visits = [\"P2\"] }");
    let receipt = runs::receipt(&hub.published(AS_OF + 7.days()));
    assert_eq!(receipt["cohorts"][0]["not_included"], 10, "closed: its people have no need that anyone knows of");
}

#[test]
fn b5_an_absent_provider_whose_people_nobody_knows_stops_the_run() {
    let people = forty();
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.replace("run.toml", "one_owner = true", "remember = true");
    hub.replace("sources/visits.toml", ", people = \"practice\"", "");
    hub.deliver(&hub::rows(&people, AS_OF - 7.days()));
    hub.published(AS_OF - 7.days());
    hub.replace("run.toml", "[self_check]", "[limits]\nrows_shrink = 0.5\n\n[self_check]");
    hub.deliver(&without(this_week(&people), "visits", |row| row.ends_with(",P2")));
    hub.refused(
        AS_OF,
        1,
        &["source visits: nothing from P2", "no register says whose people these are", "closed_providers"],
    );
}

/// Releases the lists of the current run on what is delivered now.
fn release(hub: &Hub, as_of: Date) -> Result<Done, Error> {
    let options = LoadOptions { as_of: Some(as_of), deliveries: None };
    let pipeline = parse::load(&hub.path("run.toml"), &options)?;
    let options = Options { out: hub.path("out"), engine: ENGINE, consent: Consent::default() };
    let request = Request { run: None, cohorts: Vec::new(), by: "a tester".into(), new_key: false };
    let key = Key::new(Zeroizing::new(b"a key for tests, and for nothing else".to_vec()))?;
    release::release(&pipeline, &options, &request, &key, &LocalDisk, &Journal::default())
}

#[test]
fn a_release_is_held_against_its_run() {
    let people = forty();
    let hub = remembering(&people);
    hub.deliver(&this_week(&people));
    hub.published(AS_OF);
    hub.deliver(&without(this_week(&people), "visits", |row| row.ends_with(",P2")));
    let error = release(&hub, AS_OF).unwrap_err();
    assert!(error.exit_code() == 1 && error.to_string().contains("source visits: 93 rows, 123 in run"), "{error}");
    hub.deliver(&this_week(&people));
    let error = release(&hub, AS_OF + 7.days()).unwrap_err();
    assert!(error.exit_code() == 3 && error.to_string().contains("a new delivery is due every 7 days"), "{error}");
    assert!(!hub.path("out/releases/ledger.ndjson").exists());
    release(&hub, AS_OF).unwrap();
}

#[test]
fn b5_people_of_a_practice_that_sends_nothing_are_not_released() {
    let people = forty();
    let hub = remembering(&people);
    hub.replace("run.toml", "[self_check]", "[limits]\nrows_shrink = 0.5\n\n[self_check]");
    hub.deliver(&this_week(&people));
    hub.published(AS_OF);
    hub.deliver(&without(this_week(&people), "visits", |row| row.ends_with(",P2")));
    let done = release(&hub, AS_OF).unwrap();
    let page: Value = serde_json::from_slice(&std::fs::read(done.folder.join("release.json")).unwrap()).unwrap();
    for cohort in ["first", "second"] {
        let lists = page["lists"].as_array().unwrap().iter().filter(|list| list["cohort"] == cohort);
        let counts =
            lists.map(|list| [&list["removed"]["no data from P2"], &list["listed"]].map(|n| n.as_u64().unwrap_or(0)));
        assert_eq!(counts.fold([0, 0], |[a, b], [c, d]| [a + c, b + d]), [10, 30], "{cohort}");
    }
    assert!(page["warnings"][0].as_str().unwrap().contains("nothing from P2"), "{}", page["warnings"]);
}

#[test]
fn b6_the_same_files_when_new_ones_are_due_stop_the_run() {
    let people = forty();
    let hub = remembering(&people);
    let old = hub::rows(&people, AS_OF - 7.days());
    let keep = |mut rows: Rows| {
        rows.insert("visits", old["visits"].clone());
        rows
    };
    hub.deliver(&keep(hub::rows(&people, AS_OF - 1.day())));
    let receipt = runs::receipt(&hub.published(AS_OF - 1.day()));
    assert_eq!(runs::account(&receipt, "visits")["files_since"], "2026-03-25", "not due for another day");
    hub.deliver(&keep(this_week(&people)));
    hub.refused(
        AS_OF,
        3,
        &["source visits: the same files as on 2026-03-25, though a new delivery is due every 7 days"],
    );
    hub.deliver(&this_week(&people));
    let receipt = runs::receipt(&hub.published(AS_OF));
    assert_eq!(runs::account(&receipt, "visits")["files_since"], "2026-04-01");
}

#[test]
fn l7_lists_that_change_much_wait_for_a_human() {
    let people = forty();
    let hub = remembering(&people);
    let mut changed = people.clone();
    changed.iter_mut().take(13).for_each(|person| person.kept_off = Some("in_hospital"));
    changed.iter_mut().skip(13).for_each(|person| person.area = "B");
    hub.deliver(&this_week(&changed));
    let said = hub.refused(
        AS_OF,
        1,
        &[
            "cohort first: 27 people listed, 40 in run 2026-03-25_",
            "the number may change by 20 %",
            "cohort first: 13 of the 40 people listed in run 2026-03-25_",
            "area A: 0.0 % of those listed, 100.0 % in run",
            "area B: 100.0 % of those listed, 0.0 % in run",
            "--approved-by",
        ],
    );
    assert!(people.iter().all(|person| !said.contains(&person.token)));
    let consent = Consent { approved_by: Some("Dr A. Reviewer".to_owned()), ..Consent::default() };
    let run = hub.run(AS_OF, &consent).unwrap();
    let receipt = runs::receipt(&run);
    assert_eq!(receipt["basis"]["approved_by"], "Dr A. Reviewer");
    let warnings = receipt["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|warning| warning.as_str().unwrap().ends_with("approved by Dr A. Reviewer")));
    assert!(warnings.len() >= 4, "{warnings:?}");
    assert_eq!(hub.run(AS_OF, &consent).unwrap(), run, "the same again is done already");
    hub.refused(AS_OF, 1, &["--approved-by"]);
}

#[test]
fn a_run_without_memory_has_nothing_to_be_held_against() {
    let people = forty();
    let hub = remembering(&people);
    hub.replace("run.toml", "remember = true\n", "");
    hub.deliver(&without(this_week(&people), "visits", |row| row.ends_with(",P2")));
    let receipt = runs::receipt(&hub.published(AS_OF));
    assert_eq!(receipt["basis"], Value::Null);
}
