//! What one source's pass has to make, worked out before the first row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::distinct::{Distinct, Shared};
use super::held::{Held, span};
use super::met::{self, CodeMemory, Coded, Event, Met, Numbers, bits_of, words_for};
use super::newest::{Far, Newest, Values, are_numbers};
use super::planned::{Kept, Planned};
use super::predicates::Predicates;
use super::slots::{Days, Group, Layout, Seen, Select};
use super::state::{Rows, State};
use super::table::Table;
use super::tabled::Tabled;
use crate::calendar;
use crate::codelist::CodeList;
use crate::columns::narrow;
use crate::conform::{Chunk, batch_days, plain};
use crate::error::Result;
use crate::link::Linked;
use crate::pipeline::{Bounds, Criterion, Events, Pipeline, Verb, What};

/// The pass over one source.
pub struct Plan<'a> {
    pipeline: &'a Pipeline,
    source: usize,
    pub predicates: Predicates,
    /// Each code column met with each code list once.
    matchers: Vec<Matcher<'a>>,
    pub features: Vec<Planned<'a>>,
    pub(super) groups: Vec<Group>,
    pub(super) seen: Vec<Seen>,
    pub(super) days: Vec<Days>,
    pub(super) newest: Vec<Newest>,
    layout: Layout,
    pub(super) people: usize,
    pub(super) as_of: i32,
}

struct Matcher<'a> {
    list: usize,
    codes: &'a CodeList,
    column: usize,
}

/// What one worker remembers, beside the table of all of them.
pub struct Memory {
    far: Far,
    /// By planned feature.
    states: Vec<Option<State>>,
    held: Vec<Option<Held>>,
    codes: Codes,
    /// By code column and list, as [`Plan::code_lists`].
    pub coded: Vec<Coded>,
}

/// What is remembered of codes.
struct Codes {
    /// By matcher.
    memories: Vec<CodeMemory>,
    /// By column.
    numbers: BTreeMap<usize, Numbers>,
}

/// A feature's column, as narrow as it is, and the latest days by person; or its events.
pub enum Made {
    Column(ArrayRef, Option<Vec<Option<i32>>>),
    Waiting(Held),
}

impl<'a> Plan<'a> {
    pub fn new(pipeline: &'a Pipeline, source: usize, people: usize) -> Result<Self> {
        let mut plan = Self {
            pipeline,
            source,
            predicates: Predicates::new(&pipeline.sources[source]),
            matchers: Vec::new(),
            features: Vec::new(),
            groups: Vec::new(),
            seen: Vec::new(),
            days: Vec::new(),
            newest: Vec::new(),
            layout: Layout::default(),
            people,
            as_of: calendar::epoch_days(pipeline.as_of),
        };
        for (index, feature) in pipeline.features.iter().enumerate() {
            match &feature.verb {
                Verb::Events(events) if events.source == source => plan.add(index, events)?,
                _ => {}
            }
        }
        plan.groups.iter_mut().for_each(|group| group.lay_out(&mut plan.layout));
        plan.seen.iter_mut().for_each(|seen| seen.lay_out(&mut plan.layout));
        plan.days.iter_mut().for_each(|days| days.lay_out(&mut plan.layout));
        Ok(plan)
    }

