//! What a run remembers of earlier ones: who was listed, how scores moved, and how long people are left alone.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use riskstrat::cohort::{self, Cohorts, Past};
use riskstrat::gates::NoData;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::storage::LocalDisk;
use riskstrat::{conform, features, history, link, score, source};

use super::hub::{self, AS_OF, Hub, Person};
use crate::runs::{self, ENGINE};

const CAPACITY: &str = "[capacity]\ntake = 2\nreserve = 1\n";

fn people(visits: [usize; 4]) -> Vec<Person> {
    let names = ["anna", "bert", "cleo", "dora"];
    let mut people: Vec<Person> =
        names.into_iter().zip(visits).map(|(name, visits)| Person::new(name, "P1", visits)).collect();
    people.push(Person::new("gone", "P1", 3).kept_off("opted_out"));
    people
}

/// A hub with one list that remembers.
fn hub() -> Hub {
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.replace("run.toml", "one_owner = true", "remember = true");
    hub.replace("run.toml", "cohorts    = [\"first\", \"second\"]", "cohorts = [\"first\"]");
    hub
}

/// The lists of a run that is not published.
fn selected(hub: &Hub, as_of: Date) -> (BTreeMap<String, Option<Past>>, Cohorts) {
    let options = LoadOptions { as_of: Some(as_of), deliveries: None };
    let pipeline = parse::load(&hub.path("run.toml"), &options).unwrap();
    let delivered = source::find(&pipeline).unwrap();
    let history = history::read(&pipeline, &LocalDisk, &hub.path("out")).unwrap();
    let conformed = conform::conform(&pipeline, &delivered, ENGINE).unwrap();
    let records = link::link(&conformed).unwrap();
    let history = history.in_todays_tokens(&records.superseded);
    let (people, features, _) = features::pass(records, &|_| ()).unwrap();
    let mut scores = score::score(&pipeline, &features, 2).unwrap();
    history.add_changes(&pipeline, &people, &mut scores).unwrap();
    let cohorts = cohort::select(&pipeline, &people, &features, &scores, &history, &NoData::default()).unwrap();
    let token = |person: u32| people.tokens[person as usize].reveal().to_owned();
    let past = cohorts.lists[0].rows.iter().map(|row| (token(row.person), row.past.clone())).collect();
    (past, cohorts)
}

