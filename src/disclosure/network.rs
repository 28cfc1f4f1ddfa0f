//! The published counts as a system of sums, and what it tells of each.

use hashbrown::HashMap;

use super::rule::{Disclosed, Rule};
use super::table::{AggregateTable, Equation, Key};

/// More rounds of narrowing than this tell nothing new.
const ROUNDS: usize = 30;

/// What a count may be, as far as a reader can tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    pub low: f64,
    pub high: f64,
}

const NOTHING: Known = Known { low: 0.0, high: f64::INFINITY };

/// One count, wherever it stands.
#[derive(Debug)]
pub struct Count {
    pub key: Key,
    /// As published; none of a count that no table holds.
    pub shown: Option<Disclosed>,
    /// Table, row and column of each place in this run.
    pub places: Vec<(usize, usize, usize)>,
    /// The sums it is in.
    pub sums: Vec<usize>,
    /// The count itself; none of one that only an earlier run published.
    pub truth: Option<f64>,
    /// What an earlier run of the same people showed of it.
    pub before: Option<Known>,
    /// What print says of it, and what all sums together do.
    printed: Known,
    known: Known,
}

/// Counts and sums, as indices.
#[derive(Debug)]
pub struct Network {
    rule: Rule,
    pub counts: Vec<Count>,
    by_key: HashMap<Key, usize>,
    pub sums: Vec<Sum>,
}

#[derive(Debug)]
pub struct Sum {
    pub whole: usize,
    pub parts: Vec<usize>,
}

impl Network {
    /// The counts of this run's tables and, where they may be of the same people, of an earlier run's.
    pub fn of(rule: Rule, tables: &[AggregateTable], before: &[AggregateTable]) -> Self {
        let mut network = Self { rule, counts: Vec::new(), by_key: HashMap::new(), sums: Vec::new() };
        for (number, table) in tables.iter().enumerate() {
            for (row, column, key, shown) in table.count_cells() {
                let at = network.count(key);
                if let Some(count) = network.counts.get_mut(at) {
                    count.places.push((number, row, column));
                    count.see(shown);
                }
            }
        }
        for (_, _, key, shown) in before.iter().flat_map(AggregateTable::count_cells) {
            let at = network.count(key);
            if let Some(count) = network.counts.get_mut(at).filter(|_| !shown.is_suppressed()) {
                count.before = Some(span(rule, shown));
            }
        }
        for equation in tables.iter().chain(before).flat_map(AggregateTable::equations) {
            network.add(equation);
        }
        network.count_the_rest();
        network
    }

    /// What no table holds, where everything else in its sum is known here.
    fn count_the_rest(&mut self) {
        for Sum { whole, parts } in &self.sums {
            let truth = |at: usize| self.counts.get(at).and_then(|count| count.truth);
            let Some((last, others)) = parts.split_last().filter(|(last, _)| truth(**last).is_none()) else { continue };
            let others: Option<f64> = others.iter().map(|part| truth(*part)).sum();
            let rest = truth(*whole).zip(others).map(|(whole, others)| whole - others);
            if let Some(count) = self.counts.get_mut(*last) {
                count.truth = rest;
            }
        }
    }

    fn count(&mut self, key: Key) -> usize {
        *self.by_key.entry(key).or_insert_with_key(|key| {
            self.counts.push(Count::new(key.clone()));
            self.counts.len() - 1
        })
    }

    fn add(&mut self, equation: Equation) {
        let whole = self.count(equation.whole);
        let mut parts: Vec<usize> = equation.parts.into_iter().map(|part| self.count(part)).collect();
        if equation.open {
            self.counts.push(Count::new(Key::unpublished(self.counts.len())));
            parts.push(self.counts.len() - 1);
        }
        for at in parts.iter().chain([&whole]) {
            if let Some(count) = self.counts.get_mut(*at) {
                count.sums.push(self.sums.len());
            }
        }
        self.sums.push(Sum { whole, parts });
    }

