//! Declarations in TOML and CSV, parsed and checked before any record is read.

/// What is written in the files.
pub mod decl;

/// One thing that is wrong in a declaration, with its place.
pub mod problem;

/// The small CSV files that stand beside declarations.
pub mod table;

/// A TOML file with the place of every value.
pub mod document;

/// TOML to structs, every problem at once.
pub mod parse;

/// A document against the schema of its kind.
mod validate;

/// Names, types and files checked against each other.
pub mod check;

/// JSON Schema of every kind of declaration.
pub mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::DataType;
use jiff::civil::Date;

use crate::calendar::Window;
use crate::codelist::{CodeList, ValueSet};
use decl::{
    AuditDecl, CohortDecl, ColumnDecl, DemographicDecl, DisclosureRule, ItemDecl, ListFormat, ModelDecl, Role, RunDecl,
    SourceDecl, Transform,
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
    pub cohorts: Vec<Cohort>,
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
    /// Indices into [`Pipeline::sources`], most trusted first: the declared order, then the rest as the run names them.
    pub order: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Feature {
    /// Lower case, unique, usable in SQL without quotes.
    pub name: String,
    pub label: String,
    pub reason: Option<String>,
    pub unit: Option<String>,
    pub verb: Verb,
    pub window: Window,
    pub data_type: DataType,
    /// Published in `features.parquet`; false for what only an exclusion needs.
    pub shown: bool,
}

#[derive(Debug, Clone)]
pub enum Verb {
    /// Full years at the as-of date from the register's resolved `birth_date`.
    Age { source: usize },
    /// The resolved register row's column.
    Value { source: usize, column: usize },
    /// A demographic item, resolved across sources.
    Item { item: usize },
    /// SQL over earlier features.
    Derived { sql: String },
    /// Something about the events of a source.
    Events(Events),
}

#[derive(Debug, Clone)]
pub struct Events {
    pub what: What,
    pub source: usize,
    /// SQL over the source's columns.
    pub filter: Option<String>,
    /// The column a verb works on; for `CountDistinct` over categories it is none.
    pub column: Option<usize>,
    pub codes: Option<Codes>,
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
}

#[derive(Debug, Clone)]
pub enum Scoring {
    Points(Points),
    Logistic(Logistic),
}

#[derive(Debug, Clone)]
pub struct Points {
    pub items: Vec<PointsItem>,
    pub thresholds: Vec<Threshold>,
    pub floor: Option<i64>,
}

/// Points of one category, in thousandths.
#[derive(Debug, Clone)]
pub struct PointsItem {
    pub category: String,
    /// Index into [`Pipeline::features`]; Boolean, or a count of which any positive value counts once.
    pub feature: usize,
    pub milli: i64,
    /// Indices into `items` of the categories that this one silences.
    pub trumps: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Threshold {
    pub feature: usize,
    pub at_least: f64,
    pub below: Option<f64>,
    pub milli: i64,
}

#[derive(Debug, Clone)]
pub struct Logistic {
    pub intercept: f64,
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone)]
pub struct Term {
    pub feature: usize,
    pub coefficient: f64,
    pub missing: Option<f64>,
    pub cap: Option<f64>,
    pub transform: Transform,
    pub divide_by: Option<f64>,
}

#[derive(Debug, Clone)]
pub struct Audit {
    pub name: String,
    pub decl: AuditDecl,
    /// Indices into [`Pipeline::items`], in declaration order.
    pub items: Vec<usize>,
    /// Indices into [`Pipeline::features`].
    pub split_by: Vec<usize>,
    pub worklist_by: Option<usize>,
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
    /// Feature or score columns printed on the list.
    pub show: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Criterion {
    pub name: String,
    /// SQL over features, scores and bands.
    pub when: String,
    pub reason: Option<String>,
    /// Features (indices) the predicate reads: their reasons stand in when none is given.
    pub features: Vec<usize>,
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

impl Pipeline {
    /// Sources with this role, with their index.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = (usize, &Source)> {
        self.sources.iter().enumerate().filter(move |(_, source)| source.decl.role == role)
    }
}

impl Source {
    /// Index of one of our columns.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
