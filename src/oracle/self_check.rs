//! A real run checks itself: some people are computed a second time.

use super::{compare, compute, sampled};
use crate::error::{Error, Result};
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::receipt::Check;
use crate::score::Scores;
use crate::source::Delivered;

/// A sample of fewer says little.
const ENOUGH: usize = 20;

/// The declared share, or a larger one if too few people would fall into the sample.
fn at_least(enough: usize, one_in: u32, people: &People) -> u32 {
    let mut one_in = one_in;
    while one_in > 1
        && people.tokens.iter().filter(|token| sampled(token.reveal(), one_in)).take(enough).count() < enough
    {
        one_in = one_in.div_ceil(2);
    }
    one_in
}

/// Computes one person in `one_in` again from the deliveries; any difference stops the run.
pub fn self_check(
    pipeline: &Pipeline,
    delivered: &Delivered,
    people: &People,
    features: &Features,
    scores: &Scores,
) -> Result<Vec<Check>> {
    let one_in = pipeline.decl.self_check.as_ref().map_or(0, |check| check.one_in);
    if one_in == 0 {
        return Ok(Vec::new());
    }
    let one_in = at_least(ENOUGH, one_in, people);
    let of_sample = |token: &str| sampled(token, one_in);
    let outcome = compute(pipeline, delivered, Some(&of_sample))?;
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
