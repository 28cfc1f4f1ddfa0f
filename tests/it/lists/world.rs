//! People, features and scores made by hand, and the pipeline that goes with them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use jiff::civil::{Date, date};
use riskstrat::calendar::Window;
use riskstrat::cohort::Cohorts;
use riskstrat::columns::Columns;
use riskstrat::error::Error;
use riskstrat::features::Features;
use riskstrat::gates::NoData;
use riskstrat::history::History;
use riskstrat::link::People;
use riskstrat::pipeline::decl::{
    CapacityDecl, CohortDecl, CriterionDecl, DisclosureRule, FloorDecl, IncludeDecl, LimitDecl, ListFormat, QuotaDecl,
    WeightDecl,
};
use riskstrat::pipeline::document::Document;
use riskstrat::pipeline::{
    Capacity, Cohort, Criterion, Exclusion, Feature, Floor, Limit, Outreach, Pipeline, Quota, RankKey, Verb, Weight,
};
use riskstrat::pseudonym::Pseudonym;
use riskstrat::score::Scores;
use serde::de::DeserializeOwned;

pub const AS_OF: Date = date(2026, 4, 1);

/// Everything a cohort or an audit reads.
pub struct World {
    pub pipeline: Pipeline,
    pub people: People,
    pub features: Features,
    pub scores: Scores,
}

/// One column, with the reason of its feature.
pub struct Made {
    name: &'static str,
    values: ArrayRef,
    reason: Option<&'static str>,
    latest: Option<Date32Array>,
}

pub fn integers(name: &'static str, values: impl IntoIterator<Item = Option<i64>>) -> Made {
    made(name, Arc::new(values.into_iter().collect::<Int64Array>()))
}

pub fn booleans(name: &'static str, values: impl IntoIterator<Item = Option<bool>>) -> Made {
    made(name, Arc::new(values.into_iter().collect::<BooleanArray>()))
}

pub fn texts<'a>(name: &'static str, values: impl IntoIterator<Item = Option<&'a str>>) -> Made {
    made(name, Arc::new(values.into_iter().collect::<StringArray>()))
}

pub fn dates(name: &'static str, values: impl IntoIterator<Item = Option<i32>>) -> Made {
    made(name, Arc::new(values.into_iter().collect::<Date32Array>()))
}

pub fn floats(name: &'static str, values: impl IntoIterator<Item = Option<f64>>) -> Made {
    made(name, Arc::new(values.into_iter().collect::<Float64Array>()))
}

fn made(name: &'static str, values: ArrayRef) -> Made {
    Made { name, values, reason: None, latest: None }
}

impl Made {
    pub fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub fn latest(self, days: impl IntoIterator<Item = Option<i32>>) -> Self {
        Self { latest: Some(days.into_iter().collect()), ..self }
    }
}

pub fn world(tokens: &[&str], features: Vec<Made>, scores: Vec<Made>) -> World {
    let batch = |columns: &[Made]| {
        let fields: Vec<_> =
            columns.iter().map(|made| Field::new(made.name, made.values.data_type().clone(), true)).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(tokens.len()));
        let columns = columns.iter().map(|made| made.values.clone()).collect();
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).unwrap()
    };
    World {
        pipeline: pipeline(features.iter().map(feature).collect()),
        people: People {
            tokens: tokens.iter().copied().map(Pseudonym::new).collect(),
            registers: Vec::new(),
            items: Vec::new(),
            rows: Vec::new(),
        },
        scores: Scores { batch: batch(&scores) },
        features: Features::of(
            Columns::from(&batch(&features)),
            features.into_iter().map(|made| made.latest).collect(),
        ),
    }
}

fn feature(made: &Made) -> Feature {
    Feature {
        name: made.name.to_owned(),
        label: made.name.to_owned(),
        heading: None,
        reason: made.reason.map(str::to_owned),
        never_as_reason: false,
        family: made.name.to_owned(),
        unit: None,
        verb: Verb::Derived { sql: made.name.to_owned() },
        window: Window::Ever,
        data_type: made.values.data_type().clone(),
        shown: true,
    }
}

