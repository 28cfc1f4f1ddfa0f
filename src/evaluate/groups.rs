//! The splits of an evaluation: by features, by several at once, by the size of what people share.

use std::collections::BTreeMap;

use crate::audit::groups::{self, Split};
use crate::cohort::words::{self, NOT_RECORDED};
use crate::columns::Columns;
use crate::error::Result;
use crate::features::Features;
use crate::pipeline::Pipeline;
use crate::pipeline::study::StudyPlan;
use crate::study::Study;

/// Every split that the study declares, over all its rows; nobody is in none of a split's groups.
pub fn splits(pipeline: &Pipeline, plan: &StudyPlan, study: &Study) -> Result<Vec<Split>> {
    let features = Features::of(Columns::from(&study.table), Vec::new());
    let by = |feature: &usize| groups::by_feature(pipeline, &features, *feature);
    let mut splits = plan.groups.iter().map(by).collect::<Result<Vec<_>>>()?;
    for (feature, from) in &plan.evaluate.by_size {
        splits.push(by_size(pipeline, study, *feature, from)?);
    }
    for together in &plan.evaluate.intersections {
        let parts = together.iter().map(by).collect::<Result<Vec<_>>>()?;
        splits.extend(parts.into_iter().reduce(|a, b| crossed(&a, &b)));
    }
    Ok(splits)
}

/// Everyone in a group of the one and a group of the other; groups that nobody is in are left out.
fn crossed(a: &Split, b: &Split) -> Split {
    let pairs: Vec<(u32, u32)> = a.of.iter().copied().zip(b.of.iter().copied()).collect();
    let places: BTreeMap<(u32, u32), u32> = pairs.iter().map(|pair| (*pair, 0)).collect();
    let places: BTreeMap<(u32, u32), u32> = places.into_keys().zip(0..).collect();
    let name = |split: &Split, group: u32| split.names.get(group as usize).cloned().unwrap_or_default();
    Split {
        name: format!("{} and {}", a.name, b.name),
        names: places.keys().map(|(first, second)| format!("{}, {}", name(a, *first), name(b, *second))).collect(),
        of: pairs.iter().map(|pair| places.get(pair).copied().unwrap_or_default()).collect(),
    }
}

/// Groups by how many people of the same as-of date share the value of a feature.
fn by_size(pipeline: &Pipeline, study: &Study, feature: usize, from: &[u64]) -> Result<Split> {
    let column = study.table.column(feature);
    let shared: Vec<Option<String>> =
        (0..column.len()).map(|row| words::written(column, row)).collect::<Result<_>>()?;
    let mut people = BTreeMap::new();
    for (as_of, value) in study.as_of.iter().zip(&shared) {
        *people.entry((as_of, value)).or_insert(0_u64) += 1;
    }
    let begins = |at: usize| at.checked_sub(1).and_then(|before| from.get(before)).copied().unwrap_or(0);
    let mut names: Vec<String> = (0..=from.len())
        .map(|at| match from.get(at) {
            Some(end) => format!("{} to {} people", begins(at), end - 1),
            None => format!("{} people or more", begins(at)),
        })
        .collect();
    names.push(NOT_RECORDED.to_owned());
    let group = |(as_of, value)| match value {
        &None => names.len() - 1,
        value => from.partition_point(|from| people.get(&(as_of, value)).is_some_and(|people| from <= people)),
    };
    // At most as many groups as sizes are declared.
    let of = study.as_of.iter().zip(&shared).map(|row| group(row) as u32).collect();
    let name = pipeline.features.get(feature).map_or("", |feature| &feature.name);
    Ok(Split { name: format!("size of {name}"), names, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_splits_make_one_in_which_everyone_has_a_place() {
        let split = |name: &str, names: [&str; 2], of: [u32; 4]| Split {
            name: name.to_owned(),
            names: names.map(str::to_owned).to_vec(),
            of: of.into(),
        };
        let both = crossed(&split("sex", ["F", "not recorded"], [0, 0, 1, 1]), &split("imd", ["1", "2"], [0, 1, 1, 1]));
        assert_eq!(both.name, "sex and imd");
        assert_eq!(both.names, ["F, 1", "F, 2", "not recorded, 2"]);
        assert_eq!(*both.of, [0, 1, 2, 2]);
    }
}
