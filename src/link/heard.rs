//! What the rows of a source say, gathered while they pass by; nothing is judged before the last row.

use arrow::array::ArrayRef;
use hashbrown::HashMap;

use super::numbers::Numbers;
use super::pairs::Pairs;
use super::places::{self, AtSteps, Places, Said};
use super::{Linked, RecordingState, Stray};
use crate::ahead;
use crate::error::Result;

/// Rows that are used, not linked, and outside their person's life.
pub type Fates = [u64; 3];

/// Of a recorder with a row of any day.
const HAS_ROWS: u8 = 1 << 7;

/// Delivered values of one demographic column.
#[derive(Debug, Default)]
pub struct Heard {
    pub values: Numbers,
    /// By value, as far as it is asked for: the number of its state.
    states: Vec<u8>,
    pub recorded: Pairs,
    /// Rows that do not count, by value.
    pub strays: HashMap<u32, Fates>,
}

/// Of whom one worker heard what.
#[derive(Debug)]
pub struct Ear {
    pub people: Places,
    /// By place and demographic column.
    pub said: Said,
    /// By demographic column: the number of a value among those of [`Heard`] by the worker's own; empty where it is that.
    values: Vec<Vec<u32>>,
}

impl Ear {
    /// By the worker's own number of a value: that among those of [`Heard`], of which there are so many.
    pub fn values(&self, item: usize, count: usize) -> Vec<u32> {
        self.values.get(item).cloned().unwrap_or_else(|| (0..).take(count).collect())
    }
}

/// The rows of a column, by text.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: Numbers,
    /// By number.
    fates: Vec<Fates>,
}

/// Everything that the rows of one source say.
#[derive(Debug)]
pub struct HeardOfSource {
    /// Of each worker; where steps are listened for, the first has a place for everyone.
    pub ears: Vec<Ear>,
    /// As the source's demographics.
    pub items: Vec<Heard>,
    /// Of rows that say something of an item.
    pub recorders: Numbers,
    /// By recorder: a bit for each of the last months with a row, and one for any row at all.
    months: Vec<u8>,
    /// By place in the first ear.
    pub at_steps: AtSteps,
    /// By compared column.
    pub columns: Vec<Texts>,
}

/// A chunk as it is heard.
pub struct Rows<'a> {
    pub linked: &'a Linked,
    /// What each demographic column says.
    pub says: &'a [ArrayRef],
    /// The state of a value of a demographic column.
    pub state: &'a dyn Fn(usize, Option<&str>) -> RecordingState,
    pub recorders: Option<&'a ArrayRef>,
    /// Of each step: places among the linked rows.
    pub steps: Vec<Vec<usize>>,
    /// First days of the last months, the latest first.
    pub months: &'a [i32],
    /// Compared columns.
    pub columns: Vec<&'a ArrayRef>,
}

impl HeardOfSource {
    /// Of so many people at most.
    pub fn new(items: usize, steps: usize, columns: usize, as_of: i32, people: usize) -> Self {
        let places = Places::of_at_most(if items + steps > 0 { people } else { 0 });
        let ear = Ear { people: places, said: Said::new(items, as_of, people), values: Vec::new() };
        Self {
            ears: vec![ear],
            items: (0..items).map(|_| Heard::default()).collect(),
            recorders: Numbers::default(),
            months: Vec::new(),
            at_steps: AtSteps::new(steps, items, people),
            columns: (0..columns).map(|_| Texts::default()).collect(),
        }
    }

    pub fn hear(&mut self, rows: &Rows) -> Result<()> {
        let linked = rows.linked;
        let strays: Vec<u32> = linked.strays.iter().map(|(row, _)| *row).collect();
        match self.items.is_empty() {
            true => self.hear_steps(rows),
            false => self.hear_items(rows, &strays)?,
        }
        for (heard, texts) in self.columns.iter_mut().zip(&rows.columns) {
            heard.count(texts, &linked.rows, |_| 0)?;
            heard.count(texts, &strays, |at| fate_of(linked.strays[at].1))?;
        }
        Ok(())
    }

