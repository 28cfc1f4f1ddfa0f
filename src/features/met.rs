//! A chunk's events, with what the predicates and the code lists say of each.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use hashbrown::HashMap;

use crate::codelist::CodeList;
use crate::conform::{Chunk, Memo, Texts, plain};
use crate::error::{Error, Result};
use crate::expr::Compiled;
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

/// Where a predicate holds, by place among the events.
pub fn filtered(filter: &Compiled, chunk: &Chunk, linked: &Linked, events: usize) -> Result<BooleanBuffer> {
    let mask = used_rows_mask(filter, chunk, linked)?;
    if events == linked.rows.len() {
        return Ok(mask);
    }
    let dated = linked.days.iter().enumerate().filter(|(_, day)| day.is_some());
    Ok(dated.map(|(at, _)| mask.value(at)).collect())
}

/// Where a predicate holds, by place among the used rows: no other row is asked, so none can make it fail.
pub fn used_rows_mask(filter: &Compiled, chunk: &Chunk, linked: &Linked) -> Result<BooleanBuffer> {
    let column = |name: &String| chunk.batch.column_by_name(name);
    if let [name] = filter.columns.as_slice()
        && let Some(Texts::Coded(coded, values)) = column(name).and_then(|column| Texts::of(column))
        && values.len() <= linked.rows.len()
        && let Some(holds) = filter.of_each_value(values)?
    {
        let null = values.len();
        let holds = |&row: &u32| holds.value(coded.key(row as usize).unwrap_or(null));
        return Ok(linked.rows.iter().map(holds).collect());
    }
    let rows = (linked.rows.len() < chunk.fates.len()).then(|| UInt32Array::from(linked.rows.clone()));
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, declared) in filter.columns.iter().zip(filter.types()) {
        let Some(column) = column(name) else { continue };
        let used = rows.as_ref().map(|rows| take(column, rows, None)).transpose()?;
        fields.push(Field::new(name, declared.clone(), true));
        columns.push(plain(used.as_ref().unwrap_or(column), declared)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(linked.rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
    Ok(filter.mask(&batch)?.values().clone())
}

/// What is remembered of the codes of one column and their categories on one list.
pub struct CodeMemory {
    sets: Arc<Sets>,
    by_text: HashMap<Box<str>, u32>,
    by_number: Recall,
    /// By number of the dictionary met last.
    by_key: Memo<Vec<Option<u32>>>,
}

/// More different codes than this are met with the list again.
const CODES_REMEMBERED: usize = 1 << 16;

/// Instead of the number of a set.
const NO_CODE: u32 = u32::MAX;

impl CodeMemory {
    /// `asked` are sets of categories, each with the number of who asks for any of them.
    pub fn new(codes: &CodeList, asked: Vec<(u32, Vec<u64>)>) -> Self {
        Self {
            sets: Arc::new(Sets::new(words_for(codes.categories.len()), asked)),
            by_text: HashMap::new(),
            by_number: Recall::default(),
            by_key: Memo::default(),
        }
    }

    fn set(&mut self, codes: &CodeList, code: &str) -> u32 {
        if let Some(set) = self.by_text.get(code) {
            return *set;
        }
        let bits = bits_of(&codes.matches(code).collect::<Vec<_>>(), self.sets.words);
        let set = Arc::make_mut(&mut self.sets).number(bits);
        if self.by_text.len() >= CODES_REMEMBERED {
            self.by_text.clear();
        }
        self.by_text.insert(code.into(), set);
        set
    }

    fn set_of_number(&mut self, codes: &CodeList, number: i64) -> u32 {
        if let Some(set) = self.by_number.get(number) {
            return set;
        }
        let set = self.set(codes, &number.to_string());
        self.by_number.insert(number, set);
        set
    }

    /// The categories of each event's code, or of all of its codes.
    pub fn meet(&mut self, codes: &CodeList, column: &dyn Array, events: &[Event]) -> Result<Categories> {
        let mut of_event = match column.as_list_opt::<i32>() {
            Some(lists) => self.sets_of_lists(codes, lists, events)?,
            None => self.sets_of_texts(codes, column, events)?,
        };
        let has_code = of_event.iter().filter(|set| **set != NO_CODE).count();
        of_event.iter_mut().filter(|set| **set == NO_CODE).for_each(|set| *set = 0);
        let on_list = (0..).zip(&of_event).filter(|(_, set)| **set != 0);
        let met: Vec<u32> = on_list.map(|(at, _)| at).collect();
        let coded = Coded { events: has_code as u64, on_list: met.len() as u64 };
        Ok(Categories { sets: Arc::clone(&self.sets), of_event, met, coded })
    }

    fn sets_of_texts(&mut self, codes: &CodeList, column: &dyn Array, events: &[Event]) -> Result<Vec<u32>> {
        let rows = events.iter().map(|event| event.row as usize);
        Ok(match Texts::of(column).ok_or_else(|| no_codes(column.data_type()))? {
            Texts::Digits(numbers) => {
                let set = |row| match numbers.is_valid(row) {
                    true => self.set_of_number(codes, numbers.value(row)),
                    false => NO_CODE,
                };
                rows.map(set).collect()
            }
            Texts::Coded(column, values) => {
                let mut by_key = std::mem::take(&mut self.by_key);
                let known = by_key.of(values, |values| vec![None; values.len()]);
                let mut set = |key: usize| *known[key].get_or_insert_with(|| self.set(codes, values.value(key)));
                let sets = rows.map(|row| column.key(row).map_or(NO_CODE, &mut set)).collect();
                self.by_key = by_key;
                sets
            }
            texts => rows.map(|row| texts.borrowed(row).map_or(NO_CODE, |code| self.set(codes, code))).collect(),
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
