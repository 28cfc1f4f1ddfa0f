//! Scores head to head on the same people, for everyone and for every group.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::cut::{self, Cut, Rates};
use super::groups;
use super::interval::Bootstrap;
use super::limits::{self, Finding};
use super::measures::{Ask, Measures, measure};
use super::need::{self, Need};
use super::rank::{self, Difference};
use super::sample::{Row, Sample};
use crate::audit::groups::Split;
use crate::cohort::words;
use crate::error::{Error, Result};
use crate::pipeline::study::StudyPlan;
use crate::pipeline::{Model, Pipeline};
use crate::score;
use crate::study::{COST_LABEL, DateAccount, Part, Study};

/// The row that stands for all groups of a split of which nothing can be said alone.
pub const SMALLER_GROUPS: &str = "smaller groups together";

/// A score to judge.
#[derive(Debug, Clone)]
pub struct Scored {
    pub name: String,
    pub version: String,
    /// Points are none: their calibration is not judged.
    pub probability: bool,
    /// By row of the study; none where the model is not about the person.
    pub scores: Vec<Option<f64>>,
}

impl Scored {
    /// Of a row that the model is about: any other is refused by every sample.
    fn of(&self, row: usize) -> f64 {
        self.scores[row].unwrap_or(f64::NAN)
    }
}

/// What was found, exactly: this stays with the data team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub riskstrat: String,
    pub study: String,
    pub study_sha256: String,
    /// Whose people they are.
    pub population: String,
    /// In plain words, and as a hash of what counts as one.
    pub outcome: String,
    pub outcome_id: String,
    /// "people held out" or "everyone".
    pub judged_on: String,
    /// Rows of those people on whom nothing is judged here: some model is not about them.
    pub not_compared: u64,
    pub dates: Vec<DateAccount>,
    pub warnings: Vec<String>,
    pub models: Vec<Judged>,
    /// Of each pair of models, where each person has one row of weight 1.
    pub differences: Vec<AurocDifference>,
}

impl Evaluation {
    /// As `evaluation.json` holds it.
    pub fn text(&self) -> Result<String> {
        let unwritable = |_| Error::Fault("an evaluation cannot be written as JSON".to_owned());
        Ok(serde_json::to_string_pretty(self).map_err(unwritable)? + "\n")
    }
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub name: String,
    pub version: String,
    /// Rows that the model is about; every model is judged on those that all are about.
    pub about: u64,
    pub everyone: Measures,
    /// At the cut of the lists that there really are.
    pub list: Option<Rates>,
    pub groups: Vec<Group>,
    pub need: Vec<Need>,
    /// Beyond the limits of `[limits.models]`.
    pub findings: Vec<Finding>,
}

/// People of one group of a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub split: String,
    pub group: String,
    pub rows: u64,
    pub events: u64,
    /// None of a group too small to say anything of.
    pub measures: Option<Measures>,
    pub list: Option<Rates>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AurocDifference {
    pub first: String,
    pub second: String,
    /// AUROC of the first less that of the second.
    pub difference: Option<Difference>,
}

/// The scores of the study's models.
pub fn scored(pipeline: &Pipeline, study: &Study) -> Result<Vec<Scored>> {
    let scored = |model: &Model| {
        Ok(Scored {
            name: model.name.clone(),
            version: model.decl.version.clone(),
            probability: model.is_probability(),
            scores: score::of(pipeline, model, &study.table)?,
        })
    };
    pipeline.models.iter().map(scored).collect()
}

