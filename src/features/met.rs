//! A chunk's events, with what the predicates and the code lists say of each.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use hashbrown::HashMap;

use crate::ahead;
use crate::codelist::CodeList;
use crate::conform::{Memo, Texts};
use crate::error::{Error, Result};
use crate::link::Linked;
use crate::recall::Recall;

/// One event as a feature sees it.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub row: u32,
    /// Place among the chunk's events.
    pub at: u32,
    pub person: u32,
    pub day: i32,
}

/// A source's events with a code in a column, and those of them with one on a code list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coded {
    pub events: u64,
    pub on_list: u64,
}

impl Coded {
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.on_list += other.on_list;
    }
}

/// The used rows that have a day, and which of them each predicate and each code list meets.
pub struct Met {
    pub events: Vec<Event>,
    pub filters: Vec<BooleanBuffer>,
    pub codes: Vec<Categories>,
}

/// The categories of each event on one code list.
pub struct Categories {
    sets: Arc<Sets>,
    /// Number of the set of each event's categories.
    of_event: Vec<u32>,
    /// Places of the events with a code of the list.
    pub met: Vec<u32>,
    pub coded: Coded,
}

impl Categories {
    /// A bit for each category of the list.
    pub fn of(&self, event: &Event) -> &[u64] {
        self.sets.of(self.of_event[event.at as usize])
    }

    /// Who asks for any of the categories of the event at a place, by number.
    pub fn askers(&self, at: u32) -> &[u32] {
        &self.sets.askers[self.of_event[at as usize] as usize]
    }

    /// The places of the events that are of any of these categories.
    pub fn wanted(&self, wanted: &[u64]) -> impl Iterator<Item = u32> {
        let sets = 0..self.sets.askers.len();
        let any = |set: usize| any(self.sets.of(u32::try_from(set).unwrap_or_default()), wanted);
        let wanted: Vec<bool> = sets.map(any).collect();
        self.met.iter().copied().filter(move |at| wanted[self.of_event[*at as usize] as usize])
    }
}

/// Whether two sets of categories have one in common.
fn any(bits: &[u64], wanted: &[u64]) -> bool {
    bits.iter().zip(wanted).any(|(bits, wanted)| bits & wanted != 0)
}

/// Sets of categories, numbered as they are met; set 0 is of none.
#[derive(Debug, Clone)]
struct Sets {
    words: usize,
    /// A bit for each category of the list, one set after the other.
    bits: Vec<u64>,
    number_of: HashMap<Vec<u64>, u32>,
    /// Categories that somebody asks for, and the asker's number.
    asked: Vec<(u32, Vec<u64>)>,
    /// Of each set.
    askers: Vec<Vec<u32>>,
}

impl Sets {
    fn new(words: usize, asked: Vec<(u32, Vec<u64>)>) -> Self {
        let none = vec![0; words];
        Self { words, bits: none.clone(), number_of: HashMap::from_iter([(none, 0)]), asked, askers: vec![Vec::new()] }
    }

    fn of(&self, set: u32) -> &[u64] {
        &self.bits[set as usize * self.words..][..self.words]
    }

    fn number(&mut self, bits: Vec<u64>) -> u32 {
        let next = u32::try_from(self.askers.len()).unwrap_or(u32::MAX);
        *self.number_of.entry(bits).or_insert_with_key(|bits| {
            self.bits.extend(bits);
            let asking = self.asked.iter().filter(|(_, wanted)| any(bits, wanted));
            self.askers.push(asking.map(|(asker, _)| *asker).collect());
            next
        })
    }
}

/// Numbers of the bits that are set, ascending.
pub fn set_bits(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(word, &bits)| {
        let rest = std::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
        rest.take_while(|bits| *bits != 0).map(move |bits| word * 64 + bits.trailing_zeros() as usize)
    })
}

/// Categories as bits.
pub fn bits_of(categories: &[usize], words: usize) -> Vec<u64> {
    let mut bits = vec![0; words];
    categories.iter().for_each(|category| bits[category / 64] |= 1 << (category % 64));
    bits
}

pub fn words_for(bits: usize) -> usize {
    bits.div_ceil(64).max(1)
}

