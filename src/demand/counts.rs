//! How many events there may be in a week of which the mean and the variance are known.
//!
//! By the negative binomial distribution, which is Poisson's where the variance is the mean; from many events on by the
//! normal one. The ends are mid-P: half of the chance of the end itself counts, so that intervals of small counts hold as
//! often as they say on average (Lancaster, JASA 1961).

use crate::figures::Limits;

/// From this mean on the normal distribution is close enough.
const MANY: f64 = 400.0;

/// Between these two counts lie `percent` of weeks; one of 80, 90 and 95. The mean is always between them, also where hardly
/// ever anything happens.
pub fn interval(mean: f64, variance: f64, percent: u32) -> Limits {
    if mean <= 0.0 {
        return Limits { low: 0.0, high: 0.0 };
    }
    if mean > MANY {
        let half = z(percent) * variance.max(mean).sqrt();
        return Limits { low: (mean - half).max(0.0).round(), high: (mean + half).round() };
    }
    let tail = (1.0 - f64::from(percent) / 100.0) / 2.0;
    let high = (quantile(mean, variance, 1.0 - tail) - 1.0).max(mean.ceil());
    Limits { low: quantile(mean, variance, tail).min(mean.floor()), high }
}

/// The two-sided point of the standard normal distribution.
fn z(percent: u32) -> f64 {
    match percent {
        80 => 1.281_551_565_544_6,
        95 => crate::figures::Z95,
        _ => 1.644_853_626_951_472_7,
    }
}

/// The first count below which, with half of its own chance, there is at least this share.
fn quantile(mean: f64, variance: f64, share: f64) -> f64 {
    let more = variance - mean;
    // Of so many failures; none where the variance is the mean.
    let size = (more > 1e-9 * mean).then(|| mean * mean / more);
    let mut chance = match size {
        Some(size) => (size * (size / (size + mean)).ln()).exp(),
        None => (-mean).exp(),
    };
    let (mut below, mut count) = (0.0, 0.0);
    // So far beyond the mean there is nothing left to count.
    let end = mean + 60.0 * variance.max(mean).sqrt() + 60.0;
    while below + chance / 2.0 < share && count < end {
        below += chance;
        chance *= match size {
            Some(size) => (count + size) / (count + 1.0) * mean / (size + mean),
            None => mean / (count + 1.0),
        };
        count += 1.0;
    }
    count
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

    /// Of Poisson's distribution with mean 10, 0.0293 lie below 5 and 0.0378 are 5; 0.9165 lie up to 14 and 0.0347 are 15.
    #[test]
    fn ends_are_where_the_chances_are() {
        assert_eq!(interval(10.0, 10.0, 90), Limits { low: 6.0, high: 15.0 });
        assert_eq!(interval(0.0, 0.0, 90), Limits { low: 0.0, high: 0.0 });
        assert_eq!(interval(0.05, 0.05, 90), Limits { low: 0.0, high: 1.0 });
        assert_eq!(interval(1_000.0, 1_000.0, 95), Limits { low: 938.0, high: 1_062.0 });
        let wide = interval(10.0, 40.0, 90);
        assert!(wide.low < 4.0 && wide.high > 20.0, "{wide:?}");
        assert!((interval(399.0, 399.0, 90).high - interval(401.0, 401.0, 90).high).abs() <= 4.0);
    }

    #[test]
    fn weeks_that_vary_more_than_chance_are_found() {
        assert!((dispersion(&[vec![1.0, 3.0], vec![2.0, 2.0]]) - 1.0).abs() < 1e-12);
        assert!((dispersion(&[vec![0.0, 20.0]]) - 20.0).abs() < 1e-12);
        assert!((dispersion(&[vec![0.0, 0.0]]) - 1.0).abs() < 1e-12);
    }
}
