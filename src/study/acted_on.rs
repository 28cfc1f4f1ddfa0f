//! Whom lists were acted on for, and who was left alone by lot.
//!
//! From the day of a place on, what would have become of a person otherwise is not known. Those for whom a place was drawn
//! and who lost stand for those who won: a draw that gives a place with probability p leaves 1 − p alone, so each of them
//! counts 1 / (1 − p) times (inverse probability of being left alone). They stand also for those who won and were taken off
//! when the list was released. Nobody stands for those who had a place by rank.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::history;
use crate::link::Superseded;
use crate::pipeline::study::ActedOn;
use crate::pseudonym::Pseudonym;
use crate::publish::{self, RunId};
use crate::receipt::Receipt;
use crate::release;
use crate::storage::Storage;

/// Places, and draws that were lost, by the person's token.
#[derive(Debug, Default)]
pub(super) struct Acts {
    by_token: HashMap<Pseudonym, Person>,
}

#[derive(Debug, Clone, Default)]
struct Person {
    /// The day, and whether the place was won in a draw.
    places: Vec<(Date, bool)>,
    /// The day, and the probability of a place.
    lost: Vec<(Date, f64)>,
}

/// What lists did to one follow-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// Left alone, and standing for so many people.
    LeftAlone(f64),
    Place {
        /// Not by lot: nobody like them was left alone.
        by_rank: bool,
    },
}

impl Acts {
    /// Everything before a date.
    ///
    /// # Errors
    /// When the folder holds no run, or a run does not say who was listed: people whose care was changed would pass for
    /// people who were left alone.
    pub fn read(storage: &dyn Storage, plan: &ActedOn, before: Date) -> Result<Self> {
        let out = &plan.out;
        let runs = publish::earlier(storage, out, before)?;
        if runs.is_empty() {
            return Err(Error::NotReady(format!("there is no run before {before} in {}", out.display())));
        }
        let mut unknown = Vec::new();
        let listings = history::listings(storage, out, before, &runs, &mut unknown)?;
        if !unknown.is_empty() {
            return Err(Error::Check(unknown.join("; ")));
        }
        let mut acts = Self::default();
        let won = acts.draws(storage, out, before, runs)?;
        for (token, places) in listings.by_token {
            let place = |place: history::PastListing| {
                let key = (place.date, place.cohort, place.recipient, token.clone());
                (place.date, won.contains(&key))
            };
            acts.by_token.entry(token.clone()).or_default().places.extend(places.into_iter().map(place));
        }
        Ok(acts)
    }

    /// Puts down who lost a draw of a list that was acted on; gives who won one.
    fn draws(&mut self, storage: &dyn Storage, out: &Path, before: Date, runs: Vec<(RunId, Receipt)>) -> Result<Won> {
        let sent = release::sent_lists(storage, out, before)?;
        let receipts: Vec<Receipt> = match &sent {
            None => runs.into_iter().map(|(_, receipt)| receipt).collect(),
            Some(sent) => {
                let ids: BTreeSet<&str> = sent.keys().map(|(run, _, _)| run.as_str()).collect();
                let ids = ids.into_iter().filter_map(RunId::parse);
                ids.map(|id| publish::whole_run(storage, out, &id)).collect::<Result<_>>()?
            }
        };
        let mut won = Won::new();
        for receipt in &receipts {
            for cohort in receipt.cohorts.iter().map(|account| &account.cohort) {
                let path = format!("person/draws/{cohort}.parquet");
                let Some(table) = publish::table(storage, out, receipt, &path)? else { continue };
                for drawn in drawn(&table)? {
                    let key = (receipt.run_id.clone(), cohort.clone(), drawn.recipient.clone());
                    let day = sent.as_ref().map_or(Some(receipt.as_of), |sent| sent.get(&key).copied());
                    match day {
                        Some(day) if drawn.listed => {
                            self.by_token.entry(drawn.token.clone()).or_default().places.push((day, true));
                            won.insert((day, cohort.clone(), drawn.recipient, drawn.token));
                        }
                        Some(day) => {
                            self.by_token.entry(drawn.token).or_default().lost.push((day, drawn.probability));
                        }
                        None => {}
                    }
                }
            }
        }
        Ok(won)
    }

