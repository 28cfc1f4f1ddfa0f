//! Impact: the effect of a list is planted, and each comparison is held against it, and against none; then through runs.

mod draws;
mod planted;
mod said;
mod town;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::figures::Figure;
use riskstrat::impact::estimate::{self, Unit};
use riskstrat::impact::lottery;

/// Worlds: so many of every change, others as `tests/full` asks.
fn seeds(quick: u64) -> u64 {
    std::env::var("RISKSTRAT_IMPACT_SEEDS").ok().map_or(quick, |text| text.parse().unwrap())
}

/// Of so many intervals of 95 %, as many must hold as right ones do 999 times in 1,000.
fn at_least(all: u64, held: u64) {
    let fewest = fewest(all);
    assert!(held >= fewest, "{held} of {all} hold, {fewest} must");
}

/// The same of finds of what is not there.
fn at_most(all: u64, found: u64) {
    at_least(all, all - found);
}

/// Fewer than this hold with a chance of less than 1 in 1,000, where each holds with a chance of 0.95.
fn fewest(all: u64) -> u64 {
    let (mut missed, mut chance, mut below) = (0, 0.95_f64.powf(all as f64), 0.0);
    loop {
        below += chance;
        if below >= 0.999 || missed == all {
            return all - missed;
        }
        chance *= (all - missed) as f64 / (missed + 1) as f64 * 0.05 / 0.95;
        missed += 1;
    }
}

/// The hundred fixed seeds of every change hold 95 times or more, each.
fn as_asked(all: u64, held: [u64; 3]) {
    held.into_iter().for_each(|held| at_least(all, held));
    assert!(all != 100 || held.into_iter().all(|held| held >= 95), "{held:?} of a hundred fixed seeds hold");
}

#[test]
fn right_intervals_are_not_blamed_by_chance() {
    // Binomial, 0.05: 13 or fewer of 100 with 0.99954, 73 or fewer of 1,000 with 0.99935.
    assert_eq!([fewest(1), fewest(100), fewest(1_000)], [0, 87, 927]);
}

/// Of those who are called, so many are reached.
const REACHED: f64 = 0.7;

/// A person who might be listed: their mean of admissions after, and who they are.
struct Candidate {
    mean: f64,
    /// Admissions before: what ranks them.
    before: u32,
}

fn poisson(mean: f64, dice: &mut ChaCha8Rng) -> u32 {
    let (floor, mut product, mut count) = ((-mean).exp(), dice.random::<f64>(), 0);
    while product > floor {
        product *= dice.random::<f64>();
        count += 1;
    }
    count
}

/// A world of lists: who is on which side, who was reached, what followed; and what the list changed in truth.
struct World {
    units: Vec<Unit>,
    /// Mean change for each listed person, over those listed.
    truth: f64,
    /// The same for each who was reached.
    truth_reached: f64,
    /// Admissions after less before, of each who was listed.
    changes: Vec<(u32, f64)>,
}

