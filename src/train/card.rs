//! The card of a trained model, item by item of TRIPOD+AI (Collins 2024): what is known is said, and so is what was not done.

use std::collections::{BTreeMap, BTreeSet};

use super::Trained;
use super::folder::population;
use crate::error::{Error, Result};
use crate::evaluate::interval::Estimate;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::{ModelKind, Setting};
use crate::pipeline::study::{Deaths, StudyPlan};
use crate::pipeline::table::Table;
use crate::study::{COST_LABEL, DateAccount};

/// Items and their names; those not confirmed against the published checklist say so.
const ITEMS: &str = include_str!("tripod_ai_items.csv");

const NOT_SAID: &str =
    "Not reported: riskstrat does not know it. Whoever answers for the model writes it down elsewhere.";

pub(super) fn card(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Result<String> {
    let items = Table::read(ITEMS, &["item", "name", "confirmed"])
        .map_err(|_| Error::Fault("the list of reporting items cannot be read".to_owned()))?;
    let outcome = &plan.decl.outcome;
    let mut text = format!("# {}\n\n", plan.decl.title);
    if plan.outcome.cost {
        text.push_str(&format!("**{}**\n\n", COST_LABEL));
    }
    text.push_str(&format!(
        "Predicts: {} (within {}). Trained on {}. Made from the study `{}`; nobody has read this page over.\n\n",
        outcome.label,
        outcome.within,
        population(pipeline),
        plan.name
    ));
    text.push_str(
        "Items are those of TRIPOD+AI (Collins 2024, BMJ 385:e078378). The wording of items marked * was not confirmed against the published checklist.\n",
    );
    let mut so_far: BTreeMap<String, &str> = BTreeMap::new();
    for row in &items.rows {
        let star = if row.get("confirmed") == "yes" { "" } else { "*" };
        let item = row.get("item");
        let said = match said(item, pipeline, plan, trained) {
            Some(said) => match so_far.get(&said) {
                Some(before) => format!("As under {before}."),
                None => {
                    so_far.insert(said.clone(), item);
                    said
                }
            },
            None => NOT_SAID.to_owned(),
        };
        text.push_str(&format!("\n**{item}{star} {}.** {said}\n", row.get("name")));
    }
    Ok(text)
}

fn said(item: &str, pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Option<String> {
    about_data(item, pipeline, plan, trained).or_else(|| about_model(item, pipeline, plan, trained))
}

fn about_data(item: &str, pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Option<String> {
    let (decl, outcome) = (&plan.decl, &plan.decl.outcome);
    let dates: Vec<String> = decl.as_of.iter().map(ToString::to_string).collect();
    Some(match item {
        "1" => format!("{}: development, and evaluation on people held out.", decl.title),
        "3b" => format!("{}. {}", population(pipeline), meant(plan)),
        "2" => abstract_of(pipeline, plan, trained),
        "6a" => settings(pipeline),
        "6b" => format!("{} Known to be followed up to the end, or to have had the outcome before.", meant(plan)),
        "4" => format!("To estimate the risk of: {} (within {}).", outcome.label, outcome.within),
        "5a" => {
            let sources: Vec<&str> = pipeline.sources.iter().map(|source| source.decl.title.as_str()).collect();
            format!("{}.", sources.join("; "))
        }
        "5b" => format!("As-of dates {}; each followed up for {}.", dates.join(", "), outcome.within),
        "6c" if decl.acted_on.is_some() => acted_on(trained),
        "6c" => "Not done: what care people had in the follow-up, and whether a list had brought it about, is not taken into account.".to_owned(),
        "7" => "Conformed, linked and counted as in a run as of that date: nothing dated or recorded on or after it is in an input.".to_owned(),
        "8a" => format!("{} in the {} from the as-of date on. {}", outcome.label, outcome.within, deaths(decl.deaths)),
        "8b" | "8c" | "9c" => "Taken from routine records, which were written without knowledge of the score.".to_owned(),
        "9a" | "9b" => {
            let names: Vec<String> = plan.inputs.iter().filter_map(|at| pipeline.features.get(*at)).map(|feature| format!("`{}` ({})", feature.name, feature.label)).collect();
            format!("Declared in the study, none chosen by its relation to the outcome: {}.", names.join("; "))
        }
        "10" => format!("{} rows with {} events to learn from; no sample size was worked out beforehand.", trained.learnt.rows, trained.learnt.events),
        "20b" => "How the score and each input that moves it were spread: `reference.csv`. How many were in each group, of people held out, stands under 3c.".to_owned(),
        "20c" => "Not done at training. A run holds its people against `reference.csv`, and says of each input how far it has moved.".to_owned(),
        "20a" => {
            let lines: Vec<String> = trained.evaluation.dates.iter().map(|at| format!(
                "{}: {} on the spine; {} not meant, {} opted out since, {} merged, {} left, {} died and were left out, {} on lists that were acted on, {} with an unknown outcome, {} with a known one, {} events",
                at.as_of, at.on_spine, at.not_meant, at.opted_out, at.merged, at.left, at.died, at.acted_on, at.censored, at.rows, at.events
            )).collect();
            format!("{}.", lines.join(". "))
        }
        _ => return None,
    })
}

fn about_model(item: &str, pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> Option<String> {
    let split = &plan.decl.split;
    Some(match item {
        "3c" | "14" | "23b" => groups(trained),
        "11" => "Linear models: a missing number is replaced by a declared value or the mean of those learnt from, and an indicator says that it was missing. Texts that are missing have an indicator of their own.".to_owned(),
        "12a" | "16" => format!(
            "By a keyed hash of the person, {} % of people were held out{}; they were scored once, by the finished model.",
            (1000.0 * split.hold_out).round() / 10.0,
            split.from.map(|from| format!(", and as-of dates from {from} on")).unwrap_or_default()
        ),
        "12b" | "12c" => trained.declared.notes.join(" "),
        "12d" => "Not done: no term for practices or places.".to_owned(),
        "12e" => "AUROC (DeLong), average precision, Brier score, log loss, observed over expected, calibration intercept, slope and curve, integrated calibration index, net benefit, and sensitivity and predictive value at the top of the ranking; 95 % intervals in closed form, or by a bootstrap of people.".to_owned(),
        "12f" | "24" if trained.declared.kind == ModelKind::Stack => "The intercept and the weights of the stack: fitted to predictions of people whom its bases had not seen.".to_owned(),
        "12f" | "24" => "None at training; a calibration step stands in `model.toml` if there is one.".to_owned(),
        "12g" | "15" => format!("A probability: the logistic function of the intercept and {}, with the calibration steps of `model.toml`.", adds(trained.declared.kind)),
        "13" => "Nothing was done about it: rows count by their weight, so that risks stay risks.".to_owned(),
        "18f" => "riskstrat is open source (MIT or Apache-2.0).".to_owned(),
        "21" => {
            let tried: Vec<String> = trained.tried.iter().map(|tried| format!("{}: {:.5}", tried.settings, tried.log_loss)).collect();
            format!(
                "{} rows, {} events. Mean log loss in cross-validation: {}.",
                trained.learnt.rows, trained.learnt.events, tried.join("; ")
            )
        }
        "22" => {
            let tables: Vec<String> = trained.declared.tables().map(|(file, _)| format!("`{file}`")).collect();
            format!("{}, bound to features by name; `model.lock` holds the hash of every file.", tables.join(" and "))
        }
        "23a" => performance(trained),
        "27a" => "As under 11 where a value is missing. A run stops where a declared column is absent, too many rows are bad, or people are not those of `reference.csv` any more.".to_owned(),
        "26" => format!(
            "Judged only on {}: for any other population it is refused until it is evaluated there. A score that is acted on changes what it predicts.",
            population(pipeline)
        ),
        _ => return None,
    })
}

/// What a kind of model adds to its intercept.
fn adds(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Points => "the points",
        ModelKind::Logistic => "the terms in the table, each times its coefficient",
        ModelKind::Trees => "one leaf of each tree in the table",
        ModelKind::Stack => "the log-odds of each base, times its weight",
    }
}

/// Of people held out.
fn performance(trained: &Trained) -> String {
    let Some(judged) = trained.evaluation.models.first() else { return NOT_SAID.to_owned() };
    let all = &judged.everyone;
    let mut said = vec![("AUROC", all.auroc), ("average precision", all.average_precision)];
    if let Some(of) = &all.probability {
        said.extend([
            ("Brier score", of.brier),
            ("scaled Brier score", of.scaled_brier),
            ("log loss", of.log_loss),
            ("observed over expected", of.observed_expected),
            ("calibration slope", of.slope),
            ("calibration intercept", of.intercept),
            ("integrated calibration index", of.ici),
        ]);
    }
    let figures: Vec<String> = said.into_iter().map(|(name, estimate)| format!("{name} {}", shown(estimate))).collect();
    let findings: Vec<String> = judged.findings.iter().map(ToString::to_string).collect();
    let findings = match findings.is_empty() {
        true => "Nothing is beyond the limits.".to_owned(),
        false => format!("Beyond the limits: {}.", findings.join("; ")),
    };
    format!(
        "On {} rows held out ({} events), with 95 % intervals: {}. {findings} More is in `evaluation.json`.",
        all.rows,
        all.events,
        figures.join(", ")
    )
}

fn shown(estimate: Option<Estimate>) -> String {
    estimate.map_or("unknown".to_owned(), |estimate| estimate.to_string())
}

/// What was done about people whose care an earlier score changed.
fn acted_on(trained: &Trained) -> String {
    let count = |of: fn(&DateAccount) -> u64| trained.evaluation.dates.iter().map(of).sum::<u64>();
    format!(
        "Of {} rows the person was on a list that was acted on, without an event before it: what would have followed otherwise is not known, and nothing is learnt from them. People who were left alone by lot count once for each that they stand for. {} of those rows had their place by rank: nobody like them was left alone, and of them the model says what it learnt from others.",
        count(|date| date.acted_on),
        count(|date| date.by_rank)
    )
}

/// Whom the study means.
fn meant(plan: &StudyPlan) -> String {
    let everyone = "everyone registered, alive and not opted out at the as-of date";
    let of_whom = plan.decl.filter.as_ref().map(|sql| format!(", of whom this holds: `{sql}`"));
    format!("The study means {everyone}{}.", of_whom.unwrap_or_default())
}

fn abstract_of(pipeline: &Pipeline, plan: &StudyPlan, trained: &Trained) -> String {
    let auroc = trained.evaluation.models.first().and_then(|judged| judged.everyone.auroc);
    let slope = trained.evaluation.models.first().and_then(|judged| judged.everyone.probability.as_ref()?.slope);
    format!(
        "A model of the risk of: {} (within {}), of people of {}. It learnt from {} rows with {} events. On people held out its AUROC was {} and its calibration slope {}.",
        plan.decl.outcome.label,
        plan.decl.outcome.within,
        population(pipeline),
        trained.learnt.rows,
        trained.learnt.events,
        shown(auroc),
        shown(slope)
    )
}

/// Which kinds of care recorded what the model was made from.
fn settings(pipeline: &Pipeline) -> String {
    let settings: BTreeSet<&str> =
        pipeline.sources.iter().filter_map(|source| source.decl.setting).map(Setting::words).collect();
    match settings.is_empty() {
        true => NOT_SAID.to_owned(),
        false => format!("Records of {}.", settings.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn deaths(deaths: Deaths) -> &'static str {
    match deaths {
        Deaths::InOutcome => "A death in that time counts as the outcome.",
        Deaths::Censored => {
            "Of people who died in that time without an event the outcome is not known: they were counted, not learnt from, and not weighted for."
        }
        Deaths::Excluded => "People who died in that time were left out.",
        Deaths::NoEvent => "A death in that time without an event before it counts as no event.",
    }
}

/// A table, a row a group.
fn groups(trained: &Trained) -> String {
    let groups = trained.evaluation.models.iter().flat_map(|judged| &judged.groups).filter(|group| group.rows > 0);
    let lines: Vec<String> = groups
        .map(|group| {
            let of = format!("| {} | {} | {} |", group.split, group.group, group.rows);
            let Some(measures) = &group.measures else { return format!("{of} too few to say | | |") };
            let probability = measures.probability.as_ref();
            let expected = shown(probability.and_then(|of| of.observed_expected));
            let slope = shown(probability.and_then(|of| of.slope));
            format!("{of} {expected} | {slope} | {} |", shown(measures.auroc))
        })
        .collect();
    match lines.is_empty() {
        true => "Not done: the study names no groups.".to_owned(),
        false => format!(
            "On people held out, by group, with 95 % intervals.\n\n| by | group | rows | observed over expected | slope | AUROC |\n| --- | --- | --- | --- | --- | --- |\n{}",
            lines.join("\n")
        ),
    }
}
