//! What the page says that is no count: names, dates, rules, warnings.
//!
//! No field holds a number of people or of rows: those come in aggregate tables, after disclosure control.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::civil::Date;

use super::words;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::{ModelKind, Setting};
use crate::receipt::{Receipt, SourceAccount};

/// Names, dates, rules and warnings of a run or of an evaluation.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(super) title: String,
    pub(super) as_of: Date,
    /// How a run is named; none for an evaluation.
    pub(super) run: Option<String>,
    pub(super) riskstrat: String,
    /// What a hidden number is, for example "fewer than 8".
    pub(super) hidden: String,
    pub(super) sources: Vec<SourceFact>,
    pub(super) cohorts: Vec<CohortFact>,
    pub(super) models: Vec<ModelFact>,
    pub(super) measures: Vec<MeasureFact>,
    pub(super) warnings: Vec<String>,
    items: BTreeMap<String, String>,
    features: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct SourceFact {
    pub name: String,
    pub title: String,
    pub setting: &'static str,
    pub one_row_is: String,
    /// The latest date before the as-of date.
    pub data_up_to: Option<String>,
    /// How old it may be.
    pub max_age: Option<String>,
}

/// What a measure counts, as it is declared, and what it does not say.
#[derive(Debug, Clone)]
pub(super) struct MeasureFact {
    pub name: String,
    pub title: String,
    pub version: String,
    pub says: String,
    pub caveats: Vec<String>,
    /// What its outcomes and events are called.
    labels: BTreeMap<String, String>,
}

impl MeasureFact {
    /// An outcome or event in plain words.
    pub fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_else(|| words::spaced(name))
    }
}

#[derive(Debug, Clone)]
pub(super) struct CohortFact {
    pub name: String,
    pub title: String,
    pub purpose: String,
}

#[derive(Debug, Clone)]
pub(super) struct ModelFact {
    pub name: String,
    pub title: String,
    pub predicts: String,
    pub population: String,
    pub citation: String,
    pub signed_off: String,
    pub kind: &'static str,
}

impl Facts {
    /// Of a run.
    pub fn of(pipeline: &Pipeline, receipt: &Receipt) -> Self {
        let mut facts = Self::of_models(pipeline, &receipt.title);
        facts.run = Some(receipt.run_id.clone());
        facts.warnings.extend(warnings(pipeline, receipt));
        for (source, account) in pipeline.sources.iter().zip(&receipt.sources) {
            facts.sources.push(SourceFact {
                name: source.name.clone(),
                title: source.decl.title.clone(),
                setting: source.decl.setting.map_or("", setting),
                one_row_is: source.decl.one_row_is.clone(),
                data_up_to: account.data_up_to.clone(),
                max_age: source.decl.max_age.clone(),
            });
        }
        facts
    }

    /// Of an evaluation, which is about models alone.
    pub fn of_models(pipeline: &Pipeline, title: &str) -> Self {
        let cohorts = pipeline.cohorts.iter().map(|cohort| CohortFact {
            name: cohort.name.clone(),
            title: cohort.decl.title.clone(),
            purpose: cohort.decl.purpose.clone(),
        });
        let models = pipeline.models.iter().map(|model| ModelFact {
            name: model.name.clone(),
            title: model.decl.title.clone(),
            predicts: model.decl.predicts.clone(),
            population: model.decl.population.clone(),
            citation: model.decl.citation.clone(),
            signed_off: format!("{}, {}", model.decl.signed_off.by, model.decl.signed_off.on),
            kind: match model.decl.kind {
                ModelKind::Points => "points",
                ModelKind::Logistic => "logistic regression",
                ModelKind::Trees => "boosted trees",
                ModelKind::Stack => "a stack of models",
            },
        });
        Self {
            title: title.to_owned(),
            as_of: pipeline.as_of,
            run: None,
            riskstrat: env!("CARGO_PKG_VERSION").to_owned(),
            hidden: pipeline.disclosure.hidden(),
            sources: Vec::new(),
            cohorts: cohorts.collect(),
            models: models.collect(),
            measures: measures(pipeline),
            warnings: pipeline.warnings.clone(),
            items: pipeline.items.iter().map(|item| (item.name.clone(), item.decl.label.clone())).collect(),
            features: pipeline.features.iter().map(|made| (made.name.clone(), made.label.clone())).collect(),
        }
    }

