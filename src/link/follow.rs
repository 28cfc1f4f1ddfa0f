//! People of an earlier date, followed up to a later one: the same people, whatever became of them since.

use hashbrown::HashMap;

use super::known::Known;
use super::spine::{self, Rows};
use super::standing::Standing;
use super::{Entry, Presence, Records, superseded};
use crate::calendar;
use crate::conform::Conformed;
use crate::error::{Error, Result};
use crate::pipeline::decl::Role;
use crate::pseudonym::Pseudonym;
use crate::receipt::PeopleAccount;

/// What became of a person since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// Day of death before the end, in days since 1970-01-01.
    pub died: Option<i32>,
    /// No register has them any more.
    pub left: bool,
    /// They object now, also if they only came to do so after the end.
    pub opted_out: bool,
    /// Their token and another person's turned out to be one person's.
    pub merged: bool,
}

/// Records in which the people are given, and nobody is off the spine for having died, left or objected since.
#[derive(Debug)]
pub struct Followed<'a> {
    pub records: Records<'a>,
    /// By person, in the order given.
    pub since: Vec<Since>,
    /// By person: the token in use at the end.
    pub tokens: Vec<Pseudonym>,
}

/// Follows `people` (sorted tokens of an earlier date) up to the pipeline's as-of date.
pub fn follow<'a>(conformed: &'a Conformed<'a>, people: &[Pseudonym]) -> Result<Followed<'a>> {
    let pipeline = conformed.pipeline;
    let end = calendar::epoch_days(pipeline.as_of);
    let superseded = superseded::read(conformed)?;
    let deaths = spine::said(conformed, &superseded, end, "death_date", i32::min)?;
    let moved = spine::said(conformed, &superseded, end, "left_date", i32::max)?;
    let named = spine::Named::read(conformed, &superseded, i32::MAX, end)?;
    let registers = pipeline.with_role(Role::Register).map(|(index, _)| index).collect::<Vec<_>>();
    let registers: Vec<Rows> =
        registers.into_iter().map(|index| Rows::read(conformed, &superseded, index, end)).collect::<Result<_>>()?;
    let mut known: HashMap<String, Entry> = HashMap::with_capacity(people.len());
    let mut since = vec![Since::default(); people.len()];
    let mut tokens = Vec::with_capacity(people.len());
    for (person, token) in people.iter().enumerate() {
        let token = token.reveal();
        let token = superseded.fold(&token);
        let number = u32::try_from(person).map_err(|_| spine::too_many())?;
        let standing = registers.iter().map(|register| register.standing(&moved, token, end)).min();
        let died = deaths.get(token).copied().filter(|day| *day < end);
        let left = standing == Some(Standing::Left);
        since[person] = Since { died, left, opted_out: named.objects(token), merged: false };
        tokens.push(Pseudonym::new(token));
        let presence = Presence::OnSpine;
        let entry = Entry { index: number, person: Some(number), presence, birth: None, death: died, kept: false };
        if let Some(other) = known.insert(token.to_owned(), entry) {
            let other = other.person.ok_or_else(|| Error::Fault("a followed person has no number".to_owned()))?;
            since[person].merged = true;
            since[other as usize].merged = true;
        }
    }
    let account = PeopleAccount { in_registers: people.len() as u64, ..PeopleAccount::default() };
    let known = Known::of(known.iter().map(|(token, entry)| (token.as_str(), *entry)).collect(), &superseded)?;
    let records = Records { conformed, tokens: people.to_vec(), registers: Vec::new(), account, superseded, known };
    Ok(Followed { records, since, tokens })
}
