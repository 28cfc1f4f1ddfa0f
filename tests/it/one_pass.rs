//! Measures look at rows while they pass by: what is read of a source is the same with them as without.

use riskstrat::pipeline::measures::Measures;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::pipeline::{Pipeline, Verb};

use crate::runs::{self, ENGINE};

/// How often each source is read, and how many rows are kept for measures.
fn read(pipeline: &Pipeline) -> (Vec<usize>, usize) {
    let delivered = riskstrat::source::find(pipeline).unwrap();
    let conformed = riskstrat::conform::conform(pipeline, &delivered, ENGINE).unwrap();
    let records = riskstrat::link::link(&conformed).unwrap();
    let (_, features, _) = riskstrat::features::pass(records, &|_| ()).unwrap();
    (conformed.scans(), features.kept.watches.iter().map(Vec::len).sum())
}

#[test]
fn measures_read_no_source_again() {
    let demo = runs::root().join("pipelines/demo.toml");
    let mut pipeline = parse::load(&demo, &LoadOptions::default()).unwrap();
    let (scans, kept) = read(&pipeline);
    let measured = pipeline.measures.watches.len();
    assert!(measured > 10 && kept > 4_000, "{measured} watches keep {kept} rows");
    let delivered = riskstrat::source::find(&pipeline).unwrap();
    for told in riskstrat::features::told::tell(&pipeline, &delivered, ENGINE).unwrap().sources {
        let kept = pipeline.measures.watches.iter().any(|watch| pipeline.sources[watch.source].name == told.source);
        assert_eq!(!told.keeps.is_empty(), kept, "the plan of {} keeps rows for {:?}", told.source, told.keeps);
    }
    pipeline.features.retain(|feature| !matches!(feature.verb, Verb::Web { .. }));
    pipeline.measures = Measures::default();
    assert_eq!(read(&pipeline), (scans, 0));
}
