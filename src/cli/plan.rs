//! `riskstrat explain-plan`.

use clap::Args;

use super::{EngineArgs, PipelineArgs, load, output};
use crate::error::Result;
use crate::features::told::{self, Told, ToldSource};
use crate::source;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn explain(args: &PlanArgs, as_json: bool) -> Result<()> {
    let pipeline = load(&args.pipeline)?;
    let told = told::tell(&pipeline, &source::find(&pipeline)?, args.engine.engine()?.limited(&pipeline))?;
    if as_json {
        return output::json(&told);
    }
    let sources = told.sources.iter().map(of_source).collect::<Vec<_>>().join("\n");
    output::line(&format!("{sources}\n{}", of_all(&told)))
}

fn of_source(told: &ToldSource) -> String {
    let rows = told.rows.map_or_else(|| "rows not counted by the files".to_owned(), |rows| format!("{rows} rows"));
    let groups = match told.row_groups {
        0 => String::new(),
        groups => format!(" in {groups} row groups, {} of them pruned", told.row_groups_pruned),
    };
    let mut text = format!("{}: {} files, {rows}{groups}", told.source, told.files);
    text.push_str(&format!("\n  reads     {}", told.columns.join(", ")));
    for predicate in &told.predicates {
        text.push_str(&format!("\n  asks      {}", predicate.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    for list in &told.code_lists {
        text.push_str(&format!("\n  meets     {list}"));
    }
    if !told.hears.is_empty() {
        text.push_str(&format!("\n  hears     {}: for the audits, in the same scan", told.hears.join(", ")));
    }
    if !told.keeps.is_empty() {
        text.push_str(&format!("\n  keeps     rows one by one, in the same scan: for {}", told.keeps.join(", ")));
    }
    let held = match (told.held, told.buckets) {
        (false, _) => String::new(),
        (true, 1) => ", and all rows until duplicates are known".to_owned(),
        (true, buckets) => {
            format!(", and a bucket of rows a worker, of {buckets} on the disk, until duplicates are known")
        }
    };
    text.push_str(&format!(
        "\n  holds     {} bytes a person for {} features{held}; {}",
        told.state_bytes_a_person,
        told.features,
        mebibytes(told.estimated_bytes)
    ));
    text
}

fn of_all(told: &Told) -> String {
    let people =
        told.people_at_most.map_or_else(|| "people not counted".to_owned(), |people| format!("{people} people"));
    let buckets = if told.buckets == 1 { "one bucket".to_owned() } else { format!("{} buckets", told.buckets) };
    format!("{people} at most, {} workers, {buckets}; {}", told.workers, mebibytes(told.estimated_bytes))
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "memory not known".to_owned(), |bytes| format!("about {} MiB", bytes.div_ceil(1 << 20)))
}
