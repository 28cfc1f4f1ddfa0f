//! Places: limits, quotas, floors, weights, lottery.

use arrow::datatypes::Schema;

use super::super::decl::{CapacityDecl, CohortDecl};
use super::super::document::Document;
use super::super::{Capacity, Floor, Limit, Quota, Weight};
use super::Checker;

impl Checker {
    pub(super) fn capacity(&mut self, document: &Document, decl: &CohortDecl, schema: &Schema) -> Capacity {
        let capacity = &decl.capacity;
        if capacity.take == 0 {
            self.desk.report(document.at_value(&["capacity", "take"], "a list without places calls nobody"));
        }
        if let Some(every) = &capacity.every {
            self.not_blank(document, &["capacity", "every"], every);
        }
        Capacity {
            drawn: self.drawn(document, capacity),
            limits: self.limited(document, capacity),
            quotas: self.quotas(document, capacity),
            floors: self.floors(document, capacity, schema),
            weights: self.weights(document, decl, schema),
            listed_within: None,
            valid_for: decl.valid_for.as_ref().and_then(|text| self.length(document, &["valid_for"], text)),
        }
    }

    /// Half a place is a place.
    fn drawn(&mut self, document: &Document, capacity: &CapacityDecl) -> u32 {
        let Some(share) = capacity.draw else { return 0 };
        if !(share > 0.0 && share <= 1.0) {
            let problem = document.at_value(&["capacity", "draw"], "a share of places is above 0 and at most 1");
            self.desk.report(problem.help("for example draw = 0.10, or leave it out"));
            return 0;
        }
        let places = places(share, capacity.take, 0.5);
        if places == 0 {
            let problem = document.at_value(&["capacity", "draw"], "this is less than half a place: nobody is drawn");
            self.desk.report(problem.help("raise the share, or leave it out"));
        }
        places
    }

    fn limited(&mut self, document: &Document, capacity: &CapacityDecl) -> Vec<Limit> {
        let mut limits = Vec::new();
        for (at, limit) in capacity.limit.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["capacity", "limit", place.as_str(), key];
            if limit.take == 0 {
                self.desk.report(document.at_value(&path("take"), "a limit of no place calls nobody"));
            }
            let feature = self.feature_named(|message| document.at_value(&path("per"), message), &limit.per);
            let Some(feature) = feature else { continue };
            self.must_be_text(document, &path("per"), feature);
            limits.push(Limit { feature, take: limit.take, reserve: limit.reserve });
        }
        limits
    }

    fn quotas(&mut self, document: &Document, capacity: &CapacityDecl) -> Vec<Quota> {
        let mut quotas = Vec::new();
        for (at, quota) in capacity.quota.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["capacity", "quota", place.as_str(), key];
            if quota.at_most.is_empty() {
                self.desk.report(document.at_value(&path("at_most"), "no value has a quota"));
            }
            let feature = self.feature_named(|message| document.at_value(&path("by"), message), &quota.by);
            let Some(feature) = feature else { continue };
            self.must_be_text(document, &path("by"), feature);
            let at_most = quota.at_most.iter().map(|(value, places)| (value.clone(), *places)).collect();
            quotas.push(Quota { feature, at_most });
        }
        quotas
    }

    fn floors(&mut self, document: &Document, capacity: &CapacityDecl, schema: &Schema) -> Vec<Floor> {
        let mut floors = Vec::new();
        for (at, floor) in capacity.floor.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["capacity", "floor", place.as_str(), key];
            self.not_blank(document, &path("group"), &floor.group);
            self.not_blank(document, &path("because"), &floor.because);
            let share = floor.share.filter(|share| *share > 0.0 && *share <= 1.0);
            let at_least = match (floor.at_least, share) {
                (Some(places), None) if floor.share.is_none() => places,
                (None, Some(share)) => places(share, capacity.take, 1.0 - 1e-9),
                _ => {
                    let message = "a floor is `at_least` so many places, or a `share` of them above 0 and at most 1";
                    self.desk.report(document.at_key(&path("group")[..3], message).help("write one of the two"));
                    continue;
                }
            };
            if at_least > capacity.take {
                let problem = document.at_value(&path("at_least"), "the floor is above the places there are");
                self.desk.report(problem.help(format!("`take` gives {} places", capacity.take)));
            }
            let good = self.predicate(document, &path("when"), &floor.when, schema).is_some();
            let (group, when, because) = (floor.group.clone(), floor.when.clone(), floor.because.clone());
            floors.extend(good.then_some(Floor { group, when, at_least, because }));
        }
        floors
    }

    fn weights(&mut self, document: &Document, decl: &CohortDecl, schema: &Schema) -> Vec<Weight> {
        let mut weights = Vec::new();
        for (at, weight) in decl.capacity.weight.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["capacity", "weight", place.as_str(), key];
            self.not_blank(document, &path("group"), &weight.group);
            self.not_blank(document, &path("because"), &weight.because);
            if !(weight.times > 0.0 && weight.times.is_finite()) {
                let problem = document.at_value(&path("times"), "a weight is a number above 0");
                self.desk.report(problem.help("for example times = 1.2"));
            }
            let first = decl.rank.by.first().and_then(|key| key.strip_suffix(" desc")).map(str::trim);
            let number = first.and_then(|name| schema.field_with_name(name).ok());
            if number.is_none_or(|field| !field.data_type().is_numeric()) {
                let message = "a weight needs a rank that begins with a number, `desc`";
                self.desk
                    .report(document.at_key(&path("times"), message).help("rank by a score first, or use a floor"));
            }
            let good = self.predicate(document, &path("when"), &weight.when, schema).is_some();
            let (group, when, because) = (weight.group.clone(), weight.when.clone(), weight.because.clone());
            weights.extend(good.then_some(Weight { group, when, times: weight.times, because }));
        }
        weights
    }
}

/// A share of places, cut after adding `up`: 0.5 rounds half up, just below 1 rounds up.
fn places(share: f64, take: u32, up: f64) -> u32 {
    // Between 0 and `take`, which a u32 holds.
    (share * f64::from(take) + up).floor() as u32
}
