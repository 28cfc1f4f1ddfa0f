//! What the rows of a source say, gathered while they pass by; nothing is judged before the last row.

use arrow::array::ArrayRef;
use hashbrown::HashMap;

use super::numbers::Numbers;
use super::pairs::Pairs;
use super::places::{ByPlace, Places, Together};
use super::{Linked, Stray};
use crate::ahead;
use crate::error::Result;
use crate::workers;

/// How often and when something was said.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub rows: u32,
    /// Of the dated rows the first and the latest; the other way round where there are none.
    days: [i32; 2],
}

impl Default for Times {
    fn default() -> Self {
        Self { rows: 0, days: [i32::MAX, i32::MIN] }
    }
}

impl Times {
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
}

impl Together for Times {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.days = [self.days[0].min(other.days[0]), self.days[1].max(other.days[1])];
    }
}

/// Rows that are used, not linked, and outside their person's life.
pub type Fates = [u64; 3];

/// Of a recorder with a row of any day.
const HAS_ROWS: u8 = 1 << 7;

/// Delivered values of one demographic column.
#[derive(Debug, Default)]
pub struct Heard {
    pub values: Numbers,
    /// By the person's place and value.
    pub said: ByPlace<Times>,
    pub recorded: Pairs,
    /// Rows that do not count, by value.
    pub strays: HashMap<u32, Fates>,
    /// By step of a pathway: the person's place and value.
    pub at_steps: Vec<ByPlace<()>>,
}

/// The rows of a column, by text.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: Numbers,
    /// By number.
    fates: Vec<Fates>,
}

/// Everything that the rows of one source say.
#[derive(Debug, Default)]
pub struct HeardOfSource {
    /// Of whom it has rows.
    pub people: Places,
    /// As the source's demographics.
    pub items: Vec<Heard>,
    pub recorders: Numbers,
    /// By recorder: a bit for each of the last months with a row, and one for any row at all.
    months: Vec<u8>,
    /// By step of a pathway: who has a row there.
    pub at_steps: Vec<ByPlace<()>>,
    /// By compared column.
    pub columns: Vec<Texts>,
}

/// A chunk as it is heard.
pub struct Rows<'a> {
    pub linked: &'a Linked,
    /// What each demographic column says.
    pub says: &'a [ArrayRef],
    pub recorders: Option<&'a ArrayRef>,
    /// Of each step: places among the linked rows.
    pub steps: Vec<Vec<usize>>,
    /// First days of the last months, the latest first.
    pub months: &'a [i32],
    /// Compared columns.
    pub columns: Vec<&'a ArrayRef>,
}

impl HeardOfSource {
    pub fn new(items: usize, steps: usize, columns: usize) -> Self {
        let at_steps = || (0..steps).map(|_| ByPlace::default()).collect();
        let heard = || Heard { at_steps: at_steps(), ..Heard::default() };
        Self {
            items: (0..items).map(|_| heard()).collect(),
            at_steps: at_steps(),
            columns: (0..columns).map(|_| Texts::default()).collect(),
            ..Self::default()
        }
    }

    pub fn hear(&mut self, rows: &Rows) -> Result<()> {
        let linked = rows.linked;
        let strays: Vec<u32> = linked.strays.iter().map(|(row, _)| *row).collect();
        if !self.items.is_empty() || !self.at_steps.is_empty() {
            let recorders = match rows.recorders {
                Some(recorders) => self.recorders.column(recorders, &linked.rows)?,
                None => vec![0; linked.rows.len()],
            };
            self.note_months(&recorders, rows);
            let places = self.people.take(&linked.persons);
            let spoken = Spoken { places: &places, count: self.people.people().len(), recorders: &recorders };
            note_steps(&mut self.at_steps, &rows.steps, spoken.count, |at| (places[at], 0));
            for (heard, says) in self.items.iter_mut().zip(rows.says) {
                heard.hear(rows, says, &strays, &spoken)?;
            }
        }
        for (heard, texts) in self.columns.iter_mut().zip(&rows.columns) {
            heard.count(texts, &linked.rows, |_| 0)?;
            heard.count(texts, &strays, |at| fate_of(linked.strays[at].1))?;
        }
        Ok(())
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

    /// Adds what another worker heard, items side by side.
    pub fn merge(&mut self, other: Self, workers: usize) -> Result<()> {
        let recorders = self.recorders.translate(&other.recorders);
        for (recorder, months) in recorders.iter().zip(&other.months) {
            let at = *recorder as usize;
            self.months.resize(self.months.len().max(at + 1), 0);
            self.months[at] |= months;
        }
        let places = self.people.take(other.people.people());
        let spoken = Spoken { places: &places, count: self.people.people().len(), recorders: &recorders };
        for (mine, theirs) in self.at_steps.iter_mut().zip(&other.at_steps) {
            mine.merge(theirs, spoken.count, &places, &[0]);
        }
        self.columns.iter_mut().zip(other.columns).for_each(|(mine, theirs)| mine.merge(&theirs));
        let items = self.items.iter_mut().zip(other.items).collect();
        let merge = |(mine, theirs): (&mut Heard, Heard)| {
            mine.merge(&theirs, &spoken);
            Ok(())
        };
        workers::each(workers, items, merge).map(drop)
    }
}

/// Of whom rows speak, and who recorded them.
struct Spoken<'a> {
    places: &'a [u32],
    /// Of all places there are.
    count: usize,
    recorders: &'a [u32],
}

/// Notes of each step who has a row there, and what it says.
fn note_steps(at_steps: &mut [ByPlace<()>], steps: &[Vec<usize>], places: usize, says: impl Fn(usize) -> (u32, u32)) {
    for (at_step, step) in at_steps.iter_mut().zip(steps) {
        let said = |at: &usize| {
            let (place, value) = says(*at);
            (place, value, ())
        };
        at_step.say(places, step.iter().map(said));
    }
}

impl Heard {
    fn hear(&mut self, rows: &Rows, says: &ArrayRef, strays: &[u32], spoken: &Spoken) -> Result<()> {
        let linked = rows.linked;
        let values = self.values.column(says, &linked.rows)?;
        let blocks = values.chunks(ahead::BLOCK).zip(linked.days.chunks(ahead::BLOCK));
        for (places, (values, days)) in spoken.places.chunks(ahead::BLOCK).zip(blocks) {
            self.said.near(places);
            let said = places.iter().zip(values).zip(days);
            self.said.say(spoken.count, said.map(|((&place, &value), &day)| (place, value, Times::once(day))));
        }
        self.recorded.count(spoken.recorders, &values);
        note_steps(&mut self.at_steps, &rows.steps, spoken.count, |at| (spoken.places[at], values[at]));
        for (value, (_, stray)) in self.values.column(says, strays)?.into_iter().zip(&linked.strays) {
            self.strays.entry(value).or_default()[fate_of(*stray)] += 1;
        }
        Ok(())
    }

    fn merge(&mut self, other: &Self, spoken: &Spoken) {
        let values = self.values.translate(&other.values);
        self.said.merge(&other.said, spoken.count, spoken.places, &values);
        for (recorder, value, rows) in other.recorded.iter() {
            self.recorded.add(spoken.recorders[recorder as usize], values[value as usize], rows);
        }
        for (&value, &fates) in &other.strays {
            add(self.strays.entry(values[value as usize]).or_default(), fates);
        }
        for (mine, theirs) in self.at_steps.iter_mut().zip(&other.at_steps) {
            mine.merge(theirs, spoken.count, spoken.places, &values);
        }
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
