//! One source from its first row to its last, cut over the workers.

use std::sync::atomic::Ordering;

use super::batch::Conformer;
use super::spill::Spill;
use super::{Chunk, Conformed, Tally, duplicates, is_read_as_stored};
use crate::error::{Error, Result};
use crate::pipeline::decl::{OnBadRow, Role};
use crate::source::{self, DeliveredFile};
use crate::workers;

/// Where more than one row in so many shares its key with another, rows are not kept as they were delivered.
const CROWDED: u64 = 8;

impl Conformed<'_> {
    /// By source: how often its files were read so far.
    pub fn scans(&self) -> Vec<usize> {
        self.scans.iter().map(|scans| scans.load(Ordering::Relaxed)).collect()
    }

    /// Reads a source once, cut over the workers, each with a state of its own made by `new`.
    ///
    /// With a `key` the rows of the source are held until its duplicates are known, in memory or cut into buckets on the
    /// disk; otherwise batch by batch.
    pub fn scan<S: Send>(
        &self,
        source: usize,
        new: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, Chunk) -> Result<()> + Sync,
    ) -> Result<(Vec<S>, Tally)> {
        if self.pipeline.sources[source].decl.key.is_empty() || self.pipeline.sources[source].decl.role == Role::Lookup
        {
            self.scans[source].fetch_add(1, Ordering::Relaxed);
            let files = self.delivered.sources[source].files.iter().enumerate().collect();
            let states = workers::share(
                self.engine.partitions,
                files,
                || (new(), Tally::default()),
                |(state, tally), (number, file)| {
                    self.read(source, number, file, tally, &mut |chunk| each(state, chunk))
                },
            )?;
            let mut total = Tally::default();
            let states = states.into_iter().map(|(state, tally)| {
                total.merge(tally);
                state
            });
            let states = states.collect();
            return Ok((states, self.judged(source, total)?));
        }
        match self.engine.buckets(&self.pipeline.sources[source], &self.delivered.sources[source]) {
            1 => {
                let (chunks, tally) = self.collect(source)?;
                let states = workers::share(self.engine.partitions, chunks, &new, |state, chunk| each(state, chunk))?;
                Ok((states, tally))
            }
            buckets => self.scan_in_buckets(source, buckets, new, each),
        }
    }

    /// Writes the rows of a source into buckets, and goes through one after the other.
    fn scan_in_buckets<S: Send>(
        &self,
        source: usize,
        buckets: usize,
        new: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, Chunk) -> Result<()> + Sync,
    ) -> Result<(Vec<S>, Tally)> {
        self.scans[source].fetch_add(1, Ordering::Relaxed);
        let declared = &self.pipeline.sources[source];
        let spill = Spill::new(declared, buckets)?;
        let files = self.delivered.sources[source].files.iter().enumerate().collect();
        let written = workers::share(
            self.engine.partitions,
            files,
            || (spill.gathered(), Tally::default()),
            |(gathered, tally), (number, file)| {
                self.read(source, number, file, tally, &mut |chunk| spill.add(gathered, &chunk))?;
                spill.write(gathered)
            },
        )?;
        let mut total = Tally::default();
        written.into_iter().for_each(|(_, tally)| total.merge(tally));
        let total = self.judged(source, total)?;
        let place = format!("source {}", declared.name);
        let states = workers::share(self.engine.partitions, spill.written()?, new, |state, bucket| {
            let mut chunks = bucket.read()?;
            self.engine.keeps_limit(&place)?;
            duplicates::mark(declared, self.pipeline.as_of, 1, &mut chunks)?;
            chunks.into_iter().try_for_each(|chunk| each(state, chunk))
        })?;
        Ok((states, total))
    }

    /// All rows of a source, duplicates marked.
    pub(super) fn collect(&self, source: usize) -> Result<(Vec<Chunk>, Tally)> {
        self.scans[source].fetch_add(1, Ordering::Relaxed);
        let files = self.delivered.sources[source].files.iter().enumerate().collect();
        let states = workers::share(
            self.engine.partitions,
            files,
            Default::default,
            |(chunks, tally): &mut (Vec<Chunk>, Tally), (number, file)| {
                self.read(source, number, file, tally, &mut |chunk| {
                    chunks.push(chunk);
                    Ok(())
                })
            },
        )?;
        let mut total = Tally::default();
        let mut all = Vec::new();
        for (chunks, tally) in states {
            all.extend(chunks);
            total.merge(tally);
        }
        if self.pipeline.sources[source].decl.role != Role::Lookup {
            let partitions = self.engine.partitions;
            duplicates::mark(&self.pipeline.sources[source], self.pipeline.as_of, partitions, &mut all)?;
        }
        let contested: usize = all.iter().map(|chunk| chunk.contested.len()).sum();
        if contested as u64 > total.rows / CROWDED {
            all.iter_mut().for_each(|chunk| chunk.raw = None);
        }
        Ok((all, self.judged(source, total)?))
    }

    fn read(
        &self,
        source: usize,
        number: usize,
        file: &DeliveredFile,
        tally: &mut Tally,
        each: &mut dyn FnMut(Chunk) -> Result<()>,
    ) -> Result<()> {
        let declared = &self.pipeline.sources[source];
        let conformer = Conformer::new(self, declared, file);
        let checks_itself = self.pipeline.decl.self_check.as_ref().is_some_and(|check| check.one_in > 0);
        let keeps = checks_itself && is_read_as_stored(declared);
        let place = format!("source {}", declared.name);
        let open = if is_read_as_stored(declared) { source::open_stored } else { source::open };
        for raw in open(declared, file, conformer.wanted(), self.engine.batch_rows)? {
            let mut chunk = conformer.conform(raw?, number, tally)?;
            chunk.raw = chunk.raw.filter(|_| keeps);
            each(chunk)?;
            self.engine.keeps_limit(&place)?;
        }
        source::recheck(file)
    }

    /// The tally in an order that no thread decides, held against what the declaration allows.
    fn judged(&self, source: usize, mut tally: Tally) -> Result<Tally> {
        tally.set_aside.sort();
        tally.blanked.sort_by(|a, b| (&a.column, &a.rule).cmp(&(&b.column, &b.rule)));
        let decl = &self.pipeline.sources[source].decl;
        let bad = tally.set_aside.len();
        let share = bad as f64 / tally.rows.max(1) as f64;
        let Some(first) = tally.set_aside.first() else { return Ok(tally) };
        if decl.on_bad_row == OnBadRow::SetAside && share <= decl.max_bad_share {
            return Ok(tally);
        }
        let name = &self.pipeline.sources[source].name;
        let allowed = match decl.on_bad_row {
            OnBadRow::Stop => "on_bad_row = \"stop\"".to_owned(),
            OnBadRow::SetAside => format!("max_bad_share = {}", decl.max_bad_share),
        };
        let mut text = format!("source {name}: {bad} of {} rows are bad, and the source allows {allowed}", tally.rows);
        for bad in tally.set_aside.iter().take(50) {
            text.push_str(&format!("\n  {}, row {}, column {}: {}", bad.file, bad.row, bad.column, bad.rule));
        }
        if bad > 50 {
            text.push_str(&format!("\n  … and {} more; the first is {} row {}", bad - 50, first.file, first.row));
        }
        Err(Error::Check(text))
    }
}