    /// The same by the tokens of another day.
    pub fn in_tokens(&self, superseded: &Superseded) -> Self {
        let mut by_token: HashMap<Pseudonym, Person> = HashMap::new();
        for (token, person) in &self.by_token {
            let now = by_token.entry(Pseudonym::new(superseded.fold(&token.reveal()))).or_default();
            now.places.extend(&person.places);
            now.lost.extend(&person.lost);
        }
        Self { by_token }
    }

    /// The days after an as-of date and before the end of its follow-up on which anybody had a place or lost a draw.
    pub fn days_within(&self, as_of: Date, until: Date) -> Vec<Date> {
        let people = self.by_token.values();
        let days = people.flat_map(|person| {
            let lost = person.lost.iter().map(|(day, _)| *day);
            person.places.iter().map(|(day, _)| *day).chain(lost)
        });
        let days: BTreeSet<Date> = days.filter(|day| *day > as_of && *day < until).collect();
        days.into_iter().collect()
    }

    /// What lists from the first day on and before the end did to a person; `known` says whether the outcome was settled
    /// before a day, so that what was done from then on changed nothing of it.
    pub fn effect(&self, token: &Pseudonym, [first, end]: [Date; 2], known: &dyn Fn(Date) -> bool) -> Effect {
        let Some(person) = self.by_token.get(token) else { return Effect::LeftAlone(1.0) };
        let counts = |day: &Date| *day >= first && *day < end && !known(*day);
        match person.places.iter().filter(|(day, _)| counts(day)).min() {
            Some((_, won)) => Effect::Place { by_rank: !won },
            None => {
                let mut lost: Vec<f64> =
                    person.lost.iter().filter(|(day, _)| counts(day)).map(|(_, p)| 1.0 / (1.0 - p)).collect();
                lost.sort_by(f64::total_cmp);
                Effect::LeftAlone(lost.into_iter().product())
            }
        }
    }
}

/// Day, cohort, recipient, token.
type Won = BTreeSet<(Date, String, String, Pseudonym)>;

/// A row of a table of draws.
struct Drawn {
    token: Pseudonym,
    recipient: String,
    probability: f64,
    listed: bool,
}

fn drawn(table: &RecordBatch) -> Result<Vec<Drawn>> {
    let text = |name: &str| table.column_by_name(name)?.as_string_opt::<i32>();
    let probabilities = table.column_by_name("probability").and_then(|column| column.as_primitive_opt::<Float64Type>());
    let listed = table.column_by_name("drawn").and_then(|column| column.as_boolean_opt());
    let (Some(tokens), Some(recipients), Some(probabilities), Some(listed)) =
        (text("person"), text("recipient"), probabilities, listed)
    else {
        return Err(Error::Check("what a run says of its draws cannot be read".to_owned()));
    };
    let row = |row: usize| Drawn {
        token: Pseudonym::new(tokens.value(row)),
        recipient: recipients.value(row).to_owned(),
        probability: probabilities.value(row),
        listed: listed.value(row),
    };
    Ok((0..table.num_rows()).map(row).collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_place_ends_what_is_known_and_a_lost_draw_is_made_up_for() {
        let day = |day| date(2025, 1, day);
        let token = Pseudonym::new("p");
        let person =
            Person { places: vec![(day(20), true), (day(20), false)], lost: vec![(day(5), 0.5), (day(9), 0.2)] };
        let acts = Acts { by_token: HashMap::from_iter([(token.clone(), person)]) };
        let effect = |first, end, known: &dyn Fn(Date) -> bool| acts.effect(&token, [day(first), day(end)], known);
        let never = |_: Date| false;
        assert_eq!(effect(1, 31, &never), Effect::Place { by_rank: true });
        assert_eq!(effect(1, 20, &never), Effect::LeftAlone(2.5));
        assert_eq!(effect(6, 20, &never), Effect::LeftAlone(1.25));
        assert_eq!(effect(21, 31, &never), Effect::LeftAlone(1.0));
        // An event on the 7th: the later draw and the place came too late to change it.
        assert_eq!(effect(1, 31, &|from| from > day(7)), Effect::LeftAlone(2.0));
        assert_eq!(acts.effect(&Pseudonym::new("q"), [day(1), day(31)], &never), Effect::LeftAlone(1.0));
        assert_eq!(acts.days_within(day(5), day(20)), [day(9)]);
    }
}
