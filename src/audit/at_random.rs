//! Of which groups the unrecorded would be if, within strata of people who are alike, they were like the recorded.

use hashbrown::HashMap;

use super::groups::Split;

/// Unrecorded people whom a figure is about, and those counted, as they would fall to a group; expected numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share {
    pub people: f64,
    pub counted: f64,
}

/// Who is unrecorded in a split, and how the recorded of their stratum are spread over its groups.
pub struct Likely {
    groups: usize,
    /// The unrecorded, with an index into `strata`.
    unrecorded: Vec<(usize, usize)>,
    /// Recorded people by group.
    strata: Vec<Vec<u64>>,
}

/// Features by which people are alike.
pub struct Like {
    features: Vec<Split>,
    /// By how many of the features, from none to all: the stratum of each person.
    alike: Vec<Vec<u32>>,
}

impl Like {
    pub fn of(features: Vec<Split>, people: usize) -> Self {
        let alike = alike(&features.iter().collect::<Vec<_>>(), people);
        Self { features, alike }
    }
}

/// Spreads the unrecorded of a split by the features given, itself left out. Where nobody recorded is alike in all of them,
/// the last ones are left out, one after the other.
pub fn likely(split: &Split, like: &Like) -> Likely {
    let last = split.names.len().saturating_sub(1);
    let is_recorded = |person: &usize| split.of.get(*person).is_some_and(|group| (*group as usize) < last);
    let mut left: Vec<usize> = (0..split.of.len()).filter(|person| !is_recorded(person)).collect();
    let mut likely = Likely { groups: last, unrecorded: Vec::new(), strata: Vec::new() };
    if left.is_empty() {
        return likely;
    }
    let recorded: Vec<usize> = (0..split.of.len()).filter(is_recorded).collect();
    let others: Vec<&Split> = like.features.iter().filter(|other| other.name != split.name).collect();
    let without = (others.len() < like.features.len()).then(|| alike(&others, split.of.len()));
    for strata in without.as_ref().unwrap_or(&like.alike).iter().rev() {
        // By stratum with unrecorded people: its place.
        let mut places: Vec<Option<usize>> = vec![None; strata.iter().max().map_or(0, |most| *most as usize + 1)];
        for person in &left {
            places[strata[*person] as usize].get_or_insert_with(|| {
                likely.strata.push(vec![0; last]);
                likely.strata.len() - 1
            });
        }
        for person in &recorded {
            let counts = places[strata[*person] as usize].and_then(|place| likely.strata.get_mut(place));
            let count = counts.and_then(|counts| counts.get_mut(split.of[*person] as usize));
            count.into_iter().for_each(|count| *count += 1);
        }
        left.retain(|person| match places[strata[*person] as usize] {
            Some(place) if likely.strata[place].iter().any(|count| *count > 0) => {
                likely.unrecorded.push((*person, place));
                false
            }
            _ => true,
        });
        if left.is_empty() {
            break;
        }
    }
    likely.unrecorded.sort_unstable();
    likely
}

/// By how many of the features, from none to all: the stratum of each person.
fn alike(like: &[&Split], people: usize) -> Vec<Vec<u32>> {
    let mut alike = vec![vec![0; people]];
    for feature in like {
        let before = alike.last().map(Vec::as_slice).unwrap_or_default();
        let width = feature.names.len().max(1);
        let pairs =
            before.iter().zip(feature.of.iter()).map(|(stratum, group)| *stratum as usize * width + *group as usize);
        let strata = numbered(pairs, width * before.iter().max().map_or(0, |most| *most as usize + 1));
        alike.push(strata);
    }
    alike
}

impl Likely {
    /// What falls to each group, and nothing to those of whom nothing is recorded; `holds` says of a person whether the
    /// figure is about them and whether they are counted.
    pub fn shares(&self, holds: impl Fn(usize) -> (bool, bool)) -> Vec<Share> {
        let mut of_strata = vec![(0_u64, 0_u64); self.strata.len()];
        for (person, stratum) in &self.unrecorded {
            let (about, counted) = holds(*person);
            if let Some((people, with)) = of_strata.get_mut(*stratum) {
                *people += u64::from(about);
                *with += u64::from(counted);
            }
        }
        let mut shares = vec![Share::default(); self.groups + 1];
        for ((people, counted), recorded) in of_strata.into_iter().zip(&self.strata) {
            let all: u64 = recorded.iter().sum();
            for (share, here) in shares.iter_mut().zip(recorded).filter(|_| all > 0 && people > 0) {
                let part = *here as f64 / all as f64;
                share.people += people as f64 * part;
                share.counted += counted as f64 * part;
            }
        }
        shares
    }
}

/// Numbers below a limit that are looked up in a table.
const TABLE: usize = 1 << 22;

/// Numbers as they came, from 0 without a gap.
fn numbered(numbers: impl Iterator<Item = usize>, limit: usize) -> Vec<u32> {
    let mut next = 0;
    let mut new = || {
        next += 1;
        next
    };
    if limit > TABLE {
        let mut known: HashMap<usize, u32> = HashMap::new();
        return numbers.map(|number| *known.entry(number).or_insert_with(&mut new) - 1).collect();
    }
    let mut known = vec![0; limit];
    let mut number = |number: usize| {
        let known = &mut known[number];
        if *known == 0 {
            *known = new();
        }
        *known - 1
    };
    numbers.map(&mut number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_they_are_met_with_a_table_and_without() {
        for limit in [10, TABLE + 1] {
            assert_eq!(numbered([7, 3, 7, 9, 3].into_iter(), limit), [0, 1, 0, 2, 1]);
        }
    }

    fn split(name: &str, groups: usize, of: &[u32]) -> Split {
        let names = (0..groups).map(|group| group.to_string()).collect();
        Split { name: name.to_owned(), names, of: of.into() }
    }

    #[test]
    fn the_unrecorded_are_spread_like_the_recorded_of_their_stratum() {
        // Groups 0 and 1, 2 is not recorded. In stratum 0 two of three are of group 0; in stratum 1 nobody is recorded.
        let ethnicity = split("ethnicity", 3, &[0, 0, 1, 2, 2, 2]);
        let sex = split("sex", 2, &[0, 0, 0, 0, 0, 1]);
        let likely = likely(&ethnicity, &Like::of(vec![sex, ethnicity.clone()], 6));
        let shares = likely.shares(|person| (true, person == 3));
        let wanted = [(3.0 * 2.0 / 3.0, 2.0 / 3.0), (1.0, 1.0 / 3.0), (0.0, 0.0)];
        for (share, (people, counted)) in shares.iter().zip(wanted) {
            assert!((share.people - people).abs() < 1e-12 && (share.counted - counted).abs() < 1e-12, "{shares:?}");
        }
    }
}
