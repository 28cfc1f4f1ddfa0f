//! Columns with one row a person: whole numbers are held in the narrowest type that all of a column fit, and read in the
//! type that was declared.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, new_empty_array};
use arrow::compute::{CastOptions, cast, cast_with_options, concat, filter, max, min, take};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::aside::Aside;
use crate::error::Result;
use crate::expr::Compiled;
use crate::workers;

/// Rows of which a worker works out SQL at once.
const AT_ONCE: usize = 1 << 16;

/// Columns by name, each with a value or a null a row.
#[derive(Debug, Clone)]
pub struct Columns {
    /// As declared.
    fields: Vec<FieldRef>,
    held: Vec<ArrayRef>,
    rows: usize,
}

/// Columns that were put aside.
#[derive(Debug)]
pub struct Waiting {
    fields: Vec<FieldRef>,
    aside: Aside,
    rows: usize,
}

impl Waiting {
    /// The same columns.
    pub fn take(self) -> Result<Columns> {
        Ok(Columns { fields: self.fields, held: self.aside.take()?, rows: self.rows })
    }
}

impl From<&RecordBatch> for Columns {
    /// As they are.
    fn from(batch: &RecordBatch) -> Self {
        let fields = batch.schema_ref().fields().iter().cloned().collect();
        Self { fields, held: batch.columns().to_vec(), rows: batch.num_rows() }
    }
}

impl Columns {
    /// None as yet, of so many rows.
    pub fn new(rows: usize) -> Self {
        Self { fields: Vec::new(), held: Vec::new(), rows }
    }

    /// Adds a column of a declared type, however it is held.
    pub fn push(&mut self, field: Field, column: &ArrayRef) -> Result<()> {
        self.held.push(narrow(column)?);
        self.fields.push(Arc::new(field));
        Ok(())
    }

    /// These, then others of the same rows.
    pub fn beside(mut self, other: Self) -> Self {
        self.fields.extend(other.fields);
        self.held.extend(other.held);
        self
    }

