//! The columns of a cohort's lists, in the order in which a caller reads them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, ListBuilder, StringArray};
use arrow::array::{RecordBatchOptions, StringBuilder, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use jiff::civil::Date;

use super::about::{Freshness, Heading, Kind};
use super::risk::{self, Stated};
use crate::audit::groups;
use crate::calendar::epoch_days;
use crate::cohort::{CohortList, ListRow, Past, UNALLOCATED, words};
use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::expr;
use crate::link::{People, RecordingState};
use crate::pipeline::{Cohort, Pipeline, Verb};
use crate::pseudonym::Revealed;

/// Reasons on a row: the most telling are declared first.
const REASONS: usize = 3;

/// Every row of a cohort's lists, by recipient, then rank; of what the cohort rests on, how fresh it is.
pub(super) fn of(
    pipeline: &Pipeline,
    people: &People,
    table: &Columns,
    cohort: &Cohort,
    list: &CohortList,
    fresh: &[Freshness],
) -> Result<(Vec<Heading>, RecordBatch)> {
    let rows = &list.rows;
    let mut columns = Listed { pipeline, cohort, table, rows, headings: vec![], fields: vec![], arrays: vec![] };
    let ranks: Int64Array = rows.iter().map(|row| Some(i64::from(row.rank))).collect();
    columns.add(Kind::Rank, "rank", ["Rank", "who to call first"], Arc::new(ranks))?;
    let places = rows.iter().map(|row| row.place.name());
    columns.text(Kind::Status, "status", ["Status", "listed, or in reserve behind the list"], places)?;
    let tokens: Vec<Revealed> = rows.iter().map(|row| token(people, row)).collect::<Result<_>>()?;
    columns.text(Kind::Person, "person", ["Person", "the person's token"], tokens)?;
    columns.team()?;
    columns.standing()?;
    let scores = columns.scores()?;
    let reasons: Vec<Vec<String>> = rows.iter().map(reasons_of).collect();
    let reasons = texts(reasons.iter().map(Vec::as_slice));
    columns.add(Kind::Reasons, "reasons", ["Why", "why the person is on this list"], reasons)?;
    columns.actions()?;
    let first = |name: &&String| cohort.decl.before_calling.contains(*name);
    for name in cohort.show.iter().filter(first) {
        columns.taken(Kind::BeforeCalling, name)?;
    }
    for name in cohort.show.iter().filter(|name| !first(name) && !scores.contains(name)) {
        columns.score(name).transpose().unwrap_or_else(|| columns.taken(Kind::Detail, name))?;
    }
    let gaps: Vec<Vec<String>> = rows.iter().map(|row| gaps_of(pipeline, people, cohort, row)).collect();
    let means = "what is not recorded of the person and could be asked";
    columns.add(Kind::Gaps, "recording_gaps", ["Ask and record", means], texts(gaps.iter().map(Vec::as_slice)))?;
    let fresh: Vec<String> = fresh.iter().filter(|source| source.counts_here).map(Freshness::words).collect();
    let fresh = texts(rows.iter().map(|_| fresh.as_slice()));
    let means = "by source, the latest date of its rows; of those that this list rests on";
    columns.add(Kind::DataUpTo, "data_up_to", ["Data up to", means], fresh)?;
    let means = "the list holds for this date; nothing later was known";
    columns.date(Kind::AsOf, "as_of", ["As of", means], pipeline.as_of)?;
    if let Some(date) = list.valid_until {
        columns.date(Kind::ValidUntil, "valid_until", ["Use until", "the last day on which the list holds"], date)?;
    }
    columns.finish()
}

/// The first few; where none may be told to those who read the list, that.
fn reasons_of(row: &ListRow) -> Vec<String> {
    if row.reasons.is_empty() {
        return vec!["Meets the criteria of this list; your role is not shown which".to_owned()];
    }
    row.reasons.iter().take(REASONS).cloned().collect()
}

fn token<'a>(people: &'a People, row: &ListRow) -> Result<Revealed<'a>> {
    let token = people.tokens.get(row.person as usize);
    token.map(|token| token.reveal()).ok_or_else(|| Error::Fault("a person on a list has no token".to_owned()))
}

/// "Ethnicity: not known", "Preferred language: not recorded".
fn gaps_of(pipeline: &Pipeline, people: &People, cohort: &Cohort, row: &ListRow) -> Vec<String> {
    let mut gaps = Vec::new();
    let items = pipeline.items.iter().zip(&people.items);
    for (item, evidence) in items.filter(|(item, _)| pipeline.shows(&cohort.decl, &item.name)) {
        match evidence.state.get(row.person as usize) {
            None | Some(RecordingState::Known) => {}
            Some(state) => gaps.push(format!("{}: {}", item.decl.label, words::state(*state))),
        }
    }
    gaps
}

