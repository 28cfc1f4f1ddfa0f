//! What keeps people off a list, and how fresh that must be (trust row D6 among them).

use jiff::ToSpan;
use riskstrat::error::Error;
use riskstrat::pipeline::parse::{self, LoadOptions};

use super::hub::{self, AS_OF, Hub, KEPT_OFF, Person};
use crate::runs;

const CAPACITY: &str = "[capacity]\ntake = 100\n";

/// One person for each thing that keeps people off, and one well.
fn everyone() -> Vec<Person> {
    let token = |why: &str| format!("t-{why}");
    let mut people: Vec<Person> =
        KEPT_OFF.into_iter().map(|why| Person::new(&token(why), "P1", 9).kept_off(why)).collect();
    people.push(Person::new("well", "P1", 2));
    people
}

#[test]
fn each_thing_keeps_its_person_off_alone_and_is_counted() {
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.deliver(&hub::rows(&everyone(), AS_OF));
    let run = hub.published(AS_OF);
    let listed: Vec<String> = runs::list(&run, "first/all.csv").into_iter().map(|row| row["person"].clone()).collect();
    assert_eq!(listed, ["well"]);
    let receipt = runs::receipt(&run);
    let people = &receipt["people"];
    let counts = [
        ("in_registers", 18),
        ("on_spine", 7),
        ("opted_out", 5),
        ("died", 2),
        ("left", 1),
        ("not_yet", 1),
        ("test_people", 2),
    ];
    for (fate, count) in counts {
        assert_eq!(people[fate], count, "{fate}");
    }
    let excluded = receipt["cohorts"][0]["excluded"].as_array().unwrap();
    let excluded: Vec<_> =
        excluded.iter().map(|one| (one["reason"].as_str().unwrap(), one["people"].as_u64().unwrap())).collect();
    let wanted = [("in_hospital", 1), ("end_of_life", 1), ("child", 1), ("contacted", 1), ("cool_off_declined", 1)];
    assert_eq!(excluded, wanted);
    let second = &receipt["cohorts"][1]["excluded"];
    assert_eq!(second[5]["reason"], "on another list: first");
    // Of those who are no part of this, no byte is left.
    let gone = |why: &&str| why.starts_with("opted") || why.contains("allowed") || why.starts_with("test_by");
    let gone: Vec<String> = KEPT_OFF.into_iter().filter(gone).map(|why| format!("t-{why}")).collect();
    assert_eq!(gone.len(), 7);
    assert_eq!(hub::holding(&run, &gone), [""; 0]);
}

/// D6: a blank line in a source that excludes is refused, and empties no list.
#[test]
fn d6_a_blank_line_in_an_exclusion_empties_no_list() {
    let hub = Hub::new(CAPACITY, CAPACITY);
    let mut rows = hub::rows(&everyone(), AS_OF);
    rows.get_mut("hospice").unwrap().push(",2026-03-01".to_owned());
    hub.deliver(&rows);
    let run = hub.published(AS_OF);
    assert_eq!(runs::account(&runs::receipt(&run), "hospice")["set_aside"], 1);
    assert_eq!(runs::list(&run, "first/all.csv").len(), 1);
    // … and in the list of who may be used, it allows nobody.
    let mut rows = hub::rows(&everyone(), AS_OF);
    rows.get_mut("allowed").unwrap().push(",2026-03-01,".to_owned());
    hub.deliver(&rows);
    assert_eq!(runs::receipt(&hub.published(AS_OF))["people"]["opted_out"], 5);
}

#[test]
fn a_stale_or_missing_exclusion_writes_no_list() {
    for source in ["hospice", "spells", "feedback", "allowed", "opt_outs"] {
        let hub = Hub::new(CAPACITY, CAPACITY);
        let mut rows = hub::rows(&everyone(), AS_OF);
        let old = hub::rows(&everyone(), AS_OF - 40.days()).remove(source).unwrap();
        rows.insert(source, old);
        hub.deliver(&rows);
        hub.refused(AS_OF, 3, &[&format!("source {source} is stale"), "30 days"]);
        std::fs::remove_file(hub.path(&format!("deliveries/{source}-b.csv"))).unwrap();
        hub.refused(AS_OF, 3, &[&format!("source {source}")]);
    }
}

#[test]
fn that_nobody_is_in_hospice_is_a_fact_where_it_is_declared_so() {
    let hub = Hub::new(CAPACITY, CAPACITY);
    let mut rows = hub::rows(&everyone(), AS_OF);
    rows.get_mut("hospice").unwrap().truncate(1);
    hub.deliver(&rows);
    assert_eq!(runs::list(&hub.published(AS_OF), "first/all.csv").len(), 2);
    hub.replace("sources/hospice.toml", "may_be_empty  = true\n", "");
    hub.refused(AS_OF, 3, &["source hospice is empty"]);
}

fn problems(hub: &Hub) -> Vec<String> {
    match parse::load(&hub.path("run.toml"), &LoadOptions::default()) {
        Err(Error::Declarations(problems)) => {
            problems.iter().for_each(|problem| assert!(problem.line.is_some(), "{problem}"));
            problems.into_iter().map(|problem| problem.message).collect()
        }
        other => panic!("no problems: {:?}", other.map(|_| ())),
    }
}

/// One edit of the hub, and what must be said about it.
fn refused(file: &str, from: &str, to: &str, said: &[&str]) {
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.replace(file, from, to);
    assert_eq!(problems(&hub), said, "{from}");
}

