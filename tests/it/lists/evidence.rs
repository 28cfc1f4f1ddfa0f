//! What sources say about the people of a [`World`], and the files of a published run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use riskstrat::codelist::{Value, ValueSet};
use riskstrat::cohort::Cohorts;
use riskstrat::error::Result;
use riskstrat::link::{ItemEvidence, NO_VALUE, Pairs, RecordingState, Say, States};
use riskstrat::pipeline::{Audit, Demographic, Item, Model, Points, Scoring, Source};
use riskstrat::publish::{Draft, Lock, publish, run_id};
use riskstrat::receipt::{Basis, CohortAccount, PeopleAccount, Receipt};
use riskstrat::storage::LocalDisk;

use super::world::{AS_OF, World, declared};

/// Person, source, state, value, day.
pub type Said<'a> = (u32, u16, RecordingState, Option<&'a str>, Option<i32>);

impl World {
    /// Publishes the draft and gives every file of the run as text.
    pub fn published(&self, cohorts: &Cohorts, draft: &Draft) -> BTreeMap<String, String> {
        let text = |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8_lossy(&bytes).into_owned());
        self.published_bytes(cohorts, draft).into_iter().map(text).collect()
    }

    pub fn published_bytes(&self, cohorts: &Cohorts, draft: &Draft) -> BTreeMap<String, Vec<u8>> {
        self.publish(cohorts, draft).unwrap()
    }

    /// Publishes the draft and gives every file of the run, or why it was not published.
    pub fn publish(&self, cohorts: &Cohorts, draft: &Draft) -> Result<BTreeMap<String, Vec<u8>>> {
        let people = self.people.tokens.len() as u64;
        let id = run_id(&[], &[], &Basis::default(), AS_OF, "0");
        let receipt = Receipt {
            riskstrat: "0".into(),
            title: "By hand".into(),
            run_id: id.to_string(),
            as_of: AS_OF,
            basis: Basis::default(),
            settings: BTreeMap::new(),
            inputs: Vec::new(),
            declarations: Vec::new(),
            legal_bases: Vec::new(),
            sources: Vec::new(),
            people: PeopleAccount { in_registers: people, on_spine: people, ..PeopleAccount::default() },
            demographics: Vec::new(),
            models: Vec::new(),
            drift: Vec::new(),
            cohorts: cohorts.lists.iter().map(|list| CohortAccount::of(list, people)).collect(),
            checks: Vec::new(),
            warnings: Vec::new(),
            outputs: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(&LocalDisk, folder.path()).unwrap();
        publish(&LocalDisk, &lock, &id, draft, &self.people.tokens, receipt)?;
        let mut files = BTreeMap::new();
        let run = folder.path().join("runs").join(id.as_str());
        read_below(&run, &run, &mut files);
        Ok(files)
    }

    pub fn model(mut self, name: &str) -> Self {
        let decl = declared(
            "title = \"M\"\nkind = \"points\"\nversion = \"1\"\npredicts = \"need\"\npopulation = \"P\"\n\
             citation = \"C\"\ncard = \"card.md\"\nsigned_off = { by = \"A\", on = 2026-01-01, review_by = 2027-01-01 }",
        );
        let points =
            Points { items: Vec::new(), table_sum: Vec::new(), thresholds: Vec::new(), floor: None, divide_by: None };
        self.pipeline.models.push(Model {
            name: name.to_owned(),
            decl,
            kind: Scoring::Points(points),
            calibration: Vec::new(),
            reference: None,
        });
        self
    }

    /// Adds a source that says something of every item there is.
    pub fn source(mut self, name: &str, title: &str) -> Self {
        let decl = declared(&format!(
            "title = \"{title}\"\none_row_is = \"a row\"\nfiles = \"f\"\nlegal_basis = \"Act 1\"\ncolumns = {{}}"
        ));
        let known = |value: &str, label: &str| Value {
            code: value.to_owned(),
            value: value.to_owned(),
            label: label.to_owned(),
            group: String::new(),
            state: RecordingState::Known,
        };
        let values = vec![known("A", "White British"), known("M", "Black Caribbean"), known("Z", "")];
        let set = Arc::new(ValueSet { name: "set".to_owned(), values, sha256: String::new() });
        let demographics = (0..self.pipeline.items.len())
            .map(|item| Demographic { item, decl: declared("from = \"X\""), values: Some(Arc::clone(&set)) })
            .collect();
        self.pipeline.sources.push(Source { name: name.to_owned(), decl, columns: Vec::new(), demographics });
        self
    }

    /// Adds an item with what is resolved and what was said.
    pub fn item(
        mut self,
        name: &str,
        label: &str,
        resolved: &[(Option<&str>, RecordingState)],
        says: &[Said<'_>],
    ) -> Self {
        let decl = declared(&format!("label = \"{label}\"\nresolve = \"most_recent\""));
        self.pipeline.items.push(Item { name: name.to_owned(), decl, pattern: None, expires: None, order: Vec::new() });
        let all = resolved.iter().map(|(value, _)| *value).chain(says.iter().map(|(_, _, _, value, _)| *value));
        let mut values: Vec<&str> = all.flatten().collect();
        values.sort_unstable();
        values.dedup();
        let place = |value: Option<&str>| {
            value.map(|value| u32::try_from(values.binary_search(&value).expect("it is one of them")).expect("few"))
        };
        let say =
            |&(person, source, state, value, date): &Said<'_>| Say::new(person, source, state, place(value), date);
        let says: Vec<Say> = says.iter().map(say).collect();
        let mut by_source = vec![States::default(); 8];
        says.iter().for_each(|say| by_source[usize::from(say.source)][say.state as usize] += 1);
        let is_open = |say: &&Say| resolved[say.person as usize].1 != RecordingState::Known;
        self.people.items.push(ItemEvidence {
            values: values.iter().map(|value| Arc::from(*value)).collect(),
            won: resolved.iter().map(|(value, _)| place(*value).unwrap_or(NO_VALUE)).collect(),
            state: resolved.iter().map(|(_, state)| *state).collect(),
            open: says.iter().filter(is_open).copied().collect(),
            by_source,
            pairs: pairs(&says),
            ..ItemEvidence::default()
        });
        self
    }

    /// Adds an audit of every item there is.
    pub fn audit(mut self, split_by: &[&str], worklist_by: Option<&str>) -> Self {
        let audit = Audit {
            name: "gaps".to_owned(),
            decl: declared("title = \"Gaps\"\nitems = {}"),
            items: (0..self.pipeline.items.len()).collect(),
            split_by: split_by.iter().map(|name| self.position(name)).collect(),
            worklist_by: worklist_by.map(|name| self.position(name)),
            pathways: Vec::new(),
            compare: None,
            figures: Vec::new(),
        };
        self.pipeline.audits.push(audit);
        self
    }
}

/// What each two sources know of the same person.
fn pairs(says: &[Say]) -> Pairs {
    let mut pairs = Pairs::new();
    for (at, a) in says.iter().enumerate() {
        let others = says[at + 1..].iter().filter(|b| b.person == a.person);
        for (b, (first, second)) in others.filter_map(|b| Some((b, a.value().zip(b.value())?))) {
            let pair = pairs.entry((a.source, b.source)).or_default();
            pair.people += 1;
            pair.same += u64::from(first == second);
            if first != second {
                *pair.differ.entry((first, second)).or_default() += 1;
            }
        }
    }
    pairs
}

fn read_below(run: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_below(run, &path, files);
        } else {
            let name = path.strip_prefix(run).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}
