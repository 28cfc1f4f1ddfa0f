//! Names, types and files checked against each other, across all files, before any record is read.
//!
//! Every check puts its problems down and goes on; what a broken file would have declared is not missed a second time.

mod audit;
mod bounds;
mod calibration;
mod capacity;
mod cohort;
mod column;
mod demand;
mod desk;
mod diversions;
mod evaluate;
mod events;
mod exclusion;
mod feature;
mod figures;
mod gaps;
mod impact;
mod learner;
mod limits;
mod lists;
mod measures;
mod model;
mod outreach;
mod reference;
mod run;
mod scoring;
mod sheet;
mod source;
mod stack;
mod study;
mod text;
mod trained;
mod trees;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use arrow::datatypes::{DataType, Field, Schema};
use indexmap::IndexMap;
use jiff::civil::Date;

use super::decl::LimitsDecl;
use super::decl::measures::MeasuresDecl;
use super::decl::{AuditDecl, CohortDecl, FeaturesDecl, ModelDecl, PublishDecl, RecipientRoleDecl, Role, RunDecl};
use super::decl::{SignOff, SourceDecl};
use super::document::Document;
use super::measures::Measures;
use super::parse::LoadOptions;
use super::problem::Problem;
use super::schema::Kind;
use super::study::StudyPlan;
use super::{Audit, Cohort, Feature, Item, Model, Outreach, Pipeline, Source};
use crate::calendar::Window;
use crate::error::Result;
use crate::expr::{self, Compiled};
use crate::history;
use desk::{Desk, Set};
use exclusion::CoolOff;
use lists::Lists;
use study::Written;
pub(super) use study::study;
pub use trained::TOO_GOOD;

/// What has been checked so far.
struct Checker {
    desk: Desk,
    lists: Lists,
    as_of: Date,
    sources: Vec<Source>,
    items: Vec<Item>,
    features: Vec<Feature>,
    models: Vec<Model>,
    audits: Vec<Audit>,
    measures: Measures,
    /// A whole file of measures is unreadable.
    measures_unknown: bool,
    cohorts: Vec<Cohort>,
    /// Who reads lists; none where the run file is broken.
    roles: Option<IndexMap<String, RecipientRoleDecl>>,
    outreach: Outreach,
    /// Of the run, for cohorts without their own.
    runs_cool_off: CoolOff,
    /// Earlier runs are an input.
    remembers: bool,
    warnings: Vec<String>,
    /// Sources, features and models that could not be made: their absence is no further problem.
    broken: BTreeSet<String>,
    /// Every name of every feature file, made or not.
    declared: BTreeSet<String>,
    /// A whole feature or model file is unreadable: any name might have been in it.
    features_unknown: bool,
    /// Whose people they are, as the run says.
    population: Option<String>,
    /// For a study: a model is there to be judged, so that it need not have been judged before.
    judging: bool,
    /// Models that somebody answers for where they are beyond the limits.
    accepted: Vec<String>,
}

/// Reads and checks all that the run file names.
pub(super) fn pipeline(run_file: &Path, options: &LoadOptions) -> Result<Result<Pipeline, Vec<Problem>>> {
    let (desk, run_name) = Desk::open(run_file)?;
    Ok(checked(desk, &run_name, options, None).map(|(pipeline, _)| pipeline))
}

/// What a run names, file by file.
struct Files {
    sources: Set<SourceDecl>,
    features: Set<FeaturesDecl>,
    models: Set<ModelDecl>,
    audits: Set<AuditDecl>,
    measures: Set<MeasuresDecl>,
    cohorts: Set<CohortDecl>,
}

impl Files {
    /// A study has models of its own, and no cohorts.
    fn load(desk: &mut Desk, run: &Document, study: Option<&Written>) -> Self {
        Self {
            sources: desk.load_all(run, "sources", Kind::Source),
            features: desk.load_all(run, "features", Kind::Features),
            models: match study {
                None => desk.load_all(run, "models", Kind::Model),
                Some(study) => desk.load_models(&study.models),
            },
            audits: desk.load_all(run, "audits", Kind::Audit),
            measures: desk.load_all(run, "measures", Kind::Measures),
            cohorts: match study {
                None => desk.load_all(run, "cohorts", Kind::Cohort),
                Some(_) => Set { good: Vec::new(), broken: Vec::new() },
            },
        }
    }
}

/// The date of the command line, of a study or of the run file.
fn as_of(desk: &mut Desk, run_name: &str, decl: Option<&RunDecl>, given: Option<Date>) -> Date {
    let as_of = given.or(decl.and_then(|decl| decl.as_of));
    if decl.is_some() && as_of.is_none() {
        let problem = Problem::new(run_name, "as_of is missing");
        desk.report(problem.help("give --as-of 2026-04-01, or write as_of = 2026-04-01"));
    }
    as_of.unwrap_or(Date::ZERO)
}

