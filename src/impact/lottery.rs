//! What a place changed of those for whom it was drawn, by the very chance that drew it.
//!
//! The draw is ours, so what it could have been is known: the same places are drawn anew some thousand times, from a fixed
//! seed. A value of the effect is refused where, once it is taken off what followed, winners and losers are further apart
//! than in all but so many of those draws (Fisher 1935; Garthwaite, Biometrics 1996, for the interval). Where places change
//! the same for everyone, this is exact whatever outcomes are like: skewed, rare, of few people. Distances are in standard
//! errors that allow for unequal variances, so that it also holds on average, in large draws, where places change more for
//! some than for others (Wu and Ding, JASA 2021, doi 10.1080/01621459.2020.1750415). Draws are apart from each other: one
//! person in two of them is drawn twice.
//!
//! For each person reached, an effect of being reached is taken off in place of one of being listed (Imbens and Rosenbaum,
//! J R Stat Soc A 2005).

use std::collections::BTreeMap;

use super::estimate::{CLEARLY_REACHED, Estimate, FEWEST, Unit, as_listed, as_reached};
use crate::figures::{Figure, Limits};

/// So many of the draws may be beyond either end of an interval: how often it is drawn follows from the share that may miss.
const BEYOND: usize = 25;

/// Halvings of the way between the estimate and an end of its interval.
const STEPS: usize = 24;

/// A smaller difference is one of rounding.
const NOTHING: f64 = 1e-9;

/// Places that were drawn by lot, each draw compared within itself; none of too few people. Of all such intervals a share of
/// `miss` does not hold the truth, or less.
pub fn lottery(units: &[Unit], miss: f64) -> Option<Estimate> {
    let listed = Draws::of(units, as_listed).filter(Draws::is_enough)?;
    let [winners, losers] = listed.sides();
    let figure = |draws: Draws| {
        let seen = draws.seen();
        let limits = limits(&seen, &draws.anew(miss))?;
        Some(Figure { value: seen.ratio(), limits })
    };
    let reached = Draws::of(units, as_reached).filter(|draws| draws.seen().is_clear());
    let difference = figure(listed)?;
    Some(Estimate { listed: winners, others: losers, difference, for_each_reached: reached.and_then(figure) })
}

/// Whether there is anything to compare.
pub fn is_enough(units: &[Unit]) -> bool {
    Draws::of(units, as_listed).is_some_and(|draws| draws.is_enough())
}

/// One list of one recipient.
struct Draw {
    won: usize,
    /// Outcome and dose, each less its mean in the draw; winners first.
    people: Vec<[f64; 2]>,
    /// Of all of them: [`products`].
    total: [f64; 3],
}

struct Draws(Vec<Draw>);

impl Draws {
    /// Those in which somebody won and somebody lost; none where there are none.
    fn of(units: &[Unit], dose: fn(&Unit) -> f64) -> Option<Self> {
        let mut strata: BTreeMap<u32, Vec<&Unit>> = BTreeMap::new();
        units.iter().for_each(|unit| strata.entry(unit.stratum).or_default().push(unit));
        let draw = |mut units: Vec<&Unit>| {
            units.sort_by_key(|unit| !unit.listed);
            let won = units.iter().filter(|unit| unit.listed).count();
            let mean = |of: &dyn Fn(&Unit) -> f64| units.iter().map(|unit| of(unit)).sum::<f64>() / units.len() as f64;
            let (outcome, mean_dose) = (mean(&|unit| unit.outcome), mean(&dose));
            let people: Vec<_> = units.iter().map(|unit| [unit.outcome - outcome, dose(unit) - mean_dose]).collect();
            let total = people.iter().fold([0.0; 3], |sums, person| plus(sums, products(*person)));
            (0 < won && won < people.len()).then_some(Draw { won, people, total })
        };
        let draws: Vec<Draw> = strata.into_values().filter_map(draw).collect();
        (!draws.is_empty()).then_some(Self(draws))
    }

    fn sides(&self) -> [u64; 2] {
        let winners = self.0.iter().map(|draw| draw.won).sum::<usize>();
        [winners as u64, (self.0.iter().map(|draw| draw.people.len()).sum::<usize>() - winners) as u64]
    }

