//! A run is whole or absent, whatever fails and whenever it stops.

mod crashing;
pub mod disks;
mod locking;
mod runs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use jiff::civil::date;
use riskstrat::disclosure::{AggregateTable, Cell, Label, Rule};
use riskstrat::error::Result;
use riskstrat::pseudonym::Pseudonym;
use riskstrat::publish::{Draft, Field, Lock, Published, RunId, file_stem, publish, run_id, verify};
use riskstrat::receipt::{Basis, Check, CohortAccount, Declaration, Input, PeopleAccount, Receipt};
use riskstrat::storage::{LocalDisk, Storage};

const TOKENS: [&str; 3] = ["TOKEN-ADA-0001", "TOKEN-BEN-0002", "TOKEN-CAZ-0003"];

/// A small run; another `seed` is another run.
struct Small {
    id: RunId,
    draft: Draft,
    tokens: Vec<Pseudonym>,
    receipt: Receipt,
}

impl Small {
    fn new(seed: &str) -> Self {
        let inputs = vec![Input { source: "people".into(), file: "people.csv".into(), sha256: seed.into(), bytes: 1 }];
        let declarations = vec![Declaration { path: "small.toml".into(), sha256: "d".into() }];
        let as_of = date(2026, 4, 1);
        let id = run_id(&inputs, &declarations, &Basis::default(), as_of, "0.1.0");
        let people = PeopleAccount { in_registers: 3, on_spine: 3, ..PeopleAccount::default() };
        let cohort = CohortAccount {
            cohort: "frail".into(),
            scored: 3,
            listed: 1,
            reserve: 1,
            not_included: 1,
            ..Default::default()
        };
        let receipt = Receipt {
            riskstrat: "0.1.0".into(),
            title: "Small".into(),
            run_id: id.to_string(),
            as_of,
            basis: Basis::default(),
            settings: BTreeMap::new(),
            inputs,
            declarations,
            legal_bases: Vec::new(),
            sources: Vec::new(),
            people,
            demographics: Vec::new(),
            models: Vec::new(),
            drift: Vec::new(),
            cohorts: vec![cohort],
            checks: vec![Check { name: "one row a person".into(), passed: true }],
            warnings: Vec::new(),
            outputs: Vec::new(),
        };
        let tokens = TOKENS.map(Pseudonym::new).to_vec();
        Self { id, draft: draft(), tokens, receipt }
    }

    fn publish(&self, storage: &dyn Storage, out: &Path) -> Result<Published> {
        let lock = Lock::take(&LocalDisk, out)?;
        publish(storage, &lock, &self.id, &self.draft, &self.tokens, self.receipt.clone())
    }
}

fn draft() -> Draft {
    let mut draft = Draft::new(1);
    let rows = TOKENS.iter().zip(1..).take(2).map(|(token, rank)| [Field::Integer(rank), Field::Text(token)]);
    let path = format!("lists/frail/{}.csv", file_stem("North PCN"));
    draft.person_csv(&path, &["rank", "person"], rows).unwrap();
    let person: ArrayRef = Arc::new(StringArray::from_iter_values(TOKENS));
    let score: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    draft
        .person_parquet("scores.parquet", &RecordBatch::try_from_iter([("person", person), ("score", score)]).unwrap())
        .unwrap();
    let mut table = AggregateTable::new("recording_gaps", ["item", "people"]);
    table.row([Cell::Text(Label::new("ethnicity")), Cell::Count(Rule::Hes2018.count(12))]).unwrap();
    draft.aggregate(&table).unwrap();
    draft
}

fn current(storage: &dyn Storage, out: &Path) -> Option<String> {
    storage.read(&out.join("current")).ok().map(|text| String::from_utf8(text).unwrap().trim_end().to_owned())
}

/// What a reader finds: the old run whole (absent if there is none), or the new one whole.
fn whole(storage: &dyn Storage, out: &Path, old: Option<&Small>, new: &Small, case: &str) {
    let current = current(storage, out);
    let is_old = current.as_deref() == old.map(|old| old.id.as_str());
    assert!(is_old || current.as_deref() == Some(new.id.as_str()), "{case}: current is {current:?}");
    if current.is_some() {
        verify(storage, out, None).unwrap_or_else(|error| panic!("{case}: {error}"));
    }
}

/// Set for a child that runs one test of this binary.
const CHILD: &str = "RISKSTRAT_TEST_CHILD_OUT";
