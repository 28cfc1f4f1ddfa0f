//! The floor under the whole job: the Parquet crate alone decodes the columns that a run reads, and nothing is done with
//! them. `floor RUN.toml DELIVERIES [THREADS]` prints rows and seconds.
//!
//! Text is decoded as a run decodes it, by dictionary where all of a column is and as views elsewhere, which is the least
//! that the crate can do. Nothing is hashed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::source::delivered_columns;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [run, deliveries, rest @ ..] = arguments.as_slice() else {
        return Err("floor RUN.toml DELIVERIES [THREADS]".into());
    };
    let threads: usize = rest.first().map_or(Ok(2), |threads| threads.parse())?;
    let pipeline = parse::load(Path::new(run), &LoadOptions::default()).map_err(|error| error.to_string())?;
    let mut files: Vec<(PathBuf, usize)> = Vec::new();
    for (index, source) in pipeline.sources.iter().enumerate() {
        for pattern in source.decl.files.as_slice() {
            for path in glob::glob(&Path::new(deliveries).join(pattern).to_string_lossy())? {
                files.push((path?, index));
            }
        }
    }
    let started = Instant::now();
    let (next, rows) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let work = || -> Result<(), Error> {
            while let Some((path, source)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                rows.fetch_add(decode(path, &pipeline.sources[*source])?, Ordering::Relaxed);
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker stopped")?)
    })?;
    let told = BTreeMap::from([("rows", rows.into_inner() as f64), ("seconds", started.elapsed().as_secs_f64())]);
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&told)?)?;
    Ok(())
}

/// Rows of one file, every column that its source reads decoded.
fn decode(path: &Path, source: &riskstrat::pipeline::Source) -> Result<u64, Error> {
    let file = File::open(path)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let plain = ArrowReaderMetadata::load(&file, options)?;
    let header: Vec<String> = plain.schema().fields().iter().map(|field| field.name().clone()).collect();
    let columns = delivered_columns(source, &header);
    let groups = plain.metadata().row_groups();
    let stored = |(leaf, field): (usize, &Arc<Field>)| {
        let by_dictionary = groups.iter().all(|group| {
            let pages = group.column(leaf).page_encoding_stats_mask();
            pages.is_some_and(|pages| pages.is_only(Encoding::RLE_DICTIONARY))
        });
        let data_type = match field.data_type() {
            DataType::Utf8 if by_dictionary => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            DataType::Utf8 => DataType::Utf8View,
            other => other.clone(),
        };
        field.as_ref().clone().with_data_type(data_type)
    };
    let fields: Vec<Field> = plain.schema().fields().iter().enumerate().map(stored).collect();
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)?;
    let read = header.iter().enumerate().filter(|(_, name)| columns.contains(name)).map(|(at, _)| at);
    let mask = ProjectionMask::roots(metadata.parquet_schema(), read);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mut rows = 0;
    for batch in reader.with_projection(mask).with_batch_size(8192).build()? {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}