    fn is_enough(&self) -> bool {
        self.sides().into_iter().all(|people| people >= FEWEST as u64)
    }

    /// What the same places show when they are drawn anew, as often as the share that may miss asks for.
    fn anew(mut self, miss: f64) -> Vec<Seen> {
        let mut chance = Chance(0);
        let times = (2.0 * BEYOND as f64 / miss).ceil() as usize - 1;
        let mut draw = || {
            for Draw { won, people, .. } in &mut self.0 {
                for place in 0..*won {
                    let left = people.len() - place;
                    people.swap(place, place + chance.below(left));
                }
            }
            self.seen()
        };
        (0..times).map(|_| draw()).collect()
    }

    /// By least squares, of the outcome and of the dose, on winning less its mean in each draw. The spread is the sandwich
    /// of White (Econometrica 1980), here as sums over winners: the deviation of a loser is the other way.
    fn seen(&self) -> Seen {
        let (mut moved, mut third, mut fourth, mut weight, mut spread) = ([0.0; 2], [0.0; 2], 0.0, 0.0, [0.0; 3]);
        for Draw { won, people, total } in &self.0 {
            let ([mut outcomes, mut doses], [mut squares, mut both, mut dose_squares]) = ([0.0; 2], [0.0; 3]);
            for [outcome, dose] in people.split_at(*won).0 {
                outcomes += outcome;
                doses += dose;
                squares += outcome * outcome;
                both += outcome * dose;
                dose_squares += dose * dose;
            }
            let (sums, squares) = ([outcomes, doses], [squares, both, dose_squares]);
            let (winners, losers) = (*won as f64, (people.len() - won) as f64);
            let (win, lose) = (losers / (winners + losers), winners / (winners + losers));
            moved = plus(moved, sums);
            third = plus(third, sums.map(|sum| sum * (win.powi(3) + lose.powi(3))));
            fourth += winners * win.powi(4) + losers * lose.powi(4);
            weight += winners * win;
            spread = plus(spread, squares.map(|square| square * (win * win - lose * lose)));
            spread = plus(spread, total.map(|square| square * lose * lose));
        }
        let [outcome, dose] = moved.map(|moved| moved / weight);
        let [cubes, dose_cubes] = third;
        let fitted = [2.0 * outcome * cubes, outcome * dose_cubes + dose * cubes, 2.0 * dose * dose_cubes];
        let explained = products([outcome, dose]).map(|product| product * fourth);
        let spread = plus(plus(spread, fitted.map(|each| -each)), explained);
        Seen { outcome, dose, spread: spread.map(|each| each / (weight * weight)) }
    }
}

/// What a draw shows: how much more there is of those who won.
#[derive(Debug, Clone, Copy)]
struct Seen {
    outcome: f64,
    dose: f64,
    /// Variances: of the outcome, of both, of the dose.
    spread: [f64; 3],
}

impl Seen {
    /// The effect of the dose.
    fn ratio(&self) -> f64 {
        self.outcome / self.dose
    }

    fn error(&self, effect: f64) -> f64 {
        let [outcome, both, dose] = self.spread;
        (outcome - 2.0 * effect * both + effect * effect * dose).max(0.0).sqrt()
    }

    /// In standard errors, once so large an effect of the dose is taken off.
    fn distance(&self, effect: f64) -> f64 {
        let left = self.outcome - effect * self.dose;
        if left.abs() < NOTHING { 0.0 } else { left / self.error(effect) }
    }

    /// Whether those who won were clearly reached more.
    fn is_clear(&self) -> bool {
        let [_, _, dose] = self.spread;
        self.dose > NOTHING && self.dose > CLEARLY_REACHED * dose.max(0.0).sqrt()
    }
}

/// The effects that are not refused; none without bounds.
fn limits(seen: &Seen, anew: &[Seen]) -> Option<Limits> {
    let (value, step) = (seen.ratio(), seen.error(seen.ratio()) / seen.dose);
    if step < NOTHING {
        return Some(Limits { low: value, high: value });
    }
    let is_refused = |effect: f64, side: f64| {
        let distance = side * seen.distance(effect);
        anew.iter().filter(|other| side * other.distance(effect) >= distance - NOTHING).count() < BEYOND
    };
    let end = |side: f64| {
        let mut far = (0..40).map(|doubled| value - side * step * 2.0_f64.powi(doubled));
        let mut far = far.find(|effect| is_refused(*effect, side))?;
        let mut near = value;
        for _ in 0..STEPS {
            let middle = f64::midpoint(near, far);
            if is_refused(middle, side) { far = middle } else { near = middle }
        }
        Some(far)
    };
    Some(Limits { low: end(1.0)?, high: end(-1.0)? })
}

