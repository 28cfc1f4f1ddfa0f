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

/// Rows that memory does not hold.
mod spill;

/// One source from its first row to its last.
mod scan;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::memory::MemoryLimit;
use crate::pipeline::decl::{Role, Tokens};
use crate::pipeline::{Pipeline, Source};
use crate::receipt::Reason;
use crate::source::{Delivered, DeliveredSource};

pub use batch::{days as batch_days, schema};
pub use columns::count;
pub use duplicates::cell_text;
pub use returned::MISTYPED;
pub use spill::held_bytes;
pub use text::{Memo, Texts, plain, spelled};

/// How the work is cut: changes no published byte.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// Worker threads.
    pub partitions: usize,
    pub batch_rows: usize,
    /// Beyond it a run stops.
    pub memory: Option<MemoryLimit>,
    /// Parts into which the rows of a source with a key are cut; none: as many as memory asks for.
    pub buckets: Option<NonZero<usize>>,
}

impl Engine {
    /// Without a limit on memory.
    pub const fn of(partitions: usize, batch_rows: usize) -> Self {
        Self { partitions, batch_rows, memory: None, buckets: None }
    }

    /// With the limit on memory that the run file sets, where there is none yet.
    pub fn limited(self, pipeline: &Pipeline) -> Self {
        let declared = pipeline.decl.memory_limit.as_deref().and_then(|text| text.parse().ok());
        Self { memory: self.memory.or(declared), ..self }
    }

    /// Into how many parts the rows of a source are cut that are held until their duplicates are known: more than one are
    /// kept on the disk, and read back one after the other.
    pub fn buckets(&self, source: &Source, delivered: &DeliveredSource) -> usize {
        if source.decl.key.is_empty() || source.decl.role == Role::Lookup {
            return 1;
        }
        let needed = || self.memory.map(|limit| spill::buckets(&delivered.files, limit, self.partitions));
        self.buckets.map(NonZero::get).or_else(needed).unwrap_or(1)
    }

    /// Stops a run that will hold so many bytes at once, and may not.
    pub fn has_room(&self, bytes: u64) -> Result<()> {
        self.memory.map_or(Ok(()), |limit| limit.allows(bytes))
    }

    /// Whether so many bytes of finished columns are to be put aside while more is made.
    pub fn puts_aside(&self, bytes: u64) -> bool {
        self.buckets.map_or_else(
            || self.memory.is_some_and(|limit| bytes > limit.bytes() / spill::SHARE),
            |buckets| buckets.get() > 1,
        )
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
    by_key: HashMap<String, u32>,
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

impl Fate {
    const ALL: [Self; 4] = [Self::Good, Self::SetAside, Self::NotYetKnown, Self::Duplicate];
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
    engine.memory.iter().for_each(|limit| limit.give_back_at_once());
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
        let mut by_key = HashMap::new();
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
}

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
