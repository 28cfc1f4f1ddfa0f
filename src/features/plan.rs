//! What one source's pass has to make, worked out before the first row.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take_record_batch;
use arrow::datatypes::DataType;

use super::held::{Held, span};
use super::state::{Event, Rows, State};
use crate::calendar;
use crate::codelist::CodeList;
use crate::conform::{self, Chunk, batch_days};
use crate::error::{Error, Result};
use crate::expr::{self, Compiled};
use crate::link::Linked;
use crate::pipeline::{Bounds, Criterion, Events, Pipeline, Verb, What};

/// The pass over one source.
pub struct Plan<'a> {
    pipeline: &'a Pipeline,
    /// Each predicate once, however many features use it.
    filters: Vec<(String, Compiled)>,
    /// Each code column met with each code list once.
    matchers: Vec<Matcher<'a>>,
    pub features: Vec<Planned<'a>>,
    people: usize,
    as_of: i32,
}

struct Matcher<'a> {
    list: usize,
    codes: &'a CodeList,
    column: usize,
}

/// One feature of the pass.
pub struct Planned<'a> {
    /// Index into [`Pipeline::features`].
    pub feature: usize,
    pub events: &'a Events,
    filter: Option<usize>,
    matcher: Option<usize>,
    first_day: i32,
    /// A reason names the latest date, or a list may say when it was.
    pub dated: bool,
}

/// A source's events with a code in a column, and those of them with one on a code list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coded {
    pub events: u64,
    pub on_list: u64,
}

/// A chunk's events, with what the predicates and the code lists say of them.
struct Met {
    filters: Vec<BooleanBuffer>,
    events: Vec<Event>,
    /// By matcher, then category.
    matched: Vec<Vec<Vec<Event>>>,
    /// By matcher.
    coded: Vec<Coded>,
}

/// What one worker remembers: by planned feature its state, and the latest day where a reason names it.
pub struct Memory {
    pub states: Vec<State>,
    pub latest: Vec<Option<Vec<Option<i32>>>>,
    /// By code column and list, as [`Plan::code_lists`].
    pub coded: Vec<Coded>,
    /// Events of the features whose window hangs on another feature.
    pub held: Vec<Option<Held>>,
}

impl<'a> Plan<'a> {
    pub fn new(pipeline: &'a Pipeline, source: usize, people: usize) -> Result<Self> {
        let mut plan = Self {
            pipeline,
            filters: Vec::new(),
            matchers: Vec::new(),
            features: Vec::new(),
            people,
            as_of: calendar::epoch_days(pipeline.as_of),
        };
        for (index, feature) in pipeline.features.iter().enumerate() {
            let Verb::Events(events) = &feature.verb else { continue };
            if events.source != source {
                continue;
            }
            let reads = |criterion: &Criterion| criterion.features.contains(&index);
            let filter = events.filter.as_deref().map(|sql| plan.filter(source, sql)).transpose()?;
            let matcher = events.codes.as_ref().map(|codes| plan.matcher(codes.codelist, codes.column));
            let first = feature.window.first_day(pipeline.as_of).map_or(i32::MIN, calendar::epoch_days);
            plan.features.push(Planned {
                feature: index,
                events,
                filter,
                matcher,
                first_day: if events.bounds.end.is_some() { i32::MIN } else { first },
                dated: feature.reason.as_ref().is_some_and(|reason| reason.contains("{latest_date}"))
                    || pipeline.cohorts.iter().flat_map(|cohort| cohort.include.iter().flatten()).any(reads),
            });
        }
        Ok(plan)
    }

    pub fn memory(&self) -> Memory {
        let size = |planned: &Planned| if planned.waits() { 0 } else { self.people };
        let states = self.features.iter().map(|planned| State::new(planned.events.what, size(planned)));
        // A `latest` keeps its day with its value.
        let beside = |planned: &Planned| planned.dated && planned.events.what != What::Latest && !planned.waits();
        let latest = self.features.iter().map(|planned| beside(planned).then(|| vec![None; self.people]));
        let coded = vec![Coded::default(); self.matchers.len()];
        let held = self.features.iter().map(|planned| planned.waits().then(Held::default));
        Memory { states: states.collect(), latest: latest.collect(), coded, held: held.collect() }
    }

    /// The code columns that meet a code list: names of column and list.
    pub fn code_lists(&self, source: usize) -> impl Iterator<Item = (&str, &str)> {
        let columns = &self.pipeline.sources[source].columns;
        self.matchers.iter().map(|matcher| (columns[matcher.column].name.as_str(), matcher.codes.name.as_str()))
    }

