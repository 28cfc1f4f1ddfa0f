//! A stack of models, from training to a run: the same bytes, the same scores, contributions that sum, and what refuses it.
//! Beside it the gates that a model brings with it from the day it is trained.

use std::fs;

use riskstrat::error::Error;
use riskstrat::evaluate;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::score::calibration::logit;
use riskstrat::score::contributions::Explainer;
use riskstrat::study;
use riskstrat::train;

use crate::runs::{self, ENGINE};
use crate::train::World;

/// The world of training, with a stack in place of the logistic regression.
fn stacked() -> World {
    let world = World::new();
    world.edit("study.toml", "learner = \"logistic\"", "learner = \"stack\"");
    world.edit(
        "study.toml",
        "[signed_off]",
        "[train.trees]\ntrees = 20\nleaves = [4]\nlearning_rate = [0.2]\npatience = 0\n[signed_off]",
    );
    world
}

#[test]
fn a_stack_is_the_same_bytes_whatever_the_threads_and_scores_as_it_was_judged() {
    let world = stacked();
    let files = world.train(1).unwrap();
    assert_eq!(files, world.train(3).unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let all =
        ["card.md", "coefficients.csv", "evaluation.json", "model.lock", "model.toml", "reference.csv", "trees.csv"];
    assert_eq!(names, all);
    assert_eq!(files["model.toml"].matches("[[bases]]").count(), 2, "{}", files["model.toml"]);

    world.ship();
    let study_file = world.path("study.toml");
    let (pipeline, plan) = parse::load_study(&study_file, &LoadOptions::default(), &["risk".to_owned()]).unwrap();
    let study = study::assemble(&pipeline, &plan, ENGINE, &|_, _| {}).unwrap();
    let trained = train::train(&pipeline, &plan, &study, "risk", 2, &mut || {}).unwrap();
    let scored = evaluate::scored(&pipeline, &study).unwrap().remove(0);
    let (held, said) = &trained.held;
    for (row, said) in held.iter().zip(said) {
        assert!((scored.scores[*row].unwrap() - said).abs() < 1e-9, "row {row}");
    }
    let judged = evaluate::judge(&pipeline, &plan, &study, std::slice::from_ref(&scored)).unwrap();
    let figures = |of: &evaluate::Evaluation| {
        let all = &of.models[0].everyone;
        let probability = all.probability.as_ref().unwrap();
        [all.auroc, probability.slope, probability.brier, probability.ici].map(|figure| figure.unwrap().value)
    };
    for (again, then) in figures(&judged).iter().zip(figures(&trained.evaluation)) {
        assert!((again - then).abs() < 1e-6, "{again} {then}");
    }

    // On the log-odds of the stack: the intercept and each base's own contributions, times its weight.
    let explainer = Explainer::new(&pipeline.models[0], &study.table).unwrap();
    let mut moved = 0;
    for row in 0..study.table.num_rows() {
        let score = scored.scores[row].unwrap();
        let contributions = explainer.checked(row, score).unwrap();
        assert!((contributions.sum() - logit(score)).abs() < 1e-9, "row {row}");
        moved += usize::from(contributions.features.iter().any(|(_, adds)| adds.abs() > 0.1));
    }
    assert!(moved > 500, "{moved} people with a contribution to speak of");
}

/// The second implementation scores everyone, and the folder's own spread is a gate of the run (L6).
#[test]
fn a_run_scores_with_a_stack_and_holds_its_people_against_those_of_training() {
    let world = stacked();
    world.ship();
    world.edit("run.toml", "[opt_outs]", "[self_check]\none_in = 1\n[opt_outs]");
    let run = |out: &str| runs::run(&world.path("run.toml"), &LoadOptions::default(), &world.path(out), ENGINE);
    let receipt = runs::receipt(&run("out").unwrap());
    let drift = receipt["drift"].as_array().unwrap();
    assert_eq!(drift[0]["input"], "(score)");
    let inputs: Vec<&str> = drift.iter().map(|of| of["input"].as_str().unwrap()).collect();
    assert!(inputs.contains(&"age_years") && inputs.contains(&"spells_12m"), "{inputs:?}");
    assert!(drift.iter().all(|of| of["gate"] == true && of["psi_thousandths"].as_u64().unwrap() < 100), "{drift:?}");
    // Everyone is forty years older: other people than those of training.
    let people = fs::read_to_string(world.path("deliveries/people.csv")).unwrap();
    let older = people.lines().map(|line| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Some(year) = cells[1].get(..4).and_then(|year| year.parse::<i32>().ok()) {
            cells[1] = format!("{}-05-05", year - 40);
        }
        cells.join(",") + "\n"
    });
    world.write("deliveries/people.csv", &older.collect::<String>());
    let error = run("older").map(|_| ()).unwrap_err();
    assert!(matches!(&error, Error::Check(text) if text.contains("age_years has drifted from training")), "{error}");
}

