//! The eight stages, called in order.

use std::mem::take;
use std::path::PathBuf;

use crate::audit::{self, Gaps};
use crate::calendar::Window;
use crate::cohort::{self, Cohorts};
use crate::conform::{self, Engine};
use crate::disclosure::{AggregateTable, Before};
use crate::drift;
use crate::error::{Error, Result};
use crate::features::{self, Accounts, Features};
use crate::gates::{self, Consent, NoData};
use crate::history::{self, History};
use crate::journal::Journal;
use crate::link::{self, People};
use crate::oracle;
use crate::outputs;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;
use crate::publish::{self, Lock, Published, RunId};
use crate::receipt::{Basis, CohortAccount, SourceAccount};
use crate::release::Crosswalk;
use crate::score::{self, Scores};
use crate::source;
use crate::storage::Storage;
use crate::workers;

/// Where a run goes and how its work is cut; only the first is visible in what it leaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds `runs/` and `current`.
    pub out: PathBuf,
    pub engine: Engine,
    pub consent: Consent,
}

/// Runs a pipeline: from deliveries to a published run, or to an error that leaves everything as it was.
pub fn run(
    pipeline: &Pipeline,
    options: &Options,
    storage: &dyn Storage,
    journal: &Journal,
) -> Result<(RunId, Published)> {
    let mut lock = Lock::take(storage, &options.out)?;
    let mut delivered = source::find(pipeline)?;
    delivered.released = Crosswalk::of(storage, &options.out, pipeline)?;
    let history = history::read(pipeline, storage, &options.out)?;
    let basis = basis(&history, &options.consent);
    let id = outputs::run_id(pipeline, &delivered, &basis);
    lock.name_run(&id)?;
    if let Some(published) = publish::already(storage, &lock, &id)? {
        return Ok((id, published));
    }
    journal.found(pipeline, &delivered);
    let engine = options.engine.limited(pipeline);
    let files_since = gates::due(pipeline, &delivered, &history)?;
    let conformed = conform::conform(pipeline, &delivered, engine)?;
    let mut records = link::link(&conformed)?;
    let checked = oracle::share(pipeline, &records.tokens);
    checked.into_iter().for_each(|one_in| records.keep_rows_of(|token| oracle::sampled(token, one_in)));
    journal.linked(&records.account);
    let mut history = history.in_todays_tokens(&records.superseded);
    let (people, features, mut accounts) = features::pass(records, &|account| journal.read(account))?;
    accounts.sources.iter_mut().zip(files_since).for_each(|(account, since)| account.files_since = since);
    usable(pipeline, &accounts)?;
    let mut warnings = take(&mut history.warnings);
    warnings.extend(accounts.sources.iter().flat_map(SourceAccount::unmet));
    let no_data = gates::sources(pipeline, &people, &history, &options.consent, &mut accounts, &mut warnings)?;
    if let Some(previous) = &history.previous {
        drift::mapped(pipeline, &accounts.sources, &previous.receipt.sources)?;
    }
    let mut scores = score::score(pipeline, &features, engine.partitions)?;
    let movement = movement(pipeline, &history, &people, &scores)?;
    let drift = drift::judge(pipeline, &features, &scores)?;
    history.add_changes(pipeline, &people, &mut scores)?;
    let (checks, (cohorts, lists, gaps)) = workers::both(
        engine.partitions,
        || oracle::self_check(pipeline, &delivered, checked, take(&mut accounts.sampled), &people, &features, &scores),
        || chosen(pipeline, &people, &features, &scores, &history, &no_data, engine.partitions),
    )?;
    journal.scored(pipeline, people.tokens.len(), &checks);
    warnings.extend(gates::lists(pipeline, &people, &cohorts, &lists, &history, &options.consent)?);
    journal.listed(&cohorts);
    journal.warn(&warnings);
    let nothing = Before::default();
    let stages = outputs::Stages {
        delivered: &delivered,
        people: &people,
        features: &features,
        scores: &scores,
        accounts: &accounts,
        drift: &drift,
        movement: movement.as_ref(),
        before: history.previous.as_ref().map_or(&nothing, |previous| &previous.released),
        past: &history.lists,
        cohorts: &cohorts,
        lists: &lists,
        gaps: &gaps,
        basis: &basis,
        warnings: &warnings,
    };
    let (draft, receipt) = outputs::draft(pipeline, &id, &stages, checks, journal, engine)?;
    engine.keeps_limit("outputs")?;
    drop((features, scores, cohorts, gaps, history));
    let published = publish::publish(storage, &lock, &id, &draft, &people.tokens, receipt)?;
    Ok((id, published))
}

