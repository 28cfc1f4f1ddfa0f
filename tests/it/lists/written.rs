//! A list as its recipient reads it.

use std::collections::BTreeMap;

use riskstrat::error::Error;
use riskstrat::link::RecordingState::{Blank, Known, NotKnown};
use riskstrat::pipeline::decl::ListFormat;
use riskstrat::publish::Draft;

use super::world::{World, booleans, dates, floats, integers, texts, world};

fn files(world: &World) -> BTreeMap<String, String> {
    let cohorts = world.select();
    let mut draft = Draft::new(1);
    riskstrat::cohort::write(&world.pipeline, &world.people, &world.features, &world.scores, &cohorts, &[], &mut draft)
        .unwrap();
    world.published(&cohorts, &draft)
}

fn three() -> World {
    world(
        &["a", "b", "c"],
        vec![
            texts("pcn", [Some("North & Co"), Some("North & Co"), None]),
            integers("admissions", [Some(3), Some(-2), None]),
            dates("last_seen", [Some(20_515), None, None]),
            booleans("lives_alone", [Some(true), Some(false), None]),
            texts("note", [Some("=cmd"), None, Some("plain")]),
        ],
        vec![
            floats("risk", [Some(0.123_456_7), Some(0.5), Some(0.25)]),
            texts("risk_band", ["low", "high", "mid"].map(Some)),
        ],
    )
    .model("risk")
    .item("ethnicity", "Ethnicity", &[(Some("A"), Known), (None, NotKnown), (None, Blank)], &[])
    .item("language", "Preferred language", &[(None, Blank), (None, Blank), (Some("Z"), Known)], &[])
    .source("gp", "GP registrations")
    .cohort(
        "frail",
        r#"
        action = "Ring, then review"
        show = ["admissions", "last_seen", "lives_alone", "note", "risk"]
        include = [{ any.all = { when = "risk > 0", reason = "Risk {risk}" } }]
        rank = { by = ["risk desc"] }
        capacity = { per = "pcn", take = 1, reserve = 1 }"#,
    )
}

#[test]
fn a_list_reads_from_the_first_to_call_to_the_reserve() {
    let files = files(&three());
    let header = "\u{feff}rank,status,person,team,risk,risk_band,reasons,suggested_action,admissions,last_seen,lives_alone,\
                  note,recording_gaps,data_up_to,as_of\n";
    assert_eq!(
        files["person/lists/frail/North~20~26~20Co.csv"],
        format!(
            "{header}1,listed,b,North & Co,0.5,high,Risk 0.5,\"Ring, then review\",-2,,no,,\
             \"Ethnicity: not known; Preferred language: not recorded\",,2026-04-01\n\
             2,reserve,a,North & Co,0.1235,low,Risk 0.12,\"Ring, then review\",3,2026-03-03,yes,'=cmd,\
             Preferred language: not recorded,,2026-04-01\n"
        )
    );
    assert_eq!(
        files["person/lists/frail/unallocated.csv"],
        format!(
            "{header}1,listed,c,unallocated,0.25,mid,Risk 0.25,\"Ring, then review\",,,,plain,Ethnicity: not recorded,,2026-04-01\n"
        )
    );
}

#[test]
fn what_goes_with_a_list_says_purpose_law_and_counts() {
    let files = files(&three());
    let about: serde_json::Value = serde_json::from_str(&files["person/lists/frail/about.json"]).unwrap();
    assert_eq!(about["purpose"], "P");
    assert_eq!(about["as_of"], "2026-04-01");
    assert_eq!(about["signed_off"]["by"], "Dr A");
    assert_eq!(about["capacity"]["per"], "pcn");
    assert_eq!(about["people"]["scored"], 3);
    assert_eq!(about["people"]["listed"], 2);
    assert_eq!(about["people"]["reserve"], 1);
    assert_eq!(about["recipients"][0]["file"], "North~20~26~20Co");
    assert_eq!(about["sources"][0]["legal_basis"], "Act 1");
    assert_eq!(about["columns"][2]["column"], "person");
}

#[test]
fn parquet_stands_beside_whatever_is_asked_for() {
    for formats in [vec![ListFormat::Csv], vec![ListFormat::Csv, ListFormat::Parquet], vec![ListFormat::Parquet]] {
        let mut world = three();
        let csv = formats.contains(&ListFormat::Csv);
        world.pipeline.formats = formats;
        let files = files(&world);
        assert!(files.contains_key("person/lists/frail/unallocated.parquet"));
        assert_eq!(files.contains_key("person/lists/frail/unallocated.csv"), csv);
    }
}

#[test]
fn the_one_list_for_all_is_there_though_nobody_is_on_it() {
    let world = world(&["a"], vec![], vec![floats("risk", [Some(0.1)])]).cohort(
        "nobody",
        r#"
        include = [{ any.all = { when = "risk > 1" } }]
        rank = { by = ["risk desc"] }
        capacity = { take = 1 }"#,
    );
    assert_eq!(
        files(&world)["person/lists/nobody/all.csv"],
        "\u{feff}rank,status,person,team,reasons,recording_gaps,data_up_to,as_of\n"
    );
}

#[test]
fn a_list_of_a_spine_without_people_has_its_headings() {
    let world = world(&[], vec![], vec![floats("risk", []), texts("risk_band", [])]).model("risk").cohort(
        "nobody",
        r#"
        include = [{ any.all = { when = "risk > 0" } }]
        rank = { by = ["risk desc"] }
        capacity = { take = 1 }"#,
    );
    assert_eq!(
        files(&world)["person/lists/nobody/all.csv"],
        "\u{feff}rank,status,person,team,risk,risk_band,reasons,recording_gaps,data_up_to,as_of\n"
    );
}

#[test]
fn a_shown_feature_cannot_pass_for_a_column_of_every_list() {
    let world = world(&["a"], vec![integers("person", [Some(1)])], vec![]).cohort(
        "clash",
        r#"
        show = ["person"]
        include = [{ any.all = { when = "true" } }]
        rank = { by = [] }
        capacity = { take = 1 }"#,
    );
    let cohorts = world.select();
    let outcome = riskstrat::cohort::write(
        &world.pipeline,
        &world.people,
        &world.features,
        &world.scores,
        &cohorts,
        &[],
        &mut Draft::new(1),
    );
    assert!(matches!(outcome, Err(Error::Check(text)) if text.contains("`person`")));
}