    fn add(&mut self, index: usize, events: &'a Events) -> Result<()> {
        let feature = &self.pipeline.features[index];
        let filter = events.filter.as_deref().map(|sql| self.predicates.number(sql)).transpose()?;
        let codes = events.codes.as_ref().map(|codes| {
            let matcher = self.matcher(codes.codelist, codes.column);
            (matcher, bits_of(&codes.categories, words_for(self.matchers[matcher].codes.categories.len())))
        });
        let select = Select { filter, codes, ended: events.ended };
        let first = feature.window.first_day(self.pipeline.as_of).map_or(i32::MIN, calendar::epoch_days);
        let first_day = if events.bounds.end.is_some() { i32::MIN } else { first };
        let reads = |criterion: &Criterion| criterion.features.contains(&index);
        let dated = feature.reason.as_ref().is_some_and(|reason| reason.contains("{latest_date}"))
            || self.pipeline.cohorts.iter().flat_map(|cohort| cohort.include.iter().flatten()).any(reads);
        let kept = self.kept(index, events, &select, first_day, dated);
        // What `latest` chose, or what is open, is known with its day.
        let own_day = matches!(kept, Kept::Held) || matches!(events.what, What::Latest | What::OpenAtIndex);
        let latest = (dated && !own_day).then(|| self.group(&select, first_day, false));
        let counts_different = matches!(events.what, What::CountDays | What::CountDistinct);
        let distinct = (counts_different && matches!(kept, Kept::State)).then(|| Shared::new(self.people));
        self.features.push(Planned { feature: index, events, select, first_day, kept, distinct, latest, dated });
        Ok(())
    }

    /// Where a feature's numbers are best kept.
    fn kept(&mut self, feature: usize, events: &Events, select: &Select, first_day: i32, dated: bool) -> Kept {
        if events.bounds != Bounds::default() {
            return Kept::Held;
        }
        match events.what {
            What::Exists if !dated && select.codes.is_some() => Kept::Seen(self.seen(select, first_day)),
            What::Count => Kept::Group(self.group(select, first_day, true)),
            What::Exists | What::DaysSince => Kept::Group(self.group(select, first_day, false)),
            What::CountDistinct if events.column.is_none() => Kept::Seen(self.seen(select, first_day)),
            What::CountDays if self.as_of.saturating_sub(first_day) <= Days::LONGEST => {
                self.days.push(Days::new(select.clone(), first_day, self.as_of));
                Kept::Days(self.days.len() - 1)
            }
            What::Latest if events.column.is_none() || are_numbers(&self.pipeline.features[feature].data_type) => {
                let (at, column) = (self.newest.len(), events.column);
                self.newest.push(Newest { select: select.clone(), first_day, column, at });
                Kept::Newest(at)
            }
            _ => Kept::State,
        }
    }

    fn group(&mut self, select: &Select, first_day: i32, counted: bool) -> usize {
        let at = self.groups.iter().position(|group| group.select == *select).unwrap_or_else(|| {
            self.groups.push(Group::new(select.clone()));
            self.groups.len() - 1
        });
        self.groups[at].cover(first_day, counted);
        at
    }

    /// Bits of all categories of a list, whichever of them a feature wants.
    fn seen(&mut self, select: &Select, first_day: i32) -> usize {
        let mut select = select.clone();
        let words = select.codes.as_mut().map_or(1, |(_, wanted)| {
            wanted.fill(u64::MAX);
            wanted.len()
        });
        let seen = Seen::new(select, first_day, words);
        self.seen.iter().position(|known| *known == seen).unwrap_or_else(|| {
            self.seen.push(seen);
            self.seen.len() - 1
        })
    }

    /// What all workers remember together, made by so many of them.
    pub fn table(&self, workers: usize) -> Result<Table> {
        Table::new(self.layout.words(), self.newest.len(), self.people, workers)
    }

    pub fn memory(&self) -> Memory {
        let state = |planned: &Planned| match &planned.distinct {
            Some(shared) => Some(State::Distinct(Box::new(Distinct::new(Arc::clone(shared))))),
            None => matches!(planned.kept, Kept::State).then(|| State::new(planned.events.what, self.people)),
        };
        Memory {
            far: Far::default(),
            states: self.features.iter().map(state).collect(),
            held: self.features.iter().map(|planned| planned.waits().then(Held::default)).collect(),
            codes: self.code_memory(),
            coded: vec![Coded::default(); self.matchers.len()],
        }
    }