/// The same numbers each time: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Chance(u64);

impl Chance {
    /// In `[0, bound)`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64) as usize
    }
}

fn products([outcome, dose]: [f64; 2]) -> [f64; 3] {
    [outcome * outcome, outcome * dose, dose * dose]
}

fn plus<const N: usize>(mut sums: [f64; N], more: [f64; N]) -> [f64; N] {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    sums
}

#[cfg(test)]
mod tests {
    use super::super::estimate::tests::unit;
    use super::*;

    /// Forty winners and sixty losers: the difference of two means, with the standard error of unequal variances.
    #[test]
    fn a_single_draw_is_a_difference_of_means() {
        let listed = (0..40).map(|at| unit(at, true, at % 2 == 0, f64::from(at % 4)));
        let lost = (40..100).map(|at| unit(at, false, false, f64::from(at % 3)));
        let units: Vec<Unit> = listed.chain(lost).collect();
        let seen = Draws::of(&units, as_listed).unwrap().seen();
        assert!((seen.outcome - 0.5).abs() < 1e-12, "1.5 less 1");
        // Sums of squares 50 of 40 and 40 of 60.
        let error = (50.0 / 1600.0 + 40.0 / 3600.0_f64).sqrt();
        assert!((seen.error(0.0) - error).abs() < 1e-12 && (seen.error(7.0) - error).abs() < 1e-9);
        let found = lottery(&units, 0.05).unwrap();
        assert_eq!((found.listed, found.others), (40, 60));
        // Of so many people it is about Student's interval, of 98 degrees of freedom.
        let half = 1.9845 * (100.0_f64 / 98.0).sqrt() * error;
        let Limits { low, high } = found.difference.limits;
        assert!((low - 0.5 + half).abs() < 0.03 && (high - 0.5 - half).abs() < 0.03, "{low} {high} {half}");
        let reached = found.for_each_reached.unwrap();
        assert!((reached.value - 1.0).abs() < 1e-12, "half of them were reached");
        assert!(reached.limits.low < 2.0 * low + 0.2 && reached.limits.high > 2.0 * high - 0.2, "{reached:?}");
    }

    /// Two draws of two from four, all 36 ways listed by hand: the redrawn shares of each difference are those.
    #[test]
    fn places_are_drawn_anew_as_they_were_drawn() {
        let at = |stratum, person: u32, listed, outcome| Unit { stratum, ..unit(person, listed, false, outcome) };
        let outcomes = [1.0, 0.0, 0.0, 0.0];
        let units: Vec<Unit> =
            (0..8_u32).map(|person| at(person / 4, person, person % 4 < 2, outcomes[person as usize % 4])).collect();
        let anew = Draws::of(&units, as_listed).unwrap().anew(0.01);
        assert_eq!(anew.len(), 4_999);
        // In each the one with an event wins in half of all ways: the sum of both is -1, 0 or 1 by 1, 2 and 1 in 4.
        for (difference, share) in [(-0.5, 0.25), (0.0, 0.5), (0.5, 0.25)] {
            let times = anew.iter().filter(|seen| (seen.outcome - difference).abs() < 1e-9).count() as f64;
            assert!((times / 4_999.0 - share).abs() < 0.02, "{difference}: {times}");
        }
    }

    #[test]
    fn too_few_say_nothing_and_no_event_has_no_width() {
        let few: Vec<Unit> = (0..30).map(|at| unit(at, at < 12, false, 0.0)).collect();
        assert_eq!(lottery(&few, 0.05), None);
        let none: Vec<Unit> = (0..60).map(|at| unit(at, at < 30, at < 20, 0.0)).collect();
        let found = lottery(&none, 0.05).unwrap();
        assert_eq!([found.difference.limits.low, found.difference.limits.high], [0.0; 2]);
    }
}
