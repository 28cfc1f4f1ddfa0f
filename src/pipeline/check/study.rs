//! A study: its outcome, its inputs, its split, checked against the run that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::super::decl::EventsVerb;
use super::super::document::Document;
use super::super::parse::LoadOptions;
use super::super::problem::Problem;
use super::super::schema::Kind;
use super::super::study::{ActedOn, ActedOnDecl, Outcome, OutcomeDecl, StudyDecl, StudyPlan};
use super::super::{Feature, Pipeline, Source, What};
use super::Checker;
use super::desk::Desk;
use super::events::{Made, source_schema};
use crate::calendar::Window;
use crate::error::Result;
use crate::expr;

/// The name of the outcome among features.
pub const OUTCOME: &str = "outcome";

/// Words of a unit that say "this is money".
const MONEY: [&str; 17] = [
    "£", "$", "€", "gbp", "usd", "eur", "pound", "pounds", "sterling", "pence", "dollar", "dollars", "euro", "euros",
    "cost", "price", "tariff",
];

/// Reads and checks a study and the run that it names; problems name files as seen from the study's folder.
pub(in super::super) fn study(
    study_file: &Path,
    options: &LoadOptions,
    models: &[String],
) -> Result<Result<(Pipeline, StudyPlan), Vec<Problem>>> {
    let (mut desk, file) = Desk::open(study_file)?;
    let (mut document, decl) = match desk.document::<StudyDecl>(&file, Kind::Study) {
        Some((document, Some(decl))) => (document, decl),
        _ => return Ok(Err(desk.finish().0)),
    };
    let run_file = desk.folder().join(&decl.run);
    if !run_file.is_file() {
        desk.report(document.at_value(&["run"], "there is no such file").help("the run file, as seen from this file"));
        return Ok(Err(desk.finish().0));
    }
    let sha256 = desk.sha256(&file).unwrap_or_default().to_owned();
    let name = file.trim_end_matches(".toml").to_owned();
    // Among the run's files none has a path from the root.
    document.file = desk.folder().join(&file).display().to_string();
    let mine = document.file.clone();
    let folder = Path::new(&decl.run).parent().unwrap_or(Path::new("")).to_owned();
    let written = Written { name, document, decl, sha256, folder: desk.folder().to_owned(), models: models.to_vec() };
    let (run_desk, run_name) = Desk::open(&run_file)?;
    let checked = super::checked(run_desk, &run_name, options, Some(&written));
    let seen_from_here = |mut problem: Problem| {
        problem.file =
            if problem.file == mine { file.clone() } else { folder.join(&problem.file).display().to_string() };
        problem
    };
    Ok(match checked {
        Ok((pipeline, Some(plan))) => Ok((pipeline, plan)),
        Ok((_, None)) => Err(Vec::new()),
        Err(problems) => Err(problems.into_iter().map(seen_from_here).collect()),
    })
}

/// A study as read.
pub(super) struct Written {
    name: String,
    document: Document,
    decl: StudyDecl,
    sha256: String,
    /// Where the study stands.
    folder: PathBuf,
    /// To judge, by name.
    pub(super) models: Vec<String>,
}

impl Written {
    /// The last as-of date: what the run's own declarations are checked at.
    pub(super) fn last_as_of(&self) -> Option<Date> {
        self.decl.as_of.last().copied()
    }
}

impl Checker {
    /// Everything of the study that the run's declarations must bear out.
    pub(super) fn study(&mut self, study: &Written) -> Option<StudyPlan> {
        let (document, decl) = (&study.document, &study.decl);
        self.signed_off(document, &format!("study {}", study.name), &decl.signed_off);
        self.dates(document, decl);
        if let Some(sql) = &decl.filter {
            let schema = self.schema();
            self.predicate(document, &["where"], sql, &schema);
        }
        let outcome = self.outcome(document, decl);
        let acted_on = decl.acted_on.as_ref().map(|acted_on| self.acted_on(study, acted_on));
        let inputs = self.inputs(document, &decl.inputs);
        let groups = self.groups(document, &decl.groups);
        self.split(document, decl);
        if let Some(train) = &decl.train {
            self.learner(document, train);
        }
        let max_gap = self.gap(document, decl);
        let evaluate = self.evaluate(document, &decl.evaluate);
        Some(StudyPlan {
            name: study.name.clone(),
            decl: decl.clone(),
            sha256: study.sha256.clone(),
            outcome: outcome?,
            acted_on,
            inputs: inputs.into_iter().collect(),
            groups,
            max_gap,
            evaluate,
        })
    }

