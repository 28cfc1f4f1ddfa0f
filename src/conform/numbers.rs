//! Dates and numbers that come as such: a value that is surely good is taken as it is, any other is judged in full.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array, NullBufferBuilder,
    StringArray, TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date64Type, TimeUnit, TimestampMicrosecondType};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::columns::{Judge, Maker};
use super::text::spelled;
use super::values::{self, present};
use crate::calendar;
use crate::error::Result;
use crate::pipeline::decl::ColumnType;

const SECONDS_A_DAY: i64 = 86_400;

/// Below this, no two decimals are the same double: it has fifteen digits to tell them apart.
const EXACT: f64 = 1e15;

/// The nulls of a column of which some rows are surely good; of each other one `is_good` decides.
pub(super) fn judged(good: BooleanBuffer, mut is_good: impl FnMut(usize) -> bool) -> Option<NullBuffer> {
    let others = !&good;
    if others.count_set_bits() == 0 {
        return None;
    }
    let mut all = BooleanBufferBuilder::new(good.len());
    all.append_buffer(&good);
    others.set_indices().for_each(|row| all.set_bit(row, is_good(row)));
    Some(NullBuffer::new(all.finish())).filter(|nulls| nulls.null_count() > 0)
}

/// Moments in microseconds; one that these cannot count is as far from any date as they reach.
pub(super) fn microseconds(moments: &ArrayRef, zone: Option<Arc<str>>) -> Result<TimestampMicrosecondArray> {
    let counted = cast(moments, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
    let counted = counted.as_primitive::<TimestampMicrosecondType>();
    if counted.null_count() == moments.null_count() {
        return Ok(counted.clone());
    }
    let each = (0..moments.len()).map(|row| if counted.is_null(row) { i64::MAX } else { counted.value(row) });
    Ok(TimestampMicrosecondArray::new(each.collect(), moments.nulls().cloned()).with_timezone_opt(zone))
}

/// Days as such; one that their number cannot count is as far from any date as it reaches.
pub(super) fn whole_days(days: &ArrayRef) -> Result<Date32Array> {
    Ok(match days.as_primitive_opt::<Date64Type>() {
        Some(moments) => {
            moments.unary(|moment| i32::try_from(moment.div_euclid(1_000 * SECONDS_A_DAY)).unwrap_or(i32::MAX))
        }
        None => cast(days, &DataType::Date32)?.as_primitive().clone(),
    })
}

/// What a column of days or moments says: the day of a moment at midnight, as databases hold a date of birth, the civil
/// time of any other. A column of nothing but days stays one; anything else than days and moments is as it was.
pub(super) fn days_or_times(cells: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Timestamp(_, zone) = cells.data_type() else {
        let days = *cells.data_type() == DataType::Date64;
        return if days { Ok(Arc::new(whole_days(cells)?)) } else { Ok(Arc::clone(cells)) };
    };
    let london = zone.is_some().then(|| TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC));
    let second = |moment: i64| match &london {
        None => Some(moment.div_euclid(1_000_000)),
        Some(london) => {
            let instant = Timestamp::from_microsecond(moment).ok()?;
            Some(values::civil_seconds(london.to_datetime(instant)))
        }
    };
    let (mut days, mut times) = (Vec::with_capacity(cells.len()), Vec::with_capacity(cells.len()));
    for moment in &microseconds(cells, zone.clone())? {
        let second = moment.map(|moment| second(moment).unwrap_or(i64::MAX));
        let day = second.map(|second| i32::try_from(second.div_euclid(SECONDS_A_DAY)).unwrap_or(i32::MAX));
        let on_a_calendar = day.is_some_and(|day| calendar::date_of(day).is_some());
        days.push(day);
        times.push(second.filter(|_| on_a_calendar).map_or(0, |second| second.rem_euclid(SECONDS_A_DAY)));
    }
    let days: ArrayRef = Arc::new(Date32Array::from(days));
    if times.iter().all(|time| *time == 0) {
        return Ok(days);
    }
    let texts = spelled(&days)?;
    let texts = texts.iter().zip(times).map(|(day, time)| match time {
        0 => day.map(str::to_owned),
        _ => day.map(|day| format!("{day}T{:02}:{:02}:{:02}", time / 3_600, time / 60 % 60, time % 60)),
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

impl Maker {
    /// Days as days.
    pub(super) fn days(&self, days: &Date32Array, judge: &mut Judge) -> ArrayRef {
        let plain = BooleanBuffer::collect_bool(days.len(), |row| self.dates.is_plain(days.value(row)));
        let good = days.nulls().map_or(plain.clone(), |nulls| nulls.inner() & &plain);
        let nulls = judged(good, |row| {
            let date = days.is_valid(row).then(|| calendar::date_of(days.value(row)).ok_or("not a date".into()));
            let date = date.map(|date| date.and_then(|date| self.dates.judge(date)));
            self.settle(date.and_then(Result::transpose), row, judge).is_some()
        });
        Arc::new(Date32Array::new(days.values().clone(), nulls))
    }

    /// Civil times as days or seconds.
    pub(super) fn moments(&self, micros: &TimestampMicrosecondArray, judge: &mut Judge) -> Result<ArrayRef> {
        let mut seconds = Vec::with_capacity(micros.len());
        let mut nulls = NullBufferBuilder::new(micros.len());
        for (row, &moment) in micros.values().iter().enumerate() {
            let second = moment.div_euclid(1_000_000);
            let plain = i32::try_from(second.div_euclid(SECONDS_A_DAY)).is_ok_and(|day| self.dates.is_plain(day));
            if micros.is_valid(row) && plain {
                seconds.push(second);
                nulls.append_non_null();
                continue;
            }
            let time = micros.is_valid(row).then(|| self.civil(moment, false));
            let time = time.map(|time| time.and_then(|time| Ok(self.dates.judge(time.date())?.map(|_| time))));
            let kept = self.settle(time.and_then(Result::transpose), row, judge);
            seconds.push(kept.map(values::civil_seconds).unwrap_or_default());
            nulls.append(kept.is_some());
        }
        let nulls = nulls.finish();
        if self.kind == ColumnType::Date {
            let days = seconds.iter().map(|second| i32::try_from(second.div_euclid(SECONDS_A_DAY)));
            let days: Vec<i32> = days.map(Result::unwrap_or_default).collect();
            return Ok(Arc::new(Date32Array::new(days.into(), nulls)));
        }
        Ok(Arc::new(TimestampSecondArray::new(seconds.into(), nulls)))
    }

    /// A float is read by the shortest text that gives it back: what the sender meant by it.
    pub(super) fn floats(&self, floats: &Float64Array, judge: &mut Judge) -> Result<ArrayRef> {
        let scale = 10_f64.powi(i32::from(self.places));
        let mut decimals: Vec<i128> = Vec::with_capacity(floats.len());
        let mut nulls = NullBufferBuilder::new(floats.len());
        for (row, &float) in floats.values().iter().enumerate() {
            let scaled = (float * scale).round();
            // Of all decimals with so few digits this one is the float, so it is the shortest text, too.
            let value = if !floats.is_valid(row) {
                None
            } else if scaled.abs() < EXACT && scaled / scale == float && !self.blank_numbers {
                Some(self.plausible(scaled as i128, self.places))
            } else {
                let text = float.to_string();
                let cell = present(&text, &self.blank_values);
                cell.map(|cell| values::decimal(cell, self.places).and_then(|value| self.plausible(value, self.places)))
            };
            let kept = self.settle(value, row, judge);
            decimals.push(kept.unwrap_or_default());
            nulls.append(kept.is_some());
        }
        let decimals = Decimal128Array::new(decimals.into(), nulls.finish());
        Ok(Arc::new(decimals.with_data_type(self.data_type.clone())))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date64Array, TimestampMillisecondArray};

    use super::*;

    #[test]
    fn a_moment_at_midnight_says_a_day() {
        const DAY: i64 = 86_400_000;
        let said = |moments: Vec<Option<i64>>, zone: Option<&str>| {
            let moments = TimestampMillisecondArray::from(moments).with_timezone_opt(zone.map(Arc::from));
            let said = days_or_times(&(Arc::new(moments) as ArrayRef)).unwrap();
            let texts = spelled(&said).unwrap();
            let texts: Vec<Option<String>> = texts.iter().map(|text| text.map(str::to_owned)).collect();
            (*said.data_type() == DataType::Date32, texts)
        };
        let texts = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned)).to_vec();
        let days = vec![Some(-10_471 * DAY), None, Some(20_000 * DAY)];
        assert_eq!(said(days, None), (true, texts([Some("1941-05-02"), None, Some("2024-10-04")])));
        let mixed = vec![Some(20_000 * DAY), Some(20_000 * DAY - 1_000), Some(i64::MAX)];
        let expected = texts([Some("2024-10-04"), Some("2024-10-03T23:59:59"), Some("not a date")]);
        assert_eq!(said(mixed, None), (false, expected));
        // Midnight in London is an hour before that of the world's time in summer, and the same in winter.
        let midnights = vec![Some(19_905 * DAY - DAY / 24), Some(19_723 * DAY), None];
        assert_eq!(said(midnights, Some("UTC")), (true, texts([Some("2024-07-01"), Some("2024-01-01"), None])));
    }

    #[test]
    fn a_day_that_its_number_cannot_count_is_no_other_day() {
        let days: ArrayRef =
            Arc::new(Date64Array::from(vec![Some(-86_400_000), None, Some(0), Some(i64::MAX), Some(i64::MIN)]));
        let days: Vec<Option<i32>> = whole_days(&days).unwrap().iter().collect();
        assert_eq!(days, [Some(-1), None, Some(0), Some(i32::MAX), Some(i32::MAX)]);
    }

    #[test]
    fn a_moment_that_microseconds_cannot_count_is_not_lost() {
        let moments = vec![Some(1_000), None, Some(i64::MAX), Some(i64::MIN)];
        for zone in [None, Some("UTC".into())] {
            let moments: ArrayRef =
                Arc::new(TimestampMillisecondArray::from(moments.clone()).with_timezone_opt(zone.clone()));
            let counted = microseconds(&moments, zone).unwrap();
            let counted: Vec<Option<i64>> = counted.iter().collect();
            assert_eq!(counted, [Some(1_000_000), None, Some(i64::MAX), Some(i64::MAX)]);
        }
    }
}