#[test]
fn a_row_says_since_when_and_how_often_its_person_is_listed() {
    let hub = hub();
    for (week, visits) in [[5, 3, 2, 0], [5, 2, 3, 0]].into_iter().enumerate() {
        let as_of = AS_OF - (14 - 7 * week as i64).days();
        hub.deliver(&hub::rows(&people(visits), as_of));
        hub.published(as_of);
    }
    // Dora is new; Cleo's token was replaced meanwhile.
    let mut now = people([5, 0, 3, 8]);
    now[2].token = "cleo2".to_owned();
    let mut rows = hub::rows(&now, AS_OF);
    rows.get_mut("superseded").unwrap().push("cleo,cleo2".to_owned());
    hub.deliver(&rows);
    let (past, cohorts) = selected(&hub, AS_OF);
    let of = |times_listed, first: Option<i64>, rank| {
        Some(Past { times_listed, first_listed: first.map(|days| AS_OF - days.days()), rank })
    };
    let wanted = [("anna", of(2, Some(14), Some(1))), ("cleo2", of(1, Some(7), Some(2))), ("dora", of(0, None, None))];
    assert_eq!(past, wanted.into_iter().map(|(token, past)| (token.to_owned(), past)).collect());
    let order: Vec<u32> = cohorts.lists[0].rows.iter().map(|row| row.rank).collect();
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn criteria_can_ask_how_far_a_score_rose() {
    let hub = hub();
    hub.replace(
        "cohorts/first.toml",
        "when = \"need >= 1\"",
        "when = \"need_change >= 2\", reason = \"Need rose by {need_change}\"",
    );
    hub.replace("run.toml", "[self_check]", "[limits]\njudged_from = 1000\n\n[self_check]");
    hub.deliver(&hub::rows(&people([1, 5, 0, 2]), AS_OF - 7.days()));
    let first = hub.published(AS_OF - 7.days());
    assert_eq!(runs::receipt(&first)["cohorts"][0]["listed"], 0, "nothing to compare with: nobody rose");
    hub.deliver(&hub::rows(&people([5, 5, 2, 3]), AS_OF));
    let run = hub.published(AS_OF);
    let rows = runs::list(&run, "first/all.csv");
    let listed: Vec<_> = rows.iter().map(|row| (row["person"].as_str(), row["reasons"].as_str())).collect();
    assert_eq!(listed, [("anna", "Need rose by 3 [Visits]"), ("cleo", "Need rose by 2 [Visits]")]);
    let scores = runs::people(&run, "scores.parquet");
    assert_eq!((scores["bert"]["need_change"].as_str(), scores["dora"]["need_change"].as_str()), ("0.0", "1.0"));
}

#[test]
fn who_was_listed_lately_is_left_alone() {
    let hub = hub();
    hub.replace(
        "cohorts/first.toml",
        "after = { declined = \"12 months\" }",
        "after = { declined = \"12 months\" }\nlisted_within = \"28 days\"",
    );
    hub.deliver(&hub::rows(&people([5, 3, 2, 1]), AS_OF - 28.days()));
    hub.published(AS_OF - 28.days());
    let count = |as_of: Date| {
        hub.deliver(&hub::rows(&people([5, 3, 2, 1]), as_of));
        let (past, cohorts) = selected(&hub, as_of);
        let excluded = cohorts.lists[0].excluded.iter().find(|(why, _)| why == "listed in the last 28 days");
        (past.into_keys().collect::<Vec<_>>(), excluded.map_or(0, |(_, people)| *people))
    };
    assert_eq!(count(AS_OF), (vec!["cleo".to_owned(), "dora".to_owned()], 2), "the reserve was not listed");
    assert_eq!(count(AS_OF + 1.day()).1, 0, "29 days ago is long enough");
}

#[test]
fn the_same_history_gives_the_same_run_and_another_one_another() {
    let hub = hub();
    hub.replace("run.toml", "[self_check]", "[limits]\njudged_from = 1000\n\n[self_check]");
    hub.deliver(&hub::rows(&people([5, 3, 2, 0]), AS_OF - 7.days()));
    let before = hub.published(AS_OF - 7.days());
    hub.deliver(&hub::rows(&people([5, 3, 2, 0]), AS_OF));
    let run = hub.published(AS_OF);
    let bytes = runs::files(&run);
    assert_eq!(hub.published(AS_OF), run);
    assert_eq!(runs::files(&run), bytes);
    let receipt = runs::receipt(&run);
    assert_eq!(receipt["basis"]["previous_run"].as_str(), before.file_name().unwrap().to_str());
    std::fs::rename(hub.path("out"), hub.path("elsewhere")).unwrap();
    let alone = hub.published(AS_OF);
    assert_ne!(alone.file_name(), run.file_name(), "what was remembered is part of the name");
}

#[test]
fn a_damaged_run_before_stops_this_one() {
    let hub = hub();
    hub.deliver(&hub::rows(&people([5, 3, 2, 0]), AS_OF - 7.days()));
    let before = hub.published(AS_OF - 7.days());
    std::fs::write(before.join("person/scores.parquet"), b"no table").unwrap();
    hub.deliver(&hub::rows(&people([5, 3, 2, 0]), AS_OF));
    hub.refused(AS_OF, 1, &["the run before this one is no longer what it was", "scores.parquet"]);
}

#[test]
fn a_list_holds_for_as_long_as_it_says() {
    let hub = hub();
    hub.replace("cohorts/first.toml", "title   = \"First\"", "title = \"First\"\nvalid_for = \"14 days\"");
    hub.deliver(&hub::rows(&people([5, 3, 2, 0]), AS_OF));
    let (_, cohorts) = selected(&hub, AS_OF);
    assert_eq!(cohorts.lists[0].valid_until, Some(AS_OF + 14.days()));
    hub.published(AS_OF);
}
