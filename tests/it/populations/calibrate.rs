//! Calibration steps of a generated model: any methods, any number of them, in any order.

use std::fmt::Write as _;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// The model's text with its steps, and the tables that they name, by path.
pub fn steps(mut model: String, random: &mut ChaCha8Rng) -> (String, Vec<(String, String)>) {
    let mut tables = Vec::new();
    for number in 0..random.random_range(0..4) {
        let mut some = |from: f64, to: f64| random.random_range(from..to);
        let (intercept, slope) = (some(-1.0, 1.0), some(0.2, 2.0));
        let table = format!("calibration_{number}.csv");
        let step = match *[0, 1, 2, 3].choose(random).unwrap() {
            0 => format!("in_the_large = {{ intercept = {intercept:?} }}"),
            1 => format!("slope = {{ intercept = {intercept:?}, slope = {slope:?} }}"),
            2 => {
                let mut csv = "score,calibrated\n".to_owned();
                let (mut score, mut calibrated) = (0.0, 0.0);
                for _ in 0..random.random_range(1..6) {
                    score += random.random_range(0.01..0.2);
                    calibrated += *[0.0, 0.1].choose(random).unwrap();
                    writeln!(csv, "{score:.4},{calibrated:.4}").unwrap();
                }
                tables.push((format!("models/risk/{table}"), csv));
                format!("isotonic = {{ table = \"{table}\" }}")
            }
            _ => {
                let feature = *["ethnicity", "decile", "cond_heart"].choose(random).unwrap();
                let mut csv = "group,intercept,slope\neveryone else,0.1,0.9\n".to_owned();
                for group in ["A", "B", "1", "2", "yes", "not recorded"] {
                    if random.random_bool(0.6) {
                        writeln!(csv, "{group},{:.3},{:.3}", random.random_range(-1.0..1.0), slope).unwrap();
                    }
                }
                tables.push((format!("models/risk/{table}"), csv));
                format!("by_group = {{ feature = \"{feature}\", table = \"{table}\" }}")
            }
        };
        write!(model, "[[calibration]]\n{step}\nfitted_on = \"nobody\"\nby = \"nobody\"\non = 2023-01-01\n").unwrap();
    }
    (model, tables)
}
