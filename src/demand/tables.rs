//! What is published of demand: expected events by group and week, where risk sits, and the scenario.

use jiff::Span;

use super::{Group, Outlook, outlook};
use crate::disclosure::{AggregateTable, Cell, Rule};
use crate::error::Result;
use crate::features::Features;
use crate::pipeline::Pipeline;
use crate::pipeline::measures::Demand;
use crate::publish::Draft;
use crate::score::Scores;

const ALL_WEEKS: &str = "all weeks";

/// Rates are per so many people.
const PEOPLE: f64 = 1_000.0;

/// Writes `aggregate/demand.csv`, `demand_risk.csv` and `demand_scenario.csv`.
pub fn write(pipeline: &Pipeline, features: &Features, scores: &Scores, draft: &mut Draft) -> Result<()> {
    if pipeline.measures.demands.is_empty() {
        return Ok(());
    }
    let weeks = ["measure", "event", "split", "group", "week", "expected", "low", "high"];
    let mut weeks = AggregateTable::new("demand", weeks);
    let risk = ["measure", "event", "split", "group", "people", "expected", "for_each_1000_people", "share"];
    let mut risk =
        AggregateTable::new("demand_risk", risk).counts("people", "people with a risk", &["measure", "split", "group"]);
    let scenario = ["measure", "event", "reached", "expected", "averts_percent", "averted", "because"];
    let mut scenario = AggregateTable::new("demand_scenario", scenario);
    let rule = pipeline.disclosure;
    for demand in &pipeline.measures.demands {
        let outlook = outlook(pipeline, demand, features, scores)?;
        week_rows(pipeline, demand, &outlook, &mut weeks)?;
        risk_rows(rule, demand, &outlook, &mut risk)?;
        scenario_rows(rule, demand, &outlook, &mut scenario)?;
    }
    draft.aggregate(&weeks)?;
    draft.aggregate(&risk)?;
    draft.aggregate(&scenario)
}

fn week_rows(pipeline: &Pipeline, demand: &Demand, outlook: &Outlook, table: &mut AggregateTable) -> Result<()> {
    let rule = pipeline.disclosure;
    let begins = |week: u32| pipeline.as_of.saturating_add(Span::new().weeks(i64::from(week))).to_string();
    for (event, expected) in demand.decl.events.keys().zip(&outlook.events) {
        for (split, groups) in outlook.splits.iter().zip(&expected.groups) {
            for (name, group) in split.names.iter().zip(groups) {
                let mut row = |week: &str, [value, low, high]: [f64; 3]| {
                    let figure = |value: f64| Cell::Count(rule.figure(value, &[group.people, expected.had]));
                    let texts = [demand.name.as_str(), event, &split.name, name, week].map(Cell::text);
                    table.row(texts.into_iter().chain([value, low, high].map(figure)))
                };
                let Group { a_week, of_a_week, all_weeks, of_all_weeks, .. } = *group;
                for week in 0..demand.decl.weeks {
                    row(&begins(week), [a_week, of_a_week.low, of_a_week.high])?;
                }
                row(ALL_WEEKS, [all_weeks, of_all_weeks.low, of_all_weeks.high])?;
            }
        }
    }
    Ok(())
}

fn risk_rows(rule: Rule, demand: &Demand, outlook: &Outlook, table: &mut AggregateTable) -> Result<()> {
    for (event, expected) in demand.decl.events.keys().zip(&outlook.events) {
        let all = expected.groups.first().and_then(|everyone| everyone.first()).map_or(0.0, |group| group.all_weeks);
        for (split, groups) in outlook.splits.iter().zip(&expected.groups) {
            for (name, group) in split.names.iter().zip(groups) {
                let figure = |value: f64| Cell::Count(rule.figure(value, &[group.people, expected.had]));
                let texts = [demand.name.as_str(), event, &split.name, name].map(Cell::text);
                // Of the people as they are shown: by the exact ones, their number could be worked out.
                let (each, share) = match rule.rounded(group.people) {
                    Some(0) => (Cell::Empty, Cell::Empty),
                    people => (
                        figure(group.all_weeks / people.unwrap_or_default() as f64 * PEOPLE),
                        figure(100.0 * group.all_weeks / all.max(1e-12)),
                    ),
                };
                let people = Cell::Count(rule.count(group.people));
                table.row(texts.into_iter().chain([people, figure(group.all_weeks), each, share]))?;
            }
        }
    }
    Ok(())
}

fn scenario_rows(rule: Rule, demand: &Demand, outlook: &Outlook, table: &mut AggregateTable) -> Result<()> {
    let Some(declared) = &demand.decl.scenario else { return Ok(()) };
    for (event, expected) in demand.decl.events.keys().zip(&outlook.events) {
        let Some(scenario) = expected.scenario else { continue };
        let figure = |value: f64| Cell::Count(rule.figure(value, &[scenario.reached, expected.had]));
        table.row([
            Cell::text(&demand.name),
            Cell::text(event),
            Cell::Count(rule.count(scenario.reached)),
            figure(scenario.expected),
            figure(declared.averts_percent),
            figure(scenario.averted),
            Cell::text(&declared.because),
        ])?;
    }
    Ok(())
}
