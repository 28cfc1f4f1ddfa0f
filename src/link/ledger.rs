//! Where the rows of a source went, as one worker counts it.

use hashbrown::HashSet;

use super::Outcome;
use crate::calendar;
use crate::error::Result;
use crate::nhs_number;
use crate::receipt::SourceAccount;

/// A worker's count of one source.
#[derive(Debug, Default)]
pub struct Ledger {
    pub account: SourceAccount,
    /// By dense number of a register's token: a bit, whether the source holds it.
    pub(super) linked: Vec<u64>,
    pub(super) other_tokens: HashSet<String>,
    pub(super) latest_day: Option<i32>,
}

impl Ledger {
    pub fn merge(&mut self, other: Self) {
        let (mine, theirs) = (&mut self.account, other.account);
        mine.used += theirs.used;
        mine.set_aside += theirs.set_aside;
        mine.not_yet_known += theirs.not_yet_known;
        mine.duplicates += theirs.duplicates;
        mine.not_linked += theirs.not_linked;
        mine.off_spine += theirs.off_spine;
        mine.future += theirs.future;
        mine.before_birth += theirs.before_birth;
        mine.after_death += theirs.after_death;
        if self.linked.len() < other.linked.len() {
            self.linked.resize(other.linked.len(), 0);
        }
        self.linked.iter_mut().zip(other.linked).for_each(|(mine, theirs)| *mine |= theirs);
        self.other_tokens.extend(other.other_tokens);
        self.latest_day = self.latest_day.max(other.latest_day);
    }

    /// The account with what only the whole source tells; an error where the tokens that no register knows are NHS
    /// numbers.
    pub fn close(mut self, source: &str) -> Result<SourceAccount> {
        nhs_number::refuse(source, "person", &self.other_tokens)?;
        self.account.tokens_linked = self.linked.iter().map(|tokens| u64::from(tokens.count_ones())).sum();
        self.account.tokens = self.account.tokens_linked + self.other_tokens.len() as u64;
        self.account.data_up_to = self.latest_day.and_then(calendar::date_of).map(|date| date.to_string());
        Ok(self.account)
    }

    /// Notes that the source holds a register's token: most rows are of one that it holds already.
    pub(super) fn hold(&mut self, token: u32) {
        let (word, bit) = (&mut self.linked[token as usize / 64], 1 << (token % 64));
        if *word & bit == 0 {
            *word |= bit;
        }
    }

    pub(super) fn note(&mut self, outcome: Outcome) {
        let account = &mut self.account;
        *match outcome {
            Outcome::SetAside => &mut account.set_aside,
            Outcome::NotYetKnown => &mut account.not_yet_known,
            Outcome::Duplicate => &mut account.duplicates,
            Outcome::NotLinked => &mut account.not_linked,
            Outcome::Future => &mut account.future,
            Outcome::BeforeBirth => &mut account.before_birth,
            Outcome::AfterDeath => &mut account.after_death,
            Outcome::OffSpine => &mut account.off_spine,
            Outcome::Used => &mut account.used,
        } += 1;
    }
}
