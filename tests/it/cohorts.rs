//! The shipped cohorts: what a run lists is what was planted, and a published definition is one SQL query.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use jiff::civil::{Date, date};
use riskstrat::gates::Consent;
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::pipeline::{Capacity, Pipeline};
use riskstrat::publish::Published;
use riskstrat::run::{self, Options};
use riskstrat::storage::LocalDisk;
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs::{self, ENGINE};

const AS_OF: Date = date(2026, 4, 1);
const SEED: u64 = 6_161;

/// People invented on every change; `tests/full` asks for more.
fn persons() -> u64 {
    std::env::var("RISKSTRAT_COHORT_PERSONS").ok().map_or(1_200, |text| text.parse().unwrap())
}

fn load(name: &str, deliveries: &Path) -> Pipeline {
    let options = LoadOptions { as_of: Some(AS_OF), deliveries: Some(deliveries.to_owned()) };
    parse::load(&runs::root().join("pipelines").join(name), &options).unwrap()
}

/// Runs with a place for everybody, so that the lists hold all who are included and not excluded; tokens by cohort.
fn everybody(mut pipeline: Pipeline, out: &Path) -> (std::path::PathBuf, BTreeMap<String, BTreeSet<String>>) {
    pipeline.outreach.one_owner = false;
    for cohort in &mut pipeline.cohorts {
        (cohort.decl.capacity.take, cohort.decl.capacity.reserve) = (10_000_000, 0);
        cohort.capacity = Capacity::default();
    }
    let options = Options { out: out.to_owned(), engine: ENGINE, consent: Consent::default() };
    let (_, published) = run::run(&pipeline, &options, &LocalDisk, &Journal::default()).unwrap();
    let (Published::Now { folder, .. } | Published::Already { folder, .. }) = published;
    let listed = |name: &str| -> BTreeSet<String> {
        let files = runs::files(&folder.join("person/lists").join(name)).into_keys();
        let lists = files.filter(|file| file.ends_with(".csv"));
        let rows = lists.flat_map(|file| runs::list(&folder, &format!("{name}/{file}")));
        let told = |row: &BTreeMap<String, String>| !row["reasons"].starts_with("Meets the criteria of this list");
        rows.inspect(|row| assert!(told(row), "{name}: nobody is told why")).map(|row| row["person"].clone()).collect()
    };
    let cohorts = pipeline.cohorts.iter().map(|cohort| (cohort.name.clone(), listed(&cohort.name))).collect();
    (folder, cohorts)
}

fn truth(deliveries: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(deliveries.join("truth/cohorts.csv")).unwrap();
    let mut cohorts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (token, cohort) = line.split_once(',').unwrap();
        cohorts.entry(cohort.to_owned()).or_default().insert(token.to_owned());
    }
    cohorts
}

#[test]
fn the_lists_hold_exactly_those_who_were_planted() {
    let folder = tempfile::tempdir().unwrap();
    let deliveries = folder.path().join("deliveries");
    let (persons, format) = (persons(), Format::Csv);
    println!("{persons} people of seed {SEED}");
    let options = SynthOptions { persons, seed: SEED, as_of: AS_OF, out: deliveries.clone(), format, clean: false };
    synth::write(&options, &mut |_| {}).unwrap();
    let planted = truth(&deliveries);
    let mut seen = BTreeSet::new();
    for name in ["demo.toml", "nhs-daily.toml"] {
        let (_, found) = everybody(load(name, &deliveries), &folder.path().join(name));
        for (cohort, listed) in found {
            let planted = planted.get(&cohort).cloned().unwrap_or_default();
            println!("{cohort}: {} planted, {} listed", planted.len(), listed.len());
            let (too_many, missed) = (listed.difference(&planted).count(), planted.difference(&listed).count());
            assert_eq!((too_many, missed), (0, 0), "{cohort}: listed and not planted, planted and not listed");
            assert!(persons < 20_000 || planted.len() > 2, "{cohort}: hardly anybody is in it");
            seen.insert(cohort);
        }
    }
    assert!(planted.keys().all(|cohort| seen.contains(cohort)), "the truth knows a cohort that no run has");
    assert_eq!(seen.len(), 16);
    let weekly: BTreeSet<String> = load("nhs-weekly.toml", &deliveries).cohorts.into_iter().map(|c| c.name).collect();
    assert!(weekly.len() == 14 && weekly.is_subset(&seen));
}