    /// Takes the used rows of a chunk into memory.
    pub fn update(&self, memory: &mut Memory, chunk: &Chunk, linked: &Linked) -> Result<()> {
        if self.features.is_empty() || linked.rows.is_empty() {
            return Ok(());
        }
        let met = self.meet(chunk, linked)?;
        memory.coded.iter_mut().zip(&met.coded).for_each(|(sum, here)| sum.add(*here));
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        for (number, planned) in self.features.iter().enumerate() {
            let filter = planned.filter.map(|filter| &met.filters[filter]);
            let column = planned.events.column.map(|column| chunk.batch.column(column));
            let categories = planned.matcher.map_or(&[][..], |matcher| &self.matchers[matcher].codes.categories);
            let rows = Rows { column, categories, ends: ends.as_deref(), as_of: self.as_of };
            let wanted = |event: &Event| planned.wants(event, filter, &rows);
            if let Some(held) = &mut memory.held[number] {
                held.take(planned.categorised(&met).filter(|(event, _)| wanted(event)), &rows)?;
                continue;
            }
            let state = &mut memory.states[number];
            let latest = memory.latest[number].as_mut();
            match (planned.matcher, &planned.events.codes) {
                (Some(matcher), Some(codes)) => {
                    planned.update_coded(state, latest, &met.matched[matcher], &codes.categories, wanted, &rows)?;
                }
                _ => planned.update_with(
                    state,
                    latest,
                    met.events.iter().filter(|event| wanted(event)).copied(),
                    &rows,
                )?,
            }
        }
        Ok(())
    }

    /// Which used row of one person's rows each feature counts: row and index into [`Pipeline::features`]. `day` gives
    /// the person's value of a feature that is a date.
    pub fn behind(
        &self,
        chunk: &Chunk,
        linked: &Linked,
        day: &dyn Fn(usize) -> Option<i32>,
    ) -> Result<Vec<(u32, usize)>> {
        let met = self.meet(chunk, linked)?;
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        let rows = Rows { column: None, categories: &[], ends: ends.as_deref(), as_of: self.as_of };
        let mut behind = Vec::new();
        for planned in &self.features {
            let filter = planned.filter.map(|filter| &met.filters[filter]);
            let events = match (planned.matcher, &planned.events.codes) {
                (Some(matcher), Some(codes)) => union(&met.matched[matcher], &codes.categories),
                _ => met.events.clone(),
            };
            let feature = &self.pipeline.features[planned.feature];
            let window = span(feature, &planned.events.bounds, self.as_of, day);
            let inside = |event: &Event| window.is_some_and(|(first, end)| first <= event.day && event.day < end);
            let wanted = events.iter().filter(|event| planned.wants(event, filter, &rows) && inside(event));
            behind.extend(wanted.map(|event| (event.row, planned.feature)));
        }
        behind.sort_unstable();
        Ok(behind)
    }

    fn meet(&self, chunk: &Chunk, linked: &Linked) -> Result<Met> {
        let filters = self.filters.iter().map(|(_, filter)| used_rows_mask(filter, chunk, linked));
        let places = linked.rows.iter().zip(&linked.persons).zip(&linked.days).enumerate();
        let events: Vec<Event> = places
            .filter_map(|(at, ((row, person), day))| Some(Event { row: *row, at, person: *person, day: (*day)? }))
            .collect();
        let met = self.matchers.iter().map(|matcher| matcher.events(chunk, &events)).collect::<Result<Vec<_>>>()?;
        let (matched, coded) = met.into_iter().unzip();
        Ok(Met { filters: filters.collect::<Result<_>>()?, events, matched, coded })
    }

    fn filter(&mut self, source: usize, sql: &str) -> Result<usize> {
        if let Some(known) = self.filters.iter().position(|(known, _)| known == sql) {
            return Ok(known);
        }
        let schema = conform::schema(&self.pipeline.sources[source]);
        let compiled = expr::compile(sql, &schema).map_err(|problem| Error::Fault(problem.message))?;
        self.filters.push((sql.to_owned(), compiled));
        Ok(self.filters.len() - 1)
    }

    fn matcher(&mut self, list: usize, column: usize) -> usize {
        if let Some(known) = self.matchers.iter().position(|known| known.list == list && known.column == column) {
            return known;
        }
        self.matchers.push(Matcher { list, codes: &self.pipeline.codelists[list], column });
        self.matchers.len() - 1
    }
}

impl Coded {
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.on_list += other.on_list;
    }
}

