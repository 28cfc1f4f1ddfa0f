//! What becomes of each row once its person is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::conform::{self, Conformed, Row, day, is_future, person};
use super::items::Evidence;
use super::link::{Person, Registered, Standing};
use crate::pipeline::Source;
use crate::pipeline::decl::Role;
use crate::receipt::SourceAccount;

/// Gives each row its fate, and the used ones to their person.
pub fn place_rows(
    as_of: Date,
    folded: &BTreeMap<String, String>,
    (index, source): (usize, &Source),
    table: &Conformed,
    registers: &BTreeMap<String, Registered>,
    people: &mut BTreeMap<String, Person>,
) -> SourceAccount {
    let mut account = SourceAccount {
        source: source.name.clone(),
        rows: table.delivered,
        set_aside: table.set_aside.values().sum(),
        not_yet_known: table.not_yet_known,
        duplicates: table.duplicates,
        blanked: conform::reasons(&table.blanked),
        set_aside_reasons: conform::reasons(&table.set_aside),
        ..SourceAccount::default()
    };
    let role = source.decl.role;
    // A superseded token is counted as the one that it became.
    let tokens: BTreeSet<&str> =
        table.rows.iter().filter_map(|row| person(source, row)).map(|token| conform::fold(folded, token)).collect();
    account.tokens = tokens.len() as u64;
    account.tokens_linked = tokens.iter().filter(|token| registers.contains_key(**token)).count() as u64;
    if matches!(role, Role::Lookup | Role::Superseded) {
        account.used = table.rows.len() as u64;
        return account;
    }
    let mut latest = None;
    for row in &table.rows {
        let token = person(source, row).unwrap_or("");
        let date = day(source, row, "date");
        let fate = registers.get(token).map(|known| fate(role, date, known, is_future(source, row, as_of)));
        match fate {
            None => account.not_linked += 1,
            Some(Fate::Future) => account.future += 1,
            Some(Fate::BeforeBirth) => account.before_birth += 1,
            Some(Fate::AfterDeath) => account.after_death += 1,
            Some(Fate::OffSpine) => account.off_spine += 1,
            Some(Fate::Used) => {
                account.used += 1;
                latest = latest.max(date.or_else(|| day(source, row, "recorded")).filter(|date| *date < as_of));
                if let Some(person) = people.get_mut(token) {
                    use_row(source, index, row, date, person);
                }
            }
        }
    }
    if role.names_people() {
        // A list is as fresh as its newest row, whoever that is about.
        latest = table.dated_up_to;
    }
    account.data_up_to = latest.map(|date: Date| date.to_string());
    account
}

enum Fate {
    Future,
    BeforeBirth,
    AfterDeath,
    OffSpine,
    Used,
}

/// What becomes of a row about someone whom a register knows. Only what happened can precede a birth or follow a death;
/// an opt-out is used to keep its person off the spine.
fn fate(role: Role, date: Option<Date>, known: &Registered, is_future: bool) -> Fate {
    let happened = matches!(role, Role::Events | Role::Feedback);
    if is_future {
        Fate::Future
    } else if role.names_people() {
        Fate::Used
    } else if happened && date.zip(known.born).is_some_and(|(date, born)| date < born) {
        Fate::BeforeBirth
    } else if happened && date.zip(known.died).is_some_and(|(date, died)| date > died) {
        Fate::AfterDeath
    } else if known.standing != Standing::OnSpine {
        Fate::OffSpine
    } else {
        Fate::Used
    }
}

fn use_row(source: &Source, index: usize, row: &Row, date: Option<Date>, person: &mut Person) {
    for (demographic, said) in source.demographics.iter().zip(&row.says) {
        let evidence = Evidence { source: index, date, state: said.state, value: said.value.clone() };
        person.evidence.entry(demographic.item).or_default().push(evidence);
    }
    if source.decl.role != Role::Register {
        person.events.entry(index).or_default().push(row.clone());
    }
}
