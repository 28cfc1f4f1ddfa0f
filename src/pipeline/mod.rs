//! Declarations in TOML and CSV, parsed and checked before any record is read.

/// What a feature or score rests on.
mod behind;

/// What is written in the files.
pub mod decl;

/// Calibration steps of a model.
pub mod calibration;

/// How a study judges.
pub mod evaluate;

/// How far models may be from what they were.
pub mod limits;

/// What is written in a study, and what it comes to.
pub mod study;

/// The lock of a trained model's folder.
pub mod lock;

/// One thing that is wrong in a declaration, with its place.
pub mod problem;

/// The small CSV files that stand beside declarations.
pub mod table;

/// A TOML file with the place of every value.
pub mod document;

/// Places and precedence as a checked pipeline has them.
mod outreach;

/// TOML to structs, every problem at once.
pub mod parse;

/// A document against the schema of its kind.
mod validate;

/// Names, types and files checked against each other.
pub mod check;

/// JSON Schema of every kind of declaration.
pub mod schema;

/// What an audit counts, and of whom.
mod audit;

/// What care does: rows that are kept, webs, diversions, impact, demand.
pub mod measures;

/// How features become a score.
mod scoring;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::DataType;
use jiff::civil::Date;
use regex::Regex;

use crate::calendar::Window;
use crate::codelist::{CodeList, ValueSet};
use crate::drift::Reference;
pub use audit::{Audit, Compare, Counted, Figure, Pathway};
use calibration::Step;
use decl::{
    CohortDecl, ColumnDecl, DemographicDecl, DisclosureRule, ItemDecl, ListFormat, ModelDecl, Role, RunDecl, Setting,
    SourceDecl, StepDecl,
};
use limits::ModelLimitsDecl;
use measures::{Measures, WebFigure};
pub use outreach::{Capacity, Floor, Limit, Outreach, Quota, Weight};
pub use scoring::{
    Branch, FEWEST_PEOPLE, Logistic, Node, Points, PointsItem, Scoring, Split, Stack, Term, Threshold, Tree, TreeInput,
    Trees,
};

/// A checked pipeline: every name is resolved to an index, every expression has been typed.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub name: String,
    pub decl: RunDecl,
    pub as_of: Date,
    /// Folder of the deliveries, as given (not part of the run id).
    pub deliveries: PathBuf,
    pub sources: Vec<Source>,
    pub items: Vec<Item>,
    /// In declaration order: a derived feature stands behind its inputs. Hidden ones (exclusions) come last.
    pub features: Vec<Feature>,
    pub models: Vec<Model>,
    pub audits: Vec<Audit>,
    pub measures: Measures,
    pub cohorts: Vec<Cohort>,
    pub outreach: Outreach,
    pub codelists: Vec<Arc<CodeList>>,
    pub value_sets: BTreeMap<String, Arc<ValueSet>>,
    /// Every declaration file that was read: path relative to the run file's folder, and SHA-256 of its bytes.
    pub files: Vec<(String, String)>,
    pub formats: Vec<ListFormat>,
    pub disclosure: DisclosureRule,
    /// Things to know that do not stop a run (a review date that has passed, …).
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Source {
    /// File stem, for example "admissions".
    pub name: String,
    pub decl: SourceDecl,
    pub columns: Vec<Column>,
    pub demographics: Vec<Demographic>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub decl: ColumnDecl,
    /// Type after conform; a list column is `List<Utf8>`.
    pub data_type: DataType,
    /// Filled from this lookup source (index) …
    pub lookup: Option<ColumnLookup>,
}

#[derive(Debug, Clone)]
pub struct ColumnLookup {
    /// Index into [`Pipeline::sources`].
    pub source: usize,
    /// Index of our column with the key.
    pub by: usize,
    /// Index of the lookup source's column.
    pub column: usize,
}

#[derive(Debug, Clone)]
pub struct Demographic {
    /// Index into [`Pipeline::items`].
    pub item: usize,
    pub decl: DemographicDecl,
    pub values: Option<Arc<ValueSet>>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub decl: ItemDecl,
    /// What a known value matches.
    pub pattern: Option<Regex>,
    /// How long a known value counts; none for ever.
    pub expires: Option<Window>,
    /// Indices into [`Pipeline::sources`], most trusted first: the declared order, then the rest as the run names them.
    pub order: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Feature {
    /// Lower case, unique, usable in SQL without quotes.
    pub name: String,
    pub label: String,
    /// Above the feature on a list.
    pub heading: Option<String>,
    pub reason: Option<String>,
    /// Too sensitive to be said on a list, here or for the run.
    pub never_as_reason: bool,
    /// The declared name with its category: what the feature's windows share.
    pub family: String,
    pub unit: Option<String>,
    pub verb: Verb,
    pub window: Window,
    pub data_type: DataType,
    /// Published in `features.parquet`; false for what only an exclusion needs.
    pub shown: bool,
}

#[derive(Debug, Clone)]
pub enum Verb {
    /// Full years from the register's resolved `birth_date` to the as-of date, or to the day of feature `on`.
    Age { source: usize, on: Option<usize> },
    /// The resolved register row's column.
    Value { source: usize, column: usize },
    /// A demographic item, resolved across sources.
    Item { item: usize },
    /// The name of its recording state over all sources.
    ItemState { item: usize },
    /// SQL over earlier features.
    Derived { sql: String },
    /// Something about the events of a source.
    Events(Events),
    /// A figure of the person's web of care; index into [`Measures::webs`].
    Web { web: usize, figure: WebFigure },
}

impl Verb {
    /// Sets the days on which the window of an event verb hangs.
    fn hang_on(&mut self, bounds: Bounds) {
        if let Self::Events(events) = self {
            events.bounds = bounds;
        }
    }
}

#[derive(Debug, Clone)]
pub struct Events {
    pub what: What,
    pub source: usize,
    /// SQL over the source's columns.
    pub filter: Option<String>,
    /// Only those whose `end` lies before the as-of date.
    pub ended: bool,
    pub bounds: Bounds,
    /// The column a verb works on; for `CountDistinct` over categories it is none.
    pub column: Option<usize>,
    pub codes: Option<Codes>,
}

/// Earlier features (dates) on which a window hangs, beside its length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Its first day.
    pub since: Option<usize>,
    /// Where it ends, in place of the as-of date.
    pub end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Before(usize),
    Until(usize),
}

