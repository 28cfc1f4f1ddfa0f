//! One wrong word, one problem.

use super::Folder;

#[test]
fn each_wrong_name_is_found_and_only_it() {
    let source = "pipelines/sources/admissions.toml";
    let (people, practices) = ("pipelines/sources/people.toml", "pipelines/sources/practices.toml");
    let features = "pipelines/features/utilisation.toml";
    let (demographics, cohort, gaps) =
        ("pipelines/features/demographics.toml", "pipelines/cohorts/frail.toml", "pipelines/audits/gaps.toml");
    let (points, risk, run) = ("models/points/model.toml", "models/risk/model.toml", "pipelines/small.toml");
    let cases = [
        (source, "key = [\"spell\"]", "key = [\"spel\"]", "there is no column `spel`"),
        (
            source,
            "date = { from = \"ADMIDATE\", type = \"date\" }\n",
            "",
            "a source with the role `events` needs a column `date`",
        ),
        (source, "type = \"date\" }", "type = \"text\" }", "`date` has a meaning and is of type date or datetime"),
        (source, ", system = \"icd10\"", "", "`diagnoses` needs a `system`"),
        (source, "places = 2, ", "places = 2, map = { a = [\"1\"] }, ", "a column of type decimal has no `map`"),
        (
            source,
            "\"SPELL\", type = \"text\"",
            "[\"SPELL\"], type = \"integer\"",
            "several delivered columns make a list",
        ),
        (
            source,
            "from = \"SPELL\"",
            "from = \"SPELL\", expr = \"1\"",
            "`spell` needs exactly one of `from`, `expr` and `lookup`",
        ),
        (source, "\"LOS\\\" as integer)", "\"LOS\\\" as integr)", "a cast to `integr` is not allowed"),
        (
            source,
            "type = \"decimal\", places = 2",
            "type = \"decimal\", between = [5, 1]",
            "the lower end is above the upper one",
        ),
        (source, "\"apc/*.csv\"", "\"../apc/*.csv\"", "files are named below the deliveries folder"),
        (source, "\"apc/*.csv\"", "\"s3://other/apc\"", "files are named below the deliveries folder"),
        (source, "legal_basis = \"test\"", "legal_basis = \" \"", "this may not be empty"),
        (source, "max_age = \"60 days\"", "max_age = \"2 weeks\"", "`2 weeks` is no window"),
        (
            source,
            "{ emergency = [\"21\", \"22\"] }",
            "{ emergency = [\"21\", \"22\"], b = [\"21\"] }",
            "`21` is mapped to `emergency` already",
        ),
        (source, "length_days = {", "Length = {", "`Length` cannot be the name of a column"),
        (people, "\"%d/%m/%Y\"", "\"%d/%m\"", "this format does not name a whole date"),
        (people, "\"%d/%m/%Y\"", "\"%d/%m/%@\"", "this is no date format"),
        (people, "column = \"pcn\"", "column = \"pnc\"", "`practices` has no column `pnc`"),
        (
            people,
            "lookup = \"practices\"",
            "lookup = \"admissions\"",
            "`admissions` has the role `events`; this needs `lookup`",
        ),
        (people, "by = \"practice\"", "by = \"practise\"", "`people` has no column `practise`"),
        (practices, "\"PCN\", type = \"text\"", "\"PCN\", type = \"integer\"", "`practices.pcn` is of type integer"),
        (people, "ethnicity = {", "ethnicty = {", "no audit of the run declares the item `ethnicty`"),
        (people, "values = \"ethnic\"", "values = \"ethnicity\"", "there is no `valuesets/ethnicity.csv`"),
        (people, ", values = \"ethnic\"", "", "nothing says which values of `ethnicity` are valid"),
        (
            "pipelines/sources/practices.toml",
            "rows_per_key = \"one\"\n",
            "",
            "a lookup says how many rows a key may have",
        ),
        (practices, "key = [\"practice\"]\n", "", "a lookup needs a `key` of one column"),
        (
            features,
            "count = { of = \"admissions\", where",
            "count = { of = \"admission\", where",
            "the run has no source `admission`",
        ),
        (
            features,
            "count = { of = \"admissions\", where",
            "count = { of = \"people\", where",
            "`people` has the role `register`",
        ),
        (features, "\"90 days\", ", "\"90 day5\", ", "`90 day5` is no window"),
        (features, "\"90 days\", ", "\"12 months\", ", "this window is there twice"),
        (features, "within = \"12 months\"\n", "", "`cost` needs exactly one of `windows` and `within`"),
        (features, "label = \"Cost\"", "label = \"Cost {windows}\"", "nothing fills in `{windows}` here"),
        (features, "label = \"Cost\"", "label = \"Cost {\"", "a brace that opens no `{name}`"),
        (features, "column = \"cost\"", "column = \"method\"", "`method` is of type category"),
        (features, "total = {", "latest = {}\ntotal = {", "`of` is missing in `cost.latest`"),
        (
            features,
            "total = {",
            "exists = { of = \"admissions\" }\ntotal = {",
            "`cost` has more than one verb: exists, total",
        ),
        (features, "total = { of = \"admissions\", column = \"cost\" }\n", "", "`cost` has no verb"),
        (features, "\"conditions\" }", "\"condition\" }", "there is no `codelists/condition.csv`"),
        (
            features,
            "\"conditions\" }",
            "\"conditions\", categories = [\"diabete\"] }",
            "`conditions` has no category `diabete`",
        ),
        (features, "\"conditions\" }", "\"conditions\", code = \"method\" }", "`method` is no code column"),
        (features, "[conditions]", "[age]", "there is already a feature `age`"),
        (features, "[conditions]", "[points]", "there is already a feature `points`"),
        (features, "[conditions]", "[Conditions]", "`Conditions` cannot be the name of a feature"),
        (features, "= 'emergency'", "like 5", "this SQL has no meaning"),
        (features, "method = 'emergency'", "length_days", "a predicate is true or false; this is a number"),
        (features, "method = 'emergency'", "date > '2025-02-30'", "this SQL has no meaning"),
        (
            demographics,
            "age = { of = \"people\" }",
            "age = { of = \"people\" }\nwithin = \"ever\"",
            "only verbs about events have a window",
        ),
        (demographics, "column = \"pcn\"", "column = \"person\"", "a pseudonym is never a value"),
        (demographics, "item = \"ethnicity\"", "item = \"ethnic\"", "no audit of the run declares the item `ethnic`"),
        (demographics, "age >= 65", "cost >= 65", "`cost` is declared further down"),
        (points, "table = \"points.csv\"", "table = \"point.csv\"", "there is no `point.csv` beside the model"),
        (points, "card = \"card.md\"", "card = \"cards.md\"", "there is no `cards.md` beside the model"),
        (points, "card = \"card.md\"", "card = \"../risk/card.md\"", "the card stands in the model's folder"),
        (points, "citation = \"none\"", "citation = \"\"", "this may not be empty"),
        (points, "had_{category}_3y", "had_{category}", "there is no feature `had_heart_failure`"),
        (
            points,
            "below = 1.5 }, { name = \"high\"",
            "below = 1.5 }, { name = \"high\", below = 3",
            "the last band has no `below`",
        ),
        (points, "kind = \"points\"", "kind = \"points\"\nintercept = 1", "a model of this kind has no `intercept`"),
        (risk, "feature = \"age\"", "feature = \"pcn\"", "`pcn` is text, and a score needs a number"),
        (risk, "intercept = -2.5\n", "", "a logistic model needs an `intercept`"),
        (gaps, "split_by = [\"pcn\", ", "split_by = [\"pcns\", ", "there is no feature `pcns`"),
        (gaps, "worklist_by = \"pcn\"", "worklist_by = \"practice\"", "there is no feature `practice`"),
        (gaps, "worklist_by = \"pcn\"", "worklist_by = \"age\"", "`age` is a number, and this needs text"),
        (
            gaps,
            "\"pcn\", \"age_band\"",
            "\"pcn\", \"admissions_emergency_12m\"",
            "`admissions_emergency_12m` has too many values",
        ),
        (gaps, "order = [\"people\"]", "order = [\"peple\"]", "the run has no source `peple`"),
        (cohort, "show = [\"age\"", "show = [\"ages\"", "there is no feature or score `ages`"),
        (cohort, "risk desc", "risk down", "a rank is a feature or a score with `desc` or `asc`"),
        (cohort, "risk desc", "risks desc", "there is no feature or score `risks`"),
        (cohort, "take = 10", "take = 0", "a list without places calls nobody"),
        (cohort, "take = 10", "take = -1", "-1 is less than the minimum of 0"),
        (cohort, "per = \"pcn\"", "per = \"age\"", "`age` is a number, and this needs text"),
        (cohort, "{points} points", "{point} points", "there is no feature `point`"),
        (cohort, "young.when = \"age < 18\"", "young.whn = \"age < 18\"", "unknown key `whn`"),
        (cohort, "young.when = \"age < 18\"", "young.when = \"age\"", "a predicate is true or false; this is a number"),
        (cohort, ", within = \"90 days\"", "", "`seen` needs `when`, or `of` and `within`"),
        (cohort, "points_band", "risk_band", "there is no feature or score `risk_band`"),
        (run, ", \"opt_outs\"", "", "lists need a source with the role `opt_out` or `allow_list`"),
        (run, "\"admissions\", ", "\"admissions\", \"admissions\", ", "`admissions` is named twice"),
        (
            run,
            "\"admissions\", ",
            "\"admissions\", \"../../etc/passwd\", ",
            "`../../etc/passwd` cannot be the name of a declaration",
        ),
        (run, "deliveries = \"deliveries\"", "deliveries = \"deliveries\"\ndeliveries = \"x\"", "duplicate key"),
        (run, "title = \"Small\"", "title = \"Small", "invalid basic string"),
    ];
    let mut failures = Vec::new();
    for (path, old, new, message) in cases {
        let folder = Folder::new();
        folder.edit(path, old, new);
        let problems = folder.problems();
        let all: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        let causes = if new.contains("{category}") { 2 } else { 1 };
        let found = problems.iter().any(|problem| problem.message.contains(message));
        if !found || problems.len() > causes || problems.iter().any(|problem| problem.line.is_none()) {
            failures.push(format!("{new}\nwanted: {message}\n{all}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}
