//! Dates and numbers that come as such: a value that is surely good is taken as it is, any other is judged in full.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array, NullBufferBuilder,
    TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};

use super::columns::{Judge, Maker};
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
    use arrow::array::TimestampMillisecondArray;

    use super::*;

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
