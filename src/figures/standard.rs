//! Rates as if every group had the same ages: directly and indirectly standardised.

use super::{Figure, Limits, interval};

/// The fewest events of which a directly standardised rate is told (OHID technical guide).
pub const FEWEST_EVENTS: f64 = 10.0;

/// One age band of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub people: f64,
    pub events: f64,
    /// People of the standard population, on any scale.
    pub standard: f64,
}

/// Events a person if the group had the ages of the standard population, with Dobson's limits (Statistics in Medicine
/// 1991) over Byar's; none of fewer than [`FEWEST_EVENTS`], nor where the group has nobody in a band of the standard.
pub fn direct(bands: &[Band], z: f64) -> Option<Figure> {
    let bands = || bands.iter().filter(|band| band.standard > 0.0);
    let events: f64 = bands().map(|band| band.events).sum();
    let standard: f64 = bands().map(|band| band.standard).sum();
    if events < FEWEST_EVENTS || bands().any(|band| band.people <= 0.0) {
        return None;
    }
    let value = bands().map(|band| band.standard * band.events / band.people).sum::<f64>() / standard;
    let variance = bands().map(|band| (band.standard / band.people).powi(2) * band.events).sum::<f64>();
    let stretch = (variance / (standard * standard) / events).sqrt();
    let limits = interval::byar(events, z).map(|end| value + stretch * (end - events));
    Some(Figure { value, limits })
}

/// Observed over expected, with the limits of the observed; none where nothing is expected.
pub fn ratio(observed: f64, expected: f64, z: f64) -> Option<Figure> {
    if expected <= 0.0 {
        return None;
    }
    let Limits { low, high } = interval::events(observed, z);
    let limits = Limits { low: low / expected, high: high / expected };
    Some(Figure { value: observed / expected, limits })
}

/// Events expected in a group at the rates of a reference; none where the reference has nobody of a band that the group has.
pub fn expected(bands: impl IntoIterator<Item = (f64, Reference)>) -> Option<f64> {
    let of = |(people, reference): (f64, Reference)| match people > 0.0 {
        true => (reference.people > 0.0).then(|| people * reference.events / reference.people),
        false => Some(0.0),
    };
    bands.into_iter().map(of).sum()
}

/// A band of the population that a group is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    pub people: f64,
    pub events: f64,
}
