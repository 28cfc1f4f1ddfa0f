//! By how much the events of each group lie above or below what its risk says, as they did in the time before.
//!
//! Few events say little: each group's ratio is drawn to 1 by the share of its spread that chance explains (empirical Bayes;
//! the spread between groups by the moments of `DerSimonian` and Laird, Controlled Clinical Trials 1986).

/// A group's own ratio counts where so many of its people had such an event: fewer say hardly anything, and would show in it.
const PEOPLE: u64 = 20;

/// What there was in one group in the time before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    /// People with such an event.
    pub people: u64,
    /// Events or days.
    pub seen: f64,
    /// What its risk says, on the scale of all groups.
    pub expected: f64,
}

/// What to multiply by, and the variance of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    pub mean: f64,
    pub variance: f64,
}

/// The factors of the groups of one split; `noise` is the variance of what is seen, over its mean.
pub fn factors(groups: &[Before], noise: f64) -> Vec<Factor> {
    let counts = |group: &&Before| group.people >= PEOPLE && group.expected > 0.0;
    let sums = groups.iter().fold((0.0, 0.0), |(seen, expected), group| (seen + group.seen, expected + group.expected));
    let scale = if sums.1 > 0.0 && sums.0 > 0.0 { sums.0 / sums.1 } else { 1.0 };
    let own = |group: &Before| (group.seen / (group.expected * scale), noise / (group.expected * scale));
    let between = between(&groups.iter().filter(counts).map(own).collect::<Vec<_>>());
    let factor = |group: &Before| {
        if !counts(&group) {
            return Factor { mean: 1.0, variance: between };
        }
        let (ratio, chance) = own(group);
        let weight = between / (between + chance);
        Factor { mean: 1.0 + weight * (ratio - 1.0), variance: weight * chance }
    };
    let mut factors: Vec<Factor> = groups.iter().map(factor).collect();
    // What groups expect is together what all expect.
    let all: f64 = groups.iter().zip(&factors).map(|(group, factor)| group.expected * factor.mean).sum();
    let even = if all > 0.0 { sums.1 / all } else { 1.0 };
    factors.iter_mut().for_each(|factor| factor.mean *= even);
    factors
}

/// The variance between groups beyond chance, of ratios around 1 and the variance of each; one group says nothing of it.
fn between(ratios: &[(f64, f64)]) -> f64 {
    if ratios.len() < 2 {
        return 0.0;
    }
    let (mut statistic, mut weights, mut squares) = (0.0, 0.0, 0.0);
    for (ratio, chance) in ratios {
        statistic += (ratio - 1.0).powi(2) / chance;
        weights += 1.0 / chance;
        squares += chance.powi(-2);
    }
    let room = weights - squares / weights;
    if room > 0.0 { ((statistic - (ratios.len() as f64 - 1.0)) / room).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(people: u64, seen: f64, expected: f64) -> Before {
        Before { people, seen, expected }
    }

    /// Of ratios 1.5 and 0.5 with a variance of 0.01 each: (50 - 1) / (200 - 100) = 0.49 lies between them.
    #[test]
    fn what_chance_does_not_explain_counts() {
        let [high, low] = [factors(&[group(90, 150.0, 100.0), group(90, 50.0, 100.0)], 1.0)].concat()[..] else {
            panic!("two groups")
        };
        assert!((high.mean - 1.0 - 0.5 * 0.98).abs() < 1e-12 && (low.mean - 1.0 + 0.5 * 0.98).abs() < 1e-12);
        assert!((high.variance - 0.0098).abs() < 1e-12);
    }

    #[test]
    fn chance_and_few_people_change_nothing() {
        let by_chance = factors(&[group(90, 105.0, 100.0), group(90, 95.0, 100.0)], 1.0);
        assert!(by_chance.iter().all(|factor| factor.mean == 1.0 && factor.variance == 0.0));
        let few = factors(&[group(90, 150.0, 100.0), group(90, 50.0, 100.0), group(19, 10.0, 10.0)], 1.0);
        assert!((few[2].mean - 1.0).abs() < 1e-12 && few[2].variance > 0.1 && few[0].mean > 1.3);
        assert!(factors(&[group(0, 0.0, 0.0)], 1.0).iter().all(|factor| factor.mean == 1.0));
        assert!(factors(&[], 1.0).is_empty());
        let alone = factors(&[group(30, 33.0, 30.0), group(5, 4.0, 7.1)], 1.3);
        assert!(alone.iter().all(|factor| factor.mean == 1.0 && factor.variance == 0.0));
    }

    #[test]
    fn groups_expect_together_what_all_expect() {
        let groups = [group(90, 250.0, 100.0), group(90, 40.0, 100.0), group(90, 290.0, 300.0), group(3, 0.0, 50.0)];
        let factors = factors(&groups, 1.0);
        let all: f64 = groups.iter().zip(&factors).map(|(group, factor)| group.expected * factor.mean).sum();
        assert!((all - 550.0).abs() < 1e-9 && factors[0].mean > factors[2].mean && factors[2].mean > factors[1].mean);
    }

    #[test]
    fn the_scale_of_all_groups_changes_nothing() {
        let one = factors(&[group(90, 150.0, 100.0), group(90, 50.0, 100.0)], 1.0);
        let other = factors(&[group(90, 150.0, 300.0), group(90, 50.0, 300.0)], 1.0);
        assert!(one.iter().zip(&other).all(|(a, b)| (a.mean - b.mean).abs() < 1e-12));
    }
}