/// Judges scores on the people held out, or where nobody is, on everyone; on those of them whom every score is about.
pub fn judge(pipeline: &Pipeline, plan: &StudyPlan, study: &Study, scored: &[Scored]) -> Result<Evaluation> {
    let held_out = plan.decl.split.hold_out > 0.0;
    let all = study.rows(if held_out { Part::HoldOut } else { Part::Train });
    let compared = |row: &usize| scored.iter().all(|scored| scored.scores[*row].is_some());
    let rows: Vec<usize> = all.iter().copied().filter(compared).collect();
    if rows.is_empty() {
        return Err(Error::Check(format!("study {}: there is nobody to judge every score on", plan.name)));
    }
    let splits = groups::splits(pipeline, plan, study)?;
    let on = On { pipeline, plan, study, all: &all, rows: &rows, splits: &splits };
    Ok(Evaluation {
        riskstrat: env!("CARGO_PKG_VERSION").to_owned(),
        study: plan.name.clone(),
        study_sha256: plan.sha256.clone(),
        population: pipeline.decl.population.clone().unwrap_or_else(|| pipeline.decl.title.clone()),
        outcome: format!("{} within {}", plan.decl.outcome.label, plan.decl.outcome.within),
        outcome_id: plan.outcome.id.clone(),
        judged_on: if held_out { "people held out" } else { "everyone" }.to_owned(),
        not_compared: (all.len() - rows.len()) as u64,
        dates: study.account.clone(),
        warnings: warnings(study),
        models: scored.iter().map(|scored| on.model(scored)).collect::<Result<_>>()?,
        differences: on.differences(scored)?,
    })
}

/// What whoever reads the figures must know.
fn warnings(study: &Study) -> Vec<String> {
    let mut warnings = Vec::new();
    if study.cost_label {
        warnings.push(COST_LABEL.to_owned());
    }
    let count = |of: fn(&DateAccount) -> u64| study.account.iter().map(of).sum::<u64>();
    let (acted_on, by_rank) = (count(|date| date.acted_on), count(|date| date.by_rank));
    if acted_on > 0 {
        warnings.push(format!(
            "{acted_on} rows are of people whom lists were acted on for: what would have become of them otherwise is not known. \
             Those who were left alone by lot stand for others; for {by_rank}, who had their places by rank, nobody does"
        ));
    }
    warnings
}

/// Whom a score is judged on.
struct On<'a> {
    pipeline: &'a Pipeline,
    plan: &'a StudyPlan,
    study: &'a Study,
    /// Everyone who could be judged on …
    all: &'a [usize],
    /// … and those whom every score is about.
    rows: &'a [usize],
    splits: &'a [Split],
}

