//! One row a person.

/// What one source's pass has to make, worked out before the first row.
mod plan;

/// One feature of the pass.
mod planned;

/// What is asked of a source's rows.
mod predicates;

/// A chunk's events, with what is said of each.
mod met;

/// What most features remember, side by side.
mod slots;

/// The latest value of each person, in one number.
mod newest;

/// Both of everyone.
mod table;

/// One source, from its first row to its last.
mod scan;

/// What sources have made, until all of it is there.
mod making;

/// What that tells of each feature.
mod tabled;

/// What the other features remember of each person.
mod state;

/// Different numbers or texts of each person.
mod distinct;

/// What the audits listen for.
pub mod hear;

/// Rows that measures look at one by one.
pub mod keep;

/// What a run will read and hold.
pub mod told;

/// Events that wait for the days on which their window hangs.
mod held;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type};

use crate::audit::groups;
use crate::calendar;
use crate::cohort::words::NOT_RECORDED;
use crate::columns::{Columns, wide};
use crate::conform::{self, Chunk, RawRows, SetAside, Tally, batch_days};
use crate::error::{Error, Result};
use crate::expr;
use crate::link::heard::{self, HeardOfSource};
use crate::link::{Gone, Ledger, Linked, People, Records};
use crate::link::{evidence, meaning, rows};
use crate::pipeline::{Bounds, Feature, Pipeline, Verb};
use crate::receipt::{CodeListCount, PeopleAccount, ProviderCount, SourceAccount};
use crate::webs::{self, Webs};
use crate::workers;
use held::{Span, span};
use keep::{Keeper, Kept};
use making::{ByFeature, Making};
use plan::{Made, Plan};
use scan::scan;

/// Every feature of every person on the spine.
#[derive(Debug)]
pub struct Features {
    /// One column a feature, in the order of [`Pipeline::features`]; rows as [`People::tokens`].
    pub columns: Columns,
    /// For features whose reason names `{latest_date}`, and those that criteria read: the date of the latest event, by person.
    pub latest: Vec<Option<Date32Array>>,
    /// Rows that measures look at one by one.
    pub kept: Kept,
    /// As the pipeline's webs.
    pub webs: Vec<Webs>,
    /// People by a feature, as far as they were asked for.
    pub splits: groups::Made,
}

impl Features {
    /// Features without rows that were kept.
    pub fn of(columns: Columns, latest: Vec<Option<Date32Array>>) -> Self {
        Self { columns, latest, kept: Kept::default(), webs: Vec::new(), splits: groups::Made::default() }
    }
}

/// Where every row and every person went.
#[derive(Debug, Default)]
pub struct Accounts {
    pub sources: Vec<SourceAccount>,
    pub people: PeopleAccount,
    /// By source: the rejected rows.
    pub set_aside: Vec<Vec<SetAside>>,
    /// By source: the rows of the sample as they were delivered, with those that they may be duplicates of; none of a
    /// source of which they are not at hand.
    pub sampled: Vec<Option<Vec<RawRows>>>,
}

/// One scan a source makes its features, its evidence and its account together.
pub fn pass(mut records: Records, progress: &dyn Fn(&SourceAccount)) -> Result<(People, Features, Accounts)> {
    let pipeline = records.conformed.pipeline;
    let people = records.tokens.len();
    let in_features = told::feature_bytes(pipeline, people);
    let engine = records.conformed.engine;
    engine.has_room(in_features)?;
    let on_disk = engine.puts_aside(in_features);
    let shelved = records.shelve(on_disk)?;
    let mut making = Making::new(on_disk);
    let mut heard: Vec<HeardOfSource> = Vec::new();
    let mut keeper = Keeper::new(pipeline);
    let mut accounts = Accounts { people: records.account.clone(), ..Accounts::default() };
    for source in 0..pipeline.sources.len() {
        let mut plan = Plan::new(pipeline, source, people)?;
        let (table, seen, tally) = scan(&records, source, &mut plan, &mut keeper)?;
        let coded = seen.memory.coded.clone();
        making.add(plan.finish(table, seen.memory, engine.partitions)?)?;
        heard.push(seen.heard);
        let mut account = account(pipeline, source, seen.ledger, &tally)?;
        account.providers = providers(&seen.providers);
        let counts = plan.code_lists().zip(&coded).map(|((column, codelist), coded)| CodeListCount {
            column: column.to_owned(),
            codelist: codelist.to_owned(),
            events: coded.events,
            on_list: coded.on_list,
        });
        account.code_lists.extend(counts);
        progress(&account);
        accounts.sources.push(account);
        accounts.set_aside.push(tally.set_aside);
        accounts.sampled.push(seen.sampled.filter(|_| conform::is_read_as_stored(&pipeline.sources[source])));
    }
    let meanings = meaning::judge(pipeline, &heard);
    let workers = engine.partitions;
    let items = evidence::items(pipeline, &heard, &meanings, people, workers)?;
    let of_source = pipeline.sources.iter().zip(heard.iter().zip(&meanings)).collect();
    let rows = workers::each(workers, of_source, |(source, (heard, meanings))| {
        Ok(rows::rows(pipeline, source, heard, meanings))
    })?;
    drop(heard);
    let kept = keeper.finish(Gone::of(&records), people, workers)?;
    drop(records);
    let webs = pipeline.measures.webs.iter().map(|web| webs::of(web, pipeline.as_of, &kept, workers));
    let webs = webs.collect::<Result<Vec<_>>>()?;
    let (tokens, registers) = shelved.take()?;
    let mut people = People { tokens, registers, items, rows };
    let (columns, latest) = table(pipeline, &people, making.take(pipeline)?, &webs, workers)?;
    people.registers.iter_mut().for_each(|register| register.keep_providers(pipeline));
    engine.keeps_limit("features")?;
    Ok((people, Features { columns, latest, kept, webs, splits: groups::Made::default() }, accounts))
}

