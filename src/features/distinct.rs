//! Different numbers or texts of each person.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use arrow::array::{Array, AsArray};
use hashbrown::HashMap;

use super::met::Event;
use crate::ahead;
use crate::conform::{Memo, Texts, cell_text};

/// Up to so many words of 64 bits a person; greater numbers are kept as pairs.
const WORDS: usize = 8;

/// Small numbers as bits of each person, which all workers set; great ones as pairs of each worker, that are sorted and
/// thinned now and then.
#[derive(Debug)]
pub struct Distinct {
    shared: Arc<Shared>,
    pairs: Vec<(u32, u32)>,
    thinned: usize,
    /// The numbers of the texts of the dictionary met last.
    by_key: Memo<Vec<Option<u32>>>,
}

/// What all workers know together.
#[derive(Debug)]
pub struct Shared {
    people: usize,
    bits: RwLock<Bits>,
    /// Texts have numbers of their own; days and categories are numbers already.
    texts: RwLock<HashMap<Box<str>, u32>>,
}

/// So many words a person; there are more as greater numbers are met.
#[derive(Debug, Default)]
struct Bits {
    words: usize,
    all: Vec<AtomicU64>,
}

impl Shared {
    pub fn new(people: usize) -> Arc<Self> {
        Arc::new(Self { people, bits: RwLock::default(), texts: RwLock::default() })
    }

    /// Texts with their numbers, to be asked for many: workers that take turns at each would wait for each other.
    fn numbers(&self) -> Numbers<'_> {
        Numbers { texts: &self.texts, known: None }
    }

    /// Makes room for so many words a person.
    fn widen(&self, words: usize) {
        let mut bits = self.bits.write().unwrap_or_else(PoisonError::into_inner);
        if bits.words >= words {
            return;
        }
        let old = |person: usize, word: usize| if word < bits.words { bits.of(person)[word].load(Relaxed) } else { 0 };
        let wider = (0..self.people).flat_map(|person| (0..words).map(move |word| (person, word)));
        let all = wider.map(|(person, word)| AtomicU64::new(old(person, word))).collect();
        *bits = Bits { words, all };
    }
}

/// The texts as one worker reads them.
struct Numbers<'a> {
    texts: &'a RwLock<HashMap<Box<str>, u32>>,
    known: Option<RwLockReadGuard<'a, HashMap<Box<str>, u32>>>,
}

impl Numbers<'_> {
    /// The number of a text, a new one if need be.
    fn of(&mut self, text: &str) -> u32 {
        // Whoever stopped while writing stops the run: what is read here is whole.
        let read = || self.texts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = self.known.get_or_insert_with(read).get(text) {
            return *number;
        }
        // Nobody writes while anyone reads.
        self.known = None;
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        *texts.entry(text.into()).or_insert(next)
    }
}

impl Bits {
    fn of(&self, person: usize) -> &[AtomicU64] {
        &self.all[person * self.words..][..self.words]
    }
}

