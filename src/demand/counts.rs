//! How many events, or days of them, there may be in a week.
//!
//! Stays come by the negative binomial distribution, which is Poisson's where the variance is the mean, and each lasts as many
//! days as stays did before: a compound distribution, summed by Panjer's recursion (ASTIN Bulletin 1981); from many on the
//! normal one. Where hardly any week can lie below, those above may be the more. The upper end is mid-P: half of its own chance
//! counts, so that intervals of small counts hold as often as they say on average (Lancaster, JASA 1961).

use crate::figures::Limits;

/// From this mean on the normal distribution is close enough.
const MANY: f64 = 400.0;

/// How many days of one stay lie in the time that is looked at; of an event that is counted, 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Lengths {
    /// The share of stays with 1, 2 and so on.
    shares: Vec<f64>,
    pub mean: f64,
    /// The mean of their squares.
    pub squares: f64,
}

impl Lengths {
    /// Of events that are counted: 1 each.
    pub fn counted() -> Self {
        Self { shares: vec![1.0], mean: 1.0, squares: 1.0 }
    }

    /// Of the days of each stay; those without any do not count.
    pub fn of(days: impl Iterator<Item = f64>) -> Self {
        let mut stays: Vec<f64> = Vec::new();
        for days in days.filter(|days| *days >= 1.0) {
            let at = days as usize - 1;
            stays.resize(stays.len().max(at + 1), 0.0);
            stays[at] += 1.0;
        }
        if stays.is_empty() {
            return Self::counted();
        }
        let all: f64 = stays.iter().sum();
        let shares: Vec<f64> = stays.into_iter().map(|count| count / all).collect();
        let moment = |power: i32| shares.iter().zip(1..).map(|(share, days)| share * f64::from(days).powi(power)).sum();
        Self { mean: moment(1), squares: moment(2), shares }
    }
}

/// Between these two counts lie `percent` of weeks; one of 80, 90 and 95. The mean is always between them, also where hardly
/// ever anything happens. `spread` is by how much more than Poisson's the number of stays varies; `unsure` the variance of the
/// mean, over its square.
pub fn interval(mean: f64, (spread, unsure): (f64, f64), lengths: &Lengths, percent: u32) -> Limits {
    if mean <= 0.0 {
        return Limits { low: 0.0, high: 0.0 };
    }
    let stays = mean / lengths.mean;
    let more = (spread - 1.0) * stays + unsure * stays * stays;
    if mean > MANY {
        let variance = stays * lengths.squares + more * lengths.mean * lengths.mean;
        let half = z(percent) * variance.sqrt();
        return Limits { low: (mean - half).max(0.0).round(), high: (mean + half).round() };
    }
    let chances = chances(stays, more, lengths);
    let outside = 1.0 - f64::from(percent) / 100.0;
    let (low, below) = quantile(&chances, outside / 2.0);
    let (high, _) = quantile(&chances, 1.0 - (outside - below));
    Limits { low: low.min(mean.floor()), high: (high - 1.0).max(mean.ceil()) }
}

/// The two-sided point of the standard normal distribution.
fn z(percent: u32) -> f64 {
    match percent {
        80 => 1.281_551_565_544_6,
        95 => crate::figures::Z95,
        _ => 1.644_853_626_951_472_7,
    }
}

/// The chance of 0, 1, 2 and so on, as far as there is any; of so many stays on average, whose variance is by so much `more`.
fn chances(stays: f64, more: f64, lengths: &Lengths) -> Vec<f64> {
    // Panjer's a and b, and the chance of no stay.
    let (a, b, none) = if more > 1e-9 * stays {
        let (beta, size) = (more / stays, stays * stays / more);
        (beta / (1.0 + beta), (size - 1.0) * beta / (1.0 + beta), (-size * beta.ln_1p()).exp())
    } else {
        (0.0, stays, (-stays).exp())
    };
    let deviation = (stays * lengths.squares + more * lengths.mean * lengths.mean).sqrt();
    // So far beyond the mean there is nothing left to count.
    let end = (stays * lengths.mean + 60.0 * deviation + 60.0) as usize;
    let mut chances = vec![none];
    let mut sum = none;
    while sum < 1.0 - 1e-9 && chances.len() < end {
        let n = chances.len();
        let of = |(share, days): (&f64, usize)| (a + b * days as f64 / n as f64) * share * chances[n - days];
        let chance = lengths.shares.iter().zip(1..=n).map(of).sum();
        sum += chance;
        chances.push(chance);
    }
    chances
}

