//! Generated populations: whoever moves up, no limit, quota or floor is broken by it, and no place is left empty that
//! somebody in reserve could have.

use std::collections::BTreeMap;
use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{COHORT, Fate, Person, World, crosswalk, feedback};
use crate::runs;

/// What binds the lists of one population: `many` of all lists together, a practice's own, and who must have a place.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    take: usize,
    many_listed: usize,
    many_waiting: usize,
    at_most_two: usize,
    at_least_one: usize,
}

const KINDS: &str = r#"
[kind]
label = "How often in hospital"
derived = { sql = "CASE WHEN admissions_12m >= 3 THEN 'many' ELSE 'few' END" }
[number]
label = "Admissions, as text"
derived = { sql = "CASE WHEN admissions_12m = 1 THEN 'one' WHEN admissions_12m = 2 THEN 'two' ELSE 'more' END" }
"#;

fn kind(person: &Person) -> &'static str {
    if person.admissions >= 3 { "many" } else { "few" }
}

fn population(seed: u64) -> (World, Bounds) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = random.random_range(8..=20);
    let person = |n: usize| Person {
        token: format!("b{seed}-{n:03}-canary"),
        practice: ["A81001", "A81002"].choose(&mut random).unwrap(),
        admissions: random.random_range(1..6),
        fate: if n > 0 && random.random_bool(0.4) { *Fate::ALL.choose(&mut random).unwrap() } else { Fate::Stays },
    };
    let world = World::new((0..count).map(person).collect());
    let bounds = Bounds {
        take: random.random_range(2..=4),
        many_listed: random.random_range(1..=3),
        many_waiting: random.random_range(1..=3),
        at_most_two: random.random_range(1..=3),
        at_least_one: random.random_range(1..=2),
    };
    let features = std::fs::read_to_string(world.path("features/all.toml")).unwrap();
    world.write("features/all.toml", &format!("{features}{KINDS}"));
    let Bounds { take, many_listed, many_waiting, at_most_two, at_least_one } = bounds;
    let mut capacity = format!(
        "per = \"practice\"\ntake = {take}\nreserve = 4\n\
         [[capacity.limit]]\nper = \"kind\"\ntake = {many_listed}\nreserve = {many_waiting}\n\
         [[capacity.quota]]\nby = \"number\"\nat_most = {{ two = {at_most_two} }}\n"
    );
    capacity.push_str(&format!(
        "[[capacity.floor]]\ngroup = \"once\"\nwhen = \"admissions_12m = 1\"\nat_least = {at_least_one}\nbecause = \"a test\"\n"
    ));
    world.replace("cohorts/often.toml", "per = \"practice\"\ntake = 2\nreserve = 2", &capacity);
    (world, bounds)
}

/// The rows of a list, best first: person and whether they are listed.
type List = Vec<(String, bool)>;

fn of_run(run: &Path) -> BTreeMap<String, List> {
    let mut lists = BTreeMap::new();
    for practice in ["A81001", "A81002"] {
        let file = format!("{COHORT}/{practice}.csv");
        if run.join("person/lists").join(&file).exists() {
            let rows = runs::list(run, &file).into_iter();
            lists.insert(
                practice.to_owned(),
                rows.map(|row| (row["person"].clone(), row["status"] == "listed")).collect(),
            );
        }
    }
    lists
}

fn released(folder: &Path) -> BTreeMap<String, List> {
    let mut lists: BTreeMap<String, List> = BTreeMap::new();
    for row in crosswalk(folder) {
        let person = row["person"].trim_end_matches("-new").to_owned();
        lists.entry(row["recipient"].clone()).or_default().push((person, row["status"] == "listed"));
    }
    lists
}

/// How many on these lists are such, and listed if that is asked.
fn count(
    world: &World,
    lists: &BTreeMap<String, List>,
    of: &str,
    listed: bool,
    such: impl Fn(&Person) -> bool,
) -> usize {
    let person = |token: &str| world.people.iter().find(|person| person.token == token).unwrap();
    let rows = lists.iter().filter(|(recipient, _)| of.is_empty() || *recipient == of).flat_map(|(_, rows)| rows);
    rows.filter(|(token, place)| (*place || !listed) && such(person(token))).count()
}

/// The rules of the declaration, counted by hand; gives the first that is broken.
fn broken(world: &World, bounds: &Bounds, lists: &BTreeMap<String, List>) -> Option<&'static str> {
    for of_kind in ["many", "few"] {
        let such = |person: &Person| kind(person) == of_kind;
        if count(world, lists, "", true, such) > bounds.many_listed {
            return Some("limit");
        }
        if count(world, lists, "", false, such) > bounds.many_listed + bounds.many_waiting {
            return Some("limit with reserve");
        }
    }
    for recipient in lists.keys() {
        if count(world, lists, recipient, true, |_| true) > bounds.take {
            return Some("capacity");
        }
        if count(world, lists, recipient, false, |person| person.admissions == 2) > bounds.at_most_two {
            return Some("quota");
        }
    }
    None
}

fn once(world: &World, token: &str) -> bool {
    world.people.iter().any(|person| person.token == token && person.admissions == 1)
}

/// Whether somebody moved up past one of the group that has fewer places than it should, though that one could have.
fn floor_missed(world: &World, bounds: &Bounds, now: &BTreeMap<String, List>, recipient: &str, then: &List) -> bool {
    let Some(mine) = now.get(recipient) else { return false };
    if mine.iter().filter(|(token, listed)| *listed && once(world, token)).count() >= bounds.at_least_one {
        return false;
    }
    let moved_up = |(token, listed): &(String, bool)| *listed && then.contains(&(token.clone(), false));
    let others = mine.iter().enumerate().filter(|(_, row)| moved_up(row) && !once(world, &row.0));
    let waiting: Vec<usize> = (0..mine.len()).filter(|at| !mine[*at].1 && once(world, &mine[*at].0)).collect();
    let could = |other: usize, at: usize| {
        let mut swapped = now.clone();
        let rows = swapped.get_mut(recipient).unwrap();
        (rows[other].1, rows[at].1) = (false, true);
        broken(world, bounds, &swapped).is_none()
    };
    others.into_iter().any(|(other, _)| waiting.iter().any(|at| could(other, *at)))
}

