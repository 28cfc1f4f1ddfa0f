//! Everyone is judged again at release (trust rows K4 to K7).

use std::collections::BTreeSet;

use riskstrat::release::{self, Done};
use riskstrat::storage::LocalDisk;

use super::world::{COHORT, Fate, KEY, World, crosswalk, feedback, sent};
use crate::runs;

const NOW: (&str, &str) = ("2026-04-01", "first");

fn released(world: &World) -> Done {
    world.run(NOW.0, NOW.1).unwrap();
    world.release(NOW.0, NOW.1).unwrap()
}

fn people(done: &Done) -> Vec<String> {
    crosswalk(&done.folder).into_iter().map(|row| row["person"].clone()).collect()
}

#[test]
fn a_release_holds_what_each_recipient_may_see_and_nothing_else() {
    let world = World::of(9);
    let done = released(&world);
    let rows = crosswalk(&done.folder);
    assert_eq!(rows.len(), 8, "two listed and two in reserve at each of two practices");
    for practice in ["A81001", "A81002"] {
        let list = sent(&done, &format!("{practice}/{COHORT}.csv"));
        let mine: Vec<_> = rows.iter().filter(|row| row["recipient"] == practice).collect();
        let shown = |name: &str| list.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
        let known = |name: &str| mine.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
        assert_eq!((shown("person"), shown("rank"), shown("status")), (known("token"), known("rank"), known("status")));
        let changes = sent(&done, &format!("{practice}/changes.csv"));
        assert!(changes.iter().all(|row| row["change"] == "added") && changes.len() == 4);
    }
    let files = runs::files(&done.folder.join("to"));
    assert_eq!(files.len(), 6, "a list in two formats and the changes, twice: {:?}", files.keys());
    let text = files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<String>();
    assert!(!text.contains("canary"), "no token that all sources share");
    let page: serde_json::Value =
        serde_json::from_slice(&std::fs::read(done.folder.join("release.json")).unwrap()).unwrap();
    assert_eq!((&page["lists"][0]["in_run"], &page["lists"][0]["listed"]), (&4.into(), &2.into()));
    let again = world.release(NOW.0, NOW.1).unwrap();
    assert!(again.already && again.entry == done.entry, "the same again is no second release");
}

/// K4: of someone who opted out no output holds a byte, whatever source speaks of them; and without a good source of
/// opt-outs nothing leaves.
#[test]
fn k4_nobody_who_opted_out_leaves_a_trace() {
    let mut world = World::of(8);
    let canary = world.people[0].token.clone();
    world.set(&canary, Fate::OptsOut);
    world.later("second", &format!("{canary},,often,2026-04-02,nurse,accepted,,,\n"));
    world.run("2026-04-03", "second").unwrap();
    world.release("2026-04-03", "second").unwrap();
    for (path, bytes) in runs::files(&world.out()) {
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{path}");
    }
    let run = std::fs::read_dir(world.out().join("runs")).unwrap().next().unwrap().unwrap().path();
    for table in ["features.parquet", "scores.parquet"] {
        assert!(!runs::people(&run, table).contains_key(&canary), "{table}");
    }
}

#[test]
fn k4_without_good_opt_outs_nothing_is_released() {
    let world = World::of(8);
    world.run(NOW.0, NOW.1).unwrap();
    let cases = [
        ("missing", None, 3),
        ("empty", Some("token,recorded\n"), 3),
        ("stale", Some("token,recorded\nlong-gone,2026-03-01\n"), 3),
        ("of another key", Some("token,recorded\nanother-key,2026-04-02\n"), 1),
        ("damaged", Some("token,recorded\nlong-gone,soon\n"), 1),
    ];
    for (case, text, code) in cases {
        world.later("second", "");
        let path = world.path("second/opt_outs.csv");
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let error = world.release("2026-04-03", "second").unwrap_err();
        assert_eq!(error.exit_code(), code, "{case}: {error}");
        assert!(!error.to_string().contains("long-gone") && !error.to_string().contains("another-key"), "{case}");
        let left = std::fs::read_dir(world.out().join("releases")).unwrap().count();
        assert_eq!(left, 0, "{case}: nothing was released");
    }
}

/// K5 and K6, and every other way in which someone is off a list after the run, each known from one source alone.
#[test]
fn k5_k6_whoever_is_off_after_the_run_is_removed_and_the_reserve_moves_up() {
    for fate in Fate::ALL {
        let mut world = World::of(12);
        let first = released(&world);
        let canary = world.people[1].token.clone();
        world.set(&canary, fate);
        world.later("second", &feedback(&world, &first, "2026-04-02"));
        let second = world.release("2026-04-03", "second").unwrap();
        let token_before = crosswalk(&first.folder).into_iter().find(|row| row["person"] == canary).unwrap();
        let recipient = &token_before["recipient"];
        let changes = sent(&second, &format!("{recipient}/changes.csv"));
        let Some(reason) = fate.reason() else {
            let expected = if fate == Fate::NewToken { vec!["new token"] } else { vec![] };
            assert_eq!(changes.iter().map(|row| row["change"].as_str()).collect::<Vec<_>>(), expected, "{fate:?}");
            continue;
        };
        assert!(!people(&second).contains(&canary), "{fate:?}");
        let told: Vec<_> = changes.iter().map(|row| (row["change"].as_str(), row["token"].as_str())).collect();
        let word = if reason == "died" { "died" } else { "removed" };
        assert_eq!(told[0], (word, token_before["token"].as_str()), "{fate:?}");
        assert_eq!((told[1].0, told.len()), ("moved up to the list", 2), "{fate:?}");
        let page = std::fs::read_to_string(second.folder.join("release.json")).unwrap();
        assert!(page.contains(&format!("\"{reason}\": 1")), "{fate:?}: {page}");
        for (path, bytes) in runs::files(&second.folder.join("to")) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(path.ends_with("parquet") || reason == "died" || !text.contains(reason), "{fate:?}: {path}");
        }
    }
}

