//! Delivered columns become our names and types; bad rows are set aside with a reason.

/// One cell.
pub mod values;

/// Text in the form in which it came.
mod text;

/// One column.
mod columns;

/// Text judged once for each distinct value.
mod coded;

/// Dates and numbers that come as such.
mod numbers;

/// SQL over delivered columns.
mod expression;

/// One batch: every column of a source, and what it says about people.
mod batch;

/// Tokens that a recipient sent back become the people's own.
mod returned;

/// Rows that were sent twice.
mod duplicates;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::memory::MemoryLimit;
use crate::pipeline::decl::{OnBadRow, Role, Tokens};
use crate::pipeline::{Pipeline, Source};
use crate::receipt::Reason;
use crate::source::{self, Delivered, DeliveredFile};
use crate::workers;
use batch::Conformer;

pub use batch::{days as batch_days, schema};
pub use columns::count;
pub use duplicates::cell_text;
pub use returned::MISTYPED;
pub use text::{Memo, Texts, plain};

/// How the work is cut: changes no published byte.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// Worker threads.
    pub partitions: usize,
    pub batch_rows: usize,
    /// Beyond it a run stops.
    pub memory: Option<MemoryLimit>,
}

impl Engine {
    /// Without a limit on memory.
    pub const fn of(partitions: usize, batch_rows: usize) -> Self {
        Self { partitions, batch_rows, memory: None }
    }

    /// Stops a run that is about to take more memory than it may.
    pub fn has_room(&self, bytes: u64) -> Result<()> {
        self.memory.map_or(Ok(()), |limit| limit.allows(bytes))
    }

    /// Stops a run that holds more memory than it may.
    pub fn keeps_limit(&self, doing: &str) -> Result<()> {
        self.memory.map_or(Ok(()), |limit| limit.keep(doing))
    }
}

/// Deliveries that can be read as our columns, source by source.
#[derive(Debug)]
pub struct Conformed<'a> {
    pub pipeline: &'a Pipeline,
    pub delivered: &'a Delivered,
    pub engine: Engine,
    /// Rows recorded on or after this date are not yet known: the as-of date, but for the follow-up of a study.
    known_by: Date,
    /// For each source: its rows, when it is a lookup.
    lookups: Vec<Option<Lookup>>,
    /// By source: how often its files were read.
    scans: Vec<AtomicUsize>,
}

/// The rows of a lookup by their key.
#[derive(Debug)]
struct Lookup {
    rows: RecordBatch,
    by_key: BTreeMap<String, u32>,
}

/// Conformed rows of one file.
#[derive(Debug)]
pub struct Chunk {
    /// Index into the source's files.
    pub file: usize,
    /// Where each row stands in its file.
    pub rows: Vec<u64>,
    /// Our columns, in declared order. Of events, text stays in the form in which it is stored: read it through [`Texts`],
    /// or make it [`plain`].
    pub batch: RecordBatch,
    /// For each demographic item the source speaks of: what was delivered, blank as null. Text in any form ([`Texts`]), or days.
    pub says: Vec<ArrayRef>,
    pub fates: Vec<Fate>,
    /// Rows whose key another good row of the source has, too.
    pub contested: Vec<u32>,
    /// The same rows as they were delivered, where they may be asked for.
    raw: Option<RecordBatch>,
}

/// Rows of one file as they were delivered, in plain text.
#[derive(Debug, Clone)]
pub struct RawRows {
    pub file: usize,
    pub batch: RecordBatch,
}

impl Chunk {
    /// Some of the rows as they were delivered; none where that is not held.
    pub fn as_delivered(&self, rows: &[u32]) -> Result<Option<RawRows>> {
        let Some(raw) = &self.raw else { return Ok(None) };
        let rows = take_record_batch(raw, &UInt32Array::from(rows.to_vec()))?;
        let schema = rows.schema();
        let fields: Vec<_> = schema.fields().iter().map(|field| expression::declared(field)).collect();
        let columns = rows.columns().iter().zip(&fields).map(|(column, field)| plain(column, field.data_type()));
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns.collect::<Result<_>>()?)?;
        Ok(Some(RawRows { file: self.file, batch }))
    }
}

/// What became of a row, as far as the row itself decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Good,
    SetAside,
    /// Recorded on or after the as-of date.
    NotYetKnown,
    /// Another row with this key is kept.
    Duplicate,
}

