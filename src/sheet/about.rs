//! What goes with a list: purpose, law, counts, headings, how fresh its data are.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::Window;
use crate::cohort::{CohortList, Place, words};
use crate::error::{Error, Result};
use crate::expr;
use crate::pipeline::decl::{ProbabilityDecl, Role, SignOff};
use crate::pipeline::{Cohort, Model, Pipeline, Source};
use crate::publish::file_stem;
use crate::receipt::{ExclusionCount, SourceAccount};

/// `about.json`: what is the same for all recipients of a cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub title: String,
    pub purpose: String,
    pub cohort: String,
    pub as_of: Date,
    /// The last day on which the list may be used; none where the cohort does not say.
    pub valid_until: Option<Date>,
    pub suggested_action: Option<String>,
    pub signed_off: SignOff,
    pub capacity: Capacity,
    pub favoured: Option<Favours>,
    pub people: Counts,
    /// Those with at least one row.
    pub recipients: Vec<Recipient>,
    pub columns: Vec<Heading>,
    pub sources: Vec<Freshness>,
    /// The scores on the list.
    pub models: Vec<Predicts>,
    /// The system that the tokens belong to, where the run names one.
    pub identifier_system: Option<String>,
}

/// What a score on the list claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicts {
    /// The name of the score.
    pub model: String,
    pub title: String,
    pub version: String,
    pub predicts: String,
    pub probability: Option<ProbabilityDecl>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The feature that names the recipient; none for one list.
    pub per: Option<String>,
    pub places: u32,
    pub reserve: u32,
    /// How often a list is made, where the cohort says so.
    pub every: Option<String>,
    /// Of the places, those given by lottery.
    pub places_drawn: u32,
}

/// Which groups a floor or a weight favours, why, and how many people are listed or not for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Favours {
    pub groups: Vec<FavouredGroup>,
    pub listed_for_it: u64,
    pub not_listed_for_it: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FavouredGroup {
    pub group: String,
    /// Of a floor.
    pub at_least: Option<u32>,
    /// Of a weight.
    pub times: Option<f64>,
    pub because: String,
}

/// Where the people scored went, over all recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub scored: u64,
    pub listed: u64,
    pub reserve: u64,
    pub excluded: Vec<ExclusionCount>,
    pub below_the_cut: u64,
    /// Lost the lottery for the last places.
    pub not_drawn: u64,
    pub not_included: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    pub recipient: String,
    /// What its files are called, without the ending.
    pub file: String,
    pub listed: u64,
    pub reserve: u64,
}

/// A column and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// The name in CSV and Parquet.
    pub column: String,
    /// The words above it where people read.
    pub heading: String,
    pub means: String,
    pub kind: Kind,
}

/// What a column is to a list; formats find columns by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Rank,
    Status,
    Person,
    Team,
    /// Points.
    Score,
    /// For programs; people read the words of [`Kind::Risk`].
    Probability,
    Risk,
    Band,
    Reasons,
    Action,
    /// A shown feature that a caller must know first.
    BeforeCalling,
    /// Another shown feature.
    Detail,
    Gaps,
    DataUpTo,
    AsOf,
    ValidUntil,
    /// What earlier lists say of the person.
    Standing,
}

/// What a source is used under, and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    pub source: String,
    pub title: String,
    pub legal_basis: String,
    /// The latest date before the as-of date; none where rows have no date.
    pub data_up_to: Option<Date>,
    /// Older than the source's `stale_after` allows.
    pub stale: bool,
    /// This cohort's lists rest on it.
    pub counts_here: bool,
}

