//! Every token of the registers, frozen: found by its hash, and believed only when the whole token is the same.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use super::displaced::Displaced;
use super::packed::{Packed, Packing};
use super::superseded::Superseded;
use super::{Entry, spine};
use crate::ahead;
use crate::conform::Texts;
use crate::error::Result;

/// A token that no register knows.
pub(super) const NOBODY: u32 = u32::MAX;

/// Tokens and their entries. What finds one changes nothing that is published.
#[derive(Debug, Default)]
pub(super) struct Known<S = DefaultHashBuilder> {
    /// Each token where its hash is displaced to; behind those, tokens whose hash another one has.
    lines: Vec<Option<Line>>,
    displaced: Displaced,
    /// The line of each token that is not where its hash is displaced to.
    aside: HashMap<String, u32>,
    packing: Packing,
    /// By line: the token, where tokens are not packed whole.
    whole: Vec<String>,
    /// Lines of old tokens; they have the entry of the one in use today.
    old: HashSet<u32>,
    /// How many tokens are in use.
    in_use: usize,
    hasher: S,
}

/// A token and what is known of it: all that is asked of a row lies in one line of a processor's memory.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line {
    token: Packed,
    entry: Entry,
}

/// What is held of a block of rows while it is searched for.
#[derive(Debug, Default)]
pub(super) struct Search {
    packed: Vec<Option<Packed>>,
    hashes: Vec<u64>,
    places: Vec<u32>,
    /// By row of the block: the number of its line, or [`NOBODY`].
    pub found: Vec<u32>,
}

