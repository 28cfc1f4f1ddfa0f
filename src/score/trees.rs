//! A fitted ensemble: the logistic function of the intercept and one leaf of each tree.
//!
//! The nodes stand in one flat array, and a block of people goes through a tree before the next tree is touched: nothing
//! is allocated for a person, and each person's sum is in the order of the trees.

use std::ops::Range;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use super::numbers;
use crate::error::{Error, Result};
use crate::pipeline::{Branch, TreeInput, Trees};

/// People that go through a tree together: their values stay in the processor's cache.
const BLOCK: usize = 128;

/// Stands for an input in a leaf.
const LEAF: u32 = u32::MAX;

/// The score of every person, from 0 to 1; `table` holds the features in their order.
pub(super) fn scores(ensemble: &Trees, table: &RecordBatch) -> Result<Vec<f64>> {
    Ok(sums(ensemble, table)?.into_iter().map(|sum| 1.0 / (1.0 + (-sum).exp())).collect())
}

/// The log-odds of every person.
pub(super) fn sums(ensemble: &Trees, table: &RecordBatch) -> Result<Vec<f64>> {
    let inputs = ensemble.inputs.iter().map(|input| values(input, table)).collect::<Result<Vec<_>>>()?;
    let read = |input: usize, rows: Range<usize>, out: &mut [f64]| {
        for (out, row) in out.iter_mut().zip(rows) {
            *out = if inputs[input].is_valid(row) { inputs[input].value(row) } else { f64::NAN };
        }
    };
    log_odds(ensemble, table.num_rows(), read)
}

/// What the splits on an input compare.
pub(super) fn values(input: &TreeInput, table: &RecordBatch) -> Result<Float64Array> {
    let column = table.column(input.feature);
    let Some(texts) = column.as_string_opt::<i32>().filter(|_| column.data_type() == &DataType::Utf8) else {
        return numbers(table, input.feature);
    };
    let number = |text: Option<&str>| text.map(|text| f64::from(u8::from(input.equals.as_deref() == Some(text))));
    Ok(texts.iter().map(number).collect())
}

/// The sum of the intercept and the leaves of each row; `read` writes the values of an input, NaN where missing.
pub fn log_odds(ensemble: &Trees, rows: usize, read: impl Fn(usize, Range<usize>, &mut [f64])) -> Result<Vec<f64>> {
    let flat = Flat::new(ensemble)?;
    let mut sums = vec![ensemble.intercept; rows];
    let mut block = vec![f64::NAN; BLOCK * ensemble.inputs.len()];
    for (number, sums) in sums.chunks_mut(BLOCK).enumerate() {
        let first = number * BLOCK;
        for (input, values) in block.chunks_mut(BLOCK).enumerate() {
            read(input, first..first + sums.len(), &mut values[..sums.len()]);
        }
        for root in &flat.roots {
            for (person, sum) in sums.iter_mut().enumerate() {
                *sum += flat.leaf(*root, &block, person);
            }
        }
    }
    Ok(sums)
}

/// All nodes of all trees.
struct Flat {
    nodes: Vec<FlatNode>,
    roots: Vec<u32>,
}

#[derive(Clone, Copy)]
struct FlatNode {
    /// The bound of a split, or the value of a leaf.
    number: f64,
    input: u32,
    below: u32,
    above: u32,
    missing: u32,
}

impl Flat {
    fn new(ensemble: &Trees) -> Result<Self> {
        let large = |_| Error::Fault("an ensemble of more nodes than was checked".to_owned());
        let index = |number: usize| u32::try_from(number).map_err(large);
        let mut flat = Self { nodes: Vec::new(), roots: Vec::new() };
        for tree in &ensemble.trees {
            let root = flat.nodes.len();
            flat.roots.push(index(root)?);
            for node in &tree.nodes {
                flat.nodes.push(match &node.branch {
                    Branch::Leaf(value) => FlatNode { number: *value, input: LEAF, below: 0, above: 0, missing: 0 },
                    Branch::Split(split) => {
                        let (below, above) = (index(root + split.left)?, index(root + split.right)?);
                        let missing = if split.missing_left { below } else { above };
                        FlatNode { number: split.below, input: index(split.input)?, below, above, missing }
                    }
                });
            }
        }
        Ok(flat)
    }

    /// The leaf of one person of a block, which holds the inputs one behind the other.
    fn leaf(&self, root: u32, block: &[f64], person: usize) -> f64 {
        let mut node = self.nodes[root as usize];
        while node.input != LEAF {
            let value = block[node.input as usize * BLOCK + person];
            let next = if value < node.number {
                node.below
            } else if value.is_nan() {
                node.missing
            } else {
                node.above
            };
            node = self.nodes[next as usize];
        }
        node.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Node, Split, Tree};

    fn split(input: usize, below: f64, missing_left: bool, left: usize) -> Node {
        Node { rows: 20, branch: Branch::Split(Split { input, below, missing_left, left, right: left + 1 }) }
    }

    fn leaf(value: f64) -> Node {
        Node { rows: 10, branch: Branch::Leaf(value) }
    }

    #[test]
    fn a_person_goes_the_declared_way() {
        let nodes = vec![split(0, 2.0, false, 1), leaf(-1.0), split(1, 0.5, true, 3), leaf(0.25), leaf(4.0)];
        let stump = vec![leaf(0.125)];
        let inputs = vec![TreeInput { feature: 0, equals: None }, TreeInput { feature: 1, equals: None }];
        let trees = vec![Tree { nodes }, Tree { nodes: stump }];
        let ensemble = Trees { intercept: 0.5, inputs, trees };
        let people = [(1.9, 1.0, -1.0), (2.0, 0.4, 0.25), (2.0, 0.5, 4.0), (f64::NAN, f64::NAN, 0.25)];
        // More than one block.
        let rows = 3 * BLOCK + 1;
        let read = |input: usize, range: Range<usize>, out: &mut [f64]| {
            for (out, row) in out.iter_mut().zip(range) {
                let (first, second, _) = people[row % people.len()];
                *out = [first, second][input];
            }
        };
        let sums = log_odds(&ensemble, rows, read).unwrap();
        assert_eq!(sums.len(), rows);
        for (row, sum) in sums.iter().enumerate() {
            assert_eq!(*sum, 0.5 + people[row % people.len()].2 + 0.125, "row {row}");
        }
    }

    #[test]
    fn trees_without_a_split_need_no_input() {
        let ensemble = Trees { intercept: -1.0, inputs: vec![], trees: vec![Tree { nodes: vec![leaf(0.5)] }] };
        assert_eq!(log_odds(&ensemble, 3, |_, _, _| {}).unwrap(), [-0.5; 3]);
    }
}
