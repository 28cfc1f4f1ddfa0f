//! All that a run judged is judged again at release: owners, the last listing, validity, recipients, tokens in any format.

use std::collections::BTreeSet;

use riskstrat::release::{self, Done, Event};
use riskstrat::storage::LocalDisk;

use super::world::{COHORT, Fate, KEY, World, crosswalk};
use crate::runs;

fn released(done: &Done, cohort: &str) -> BTreeSet<String> {
    let rows = crosswalk(&done.folder).into_iter().filter(|row| row["cohort"] == cohort);
    rows.map(|row| row["person"].clone()).collect()
}

fn page(done: &Done) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(done.folder.join("release.json")).unwrap()).unwrap()
}

/// How many people of a cohort were removed for a reason.
fn removed(done: &Done, cohort: &str, reason: &str) -> u64 {
    let page = page(done);
    let lists = page["lists"].as_array().unwrap().iter().filter(|list| list["cohort"] == cohort);
    lists.filter_map(|list| list["removed"][reason].as_u64()).sum()
}

fn only(cohorts: &[&str], world: &World, as_of: &str, deliveries: &str) -> Done {
    let cohorts: Vec<String> = cohorts.iter().map(|name| (*name).to_owned()).collect();
    world.release_with(as_of, deliveries, KEY, &LocalDisk, |request| request.cohorts.clone_from(&cohorts)).unwrap()
}

const OFTEN_FIRST: &str = "precedence = [\"often\", \"everyone\"]";

fn one_owner(world: &World) {
    world.replace("run.toml", "[publish]", &format!("[outreach]\none_owner = true\n{OFTEN_FIRST}\n[publish]"));
}

#[test]
fn nobody_is_released_who_is_on_a_list_that_another_recipient_still_has() {
    let world = World::of(12);
    one_owner(&world);
    world.replace("cohorts/often.toml", "[signed_off]", "valid_for = \"10 days\"\n[signed_off]");
    world.run("2026-04-01", "first").unwrap();
    let first = only(&["often"], &world, "2026-04-01", "first");
    // A later run gives the same people to the other cohort.
    world.replace("run.toml", OFTEN_FIRST, "precedence = [\"everyone\", \"often\"]");
    world.later("second", "");
    let run = world.run("2026-04-03", "second").unwrap();
    let on_it: BTreeSet<String> =
        runs::list(&run, "everyone/all.csv").iter().map(|row| row["person"].clone()).collect();
    let held = released(&first, "often");
    let both = on_it.intersection(&held).count() as u64;
    assert!(both >= 4, "the later run lists {both} of them");
    let second = only(&["everyone"], &world, "2026-04-03", "second");
    assert!(released(&second, "everyone").is_disjoint(&held));
    assert_eq!(removed(&second, "everyone", "on another list: often"), both);
    // Replaced in the same release, it holds no longer; neither when it was withdrawn, or is past its date.
    let together = only(&["often", "everyone"], &world, "2026-04-03", "second");
    assert_eq!(released(&together, "everyone"), on_it);
    let withdrawn = release::WithdrawRequest {
        release: together.entry.id.clone(),
        recipients: Vec::new(),
        reason: "a test".to_owned(),
        by: "a tester".to_owned(),
        on: None,
    };
    release::withdraw(&LocalDisk, &world.out(), &withdrawn).unwrap();
    assert_eq!(released(&only(&["everyone"], &world, "2026-04-03", "second"), "everyone"), on_it);
}

#[test]
fn a_list_past_its_date_owns_nobody_and_is_not_released() {
    let world = World::of(12);
    one_owner(&world);
    world.replace("cohorts/often.toml", "[signed_off]", "valid_for = \"1 day\"\n[signed_off]");
    world.run("2026-04-01", "first").unwrap();
    let first = only(&["often"], &world, "2026-04-01", "first");
    world.later("second", "");
    let error = world.release("2026-04-03", "second").unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("valid until 2026-04-02"), "{error}");
    world.replace("run.toml", OFTEN_FIRST, "precedence = [\"everyone\", \"often\"]");
    world.run("2026-04-03", "second").unwrap();
    let second = only(&["everyone"], &world, "2026-04-03", "second");
    assert!(
        released(&second, "everyone").intersection(&released(&first, "often")).count() >= 4,
        "it held until 2 April"
    );
}

/// Two tokens of two lists turn out to be one person: the first cohort by precedence has them.
#[test]
fn who_became_one_person_has_one_owner() {
    let mut world = World::of(12);
    one_owner(&world);
    let run = world.run("2026-04-01", "first").unwrap();
    let of = |file: &str| {
        let rows = runs::list(&run, file).into_iter();
        rows.filter(|row| row["practice"] == "A81001").map(|row| row["person"].clone()).next().unwrap()
    };
    let (one, other) = (of("often/A81001.csv"), of("everyone/all.csv"));
    world.set(&one, Fate::NewToken);
    world.later("second", "");
    let superseded = std::fs::read_to_string(world.path("second/superseded.csv")).unwrap();
    world.write("second/superseded.csv", &format!("{superseded}{other},{one}-new\n"));
    let done = only(&["everyone", "often"], &world, "2026-04-03", "second");
    assert!(released(&done, "often").contains(&format!("{one}-new")));
    assert!(!released(&done, "everyone").contains(&format!("{one}-new")));
    assert_eq!(removed(&done, "everyone", "on another list: often"), 1);
}

