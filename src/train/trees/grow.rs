//! One tree: the leaf whose split lowers the loss most is split next, until there are enough leaves.

use super::super::workers;
use super::bins::{self, BYTE, Tile};
use super::split::{self, Best, Push, Rules, Sum, Sums};
use crate::error::Result;
use crate::pipeline::{Branch, FEWEST_PEOPLE, Node, Split, Tree};

/// Fewer sums than this are not worth another thread.
const WORTH_A_THREAD: usize = 100_000;

/// What trees are grown on.
#[derive(Debug)]
pub struct Ground<'a> {
    pub tiles: &'a [Tile],
    /// Number of the person of each row; rows of one person follow on each other.
    pub person: &'a [u32],
    pub leaves: usize,
    pub learning_rate: f64,
    pub rules: Rules,
    pub threads: usize,
}

/// A tree, and how it was grown.
#[derive(Debug)]
pub struct Grown {
    pub tree: Tree,
    /// People of each node.
    pub people: Vec<u64>,
    /// Splits not made because a side had too few people.
    pub refused: usize,
    /// Of each node that is split.
    ways: Vec<Option<Way>>,
    /// Rows of each leaf, in their order.
    pub leaves: Vec<(f64, Vec<u32>)>,
}

/// How rows go on from a split.
#[derive(Debug)]
struct Way {
    tile: usize,
    lane: usize,
    left: [bool; BYTE],
}

impl Way {
    fn of(best: &Best, tiles: &[Tile]) -> Self {
        let (tile, place) = best.at;
        let place = &tiles[tile].places[place];
        Self { tile, lane: place.lane, left: best.goes_left(place) }
    }

    fn is_left(&self, tiles: &[Tile], row: usize) -> bool {
        self.left[usize::from(tiles[self.tile].rows[row][self.lane])]
    }
}

impl Grown {
    /// What the tree adds for a row.
    pub fn value(&self, tiles: &[Tile], row: usize) -> f64 {
        let mut at = 0;
        loop {
            match (&self.tree.nodes[at].branch, &self.ways[at]) {
                (Branch::Split(split), Some(way)) => {
                    at = if way.is_left(tiles, row) { split.left } else { split.right };
                }
                (Branch::Leaf(value), _) => return *value,
                (Branch::Split(_), None) => return f64::NAN,
            }
        }
    }
}

/// A leaf that may be split.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    sum: Sum,
    /// By tile; none where it is not split any more.
    sums: Vec<Sums>,
    best: Option<Best>,
}

/// Grows a tree on some rows; `pushes` are those of every row.
pub fn grow(ground: &Ground, rows: &[u32], pushes: &[Push]) -> Result<Grown> {
    let mut sum: Sum = [0; 2];
    rows.iter().for_each(|row| (0..2).for_each(|part| sum[part] += i64::from(pushes[*row as usize][part])));
    let mut root = Leaf { node: 0, rows: rows.to_vec(), sum, sums: Vec::new(), best: None };
    let found = measured(ground, &root.rows, pushes, |at, sums| (ground.best(at, &sums, sum), sums))?;
    let (bests, sums): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    (root.sums, root.best) = (sums, first_best(bests));
    let mut nodes = vec![leaf(ground, &root)];
    let (mut people, mut ways, mut refused) = (vec![ground.people(rows)], vec![None], 0);
    let mut leaves = vec![root];
    while leaves.len() < ground.leaves {
        let gain = |at: &usize| leaves[*at].best.map(|best| best.gain);
        let open = (0..leaves.len()).filter(|at| gain(at).is_some());
        // Of equals the first.
        let Some(at) = open.reduce(|best, at| if gain(&at) > gain(&best) { at } else { best }) else { break };
        let Some(best) = leaves[at].best.take() else { break };
        let way = Way::of(&best, ground.tiles);
        let (left, right): (Vec<u32>, Vec<u32>) =
            leaves[at].rows.iter().partition(|row| way.is_left(ground.tiles, **row as usize));
        let sides = [ground.people(&left), ground.people(&right)];
        if sides.iter().any(|people| *people < FEWEST_PEOPLE) {
            refused += 1;
            continue;
        }
        let last = leaves.len() + 1 == ground.leaves;
        let parent = leaves.swap_remove(at);
        let split = ground.split(&best, nodes.len());
        let children = children(ground, &parent, [left, right], &best, nodes.len(), pushes, last)?;
        (nodes[parent.node].branch, ways[parent.node]) = (Branch::Split(split), Some(way));
        nodes.extend(children.iter().map(|child| leaf(ground, child)));
        people.extend(sides);
        ways.extend([None, None]);
        leaves.extend(children);
    }
    let value = |leaf: &Leaf| ground.value(leaf.sum);
    let leaves = leaves.into_iter().map(|leaf| (value(&leaf), leaf.rows)).collect();
    Ok(Grown { tree: Tree { nodes }, people, refused, ways, leaves })
}

