//! What could never do what it says is refused, with what to write instead.

use super::Folder;

const ADMISSIONS: &str = "pipelines/sources/admissions.toml";
const PEOPLE: &str = "pipelines/sources/people.toml";
const PRACTICES: &str = "pipelines/sources/practices.toml";
const OPT_OUTS: &str = "pipelines/sources/opt_outs.toml";
const COHORT: &str = "pipelines/cohorts/frail.toml";
const RUN: &str = "pipelines/small.toml";

/// Each edit of `path` leads to exactly these problems, each with a line and a help.
fn refused(path: &str, cases: &[(&str, &str, &[&str])]) {
    for (old, new, messages) in cases {
        let folder = Folder::new();
        folder.edit(path, old, new);
        told(&folder, messages);
    }
}

fn told(folder: &Folder, messages: &[&str]) {
    let problems = folder.problems();
    let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(found, messages);
    for problem in &problems {
        assert!(problem.line.is_some() && problem.help.is_some(), "{problem}");
    }
}

#[test]
fn a_lookup_stands_behind_its_key_and_both_keys_are_alike() {
    let practice = "practice = { from = \"GP\", type = \"text\" }\n";
    let pcn = "pcn = { lookup = \"practices\", by = \"practice\", column = \"pcn\", type = \"text\" }\n";
    refused(
        PEOPLE,
        &[
            (&format!("{practice}{pcn}"), &format!("{pcn}{practice}"), &["`practice` does not stand before `pcn`"]),
            ("by = \"practice\"", "by = \"pcn\"", &["`pcn` does not stand before `pcn`"]),
            (
                "\"GP\", type = \"text\"",
                "\"GP\", type = \"code\", system = \"ods\"",
                &["`practice` is code (ods), and the key `practices.practice` is text"],
            ),
            (
                "from = \"GP\"",
                "from = [\"GP\"]",
                &["`practice` is a list of text, and the key `practices.practice` is text"],
            ),
        ],
    );
    let again = "{ lookup = \"practices\", by = \"practice\", column = \"practice\", type = \"text\" }";
    refused(
        PRACTICES,
        &[("{ from = \"PCN\", type = \"text\" }", again, &["a lookup reads delivered columns, not looked-up ones"])],
    );
    let folder = Folder::new();
    folder.edit(PEOPLE, "\"GP\", type = \"text\"", "\"GP\", type = \"code\", system = \"ods\"");
    folder.edit(PRACTICES, "\"CODE\", type = \"text\"", "\"CODE\", type = \"code\", system = \"lsoa\"");
    told(&folder, &["`practice` is code (ods), and the key `practices.practice` is code (lsoa)"]);
}

#[test]
fn placeholders_are_iso_dates() {
    let given = |date: &str| format!("\"ADMIDATE\", type = \"date\", placeholders = [\"9999-12-31\", \"{date}\"]");
    for date in ["01/01/1900", "1900-02-30", "19000101", ""] {
        refused(ADMISSIONS, &[("\"ADMIDATE\", type = \"date\"", &given(date), &["this is no date"])]);
    }
    let folder = Folder::new();
    folder.edit(ADMISSIONS, "\"ADMIDATE\", type = \"date\"", &given("1801-01-01"));
    assert!(folder.load().is_ok());
}

#[test]
fn counts_are_split_by_what_has_few_values() {
    for sql in ["age / 2.5", "date '2026-01-01'"] {
        let folder = Folder::new();
        folder.edit(
            "pipelines/features/demographics.toml",
            "case when age >= 65 then '65 and over' else 'under 65' end",
            sql,
        );
        told(&folder, &["`age_band` has too many values to split by"]);
    }
    let folder = Folder::new();
    folder.edit(
        "pipelines/features/demographics.toml",
        "case when age >= 65 then '65 and over' else 'under 65' end",
        "age / 10",
    );
    assert!(folder.load().is_ok(), "a whole number that is a band");
}

#[test]
fn whose_row_it_is_and_when_is_in_every_row() {
    let token = "\"TOKEN\", type = \"pseudonym\"";
    let date = "\"ADMIDATE\", type = \"date\"";
    refused(
        ADMISSIONS,
        &[
            (date, &format!("{date}, optional = true"), &["`date` is there in every row: no `optional` here"]),
            (
                date,
                &format!("{date}, may_be_absent = true"),
                &["`date` is there in every row: no `may_be_absent` here"],
            ),
            (token, &format!("{token}, optional = true"), &["`person` is there in every row: no `optional` here"]),
        ],
    );
    for path in [PEOPLE, OPT_OUTS] {
        let absent = format!("{token}, may_be_absent = true");
        refused(path, &[(token, &absent, &["`person` is there in every row: no `may_be_absent` here"])]);
    }
    let folder = Folder::new();
    folder.edit(PRACTICES, "{ from = \"PCN\", type = \"text\" }", "{ from = \"PCN\", type = \"date\" }");
    folder.edit(
        ADMISSIONS,
        "date = { from = \"ADMIDATE\", type = \"date\" }",
        "date = { lookup = \"practices\", by = \"spell\", column = \"pcn\", type = \"date\" }",
    );
    let problems = folder.problems();
    let found = |message: &str| problems.iter().any(|problem| problem.message.contains(message));
    assert!(found("`date` is there in every row: no `lookup` here"), "{problems:?}");
    let folder = Folder::new();
    folder.edit(PEOPLE, "\"ON\", type = \"date\"", "\"ON\", type = \"date\", optional = true");
    assert!(folder.load().is_ok(), "a register may not know since when");
}

