//! Figures of inequality in every group, with their intervals, computed from the counts as they are shown.

use super::Compared;
use super::groups::EVERYONE;
use super::inequality::item_of;
use super::shown::{Shown, ShownFigure, ShownGroup, ShownSplit};
use crate::cohort::words::NOT_RECORDED;
use crate::disclosure::{AggregateTable, Cell, Disclosed};
use crate::error::Result;
use crate::figures::funnel::Funnel;
use crate::figures::interval::wilson;
use crate::figures::standard::{self, Band, Reference};
use crate::figures::{Figure, Z95, slope};
use crate::pipeline::decl::CompareDecl;

/// Of a base below this, none and all are not told: it might say of everyone in it that they are, or are not.
const SMALL_BASE: f64 = 20.0;

/// Stands for a figure over all groups of a split.
pub const ALL_GROUPS: &str = "all groups";

/// A percentage or a rate that is told, and none where it is not.
pub fn percent(shown: Shown) -> Option<Figure> {
    let (people, counted) = shown.both().filter(|(people, _)| *people > 0.0)?;
    if people < SMALL_BASE && (counted <= 0.0 || counted >= people) {
        return None;
    }
    let limits = wilson(counted, people, Z95).map(|end| 100.0 * end);
    Some(Figure { value: 100.0 * counted / people, limits })
}

/// A number that is computed from what is shown; `*` where that does not say it.
pub fn computed(value: Option<f64>) -> Cell {
    Cell::Count(Disclosed::computed(value))
}

/// Value, low and high.
pub fn cells(figure: Option<Figure>) -> [Cell; 3] {
    [
        computed(figure.map(|figure| figure.value)),
        computed(figure.map(|figure| figure.limits.low)),
        computed(figure.map(|figure| figure.limits.high)),
    ]
}

/// Value, low and high of a group: of a percentage, or of a mean, which has no interval.
pub fn told(group: &ShownGroup) -> (&'static str, [Cell; 3]) {
    match &group.mean {
        Some(mean) => ("mean", [mean.clone(), Cell::Empty, Cell::Empty]),
        None => ("percent", cells(percent(group.all))),
    }
}

/// `inequality_figures`: each figure in each group.
pub(super) fn table(compared: &[Compared]) -> Result<AggregateTable> {
    let header = ["figure", "split", "group", "people", "counted", "measure", "value", "low", "high"];
    let mut table = AggregateTable::new("inequality_figures", header);
    for Compared { decl, figures, .. } in compared {
        figures.iter().try_for_each(|(figure, _)| rows(decl, figure, &mut table))?;
    }
    Ok(table)
}

fn rows(compare: &CompareDecl, figure: &ShownFigure, table: &mut AggregateTable) -> Result<()> {
    let splits = || figure.splits.iter().filter(|split| item_of(&split.name).is_none());
    let groups = splits().flat_map(|split| split.groups.iter().map(|group| (split.name.as_str(), group)));
    for (split, group) in std::iter::once((EVERYONE, &figure.everyone)).chain(groups) {
        let mut row = |measure: &str, [value, low, high]: [Cell; 3]| {
            let texts = [&figure.name, split, &group.name].map(Cell::text);
            let counts = [group.people_cell.clone(), group.counted_cell.clone()];
            table.row(texts.into_iter().chain(counts).chain([Cell::text(measure), value, low, high]))
        };
        let (measure, figures) = told(group);
        row(measure, figures)?;
        if !group.bands.is_empty() {
            row("age-standardised percent", cells(directly(compare, &figure.everyone, group)))?;
            row("standardised ratio", cells(indirectly(&figure.everyone, group)))?;
        }
    }
    for split in splits().filter(|split| figure.everyone.mean.is_none() && compare.ordered.contains(&split.name)) {
        indices(&figure.name, split, table)?;
    }
    Ok(())
}

/// Age-standardised percentage; none where a band of it is hidden.
fn directly(compare: &CompareDecl, everyone: &ShownGroup, group: &ShownGroup) -> Option<Figure> {
    let bands = group.bands.iter().zip(&everyone.bands).filter(|((name, _), _)| name != NOT_RECORDED);
    let band = |((name, own), (_, all)): (&(String, Shown), &(String, Shown))| {
        let standard = match &compare.standard {
            Some(standard) => standard.people.get(name).copied().unwrap_or_default() as f64,
            None => all.people? as f64,
        };
        let (people, events) = own.both()?;
        Some(Band { people, events, standard })
    };
    let bands: Vec<Band> = bands.map(band).collect::<Option<_>>()?;
    group.all.both()?;
    let figure = standard::direct(&bands, Z95)?;
    Some(Figure { value: 100.0 * figure.value, limits: figure.limits.map(|end| (100.0 * end).clamp(0.0, 100.0)) })
}