#[test]
fn whoever_moves_up_breaks_no_limit_and_no_place_stays_empty() {
    let count_of: u64 = std::env::var("RISKSTRAT_RELEASES").map_or(16, |count| count.parse().unwrap());
    let first: u64 = std::env::var("RISKSTRAT_SEED").map_or(1, |seed| seed.parse().unwrap());
    let (mut would_break, mut moved_up, mut by_floor) = (0, 0, 0);
    for seed in first..first + count_of {
        println!("seed {seed}");
        let (mut world, bounds) = population(seed);
        let run = world.run("2026-04-01", "first").unwrap();
        let before = world.release("2026-04-01", "first").unwrap();
        let then = of_run(&run);
        assert_eq!(released(&before.folder), then, "seed {seed}: nothing happened, nothing changes");
        assert_eq!(broken(&world, &bounds, &then), None, "seed {seed}: the run");
        let known: Vec<&String> = then.values().flatten().map(|(token, _)| token).collect();
        for person in world.people.iter_mut().filter(|person| person.fate.outcome().is_some()) {
            if !known.contains(&&person.token) {
                person.fate = Fate::Stays;
            }
        }
        world.later("second", &feedback(&world, &before, "2026-04-02"));
        let done = world.release("2026-04-03", "second").unwrap();
        let now = released(&done.folder);
        assert_eq!(broken(&world, &bounds, &now), None, "seed {seed}: {bounds:?}");
        let stays =
            |token: &str| world.people.iter().any(|person| person.token == token && person.fate.reason().is_none());
        let mut by_order = BTreeMap::new();
        for (recipient, rows) in &then {
            let left: List = rows.iter().filter(|(token, _)| stays(token)).cloned().collect();
            let places = rows.iter().filter(|(_, listed)| *listed).count();
            let mine = now.get(recipient).cloned().unwrap_or_default();
            let mut of_now: Vec<&String> = mine.iter().map(|(token, _)| token).collect();
            let mut of_left: Vec<&String> = left.iter().map(|(token, _)| token).collect();
            of_now.sort();
            of_left.sort();
            assert_eq!(of_now, of_left, "seed {seed}, {recipient}: everyone who may be called, and nobody else");
            for (token, _) in left.iter().filter(|(_, listed)| *listed) {
                assert!(mine.contains(&(token.clone(), true)), "seed {seed}: who was listed keeps the place");
            }
            let listed = mine.iter().filter(|(_, listed)| *listed).count();
            assert!(listed <= places, "seed {seed}: no list grows");
            assert!(mine.iter().skip(listed).all(|(_, listed)| !listed), "seed {seed}: the reserve stands last");
            moved_up += listed - left.iter().filter(|(_, listed)| *listed).count();
            // No place is empty that somebody in reserve could have.
            for (at, _) in mine.iter().enumerate().filter(|(_, (_, on))| !on && listed < places) {
                let mut more = now.clone();
                more.get_mut(recipient).unwrap()[at].1 = true;
                assert!(broken(&world, &bounds, &more).is_some(), "seed {seed}, {recipient}: row {at} could move up");
            }
            assert!(!floor_missed(&world, &bounds, &now, recipient, rows), "seed {seed}, {recipient}: the floor");
            let plain: List = left.iter().enumerate().map(|(at, (token, _))| (token.clone(), at < places)).collect();
            let of_group = |list: &List| list.iter().filter(|(token, listed)| *listed && once(&world, token)).count();
            by_floor += usize::from(of_group(&mine) > of_group(&plain));
            by_order.insert(recipient.clone(), plain);
        }
        would_break += usize::from(broken(&world, &bounds, &by_order).is_some());
    }
    println!(
        "{count_of} populations, {moved_up} moved up, {by_floor} lists kept a floor, {would_break} would break by order alone"
    );
    assert!(count_of < 16 || (would_break > 0 && moved_up > 5), "the generator meets what it is for");
    assert!(count_of < 200 || by_floor > 0, "no list kept a floor");
}

/// Whoever has the place of a floor is followed by the next of the group, past those who wait with a better rank.
#[test]
fn a_floor_is_kept_when_the_reserve_moves_up() {
    let mut world = World::of(12);
    let floor =
        "[[capacity.floor]]\ngroup = \"seldom\"\nwhen = \"admissions_12m <= 4\"\nat_least = 1\nbecause = \"a test\"\n";
    let capacity = format!("per = \"practice\"\ntake = 2\nreserve = 4\n{floor}");
    world.replace("cohorts/often.toml", "per = \"practice\"\ntake = 2\nreserve = 2", &capacity);
    let token = |number: u32| format!("person-{number:04}-canary");
    let listed = |lists: &BTreeMap<String, List>| -> Vec<String> {
        lists["A81001"].iter().filter(|(_, listed)| *listed).map(|(token, _)| token.clone()).collect()
    };
    let run = world.run("2026-04-01", "first").unwrap();
    assert_eq!(listed(&of_run(&run)), [token(2), token(10)]);
    world.set(&token(10), Fate::OptsOut);
    world.later("second", "");
    let done = world.release("2026-04-03", "second").unwrap();
    assert_eq!(listed(&released(&done.folder)), [token(2), token(12)]);
}
