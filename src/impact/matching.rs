//! Like people on and off a list: the same in what must be the same, and nearest in risk.
//!
//! Everyone who met the criteria of the list and is on no place of it may stand for one listed person, once in each run's
//! lists. Listed people are served in the order of risk, highest first, whose likes are rarest.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Followed, Story};
use crate::pipeline::measures::Impact;

/// A listed person, and one like them.
pub(super) struct Pair<'a> {
    pub listed: &'a Followed<'a>,
    pub other: &'a Followed<'a>,
}

/// Pairs within lists of one cohort and day; `number` is the impact's place among those declared.
pub(super) fn pairs<'a>(number: usize, impact: &Impact, stories: &[&'a Story<'a>]) -> Vec<Pair<'a>> {
    let mut groups: BTreeMap<(&str, Date, &str), Sides> = BTreeMap::new();
    for story in stories {
        for followed in &story.people {
            let Some((risk, same)) = followed.stood.like.get(number).and_then(Option::as_ref) else { continue };
            let (listed, others) =
                groups.entry((story.list.cohort.as_str(), story.list.day, same.as_str())).or_default();
            let known = Known { risk: *risk, followed };
            if followed.unit.listed { listed.push(known) } else { others.push(known) }
        }
    }
    groups.into_values().flat_map(|(listed, others)| nearest(listed, others, impact.decl.matched.at_most)).collect()
}

/// Listed people, and others.
type Sides<'a> = (Vec<Known<'a>>, Vec<Known<'a>>);

struct Known<'a> {
    risk: f64,
    followed: &'a Followed<'a>,
}

/// The nearest that is still free, for each in turn; of two as near the one of lower risk, then the first by number.
fn nearest<'a>(mut listed: Vec<Known<'a>>, mut others: Vec<Known<'a>>, at_most: f64) -> Vec<Pair<'a>> {
    let order =
        |a: &Known, b: &Known| a.risk.total_cmp(&b.risk).then(a.followed.unit.person.cmp(&b.followed.unit.person));
    listed.sort_by(|a, b| order(b, a));
    others.sort_by(order);
    let mut free: BTreeMap<usize, &Known> = others.iter().enumerate().collect();
    let mut pairs = Vec::new();
    for one in &listed {
        let at = others.partition_point(|other| other.risk < one.risk);
        let below = free.range(..at).next_back().map(|(at, other)| (*at, one.risk - other.risk));
        let above = free.range(at..).next().map(|(at, other)| (*at, other.risk - one.risk));
        let best = below.into_iter().chain(above).min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((at, _)) = best.filter(|(_, far)| *far <= at_most) else { continue };
        if let Some(other) = free.remove(&at) {
            pairs.push(Pair { listed: one.followed, other: other.followed });
        }
    }
    pairs
}