fn pipeline(features: Vec<Feature>) -> Pipeline {
    Pipeline {
        name: "hand".to_owned(),
        decl: declared("title = \"By hand\"\ndeliveries = \".\"\nsources = []"),
        as_of: AS_OF,
        deliveries: ".".into(),
        sources: Vec::new(),
        items: Vec::new(),
        features,
        models: Vec::new(),
        audits: Vec::new(),
        measures: Default::default(),
        cohorts: Vec::new(),
        outreach: Outreach::default(),
        codelists: Vec::new(),
        value_sets: Default::default(),
        files: Vec::new(),
        formats: vec![ListFormat::Csv],
        disclosure: DisclosureRule::Hes2018,
        warnings: Vec::new(),
    }
}

impl World {
    pub fn select(&self) -> Cohorts {
        self.selected().unwrap()
    }

    pub fn selected(&self) -> Result<Cohorts, Error> {
        let (history, no_data) = (History::default(), NoData::default());
        riskstrat::cohort::select(&self.pipeline, &self.people, &self.features, &self.scores, &history, &no_data)
    }

    /// Adds a cohort as its file would declare it, without title and sign-off.
    pub fn cohort(mut self, name: &str, toml: &str) -> Self {
        let head =
            "title = \"T\"\npurpose = \"P\"\nsigned_off = { by = \"Dr A\", on = 2026-01-01, review_by = 2027-01-01 }\n";
        let decl: CohortDecl = declared(&format!("{head}{toml}"));
        let cohort = self.checked(name, decl);
        self.pipeline.cohorts.push(cohort);
        self
    }

    pub fn position(&self, name: &str) -> usize {
        self.pipeline.features.iter().position(|feature| feature.name == name).unwrap()
    }

    /// Shares are given in numbers that need no rounding.
    fn capacity(&self, decl: &CapacityDecl) -> Capacity {
        let limit =
            |limit: &LimitDecl| Limit { feature: self.position(&limit.per), take: limit.take, reserve: limit.reserve };
        let quota = |quota: &QuotaDecl| Quota {
            feature: self.position(&quota.by),
            at_most: quota.at_most.iter().map(|(value, places)| (value.clone(), *places)).collect(),
        };
        let floor = |floor: &FloorDecl| Floor {
            group: floor.group.clone(),
            when: floor.when.clone(),
            at_least: floor.at_least.unwrap(),
            because: floor.because.clone(),
        };
        let weight = |weight: &WeightDecl| Weight {
            group: weight.group.clone(),
            when: weight.when.clone(),
            times: weight.times,
            because: weight.because.clone(),
        };
        Capacity {
            drawn: (decl.draw.unwrap_or(0.0) * f64::from(decl.take)).round() as u32,
            limits: decl.limit.iter().map(limit).collect(),
            quotas: decl.quota.iter().map(quota).collect(),
            floors: decl.floor.iter().map(floor).collect(),
            weights: decl.weight.iter().map(weight).collect(),
            listed_within: None,
            valid_for: None,
        }
    }

    /// What `pipeline::check` makes of a declaration; features read are found by their names in the text.
    fn checked(&self, name: &str, decl: CohortDecl) -> Cohort {
        let read = |sql: &str| {
            let words: Vec<_> = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            (0..self.pipeline.features.len())
                .filter(|&i| words.contains(&self.pipeline.features[i].name.as_str()))
                .collect()
        };
        let criteria = |any: &IncludeDecl| {
            let of = |(name, decl): (&String, &CriterionDecl)| Criterion {
                name: name.clone(),
                when: decl.when.clone(),
                reason: decl.reason.clone(),
                told: true,
                features: read(&decl.when),
                models: Vec::new(),
            };
            any.any.iter().map(of).collect()
        };
        let rank = |by: &String| match by.split_once(' ') {
            Some((column, way)) => RankKey { column: column.to_owned(), descending: way == "desc" },
            None => panic!("asc or desc"),
        };
        Cohort {
            name: name.to_owned(),
            include: decl.include.iter().map(criteria).collect(),
            exclude: decl
                .exclude
                .iter()
                .map(|(name, exclude)| Exclusion { name: name.clone(), when: exclude.when.clone().unwrap() })
                .collect(),
            rank: decl.rank.by.iter().map(rank).collect(),
            per: decl.capacity.per.as_deref().map(|per| self.position(per)),
            capacity: self.capacity(&decl.capacity),
            show: decl.show.clone(),
            decl,
        }
    }
}

/// A declaration as a file holds it, in the order of the file.
pub fn declared<T: DeserializeOwned>(toml: &str) -> T {
    let (document, problems) = Document::parse("hand.toml", toml.to_owned());
    assert!(problems.is_empty(), "{problems:?}");
    serde_json::from_value(document.value).unwrap()
}
