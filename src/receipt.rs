//! What a run did, with the two sums that must balance.
//!
//! Nothing here comes from the clock or the machine: the same run leaves the same receipt, byte for byte.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::cohort::{CohortList, Place};
use crate::drift::DriftAccount;
use crate::error::{Error, Result};
use crate::{publish, sheet};

/// The page that says what a run read, did and wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The version of riskstrat.
    pub riskstrat: String,
    pub title: String,
    pub run_id: String,
    pub as_of: Date,
    /// What else the run was made from.
    #[serde(default, skip_serializing_if = "Basis::is_nothing")]
    pub basis: Basis,
    /// Settings of the engine that could change a result.
    pub settings: BTreeMap<String, String>,
    pub inputs: Vec<Input>,
    pub declarations: Vec<Declaration>,
    pub legal_bases: Vec<LegalBasis>,
    pub sources: Vec<SourceAccount>,
    pub people: PeopleAccount,
    pub demographics: Vec<ItemAccount>,
    pub models: Vec<ModelEntry>,
    /// How far inputs and scores have moved from where they were in training, of models that remember it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<DriftAccount>,
    pub cohorts: Vec<CohortAccount>,
    pub checks: Vec<Check>,
    pub warnings: Vec<String>,
    /// Filled by [`crate::publish::publish`], sorted by path.
    pub outputs: Vec<Output>,
}

/// What a run was made from beside deliveries and declarations: part of its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Basis {
    /// The earlier run that this one was compared with.
    pub previous_run: Option<String>,
    /// A hash that stands for who was listed before, when and for whom.
    pub listings: Option<String>,
    /// Who said yes to a list that differs much from the one before.
    pub approved_by: Option<String>,
    /// A delivery older than the last one used was let pass.
    pub allow_older: bool,
}

/// A delivered file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub source: String,
    /// Relative to the deliveries folder.
    pub file: String,
    pub sha256: String,
    pub bytes: u64,
}

/// A declaration file, code list or model table that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Relative to the run file's folder.
    pub path: String,
    pub sha256: String,
}

/// Under which law or agreement the rows of a source were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalBasis {
    pub source: String,
    pub legal_basis: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEntry {
    pub name: String,
    pub version: String,
    pub citation: String,
    /// Who answers for the clinical content, since when and until when, in words.
    pub signed_off: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
}

/// A published file other than the receipt itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Relative to the run's folder, with `/`.
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    /// Without the header; none where a file has no rows.
    pub rows: Option<u64>,
}

/// Where the rows of a source went; every row is in exactly one count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAccount {
    pub source: String,
    pub rows: u64,
    pub used: u64,
    /// Bad rows; reasons by column and rule in `set_aside_reasons`.
    pub set_aside: u64,
    pub not_yet_known: u64,
    pub duplicates: u64,
    /// The token is in no register.
    pub not_linked: u64,
    /// Registered once, but left, died or opted out by the as-of date.
    pub off_spine: u64,
    /// Dated on or after the as-of date.
    pub future: u64,
    pub before_birth: u64,
    pub after_death: u64,
    /// Distinct tokens, and those of them that a register knows.
    pub tokens: u64,
    pub tokens_linked: u64,
    /// Single values blanked because they were bad, by column and rule.
    pub blanked: Vec<Reason>,
    pub set_aside_reasons: Vec<Reason>,
    /// The latest date before the as-of date.
    pub data_up_to: Option<String>,
    /// Rows by who sent them, where the source says it; with those that sent rows once and none now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<ProviderCount>,
    /// The as-of date of the first run in a row that was given these files, where the source says how often it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_since: Option<Date>,
    /// How far the code lists reach into the events used: a sudden fall is a change of coding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code_lists: Vec<CodeListCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCount {
    pub provider: String,
    pub rows: u64,
    /// Of one that is absent: the rows that it sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rows: Option<u64>,
}

/// Events used that have a code in a column, and those of them with one on a code list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeListCount {
    pub column: String,
    pub codelist: String,
    pub events: u64,
    pub on_list: u64,
}

