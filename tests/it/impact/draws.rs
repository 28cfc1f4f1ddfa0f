//! The lottery's interval where a draw is small or uneven and outcomes are rare: as often right as it says.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::impact::estimate::Unit;
use riskstrat::impact::lottery::lottery;

use super::{REACHED, at_least, holds, poisson};

/// Draws of so many people each, and winners of each.
#[derive(Debug, Clone, Copy)]
struct Shape {
    draws: u32,
    people: u32,
    winners: usize,
    /// Events of a person, in the mean of all.
    mean: f64,
}

const SHAPES: [Shape; 4] = [
    Shape { draws: 1, people: 240, winners: 120, mean: 0.3 },
    Shape { draws: 1, people: 120, winners: 20, mean: 0.3 },
    Shape { draws: 1, people: 120, winners: 100, mean: 0.3 },
    Shape { draws: 24, people: 8, winners: 2, mean: 0.3 },
];

/// What would have been without a place is skewed: most people have nothing, a few have much. Of those reached each event
/// happens `1 + effect` times, as nearly as whole numbers can.
fn world(shape: Shape, effect: f64, dice: &mut ChaCha8Rng) -> (Vec<Unit>, f64) {
    let (mut units, mut truth) = (Vec::new(), 0.0);
    for stratum in 0..shape.draws {
        let mut listed: Vec<bool> = (0..shape.people).map(|person| (person as usize) < shape.winners).collect();
        listed.shuffle(dice);
        for (person, listed) in (stratum * shape.people..).zip(listed) {
            let mean = 5.0 * shape.mean * dice.random::<f64>().powi(4) * -dice.random::<f64>().max(1e-12).ln();
            let without = f64::from(poisson(mean, dice));
            let reached = listed && dice.random_bool(REACHED);
            truth += effect * without * REACHED;
            let outcome = if reached { without * (1.0 + effect) } else { without };
            units.push(Unit { person, stratum, listed, reached, outcome, distance: 0.0 });
        }
    }
    let people = f64::from(shape.draws * shape.people);
    (units, truth / people)
}

/// Worlds of each shape and effect; `tests/full` asks for more.
fn worlds() -> u64 {
    std::env::var("RISKSTRAT_IMPACT_DRAWS").ok().map_or(25, |text| text.parse().unwrap())
}

#[test]
fn small_and_uneven_draws_are_as_sure_as_they_say() {
    let worlds = worlds();
    println!("seeds 4000000..");
    let mut seed = 4_000_000;
    for shape in SHAPES {
        for effect in [0.0, -0.15] {
            let mut held = 0;
            for _ in 0..worlds {
                let mut dice = ChaCha8Rng::seed_from_u64(seed);
                seed += 1;
                let (units, truth) = world(shape, effect, &mut dice);
                held += u64::from(holds(&lottery(&units, 0.05).unwrap().difference, truth));
            }
            println!("{shape:?}, effect {effect}: {held} of {worlds} hold");
            at_least(worlds, held);
        }
    }
}
