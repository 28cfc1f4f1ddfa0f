//! Limits of a proportion and of a number of events.

use super::Limits;

/// From this many events on, Byar's approximation is close enough; below it the limits are exact.
const EXACT_BELOW: f64 = 10.0;

/// Wilson's score limits of the share `part / whole` (JASA 1927), both ends within 0 and 1; `whole` is above 0.
pub fn wilson(part: f64, whole: f64, z: f64) -> Limits {
    let spread = z * (z * z + 4.0 * part * (1.0 - part / whole)).max(0.0).sqrt();
    let ends = [-spread, spread].map(|side| (2.0 * part + z * z + side) / (2.0 * (whole + z * z)));
    let [low, high] = ends.map(|end| end.clamp(0.0, 1.0));
    Limits { low, high }
}

/// Limits of a number of events: exact below 10, else Byar's.
pub fn events(count: f64, z: f64) -> Limits {
    if count < EXACT_BELOW { exact(count, z) } else { byar(count, z) }
}

/// Byar's approximation of the Poisson limits (Breslow and Day, 1987).
pub fn byar(count: f64, z: f64) -> Limits {
    let end = |count: f64, z: f64| count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3);
    let low = if count > 0.0 { end(count, -z) } else { 0.0 };
    Limits { low, high: end(count + 1.0, z) }
}

/// Exact Poisson limits: the means under which so many events, or so few, have half the chance outside `z`.
fn exact(count: f64, z: f64) -> Limits {
    let tail = upper_tail(z);
    let most = 10.0 * (count + z * z + 10.0);
    let low = match count > 0.0 {
        true => solve(0.0, count, |mean| 1.0 - at_most(count - 1.0, mean) < tail),
        false => 0.0,
    };
    Limits { low, high: solve(count, most, |mean| at_most(count, mean) > tail) }
}

/// The chance of at most `count` events where `mean` are expected.
fn at_most(count: f64, mean: f64) -> f64 {
    let (mut term, mut sum, mut events) = ((-mean).exp(), 0.0, 0.0);
    while events <= count {
        sum += term;
        events += 1.0;
        term *= mean / events;
    }
    sum
}

/// The point between `from` and `to` up to which `below` holds.
fn solve(mut from: f64, mut to: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = f64::midpoint(from, to);
        if below(middle) { from = middle } else { to = middle }
    }
    f64::midpoint(from, to)
}

/// The chance of a standard normal value above `z`, by Simpson's rule.
fn upper_tail(z: f64) -> f64 {
    const STEPS: u32 = 2_000;
    let width = z / f64::from(STEPS);
    let density = |at: f64| (-at * at / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let weight = |step: u32| match step {
        0 | STEPS => 1.0,
        odd if odd % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let area: f64 = (0..=STEPS).map(|step| weight(step) * density(f64::from(step) * width)).sum();
    0.5 - area * width / 3.0
}