    fn dates(&mut self, document: &Document, decl: &StudyDecl) {
        if decl.as_of.is_empty() {
            self.desk.report(document.at_value(&["as_of"], "a study needs at least one as-of date"));
        }
        for (at, date) in decl.as_of.iter().enumerate() {
            if decl.as_of.iter().take(at).any(|earlier| earlier >= date) {
                let place = at.to_string();
                self.desk
                    .report(document.at_value(&["as_of", &place], "as-of dates stand from the earliest on, each once"));
            }
        }
    }

    fn acted_on(&mut self, study: &Written, decl: &ActedOnDecl) -> ActedOn {
        let document = &study.document;
        self.not_blank(document, &["acted_on", "runs"], &decl.runs);
        self.age_limit(document, &["acted_on", "lasts"], &decl.lasts);
        ActedOn { out: study.folder.join(&decl.runs), lasts: Window::parse(&decl.lasts).unwrap_or(Window::Days(0)) }
    }

    fn gap(&mut self, document: &Document, decl: &StudyDecl) -> Window {
        let text = decl.max_gap.as_deref().unwrap_or("31 days");
        self.age_limit(document, &["max_gap"], text);
        Window::parse(text).unwrap_or(Window::Days(31))
    }

    fn split(&mut self, document: &Document, decl: &StudyDecl) {
        let split = &decl.split;
        if !(0.0..1.0).contains(&split.hold_out) || (decl.train.is_some() && split.hold_out == 0.0) {
            let problem = document.at_value(&["split", "hold_out"], "a share of people above 0 and below 1");
            self.desk.report(problem.help("people held out are what a trained model is judged on"));
        }
        self.not_blank(document, &["split", "key"], &split.key);
        if let Some(from) = split.from
            && (decl.as_of.iter().all(|date| *date < from) || decl.as_of.iter().all(|date| *date >= from))
        {
            let message = "as-of dates stand on one side of this date only";
            self.desk.report(document.at_value(&["split", "from"], message));
        }
    }

    fn outcome(&mut self, document: &Document, decl: &StudyDecl) -> Option<Outcome> {
        let written = &decl.outcome;
        self.not_blank(document, &[OUTCOME, "label"], &written.label);
        let within = match Window::parse(&written.within) {
            Ok(Window::Ever) => {
                self.desk.report(document.at_value(&[OUTCOME, "within"], "a follow-up ends: \"ever\" does not"));
                None
            }
            Ok(within) => Some(within),
            Err(message) => {
                self.desk.report(document.at_value(&[OUTCOME, "within"], message));
                None
            }
        };
        let verbs = written.verbs();
        let [(verb, what, events)] = verbs.as_slice() else {
            let message = "an outcome has exactly one verb";
            let help = "one of exists, count, count_days, count_distinct, total, longest, open_at_index";
            self.desk.report(document.at_key(&[OUTCOME], message).help(help));
            return None;
        };
        if events.each.is_some() {
            self.desk.report(document.at_key(&[OUTCOME, verb, "each"], "a study has one outcome"));
        }
        let Made { events: made, data_type, .. } = self.events(document, OUTCOME, verb, *what, events)?;
        let yes_or_no = data_type == DataType::Boolean;
        if yes_or_no == written.at_least.is_some() {
            let message = if yes_or_no { "this is true or false already" } else { "say from which value on it counts" };
            self.desk.report(document.at_key(&[OUTCOME, "at_least"], message));
        }
        let source = self.sources.iter().find(|source| source.name == events.of)?;
        let cost = is_cost(written, events, source);
        if cost && !decl.i_understand_cost_label {
            let problem = document.at_key(&[OUTCOME, verb], "this outcome is a cost, and a cost is not a need");
            self.desk.report(problem.help(
                "people with less access to care cost less at equal need; if it is meant all the same, write i_understand_cost_label = true: every output will say so",
            ));
        }
        let feature = Feature {
            name: OUTCOME.to_owned(),
            label: written.label.clone(),
            heading: None,
            reason: None,
            never_as_reason: true,
            family: OUTCOME.to_owned(),
            unit: written.unit.clone(),
            verb: made,
            window: Window::Ever,
            data_type,
            shown: false,
        };
        let id = outcome_id(decl);
        Some(Outcome { feature, within: within?, at_least: written.at_least, cost, id })
    }

