//! A chunk's events, with what the predicates and the code lists say of each.

use arrow::array::{Array, AsArray, UInt32Array};
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

/// The categories of each event, a bit for each category of the list.
pub struct Categories {
    words: usize,
    bits: Vec<u64>,
    /// Places of the events with a code of the list.
    pub met: Vec<u32>,
    pub coded: Coded,
}

impl Categories {
    pub fn of(&self, event: &Event) -> &[u64] {
        &self.bits[event.at as usize * self.words..][..self.words]
    }

    /// Whether an event is of any of these categories.
    pub fn any(&self, event: &Event, wanted: &[u64]) -> bool {
        self.of(event).iter().zip(wanted).any(|(bits, wanted)| bits & wanted != 0)
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
    let batch = RecordBatch::try_new_with_options(std::sync::Arc::new(Schema::new(fields)), columns, &options)?;
    Ok(filter.mask(&batch)?.values().clone())
}

/// What is remembered of the codes of one column and their categories on one list.
pub struct CodeMemory {
    words: usize,
    /// The categories of each set of them, one set after the other; the first is of no category.
    sets: Vec<u64>,
    number_of_set: HashMap<Vec<u64>, u32>,
    by_text: HashMap<Box<str>, u32>,
    by_number: HashMap<i64, u32>,
    /// By number of the dictionary met last.
    by_key: Memo<Vec<Option<u32>>>,
}

/// More different codes than this are met with the list again.
const CODES_REMEMBERED: usize = 1 << 16;

impl CodeMemory {
    pub fn new(codes: &CodeList) -> Self {
        let words = words_for(codes.categories.len());
        Self {
            words,
            sets: vec![0; words],
            number_of_set: HashMap::from_iter([(vec![0; words], 0)]),
            by_text: HashMap::new(),
            by_number: HashMap::new(),
            by_key: Memo::default(),
        }
    }

    fn set(&mut self, codes: &CodeList, code: &str) -> u32 {
        if let Some(set) = self.by_text.get(code) {
            return *set;
        }
        let bits = bits_of(&codes.matches(code).collect::<Vec<_>>(), self.words);
        let next = u32::try_from(self.number_of_set.len()).unwrap_or(u32::MAX);
        let (sets, new) = (&mut self.sets, bits.clone());
        let set = *self.number_of_set.entry(bits).or_insert_with(|| {
            sets.extend(new);
            next
        });
        if self.by_text.len() >= CODES_REMEMBERED {
            self.by_text.clear();
        }
        self.by_text.insert(code.into(), set);
        set
    }

    fn set_of_number(&mut self, codes: &CodeList, number: i64) -> u32 {
        if let Some(set) = self.by_number.get(&number) {
            return *set;
        }
        let set = self.set(codes, &number.to_string());
        if self.by_number.len() >= CODES_REMEMBERED {
            self.by_number.clear();
        }
        self.by_number.insert(number, set);
        set
    }

    /// The categories of each event's code, or of all of its codes.
    pub fn meet(&mut self, codes: &CodeList, column: &dyn Array, events: &[Event]) -> Result<Categories> {
        let (mut bits, mut met) = (Vec::with_capacity(events.len() * self.words), Vec::new());
        let mut coded = Coded::default();
        let mut note = |memory: &Self, event: &Event, has_code: bool, sets: &[u32]| {
            let from = bits.len();
            bits.resize(from + memory.words, 0);
            for set in sets {
                let categories = &memory.sets[*set as usize * memory.words..][..memory.words];
                bits[from..].iter_mut().zip(categories).for_each(|(bits, more)| *bits |= more);
            }
            let on_list = sets.iter().any(|set| *set != 0);
            met.extend(on_list.then_some(event.at));
            coded.add(Coded { events: has_code.into(), on_list: on_list.into() });
        };
        if let Some(lists) = column.as_list_opt::<i32>() {
            let mut sets = Vec::new();
            let texts = Texts::of(lists.values()).ok_or_else(|| no_codes(column.data_type()))?;
            for event in events {
                let offsets = lists.value_offsets();
                let (row, at) = (event.row as usize, |row: usize| usize::try_from(offsets[row]).unwrap_or(0));
                let items = if lists.is_valid(row) { at(row)..at(row + 1) } else { 0..0 };
                sets.clear();
                sets.extend(items.filter_map(|item| texts.borrowed(item)).map(|code| self.set(codes, code)));
                note(self, event, !sets.is_empty(), &sets);
            }
            return Ok(Categories { words: self.words, bits, met, coded });
        }
        let texts = Texts::of(column).ok_or_else(|| no_codes(column.data_type()))?;
        let mut by_key = std::mem::take(&mut self.by_key);
        for event in events {
            let row = event.row as usize;
            let set = match texts {
                Texts::Digits(numbers) => numbers.is_valid(row).then(|| self.set_of_number(codes, numbers.value(row))),
                Texts::Coded(column, values) => column.key(row).map(|key| {
                    let known = by_key.of(values, |values| vec![None; values.len()]);
                    *known[key].get_or_insert_with(|| self.set(codes, values.value(key)))
                }),
                _ => texts.borrowed(row).map(|code| self.set(codes, code)),
            };
            note(self, event, set.is_some(), set.as_slice());
        }
        self.by_key = by_key;
        Ok(Categories { words: self.words, bits, met, coded })
    }
}

fn no_codes(data_type: &DataType) -> Error {
    Error::Fault(format!("codes cannot be of type {data_type}"))
}
