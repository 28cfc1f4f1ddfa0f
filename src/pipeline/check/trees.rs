//! The nodes of a fitted ensemble: bound to features by name, whole, without a way round, and no leaf a person's own.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

use super::super::decl::ModelDecl;
use super::super::document::Document;
use super::super::table::{LineProblem, Row};
use super::super::{Branch, FEWEST_PEOPLE, Node, Split, Tree, TreeInput, Trees};
use super::Checker;

const COLUMNS: [&str; 10] = ["tree", "node", "feature", "below", "missing", "left", "right", "value", "rows", "people"];

/// An ensemble of more nodes is no model but a copy of its data.
const MOST_NODES: usize = 1_000_000;

/// Of a file that is wrong throughout, the first are enough.
const MOST_PROBLEMS: usize = 20;

/// What the splits of a table read, by the feature's name and the text it is compared with.
type Inputs<'a> = BTreeMap<(&'a str, &'a str), usize>;

impl Checker {
    pub(super) fn trees(&mut self, document: &Document, decl: &ModelDecl) -> Option<Trees> {
        let (Some(table), Some(intercept)) = (&decl.table, decl.intercept) else {
            let problem = document.at_key(&["kind"], "trees need a `table` and an `intercept`");
            self.desk.report(problem.help(format!("the table has one row a node: {}", COLUMNS.join(","))));
            return None;
        };
        let (shown, text, rows) = self.table(document, table, &COLUMNS)?;
        if rows.len() > MOST_NODES {
            let message = format!("{} nodes, where {MOST_NODES} are the most a model may have", rows.len());
            self.desk.report(document.at_value(&["table"], message));
            return None;
        }
        let (inputs, numbers) = self.tree_inputs(&shown, &text, &rows)?;
        match ensemble(&rows, &numbers) {
            Ok(trees) => Some(Trees { intercept, inputs, trees }),
            Err(problems) => {
                let first = problems.iter().take(MOST_PROBLEMS);
                first.for_each(|problem| self.desk.report(problem.located(&shown, &text)));
                if problems.len() > MOST_PROBLEMS {
                    let more = problems.len() - MOST_PROBLEMS;
                    self.desk.report(document.at_value(&["table"], format!("{more} more rows of `{table}` are wrong")));
                }
                None
            }
        }
    }

    /// Every input that is split on, bound by name; one that cannot be is said where it stands first.
    fn tree_inputs<'a>(&mut self, file: &str, text: &str, rows: &'a [Row]) -> Option<(Vec<TreeInput>, Inputs<'a>)> {
        let mut first: BTreeMap<(&str, &str, bool), &Row> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.get("feature").is_empty()) {
            let bounded = !row.get("below").is_empty();
            first.entry((row.get("feature"), row.get("equals"), bounded)).or_insert(row);
        }
        let (mut inputs, mut numbers) = (Vec::new(), Inputs::new());
        let mut good = true;
        for ((name, equals, bounded), row) in first {
            let at = |message: String| row.problem(message).located(file, text);
            let found = match bounded {
                true => self.numeric(at, name),
                false => self.feature_named(at, name),
            };
            let Some(feature) = found else {
                good = false;
                continue;
            };
            let is_text = self.features.get(feature).is_some_and(|feature| feature.data_type == DataType::Utf8);
            if !equals.is_empty() && !is_text {
                self.desk.report(at(format!("`{name}` is no text, so it equals none")));
                good = false;
            }
            numbers.entry((name, equals)).or_insert_with(|| {
                let equals = Some(equals).filter(|equals| !equals.is_empty()).map(str::to_owned);
                inputs.push(TreeInput { feature, equals });
                inputs.len() - 1
            });
        }
        good.then_some((inputs, numbers))
    }
}

/// The trees, or every row that is wrong.
fn ensemble(rows: &[Row], inputs: &Inputs) -> Result<Vec<Tree>, Vec<LineProblem>> {
    let mut trees = Vec::new();
    let mut problems = Vec::new();
    let mut start = 0;
    while let Some(first) = rows.get(start) {
        let length = rows.iter().skip(start).take_while(|row| row.get("tree") == first.get("tree")).count();
        let rows = rows.get(start..start + length).unwrap_or_default();
        start += length;
        if first.get("tree") != trees.len().to_string() && problems.is_empty() {
            problems.push(first.problem(format!("tree {} stands here", trees.len())));
        }
        trees.push(tree(rows, inputs).unwrap_or_else(|of_tree| {
            problems.extend(of_tree);
            Tree { nodes: Vec::new() }
        }));
    }
    if problems.is_empty() { Ok(trees) } else { Err(problems) }
}

