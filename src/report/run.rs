//! What the first section of the page counts: tables of their own, so that every number on it is in a file.

use crate::cohort;
use crate::disclosure::{AggregateTable, Cell, Rule, Whole, counted};
use crate::drift::DriftAccount;
use crate::error::Result;
use crate::receipt::{CohortAccount, PeopleAccount};

/// What stands for all lists together, and the place of those who are called.
pub(super) const ANY: &str = "any list";
pub(super) const LISTED: &str = "listed";

/// What stands for all groups of a split: the totals here are those of the tables by group.
const EVERYONE: &str = "everyone";

/// `run`: where the people of the registers went.
pub fn people(rule: Rule, account: &PeopleAccount) -> Result<AggregateTable> {
    let all = "in the registers";
    let mut table =
        AggregateTable::new("run", ["place", "people"]).sums("people", "place", Whole::Row(&[("place", all)]));
    let rows = [
        (all, account.in_registers),
        ("opted out", account.opted_out),
        ("died", account.died),
        ("left", account.left),
        ("not registered yet", account.not_yet),
        ("test people", account.test_people),
        ("in this run", account.on_spine),
    ];
    for (place, count) in rows {
        table.row([Cell::text(place), Cell::Count(rule.count(count))])?;
    }
    table.last_counts("people", &of_everyone("people"), &[]);
    Ok(table)
}

/// `lists`: where the people scored went in each cohort; and how many have a place on any list.
pub fn lists(rule: Rule, accounts: &[CohortAccount], on_any: u64) -> Result<AggregateTable> {
    let scored = "scored";
    let mut table = AggregateTable::new("lists", ["cohort", "place", "people"]).sums(
        "people",
        "place",
        Whole::Row(&[("place", scored)]),
    );
    let mut add = |cohort: &str, place: &str, people: u64, whole: u64| -> Result<()> {
        let people = if place == scored { rule.count(people) } else { rule.part(people, whole) };
        table.row([Cell::text(cohort), Cell::text(place), Cell::Count(people)])?;
        match place {
            place if place == scored => table.last_counts("people", &of_everyone("people"), &[]),
            LISTED if cohort == ANY => table.last_counts("people", &of_everyone("listed"), &[]),
            LISTED => table.last_counts("people", &of_everyone(&cohort::listed_by(cohort)), &[]),
            _ => {}
        }
        Ok(())
    };
    let all = accounts.first().map_or(0, |account| account.scored);
    add(ANY, scored, all, all)?;
    add(ANY, LISTED, on_any, all)?;
    add(ANY, "on no list", all.saturating_sub(on_any), all)?;
    for account in accounts {
        let excluded = account.excluded.iter().map(|reason| reason.people).sum();
        for (place, people) in [
            (scored, account.scored),
            (LISTED, account.listed),
            ("reserve", account.reserve),
            ("excluded", excluded),
            ("below the cut", account.below_the_cut),
            ("not drawn", account.not_drawn),
            ("not included", account.not_included),
        ] {
            add(&account.cohort, place, people, account.scored)?;
        }
    }
    Ok(table)
}

/// The name of the total of what tables count by group.
fn of_everyone(what: &str) -> String {
    counted(what, &[EVERYONE, EVERYONE])
}

/// `model_drift`: how far the inputs and scores of models have moved from where they were in training.
pub fn drift(rule: Rule, accounts: &[DriftAccount], people: u64) -> Result<AggregateTable> {
    let mut table = AggregateTable::new("model_drift", ["model", "input", "psi", "can_stop_the_run"]);
    for account in accounts {
        table.row([
            Cell::text(&account.model),
            Cell::text(&account.input),
            Cell::Count(rule.figure(account.psi(), &[people])),
            Cell::text(if account.gate { "yes" } else { "no" }),
        ])?;
    }
    Ok(table)
}
