//! Every token of the registers, frozen: found by its hash, and believed only when the whole token is the same.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::superseded::Superseded;
use super::tokens::Tokens;
use super::{Entry, spine};
use crate::ahead;
use crate::conform::Texts;
use crate::error::Result;

/// A token that no register knows.
pub(super) const NOBODY: u32 = u32::MAX;

/// Tokens and their entries. What finds one changes nothing that is published.
#[derive(Debug, Default)]
pub(super) struct Known<S = DefaultHashBuilder> {
    entries: Vec<Entry>,
    /// Old tokens stand behind those in use; they have the entry of the one in use today.
    entry_of_old: Vec<u32>,
    /// In the order of their entries.
    tokens: Tokens,
    /// A power of two of them, at most half full: a part of the hash, and the token's number from 1.
    slots: Vec<(u32, u32)>,
    hasher: S,
}

/// What is held of a block of rows while it is searched for.
#[derive(Debug, Default)]
pub(super) struct Search {
    hashes: Vec<u64>,
    likely: Vec<u32>,
    /// By row of the block: the number of its entry, or [`NOBODY`].
    pub found: Vec<u32>,
}

impl<S: BuildHasher + Default> Known<S> {
    /// Freezes tokens in use, each with its entry, and the old tokens of any of them. Entries keep their order, and are
    /// numbered from 0 without a gap: where two people's tokens became one, one of them has none.
    pub fn of(mut entries: HashMap<String, Entry>, superseded: &Superseded) -> Result<Self> {
        let mut indices: Vec<u32> = entries.values().map(|entry| entry.index).collect();
        indices.sort_unstable();
        for entry in entries.values_mut() {
            let place = indices.partition_point(|index| *index < entry.index);
            entry.index = u32::try_from(place).map_err(|_| spine::too_many())?;
        }
        let old = superseded.pairs().filter_map(|(old, new)| Some((old.to_owned(), entries.get(new)?.index)));
        let (old, entry_of_old): (Vec<String>, Vec<u32>) = old.unzip();
        let mut current: Vec<(String, Entry)> = entries.into_iter().collect();
        current.sort_unstable_by_key(|(_, entry)| entry.index);
        let (current, entries): (Vec<String>, Vec<Entry>) = current.into_iter().unzip();
        let all: Vec<&str> = current.iter().chain(&old).map(String::as_str).collect();
        let mut known = Self { entries, entry_of_old, tokens: Tokens::of(&all), ..Self::default() };
        known.slots = vec![(0, 0); (2 * all.len() + 2).next_power_of_two()];
        for (token, number) in all.into_iter().zip(1_usize..) {
            let number = u32::try_from(number).map_err(|_| spine::too_many())?;
            let (mut at, tag) = known.place(known.hash(token));
            while known.slots[at].1 != 0 {
                at = (at + 1) & (known.slots.len() - 1);
            }
            known.slots[at] = (tag, number);
        }
        Ok(known)
    }

