//! The bytes of a file before it is written: in memory, or on the disk where memory is short.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};

use sha2::{Digest, Sha256};

use super::draft::hex;
use crate::aside::no_room;
use crate::error::Result;

/// Bytes that do not change any more.
#[derive(Debug)]
pub(super) enum Bytes {
    Held(Vec<u8>),
    Aside(File, u64),
}

impl Bytes {
    pub fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Aside(_, length) => *length,
        }
    }

    /// All of them.
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Held(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Aside(file, length) => {
                let mut bytes = Vec::with_capacity(usize::try_from(*length).unwrap_or_default());
                let mut file = file;
                file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| no_room(&error))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Those that are held.
    pub fn held(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Aside(..) => &[],
        }
    }
}

/// Bytes as they come, with their hash.
pub(super) struct Growing {
    hash: Sha256,
    length: u64,
    to: To,
}

enum To {
    Memory(Vec<u8>),
    Disk(BufWriter<File>),
}

impl Growing {
    pub fn new(on_disk: bool) -> Result<Self> {
        let file = || tempfile::tempfile().map(|file| To::Disk(BufWriter::new(file))).map_err(|error| no_room(&error));
        let to = if on_disk { file()? } else { To::Memory(Vec::new()) };
        Ok(Self { hash: Sha256::new(), length: 0, to })
    }

    /// The bytes, and their hash in hexadecimal digits.
    pub fn finish(self) -> Result<(Bytes, String)> {
        let bytes = match self.to {
            To::Memory(bytes) => Bytes::Held(bytes),
            To::Disk(file) => {
                let file = file.into_inner().map_err(|error| no_room(error.error()))?;
                Bytes::Aside(file, self.length)
            }
        };
        Ok((bytes, hex(&self.hash.finalize())))
    }
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            To::Memory(all) => all.write(bytes)?,
            To::Disk(file) => file.write(bytes)?,
        };
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Memory(_) => Ok(()),
            To::Disk(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::sha256;
    use super::*;

    #[test]
    fn bytes_are_the_same_wherever_they_wait() -> Result<()> {
        for on_disk in [false, true] {
            let mut growing = Growing::new(on_disk)?;
            let all: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
            all.chunks(777).for_each(|some| growing.write_all(some).unwrap());
            let (bytes, hash) = growing.finish()?;
            assert_eq!((bytes.len(), hash), (100_000, sha256(&all)));
            // Twice, as whoever writes a file may have to.
            assert!(*bytes.read()? == *all && *bytes.read()? == *all);
            assert_eq!(bytes.held().is_empty(), on_disk);
        }
        Ok(())
    }
}
