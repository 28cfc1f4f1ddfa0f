//! Webs of care, contact by contact.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::conform::Row;
use super::link::Person;
use super::sql::{self, Expression, Unsupported};
use super::value::{Kind, Value};
use crate::calendar::{Window, epoch_days};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Setting;
use crate::pipeline::decl::measures::Provider;
use crate::pipeline::measures::{Contact, Web, WebFigure};

/// Sources that are not computed, and why.
type NotComputed<'a> = &'a BTreeMap<usize, String>;

/// The predicate of each watch, read once.
pub type Filters = Vec<Option<Result<Expression, Unsupported>>>;

/// Reads the predicates of all watches.
pub fn filters(pipeline: &Pipeline) -> Filters {
    let read = |watch: &crate::pipeline::measures::Watch| {
        let columns = pipeline.sources.get(watch.source).map(|source| &source.columns);
        let columns: Vec<(String, Kind)> =
            columns.into_iter().flatten().map(|column| (column.name.clone(), Kind::of(&column.data_type))).collect();
        watch.filter.as_ref().map(|filter| sql::compile(filter, &columns))
    };
    pipeline.measures.watches.iter().map(read).collect()
}

/// When, and with whom: organisation and team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    date: Date,
    time: Option<i64>,
    organisation: Option<String>,
    team: Option<String>,
    setting: Setting,
}

impl Met {
    fn provider(&self, kind: Provider) -> Option<(Option<&str>, Option<&str>)> {
        match kind {
            Provider::Organisation => self.organisation.as_deref().map(|name| (Some(name), None)),
            Provider::Team => self.team.as_deref().map(|name| (self.organisation.as_deref(), Some(name))),
        }
    }
}

/// One figure of a person's web.
pub fn figure(
    pipeline: &Pipeline,
    filters: &Filters,
    not_computed: NotComputed,
    web: usize,
    figure: WebFigure,
    person: &Person,
) -> Result<Value, Unsupported> {
    let Some(web) = pipeline.measures.webs.get(web) else { return Ok(Value::Null) };
    let met = contacts(pipeline, filters, not_computed, web, &web.contacts, person)?;
    let kind = web.decl.provider;
    let providers: Vec<_> = met.iter().filter_map(|met| met.provider(kind)).collect();
    let n = providers.len();
    let of = |provider: &(Option<&str>, Option<&str>)| providers.iter().filter(|other| *other == provider).count();
    let different = |kind: Provider| met.iter().filter_map(|met| met.provider(kind)).collect::<BTreeSet<_>>().len();
    let whole = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let defined = |value: f64| if n < 2 { Value::Null } else { Value::Float(value) };
    let contacts = n as f64;
    Ok(match figure {
        WebFigure::Contacts => whole(met.len()),
        WebFigure::ContactsAMonth => Value::Float(met.len() as f64 / months(web.window)),
        WebFigure::Organisations => whole(different(Provider::Organisation)),
        WebFigure::Teams => whole(different(Provider::Team)),
        WebFigure::Settings => whole(met.iter().map(|met| met.setting).collect::<BTreeSet<_>>().len()),
        WebFigure::HandOffs => whole((1..n).filter(|at| providers.get(*at) != providers.get(at - 1)).count()),
        WebFigure::UsualProvider => {
            providers.iter().map(of).max().map_or(Value::Null, |most| Value::Float(most as f64 / contacts))
        }
        WebFigure::BiceBoxerman => {
            // Of all ordered pairs of two contacts, the share with one provider.
            let pairs: usize = providers.iter().map(|provider| of(provider) - 1).sum();
            defined(pairs as f64 / (contacts * (contacts - 1.0)))
        }
        WebFigure::SequentialContinuity => {
            let same = (1..n).filter(|at| providers.get(*at) == providers.get(at - 1)).count();
            defined(same as f64 / (contacts - 1.0))
        }
        WebFigure::Mmci => {
            let known = providers.iter().collect::<BTreeSet<_>>().len() as f64;
            defined((1.0 - known / (contacts + 0.1)) / (1.0 - 1.0 / (contacts + 0.1)))
        }
        WebFigure::RepeatedAssessments => {
            let assessed = self::contacts(pipeline, filters, not_computed, web, &web.assessments, person)?;
            whole((0..assessed.len()).filter(|at| is_repeated(web, &assessed, *at)).count())
        }
    })
}

fn is_repeated(web: &Web, assessed: &[Met], at: usize) -> bool {
    let Some(now) = assessed.get(at) else { return false };
    assessed.iter().take(at).any(|before| {
        let soon = epoch_days(now.date) - epoch_days(before.date) <= web.again_within_days;
        match (before.provider(web.decl.provider), now.provider(web.decl.provider)) {
            (Some(before), Some(now)) => soon && before != now,
            _ => false,
        }
    })
}

fn contacts(
    pipeline: &Pipeline,
    filters: &Filters,
    not_computed: NotComputed,
    web: &Web,
    rows: &[Contact],
    person: &Person,
) -> Result<Vec<Met>, Unsupported> {
    let mut met = Vec::new();
    for contact in rows {
        let Some(watch) = pipeline.measures.watches.get(contact.watch) else { continue };
        let Some(source) = pipeline.sources.get(watch.source) else { continue };
        if let Some(why) = not_computed.get(&watch.source) {
            return Err(Unsupported(why.clone()));
        }
        let filter = filters.get(contact.watch).and_then(Option::as_ref);
        let filter = filter.map(|read| read.as_ref().map_err(Clone::clone)).transpose()?;
        for row in person.events.get(&watch.source).into_iter().flatten() {
            let when = source.column("date").and_then(|at| row.values.get(at));
            let Some(date) = when.and_then(Value::day) else { continue };
            let too_old = watch.window.first_day(pipeline.as_of).is_some_and(|first| date < first);
            if too_old || date >= pipeline.as_of {
                continue;
            }
            if let Some(filter) = filter
                && !filter.holds(&row.values)?
            {
                continue;
            }
            let time = when.and_then(Value::second_of_day);
            let [organisation, team] = watch.labels.map(|label| text(row, label));
            met.push(Met { date, time, organisation, team, setting: contact.setting });
        }
    }
    // A watch that another measure shares may look back further than this web.
    let first = web.window.first_day(pipeline.as_of);
    met.retain(|met| first.is_none_or(|first| met.date >= first));
    met.sort();
    Ok(met)
}

fn text(row: &Row, column: Option<usize>) -> Option<String> {
    row.values.get(column?).and_then(Value::as_text).map(str::to_owned)
}

fn months(window: Window) -> f64 {
    match window {
        Window::Days(days) => f64::from(days) * 12.0 / 365.25,
        Window::Months(months) => f64::from(months),
        Window::Years(years) => 12.0 * f64::from(years),
        Window::Ever => f64::INFINITY,
    }
}
