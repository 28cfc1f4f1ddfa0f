//! The eight stages, called in order.

use std::path::PathBuf;

use crate::audit;
use crate::calendar::Window;
use crate::cohort;
use crate::conform::{self, Engine};
use crate::error::{Error, Result};
use crate::features::{self, Accounts};
use crate::journal::Journal;
use crate::link;
use crate::oracle;
use crate::outputs;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Role;
use crate::publish::{self, Lock, Published, RunId};
use crate::score;
use crate::source;
use crate::storage::Storage;

/// Where a run goes and how its work is cut; only the first is visible in what it leaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds `runs/` and `current`.
    pub out: PathBuf,
    pub engine: Engine,
}

/// Runs a pipeline: from deliveries to a published run, or to an error that leaves everything as it was.
pub fn run(
    pipeline: &Pipeline,
    options: &Options,
    storage: &dyn Storage,
    journal: &Journal,
) -> Result<(RunId, Published)> {
    let mut lock = Lock::take(storage, &options.out)?;
    let delivered = source::find(pipeline)?;
    let id = outputs::run_id(pipeline, &delivered);
    lock.name_run(&id)?;
    if let Some(published) = publish::already(storage, &lock, &id)? {
        return Ok((id, published));
    }
    journal.found(pipeline, &delivered);
    let conformed = conform::conform(pipeline, &delivered, options.engine)?;
    let records = link::link(&conformed)?;
    journal.linked(&records.account);
    let (people, features, accounts) = features::pass(records, &|account| journal.read(account))?;
    linkable(pipeline, &accounts)?;
    fresh(pipeline, &accounts)?;
    let scores = score::score(pipeline, &features)?;
    let checks = oracle::self_check(pipeline, &delivered, &people, &features, &scores)?;
    journal.scored(pipeline, people.tokens.len(), &checks);
    let cohorts = cohort::select(pipeline, &people, &features, &scores)?;
    let gaps = audit::gaps(pipeline, &people, &features, &scores, &cohorts)?;
    journal.listed(&cohorts);
    let stages = outputs::Stages {
        delivered: &delivered,
        people: &people,
        features: &features,
        scores: &scores,
        accounts: &accounts,
        cohorts: &cohorts,
        gaps: &gaps,
    };
    let (draft, receipt) = outputs::draft(pipeline, &id, &stages, checks, journal)?;
    let published = publish::publish(storage, &lock, &id, &draft, &people.tokens, receipt)?;
    Ok((id, published))
}

/// A source of this many people that shares none with the registers is keyed in another domain.
const TOKENS_TO_JUDGE: u64 = 20;

/// Refuses sources whose tokens no register knows: every opt-out would be without effect, every count 0.
fn linkable(pipeline: &Pipeline, accounts: &Accounts) -> Result<()> {
    for (source, account) in pipeline.sources.iter().zip(&accounts.sources) {
        let judged = match source.decl.role {
            Role::OptOut => 1,
            Role::Events | Role::Feedback => TOKENS_TO_JUDGE,
            Role::Register | Role::Lookup | Role::Superseded => continue,
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
    for (source, date) in pipeline.sources.iter().zip(&dates) {
        let Some(limit) = &source.decl.max_age else { continue };
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
