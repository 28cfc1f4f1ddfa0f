//! Everyone on a run's lists, judged again on a later delivery.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, StringArray};

use crate::cohort::{self, Bars, Scene};
use crate::columns::Columns;
use crate::conform::{self, Engine};
use crate::drift;
use crate::error::Result;
use crate::features::{self, Features};
use crate::gates::{self, Consent, NoData};
use crate::history::{History, Previous};
use crate::journal::Journal;
use crate::link::{self, People, Presence};
use crate::oracle;
use crate::pipeline::Pipeline;
use crate::pseudonym::Pseudonym;
use crate::receipt::Check;
use crate::run;
use crate::score;
use crate::source::Delivered;

/// What the later delivery says.
pub(super) struct Later<'a> {
    pipeline: &'a Pipeline,
    /// Of each token asked for: the one in use today, and where its person stands.
    standing: BTreeMap<Pseudonym, (Pseudonym, Option<Presence>)>,
    people: People,
    features: Features,
    /// Features and scores side by side.
    table: Columns,
    /// Who was sent what, by releases of other runs.
    history: History,
    no_data: NoData,
    /// By cohort.
    bars: Vec<Bars>,
    /// By cohort with a recipient of its own for each person: that of everyone on the spine.
    recipients: Vec<Option<StringArray>>,
    pub(super) checks: Vec<Check>,
    /// What the gates let pass.
    pub(super) warnings: Vec<String>,
}

/// Why someone is off a list, as the data team reads it.
pub(super) const DIED: &str = "died";

/// Reads the delivery as a run does and under the same gates, held against the run that is released: a stale, unlinkable,
/// shrunken or older source stops it. `tokens` are those of whom is asked.
pub(super) fn read<'a>(
    pipeline: &'a Pipeline,
    delivered: &Delivered,
    engine: Engine,
    journal: &Journal,
    (history, released): (History, Option<Previous>),
    tokens: BTreeSet<&Pseudonym>,
) -> Result<Later<'a>> {
    let released = History { previous: released, ..History::default() };
    gates::due(pipeline, delivered, &released)?;
    let conformed = conform::conform(pipeline, delivered, engine)?;
    let mut records = link::link(&conformed)?;
    let checked = oracle::share(pipeline, &records.tokens);
    checked.into_iter().for_each(|one_in| records.keep_rows_of(|token| oracle::sampled(token, one_in)));
    journal.linked(&records.account);
    let today = |token: &Pseudonym| Pseudonym::new(records.superseded.fold(&token.reveal()));
    let standing = tokens.into_iter().map(|token| (token.clone(), (today(token), records.presence(token)))).collect();
    let history = history.in_todays_tokens(&records.superseded);
    let (people, features, mut accounts) = features::pass(records, &|account| journal.read(account))?;
    run::usable(pipeline, &accounts)?;
    let mut warnings = Vec::new();
    let consent = Consent::default();
    let no_data = gates::sources(pipeline, &people, &released, &consent, &mut accounts, &mut warnings)?;
    if let Some(previous) = &released.previous {
        drift::mapped(pipeline, &accounts.sources, &previous.receipt.sources)?;
    }
    let mut scores = score::score(pipeline, &features, engine.partitions)?;
    let kept = std::mem::take(&mut accounts.sampled);
    let checks = oracle::self_check(pipeline, delivered, checked, kept, &people, &features, &scores)?;
    history.add_changes(pipeline, &people, &mut scores)?;
    let table = cohort::side_by_side(&people, &features, &scores)?;
    let (bars, recipients) = (Vec::new(), Vec::new());
    let mut later =
        Later { pipeline, standing, people, features, table, history, no_data, bars, recipients, checks, warnings };
    let scene = later.scene();
    let of_people = pipeline.cohorts.iter().map(|cohort| cohort.per.map(|per| scene.texts(per)).transpose());
    let recipients = of_people.collect::<Result<_>>()?;
    let bars = pipeline.cohorts.iter().map(|cohort| Bars::of(&scene, cohort)).collect::<Result<_>>()?;
    (later.recipients, later.bars) = (recipients, bars);
    journal.warn(&later.warnings);
    Ok(later)
}

impl Later<'_> {
    /// What cohorts are decided on.
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            pipeline: self.pipeline,
            people: &self.people,
            features: &self.features,
            table: &self.table,
            history: &self.history,
            no_data: &self.no_data,
        }
    }

    /// The person's token of today, and their index on the spine, or why they are on no list whatever.
    pub(super) fn stands(&self, token: &Pseudonym) -> (Pseudonym, Result<u32, String>) {
        let unknown = || (token.clone(), None);
        let (today, presence) = self.standing.get(token).cloned().unwrap_or_else(unknown);
        let why = match presence {
            Some(Presence::OnSpine) => match self.people.tokens.binary_search(&today).map(u32::try_from) {
                Ok(Ok(person)) => return (today, Ok(person)),
                _ => "not in a register",
            },
            Some(Presence::OptedOut) => "opted out",
            Some(Presence::Died) => DIED,
            Some(Presence::Left) => "left",
            Some(Presence::TestPerson) => "a test person",
            Some(Presence::NotYet) | None => "not in a register",
        };
        (today, Err(why.to_owned()))
    }

    /// Why someone on the spine is off the list that this recipient has of a cohort (an index into the pipeline's).
    pub(super) fn barred(&self, cohort: usize, recipient: &str, person: u32) -> Option<String> {
        if let Some(why) = self.no_data.reason(person) {
            return Some(why.to_owned());
        }
        let bars = self.bars.get(cohort)?.first(&self.scene(), self.pipeline.cohorts.get(cohort)?, person);
        if bars.is_some() {
            return bars;
        }
        let (of_person, at) = (self.recipients.get(cohort)?.as_ref()?, person as usize);
        let theirs = of_person.is_valid(at) && of_person.value(at) == recipient;
        (!theirs).then(|| "of another recipient now".to_owned())
    }
}