impl<S: BuildHasher + Default> Known<S> {
    /// Freezes tokens in use, each once with its entry, and the old tokens of any of them. Entries keep their order, and are
    /// numbered from 0 without a gap: where two people's tokens became one, one of them has none.
    pub fn of<'t>(mut entries: Vec<(&'t str, Entry)>, superseded: &'t Superseded) -> Result<Self> {
        entries.sort_unstable_by_key(|(_, entry)| entry.index);
        for (place, (_, entry)) in entries.iter_mut().enumerate() {
            entry.index = u32::try_from(place).map_err(|_| spine::too_many())?;
        }
        let in_use = entries.len();
        let successors: HashSet<&str> = superseded.pairs().map(|(_, new)| new).collect();
        let succeeded = entries.iter().copied().filter(|(token, _)| successors.contains(token));
        let succeeded: HashMap<&str, Entry> = succeeded.collect();
        entries.extend(superseded.pairs().filter_map(|(old, new)| Some((old, *succeeded.get(new)?))));
        let packing = Packing::of(entries.iter().map(|(token, _)| *token));
        let mut known = Self { packing, in_use, ..Self::default() };
        let hash = |(token, _): &(&str, Entry)| packing.pack(token).map(|packed| known.hasher.hash_one(packed));
        let hashes: Vec<u64> = entries.iter().filter_map(hash).collect();
        let (displaced, places) = Displaced::of(&hashes);
        known.lines.reserve_exact(displaced.places() + places.iter().filter(|place| place.is_none()).count());
        known.lines.resize(displaced.places(), None);
        known.displaced = displaced;
        for (number, ((token, entry), place)) in entries.iter().zip(places).enumerate() {
            let Some(packed) = packing.pack(token) else { continue };
            let line = match place {
                Some(place) => place,
                None => {
                    known.lines.push(None);
                    let line = u32::try_from(known.lines.len() - 1).map_err(|_| spine::too_many())?;
                    known.aside.insert((*token).to_owned(), line);
                    line
                }
            };
            known.lines[line as usize] = Some(Line { token: packed, entry: *entry });
            known.old.extend((number >= known.in_use).then_some(line));
            if !packing.is_exact() {
                known.whole.resize(known.lines.len(), String::new());
                (*token).clone_into(&mut known.whole[line as usize]);
            }
        }
        Ok(known)
    }

    /// Every line with its entry, those of tokens in use first.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let lines = (0_u32..).zip(&self.lines).filter(|(at, _)| !self.old.contains(at));
        let in_use = lines.filter_map(|(at, line)| Some((at, &line.as_ref()?.entry)));
        in_use.chain(self.old.iter().filter_map(|at| Some((*at, self.entry(*at)?))))
    }

    /// Has the rows of those kept whose tokens, in use today, `sample` chooses.
    pub fn keep_rows_of(&mut self, sample: impl Fn(&str) -> bool) {
        let mut kept = vec![false; self.in_use];
        for (line, entry) in self.all().take(self.in_use) {
            kept[entry.index as usize] = self.token(line).is_some_and(|token| sample(&token));
        }
        self.lines.iter_mut().flatten().for_each(|line| line.entry.kept = kept[line.entry.index as usize]);
    }

    /// How many tokens are in use.
    pub fn len(&self) -> usize {
        self.in_use
    }

    pub fn get(&self, token: &str) -> Option<&Entry> {
        let packed = self.packing.pack(token)?;
        self.entry(self.look(token, &packed, self.displaced.place(self.hasher.hash_one(packed))))
    }

    /// The entry of a line that was found.
    pub fn entry(&self, line: u32) -> Option<&Entry> {
        Some(&self.lines.get(line as usize)?.as_ref()?.entry)
    }

    /// The token of a line.
    pub fn token(&self, line: u32) -> Option<String> {
        let packed = &self.lines.get(line as usize)?.as_ref()?.token;
        Some(self.whole.get(line as usize).cloned().unwrap_or_else(|| self.packing.unpack(packed)))
    }

    /// Finds the line of each row of a block, and has it near.
    pub fn find(&self, tokens: &Texts, block: Range<usize>, search: &mut Search) {
        let token = |row: usize| tokens.borrowed(row).unwrap_or_default();
        let Search { packed, hashes, places, found } = search;
        packed.clear();
        packed.extend(block.clone().map(|row| self.packing.pack(token(row))));
        hashes.clear();
        hashes.extend(packed.iter().map(|packed| packed.map_or(0, |packed| self.hasher.hash_one(packed))));
        places.clear();
        places.extend(hashes.iter().map(|hash| self.displaced.place(*hash)));
        ahead::read(places.iter().map(|place| Some(self.entry(*place)?.index)));
        found.clear();
        let places = places.iter().zip(packed.iter());
        found.extend(block.zip(places).map(|(row, (&place, packed))| match packed {
            Some(packed) if self.is_at(packed, place) => place,
            Some(packed) => self.look(token(row), packed, place),
            None => NOBODY,
        }));
    }

    /// Whether all of a token stands at a place.
    fn is_at(&self, packed: &Packed, place: u32) -> bool {
        let line = self.lines.get(place as usize).and_then(Option::as_ref);
        self.whole.is_empty() && line.is_some_and(|line| line.token == *packed)
    }

    /// The line of a token whose place is known.
    fn look(&self, token: &str, packed: &Packed, place: u32) -> u32 {
        match self.lines.get(place as usize) {
            Some(Some(line))
                if line.token == *packed && self.whole.get(place as usize).is_none_or(|whole| whole == token) =>
            {
                place
            }
            _ if self.aside.is_empty() => NOBODY,
            _ => self.aside.get(token).copied().unwrap_or(NOBODY),
        }
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

    fn finds_each<S: BuildHasher + Default>(people: u32, token: fn(u32) -> String) {
        let tokens: Vec<String> = (0..people).map(token).collect();
        let entries = tokens.iter().zip(0..).map(|(token, index)| (token.as_str(), entry(index)));
        let old = (0..10).map(|index| (format!("old {index}"), token(index * 3)));
        let superseded = Superseded::of(old.collect());
        let known = Known::<S>::of(entries.collect(), &superseded).unwrap();
        assert_eq!(known.len(), people as usize);
        let asked: Vec<String> =
            (0..people + 50).map(token).chain((0..12).map(|index| format!("old {index}"))).collect();
        let column = StringViewArray::from_iter_values(&asked);
        let nobody = std::iter::repeat_n(None, 50);
        let expected = (0..people).map(Some).chain(nobody).chain((0..10).map(|index| Some(index * 3)));
        let expected: Vec<Option<u32>> = expected.chain([None; 2]).collect();
        let mut found = Vec::new();
        for from in (0..asked.len()).step_by(100) {
            let mut search = Search::default();
            known.find(&Texts::View(&column), from..asked.len().min(from + 100), &mut search);
            found.extend(search.found.iter().map(|line| known.entry(*line).map(|entry| entry.index)));
        }
        assert_eq!(found, expected);
        let one_by_one = asked.iter().map(|token| known.get(token).map(|entry| entry.index));
        assert_eq!(one_by_one.collect::<Vec<_>>(), expected);
        let mut all: Vec<_> = known.all().map(|(line, entry)| (entry.index, known.token(line).unwrap())).collect();
        let old = all.split_off(people as usize);
        all.sort_unstable();
        assert!(all.into_iter().eq((0..people).map(|index| (index, token(index)))));
        assert!(old.len() == 10 && old.iter().all(|(_, token)| token.starts_with("old")));
    }

    #[test]
    fn a_token_is_found_by_all_of_itself() {
        finds_each::<DefaultHashBuilder>(20_000, |index| format!("token {index:08}"));
        finds_each::<DefaultHashBuilder>(20_000, |index| format!("a token too long to be packed whole {index:08}"));
    }

    #[test]
    fn tokens_of_one_hash_are_told_apart() {
        finds_each::<BuildHasherDefault<Same>>(300, |index| format!("token {index:08}"));
        let same_ends = |index| format!("0123456789{index:08}0123456789{}0123456789", 99_999_999 - index);
        finds_each::<BuildHasherDefault<Same>>(300, same_ends);
    }

    /// Two people whose tokens became one leave a gap behind.
    #[test]
    fn entries_are_numbered_without_a_gap() {
        let entries = vec![("d", entry(3)), ("a", entry(0)), ("c", entry(2))];
        let superseded = Superseded::of([("b".to_owned(), "c".to_owned())].into());
        let known = Known::<DefaultHashBuilder>::of(entries, &superseded).unwrap();
        let of = |token: &str| known.get(token).map(|entry| (entry.index, entry.person));
        assert_eq!(["a", "b", "c", "d"].map(of), [(0, Some(0)), (1, Some(2)), (1, Some(2)), (2, Some(3))].map(Some));
        assert_eq!(known.len(), 3);
    }

    #[test]
    fn nobody_is_found_where_there_is_nobody() {
        let known = Known::<DefaultHashBuilder>::of(Vec::new(), &Superseded::default()).unwrap();
        assert!(known.get("a").is_none() && known.get("").is_none());
    }
}
