//! What every source says about a demographic item, and which value wins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use regex::Regex;

use crate::codelist::ValueSet;
use crate::link::RecordingState;
use crate::pipeline::Item;
use crate::pipeline::decl::{ItemDecl, Resolve};

/// What one row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub source: usize,
    pub date: Option<Date>,
    pub state: RecordingState,
    pub value: Option<String>,
}

/// What a delivered text that is not blank says; none when this implementation cannot tell. The item's own rules are for
/// sources without a value set; a date is known when it is none of the future.
pub fn state(
    text: &str,
    item: &ItemDecl,
    values: Option<&ValueSet>,
    as_of: Date,
) -> Option<(RecordingState, Option<String>)> {
    if let Some(set) = values {
        let code = text.to_uppercase();
        let Some(listed) = set.values.iter().find(|listed| listed.code == code) else {
            return Some((RecordingState::Invalid, None));
        };
        let known = listed.state == RecordingState::Known;
        return Some((listed.state, known.then(|| listed.value.clone())));
    }
    if item.default_values.iter().any(|default| default.eq_ignore_ascii_case(text)) {
        return Some((RecordingState::NotKnown, None));
    }
    let fits = match &item.pattern {
        Some(pattern) => Regex::new(&format!("^(?:{pattern})$")).ok()?.is_match(text),
        None => true,
    };
    let late_enough = item
        .date_not_before
        .is_none_or(|limit| text.len() == 10 && text.parse::<Date>().is_ok_and(|date| limit <= date && date < as_of));
    if fits && late_enough {
        return Some((RecordingState::Known, Some(text.to_owned())));
    }
    Some((RecordingState::Invalid, None))
}

/// The value that wins, and the person's state for the item. A value that was last recorded before the item's values
/// expire still wins, but says nothing against a fresh one.
pub fn resolve(item: &Item, evidence: &[Evidence], as_of: Date) -> (Option<String>, RecordingState) {
    let known: Vec<Known<'_>> = evidence.iter().filter_map(|row| Known::of(item, row)).collect();
    let mut latest: BTreeMap<usize, Known<'_>> = BTreeMap::new();
    for row in &known {
        let best = latest.entry(row.trust).or_insert(*row);
        if (row.date, row.value) > (best.date, best.value) {
            *best = *row;
        }
    }
    let first_day = item.expires.and_then(|window| window.first_day(as_of));
    let expired = |row: &Known<'_>| row.date.zip(first_day).is_some_and(|(date, first)| date < first);
    let own_conflict = |row: &Known<'_>| latest.get(&row.trust).is_some_and(|last| last.value != row.value);
    let fresh: BTreeSet<&str> = latest.values().filter(|row| !expired(row)).map(|row| row.value).collect();
    let state = match (fresh.len(), known.len()) {
        _ if item.decl.fixed && known.iter().any(own_conflict) => RecordingState::Conflicting,
        (0, 0) => evidence.iter().map(|row| row.state).min().unwrap_or(RecordingState::Blank),
        (0, _) => RecordingState::Stale,
        (1, _) => RecordingState::Known,
        _ => RecordingState::Conflicting,
    };
    let winner = match item.decl.resolve {
        Resolve::MostRecent => most_recent(latest.values()),
        Resolve::SourceOrder => latest.values().next(),
        Resolve::MostFrequent => most_recent(most_frequent(&known).into_iter()),
    };
    (winner.map(|row| row.value.to_owned()), state)
}

/// A row with a known value; the source as its place in the order of trust, 0 the first.
#[derive(Debug, Clone, Copy)]
struct Known<'a> {
    date: Option<Date>,
    trust: usize,
    value: &'a str,
}

impl<'a> Known<'a> {
    fn of(item: &Item, row: &'a Evidence) -> Option<Self> {
        let value = row.value.as_deref().filter(|_| row.state == RecordingState::Known)?;
        let trust = item.order.iter().position(|source| *source == row.source).unwrap_or(item.order.len() + row.source);
        Some(Self { date: row.date, trust, value })
    }
}

/// Greatest date, then the more trusted source, then the greatest value.
fn most_recent<'a, 'b: 'a>(rows: impl Iterator<Item = &'a Known<'b>>) -> Option<&'a Known<'b>> {
    rows.max_by(|a, b| a.date.cmp(&b.date).then(b.trust.cmp(&a.trust)).then(a.value.cmp(b.value)))
}

