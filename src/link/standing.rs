//! Where everyone whom a register knows stands at the as-of date.

use hashbrown::HashMap;

use super::Presence;
use super::spine::{Named, Rows};

/// A person's registration in one register; the order is from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Registered,
    Left,
    NotYet,
}

/// What is said of people before any event is read.
pub(super) struct Judge<'a> {
    pub registers: &'a [Rows<'a>],
    pub deaths: &'a HashMap<String, i32>,
    pub left: &'a HashMap<String, i32>,
    pub named: &'a Named,
    pub as_of: i32,
}

/// What that comes to for one token.
pub(super) struct Judged {
    pub presence: Presence,
    pub birth: Option<i32>,
    /// Before the as-of date.
    pub death: Option<i32>,
}

impl Judge<'_> {
    pub fn of(&self, token: &str) -> Judged {
        let (mut registration, mut is_test, mut birth) = (None, self.named.tests.contains(token), None);
        for register in self.registers {
            let best = register.best(token);
            let standing = register.standing_of(best, self.left, token, self.as_of);
            registration = registration.into_iter().chain([standing]).min();
            is_test |= register.is_test(best);
            birth = birth.or_else(|| register.birth.get(best?));
        }
        let death = self.deaths.get(token).copied().filter(|day| *day < self.as_of);
        let presence = match registration {
            _ if is_test => Presence::TestPerson,
            _ if self.named.objects(token) => Presence::OptedOut,
            _ if death.is_some() => Presence::Died,
            Some(Standing::Registered) => Presence::OnSpine,
            Some(Standing::Left) => Presence::Left,
            _ => Presence::NotYet,
        };
        Judged { presence, birth, death }
    }
}
