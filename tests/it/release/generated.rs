//! Generated populations: what is released is the run's list without those whose fate came true, in the run's order.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{COHORT, Fate, Person, World, crosswalk, feedback, sent};
use crate::runs;

/// In the later feed, worked out from the fates alone: who is on each recipient's list, best first, with their status.
fn expected(world: &World, run: &std::path::Path) -> BTreeMap<String, Vec<(String, &'static str)>> {
    let mut lists = BTreeMap::new();
    for practice in ["A81001", "A81002", "A81003"] {
        if !run.join(format!("person/lists/{COHORT}/{practice}.csv")).exists() {
            continue;
        }
        let rows = runs::list(run, &format!("{COHORT}/{practice}.csv"));
        let places = rows.iter().filter(|row| row["status"] == "listed").count();
        let stays =
            |token: &str| world.people.iter().any(|person| person.token == token && person.fate.reason().is_none());
        let left = rows.iter().map(|row| row["person"].clone()).filter(|token| stays(token));
        let list: Vec<_> =
            left.enumerate().map(|(at, token)| (token, if at < places { "listed" } else { "reserve" })).collect();
        lists.insert(practice.to_owned(), list);
    }
    lists
}

fn population(seed: u64) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = random.random_range(1..=14);
    let person = |n: usize| Person {
        token: format!("p{seed}-{n:03}-canary"),
        practice: ["A81001", "A81002", "A81003"].choose(&mut random).unwrap(),
        admissions: random.random_range(1..6),
        // One stays: a later feed about nobody would say of no source how old it is, and nothing would be released.
        fate: if n > 0 && random.random_bool(0.5) { *Fate::ALL.choose(&mut random).unwrap() } else { Fate::Stays },
    };
    World::new((0..count).map(person).collect())
}

#[test]
fn nobody_who_must_not_be_called_is_ever_released() {
    let count: u64 = std::env::var("RISKSTRAT_RELEASES").map_or(24, |count| count.parse().unwrap());
    let first: u64 = std::env::var("RISKSTRAT_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut met: BTreeMap<Fate, usize> = BTreeMap::new();
    for seed in first..first + count {
        println!("seed {seed}");
        let mut world = population(seed);
        let run = world.run("2026-04-01", "first").unwrap();
        let before = world.release("2026-04-01", "first").unwrap();
        // A hub speaks only of those whom it was sent.
        let known: BTreeSet<String> = crosswalk(&before.folder).into_iter().map(|row| row["person"].clone()).collect();
        for person in &mut world.people {
            if person.fate.outcome().is_some() && !known.contains(&person.token) {
                person.fate = Fate::Stays;
            }
            if known.contains(&person.token) {
                *met.entry(person.fate).or_default() += 1;
            }
        }
        world.later("second", &feedback(&world, &before, "2026-04-02"));
        let done = world.release("2026-04-03", "second").unwrap();
        let mut released: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in crosswalk(&done.folder) {
            let person = row["person"].trim_end_matches("-new").to_owned();
            released.entry(row["recipient"].clone()).or_default().push((person, row["status"].clone()));
        }
        let expected = expected(&world, &run);
        for (recipient, list) in &expected {
            let mine = released.remove(recipient).unwrap_or_default();
            let mine: Vec<(String, &str)> =
                mine.iter().map(|(token, status)| (token.clone(), status.as_str())).collect();
            assert_eq!(&mine, list, "seed {seed}, {recipient}");
            let rows = sent(&done, &format!("{recipient}/{COHORT}.csv"));
            assert_eq!(rows.len(), list.len(), "seed {seed}, {recipient}");
            let gone = sent(&done, &format!("{recipient}/changes.csv"));
            let gone = gone.iter().filter(|row| matches!(row["change"].as_str(), "removed" | "died")).count();
            let then = crosswalk(&before.folder).iter().filter(|row| row["recipient"] == *recipient).count();
            assert_eq!(gone, then - list.len(), "seed {seed}, {recipient}: each one who is gone is told");
        }
        assert!(released.is_empty(), "seed {seed}: no other list");
        for (path, bytes) in runs::files(&done.folder.join("to")) {
            assert!(!bytes.windows(6).any(|window| window == b"canary"), "seed {seed}: {path} holds a source token");
        }
    }
    println!("people by fate: {met:?}");
    assert!(count < 24 || met.len() == Fate::ALL.len(), "every fate was met: {met:?}");
}