/// Counted over what would be expected at everyone's rates by age; none where a band of it is hidden.
fn indirectly(everyone: &ShownGroup, group: &ShownGroup) -> Option<Figure> {
    let band = |((_, own), (_, all)): (&(String, Shown), &(String, Shown))| {
        let people = own.people? as f64;
        let reference = match people > 0.0 {
            true => all.both().map(|(people, events)| Reference { people, events })?,
            false => Reference { people: 0.0, events: 0.0 },
        };
        Some((people, reference))
    };
    let bands: Vec<_> = group.bands.iter().zip(&everyone.bands).map(band).collect::<Option<_>>()?;
    let (_, observed) = group.all.both()?;
    standard::ratio(observed, standard::expected(bands)?, Z95)
}

/// The groups of an ordered split as (people, percent), those recorded; none where one is hidden.
pub fn ordered(split: &ShownSplit) -> Option<Vec<(f64, f64)>> {
    let groups = split.groups.iter().filter(|group| group.name != NOT_RECORDED);
    let point = |group: &ShownGroup| {
        let (people, counted) = group.all.both()?;
        Some((people, if people > 0.0 { 100.0 * counted / people } else { 0.0 }))
    };
    groups.map(point).collect()
}

fn indices(figure: &str, split: &ShownSplit, table: &mut AggregateTable) -> Result<()> {
    let line = ordered(split).and_then(|groups| slope::fit(&groups));
    let index = line.and_then(|line| line.slope_index(Z95));
    let relative = computed(line.and_then(|line| line.relative_index()));
    let rows = [("slope index", cells(index)), ("relative index", [relative, Cell::Empty, Cell::Empty])];
    for (measure, [value, low, high]) in rows {
        let texts = [figure, &split.name, ALL_GROUPS].map(Cell::text);
        table.row(texts.into_iter().chain([Cell::Empty, Cell::Empty, Cell::text(measure), value, low, high]))?;
    }
    Ok(())
}

/// `funnel`: every provider against the average of all, and against what chance alone does at its size.
pub(super) fn funnel(compared: &[Compared]) -> Result<AggregateTable> {
    let header = [
        "figure", "split", "group", "people", "counted", "percent", "average", "low_95", "high_95", "low_998",
        "high_998", "finding",
    ];
    let mut table = AggregateTable::new("funnel", header);
    for Compared { decl, figures, .. } in compared {
        for (figure, _) in figures.iter().filter(|(figure, _)| figure.everyone.mean.is_none()) {
            let splits = figure.splits.iter().filter(|split| decl.providers.contains(&split.name));
            splits.into_iter().try_for_each(|split| providers(&figure.name, split, &mut table))?;
        }
    }
    Ok(table)
}

/// The average is of the providers together: those of no provider are not among them.
fn providers(figure: &str, split: &ShownSplit, table: &mut AggregateTable) -> Result<()> {
    let providers = || split.groups.iter().filter(|group| group.name != NOT_RECORDED);
    let both = providers().filter_map(|group| group.all.both());
    let (people, counted) = both.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    for group in providers() {
        let told = percent(group.all).zip(group.all.people).filter(|_| people > 0.0);
        let funnel = told.map(|(_, own)| Funnel::of(counted / people, own as f64));
        let finding = told.zip(funnel).map_or("", |((own, _), funnel)| funnel.finding(own.value / 100.0).words());
        let texts = [figure, &split.name, &group.name].map(Cell::text);
        let counts = [group.people_cell.clone(), group.counted_cell.clone()];
        let value = [told.map(|(own, _)| own.value), told.map(|_| 100.0 * counted / people)].map(computed);
        let limits = [funnel.map(|funnel| funnel.warning), funnel.map(|funnel| funnel.alarm)];
        let ends = limits.into_iter().flat_map(|limits| {
            [limits.map(|limits| 100.0 * limits.low), limits.map(|limits| 100.0 * limits.high)].map(computed)
        });
        table.row(texts.into_iter().chain(counts).chain(value).chain(ends).chain([Cell::text(finding)]))?;
    }
    Ok(())
}