/// A run alone, or a study with it: a study reads no cohort, and only the models that it is to judge.
fn checked(
    mut desk: Desk,
    run_name: &str,
    options: &LoadOptions,
    study: Option<&Written>,
) -> Result<(Pipeline, Option<StudyPlan>), Vec<Problem>> {
    let Some((run, decl)) = desk.document::<RunDecl>(run_name, Kind::Run) else {
        return Err(desk.finish().0);
    };
    let Files { sources, features, models, audits, measures, cohorts } = Files::load(&mut desk, &run, study);
    let given = options.as_of.or_else(|| study.and_then(Written::last_as_of));
    let as_of = as_of(&mut desk, run_name, decl.as_ref(), given);
    let mut broken: BTreeSet<String> = sources.broken.iter().chain(&models.broken).cloned().collect();
    broken.extend(models.broken.iter().map(|model| format!("{model}_band")));
    let mut checker = Checker {
        desk,
        lists: Lists::default(),
        as_of,
        sources: Vec::new(),
        items: Vec::new(),
        features: Vec::new(),
        models: Vec::new(),
        audits: Vec::new(),
        measures: Measures::default(),
        measures_unknown: decl.is_none() || !measures.broken.is_empty(),
        cohorts: Vec::new(),
        roles: decl.as_ref().map(|decl| decl.roles.clone()),
        outreach: Outreach::default(),
        runs_cool_off: CoolOff::default(),
        remembers: decl.as_ref().is_some_and(|decl| decl.outreach.remember),
        warnings: Vec::new(),
        broken,
        declared: features.good.iter().flat_map(|file| file.decl.keys().cloned()).collect(),
        features_unknown: decl.is_none() || !features.broken.is_empty(),
        population: decl.as_ref().and_then(|decl| decl.population.clone()),
        judging: study.is_some(),
        accepted: decl.as_ref().and_then(|decl| decl.limits.as_ref()).map(LimitsDecl::accepted).unwrap_or_default(),
    };
    let items_unknown = decl.is_none() || !audits.broken.is_empty();
    checker.sources(&sources.good);
    sources.good.iter().for_each(|source| checker.arrival(source));
    checker.items(&audits.good);
    checker.demographics(&sources.good, items_unknown);
    measures.good.iter().for_each(|file| checker.webs(file));
    features.good.iter().for_each(|file| checker.feature_file(file));
    measures.good.iter().for_each(|file| checker.after_features(file));
    if let Some(decl) = &decl {
        checker.never_as_reason(&run, &decl.never_as_reason);
    }
    models.good.iter().for_each(|model| checker.model(model));
    if let Some(decl) = &decl {
        // A study names models of its own.
        checker.roles(&run, decl, models.broken.is_empty() && study.is_none());
    }
    audits.good.iter().for_each(|audit| checker.audit(audit));
    if let Some(cool_off) = decl.as_ref().and_then(|decl| decl.outreach.cool_off.as_ref()) {
        checker.runs_cool_off = checker.cool_off(&run, &["outreach", "cool_off"], cool_off);
    }
    cohorts.good.iter().for_each(|cohort| checker.cohort(cohort));
    audits.good.iter().for_each(|audit| checker.figures(audit, cohorts.broken.is_empty()));
    measures.good.iter().for_each(|file| checker.after_cohorts(file, cohorts.broken.is_empty()));
    if let Some(decl) = &decl {
        checker.outreach = checker.outreach(&run, decl);
        checker.run(&run, decl, sources.broken.is_empty());
        if !decl.cohorts.is_empty() {
            checker.opt_out_ages(&sources.good);
        }
    }
    let plan = study.and_then(|study| checker.study(study));
    Ok((checker.finish(decl, run_name.trim_end_matches(".toml"), options)?, plan))
}

impl Checker {
    /// A window that limits age: any but "ever".
    fn age_limit(&mut self, document: &Document, path: &[&str], text: &str) {
        match Window::parse(text) {
            Ok(Window::Ever) => {
                self.desk.report(document.at_value(path, "\"ever\" is no limit: write a window, such as \"10 years\""))
            }
            Ok(_) => {}
            Err(message) => self.desk.report(document.at_value(path, message)),
        }
    }

    fn signed_off(&mut self, document: &Document, what: &str, signed_off: &SignOff) {
        if signed_off.by.trim().is_empty() {
            self.desk.report(document.at_value(&["signed_off", "by"], "nobody has signed this off"));
        }
        if signed_off.review_by < signed_off.on {
            self.desk.report(document.at_value(&["signed_off", "review_by"], "the review is due before the sign-off"));
        }
        if signed_off.review_by < self.as_of {
            self.warnings.push(format!("{what}: its review was due by {}", signed_off.review_by));
        }
    }