    /// Whether a published count is hidden.
    pub fn is_hidden(&self, at: usize) -> bool {
        self.counts.get(at).and_then(|count| count.shown).is_some_and(Disclosed::is_suppressed)
    }

    /// Whether a reader has to work a count out: it is not printed, by this run or an earlier one of the same people.
    pub fn is_open(&self, at: usize) -> bool {
        let printed = |count: &Count| count.before.is_some() || count.shown.is_some_and(|shown| !shown.is_suppressed());
        !self.counts.get(at).is_some_and(printed)
    }

    /// Whether a reader has to work any count of a sum out.
    pub fn has_open(&self, sum: usize) -> bool {
        self.members(sum).any(|(_, member)| self.is_open(member))
    }

    /// How much the other counts of a sum that are not printed come to.
    pub fn room_beside(&self, sum: usize, at: usize) -> f64 {
        let others =
            self.members(sum).map(|(_, member)| member).filter(|member| *member != at && self.is_open(*member));
        others.filter_map(|other| self.counts.get(other)?.truth).sum()
    }

    /// Counts that sums give away one after the other, each with the sum in which it was the last to be worked out.
    pub fn given_away(&self) -> HashMap<usize, usize> {
        let is_open: Vec<bool> = (0..self.counts.len()).map(|at| self.is_open(at)).collect();
        let open_in = |sum: usize| self.members(sum).filter(|(_, member)| is_open[*member]).count();
        let mut left: Vec<usize> = (0..self.sums.len()).map(open_in).collect();
        let mut last: Vec<usize> = (0..self.sums.len()).filter(|sum| left[*sum] == 1).collect();
        let mut given_away = HashMap::new();
        while let Some(sum) = last.pop() {
            let open = self.members(sum).map(|(_, member)| member);
            let Some(at) = open.filter(|member| is_open[*member]).find(|member| !given_away.contains_key(member))
            else {
                continue;
            };
            given_away.insert(at, sum);
            for other in self.sums_of(at) {
                left[*other] = left[*other].saturating_sub(1);
                if left[*other] == 1 {
                    last.push(*other);
                }
            }
        }
        given_away
    }

    /// Whether a count is part of one that is known to be 0.
    pub fn is_of_nobody(&self, at: usize) -> bool {
        let wholes = self.sums_of(at).iter().filter_map(|sum| self.sums.get(*sum)).map(|sum| sum.whole);
        wholes.filter(|whole| *whole != at).any(|whole| self.known(whole).high <= 0.0)
    }

    /// Hides a count in all its places.
    pub fn hide(&mut self, at: usize) {
        if let Some(count) = self.counts.get_mut(at) {
            count.shown = count.shown.map(Disclosed::hidden);
        }
    }

    pub fn known(&self, at: usize) -> Known {
        self.counts.get(at).map_or(NOTHING, |count| count.known)
    }

    /// Narrows what is known of every count by every sum, until nothing changes.
    pub fn narrow(&mut self) {
        for count in &mut self.counts {
            let now = count.shown.filter(|shown| !shown.is_suppressed()).map(|shown| span(self.rule, shown));
            count.printed = now.or(count.before).unwrap_or(NOTHING);
            count.known = count.printed;
        }
        let mut open = vec![true; self.sums.len()];
        for _ in 0..ROUNDS {
            for sum in 0..self.sums.len() {
                if open.get_mut(sum).is_some_and(std::mem::take) {
                    self.narrow_by(sum, &mut open);
                }
            }
            if !open.contains(&true) {
                return;
            }
        }
    }

