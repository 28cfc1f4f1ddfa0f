//! What the rows of a source say, gathered while they pass by; nothing is judged before the last row.

use std::collections::BTreeMap;

use arrow::array::{Array, StringArray};
use hashbrown::{HashMap, HashSet};

use super::{Linked, Stray};

/// Texts by number, in the order in which they came; 0 is none.
#[derive(Debug, Default)]
pub struct Numbers(HashMap<String, u32>);

impl Numbers {
    /// The number of a text.
    pub fn of(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), number);
        number
    }

    fn column(&mut self, texts: &StringArray, rows: &[u32]) -> Vec<u32> {
        rows.iter().map(|&row| self.of(texts.is_valid(row as usize).then(|| texts.value(row as usize)))).collect()
    }

    /// By the other's number, ours.
    pub fn translate(&mut self, other: &Self) -> Vec<u32> {
        let mut numbers = vec![0; other.0.len() + 1];
        for (text, number) in &other.0 {
            numbers[*number as usize] = self.of(Some(text));
        }
        numbers
    }

    /// By number, something made of each text; `none` for 0.
    pub fn map<T: Clone>(&self, none: T, mut make: impl FnMut(&str) -> T) -> Vec<T> {
        let mut made = vec![none; self.0.len() + 1];
        for (text, number) in &self.0 {
            made[*number as usize] = make(text);
        }
        made
    }
}

/// How often and when something was said.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub rows: u32,
    /// Among the dated rows.
    pub first: Option<i32>,
    pub latest: Option<i32>,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.first = self.first.into_iter().chain(other.first).min();
        self.latest = self.latest.max(other.latest);
    }
}

/// Rows that are used, not linked, and outside their person's life.
pub type Fates = [u64; 3];

/// Pairs that are counted in a table.
const PAIRS: usize = 1 << 14;

/// Delivered values of one demographic column.
#[derive(Debug, Default)]
pub struct Heard {
    pub values: Numbers,
    /// By person and value.
    pub said: HashMap<(u32, u32), Times>,
    /// Rows by recorder and value.
    pub recorded: HashMap<(u32, u32), u64>,
    /// Rows that do not count, by value.
    pub strays: HashMap<u32, Fates>,
    /// By step of a pathway: person and value.
    pub at_steps: Vec<HashSet<(u32, u32)>>,
}

/// Everything that the rows of one source say.
#[derive(Debug, Default)]
pub struct HeardOfSource {
    /// As the source's demographics.
    pub items: Vec<Heard>,
    pub recorders: Numbers,
    /// By recorder: a bit for each of the last months with a row.
    pub months: HashMap<u32, u8>,
    /// By step of a pathway: who has a row there.
    pub at_steps: Vec<HashSet<u32>>,
    /// By compared column: rows by text.
    pub columns: Vec<BTreeMap<Option<String>, Fates>>,
}

/// A chunk as it is heard.
pub struct Rows<'a> {
    pub linked: &'a Linked,
    /// What each demographic column says.
    pub says: &'a [StringArray],
    pub recorders: Option<&'a StringArray>,
    /// Of each step: places among the linked rows.
    pub steps: Vec<Vec<usize>>,
    /// First days of the last months, the latest first.
    pub months: &'a [i32],
    /// Compared columns, as text.
    pub columns: Vec<StringArray>,
}

impl HeardOfSource {
    pub fn new(items: usize, steps: usize, columns: usize) -> Self {
        let heard = || Heard { at_steps: vec![HashSet::new(); steps], ..Heard::default() };
        Self {
            items: (0..items).map(|_| heard()).collect(),
            at_steps: vec![HashSet::new(); steps],
            columns: vec![BTreeMap::new(); columns],
            ..Self::default()
        }
    }

