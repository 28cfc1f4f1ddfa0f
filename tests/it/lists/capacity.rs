//! Places: limits, quotas, floors, weights, lottery, and one owner.

use std::collections::BTreeSet;

use riskstrat::cohort::{CohortList, Place};
use riskstrat::publish::Draft;

use super::world::{World, floats, integers, texts, world};

/// Twelve people, a to l, each needing less than the one before; three practices of two PCNs, areas in turn.
fn twelve(capacity: &str) -> World {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let practice = ["P1", "P1", "P1", "P2", "P2", "P3", "P3", "P3", "P1", "P2", "P3", "P1"];
    let pcn = practice.map(|practice| if practice == "P3" { "South" } else { "North" });
    let area = ["X", "X", "X", "X", "X", "X", "X", "X", "Y", "Y", "X", "Y"];
    world(
        &names,
        vec![
            integers("need", (0..12).map(|at| Some(24 - 2 * at))),
            texts("practice", practice.map(Some)),
            texts("pcn", pcn.map(Some)),
            texts("area", area.map(Some)),
        ],
        vec![floats("risk", (0..12).map(|at| Some(1.2 - f64::from(at) / 10.0)))],
    )
    .cohort(
        "calls",
        &format!(
            "include = [{{ any.all = {{ when = \"true\" }} }}]\nrank = {{ by = [\"need desc\"] }}\n[capacity]\n{capacity}"
        ),
    )
}

fn list(world: &World) -> CohortList {
    world.select().lists.remove(0)
}

/// Tokens with this place, in the order of the list.
fn with(world: &World, list: &CohortList, place: Place) -> String {
    let rows = list.rows.iter().filter(|row| row.place == place);
    rows.map(|row| world.people.tokens[row.person as usize].reveal().to_owned()).collect()
}

fn given(capacity: &str) -> (String, String, u64) {
    let world = twelve(capacity);
    let list = list(&world);
    assert!(list.balances(12));
    (with(&world, &list, Place::Listed), with(&world, &list, Place::Reserve), list.below_the_cut)
}

fn is(listed: &str, reserve: &str, below: u64) -> (String, String, u64) {
    (listed.to_owned(), reserve.to_owned(), below)
}

#[test]
fn limits_hold_inside_and_across_the_recipients() {
    assert_eq!(given("take = 5\nreserve = 2"), is("abcde", "fg", 5));
    // A practice may have two of five places; nobody of it waits, so that no moving up breaks the limit.
    let limit = "take = 5\nreserve = 2\n[[capacity.limit]]\nper = \"practice\"\ntake = 2";
    assert_eq!(given(limit), is("abdef", "g", 6));
    assert_eq!(given(&format!("{limit}\nreserve = 1")), is("abdef", "cg", 5));
    // Both limits at once.
    let both = format!("{limit}\n[[capacity.limit]]\nper = \"area\"\ntake = 3\n");
    assert_eq!(given(&both), is("abdj", "", 8));
    // Three places a PCN, but only four over both.
    let over = "per = \"pcn\"\ntake = 3\n[[capacity.limit]]\nper = \"area\"\ntake = 4";
    assert_eq!(given(over), is("abcf", "", 8));
}

#[test]
fn a_quota_is_the_most_that_its_people_get() {
    let quota = "take = 6\nreserve = 2\n[[capacity.quota]]\nby = \"practice\"\nat_most = { P1 = 1, P2 = 0 }";
    assert_eq!(given(quota), is("afghk", "", 7));
    let within = "per = \"pcn\"\ntake = 3\nreserve = 1\n[[capacity.quota]]\nby = \"area\"\nat_most = { X = 2 }";
    // Of each PCN: two of area X, and whoever else there is.
    assert_eq!(given(within), is("abifg", "j", 6));
}

const FLOOR: &str = "[[capacity.floor]]\ngroup = \"area Y\"\nwhen = \"area = 'Y'\"\nbecause = \"they call less\"\n";

#[test]
fn a_floor_takes_places_only_where_rank_leaves_it_short() {
    assert_eq!(given(&format!("take = 5\nreserve = 1\n{FLOOR}at_least = 2")), is("abcij", "d", 6));
    assert_eq!(given(&format!("take = 10\n{FLOOR}at_least = 2")), is("abcdefghij", "", 2), "rank alone gives them two");
    assert_eq!(given(&format!("take = 5\n{FLOOR}at_least = 5")), is("abijl", "", 7), "there are only three");
    // A limit stands above a floor.
    let limited = format!("take = 5\n{FLOOR}at_least = 3\n[[capacity.limit]]\nper = \"practice\"\ntake = 1");
    assert_eq!(given(&limited), is("fij", "", 9));
}

#[test]
fn the_effect_of_a_floor_and_of_a_weight_is_shown() {
    let weight =
        "[[capacity.weight]]\ngroup = \"area Y\"\nwhen = \"area = 'Y'\"\nbecause = \"they call less\"\ntimes = 4.5\n";
    for (toml, listed, gained) in
        [(format!("take = 5\n{FLOOR}at_least = 2"), "abcij", 2), (format!("take = 5\n{weight}"), "ijabc", 2)]
    {
        let world = twelve(&toml);
        let list = list(&world);
        assert_eq!(with(&world, &list, Place::Listed), listed);
        let without = list.favoured.clone().unwrap().listed_without;
        assert_eq!(without, BTreeSet::from([0, 1, 2, 3, 4]));
        let cohorts = world.select();
        let mut draft = Draft::new(1);
        riskstrat::cohort::write(
            &world.pipeline,
            &world.people,
            &world.features,
            &world.scores,
            &cohorts,
            &[],
            &mut draft,
        )
        .unwrap();
        let files = world.published(&cohorts, &draft);
        let about: serde_json::Value = serde_json::from_str(&files["person/lists/calls/about.json"]).unwrap();
        assert_eq!(about["favoured"]["listed_for_it"], gained);
        assert_eq!(about["favoured"]["not_listed_for_it"], gained);
        assert_eq!(about["favoured"]["groups"][0]["because"], "they call less");
        let table = &files["aggregate/list_favoured.csv"];
        assert!(
            table.lines().nth(1).unwrap().ends_with(",area Y,they call less,*,*,*"),
            "three people: not shown\n{table}"
        );
    }
    assert!(list(&twelve("take = 5")).favoured.is_none(), "nobody is favoured unless it is declared");
}