#[test]
fn whoever_another_run_listed_lately_is_left_alone() {
    let world = World::of(9);
    let remember = "[outreach]\nremember = true\ncool_off = { listed_within = \"14 days\" }\n[publish]";
    world.replace("run.toml", "[publish]", remember);
    world.run("2026-04-01", "first").unwrap();
    let first = world.release("2026-04-01", "first").unwrap();
    world.later("second", "");
    let again = world.release("2026-04-03", "second").unwrap();
    assert_eq!(released(&again, COHORT), released(&first, COHORT), "its own release is no earlier list");
    // Another run file lists the same people, and its lists are released first.
    let mut world = World::of(9);
    world.replace("run.toml", "[publish]", remember);
    world.write("daily.toml", &std::fs::read_to_string(world.path("run.toml")).unwrap());
    world.run("2026-04-01", "first").unwrap();
    world.run_file = "daily.toml";
    world.run("2026-04-01", "first").unwrap();
    let daily = world.release("2026-04-01", "first").unwrap();
    world.run_file = "run.toml";
    let weekly = world
        .release_with("2026-04-01", "first", KEY, &LocalDisk, |request| request.run = Some(of_file(&world, "run.toml")))
        .unwrap();
    let listed = crosswalk(&daily.folder).into_iter().filter(|row| row["status"] == "listed").count() as u64;
    assert!(listed == 4 && removed(&weekly, COHORT, "listed in the last 14 days") == listed);
    assert_eq!(released(&weekly, COHORT).len(), 4, "the reserve was not listed, and moves up");
}

/// The id of the run that was made with a run file.
fn of_file(world: &World, name: &str) -> String {
    let runs = std::fs::read_dir(world.out().join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let made_with = |run: &std::path::PathBuf| runs::receipt(run)["declarations"].to_string().contains(name);
    let run = runs.into_iter().find(made_with).unwrap();
    run.file_name().unwrap().to_string_lossy().into_owned()
}

/// Nobody owns the list of people whose recipient is not recorded: it goes nowhere, and is counted.
#[test]
fn who_has_no_recipient_is_released_to_nobody() {
    let mut people = World::of(9).people;
    people[0].practice = "";
    let canary = people[0].token.clone();
    let world = World::new(people);
    world.replace("sources/people.toml", "system = \"ods\"", "system = \"ods\", optional = true");
    let run = world.run("2026-04-01", "first").unwrap();
    assert_eq!(runs::list(&run, "often/unallocated.csv")[0]["person"], canary, "the data team has them");
    let done = only(&["often", "everyone"], &world, "2026-04-01", "first");
    assert!(!released(&done, "often").contains(&canary) && released(&done, "everyone").contains(&canary));
    assert!(!done.folder.join("to/unallocated").exists());
    assert_eq!(page(&done)["without_recipient"], serde_json::json!({ "often": 1 }));
    let Event::Release(release) = &done.entry.event else { panic!("it is a release") };
    assert_eq!(release.without_recipient, 1);
}

/// A cell that holds a token is found in whatever format it would leave.
#[test]
fn a_token_that_all_sources_share_leaves_in_no_format() {
    for format in ["csv", "xlsx", "parquet", "fhir", "worklist"] {
        let world = World::of(4);
        world.replace("sources/people.toml", "[columns]", "[columns]\nalias = { from = \"token\", type = \"text\" }");
        let features = std::fs::read_to_string(world.path("features/all.toml")).unwrap();
        let alias = "[alias]\nlabel = \"Alias\"\nvalue = { of = \"people\", column = \"alias\" }\n";
        world.write("features/all.toml", &format!("{features}{alias}"));
        world.replace("cohorts/often.toml", "any.often = {", "any.often = { reason = \"Known as {alias}\",");
        let system = if format == "fhir" { "\nidentifier_system = \"https://example.org/token\"" } else { "" };
        let formats = format!("formats = [\"{format}\"]{system}");
        world.replace("run.toml", "formats = [\"csv\", \"parquet\"]", &formats);
        world.run("2026-04-01", "first").unwrap();
        let error = world.release("2026-04-01", "first").unwrap_err();
        assert_eq!(error.exit_code(), 1, "{format}: {error}");
        let text = error.to_string();
        assert!(text.contains("to/A8100") && text.contains("holds a token that all sources share"), "{format}: {text}");
        assert!(!text.contains("canary"), "{format}");
        assert!(!world.out().join("releases/ledger.ndjson").exists(), "{format}: nothing was released");
    }
}