    /// Narrows the counts of a sum, and opens the sums that this may narrow further.
    fn narrow_by(&mut self, sum: usize, open: &mut [bool]) {
        let Some(Sum { whole, parts }) = self.sums.get(sum) else { return };
        let all = parts.iter().fold(Total::default(), |all, part| all.and(self.known(*part)));
        let of_whole = self.known(*whole);
        let of_part = |part: &usize| (*part, of_whole.less(all.without(self.known(*part))));
        let told: Vec<(usize, Known)> = parts.iter().map(of_part).chain([(*whole, all.known())]).collect();
        for (at, told) in told {
            if let Some(count) = self.counts.get_mut(at) {
                let (low, high) = (count.known.low.max(told.low), count.known.high.min(told.high));
                // Where two runs contradict each other, nothing is learnt.
                if low <= high && (low > count.known.low || high < count.known.high) {
                    count.known = Known { low, high };
                    for sum in &count.sums {
                        open.get_mut(*sum).into_iter().for_each(|open| *open = true);
                    }
                }
            }
        }
    }

    /// What a sum alone tells of one of its counts, by what is known of the others; a count below 0 is not ruled out.
    pub fn told(&self, sum: usize, at: usize) -> Known {
        let Some(Sum { whole, parts }) = self.sums.get(sum) else { return NOTHING };
        let others = parts.iter().filter(|part| **part != at);
        let others = others.fold(Total::default(), |all, part| all.and(self.known(*part))).known();
        if *whole == at { others } else { self.known(*whole).less(others) }
    }

    /// How uncertain a count of a sum is by what is printed of the others.
    pub fn left_by_print(&self, sum: usize, at: usize) -> f64 {
        let others = self.members(sum).filter(|(_, member)| *member != at);
        let printed = others.filter_map(|(_, member)| self.counts.get(member)).map(|count| count.printed);
        printed.map(|printed| printed.high - printed.low).sum()
    }

    /// The sums that a count is in.
    pub fn sums_of(&self, at: usize) -> &[usize] {
        self.counts.get(at).map(|count| count.sums.as_slice()).unwrap_or_default()
    }

    /// The counts of a sum, and whether each is its whole.
    pub fn members(&self, sum: usize) -> impl Iterator<Item = (bool, usize)> + '_ {
        self.sums
            .get(sum)
            .into_iter()
            .flat_map(|Sum { whole, parts }| parts.iter().map(|part| (false, *part)).chain([(true, *whole)]))
    }
}

/// Counts added up, those without an upper end counted apart.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    low: f64,
    high: f64,
    open: u32,
}

impl Total {
    fn and(self, known: Known) -> Self {
        let Known { low, high } = known;
        match high.is_finite() {
            true => Self { low: self.low + low, high: self.high + high, ..self },
            false => Self { low: self.low + low, open: self.open + 1, ..self },
        }
    }

    /// All but one of them.
    fn without(self, known: Known) -> Known {
        let Known { low, high } = known;
        let rest = match high.is_finite() {
            true => Self { low: self.low - low, high: self.high - high, ..self },
            false => Self { low: self.low - low, open: self.open.saturating_sub(1), ..self },
        };
        rest.known()
    }

    fn known(self) -> Known {
        Known { low: self.low, high: if self.open == 0 { self.high } else { f64::INFINITY } }
    }
}

impl Known {
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// What two sums tell.
    pub fn and(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// What is left of a whole.
    fn less(self, parts: Self) -> Self {
        Self { low: self.low - parts.high, high: self.high - parts.low }
    }
}

impl Count {
    fn new(key: Key) -> Self {
        Self {
            key,
            shown: None,
            places: Vec::new(),
            sums: Vec::new(),
            truth: None,
            before: None,
            printed: NOTHING,
            known: NOTHING,
        }
    }

    /// A place where it is published; hidden in one is hidden in all.
    fn see(&mut self, shown: Disclosed) {
        if self.shown.is_none_or(|known| !known.is_suppressed()) {
            self.shown = Some(shown);
        }
        self.truth = self.truth.or(shown.behind().map(|count| count as f64));
    }
}

fn span(rule: Rule, shown: Disclosed) -> Known {
    let Some(count) = shown.shown_count() else { return NOTHING };
    let [low, high] = rule.behind(count);
    Known { low: low as f64, high: high as f64 }
}
