//! What is published of impact: each comparison with its interval, what may be said of it, and outcomes by feedback.

use super::estimate::Estimate;
use super::past::PastList;
use super::{Came, Compared, Effect, Followers, Found, Method, find};
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell, Disclosed, Rule, Whole};
use crate::error::Result;
use crate::features::keep::Kept;
use crate::figures::Figure;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Impact;
use crate::publish::Draft;

/// Rates and differences are per so many people.
const PEOPLE: f64 = 100.0;

const HEADER: [&str; 24] = [
    "measure",
    "cohort",
    "outcome",
    "method",
    "may_say_caused",
    "listed",
    "others",
    "rate_listed",
    "rate_others",
    "difference",
    "low",
    "high",
    "for_each_100_reached",
    "low_reached",
    "high_reached",
    "avoided",
    "low_avoided",
    "high_avoided",
    "before",
    "low_before",
    "high_before",
    "finding",
    "outcome_is",
    "together",
];

/// All reasons together.
const ALL_REASONS: &str = "all reasons";

/// Writes `aggregate/impact.csv`, `impact_feedback.csv` and `impact_methods.csv`.
pub fn write(pipeline: &Pipeline, past: &[PastList], people: &People, kept: &Kept, draft: &mut Draft) -> Result<()> {
    if pipeline.measures.impacts.is_empty() {
        return Ok(());
    }
    let rule = pipeline.disclosure;
    let mut effects = AggregateTable::new("impact", HEADER);
    let mut feedback = feedback_table();
    for (number, impact) in pipeline.measures.impacts.iter().enumerate() {
        let found = find(pipeline, number, impact, past, people, kept);
        effect_rows(rule, impact, &found, &mut effects)?;
        found.came.iter().try_for_each(|came| came_rows(rule, impact, came, &mut feedback))?;
    }
    draft.aggregate(&effects)?;
    draft.aggregate(&feedback)?;
    draft.aggregate(&methods()?)
}

fn feedback_table() -> AggregateTable {
    let header = ["measure", "cohort", "outcome", "came_of_it", "reason", "people", "rate"];
    AggregateTable::new("impact_feedback", header)
        .counts("people", "people by feedback", &["measure", "cohort", "came_of_it", "reason"])
        .sums("people", "reason", Whole::Row(&[("reason", ALL_REASONS)]))
}

