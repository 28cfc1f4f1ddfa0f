//! A good pipeline becomes indices and types.

use std::fs;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use riskstrat::calendar::Window;
use riskstrat::error::Error;
use riskstrat::pipeline::document::Document;
use riskstrat::pipeline::parse::{LoadOptions, load};
use riskstrat::pipeline::schema::{self, Kind};
use riskstrat::pipeline::{Scoring, Verb};

use super::{Folder, one};

#[test]
fn a_good_pipeline_is_resolved_to_indices_and_types() {
    let folder = Folder::new();
    let pipeline = folder.load().unwrap_or_else(|error| panic!("{error}"));
    let features: Vec<(&str, &DataType)> = pipeline.features.iter().map(|f| (f.name.as_str(), &f.data_type)).collect();
    assert_eq!(
        features,
        [
            ("age", &DataType::Int64),
            ("pcn", &DataType::Utf8),
            ("ethnicity", &DataType::Utf8),
            ("age_band", &DataType::Utf8),
            ("admissions_emergency_90d", &DataType::Int64),
            ("admissions_emergency_12m", &DataType::Int64),
            ("had_heart_failure_3y", &DataType::Boolean),
            ("had_diabetes_3y", &DataType::Boolean),
            ("cost", &DataType::Decimal128(38, 2)),
            ("conditions", &DataType::Int64),
            ("exclude_frail_seen", &DataType::Boolean),
        ]
    );
    let by_name = |name: &str| pipeline.features.iter().find(|f| f.name == name).unwrap();
    let count = by_name("admissions_emergency_12m");
    assert_eq!(
        (count.label.as_str(), count.window),
        ("Emergency admissions in the last 12 months", Window::Months(12))
    );
    assert_eq!(
        count.reason.as_deref(),
        Some("{value} emergency admissions in the last 12 months, the latest on {latest_date}")
    );
    assert_eq!(by_name("had_diabetes_3y").label, "Diabetes in the last 3 years");
    let Verb::Events(events) = &by_name("had_diabetes_3y").verb else { panic!() };
    assert_eq!(events.codes.as_ref().unwrap().categories, [1]);
    let Verb::Events(events) = &by_name("conditions").verb else { panic!() };
    assert_eq!((events.column, events.codes.as_ref().unwrap().categories.as_slice()), (None, [0, 1].as_slice()));
    assert!(!by_name("exclude_frail_seen").shown);
    let Scoring::Points(points) = &pipeline.models[0].kind else { panic!() };
    assert_eq!(
        points.items.iter().map(|item| (item.milli, item.trumps.clone())).collect::<Vec<_>>(),
        [(2000, vec![1]), (500, vec![])]
    );
    let cohort = &pipeline.cohorts[0];
    assert_eq!(cohort.include[0][1].features, [5]);
    assert_eq!(cohort.exclude[1].when, "exclude_frail_seen");
    assert_eq!(cohort.rank.iter().map(|key| key.descending).collect::<Vec<_>>(), [true, false]);
    assert_eq!(
        pipeline.sources[0].columns[4].lookup.as_ref().map(|lookup| (lookup.source, lookup.by, lookup.column)),
        Some((2, 3, 1))
    );
    assert_eq!(pipeline.warnings, ["model points: its review was due by 2026-01-01"]);
    let files: Vec<&str> = pipeline.files.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files.len(), 18);
    assert!(
        files.is_sorted() && files.contains(&"../models/points/card.md") && files.contains(&"small.toml"),
        "{files:?}"
    );
    assert_eq!(pipeline.deliveries, fs::canonicalize(folder.root.path().join("pipelines")).unwrap().join("deliveries"));
}

#[test]
fn the_command_line_comes_before_the_run_file() {
    let folder = Folder::new();
    let run = folder.root.path().join("pipelines/small.toml");
    let options = LoadOptions { as_of: Some(jiff::civil::date(2025, 6, 1)), deliveries: Some(PathBuf::from("/other")) };
    let pipeline = load(&run, &options).unwrap();
    assert_eq!((pipeline.as_of, pipeline.deliveries), (jiff::civil::date(2025, 6, 1), PathBuf::from("/other")));
    assert!(pipeline.warnings.is_empty());
    folder.edit("pipelines/small.toml", "as_of = 2026-04-01\n", "");
    assert_eq!(
        one("pipelines/small.toml", "as_of = 2026-04-01\n", ""),
        "\
error: as_of is missing
--> small.toml
 = help: give --as-of 2026-04-01, or write as_of = 2026-04-01
"
    );
    assert!(load(&run, &options).is_ok());
    assert!(matches!(load(&folder.root.path().join("none.toml"), &options), Err(Error::Usage(_))));
}

#[test]
fn the_published_schemas_accept_the_declarations() {
    let folder = Folder::new();
    for (kind, path) in [
        (Kind::Run, "pipelines/small.toml"),
        (Kind::Source, "pipelines/sources/people.toml"),
        (Kind::Source, "pipelines/sources/admissions.toml"),
        (Kind::Features, "pipelines/features/utilisation.toml"),
        (Kind::Model, "models/points/model.toml"),
        (Kind::Model, "models/risk/model.toml"),
        (Kind::Audit, "pipelines/audits/gaps.toml"),
        (Kind::Cohort, "pipelines/cohorts/frail.toml"),
        (Kind::Codelists, "models/codelists/codelists.lock"),
        (Kind::Valuesets, "models/valuesets/valuesets.lock"),
    ] {
        let text = fs::read_to_string(folder.root.path().join(path)).unwrap();
        let (document, problems) = Document::parse(path, text);
        assert!(problems.is_empty(), "{path}");
        let schema = schema::print(kind);
        jsonschema::validate(&schema, &document.value).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(!jsonschema::is_valid(&schema, &serde_json::json!({ "no_such_key": 1 })), "{path}");
    }
}

#[test]
fn the_whole_job_of_the_yardstick_is_declared() {
    let run = crate::runs::root().join("benches/yardstick/run.toml");
    let pipeline = load(&run, &LoadOptions { as_of: None, deliveries: Some(PathBuf::from("none")) });
    let pipeline = pipeline.unwrap_or_else(|error| panic!("{error}"));
    let named = |name: &str| pipeline.features.iter().filter(|feature| feature.name.starts_with(name)).count();
    assert_eq!([named("ltc_"), named("ch_"), named("val_"), named("apc_all_"), named("rx_paras_")], [41, 17, 4, 4, 2]);
    assert_eq!((pipeline.sources.len(), pipeline.cohorts.len()), (8, 5));
    let Scoring::Logistic(logistic) = &pipeline.models[0].kind else { panic!() };
    assert_eq!(logistic.terms.len(), 140);
}
