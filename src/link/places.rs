//! What rows say of the people of a source, in the order in which those people came.

use hashbrown::HashMap;

use super::RecordingState;
use crate::ahead;

/// The people of whom a source has rows, numbered as they came.
#[derive(Debug, Default)]
pub struct Places {
    /// By person: one more than their place, 0 for a person who has none.
    of: Vec<u32>,
    people: Vec<u32>,
}

impl Places {
    /// With room set aside for so many people, which is taken as they come.
    pub fn of_at_most(people: usize) -> Self {
        Self { of: Vec::with_capacity(people), people: Vec::with_capacity(people) }
    }

    /// The place of each person, a new one if need be.
    pub fn take(&mut self, persons: &[u32]) -> Vec<u32> {
        let most = persons.iter().max().map_or(0, |most| *most as usize + 1);
        if self.of.len() < most {
            self.of.resize(most, 0);
        }
        let (of, people) = (&mut self.of, &mut self.people);
        let mut place = |person: &u32| {
            let place = &mut of[*person as usize];
            if *place == 0 {
                people.push(*person);
                *place = people.len() as u32;
            }
            *place - 1
        };
        persons.iter().map(&mut place).collect()
    }

    /// The place of a person who has one.
    pub fn of(&self, person: u32) -> Option<u32> {
        self.of.get(person as usize)?.checked_sub(1)
    }

    /// People in ascending order, each with their place.
    pub fn sorted(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(&self.of).filter_map(|(person, place)| Some((person, place.checked_sub(1)?)))
    }

    /// By place: the person.
    pub fn people(&self) -> &[u32] {
        &self.people
    }
}

/// How often and when something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub rows: u32,
    /// Of the dated rows the first and the latest; the other way round where there are none.
    days: [i32; 2],
}

impl Times {
    /// No row.
    pub const NONE: Self = Self { rows: 0, days: [i32::MAX, i32::MIN] };

    fn once(day: Option<i32>) -> Self {
        Self { rows: 1, days: day.map_or([i32::MAX, i32::MIN], |day| [day; 2]) }
    }

    /// First and latest of the dated rows.
    pub fn span(self) -> Option<(i32, i32)> {
        let [first, latest] = self.days;
        (first <= latest).then_some((first, latest))
    }

    pub fn latest(self) -> Option<i32> {
        self.span().map(|(_, latest)| latest)
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.days = [self.days[0].min(other.days[0]), self.days[1].max(other.days[1])];
    }
}

/// One value that rows say of one item of a person, small; without rows, nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    value: u16,
    rows: u16,
    /// Days from the first dated row to the as-of date, and [`FAR`] less those from the latest; 0 where none is dated.
    days: [u16; 2],
}

impl Cell {
    /// Takes a row in, where it holds nothing else and has room for it.
    #[inline]
    fn takes(&mut self, value: u32, days: Option<[u16; 2]>) -> bool {
        let (Ok(value), Some(days)) = (u16::try_from(value), days) else { return false };
        let fits = self.rows == 0 || (self.value == value && self.rows < u16::MAX);
        if fits {
            let days = [self.days[0].max(days[0]), self.days[1].max(days[1])];
            *self = Self { value, rows: self.rows + 1, days };
        }
        fits
    }
}

/// When a row was, and as a cell holds it where it can.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    day: Option<i32>,
    small: Option<[u16; 2]>,
}

/// Days that a cell does not reach.
const FAR: u16 = u16::MAX;

/// What rows say of each item of each person. Most people are said to be one thing only: that is found without a search,
/// one item beside the other.
#[derive(Debug)]
pub struct Said {
    items: usize,
    as_of: i32,
    /// By place and item.
    cells: Vec<Cell>,
    /// By item: place and value of what does not fit a cell, or is not the first.
    further: Vec<HashMap<(u32, u32), Times>>,
}

impl Said {
    /// With room set aside for so many people.
    pub fn new(items: usize, as_of: i32, people: usize) -> Self {
        let cells = Vec::with_capacity(people.saturating_mul(items));
        Self { items, as_of, cells, further: (0..items).map(|_| HashMap::new()).collect() }
    }

