//! People by score: what every measure is taken of.

use std::collections::BTreeMap;

use super::interval::Interval;
use crate::error::{Error, Result};

/// One person at one date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub score: f64,
    pub outcome: bool,
    /// How many people the row stands for: 1 unless the study says otherwise.
    pub weight: f64,
    /// Shared by the rows of one person: the bootstrap draws people, not rows.
    pub person: u32,
}

/// Everyone with the same score: ties are never parted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub score: f64,
    /// Sum of weights.
    pub people: f64,
    /// … of those with the outcome.
    pub events: f64,
}

/// Rows in a total order, so that no measure depends on the order in which they came.
#[derive(Debug, Clone)]
pub struct Sample {
    levels: Vec<Level>,
    rows: Vec<Placed>,
    people: usize,
    simple: bool,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    level: usize,
    person: usize,
    outcome: bool,
    weight: f64,
}

impl Sample {
    /// Refuses a score or a weight that is no finite number, and a weight below 0.
    pub fn new(mut rows: Vec<Row>) -> Result<Self> {
        let wrong = rows.iter().filter(|row| !row.score.is_finite()).count();
        if wrong > 0 {
            return Err(Error::Check(format!("{wrong} of {} scores are not finite numbers", rows.len())));
        }
        if rows.iter().any(|row| !row.weight.is_finite() || row.weight < 0.0) {
            return Err(Error::Check("a weight is not a finite number of 0 or more".to_owned()));
        }
        rows.sort_by(|a, b| {
            let same_score = a.score.total_cmp(&b.score).then(a.outcome.cmp(&b.outcome));
            same_score.then(a.weight.total_cmp(&b.weight)).then(a.person.cmp(&b.person))
        });
        let mut people: BTreeMap<u32, usize> = rows.iter().map(|row| (row.person, 0)).collect();
        people.values_mut().enumerate().for_each(|(index, person)| *person = index);
        let simple = people.len() == rows.len() && rows.iter().all(|row| row.weight == 1.0);
        let mut levels: Vec<Level> = Vec::new();
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            if levels.last().is_none_or(|level| level.score != row.score) {
                levels.push(Level { score: row.score, people: 0.0, events: 0.0 });
            }
            let person = people.get(&row.person).copied().unwrap_or_default();
            placed.push(Placed { level: levels.len() - 1, person, outcome: row.outcome, weight: row.weight });
        }
        let people = people.len();
        let mut sample = Self { levels, rows: placed, people, simple };
        sample.levels = sample.drawn(|_| 1);
        Ok(sample)
    }

    /// By score, lowest first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Distinct people.
    pub fn people(&self) -> usize {
        self.people
    }

    /// Rows, of which the second number have the outcome.
    pub fn rows(&self) -> (u64, u64) {
        (self.rows.len() as u64, self.rows.iter().filter(|row| row.outcome).count() as u64)
    }

    /// One row a person, each of weight 1: what the closed-form intervals assume.
    pub fn is_simple(&self) -> bool {
        self.simple
    }

    /// An interval in closed form, where what it assumes is so.
    pub fn closed(&self, of: impl FnOnce(&[Level]) -> Option<Interval>) -> Option<Interval> {
        if self.simple { of(&self.levels) } else { None }
    }

    /// The levels if each person had been drawn so many times.
    pub fn drawn(&self, times: impl Fn(usize) -> u32) -> Vec<Level> {
        let mut levels: Vec<Level> =
            self.levels.iter().map(|level| Level { score: level.score, people: 0.0, events: 0.0 }).collect();
        for row in &self.rows {
            let weight = row.weight * f64::from(times(row.person));
            if let Some(level) = levels.get_mut(row.level) {
                level.people += weight;
                level.events += if row.outcome { weight } else { 0.0 };
            }
        }
        levels
    }
}

/// People and events of all levels.
pub fn totals(levels: &[Level]) -> (f64, f64) {
    levels.iter().fold((0.0, 0.0), |(people, events), level| (people + level.people, events + level.events))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(score: f64, outcome: bool, person: u32) -> Row {
        Row { score, outcome, weight: 1.0, person }
    }

    #[test]
    fn equal_scores_are_one_level_in_whatever_order_they_come() {
        let rows = [row(0.2, true, 0), row(0.1, false, 1), row(0.2, false, 2)];
        let sample = Sample::new(rows.to_vec()).unwrap();
        let reversed = Sample::new(rows.iter().rev().copied().collect()).unwrap();
        let wanted = [Level { score: 0.1, people: 1.0, events: 0.0 }, Level { score: 0.2, people: 2.0, events: 1.0 }];
        assert_eq!(sample.levels(), wanted);
        assert_eq!(reversed.levels(), wanted);
        assert!(sample.is_simple());
        assert_eq!((sample.people(), sample.rows()), (3, (3, 1)));
        assert!(!Sample::new(vec![row(0.1, true, 7), row(0.2, true, 7)]).unwrap().is_simple());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for score in [f64::NAN, f64::INFINITY] {
            let error = Sample::new(vec![row(score, true, 0), row(0.1, true, 1)]).unwrap_err().to_string();
            assert_eq!(error, "1 of 2 scores are not finite numbers");
        }
        for weight in [f64::NAN, -1.0] {
            assert!(Sample::new(vec![Row { weight, ..row(0.1, true, 0) }]).is_err());
        }
        assert!(Sample::new(Vec::new()).unwrap().levels().is_empty());
    }
}
