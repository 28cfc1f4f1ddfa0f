//! Different numbers or texts of each person.

use arrow::array::{Array, AsArray};
use hashbrown::HashMap;

use super::met::{Event, set_bits};
use crate::ahead;
use crate::conform::{Memo, Texts, cell_text};

/// Up to so many words of 64 bits a person; greater numbers are kept as pairs.
const WORDS: usize = 8;

/// Small numbers as bits of each person, great ones as pairs that are sorted and thinned now and then.
#[derive(Debug, Default)]
pub struct Distinct {
    people: usize,
    /// Words a person; grows with the numbers met.
    words: usize,
    bits: Vec<u64>,
    pairs: Vec<(u32, u32)>,
    thinned: usize,
    /// Texts have numbers of their own; days and categories are numbers already.
    texts: HashMap<Box<str>, u32>,
    /// The numbers of the texts of the dictionary met last.
    by_key: Memo<Vec<Option<u32>>>,
}

impl Distinct {
    pub fn new(people: usize) -> Self {
        Self { people, ..Self::default() }
    }

    pub fn add(&mut self, person: u32, number: u32) {
        let (word, bit) = (number as usize / 64, number % 64);
        if word < WORDS {
            if word >= self.words {
                self.widen((word + 1).next_power_of_two());
            }
            self.bits[person as usize * self.words + word] |= 1 << bit;
            return;
        }
        self.pairs.push((person, number));
        if self.pairs.len() > 2 * self.thinned + (1 << 16) {
            self.thin();
        }
    }

    /// Adds what a column holds of these events: its text, or each of its texts.
    pub fn add_column<'a>(&mut self, column: &dyn Array, events: impl Iterator<Item = &'a Event>) {
        if let Some(Texts::Coded(coded, values)) = Texts::of(column) {
            let mut by_key = std::mem::take(&mut self.by_key);
            let numbers = by_key.of(values, |values| vec![None; values.len()]);
            let mut block: Vec<(u32, u32)> = Vec::with_capacity(ahead::BLOCK);
            for event in events {
                let Some(key) = coded.key(event.row as usize) else { continue };
                block.push((event.person, *numbers[key].get_or_insert_with(|| self.number(values.value(key)))));
                if block.len() == ahead::BLOCK {
                    self.add_block(&mut block);
                }
            }
            self.add_block(&mut block);
            self.by_key = by_key;
            return;
        }
        for event in events.filter(|event| column.is_valid(event.row as usize)) {
            let row = event.row as usize;
            if let Some(lists) = column.as_list_opt::<i32>() {
                let items = lists.value(row);
                items.as_string::<i32>().iter().flatten().for_each(|item| self.add_text(event.person, item));
                continue;
            }
            let mut text = String::new();
            cell_text(column, row, &mut text);
            self.add_text(event.person, &text);
        }
    }

    fn add_block(&mut self, block: &mut Vec<(u32, u32)>) {
        let word = |(person, number): &(u32, u32)| {
            let word = self.bits.get(*person as usize * self.words + *number as usize / 64)?;
            Some(*word as u32)
        };
        ahead::read(block.iter().map(word));
        block.drain(..).for_each(|(person, number)| self.add(person, number));
    }

    fn add_text(&mut self, person: u32, text: &str) {
        let number = self.number(text);
        self.add(person, number);
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.insert(text.into(), number);
        number
    }

    fn widen(&mut self, words: usize) {
        let mut wider = vec![0; words * self.people];
        for (person, bits) in self.bits.chunks_exact(self.words.max(1)).enumerate() {
            wider[person * words..][..bits.len()].copy_from_slice(bits);
        }
        (self.words, self.bits) = (words, wider);
    }

    fn thin(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.thinned = self.pairs.len();
    }

    pub fn merge(&mut self, other: Self) {
        let mut ours: HashMap<u32, u32> = HashMap::with_capacity(other.texts.len());
        for (text, number) in &other.texts {
            ours.insert(*number, self.number(text));
        }
        let number = |theirs: u32| ours.get(&theirs).copied().unwrap_or(theirs);
        for (person, bits) in (0..).zip(other.bits.chunks_exact(other.words.max(1))) {
            set_bits(bits).for_each(|theirs| self.add(person, number(u32::try_from(theirs).unwrap_or(u32::MAX))));
        }
        other.pairs.into_iter().for_each(|(person, theirs)| self.add(person, number(theirs)));
    }

    pub fn counts(mut self) -> Vec<u32> {
        self.thin();
        let mut counts = vec![0; self.people];
        for (count, bits) in counts.iter_mut().zip(self.bits.chunks_exact(self.words.max(1))) {
            *count = bits.iter().map(|bits| bits.count_ones()).sum();
        }
        self.pairs.iter().for_each(|(person, _)| counts[*person as usize] += 1);
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::{DictionaryArray, StringArray};
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
            let mut workers = [Distinct::new(people), Distinct::new(people)];
            for round in 0..12 {
                let texts: Vec<String> = (0..300).map(|_| format!("text {}", random.random_range(0..kinds))).collect();
                let event = |at| Event { row: at, at, person: random.random_range(0..people as u32), day: 0 };
                let events: Vec<Event> = (0..300).map(event).collect();
                for event in &events {
                    truth[event.person as usize].insert(texts[event.row as usize].clone());
                }
                let worker = &mut workers[round % 2];
                if round % 3 == 0 {
                    worker.add_column(&StringArray::from(texts), events.iter());
                } else {
                    let coded: DictionaryArray<Int32Type> = texts.iter().map(String::as_str).collect();
                    worker.add_column(&coded, events.iter());
                }
            }
            let [mut first, second] = workers;
            first.merge(second);
            let truth: Vec<u32> = truth.iter().map(|texts| texts.len() as u32).collect();
            assert_eq!(first.counts(), truth, "seed {seed}");
        }
    }
}
