//! The design matrix: inputs by name, a column each, every value kept exactly in as few bytes as it takes.

use std::ops::Range;

/// What a column of the matrix says of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// The feature's number; yes and no are 1 and 0; NaN where it is missing.
    Number,
    /// 1 where a text feature has this value, otherwise 0.
    Is(String),
    /// 1 where the feature is missing, otherwise 0.
    IsMissing,
}

/// A column of the matrix, bound to a feature by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Input {
    pub feature: String,
    pub says: Says,
}

impl Input {
    /// `age_years`, `sex=2`, `sex=?`.
    pub fn name(&self) -> String {
        match &self.says {
            Says::Number => self.feature.clone(),
            Says::Is(value) => format!("{}={value}", self.feature),
            Says::IsMissing => format!("{}=?", self.feature),
        }
    }
}

/// Rows by inputs, column by column.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    inputs: Vec<Input>,
    rows: usize,
    columns: Vec<Column>,
}

/// The values of a column, exactly, in the narrowest type that holds them all.
#[derive(Debug, Clone)]
enum Column {
    /// Whole numbers from 0 to 254; 255 is missing.
    Small(Vec<u8>),
    /// Numbers that 32 bits hold without loss.
    Single(Vec<f32>),
    Double(Vec<f64>),
}

const SMALL_MISSING: u8 = u8::MAX;

impl Column {
    fn of(values: &[f64]) -> Self {
        let small = |value: &f64| value.is_nan() || ((0.0..255.0).contains(value) && value.fract() == 0.0);
        let single = |value: &f64| value.is_nan() || f64::from(*value as f32) == *value;
        // -0.0 is 0 here: no score can tell them apart.
        match () {
            () if values.iter().all(small) => Self::Small(
                values.iter().map(|value| if value.is_nan() { SMALL_MISSING } else { *value as u8 }).collect(),
            ),
            () if values.iter().all(single) => Self::Single(values.iter().map(|value| *value as f32).collect()),
            () => Self::Double(values.to_vec()),
        }
    }

    fn read(&self, rows: Range<usize>, out: &mut [f64]) {
        match self {
            Self::Small(values) => {
                out.iter_mut().zip(&values[rows]).for_each(|(out, value)| *out = Matrix::of_byte(*value))
            }
            Self::Single(values) => {
                out.iter_mut().zip(&values[rows]).for_each(|(out, value)| *out = f64::from(*value));
            }
            Self::Double(values) => out.copy_from_slice(&values[rows]),
        }
    }

    fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Small(values) => Self::Small(rows.iter().map(|row| values[*row]).collect()),
            Self::Single(values) => Self::Single(rows.iter().map(|row| values[*row]).collect()),
            Self::Double(values) => Self::Double(rows.iter().map(|row| values[*row]).collect()),
        }
    }
}

impl Matrix {
    /// An empty matrix of so many rows.
    pub fn new(rows: usize) -> Self {
        Self { inputs: Vec::new(), rows, columns: Vec::new() }
    }

    /// Adds a column of `rows` values, NaN where missing; a column of another length is cut or filled with NaN.
    pub fn push(&mut self, input: Input, values: &[f64]) {
        let column = match values.len() == self.rows {
            true => Column::of(values),
            false => {
                let mut values = values.to_vec();
                values.resize(self.rows, f64::NAN);
                Column::of(&values)
            }
        };
        self.inputs.push(input);
        self.columns.push(column);
    }

    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Writes `out.len()` values of a column from row `rows.start` on; NaN is missing.
    pub fn read(&self, column: usize, rows: Range<usize>, out: &mut [f64]) {
        self.columns[column].read(rows, out);
    }

    /// The bytes of a column of small whole numbers: [`Matrix::of_byte`] says what each stands for. None of other columns.
    pub fn bytes(&self, column: usize) -> Option<&[u8]> {
        match &self.columns[column] {
            Column::Small(bytes) => Some(bytes),
            Column::Single(_) | Column::Double(_) => None,
        }
    }

    /// What a byte stands for; NaN is missing.
    pub fn of_byte(byte: u8) -> f64 {
        if byte == SMALL_MISSING { f64::NAN } else { f64::from(byte) }
    }

    /// One column; NaN is missing.
    pub fn column(&self, column: usize) -> Vec<f64> {
        let mut values = vec![0.0; self.rows];
        self.read(column, 0..self.rows, &mut values);
        values
    }

    /// All columns one behind the other.
    pub fn column_major(&self) -> Vec<f64> {
        (0..self.width()).flat_map(|column| self.column(column)).collect()
    }

    /// Parts of the rows, each in its order: column by column, so that no more than one of them is held twice.
    pub fn part<const PARTS: usize>(self, parts: [&[usize]; PARTS]) -> [Self; PARTS] {
        let Self { inputs, columns, .. } = self;
        let mut made = parts.map(|rows| Self { inputs: inputs.clone(), rows: rows.len(), columns: Vec::new() });
        for column in columns {
            made.iter_mut().zip(parts).for_each(|(made, rows)| made.columns.push(column.take(rows)));
        }
        made
    }

    /// Some rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Self { inputs: self.inputs.clone(), rows: rows.len(), columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(feature: &str) -> Input {
        Input { feature: feature.to_owned(), says: Says::Number }
    }

    #[test]
    fn values_come_back_exactly() {
        let columns: [&[f64]; 4] = [
            &[0.0, 254.0, f64::NAN],
            &[0.5, -3.0, f64::NAN],
            &[0.1, 1e300, f64::NAN],
            &[255.0, 16_777_217.0, f64::INFINITY],
        ];
        let mut matrix = Matrix::new(3);
        for values in columns {
            matrix.push(input("x"), values);
        }
        for (at, values) in columns.iter().enumerate() {
            let read = matrix.column(at);
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            assert!(read.iter().zip(values.iter()).all(same), "column {at}: {read:?}");
        }
        assert!(matches!(matrix.columns[0], Column::Small(_)));
        assert!(matches!(matrix.columns[1], Column::Single(_)));
        assert!(matches!(matrix.columns[2], Column::Double(_)));
        assert!(matches!(matrix.columns[3], Column::Double(_)));
    }

    #[test]
    fn rows_are_taken_in_order() {
        let mut matrix = Matrix::new(3);
        matrix.push(input("x"), &[1.0, 2.0, 3.0]);
        matrix.push(input("y"), &[0.1, 0.2, 0.3]);
        let taken = matrix.take(&[2, 0]);
        assert_eq!(taken.column_major(), [3.0, 1.0, 0.3, 0.1]);
        assert_eq!((taken.rows(), taken.width()), (2, 2));
        let [one, other] = matrix.part([&[1], &[2, 0]]);
        assert_eq!((one.column_major(), one.rows()), (vec![2.0, 0.2], 1));
        assert_eq!((other.column_major(), other.rows()), (vec![3.0, 1.0, 0.3, 0.1], 2));
    }
}
