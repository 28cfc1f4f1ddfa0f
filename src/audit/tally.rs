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
    /// By cell.
    people: Vec<u64>,
}

/// The people of a figure, in ascending order.
pub(super) struct Who {
    /// None where it is about everyone.
    about: Option<Vec<u32>>,
    counted: Vec<u32>,
}

impl Values {
    /// Whether a person is one whom the figure is about, and whether counted.
    pub fn holds(&self, person: usize) -> (bool, bool) {
        let about = self.about.value(person);
        (about, about && self.counted.value(person))
    }

    pub fn about_everyone(&self) -> bool {
        self.about.true_count() == self.about.len()
    }

    pub fn who(&self) -> Who {
        let about = self.about.values();
        let counted = about & self.counted.values();
        let about = (!self.about_everyone()).then(|| about.set_indices_u32().collect());
        Who { about, counted: counted.set_indices_u32().collect() }
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
        let mut people = vec![0; split.names.len() * age.map_or(1, |age| age.names.len())];
        of.iter().for_each(|cell| people[*cell as usize] += 1);
        Self { split, bands: age.map(|age| age.names.clone()), of, people }
    }

    pub fn count(&self, values: &Values, who: &Who, shares: Vec<Share>) -> Vec<GroupTally> {
        let mut tallies = match &values.mean {
            Some(mean) => {
                let split = &self.split;
                means(&split.name, &split.names, |person| split.of[person] as usize, &values.about, mean)
            }
            None => self.counts(who),
        };
        tallies.iter_mut().zip(shares).for_each(|(tally, share)| tally.at_random = share);
        tallies
    }

    /// How many of these people are in each cell.
    fn among(&self, people: &[u32]) -> Vec<u64> {
        let mut counts = vec![0; self.people.len()];
        people.iter().for_each(|person| counts[self.of[*person as usize] as usize] += 1);
        counts
    }

    fn counts(&self, who: &Who) -> Vec<GroupTally> {
        let width = self.bands.as_ref().map_or(1, Vec::len).max(1);
        let about = who.about.as_ref().map_or_else(|| self.people.clone(), |about| self.among(about));
        let counted = self.among(&who.counted);
        let groups = self.split.names.iter().zip(about.chunks(width).zip(counted.chunks(width)));
        let group = |(name, (about, counted)): (&String, (&[u64], &[u64]))| {
            let mut tally = GroupTally::of(&self.split.name, name);
            let cells = about.iter().zip(counted).map(|(&people, &counted)| Tally { people, counted, sum: 0.0 });
            let names = self.bands.iter().flatten().cloned();
            tally.bands = names.zip(cells).collect();
            tally.all = Tally { people: about.iter().sum(), counted: counted.iter().sum(), sum: 0.0 };
            tally
        };
        groups.map(group).collect()
    }
}

/// Sums of a figure, person by person; a mean has no standardised form here, so that no age is asked for.
fn means(
    split: &str,
    names: &[String],
    of: impl Fn(usize) -> usize,
    about: &BooleanArray,
    mean: &Float64Array,
) -> Vec<GroupTally> {
    let mut sums = vec![Tally::default(); names.len()];
    for person in about.values().set_indices() {
        let tally = &mut sums[of(person)];
        tally.people += 1;
        tally.sum += mean.value(person);
    }
    names.iter().zip(sums).map(|(name, all)| GroupTally { all, ..GroupTally::of(split, name) }).collect()
}

/// The figure of those of whom an item is recorded, and of those of whom it is not.
pub(super) fn by_recording(split: &str, gaps: &BooleanBuffer, values: &Values) -> Vec<GroupTally> {
    let names = [RECORDED, NOT_RECORDED].map(str::to_owned);
    if let Some(mean) = &values.mean {
        return means(split, &names, |person| usize::from(gaps.value(person)), &values.about, mean);
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
