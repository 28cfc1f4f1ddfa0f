//! What the stages made, laid out as the files of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, UInt64Array};
use arrow::record_batch::RecordBatch;

use crate::audit::{self, Gaps};
use crate::cohort::{self, Cohorts, Place};
use crate::columns::Columns;
use crate::conform::{Engine, SetAside};
use crate::demand;
use crate::disclosure::{AggregateTable, Before, Cell, Label};
use crate::diversions;
use crate::drift::DriftAccount;
use crate::error::Result;
use crate::expr;
use crate::features::{self, Accounts, Features};
use crate::impact::{self, past::PastList};
use crate::journal::Journal;
use crate::link::{People, RecordingState};
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Tokens;
use crate::publish::{self, Draft, RunId};
use crate::receipt::{
    Basis, Check, CohortAccount, Declaration, Input, ItemAccount, LegalBasis, ModelEntry, Receipt, StateCount,
};
use crate::report::{self, Facts};
use crate::score::Scores;
use crate::source::Delivered;
use crate::webs;
use crate::workers;

/// Everything that the stages hand to publish.
pub struct Stages<'a> {
    pub delivered: &'a Delivered,
    pub people: &'a People,
    pub features: &'a Features,
    pub scores: &'a Scores,
    pub accounts: &'a Accounts,
    pub drift: &'a [DriftAccount],
    /// Who rose and who fell since the run before; none without one.
    pub movement: Option<&'a AggregateTable>,
    /// What the run before released.
    pub before: &'a Before,
    /// Lists whose impact is measured.
    pub past: &'a [PastList],
    pub cohorts: &'a Cohorts,
    pub lists: &'a [CohortAccount],
    pub gaps: &'a Gaps,
    pub basis: &'a Basis,
    /// What the stages found that a reader should know.
    pub warnings: &'a [String],
}