fn methods() -> Result<AggregateTable> {
    let mut table = AggregateTable::new("impact_methods", ["method", "may_say_caused", "assumes"]);
    for method in Method::ALL {
        table.row([
            Cell::text(method.name()),
            Cell::text(yes_no(method.shows_cause())),
            Cell::text(method.assumes()),
        ])?;
    }
    Ok(table)
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn effect_rows(rule: Rule, impact: &Impact, found: &Found, table: &mut AggregateTable) -> Result<()> {
    for effect in &found.effects {
        let beside = |other: &&Effect| (other.outcome, &other.cohort) == (effect.outcome, &effect.cohort);
        let compared =
            found.effects.iter().filter(beside).any(|other| is_comparison(other.method) && is_shown(rule, other));
        // A comparison of before and after is never shown alone.
        let shown = effect.after.estimate.filter(|_| is_comparison(effect.method) || compared);
        effect_row(rule, impact, effect, shown, table)?;
    }
    Ok(())
}

fn is_comparison(method: Method) -> bool {
    matches!(method, Method::Lottery | Method::Discontinuity | Method::Matched)
}

fn is_shown(rule: Rule, effect: &Effect) -> bool {
    let counts = |estimate: Estimate| behind(effect.method, &effect.after, &estimate);
    effect.after.estimate.is_some_and(|estimate| counts(estimate).iter().all(|count| rule.rounded(*count).is_some()))
}

/// The counts that stand behind an estimate.
fn behind(method: Method, compared: &Compared, estimate: &Estimate) -> Vec<u64> {
    let events = compared.events.map(|events| events as u64);
    match method {
        Method::BeforeAfter => vec![estimate.listed, events[0]],
        Method::BeforeAfterOthers => vec![estimate.listed, events[1]],
        _ => vec![estimate.listed, estimate.others, events[0], events[1]],
    }
}

fn effect_row(
    rule: Rule,
    impact: &Impact,
    effect: &Effect,
    shown: Option<Estimate>,
    table: &mut AggregateTable,
) -> Result<()> {
    let outcome = impact.decl.outcomes.get_index(effect.outcome).map_or("", |(name, _)| name.as_str());
    let may_say_caused = effect.method.shows_cause() && !effect.differed_before();
    let texts = [&impact.name, &effect.cohort, outcome, effect.method.name(), yes_no(may_say_caused)];
    let cells = texts.map(Cell::text).into_iter();
    let rank = if outcome == impact.decl.primary { "primary" } else { "secondary" };
    let ends = [Cell::text(rank), Cell::text(&effect.together.to_string())];
    let Some(estimate) = shown else {
        let empty = std::iter::repeat_n(Cell::Empty, HEADER.len() - texts.len() - ends.len() - 1);
        return table.row(cells.chain(empty).chain([Cell::text(untold(effect))]).chain(ends));
    };
    let behind = behind(effect.method, &effect.after, &estimate);
    let figure = |value: f64| Cell::Count(rule.figure(value * PEOPLE, &behind));
    let rate = |events: f64, people: u64| match people {
        0 => Cell::Empty,
        people => rate_of(rule, events, people),
    };
    let [listed, others] = match effect.method {
        Method::BeforeAfterOthers => [0, estimate.listed],
        _ => [estimate.listed, estimate.others],
    };
    let count = |people: u64| if people == 0 { Cell::Empty } else { Cell::Count(rule.count(people)) };
    let three = |Figure { value, limits }: Figure| [value, limits.low, limits.high];
    let reached = estimate.for_each_reached.map(|reached| three(reached).map(figure)).unwrap_or(NOTHING);
    let numbers =
        [count(listed), count(others), rate(effect.after.events[0], listed), rate(effect.after.events[1], others)];
    let numbers = numbers.into_iter().chain(three(estimate.difference).map(figure)).chain(reached);
    let finding = match is_shown(rule, effect) {
        false => "too few to show",
        true if effect.differed_before() => NOT_ALIKE,
        true => finding(effect.method, effect.after.events, &estimate.difference),
    };
    let avoided = if may_say_caused { avoided(rule, &estimate, &behind) } else { NOTHING };
    table.row(cells.chain(numbers).chain(avoided).chain(before(rule, effect)).chain([Cell::text(finding)]).chain(ends))
}

/// How many events fewer there were of the listed people who were compared, as they are shown; below 0, so many more. It is
/// about nobody else on the list.
fn avoided(rule: Rule, estimate: &Estimate, behind: &[u64]) -> [Cell; 3] {
    let Figure { value, limits } = estimate.difference;
    let listed = rule.rounded(estimate.listed).unwrap_or_default() as f64;
    [value, limits.high, limits.low].map(|each| Cell::Count(rule.figure(-each * listed, behind)))
}

/// Events for so many people, of both as they are shown: a rate of exact counts would tell them.
fn rate_of(rule: Rule, events: f64, people: u64) -> Cell {
    let shown = rule.rounded(events as u64).zip(rule.rounded(people));
    Cell::Count(Disclosed::computed(shown.map(|(events, people)| events as f64 / people as f64 * PEOPLE)))
}

const NOTHING: [Cell; 3] = [Cell::Empty, Cell::Empty, Cell::Empty];

/// The difference before the list was sent.
fn before(rule: Rule, effect: &Effect) -> [Cell; 3] {
    let Some(estimate) = effect.before.estimate else { return NOTHING };
    let behind = behind(effect.method, &effect.before, &estimate);
    let Figure { value, limits } = estimate.difference;
    [value, limits.low, limits.high].map(|value| Cell::Count(rule.figure(value * PEOPLE, &behind)))
}

/// What is said of any comparison whose sides differed when a list can have changed nothing.
const NOT_ALIKE: &str = "the two sides differed already before the list was sent: do not rest anything on it";

/// Without an event there is no spread either: an interval of nothing would look like certainty.
const NOTHING_HAPPENED: &str = "no event on either side: too few people to say anything";

/// Why a comparison has no number.
fn untold(effect: &Effect) -> &'static str {
    match effect.method {
        Method::Lottery => "too few places were drawn by lot",
        Method::Discontinuity => "too few people around a cut that rank alone made",
        Method::Matched => "too few like people off the list",
        Method::BeforeAfter | Method::BeforeAfterOthers => "not shown: no comparison stands beside it",
    }
}