    fn inputs(&mut self, document: &Document, names: &[String]) -> BTreeSet<usize> {
        let mut inputs = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            let place = at.to_string();
            let here = |message: String| document.at_value(&["inputs", &place], message);
            if let Some(start) = name.strip_suffix('*') {
                let family = |feature: &Feature| feature.shown && feature.name.starts_with(start);
                let found: Vec<usize> =
                    (0..self.features.len()).filter(|at| self.features.get(*at).is_some_and(family)).collect();
                if found.is_empty() && !self.features_unknown {
                    self.desk.report(here(format!("no feature begins with `{start}`")));
                }
                inputs.extend(found);
            } else if let Some(found) = self.feature_named(here, name) {
                inputs.insert(found);
            }
        }
        inputs
    }

    fn groups(&mut self, document: &Document, names: &[String]) -> Vec<usize> {
        let mut groups = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let place = at.to_string();
            groups.extend(self.feature_named(|message| document.at_value(&["groups", &place], message), name));
        }
        groups
    }
}

impl OutcomeDecl {
    /// The verbs that are given; a good declaration has one.
    fn verbs(&self) -> Vec<(&'static str, What, &EventsVerb)> {
        let given = [
            ("exists", What::Exists, &self.exists),
            ("count", What::Count, &self.count),
            ("count_days", What::CountDays, &self.count_days),
            ("count_distinct", What::CountDistinct, &self.count_distinct),
            ("total", What::Total, &self.total),
            ("longest", What::Longest, &self.longest),
            ("open_at_index", What::OpenAtIndex, &self.open_at_index),
        ];
        given.into_iter().filter_map(|(name, what, verb)| Some((name, what, verb.as_ref()?))).collect()
    }
}

/// Whether the outcome's own unit, or that of any column it reads, is money.
fn is_cost(outcome: &OutcomeDecl, events: &EventsVerb, source: &Source) -> bool {
    let read = events.filter.as_deref().and_then(|sql| expr::compile(sql, &source_schema(source)).ok());
    let filtered = read.map(|compiled| compiled.columns).unwrap_or_default();
    let columns = source.columns.iter();
    let read = columns.filter(|column| events.column.as_ref() == Some(&column.name) || filtered.contains(&column.name));
    let units = read.filter_map(|column| column.decl.unit.as_deref());
    units.chain(outcome.unit.as_deref()).any(is_money)
}

fn is_money(unit: &str) -> bool {
    let unit = unit.to_lowercase();
    let words = unit.split(|c: char| c.is_whitespace() || c == '/' || c == '-' || c == '(' || c == ')');
    words.into_iter().any(|word| MONEY.contains(&word) || word.starts_with(['£', '$', '€']))
}

/// What is predicted, as a hash: the outcome, its window, and what a death means.
fn outcome_id(decl: &StudyDecl) -> String {
    let said = serde_json::json!({ "outcome": OutcomeDecl { label: String::new(), ..decl.outcome.clone() }, "deaths": decl.deaths });
    let digest = Sha256::digest(said.to_string().as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::is_money;

    #[test]
    fn money_is_known_by_its_unit() {
        for unit in ["GBP", "US dollars", "£", "£ thousand", "£/year", "Pounds", "national tariff", "EUR (2024)"] {
            assert!(is_money(unit), "{unit}");
        }
        for unit in ["days", "mmol/L", "points", "europium", ""] {
            assert!(!is_money(unit), "{unit}");
        }
    }
}