/// The id of this run: a hash of what it is made from.
pub fn run_id(pipeline: &Pipeline, delivered: &Delivered, basis: &Basis) -> RunId {
    publish::run_id(&inputs(pipeline, delivered), &declarations(pipeline), basis, pipeline.as_of, version())
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The files of the run, and its receipt.
pub fn draft(
    pipeline: &Pipeline,
    id: &RunId,
    stages: &Stages,
    checks: Vec<Check>,
    journal: &Journal,
    engine: Engine,
) -> Result<(Draft, Receipt)> {
    let workers = engine.partitions;
    let on_disk = engine.puts_aside(features::told::feature_bytes(pipeline, stages.people.tokens.len()));
    let drafted = |part: Part| {
        let mut draft = Draft::new(workers).on_disk(on_disk);
        part(&mut draft).map(|()| draft)
    };
    // What takes longest is begun first, and the rest made beside it.
    let everyone: Part = Box::new(|draft| of_everyone(pipeline, stages, draft));
    let (everyone, (mut draft, receipt)) = workers::both(
        workers,
        || drafted(everyone),
        || {
            let mut draft = Draft::new(workers);
            for part in workers::each(workers, of_stages(pipeline, stages), drafted)? {
                draft.append(part)?;
            }
            draft.aggregate(&about(pipeline, id)?)?;
            stages.movement.map_or(Ok(()), |table| draft.aggregate(table))?;
            let receipt = receipt(pipeline, id, stages, checks);
            at_a_glance(pipeline, stages, &receipt, &mut draft)?;
            draft.release(pipeline.disclosure, stages.before, &|shown| {
                let figures = audit::figures(pipeline, stages.gaps, shown, stages.before)?;
                Ok(figures.into_iter().chain(diversions::charts(shown)?).collect())
            })?;
            draft.report(&Facts::of(pipeline, &receipt))?;
            Ok((draft, receipt))
        },
    )?;
    draft.append(everyone)?;
    draft.log(journal.ndjson().into_bytes());
    Ok((draft, receipt))
}

/// Adds some files to a draft.
type Part<'a> = Box<dyn FnOnce(&mut Draft) -> Result<()> + Send + 'a>;

/// What stages write by themselves, in the order in which their aggregate tables stand.
fn of_stages<'a>(pipeline: &'a Pipeline, stages: &'a Stages) -> Vec<Part<'a>> {
    let Stages { people, features, scores, accounts, past, cohorts, gaps, .. } = *stages;
    vec![
        Box::new(|draft| cohort::write(pipeline, people, features, scores, cohorts, &accounts.sources, draft)),
        Box::new(|draft| audit::write(pipeline, people, features, cohorts, gaps, draft)),
        Box::new(|draft| webs::write(pipeline, people, features, draft)),
        Box::new(|draft| demand::write(pipeline, features, scores, draft)),
        Box::new(|draft| diversions::write(pipeline, people, &features.kept, draft)),
        Box::new(|draft| impact::write(pipeline, past, people, &features.kept, draft)),
    ]
}

/// Features and scores of everyone, and the rows that were set aside.
fn of_everyone(pipeline: &Pipeline, stages: &Stages, draft: &mut Draft) -> Result<()> {
    let shown = |column: usize| pipeline.features.get(column).is_none_or(|feature| feature.shown);
    let tokens = &stages.people.tokens;
    draft.people_parquet("features.parquet", tokens, &stages.features.columns.only(shown))?;
    draft.people_parquet("scores.parquet", tokens, &Columns::from(&stages.scores.batch))?;
    for (source, rows) in pipeline.sources.iter().zip(&stages.accounts.set_aside) {
        if !rows.is_empty() {
            draft.person_parquet(&format!("set_aside/{}.parquet", source.name), &set_aside(rows)?)?;
        }
    }
    Ok(())
}

/// What the report begins with, as tables of their own.
fn at_a_glance(pipeline: &Pipeline, stages: &Stages, receipt: &Receipt, draft: &mut Draft) -> Result<()> {
    let rule = pipeline.disclosure;
    let has_place = cohort::placed(&stages.cohorts.lists, stages.people.tokens.len(), |place| place == Place::Listed);
    let on_a_list = has_place.iter().filter(|has| **has).map(|_| 1_u64).sum();
    draft.aggregate(&report::run::people(rule, &receipt.people)?)?;
    if !receipt.cohorts.is_empty() {
        draft.aggregate(&report::run::lists(rule, &receipt.cohorts, on_a_list)?)?;
    }
    if !receipt.drift.is_empty() {
        draft.aggregate(&report::run::drift(rule, &receipt.drift, receipt.people.on_spine)?)?;
    }
    Ok(())
}

/// What someone needs to know who has only the aggregate tables.
fn about(pipeline: &Pipeline, id: &RunId) -> Result<AggregateTable> {
    let disclosure = format!(
        "{}; * may also hide a count from which a small one could be worked out; of a group shown as * nothing else is shown",
        pipeline.disclosure.words()
    );
    let as_of = pipeline.as_of.to_string();
    let rows = [
        ("title", pipeline.decl.title.as_str()),
        ("run", id.as_str()),
        ("as of", &as_of),
        ("disclosure control", &disclosure),
        ("people", "registered, alive and not opted out at the as-of date"),
        ("listed", "has a place on a list; the reserve is not counted"),
        ("not recorded", "no known value in any source"),
        ("known", "a valid value is recorded"),
        ("conflicting", "the latest valid values of two sources differ, or a source gives two of what never changes"),
        ("stale", "a valid value, last recorded too long ago"),
        ("outdated", "only a code that is no longer in use"),
        ("asked_unsure", "asked, and not sure"),
        ("declined", "asked, and chose not to say"),
        ("not_known", "the default code: not asked or not recorded"),
        ("invalid", "only values outside the list"),
        ("blank", "nothing was sent"),
        ("no_record", "this source holds no row of the person"),
        ("not_carried", "the data set of this step has no such item"),
        ("unbroken", "an answer at each step that carries the item, to which the person came"),
        ("not_linked", "rows whose token no register knows, by what the rows say"),
        ("outside_life", "rows before the person's birth or after their death"),
        (
            "item_score",
            "percent of valid records, less defaults above what is allowed; of all items: times the mean coverage",
        ),
    ];
    let mut table = AggregateTable::new("about", ["term", "means"]);
    for (term, means) in rows {
        table.row([Cell::Text(Label::new(term)), Cell::Text(Label::new(means))])?;
    }
    let sources = pipeline.sources.iter();
    for (title, basis) in sources.map(|source| (&source.decl.title, &source.decl.legal_basis)) {
        let term = format!("legal basis of {title}");
        table.row([Cell::Text(Label::new(term)), Cell::Text(Label::new(basis))])?;
    }
    Ok(table)
}

fn set_aside(rows: &[SetAside]) -> Result<RecordBatch> {
    let text = |of: fn(&SetAside) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>())
    };
    let numbers: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.row)).collect::<UInt64Array>());
    Ok(RecordBatch::try_from_iter([
        ("file", text(|row| &row.file)),
        ("row", numbers),
        ("column", text(|row| &row.column)),
        ("rule", text(|row| &row.rule)),
    ])?)
}