/// L3 from the day of training: what was beyond the limits then refuses the folder, until somebody answers for it.
#[test]
fn a_model_that_was_off_when_it_was_trained_is_refused_by_its_own_folder() {
    let world = stacked();
    let limits = "[limits.models]\ncalibration_slope = [0.999, 1.001]\n";
    world.edit("run.toml", "[opt_outs]", &format!("{limits}[opt_outs]"));
    world.ship();
    let refusal = world.refusal();
    assert!(
        refusal.contains("`evaluation.json`: calibration slope is") && refusal.contains("0.999 to 1.001"),
        "{refusal}"
    );
    let accepted =
        "[[limits.models.accepted]]\nmodel = \"risk\"\nby = \"A. Nother\"\non = 2025-01-01\nwhy = \"a test\"\n";
    world.edit("run.toml", "[opt_outs]", &format!("{accepted}[opt_outs]"));
    assert!(parse::load(&world.path("run.toml"), &LoadOptions::default()).is_ok());
}

#[test]
fn a_stack_that_was_tampered_with_is_refused() {
    let world = stacked();
    world.ship();
    let refused_with = |file: &str, from: &str, to: &str, words: &str| {
        let whole = fs::read_to_string(world.path(file)).unwrap();
        world.edit(file, from, to);
        let refusal = world.refusal();
        assert!(refusal.contains(words), "{file}, {from:?} to {to:?}: {refusal}");
        fs::write(world.path(file), whole).unwrap();
    };
    let model = "models/risk/model.toml";
    refused_with(model, "weight = ", "weight = -", "is no finite number above 0");
    refused_with(model, "weight = ", "weight = 1", "`model.toml` is not the file that was trained");
    refused_with(model, "kind = \"trees\"", "kind = \"points\"", "a base is `logistic` or `trees`");
    refused_with(model, "name = \"trees\"", "name = \"logistic\"", "each base has its own");
    refused_with(model, "kind = \"stack\"", "kind = \"stack\"\ntable = \"trees.csv\"", "of this kind has no `table`");
    refused_with("models/risk/trees.csv", ",right,", ",left,", "`trees.csv` is not the file that was trained");
    refused_with("models/risk/model.lock", "\"trees.csv\"", "\"other.csv\"", "`trees.csv` is not in the lock");
}

/// Every wrong number of a learner at once, where it stands.
#[test]
fn settings_of_trees_that_mean_nothing_are_refused() {
    let world = World::new();
    world.edit(
        "study.toml",
        "[signed_off]",
        "[train.trees]\ntrees = 20\nleaves = [1]\nlearning_rate = [0.1, 1.5]\nridge = []\npatience = 20\n[signed_off]",
    );
    let error = world.train(1).map(|_| ()).unwrap_err().to_string();
    for words in [
        "one number of leaves or several, each from 2 to 1,024",
        "one rate or several, each above 0 and at most 1",
        "one penalty or several, none below 0",
        "fewer trees than are grown at most; 0 grows them all",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// A model is about those whom its study meant: everyone else has no score, and is judged nowhere.
#[test]
fn whom_the_study_did_not_mean_the_model_is_not_about() {
    let world = World::new();
    let limits = "[limits.models]\ncalibration_slope = [0.4, 2.5]\nobserved_expected = [0.5, 2.0]\n";
    world.edit("run.toml", "[opt_outs]", &format!("{limits}[opt_outs]"));
    world.edit("study.toml", "deaths =", "where = \"age_years >= 30\"\ndeaths =");
    world.ship();
    world.edit("study.toml", "where = \"age_years >= 30\"\n", "");
    let study_file = world.path("study.toml");
    let (pipeline, plan) = parse::load_study(&study_file, &LoadOptions::default(), &["risk".to_owned()]).unwrap();
    let study = study::assemble(&pipeline, &plan, ENGINE, &|_, _| {}).unwrap();
    let judged = evaluate::judge(&pipeline, &plan, &study, &evaluate::scored(&pipeline, &study).unwrap()).unwrap();
    let model = &judged.models[0];
    assert_eq!(model.about, model.everyone.rows);
    assert!(judged.not_compared > 200 && model.about > 200, "{} {}", judged.not_compared, model.about);
    // In a run nobody else is scored, and those who are have not drifted.
    let run = runs::run(&world.path("run.toml"), &LoadOptions::default(), &world.path("out"), ENGINE).unwrap();
    let scores = runs::people(&run, "scores.parquet");
    let features = runs::people(&run, "features.parquet");
    for (token, row) in &features {
        let old = row["age_years"].parse::<i32>().is_ok_and(|age| age >= 30);
        assert_eq!(!scores[token]["risk"].is_empty(), old, "{row:?}");
    }
    let receipt = runs::receipt(&run);
    assert!(receipt["drift"].as_array().unwrap().iter().all(|of| of["psi_thousandths"].as_u64().unwrap() < 100));
}
