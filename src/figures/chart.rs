//! A figure from run to run: the individuals chart, its limits, and the rules that say when it moved by more than chance.
//!
//! Limits are the mean ± 2.66 times the mean moving range (Shewhart 1931; Wheeler, Understanding Variation, 1993). The
//! rules are those of the Western Electric Statistical Quality Control Handbook (1956), and Nelson's for a trend (Journal
//! of Quality Technology 1984).

use super::Limits;

/// Fewer points than this say nothing of what is usual.
pub const FEWEST_POINTS: usize = 8;

/// 3 over the constant that makes a mean moving range a standard deviation (1.128).
const LIMIT: f64 = 2.66;

/// Points in a row on one side of the mean.
const SHIFT: usize = 8;

/// Points in a row, each above or each below the one before.
const TREND: usize = 6;

/// What is usual for a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    pub mean: f64,
    pub limits: Limits,
}

/// A rule that a point breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    OutsideLimits,
    Shift,
    Trend,
    NearALimit,
}

impl Rule {
    pub const ALL: [Self; 4] = [Self::OutsideLimits, Self::Shift, Self::Trend, Self::NearALimit];

    pub fn words(self) -> &'static str {
        match self {
            Self::OutsideLimits => "outside the limits",
            Self::Shift => "run of 8 on one side of the mean",
            Self::Trend => "trend of 6",
            Self::NearALimit => "2 of 3 near a limit",
        }
    }
}

/// Mean and limits of the points, oldest first; none of too few.
pub fn usual(points: &[f64]) -> Option<Usual> {
    if points.len() < FEWEST_POINTS {
        return None;
    }
    let mean = points.iter().sum::<f64>() / points.len() as f64;
    let steps: Vec<f64> = points.windows(2).filter_map(|pair| Some((pair.last()? - pair.first()?).abs())).collect();
    let range = LIMIT * steps.iter().sum::<f64>() / steps.len() as f64;
    Some(Usual { mean, limits: Limits { low: mean - range, high: mean + range } })
}

/// What is usual for the points that are shown, oldest first, and by point what it breaks, in words; nothing of a hidden one.
pub fn told(points: &[Option<f64>]) -> (Option<Usual>, Vec<String>) {
    let shown: Vec<f64> = points.iter().copied().flatten().collect();
    let usual = usual(&shown);
    let mut at = 0;
    let mut finding = |point: &Option<f64>| {
        let broken = match (&usual, point) {
            (Some(usual), Some(_)) => broken(&shown, at, usual),
            _ => Vec::new(),
        };
        at += usize::from(point.is_some());
        broken.into_iter().map(Rule::words).collect::<Vec<&str>>().join("; ")
    };
    let findings = points.iter().map(&mut finding).collect();
    (usual, findings)
}

/// The rules that the point `at` breaks, as the last of its run.
pub fn broken(points: &[f64], at: usize, usual: &Usual) -> Vec<Rule> {
    let so_far = points.get(..=at).unwrap_or_default();
    let last = |count: usize| so_far.len().checked_sub(count).and_then(|from| so_far.get(from..));
    let holds = |rule: &Rule| match rule {
        Rule::OutsideLimits => last(1).is_some_and(|one| one.iter().any(|value| usual.is_outside(*value))),
        Rule::Shift => last(SHIFT).is_some_and(|run| {
            run.iter().all(|value| *value > usual.mean) || run.iter().all(|value| *value < usual.mean)
        }),
        Rule::Trend => last(TREND).is_some_and(|run| run.is_sorted_by(|a, b| a < b) || run.is_sorted_by(|a, b| a > b)),
        Rule::NearALimit => last(3).is_some_and(|three| usual.two_near_a_limit(three)),
    };
    Rule::ALL.into_iter().filter(holds).collect()
}

impl Usual {
    fn is_outside(&self, value: f64) -> bool {
        value < self.limits.low || value > self.limits.high
    }

    /// Two of these beyond two thirds of the way from the mean to the same limit, the last of them among them.
    fn two_near_a_limit(&self, three: &[f64]) -> bool {
        let reach = 2.0 * (self.limits.high - self.mean) / 3.0;
        let near = |is_near: &dyn Fn(f64) -> bool| {
            three.last().is_some_and(|last| is_near(*last))
                && three.iter().filter(|value| is_near(**value)).count() >= 2
        };
        near(&|value| value > self.mean + reach) || near(&|value| value < self.mean - reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight quiet points: mean 10, every step 2, limits 10 ± 5.32.
    const QUIET: [f64; 8] = [9.0, 11.0, 9.0, 11.0, 9.0, 11.0, 9.0, 11.0];

    fn quiet() -> Usual {
        usual(&QUIET).unwrap()
    }

    #[test]
    fn limits_are_the_mean_and_266_moving_ranges() {
        let usual = quiet();
        assert!((usual.mean - 10.0).abs() < 1e-12);
        assert!((usual.limits.low - 4.68).abs() < 1e-12 && (usual.limits.high - 15.32).abs() < 1e-12);
        assert_eq!(super::usual(&QUIET[..7]), None);
        assert!((0..8).all(|at| broken(&QUIET, at, &usual).is_empty()));
    }

    #[test]
    fn each_rule_is_broken_by_its_own_pattern_alone() {
        let usual = quiet();
        let last = |points: &[f64]| broken(points, points.len() - 1, &usual);
        assert_eq!(last(&[9.0, 15.4]), [Rule::OutsideLimits]);
        assert_eq!(last(&[10.5, 11.0, 10.4, 10.9, 10.3, 11.0, 10.2, 10.5]), [Rule::Shift]);
        assert_eq!(last(&[9.0, 10.5, 11.0, 10.4, 10.9, 10.3, 11.0, 10.2]), []);
        assert_eq!(last(&[8.0, 8.5, 9.0, 9.5, 10.5, 11.0]), [Rule::Trend]);
        assert_eq!(last(&[8.0, 8.5, 9.0, 9.0, 10.5, 11.0]), []);
        assert_eq!(last(&[14.0, 9.0, 14.0]), [Rule::NearALimit]);
        assert_eq!(last(&[14.0, 14.0, 9.0]), [], "the last one is not near");
        assert_eq!(last(&[14.0, 9.0, 6.0]), [], "not near the same limit");
    }
}
