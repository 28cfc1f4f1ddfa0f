//! Bounds on planted data: values hidden at random and not at random, and the true inequality within, every time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::disclosure::Rule;
use riskstrat::figures::Limits;
use riskstrat::figures::bounds::{Group, difference, ratio, relative, share, slope};
use riskstrat::figures::slope::fit;

/// People of a group: all, and those with the outcome.
#[derive(Clone, Copy, Default)]
struct Count {
    people: u64,
    with: u64,
}

impl Count {
    fn share(self) -> f64 {
        self.with as f64 / self.people as f64
    }

    /// As what is published leaves it: rounded counts, each of which may be off by two.
    fn shown(self, rule: Rule) -> Option<Group> {
        let span = |count: u64| {
            let [low, high] = rule.behind(rule.rounded(count)?);
            Some(Limits { low: low as f64, high: high as f64 })
        };
        Some(Group { people: span(self.people)?, with: span(self.with)? })
    }
}

/// A population: the truth by group, and what of it is recorded.
struct Planted {
    truth: Vec<Count>,
    recorded: Vec<Count>,
    unrecorded: Count,
}

fn plant(rng: &mut ChaCha8Rng, at_random: bool) -> Planted {
    let groups = rng.random_range(2..=10);
    let mut planted =
        Planted { truth: Vec::new(), recorded: vec![Count::default(); groups], unrecorded: Count::default() };
    for group in 0..groups {
        let (people, risk) = (rng.random_range(60..600_u64), rng.random_range(0.05..0.6));
        // Not at random: who has the outcome is hidden more, or less, and differently in each group.
        let [hides_with, hides_without] = match at_random {
            true => [0.2, 0.2],
            false => [rng.random_range(0.0..0.7), rng.random_range(0.0..0.7)],
        };
        let mut truth = Count { people, with: 0 };
        for _ in 0..people {
            let with = rng.random_bool(risk);
            truth.with += u64::from(with);
            let hidden = rng.random_bool(if with { hides_with } else { hides_without });
            let count = if hidden { &mut planted.unrecorded } else { &mut planted.recorded[group] };
            count.people += 1;
            count.with += u64::from(with);
        }
        planted.truth.push(truth);
    }
    planted
}

#[track_caller]
fn within(what: &str, truth: f64, limits: Limits, seed: u64) {
    let slack = 1e-9;
    assert!(
        limits.low - slack <= truth && truth <= limits.high + slack,
        "seed {seed}: the true {what} is {truth}, outside {limits:?}"
    );
}

fn check(planted: &Planted, rule: Rule, seed: u64) -> usize {
    let shown: Option<Vec<Group>> = planted.recorded.iter().map(|count| count.shown(rule)).collect();
    let Some((shown, unrecorded)) = shown.zip(planted.unrecorded.shown(rule)) else { return 0 };
    let shares: Vec<Limits> = shown.iter().map(|group| share(group, &unrecorded).unwrap()).collect();
    for (one, limits) in planted.truth.iter().zip(&shares) {
        within("share", one.share(), *limits, seed);
        for (other, others) in planted.truth.iter().zip(&shares) {
            if std::ptr::eq(one, other) {
                continue;
            }
            within("difference", one.share() - other.share(), difference(*limits, *others), seed);
            within("ratio", one.share() / other.share(), ratio(*limits, *others), seed);
        }
    }
    let groups: Vec<(f64, f64)> = planted.truth.iter().map(|count| (count.people as f64, count.share())).collect();
    let line = fit(&groups).unwrap();
    let Some(limits) = slope(&shown, &unrecorded) else { return 1 };
    within("slope index", line.slope, limits, seed);
    let everyone = planted
        .truth
        .iter()
        .fold(Count::default(), |all, one| Count { people: all.people + one.people, with: all.with + one.with });
    let all = everyone.shown(rule).unwrap();
    let mean = Limits { low: all.with.low / all.people.high, high: all.with.high / all.people.low };
    if let (Some(index), Some(limits)) = (line.relative_index(), relative(limits, mean)) {
        within("relative index", index, limits, seed);
    }
    1
}

#[test]
fn the_true_inequality_always_lies_within_the_bounds() {
    let mut told = 0;
    for seed in 0..400_u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let planted = plant(&mut rng, seed % 2 == 0);
        for rule in [Rule::Hes2018, Rule::OpenSafely, Rule::Mhsds, Rule::Below5, Rule::Threshold10] {
            told += check(&planted, rule, seed);
        }
    }
    assert!(told > 1_000, "most are told: {told}");
}

/// The ends of a share, a difference and a ratio are reached by some way to share out the unrecorded, and by none passed.
#[test]
fn the_bounds_of_two_groups_are_the_extremes_over_every_allocation() {
    let exact = |people: u64, with: u64| Group {
        people: Limits { low: people as f64, high: people as f64 },
        with: Limits { low: with as f64, high: with as f64 },
    };
    let [(n1, m1), (n2, m2), (n3, m3)] = [(30, 12), (40, 9), (7, 4)];
    let unrecorded = exact(n3, m3);
    let [one, two] = [(n1, m1), (n2, m2)].map(|(n, m)| share(&exact(n, m), &unrecorded).unwrap());
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut least_ratio, mut most_ratio) = (f64::INFINITY, 0.0_f64);
    // Each way to share the four with and the three without between the groups and a third.
    for with in (0..=m3).flat_map(|a| (0..=m3 - a).map(move |b| (a, b))) {
        for without in (0..=n3 - m3).flat_map(|a| (0..=n3 - m3 - a).map(move |b| (a, b))) {
            let rate = |n: u64, m: u64, with: u64, without: u64| (m + with) as f64 / (n + with + without) as f64;
            let (a, b) = (rate(n1, m1, with.0, without.0), rate(n2, m2, with.1, without.1));
            (least, most) = (least.min(a - b), most.max(a - b));
            (least_ratio, most_ratio) = (least_ratio.min(a / b), most_ratio.max(a / b));
        }
    }
    let (difference, ratio) = (difference(one, two), ratio(one, two));
    assert!((difference.low - least).abs() < 1e-12 && (difference.high - most).abs() < 1e-12);
    assert!((ratio.low - least_ratio).abs() < 1e-12 && (ratio.high - most_ratio).abs() < 1e-12);
}