impl End {
    pub fn feature(self) -> usize {
        match self {
            Self::Before(feature) | Self::Until(feature) => feature,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Count,
    CountDistinct,
    CountDays,
    Exists,
    DaysSince,
    Latest,
    Total,
    Longest,
    BedDays,
    OpenAtIndex,
}

/// Only events with a code on a list.
#[derive(Debug, Clone)]
pub struct Codes {
    /// Index into [`Pipeline::codelists`].
    pub codelist: usize,
    /// Index of the source's code column.
    pub column: usize,
    /// Which of the list's categories count, by index, ascending.
    pub categories: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Model {
    /// Folder name; also the name of the score.
    pub name: String,
    pub decl: ModelDecl,
    pub kind: Scoring,
    /// What is done to the raw score, in order.
    pub calibration: Vec<Step>,
    /// How inputs and score were spread in training.
    pub reference: Option<Reference>,
}

#[derive(Debug, Clone)]
pub struct Cohort {
    pub name: String,
    pub decl: CohortDecl,
    pub include: Vec<Vec<Criterion>>,
    pub exclude: Vec<Exclusion>,
    pub rank: Vec<RankKey>,
    /// Feature index of the recipient.
    pub per: Option<usize>,
    pub capacity: Capacity,
    /// Feature or score columns printed on the list.
    pub show: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Criterion {
    pub name: String,
    /// SQL over features, scores and bands.
    pub when: String,
    pub reason: Option<String>,
    /// The role that reads the lists may see all that the predicate and the reason read: else nothing is said of it.
    pub told: bool,
    /// Features (indices) the predicate reads: their reasons stand in when none is given.
    pub features: Vec<usize>,
    /// Models (indices) whose score or band it reads: so do the reasons of what adds most to the score.
    pub models: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Exclusion {
    pub name: String,
    /// SQL; an exclusion by events reads the hidden feature made for it.
    pub when: String,
}

#[derive(Debug, Clone)]
pub struct RankKey {
    /// A feature or a score.
    pub column: String,
    pub descending: bool,
}

impl Model {
    /// Whether the score is a probability, which can be calibrated; points are none.
    pub fn is_probability(&self) -> bool {
        self.decl.kind.is_probability()
    }
}

impl Pipeline {
    /// How far models may be from what they were.
    pub fn model_limits(&self) -> ModelLimitsDecl {
        self.decl.limits.as_ref().and_then(|limits| limits.models.clone()).unwrap_or_default()
    }

    /// Whether a cohort's lists may show a feature, score or item: everything where no role reads them.
    pub fn shows(&self, cohort: &CohortDecl, name: &str) -> bool {
        let role = cohort.role.as_ref().and_then(|role| self.decl.roles.get(role));
        role.is_none_or(|role| role.sees(name))
    }

    /// The steps of pathways at a source, in the order of audits, pathways and steps.
    pub fn steps_at(&self, source: usize) -> impl Iterator<Item = (&Pathway, &StepDecl)> {
        let pathways = self.audits.iter().flat_map(|audit| &audit.pathways);
        let steps = pathways.flat_map(|pathway| pathway.decl.steps.iter().map(move |step| (pathway, step)));
        let sources = self.audits.iter().flat_map(|audit| &audit.pathways).flat_map(|pathway| &pathway.sources);
        steps.zip(sources).filter(move |(_, at)| **at == source).map(|(step, _)| step)
    }

    /// Sources with this role, with their index.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = (usize, &Source)> {
        self.sources.iter().enumerate().filter(move |(_, source)| source.decl.role == role)
    }
}

impl Source {
    /// The column that names who recorded a row.
    pub fn recorded_by(&self) -> Option<&str> {
        let sender = || self.decl.provider.as_ref().map(|provider| provider.column.as_str());
        self.decl.recorded_by.as_deref().or_else(sender)
    }

    /// Index of one of our columns.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
