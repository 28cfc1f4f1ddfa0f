//! A real run checks itself: some people are computed a second time.

use super::{compare, compute_from, sampled};
use crate::conform::RawRows;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::receipt::Check;
use crate::score::Scores;
use crate::source::Delivered;

/// A sample of fewer says little.
const ENOUGH: usize = 20;

/// One in how many people is computed again: the declared share, or a larger one if too few would fall into the sample.
/// None where the run does not check itself.
pub fn share(pipeline: &Pipeline, people: &[Pseudonym]) -> Option<u32> {
    let mut one_in = pipeline.decl.self_check.as_ref().map(|check| check.one_in).filter(|one_in| *one_in > 0)?;
    let enough = |one_in| people.iter().filter(|token| sampled(&token.reveal(), one_in)).take(ENOUGH).count() == ENOUGH;
    while one_in > 1 && !enough(one_in) {
        one_in = one_in.div_ceil(2);
    }
    Some(one_in)
}

/// Computes one person in `one_in` again, from their rows as they were `kept` while the sources were read, or from the
/// deliveries; any difference stops the run.
pub fn self_check(
    pipeline: &Pipeline,
    delivered: &Delivered,
    one_in: Option<u32>,
    kept: Vec<Option<Vec<RawRows>>>,
    people: &People,
    features: &Features,
    scores: &Scores,
) -> Result<Vec<Check>> {
    let Some(one_in) = one_in else { return Ok(Vec::new()) };
    let of_sample = |token: &str| sampled(token, one_in);
    let outcome = compute_from(pipeline, delivered, Some(&of_sample), &kept)?;
    drop(kept);
    let differences = compare(pipeline, &outcome, Some(&of_sample), people, features, scores);
    if !differences.is_empty() {
        let lines: Vec<String> = differences.iter().take(50).map(|difference| format!("\n  {difference}")).collect();
        let sample = outcome.people.len();
        return Err(Error::Check(format!(
            "self-check: of {sample} people computed a second time, the two implementations disagree:{}",
            lines.concat()
        )));
    }
    let mut checks = vec![Check {
        name: format!("{} people computed a second time, one in {one_in}: no difference", outcome.people.len()),
        passed: true,
    }];
    for (what, why) in outcome.features_not_checked.iter().chain(&outcome.items_not_checked) {
        checks.push(Check { name: format!("{what} is not part of the second computation: {why}"), passed: true });
    }
    Ok(checks)
}