    /// A source by name, with one of these roles.
    fn source_named(&mut self, document: &Document, path: &[&str], name: &str, roles: &[Role]) -> Option<usize> {
        let Some(at) = self.sources.iter().position(|source| source.name == name) else {
            if !self.broken.contains(name) {
                let names = self.sources.iter().map(|source| source.name.as_str());
                let problem = document.at_value(path, format!("the run has no source `{name}`"));
                self.desk.report(problem.did_you_mean(name, names));
            }
            return None;
        };
        let role = self.sources.get(at).map(|source| source.decl.role)?;
        if !roles.contains(&role) {
            let wanted: Vec<String> = roles.iter().map(text::role).collect();
            let message = format!("`{name}` has the role {}; this needs {}", text::role(&role), wanted.join(" or "));
            self.desk.report(document.at_value(path, message));
            return None;
        }
        Some(at)
    }

    /// A column of a source by name.
    fn column_named(&mut self, document: &Document, path: &[&str], source: usize, name: &str) -> Option<usize> {
        let source = self.sources.get(source)?;
        let found = source.column(name);
        if found.is_none() {
            let problem = document.at_value(path, format!("`{}` has no column `{name}`", source.name));
            self.desk.report(problem.did_you_mean(name, source.columns.iter().map(|column| column.name.as_str())));
        }
        found
    }

    fn feature_fields(&self) -> Vec<Field> {
        let shown = self.features.iter().filter(|feature| feature.shown);
        shown.map(|feature| Field::new(&feature.name, feature.data_type.clone(), true)).collect()
    }

    /// Features, and once there are models, scores and bands.
    fn schema(&self) -> Schema {
        let mut fields = self.feature_fields();
        for model in &self.models {
            fields.push(Field::new(&model.name, DataType::Float64, true));
            if !model.decl.bands.is_empty() {
                fields.push(Field::new(format!("{}_band", model.name), DataType::Utf8, true));
            }
            if self.remembers {
                fields.push(Field::new(history::change_of(&model.name), DataType::Float64, true));
            }
        }
        Schema::new(fields)
    }

    /// SQL over features and scores; a name that a broken file may have declared is let pass.
    fn compiled(&mut self, document: &Document, path: &[&str], sql: &str, schema: &Schema) -> Option<Compiled> {
        let mut problem = match expr::compile(sql, schema) {
            Ok(compiled) => return Some(compiled),
            Err(problem) => problem,
        };
        if let Some(name) = problem.unknown.clone() {
            if self.may_be_broken(&name) {
                return None;
            }
            problem.message = format!("there is no feature or score `{name}`");
            if self.declared.iter().any(|start| is_of_family(&name, start)) && self.models.is_empty() {
                problem.message = format!("`{name}` is declared further down");
                problem.help = Some("what is derived stands behind what it reads".to_owned());
            }
        }
        self.desk.report_sql(document, path, problem);
        None
    }

    /// A predicate over features and scores.
    fn predicate(&mut self, document: &Document, path: &[&str], sql: &str, schema: &Schema) -> Option<Compiled> {
        let compiled = self.compiled(document, path, sql, schema)?;
        self.boolean(document, path, compiled)
    }

    /// A predicate over the columns of a source.
    fn filter(&mut self, document: &Document, path: &[&str], sql: &str, schema: &Schema) -> Option<Compiled> {
        match expr::compile(sql, schema) {
            Ok(compiled) => self.boolean(document, path, compiled),
            Err(problem) => {
                self.desk.report_sql(document, path, problem);
                None
            }
        }
    }

    fn boolean(&mut self, document: &Document, path: &[&str], compiled: Compiled) -> Option<Compiled> {
        if compiled.data_type == DataType::Boolean {
            return Some(compiled);
        }
        let message = format!("a predicate is true or false; this is {}", text::type_name(&compiled.data_type));
        self.desk.report(document.at_value(path, message));
        None
    }

    /// Whether a name may be missing only because its own declaration is broken.
    fn may_be_broken(&self, name: &str) -> bool {
        self.features_unknown || self.broken.iter().any(|start| is_of_family(name, start))
    }

    fn finish(self, decl: Option<RunDecl>, name: &str, options: &LoadOptions) -> Result<Pipeline, Vec<Problem>> {
        let clean = self.desk.is_clean();
        let folder = self.desk.folder().to_owned();
        let (problems, files) = self.desk.finish();
        let Some(decl) = decl.filter(|_| clean) else { return Err(problems) };
        let deliveries = options.deliveries.clone().unwrap_or_else(|| folder.join(&decl.deliveries));
        let PublishDecl { formats, disclosure, .. } = decl.publish.clone();
        let (codelists, value_sets) = self.lists.finish();
        Ok(Pipeline {
            name: name.to_owned(),
            decl,
            as_of: self.as_of,
            deliveries,
            sources: self.sources,
            items: self.items,
            features: self.features,
            models: self.models,
            audits: self.audits,
            measures: self.measures,
            cohorts: self.cohorts,
            outreach: self.outreach,
            codelists,
            value_sets,
            files,
            formats,
            disclosure,
            warnings: self.warnings,
        })
    }
}

/// Whether a name is this one, or one of its windows and categories.
fn is_of_family(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// `[a-z][a-z0-9_]*`: what can be written in SQL without quotes.
fn is_name(name: &str) -> bool {
    name.len() <= 120
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && expr::is_plain_name(name)
}
