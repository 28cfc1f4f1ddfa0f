//! Calibration steps of a model, as they are written and as they are checked.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cohort::words::NOT_RECORDED;

/// The row of a table by group that stands for every group without its own.
pub const EVERYONE_ELSE: &str = "everyone else";

/// A visible change to a probability: exactly one method, fitted by somebody on somebody.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationDecl {
    /// Adds an intercept on the logit scale: the mean becomes right, the order stays.
    pub in_the_large: Option<ShiftDecl>,
    /// A line on the logit scale: mean and spread become right, the order stays.
    pub slope: Option<LogitLine>,
    /// A curve that never falls, through the points of a table.
    pub isotonic: Option<IsotonicDecl>,
    /// A line on the logit scale for each group: the order within a group stays.
    pub by_group: Option<ByGroupDecl>,
    /// On whom it was fitted: study, as-of dates, people, outcomes, in words.
    pub fitted_on: String,
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftDecl {
    pub intercept: f64,
}

impl CalibrationDecl {
    /// The file that the step is in, beside the model file; none where it is written out.
    pub fn table(&self) -> Option<&str> {
        let isotonic = self.isotonic.as_ref().map(|step| step.table.as_str());
        isotonic.or(self.by_group.as_ref().map(|step| step.table.as_str()))
    }
}

/// What a logit becomes: `intercept + slope × logit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogitLine {
    pub intercept: f64,
    /// Above 0: a calibration turns nobody's order round.
    pub slope: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsotonicDecl {
    /// A CSV beside the model with `score,calibrated`, ascending; straight between rows, level beyond them.
    pub table: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByGroupDecl {
    /// The feature whose values are the groups.
    pub feature: String,
    /// A CSV beside the model with `group,intercept,slope`; `not recorded` is a group, `everyone else` a row that must be there.
    pub table: String,
}

/// A checked step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Line(LogitLine),
    /// Score and what it becomes, by score.
    Isotonic(Vec<[f64; 2]>),
    ByGroup {
        /// Index into [`super::Pipeline::features`].
        feature: usize,
        /// By the value as it is written; "not recorded" where it is null.
        groups: BTreeMap<String, LogitLine>,
    },
}

/// The line of a group by its value, or of everyone else.
pub fn line_of<'a>(groups: &'a BTreeMap<String, LogitLine>, value: Option<&str>) -> Option<&'a LogitLine> {
    groups.get(value.unwrap_or(NOT_RECORDED)).or_else(|| groups.get(EVERYONE_ELSE))
}
