//! A new figure is a few lines, and one wrong word of it is one problem.

use riskstrat::pipeline::Counted;

use super::Folder;

const GAPS: &str = "pipelines/audits/gaps.toml";

/// The small run with figures of each kind.
fn with_figures() -> Folder {
    let folder = Folder::new();
    let figures = r#"worklist_by = "pcn"

[compare]
by = ["pcn", "age_band"]
ordered = ["age_band"]
providers = ["pcn"]
against = { age_band = "under 65" }
age = "age_band"
standard = { citation = "invented", people = { "under 65" = 80, "65 and over" = 20 } }
at_random_by = ["age_band"]

[figures.old]
label = "Aged 80 or over"
among = "age >= 65"
when = "age >= 80"

[figures.listed]
label = "On a list"
listed = "any"

[figures.frail]
label = "On the list of frail people"
listed = "frail"

[figures.recorded]
label = "Ethnicity recorded"
known = "ethnicity"

[figures.risk]
label = "Mean risk"
mean = "risk"
"#;
    folder.edit(GAPS, "worklist_by = \"pcn\"\n", figures);
    folder
}

#[test]
fn a_figure_is_a_few_lines() {
    let pipeline = with_figures().load().unwrap();
    let audit = &pipeline.audits[0];
    let counts: Vec<&Counted> = audit.figures.iter().map(|figure| &figure.counts).collect();
    assert!(
        matches!(counts[..], [Counted::When(_), Counted::Listed(any), Counted::Listed(one), Counted::Known(0), Counted::Mean(_)]
            if *any == [0] && *one == [0]),
        "{counts:?}"
    );
}

#[test]
fn each_wrong_word_of_a_figure_is_found_and_only_it() {
    for (old, new, message) in [
        ("when = \"age >= 80\"", "when = \"ages >= 80\"", "there is no feature or score `ages`"),
        ("when = \"age >= 80\"", "when = \"age\"", "a predicate is true or false; this is a number"),
        ("among = \"age >= 65\"", "among = \"aged\"", "there is no feature or score `aged`"),
        ("listed = \"frail\"", "listed = \"frale\"", "the run has no cohort `frale`"),
        ("known = \"ethnicity\"", "known = \"etnicity\"", "no audit has an item `etnicity`"),
        ("mean = \"risk\"", "mean = \"risc\"", "there is no feature or score `risc`"),
        ("mean = \"risk\"", "mean = \"pcn\"", "`pcn` is text, which has no mean"),
        (
            "mean = \"risk\"",
            "mean = \"risk\"\nwhen = \"age > 1\"",
            "`risk` needs exactly one of `when`, `listed`, `known` and `mean`",
        ),
        ("\nby = [\"pcn\", ", "\nby = [\"pcn\", \"pcns\", ", "there is no feature `pcns`"),
        (
            "\nby = [\"pcn\", ",
            "\nby = [\"pcn\", \"admissions_emergency_12m\", ",
            "`admissions_emergency_12m` has too many",
        ),
        ("ordered = [\"age_band\"]", "ordered = [\"ethnicity\"]", "figures are not compared by `ethnicity`"),
        ("against = { age_band", "against = { ethnicity", "figures are not compared by `ethnicity`"),
        ("\nage = \"age_band\"\n", "\n", "nothing says which age bands these are"),
        ("citation = \"invented\"", "citation = \" \"", "this may not be empty"),
    ] {
        let folder = with_figures();
        folder.edit(GAPS, old, new);
        let problems = folder.problems();
        let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(matches!(found[..], [one] if one.starts_with(message)), "{new}: {found:?}");
    }
}