/// A rejected row: where it stands, and the column and rule it broke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetAside {
    /// Name of the file below the deliveries folder.
    pub file: String,
    pub row: u64,
    pub column: String,
    pub rule: String,
}

/// What conforming a source found out, whatever the order of its rows.
#[derive(Debug, Default)]
pub struct Tally {
    pub rows: u64,
    pub set_aside: Vec<SetAside>,
    pub blanked: Vec<Reason>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.set_aside.extend(other.set_aside);
        for reason in other.blanked {
            columns::count(&mut self.blanked, &reason.column, &reason.rule, reason.count);
        }
    }
}

/// Loads the lookups, so that every other source can be read as it was known at the as-of date.
pub fn conform<'a>(pipeline: &'a Pipeline, delivered: &'a Delivered, engine: Engine) -> Result<Conformed<'a>> {
    conform_known_by(pipeline, delivered, engine, pipeline.as_of)
}

/// The same with what was recorded before another date than the as-of date: what happened is often written down later.
pub fn conform_known_by<'a>(
    pipeline: &'a Pipeline,
    delivered: &'a Delivered,
    engine: Engine,
    known_by: Date,
) -> Result<Conformed<'a>> {
    let lookups = pipeline.sources.iter().map(|_| None).collect();
    let scans = pipeline.sources.iter().map(|_| AtomicUsize::new(0)).collect();
    let mut conformed = Conformed { pipeline, delivered, engine, known_by, lookups, scans };
    for (index, _) in pipeline.with_role(Role::Lookup) {
        conformed.load_lookup(index)?;
    }
    Ok(conformed)
}

impl Conformed<'_> {
    /// Reads a lookup whole, and holds it to one row a key.
    fn load_lookup(&mut self, index: usize) -> Result<()> {
        let source = &self.pipeline.sources[index];
        let (chunks, _) = self.collect(index)?;
        let batches = chunks.iter().map(duplicates::good).collect::<Result<Vec<_>>>()?;
        let rows = concat_batches(&schema(source), &batches)?;
        let keys: Vec<&ArrayRef> = source.decl.key.iter().filter_map(|key| rows.column_by_name(key)).collect();
        let mut by_key = BTreeMap::new();
        let mut repeated = 0_u64;
        for row in 0..rows.num_rows() {
            let Some(key) = duplicates::key_text(&keys, row) else { continue };
            let number =
                u32::try_from(row).map_err(|_| Error::Resources(format!("lookup {} is too large", source.name)))?;
            repeated += u64::from(by_key.insert(key, number).is_some());
        }
        if repeated > 0 {
            return Err(Error::Check(format!(
                "source {}, column {}: rows_per_key = \"one\", but {repeated} row{} a key that another row has",
                source.name,
                source.decl.key.join(" + "),
                if repeated == 1 { " repeats" } else { "s repeat" },
            )));
        }
        self.lookups[index] = Some(Lookup { rows, by_key });
        Ok(())
    }

    /// By source: how often its files were read so far.
    pub fn scans(&self) -> Vec<usize> {
        self.scans.iter().map(|scans| scans.load(Ordering::Relaxed)).collect()
    }

    /// Reads a source once, cut over the workers, each with a state of its own made by `new`.
    ///
    /// With a `key` the whole source is held until its duplicates are known; otherwise batch by batch.
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
        let (chunks, tally) = self.collect(source)?;
        let states = workers::share(self.engine.partitions, chunks, &new, |state, chunk| each(state, chunk))?;
        Ok((states, tally))
    }

    /// All rows of a source, duplicates marked.
    fn collect(&self, source: usize) -> Result<(Vec<Chunk>, Tally)> {
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

/// Where more than one row in so many shares its key with another, rows are not kept as they were delivered.
const CROWDED: u64 = 8;

/// Sources with many rows and their people's own tokens are read with text as it is stored.
pub fn is_read_as_stored(source: &Source) -> bool {
    matches!(source.decl.role, Role::Events | Role::Register) && source.decl.tokens == Tokens::Source
}

/// What reads events can take their text as it is stored; all else becomes plain text.
fn stays_as_stored(source: &Source) -> bool {
    source.decl.role == Role::Events && is_read_as_stored(source)
}

/// Columns made so far, in declared order.
type Columns = Vec<ArrayRef>;