/// Features of people who are already settled, all about the events of one source: their columns, in the pipeline's order,
/// and the account of the source.
pub fn of_one_source(records: &Records) -> Result<(Vec<ArrayRef>, SourceAccount)> {
    let pipeline = records.conformed.pipeline;
    let fault = || Error::Fault("these are not the features of one source's events".to_owned());
    let Some(Verb::Events(events)) = pipeline.features.first().map(|feature| &feature.verb) else {
        return Err(fault());
    };
    let people = records.tokens.len();
    let mut plan = Plan::new(pipeline, events.source, people)?;
    let (table, seen, tally) = scan(records, events.source, &mut plan, &mut Keeper::new(pipeline))?;
    let mut columns: Vec<Option<ArrayRef>> = vec![None; pipeline.features.len()];
    for (feature, made) in plan.finish(table, seen.memory, records.conformed.engine.partitions)? {
        if let Made::Column(column, _) = made {
            columns[feature] = Some(wide(&column, &pipeline.features[feature].data_type)?);
        }
    }
    let columns = columns.into_iter().map(|column| column.ok_or_else(fault)).collect::<Result<_>>()?;
    Ok((columns, account(pipeline, events.source, seen.ledger, &tally)?))
}

/// By name.
fn providers(counted: &heard::Texts) -> Vec<ProviderCount> {
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for (provider, fates) in counted.rows() {
        *rows.entry(provider.unwrap_or_else(|| NOT_RECORDED.to_owned())).or_default() += fates.iter().sum::<u64>();
    }
    rows.into_iter().map(|(provider, rows)| ProviderCount { provider, rows, last_rows: None }).collect()
}

fn account(pipeline: &Pipeline, source: usize, ledger: Ledger, tally: &Tally) -> Result<SourceAccount> {
    let malformed = tally.set_aside.iter().filter(|bad| bad.column == "(row)").count() as u64;
    let name = &pipeline.sources[source].name;
    let mut account = ledger.close(name)?;
    account.source.clone_from(name);
    account.rows = tally.rows;
    account.set_aside += malformed;
    account.blanked.clone_from(&tally.blanked);
    for bad in &tally.set_aside {
        conform::count(&mut account.set_aside_reasons, &bad.column, &bad.rule, 1);
    }
    account.set_aside_reasons.sort_by(|a, b| (&a.column, &a.rule).cmp(&(&b.column, &b.rule)));
    Ok(account)
}

