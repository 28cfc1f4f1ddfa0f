//! What leaves: lists checked once more, each recipient's under its own tokens, in a ledger of who was sent what.
//!
//! A run's lists stay with the data team, under the tokens that all sources share. A release judges everyone on them
//! again on a later delivery, lets the reserve move up, and writes below `releases/<id>/to/` all that may be sent. A
//! withdrawal takes a release back.

/// Who was sent what, and when.
mod ledger;

/// Which person a recipient's token stands for.
mod crosswalk;

/// The lists of a run, as they wait to be released.
mod lists;

/// Everyone on them, judged again.
mod recheck;

/// Who keeps a place, who moves up and who is off.
mod settle;

/// One recipient's list, under its own tokens.
mod issue;

/// What is new for a recipient.
mod changes;

/// A release taken back.
mod withdraw;

/// The ledger and its files, read again.
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

pub use crosswalk::{Crosswalk, past_listings, sent_lists};
pub use ledger::{Entry, Event, Ledger, ListSent, Release, Sent, Withdrawal};
pub use verify::{VerifiedLedger, verify};
pub use withdraw::{WithdrawRequest, withdraw};

use crate::error::{Error, Result};
use crate::history::{self, History, Previous};
use crate::journal::Journal;
use crate::outputs;
use crate::pipeline::Pipeline;
use crate::publish::{Draft, Field, Lock, Tokens, file_stem, sha256};
use crate::receipt::{Check, Input, Output};
use crate::run::Options;
use crate::source;
use crate::storage::Storage;
use crate::token::Key;
use changes::{Change, What};
use issue::{InForce, Issued};
use lists::RunLists;
use recheck::Later;
use settle::Owners;

/// What to release, and who answers for it.
#[derive(Debug, Clone)]
pub struct Request {
    /// A run's id; the current run without one.
    pub run: Option<String>,
    /// All cohorts without a name.
    pub cohorts: Vec<String>,
    pub by: String,
    /// The key may be another than that of the last release: every recipient gets new tokens.
    pub new_key: bool,
}

/// An event that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub entry: Entry,
    pub folder: PathBuf,
    /// It was there already.
    pub already: bool,
    /// SHA-256 of the ledger's last line.
    pub head: String,
}

/// `release.json`: what was released, from what, and where everyone on the run's lists went.
#[derive(Debug, Serialize)]
struct Page<'a> {
    release: &'a str,
    run: &'a str,
    as_of: Date,
    by: &'a str,
    key_id: &'a str,
    inputs: &'a [Input],
    lists: Vec<ListAccount<'a>>,
    /// By cohort: people on the run's lists whose recipient is not recorded. They were sent to nobody.
    without_recipient: &'a BTreeMap<String, u64>,
    warnings: &'a [String],
    checks: &'a [Check],
    outputs: Vec<Output>,
}

/// In the run's list = listed + reserve + removed, for each list.
#[derive(Debug, Serialize)]
struct ListAccount<'a> {
    cohort: &'a str,
    recipient: &'a str,
    in_run: u64,
    listed: u64,
    reserve: u64,
    removed: &'a BTreeMap<String, u64>,
    changes: BTreeMap<&'static str, usize>,
}

