//! Where everyone stood who might have had a place, on both sides of the cut: what impact is later measured on.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::Cohorts;
use crate::error::Result;
use crate::link::People;

/// The table behind [`crate::history::STANDING`]: by cohort and recipient, in rank order.
pub(super) fn table(people: &People, cohorts: &Cohorts) -> Result<RecordBatch> {
    let rows = || cohorts.lists.iter().flat_map(|list| list.standing.iter().map(move |stands| (list, stands)));
    let token = |person: u32| people.tokens.get(person as usize).map(|token| token.reveal());
    let text = |cells: StringArray| -> ArrayRef { Arc::new(cells) };
    let positions: Int64Array = rows().map(|(_, stands)| Some(i64::from(stands.position))).collect();
    let listed: BooleanArray = rows().map(|(_, stands)| Some(stands.listed)).collect();
    let probabilities: Float64Array = rows().map(|(_, stands)| stands.probability).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("person", text(rows().map(|(_, stands)| token(stands.person)).collect())),
        ("cohort", text(rows().map(|(list, _)| Some(list.name.as_str())).collect())),
        ("recipient", text(rows().map(|(_, stands)| Some(&*stands.recipient)).collect())),
        ("position", Arc::new(positions)),
        ("listed", Arc::new(listed)),
        ("probability", Arc::new(probabilities)),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))?)
}