#[test]
fn a_release_belongs_to_its_run() {
    let world = World::of(8);
    world.run(NOW.0, NOW.1).unwrap();
    assert_eq!(world.release("2026-03-31", NOW.1).unwrap_err().exit_code(), 2, "before its run");
    world.release(NOW.0, NOW.1).unwrap();
    world.later("second", "");
    world.release("2026-04-03", "second").unwrap();
    let error = world.release("2026-04-02", "second").unwrap_err();
    assert_eq!(error.exit_code(), 2, "before the last event: {error}");
    let text = std::fs::read_to_string(world.path("cohorts/often.toml")).unwrap();
    world.write("cohorts/often.toml", &text.replace(">= 1", ">= 2"));
    let error = world.release("2026-04-03", "second").unwrap_err();
    assert!(error.to_string().contains("other declarations"), "{error}");
}

/// K7: nobody can tell that tokens of two recipients are one person's.
#[test]
fn k7_a_person_has_another_token_for_each_recipient() {
    let world = World::of(8);
    world.run(NOW.0, NOW.1).unwrap();
    let done = world.release_with(NOW.0, NOW.1, KEY, &LocalDisk, |request| request.cohorts.clear()).unwrap();
    let rows = crosswalk(&done.folder);
    let of = |cohort: &str| rows.iter().filter(|row| row["cohort"] == cohort).collect::<Vec<_>>();
    let (often, everyone) = (of("often"), of("everyone"));
    let both = everyone.iter().filter(|row| often.iter().any(|other| other["person"] == row["person"])).count();
    assert!(both >= 4, "the lists share people");
    let tokens: BTreeSet<_> = rows.iter().map(|row| &row["token"]).collect();
    assert_eq!(tokens.len(), rows.len(), "each recipient has one list here, and no two share a token");
}

#[test]
fn another_key_is_another_domain_and_is_taken_on_purpose_only() {
    let world = World::of(8);
    let first = released(&world);
    world.later("second", "");
    let other = "another key for tests, as long as it must be";
    let go =
        |new_key| world.release_with("2026-04-03", "second", other, &LocalDisk, |request| request.new_key = new_key);
    let error = go(false).unwrap_err();
    assert!(error.exit_code() == 2 && error.to_string().contains("--new-key"), "{error}");
    let second = go(true).unwrap();
    let tokens =
        |done: &Done| crosswalk(&done.folder).into_iter().map(|row| row["token"].clone()).collect::<BTreeSet<_>>();
    assert!(tokens(&first).is_disjoint(&tokens(&second)));
    let changes = sent(&second, "A81001/changes.csv");
    assert!(changes.iter().all(|row| row["change"] == "new token" && tokens(&first).contains(&row["token_before"])));
}

#[test]
fn what_was_withdrawn_counts_as_listed_no_more() {
    let world = World::of(8);
    let first = released(&world);
    let past = |day: &str| {
        let listings = release::past_listings(&LocalDisk, &world.out(), day.parse().unwrap()).unwrap();
        listings.map(|listings| listings.by_token.values().map(Vec::len).sum::<usize>())
    };
    assert_eq!((past("2026-04-01"), past("2026-04-02")), (None, Some(4)), "the reserve does not count");
    let request = |recipients: &[&str]| release::WithdrawRequest {
        release: first.entry.id.clone(),
        recipients: recipients.iter().map(|name| (*name).to_owned()).collect(),
        reason: "The wrong practice list was used".to_owned(),
        by: "a tester".to_owned(),
        on: Some("2026-04-02".parse().unwrap()),
    };
    let withdraw = |recipients: &[&str]| release::withdraw(&LocalDisk, &world.out(), &request(recipients));
    let one = withdraw(&["A81001"]).unwrap();
    let notice = std::fs::read_to_string(one.folder.join("to/A81001/withdrawn.md")).unwrap();
    assert!(notice.contains("The wrong practice list was used") && notice.contains("- often.csv\n"), "{notice}");
    assert_eq!(sent(&one, "A81001/withdrawn.csv").len(), 4);
    assert!(!one.folder.join("to/A81002").exists());
    assert_eq!((past("2026-04-02"), past("2026-04-03")), (Some(4), Some(2)));
    assert!(withdraw(&["A81001"]).unwrap().already);
    assert_eq!(withdraw(&["nobody"]).unwrap_err().exit_code(), 2);
    let rest = withdraw(&[]).unwrap();
    assert!(rest.folder.join("to/A81002/withdrawn.md").is_file() && past("2026-04-03") == Some(0));
    world.later("second", "");
    let again = world.release("2026-04-03", "second").unwrap();
    assert!(sent(&again, "A81001/changes.csv").iter().all(|row| row["change"] == "added"), "they had nothing left");
    assert_eq!(past("2026-04-04"), Some(4));
    assert_eq!(withdraw(&["A81001"]).unwrap_err().exit_code(), 2, "already withdrawn");
    release::verify(&LocalDisk, &world.out()).unwrap();
}