impl Distinct {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, pairs: Vec::new(), thinned: 0, by_key: Memo::default() }
    }

    /// Adds numbers of people.
    pub fn add(&mut self, numbers: &[(u32, u32)]) {
        let word = |number: u32| number as usize / 64;
        let small = |(_, number): &&(u32, u32)| word(*number) < WORDS;
        let needed = numbers.iter().filter(small).map(|(_, number)| word(*number) + 1).max().unwrap_or_default();
        let shared = Arc::clone(&self.shared);
        let read = || shared.bits.read().unwrap_or_else(PoisonError::into_inner);
        let mut bits = read();
        if bits.words < needed {
            drop(bits);
            shared.widen(needed);
            bits = read();
        }
        for block in numbers.chunks(ahead::BLOCK) {
            let place = |(person, number): &(u32, u32)| bits.of(*person as usize).get(word(*number));
            ahead::read(block.iter().map(|one| Some(place(one)?.load(Relaxed) as u32)));
            for one in block {
                match place(one) {
                    Some(known) => {
                        let bit = 1 << (one.1 % 64);
                        if known.load(Relaxed) & bit == 0 {
                            known.fetch_or(bit, Relaxed);
                        }
                    }
                    None => self.pairs.push(*one),
                }
            }
        }
        if self.pairs.len() > 2 * self.thinned + (1 << 16) {
            self.thin();
        }
    }

    /// Adds what a column holds of these events: its text, or each of its texts.
    pub fn add_column<'a>(&mut self, column: &dyn Array, events: impl Iterator<Item = &'a Event>) {
        let mut found = Vec::new();
        let shared = Arc::clone(&self.shared);
        let mut numbers = shared.numbers();
        if let Some(Texts::Coded(coded, values)) = Texts::of(column) {
            let by_key = self.by_key.of(values, |values| vec![None; values.len()]);
            for event in events {
                let Some(key) = coded.key(event.row as usize) else { continue };
                let number = *by_key[key].get_or_insert_with(|| numbers.of(values.value(key)));
                found.push((event.person, number));
            }
            drop(numbers);
            return self.add(&found);
        }
        let mut text = String::new();
        for event in events.filter(|event| column.is_valid(event.row as usize)) {
            let row = event.row as usize;
            if let Some(lists) = column.as_list_opt::<i32>() {
                let items = lists.value(row);
                let texts = items.as_string::<i32>().iter().flatten();
                found.extend(texts.map(|item| (event.person, numbers.of(item))));
                continue;
            }
            text.clear();
            cell_text(column, row, &mut text);
            found.push((event.person, numbers.of(&text)));
        }
        drop(numbers);
        self.add(&found);
    }

    fn thin(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.thinned = self.pairs.len();
    }

    /// Adds the pairs of another worker, with whom the rest is shared.
    pub fn merge(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
    }

    pub fn counts(mut self) -> Vec<u32> {
        self.thin();
        let bits = self.shared.bits.read().unwrap_or_else(PoisonError::into_inner);
        let of = |person: usize| bits.of(person).iter().map(|bits| bits.load(Relaxed).count_ones()).sum();
        let mut counts: Vec<u32> = (0..self.shared.people).map(of).collect();
        self.pairs.iter().for_each(|(person, _)| counts[*person as usize] += 1);
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::{ArrayRef, DictionaryArray, StringArray};
    use arrow::datatypes::Int32Type;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Two workers, texts by dictionary and plain, few and many of them: as many as there are in a set.
    #[test]
    fn different_texts_are_counted_whoever_met_them() {
        for seed in 0..20 {
            println!("seed {seed}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (people, kinds) = (7, if seed % 2 == 0 { 40 } else { 2_000 });
            let mut truth = vec![BTreeSet::new(); people];
            let mut chunks: [Vec<(ArrayRef, Vec<Event>)>; 2] = Default::default();
            for round in 0..12 {
                let texts: Vec<String> = (0..300).map(|_| format!("text {}", random.random_range(0..kinds))).collect();
                let event = |at| Event { row: at, at, person: random.random_range(0..people as u32), day: 0 };
                let events: Vec<Event> = (0..300).map(event).collect();
                for event in &events {
                    truth[event.person as usize].insert(texts[event.row as usize].clone());
                }
                let coded: DictionaryArray<Int32Type> = texts.iter().map(String::as_str).collect();
                let column: ArrayRef =
                    if round % 3 == 0 { Arc::new(StringArray::from(texts)) } else { Arc::new(coded) };
                chunks[round % 2].push((column, events));
            }
            let shared = Shared::new(people);
            let workers = std::thread::scope(|scope| {
                let worker = |chunks: Vec<(ArrayRef, Vec<Event>)>| {
                    let mut worker = Distinct::new(Arc::clone(&shared));
                    scope.spawn(move || {
                        chunks.iter().for_each(|(column, events)| worker.add_column(column, events.iter()));
                        worker
                    })
                };
                chunks.map(worker).map(|worker| worker.join().unwrap())
            });
            let [mut first, second] = workers;
            first.merge(second);
            let truth: Vec<u32> = truth.iter().map(|texts| texts.len() as u32).collect();
            assert_eq!(first.counts(), truth, "seed {seed}");
        }
    }
}
