//! Parquet footers, judged before the Parquet crate decodes them.
//!
//! That crate reserves memory for counts that the footer merely claims and recurses as deep as its schema says; both
//! end the process rather than the call. So the bytes are walked once here, by the grammar of Thrift's compact
//! protocol, and a footer that claims more than it can hold goes no further.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// 60 columns in 1,000 row groups need about 9 MB; decoding takes several times as much memory.
const MAX_FOOTER: u64 = 64 << 20;
/// Wider than any extract; each column costs buffers in every batch.
const MAX_COLUMNS: usize = 10_000;
/// Row groups are numbered in 16 bits.
const MAX_ROW_GROUPS: usize = 32_767;
/// Deeper than any record; schemas are read by recursion.
const MAX_DEPTH: usize = 64;
/// Magic and length at the end, magic at the start.
const ENVELOPE: u64 = 12;

const LIST: u8 = 9;
const STRUCT: u8 = 12;

type Verdict<T> = Result<T, &'static str>;

const CUT: &str = "malformed Parquet: the footer breaks off";
const NESTED: &str = "malformed Parquet: nested too deep";

/// Refuses a file whose footer cannot be decoded within limits.
pub(super) fn check(file: &mut File, bytes: u64) -> Verdict<()> {
    const UNREADABLE: &str = "malformed Parquet: the footer cannot be read (is the file cut off?)";
    let mut magic = [0; 4];
    let mut tail = [0; 8];
    if bytes < ENVELOPE {
        return Err(UNREADABLE);
    }
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut magic)).map_err(|_| UNREADABLE)?;
    file.seek(SeekFrom::End(-8)).and_then(|_| file.read_exact(&mut tail)).map_err(|_| UNREADABLE)?;
    let [a, b, c, d, end @ ..] = tail;
    if &end == b"PARE" {
        return Err("encrypted Parquet cannot be read; deliver it decrypted");
    }
    if &magic != b"PAR1" || &end != b"PAR1" {
        return Err("this is not Parquet, or its end is missing");
    }
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length > bytes - ENVELOPE {
        return Err("malformed Parquet: the footer is longer than the file");
    }
    if length > MAX_FOOTER {
        return Err("the Parquet footer is larger than 64 MiB");
    }
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(bytes - 8 - length)).map_err(|_| UNREADABLE)?;
    file.by_ref().take(length).read_to_end(&mut footer).map_err(|_| UNREADABLE)?;
    Walk { rest: &footer }.file_metadata()
}

/// What is left of the footer.
struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn file_metadata(&mut self) -> Verdict<()> {
        let mut before = 0;
        while let Some((id, kind)) = self.field(&mut before)? {
            match (id, kind) {
                (2, LIST) => self.schema()?,
                (4, LIST) => {
                    let (size, element) = self.list()?;
                    if size > MAX_ROW_GROUPS {
                        return Err("the Parquet file claims more than 32,767 row groups");
                    }
                    self.elements(size, element, 0)?;
                }
                _ => self.value(kind, 0)?,
            }
        }
        Ok(())
    }

    /// The schema is a tree, flattened depth first: each element says how many of the next are its children.
    fn schema(&mut self) -> Verdict<()> {
        let (size, element) = self.list()?;
        if element != STRUCT {
            return Err("malformed Parquet: the schema is no schema");
        }
        let mut open: Vec<usize> = Vec::new();
        let mut columns = 0;
        for left in (0..size).rev() {
            let children = self.schema_element()?;
            if children > left {
                return Err("malformed Parquet: the schema claims children that it does not hold");
            }
            if let Some(siblings) = open.last_mut() {
                *siblings = siblings.saturating_sub(1);
            }
            if children > 0 {
                open.push(children);
            } else {
                columns += 1;
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if open.len() > MAX_DEPTH {
                return Err(NESTED);
            }
            if columns > MAX_COLUMNS {
                return Err("the Parquet file has more than 10,000 columns");
            }
        }
        Ok(())
    }

    fn schema_element(&mut self) -> Verdict<usize> {
        let mut children = 0;
        let mut before = 0;
        while let Some((id, kind)) = self.field(&mut before)? {
            match (id, kind) {
                (5, 5) => {
                    children = usize::try_from(zigzag(self.varint()?)).map_err(|_| "malformed Parquet: the schema")?;
                }
                _ => self.value(kind, 0)?,
            }
        }
        Ok(children)
    }

    /// The next field of a struct, or its end.
    fn field(&mut self, before: &mut i64) -> Verdict<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head & 0x0f == 0 {
            return Ok(None);
        }
        let delta = i64::from(head >> 4);
        *before = if delta == 0 { zigzag(self.varint()?) } else { before.saturating_add(delta) };
        Ok(Some((*before, head & 0x0f)))
    }

    /// Count and kind of a list's elements, of which each takes at least a byte.
    fn list(&mut self) -> Verdict<(usize, u8)> {
        let head = self.byte()?;
        let size = match head >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| CUT)?,
            short => usize::from(short),
        };
        if size > self.rest.len() {
            return Err(CUT);
        }
        Ok((size, head & 0x0f))
    }

    fn elements(&mut self, size: usize, kind: u8, depth: usize) -> Verdict<()> {
        for _ in 0..size {
            match kind {
                // Truth values stand in a field's head, but take a byte of their own in a list.
                1 | 2 => self.take(1)?,
                _ => self.value(kind, depth + 1)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, depth: usize) -> Verdict<()> {
        if depth > MAX_DEPTH {
            return Err(NESTED);
        }
        match kind {
            1 | 2 => Ok(()),
            3 => self.take(1),
            4..=6 => self.varint().map(drop),
            7 => self.take(8),
            8 => {
                let length = usize::try_from(self.varint()?).map_err(|_| CUT)?;
                self.take(length)
            }
            LIST | 10 => {
                let (size, element) = self.list()?;
                self.elements(size, element, depth)
            }
            STRUCT => {
                let mut before = 0;
                while let Some((_, kind)) = self.field(&mut before)? {
                    self.value(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err("malformed Parquet: the footer holds what no Parquet footer holds"),
        }
    }

    fn byte(&mut self) -> Verdict<u8> {
        let (first, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Verdict<()> {
        self.rest = self.rest.get(length..).ok_or(CUT)?;
        Ok(())
    }

    fn varint(&mut self) -> Verdict<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("malformed Parquet: a number in the footer does not end")
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