/// Events of the rows that have a day.
pub fn events(linked: &Linked) -> Vec<Event> {
    let places = linked.rows.iter().zip(&linked.persons).zip(&linked.days);
    let dated = places.filter_map(|((&row, &person), &day)| Some((row, person, day?)));
    dated.zip(0..).map(|((row, person, day), at)| Event { row, at, person, day }).collect()
}

/// Where a predicate holds by place among the events, given where it holds among the used rows.
pub fn of_events(mask: &BooleanBuffer, linked: &Linked, events: usize) -> BooleanBuffer {
    if events == linked.rows.len() {
        return mask.clone();
    }
    let dated = linked.days.iter().enumerate().filter(|(_, day)| day.is_some());
    dated.map(|(at, _)| mask.value(at)).collect()
}

/// Codes of one column that are whole numbers: each has a place, whichever lists it is met with.
#[derive(Default)]
pub struct Numbers {
    places: Recall,
    all: Vec<i64>,
    /// Of the chunk met last; [`NO_CODE`] of an event without one.
    of_event: Vec<u32>,
    /// How often everything was forgotten.
    reset: u32,
}

impl Numbers {
    /// Looks up the codes of these events; says whether they are numbers.
    pub fn look_up(&mut self, column: &dyn Array, events: &[Event]) -> bool {
        let Some(Texts::Digits(numbers)) = Texts::of(column) else { return false };
        if self.all.len() > NUMBERS_REMEMBERED {
            *self = Self { reset: self.reset + 1, ..Self::default() };
        }
        self.of_event.clear();
        for block in events.chunks(ahead::BLOCK) {
            let rows = block.iter().map(|event| event.row as usize);
            self.places.near(rows.clone().map(|row| numbers.value(row)));
            for row in rows {
                let place = if numbers.is_valid(row) { self.place(numbers.value(row)) } else { NO_CODE };
                self.of_event.push(place);
            }
        }
        true
    }

    fn place(&mut self, number: i64) -> u32 {
        self.places.get(number).unwrap_or_else(|| {
            let place = u32::try_from(self.all.len()).unwrap_or(NO_CODE);
            self.places.insert(number, place);
            self.all.push(number);
            place
        })
    }
}

/// What is remembered of the codes of one column and their categories on one list.
pub struct CodeMemory {
    sets: Arc<Sets>,
    by_text: HashMap<Box<str>, u32>,
    /// By place in [`Numbers`], of the same reset.
    by_number: Vec<u32>,
    reset: u32,
    /// By number of the dictionary met last.
    by_key: Memo<Vec<Option<u32>>>,
}

/// More different codes than this are met with the list again: practices use over a hundred thousand.
const NUMBERS_REMEMBERED: usize = 1 << 19;

/// The same of codes that are text.
const TEXTS_REMEMBERED: usize = 1 << 17;

/// Instead of the number of a set.
const NO_CODE: u32 = u32::MAX;

impl CodeMemory {
    /// `asked` are sets of categories, each with the number of who asks for any of them.
    pub fn new(codes: &CodeList, asked: Vec<(u32, Vec<u64>)>) -> Self {
        Self {
            sets: Arc::new(Sets::new(words_for(codes.categories.len()), asked)),
            by_text: HashMap::new(),
            by_number: Vec::new(),
            reset: 0,
            by_key: Memo::default(),
        }
    }

    fn set(&mut self, codes: &CodeList, code: &str) -> u32 {
        if let Some(set) = self.by_text.get(code) {
            return *set;
        }
        let set = self.found(codes, code);
        if self.by_text.len() >= TEXTS_REMEMBERED {
            self.by_text.clear();
        }
        self.by_text.insert(code.into(), set);
        set
    }

    /// The set of a code that is met for the first time.
    fn found(&mut self, codes: &CodeList, code: &str) -> u32 {
        let bits = bits_of(&codes.matches(code).collect::<Vec<_>>(), self.sets.words);
        Arc::make_mut(&mut self.sets).number(bits)
    }

    /// Of codes that are numbers, given by their places.
    fn sets_of_numbers(&mut self, codes: &CodeList, numbers: &Numbers) -> Vec<u32> {
        if self.reset != numbers.reset {
            (self.by_number, self.reset) = (Vec::new(), numbers.reset);
        }
        self.by_number.resize(numbers.all.len(), NO_CODE);
        let mut sets = Vec::with_capacity(numbers.of_event.len());
        for &place in &numbers.of_event {
            let mut set = if place == NO_CODE { NO_CODE } else { self.by_number[place as usize] };
            if set == NO_CODE && place != NO_CODE {
                set = self.found(codes, &numbers.all[place as usize].to_string());
                self.by_number[place as usize] = set;
            }
            sets.push(set);
        }
        sets
    }

