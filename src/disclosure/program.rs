//! What all sums together tell of counts that are not rounded: linear programs over the counts that are not known.
//!
//! Sum by sum is not enough where exact counts stand in tables of two sides: rows and columns bind each other. Rounded counts
//! need no program: each sum leaves more room than the sums together take.

use hashbrown::{HashMap, HashSet};
use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, Solution, Variable};

use super::network::{Known, Network};

/// The first of these counts that is known to less than `width`; none where there is none.
pub fn narrow(network: &Network, of: &[usize], width: f64) -> Option<usize> {
    // What programs for other counts have shown to be possible of each.
    let mut possible: HashMap<usize, Known> = HashMap::new();
    let wide = |possible: &HashMap<usize, Known>, at: usize| {
        possible.get(&at).is_some_and(|known| known.high - known.low >= width)
    };
    for at in of.iter().copied().filter(|at| !network.is_of_nobody(*at)) {
        let together = together(network, at);
        for direction in [OptimizationDirection::Maximize, OptimizationDirection::Minimize] {
            if wide(&possible, at) {
                break;
            }
            match extreme(network, &together, at, direction) {
                Ok((solution, variables)) => {
                    for (other, variable) in &variables {
                        let value = solution[*variable];
                        let known = possible.entry(*other).or_insert(Known { low: value, high: value });
                        *known = Known { low: known.low.min(value), high: known.high.max(value) };
                    }
                }
                Err(Error::Unbounded) => {
                    possible.insert(at, Known { low: 0.0, high: f64::INFINITY });
                }
                // What cannot be worked out here is not taken to be safe.
                Err(_) => return Some(at),
            }
        }
        if !wide(&possible, at) {
            return Some(at);
        }
    }
    None
}

/// The counts that are not known and hang together with this one.
fn together(network: &Network, at: usize) -> Vec<usize> {
    let (mut found, mut seen) = (vec![at], HashSet::new());
    seen.insert(at);
    let mut next = 0;
    while let Some(from) = found.get(next).copied() {
        next += 1;
        for (_, member) in network.sums_of(from).iter().flat_map(|sum| network.members(*sum)) {
            if !is_fixed(network.known(member)) && seen.insert(member) {
                found.push(member);
            }
        }
    }
    found
}

fn is_fixed(known: Known) -> bool {
    known.low >= known.high
}

/// How little or how much a count can be, with the value of every count that hangs together with it.
fn extreme(
    network: &Network,
    together: &[usize],
    at: usize,
    direction: OptimizationDirection,
) -> Result<(Solution, HashMap<usize, Variable>), Error> {
    let mut problem = Problem::new(direction);
    let variable = |other: &usize| {
        let Known { low, high } = network.known(*other);
        (*other, problem.add_var(f64::from(u8::from(*other == at)), (low, high)))
    };
    let variables: HashMap<usize, Variable> = together.iter().map(variable).collect();
    let mut sums: Vec<usize> = together.iter().flat_map(|other| network.sums_of(*other)).copied().collect();
    sums.sort_unstable();
    sums.dedup();
    for sum in sums {
        let (mut terms, mut rest) = (Vec::new(), 0.0);
        for (is_whole, member) in network.members(sum) {
            let sign = if is_whole { -1.0 } else { 1.0 };
            match variables.get(&member) {
                Some(variable) => terms.push((*variable, sign)),
                None => rest -= sign * network.known(member).low,
            }
        }
        problem.add_constraint(terms, ComparisonOp::Eq, rest);
    }
    problem.solve().map(|solution| (solution, variables))
}
