//! Exact Shapley values of an ensemble of trees.
//!
//! The value of a set of known inputs is the tree's path-dependent expectation: a split on a known input is followed,
//! one on an unknown input is averaged by the training rows that went each way (Lundberg, Erion and Lee, "Consistent
//! individualized feature attribution for tree ensembles", 2018, arXiv:1802.03888). A leaf is reached when every input
//! on its way allows it, so its part of that value is a product, one factor an input; the Shapley values of a product
//! need no list of subsets, only the coefficients of one polynomial.

use crate::error::{Error, Result};
use crate::pipeline::{Branch, Split, Tree, Trees};

/// The leaves of every tree, each with the ways to it.
pub struct Shapley {
    leaves: Vec<Leaf>,
    /// What the trees add on average over the training rows.
    pub expected: f64,
}

struct Leaf {
    value: f64,
    ways: Vec<Way>,
}

/// All splits on one input on the way to a leaf.
#[derive(Debug, Clone, PartialEq)]
struct Way {
    input: usize,
    /// Values that pass: from this …
    from: f64,
    /// … to below this,
    below: f64,
    /// and a null.
    missing: bool,
    /// The share of training rows that went this way where the input is not known.
    share: f64,
}

impl Shapley {
    pub fn new(ensemble: &Trees) -> Result<Self> {
        let mut leaves = Vec::new();
        for tree in &ensemble.trees {
            collect(tree, 0, &mut Vec::new(), &mut leaves)?;
        }
        let reach = |leaf: &Leaf| leaf.ways.iter().fold(leaf.value, |value, way| value * way.share);
        let expected = leaves.iter().map(reach).sum();
        Ok(Self { leaves, expected })
    }

    /// Adds what each input does for one person, by index into [`Trees::inputs`].
    pub fn of(&self, value: impl Fn(usize) -> Option<f64>, mut add: impl FnMut(usize, f64)) {
        let mut polynomial = Vec::new();
        let mut passes = Vec::new();
        for leaf in &self.leaves {
            passes.clear();
            passes.extend(leaf.ways.iter().map(|way| way.passes(value(way.input))));
            product(&leaf.ways, &passes, &mut polynomial);
            for (way, passes) in leaf.ways.iter().zip(&passes) {
                let change = if *passes { 1.0 - way.share } else { -way.share };
                add(way.input, leaf.value * change * without(&polynomial, way.share, *passes));
            }
        }
    }
}

impl Way {
    fn passes(&self, value: Option<f64>) -> bool {
        value.map_or(self.missing, |value| value >= self.from && value < self.below)
    }
}

/// Goes down from a node, and puts down every leaf below it.
fn collect(tree: &Tree, node: usize, ways: &mut Vec<Way>, leaves: &mut Vec<Leaf>) -> Result<()> {
    let lost = || Error::Fault("a tree's node was checked and is not there".to_owned());
    let at = tree.nodes.get(node).ok_or_else(lost)?;
    match &at.branch {
        Branch::Leaf(value) => leaves.push(Leaf { value: *value, ways: ways.clone() }),
        Branch::Split(split) => {
            for (child, left) in [(split.left, true), (split.right, false)] {
                let rows = tree.nodes.get(child).ok_or_else(lost)?.rows;
                let before = ways.clone();
                narrow(ways, split, left, rows as f64 / at.rows as f64);
                collect(tree, child, ways, leaves)?;
                *ways = before;
            }
        }
    }
    Ok(())
}

/// Takes one more split into the way of its input.
fn narrow(ways: &mut Vec<Way>, split: &Split, left: bool, share: f64) {
    let at = ways.iter().position(|way| way.input == split.input).unwrap_or_else(|| {
        let (from, below) = (f64::NEG_INFINITY, f64::INFINITY);
        ways.push(Way { input: split.input, from, below, missing: true, share: 1.0 });
        ways.len() - 1
    });
    let Some(way) = ways.get_mut(at) else { return };
    if left {
        way.below = way.below.min(split.below);
    } else {
        way.from = way.from.max(split.below);
    }
    way.missing &= split.missing_left == left;
    way.share *= share;
}

/// The coefficients of ∏ (share + passes · t): at `t^k`, the sum over all sets of k known inputs.
fn product(ways: &[Way], passes: &[bool], polynomial: &mut Vec<f64>) {
    polynomial.clear();
    polynomial.push(1.0);
    for (way, passes) in ways.iter().zip(passes) {
        polynomial.push(0.0);
        for k in (0..polynomial.len()).rev() {
            let lower = if *passes && k > 0 { polynomial[k - 1] } else { 0.0 };
            polynomial[k] = polynomial[k] * way.share + lower;
        }
    }
}