fn texts<'a>(rows: impl Iterator<Item = &'a [String]>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        row.iter().for_each(|text| lists.values().append_value(text));
        lists.append(true);
    }
    Arc::new(lists.finish())
}

struct Listed<'a> {
    pipeline: &'a Pipeline,
    cohort: &'a Cohort,
    table: &'a Columns,
    rows: &'a [ListRow],
    headings: Vec<Heading>,
    fields: Vec<ArrowField>,
    arrays: Vec<ArrayRef>,
}

impl Listed<'_> {
    fn text<T: AsRef<str>>(
        &mut self,
        kind: Kind,
        name: &str,
        words: [&str; 2],
        cells: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        self.add(kind, name, words, Arc::new(StringArray::from_iter_values(cells)))
    }

    fn date(&mut self, kind: Kind, name: &str, words: [&str; 2], date: Date) -> Result<()> {
        let day = epoch_days(date);
        let days: Date32Array = self.rows.iter().map(|_| Some(day)).collect();
        self.add(kind, name, words, Arc::new(days))
    }

    /// Which page of a worklist: the cohort's team, or the recipient.
    fn team(&mut self) -> Result<()> {
        let teams: Vec<String> = match &self.cohort.decl.team {
            None => self.rows.iter().map(|row| row.recipient.clone()).collect(),
            Some(feature) => {
                let teams = words::column(&self.of_rows(feature)?)?;
                teams.iter().map(|team| team.unwrap_or(UNALLOCATED).to_owned()).collect()
            }
        };
        self.text(Kind::Team, "team", ["Team", "who makes the call"], teams)
    }

    /// New or repeat, how often, since when: in a run that remembers.
    fn standing(&mut self) -> Result<()> {
        if !self.pipeline.outreach.remember {
            return Ok(());
        }
        let past = |row: &ListRow| row.past.clone();
        let new = |past: Past| if past.times_listed == 0 { "new" } else { "repeat" };
        let words: StringArray = self.rows.iter().map(|row| past(row).map(new)).collect();
        let means = "whether an earlier list of this cohort had the person";
        self.add(Kind::Standing, "new_or_repeat", ["New or repeat", means], Arc::new(words))?;
        let times: Int64Array =
            self.rows.iter().map(|row| past(row).map(|past| i64::from(past.times_listed))).collect();
        let means = "how many earlier lists of this cohort had the person";
        self.add(Kind::Standing, "times_listed", ["Times listed before", means], Arc::new(times))?;
        let first: Date32Array = self.rows.iter().map(|row| past(row)?.first_listed.map(epoch_days)).collect();
        let means = "the as-of date of the first of them";
        self.add(Kind::Standing, "first_listed", ["First listed", means], Arc::new(first))?;
        let before: Int64Array = self.rows.iter().map(|row| past(row)?.rank.map(i64::from)).collect();
        let means = "the rank on the list before this one; none where the person was not on it";
        self.add(Kind::Standing, "rank_before", ["Rank before", means], Arc::new(before))
    }

    /// Each model that the cohort ranks by and that may be seen; gives the names of what they may show.
    fn scores(&mut self) -> Result<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for key in &self.cohort.rank {
            if !names.contains(&key.column) && self.score(&key.column)?.is_some() {
                names.extend([key.column.clone(), format!("{}_band", key.column)]);
            }
        }
        Ok(names)
    }

    /// A score with its band, a probability in words; none where this is no score, or not for those who read the list.
    fn score(&mut self, name: &str) -> Result<Option<()>> {
        let Some(model) = self.pipeline.models.iter().find(|model| model.name == name) else { return Ok(None) };
        if !self.pipeline.shows(&self.cohort.decl, name) {
            return Ok(None);
        }
        let means = format!("{}: {}", model.decl.title, model.decl.predicts);
        match &model.decl.probability {
            None => self.taken(Kind::Score, name)?,
            Some(decl) => {
                let scores = self.of_rows(name)?;
                let scores = scores.as_primitive_opt::<Float64Type>().into_iter().flatten();
                let stated: Vec<Option<Stated>> = scores.map(|score| Some(risk::stated(score?, decl))).collect();
                let words = stated.iter().map(|stated| stated.as_ref().map(|stated| stated.words.as_str()));
                let heading = format!("Risk of {}", decl.of);
                let words: StringArray = words.collect();
                self.add(Kind::Risk, &format!("{name}_risk"), [&heading, &means], Arc::new(words))?;
                let fractions: Float64Array = stated.iter().map(|stated| stated.as_ref()?.fraction).collect();
                let means = format!("{means}; the fraction that the words say, none where they say a bound");
                self.add(Kind::Probability, name, [&heading, &means], Arc::new(fractions))?;
            }
        }
        let band = format!("{name}_band");
        if self.table.has(&band) {
            self.taken(Kind::Band, &band)?;
        }
        Ok(Some(()))
    }

    /// What to do: of the cohort's actions the first that holds for a person, else the one for everybody.
    fn actions(&mut self) -> Result<()> {
        let decl = &self.cohort.decl;
        if decl.action.is_none() && decl.actions.is_empty() {
            return Ok(());
        }
        let fault =
            |_| Error::Fault(format!("cohort {}: an action that was checked does not compile", self.cohort.name));
        let mut masks = Vec::new();
        for action in &decl.actions {
            let when = expr::compile(&action.when, &self.table.schema()).map_err(fault)?;
            masks.push((self.table.mask(&when)?, &action.what));
        }
        let of = |row: &ListRow| {
            let first = masks.iter().find(|(mask, _)| mask.value(row.person as usize)).map(|(_, what)| *what);
            first.or(decl.action.as_ref()).cloned()
        };
        let actions: StringArray = self.rows.iter().map(of).collect();
        let words = ["Suggested action", "what to do at the contact"];
        self.add(Kind::Action, "suggested_action", words, Arc::new(actions))
    }

    /// A feature, score or band of the people on the list, as it was made.
    fn of_rows(&self, name: &str) -> Result<ArrayRef> {
        let persons: UInt32Array = self.rows.iter().map(|row| Some(row.person)).collect();
        let not_made = || Error::Fault(format!("cohort {}: shows `{name}`, which was not made", self.cohort.name));
        self.table.take_of(name, &persons)?.ok_or_else(not_made)
    }

    fn taken(&mut self, kind: Kind, name: &str) -> Result<()> {
        let column = shown(self.pipeline, name, self.of_rows(name)?)?;
        let [heading, means] = words_for(self.pipeline, name);
        self.add(kind, name, [&heading, &means], column)
    }

    fn add(&mut self, kind: Kind, name: &str, [heading, means]: [&str; 2], array: ArrayRef) -> Result<()> {
        if self.headings.iter().any(|heading| heading.column == name) {
            return Err(Error::Check(format!(
                "a list shows `{name}` twice, or as a name that is a column of every list"
            )));
        }
        let (heading, means) = (heading.to_owned(), means.to_owned());
        self.headings.push(Heading { column: name.to_owned(), heading, means, kind });
        self.fields.push(ArrowField::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        Ok(())
    }

    fn finish(self) -> Result<(Vec<Heading>, RecordBatch)> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let schema = Arc::new(Schema::new(self.fields));
        Ok((self.headings, RecordBatch::try_new_with_options(schema, self.arrays, &options)?))
    }
}

