//! What the audits listen for in a source, beside its features and in the same pass.

use arrow::buffer::BooleanBuffer;
use jiff::Span;

use super::predicates::Predicates;
use crate::calendar;
use crate::conform::Chunk;
use crate::error::Result;
use crate::link::heard::{HeardOfSource, Rows};
use crate::link::meaning::ItemRule;
use crate::link::rows::compared_columns;
use crate::link::{Linked, RecordingState};
use crate::pipeline::decl::Role;
use crate::pipeline::{Demographic, Pipeline, Source};

/// Of how many months before the as-of date it is told whether there is a row.
pub const MONTHS: i32 = 3;

/// What is listened for in one source.
pub struct Hearing<'a> {
    source: &'a Source,
    steps: Vec<Step>,
    columns: Vec<&'a str>,
    months: Vec<i32>,
    /// As the source's demographics.
    rules: Vec<ItemRule<'a>>,
    as_of: i32,
}

struct Step {
    /// Number of the predicate.
    filter: Option<usize>,
    first_day: i32,
}

impl<'a> Hearing<'a> {
    /// What it asks of rows joins the other predicates of the source.
    pub fn new(pipeline: &'a Pipeline, source: usize, predicates: &mut Predicates) -> Result<Self> {
        let declared = &pipeline.sources[source];
        let steps = pipeline.steps_at(source).map(|(pathway, step)| {
            let first_day = pathway.window.first_day(pipeline.as_of).map_or(i32::MIN, calendar::epoch_days);
            Ok(Step { filter: step.filter.as_ref().map(|sql| predicates.number(sql)).transpose()?, first_day })
        });
        let month = |back| calendar::epoch_days(pipeline.as_of.saturating_sub(Span::new().months(back)));
        let rule = |says: &Demographic| ItemRule::of(&pipeline.items[says.item], pipeline.as_of);
        Ok(Self {
            source: declared,
            steps: steps.collect::<Result<_>>()?,
            columns: compared_columns(pipeline, declared).collect(),
            months: (1..=MONTHS).map(month).collect(),
            rules: declared.demographics.iter().map(rule).collect(),
            as_of: calendar::epoch_days(pipeline.as_of),
        })
    }

    /// Of so many people at most.
    pub fn memory(&self, people: usize) -> HeardOfSource {
        HeardOfSource::new(self.source.demographics.len(), self.steps.len(), self.columns.len(), self.as_of, people)
    }

    /// Hears the used rows of a chunk; `masks` are of the predicates.
    pub fn hear(
        &self,
        heard: &mut HeardOfSource,
        chunk: &Chunk,
        linked: &Linked,
        masks: &[BooleanBuffer],
    ) -> Result<()> {
        let steps = self.steps.iter().map(|step| self.places(step, linked, masks)).collect();
        let column = |name: &str| chunk.batch.column_by_name(name);
        let recorders = self.source.recorded_by().and_then(column);
        let columns = self.columns.iter().filter_map(|name| column(name)).collect();
        let state = |item: usize, value: Option<&str>| {
            let judge = |value| self.rules[item].meaning(&self.source.demographics[item], value).0;
            value.map_or(RecordingState::Blank, judge)
        };
        let rows = Rows { linked, says: &chunk.says, state: &state, recorders, steps, months: &self.months, columns };
        heard.hear(&rows)
    }

    /// Where the rows of a step stand among the linked ones; an undated row of a register is of any day.
    fn places(&self, step: &Step, linked: &Linked, masks: &[BooleanBuffer]) -> Vec<usize> {
        let mask = step.filter.map(|filter| &masks[filter]);
        let undated = self.source.decl.role == Role::Register;
        let inside = |day: Option<i32>| day.map_or(undated, |day| day >= step.first_day);
        let places = linked.days.iter().enumerate().filter(|(_, day)| inside(**day));
        places.map(|(at, _)| at).filter(|at| mask.is_none_or(|mask| mask.value(*at))).collect()
    }
}