impl On<'_> {
    fn model(&self, scored: &Scored) -> Result<Judged> {
        let decl = &self.plan.evaluate.decl;
        let everyone = self.sample(self.rows, |row| scored.of(row))?;
        let places: Vec<f64> =
            decl.top.iter().map(|top| if *top < 1.0 { (top * self.rows.len() as f64).round() } else { *top }).collect();
        let bootstrap = Bootstrap { replicates: decl.replicates, seed: decl.seed };
        let ask = Ask { probability: scored.probability, thresholds: &decl.thresholds, places: &places, bootstrap };
        let measures = measure(&everyone, &ask);
        let listed = self.listed(&scored.scores)?;
        let of_group = Ask { thresholds: &[], places: &[], ..ask };
        let mut groups = Vec::new();
        for split in self.splits {
            self.groups(split, scored, &of_group, listed.as_deref(), &mut groups)?;
        }
        let limits = self.pipeline.model_limits();
        Ok(Judged {
            name: scored.name.clone(),
            version: scored.version.clone(),
            about: self.all.iter().filter(|row| scored.scores[**row].is_some()).count() as u64,
            list: self.at_the_cut(self.rows, listed.as_deref(), bootstrap)?,
            findings: limits::findings(&limits, &measures, &groups),
            everyone: measures,
            groups,
            need: need::at_equal_score(
                self.pipeline,
                self.plan,
                self.study,
                self.rows,
                self.splits,
                &everyone,
                &|row| scored.of(row),
            )?,
        })
    }

    fn sample(&self, rows: &[usize], score: impl Fn(usize) -> f64) -> Result<Sample> {
        let row = |&row: &usize| Row {
            score: score(row),
            outcome: self.study.outcome[row],
            weight: self.study.weight[row],
            person: self.study.person[row],
        };
        Sample::new(rows.iter().map(row).collect())
    }

    /// Every group of a split; then, where several are too small, those together. People of whom it is not recorded are a
    /// group by themselves, however few.
    fn groups(
        &self,
        split: &Split,
        scored: &Scored,
        ask: &Ask,
        listed: Option<&[bool]>,
        groups: &mut Vec<Group>,
    ) -> Result<()> {
        let mut by_group: Vec<Vec<usize>> = vec![Vec::new(); split.names.len()];
        self.rows.iter().for_each(|row| by_group[split.of[*row] as usize].push(*row));
        let mut small = Vec::new();
        for (name, rows) in split.names.iter().zip(by_group) {
            let group = self.group(split, name, &rows, scored, ask, listed)?;
            if group.measures.is_none() && *name != words::NOT_RECORDED && !rows.is_empty() {
                small.push(rows);
            }
            groups.push(group);
        }
        if small.len() > 1 {
            let mut rows = small.concat();
            rows.sort_unstable();
            groups.push(self.group(split, SMALLER_GROUPS, &rows, scored, ask, listed)?);
        }
        Ok(())
    }

    fn group(
        &self,
        split: &Split,
        name: &str,
        rows: &[usize],
        scored: &Scored,
        ask: &Ask,
        listed: Option<&[bool]>,
    ) -> Result<Group> {
        let decl = &self.plan.evaluate.decl;
        let sample = self.sample(rows, |row| scored.of(row))?;
        let (count, events) = sample.rows();
        let enough = count >= decl.smallest_group && events.min(count - events) >= decl.fewest_outcomes;
        // What has a closed interval needs no bootstrap, and there may be many groups.
        let replicates = if sample.is_simple() { 0 } else { decl.replicates };
        let ask = Ask { bootstrap: Bootstrap { replicates, ..ask.bootstrap }, ..*ask };
        Ok(Group {
            split: split.name.clone(),
            group: name.to_owned(),
            rows: count,
            events,
            measures: enough.then(|| measure(&sample, &ask)),
            list: if enough { self.at_the_cut(rows, listed, ask.bootstrap)? } else { None },
        })
    }

    fn at_the_cut(&self, rows: &[usize], listed: Option<&[bool]>, bootstrap: Bootstrap) -> Result<Option<Rates>> {
        let Some(listed) = listed else { return Ok(None) };
        let sample = self.sample(rows, |row| f64::from(u8::from(listed[row])))?;
        Ok(Some(cut::rates(&sample, bootstrap, &|levels| Cut::at_least(levels, 1.0))))
    }

    /// Who would have a place: the highest scores of each recipient at each date, among all rows of the study that the score
    /// is about.
    fn listed(&self, scores: &[Option<f64>]) -> Result<Option<Vec<bool>>> {
        let Some(list) = &self.plan.evaluate.decl.list else { return Ok(None) };
        let column = self.plan.evaluate.per.map(|per| self.study.table.column(per));
        let mut by_recipient: BTreeMap<(Date, Option<String>), Vec<usize>> = BTreeMap::new();
        for row in (0..scores.len()).filter(|row| scores[*row].is_some()) {
            let recipient = column.map(|column| words::written(column, row)).transpose()?.flatten();
            by_recipient.entry((self.study.as_of[row], recipient)).or_default().push(row);
        }
        let mut listed = vec![false; scores.len()];
        for rows in by_recipient.values_mut() {
            // Of equal scores the first by token: tokens are random.
            let score = |row: &usize| scores[*row].unwrap_or(f64::NAN);
            rows.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
            rows.iter().take(list.take as usize).for_each(|row| listed[*row] = true);
        }
        Ok(Some(listed))
    }

    fn differences(&self, scored: &[Scored]) -> Result<Vec<AurocDifference>> {
        let simple = self.sample(self.rows, |_| 0.0)?.is_simple();
        let of = |scored: &Scored| -> Vec<f64> { self.rows.iter().map(|row| scored.of(*row)).collect() };
        let outcome: Vec<bool> = self.rows.iter().map(|row| self.study.outcome[*row]).collect();
        let mut differences = Vec::new();
        for (at, first) in scored.iter().enumerate() {
            for second in scored.iter().skip(at + 1) {
                let difference = if simple { rank::auroc_difference(&of(first), &of(second), &outcome) } else { None };
                differences.push(AurocDifference {
                    first: first.name.clone(),
                    second: second.name.clone(),
                    difference,
                });
            }
        }
        Ok(differences)
    }
}
