//! A probability in words that a person can hold, and that claim no more than the model knows.
//!
//! A probability is said as the nearest of a few plain fractions, nearest in odds: from one rung to the next the odds
//! grow by a tenth to a half, which is about as well as a model that ranks people is calibrated. Beyond the range in
//! which the model is calibrated only "less than" and "more than" is said.

use crate::pipeline::decl::ProbabilityDecl;

/// The fractions that are said, from the smallest.
pub const LADDER: [(u32, u32); 22] = [
    (1, 100),
    (1, 75),
    (1, 50),
    (1, 40),
    (1, 30),
    (1, 25),
    (1, 20),
    (1, 15),
    (1, 12),
    (1, 10),
    (1, 8),
    (1, 7),
    (1, 6),
    (1, 5),
    (1, 4),
    (1, 3),
    (2, 5),
    (1, 2),
    (3, 5),
    (3, 4),
    (4, 5),
    (9, 10),
];

/// What a list says of a probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// "about 1 in 4 in the next 12 months".
    pub words: String,
    /// The fraction said; none where only a bound is.
    pub fraction: Option<f64>,
}

/// The words for a probability from 0 to 1.
pub fn stated(probability: f64, decl: &ProbabilityDecl) -> Stated {
    let [low, high] = decl.calibrated;
    let (how, said, fraction) = if probability < low {
        ("less than", nearest(low, decl), None)
    } else if probability > high {
        ("more than", nearest(high, decl), None)
    } else {
        let said = nearest(probability, decl);
        ("about", said, Some(value(said)))
    };
    let (n, d) = said;
    Stated { words: format!("{how} {n} in {d} in the next {}", decl.within), fraction }
}

/// The rung with the nearest odds, within the calibrated range; of two as near, the smaller.
fn nearest(probability: f64, decl: &ProbabilityDecl) -> (u32, u32) {
    let [low, high] = decl.calibrated;
    let within = |rung: &&(u32, u32)| (low - 1e-9..=high + 1e-9).contains(&value(**rung));
    let distance = |rung: &(u32, u32)| (log_odds(value(*rung)) - log_odds(probability)).abs();
    let rungs = LADDER.iter().filter(within);
    rungs.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied().unwrap_or((1, 2))
}

/// The outermost fractions between two probabilities; none where there are not two.
pub fn ends(low: f64, high: f64) -> Option<[f64; 2]> {
    let within = |value: &f64| (low - 1e-9..=high + 1e-9).contains(value);
    let mut rungs = LADDER.iter().copied().map(value).filter(within);
    Some([rungs.next()?, rungs.next_back()?])
}

fn value((n, d): (u32, u32)) -> f64 {
    f64::from(n) / f64::from(d)
}

fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decl(calibrated: [f64; 2]) -> ProbabilityDecl {
        ProbabilityDecl { of: "an admission".to_owned(), within: "12 months".to_owned(), calibrated }
    }

    #[test]
    fn a_probability_is_said_as_a_plain_fraction() {
        let cases = [
            (0.0, "less than 1 in 100"),
            (0.0099, "less than 1 in 100"),
            (0.01, "about 1 in 100"),
            (0.0123, "about 1 in 75"),
            (0.05, "about 1 in 20"),
            (0.097, "about 1 in 10"),
            (0.237, "about 1 in 4"),
            (0.45, "about 1 in 2"),
            (0.7, "about 3 in 4"),
            (0.9, "about 9 in 10"),
            (0.91, "more than 9 in 10"),
            (1.0, "more than 9 in 10"),
        ];
        for (probability, words) in cases {
            assert_eq!(stated(probability, &decl([0.01, 0.9])).words, format!("{words} in the next 12 months"));
        }
    }

    #[test]
    fn nothing_is_said_more_exactly_than_the_model_is_calibrated() {
        let narrow = decl([0.05, 0.5]);
        assert_eq!(stated(0.04, &narrow).words, "less than 1 in 20 in the next 12 months");
        assert_eq!(stated(0.6, &narrow).words, "more than 1 in 2 in the next 12 months");
        assert_eq!(stated(0.04, &narrow).fraction, None);
        assert_eq!(stated(0.051, &narrow).fraction, Some(0.05));
    }

    #[test]
    fn the_ends_are_fractions_that_can_be_said() {
        assert_eq!(ends(0.011, 0.46), Some([1.0 / 75.0, 0.4]));
        assert_eq!(ends(0.05, 0.5), Some([0.05, 0.5]));
        assert_eq!((ends(0.3, 0.35), ends(0.35, 0.39)), (None, None));
    }

    /// Words never fall where the probability rises, and the odds said are within a third of the odds.
    #[test]
    fn words_rise_with_the_probability_and_stay_near_it() {
        let decl = decl([0.01, 0.9]);
        let mut before = 0.0;
        for thousandth in 10..=900 {
            let probability = f64::from(thousandth) / 1000.0;
            let said = stated(probability, &decl).fraction.unwrap_or(0.0);
            assert!(said >= before, "{probability}");
            assert!((log_odds(said) - log_odds(probability)).abs() < 0.45, "{probability} said as {said}");
            before = said;
        }
    }
}
