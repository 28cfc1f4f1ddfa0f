//! How far every inequality could move if the unrecorded were known, beside the figure as it is: the extremes over every way
//! to share them out, and what they would be if they were like the recorded.

use super::Compared;
use super::at_random::Share;
use super::comparison::{ALL_GROUPS, computed, ordered, percent};
use super::shown::{ShownGroup, ShownSplit};
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell, Rule};
use crate::error::Result;
use crate::figures::Limits;
use crate::figures::bounds::{self, Group, Span};
use crate::figures::slope;
use crate::pipeline::decl::CompareDecl;

/// A split with what may be known of its unrecorded.
struct Scene<'a> {
    rule: Rule,
    figure: &'a str,
    split: &'a ShownSplit,
    /// By group of the split; what would fall to it.
    shares: Vec<Share>,
    unrecorded: Group,
    everyone: Group,
}

/// What of a group is told beside its percentage.
#[derive(Clone, Copy)]
struct Told {
    value: f64,
    bounds: Option<Limits>,
    at_random: f64,
}

/// `bounds`: each percentage, and each difference and ratio of two groups, with its extremes.
pub(super) fn table(rule: Rule, compared: &[Compared]) -> Result<AggregateTable> {
    let header = ["figure", "split", "group", "compared_with", "measure", "value", "lowest", "highest", "at_random"];
    let mut table = AggregateTable::new("bounds", header);
    for Compared { decl, figures, .. } in compared {
        for (figure, tally) in figures.iter().filter(|(figure, _)| figure.everyone.mean.is_none()) {
            let Some(everyone) = group(rule, &figure.everyone) else { continue };
            for split in figure.splits.iter().filter(|split| decl.by.contains(&split.name)) {
                let shares = tally.groups.iter().filter(|group| group.split == split.name);
                let unrecorded = unrecorded(rule, split, &everyone);
                let shares = shares.map(|group| group.at_random).collect();
                Scene { rule, figure: &figure.name, split, shares, unrecorded, everyone }.rows(decl, &mut table)?;
            }
        }
    }
    Ok(table)
}

/// What the counts of a group may be; none where one is hidden.
fn group(rule: Rule, shown: &ShownGroup) -> Option<Group> {
    Some(Group { people: span(rule, shown.all.people?), with: span(rule, shown.all.counted?) })
}

fn span(rule: Rule, shown: u64) -> Span {
    let [low, high] = rule.behind(shown);
    Span { low: low as f64, high: high as f64 }
}

/// Of the unrecorded what is shown, and where that is hidden, what everyone leaves for them.
fn unrecorded(rule: Rule, split: &ShownSplit, everyone: &Group) -> Group {
    let (own, others): (Vec<_>, Vec<_>) = split.groups.iter().partition(|group| group.name == NOT_RECORDED);
    let own = own.first().map(|group| group.all);
    let left = |shown: Option<u64>, all: f64, of: &dyn Fn(&ShownGroup) -> Option<u64>| match shown {
        Some(shown) => span(rule, shown),
        None => {
            let known: f64 = others.iter().filter_map(|group| of(group)).map(|shown| span(rule, shown).low).sum();
            Span { low: 0.0, high: (all - known).max(0.0) }
        }
    };
    let people = left(own.and_then(|own| own.people), everyone.people.high, &|group| group.all.people);
    let with = left(own.and_then(|own| own.counted), everyone.with.high, &|group| group.all.counted);
    Group { people, with: Span { low: with.low, high: with.high.min(people.high) } }
}

