//! Small random populations with random declarations, for comparing two implementations of the same run.
//!
//! A seed settles everything: what is declared ([`declare`]), who there is and what happened to them ([`people`]), and
//! how the rows are cut into files ([`layout`]). The three are drawn separately, so that one can vary alone.

pub mod added;
mod calibrate;
pub mod declare;
mod grow;
pub mod layout;
pub mod people;

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

pub use declare::Declarations;
pub use layout::Table;

/// A delivery and its declarations, written to a folder of its own.
pub struct Written {
    folder: TempDir,
}

impl Written {
    pub fn run_file(&self) -> PathBuf {
        self.folder.path().join("run.toml")
    }
}

/// What is not random about a population: declarations and tables.
#[derive(Clone)]
pub struct Population {
    pub declarations: Declarations,
    pub tables: Vec<Table>,
}

/// A generator for one of the things that a seed settles.
pub fn random(seed: u64, about: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(about))
}

impl Population {
    pub fn new(seed: u64) -> Self {
        Self::of(&Declarations::new(seed), seed, "a")
    }

    /// People whose tokens and keys begin with `prefix`, so that two populations share none.
    pub fn of(declarations: &Declarations, seed: u64, prefix: &str) -> Self {
        Self { declarations: declarations.clone(), tables: people::tables(declarations, seed, prefix) }
    }

    /// Both populations in one delivery; facts that are about no person are taken once.
    pub fn and(&self, other: &Self) -> Self {
        let both = self.tables.iter().zip(&other.tables).map(|(mine, theirs)| {
            let mut table = mine.clone();
            if table.about_people {
                table.rows.extend(theirs.rows.iter().cloned());
            }
            table
        });
        Self { declarations: self.declarations.clone(), tables: both.collect() }
    }

    /// Writes it all; `layout` settles formats, files and the order of rows, and nothing else.
    pub fn write(&self, layout: u64) -> Written {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &self.declarations.files {
            save(&folder.path().join(path), text.as_bytes());
        }
        let deliveries = folder.path().join("deliveries");
        fs::create_dir_all(&deliveries).unwrap();
        for (index, table) in self.tables.iter().enumerate() {
            layout::write(table, &deliveries, &mut random(layout, 100 + index as u64));
        }
        Written { folder }
    }
}

fn save(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
