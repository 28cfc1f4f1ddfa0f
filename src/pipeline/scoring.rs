//! How features become a score, checked: points, logistic terms, trees, stacks of them.

use super::decl::Transform;

#[derive(Debug, Clone)]
pub enum Scoring {
    Points(Points),
    Logistic(Logistic),
    Trees(Trees),
    Stack(Stack),
}

#[derive(Debug, Clone)]
pub struct Points {
    pub items: Vec<PointsItem>,
    /// From this sum of items up, in thousandths, lowest first: what it counts as.
    pub table_sum: Vec<(i64, i64)>,
    pub thresholds: Vec<Threshold>,
    pub floor: Option<i64>,
    pub divide_by: Option<f64>,
}

/// Points of one category, in thousandths.
#[derive(Debug, Clone)]
pub struct PointsItem {
    pub category: String,
    /// Index into [`super::Pipeline::features`]; Boolean, or a count of which any positive value counts once.
    pub feature: usize,
    pub milli: i64,
    /// Indices into `items` of the categories that this one silences.
    pub trumps: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Threshold {
    pub feature: usize,
    pub at_least: f64,
    pub below: Option<f64>,
    pub milli: i64,
}

#[derive(Debug, Clone)]
pub struct Logistic {
    pub intercept: f64,
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone)]
pub struct Term {
    pub feature: usize,
    /// Of a text feature: the value whose presence counts 1.
    pub equals: Option<String>,
    pub coefficient: f64,
    pub missing: Option<f64>,
    /// With one of these the value becomes 1 when it is at least the one and below the other, else 0.
    pub at_least: Option<f64>,
    pub below: Option<f64>,
    pub reference: f64,
    pub cap: Option<f64>,
    pub transform: Transform,
    pub divide_by: Option<f64>,
}

/// Models that are added on the log-odds scale.
#[derive(Debug, Clone)]
pub struct Stack {
    pub intercept: f64,
    /// Each with the weight by which its log-odds are multiplied; none is a stack, and none gives points.
    pub bases: Vec<(f64, Scoring)>,
}

/// A leaf of fewer people could tell their outcomes: such a model is neither written nor read.
pub const FEWEST_PEOPLE: u64 = 10;

/// A fitted ensemble, on the log-odds scale.
#[derive(Debug, Clone)]
pub struct Trees {
    pub intercept: f64,
    /// What the splits read, each once.
    pub inputs: Vec<TreeInput>,
    pub trees: Vec<Tree>,
}

/// A feature as a number, missing where it is null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeInput {
    /// Index into [`super::Pipeline::features`]; of a text that is not compared, only whether it is null counts.
    pub feature: usize,
    /// Of a text: 1 where it is this, 0 where it is another.
    pub equals: Option<String>,
}

/// The root is node 0, and children stand behind their parent.
#[derive(Debug, Clone)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
pub struct Node {
    /// Training rows that came here; of a split, the sum of its children's.
    pub rows: u64,
    pub branch: Branch,
}

/// Where a person goes from a node.
#[derive(Debug, Clone)]
pub enum Branch {
    Split(Split),
    /// The end, and what it adds to the log-odds.
    Leaf(f64),
}

#[derive(Debug, Clone)]
pub struct Split {
    /// Index into [`Trees::inputs`].
    pub input: usize,
    /// A value below this goes left, any other right.
    pub below: f64,
    /// What is missing goes left, or right.
    pub missing_left: bool,
    /// Indices into the tree's nodes.
    pub left: usize,
    pub right: usize,
}
