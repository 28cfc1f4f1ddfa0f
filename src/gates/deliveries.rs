//! What was delivered, held against the run before.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use jiff::civil::Date;

use super::{Consent, NoData, percent};
use crate::calendar::Window;
use crate::error::{Error, Result};
use crate::features::Accounts;
use crate::history::{History, Previous};
use crate::link::People;
use crate::pipeline::decl::{LimitsDecl, Role};
use crate::pipeline::{Pipeline, Source};
use crate::receipt::{ProviderCount, SourceAccount};
use crate::source::Delivered;

/// How many providers a message names.
const SHOWN: usize = 10;

/// Since when each source with `every` has delivered these files; refuses one that is due and unchanged.
pub fn due(pipeline: &Pipeline, delivered: &Delivered, history: &History) -> Result<Vec<Option<Date>>> {
    let mut since = vec![None; pipeline.sources.len()];
    let mut late = Vec::new();
    for ((source, found), since) in pipeline.sources.iter().zip(&delivered.sources).zip(&mut since) {
        let Some(every) = source.decl.every.as_deref().filter(|_| pipeline.outreach.remember) else { continue };
        let mine = |name: &str| name == source.name;
        let now: BTreeSet<&str> = found.files.iter().map(|file| file.sha256.as_str()).collect();
        let receipt = history.previous.as_ref().map(|previous| &previous.receipt);
        let before = receipt.into_iter().flat_map(|receipt| &receipt.inputs).filter(|input| mine(&input.source));
        let before: BTreeSet<&str> = before.map(|input| input.sha256.as_str()).collect();
        let unchanged = receipt.filter(|_| now == before && !now.is_empty()).map(|receipt| {
            let account = receipt.sources.iter().find(|account| mine(&account.source));
            account.and_then(|account| account.files_since).unwrap_or(receipt.as_of)
        });
        let window = Window::parse(every).map_err(Error::Usage)?;
        if let Some(first) = unchanged.filter(|first| window.first_day(pipeline.as_of).is_some_and(|day| day >= *first))
        {
            late.push(format!(
                "source {}: the same files as on {first}, though a new delivery is due every {every}",
                source.name
            ));
        }
        *since = Some(unchanged.unwrap_or(pipeline.as_of));
    }
    if late.is_empty() { Ok(since) } else { Err(Error::NotReady(late.join("\n"))) }
}

/// Holds every source against the run before: its rows, its latest date, its providers. Gives the people of whom nothing
/// came, and notes what is to be known of them.
pub fn sources(
    pipeline: &Pipeline,
    people: &People,
    history: &History,
    consent: &Consent,
    accounts: &mut Accounts,
    warnings: &mut Vec<String>,
) -> Result<NoData> {
    let mut no_data = NoData::default();
    let Some(previous) = &history.previous else { return Ok(no_data) };
    let (mut wrong, mut older) = (Vec::new(), Vec::new());
    for (source, account) in pipeline.sources.iter().zip(&mut accounts.sources) {
        let Some(before) = previous.receipt.sources.iter().find(|before| before.source == source.name) else {
            continue;
        };
        let limits = &pipeline.outreach.limits;
        // What hubs send back grows with every list, from nothing.
        let rows_grow = if source.decl.role == Role::Feedback { f64::INFINITY } else { limits.rows_grow };
        let limits = &LimitsDecl { rows_grow, ..limits.clone() };
        wrong.extend(changed(limits, previous, before, account));
        older.extend(is_older(account, before).filter(|_| !consent.allow_older));
        for gone in absent(limits, before, account) {
            let name = format!("source {}: nothing from {}", source.name, gone.provider);
            let rows = gone.last_rows.unwrap_or_default();
            let share = percent(rows, before.rows.max(1));
            let said = format!(
                "{name}, which sent {rows} rows before ({share} of the source in run {})",
                previous.receipt.run_id
            );
            match people_of(people, source, &gone.provider) {
                Some(of) => {
                    warnings.push(format!("{said}: its {} people are on no list", of.len()));
                    no_data.add(format!("no data from {}", gone.provider), of);
                }
                None => wrong.push(format!(
                    "{said}, and no register says whose people these are; if it sends no more, name it in [limits] closed_providers"
                )),
            }
            account.providers.push(gone);
        }
        account.providers.sort_by(|a, b| a.provider.cmp(&b.provider));
    }
    if !wrong.is_empty() {
        return Err(Error::Check(wrong.join("\n")));
    }
    if !older.is_empty() {
        older.push("deliver the newer files again, or let it pass with --allow-older".to_owned());
        return Err(Error::NotReady(older.join("\n")));
    }
    Ok(no_data)
}