    pub fn hear(&mut self, rows: &Rows) {
        let linked = rows.linked;
        let recorders = match rows.recorders {
            Some(recorders) => self.recorders.column(recorders, &linked.rows),
            None => vec![0; linked.rows.len()],
        };
        if !self.items.is_empty() {
            self.note_months(&recorders, rows);
        }
        for (at_step, step) in self.at_steps.iter_mut().zip(&rows.steps) {
            at_step.extend(step.iter().map(|&at| linked.persons[at]));
        }
        for (heard, says) in self.items.iter_mut().zip(rows.says) {
            heard.hear(rows, says, &recorders);
        }
        for (counts, texts) in self.columns.iter_mut().zip(&rows.columns) {
            let mut count = |row: u32, fate: usize| {
                let text = texts.is_valid(row as usize).then(|| texts.value(row as usize).to_owned());
                counts.entry(text).or_default()[fate] += 1;
            };
            linked.rows.iter().for_each(|&row| count(row, 0));
            linked.strays.iter().for_each(|&(row, stray)| count(row, fate_of(stray)));
        }
    }

    fn note_months(&mut self, recorders: &[u32], rows: &Rows) {
        for (&recorder, &day) in recorders.iter().zip(&rows.linked.days) {
            let months = self.months.entry(recorder).or_default();
            let month = day.and_then(|day| rows.months.iter().position(|first| day >= *first));
            *months |= month.map_or(0, |month| 1 << month);
        }
    }

    /// Adds what another worker heard.
    pub fn merge(&mut self, other: Self) {
        let recorders = self.recorders.translate(&other.recorders);
        for (recorder, months) in other.months {
            *self.months.entry(recorders[recorder as usize]).or_default() |= months;
        }
        self.at_steps.iter_mut().zip(other.at_steps).for_each(|(mine, theirs)| mine.extend(theirs));
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns) {
            for (text, fates) in theirs {
                add(mine.entry(text).or_default(), fates);
            }
        }
        self.items.iter_mut().zip(other.items).for_each(|(mine, theirs)| mine.merge(&theirs, &recorders));
    }
}

impl Heard {
    fn hear(&mut self, rows: &Rows, says: &StringArray, recorders: &[u32]) {
        let linked = rows.linked;
        let values = self.values.column(says, &linked.rows);
        for ((&person, &day), &value) in linked.persons.iter().zip(&linked.days).zip(&values) {
            self.say((person, value), Times { rows: 1, first: day, latest: day });
        }
        self.count(recorders, &values);
        for (at_step, step) in self.at_steps.iter_mut().zip(&rows.steps) {
            at_step.extend(step.iter().map(|&at| (linked.persons[at], values[at])));
        }
        for &(row, stray) in &linked.strays {
            let value = self.values.of(says.is_valid(row as usize).then(|| says.value(row as usize)));
            self.strays.entry(value).or_default()[fate_of(stray)] += 1;
        }
    }

    /// Rows by recorder and value; where both are few, in a table of all pairs before they are looked up.
    fn count(&mut self, recorders: &[u32], values: &[u32]) {
        let of = |numbers: &[u32]| numbers.iter().max().map_or(0, |most| *most as usize + 1);
        let (width, height) = (of(values), of(recorders));
        let pairs = recorders.iter().zip(values);
        if width.saturating_mul(height) > PAIRS {
            pairs.for_each(|(&recorder, &value)| *self.recorded.entry((recorder, value)).or_default() += 1);
            return;
        }
        let mut table = vec![0_u64; width * height];
        pairs.for_each(|(&recorder, &value)| table[recorder as usize * width + value as usize] += 1);
        for (pair, rows) in (0_u32..).zip(table).filter(|(_, rows)| *rows > 0) {
            let width = width as u32;
            *self.recorded.entry((pair / width, pair % width)).or_default() += rows;
        }
    }

    fn say(&mut self, at: (u32, u32), times: Times) {
        self.said.entry(at).and_modify(|known| known.add(times)).or_insert(times);
    }

    fn merge(&mut self, other: &Self, recorders: &[u32]) {
        let values = self.values.translate(&other.values);
        for (&(person, value), &times) in &other.said {
            self.say((person, values[value as usize]), times);
        }
        for (&(recorder, value), rows) in &other.recorded {
            *self.recorded.entry((recorders[recorder as usize], values[value as usize])).or_default() += rows;
        }
        for (&value, &fates) in &other.strays {
            add(self.strays.entry(values[value as usize]).or_default(), fates);
        }
        for (mine, theirs) in self.at_steps.iter_mut().zip(&other.at_steps) {
            mine.extend(theirs.iter().map(|&(person, value)| (person, values[value as usize])));
        }
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
