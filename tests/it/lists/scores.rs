//! The reasons that a score gives: true of the person, what raises it most first, nothing that must not be said.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::pipeline::decl::{ModelDecl, Transform};
use riskstrat::pipeline::{Branch, Logistic, Model, Node, Scoring, Split, Term, Tree, TreeInput, Trees};
use riskstrat::score::contributions::Explainer;
use riskstrat::score::{self};

use super::world::{World, booleans, declared, integers, world};

const FEATURES: [&str; 7] = ["f0", "f1", "f2", "f3", "f4", "f5", "f6"];
const REASONS: [&str; 6] =
    ["f0 is {value}", "f1 is {value}", "f2 is {value}", "f3 is {value}", "f4 is {value}", "f5 is {value}"];
const TOKENS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// People with random features: f5 is never to be said, and f6 has no reason.
fn invented(dice: &mut ChaCha8Rng) -> World {
    let mut columns = Vec::new();
    for (at, name) in FEATURES.into_iter().enumerate() {
        let made = match at % 2 {
            0 => integers(name, TOKENS.map(|_| dice.random_bool(0.8).then(|| dice.random_range(-1..4)))),
            _ => booleans(name, TOKENS.map(|_| dice.random_bool(0.8).then(|| dice.random_bool(0.5)))),
        };
        columns.push(match REASONS.get(at) {
            Some(reason) => made.reason(reason),
            None => made,
        });
    }
    let mut world = world(&TOKENS, columns, Vec::new());
    world.pipeline.features[5].never_as_reason = true;
    // Two windows of one feature.
    world.pipeline.features[3].family = world.pipeline.features[1].family.clone();
    let kind = if dice.random_bool(0.5) { linear(dice) } else { grove(dice) };
    let decl: ModelDecl = declared(
        "title = \"T\"\nkind = \"logistic\"\nversion = \"1\"\npredicts = \"nothing\"\npopulation = \"nobody\"\n\
         citation = \"none\"\ncard = \"card.md\"\n\
         signed_off = { by = \"nobody\", on = 2026-01-01, review_by = 2027-01-01 }",
    );
    let model = Model { name: "risk".to_owned(), decl, kind, calibration: Vec::new(), reference: None };
    world.pipeline.models.push(model);
    world.scores = score::score(&world.pipeline, &world.features, 2).unwrap();
    world
}

fn linear(dice: &mut ChaCha8Rng) -> Scoring {
    let term = |feature| Term {
        feature,
        equals: None,
        coefficient: dice.random_range(-1.0..1.0),
        missing: Some(1.0),
        reference: dice.random_range(-0.5..1.0),
        at_least: None,
        below: None,
        cap: None,
        transform: Transform::Identity,
        divide_by: None,
    };
    Scoring::Logistic(Logistic { intercept: 0.0, terms: (0..FEATURES.len()).map(term).collect() })
}

fn grove(dice: &mut ChaCha8Rng) -> Scoring {
    let leaf = |value| Node { rows: 50, branch: Branch::Leaf(value) };
    let tree = |input| {
        let below = *[0.5, 1.0, 2.0].choose(dice).unwrap();
        let split = Split { input, below, missing_left: dice.random_bool(0.5), left: 1, right: 2 };
        let mut value = || dice.random_range(-1.0..1.0);
        Tree { nodes: vec![Node { rows: 100, branch: Branch::Split(split) }, leaf(value()), leaf(value())] }
    };
    let inputs = (0..FEATURES.len()).map(|feature| TreeInput { feature, equals: None }).collect();
    Scoring::Trees(Trees { intercept: 0.0, inputs, trees: (0..FEATURES.len()).map(tree).collect() })
}

#[test]
fn a_score_gives_up_to_three_reasons_that_are_true() {
    let mut said_anything = 0;
    for seed in 0..300 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let world = invented(&mut dice);
        let mut world = world.cohort(
            "likely",
            "include = [{ any.likely = { when = \"risk > 0.3\" } }]\nrank = { by = [\"risk desc\"] }\n\
             capacity = { take = 20 }",
        );
        world.pipeline.cohorts[0].include[0][0].models = vec![0];
        let cohorts = world.select();
        let explainer = Explainer::new(&world.pipeline.models[0], &world.features.columns.whole().unwrap()).unwrap();
        for row in &cohorts.lists[0].rows {
            let person = row.person as usize;
            let contributions = explainer.of(person).unwrap();
            let adds = |name: &str| contributions.features[world.position(name)].1;
            if row.reasons == ["Likely"] {
                continue;
            }
            said_anything += 1;
            assert!(row.reasons.len() <= 3, "seed {seed}: {:?}", row.reasons);
            let names: Vec<&str> = row.reasons.iter().map(|reason| &reason[..2]).collect();
            assert!(!(names.contains(&"f1") && names.contains(&"f3")), "seed {seed}: two windows of one feature");
            for (name, reason) in names.iter().zip(&row.reasons) {
                assert!(!["f5", "f6"].contains(name), "seed {seed}: {reason}");
                assert!(adds(name) > 0.0, "seed {seed}: {reason} lowers the score");
                let column = world.features.columns.by_name(name).unwrap().unwrap();
                let value = riskstrat::cohort::words::spoken(&column, person).unwrap().unwrap_or_default();
                assert_eq!(*reason, format!("{name} is {value}"), "seed {seed}");
                assert!(!["", "no", "0"].contains(&value.as_str()), "seed {seed}: {reason}");
            }
            assert!(names.is_sorted_by(|a, b| adds(a) >= adds(b)), "seed {seed}: {:?}", row.reasons);
        }
    }
    assert!(said_anything > 500, "only {said_anything} people had a reason");
}