    /// Where nothing but who came to a step is listened for, only the rows at steps are gone through.
    fn hear_steps(&mut self, rows: &Rows) {
        let Some(ear) = self.ears.first_mut() else { return };
        for (step, at_step) in rows.steps.iter().enumerate() {
            let persons: Vec<u32> = at_step.iter().map(|at| rows.linked.persons[*at]).collect();
            let places = ear.people.take(&persons);
            self.at_steps.grow(ear.people.people().len());
            places.into_iter().for_each(|place| self.at_steps.note(step, place, std::iter::empty()));
        }
    }

    fn hear_items(&mut self, rows: &Rows, strays: &[u32]) -> Result<()> {
        let linked = rows.linked;
        let recorders = match rows.recorders {
            Some(recorders) => self.recorders.column(recorders, &linked.rows)?,
            None => vec![0; linked.rows.len()],
        };
        self.note_months(&recorders, rows);
        let recorders = (recorders.as_slice(), self.recorders.count() + 1);
        let each = self.items.iter_mut().zip(rows.says);
        let values = each.map(|(heard, says)| heard.hear(linked, says, strays, recorders));
        let values = values.collect::<Result<Vec<_>>>()?;
        if let Some(ear) = self.ears.first_mut() {
            let places = ear.people.take(&linked.persons);
            ear.hear(&places, &values, linked);
            self.at_steps.grow(ear.people.people().len());
            self.note_steps(rows, &places, &values);
        }
        Ok(())
    }

    /// Notes of each step who has a row there, and what it says.
    fn note_steps(&mut self, rows: &Rows, places: &[u32], values: &[Vec<u32>]) {
        if self.at_steps.is_empty() {
            return;
        }
        for (item, heard) in self.items.iter_mut().enumerate() {
            heard.judge(|value| (rows.state)(item, value));
        }
        for (step, at_step) in rows.steps.iter().enumerate() {
            for &at in at_step {
                let states = self.items.iter().zip(values).map(|(heard, values)| heard.states[values[at] as usize]);
                self.at_steps.note(step, places[at], states);
            }
        }
    }

    fn note_months(&mut self, recorders: &[u32], rows: &Rows) {
        let most = recorders.iter().max().map_or(0, |most| *most as usize + 1);
        self.months.resize(self.months.len().max(most), 0);
        for (&recorder, &day) in recorders.iter().zip(&rows.linked.days) {
            let month = day.and_then(|day| rows.months.iter().position(|first| day >= *first));
            self.months[recorder as usize] |= month.map_or(0, |month| 1 << month) | HAS_ROWS;
        }
    }

    /// By recorder with a row: a bit for each of the last months with one.
    pub fn months(&self) -> impl Iterator<Item = (u32, u8)> {
        let months = (0_u32..).zip(&self.months).filter(|(_, months)| *months & HAS_ROWS != 0);
        months.map(|(recorder, months)| (recorder, months & !HAS_ROWS))
    }

    /// Adds what another worker heard.
    pub fn merge(&mut self, other: Self) {
        let recorders = self.recorders.translate(&other.recorders);
        for (recorder, months) in recorders.iter().zip(&other.months) {
            let at = *recorder as usize;
            self.months.resize(self.months.len().max(at + 1), 0);
            self.months[at] |= months;
        }
        self.columns.iter_mut().zip(other.columns).for_each(|(mine, theirs)| mine.merge(&theirs));
        let items = self.items.iter_mut().zip(&other.items);
        let values: Vec<Vec<u32>> = items.map(|(mine, theirs)| mine.merge(theirs, &recorders)).collect();
        for mut ear in other.ears {
            if let Some(mine) = self.ears.first_mut().filter(|_| !self.at_steps.is_empty()) {
                let places = mine.people.take(ear.people.people());
                self.at_steps.grow(mine.people.people().len());
                self.at_steps.merge(&other.at_steps, &places);
            }
            ear.values.clone_from(&values);
            self.ears.push(ear);
        }
    }
}