/// The first count below which, with half of its own chance, there is at least this share; and the chance of less than it.
fn quantile(chances: &[f64], share: f64) -> (f64, f64) {
    let mut below = 0.0;
    for (count, chance) in chances.iter().enumerate() {
        if below + chance / 2.0 >= share {
            return (count as f64, below);
        }
        below += chance;
    }
    (chances.len() as f64, below)
}

/// By how much more than Poisson's the weeks of each series vary around their own mean: Pearson's statistic over its
/// degrees of freedom, never below 1.
pub fn dispersion(series: &[Vec<f64>]) -> f64 {
    let (mut statistic, mut free) = (0.0, 0.0);
    for weeks in series {
        let mean = weeks.iter().sum::<f64>() / weeks.len() as f64;
        if mean > 0.0 {
            statistic += weeks.iter().map(|count| (count - mean).powi(2) / mean).sum::<f64>();
            free += weeks.len() as f64 - 1.0;
        }
    }
    if free > 0.0 { (statistic / free).max(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Poisson's distribution with mean 10, 0.0671 lie below 6, so 0.0329 may be above: 0.0270 lie above 16, 0.0487 above 15.
    #[test]
    fn ends_are_where_the_chances_are() {
        let ends = |mean, spread, percent| interval(mean, (spread, 0.0), &Lengths::counted(), percent);
        assert_eq!(ends(10.0, 1.0, 90), Limits { low: 6.0, high: 16.0 });
        assert_eq!(ends(0.0, 1.0, 90), Limits { low: 0.0, high: 0.0 });
        assert_eq!(ends(0.05, 1.0, 90), Limits { low: 0.0, high: 1.0 });
        assert_eq!(ends(1_000.0, 1.0, 95), Limits { low: 938.0, high: 1_062.0 });
        let wide = ends(10.0, 4.0, 90);
        assert!(wide.low < 4.0 && wide.high > 18.0, "{wide:?}");
        assert!((ends(399.0, 1.0, 90).high - ends(401.0, 1.0, 90).high).abs() <= 4.0);
    }

    /// No week lies below nothing, so all that is left out may be above: with mean 2, 0.8571 lie up to 3 and 0.9473 up to 4.
    #[test]
    fn what_cannot_lie_below_may_lie_above() {
        assert_eq!(interval(2.0, (1.0, 0.0), &Lengths::counted(), 90), Limits { low: 0.0, high: 3.0 });
        assert_eq!(interval(2.0, (1.0, 0.0), &Lengths::counted(), 95), Limits { low: 0.0, high: 4.0 });
    }

    /// Stays of 1 and of 3 days, 2 on average: no day has the chance e^-2, one has e^-2 (one short stay), two e^-2 / 2.
    #[test]
    fn days_come_by_the_stay() {
        let lengths = Lengths::of([1.0, 3.0, 0.0].into_iter());
        assert_eq!((lengths.mean, lengths.squares), (2.0, 5.0));
        let chances = chances(2.0, 0.0, &lengths);
        let none = f64::exp(-2.0);
        for (chance, expected) in chances.iter().zip([none, none, none / 2.0, none * (1.0 + 1.0 / 6.0)]) {
            assert!((chance - expected).abs() < 1e-12, "{chances:?}");
        }
        let mean: f64 = chances.iter().enumerate().map(|(days, chance)| days as f64 * chance).sum();
        assert!((mean - 4.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_unsure_makes_it_wider() {
        let lengths = Lengths::of([1.0, 3.0].into_iter());
        let chances = chances(10.0, 10.0, &lengths);
        let moment = |power| chances.iter().enumerate().map(|(n, chance)| (n as f64).powi(power) * chance).sum::<f64>();
        assert!((moment(1) - 20.0).abs() < 1e-4 && (moment(2) - 400.0 - (10.0 * 5.0 + 10.0 * 4.0)).abs() < 1e-2);
        let ends = |unsure| interval(20.0, (1.0, unsure), &lengths, 90);
        assert!(ends(0.1).high > ends(0.0).high && ends(0.1).low < ends(0.0).low);
    }

    #[test]
    fn weeks_that_vary_more_than_chance_are_found() {
        assert!((dispersion(&[vec![1.0, 3.0], vec![2.0, 2.0]]) - 1.0).abs() < 1e-12);
        assert!((dispersion(&[vec![0.0, 20.0]]) - 20.0).abs() < 1e-12);
        assert!((dispersion(&[vec![0.0, 0.0]]) - 1.0).abs() < 1e-12);
    }
}
