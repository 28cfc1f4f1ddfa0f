//! Who is on a list, in what order, and why.

use riskstrat::cohort::{CohortList, Place};
use riskstrat::error::Error;

use super::world::{World, booleans, dates, floats, integers, texts, world};

fn only(world: &World) -> CohortList {
    world.select().lists.into_iter().next().unwrap()
}

/// Token, recipient, rank and place of every row.
fn places(world: &World, list: &CohortList) -> Vec<(String, String, u32, Place)> {
    let token = |person: u32| world.people.tokens[person as usize].reveal().to_owned();
    list.rows.iter().map(|row| (token(row.person), row.recipient.clone(), row.rank, row.place)).collect()
}

fn tokens(world: &World, list: &CohortList) -> Vec<String> {
    places(world, list).into_iter().map(|(token, ..)| token).collect()
}

#[test]
fn each_recipient_has_its_places_and_its_reserve() {
    let world = world(
        &["a", "b", "c", "d", "e", "f"],
        vec![
            integers("need", [Some(5), Some(9), Some(7), Some(1), Some(8), Some(6)]),
            texts("pcn", [Some("X"), Some("X"), Some("X"), Some("X"), Some("Y"), None]),
        ],
        vec![],
    )
    .cohort(
        "adults",
        r#"
        include = [{ any.need = { when = "need > 0" } }]
        rank = { by = ["need desc"] }
        capacity = { per = "pcn", take = 2, reserve = 1 }"#,
    );
    let list = only(&world);
    let row = |token: &str, to: &str, rank, place| (token.to_owned(), to.to_owned(), rank, place);
    assert_eq!(
        places(&world, &list),
        [
            row("b", "X", 1, Place::Listed),
            row("c", "X", 2, Place::Listed),
            row("a", "X", 3, Place::Reserve),
            row("e", "Y", 1, Place::Listed),
            row("f", "unallocated", 1, Place::Listed),
        ]
    );
    assert_eq!((list.below_the_cut, list.not_included), (1, 0));
    assert_eq!(list.recipients["X"], (2, 1));
    assert_eq!((list.listed(), list.reserve()), (4, 1));
    assert!(list.balances(6));
}

#[test]
fn every_include_must_hold_by_any_of_its_criteria() {
    let world = world(
        &["a", "b", "c", "d"],
        vec![
            integers("conditions", [Some(3), Some(0), Some(4), None]),
            booleans("frail", [Some(false), Some(true), None, Some(true)]),
            integers("admissions", [Some(2), Some(2), Some(1), Some(2)]),
        ],
        vec![],
    )
    .cohort(
        "complex",
        r#"
        rank = { by = ["admissions desc"] }
        capacity = { take = 10 }
        [[include]]
        any.many = { when = "conditions >= 3", reason = "{conditions} long-term conditions" }
        any.frail = { when = "frail", reason = "Frailty recorded" }
        [[include]]
        any.admitted = { when = "admissions >= 2", reason = "{admissions} admissions, {conditions} conditions" }"#,
    );
    let list = only(&world);
    assert_eq!(list.not_included, 1);
    let mut reasons: Vec<_> =
        list.rows.iter().map(|row| (row.person, row.recipient.as_str(), row.reasons.join("; "))).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            (0, "all", "3 long-term conditions; 2 admissions, 3 conditions".to_owned()),
            (1, "all", "Frailty recorded; 2 admissions, 0 conditions".to_owned()),
            (3, "all", "Frailty recorded; 2 admissions, not recorded conditions".to_owned()),
        ]
    );
}

#[test]
fn the_first_exclusion_that_holds_counts_and_a_null_excludes_nobody() {
    let world = world(
        &["a", "b", "c", "d", "e"],
        vec![
            booleans("in_hospital", [Some(true), Some(false), None, Some(true), None]),
            booleans("declined", [Some(true), Some(true), None, None, None]),
        ],
        vec![],
    )
    .cohort(
        "calls",
        r#"
        include = [{ any.everyone = { when = "true" } }]
        rank = { by = [] }
        capacity = { take = 5 }
        [exclude]
        in_hospital.when = "in_hospital"
        declined.when = "declined"
        never.when = "declined and not declined""#,
    );
    let list = only(&world);
    let counted = [("in_hospital".to_owned(), 2), ("declined".to_owned(), 1), ("never".to_owned(), 0)];
    assert_eq!(list.excluded, counted);
    assert_eq!(list.listed(), 2, "a blank exclusion must not empty the list");
}

