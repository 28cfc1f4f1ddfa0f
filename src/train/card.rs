//! The card of a trained model, item by item of TRIPOD+AI (Collins 2024): what is known is said, and so is what was not done.

use super::Trained;
use super::folder::population;
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::pipeline::study::{Deaths, StudyPlan};
use crate::pipeline::table::Table;

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
        text.push_str(&format!("**{}**\n\n", super::COST_LABEL));
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
    for row in &items.rows {
        let star = if row.get("confirmed") == "yes" { "" } else { "*" };
        let item = row.get("item");
        let said = said(item, pipeline, plan, trained).unwrap_or_else(|| NOT_SAID.to_owned());
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
        "3b" => format!("{}. {}", population(pipeline), decl.filter.as_ref().map_or_else(
            || "Everyone registered, alive and not opted out at the as-of date.".to_owned(),
            |sql| format!("Of everyone registered, alive and not opted out at the as-of date, those of whom this holds: `{sql}`."),
        )),
        "4" => format!("To estimate the risk of: {} (within {}).", outcome.label, outcome.within),
        "5a" => {
            let sources: Vec<&str> = pipeline.sources.iter().map(|source| source.decl.title.as_str()).collect();
            format!("{}.", sources.join("; "))
        }
        "5b" => format!("As-of dates {}; each followed up for {}.", dates.join(", "), outcome.within),
        "6c" => "Not done: what care people had in the follow-up, and whether a score had changed it, is not taken into account unless said under 7.".to_owned(),
        "7" => "Conformed, linked and counted as in a run as of that date: nothing dated or recorded on or after it is in an input. Whether people had been on released lists was not taken into account.".to_owned(),
        "8a" => format!("{} in the {} from the as-of date on. {}", outcome.label, outcome.within, deaths(decl.deaths)),
        "8b" | "8c" => "Taken from routine records, which were written without knowledge of the score.".to_owned(),
        "9a" | "9b" => {
            let names: Vec<String> = plan.inputs.iter().filter_map(|at| pipeline.features.get(*at)).map(|feature| format!("`{}` ({})", feature.name, feature.label)).collect();
            format!("Declared in the study, none chosen by its relation to the outcome: {}.", names.join("; "))
        }
        "10" => format!("{} rows with {} events to learn from; no sample size was worked out beforehand.", trained.in_training.rows, trained.in_training.events),
        "20a" | "20b" => {
            let lines: Vec<String> = trained.account.iter().map(|at| format!(
                "{}: {} on the spine; {} not meant, {} opted out since, {} merged, {} left, {} died and were left out, {} with an unknown outcome, {} with a known one, {} events",
                at.as_of, at.on_spine, at.not_meant, at.opted_out, at.merged, at.left, at.died, at.censored, at.rows, at.events
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
            "By a keyed hash of the person, {} of people were held out{}; they were scored once, by the finished model.",
            split.hold_out,
            split.from.map(|from| format!(", and as-of dates from {from} on")).unwrap_or_default()
        ),
        "12b" | "12c" => trained.declared.notes.join(" "),
        "12d" => "Not done: no term for practices or places.".to_owned(),
        "12e" => "AUROC, Brier score, log loss, observed over expected, calibration intercept and slope.".to_owned(),
        "12f" | "24" => "None at training; a calibration step stands in `model.toml` if there is one.".to_owned(),
        "12g" | "15" => "A probability: the logistic function of the intercept and the terms in the table, with the calibration steps of `model.toml`.".to_owned(),
        "13" => "Nothing was done about it: rows count by their weight, so that risks stay risks.".to_owned(),
        "18f" => "riskstrat is open source (MIT or Apache-2.0).".to_owned(),
        "21" => format!("{} rows, {} events; {} settings tried in cross-validation.", trained.in_training.rows, trained.in_training.events, trained.tried.len()),
        "22" => format!("`{}`, bound to features by name; `model.lock` holds its hash.", trained.declared.table.0),
        "23a" => {
            let held = &trained.held_out;
            format!(
                "On {} rows held out ({} events): AUROC {}, Brier {:.4}, log loss {:.4}, observed over expected {:.3}, calibration slope {}, intercept {}. No intervals here: `riskstrat evaluate` gives them.",
                held.rows, held.events, shown(held.auroc), held.brier, held.log_loss, held.observed_over_expected,
                shown(held.calibration_slope), shown(held.calibration_intercept)
            )
        }
        "26" => format!(
            "Judged only on {}: for any other population it is refused until it is evaluated there. A score that is acted on changes what it predicts.",
            population(pipeline)
        ),
        _ => return None,
    })
}

fn shown(value: Option<f64>) -> String {
    value.map_or("unknown".to_owned(), |value| format!("{value:.3}"))
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

fn groups(trained: &Trained) -> String {
    let lines: Vec<String> = trained
        .groups
        .iter()
        .map(|group| {
            let judged = &group.judged;
            format!(
                "{} {}: {} rows, observed over expected {:.2}, slope {}, AUROC {}",
                group.feature,
                group.value,
                judged.rows,
                judged.observed_over_expected,
                shown(judged.calibration_slope),
                shown(judged.auroc)
            )
        })
        .collect();
    match lines.is_empty() {
        true => "Not done: the study names no groups.".to_owned(),
        false => format!("Held out, by group of {} rows or more. {}.", super::LEAST_GROUP, lines.join("; ")),
    }
}
