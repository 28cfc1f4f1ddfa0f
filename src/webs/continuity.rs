//! Indices of continuity of care over a sequence of contacts, each with one provider.
//!
//! Usual provider of care (Breslau and Haug 1975), Bice and Boxerman (Medical Care 1977;15:347), sequential continuity
//! (Steinwachs, Medical Care 1979;17:551), modified modified continuity index (Magill and Senf, J Fam Pract 1987;24:165).

use std::collections::BTreeMap;

/// From 0 to 1; none where the index is not defined.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Continuity {
    /// Of one contact or more.
    pub usual_provider: Option<f64>,
    /// Of two contacts or more, as are the next two.
    pub bice_boxerman: Option<f64>,
    pub sequential: Option<f64>,
    pub mmci: Option<f64>,
}

/// The indices of contacts in the order in which they happened.
pub fn continuity<T: Ord>(providers: &[T]) -> Continuity {
    let mut counts: BTreeMap<&T, u64> = BTreeMap::new();
    providers.iter().for_each(|provider| *counts.entry(provider).or_default() += 1);
    let contacts = providers.len() as f64;
    let most = counts.values().max().map(|most| *most as f64);
    let usual_provider = most.map(|most| most / contacts);
    if providers.len() < 2 {
        return Continuity { usual_provider, ..Continuity::default() };
    }
    let squares: u64 = counts.values().map(|count| count * count).sum();
    let same = providers.windows(2).filter(|pair| pair.first() == pair.last()).count();
    let dispersion = |providers: f64| 1.0 - providers / (contacts + 0.1);
    Continuity {
        usual_provider,
        bice_boxerman: Some((squares as f64 - contacts) / (contacts * (contacts - 1.0))),
        sequential: Some(same as f64 / (contacts - 1.0)),
        mmci: Some(dispersion(counts.len() as f64) / dispersion(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `fixtures/continuity/worked_values.csv`, whose README says where they come from.
    #[test]
    fn every_index_is_as_worked_out() {
        let text = include_str!("../../fixtures/continuity/worked_values.csv");
        let mut worked = 0;
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let providers: Vec<char> = cells[0].chars().collect();
            let found = continuity(&providers);
            let expected = |at: usize| cells[at].parse::<f64>().ok();
            let same = |found: Option<f64>, at: usize| match (found, expected(at)) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-11, "{line}: {found}"),
                (found, expected) => assert_eq!(found, expected, "{line}"),
            };
            same(found.usual_provider, 3);
            same(found.bice_boxerman, 4);
            same(found.sequential, 5);
            same(found.mmci, 6);
            worked += 1;
        }
        assert_eq!(worked, 14);
    }

    #[test]
    fn nobody_seen_has_no_continuity() {
        assert_eq!(continuity::<u8>(&[]), Continuity::default());
    }
}
