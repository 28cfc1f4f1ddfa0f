//! Places and precedence as a checked pipeline has them: features by index, shares as numbers of places.

use std::collections::BTreeMap;

use super::decl::LimitsDecl;
use crate::calendar::Window;

/// How the cohorts of a run share people, and what the run remembers.
#[derive(Debug, Clone, Default)]
pub struct Outreach {
    /// Nobody is on two lists.
    pub one_owner: bool,
    /// Indices into [`super::Pipeline::cohorts`], first owner first.
    pub precedence: Vec<usize>,
    pub remember: bool,
    pub limits: LimitsDecl,
}

/// What binds the places of a cohort beside its rank.
#[derive(Debug, Clone, Default)]
pub struct Capacity {
    /// Of a recipient's places, so many of the last are given by lottery.
    pub drawn: u32,
    pub limits: Vec<Limit>,
    pub quotas: Vec<Quota>,
    pub floors: Vec<Floor>,
    pub weights: Vec<Weight>,
    /// Nobody whom any list had within this window.
    pub listed_within: Option<Window>,
    /// How long the list holds.
    pub valid_for: Option<Window>,
}

#[derive(Debug, Clone)]
pub struct Limit {
    /// Index into [`super::Pipeline::features`].
    pub feature: usize,
    pub take: u32,
    pub reserve: u32,
}

#[derive(Debug, Clone)]
pub struct Quota {
    /// Index into [`super::Pipeline::features`].
    pub feature: usize,
    pub at_most: BTreeMap<String, u32>,
}

#[derive(Debug, Clone)]
pub struct Floor {
    pub group: String,
    /// SQL over features and scores.
    pub when: String,
    /// Places of each recipient.
    pub at_least: u32,
    pub because: String,
}

#[derive(Debug, Clone)]
pub struct Weight {
    pub group: String,
    /// SQL over features and scores.
    pub when: String,
    pub times: f64,
    pub because: String,
}

impl Capacity {
    /// Whether a group is favoured, so that the effect must be shown.
    pub fn favours(&self) -> bool {
        !self.floors.is_empty() || !self.weights.is_empty()
    }
}