#[test]
fn lists_are_written_in_some_format_and_in_each_once() {
    let publish = |formats: &str| format!("cohorts = [\"frail\"]\n[publish]\nformats = {formats}");
    let cohorts = "cohorts = [\"frail\"]";
    refused(
        RUN,
        &[
            (cohorts, &publish("[]"), &["no format is named: lists would not be written"]),
            (cohorts, &publish("[\"csv\", \"parquet\", \"csv\"]"), &["`csv` is named twice"]),
        ],
    );
}

#[test]
fn a_list_has_one_column_of_a_name() {
    refused(
        COHORT,
        &[("show = [\"age\", \"risk\"]", "show = [\"age\", \"risk\", \"age\"]", &["`age` is shown twice"])],
    );
    for name in ["rank", "status", "reasons", "suggested_action", "recording_gaps", "as_of"] {
        let folder = Folder::new();
        folder.edit("pipelines/features/utilisation.toml", "[conditions]", &format!("[{name}]"));
        assert!(folder.load().is_ok(), "{name} is a feature like any other until a list shows it");
        folder.edit(COHORT, "show = [\"age\"", &format!("show = [\"{name}\""));
        told(&folder, &[&format!("`{name}` is a column of every list")]);
    }
    let folder = Folder::new();
    folder.edit("pipelines/features/utilisation.toml", "[conditions]", "[person]");
    let problems = folder.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "`person` is the column that holds the token beside every feature and score");
}

#[test]
fn every_delivered_value_that_is_named_can_be_met() {
    let blank = "no cell matches this: such a cell is blank";
    let space = "no cell matches this: cells are compared without the space around";
    let values = "\"21\", \"22\"";
    refused(
        ADMISSIONS,
        &[
            (values, "\"21\", \"NULL\"", &[blank]),
            (values, "\"21\", \" \"", &[blank]),
            (values, "\"21\", \"22 \"", &[space]),
            (values, "\"21\", \"21\"", &["`21` is mapped to `emergency` already"]),
            (values, "\"21\", \"21 \"", &[space, "`21 ` is mapped to `emergency` already"]),
            ("legal_basis = \"test\"", "legal_basis = \"test\"\nblank_values = [\"22\"]", &[blank]),
        ],
    );
    let boolean = |words: &str| format!("urgent = {{ from = \"U\", type = \"boolean\", {words} }}\nlength_days =");
    let cases: [(&str, &[&str]); 7] = [
        ("yes = [\"ja\", \"JA\"]", &["`JA` means yes already"]),
        ("yes = [\"ja\"], no = [\"Ja\"]", &["`Ja` means yes already"]),
        ("no = [\"1\"]", &["`1` means yes already"]),
        ("yes = [\"0\"]", &["`0` means no unless `no` is written too"]),
        ("yes = [\"null\"]", &[blank]),
        ("no = [\" \", \"x\"]", &[blank]),
        ("yes = [\" x\"]", &[space]),
    ];
    for (words, messages) in cases {
        refused(ADMISSIONS, &[("length_days =", &boolean(words), messages)]);
    }
    let folder = Folder::new();
    folder.edit(ADMISSIONS, "length_days =", &boolean("yes = [\"0\"], no = [\"1\"]"));
    assert!(folder.load().is_ok());
}

#[test]
fn opt_outs_say_how_old_they_may_be() {
    refused(
        OPT_OUTS,
        &[
            ("max_age = \"30 days\"\n", "", &["opt-outs need a `max_age` in a run with cohorts"]),
            ("recorded = { from = \"ON\", type = \"date\" }", "", &["nothing says how old the rows are"]),
        ],
    );
    let basis = "legal_basis = \"open data\"";
    refused(PRACTICES, &[(basis, &format!("{basis}\nmax_age = \"1 year\""), &["nothing says how old the rows are"])]);
    let folder = Folder::new();
    folder.edit(OPT_OUTS, "max_age = \"30 days\"\n", "");
    folder.edit(RUN, "cohorts = [\"frail\"]", "cohorts = []");
    assert!(folder.load().is_ok(), "without lists nobody is called");
}

