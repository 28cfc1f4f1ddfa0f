//! One fit to the matrix that `benches/peers/matrix.py` invents, for `benches/peers/compare.py`, which runs the peers beside it.
//!
//! `train FILE.parquet logistic|trees OUT [threads] [trees leaves]` writes `OUT.risks` (a little-endian f64 for each row of the file) and
//! `OUT.csv` (the model's table), and prints seconds as a line of JSON.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::Float64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use riskstrat::pipeline::study::LogisticDecl;
use riskstrat::train::logistic::Logistic;
use riskstrat::train::trees::BoostedTrees;
use riskstrat::train::{Input, Learner, Matrix, Sample, Says};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    // `cargo bench` and `cargo test` add words of their own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [file, learner, out, rest @ ..] = words.as_slice() else { return Ok(()) };
    let numbers = rest.iter().map(|text| text.parse()).collect::<std::result::Result<Vec<usize>, _>>()?;
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let threads = number(0, 2);
    let logistic = Logistic { decl: LogisticDecl::default(), ridge: 1.0, lasso: 0.0, threads };
    let trees = BoostedTrees {
        trees: number(1, 200),
        leaves: number(2, 31),
        learning_rate: 0.1,
        ridge: 1.0,
        patience: None,
        threads,
    };
    let learner: &dyn Learner = match learner.as_str() {
        "logistic" => &logistic,
        "trees" => &trees,
        _ => return Err(format!("no learner {learner}: logistic or trees").into()),
    };
    let (outcome, held_out) = (flags(file, "outcome")?, flags(file, "held_out")?);
    let part = |held: bool| (0..held_out.len()).filter(|row| held_out[*row] == held).collect::<Vec<_>>();
    let parts = [part(false), part(true)];
    let [learnt, held] = matrices(file, &parts)?;
    let outcome: Vec<bool> = parts[0].iter().map(|row| outcome[*row]).collect();
    let (weight, person) = (vec![1.0; outcome.len()], (0..outcome.len() as u32).collect::<Vec<_>>());
    let sample = Sample { matrix: &learnt, outcome: &outcome, weight: &weight, person: &person, seed: 1 };
    let (start, processor) = (Instant::now(), processor_seconds()?);
    let fitted = learner.fit(&sample)?;
    let spent = (start.elapsed().as_secs_f64(), processor_seconds()? - processor);
    let risks = [fitted.predict(&learnt)?, fitted.predict(&held)?];
    let mut all = vec![0.0; held_out.len()];
    for (rows, risks) in parts.iter().zip(&risks) {
        rows.iter().zip(risks).for_each(|(row, risk)| all[*row] = *risk);
    }
    std::fs::write(format!("{out}.risks"), all.iter().flat_map(|risk| risk.to_le_bytes()).collect::<Vec<u8>>())?;
    let declared = fitted.declare();
    let (_, table) = declared.table.ok_or("this learner has no table of its own")?;
    std::fs::write(format!("{out}.csv"), table)?;
    let line = serde_json::json!({
        "fit_seconds": spent.0, "fit_processor_seconds": spent.1, "notes": declared.notes,
    });
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// What all threads of this process have spent so far; Linux counts it in hundredths.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<std::result::Result<u64, _>>()? as f64 / 100.0)
}

/// A column of yes and no.
fn flags(file: &str, name: &str) -> Result<Vec<bool>> {
    let mut flags = Vec::new();
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let only = ProjectionMask::columns(builder.parquet_schema(), [name]);
    for batch in builder.with_projection(only).build()? {
        let column: BooleanArray = batch?.column(0).as_boolean().clone();
        flags.extend(column.values().iter());
    }
    Ok(flags)
}

/// The inputs of two parts of the rows, read a column at a time.
fn matrices(file: &str, parts: &[Vec<usize>; 2]) -> Result<[Matrix; 2]> {
    let mut matrices = [Matrix::new(parts[0].len()), Matrix::new(parts[1].len())];
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    for name in names.iter().filter(|name| !["outcome", "held_out"].contains(&name.as_str())) {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
        let only = ProjectionMask::columns(builder.parquet_schema(), [name.as_str()]);
        let mut values: Vec<f64> = Vec::new();
        for batch in builder.with_projection(only).build()? {
            let batch = batch?;
            let column = batch.column(0).as_primitive::<Float64Type>();
            values.extend(column.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
        for (matrix, rows) in matrices.iter_mut().zip(parts) {
            let input = Input { feature: name.clone(), says: Says::Number };
            matrix.push(input, &rows.iter().map(|row| values[*row]).collect::<Vec<_>>());
        }
    }
    Ok(matrices)
}
