//! A figure counted from people, in every group of a split.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array};
use arrow::buffer::BooleanBuffer;

use super::at_random::Share;
use super::groups::Split;
use super::inequality::RECORDED;
use crate::cohort::words::NOT_RECORDED;

/// A figure in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupTally {
    pub split: String,
    pub group: String,
    pub all: Tally,
    /// By age band, in the order of the bands; "not recorded" last.
    pub bands: Vec<(String, Tally)>,
    /// What of the unrecorded would be of this group if they were like the recorded.
    pub at_random: Share,
}

/// People whom a figure is about, those of them who are counted, and the sum of which a mean is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub people: u64,
    pub counted: u64,
    pub sum: f64,
}

/// One figure of each person.
pub(super) struct Values {
    pub about: BooleanArray,
    pub counted: BooleanArray,
    pub mean: Option<Float64Array>,
}

impl GroupTally {
    fn of(split: &str, group: &str) -> Self {
        Self {
            split: split.to_owned(),
            group: group.to_owned(),
            all: Tally::default(),
            bands: Vec::new(),
            at_random: Share::default(),
        }
    }
}

/// Everyone in a group of a split, and there in a band of age.
pub(super) struct Cells {
    split: Split,
    /// Names of the bands; none where there is no age to tell by.
    bands: Option<Vec<String>>,
    /// By person: group times the number of bands, and the band.
    of: Arc<[u32]>,
}

/// What a figure makes of a person: nothing, one whom it is about, one of those who is counted.
const PARTS: usize = 3;

impl Values {
    /// Whether a person is one whom the figure is about, and whether counted.
    pub fn holds(&self, person: usize) -> (bool, bool) {
        let about = self.about.value(person);
        (about, about && self.counted.value(person))
    }

    /// By person, below [`PARTS`].
    pub fn parts(&self) -> Vec<u8> {
        let pairs = self.about.values().iter().zip(self.counted.values().iter());
        pairs.map(|(about, counted)| u8::from(about) + u8::from(about && counted)).collect()
    }
}

impl Cells {
    pub fn of(split: Split, age: Option<&Split>) -> Self {
        let of = match age {
            None => split.of.clone(),
            Some(age) => {
                let width = age.names.len() as u32;
                split.of.iter().zip(age.of.iter()).map(|(group, band)| group * width + band).collect()
            }
        };
        Self { split, bands: age.map(|age| age.names.clone()), of }
    }

    pub fn count(&self, values: &Values, parts: &[u8], shares: Vec<Share>) -> Vec<GroupTally> {
        let mut tallies = match &values.mean {
            Some(mean) => means(&self.split, &values.about, mean),
            None => self.counts(parts),
        };
        tallies.iter_mut().zip(shares).for_each(|(tally, share)| tally.at_random = share);
        tallies
    }

    fn counts(&self, parts: &[u8]) -> Vec<GroupTally> {
        let width = self.bands.as_ref().map_or(1, Vec::len);
        let mut people = vec![[0_u64; PARTS]; self.split.names.len() * width];
        self.of.iter().zip(parts).for_each(|(cell, part)| people[*cell as usize][usize::from(*part)] += 1);
        let groups = self.split.names.iter().zip(people.chunks(width.max(1)));
        let group = |(name, cells): (&String, &[[u64; PARTS]])| {
            let mut tally = GroupTally::of(&self.split.name, name);
            let of =
                |[_, about, counted]: &[u64; PARTS]| Tally { people: about + counted, counted: *counted, sum: 0.0 };
            let names = self.bands.iter().flatten().cloned();
            tally.bands = names.zip(cells.iter().map(of)).collect();
            for [_, about, counted] in cells {
                tally.all.people += about + counted;
                tally.all.counted += counted;
            }
            tally
        };
        groups.map(group).collect()
    }
}

/// Sums of a figure, person by person; a mean has no standardised form here, so that no age is asked for.
fn means(split: &Split, about: &BooleanArray, mean: &Float64Array) -> Vec<GroupTally> {
    let mut tallies: Vec<GroupTally> = split.names.iter().map(|name| GroupTally::of(&split.name, name)).collect();
    for (person, group) in split.of.iter().enumerate().filter(|(person, _)| about.value(*person)) {
        let tally = &mut tallies[*group as usize].all;
        tally.people += 1;
        tally.sum += mean.value(person);
    }
    tallies
}

/// The figure of those of whom an item is recorded, and of those of whom it is not.
pub(super) fn by_recording(split: &str, gaps: &BooleanBuffer, values: &Values) -> Vec<GroupTally> {
    let names = [RECORDED, NOT_RECORDED];
    if let Some(mean) = &values.mean {
        let of = gaps.iter().map(u32::from).collect();
        let split = Split { name: split.to_owned(), names: names.map(str::to_owned).into(), of };
        return means(&split, &values.about, mean);
    }
    let about = values.about.values();
    let counted = about & values.counted.values();
    let of = |who: &BooleanBuffer| Tally {
        people: (about & who).count_set_bits() as u64,
        counted: (&counted & who).count_set_bits() as u64,
        sum: 0.0,
    };
    let tallies = [of(&!gaps), of(gaps)];
    names.iter().zip(tallies).map(|(name, all)| GroupTally { all, ..GroupTally::of(split, name) }).collect()
}
