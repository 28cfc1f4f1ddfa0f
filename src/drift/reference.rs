//! How the inputs and the score of a model were spread in training: bins with their shares, and the distance from them.
//!
//! The table `reference.csv` of a model folder has a row a bin: `input,bin,share`. A bin is the number from which it begins
//! (`-inf` the first), `=` and a text, `other` (all other texts), or `missing`. The score stands first, then the inputs from
//! the one that moves it most.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use crate::error::Result;

/// The score among the inputs.
pub const SCORE: &str = "(score)";

/// So many bins of numbers, as far as the values part.
const BINS: usize = 10;

/// A text of a smaller share of people is one of the others: a model folder tells of no small group.
const LEAST_TEXT: f64 = 0.01;

/// A share is taken to be at least this, so that an empty bin does not make the distance endless.
const LEAST_SHARE: f64 = 0.0001;

/// What a model folder remembers of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The score first, then the inputs from the most to the least important.
    pub spreads: Vec<Spread>,
}

/// The spread of one input or of the score: everyone is in one bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    pub input: String,
    /// Index into [`crate::pipeline::Pipeline::features`]; none for the score.
    pub feature: Option<usize>,
    pub bins: Vec<(Bin, f64)>,
}

/// Who is in a bin.
#[derive(Debug, Clone, PartialEq)]
pub enum Bin {
    /// Numbers from this one up to the next bin's.
    From(f64),
    /// People with this text.
    Is(String),
    Other,
    Missing,
}

/// An input as it was in training.
pub struct Observed<'a> {
    /// The feature's name.
    pub input: &'a str,
    /// How much it moves the score, for example |coefficient| × standard deviation.
    pub importance: f64,
    pub column: &'a dyn Array,
}

/// The text of `reference.csv`: the score and every input in bins, with the share of people in each.
pub fn reference(score: &dyn Array, inputs: &[Observed]) -> Result<String> {
    let mut ordered: Vec<&Observed> = inputs.iter().collect();
    ordered.sort_by(|a, b| b.importance.total_cmp(&a.importance).then(a.input.cmp(b.input)));
    let mut csv = "input,bin,share\n".to_owned();
    let all = std::iter::once((SCORE, score)).chain(ordered.iter().map(|input| (input.input, input.column)));
    for (input, column) in all {
        for (bin, share) in bins(column)? {
            // Writing to a String does not fail.
            let _ = writeln!(csv, "{input},{},{share:.6}", bin.name());
        }
    }
    Ok(csv)
}

/// Tenths of numbers, of which those that many people share make fewer and larger bins; texts one by one.
pub fn bins(column: &dyn Array) -> Result<Vec<(Bin, f64)>> {
    let all = column.len();
    let share = |people: usize| if all > 0 { people as f64 / all as f64 } else { 0.0 };
    let missing = (Bin::Missing, share(column.null_count()));
    let mut bins = Vec::new();
    if let Some(texts) = column.as_string_opt::<i32>() {
        let mut people = BTreeMap::<&str, usize>::new();
        texts.iter().flatten().for_each(|text| *people.entry(text).or_default() += 1);
        let (many, few): (Vec<_>, Vec<_>) =
            people.into_iter().partition(|(text, people)| share(*people) >= LEAST_TEXT && is_plain(text));
        bins.extend(many.into_iter().map(|(text, people)| (Bin::Is(text.to_owned()), share(people))));
        bins.push((Bin::Other, share(few.into_iter().map(|(_, people)| people).sum())));
    } else {
        let numbers = cast(column, &DataType::Float64)?;
        let mut known: Vec<f64> = numbers.as_primitive::<Float64Type>().iter().flatten().collect();
        known.sort_by(f64::total_cmp);
        let mut edges = vec![f64::NEG_INFINITY];
        for edge in (1..BINS).filter_map(|tenth| known.get(known.len() * tenth / BINS).copied()) {
            // The first bin is everything below the first edge: it must not be empty.
            if edges.last().is_some_and(|last| edge > *last) && known.first().is_some_and(|least| edge > *least) {
                edges.push(edge);
            }
        }
        let starts: Vec<usize> = edges.iter().map(|edge| known.partition_point(|value| value < edge)).collect();
        let ends = starts.iter().skip(1).copied().chain([known.len()]);
        bins.extend(
            edges
                .iter()
                .zip(starts.iter().zip(ends))
                .map(|(from, (start, end))| (Bin::From(*from), share(end - start))),
        );
    }
    bins.push(missing);
    Ok(bins)
}

/// Whether a text can stand in the table as it is.
fn is_plain(text: &str) -> bool {
    !text.contains(['"', ',', '\n', '\r']) && text.trim() == text
}

impl Bin {
    /// As the table has it.
    pub fn name(&self) -> String {
        match self {
            Self::From(from) => from.to_string(),
            Self::Is(text) => format!("={text}"),
            Self::Other => "other".to_owned(),
            Self::Missing => "missing".to_owned(),
        }
    }

    /// From the table; none where the text names no bin.
    pub fn read(name: &str) -> Option<Self> {
        match name {
            "other" => Some(Self::Other),
            "missing" => Some(Self::Missing),
            _ => match name.strip_prefix('=') {
                Some(text) => Some(Self::Is(text.to_owned())),
                None => name.parse().ok().filter(|from: &f64| !from.is_nan()).map(Self::From),
            },
        }
    }
}

