//! The place in which the invented people live: practices in networks in places, small areas with deprivation deciles,
//! and the days as text.

use jiff::civil::Date;

use super::Called;
use super::dice::Dice;
use super::risk::Index;
use crate::calendar::{self, Window};

/// What all people share.
pub struct World {
    pub as_of: i32,
    /// From where on the last year's admissions follow a known risk.
    pub index: Index,
    /// From the index on.
    pub called: Called,
    pub practices: Vec<Practice>,
    /// Deprivation decile of each small area, 1 is the most deprived.
    pub areas: Vec<u8>,
    pub days: Days,
}

pub struct Practice {
    pub code: String,
    pub network: String,
    pub network_name: String,
    pub place: &'static str,
}

const PLACES: [&str; 3] = ["Northvale", "Riverside", "Eastmoor"];

impl World {
    pub fn new(persons: u64, as_of: Date) -> Self {
        let practices = (persons / 8_500).clamp(8, 400) as usize;
        let areas = (persons / 1_500).clamp(50, 4_000) as usize;
        let year = |date| Window::Months(12).first_day(date).unwrap_or(date);
        let (index, before) = (year(as_of), year(year(as_of)));
        let index = Index { day: calendar::epoch_days(index), year_before: calendar::epoch_days(before) };
        let as_of = calendar::epoch_days(as_of);
        Self {
            as_of,
            index,
            called: Called::default(),
            practices: (0..practices).map(practice).collect(),
            areas: (0..areas).map(|area| (area * 10 / areas) as u8 + 1).collect(),
            days: Days::around(as_of),
        }
    }

    /// A practice serves areas of like deprivation, with some from further away.
    pub fn area_of(&self, practice: usize, dice: &mut Dice) -> usize {
        let areas = self.areas.len();
        let centre = (practice * areas + areas / 2) / self.practices.len().max(1);
        let spread = areas as f64 / 8.0;
        (centre as f64 + dice.normal() * spread).clamp(0.0, areas as f64 - 1.0) as usize
    }

    pub fn decile(&self, area: usize) -> u8 {
        self.areas.get(area).copied().unwrap_or(5)
    }

    pub fn practice_code(&self, practice: usize) -> &str {
        self.practices.get(practice).map_or("", |practice| practice.code.as_str())
    }
}

fn practice(number: usize) -> Practice {
    let network = number / 4;
    Practice {
        code: format!("Y9{:04}", number + 1),
        network: format!("U9{:04}", network + 1),
        network_name: format!("Invented network {}", network + 1),
        place: PLACES.get(network % PLACES.len()).copied().unwrap_or(""),
    }
}

/// Area codes have the shape of LSOA codes and lie beyond those that were ever given out.
pub fn area_code(area: usize) -> String {
    format!("E019{area:05}")
}

/// Days as ISO text: made once, as a hundred million cells need them.
pub struct Days {
    first: i32,
    iso: Vec<String>,
}

impl Days {
    fn around(as_of: i32) -> Self {
        let (first, last) = (as_of - 44_000, as_of + 800);
        let text = |day| calendar::date_of(day).map(|date| date.to_string()).unwrap_or_default();
        Self { first, iso: (first..=last).map(text).collect() }
    }

    pub fn iso(&self, day: i32) -> &str {
        usize::try_from(day - self.first).ok().and_then(|at| self.iso.get(at)).map_or("", String::as_str)
    }

    /// As councils write it: day, month, year.
    pub fn british(&self, day: i32) -> String {
        let mut parts = self.iso(day).split('-');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
            _ => String::new(),
        }
    }
}