    fn code_memory(&self) -> Codes {
        let asked = |matcher: usize| {
            let selects = self.groups.iter().map(|group| &group.select);
            let all = (0..).zip(selects.chain(self.newest.iter().map(|newest| &newest.select)));
            let coded = all.filter_map(|(number, select)| Some((number, select.codes.as_ref()?)));
            let of_this = coded.filter(|(_, (other, _))| *other == matcher);
            of_this.map(|(number, (_, wanted))| (number, wanted.clone())).collect()
        };
        let each = self.matchers.iter().enumerate();
        Codes {
            memories: each.map(|(at, matcher)| CodeMemory::new(matcher.codes, asked(at))).collect(),
            numbers: self.matchers.iter().map(|matcher| (matcher.column, Numbers::default())).collect(),
        }
    }

    /// What all workers together hold of one person, and what each of them does, at least; events that wait for a day are
    /// not in it.
    pub fn bytes_a_person(&self) -> [usize; 2] {
        let states = self.features.iter().filter(|planned| matches!(planned.kept, Kept::State));
        let (shared, own): (Vec<_>, Vec<_>) = states.partition(|planned| planned.distinct.is_some());
        let bytes = |states: Vec<&Planned>| -> usize {
            states.iter().map(|planned| State::bytes_a_person(planned.events.what)).sum()
        };
        [self.layout.bytes() + self.newest.len() * size_of::<u64>() + bytes(shared), bytes(own)]
    }

    /// The code columns that meet a code list: names of column and list.
    pub fn code_lists(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = &self.pipeline.sources[self.source].columns;
        self.matchers.iter().map(|matcher| (columns[matcher.column].name.as_str(), matcher.codes.name.as_str()))
    }

    /// Takes the used rows of a chunk into what is remembered; `masks` are of the predicates.
    pub fn update(
        &self,
        table: &Table,
        memory: &mut Memory,
        chunk: &Chunk,
        linked: &Linked,
        masks: &[BooleanBuffer],
    ) -> Result<()> {
        if self.features.is_empty() || linked.rows.is_empty() {
            return Ok(());
        }
        let met = self.meet(&mut memory.codes, chunk, linked, masks)?;
        memory.coded.iter_mut().zip(&met.codes).for_each(|(sum, here)| sum.add(here.coded));
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        let rows = Rows { column: None, ends: ends.as_deref(), as_of: self.as_of };
        let columns = self.newest.iter().map(|newest| newest.column.map(|column| chunk.batch.column(column)));
        let values = columns.map(|column| column.map(Values::of).transpose()).collect::<Result<Vec<_>>>()?;
        table.update(self, &mut memory.far, &met, &rows, &values)?;
        for (number, planned) in self.features.iter().enumerate() {
            if !matches!(planned.kept, Kept::State | Kept::Held) {
                continue;
            }
            let column = planned.events.column.map(|column| self.column(planned.events.what, column, chunk));
            let column = column.transpose()?;
            let rows = Rows { column: column.as_ref(), ends: ends.as_deref(), as_of: self.as_of };
            if let Some(held) = &mut memory.held[number] {
                held.take(&planned.categorised(&met, &rows), &rows)?;
            }
            if let Some(state) = &mut memory.states[number] {
                state.update(planned.events.what, &planned.wanted(&met, &rows), &rows)?;
            }
        }
        Ok(())
    }

    /// A verb's column; where its texts are only counted, in the form in which it came.
    fn column(&self, what: What, column: usize, chunk: &Chunk) -> Result<ArrayRef> {
        match what {
            What::CountDistinct => Ok(Arc::clone(chunk.batch.column(column))),
            _ => plain(chunk.batch.column(column), &self.pipeline.sources[self.source].columns[column].data_type),
        }
    }