    /// Makes room for so many places.
    pub fn grow(&mut self, places: usize) {
        self.cells.resize(self.cells.len().max(places * self.items), Cell::default());
    }

    /// Has near what is said of these places: as many as are read ahead at a time.
    pub fn near(&self, places: impl Iterator<Item = u32>) {
        // One line of memory holds eight cells.
        let lines = places.flat_map(|place| (0..self.items).step_by(8).map(move |item| (place, item)));
        ahead::read(lines.map(|(place, item)| Some(u32::from(self.cell(place, item)?.value))));
    }

    fn cell(&self, place: u32, item: usize) -> Option<&Cell> {
        self.cells.get(place as usize * self.items + item)
    }

    /// A day as it is noted of each item.
    pub fn day(&self, day: Option<i32>) -> Day {
        let small = day.map_or(Some([0; 2]), |day| {
            let before = u16::try_from(self.as_of.checked_sub(day)?).ok().filter(|before| (1..FAR).contains(before))?;
            Some([before, FAR - before])
        });
        Day { day, small }
    }

    /// Notes what rows say of an item: place, value and day.
    #[inline]
    pub fn say(&mut self, item: usize, rows: impl Iterator<Item = (u32, u32, Day)>) {
        let Self { items, cells, further, .. } = self;
        let Some(further) = further.get_mut(item) else { return };
        for (place, value, day) in rows {
            if !cells[place as usize * *items + item].takes(value, day.small) {
                let times = Times::once(day.day);
                further.entry((place, value)).and_modify(|known| known.add(times)).or_insert(times);
            }
        }
    }

    /// The value in the cell of a place and item, and when it was said.
    pub fn first(&self, place: u32, item: usize) -> Option<(u32, Times)> {
        let cell = self.cell(place, item).filter(|cell| cell.rows > 0)?;
        let days = match cell.days {
            [0, _] => [i32::MAX, i32::MIN],
            [first, latest] => [self.as_of - i32::from(first), self.as_of - i32::from(FAR - latest)],
        };
        Some((cell.value.into(), Times { rows: cell.rows.into(), days }))
    }

    /// Place, value and when it was said, beyond what is in the cells: a value can be in both.
    pub fn further(&self, item: usize) -> impl Iterator<Item = (u32, u32, Times)> {
        let further = self.further.get(item).into_iter().flatten();
        further.map(|(&(place, value), &times)| (place, value, times))
    }
}

/// Who has rows at each step of a pathway, and the best state of each item in them.
#[derive(Debug, Default)]
pub struct AtSteps {
    items: usize,
    /// By step, then place: whether there is a row, and the best state of each item; [`NOTHING`] where there is none.
    steps: Vec<Vec<u8>>,
}

/// Instead of a state.
const NOTHING: u8 = u8::MAX;

