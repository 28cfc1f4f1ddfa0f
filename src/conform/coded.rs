//! Text that is stored by number, as a number, or as a view: every distinct value is judged once, and no text is copied.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, NullBufferBuilder, StringArray, StringViewArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int32Type;

use super::columns::{Judge, Maker};
use super::numbers::judged;
use super::values::{Rule, TextRule, present};
use crate::ahead;
use crate::error::{Error, Result};

/// The values of a dictionary as ours, by the same numbers.
#[derive(Debug)]
pub(super) struct Judged {
    pub values: Arc<StringArray>,
    pub verdicts: Vec<Verdict>,
    /// Neither blank nor bad, by value and any of them.
    good: Vec<bool>,
    clean: bool,
}

/// What becomes of one value.
#[derive(Debug)]
pub(super) enum Verdict {
    Good,
    Blank,
    Bad(Rule),
}

/// All that is remembered of a number.
const GOOD: u32 = 0;

impl Maker {
    pub(super) fn judged(&self, rule: &TextRule, values: &StringArray) -> Judged {
        let mut texts = Vec::with_capacity(values.len());
        let mut verdicts = Vec::with_capacity(values.len());
        for value in values {
            let made = value.and_then(|value| present(value, &self.blank_values)).map(|cell| rule.apply(cell));
            let (text, verdict) = match made {
                None => ("".into(), Verdict::Blank),
                Some(Ok(text)) => (text, Verdict::Good),
                Some(Err(rule)) => ("".into(), Verdict::Bad(rule)),
            };
            texts.push(text);
            verdicts.push(verdict);
        }
        let good: Vec<bool> = verdicts.iter().map(|verdict| matches!(verdict, Verdict::Good)).collect();
        let clean = good.iter().all(|good| *good);
        let same = clean && values.iter().zip(&texts).all(|(value, text)| value == Some(text));
        let values = if same { values.clone() } else { StringArray::from_iter_values(texts) };
        Judged { values: Arc::new(values), verdicts, good, clean }
    }

    /// A column by dictionary stays one; its blank and bad values become null.
    pub(super) fn coded(
        &self,
        rule: &TextRule,
        coded: &DictionaryArray<Int32Type>,
        values: &StringArray,
        judge: &mut Judge,
    ) -> Result<ArrayRef> {
        let mut memo = self.memo.borrow_mut();
        let made = memo.of(values, |values| self.judged(rule, values));
        let keys = coded.keys();
        if made.clean && (self.optional || keys.null_count() == 0) {
            return Ok(Arc::new(coded.with_values(Arc::clone(&made.values) as ArrayRef)));
        }
        let good = |row: usize| keys.is_valid(row) && made.good[keys.value(row) as usize];
        let nulls = judged(BooleanBuffer::collect_bool(keys.len(), good), |row| {
            let value = match coded.key(row).map(|key| &made.verdicts[key]) {
                Some(Verdict::Bad(rule)) => Some(Err::<(), Rule>(rule.clone())),
                _ => None,
            };
            self.settle(value, row, judge).is_some()
        });
        let keys = Int32Array::new(keys.values().clone(), nulls);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&made.values) as ArrayRef)?))
    }

    /// Codes that come as whole numbers stay numbers: their text is their digits.
    pub(super) fn digits(&self, rule: &TextRule, numbers: &Int64Array, judge: &mut Judge) -> Result<ArrayRef> {
        let mut good = self.good_numbers.borrow_mut();
        let mut nulls = NullBufferBuilder::new(numbers.len());
        for row in 0..numbers.len() {
            if row % ahead::BLOCK == 0 {
                good.near(numbers.values()[row..].iter().take(ahead::BLOCK).copied());
            }
            let number = numbers.is_valid(row).then(|| numbers.value(row));
            if let Some(number) = number
                && good.get(number).is_some()
            {
                nulls.append_non_null();
                continue;
            }
            let text = number.map(|number| number.to_string());
            let made = text.as_deref().and_then(|text| present(text, &self.blank_values)).map(|cell| rule.apply(cell));
            if let (Some(Ok(made)), Some(number)) = (&made, number) {
                if Some(made.as_ref()) != text.as_deref() {
                    return Err(Error::Fault(format!("column {}: digits have another spelling", self.name)));
                }
                good.insert(number, GOOD);
            }
            nulls.append(self.settle(made, row, judge).is_some());
        }
        Ok(Arc::new(Int64Array::new(numbers.values().clone(), nulls.finish())))
    }

    /// Tokens, left where they lie in the file's pages unless one of them has to be changed.
    pub(super) fn viewed(&self, rule: &TextRule, cells: &StringViewArray, judge: &mut Judge) -> ArrayRef {
        let mut changed: Vec<(usize, Option<String>)> = Vec::new();
        for row in 0..cells.len() {
            let cell = cells.is_valid(row).then(|| cells.value(row));
            if matches!(rule, TextRule::Pseudonym) && cell.is_some_and(|cell| self.is_plain_token(cell)) {
                continue;
            }
            let made = cell.and_then(|cell| present(cell, &self.blank_values)).map(|cell| rule.apply(cell));
            let kept = self.settle(made, row, judge);
            if kept.as_deref() != cell {
                changed.push((row, kept.map(|text| text.into_owned())));
            }
        }
        if changed.is_empty() {
            return Arc::new(cells.clone());
        }
        let mut changed = changed.into_iter().peekable();
        let texts = (0..cells.len()).map(|row| match changed.next_if(|(other, _)| *other == row) {
            Some((_, text)) => text,
            None => cells.is_valid(row).then(|| cells.value(row).to_owned()),
        });
        Arc::new(texts.collect::<StringViewArray>())
    }

    /// Whether a token is surely good as it stands: as most are, so without a branch a byte.
    fn is_plain_token(&self, token: &str) -> bool {
        let (mut odd, mut other_than_zero) = (false, false);
        for byte in token.bytes() {
            odd |= byte.wrapping_sub(b'!') > b'~' - b'!';
            other_than_zero |= byte != b'0';
        }
        !odd && other_than_zero && !self.blank_lengths.contains(&token.len())
    }
}
