//! Windows, ages and civil London dates.
//!
//! A window is `[as_of − within, as_of)` in calendar terms: months and years step back on the calendar, and a day that
//! the earlier month lacks becomes its last one. A birthday on 29 February falls on 1 March in other years.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How far back from the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    Days(i32),
    Months(i32),
    Years(i32),
    Ever,
}

impl Window {
    /// Reads "90 days", "12 months", "3 years", "1 day" or "ever".
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "ever" {
            return Ok(Self::Ever);
        }
        let wrong = || format!("`{text}` is no window: write \"90 days\", \"12 months\", \"3 years\" or \"ever\"");
        let (number, unit) = text.split_once(' ').ok_or_else(wrong)?;
        let number: i32 = number.parse().map_err(|_| wrong())?;
        if !(1..=40_000).contains(&number) {
            return Err(wrong());
        }
        match unit {
            "day" | "days" => Ok(Self::Days(number)),
            "month" | "months" => Ok(Self::Months(number)),
            "year" | "years" if number <= 150 => Ok(Self::Years(number)),
            _ => Err(wrong()),
        }
    }

    /// The first day inside; none for "ever".
    pub fn first_day(self, as_of: Date) -> Option<Date> {
        let back = match self {
            Self::Days(days) => Span::new().days(days),
            Self::Months(months) => Span::new().months(months),
            Self::Years(years) => Span::new().years(years),
            Self::Ever => return None,
        };
        Some(as_of.saturating_sub(back))
    }

    /// The first day after a window that begins on this one; none for "ever", and beyond the calendar.
    pub fn end(self, from: Date) -> Option<Date> {
        let length = match self {
            Self::Days(days) => Span::new().days(days),
            Self::Months(months) => Span::new().months(months),
            Self::Years(years) => Span::new().years(years),
            Self::Ever => return None,
        };
        from.checked_add(length).ok()
    }

    /// What a feature's name ends in: `90d`, `12m`, `3y`, `ever`.
    pub fn suffix(self) -> String {
        match self {
            Self::Days(days) => format!("{days}d"),
            Self::Months(months) => format!("{months}m"),
            Self::Years(years) => format!("{years}y"),
            Self::Ever => "ever".to_owned(),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self {
            Self::Days(days) => (days, "day"),
            Self::Months(months) => (months, "month"),
            Self::Years(years) => (years, "year"),
            Self::Ever => return f.write_str("ever"),
        };
        write!(f, "{number} {unit}{}", if *number == 1 { "" } else { "s" })
    }
}

/// Days since 1970-01-01, as Arrow's `Date32` counts them.
pub fn epoch_days(date: Date) -> i32 {
    let seconds =
        date.to_datetime(jiff::civil::Time::midnight()).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    i32::try_from(seconds.as_secs() / 86_400).unwrap_or(if date.year() < 1970 { i32::MIN } else { i32::MAX })
}

/// The date that many days after 1970-01-01; none when out of range.
pub fn date_of(epoch_days: i32) -> Option<Date> {
    Date::constant(1970, 1, 1).checked_add(Span::new().try_days(epoch_days).ok()?).ok()
}

/// Full years lived on `on`; none before birth.
pub fn age_years(birth: Date, on: Date) -> Option<i64> {
    if on < birth {
        return None;
    }
    let before_birthday = (on.month(), on.day()) < (birth.month(), birth.day());
    Some(i64::from(on.year()) - i64::from(birth.year()) - i64::from(before_birthday))
}

/// Civil London time of an instant.
pub fn london(instant: Timestamp) -> Result<DateTime, jiff::Error> {
    Ok(instant.to_zoned(TimeZone::get("Europe/London")?).datetime())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_window_steps_back_on_the_calendar() {
        let cases = [
            ("12 months", date(2024, 2, 29), date(2023, 2, 28)),
            ("1 month", date(2026, 3, 31), date(2026, 2, 28)),
            ("3 years", date(2026, 4, 1), date(2023, 4, 1)),
            ("365 days", date(2024, 12, 31), date(2024, 1, 1)),
            ("1 day", date(2026, 1, 1), date(2025, 12, 31)),
        ];
        for (window, as_of, first) in cases {
            assert_eq!(Window::parse(window).map(|w| w.first_day(as_of)), Ok(Some(first)), "{window}");
        }
        assert_eq!(Window::parse("ever").map(|w| w.first_day(date(2026, 1, 1))), Ok(None));
        for wrong in ["", "12", "12months", "0 days", "-1 days", "12 Months", "2 weeks", "999 years"] {
            assert!(Window::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_that_no_calendar_reaches_is_no_date() {
        assert_eq!(date_of(-719_528), Some(date(0, 1, 1)));
        assert_eq!([3_000_000, 8_000_000, i32::MAX, i32::MIN].map(date_of), [None; 4]);
    }

    #[test]
    fn a_leap_day_birthday_falls_on_1_march() {
        let born = date(2004, 2, 29);
        assert_eq!(age_years(born, date(2022, 2, 28)), Some(17));
        assert_eq!(age_years(born, date(2022, 3, 1)), Some(18));
        assert_eq!(age_years(born, date(2024, 2, 28)), Some(19));
        assert_eq!(age_years(born, date(2024, 2, 29)), Some(20));
        assert_eq!(age_years(born, date(2004, 2, 28)), None);
        assert_eq!(age_years(born, born), Some(0));
    }

    #[test]
    fn days_count_from_1970() {
        for (days, day) in [(0, date(1970, 1, 1)), (-1, date(1969, 12, 31)), (20_544, date(2026, 4, 1))] {
            assert_eq!(epoch_days(day), days);
            assert_eq!(date_of(days), Some(day));
        }
    }

    #[test]
    fn instants_become_london_time() -> Result<(), jiff::Error> {
        let cases = [
            ("2026-06-30T23:30:00Z", "2026-07-01T00:30:00"),
            ("2026-03-29T00:59:59Z", "2026-03-29T00:59:59"),
            ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00"),
            ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00"),
            ("2026-10-25T01:30:00Z", "2026-10-25T01:30:00"),
            ("2026-12-31T23:59:59Z", "2026-12-31T23:59:59"),
        ];
        for (instant, local) in cases {
            assert_eq!(london(instant.parse()?)?, local.parse()?, "{instant}");
        }
        Ok(())
    }
}
