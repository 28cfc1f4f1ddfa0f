//! When something may have happened: from the first to the last instant, in seconds since 1970, UTC.
//!
//! A row with a time is of that instant. A row with a day alone is of any instant of that London day, which is 23 or 25 hours
//! long when the clocks change; and 01:30 on the day on which they go back is of two instants. What may lie within so many
//! hours does.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::calendar;
use crate::features::keep::KeptRow;

/// The first and the last instant at which it may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub from: i64,
    pub to: i64,
}

/// London's clock.
pub struct Clock(TimeZone);

impl Clock {
    pub fn london() -> Self {
        Self(TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC))
    }

    /// Of a row; none of a day beyond the calendar.
    pub fn of(&self, row: &KeptRow) -> Option<Moment> {
        let date = calendar::date_of(row.day)?;
        match row.second {
            Some(second) => self.at(date, second),
            None => Some(Moment { from: self.start(date)?, to: self.start(date.tomorrow().ok()?)? - 1 }),
        }
    }

    fn at(&self, date: Date, second: i32) -> Option<Moment> {
        let time = Time::midnight().checked_add(jiff::Span::new().seconds(second)).ok()?;
        let civil = date.to_datetime(time);
        let instant = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok().map(|instant| instant.as_second());
        match self.0.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => instant(offset).map(|at| Moment { from: at, to: at }),
            // An hour that there was not, or that there was twice: either clock may have been meant.
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                let (a, b) = (instant(before)?, instant(after)?);
                Some(Moment { from: a.min(b), to: a.max(b) })
            }
        }
    }

    fn start(&self, date: Date) -> Option<i64> {
        let midnight: DateTime = date.to_datetime(Time::midnight());
        let instant = self.0.to_ambiguous_timestamp(midnight).compatible().ok()?;
        Some(instant.as_second())
    }
}

impl Moment {
    /// Whether this may lie from `first` to so many hours after it, both ends included.
    pub fn may_follow(self, first: Self, hours: i64) -> bool {
        self.to >= first.from && self.from <= first.to.saturating_add(hours.saturating_mul(3600))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    fn row(day: Date, time: Option<(i32, i32)>) -> KeptRow {
        let second = time.map(|(hour, minute)| hour * 3600 + minute * 60);
        KeptRow { person: 0, day: calendar::epoch_days(day), second, end: None, labels: [0, 0] }
    }

    fn hours(from: (Date, i32, i32), to: (Date, i32, i32)) -> i64 {
        let clock = Clock::london();
        let of = |(day, hour, minute)| clock.of(&row(day, Some((hour, minute)))).unwrap();
        (of(to).from - of(from).from) / 3600
    }

    #[test]
    fn hours_are_those_that_passed() {
        assert_eq!(hours((date(2026, 1, 31), 23, 30), (date(2026, 2, 1), 0, 30)), 1);
        // The clocks go forward on 29 March 2026, and back on 25 October.
        assert_eq!(hours((date(2026, 3, 28), 12, 0), (date(2026, 3, 30), 12, 0)), 47);
        assert_eq!(hours((date(2026, 10, 24), 12, 0), (date(2026, 10, 26), 12, 0)), 49);
        assert_eq!(hours((date(2024, 2, 28), 12, 0), (date(2024, 3, 1), 12, 0)), 48);
    }

    #[test]
    fn what_is_not_known_is_as_long_as_it_may_be() {
        let clock = Clock::london();
        let length = |day, time| {
            let moment = clock.of(&row(day, time)).unwrap();
            moment.to - moment.from
        };
        assert_eq!(length(date(2026, 3, 29), None), 23 * 3600 - 1);
        assert_eq!(length(date(2026, 10, 25), None), 25 * 3600 - 1);
        assert_eq!(length(date(2026, 10, 25), Some((1, 30))), 3600);
        assert_eq!(length(date(2026, 10, 25), Some((2, 30))), 0);
        let call = clock.of(&row(date(2026, 10, 25), Some((1, 30)))).unwrap();
        let bed = clock.of(&row(date(2026, 10, 27), Some((1, 30)))).unwrap();
        assert!(bed.may_follow(call, 48), "48 hours after the second 01:30");
        let later = clock.of(&row(date(2026, 10, 27), Some((1, 31)))).unwrap();
        assert!(!later.may_follow(call, 48));
    }
}