/// What may be said of a difference: cause is named where chance or the cut decided, and nowhere else.
fn finding(method: Method, events: [f64; 2], difference: &Figure) -> &'static str {
    let limits = difference.limits;
    if events == [0.0; 2] && [limits.low, limits.high] == [0.0; 2] {
        return NOTHING_HAPPENED;
    }
    let way = if limits.high < 0.0 { -1 } else { i8::from(limits.low > 0.0) };
    match (method, way) {
        (Method::Lottery | Method::Discontinuity, -1) => "fewer, caused by the list",
        (Method::Lottery | Method::Discontinuity, 1) => "more, caused by the list",
        (Method::Lottery | Method::Discontinuity, _) => "no effect is shown",
        (Method::Matched, -1) => "fewer than among like people off the list",
        (Method::Matched, 1) => "more than among like people off the list",
        (Method::Matched, _) => "no difference from like people off the list is shown",
        (_, -1) => "fell, as it may by itself: says nothing of the list",
        (_, 1) => "rose, as it may by itself: says nothing of the list",
        _ => "no change is shown: says nothing of the list",
    }
}

fn came_rows(rule: Rule, impact: &Impact, came: &Came, table: &mut AggregateTable) -> Result<()> {
    let of_it = came.of_it.as_deref().unwrap_or(NOT_RECORDED);
    let each = came.by_reason.iter().map(|(reason, of)| (reason.as_deref().unwrap_or(NOT_RECORDED), of));
    for (number, outcome) in impact.decl.outcomes.keys().enumerate() {
        for (reason, Followers { people, events }) in [(ALL_REASONS, &came.all)].into_iter().chain(each.clone()) {
            let events = events.get(number).copied().unwrap_or_default();
            let texts = [impact.name.as_str(), &came.cohort, outcome, of_it, reason].map(Cell::text);
            table.row(texts.into_iter().chain([Cell::Count(rule.count(*people)), rate_of(rule, events, *people)]))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Limits;

    #[test]
    fn cause_is_named_where_chance_or_the_cut_decided() {
        for method in Method::ALL {
            for (low, high) in [(-2.0, -1.0), (-1.0, 1.0), (1.0, 2.0)] {
                let difference = Figure { value: f64::midpoint(low, high), limits: Limits { low, high } };
                let said = finding(method, [3.0, 4.0], &difference);
                assert!(!said.contains("cause") || method.shows_cause(), "{said}");
                assert_eq!(said.contains("caused"), method.shows_cause() && low * high > 0.0, "{said}");
            }
        }
    }

    #[test]
    fn an_interval_of_nothing_is_no_certainty() {
        let nothing = Figure { value: 0.0, limits: Limits { low: 0.0, high: 0.0 } };
        let fell = Figure { value: -1.0, limits: Limits { low: -1.5, high: -0.5 } };
        for method in Method::ALL {
            assert_eq!(finding(method, [0.0; 2], &nothing), NOTHING_HAPPENED);
            assert_ne!(finding(method, [5.0, 5.0], &nothing), NOTHING_HAPPENED);
            // Nobody had an event afterwards, and some had before.
            assert_ne!(finding(method, [0.0; 2], &fell), NOTHING_HAPPENED);
        }
    }
}