/// Releases the lists of a run at the pipeline's as-of date, over its deliveries; the same again is no second release.
pub fn release(
    pipeline: &Pipeline,
    options: &Options,
    request: &Request,
    key: &Key,
    storage: &dyn Storage,
    journal: &Journal,
) -> Result<Done> {
    let lock = Lock::take(storage, &options.out)?;
    let mut ledger = Ledger::open(storage, &lock)?;
    ledger.must_follow(pipeline.as_of)?;
    let key_id = key.id()?;
    same_key(&ledger, &key_id, request.new_key)?;
    let run = lists::of_run(storage, &options.out, request.run.as_deref(), &request.cohorts, pipeline)?;
    let mut delivered = source::find(pipeline)?;
    delivered.released = Crosswalk::of(storage, &options.out, pipeline)?;
    let inputs = outputs::inputs(pipeline, &delivered);
    let made_from = made_from(pipeline, request, &run, &key_id, &inputs);
    if let Some(entry) = same_again(&ledger, &made_from) {
        return Ok(ledger.done(storage, entry, true));
    }
    journal.found(pipeline, &delivered);
    let in_force = issue::in_force(storage, &ledger)?;
    let later = {
        let listed = run.people()?;
        let sent = in_force.values().flat_map(|(rows, _)| rows).map(|row| &row.person);
        let memory = memory(pipeline, storage, &options.out, &ledger, &run)?;
        recheck::read(pipeline, &delivered, options.engine, journal, memory, listed.iter().chain(sent).collect())?
    };
    let (before, others): (InForce, InForce) = in_force.into_iter().partition(|((cohort, _), _)| {
        let here = pipeline.cohorts.iter().any(|known| known.name == *cohort);
        here && (request.cohorts.is_empty() || request.cohorts.contains(cohort))
    });
    let settled = settle::lists(pipeline, &run, &later, owners(pipeline, &later, others))?;
    let issued = issue::all(&run, settled, &later, &before, key)?;
    let draft = draft(pipeline, &run, &issued)?;
    let id = ledger.next_id(&made_from);
    let page = Page {
        release: &id.to_string(),
        run: run.id.as_str(),
        as_of: pipeline.as_of,
        by: &request.by,
        key_id: &key_id,
        inputs: &inputs,
        lists: issued.iter().map(account).collect::<Result<_>>()?,
        without_recipient: &run.without_recipient,
        warnings: &later.warnings,
        checks: &later.checks,
        outputs: draft.outputs(),
    };
    let page = page_bytes(&page)?;
    let lists = issued.iter().map(Issued::sent).collect();
    let without_recipient = run.without_recipient.values().sum();
    let event = Event::Release(Release { run: run.id.to_string(), key_id, made_from, lists, without_recipient });
    ledger.append(storage, &id, (pipeline.as_of, &request.by, event), &draft, &page)?;
    ledger.last(storage)
}

/// What is remembered, as the ledger has it at this moment, and the run itself, which its later delivery is held against;
/// nothing where a run does not remember.
fn memory(
    pipeline: &Pipeline,
    storage: &dyn Storage,
    out: &Path,
    ledger: &Ledger,
    run: &RunLists,
) -> Result<(History, Option<Previous>)> {
    let mut history = history::read(pipeline, storage, out)?;
    if !pipeline.outreach.remember {
        return Ok((history, None));
    }
    history.listings = crosswalk::listings(storage, ledger, ledger.entries(), Some(run.id.as_str()))?;
    Ok((history, Some(Previous::read(storage, out, run.receipt.clone())?)))
}

/// With one owner a person: everyone on a list that a recipient has, that still holds, and that this release does not
/// replace.
fn owners(pipeline: &Pipeline, later: &Later, others: InForce) -> Owners {
    let mut owners = Owners::new();
    let holds = |until: Option<Date>| until.is_none_or(|until| until >= pipeline.as_of);
    let held = others.into_iter().filter(|(_, (_, until))| pipeline.outreach.one_owner && holds(*until));
    for ((cohort, _), (rows, _)) in held {
        owners.extend(rows.iter().map(|row| (later.stands(&row.person).0, cohort.clone())));
    }
    owners
}

/// A key that changes by accident would give everyone a second token.
fn same_key(ledger: &Ledger, key_id: &str, new_key: bool) -> Result<()> {
    let last = ledger.entries().iter().rev().find_map(|entry| match &entry.event {
        Event::Release(release) => Some(&release.key_id),
        Event::Withdrawal(_) => None,
    });
    match last.filter(|last| *last != key_id && !new_key) {
        Some(last) => Err(Error::Usage(format!(
            "this is key {key_id}, and the last release was made with key {last}: give that one, or --new-key where \
             every recipient is to get new tokens"
        ))),
        None => Ok(()),
    }
}

/// A hash of all that settles a release.
fn made_from(pipeline: &Pipeline, request: &Request, run: &RunLists, key_id: &str, inputs: &[Input]) -> String {
    let as_of = pipeline.as_of.to_string();
    let mut parts: Vec<String> =
        inputs.iter().map(|input| format!("input {} {}", input.source, input.sha256)).collect();
    let mut cohorts: Vec<&str> = run.lists.iter().map(|list| list.sheet.about.cohort.as_str()).collect();
    cohorts.dedup();
    parts.sort();
    parts.extend(["run", run.id.as_str(), &as_of, key_id, &request.by].map(str::to_owned));
    parts.extend(cohorts.into_iter().map(str::to_owned));
    // Each with its length, so that no two lists of parts run together.
    sha256(parts.iter().map(|part| format!("{} {part}\n", part.len())).collect::<String>().as_bytes())
}