#[test]
fn ranks_go_by_the_keys_with_nulls_last_both_ways() {
    let make = |by: &str| {
        world(
            &["a", "b", "c", "d"],
            vec![integers("visits", [None, Some(3), Some(1), Some(3)])],
            vec![floats("risk", [Some(0.9), Some(-0.0), Some(0.5), Some(0.0)])],
        )
        .cohort(
            "ranked",
            &format!(
                "include = [{{ any.all = {{ when = \"true\" }} }}]\nrank = {{ by = {by} }}\ncapacity = {{ take = 9 }}"
            ),
        )
    };
    let down = make(r#"["visits desc", "risk desc"]"#);
    let up = make(r#"["visits asc", "risk desc"]"#);
    let (down, up) = (tokens(&down, &only(&down)), tokens(&up, &only(&up)));
    assert_eq!(down[2..], ["c", "a"]);
    assert_eq!((up[0].as_str(), up[3].as_str()), ("c", "a"));
    assert_eq!(down[..2], up[1..3], "-0 and 0 are equal, so the same lot decides");
}

#[test]
fn ties_are_drawn_by_a_keyed_hash_and_not_by_the_order_of_the_input() {
    let names: Vec<String> = (0..40).map(|i| format!("p{i:02}")).collect();
    let drawn = |order: &[usize], cohort: &str| {
        let tokens_in: Vec<&str> = order.iter().map(|&i| names[i].as_str()).collect();
        let world = world(&tokens_in, vec![integers("same", vec![Some(1); 40])], vec![]).cohort(
            cohort,
            r#"
            include = [{ any.all = { when = "same = 1" } }]
            rank = { by = ["same desc"] }
            capacity = { take = 10 }"#,
        );
        tokens(&world, &only(&world))
    };
    let forward: Vec<usize> = (0..40).collect();
    let mixed: Vec<usize> = (0..40).map(|i| (i * 23 + 7) % 40).collect();
    let first = drawn(&forward, "one");
    assert_eq!(first, drawn(&mixed, "one"));
    assert_ne!(first, names[..10], "names favour nobody");
    assert_ne!(first, drawn(&forward, "two"), "each cohort draws anew");
}

#[test]
fn a_criterion_without_words_uses_those_of_its_features_that_are_true() {
    let world = world(
        &["a", "b", "c"],
        vec![
            integers("admissions_12m", [Some(3), Some(0), Some(2)])
                .reason("{value} emergency admissions in the last 12 months, the latest on {latest_date}")
                .latest([Some(20_515), None, Some(20_000)]),
            booleans("dementia", [Some(false), Some(true), Some(true)]).reason("Dementia recorded"),
            dates("last_review", [None, None, Some(19_783)]).reason("Last reviewed on {value}"),
            integers("silent", [Some(1), Some(1), Some(1)]),
        ],
        vec![floats("efi", [Some(0.4), Some(0.361), Some(0.1)])],
    )
    .cohort(
        "wordless",
        r#"
        include = [
            { any.either = { when = "admissions_12m >= 2 or dementia or last_review is null" } },
            { any.high_need = { when = "silent = 1" } , any.frailty = { when = "efi >= 0.24", reason = "Frailty index {efi}" } },
        ]
        rank = { by = ["efi desc"] }
        capacity = { take = 3 }"#,
    );
    let list = only(&world);
    let reasons: Vec<_> = list.rows.iter().map(|row| row.reasons.join("; ")).collect();
    assert_eq!(
        reasons,
        [
            "3 emergency admissions in the last 12 months, the latest on 3 March 2026; High need; Frailty index 0.4",
            "Dementia recorded; High need; Frailty index 0.36",
            "2 emergency admissions in the last 12 months, the latest on 4 October 2024; Dementia recorded; \
             Last reviewed on 1 March 2024; High need",
        ]
    );
}

#[test]
fn a_score_that_is_not_a_number_stops_the_run() {
    let world = world(&["a"], vec![], vec![floats("risk", [Some(f64::NAN)])]).cohort(
        "broken",
        r#"
        include = [{ any.all = { when = "true" } }]
        rank = { by = ["risk desc"] }
        capacity = { take = 1 }"#,
    );
    assert!(matches!(world.selected(), Err(Error::Fault(text)) if text.contains("`risk`")));
}