/// 24 recipients, 300 candidates each, ranked by a noisy risk; `effect` of the admissions of those reached do not happen.
fn world(seed: u64, effect: f64, by_lot: bool) -> World {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World { units: Vec::new(), truth: 0.0, truth_reached: 0.0, changes: Vec::new() };
    let (mut listed_people, mut reached_people) = (0.0, 0.0);
    for stratum in 0..24 {
        let mut candidates: Vec<(f64, Candidate)> = (0..300)
            .map(|_| {
                let mean = 0.2 + 3.0 * dice.random::<f64>().powi(3);
                let before = poisson(mean, &mut dice);
                (f64::from(before) + 2.0 * mean + 0.5 * dice.random::<f64>(), Candidate { mean, before })
            })
            .collect();
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (position, (_, candidate)) in candidates.into_iter().enumerate() {
            let distance = position as f64 + 0.5 - 120.0;
            let near = (60..180).contains(&position);
            let listed = if by_lot && near { dice.random_bool(0.5) } else { distance < 0.0 };
            if by_lot && !near {
                continue;
            }
            let reached = listed && dice.random_bool(REACHED);
            let averted = if reached { effect } else { 0.0 };
            let after = poisson(candidate.mean * (1.0 - averted), &mut dice);
            let person = stratum * 300 + position as u32;
            world.units.push(Unit { person, stratum, listed, reached, outcome: f64::from(after), distance });
            if listed {
                // At the cut only those near it count: the estimand of a discontinuity.
                let weight = if by_lot { 1.0 } else { (1.0 - distance.abs() / 60.0).max(0.0) };
                let at_cut = if by_lot || distance.abs() < 12.0 { weight.min(1.0) } else { 0.0 };
                world.truth -= at_cut * effect * REACHED * candidate.mean;
                world.truth_reached -= at_cut * effect * candidate.mean;
                (listed_people, reached_people) = (listed_people + at_cut, reached_people + at_cut);
                world.changes.push((person, f64::from(after) - f64::from(candidate.before)));
            }
        }
    }
    world.truth /= listed_people;
    world.truth_reached /= reached_people;
    world
}

fn holds(figure: &Figure, truth: f64) -> bool {
    (figure.limits.low..=figure.limits.high).contains(&truth)
}

fn finds(figure: &Figure) -> bool {
    !holds(figure, 0.0)
}

/// Counts over seeds: intervals that hold the truth, for each listed and for each reached, and false finds of nothing.
fn judged(all: u64, by_lot: bool, estimate: impl Fn(&[Unit]) -> estimate::Estimate) -> [u64; 4] {
    let [mut held, mut held_reached, mut found, mut false_finds] = [0; 4];
    for seed in 0..all {
        let effect = world(1_000 + seed, 0.15, by_lot);
        let estimate_of = estimate(&effect.units);
        held += u64::from(holds(&estimate_of.difference, effect.truth));
        let reached = estimate_of.for_each_reached.unwrap();
        held_reached += u64::from(holds(&reached, effect.truth_reached));
        found += u64::from(estimate_of.difference.limits.high < 0.0);
        false_finds += u64::from(finds(&estimate(&world(500_000 + seed, 0.0, by_lot).units).difference));
    }
    [held, held_reached, found, false_finds]
}

#[test]
fn the_lottery_recovers_what_was_planted() {
    // Places are drawn anew 999 times for each: fewer worlds of every change than of the cut.
    let all = seeds(25);
    let [held, reached, found, false_finds] = judged(all, true, |units| lottery::lottery(units, 0.05).unwrap());
    println!(
        "seeds 1000.. and 500000..: {held} hold for each listed, {reached} for each reached, {found} find it, {false_finds} find nothing's effect, of {all}"
    );
    as_asked(all, [held, reached, all - false_finds]);
}

#[test]
fn the_discontinuity_recovers_what_was_planted() {
    let all = seeds(100);
    let [held, reached, found, false_finds] =
        judged(all, false, |units| estimate::discontinuity(units, 60, 0.05).unwrap());
    println!(
        "seeds 1000.. and 500000..: {held} hold for each listed, {reached} for each reached, {found} find it, {false_finds} find nothing's effect, of {all}"
    );
    as_asked(all, [held, reached, all - false_finds]);
}

/// Where nothing was changed, admissions of listed people fall all the same: before and after finds an effect every time.
#[test]
fn before_and_after_is_wrong_by_regression_to_the_mean() {
    let mut wrong = 0;
    let all = seeds(100);
    for seed in 0..all {
        let nothing = world(900_000 + seed, 0.0, false);
        let naive = estimate::mean(&nothing.changes, 0.05).unwrap();
        wrong += u64::from(naive.limits.high < 0.0);
    }
    println!("seeds 900000..: before and after finds a fall {wrong} times of {all}, and there is none");
    assert_eq!(wrong, all);
}
