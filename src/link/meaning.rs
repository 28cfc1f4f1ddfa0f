//! What delivered values mean, and for how long.

use std::sync::Arc;

use jiff::civil::Date;

use super::RecordingState;
use super::heard::{Heard, HeardOfSource};
use crate::calendar;
use crate::pipeline::{Demographic, Item, Pipeline};

/// What a delivered value says.
pub type Meaning = (RecordingState, Option<Arc<str>>);

/// By demographic column of a source: by the number of each value that was heard, what it says.
pub type Meanings = Vec<Vec<Meaning>>;

/// Judges each value that was heard once, whoever said it: by source.
pub fn judge(pipeline: &Pipeline, heard: &[HeardOfSource]) -> Vec<Meanings> {
    let rules: Vec<ItemRule> = pipeline.items.iter().map(|item| ItemRule::of(item, pipeline.as_of)).collect();
    let of_source = |(source, heard): (&crate::pipeline::Source, &HeardOfSource)| {
        let says = source.demographics.iter().zip(&heard.items);
        says.map(|(says, heard)| rules[says.item].meanings(says, heard)).collect()
    };
    pipeline.sources.iter().zip(heard).map(of_source).collect()
}

/// What an item declares of its values.
pub struct ItemRule<'a> {
    item: &'a Item,
    as_of: Date,
}

impl<'a> ItemRule<'a> {
    pub fn of(item: &'a Item, as_of: Date) -> Self {
        Self { item, as_of }
    }

    /// By the number of each value that was heard; 0 is blank.
    fn meanings(&self, demographic: &Demographic, heard: &Heard) -> Vec<Meaning> {
        heard.values.map((RecordingState::Blank, None), |value| self.meaning(demographic, value))
    }

    /// What a delivered value says.
    pub fn meaning(&self, demographic: &Demographic, value: &str) -> Meaning {
        if let Some(values) = &demographic.values {
            let (state, meant) = values.state(value);
            let meant = meant.filter(|_| state == RecordingState::Known).map(|meant| meant.value.as_str().into());
            return (state, meant);
        }
        if self.item.decl.default_values.iter().any(|default| default.eq_ignore_ascii_case(value)) {
            return (RecordingState::NotKnown, None);
        }
        let fits = self.item.pattern.as_ref().is_none_or(|pattern| pattern.is_match(value));
        let dated = self.item.decl.date_not_before.is_none_or(|first| {
            value.parse::<Date>().is_ok_and(|date| value.len() == 10 && (first..self.as_of).contains(&date))
        });
        if fits && dated { (RecordingState::Known, Some(value.into())) } else { (RecordingState::Invalid, None) }
    }
}

/// The first day on which a value counts that was last recorded then; none where it never expires.
pub(super) fn expired_before(item: &Item, as_of: Date) -> Option<i32> {
    item.expires.and_then(|window| window.first_day(as_of)).map(calendar::epoch_days)
}