impl AtSteps {
    /// With room set aside for so many people.
    pub fn new(steps: usize, items: usize, people: usize) -> Self {
        Self { items, steps: (0..steps).map(|_| Vec::with_capacity(people.saturating_mul(items + 1))).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Makes room for so many places.
    pub fn grow(&mut self, places: usize) {
        let items = self.items;
        self.steps.iter_mut().for_each(|step| step.resize(step.len().max(places * (items + 1)), NOTHING));
    }

    /// Notes a row of a place at a step, and the state of each item in it.
    pub fn note(&mut self, step: usize, place: u32, states: impl Iterator<Item = u8>) {
        let row = &mut self.steps[step][place as usize * (self.items + 1)..][..self.items + 1];
        let Some((is_there, best)) = row.split_first_mut() else { return };
        *is_there = 0;
        best.iter_mut().zip(states).for_each(|(known, state)| *known = state.min(*known));
    }

    /// Adds what another noted of its places, ours by theirs.
    pub fn merge(&mut self, other: &Self, places: &[u32]) {
        for (step, theirs) in other.steps.iter().enumerate() {
            for (row, place) in theirs.chunks_exact(other.items + 1).zip(places).filter(|(row, _)| row[0] != NOTHING) {
                self.note(step, *place, row[1..].iter().copied());
            }
        }
    }

    /// How many steps there are.
    pub fn count(&self) -> usize {
        self.steps.len()
    }

    /// The best state by item in the rows of a place at a step; none where it has none.
    pub fn row(&self, step: usize, place: u32) -> Option<&[u8]> {
        let row = self.steps.get(step)?.chunks_exact(self.items + 1).nth(place as usize)?;
        (row[0] != NOTHING).then(|| &row[1..])
    }
}

/// A state as a number: the better the smaller.
pub fn number(state: RecordingState) -> u8 {
    state as u8
}

/// The state that a number stands for.
pub fn state(number: u8) -> RecordingState {
    RecordingState::ALL.get(usize::from(number)).copied().unwrap_or(RecordingState::Blank)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn people_are_numbered_as_they_come() {
        let mut places = Places::default();
        assert_eq!(places.take(&[7, 2, 7]), [0, 1, 0]);
        assert_eq!(places.people(), [7, 2]);
        assert_eq!(places.sorted().collect::<Vec<_>>(), [(2, 1), (7, 0)]);
        assert_eq!([places.of(7), places.of(2), places.of(3)], [Some(0), Some(1), None]);
    }

    #[test]
    fn a_state_has_a_number_of_its_own() {
        assert!(RecordingState::ALL.iter().all(|known| state(number(*known)) == *known));
    }

    /// Values, days and numbers of rows that fit a cell, and those that do not.
    #[test]
    fn what_is_said_of_a_person_comes_together_by_value() {
        for seed in 0..60 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut said, mut truth) = (Said::new(3, 20_000, 4), BTreeMap::new());
            said.grow(4);
            for _ in 0..random.random_range(1..400) {
                let (place, item) = (random.random_range(0..4), random.random_range(0..3));
                let value = if random.random_bool(0.9) { random.random_range(0..3) } else { 70_000 };
                let day = match random.random_range(0..10) {
                    0 => None,
                    1 => Some([-60_000, i32::MIN, i32::MAX][random.random_range(0..3)]),
                    2 => Some(20_000),
                    _ => Some(random.random_range(19_000..20_000)),
                };
                let rows = if random.random_bool(0.01) { 70_000 } else { 1 };
                let noted = said.day(day);
                let values = |other: usize| if other == item { value } else { 9 };
                (0..3).for_each(|item| said.say(item, (0..rows).map(|_| (place, values(item), noted))));
                for item in 0..3 {
                    let known = (item, place, values(item));
                    let known = truth.entry(known).or_insert(Times { rows: 0, ..Times::once(None) });
                    (0..rows).for_each(|_| known.add(Times::once(day)));
                }
            }
            let mut heard: BTreeMap<(usize, u32, u32), Times> = BTreeMap::new();
            let mut hear = |item: usize, (place, value, times): (u32, u32, Times)| {
                heard.entry((item, place, value)).and_modify(|known| known.add(times)).or_insert(times);
            };
            for item in 0..3 {
                let first = |place| said.first(place, item).map(|(value, times)| (place, value, times));
                (0..4).filter_map(first).chain(said.further(item)).for_each(|said| hear(item, said));
            }
            assert_eq!(heard, truth, "seed {seed}");
        }
    }

    #[test]
    fn the_best_state_at_a_step_is_kept() {
        let (mut mine, mut theirs) = (AtSteps::new(2, 2, 3), AtSteps::new(2, 2, 1));
        mine.grow(3);
        theirs.grow(1);
        mine.note(0, 2, [3, 5].into_iter());
        mine.note(0, 2, [4, 1].into_iter());
        theirs.note(0, 0, [0, 8].into_iter());
        theirs.note(1, 0, [6, 7].into_iter());
        mine.merge(&theirs, &[2]);
        let rows = |step| (0..4).map(|place| mine.row(step, place)).collect::<Vec<_>>();
        assert_eq!(rows(0), [None, None, Some(&[0, 1][..]), None]);
        assert_eq!((rows(1), mine.count()), (vec![None, None, Some(&[6, 7][..]), None], 2));
    }
}