#[test]
fn what_excludes_says_how_old_it_may_be() {
    for (source, by) in [("spells", "in_hospital"), ("hospice", "end_of_life"), ("feedback", "contacted")] {
        let hub = Hub::new(CAPACITY, CAPACITY);
        let text = std::fs::read_to_string(hub.path(&format!("sources/{source}.toml"))).unwrap();
        let aged = text.lines().filter(|line| !line.starts_with("max_age")).map(|line| format!("{line}\n"));
        hub.write(&format!("sources/{source}.toml"), &aged.collect::<String>());
        let found = problems(&hub);
        let wanted = format!("`{by}` excludes by `{source}`, which does not say how old it may be");
        assert!(found.contains(&wanted), "{found:?}");
    }
    // Through a derived feature, and through a score.
    let first = "cohorts/first.toml";
    for when in ["often", "need > 3", "coalesce(need_band, '') = 'high'"] {
        let hub = Hub::new(CAPACITY, CAPACITY);
        hub.replace(
            "features/all.toml",
            "[in_hospital]",
            "[often]\nlabel = \"Often\"\nderived = { sql = \"visits_12m > 4\" }\n\n[in_hospital]",
        );
        hub.replace(
            "models/need/model.toml",
            "thresholds",
            "bands = [{ name = \"low\", below = 3 }, { name = \"high\" }]\nthresholds",
        );
        hub.replace(first, "child.when       = \"age_years < 18\"", &format!("often.when = \"{when}\""));
        hub.replace("sources/visits.toml", "max_age     = \"30 days\"\n", "");
        assert_eq!(problems(&hub), ["`often` excludes by `visits`, which does not say how old it may be"], "{when}");
    }
}

#[test]
fn what_could_not_do_what_it_says_is_refused() {
    let (run, first) = ("run.toml", "cohorts/first.toml");
    let owner = "one_owner = true";
    refused(
        run,
        owner,
        "one_owner = true\nprecedence = [\"second\", \"frist\"]",
        &["`first` is missing: whose are the people of two lists?", "the run has no cohort `frist`"],
    );
    refused(run, owner, "precedence = [\"second\", \"first\"]", &["nobody has one owner, so none comes first"]);
    refused(run, owner, "one_owner = true\n[limits]", &["limits compare with the run before, which is not read"]);
    refused(run, owner, "remember = true\n[limits]\nrows_grow = -1", &["a limit is not below 0"]);
    refused(
        run,
        owner,
        "remember = true\n[limits]\nclosed_providers = { spells = [\"P1\"] }",
        &["no source `spells` names its `provider`"],
    );
    refused(
        run,
        owner,
        "[outreach.cool_off]\nof = \"feedback\"\nafter = { refused = \"1 year\" }",
        &["`feedback.outcome` has no category `refused`"],
    );
    let after = "after = { declined = \"12 months\" }";
    refused(
        first,
        after,
        "after = { declined = \"ever\" }",
        &["\"ever\" is no limit: write a window, such as \"10 years\""],
    );
    refused(first, after, "listed_within = \"28 days\"", &["who was listed before is not remembered"]);
    refused(first, "of    = \"feedback\"\n", "", &["`after` needs `of`: the feedback source"]);
    let (visits, provider) = ("sources/visits.toml", "provider    = { column = \"practice\", people = \"practice\" }");
    let given = |column: &str, people: &str| format!("provider = {{ column = \"{column}\", people = \"{people}\" }}");
    refused(visits, provider, &given("praktice", "practice"), &["`visits` has no column `praktice`"]);
    refused(
        visits,
        provider,
        &given("date", "practice"),
        &["`date` cannot name who sent a row: it is no single text or code"],
    );
    refused(
        visits,
        provider,
        &given("practice", "birth_date"),
        &["no register has a text or code column `birth_date`"],
    );
    let take = "take = 100";
    let cases = [
        ("draw = 1.5", "a share of places is above 0 and at most 1"),
        ("draw = 0.001", "this is less than half a place: nobody is drawn"),
        ("[[capacity.limit]]\nper = \"age_years\"\ntake = 3", "`age_years` is a number, and this needs text"),
        ("[[capacity.limit]]\nper = \"practise\"\ntake = 3", "there is no feature `practise`"),
        ("[[capacity.quota]]\nby = \"band\"\nat_most = {}", "no value has a quota"),
        (
            "[[capacity.floor]]\ngroup = \"g\"\nwhen = \"need > 1\"\nbecause = \"b\"",
            "a floor is `at_least` so many places, or a `share` of them above 0 and at most 1",
        ),
        (
            "[[capacity.floor]]\ngroup = \"g\"\nwhen = \"need > 1\"\nbecause = \"b\"\nat_least = 101",
            "the floor is above the places there are",
        ),
        (
            "[[capacity.weight]]\ngroup = \"g\"\nwhen = \"need > 1\"\nbecause = \"b\"\ntimes = 0",
            "a weight is a number above 0",
        ),
    ];
    for (toml, said) in cases {
        let hub = Hub::new(CAPACITY, CAPACITY);
        hub.replace(first, take, &format!("{take}\n{toml}"));
        let found = match parse::load(&hub.path(run), &LoadOptions::default()) {
            Err(Error::Declarations(problems)) => problems,
            other => panic!("{toml}: {:?}", other.map(|_| ())),
        };
        assert!(found.len() == 1 && found[0].message.contains(said), "{toml}: {found:?}");
    }
    let hub = Hub::new(CAPACITY, CAPACITY);
    hub.replace(first, "need desc", "band desc");
    hub.replace(
        first,
        take,
        "take = 100\n[[capacity.weight]]\ngroup = \"g\"\nwhen = \"need > 1\"\nbecause = \"b\"\ntimes = 2",
    );
    assert_eq!(problems(&hub), ["a weight needs a rank that begins with a number, `desc`"]);
}
