//! Whatever the people are, the account balances and no list is too long.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::cohort::Place;

use super::world::{World, booleans, floats, integers, texts, world};

const PCNS: [&str; 4] = ["Ash", "Birch", "Cedar", "unallocated"];

fn random_world(seed: u64) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let size = rng.random_range(0..120);
    let tokens: Vec<String> = (0..size).map(|i| format!("t{i:04}")).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let mut some = |p: f64| rng.random_bool(p);
    let known: Vec<bool> = (0..size * 4).map(|_| some(0.85)).collect();
    let null = |column: usize, i: usize| known[column * size + i];
    let need: Vec<_> = (0..size).map(|i| null(0, i).then(|| rng.random_range(0..5))).collect();
    let pcn: Vec<_> = (0..size).map(|i| null(1, i).then(|| PCNS[rng.random_range(0..PCNS.len())])).collect();
    let out: Vec<_> = (0..size).map(|i| null(2, i).then(|| rng.random_bool(0.2))).collect();
    let risk: Vec<_> = (0..size).map(|_| Some(f64::from(rng.random_range(0..6)) / 8.0)).collect();
    let (take, reserve) = (rng.random_range(0..6), rng.random_range(0..4));
    world(&tokens, vec![integers("need", need), texts("pcn", pcn), booleans("out", out)], vec![floats("risk", risk)])
        .cohort(
            "random",
            &format!(
                r#"
            include = [{{ any.need = {{ when = "need >= 1" }}, any.risk = {{ when = "risk > 0.4" }} }}]
            rank = {{ by = ["risk desc", "need asc"] }}
            capacity = {{ per = "pcn", take = {take}, reserve = {reserve} }}
            exclude = {{ out = {{ when = "out" }}, low = {{ when = "need = 4 and risk < 0.2" }} }}"#
            ),
        )
}

#[test]
fn the_account_balances_and_capacity_is_never_exceeded() {
    for seed in 0..200 {
        let world = random_world(seed);
        let size = world.people.tokens.len() as u64;
        let cohorts = world.selected().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let list = &cohorts.lists[0];
        assert!(list.balances(size), "seed {seed}");
        let capacity = &world.pipeline.cohorts[0].decl.capacity;
        for (recipient, &(listed, reserve)) in &list.recipients {
            assert!(listed <= u64::from(capacity.take) && reserve <= u64::from(capacity.reserve), "seed {seed}");
            let rows: Vec<_> = list.rows.iter().filter(|row| &row.recipient == recipient).collect();
            let ranks: Vec<u32> = rows.iter().map(|row| row.rank).collect();
            assert_eq!(ranks, (1..=rows.len() as u32).collect::<Vec<_>>(), "seed {seed}");
            let front = rows.iter().take_while(|row| row.place == Place::Listed).count();
            assert_eq!(front as u64, listed, "seed {seed}: the reserve stands behind the list");
            assert!(reserve == 0 || listed == u64::from(capacity.take), "seed {seed}: reserve before the list is full");
        }
        let mut people: Vec<u32> = list.rows.iter().map(|row| row.person).collect();
        people.sort_unstable();
        people.dedup();
        assert_eq!(people.len(), list.rows.len(), "seed {seed}: someone has two places");
        assert!(list.rows.iter().all(|row| !row.reasons.is_empty()), "seed {seed}: a row without a reason");
    }
}