impl Spread {
    /// Population stability index of a column against training: Σ (now − then) × ln(now / then) over the bins.
    pub fn psi(&self, column: &dyn Array) -> Result<f64> {
        let mut counts = vec![0_u64; self.bins.len()];
        let mut count = |place: Option<usize>| {
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        };
        let place = |wanted: Bin| self.bins.iter().position(|(bin, _)| *bin == wanted);
        let (missing, other) = (place(Bin::Missing), place(Bin::Other));
        if let Some(texts) = column.as_string_opt::<i32>() {
            let known: BTreeMap<&str, usize> = self.texts().collect();
            texts.iter().for_each(|text| count(text.map_or(missing, |text| known.get(text).copied().or(other))));
        } else {
            let numbers = cast(column, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            numbers.iter().for_each(|number| count(number.map_or(missing, |number| self.place(number))));
        }
        let all = column.len() as f64;
        let part = |((_, then), count): (&(Bin, f64), &u64)| {
            let (now, then) = ((*count as f64 / all).max(LEAST_SHARE), then.max(LEAST_SHARE));
            (now - then) * (now / then).ln()
        };
        Ok(if all > 0.0 { self.bins.iter().zip(&counts).map(part).sum() } else { 0.0 })
    }

    fn texts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.bins.iter().enumerate().filter_map(|(place, (bin, _))| match bin {
            Bin::Is(text) => Some((text.as_str(), place)),
            _ => None,
        })
    }

    /// The last bin that begins at or below the number.
    fn place(&self, number: f64) -> Option<usize> {
        self.bins.iter().rposition(|(bin, _)| matches!(bin, Bin::From(from) if *from <= number))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn spread(column: &dyn Array) -> Spread {
        Spread { input: "x".to_owned(), feature: None, bins: bins(column).unwrap() }
    }

    #[test]
    fn tenths_where_values_part_and_few_bins_where_they_do_not() {
        let even = Float64Array::from_iter_values((0..100).map(f64::from));
        let tenths = bins(&even).unwrap();
        assert_eq!(tenths.len(), 11);
        assert!(tenths[..10].iter().all(|(_, share)| (share - 0.1).abs() < 1e-12), "{tenths:?}");
        assert_eq!(tenths[10], (Bin::Missing, 0.0));
        // Two in three are 0, one in twelve is missing.
        let counts = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 5.0];
        let counts: Float64Array = counts.into_iter().map(Some).chain([None]).collect();
        let few = bins(&counts).unwrap();
        assert!((few.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((few[0].1 - 8.0 / 12.0).abs() < 1e-12 && (few.last().unwrap().1 - 1.0 / 12.0).abs() < 1e-12, "{few:?}");
        assert_eq!(bins(&Float64Array::from(vec![1.0; 7])).unwrap().len(), 2);
        assert_eq!(
            bins(&Float64Array::from(Vec::<f64>::new())).unwrap().iter().map(|(_, share)| share).sum::<f64>(),
            0.0
        );
    }

    #[test]
    fn texts_that_few_people_have_are_others() {
        let texts: StringArray = (0..400).map(|n| [Some("A"), Some("B"), None][n % 3]).chain([Some("rare")]).collect();
        let bins = bins(&texts).unwrap();
        let names: Vec<String> = bins.iter().map(|(bin, _)| bin.name()).collect();
        assert_eq!(names, ["=A", "=B", "other", "missing"]);
        let reads = names.iter().zip(&bins).all(|(name, (bin, _))| Bin::read(name).as_ref() == Some(bin));
        assert!(reads && Bin::read("-inf") == Some(Bin::From(f64::NEG_INFINITY)) && Bin::read("some").is_none());
        let spread = Spread { input: "x".to_owned(), feature: None, bins };
        assert!(spread.psi(&texts).unwrap() < 1e-9);
        let moved: StringArray = (0..400).map(|n| Some(if n % 4 == 0 { "B" } else { "C" })).collect();
        assert!(spread.psi(&moved).unwrap() > 0.2);
    }

    #[test]
    fn the_same_people_have_not_moved_and_others_have() {
        let then: Vec<f64> = (0..1000).map(|n| f64::from(n % 50)).collect();
        let spread = spread(&Float64Array::from(then.clone()));
        assert!(spread.psi(&Float64Array::from(then.clone())).unwrap() < 1e-12);
        assert!(spread.psi(&then.iter().map(|value| Some(*value + 20.0)).collect::<Float64Array>()).unwrap() > 0.2);
        let lost: Float64Array = then.iter().map(|value| (*value > 10.0).then_some(*value)).collect();
        assert!(spread.psi(&lost).unwrap() > 0.2);
    }

    #[test]
    fn a_worked_index() {
        // Half and half in training, a quarter and three quarters now: −0.25 × ln(0.5) + 0.25 × ln(1.5).
        let spread = spread(&Float64Array::from(vec![0.0, 1.0]));
        let now = spread.psi(&Float64Array::from(vec![0.0, 1.0, 1.0, 1.0])).unwrap();
        assert!((now - (-0.25 * 0.5_f64.ln() + 0.25 * 1.5_f64.ln())).abs() < 1e-9);
    }
}
