//! What is hostile is data, or refused.

use std::fs;

use super::Folder;

#[test]
fn forbidden_sql_is_refused_wherever_sql_is_written() {
    for sql in [
        "COPY admissions TO 'x.csv'",
        "SELECT 1",
        "exists (select 1 from people)",
        "date in (select date from people)",
        "true; drop table people",
        "now() > date",
        "repeat('x', 1000000000) = 'x'",
        "random() > 0.5",
        "count(*) > 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SET a = 1",
    ] {
        let folder = Folder::new();
        folder.edit("pipelines/features/utilisation.toml", "method = 'emergency'", sql);
        folder.edit("pipelines/cohorts/frail.toml", "age < 18", sql);
        folder.edit("pipelines/features/demographics.toml", "age >= 65", sql);
        folder.edit("pipelines/sources/admissions.toml", "cast(\\\"LOS\\\" as integer)", sql);
        let files: Vec<String> = folder.problems().into_iter().map(|problem| problem.file).collect();
        assert_eq!(
            files,
            [
                "sources/admissions.toml",
                "features/demographics.toml",
                "features/utilisation.toml",
                "cohorts/frail.toml"
            ],
            "{sql}"
        );
    }
}

#[test]
fn hostile_names_are_data() {
    for name in ["'; DROP TABLE people", "a\\\"b", "-- x", "${HOME}", "a\\nb", "{value}"] {
        let folder = Folder::new();
        folder.edit("pipelines/sources/admissions.toml", "from = \"COST\"", &format!("from = \"{name}\""));
        let pipeline = folder.load().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(pipeline.sources[1].columns[5].decl.from.as_ref().map(|from| from.as_slice().len()), Some(1));
        let folder = Folder::new();
        folder.edit("pipelines/sources/admissions.toml", "cost = {", &format!("\"{name}\" = {{"));
        assert!(folder.problems().iter().any(|problem| problem.message.contains("cannot be the name")), "{name}");
        folder.edit("pipelines/small.toml", "\"admissions\"", &format!("\"{name}\""));
        assert!(
            folder.problems().iter().any(|problem| problem.message.contains("cannot be the name of a declaration")),
            "{name}"
        );
    }
}

#[test]
fn a_hostile_file_ends_in_a_problem() {
    let run = "pipelines/small.toml";
    let folder = Folder::new();
    folder.write(run, &format!("title = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(folder.problems()[0].message.contains("nested more than 32 deep"), "{:?}", folder.problems()[0].message);
    folder.write(run, &format!("title = {}{}", "[".repeat(40), "]".repeat(40)));
    assert!(folder.problems()[0].message.contains("nested more than 32 deep"));
    folder.write(run, &"# x\n".repeat(300_000));
    assert_eq!(folder.problems()[0].message, "larger than 1 MB");
    fs::write(folder.root.path().join(run), [0xff, 0xfe]).unwrap();
    assert_eq!(folder.problems()[0].message, "this file is not UTF-8 text");
}
