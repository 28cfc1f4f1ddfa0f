//! The parts of a run by themselves: reading, fitting, scoring, explaining. `cargo bench --bench parts`.

use std::hint::black_box;
use std::path::Path;

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::conform::{self, Engine};
use riskstrat::features;
use riskstrat::link::Ledger;
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::decl::Role;
use riskstrat::pipeline::parse::{LoadOptions, load};
use riskstrat::pipeline::study::LogisticDecl;
use riskstrat::score::contributions::Explainer;
use riskstrat::train::logistic::Logistic;
use riskstrat::train::trees::BoostedTrees;
use riskstrat::train::{Input, Learner, Matrix, Sample, Says};
use riskstrat::{link, score, source};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 20_000;
const INPUTS: usize = 30;

/// Rows of counts, yes or no, and numbers that are missing for a third.
fn invented() -> (Matrix, Vec<bool>) {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut log_odds = vec![-2.5; ROWS];
    let mut matrix = Matrix::new(ROWS);
    for number in 0..INPUTS {
        let weight = dice.random_range(-0.2..0.4);
        let mut value = || match number % 3 {
            0 => f64::from(u8::from(dice.random_bool(0.1))),
            1 => f64::from(dice.random_range(0_u8..4) * dice.random_range(0_u8..4)),
            _ if dice.random_bool(0.33) => f64::NAN,
            _ => dice.random_range(-1.0..1.0),
        };
        let values: Vec<f64> = (0..ROWS).map(|_| value()).collect();
        log_odds
            .iter_mut()
            .zip(&values)
            .for_each(|(sum, value)| *sum += if value.is_nan() { 0.1 } else { weight * value });
        matrix.push(Input { feature: format!("input_{number}"), says: Says::Number }, &values);
    }
    let outcome = log_odds.iter().map(|sum: &f64| dice.random_bool(1.0 / (1.0 + (-sum).exp()))).collect();
    (matrix, outcome)
}

fn fits(criterion: &mut Criterion) {
    let (matrix, outcome) = invented();
    let (weight, person) = (vec![1.0; ROWS], (0..ROWS as u32).collect::<Vec<_>>());
    let sample = Sample { matrix: &matrix, outcome: &outcome, weight: &weight, person: &person, seed: 1 };
    let logistic = |lasso| Logistic { decl: LogisticDecl::default(), ridge: 1.0, lasso, threads: 2 };
    let trees = BoostedTrees { trees: 50, leaves: 31, learning_rate: 0.1, ridge: 1.0, patience: None, threads: 2 };
    let mut group = criterion.benchmark_group("fit");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("logistic, ridge", |bench| bench.iter(|| logistic(0.0).fit(&sample)));
    group.bench_function("logistic, lasso", |bench| bench.iter(|| logistic(20.0).fit(&sample)));
    group.bench_function("50 trees", |bench| bench.iter(|| trees.fit(&sample)));
    group.finish();
    let fitted = [("logistic", logistic(0.0).fit(&sample)), ("50 trees", trees.fit(&sample))];
    let mut group = criterion.benchmark_group("predict");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, fitted) in fitted.into_iter().filter_map(|(name, fitted)| Some((name, fitted.ok()?))) {
        group.bench_function(name, |bench| bench.iter(|| fitted.predict(black_box(&matrix))));
    }
}

/// The demo's deliveries: registers and the spine alone, then every source with its features and evidence.
#[expect(clippy::expect_used, reason = "a bench has nobody to return an error to")]
fn reads(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pipeline =
        load(&root.join("pipelines/demo.toml"), &LoadOptions::default()).expect("the demo's declarations hold");
    let delivered = source::find(&pipeline).expect("the demo's deliveries are found");
    let conformed = conform::conform(&pipeline, &delivered, Engine::of(2, 8192)).expect("the demo's lookups are read");
    let (_, _, accounts) = features::pass(link::link(&conformed).expect("the demo has people"), &|_| {})
        .expect("the demo's deliveries are read");
    let rows = accounts.sources.iter().map(|account| account.rows).sum();
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10).throughput(Throughput::Elements(rows));
    group.bench_function("link", |bench| bench.iter(|| link::link(&conformed)));
    group.bench_function("link and features", |bench| {
        bench.iter(|| link::link(&conformed).and_then(|records| features::pass(records, &|_| {})));
    });
    group.finish();
    let records = link::link(&conformed).expect("the demo has people");
    let mut group = criterion.benchmark_group("read one source");
    for (index, source) in pipeline.with_role(Role::Events) {
        let rows = accounts.sources.get(index).map_or(0, |account| account.rows);
        group.throughput(Throughput::Elements(rows));
        group.bench_function(format!("{}: conform", source.name), |bench| {
            bench.iter(|| conformed.scan(index, || (), |(), _| Ok(())));
        });
        group.bench_function(format!("{}: conform and link", source.name), |bench| {
            bench.iter(|| {
                let link = |ledger: &mut Ledger, chunk| records.link_chunk(Role::Events, &chunk, ledger).map(drop);
                conformed.scan(index, Ledger::default, link)
            });
        });
    }
}

/// The demo's people, over and over.
fn people(pipeline: &Pipeline) -> Result<RecordBatch> {
    let delivered = source::find(pipeline)?;
    let conformed = conform::conform(pipeline, &delivered, Engine::of(2, 8192))?;
    let once = features::pass(link::link(&conformed)?, &|_| {})?.1.columns.whole()?;
    let again = ROWS.div_ceil(once.num_rows());
    Ok(concat_batches(&once.schema(), std::iter::repeat_n(&once, again))?.slice(0, ROWS))
}

#[expect(clippy::expect_used, reason = "a bench has nobody to return an error to")]
fn scores(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pipeline =
        load(&root.join("pipelines/demo.toml"), &LoadOptions::default()).expect("the demo's declarations hold");
    let features = people(&pipeline).expect("the demo's deliveries are read");
    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(ROWS as u64));
    for model in &pipeline.models {
        group.bench_function(&model.name, |bench| bench.iter(|| score::of(&pipeline, model, &features)));
    }
    group.finish();
    let some = UInt32Array::from_iter_values((0..500).map(|row| row * 37));
    let some = take_record_batch(&features, &some).expect("there are so many rows");
    let mut group = criterion.benchmark_group("explain 500 people");
    group.throughput(Throughput::Elements(500));
    for model in &pipeline.models {
        let of_all = || {
            let explainer = Explainer::new(model, &some)?;
            (0..some.num_rows()).map(|row| explainer.of(row)).collect::<riskstrat::error::Result<Vec<_>>>()
        };
        group.bench_function(&model.name, |bench| bench.iter(of_all));
    }
}

criterion_group!(parts, reads, fits, scores);
criterion_main!(parts);