    /// The categories of each event's code, or of all of its codes; `numbers` are the codes, where they are numbers.
    pub fn meet(
        &mut self,
        codes: &CodeList,
        column: &dyn Array,
        numbers: Option<&Numbers>,
        events: &[Event],
    ) -> Result<Categories> {
        let mut of_event = match (numbers, column.as_list_opt::<i32>()) {
            (Some(numbers), _) => self.sets_of_numbers(codes, numbers),
            (_, Some(lists)) => self.sets_of_lists(codes, lists, events)?,
            (_, None) => self.sets_of_texts(codes, column, events)?,
        };
        let mut met: Vec<u32> = Vec::with_capacity(of_event.len());
        let mut with_code = 0;
        for (at, set) in (0..).zip(&mut of_event) {
            match *set {
                NO_CODE => *set = 0,
                set => {
                    with_code += 1;
                    if set != 0 {
                        met.push(at);
                    }
                }
            }
        }
        let coded = Coded { events: with_code, on_list: met.len() as u64 };
        Ok(Categories { sets: Arc::clone(&self.sets), of_event, met, coded })
    }

    fn sets_of_texts(&mut self, codes: &CodeList, column: &dyn Array, events: &[Event]) -> Result<Vec<u32>> {
        let rows = events.iter().map(|event| event.row as usize);
        Ok(match Texts::of(column).ok_or_else(|| no_codes(column.data_type()))? {
            Texts::Coded(column, values) => {
                let mut by_key = std::mem::take(&mut self.by_key);
                let known = by_key.of(values, |values| vec![None; values.len()]);
                let mut set = |key: usize| *known[key].get_or_insert_with(|| self.set(codes, values.value(key)));
                let sets = rows.map(|row| column.key(row).map_or(NO_CODE, &mut set)).collect();
                self.by_key = by_key;
                sets
            }
            texts => rows.map(|row| texts.get(row).map_or(NO_CODE, |code| self.set(codes, &code))).collect(),
        })
    }

    fn sets_of_lists(&mut self, codes: &CodeList, lists: &ListArray, events: &[Event]) -> Result<Vec<u32>> {
        let texts = Texts::of(lists.values()).ok_or_else(|| no_codes(lists.values().data_type()))?;
        let offsets = lists.value_offsets();
        let at = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
        let mut sets = Vec::with_capacity(events.len());
        for row in events.iter().map(|event| event.row as usize) {
            let items = if lists.is_valid(row) { at(row)..at(row + 1) } else { 0..0 };
            let mut all: Option<Vec<u64>> = None;
            for code in items.filter_map(|item| texts.borrowed(item)) {
                let set = self.set(codes, code);
                let all = all.get_or_insert_with(|| vec![0; self.sets.words]);
                all.iter_mut().zip(self.sets.of(set)).for_each(|(bits, more)| *bits |= more);
            }
            sets.push(all.map_or(NO_CODE, |bits| Arc::make_mut(&mut self.sets).number(bits)));
        }
        Ok(sets)
    }
}

fn no_codes(data_type: &DataType) -> Error {
    Error::Fault(format!("codes cannot be of type {data_type}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    /// More codes than are remembered, in chunks that share some.
    #[test]
    fn a_code_has_the_place_of_its_number() {
        let mut numbers = Numbers::default();
        let each = 100_000_i64;
        for chunk in 0..9 {
            let codes = (0..each).map(|code| (code % 9 > 0).then_some(chunk * each * 9 / 10 + code - 5));
            let codes: Int64Array = codes.chain([Some(i64::MIN), Some(i64::MAX)]).collect();
            let events = (0..codes.len() as u32).map(|row| Event { row, at: row, person: 0, day: 0 });
            assert!(numbers.look_up(&codes, &events.collect::<Vec<_>>()));
            let found = numbers.of_event.iter().map(|place| numbers.all.get(*place as usize).copied());
            assert!(found.eq(codes.iter()), "chunk {chunk}");
        }
        assert!(numbers.reset > 0);
    }
}
