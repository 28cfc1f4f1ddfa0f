//! Each problem at its place.

use super::{Folder, one};

#[test]
fn a_misspelt_window_has_a_caret_under_the_word() {
    assert_eq!(
        one("pipelines/features/utilisation.toml", "within = \"ever\"", "witin = \"ever\""),
        "\
error: unknown key `witin`
  --> features/utilisation.toml:16:1
   |
16 | witin = \"ever\"
   | ^^^^^
   |
   = help: did you mean `within`?
"
    );
}

#[test]
fn a_wrong_word_of_sql_has_a_caret_inside_the_string() {
    assert_eq!(
        one(
            "pipelines/features/utilisation.toml",
            "where = \"method = 'emergency'\"",
            "where = \"metod = 'emergency'\""
        ),
        "\
error: there is no column `metod`
 --> features/utilisation.toml:5:39
  |
5 | count = { of = \"admissions\", where = \"metod = 'emergency'\" }
  |                                       ^^^^^
  |
  = help: did you mean `method`?
"
    );
    assert_eq!(
        one("pipelines/cohorts/frail.toml", "points >= 2\"", "points >= 2 and lower(pnc) = 'x'\""),
        "\
error: there is no feature or score `pnc`
 --> cohorts/frail.toml:9:46
  |
9 | any.points = { when = \"points >= 2 and lower(pnc) = 'x'\", reason = \"{points} points\" }
  |                                              ^^^
  |
  = help: did you mean `pcn`?
"
    );
}

#[test]
fn every_problem_of_every_file_is_said_at_once() {
    let folder = Folder::new();
    folder.edit("pipelines/small.toml", "\"practices\"", "\"practises\"");
    folder.edit("pipelines/sources/admissions.toml", "one_row_is", "one_row");
    folder.edit("pipelines/sources/admissions.toml", "type = \"decimal\"", "type = \"decmal\"");
    folder.edit("pipelines/sources/people.toml", "files = \"people.csv\"", "files = 3");
    folder.edit("pipelines/features/demographics.toml", "value = { item", "valu = { item");
    folder.edit("models/risk/model.toml", "coefficient = 0.03", "coefficient = nan");
    folder.edit("pipelines/audits/gaps.toml", "resolve = \"most_recent\"", "resolve = \"latest\"");
    folder.edit("pipelines/cohorts/frail.toml", "on = 2025-01-01", "on = \"2025-13-01\"");
    assert_eq!(
        folder.places(),
        [
            "small.toml:4: there is no `sources/practises.toml` @ \"practises\",",
            "sources/people.toml:4: expected a string or an array, found a whole number @ 3",
            "sources/admissions.toml:: `one_row_is` is missing @ ",
            "sources/admissions.toml:3: unknown key `one_row` @ one_row = \"o",
            "sources/admissions.toml:14: `decmal` is none of the values allowed here @ \"decmal\", pl",
            "features/demographics.toml:9: unknown key `valu` @ valu = { ite",
            "../models/risk/model.toml:11: a number must be finite: neither `nan` nor `inf` @ nan",
            "audits/gaps.toml:6: `latest` is none of the values allowed here @ \"latest\"",
            "cohorts/frail.toml:6: this is no date @ \"2025-13-01\"",
        ]
    );
    let help: Vec<_> = folder.problems().into_iter().filter_map(|problem| problem.help).collect();
    assert!(
        help.contains(&"did you mean `practices`?".to_owned()) && help.contains(&"did you mean `decimal`?".to_owned()),
        "{help:?}"
    );
    assert_eq!(folder.load().unwrap_err().exit_code(), 2);
}

#[test]
fn problems_can_be_read_by_machines() {
    let folder = Folder::new();
    folder.edit("pipelines/features/utilisation.toml", "within = \"ever\"", "witin = \"ever\"");
    assert_eq!(
        serde_json::to_value(folder.problems()).unwrap(),
        serde_json::json!([{
            "file": "features/utilisation.toml", "line": 16, "column": 1, "text": "witin = \"ever\"",
            "message": "unknown key `witin`", "help": "did you mean `within`?"
        }])
    );
}
