//! What the people of whom nothing is recorded could do to a figure: the extremes over every way to share them out.
//!
//! Manski's worst-case bounds (American Economic Review 1990). A rate is highest when everyone unrecorded with the outcome
//! is of the group and nobody without it, and lowest the other way round; two groups can be at opposite extremes at once.
//! Counts are given as the span of what they may be, since only rounded ones are known, and every bound is taken outwards.

use super::Limits;

/// What a count may be.
pub type Span = Limits;

/// People of a group, and those of them with the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    pub people: Span,
    pub with: Span,
}

impl Group {
    /// Those without the outcome.
    fn without(&self) -> Span {
        Span { low: (self.people.low - self.with.high).max(0.0), high: (self.people.high - self.with.low).max(0.0) }
    }
}

/// How low and how high the group's share with the outcome can be; none of a group that may be empty.
pub fn share(group: &Group, unrecorded: &Group) -> Option<Limits> {
    let (own, others) = (group.without(), unrecorded.without());
    let least = group.with.low / (group.with.low + own.high + others.high);
    let with = group.with.high + unrecorded.with.high;
    let most = with / (with + own.low);
    (least.is_finite() && most.is_finite()).then_some(Limits { low: least, high: most })
}

/// Share of the one less share of the other.
pub fn difference(one: Limits, other: Limits) -> Limits {
    Limits { low: one.low - other.high, high: one.high - other.low }
}

/// Share of the one over share of the other; without an upper end where the other's may be 0.
pub fn ratio(one: Limits, other: Limits) -> Limits {
    let low = if other.high > 0.0 { one.low / other.high } else { 0.0 };
    Limits { low, high: if other.low > 0.0 { one.high / other.low } else { f64::INFINITY } }
}

/// How low and how high the slope index over ordered groups can be.
///
/// The slope is 6 Σ sign(i − j) c_i k_j / N² over its spread 1 − Σ (n_i / N)³, where c are people with and k without the
/// outcome. Each pair of people counts for itself, so the sum is greatest with all unrecorded outcomes in the last group and
/// all others in the first; the spread is bounded apart, so the true slope is within, though the ends may not be reached.
pub fn slope(groups: &[Group], unrecorded: &Group) -> Option<Limits> {
    let last = groups.len().checked_sub(1).filter(|last| *last > 0)?;
    let sum = |with_to: usize, without_to: usize, sign: f64| -> f64 {
        // The greatest sum of `sign` times each pair.
        let with = |at: usize| added(groups.get(at).map(|group| group.with), unrecorded.with, at == with_to);
        let without = |at: usize| added(groups.get(at).map(Group::without), unrecorded.without(), at == without_to);
        let pairs = (0..=last).flat_map(|i| (0..=last).filter(move |j| *j != i).map(move |j| (i, j)));
        pairs
            .map(|(i, j)| {
                let counts = if (i > j) == (sign > 0.0) { 1.0 } else { -1.0 };
                let (c, k) = (with(i), without(j));
                if counts > 0.0 { c.high * k.high } else { -c.low * k.low }
            })
            .sum()
    };
    let people = |end: fn(&Span) -> f64| groups.iter().chain([unrecorded]).map(|group| end(&group.people)).sum::<f64>();
    let (fewest, most) = (people(|span| span.low), people(|span| span.high));
    let spread = spread(groups, unrecorded, fewest, most)?;
    // A sum below 0 is least extreme over the most people and the greatest spread.
    let scaled = |sum: f64| match sum >= 0.0 {
        true => 6.0 * sum / (fewest * fewest) / spread.low,
        false => 6.0 * sum / (most * most) / spread.high,
    };
    let [low, high] = [-scaled(sum(0, last, -1.0)), scaled(sum(last, 0, 1.0))];
    (low.is_finite() && high.is_finite()).then_some(Limits { low, high })
}

fn added(own: Option<Span>, unrecorded: Span, here: bool) -> Span {
    let own = own.unwrap_or(Span { low: 0.0, high: 0.0 });
    // Those that are not put here may be: only the upper end of what adds, never the lower of what takes away.
    if here { Span { low: own.low, high: own.high + unrecorded.high } } else { own }
}

/// 1 − Σ (n_i / N)³ at its least, everyone unrecorded in the largest group, and at its greatest.
fn spread(groups: &[Group], unrecorded: &Group, fewest: f64, most: f64) -> Option<Span> {
    let sizes = |end: fn(&Span) -> f64| groups.iter().map(move |group| end(&group.people));
    let cubes =
        |sizes: &mut dyn Iterator<Item = f64>, total: f64| sizes.map(|size| (size / total).powi(3)).sum::<f64>();
    let largest = sizes(|span| span.high).fold(0.0, f64::max);
    let own = cubes(&mut sizes(|span| span.high), fewest);
    let together = own - (largest / fewest).powi(3) + ((largest + unrecorded.people.high) / fewest).powi(3);
    let apart = cubes(&mut sizes(|span| span.low), most);
    let spread = Span { low: 1.0 - together, high: 1.0 - apart };
    (spread.low > 0.0).then_some(spread)
}

/// The relative index at a slope, where the mean of everyone may be within `mean`; without an end that is not above 0.
pub fn relative(slope: Limits, mean: Limits) -> Option<Limits> {
    let at = |slope: f64| {
        let of = |mean: f64| (mean + slope / 2.0) / (mean - slope / 2.0);
        let ends = [mean.low, mean.high].map(|mean| if mean - slope / 2.0 > 0.0 { of(mean) } else { f64::INFINITY });
        Limits { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]) }
    };
    let (least, most) = (at(slope.low), at(slope.high));
    least.low.is_finite().then_some(Limits { low: least.low, high: most.high })
}
