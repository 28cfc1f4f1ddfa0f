//! What a run will read of each source, ask of its rows and hold in memory, told before a record is read.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::hear::Hearing;
use super::plan::Plan;
use crate::conform::{Engine, held_bytes};
use crate::error::Result;
use crate::link::rows::compared_columns;
use crate::pipeline::decl::Role;
use crate::pipeline::{Pipeline, Source};
use crate::source::{Delivered, DeliveredSource, delivered_columns};

/// A token in the table of all tokens, where one place in four is free, and on the spine.
const BYTES_A_TOKEN: u64 = 64 * 4 / 3 + 40;

/// A run's plan.
#[derive(Debug, Serialize)]
pub struct Told {
    pub sources: Vec<ToldSource>,
    /// As many as the registers have rows, where their files say so.
    pub people_at_most: Option<u64>,
    pub workers: usize,
    /// The most parts into which the rows of a source are cut.
    pub buckets: usize,
    /// Of so many people: the source that takes most, the table of tokens, every feature. Batches, lists and outputs come on
    /// top. What rows take while they are held is guessed from the sizes of their files. None where the files do not count
    /// their rows.
    pub estimated_bytes: Option<u64>,
}

/// What is planned for one source.
#[derive(Debug, Serialize)]
pub struct ToldSource {
    pub source: String,
    pub files: usize,
    /// Where the files say so.
    pub rows: Option<u64>,
    pub row_groups: usize,
    /// Row groups that are not read. The account says of every row what became of it, which only its token and its date
    /// tell: so there is none.
    pub row_groups_pruned: usize,
    /// Delivered columns that are decoded; no others are.
    pub columns: Vec<String>,
    /// SQL asked of used rows, each once however many features and audits ask it.
    pub predicates: Vec<String>,
    /// Code columns met with a code list, each once.
    pub code_lists: Vec<String>,
    /// What the audits listen for in the same scan.
    pub hears: Vec<String>,
    /// Measures for which rows are kept one by one in the same scan.
    pub keeps: Vec<String>,
    pub features: usize,
    /// What is held of one person while the source is read, by all workers together.
    pub state_bytes_a_person: usize,
    /// Held until duplicates by key are known.
    pub held: bool,
    /// Parts into which such rows are cut: more than one lie on the disk but for that which a worker goes through.
    pub buckets: usize,
    pub estimated_bytes: Option<u64>,
}

/// The plan of a run with these deliveries.
pub fn tell(pipeline: &Pipeline, delivered: &Delivered, engine: Engine) -> Result<Told> {
    let registers = pipeline.with_role(Role::Register).map(|(index, _)| rows(&delivered.sources[index]));
    let people_at_most = registers.sum::<Option<u64>>();
    let each = pipeline.sources.iter().zip(&delivered.sources).enumerate();
    let sources = each.map(|(index, (source, delivered))| {
        let mut plan = Plan::new(pipeline, index, 0)?;
        Hearing::new(pipeline, index, &mut plan.predicates)?;
        let told = tell_source(source, delivered, &plan, people_at_most, engine);
        let keeps = pipeline.measures.looking_at(index).map(str::to_owned).collect();
        Ok(ToldSource { hears: hears(pipeline, index), keeps, ..told })
    });
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let most = sources.iter().map(|source| source.estimated_bytes).max().flatten();
    let tokens = people_at_most.map(|people| people * BYTES_A_TOKEN);
    let in_features =
        people_at_most.map(|people| feature_bytes(pipeline, usize::try_from(people).unwrap_or(usize::MAX)));
    let estimated_bytes = most.zip(tokens).zip(in_features).map(|((most, tokens), features)| most + tokens + features);
    let buckets = sources.iter().map(|source| source.buckets).max().unwrap_or(1);
    Ok(Told { sources, people_at_most, workers: engine.partitions, buckets, estimated_bytes })
}

/// What every feature of so many people takes, at least.
pub fn feature_bytes(pipeline: &Pipeline, people: usize) -> u64 {
    let a_person = pipeline.features.iter().map(|feature| bits(&feature.data_type)).sum::<u64>();
    a_person.saturating_mul(people as u64).div_ceil(8)
}

/// What a feature takes of one person, at least.
fn bits(data_type: &DataType) -> u64 {
    match data_type {
        DataType::Boolean => 1,
        // Numbers are held as narrow as they are.
        DataType::Int64 => 8,
        DataType::Decimal128(..) => 32,
        other => other.primitive_width().map_or(u64::from(u32::BITS), |bytes| 8 * bytes as u64),
    }
}

fn rows(delivered: &DeliveredSource) -> Option<u64> {
    delivered.files.iter().map(|file| file.counted.map(|counted| counted.rows)).sum()
}

fn tell_source(
    source: &Source,
    delivered: &DeliveredSource,
    plan: &Plan,
    people: Option<u64>,
    engine: Engine,
) -> ToldSource {
    let mut columns: Vec<String> = Vec::new();
    for name in delivered.files.iter().flat_map(|file| delivered_columns(source, &file.header)) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let held = !source.decl.key.is_empty() && source.decl.role != Role::Lookup;
    let [together, each] = plan.bytes_a_person();
    let state_bytes_a_person = together + each * engine.partitions;
    let buckets = engine.buckets(source, delivered);
    let at_hand = if held { engine.partitions.min(buckets) as u64 } else { 0 };
    let in_rows = delivered.files.iter().map(held_bytes).sum::<u64>() / buckets as u64 * at_hand;
    let in_states = people.map(|people| people * state_bytes_a_person as u64);
    ToldSource {
        source: source.name.clone(),
        files: delivered.files.len(),
        rows: rows(delivered),
        row_groups: delivered.files.iter().filter_map(|file| file.counted).map(|counted| counted.row_groups).sum(),
        row_groups_pruned: 0,
        columns,
        predicates: plan.predicates.sql().map(str::to_owned).collect(),
        code_lists: plan.code_lists().map(|(column, list)| format!("{column} on {list}")).collect(),
        hears: Vec::new(),
        keeps: Vec::new(),
        features: plan.features.len(),
        state_bytes_a_person,
        held,
        buckets,
        estimated_bytes: in_states.map(|states| in_rows + states),
    }
}

fn hears(pipeline: &Pipeline, index: usize) -> Vec<String> {
    let source = &pipeline.sources[index];
    let items = source.demographics.iter().map(|said| pipeline.items[said.item].name.clone());
    let steps = pipeline.steps_at(index).map(|(pathway, step)| format!("{} ({})", step.title, pathway.name));
    let columns = compared_columns(pipeline, source).map(|column| format!("linkage by {column}"));
    items.chain(steps).chain(columns).collect()
}