#[test]
fn fields_are_parted_by_one_byte() {
    for delimiter in ["\\u0000", "\\n", "\\\"", "£"] {
        let folder = Folder::new();
        folder.edit(ADMISSIONS, "key = [\"spell\"]", &format!("key = [\"spell\"]\ndelimiter = \"{delimiter}\""));
        let problems = folder.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].message, "the separator is one ASCII character, and no quote");
    }
}

#[test]
fn a_run_checks_itself_unless_it_says_that_it_does_not() {
    let folder = Folder::new();
    let one_in = |folder: &Folder| folder.load().unwrap().decl.self_check.map(|check| check.one_in);
    assert_eq!(one_in(&folder), Some(1000));
    folder.edit(RUN, "cohorts = [\"frail\"]", "cohorts = [\"frail\"]\n[self_check]\none_in = 0");
    assert_eq!(one_in(&folder), Some(0));
}

#[test]
fn a_criterion_may_say_nothing_but_not_blanks() {
    let folder = Folder::new();
    folder.edit(COHORT, "\"{points} points\"", "\"\"");
    assert!(folder.load().is_ok());
    folder.edit(COHORT, "reason = \"\"", "reason = \"  \"");
    let problems = folder.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "this may not be empty");
}

const FEATURES: &str = "pipelines/features/utilisation.toml";
const POINTS: &str = "models/points/model.toml";
const RISK: &str = "models/risk/model.toml";

/// The messages of all problems, whether or not there is a help.
fn messages(path: &str, old: &str, new: &str) -> Vec<String> {
    let folder = Folder::new();
    folder.edit(path, old, new);
    match folder.load() {
        Ok(_) => Vec::new(),
        Err(_) => folder.problems().into_iter().map(|problem| problem.message).collect(),
    }
}

#[test]
fn a_window_hangs_on_an_earlier_day() {
    let cost = "[cost]\nlabel = \"Cost\"\nwithin = \"12 months\"\n";
    let latest = "[on]\nlabel = \"On\"\nwithin = \"ever\"\nlatest = { of = \"admissions\", column = \"date\" }\n";
    let with = |bounds: &str| messages(FEATURES, cost, &format!("{latest}{cost}{bounds}\n"));
    assert_eq!(with("before = \"on\"\nsince = \"on\""), Vec::<String>::new());
    assert_eq!(with("before = \"age\""), ["`age` is a number, and a window hangs on a date"]);
    assert_eq!(with("since = \"onn\""), ["there is no feature `onn`"]);
    assert_eq!(with("since = \"conditions\""), ["there is no feature `conditions`"], "it stands further down");
    assert_eq!(with("before = \"on\"\nuntil = \"on\""), ["a window ends once: `before` a day, or `until` one"]);
    let age = "[age]\nlabel = \"Age\"\n";
    let demographics = "pipelines/features/demographics.toml";
    assert_eq!(
        messages(demographics, age, &format!("{age}until = \"pcn\"\n")),
        ["only verbs about events have a window"]
    );
    let folder = Folder::new();
    folder.edit(
        "pipelines/sources/admissions.toml",
        "end = { from = \"DISDATE\", type = \"date\", optional = true }\n",
        "",
    );
    folder.edit(FEATURES, "column = \"cost\" }", "column = \"cost\", ended = true }");
    let found: Vec<String> = folder.problems().into_iter().map(|problem| problem.message).collect();
    assert_eq!(found, ["`ended` needs a column `end`, which `admissions` lacks"]);
}

#[test]
fn a_model_says_only_what_it_can_do() {
    let signed = "[signed_off]";
    let points = |text: &str| messages(POINTS, signed, &format!("{text}\n{signed}"));
    assert_eq!(points("applies_when = \"age >= 65\""), Vec::<String>::new());
    assert_eq!(points("applies_when = \"aeg >= 65\""), ["there is no feature or score `aeg`"]);
    assert_eq!(points("applies_when = \"age + 1\""), ["a predicate is true or false; this is a number"]);
    assert_eq!(points("divide_by = 0"), ["`divide_by` is above zero"]);
    assert_eq!(
        points("table_sum = [{ at_least = 4, counts_as = 5 }, { at_least = 2, counts_as = 1 }]"),
        ["steps stand from the lowest to the highest"]
    );
    assert_eq!(
        points("editions = { pcn = \"2025\" }"),
        ["`pcn` comes from `practices`, which declares no `edition`; this score needs \"2025\""]
    );
    assert_eq!(
        points("editions = { age = \"2025\" }"),
        ["`age` comes from no lookup, so nothing says of which edition it is; this score needs \"2025\""]
    );
    assert_eq!(
        messages(RISK, "missing = 50", "missing = 50\nat_least = 5\nbelow = 5"),
        ["`below` is above `at_least`"]
    );
    assert_eq!(
        messages(RISK, "intercept = -2.5", "intercept = -2.5\ndivide_by = 2"),
        ["a model of this kind has no `divide_by`"]
    );
}