#[test]
fn the_last_places_are_drawn_for_and_the_losers_do_not_wait() {
    let world = twelve("take = 5\nreserve = 2\ndraw = 0.4");
    let list = list(&world);
    let listed = with(&world, &list, Place::Listed);
    assert!(listed.starts_with("abc") && listed.len() == 5, "{listed}");
    let pool: Vec<(u32, u32, f64)> =
        list.drawn.iter().map(|drawn| (drawn.person, drawn.order, drawn.probability)).collect();
    assert_eq!(pool, [(3, 1, 0.5), (4, 2, 0.5), (5, 3, 0.5), (6, 4, 0.5)], "two places among twice as many");
    for drawn in &list.drawn {
        let has_place = list.rows.iter().any(|row| row.person == drawn.person);
        assert_eq!(drawn.listed, has_place, "who is not drawn does not wait either");
    }
    assert_eq!((list.not_drawn, with(&world, &list, Place::Reserve), list.below_the_cut), (2, "hi".to_owned(), 3));
    assert!(list.balances(12));
    let few = twelve("take = 12\ndraw = 0.5");
    assert!(self::list(&few).drawn.is_empty(), "there is a place for everyone");
    let some = self::list(&twelve("take = 10\ndraw = 0.3"));
    assert_eq!(some.drawn.len(), 5, "three places among the five who are left");
    assert!(some.drawn.iter().all(|drawn| drawn.probability == 0.6));
}

#[test]
fn nobody_is_on_two_lists_and_the_later_one_says_so() {
    let second = "include = [{ any.all = { when = \"need > 10\" } }]\nrank = { by = [\"need asc\"] }\n\
                  exclude = { a = { when = \"need = 24\" } }\n[capacity]\ntake = 3";
    let mut world = twelve("take = 2\nreserve = 1").cohort("visits", second);
    let two = world.select();
    assert_eq!(with(&world, &two.lists[1], Place::Listed), "gfe", "without one owner, lists share people");
    world.pipeline.outreach.one_owner = true;
    let one = world.select();
    assert_eq!(with(&world, &one.lists[1], Place::Listed), "gfe");
    let excluded = [("a".to_owned(), 1), ("on another list: calls".to_owned(), 2)];
    assert_eq!(one.lists[1].excluded, excluded, "its own exclusions are asked first");
    world.pipeline.outreach.precedence = vec![1, 0];
    let turned = world.select();
    assert_eq!(with(&world, &turned.lists[0], Place::Listed), "ab");
    assert_eq!(turned.lists[0].excluded, [("on another list: visits".to_owned(), 3)]);
    assert!(turned.lists.iter().all(|list| list.balances(12)));
}

/// F3: whatever binds the places, ties fall by the keyed hash and not by the order of the input.
#[test]
fn f3_ties_at_the_cut_fall_the_same_way_in_any_order() {
    let names: Vec<String> = (0..40).map(|number| format!("p{number:02}")).collect();
    let chosen = |order: &[usize], capacity: &str| {
        let tokens: Vec<&str> = order.iter().map(|at| names[*at].as_str()).collect();
        let team = order.iter().map(|at| Some(["T1", "T2", "T3"][at % 3]));
        let world = world(&tokens, vec![integers("same", vec![Some(1); 40]), texts("team", team)], vec![]).cohort(
            "ties",
            &format!(
                "include = [{{ any.all = {{ when = \"true\" }} }}]\nrank = {{ by = [\"same desc\"] }}\n[capacity]\n{capacity}"
            ),
        );
        let list = list(&world);
        let token = |person: u32| world.people.tokens[person as usize].reveal().to_owned();
        let rows = list.rows.iter().map(|row| (token(row.person), row.place == Place::Listed));
        let drawn = list.drawn.iter().map(|drawn| (token(drawn.person), drawn.listed));
        rows.chain(drawn).collect::<Vec<_>>()
    };
    let forward: Vec<usize> = (0..40).collect();
    let mixed: Vec<usize> = (0..40).map(|at| (at * 23 + 7) % 40).collect();
    let group = "group = \"T3\"\nwhen = \"team = 'T3'\"\nbecause = \"a test\"\n";
    for capacity in [
        "take = 10\nreserve = 3".to_owned(),
        "take = 10\nreserve = 3\ndraw = 0.5".to_owned(),
        "take = 10\nreserve = 3\n[[capacity.limit]]\nper = \"team\"\ntake = 4".to_owned(),
        format!("take = 10\ndraw = 0.5\n[[capacity.floor]]\n{group}at_least = 6"),
        format!("take = 10\nreserve = 3\n[[capacity.weight]]\n{group}times = 2.0"),
    ] {
        assert_eq!(chosen(&forward, &capacity), chosen(&mixed, &capacity), "{capacity}");
    }
}