/// A source that shrank or grew beyond its limit, with the providers that make most of it.
fn changed(limits: &LimitsDecl, previous: &Previous, before: &SourceAccount, now: &SourceAccount) -> Option<String> {
    let (was, is) = (before.rows as f64, now.rows as f64);
    let (what, limit) = if is < was * (1.0 - limits.rows_shrink) {
        ("shrink", limits.rows_shrink)
    } else if is > was * (1.0 + limits.rows_grow) {
        ("grow", limits.rows_grow)
    } else {
        return None;
    };
    if before.rows.max(now.rows) < limits.judged_from {
        return None;
    }
    let mut text = format!(
        "source {}: {} rows, {} in run {}: it may {what} by {} %",
        now.source,
        now.rows,
        before.rows,
        previous.receipt.run_id,
        limit * 100.0
    );
    let names: BTreeSet<&str> =
        before.providers.iter().chain(&now.providers).map(|provider| provider.provider.as_str()).collect();
    let rows = |account: &SourceAccount, name: &str| {
        account.providers.iter().find(|provider| provider.provider == name).map_or(0, |provider| provider.rows)
    };
    let mut providers: Vec<(u64, &str)> =
        names.into_iter().map(|name| (rows(before, name).abs_diff(rows(now, name)), name)).collect();
    providers.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
    for (_, name) in providers.iter().filter(|(moved, _)| *moved > 0).take(SHOWN) {
        text.push_str(&format!("\n  {name}: {} rows, {} before", rows(now, name), rows(before, name)));
    }
    Some(text)
}

/// A delivery that ends before the last one used did.
fn is_older(now: &SourceAccount, before: &SourceAccount) -> Option<String> {
    let (is, was) = (now.data_up_to.as_deref()?, before.data_up_to.as_deref()?);
    (is < was).then(|| format!("source {}: data up to {is}, but the run before had data up to {was}", now.source))
}

/// Providers that sent rows before, or were missed then already, and send none now.
fn absent(limits: &LimitsDecl, before: &SourceAccount, now: &SourceAccount) -> Vec<ProviderCount> {
    let closed = limits.closed_providers.get(&now.source);
    let sends = |name: &str| now.providers.iter().any(|provider| provider.provider == name);
    let is_closed = |name: &str| closed.is_some_and(|closed| closed.iter().any(|closed| closed == name));
    let mut absent = Vec::new();
    for provider in &before.providers {
        let rows = provider.last_rows.unwrap_or(provider.rows);
        let name = provider.provider.as_str();
        if rows >= limits.judged_from && name != crate::cohort::words::NOT_RECORDED && !sends(name) && !is_closed(name)
        {
            absent.push(ProviderCount { provider: name.to_owned(), rows: 0, last_rows: Some(rows) });
        }
    }
    absent
}

/// Whom the registers give to this provider; none where no register says it, or the register itself is what is missed.
fn people_of(people: &People, source: &Source, provider: &str) -> Option<Vec<u32>> {
    let column = source.decl.provider.as_ref().filter(|_| source.decl.role != Role::Register)?.people.as_deref()?;
    let registers = people.registers.iter().filter_map(|register| register.rows.by_name(column).ok().flatten());
    let mut found: Option<Vec<u32>> = None;
    for column in registers {
        let Some(texts) = column.as_string_opt::<i32>() else { continue };
        let of = (0_u32..).zip(texts.iter()).filter(|(_, text)| *text == Some(provider)).map(|(person, _)| person);
        found.get_or_insert_with(Vec::new).extend(of);
    }
    found
}