fn leaf(ground: &Ground, leaf: &Leaf) -> Node {
    Node { rows: leaf.rows.len() as u64, branch: Branch::Leaf(ground.value(leaf.sum)) }
}

/// Both sides of a split: the smaller is added up, the other is what is left; neither where it is the last split.
fn children(
    ground: &Ground,
    parent: &Leaf,
    rows: [Vec<u32>; 2],
    best: &Best,
    node: usize,
    pushes: &[Push],
    last: bool,
) -> Result<[Leaf; 2]> {
    let sums = [best.left, split::minus(parent.sum, best.left)];
    let small = usize::from(rows[1].len() < rows[0].len());
    let found = match last {
        true => Vec::new(),
        false => measured(ground, &rows[small], pushes, |at, of_small| {
            let of_large = split::rest(&parent.sums[at], &of_small);
            let bests = (ground.best(at, &of_small, sums[small]), ground.best(at, &of_large, sums[1 - small]));
            (bests, (of_small, of_large))
        })?,
    };
    let (bests, by_tile): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let (best_of_small, best_of_large): (Vec<_>, Vec<_>) = bests.into_iter().unzip();
    let (of_small, of_large): (Vec<_>, Vec<_>) = by_tile.into_iter().unzip();
    let mut found = [Some((of_small, best_of_small)), Some((of_large, best_of_large))];
    let [left, right] = rows;
    let mut child = |side: usize, rows: Vec<u32>| {
        let (of_tiles, bests) = found[usize::from(side != small)].take().unwrap_or_default();
        Leaf { node: node + side, rows, sum: sums[side], sums: of_tiles, best: first_best(bests) }
    };
    Ok([child(0, left), child(1, right)])
}

/// Adds up the rows of a leaf tile by tile.
fn measured<T: Send>(
    ground: &Ground,
    rows: &[u32],
    pushes: &[Push],
    then: impl Fn(usize, Sums) -> T + Sync,
) -> Result<Vec<T>> {
    let ordered: Vec<Push> = rows.iter().map(|row| pushes[*row as usize]).collect();
    let much = rows.len() * ground.tiles.len() * bins::LANES >= WORTH_A_THREAD;
    let threads = if much { ground.threads } else { 1 };
    workers::each(threads, ground.tiles.len(), |at| then(at, split::sums(&ground.tiles[at], rows, &ordered)))
}

/// Of equals the first.
fn first_best(bests: Vec<Option<Best>>) -> Option<Best> {
    bests.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
}

impl Ground<'_> {
    fn best(&self, tile: usize, sums: &Sums, whole: Sum) -> Option<Best> {
        split::best(tile, &self.tiles[tile], sums, whole, &self.rules)
    }

    fn value(&self, sum: Sum) -> f64 {
        let (slope, curvature) = (sum[0] as f64 * self.rules.step, sum[1] as f64 * self.rules.step);
        -slope / (curvature + self.rules.ridge) * self.learning_rate
    }

    fn people(&self, rows: &[u32]) -> u64 {
        let person = |row: &u32| self.person[*row as usize];
        rows.chunk_by(|a, b| person(a) == person(b)).count() as u64
    }

    /// As a table says it; the sides become the next two nodes.
    fn split(&self, best: &Best, next: usize) -> Split {
        let place = &self.tiles[best.at.0].places[best.at.1];
        let below = place.bounds[best.bin - place.first()];
        Split { input: place.input, below, missing_left: best.missing_left, left: next, right: next + 1 }
    }
}