    /// Those that are kept, by their place.
    pub fn only(&self, kept: impl Fn(usize) -> bool) -> Self {
        let fields = self.fields.iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, field)| Arc::clone(field));
        let held = self.held.iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, column)| Arc::clone(column));
        Self { fields: fields.collect(), held: held.collect(), rows: self.rows }
    }

    /// Puts them aside, on the disk if so asked.
    pub fn put_aside(self, on_disk: bool) -> Result<Waiting> {
        Ok(Waiting { fields: self.fields, aside: Aside::put(self.held, on_disk)?, rows: self.rows })
    }

    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// With the declared types.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.fields.clone()))
    }

    /// Each as declared, and as it is held.
    pub fn held(&self) -> impl Iterator<Item = (&FieldRef, &ArrayRef)> {
        self.fields.iter().zip(&self.held)
    }

    /// The column at a place, where there is one.
    pub fn column(&self, at: usize) -> Result<Option<ArrayRef>> {
        self.part(at, 0..self.rows)
    }

    /// The column of a name, where there is one.
    pub fn by_name(&self, name: &str) -> Result<Option<ArrayRef>> {
        self.place(name).map_or(Ok(None), |at| self.column(at))
    }

    /// Whether there is a column of a name.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// One row of the column of a name, where there is both.
    pub fn cell(&self, name: &str, row: usize) -> Result<Option<ArrayRef>> {
        self.place(name).filter(|_| row < self.rows).map_or(Ok(None), |at| self.part(at, row..row + 1))
    }

    /// Some rows of every column.
    pub fn slice(&self, rows: Range<usize>) -> Result<RecordBatch> {
        self.batch(0..self.held.len(), rows.len(), |column| Ok(column.slice(rows.start, rows.len())))
    }

    /// Everything.
    pub fn whole(&self) -> Result<RecordBatch> {
        self.slice(0..self.rows)
    }

    /// The columns of these names, as far as there are such.
    pub fn named(&self, names: &[String]) -> Result<RecordBatch> {
        let places = names.iter().filter_map(|name| self.place(name));
        self.batch(places, self.rows, |column| Ok(Arc::clone(column)))
    }

    /// These rows, in this order.
    pub fn take(&self, rows: &UInt32Array) -> Result<RecordBatch> {
        self.batch(0..self.held.len(), rows.len(), |column| Ok(take(column, rows, None)?))
    }

    /// These rows of the column of a name.
    pub fn take_of(&self, name: &str, rows: &UInt32Array) -> Result<Option<ArrayRef>> {
        let Some(at) = self.place(name) else { return Ok(None) };
        wide(&take(&self.held[at], rows, None)?, self.fields[at].data_type()).map(Some)
    }

    /// The rows for which `keep` is true.
    pub fn filter(&self, keep: &BooleanArray) -> Result<RecordBatch> {
        self.batch(0..self.held.len(), keep.true_count(), |column| Ok(filter(column, keep)?))
    }

    /// SQL over these columns in a type that its values are cast to, worked out by so many workers; an error says on how many
    /// rows the SQL fails.
    pub fn evaluate(&self, compiled: &Compiled, data_type: &DataType, workers: usize) -> Result<ArrayRef> {
        let read = self.named(&compiled.columns)?;
        let parts = workers::each(workers, workers::ranges(self.rows, AT_ONCE), |rows| {
            let attempt = compiled.attempt(&read.slice(rows.start, rows.len()))?;
            Ok((cast(&attempt.values, data_type)?, attempt.failed.len()))
        });
        let (parts, failed): (Vec<ArrayRef>, Vec<usize>) = parts?.into_iter().unzip();
        compiled.fails_on(failed.into_iter().sum())?;
        joined(&parts)
    }

    /// Where a predicate over these columns holds; null counts as not.
    pub fn mask(&self, predicate: &Compiled) -> Result<BooleanArray> {
        predicate.mask(&self.named(&predicate.columns)?)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name() == name)
    }

    fn part(&self, at: usize, rows: Range<usize>) -> Result<Option<ArrayRef>> {
        let Some((field, column)) = self.fields.get(at).zip(self.held.get(at)) else { return Ok(None) };
        wide(&column.slice(rows.start, rows.len()), field.data_type()).map(Some)
    }

    fn batch(
        &self,
        places: impl IntoIterator<Item = usize>,
        rows: usize,
        part: impl Fn(&ArrayRef) -> Result<ArrayRef>,
    ) -> Result<RecordBatch> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for at in places {
            columns.push(wide(&part(&self.held[at])?, self.fields[at].data_type())?);
            fields.push(Arc::clone(&self.fields[at]));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }
}

/// Whole numbers in the narrowest type of theirs that all fit; anything else as it is.
pub fn narrow(column: &ArrayRef) -> Result<ArrayRef> {
    let narrower = match column.data_type() {
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            let fits = |low: i64, high: i64| {
                min(numbers).is_none_or(|least| least >= low) && max(numbers).is_none_or(|most| most <= high)
            };
            match () {
                () if fits(i8::MIN.into(), i8::MAX.into()) => DataType::Int8,
                () if fits(i16::MIN.into(), i16::MAX.into()) => DataType::Int16,
                () if fits(i32::MIN.into(), i32::MAX.into()) => DataType::Int32,
                () => DataType::Int64,
            }
        }
        DataType::Decimal128(_, scale) => {
            let numbers = column.as_primitive::<Decimal128Type>();
            let digits = |number: Option<i128>| number.map_or(1, |number| number.unsigned_abs().max(1).ilog10() + 1);
            match digits(min(numbers)).max(digits(max(numbers))) {
                0..=9 if *scale <= 9 => DataType::Decimal32(9, *scale),
                0..=18 if *scale <= 18 => DataType::Decimal64(18, *scale),
                _ => column.data_type().clone(),
            }
        }
        other => other.clone(),
    };
    wide(column, &narrower)
}

/// Parts of one column, each as narrow as it is, in the widest of their types.
pub fn joined(parts: &[ArrayRef]) -> Result<ArrayRef> {
    let width = |part: &&ArrayRef| part.data_type().primitive_width();
    let Some(widest) = parts.iter().max_by_key(width) else { return Ok(new_empty_array(&DataType::Null)) };
    let widest = widest.data_type().clone();
    let parts = parts.iter().map(|part| wide(part, &widest)).collect::<Result<Vec<_>>>()?;
    Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}