/// Every delivered file, and for tokens of recipients the ledger that says whose they are.
pub(crate) fn inputs(pipeline: &Pipeline, delivered: &Delivered) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (source, found) in pipeline.sources.iter().zip(&delivered.sources) {
        inputs.extend(found.files.iter().map(|file| Input {
            source: source.name.clone(),
            file: file.name.clone(),
            sha256: file.sha256.clone(),
            bytes: file.bytes,
        }));
        if let Some((sha256, bytes)) = &delivered.released.ledger
            && source.decl.tokens == Tokens::Recipient
        {
            let file = "releases/ledger.ndjson".to_owned();
            inputs.push(Input { source: source.name.clone(), file, sha256: sha256.clone(), bytes: *bytes });
        }
    }
    inputs
}

pub(crate) fn declarations(pipeline: &Pipeline) -> Vec<Declaration> {
    let files = pipeline.files.iter();
    files.map(|(path, sha256)| Declaration { path: path.clone(), sha256: sha256.clone() }).collect()
}

fn receipt(pipeline: &Pipeline, id: &RunId, stages: &Stages, checks: Vec<Check>) -> Receipt {
    let legal = pipeline
        .sources
        .iter()
        .map(|source| LegalBasis { source: source.name.clone(), legal_basis: source.decl.legal_basis.clone() });
    let models = pipeline.models.iter().map(|model| ModelEntry {
        name: model.name.clone(),
        version: model.decl.version.clone(),
        citation: model.decl.citation.clone(),
        signed_off: format!("{}, {}", model.decl.signed_off.by, model.decl.signed_off.on),
    });
    let items = pipeline.items.iter().zip(&stages.people.items).map(|(item, evidence)| {
        let people = evidence.states();
        let states = RecordingState::ALL
            .map(|state| StateCount { state: state.name().to_owned(), people: people[state as usize] });
        ItemAccount { item: item.name.clone(), states: states.into() }
    });
    Receipt {
        riskstrat: version().to_owned(),
        title: pipeline.decl.title.clone(),
        run_id: id.to_string(),
        as_of: pipeline.as_of,
        basis: stages.basis.clone(),
        settings: settings(pipeline),
        inputs: inputs(pipeline, stages.delivered),
        declarations: declarations(pipeline),
        legal_bases: legal.collect(),
        sources: stages.accounts.sources.clone(),
        people: stages.accounts.people.clone(),
        demographics: items.collect(),
        models: models.collect(),
        drift: stages.drift.to_vec(),
        cohorts: stages.lists.to_vec(),
        checks,
        warnings: pipeline.warnings.iter().chain(stages.warnings).cloned().collect(),
        outputs: Vec::new(),
    }
}

/// Settings that could change a result, so that a reader need not trust that they were right.
fn settings(pipeline: &Pipeline) -> BTreeMap<String, String> {
    let mut settings = expr::settings();
    if let Some(opt_outs) = &pipeline.decl.opt_outs {
        settings.insert("opt_outs.none_because".to_owned(), opt_outs.none_because.clone());
    }
    settings
}
