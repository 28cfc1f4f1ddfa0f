//! Reading ahead in tables that are larger than a processor's own memory.
//!
//! A loop that goes from row to row, each to another place in memory, waits at each of them. Read first, in a loop that does
//! nothing else, the places of many rows are fetched side by side, and are near when they are needed.

/// So many rows at a time: what is read ahead of them still lies near when they are gone through.
pub const BLOCK: usize = 256;

/// Reads something at each place.
pub fn read(there: impl Iterator<Item = Option<u32>>) {
    std::hint::black_box(there.fold(0, |read, there| read ^ there.unwrap_or_default()));
}