impl Planned<'_> {
    fn wants(&self, event: &Event, filter: Option<&BooleanBuffer>, rows: &Rows) -> bool {
        event.day >= self.first_day
            && filter.is_none_or(|mask| mask.value(event.at))
            && (!self.events.ended || rows.ended(event))
    }

    /// Whether the window hangs on a feature that is known only when every source has been read.
    pub fn waits(&self) -> bool {
        self.events.bounds != Bounds::default()
    }

    /// Each event with its category, where categories are counted; else each event once.
    fn categorised(&self, met: &Met) -> Box<dyn Iterator<Item = (Event, u32)>> {
        let (Some(matcher), Some(codes)) = (self.matcher, &self.events.codes) else {
            return Box::new(met.events.clone().into_iter().map(|event| (event, 0)));
        };
        let by_category = &met.matched[matcher];
        let by_name = matches!(self.events.what, What::CountDistinct | What::Latest) && self.events.column.is_none();
        if !by_name {
            return Box::new(union(by_category, &codes.categories).into_iter().map(|event| (event, 0)));
        }
        let each = |category: &usize| {
            let number = u32::try_from(*category).unwrap_or(u32::MAX);
            by_category[*category].iter().map(move |event| (*event, number)).collect::<Vec<_>>()
        };
        Box::new(codes.categories.iter().flat_map(each).collect::<Vec<_>>().into_iter())
    }

    fn update_with(
        &self,
        state: &mut State,
        latest: Option<&mut Vec<Option<i32>>>,
        events: impl Iterator<Item = Event> + Clone,
        rows: &Rows,
    ) -> Result<()> {
        if let Some(latest) = latest {
            let open_only = self.events.what == What::OpenAtIndex;
            events.clone().filter(|event| !open_only || rows.open(event)).for_each(|event| note_day(latest, &event));
        }
        state.update(self.events.what, events, rows)
    }

    /// Events with a code in any of the categories, each event once; or, where categories are what is counted, each.
    fn update_coded(
        &self,
        state: &mut State,
        mut latest: Option<&mut Vec<Option<i32>>>,
        by_category: &[Vec<Event>],
        categories: &[usize],
        wanted: impl Fn(&Event) -> bool + Clone,
        rows: &Rows,
    ) -> Result<()> {
        if let (What::CountDistinct, None, State::Distinct(distinct)) =
            (self.events.what, self.events.column, &mut *state)
        {
            for category in categories {
                let number = u32::try_from(*category).unwrap_or(u32::MAX);
                for event in by_category[*category].iter().filter(|event| wanted(event)) {
                    distinct.add(event.person, number);
                    if let Some(latest) = &mut latest {
                        note_day(latest, event);
                    }
                }
            }
            return Ok(());
        }
        if self.events.what == What::Latest && self.events.column.is_none() {
            for category in categories {
                let events = by_category[*category].iter().filter(|event| wanted(event));
                events.for_each(|event| state.update_category(event, *category, rows));
            }
            return Ok(());
        }
        if let [category] = categories {
            return self.update_with(
                state,
                latest,
                by_category[*category].iter().filter(|event| wanted(event)).copied(),
                rows,
            );
        }
        let events = union(by_category, categories);
        self.update_with(state, latest, events.iter().filter(|event| wanted(event)).copied(), rows)
    }
}

fn note_day(latest: &mut [Option<i32>], event: &Event) {
    let day = &mut latest[event.person as usize];
    *day = (*day).max(Some(event.day));
}

/// Where a predicate holds, by place among the used rows: no other row is asked, so none can make it fail.
pub(super) fn used_rows_mask(filter: &Compiled, chunk: &Chunk, linked: &Linked) -> Result<BooleanBuffer> {
    let columns = filter.columns.iter().filter_map(|name| chunk.batch.schema().index_of(name).ok());
    let read = chunk.batch.project(&columns.collect::<Vec<_>>())?;
    let used = match linked.rows.len() == read.num_rows() {
        true => read,
        false => take_record_batch(&read, &UInt32Array::from(linked.rows.clone()))?,
    };
    Ok(filter.mask(&used)?.values().clone())
}

/// The events of any of the categories, each once.
fn union(by_category: &[Vec<Event>], categories: &[usize]) -> Vec<Event> {
    let mut events: Vec<Event> =
        categories.iter().flat_map(|category| by_category[*category].iter().copied()).collect();
    events.sort_unstable_by_key(|event| event.row);
    events.dedup_by_key(|event| event.row);
    events
}

impl Matcher<'_> {
    /// The events of each category, an event at most once in each; and how many have a code, and one of the list.
    fn events(&self, chunk: &Chunk, events: &[Event]) -> Result<(Vec<Vec<Event>>, Coded)> {
        let mut by_category = vec![Vec::new(); self.codes.categories.len()];
        let mut coded = Coded::default();
        let column = chunk.batch.column(self.column);
        let mut known: hashbrown::HashMap<&str, Vec<usize>> = hashbrown::HashMap::new();
        let (texts, lists) = match column.data_type() {
            DataType::Utf8 => (column, None),
            DataType::List(_) => (column.as_list::<i32>().values(), Some(column.as_list::<i32>())),
            other => return Err(Error::Fault(format!("codes cannot be of type {other}"))),
        };
        let texts: &ArrayRef = texts;
        let texts = texts.as_string::<i32>();
        for event in events {
            let row = event.row as usize;
            let items = match lists {
                Some(lists) if lists.is_valid(row) => {
                    let offsets = lists.value_offsets();
                    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
                }
                Some(_) => 0..0,
                None => row..row + 1,
            };
            let (mut has_code, mut on_list) = (false, false);
            for item in items.filter(|item| texts.is_valid(*item)) {
                let code = texts.value(item);
                let categories = known.entry(code).or_insert_with(|| self.codes.matches(code).collect());
                has_code = true;
                on_list |= !categories.is_empty();
                for category in categories.iter() {
                    let list: &mut Vec<Event> = &mut by_category[*category];
                    if list.last().is_none_or(|last| last.row != event.row) {
                        list.push(*event);
                    }
                }
            }
            coded.add(Coded { events: has_code.into(), on_list: on_list.into() });
        }
        Ok((by_category, coded))
    }
}
