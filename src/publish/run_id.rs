//! A run's name: what it was made from, not when or where.

use std::fmt;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::draft::hex;
use crate::receipt::{Basis, Declaration, Input, Receipt};

/// `<as-of date>_<12 hex digits>`: the name of a run and of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Reads an id as it is printed.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, hash) = text.split_once('_')?;
        let is_hash = hash.len() == 12 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_date = date.len() == 10 && date.parse::<Date>().is_ok();
        (is_hash && is_date).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The as-of date, as it is printed; such texts sort as their dates do.
    pub fn as_of(&self) -> &str {
        self.0.split_once('_').map_or("", |(date, _)| date)
    }

    /// The id that a receipt's own contents give.
    pub(super) fn of(receipt: &Receipt) -> Self {
        run_id(&receipt.inputs, &receipt.declarations, &receipt.basis, receipt.as_of, &receipt.riskstrat)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a run on these inputs. Names of delivered files and the order of both lists do not matter; the paths of
/// declarations do, since they name sources, features and cohorts.
pub fn run_id(inputs: &[Input], declarations: &[Declaration], basis: &Basis, as_of: Date, version: &str) -> RunId {
    let mut parts: Vec<[&str; 3]> = inputs.iter().map(|input| ["input", &input.source, &input.sha256]).collect();
    parts.extend(declarations.iter().map(|file| ["declaration", file.path.as_str(), &file.sha256]));
    parts.extend(basis.parts());
    parts.sort_unstable();
    let as_of = as_of.to_string();
    let mut hash = Sha256::new();
    for text in parts.into_iter().flatten().chain([as_of.as_str(), version]) {
        // With its length, so that no two lists run together to the same bytes.
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    }
    let digest = hash.finalize();
    RunId(format!("{as_of}_{}", hex(digest.get(..6).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn input(source: &str, file: &str, sha256: &str) -> Input {
        Input { source: source.into(), file: file.into(), sha256: sha256.into(), bytes: 1 }
    }

    #[test]
    fn only_what_a_run_is_made_from_changes_its_id() {
        let declarations = [Declaration { path: "demo.toml".into(), sha256: "cc".into() }];
        let day = date(2026, 4, 1);
        let none = Basis::default();
        let inputs = [input("a", "x.csv", "aa"), input("b", "y.csv", "bb")];
        let id = run_id(&inputs, &declarations, &none, day, "0.1.0");
        assert_eq!(RunId::parse(id.as_str()), Some(id.clone()));
        let renamed = [input("b", "z.csv", "bb"), input("a", "w.csv", "aa")];
        assert_eq!(run_id(&renamed, &declarations, &none, day, "0.1.0"), id);
        let others = [
            run_id(&[input("b", "x.csv", "aa"), input("a", "y.csv", "bb")], &declarations, &none, day, "0.1.0"),
            run_id(&inputs[..1], &declarations, &none, day, "0.1.0"),
            run_id(&inputs, &[], &none, day, "0.1.0"),
            run_id(&inputs, &declarations, &none, date(2026, 4, 2), "0.1.0"),
            run_id(&inputs, &declarations, &none, day, "0.2.0"),
            run_id(&inputs, &declarations, &Basis { previous_run: Some("r".into()), ..Basis::default() }, day, "0.1.0"),
            run_id(&inputs, &declarations, &Basis { approved_by: Some("r".into()), ..Basis::default() }, day, "0.1.0"),
            run_id(&inputs, &declarations, &Basis { allow_older: true, ..Basis::default() }, day, "0.1.0"),
        ];
        assert!(others.iter().all(|other| *other != id));
    }

    #[test]
    fn a_path_is_no_run_id() {
        for wrong in
            ["", "..", "2026-04-01_", "2026-04-01_0123456789AB", "2026-02-30_0123456789ab", "x/2026-04-01_0123456789ab"]
        {
            assert_eq!(RunId::parse(wrong), None, "{wrong}");
        }
    }
}