/// A column in another type that all its values fit.
pub fn wide(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if column.data_type() == data_type {
        return Ok(Arc::clone(column));
    }
    // Otherwise a cast that may make nulls would give a column that has none a mask for them, and files show that.
    Ok(cast_with_options(column, data_type, &CastOptions { safe: false, ..CastOptions::default() })?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Int64Array, StringArray};

    use super::*;

    fn numbers(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<Int64Array>())
    }

    #[test]
    fn whole_numbers_are_held_narrow_and_read_as_declared() -> Result<()> {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let decimal = |most: i128| -> ArrayRef {
            let values = Decimal128Array::from(vec![Some(-5), None, Some(most)]);
            Arc::new(values.with_precision_and_scale(38, 2).unwrap())
        };
        let columns = [
            (numbers(&[Some(-128), None, Some(127)]), DataType::Int8),
            (numbers(&[Some(-129), None, Some(0)]), DataType::Int16),
            (numbers(&[Some(0), None, Some(32_768)]), DataType::Int32),
            (numbers(&[Some(i64::MIN), None, Some(i64::MAX)]), DataType::Int64),
            (numbers(&[None, None, None]), DataType::Int8),
            (Arc::new(Int64Array::from(vec![1, 2, 3])), DataType::Int8),
            (decimal(999_999_999), DataType::Decimal32(9, 2)),
            (decimal(1_000_000_000), DataType::Decimal64(18, 2)),
            (decimal(i128::from(i64::MAX)), DataType::Decimal128(38, 2)),
            (text, DataType::Utf8),
        ];
        let mut held = Columns::new(3);
        for (number, (column, narrowest)) in columns.iter().enumerate() {
            assert_eq!(narrow(column)?.data_type(), narrowest);
            assert_eq!(narrow(column)?.nulls().is_some(), column.nulls().is_some());
            held.push(Field::new(format!("c{number}"), column.data_type().clone(), true), column)?;
        }
        let whole = held.whole()?;
        for (number, (column, _)) in columns.iter().enumerate() {
            assert_eq!((whole.column(number), held.column(number)?.as_ref()), (column, Some(column)));
            let name = format!("c{number}");
            assert_eq!(held.cell(&name, 2)?, Some(column.slice(2, 1)));
            let back = UInt32Array::from(vec![2, 0]);
            assert_eq!(held.take_of(&name, &back)?, Some(take(column, &back, None)?));
            assert_eq!(held.take(&back)?.column(number), &take(column, &back, None)?);
            let keep = BooleanArray::from(vec![false, true, true]);
            assert_eq!(held.filter(&keep)?.column(number), &column.slice(1, 2));
        }
        assert!(held.by_name("other")?.is_none() && held.column(99)?.is_none() && !held.has("other"));
        assert!(held.has("c0") && held.cell("c0", 3)?.is_none());
        Ok(())
    }

    #[test]
    fn sql_is_worked_out_in_parts_and_says_of_all_of_them_on_how_many_rows_it_fails() -> Result<()> {
        let rows = 2 * AT_ONCE as i64 + 7;
        let mut columns = Columns::new(rows as usize);
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        columns.push(Field::new("n", DataType::Int64, true), &numbers)?;
        let evaluate = |sql: &str| {
            let compiled = crate::expr::compile(sql, &columns.schema()).unwrap();
            columns.evaluate(&compiled, &DataType::Int64, 3)
        };
        assert_eq!(&evaluate("n + 1")?, &(Arc::new(Int64Array::from_iter_values(1..=rows)) as ArrayRef));
        let error = evaluate("1 / (n % 65536)").unwrap_err().to_string();
        assert!(error.contains("fails on 3 rows"), "{error}");
        Ok(())
    }

    #[test]
    fn parts_come_together_in_the_widest_type() -> Result<()> {
        let parts = [narrow(&numbers(&[Some(1), None]))?, narrow(&numbers(&[Some(300)]))?, narrow(&numbers(&[]))?];
        let whole = joined(&parts)?;
        assert_eq!(whole.data_type(), &DataType::Int16);
        assert_eq!(&wide(&whole, &DataType::Int64)?, &numbers(&[Some(1), None, Some(300)]));
        Ok(())
    }
}