/// What the role that reads a cohort's lists is not told, on purpose: what is too sensitive for a coordinator's list, though
/// it may count.
const WITHHELD: [(&str, &str); 3] =
    [("complex_adults", "alcohol"), ("complex_adults", "drugs"), ("complex_adults", "palliative")];

#[test]
fn every_reason_is_told_to_those_who_read_the_list_or_withheld_on_purpose() {
    for name in ["demo.toml", "nhs-weekly.toml", "nhs-daily.toml"] {
        for cohort in load(name, &runs::root().join("fixtures/demo")).cohorts {
            let said = cohort.include.iter().flatten().filter(|criterion| criterion.reason.as_deref() != Some(""));
            for criterion in said {
                let withheld = WITHHELD.contains(&(cohort.name.as_str(), criterion.name.as_str()));
                assert_eq!(criterion.told, !withheld, "{name}: {}: {}", cohort.name, criterion.name);
            }
        }
    }
}

/// North Central London ICB, complex adults v2.2, criteria of 27 July 2026, from the published text: 18 or over, any sign
/// of complexity, any sign of activity.
const COMPLEX_ADULTS: &str = "
    SELECT person FROM features
    WHERE age_years >= 18
      AND (frailty_coded IN ('moderate', 'severe')
           OR (age_years >= 65 AND efi2 >= 0.1624)
           OR CAST(conditions_atrial_fibrillation AS INT) + CAST(conditions_asthma AS INT)
            + CAST(conditions_coronary_heart_disease AS INT) + CAST(conditions_chronic_kidney_disease AS INT)
            + CAST(conditions_copd AS INT) + CAST(conditions_dementia AS INT) + CAST(further_depression AS INT)
            + CAST(conditions_diabetes AS INT) + CAST(conditions_epilepsy AS INT)
            + CAST(conditions_heart_failure AS INT) + CAST(further_hypertension AS INT)
            + CAST(further_severe_mental_illness AS INT) + CAST(conditions_stroke AS INT)
            + CAST(conditions_parkinsons AS INT) + CAST(further_anxiety AS INT)
            + CAST(further_learning_disability AND age_years >= 65 AS INT) >= 3
           OR residence_state = 'homeless'
           OR palliative_register
           OR conditions_alcohol_problem
           OR drug_use_state = 'misusing'
           OR ((attendances_all_12m >= 3 OR admissions_emergency_12m >= 2) AND gp_appointments_12m = 0))
      AND (admissions_emergency_12m >= 2
           OR attendances_all_12m >= 3
           OR gp_appointments_12m >= 15
           OR specialties_12m >= 5
           OR housebound_state = 'housebound')";

#[test]
fn the_published_definition_is_one_sql_query() {
    let out = tempfile::tempdir().unwrap();
    let mut pipeline = load("demo.toml", &runs::root().join("fixtures/demo"));
    pipeline.cohorts.retain(|cohort| cohort.name == "complex_adults");
    // The exclusions are the project's, not the definition's.
    pipeline.cohorts.iter_mut().for_each(|cohort| cohort.exclude.clear());
    let (folder, listed) = everybody(pipeline, out.path());
    let path = folder.join("person/features.parquet");
    let rows = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let context = SessionContext::new();
        let options = ParquetReadOptions::default();
        context.register_parquet("features", path.to_str().unwrap(), options).await.unwrap();
        context.sql(COMPLEX_ADULTS).await.unwrap().collect().await.unwrap()
    });
    let mut people = BTreeSet::new();
    for batch in rows {
        let tokens = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
        let tokens = arrow::array::AsArray::as_string::<i32>(&tokens);
        people.extend(tokens.iter().map(|token| token.unwrap().to_owned()));
    }
    assert!(people.len() > 20, "only {} people", people.len());
    assert!(listed["complex_adults"] == people, "{} listed, {} by SQL", listed["complex_adults"].len(), people.len());
}