/// The mean over all orders of the inputs of what the others allow when this one becomes known.
///
/// The factor of this input is divided out of the polynomial; a set of k of the other n − 1 features comes before it in
/// k! (n − 1 − k)! of n! orders.
fn without(polynomial: &[f64], share: f64, passes: bool) -> f64 {
    let n = polynomial.len() - 1;
    let mut sum = 0.0;
    // k! (n − 1 − k)! / n!, from k = n − 1 down.
    let mut weight = 1.0 / n as f64;
    let mut quotient = 0.0;
    for k in (0..n).rev() {
        quotient = if passes { polynomial[k + 1] - share * quotient } else { polynomial[k] / share };
        sum += weight * quotient;
        weight *= (n - k) as f64 / k.max(1) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::pipeline::Node;

    const FEATURES: usize = 5;

    /// A tree of random shape; features come again on a way, as they do in fitted ones.
    fn grow(dice: &mut ChaCha8Rng, nodes: &mut Vec<Node>, depth: usize) -> (usize, u64) {
        let at = nodes.len();
        nodes.push(Node { rows: 0, branch: Branch::Leaf(dice.random_range(-1.0..1.0)) });
        if depth == 0 || dice.random_bool(0.15) {
            let rows = dice.random_range(10..500);
            nodes[at].rows = rows;
            return (at, rows);
        }
        let (left, rows_left) = grow(dice, nodes, depth - 1);
        let (right, rows_right) = grow(dice, nodes, depth - 1);
        let feature = dice.random_range(0..FEATURES);
        let below = f64::from(dice.random_range(0..10));
        let split = Split { input: feature, below, missing_left: dice.random_bool(0.5), left, right };
        nodes[at] = Node { rows: rows_left + rows_right, branch: Branch::Split(split) };
        (at, rows_left + rows_right)
    }

    /// The value of a set of known features, as the definition has it.
    fn expectation(tree: &Tree, node: usize, person: &[Option<f64>], known: usize) -> f64 {
        let at = &tree.nodes[node];
        match &at.branch {
            Branch::Leaf(value) => *value,
            Branch::Split(split) if known >> split.input & 1 == 1 => {
                let left = person[split.input].map_or(split.missing_left, |value| value < split.below);
                expectation(tree, if left { split.left } else { split.right }, person, known)
            }
            Branch::Split(split) => {
                let part = |child: usize| {
                    tree.nodes[child].rows as f64 / at.rows as f64 * expectation(tree, child, person, known)
                };
                part(split.left) + part(split.right)
            }
        }
    }

    /// Over all subsets of the other features.
    fn brute_force(trees: &[Tree], person: &[Option<f64>], feature: usize) -> f64 {
        let value = |known: usize| trees.iter().map(|tree| expectation(tree, 0, person, known)).sum::<f64>();
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let mut sum = 0.0;
        for known in (0..1_usize << FEATURES).filter(|known| known >> feature & 1 == 0) {
            let size = known.count_ones();
            let weight = factorial(size) * factorial(FEATURES as u32 - 1 - size) / factorial(FEATURES as u32);
            sum += weight * (value(known | 1 << feature) - value(known));
        }
        sum
    }

    #[test]
    fn values_are_those_of_the_definition() {
        for seed in 0..60 {
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            let mut trees = Vec::new();
            for _ in 0..3 {
                let mut nodes = Vec::new();
                grow(&mut dice, &mut nodes, 7);
                trees.push(Tree { nodes });
            }
            let ensemble = Trees { intercept: 0.0, inputs: Vec::new(), trees };
            let shapley = Shapley::new(&ensemble).unwrap();
            for _ in 0..5 {
                let mut value = || dice.random_bool(0.8).then(|| f64::from(dice.random_range(0..10)));
                let person: Vec<Option<f64>> = (0..FEATURES).map(|_| value()).collect();
                let mut adds = [0.0; FEATURES];
                shapley.of(|feature| person[feature], |feature, amount| adds[feature] += amount);
                for (feature, adds) in adds.iter().enumerate() {
                    let expected = brute_force(&ensemble.trees, &person, feature);
                    assert!((adds - expected).abs() < 1e-10, "seed {seed}: feature {feature}: {adds}, not {expected}");
                }
                let all: f64 = ensemble.trees.iter().map(|tree| expectation(tree, 0, &person, usize::MAX)).sum();
                let sum = shapley.expected + adds.iter().sum::<f64>();
                assert!((sum - all).abs() < 1e-12, "seed {seed}: the values sum to {sum}, not {all}");
            }
        }
    }

    #[test]
    fn one_split_shares_nothing() {
        let leaf = |value, rows| Node { rows, branch: Branch::Leaf(value) };
        let split = Split { input: 2, below: 1.0, missing_left: true, left: 1, right: 2 };
        let nodes = vec![Node { rows: 100, branch: Branch::Split(split) }, leaf(-1.0, 75), leaf(1.0, 25)];
        let shapley = Shapley::new(&Trees { intercept: 0.0, inputs: Vec::new(), trees: vec![Tree { nodes }] }).unwrap();
        assert_eq!(shapley.expected, -0.5);
        for (value, adds) in [(Some(0.0), -0.5), (Some(1.0), 1.5), (None, -0.5)] {
            shapley.of(
                |_| value,
                |feature, amount| {
                    // Both leaves speak: what one allows, the other forbids.
                    assert_eq!((feature, amount.signum()), (2, f64::signum(adds)));
                },
            );
            let mut sum = 0.0;
            shapley.of(|_| value, |_, amount| sum += amount);
            assert_eq!(sum, adds);
        }
    }
}