fn tree(rows: &[Row], inputs: &Inputs) -> Result<Tree, Vec<LineProblem>> {
    let read = rows.iter().enumerate().map(|(at, row)| node(row, at, rows.len(), inputs));
    let (nodes, problems): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let mut problems: Vec<LineProblem> =
        problems.into_iter().filter_map(Result::err).map(|(row, text)| row.problem(text)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let tree = Tree { nodes: nodes.into_iter().filter_map(Result::ok).collect() };
    let mut parents = vec![0_usize; rows.len()];
    for (node, row) in tree.nodes.iter().zip(rows) {
        let Branch::Split(split) = &node.branch else { continue };
        let mut below = 0;
        for child in [split.left, split.right] {
            parents.get_mut(child).into_iter().for_each(|parents| *parents += 1);
            below += tree.nodes.get(child).map_or(0, |child| child.rows);
        }
        if below != node.rows {
            problems.push(row.problem(format!("{} rows come here and {below} go on", node.rows)));
        }
    }
    let lost = parents.iter().zip(rows).enumerate().filter(|(at, (parents, _))| **parents != usize::from(*at > 0));
    problems.extend(lost.map(|(_, (parents, row))| row.problem(format!("{parents} ways lead to this node"))));
    if problems.is_empty() { Ok(tree) } else { Err(problems) }
}

/// One node, or what is wrong with its row.
fn node<'a>(row: &'a Row, at: usize, nodes: usize, inputs: &Inputs) -> Result<Node, (&'a Row, String)> {
    let wrong = |text: &str| (row, text.to_owned());
    if row.get("node") != at.to_string() {
        return Err(wrong("nodes are numbered from 0 within their tree, in the order of the rows"));
    }
    let whole =
        |column: &str| row.get(column).parse::<u64>().map_err(|_| wrong(&format!("`{column}` is no whole number")));
    let number = |column: &str| match row.get(column).parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(wrong(&format!("`{column}` is no finite number"))),
    };
    let blank = |columns: &[&str]| match columns.iter().find(|column| !row.get(column).is_empty()) {
        Some(column) => Err(wrong(&format!("`{column}` is blank here: a node is a split or a leaf"))),
        None => Ok(()),
    };
    let rows = whole("rows")?;
    let people = whole("people")?;
    if people > rows {
        return Err(wrong("more people than rows"));
    }
    let name = row.get("feature");
    if name.is_empty() {
        blank(&["equals", "below", "missing", "left", "right"])?;
        if people < FEWEST_PEOPLE {
            return Err(wrong(&format!("a leaf of fewer than {FEWEST_PEOPLE} people could tell their outcomes")));
        }
        return Ok(Node { rows, branch: Branch::Leaf(number("value")?) });
    }
    blank(&["value"])?;
    let child = |column: &str| match row.get(column).parse::<usize>() {
        Ok(child) if child > at && child < nodes => Ok(child),
        _ => Err(wrong(&format!("`{column}` is no later node of this tree"))),
    };
    let missing_left = match row.get("missing") {
        "left" => true,
        "right" => false,
        _ => return Err(wrong("`missing` is left or right")),
    };
    let input = *inputs.get(&(name, row.get("equals"))).ok_or_else(|| wrong("this input is not known"))?;
    let below = match (row.get("equals"), row.get("below")) {
        // Any known value goes where a missing one does not.
        ("", "") => {
            if missing_left {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        ("", _) => number("below")?,
        // Another text counts 0 and goes left, this one counts 1.
        (_, "") => 0.5,
        _ => return Err(wrong("a split is by `equals` or by `below`")),
    };
    let split = Split { input, below, missing_left, left: child("left")?, right: child("right")? };
    Ok(Node { rows, branch: Branch::Split(split) })
}