/// Of the few types that [`super::cell`] knows; an item's codes as the words of its value set.
fn shown(pipeline: &Pipeline, name: &str, column: ArrayRef) -> Result<ArrayRef> {
    let feature = pipeline.features.iter().find(|feature| feature.name == name);
    if let (Some(Verb::Item { item }), Some(codes)) = (feature.map(|feature| &feature.verb), column.as_string_opt()) {
        let codes: &StringArray = codes;
        let labels = groups::labels(pipeline, *item);
        let words = codes.iter().map(|code| code.map(|code| labels.get(code).copied().unwrap_or(code)));
        return Ok(Arc::new(words.collect::<StringArray>()));
    }
    Ok(match column.data_type() {
        DataType::Utf8 | DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) => column,
        DataType::Boolean | DataType::Date32 => column,
        integer if integer.is_integer() => cast(&column, &DataType::Int64)?,
        _ => Arc::new(words::column(&column)?),
    })
}

/// What stands above a column, and what it means.
fn words_for(pipeline: &Pipeline, name: &str) -> [String; 2] {
    if let Some(feature) = pipeline.features.iter().find(|feature| feature.name == name) {
        let heading = feature.heading.clone().unwrap_or_else(|| match &feature.unit {
            Some(unit) if !feature.label.to_lowercase().contains(&unit.to_lowercase()) => {
                format!("{} ({unit})", feature.label)
            }
            _ => feature.label.clone(),
        });
        return [heading, feature.label.clone()];
    }
    let model = |name: &str| pipeline.models.iter().find(|model| model.name == name);
    if let Some(model) = model(name) {
        return [model.decl.title.clone(), format!("{}: {}", model.decl.title, model.decl.predicts)];
    }
    match name.strip_suffix("_band").and_then(model) {
        Some(model) => [format!("{}: band", model.decl.title), format!("{}: band", model.decl.title)],
        None => [name.to_owned(), String::new()],
    }
}
