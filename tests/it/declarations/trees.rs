//! A table of trees is whole, finite, bound by name, and tells nobody's outcome, or it is refused.

use riskstrat::pipeline::Scoring;

use super::Folder;

const MODEL: &str = "models/risk/model.toml";
const TABLE: &str = "models/risk/trees.csv";
const HEADER: &str = "tree,node,feature,equals,below,missing,left,right,value,rows,people\n";
const GOOD: [&str; 6] = [
    "0,0,age,,65,left,1,2,,40,40\n",
    "0,1,,,,,,,-0.5,25,25\n",
    "0,2,,,,,,,0.75,15,15\n",
    "1,0,pcn,North,,right,1,2,,40,40\n",
    "1,1,,,,,,,0.1,30,30\n",
    "1,2,,,,,,,-0.1,10,10\n",
];

fn folder(rows: &[&str]) -> Folder {
    let folder = Folder::new();
    let terms = std::fs::read_to_string(folder.root.path().join(MODEL)).unwrap();
    let (before, rest) = terms.split_once("[[terms]]").unwrap();
    let (_, signed) = rest.split_once("[signed_off]").unwrap();
    let head = before.replace("\"logistic\"", "\"trees\"").replace("intercept", "table = \"trees.csv\"\nintercept");
    folder.write(MODEL, &format!("{head}[signed_off]{signed}"));
    folder.write(TABLE, &format!("{HEADER}{}", rows.concat()));
    folder
}

#[test]
fn trees_are_bound_by_name() {
    let pipeline = folder(&GOOD).load().unwrap();
    let model = pipeline.models.iter().find(|model| model.name == "risk").unwrap();
    let Scoring::Trees(ensemble) = &model.kind else { panic!("trees") };
    let names: Vec<_> = ensemble
        .inputs
        .iter()
        .map(|input| (pipeline.features[input.feature].name.as_str(), input.equals.as_deref()))
        .collect();
    assert_eq!(names, [("age", None), ("pcn", Some("North"))]);
    assert_eq!((ensemble.trees.len(), ensemble.intercept), (2, -2.5));
}

#[test]
fn a_table_that_cannot_be_trusted_is_refused_at_its_row() {
    let cases: [(usize, &str, &str); 13] = [
        (2, "0,2,,,,,,,0.75,15,9\n", "a leaf of fewer than 10 people could tell their outcomes"),
        (2, "0,2,,,,,,,NaN,15,15\n", "`value` is no finite number"),
        (2, "0,2,,,,,,,inf,15,15\n", "`value` is no finite number"),
        (2, "0,2,,,,,,,0.75,16,15\n", "40 rows come here and 41 go on"),
        (2, "0,2,,,,,,,0.75,15,16\n", "more people than rows"),
        (2, "0,3,,,,,,,0.75,15,15\n", "nodes are numbered from 0 within their tree, in the order of the rows"),
        (0, "0,0,age,,65,left,0,2,,40,40\n", "`left` is no later node of this tree"),
        (0, "0,0,age,,65,left,1,3,,40,40\n", "`right` is no later node of this tree"),
        (0, "0,0,age,,65,up,1,2,,40,40\n", "`missing` is left or right"),
        (0, "0,0,age,,1e999,left,1,2,,40,40\n", "`below` is no finite number"),
        (0, "0,0,agee,,65,left,1,2,,40,40\n", "there is no feature `agee`"),
        (0, "0,0,pcn,,65,left,1,2,,40,40\n", "`pcn` is text, and a score needs a number"),
        (0, "0,0,age,65,,left,1,2,,40,40\n", "`age` is no text, so it equals none"),
    ];
    for (at, row, message) in cases {
        let mut rows = GOOD;
        rows[at] = row;
        let problems = folder(&rows).problems();
        let [problem] = problems.as_slice() else { panic!("{row}: {problems:?}") };
        assert_eq!(problem.message, message, "{row}");
        assert!(problem.file.ends_with("trees.csv"), "{row}: {}", problem.file);
        assert!(problem.line.is_some(), "{row}");
    }
}

#[test]
fn a_node_has_one_way_to_it() {
    let mut rows = GOOD;
    rows[0] = "0,0,age,,65,left,1,1,,50,50\n";
    let said: Vec<String> = folder(&rows).problems().into_iter().map(|problem| problem.message).collect();
    assert_eq!(said, ["2 ways lead to this node", "0 ways lead to this node"]);
}

#[test]
fn what_must_not_be_said_is_declared_by_name_and_not_written_by_a_cohort() {
    const RUN: &str = "pipelines/small.toml";
    let folder = Folder::new();
    folder.edit(RUN, "deliveries =", "never_as_reason = [\"conditions\", \"condition\"]\ndeliveries =");
    folder.edit("pipelines/cohorts/frail.toml", "{points} points", "{points} points, {conditions} conditions");
    let said: Vec<String> = folder.problems().into_iter().map(|problem| problem.message).collect();
    assert_eq!(said, ["there is no feature `condition`", "`conditions` is never given as a reason"]);
}
