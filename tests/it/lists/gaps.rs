//! Who is recorded in which state, and whose record to mend first.

use riskstrat::audit::{self, Gaps};
use riskstrat::cohort::Cohorts;
use riskstrat::history::History;
use riskstrat::link::RecordingState::{self, Blank, Conflicting, Declined, Known, NotKnown};
use riskstrat::publish::Draft;

use super::world::{World, floats, texts, world};

fn gaps(world: &World) -> (Cohorts, Gaps) {
    let cohorts = world.select();
    let gaps =
        audit::gaps(&world.pipeline, &world.people, &world.features, &world.scores, &cohorts, &History::default(), 2)
            .unwrap();
    (cohorts, gaps)
}

/// Six people, two sources: e has no row anywhere, d conflicts.
fn six() -> World {
    let practice = ["P1", "P1", "P1", "P2", "P2"].map(Some).into_iter().chain([None]);
    let resolved = [
        (Some("A"), Known),
        (None, NotKnown),
        (None, Declined),
        (Some("M"), Conflicting),
        (None, Blank),
        (None, Blank),
    ];
    let says = [
        (0, 0, Known, Some("A"), Some(20_515)),
        (0, 1, Blank, None, None),
        (1, 0, NotKnown, None, None),
        (2, 1, Declined, None, None),
        (3, 0, Known, Some("A"), Some(20_000)),
        (3, 1, Known, Some("M"), Some(20_515)),
        (5, 0, Blank, None, None),
    ];
    let risk = [0.1, 0.2, 0.9, 0.3, 0.5, 0.4].map(Some);
    world(&["a", "b", "c", "d", "e", "f"], vec![texts("practice", practice)], vec![floats("risk", risk)])
        .model("risk")
        .item("ethnicity", "Ethnicity", &resolved, &says)
        .source("gp", "GP registrations")
        .source("acute", "Hospital spells")
        .audit(&["practice"], Some("practice"))
        .cohort(
            "top",
            r#"
            include = [{ any.all = { when = "risk < 0.35" } }]
            rank = { by = ["risk desc"] }
            capacity = { take = 1, reserve = 1 }"#,
        )
}

#[test]
fn every_state_is_counted_and_states_sum_to_the_people() {
    let world = six();
    let (_, gaps) = gaps(&world);
    let found: Vec<_> = gaps
        .counts
        .iter()
        .map(|count| {
            let states = RecordingState::ALL.iter().zip(count.states).filter(|(_, people)| *people > 0);
            let states: Vec<_> = states.map(|(state, people)| (state.name(), people)).collect();
            let group = count.group.as_ref().map(|(split, group)| format!("{split}={group}"));
            (count.source, group, count.people, states, count.no_record)
        })
        .collect();
    let all = vec![("known", 1), ("conflicting", 1), ("declined", 1), ("not_known", 1), ("blank", 2)];
    let group = |name: &str| Some(format!("practice={name}"));
    assert_eq!(
        found,
        [
            (None, None, 6, all, 0),
            (Some(0), None, 6, vec![("known", 2), ("not_known", 1), ("blank", 1)], 2),
            (Some(1), None, 6, vec![("known", 1), ("declined", 1), ("blank", 1)], 3),
            (None, group("P1"), 3, vec![("known", 1), ("declined", 1), ("not_known", 1)], 0),
            (None, group("P2"), 2, vec![("conflicting", 1), ("blank", 1)], 0),
            (None, group("not recorded"), 1, vec![("blank", 1)], 0),
        ]
    );
}

#[test]
fn a_worklist_says_what_each_source_says_and_puts_listed_people_first() {
    let world = six();
    let (cohorts, gaps) = gaps(&world);
    let mut draft = Draft::new(1);
    audit::write(&world.pipeline, &world.people, &world.features, &cohorts, &gaps, &mut draft).unwrap();
    riskstrat::cohort::write(&world.pipeline, &world.people, &world.features, &world.scores, &cohorts, &[], &mut draft)
        .unwrap();
    let files = world.published(&cohorts, &draft);
    assert_eq!(
        files["person/gaps/P1.csv"],
        "person,item,state,what_each_source_says,on_list,value\n\
         b,Ethnicity,not known,GP registrations: not known,T,11666\n\
         c,Ethnicity,declined to say,Hospital spells: declined to say,no,0\n"
    );
    assert_eq!(
        files["person/gaps/P2.csv"],
        "person,item,state,what_each_source_says,on_list,value\n\
         d,Ethnicity,sources differ,\"GP registrations: White British (4 October 2024); Hospital spells: Black \
         Caribbean (3 March 2026)\",T,13399\n\
         e,Ethnicity,not recorded,nothing in any source,no,6699\n"
    );
    assert_eq!(
        files["person/gaps/unallocated.csv"],
        "person,item,state,what_each_source_says,on_list,value\nf,Ethnicity,not recorded,GP registrations: not recorded,no,5099\n"
    );
    assert!(!files.keys().any(|path| path.ends_with("P3.csv")));
}

#[test]
fn only_disclosed_counts_reach_the_tables() {
    let many = 60;
    let tokens: Vec<String> = (0..many).map(|i| format!("token-{i:02}")).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let resolved: Vec<_> =
        (0..many).map(|i| if i < 52 { (Some(if i < 40 { "A" } else { "M" }), Known) } else { (None, Blank) }).collect();
    let says: Vec<_> =
        (0..many).filter(|i| *i < 52).map(|i| (i as u32, 0, Known, resolved[i].0, Some(20_000))).collect();
    let world = world(&tokens, vec![], vec![floats("risk", (0..many).map(|i| Some(i as f64)))])
        .item("ethnicity", "Ethnicity", &resolved, &says)
        .source("gp", "GP registrations")
        .audit(&[], None)
        .cohort(
            "half",
            r#"
            include = [{ any.all = { when = "risk >= 30" } }]
            rank = { by = ["risk asc"] }
            capacity = { take = 25 }"#,
        );
    let (cohorts, gaps) = gaps(&world);
    let mut draft = Draft::new(1);
    audit::write(&world.pipeline, &world.people, &world.features, &cohorts, &gaps, &mut draft).unwrap();
    riskstrat::cohort::write(&world.pipeline, &world.people, &world.features, &world.scores, &cohorts, &[], &mut draft)
        .unwrap();
    let files = world.published(&cohorts, &draft);
    let rows = "ethnicity,Black Caribbean,10,10,*\n\
                ethnicity,White British,40,10,25.0\n\
                ethnicity,not recorded,10,*,*\n";
    assert_eq!(files["aggregate/inequality.csv"], format!("split,group,people,listed,share_listed\n{rows}"));
    let rows = rows.replace("ethnicity,", "half,ethnicity,");
    assert_eq!(files["aggregate/list_equity.csv"], format!("cohort,split,group,people,listed,share_listed\n{rows}"));
    let gaps = &files["aggregate/recording_gaps.csv"];
    assert!(gaps.starts_with(
        "audit,item,source,split,group,people,state,count,share\n\
         gaps,ethnicity,all sources,everyone,everyone,60,known,50,83.3\n\
         gaps,ethnicity,all sources,everyone,everyone,60,conflicting,0,0.0\n"
    ));
    assert!(gaps.contains("gaps,ethnicity,gp,everyone,everyone,60,no_record,10,16.7\n"));
    assert!(!files.keys().any(|path| path.starts_with("person/gaps/")));
}
