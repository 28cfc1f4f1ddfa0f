//! What a list would find: everyone above a threshold, the top so many, or those with a real place.

use serde::{Deserialize, Serialize};

use super::interval::{self, Bootstrap, Estimate, Interval, Measure};
use super::sample::{Level, Sample, totals};

/// Who is flagged, and who has the outcome. Sums of weights; of a level that the cut runs through, the flagged share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    pub people: f64,
    pub events: f64,
    pub flagged: f64,
    /// Flagged, with the outcome.
    pub found: f64,
}

/// What the cut is worth, each with Wilson's interval; none of nobody.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    pub cut: Cut,
    /// Positive predictive value: of those flagged, the share with the outcome.
    pub ppv: Option<Estimate>,
    /// Of those with the outcome, the share flagged.
    pub sensitivity: Option<Estimate>,
    /// Positive predictive value over prevalence.
    pub lift: Option<Estimate>,
    /// Of those with the outcome, the share not flagged.
    pub false_negative_rate: Option<Estimate>,
    /// Of those not flagged, the share with the outcome.
    pub false_omission_rate: Option<Estimate>,
}

impl Cut {
    /// Everyone whose score is at least this.
    pub fn at_least(levels: &[Level], threshold: f64) -> Self {
        let (people, events) = totals(levels);
        let above: Vec<Level> = levels.iter().filter(|level| level.score >= threshold).copied().collect();
        let (flagged, found) = totals(&above);
        Self { people, events, flagged, found }
    }

    /// The highest so many. Of people who tie for the last places, as many as a fair draw would find.
    pub fn top(levels: &[Level], places: f64) -> Self {
        let (people, events) = totals(levels);
        let mut cut = Self { people, events, ..Self::default() };
        for level in levels.iter().rev().filter(|level| level.people > 0.0) {
            let taken = level.people.min(places - cut.flagged).max(0.0);
            cut.flagged += taken;
            cut.found += level.events * taken / level.people;
        }
        cut
    }

    /// Positive predictive value: of those flagged, the share with the outcome.
    fn ppv(self) -> Option<f64> {
        share(self.found, self.flagged)
    }

    fn sensitivity(self) -> Option<f64> {
        share(self.found, self.events)
    }

    /// Positive predictive value over prevalence.
    fn lift(self) -> Option<f64> {
        share(self.ppv()?, share(self.events, self.people)?)
    }

    fn false_negative_rate(self) -> Option<f64> {
        share(self.events - self.found, self.events)
    }

    fn false_omission_rate(self) -> Option<f64> {
        share(self.events - self.found, self.people - self.flagged)
    }

    /// Wilson's intervals, in the order of [`RATES`]; that of the lift takes the prevalence as known.
    fn intervals(self) -> [Option<Interval>; 5] {
        let wilson = |part, whole| (whole > 0.0).then(|| interval::wilson(part, whole));
        let missed = self.events - self.found;
        let ppv = wilson(self.found, self.flagged);
        let by = self.people / self.events;
        let lift = ppv.filter(|_| by.is_finite()).map(|it| Interval { low: it.low * by, high: it.high * by, ..it });
        [
            ppv,
            wilson(self.found, self.events),
            lift,
            wilson(missed, self.events),
            wilson(missed, self.people - self.flagged),
        ]
    }
}

const RATES: [fn(Cut) -> Option<f64>; 5] =
    [Cut::ppv, Cut::sensitivity, Cut::lift, Cut::false_negative_rate, Cut::false_omission_rate];

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// What a cut is worth on these people.
pub fn rates(sample: &Sample, bootstrap: Bootstrap, cut: &(dyn Fn(&[Level]) -> Cut + Sync)) -> Rates {
    let whole = cut(sample.levels());
    let closed = if sample.is_simple() { whole.intervals() } else { [None; 5] };
    let measures = RATES.map(|rate| move |levels: &[Level]| rate(cut(levels)));
    let asked: Vec<(Measure, Option<Interval>)> =
        measures.iter().map(|measure| measure as Measure).zip(closed).collect();
    let mut estimates = interval::estimates(sample, bootstrap, &asked).into_iter();
    let mut next = || estimates.next().flatten();
    Rates {
        cut: whole,
        ppv: next(),
        sensitivity: next(),
        lift: next(),
        false_negative_rate: next(),
        false_omission_rate: next(),
    }
}

/// Net benefit of acting on scores of at least `threshold`: found per person, less those flagged in vain at the odds of the
/// threshold (Vickers and Elkin 2006).
pub fn net_benefit(levels: &[Level], threshold: f64) -> Option<f64> {
    let cut = Cut::at_least(levels, threshold);
    benefit(cut.found, cut.flagged, cut.people, threshold)
}

/// … of acting on everyone.
pub fn net_benefit_of_everyone(levels: &[Level], threshold: f64) -> Option<f64> {
    let (people, events) = totals(levels);
    benefit(events, people, people, threshold)
}

fn benefit(found: f64, flagged: f64, people: f64, threshold: f64) -> Option<f64> {
    (people > 0.0).then(|| found / people - (flagged - found) / people * threshold / (1.0 - threshold))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 3] = [
        Level { score: 0.1, people: 10.0, events: 1.0 },
        Level { score: 0.2, people: 6.0, events: 3.0 },
        Level { score: 0.5, people: 4.0, events: 4.0 },
    ];

    #[test]
    fn worked_by_hand() {
        let cut = Cut::at_least(&LEVELS, 0.2);
        assert_eq!((cut.flagged, cut.found, cut.events, cut.people), (10.0, 7.0, 8.0, 20.0));
        assert_eq!(RATES.map(|rate| rate(cut)), [Some(0.7), Some(0.875), Some(0.7 / 0.4), Some(0.125), Some(0.1)]);
        assert_eq!(net_benefit(&LEVELS, 0.2), Some(7.0 / 20.0 - 3.0 / 20.0 * 0.25));
        assert_eq!(net_benefit_of_everyone(&LEVELS, 0.2), Some(8.0 / 20.0 - 12.0 / 20.0 * 0.25));
    }

    #[test]
    fn of_people_who_tie_a_fair_draw_is_taken() {
        assert_eq!(Cut::top(&LEVELS, 4.0).found, 4.0);
        assert_eq!(Cut::top(&LEVELS, 7.0).found, 5.5);
        let all = Cut::top(&LEVELS, 1000.0);
        assert_eq!((all.flagged, all.found), (20.0, 8.0));
        let none = Cut::top(&LEVELS, 0.0);
        assert_eq!((none.ppv(), none.sensitivity()), (None, Some(0.0)));
    }
}