/// The rows of the values that stand in most rows.
fn most_frequent<'a, 'b>(known: &'a [Known<'b>]) -> Vec<&'a Known<'b>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in known {
        *counts.entry(row.value).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or(0);
    known.iter().filter(|row| counts.get(row.value) == Some(&most)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::calendar::Window;

    /// The first source of the run, the one that is trusted most, and the last.
    const FIRST: usize = 0;
    const TRUSTED: usize = 1;
    const LAST: usize = 2;

    fn item(resolve: Resolve) -> Item {
        let decl = ItemDecl {
            label: String::new(),
            pattern: None,
            date_not_before: None,
            default_values: Vec::new(),
            expires: None,
            fixed: false,
            other: None,
            defaults_allowed: 0.0,
            resolve,
            order: Vec::new(),
        };
        Item { name: String::new(), decl, pattern: None, expires: None, order: vec![TRUSTED, FIRST, LAST] }
    }

    fn says(source: usize, day: Option<i8>, value: &str) -> Evidence {
        let date = day.map(|day| date(2024, 1, day));
        Evidence { source, date, state: RecordingState::Known, value: Some(value.to_owned()) }
    }

    fn is(source: usize, state: RecordingState) -> Evidence {
        Evidence { source, date: None, state, value: None }
    }

    const AS_OF: Date = date(2026, 4, 1);

    #[test]
    fn each_rule_has_its_winner() {
        let rows =
            [says(FIRST, Some(9), "x"), says(FIRST, Some(2), "y"), says(LAST, Some(3), "y"), says(TRUSTED, None, "z")];
        for (rule, winner) in [(Resolve::MostRecent, "x"), (Resolve::MostFrequent, "y"), (Resolve::SourceOrder, "z")] {
            let expected = (Some(winner.to_owned()), RecordingState::Conflicting);
            assert_eq!(resolve(&item(rule), &rows, AS_OF), expected, "{rule:?}");
        }
    }

    #[test]
    fn ties_go_to_the_trusted_source_then_to_the_greatest_value() {
        let tie = [says(FIRST, Some(5), "p"), says(TRUSTED, Some(5), "a"), says(TRUSTED, Some(5), "b")];
        for rule in [Resolve::MostRecent, Resolve::MostFrequent, Resolve::SourceOrder] {
            assert_eq!(resolve(&item(rule), &tie, AS_OF).0.as_deref(), Some("b"), "{rule:?}");
        }
    }

    #[test]
    fn a_person_has_the_best_state_of_any_row() {
        let rule = item(Resolve::MostRecent);
        let blank = is(FIRST, RecordingState::Blank);
        assert_eq!(resolve(&rule, &[], AS_OF), (None, RecordingState::Blank));
        for state in [RecordingState::Outdated, RecordingState::Declined, RecordingState::Invalid] {
            assert_eq!(resolve(&rule, &[blank.clone(), is(TRUSTED, state)], AS_OF), (None, state));
        }
        // One source's own change of mind is no conflict.
        let changed = [says(FIRST, Some(1), "x"), says(FIRST, Some(2), "y"), blank];
        assert_eq!(resolve(&rule, &changed, AS_OF), (Some("y".to_owned()), RecordingState::Known));
        let mut fixed = rule.clone();
        fixed.decl.fixed = true;
        assert_eq!(resolve(&fixed, &changed, AS_OF).1, RecordingState::Conflicting);
    }

    #[test]
    fn an_old_value_wins_alone_and_contradicts_nothing() {
        let mut rule = item(Resolve::MostRecent);
        let old = says(FIRST, Some(1), "x");
        for (years, state) in [(2, RecordingState::Stale), (3, RecordingState::Known)] {
            rule.expires = Some(Window::Years(years));
            assert_eq!(resolve(&rule, std::slice::from_ref(&old), AS_OF), (Some("x".to_owned()), state));
        }
        rule.expires = Some(Window::Years(2));
        let fresh = Evidence { date: Some(date(2026, 3, 1)), ..says(LAST, None, "y") };
        assert_eq!(resolve(&rule, &[old, fresh], AS_OF), (Some("y".to_owned()), RecordingState::Known));
    }
}
