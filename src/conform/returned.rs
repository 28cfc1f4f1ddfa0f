//! Tokens that a recipient sent back become the people's own.
//!
//! A token with wrong check characters is mistyped, and its row set aside. One that was never released to the recipient
//! stays as it is: no register knows it, and its row is counted as not linked.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};

use super::Columns;
use super::columns::Judge;
use crate::pipeline::Source;
use crate::release::Crosswalk;
use crate::token;

/// What is said of a token that cannot be one.
pub const MISTYPED: &str = "mistyped token: its check characters do not fit";

/// Replaces the column `person`, in rows that name a recipient.
pub(super) fn to_people(source: &Source, released: &Crosswalk, made: &mut Columns, judge: &mut Judge) {
    let (Some(person), Some(recipient)) = (source.column("person"), source.column("recipient")) else { return };
    let (tokens, recipients) = (made[person].as_string::<i32>(), made[recipient].as_string::<i32>());
    let mut people: Vec<Option<String>> = Vec::with_capacity(tokens.len());
    for row in 0..tokens.len() {
        let token = tokens.is_valid(row).then(|| tokens.value(row));
        people.push(match token.filter(|_| recipients.is_valid(row)) {
            None => token.map(str::to_owned),
            Some(token) => {
                let token = token.to_ascii_uppercase();
                if !token::is_well_formed(&token) {
                    judge.set_aside(row, "person", MISTYPED);
                }
                let person = released.person(recipients.value(row), &token).map(|person| person.to_owned());
                Some(person.unwrap_or(token))
            }
        });
    }
    made[person] = Arc::new(StringArray::from(people));
}