/// Who is on the lists, their accounts, and the gaps in the records of all.
fn chosen(
    pipeline: &Pipeline,
    people: &People,
    features: &Features,
    scores: &Scores,
    history: &History,
    no_data: &NoData,
    workers: usize,
) -> Result<(Cohorts, Vec<CohortAccount>, Gaps)> {
    let cohorts = cohort::select(pipeline, people, features, scores, history, no_data)?;
    let lists = cohort::accounts(pipeline, people, features, &cohorts)?;
    let gaps = audit::gaps(pipeline, people, features, scores, &cohorts, history, workers)?;
    Ok((cohorts, lists, gaps))
}

/// How scores moved since the run before, where there was one.
fn movement(
    pipeline: &Pipeline,
    history: &History,
    people: &People,
    scores: &Scores,
) -> Result<Option<AggregateTable>> {
    let Some(previous) = &history.previous else { return Ok(None) };
    let before = |model: &str, row: usize| previous.score(model, people.tokens.get(row)?);
    drift::movement(pipeline, scores, &before).map(Some)
}

/// What this run is made from beside deliveries and declarations.
fn basis(history: &History, consent: &Consent) -> Basis {
    Basis {
        previous_run: history.previous.as_ref().map(|previous| previous.receipt.run_id.clone()),
        listings: history.listings.digest.clone(),
        approved_by: consent.approved_by.clone(),
        allow_older: consent.allow_older,
    }
}

/// A source of this many people that shares none with the registers is keyed in another domain.
const TOKENS_TO_JUDGE: u64 = 20;

/// Refuses deliveries that a run cannot be made from.
pub(crate) fn usable(pipeline: &Pipeline, accounts: &Accounts) -> Result<()> {
    linkable(pipeline, accounts)?;
    fresh(pipeline, accounts)
}

/// Refuses sources whose tokens no register knows: every opt-out would be without effect, every count 0.
fn linkable(pipeline: &Pipeline, accounts: &Accounts) -> Result<()> {
    for (source, account) in pipeline.sources.iter().zip(&accounts.sources) {
        let judged = match source.decl.role {
            Role::OptOut | Role::AllowList => 1,
            Role::Events | Role::Feedback => TOKENS_TO_JUDGE,
            Role::Register | Role::Lookup | Role::Superseded | Role::TestPeople => continue,
        };
        if account.tokens >= judged && account.tokens_linked == 0 {
            return Err(Error::Check(format!(
                "source {}: none of its {} tokens is in a register: are they pseudonymised with another key?",
                source.name, account.tokens
            )));
        }
    }
    Ok(())
}

/// Refuses deliveries that stop long before the as-of date, and sources older than they may be.
fn fresh(pipeline: &Pipeline, accounts: &Accounts) -> Result<()> {
    let dates = accounts.sources.iter().map(|account| account.data_up_to.as_deref().and_then(|date| date.parse().ok()));
    let dates: Vec<Option<jiff::civil::Date>> = dates.collect();
    let oldest = |text: &str| Window::parse(text).map(|window| window.first_day(pipeline.as_of)).map_err(Error::Usage);
    for ((source, account), date) in pipeline.sources.iter().zip(&accounts.sources).zip(&dates) {
        let Some(limit) = &source.decl.max_age else { continue };
        // That nothing was delivered is a fact, not a fault.
        if source.decl.may_be_empty && account.rows == 0 {
            continue;
        }
        match date {
            Some(date) if oldest(limit)?.is_some_and(|oldest| *date < oldest) => {
                return Err(Error::NotReady(format!(
                    "source {} is stale: its latest row is of {date}, more than {limit} before the as-of date {}",
                    source.name, pipeline.as_of
                )));
            }
            None => {
                return Err(Error::NotReady(format!(
                    "source {} may be at most {limit} old, but no row before the as-of date {} says how old it is",
                    source.name, pipeline.as_of
                )));
            }
            Some(_) => {}
        }
    }
    let limit = pipeline.decl.max_data_age.as_deref().unwrap_or("100 days");
    let latest = dates.iter().flatten().max();
    match latest {
        Some(latest) if oldest(limit)?.is_some_and(|oldest| *latest < oldest) => Err(Error::NotReady(format!(
            "the as-of date {} is more than {limit} after {latest}, the latest date in any source: is it in the future?",
            pipeline.as_of
        ))),
        _ => Ok(()),
    }
}