impl Scene<'_> {
    fn rows(&self, compare: &CompareDecl, table: &mut AggregateTable) -> Result<()> {
        let recorded: Vec<(&ShownGroup, Option<Told>)> = self
            .split
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.name != NOT_RECORDED)
            .map(|(at, group)| (group, self.told(at, group)))
            .collect();
        let reference = match compare.against.get(&self.split.name) {
            Some(named) => recorded.iter().find(|(group, _)| group.name == *named),
            // Of several as large as each other the first.
            None => recorded.iter().rev().max_by_key(|(group, _)| group.all.people),
        };
        for (group, told) in &recorded {
            self.row(&group.name, "", "percent", *told, table)?;
            let Some((other, others)) = reference.filter(|(other, _)| other.name != group.name) else { continue };
            let pair = told.zip(*others);
            let difference = pair.map(|(one, other)| Told {
                value: one.value - other.value,
                bounds: one.bounds.zip(other.bounds).map(|(one, other)| bounds::difference(one, other)),
                at_random: one.at_random - other.at_random,
            });
            self.row(&group.name, &other.name, "difference", difference, table)?;
            let ratio = pair.filter(|(_, other)| other.value > 0.0).map(|(one, other)| Told {
                value: one.value / other.value,
                bounds: one.bounds.zip(other.bounds).map(|(one, other)| bounds::ratio(one, other)),
                at_random: one.at_random / other.at_random,
            });
            self.row(&group.name, &other.name, "ratio", ratio, table)?;
        }
        if compare.ordered.contains(&self.split.name) {
            let (index, relative) = self.indices().unzip();
            self.row(ALL_GROUPS, "", "slope index", index, table)?;
            self.row(ALL_GROUPS, "", "relative index", relative.flatten(), table)?;
        }
        Ok(())
    }

    /// A group's percentage; none where it is not told.
    fn told(&self, at: usize, shown: &ShownGroup) -> Option<Told> {
        let value = percent(shown.all)?.value;
        let bounds =
            bounds::share(&group(self.rule, shown)?, &self.unrecorded).map(|bounds| bounds.map(|end| 100.0 * end));
        Some(Told { value, bounds, at_random: 100.0 * self.at_random(at, shown)?.1 })
    }

    /// People and share with those unrecorded who would fall to the group, in steps of 5 as counts are.
    fn at_random(&self, at: usize, shown: &ShownGroup) -> Option<(f64, f64)> {
        let share = self.shares.get(at).copied().unwrap_or_default();
        let in_fives = |expected: f64| (expected / 5.0).round() * 5.0;
        let (people, counted) = shown.all.both()?;
        let people = people + in_fives(share.people);
        let counted = (counted + in_fives(share.counted)).min(people);
        Some((people, if people > 0.0 { counted / people } else { 0.0 }))
    }

    fn indices(&self) -> Option<(Told, Option<Told>)> {
        let recorded = || self.split.groups.iter().enumerate().filter(|(_, group)| group.name != NOT_RECORDED);
        let line = slope::fit(&ordered(self.split)?)?;
        let groups: Vec<Group> = recorded().map(|(_, shown)| group(self.rule, shown)).collect::<Option<_>>()?;
        let bounds = bounds::slope(&groups, &self.unrecorded);
        let random: Vec<(f64, f64)> = recorded().map(|(at, group)| self.at_random(at, group)).collect::<Option<_>>()?;
        let random = slope::fit(&random)?;
        let percent = |limits: Limits| limits.map(|end| 100.0 * end);
        let index = Told { value: line.slope, bounds: bounds.map(percent), at_random: 100.0 * random.slope };
        let Group { people, with } = self.everyone;
        let mean = Limits { low: with.low / people.high, high: with.high / people.low };
        let relative = line.relative_index().zip(random.relative_index()).map(|(value, at_random)| Told {
            value,
            bounds: bounds.and_then(|slope| bounds::relative(slope, mean)),
            at_random,
        });
        Some((index, relative))
    }

    fn row(
        &self,
        group: &str,
        other: &str,
        measure: &str,
        told: Option<Told>,
        table: &mut AggregateTable,
    ) -> Result<()> {
        let ends = |end: fn(&Limits) -> f64| match told {
            None => computed(None),
            Some(told) => match told.bounds.as_ref().map(end).filter(|end| end.is_finite()) {
                Some(end) => computed(Some(end)),
                None => Cell::text("no limit"),
            },
        };
        let compared = if other.is_empty() { Cell::Empty } else { Cell::text(other) };
        // What is expected lies between the extremes, which rounding might have crossed.
        let at_random = told.map(|told| match told.bounds {
            Some(Limits { low, high }) if low <= high => told.at_random.clamp(low, high),
            _ => told.at_random,
        });
        let texts = [self.figure, &self.split.name, group].map(Cell::text);
        let value = computed(told.map(|told| told.value));
        let ends = [ends(|limits| limits.low), ends(|limits| limits.high), computed(at_random)];
        table.row(texts.into_iter().chain([compared, Cell::text(measure), value]).chain(ends))
    }
}