/// The last event, if it is this release.
fn same_again(ledger: &Ledger, made_from: &str) -> Option<Entry> {
    let last = ledger.entries().last()?;
    matches!(&last.event, Event::Release(release) if release.made_from == made_from).then(|| last.clone())
}

/// The files of a release: `to/` may leave, `person/` may not.
fn draft(pipeline: &Pipeline, run: &RunLists, issued: &[Issued]) -> Result<Draft> {
    let people: Vec<_> = run.people()?.into_iter().chain(issued.iter().flat_map(Issued::people).cloned()).collect();
    let mut draft = Draft::new(1);
    let mut changes: BTreeMap<&str, Vec<(&str, &Change)>> = BTreeMap::new();
    for list in issued {
        let stem = format!("{}/{}", file_stem(&list.recipient), list.cohort);
        changes.entry(&list.recipient).or_default().extend(list.changes.iter().map(|change| (&*list.cohort, change)));
        let Some(sheet) = &list.sheet else { continue };
        for format in &pipeline.formats {
            for file in sheet.files(*format)? {
                draft.sent_bytes(&format!("{stem}.{}", file.ending), file.bytes)?;
            }
        }
    }
    for (recipient, changes) in changes {
        let path = format!("{}/changes.csv", file_stem(recipient));
        let header = ["recipient", "cohort", "change", "token", "token_before", "rank", "status"];
        draft.sent_csv(&path, &header, changes.iter().map(|(cohort, change)| line(recipient, cohort, change)))?;
    }
    let own = Tokens::new(&people);
    for (path, bytes) in draft.sent() {
        if own.any_in_file(path, bytes)? {
            return Err(Error::Check(format!("{path} holds a token that all sources share; nothing was released")));
        }
    }
    let rows: Vec<_> = issued.iter().flat_map(|list| list.rows.iter().cloned()).collect();
    draft.person_parquet("crosswalk.parquet", &crosswalk::table(&rows)?)?;
    Ok(draft)
}

fn line<'a>(recipient: &'a str, cohort: &'a str, change: &'a Change) -> [Field<'a>; 7] {
    let place = change.place.as_ref();
    [
        Field::Text(recipient),
        Field::Text(cohort),
        Field::Text(change.what.name()),
        Field::Token(&change.token),
        change.token_before.as_ref().map_or(Field::Empty, Field::Token),
        place.map_or(Field::Empty, |(rank, _)| Field::Integer(*rank)),
        place.map_or(Field::Empty, |(_, status)| Field::Text(status)),
    ]
}

/// The account of a list; a sum that does not balance stops the release.
fn account(list: &Issued) -> Result<ListAccount<'_>> {
    let ListSent { listed, reserve, removed, .. } = list.sent();
    if list.in_run != listed + reserve + removed {
        let Issued { cohort, recipient, in_run, .. } = list;
        return Err(Error::Check(format!(
            "cohort {cohort}, recipient {recipient}: {in_run} people in the run, but {listed} listed, {reserve} in \
             reserve and {removed} removed; nothing was released"
        )));
    }
    let count = |what: What| list.changes.iter().filter(|change| change.what == what).count();
    Ok(ListAccount {
        cohort: &list.cohort,
        recipient: &list.recipient,
        in_run: list.in_run,
        listed,
        reserve,
        removed: &list.removed,
        changes: What::ALL.map(|what| (what.name(), count(what))).into(),
    })
}

/// The bytes of a page.
fn page_bytes(page: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes =
        serde_json::to_vec_pretty(page).map_err(|_| Error::Fault("an event's page cannot be written".to_owned()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Ledger {
    fn done(&self, storage: &dyn Storage, entry: Entry, already: bool) -> Done {
        Done { folder: self.folder_of(storage, &entry), entry, already, head: self.head() }
    }

    /// The event that was put in force just now.
    fn last(&self, storage: &dyn Storage) -> Result<Done> {
        let last = self.entries().last().ok_or_else(|| Error::Fault("an event was lost".to_owned()))?;
        Ok(self.done(storage, last.clone(), false))
    }
}
