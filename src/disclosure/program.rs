//! How far a count that is not rounded could be from what it is, with all sums still right: linear programs over the counts
//! near it that are not printed.
//!
//! Sum by sum is not enough where exact counts stand in tables of two sides: rows and columns bind each other. Whatever is
//! possible while most counts stay as they are is possible; so a few counts that make up for each other in every sum will do,
//! and a program over all of a run's tables is never needed. Rounded counts need none: each sum leaves more room than the sums
//! take together.

use hashbrown::HashMap;
use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, Solution, Variable};

use super::network::{Count, Network};

/// Of each sum so many counts are let loose, at first and then; and no more than this in all.
const LOOSE: [usize; 2] = [2, 4];
const MOST: usize = 120;

/// No count has to go further than this.
const FURTHEST: f64 = 1000.0;

/// What rounding of the programs may be off.
const NEARLY: f64 = 1e-6;

/// How far below and above itself each count can be. Hiding more only adds to it.
#[derive(Debug, Default)]
pub struct Room {
    found: HashMap<usize, (f64, f64)>,
    /// Programs that may still be solved.
    programs: usize,
}

impl Room {
    /// Lets so many programs be solved from now on.
    pub fn may_solve(&mut self, programs: usize) {
        self.programs = programs;
    }

    pub fn is_spent(&self) -> bool {
        self.programs == 0
    }

    /// Whether a count can be any of `width` numbers in a row.
    pub fn is_wide(&mut self, network: &Network, at: usize, width: f64) -> bool {
        for loose in LOOSE {
            let around = around(network, at, loose, width);
            for direction in [OptimizationDirection::Maximize, OptimizationDirection::Minimize] {
                if self.holds(at, width) || self.is_spent() {
                    return self.holds(at, width);
                }
                self.programs -= 1;
                // What cannot be worked out here is not taken to be possible.
                if let Ok((solution, variables)) = extreme(network, &around, at, direction, width) {
                    for (other, variable) in &variables {
                        let value = solution[*variable];
                        let (low, high) = self.found.entry(*other).or_default();
                        (*low, *high) = (low.min(value), high.max(value));
                    }
                }
            }
        }
        self.holds(at, width)
    }

    fn holds(&self, at: usize, width: f64) -> bool {
        self.found.get(&at).is_some_and(|(low, high)| high - low >= width - NEARLY)
    }
}

/// A count that can be told apart from what it is: not printed, and known here.
fn truth(network: &Network, at: usize) -> Option<f64> {
    network.counts.get(at).filter(|_| network.is_open(at)).and_then(|count: &Count| count.truth)
}

/// This count, and in each sum of it and of those taken so far some that can make up for each other: those that bring the
/// fewest further sums with them, and of these the large ones.
fn around(network: &Network, at: usize, loose: usize, width: f64) -> Vec<usize> {
    let mut found = vec![at];
    let mut in_sum: HashMap<usize, usize> = HashMap::new();
    let mut next = 0;
    let mut sums: Vec<usize> = Vec::new();
    take(network, at, &mut in_sum, &mut sums);
    while let Some(sum) = sums.get(next).copied() {
        next += 1;
        while in_sum.get(&sum).is_some_and(|taken| *taken < loose) && found.len() < MOST {
            let rank = |member: usize| {
                let further = network.sums_of(member).iter().filter(|sum| !in_sum.contains_key(*sum)).count();
                let truth = truth(network, member)?;
                Some((further, truth < width, std::cmp::Reverse(truth as u64), member))
            };
            let members = network.members(sum).map(|(_, member)| member).filter(|member| !found.contains(member));
            let Some((.., best)) = members.filter_map(rank).min() else { break };
            found.push(best);
            take(network, best, &mut in_sum, &mut sums);
        }
    }
    found
}

fn take(network: &Network, at: usize, in_sum: &mut HashMap<usize, usize>, sums: &mut Vec<usize>) {
    for sum in network.sums_of(at) {
        let taken = in_sum.entry(*sum).or_insert(0);
        *taken += 1;
        if *taken == 1 {
            sums.push(*sum);
        }
    }
}

/// How much less or more a count can be, with the same of every count around it.
fn extreme(
    network: &Network,
    around: &[usize],
    at: usize,
    direction: OptimizationDirection,
    width: f64,
) -> Result<(Solution, HashMap<usize, Variable>), Error> {
    let mut problem = Problem::new(direction);
    let variable = |other: &usize| {
        let low = -truth(network, *other).unwrap_or_default();
        let (weight, high) = if *other == at { (1.0, width) } else { (0.0, FURTHEST) };
        (*other, problem.add_var(weight, (low, high)))
    };
    let variables: HashMap<usize, Variable> = around.iter().map(variable).collect();
    let mut sums: Vec<usize> = around.iter().flat_map(|other| network.sums_of(*other)).copied().collect();
    sums.sort_unstable();
    sums.dedup();
    for sum in sums {
        let sign = |is_whole: bool| if is_whole { -1.0 } else { 1.0 };
        let terms =
            network.members(sum).filter_map(|(is_whole, other)| Some((*variables.get(&other)?, sign(is_whole))));
        problem.add_constraint(terms.collect::<Vec<_>>(), ComparisonOp::Eq, 0.0);
    }
    problem.solve().map(|solution| (solution, variables))
}