/// Puts the columns side by side: those made in the pass, those of the registers, and those that rest on others.
fn table(
    pipeline: &Pipeline,
    people: &People,
    made: ByFeature,
    webs: &[Webs],
    workers: usize,
) -> Result<(Columns, Vec<Option<Date32Array>>)> {
    let ByFeature { columns: made, mut latest, waiting } = made;
    let mut columns = Columns::new(people.tokens.len());
    for ((feature, made), (held, latest)) in
        pipeline.features.iter().zip(made).zip(waiting.into_iter().zip(&mut latest))
    {
        let column = match (&feature.verb, made) {
            (Verb::Events(_), Some(made)) => made,
            (Verb::Events(events), None) if let Some(held) = held => {
                let as_of = calendar::epoch_days(pipeline.as_of);
                let spans = spans(feature, &events.bounds, as_of, &columns)?;
                let codes = events.codes.as_ref().and_then(|codes| pipeline.codelists.get(codes.codelist));
                let categories = codes.map_or(&[][..], |codes| &codes.categories);
                let (column, days) = held.finish(feature, events, categories, as_of, &spans)?;
                *latest = is_dated(feature).then(|| Date32Array::from(days));
                column
            }
            (Verb::Events(_), None) => return Err(Error::Fault(format!("feature {} was not made", feature.name))),
            (Verb::Age { source, on }, _) => {
                let on = on.map(|on| columns.column(on)).transpose()?.flatten();
                age(pipeline, people, *source, on.as_ref().map(batch_days).as_deref())?
            }
            (Verb::Value { source, column }, _) => {
                register_column(people, *source, &pipeline.sources[*source].columns[*column].name)?
            }
            (Verb::Item { item }, _) => Arc::new(people.items[*item].resolved().collect::<StringArray>()),
            (Verb::ItemState { item }, _) => {
                Arc::new(people.items[*item].state.iter().map(|state| Some(state.name())).collect::<StringArray>())
            }
            (Verb::Web { web, figure }, _) => webs[*web].column(*figure),
            (Verb::Derived { sql }, _) => {
                let compiled =
                    expr::compile(sql, &columns.schema()).map_err(|problem| Error::Fault(problem.message))?;
                let made = columns.evaluate(&compiled, &feature.data_type, workers);
                made.map_err(|error| of_feature(&feature.name, error))?
            }
        };
        no_nan(&feature.name, &column)?;
        columns.push(Field::new(&feature.name, feature.data_type.clone(), true), &column)?;
    }
    Ok((columns, latest))
}

/// By person, the window of a feature that hangs on others.
fn spans(feature: &Feature, bounds: &Bounds, as_of: i32, columns: &Columns) -> Result<Vec<Span>> {
    let mut days: Vec<(usize, Vec<Option<i32>>)> = Vec::new();
    for needed in bounds.since.into_iter().chain(bounds.end.map(|end| end.feature())) {
        days.extend(columns.column(needed)?.map(|column| (needed, batch_days(&column))));
    }
    let of = |person: usize, wanted: usize| {
        let (_, days) = days.iter().find(|(feature, _)| *feature == wanted)?;
        days[person]
    };
    Ok((0..columns.num_rows()).map(|person| span(feature, bounds, as_of, |day| of(person, day))).collect())
}

/// Whether the reason names the latest date.
fn is_dated(feature: &Feature) -> bool {
    feature.reason.as_ref().is_some_and(|reason| reason.contains("{latest_date}"))
}

/// Ages on the as-of date, or on other days by person.
fn age(pipeline: &Pipeline, people: &People, source: usize, on: Option<&[Option<i32>]>) -> Result<ArrayRef> {
    let births = batch_days(&register_column(people, source, "birth_date")?);
    let ages = births.into_iter().enumerate().map(|(person, birth)| {
        let day = match on {
            None => pipeline.as_of,
            Some(on) => on[person].and_then(calendar::date_of)?,
        };
        calendar::age_years(calendar::date_of(birth?)?, day)
    });
    Ok(Arc::new(ages.collect::<Int64Array>()))
}

fn register_column(people: &People, source: usize, column: &str) -> Result<ArrayRef> {
    let register = people.registers.iter().find(|register| register.source == source);
    let column = register.map(|register| register.rows.by_name(column)).transpose()?.flatten();
    column.ok_or_else(|| Error::Fault("a value was asked of a source that is no register".to_owned()))
}

/// A failing expression with the feature it belongs to.
fn of_feature(name: &str, error: Error) -> Error {
    match error {
        Error::Check(text) => Error::Check(format!("feature {name}: {text}")),
        other => other,
    }
}

/// A number that is none would rank above everyone.
fn no_nan(name: &str, column: &ArrayRef) -> Result<()> {
    if column.data_type() != &DataType::Float64 {
        return Ok(());
    }
    let wrong = column.as_primitive::<Float64Type>().iter().flatten().filter(|value| !value.is_finite()).count();
    if wrong == 0 {
        return Ok(());
    }
    Err(Error::Check(format!("feature {name} is not a finite number for {wrong} people")))
}

/// Which rows of a chunk, all of one person, stand behind which features: row and index into [`Pipeline::features`].
/// `day` gives the person's value of a feature that is a date.
pub fn behind(
    pipeline: &Pipeline,
    source: usize,
    people: usize,
    chunk: &Chunk,
    linked: &Linked,
    day: &dyn Fn(usize) -> Option<i32>,
) -> Result<Vec<(u32, usize)>> {
    Plan::new(pipeline, source, people)?.behind(chunk, linked, day)
}
