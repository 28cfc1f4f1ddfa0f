//! How much memory a run may take: it stops by itself, with what to change, before the machine stops it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Units of a size, smallest first.
const UNITS: [(&str, u64); 6] = [
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// The most memory that a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit {
    bytes: u64,
}

impl FromStr for MemoryLimit {
    type Err = String;

    /// Reads a whole number with a unit: "800 MB", "4 GiB".
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let text = text.trim();
        let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, unit))| number.checked_mul(*unit));
        let bytes = bytes.filter(|bytes| *bytes > 0);
        bytes
            .map(|bytes| Self { bytes })
            .ok_or_else(|| "not a size: write a number and a unit, such as \"4 GiB\" or \"800 MB\"".to_owned())
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| self.bytes.is_multiple_of(*unit);
        let (name, unit) = UNITS.iter().rev().find(fits).copied().unwrap_or(("bytes", 1));
        write!(f, "{} {name}", self.bytes / unit)
    }
}

impl MemoryLimit {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// Has what a worker leaves behind given back when it ends, as long as this process lives: that costs time, and what is
    /// kept for the next worker counts as held. Nothing changes where the program has another allocator.
    pub fn give_back_at_once(self) {
        #[cfg(not(target_env = "msvc"))]
        // An allocator without such a thread already does.
        let _ = tikv_jemalloc_ctl::background_thread::write(false);
    }

    /// Stops a run that will need so many bytes at once, before it takes them.
    pub fn allows(self, needed: u64) -> Result<()> {
        if needed <= self.bytes {
            return Ok(());
        }
        let needed = needed.div_ceil(1 << 20);
        Err(Error::Resources(format!("the run needs at least {needed} MiB, and {self} are allowed: {REMEDY}")))
    }

    /// Stops a run that holds more by now. Only where the system tells how much that is (Linux).
    pub fn keep(self, doing: &str) -> Result<()> {
        match held() {
            Some(held) if held > self.bytes => {
                let held = held.div_ceil(1 << 20);
                Err(Error::Resources(format!("{doing}: the run holds {held} MiB, and {self} are allowed: {REMEDY}")))
            }
            _ => Ok(()),
        }
    }
}

const REMEDY: &str = "allow more (memory_limit in the run file, or --memory-limit), use fewer workers (--partitions 1), \
                      or declare fewer features; `riskstrat explain-plan` shows what takes most";

/// Bytes of memory that this process has.
fn held() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes, written) in [
            ("4 GiB", 4 << 30, "4 GiB"),
            ("800MB", 800_000_000, "800 MB"),
            (" 1 gib ", 1 << 30, "1 GiB"),
            ("1500 MiB", 1500 << 20, "1500 MiB"),
            ("2048 MiB", 2 << 30, "2 GiB"),
        ] {
            let limit: MemoryLimit = text.parse().unwrap();
            assert_eq!((limit.bytes, limit.to_string().as_str()), (bytes, written));
        }
        for wrong in ["", "4", "GiB", "0 GiB", "-1 GiB", "1.5 GiB", "4 GiBs", "99999999999999 TiB"] {
            assert!(wrong.parse::<MemoryLimit>().is_err(), "{wrong}");
        }
    }

    #[test]
    #[cfg(not(target_env = "msvc"))]
    fn under_a_limit_no_thread_of_the_allocator_keeps_memory() {
        MemoryLimit { bytes: 1 << 40 }.give_back_at_once();
        assert!(!tikv_jemalloc_ctl::background_thread::read().unwrap());
    }

    #[test]
    fn what_is_held_and_what_is_needed_stop_at_the_limit() {
        let little = MemoryLimit { bytes: 1 << 20 };
        let much = MemoryLimit { bytes: 1 << 40 };
        assert!(much.allows(1 << 30).is_ok() && much.allows((1 << 40) + 1).is_err() && much.allows(u64::MAX).is_err());
        assert_eq!(little.keep("reading").is_err(), cfg!(target_os = "linux"));
        assert!(MemoryLimit { bytes: u64::MAX }.keep("reading").is_ok());
    }
}