impl Ear {
    fn hear(&mut self, places: &[u32], values: &[Vec<u32>], linked: &Linked) {
        self.said.grow(self.people.people().len());
        let mut days = Vec::with_capacity(ahead::BLOCK);
        for block in (0..places.len()).step_by(ahead::BLOCK) {
            let rows = block..places.len().min(block + ahead::BLOCK);
            self.said.near(places[rows.clone()].iter().copied());
            days.clear();
            days.extend(linked.days[rows.clone()].iter().map(|day| self.said.day(*day)));
            for (item, values) in values.iter().enumerate() {
                let each = places[rows.clone()].iter().zip(&values[rows.clone()]).zip(&days);
                self.said.say(item, each.map(|((place, value), day)| (*place, *value, *day)));
            }
        }
    }
}

impl Heard {
    /// The number of the value of each used row; the recorders of these rows are below a number.
    fn hear(
        &mut self,
        linked: &Linked,
        says: &ArrayRef,
        strays: &[u32],
        (recorders, below): (&[u32], usize),
    ) -> Result<Vec<u32>> {
        let values = self.values.column(says, &linked.rows)?;
        self.recorded.count(recorders, &values, [below, self.values.count() + 1]);
        for (value, (_, stray)) in self.values.column(says, strays)?.into_iter().zip(&linked.strays) {
            self.strays.entry(value).or_default()[fate_of(*stray)] += 1;
        }
        Ok(values)
    }

    /// Asks for the state of each value that is new.
    fn judge(&mut self, state: impl Fn(Option<&str>) -> RecordingState) {
        let new = self.values.from(self.states.len()).map(|value| places::number(state(value)));
        self.states.extend(new);
    }

    /// Adds what another heard, whose recorders have these numbers of ours; gives our numbers of its values.
    fn merge(&mut self, other: &Self, recorders: &[u32]) -> Vec<u32> {
        let values = self.values.translate(&other.values);
        for (recorder, value, rows) in other.recorded.iter() {
            self.recorded.add(recorders[recorder as usize], values[value as usize], rows);
        }
        for (&value, &fates) in &other.strays {
            add(self.strays.entry(values[value as usize]).or_default(), fates);
        }
        values
    }
}

impl Texts {
    /// Adds some rows of a column, each with its place among [`Fates`].
    pub fn count(&mut self, texts: &ArrayRef, rows: &[u32], fate: impl Fn(usize) -> usize) -> Result<()> {
        let numbers = self.numbers.column(texts, rows)?;
        self.fates.resize(self.numbers.count() + 1, Fates::default());
        for (at, number) in numbers.into_iter().enumerate() {
            self.fates[number as usize][fate(at)] += 1;
        }
        Ok(())
    }

    pub fn merge(&mut self, other: &Self) {
        let numbers = self.numbers.translate(&other.numbers);
        self.fates.resize(self.numbers.count() + 1, Fates::default());
        for (number, fates) in numbers.into_iter().zip(&other.fates) {
            add(&mut self.fates[number as usize], *fates);
        }
    }

    /// Each text with its rows; none for rows without one.
    pub fn rows(&self) -> Vec<(Option<String>, Fates)> {
        let texts = self.numbers.map(None, |text| Some(text.to_owned())).into_iter();
        texts.zip(self.fates.iter().copied()).filter(|(_, fates)| fates.iter().any(|rows| *rows > 0)).collect()
    }
}

fn fate_of(stray: Stray) -> usize {
    match stray {
        Stray::NotLinked => 1,
        Stray::OutsideLife => 2,
    }
}

fn add(mine: &mut Fates, theirs: Fates) {
    mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
}