impl About {
    /// The bytes of `about.json`.
    pub fn json(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|_| Error::Fault(format!("cohort {}: about.json cannot be written", self.cohort)))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Freshness {
    /// "Hospital spells: 28 February 2026", marked where it is stale.
    pub fn words(&self) -> String {
        let date = self.data_up_to.map_or_else(|| "no date".to_owned(), words::spoken_date);
        format!("{}: {date}{}", self.title, if self.stale { " (stale)" } else { "" })
    }
}

/// What a run knows of a cohort's lists.
pub(super) fn of(
    pipeline: &Pipeline,
    sources: Vec<Freshness>,
    cohort: &Cohort,
    list: &CohortList,
    scored: usize,
    columns: Vec<Heading>,
) -> About {
    let decl = &cohort.decl;
    let per = cohort.per.and_then(|feature| pipeline.features.get(feature)).map(|feature| feature.name.clone());
    let excluded =
        list.excluded.iter().map(|(reason, people)| ExclusionCount { reason: reason.clone(), people: *people });
    let recipients = list.recipients.iter().filter(|(_, (listed, reserve))| listed + reserve > 0).map(
        |(recipient, &(listed, reserve))| Recipient {
            recipient: recipient.clone(),
            file: file_stem(recipient),
            listed,
            reserve,
        },
    );
    let models = pipeline.models.iter().filter(|model| columns.iter().any(|heading| heading.column == model.name)).map(
        |Model { name, decl, .. }| Predicts {
            model: name.clone(),
            title: decl.title.clone(),
            version: decl.version.clone(),
            predicts: decl.predicts.clone(),
            probability: decl.probability.clone(),
        },
    );
    About {
        title: decl.title.clone(),
        purpose: decl.purpose.clone(),
        cohort: cohort.name.clone(),
        as_of: pipeline.as_of,
        valid_until: list.valid_until,
        suggested_action: decl.action.clone(),
        signed_off: decl.signed_off.clone(),
        capacity: Capacity {
            per,
            places: decl.capacity.take,
            reserve: decl.capacity.reserve,
            every: decl.capacity.every.clone(),
            places_drawn: cohort.capacity.drawn,
        },
        favoured: favours(cohort, list),
        people: Counts {
            scored: scored as u64,
            listed: list.listed(),
            reserve: list.reserve(),
            excluded: excluded.collect(),
            below_the_cut: list.below_the_cut,
            not_drawn: list.not_drawn,
            not_included: list.not_included,
        },
        recipients: recipients.collect(),
        models: models.collect(),
        columns,
        sources,
        identifier_system: pipeline.decl.publish.identifier_system.clone(),
    }
}

fn favours(cohort: &Cohort, list: &CohortList) -> Option<Favours> {
    let favoured = list.favoured.as_ref()?;
    let listed: BTreeSet<u32> =
        list.rows.iter().filter(|row| row.place == Place::Listed).map(|row| row.person).collect();
    let floors = cohort.capacity.floors.iter().map(|floor| FavouredGroup {
        group: floor.group.clone(),
        at_least: Some(floor.at_least),
        times: None,
        because: floor.because.clone(),
    });
    let weights = cohort.capacity.weights.iter().map(|weight| FavouredGroup {
        group: weight.group.clone(),
        at_least: None,
        times: Some(weight.times),
        because: weight.because.clone(),
    });
    Some(Favours {
        groups: floors.chain(weights).collect(),
        listed_for_it: listed.difference(&favoured.listed_without).map(|_| 1).sum(),
        not_listed_for_it: favoured.listed_without.difference(&listed).map(|_| 1).sum(),
    })
}

/// How far each source reaches, judged at the pipeline's as-of date: that of a run or of a release.
pub fn freshness(pipeline: &Pipeline, cohort: &Cohort, accounts: &[SourceAccount]) -> Vec<Freshness> {
    let here = rests_on(pipeline, cohort);
    let of = |(at, source): (usize, &Source)| {
        let account = accounts.iter().find(|account| account.source == source.name);
        let data_up_to = account.and_then(|account| account.data_up_to.as_deref()?.parse().ok());
        Freshness {
            source: source.name.clone(),
            title: source.decl.title.clone(),
            legal_basis: source.decl.legal_basis.clone(),
            data_up_to,
            stale: stale(source, data_up_to, pipeline.as_of),
            counts_here: here.contains(&at),
        }
    };
    pipeline.sources.iter().enumerate().map(of).collect()
}

/// The sources (indices) behind a cohort's criteria, exclusions, rank and what it shows, and those that say who may be used.
fn rests_on(pipeline: &Pipeline, cohort: &Cohort) -> BTreeSet<usize> {
    let criteria = cohort.include.iter().flatten().map(|criterion| &criterion.when);
    let exclusions = cohort.exclude.iter().map(|exclusion| &exclusion.when);
    let read = criteria.chain(exclusions).flat_map(|sql| expr::columns_read(sql).unwrap_or_default());
    let named = cohort.rank.iter().map(|key| &key.column).chain(&cohort.show).cloned();
    let names: Vec<String> = read.chain(named).collect();
    let mut sources = pipeline.sources_behind(names.iter().map(String::as_str));
    for role in [Role::OptOut, Role::AllowList] {
        sources.extend(pipeline.with_role(role).map(|(at, _)| at));
    }
    sources
}

/// Where an age is declared, a source without a date is as stale as one that is too old.
fn stale(source: &Source, data_up_to: Option<Date>, as_of: Date) -> bool {
    let dated = !matches!(source.decl.role, Role::Lookup | Role::Superseded);
    let limit = source.decl.stale_after.as_deref().filter(|_| dated);
    let oldest = limit.and_then(|limit| Window::parse(limit).ok()?.first_day(as_of));
    oldest.is_some_and(|oldest| data_up_to.is_none_or(|date| date < oldest))
}