    /// Adds what another worker remembers.
    pub fn merge(&self, memory: &mut Memory, other: Memory) -> Result<()> {
        memory.far.merge(other.far);
        for (mine, theirs) in memory.states.iter_mut().zip(other.states) {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                mine.merge(theirs)?;
            }
        }
        for (mine, theirs) in memory.held.iter_mut().zip(other.held) {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                mine.merge(theirs)?;
            }
        }
        memory.coded.iter_mut().zip(other.coded).for_each(|(mine, theirs)| mine.add(theirs));
        Ok(())
    }

    /// What became of each planned feature, worked out by so many workers: its index into [`Pipeline::features`], and its
    /// column.
    pub fn finish(&self, table: Table, memory: Memory, workers: usize) -> Result<Vec<(usize, Made)>> {
        let tabled = self.tabled(table, &memory.far, workers)?;
        let kept = memory.states.into_iter().zip(memory.held).zip(tabled);
        let each = self.features.iter().zip(kept).map(|(planned, ((state, held), Tabled { values, latest }))| {
            let made = match (held, state) {
                (Some(held), _) => Made::Waiting(held),
                (None, Some(state)) => {
                    let own = planned.dated.then(|| state.chosen_days()).flatten();
                    let column = state.finish(self.data_type(planned), self.as_of, self.categories(planned))?;
                    Made::Column(narrow(&column)?, own.or(latest))
                }
                (None, None) => Made::Column(values, latest),
            };
            Ok((planned.feature, made))
        });
        each.collect()
    }

    pub(super) fn data_type(&self, planned: &Planned) -> &DataType {
        &self.pipeline.features[planned.feature].data_type
    }

    /// The names on the code list of a feature.
    pub(super) fn categories(&self, planned: &Planned) -> &[String] {
        planned.select.codes.as_ref().map_or(&[], |(matcher, _)| &self.matchers[*matcher].codes.categories)
    }

    /// Which used row of one person's rows each feature counts: row and index into [`Pipeline::features`]. `day` gives
    /// the person's value of a feature that is a date.
    pub fn behind(
        &self,
        chunk: &Chunk,
        linked: &Linked,
        day: &dyn Fn(usize) -> Option<i32>,
    ) -> Result<Vec<(u32, usize)>> {
        let mut codes = self.code_memory();
        let masks = self.predicates.masks(&mut self.predicates.memory(), chunk, linked)?;
        let met = self.meet(&mut codes, chunk, linked, &masks)?;
        let ends = chunk.batch.column_by_name("end").map(batch_days);
        let rows = Rows { column: None, ends: ends.as_deref(), as_of: self.as_of };
        let mut behind = Vec::new();
        for planned in &self.features {
            let feature = &self.pipeline.features[planned.feature];
            let window = span(feature, &planned.events.bounds, self.as_of, day);
            let inside = |event: &Event| window.is_some_and(|(first, end)| first <= event.day && event.day < end);
            let wanted = planned.wanted(&met, &rows).into_iter().filter(inside);
            behind.extend(wanted.map(|event| (event.row, planned.feature)));
        }
        behind.sort_unstable();
        Ok(behind)
    }

    fn meet(&self, codes: &mut Codes, chunk: &Chunk, linked: &Linked, masks: &[BooleanBuffer]) -> Result<Met> {
        let events = met::events(linked);
        let filters = masks.iter().map(|mask| met::of_events(mask, linked, events.len())).collect();
        let mut are_numbers = BTreeSet::new();
        for (column, numbers) in &mut codes.numbers {
            if numbers.look_up(chunk.batch.column(*column), &events) {
                are_numbers.insert(*column);
            }
        }
        let each = self.matchers.iter().zip(&mut codes.memories).map(|(matcher, memory)| {
            let numbers = codes.numbers.get(&matcher.column).filter(|_| are_numbers.contains(&matcher.column));
            memory.meet(matcher.codes, chunk.batch.column(matcher.column), numbers, &events)
        });
        let codes = each.collect::<Result<_>>()?;
        Ok(Met { events, filters, codes })
    }

    fn matcher(&mut self, list: usize, column: usize) -> usize {
        if let Some(known) = self.matchers.iter().position(|known| known.list == list && known.column == column) {
            return known;
        }
        self.matchers.push(Matcher { list, codes: &self.pipeline.codelists[list], column });
        self.matchers.len() - 1
    }
}