    /// Every token with its entry, those in use first.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Entry)> {
        let numbers = (1..).take(self.entries.len() + self.entry_of_old.len());
        numbers.filter_map(|number| Some((self.tokens.get(number), self.entry(self.entry_of(number))?)))
    }

    /// Has the rows of those kept whose tokens, in use today, `sample` chooses.
    pub fn keep_rows_of(&mut self, sample: impl Fn(&str) -> bool) {
        for (entry, number) in self.entries.iter_mut().zip(1..) {
            entry.kept = sample(self.tokens.get(number));
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn get(&self, token: &str) -> Option<&Entry> {
        self.entry(self.resolve(token, self.hash(token)))
    }

    pub fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    /// Finds the entry's number for each row of a block, and has the entry near.
    pub fn find(&self, tokens: &Texts, block: Range<usize>, search: &mut Search) {
        let token = |row: usize| tokens.borrowed(row).unwrap_or_default();
        let Search { hashes, likely, found } = search;
        hashes.clear();
        hashes.extend(block.clone().map(|row| self.hash(token(row))));
        ahead::read(hashes.iter().map(|hash| Some(self.slots.get(self.place(*hash).0)?.0)));
        likely.clear();
        likely.extend(hashes.iter().map(|hash| self.probe(*hash).1));
        ahead::read(likely.iter().map(|number| Some(u32::from(self.tokens.first_byte(*number)?))));
        ahead::read(likely.iter().map(|number| Some(self.entry(number.wrapping_sub(1))?.index)));
        found.clear();
        found.extend(block.zip(likely.iter().zip(hashes.iter())).map(|(row, (&likely, &hash))| match likely {
            0 => NOBODY,
            number if self.tokens.is(number, token(row)) => self.entry_of(number),
            _ => self.resolve(token(row), hash),
        }));
    }

    fn hash(&self, token: &str) -> u64 {
        self.hasher.hash_one(token.as_bytes())
    }

    /// Where to look first, and what to look for.
    fn place(&self, hash: u64) -> (usize, u32) {
        (hash as usize & (self.slots.len().max(1) - 1), (hash >> 32) as u32)
    }

    /// The first slot with this hash, or the empty one that ends the search: its place and the number in it.
    fn probe(&self, hash: u64) -> (usize, u32) {
        let (mut at, tag) = self.place(hash);
        loop {
            match self.slots.get(at) {
                Some(&(other, number)) if number != 0 && other != tag => at = (at + 1) & (self.slots.len() - 1),
                Some(&(_, number)) => return (at, number),
                None => return (at, 0),
            }
        }
    }

    /// The entry's number; two tokens of one hash are told apart here.
    fn resolve(&self, token: &str, hash: u64) -> u32 {
        let (mut at, mut number) = self.probe(hash);
        let tag = self.place(hash).1;
        while number != 0 {
            if self.slots[at].0 == tag && self.tokens.is(number, token) {
                return self.entry_of(number);
            }
            at = (at + 1) & (self.slots.len() - 1);
            number = self.slots[at].1;
        }
        NOBODY
    }

    fn entry_of(&self, number: u32) -> u32 {
        let old = (number as usize).checked_sub(self.entries.len() + 1);
        old.and_then(|old| self.entry_of_old.get(old)).copied().unwrap_or(number - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, Hasher};

    use arrow::array::StringViewArray;

    use super::super::Presence;
    use super::*;

    /// Every token has the same hash.
    #[derive(Default)]
    struct Same;

    impl Hasher for Same {
        fn finish(&self) -> u64 {
            7
        }

        fn write(&mut self, _: &[u8]) {}
    }

    fn entry(index: u32) -> Entry {
        Entry { index, presence: Presence::OnSpine, person: Some(index), birth: None, death: None, kept: false }
    }

    fn finds_each<S: BuildHasher + Default>(people: u32) {
        let token = |index: u32| format!("token {index:08}");
        let entries = (0..people).map(|index| (token(index), entry(index)));
        let old = (0..10).map(|index| (format!("old {index}"), token(index * 3)));
        let superseded = Superseded::of(old.collect());
        let known = Known::<S>::of(entries.collect(), &superseded).unwrap();
        assert_eq!(known.len(), people as usize);
        let asked: Vec<String> =
            (0..people + 50).map(token).chain((0..12).map(|index| format!("old {index}"))).collect();
        let column = StringViewArray::from_iter_values(&asked);
        let expected = (0..people).chain(std::iter::repeat_n(NOBODY, 50)).chain((0..10).map(|index| index * 3));
        let expected: Vec<u32> = expected.chain([NOBODY; 2]).collect();
        let mut found = Vec::new();
        for from in (0..asked.len()).step_by(100) {
            let mut search = Search::default();
            known.find(&Texts::View(&column), from..asked.len().min(from + 100), &mut search);
            found.extend(search.found);
        }
        assert_eq!(found, expected);
        let one_by_one = asked.iter().map(|token| known.get(token).map_or(NOBODY, |entry| entry.index));
        assert_eq!(one_by_one.collect::<Vec<_>>(), expected);
        assert!(known.all().take(people as usize).map(|(token, _)| token).eq((0..people).map(token)));
    }

    #[test]
    fn a_token_is_found_by_all_of_itself() {
        finds_each::<DefaultHashBuilder>(20_000);
    }

    #[test]
    fn tokens_of_one_hash_are_told_apart() {
        finds_each::<BuildHasherDefault<Same>>(300);
    }

    /// Two people whose tokens became one leave a gap behind.
    #[test]
    fn entries_are_numbered_without_a_gap() {
        let entries = [("a".to_owned(), entry(0)), ("c".to_owned(), entry(2)), ("d".to_owned(), entry(3))];
        let superseded = Superseded::of([("b".to_owned(), "c".to_owned())].into());
        let known = Known::<DefaultHashBuilder>::of(entries.into_iter().collect(), &superseded).unwrap();
        let of = |token: &str| known.get(token).map(|entry| (entry.index, entry.person));
        assert_eq!(["a", "b", "c", "d"].map(of), [(0, Some(0)), (1, Some(2)), (1, Some(2)), (2, Some(3))].map(Some));
        assert!((0..3).all(|number| known.entry(number).is_some_and(|entry| entry.index == number)));
    }

    #[test]
    fn nobody_is_found_where_there_is_nobody() {
        let known = Known::<DefaultHashBuilder>::of(HashMap::new(), &Superseded::default()).unwrap();
        assert!(known.get("a").is_none() && known.get("").is_none());
    }
}