impl SourceAccount {
    /// A list that meets nothing is of another code system, of another time, or of another source.
    pub fn unmet(&self) -> impl Iterator<Item = String> {
        self.code_lists.iter().filter(|count| count.on_list == 0).map(|count| {
            let CodeListCount { column, codelist, events, .. } = count;
            format!("code list {codelist} meets none of the {events} rows with a code in {}.{column}", self.source)
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub column: String,
    pub rule: String,
    pub count: u64,
}

/// Where the people of the registers went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleAccount {
    /// Distinct people in the registers.
    pub in_registers: u64,
    pub on_spine: u64,
    pub opted_out: u64,
    pub died: u64,
    /// Not registered at the as-of date.
    pub left: u64,
    /// Registered from a later date on, or known only from rows of the future.
    pub not_yet: u64,
    /// Test persons, who are nobody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub test_people: u64,
}

/// How a demographic item is recorded: everyone on the spine is in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAccount {
    pub item: String,
    pub states: Vec<StateCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCount {
    pub state: String,
    pub people: u64,
}

/// Where the people scored went in one cohort; everyone is in exactly one count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CohortAccount {
    pub cohort: String,
    pub scored: u64,
    pub listed: u64,
    pub reserve: u64,
    /// By the first exclusion that held.
    pub excluded: Vec<ExclusionCount>,
    pub below_the_cut: u64,
    /// Lost the lottery for the last places: the people to compare the listed with.
    #[serde(default)]
    pub not_drawn: u64,
    pub not_included: u64,
    /// In a run that remembers: of which groups the listed are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// A feature or demographic item, and one of its values.
    pub split: String,
    pub group: String,
    pub listed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExclusionCount {
    pub reason: String,
    pub people: u64,
}

impl CodeListCount {
    /// Percent of events on the list; none of no events.
    pub fn percent(&self) -> Option<f64> {
        (self.events > 0).then(|| self.on_list as f64 * 100.0 / self.events as f64)
    }
}

impl SourceAccount {
    /// In = used + set aside + every other fate.
    pub fn balances(&self) -> bool {
        self.accounted() == self.rows
    }

    fn accounted(&self) -> u64 {
        self.used
            + self.set_aside
            + self.not_yet_known
            + self.duplicates
            + self.not_linked
            + self.off_spine
            + self.future
            + self.before_birth
            + self.after_death
    }
}

impl PeopleAccount {
    pub fn balances(&self) -> bool {
        self.accounted() == self.in_registers
    }

    fn accounted(&self) -> u64 {
        self.on_spine + self.opted_out + self.died + self.left + self.not_yet + self.test_people
    }
}

impl CohortAccount {
    /// The account of a list, its rows counted anew.
    pub fn of(list: &CohortList, scored: u64) -> Self {
        let count = |place| list.rows.iter().filter(|row| row.place == place).map(|_| 1_u64).sum();
        let excluded =
            list.excluded.iter().map(|(reason, people)| ExclusionCount { reason: reason.clone(), people: *people });
        Self {
            cohort: list.name.clone(),
            scored,
            listed: count(Place::Listed),
            reserve: count(Place::Reserve),
            excluded: excluded.collect(),
            below_the_cut: list.below_the_cut,
            not_drawn: list.not_drawn,
            not_included: list.not_included,
            groups: Vec::new(),
        }
    }

    /// Scored = listed + reserve + excluded + below the cut + not drawn + not included.
    pub fn balances(&self) -> bool {
        self.accounted() == self.scored
    }

    fn accounted(&self) -> u64 {
        let excluded: u64 = self.excluded.iter().map(|reason| reason.people).sum();
        self.listed + self.reserve + excluded + self.below_the_cut + self.not_drawn + self.not_included
    }
}

impl Basis {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What of it is there, for the run id.
    pub(crate) fn parts(&self) -> Vec<[&str; 3]> {
        let texts =
            [("previous_run", &self.previous_run), ("listings", &self.listings), ("approved_by", &self.approved_by)];
        let given = texts.into_iter().filter_map(|(name, text)| Some(["basis", name, text.as_deref()?]));
        given.chain(self.allow_older.then_some(["basis", "allow_older", ""])).collect()
    }
}

impl Receipt {
    /// The run file, relative to its folder: runs of the same one follow each other.
    pub fn run_file(&self) -> &str {
        let files = self.declarations.iter().map(|file| file.path.as_str());
        files.clone().find(|path| !path.contains('/')).unwrap_or_default()
    }

    /// Every sum balances and every check passed; else says which did not.
    pub fn check(&self) -> Result<()> {
        for account in &self.sources {
            let set_aside: u64 = account.set_aside_reasons.iter().map(|reason| reason.count).sum();
            balanced(&format!("source {}: rows delivered", account.source), account.rows, account.accounted())?;
            balanced(&format!("source {}: rows set aside", account.source), account.set_aside, set_aside)?;
        }
        balanced("people in the registers", self.people.in_registers, self.people.accounted())?;
        for account in &self.demographics {
            let people: u64 = account.states.iter().map(|state| state.people).sum();
            balanced(&format!("item {}: people on the spine", account.item), self.people.on_spine, people)?;
        }
        for account in &self.cohorts {
            balanced(&format!("cohort {}: people on the spine", account.cohort), self.people.on_spine, account.scored)?;
            balanced(&format!("cohort {}: people scored", account.cohort), account.scored, account.accounted())?;
        }
        match self.checks.iter().find(|check| !check.passed) {
            Some(check) => Err(Error::Check(format!("check `{}` did not pass", check.name))),
            None => Ok(()),
        }
    }

    /// The rows of each cohort's list files are the people listed and in reserve, in every format; without the reserve in
    /// those that cannot mark it.
    pub(crate) fn check_lists(&self) -> Result<()> {
        for account in &self.cohorts {
            let folder = format!("person/lists/{}/", account.cohort);
            let mut rows_by_format = BTreeMap::<&str, u64>::new();
            for output in self.outputs.iter().filter(|output| output.rows.is_some() && output.path.starts_with(&folder))
            {
                *rows_by_format.entry(publish::ending(&output.path)).or_default() += output.rows.unwrap_or(0);
            }
            let listed = account.listed + account.reserve;
            if rows_by_format.is_empty() {
                balanced(&format!("cohort {}: people listed", account.cohort), listed, 0)?;
            }
            for (format, rows) in rows_by_format {
                let people = if sheet::holds_reserve(format) { listed } else { account.listed };
                balanced(&format!("cohort {}: people listed, in {format} files", account.cohort), people, rows)?;
            }
        }
        Ok(())
    }

    /// The bytes of `receipt.json`.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::Fault(format!("the receipt cannot be written: {error}")))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn balanced(what: &str, all: u64, accounted: u64) -> Result<()> {
    if all == accounted {
        return Ok(());
    }
    Err(Error::Check(format!("{what}: {all}, but {accounted} are accounted for")))
}
