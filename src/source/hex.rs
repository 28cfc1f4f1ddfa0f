//! Bytes of fixed length, as some senders write tokens: read as hexadecimal text, in small letters.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, StringArray, StringViewArray};
use arrow::datatypes::DataType;

use super::Text;

const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// The type in which a column is handed over.
pub(super) fn read_as(stored: &DataType, text: Text) -> DataType {
    match (stored, text) {
        (DataType::FixedSizeBinary(_), Text::Plain) => DataType::Utf8,
        (DataType::FixedSizeBinary(_), Text::Stored) => DataType::Utf8View,
        _ => stored.clone(),
    }
}

/// A column in the type of [`read_as`].
pub(super) fn written(column: &ArrayRef, data_type: &DataType) -> ArrayRef {
    match (column.as_fixed_size_binary_opt(), data_type) {
        (Some(bytes), DataType::Utf8View) => Arc::new(texts(bytes).collect::<StringViewArray>()),
        (Some(bytes), _) => Arc::new(texts(bytes).collect::<StringArray>()),
        (None, _) => Arc::clone(column),
    }
}

fn texts(bytes: &FixedSizeBinaryArray) -> impl Iterator<Item = Option<String>> {
    let digit = |half: u8| DIGITS[usize::from(half & 15)];
    let text = move |value: &[u8]| value.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect();
    (0..bytes.len()).map(move |row| bytes.is_valid(row).then(|| text(bytes.value(row))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_small_letters() {
        let bytes = [Some([0x00, 0x9f]), None, Some([0xab, 0xc0])];
        let bytes: ArrayRef =
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes.into_iter(), 2).unwrap());
        for (text, expected) in [(Text::Plain, DataType::Utf8), (Text::Stored, DataType::Utf8View)] {
            assert_eq!(read_as(bytes.data_type(), text), expected);
            let written = written(&bytes, &expected);
            let plain = arrow::compute::cast(&written, &DataType::Utf8).unwrap();
            assert_eq!(plain.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("009f"), None, Some("abc0")]);
        }
        assert_eq!(read_as(&DataType::Int64, Text::Stored), DataType::Int64);
    }
}
