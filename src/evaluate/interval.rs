//! How sure an estimate is: 95 % intervals in closed form where one is exact enough, else by a bootstrap of people.

use std::fmt;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::sample::{Level, Sample};
use crate::figures;
pub use crate::figures::Z95;

/// A value, with its 95 % interval where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub interval: Option<Interval>,
}

/// `0.731 (0.678 to 0.784)`
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.value)?;
        self.interval.map_or(Ok(()), |it| write!(f, " ({:.3} to {:.3})", it.low, it.high))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    pub by: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// DeLong, DeLong and Clarke-Pearson, Biometrics 1988.
    Delong,
    /// Estimate ± z × standard error.
    Wald,
    /// Wilson's score interval of a share, JASA 1927.
    Wilson,
    /// Percentiles of a bootstrap of people.
    Bootstrap,
}

/// How often people are drawn anew, and from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// 0 gives no interval where there is none in closed form.
    pub replicates: u32,
    pub seed: u64,
}

/// A measure of everyone by score; none where it is not defined.
pub type Measure<'a> = &'a (dyn Fn(&[Level]) -> Option<f64> + Sync);

/// Estimate ± z × standard error, kept within the bounds of what is measured.
pub fn around(value: f64, error: f64, [lowest, highest]: [f64; 2], by: Method) -> Interval {
    Interval { low: (value - Z95 * error).max(lowest), high: (value + Z95 * error).min(highest), by }
}

/// Wilson's interval of a share.
pub fn wilson(part: f64, whole: f64) -> Interval {
    let figures::Limits { low, high } = figures::interval::wilson(part, whole, Z95);
    Interval { low, high, by: Method::Wilson }
}

/// A share with Wilson's interval; none of nobody.
pub fn share(part: f64, whole: f64) -> Option<Estimate> {
    (whole > 0.0).then(|| Estimate { value: part / whole, interval: Some(wilson(part, whole)) })
}

/// Each measure with its closed interval, or where it has none with that of a bootstrap.
pub fn estimates(sample: &Sample, options: Bootstrap, asked: &[(Measure, Option<Interval>)]) -> Vec<Option<Estimate>> {
    let open: Vec<Measure> = asked.iter().filter(|(_, closed)| closed.is_none()).map(|(measure, _)| *measure).collect();
    let mut drawn = bootstrap(sample, options, &open).into_iter();
    let estimate = |(measure, closed): &(Measure, Option<Interval>)| {
        let interval = closed.or_else(|| drawn.next().flatten());
        measure(sample.levels()).map(|value| Estimate { value, interval })
    };
    asked.iter().map(estimate).collect()
}

/// 2.5th and 97.5th percentile of each measure over samples of people drawn with replacement.
///
/// Each replicate has a random stream of its own, so threads change nothing; none where a measure is undefined in more
/// than one replicate of ten.
pub fn bootstrap(sample: &Sample, options: Bootstrap, measures: &[Measure]) -> Vec<Option<Interval>> {
    let replicates = options.replicates as usize;
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(replicates.max(1));
    let mut drawn: Vec<Vec<Option<f64>>> = vec![Vec::new(); replicates];
    std::thread::scope(|scope| {
        for (worker, part) in drawn.chunks_mut(replicates.div_ceil(workers).max(1)).enumerate() {
            let first = worker * replicates.div_ceil(workers);
            scope.spawn(move || {
                for (at, values) in part.iter_mut().enumerate() {
                    let levels = replicate(sample, options.seed, (first + at) as u64);
                    *values = measures.iter().map(|measure| measure(&levels)).collect();
                }
            });
        }
    });
    (0..measures.len()).map(|measure| percentiles(&drawn, measure)).collect()
}

/// As many people as there are, drawn with replacement.
fn replicate(sample: &Sample, seed: u64, stream: u64) -> Vec<Level> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    let mut times = vec![0_u32; sample.people()];
    for _ in 0..sample.people() {
        let person = ((u128::from(random.next_u64()) * sample.people() as u128) >> 64) as usize;
        if let Some(times) = times.get_mut(person) {
            *times += 1;
        }
    }
    sample.drawn(|person| times.get(person).copied().unwrap_or_default())
}

fn percentiles(drawn: &[Vec<Option<f64>>], measure: usize) -> Option<Interval> {
    let mut values: Vec<f64> = drawn.iter().filter_map(|values| values.get(measure).copied().flatten()).collect();
    values.retain(|value| value.is_finite());
    if values.is_empty() || values.len() * 10 < drawn.len() * 9 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some(Interval { low: quantile(&values, 0.025), high: quantile(&values, 0.975), by: Method::Bootstrap })
}

/// Of sorted values, between neighbours in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().saturating_sub(1)) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let value = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
    value(below) + (value(above) - value(below)) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Row, totals};
    use super::*;

    #[test]
    fn a_share_has_wilsons_interval() {
        // Worked by hand from Wilson's formula: 8 of 10 (Newcombe, Stat Med 1998, method 3, gives 0.4902 to 0.9433).
        let estimate = share(8.0, 10.0).unwrap();
        let interval = estimate.interval.unwrap();
        assert!(
            (interval.low - 0.490_162_5).abs() < 1e-6 && (interval.high - 0.943_317_8).abs() < 1e-6,
            "{interval:?}"
        );
        assert_eq!(share(0.0, 10.0).unwrap().interval.unwrap().low, 0.0);
        assert_eq!(share(10.0, 10.0).unwrap().interval.unwrap().high, 1.0);
        assert_eq!(share(0.0, 0.0), None);
    }

    #[test]
    fn a_bootstrap_is_the_same_each_time_and_draws_people() {
        let row = |person: u32| Row { score: f64::from(person), outcome: person < 30, weight: 1.0, person };
        let sample = Sample::new((0..100).map(row).collect()).unwrap();
        let prevalence: Measure = &|levels| {
            let (people, events) = totals(levels);
            Some(events / people)
        };
        let size: Measure = &|levels| Some(totals(levels).0);
        let never: Measure = &|_| None;
        let options = Bootstrap { replicates: 400, seed: 11 };
        let intervals = bootstrap(&sample, options, &[prevalence, size, never]);
        assert_eq!(intervals, bootstrap(&sample, options, &[prevalence, size, never]));
        let [Some(share), Some(size), None] = intervals[..] else { panic!("{intervals:?}") };
        assert_eq!((size.low, size.high), (100.0, 100.0));
        // A binomial of 100 at 0.3: 0.3 ± 1.96 × 0.0458.
        assert!((share.low - 0.21).abs() <= 0.02 && (share.high - 0.39).abs() <= 0.02, "{share:?}");
        assert_eq!(bootstrap(&sample, Bootstrap { replicates: 0, seed: 1 }, &[prevalence]), [None]);
    }
}