    pub(super) fn item(&self, name: &str) -> String {
        self.items.get(name).cloned().unwrap_or_else(|| words::spaced(name))
    }

    pub(super) fn source(&self, name: &str) -> String {
        let known = self.sources.iter().find(|source| source.name == name);
        known.map_or_else(|| words::spaced(name), |source| source.title.clone())
    }

    pub(super) fn cohort(&self, name: &str) -> String {
        let known = self.cohorts.iter().find(|cohort| cohort.name == name);
        known.map_or_else(|| words::spaced(name), |cohort| cohort.title.clone())
    }

    pub(super) fn model(&self, name: &str) -> String {
        let known = self.models.iter().find(|model| model.name == name);
        known.map_or_else(|| words::spaced(name), |model| model.title.clone())
    }

    pub(super) fn measure(&self, name: &str) -> Option<&MeasureFact> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// What people are split by: a feature or an item.
    pub(super) fn split(&self, name: &str) -> String {
        let label = self.features.get(name).or_else(|| self.items.get(name));
        label.cloned().unwrap_or_else(|| words::spaced(name))
    }
}

fn measures(pipeline: &Pipeline) -> Vec<MeasureFact> {
    let measures = &pipeline.measures;
    let no_rows = IndexMap::new();
    let webs = measures.webs.iter().map(|made| (&made.name, &made.decl.definition, &no_rows));
    let diversions = measures.diversions.iter().map(|made| (&made.name, &made.decl.definition, &no_rows));
    let impacts = measures.impacts.iter().map(|made| (&made.name, &made.decl.definition, &made.decl.outcomes));
    let demands = measures.demands.iter().map(|made| (&made.name, &made.decl.definition, &made.decl.events));
    let all = webs.chain(diversions).chain(impacts).chain(demands);
    all.map(|(name, definition, rows)| MeasureFact {
        name: name.clone(),
        title: definition.title.clone(),
        version: definition.version.clone(),
        says: definition.says.clone(),
        caveats: definition.caveats.clone(),
        labels: rows.iter().map(|(name, rows)| (name.clone(), rows.label.clone())).collect(),
    })
    .collect()
}

fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Primary => "primary care",
        Setting::Acute => "hospital",
        Setting::Urgent => "urgent care",
        Setting::Community => "community care",
        Setting::MentalHealth => "mental health care",
        Setting::Social => "social care",
        Setting::Hub => "coordination hub",
    }
}

/// What a reader should know of the deliveries and of who answered for the run; the receipt has the exact numbers.
fn warnings(pipeline: &Pipeline, receipt: &Receipt) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(opt_outs) = &pipeline.decl.opt_outs {
        warnings.push(format!("No source tells who opted out: {}", opt_outs.none_because));
    }
    if let Some(name) = &receipt.basis.approved_by {
        warnings.push(format!("Lists differ more from the run before than the limits allow; {name} approved them"));
    }
    if receipt.basis.allow_older {
        warnings.push("A delivery older than the one used before was let pass".to_owned());
    }
    for (source, account) in pipeline.sources.iter().zip(&receipt.sources) {
        warnings.extend(of_source(&source.decl.title, account));
    }
    warnings
}

fn of_source<'a>(title: &'a str, account: &'a SourceAccount) -> impl Iterator<Item = String> + 'a {
    let unmet = account.code_lists.iter().filter(|list| list.on_list == 0);
    let unmet = unmet.map(move |list| {
        format!("{title}: no row has a code of the list {} in the column {}", list.codelist, list.column)
    });
    let absent = account.providers.iter().filter(|provider| provider.rows == 0);
    let absent =
        absent.map(move |gone| format!("{title}: nothing came from {}, which sent rows before", gone.provider));
    unmet.chain(absent)
}
