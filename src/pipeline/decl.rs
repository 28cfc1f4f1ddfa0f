//! The declarations as they are written: one struct a table, one field a key, nothing flattened.
//!
//! These types are the single source for parsing, for the JSON Schema that `riskstrat schema` prints and for the
//! checks that precede serde. What a name means across files is settled in `crate::pipeline::check`.

mod figures;
mod gaps;
mod lists;
mod outreach;

use indexmap::IndexMap;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration::CalibrationDecl;
pub use figures::{CompareDecl, FigureDecl, StandardDecl};
pub use gaps::{LinkageDecl, OtherDecl, PathwayDecl, StepDecl};
pub(crate) use lists::matches;
pub use lists::{ActionDecl, ListFormat, ProbabilityDecl, RecipientRoleDecl};
pub use outreach::{CapacityDecl, CoolOffDecl, FloorDecl, LimitDecl, LimitsDecl, OutreachDecl, QuotaDecl, WeightDecl};

/// A run: which deliveries, sources, features, models, audits and cohorts, in the order in which they happen.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDecl {
    /// What this run is called on every output.
    pub title: String,
    /// Whose people they are, in the words by which a model's evaluation names them ("Northvale ICB").
    pub population: Option<String>,
    /// Folder that holds the deliveries, relative to this file; `--deliveries` replaces it.
    pub deliveries: String,
    /// As-of date; `--as-of` replaces it. One of the two is required.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub as_of: Option<Date>,
    /// Source files by name (`sources/<name>.toml`), registers and events alike.
    pub sources: Vec<String>,
    /// Feature files by name (`features/<name>.toml`).
    #[serde(default)]
    pub features: Vec<String>,
    /// Models by name (`models/<name>/model.toml`).
    #[serde(default)]
    pub models: Vec<String>,
    /// Audits by name (`audits/<name>.toml`).
    #[serde(default)]
    pub audits: Vec<String>,
    /// Cohorts by name (`cohorts/<name>.toml`).
    #[serde(default)]
    pub cohorts: Vec<String>,
    /// Who reads the lists, by name; where there are roles, every cohort names one.
    #[serde(default)]
    pub roles: IndexMap<String, RecipientRoleDecl>,
    /// Features that no list gives as a reason, whatever their file says; a family's members by their full names.
    #[serde(default)]
    pub never_as_reason: Vec<String>,
    /// How the opt-outs are known when no source has the role `opt_out`.
    pub opt_outs: Option<OptOutsDecl>,
    /// The latest record of any source may be this much older than the as-of date (default "100 days").
    pub max_data_age: Option<String>,
    /// How the lists share people, and what the run remembers of earlier ones.
    #[serde(default)]
    pub outreach: OutreachDecl,
    /// How far the run may differ from the one before, and from what its models were judged on.
    pub limits: Option<LimitsDecl>,
    /// What is published, and under which disclosure rule.
    #[serde(default)]
    pub publish: PublishDecl,
    /// Re-computation of a sample of people by the second implementation; absent means one in 1000.
    #[serde(default = "one_in_a_thousand")]
    pub self_check: Option<SelfCheckDecl>,
}

/// A run that says nothing of it still checks itself; only `one_in = 0` turns it off.
fn one_in_a_thousand() -> Option<SelfCheckDecl> {
    Some(SelfCheckDecl { one_in: 1000 })
}

/// Why a run that writes lists needs no opt-out source.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOutsDecl {
    /// For example "synthetic people"; printed in the receipt.
    pub none_because: String,
}

/// What a run publishes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishDecl {
    /// Formats of the cohort lists: at least one, each once.
    pub formats: Vec<ListFormat>,
    /// The rule by which counts reach `aggregate/`.
    pub disclosure: DisclosureRule,
    /// For `fhir`: the URI of the system that the tokens belong to, for example `https://icb.example.nhs.uk/id/outreach`.
    pub identifier_system: Option<String>,
}

impl Default for PublishDecl {
    fn default() -> Self {
        Self { formats: vec![ListFormat::Csv], disclosure: DisclosureRule::Hes2018, identifier_system: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DisclosureRule {
    /// 0 shown, 1 to 7 as `*`, the rest to the nearest 5 (NHS Digital, HES and ECDS sub-national counts, 2018).
    #[serde(rename = "hes-2018")]
    Hes2018,
    /// Below 5 as `*`, the rest to the nearest 5 (MHSDS monthly statistics).
    #[serde(rename = "mhsds")]
    Mhsds,
    /// 0 to 7 as `*`, the rest to the nearest 5 (OpenSAFELY output checking).
    #[serde(rename = "opensafely")]
    OpenSafely,
    /// 1 to 4 as `*`, the rest as they are, with further counts hidden where a small one could be worked out.
    #[serde(rename = "below-5")]
    Below5,
    /// 1 to 9 as `*`, the rest as they are, with further counts hidden where a small one could be worked out.
    #[serde(rename = "threshold-10")]
    Threshold10,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfCheckDecl {
    /// One person in this many is scored a second time by the plain implementation; 0 turns it off.
    pub one_in: u32,
}

/// A source: where the rows are, what one row is, and how their columns become ours.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceDecl {
    pub title: String,
    #[serde(default)]
    pub role: Role,
    /// The care setting that recorded the rows.
    pub setting: Option<Setting>,
    /// For example "one hospital spell".
    pub one_row_is: String,
    /// A file, folder or glob below the deliveries folder: `.parquet`, `.csv`, `.csv.gz`.
    pub files: OneOrMany,
    /// Whose tokens the column `person` holds.
    #[serde(default)]
    pub tokens: Tokens,
    /// Column names (ours) that identify a row; of duplicates the one last `recorded` is kept.
    #[serde(default)]
    pub key: Vec<String>,
    /// Under which law or agreement the rows are used; printed on every output.
    pub legal_basis: String,
    #[serde(default)]
    pub on_bad_row: OnBadRow,
    /// More than this share of bad rows stops the run.
    #[serde(default)]
    pub max_bad_share: f64,
    /// What to do with a CSV row that has more or fewer fields than the header.
    #[serde(default)]
    pub ragged_rows: RaggedRows,
    /// The CSV field separator: one ASCII character, neither a quote nor the end of a line.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Cells that mean "nothing was recorded", beside the empty one.
    #[serde(default)]
    pub blank_values: Vec<String>,
    /// The newest row may be at most this old at the as-of date; older stops the run (exit 3). Needs a column `date` or
    /// `recorded`; opt-outs and what an exclusion reads must say it.
    pub max_age: Option<String>,
    /// Older than this, the newest row still counts, but every list that is made with it is marked. Needs a column
    /// `date` or `recorded`, and is less than `max_age`.
    pub stale_after: Option<String>,
    /// How often a new delivery is due: the same files for so long stop a run that remembers (exit 3).
    pub every: Option<String>,
    /// Who sent a row: one that sends nothing any more is missed in a run that remembers.
    pub provider: Option<ProviderDecl>,
    /// Our text, category or code column that names who recorded a row: the audit counts by it. Default: the column of
    /// `provider`.
    pub recorded_by: Option<String>,
    /// A delivery without rows is a fact, not a fault.
    #[serde(default)]
    pub may_be_empty: bool,
    /// Delivered columns that are known and not used: no warning for them.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// For a lookup: at most one row a key (`one`), which is enforced.
    pub rows_per_key: Option<RowsPerKey>,
    /// For a lookup: the edition of what it holds, for example "IMD 2019 on LSOA 2011".
    pub edition: Option<String>,
    /// Our columns, in order; `person`, `date`, `end`, `recorded`, `start`, `birth_date`, `death_date`, `left_date` have
    /// a meaning; with `tokens = "recipient"` also `recipient`, and in a register `test_person` (true or false).
    pub columns: IndexMap<String, ColumnDecl>,
    /// What this source says about the person: the evidence of the audit.
    #[serde(default)]
    pub demographics: IndexMap<String, DemographicDecl>,
}

/// Who sent a row, and whose people they are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderDecl {
    /// Our text, category or code column that names the sender.
    pub column: String,
    /// The column of a register that names the same sender for a person: without rows of it, its people are on no list.
    /// Where no register says it, a sender that is missed stops the run.
    pub people: Option<String>,
}

fn comma() -> char {
    ','
}

impl SourceDecl {
    /// The delimiter as the byte that parts fields; none when it cannot part any.
    pub fn separator(&self) -> Option<u8> {
        let separator = u8::try_from(self.delimiter).ok().filter(u8::is_ascii);
        separator.filter(|byte| !matches!(byte, b'"' | b'\n' | b'\r' | b'\0'))
    }
}

/// Whose tokens a source uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tokens {
    /// The ones that all sources share.
    #[default]
    Source,
    /// In rows that name a `recipient`, those that `riskstrat release` issued to it; they are taken back to the person's
    /// own. Rows without a recipient hold the ones that all sources share.
    Recipient,
}

/// What the rows of a source are to a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who is registered: one or many dated rows a person.
    Register,
    /// Something that happened to a person on a date.
    #[default]
    Events,
    /// People who must be in no output.
    OptOut,
    /// People who may be used: everyone else counts as opted out.
    AllowList,
    /// Tokens of test persons, who are nobody: in no list and in no count of people.
    TestPeople,
    /// What a hub did with an earlier list; otherwise like events.
    Feedback,
    /// Facts by a key other than the person (practice, LSOA).
    Lookup,
    /// Old token to new token.
    Superseded,
}

impl Role {
    /// Who objects, who may be used, who is a test: rows that settle who is on the spine, and count from their own day on.
    pub fn names_people(self) -> bool {
        matches!(self, Self::OptOut | Self::AllowList | Self::TestPeople)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    Primary,
    Acute,
    Urgent,
    Community,
    MentalHealth,
    Social,
    Hub,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRow {
    #[default]
    SetAside,
    Stop,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RaggedRows {
    /// A bad row.
    #[default]
    SetAside,
    /// Surplus fields are dropped when they are blank, otherwise a bad row.
    DropBlankSurplus,
    /// Fields missing at the end of a row are blank; surplus ones make a bad row.
    BlankMissing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowsPerKey {
    One,
}

/// One string or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// How one of our columns is made from delivered ones: by `from`, by `expr`, or by `lookup`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnDecl {
    /// Delivered column; several, or a pattern such as "DIAG_*", make a list column.
    pub from: Option<OneOrMany>,
    /// SQL over delivered columns (all text in CSV) and `_file`, the file's name.
    pub expr: Option<String>,
    /// A lookup source; needs `by` and `column`. A lookup source itself has none.
    pub lookup: Option<String>,
    /// Our column that holds the lookup's key: declared before this one, of the type and code system of that key.
    pub by: Option<String>,
    /// The lookup's column.
    pub column: Option<String>,
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// The row may have no value here. A list may always be empty, whether or not this is said.
    #[serde(default)]
    pub optional: bool,
    /// The delivered file may lack the column altogether.
    #[serde(default)]
    pub may_be_absent: bool,
    /// `strftime` formats of dates and datetimes in text, tried in turn (default ISO 8601).
    pub format: Option<OneOrMany>,
    /// Dates before this are bad.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub not_before: Option<Date>,
    /// Dates after this are bad.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub not_after: Option<Date>,
    /// ISO dates that stand for "missing", whatever the `format` (default 1900-01-01 and 9999-12-31).
    pub placeholders: Option<Vec<String>>,
    /// Plausible range of a number, both ends included.
    pub between: Option<[f64; 2]>,
    /// Decimal places kept (default 4); further digits are rounded half to even.
    pub places: Option<u8>,
    /// Code system of a `code`.
    pub system: Option<CodeSystem>,
    /// Our category by delivered values.
    #[serde(default)]
    pub map: IndexMap<String, Vec<String>>,
    /// Category of every other value; without it an unknown value is bad.
    pub otherwise: Option<String>,
    /// Delivered values of a boolean.
    pub yes: Option<Vec<String>>,
    pub no: Option<Vec<String>>,
    /// What a bad value does: sets the row aside, or is blanked and counted (default for the items of a list).
    pub on_bad: Option<OnBadValue>,
    /// Unit, for people who read.
    pub unit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadValue {
    SetAside,
    Blank,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    Pseudonym,
    #[default]
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    /// An instant or a local time; kept as civil London time.
    Datetime,
    Category,
    Code,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeSystem {
    Icd10,
    Icd9,
    Snomed,
    Ctv3,
    Opcs4,
    Dmd,
    Bnf,
    Loinc,
    Ods,
    Lsoa,
    /// Codes of your own: taken as they are sent, white space around them left out.
    Local,
}

/// What a source says about one demographic item.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemographicDecl {
    /// Delivered column.
    pub from: Option<String>,
    /// SQL over delivered columns that yields text.
    pub expr: Option<String>,
    /// Value set (`valuesets/<name>.csv`); without one the item's own rule decides.
    pub values: Option<String>,
}

/// A feature file: features by name, in order.
pub type FeaturesDecl = IndexMap<String, FeatureDecl>;

/// One feature, or a family of them: exactly one verb.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureDecl {
    /// Plain words; `{window}` and `{category}` are filled in.
    pub label: String,
    /// Short words that stand above the feature on a list, in place of its label; `{window}` and `{category}` are filled in.
    pub heading: Option<String>,
    /// One feature a window, the name ending in `_90d`, `_12m`, `_3y`.
    pub windows: Option<Vec<String>>,
    /// The one window: "90 days", "12 months", "3 years" or "ever".
    pub within: Option<String>,
    /// The window begins with this day at the earliest: a date feature declared before this one.
    pub since: Option<String>,
    /// The window ends before this day, and `within` is counted back from it: a date feature declared before this one.
    pub before: Option<String>,
    /// As `before`, with that day inside the window. Where the day is not known, the feature is null.
    pub until: Option<String>,
    /// Plain words for a list row; `{value}`, `{window}`, `{category}`, `{latest_date}` are filled in.
    pub reason: Option<String>,
    /// No list ever gives this feature as a reason: it is too sensitive to be read beside a name.
    #[serde(default)]
    pub never_as_reason: bool,
    /// Unit of the value, for people who read.
    pub unit: Option<String>,
    /// Full years from `birth_date` to the as-of date, or to another day.
    pub age: Option<AgeVerb>,
    /// Events.
    pub count: Option<EventsVerb>,
    /// Distinct values of `column` over events (or of the code list's `category`).
    pub count_distinct: Option<EventsVerb>,
    /// Distinct days with an event.
    pub count_days: Option<EventsVerb>,
    /// Whether there is an event: true or false, null only where the window hangs on a day that is not known.
    pub exists: Option<EventsVerb>,
    /// Days from the latest event to the as-of date; null without one.
    pub days_since: Option<EventsVerb>,
    /// The latest value of `column` that is not null; of several on one day the greatest; null without one. With a
    /// `codelist` and no `column`: the category last recorded; of several on one day the one that stands last on the list.
    pub latest: Option<EventsVerb>,
    /// Sum of `column` (integer or decimal) over events; 0 without one.
    pub total: Option<EventsVerb>,
    /// Longest stay in days: from `date` to `end`, open ones and ends beyond it counted to the as-of date; null without one.
    pub longest: Option<EventsVerb>,
    /// Days of all stays together, each as `longest` counts it; 0 without one.
    pub bed_days: Option<EventsVerb>,
    /// Whether an event is open at the as-of date: begun before it, with no `end` or one on or after it.
    pub open_at_index: Option<EventsVerb>,
    /// A register's own column, a resolved demographic `item`, or how one is recorded (`state`).
    pub value: Option<ValueVerb>,
    /// SQL over features declared before this one, in this file or an earlier one.
    pub derived: Option<DerivedVerb>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeVerb {
    /// The register whose resolved `birth_date` counts.
    pub of: String,
    /// The age on this day, not on the as-of date: a date feature declared before this one.
    pub on: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsVerb {
    /// An events or feedback source.
    pub of: String,
    /// SQL predicate over the source's declared columns.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Only events that had ended: those whose `end` lies before the as-of date.
    #[serde(default)]
    pub ended: bool,
    /// The column the verb works on; with a code list the code column, when the source has several.
    pub column: Option<String>,
    /// Only events with a code on this list (`codelists/<name>.csv`).
    pub codelist: Option<String>,
    /// The code column that meets the code list, when the source has several.
    pub code: Option<String>,
    /// Only these categories of the code list.
    pub categories: Option<Vec<String>>,
    /// One feature for each category of the code list.
    pub each: Option<Each>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    Category,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueVerb {
    /// A register.
    pub of: Option<String>,
    /// Its column.
    pub column: Option<String>,
    /// A demographic item, resolved across sources.
    pub item: Option<String>,
    /// How such an item is recorded over all sources: `known`, `conflicting`, `declined`, `blank` and so on.
    pub state: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedVerb {
    /// SQL expression.
    pub sql: String,
}

/// A model: what is claimed, by whom, and how features become a score.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelDecl {
    pub title: String,
    pub kind: ModelKind,
    pub version: String,
    /// What the score predicts, in plain words.
    pub predicts: String,
    /// On whom it was made and validated.
    pub population: String,
    pub citation: String,
    pub signed_off: SignOff,
    /// Facts for people who read; a model without one is refused.
    pub card: String,
    /// SQL predicate over features: whom the score is about. Everyone else has none: null, not 0.
    pub applies_when: Option<String>,
    /// By feature: the edition that the lookup behind it must declare. Coefficients hold for the edition they were fitted on.
    #[serde(default)]
    pub editions: IndexMap<String, String>,
    /// `points`: a CSV with `category,points` and optionally `trumps` (categories it silences, separated by spaces).
    /// `trees`: a CSV with one row a node: `tree,node,feature,equals,below,missing,left,right,value,rows,people`.
    pub table: Option<String>,
    /// `points`: the feature a category is bound to, for example "hfrs_{category}".
    pub feature: Option<String>,
    /// `points`: what the table's sum counts as from some value up, lowest first; below the first as it is.
    #[serde(default)]
    pub table_sum: Vec<TableSumDecl>,
    /// `points`: further points by a threshold on a feature.
    #[serde(default)]
    pub thresholds: Vec<ThresholdDecl>,
    /// `points`: the sum is never below this.
    pub floor: Option<f64>,
    /// `points`: the score is the sum divided by this; a share of 36 deficits, for example.
    pub divide_by: Option<f64>,
    /// `logistic`, `trees`, `stack`: the intercept, on the log-odds scale.
    pub intercept: Option<f64>,
    /// `stack`: what it leans on.
    #[serde(default)]
    pub bases: Vec<BaseDecl>,
    /// `logistic`: the terms; or a CSV with the same columns in `table`.
    #[serde(default)]
    pub terms: Vec<TermDecl>,
    /// Where the score is a probability: of what, within what time.
    pub probability: Option<ProbabilityDecl>,
    /// Names for ranges of the score, lowest first; the last has no `below`.
    #[serde(default)]
    pub bands: Vec<BandDecl>,
    /// What is done to the raw probability, in order.
    #[serde(default)]
    pub calibration: Vec<CalibrationDecl>,
    /// A CSV with `input,bin,share`: how inputs and score were spread in training, which each run is compared with.
    pub reference: Option<String>,
    /// Of a model that `riskstrat train` made: from what. Such a folder has a `model.lock`.
    pub trained: Option<TrainedDecl>,
    /// Who answers for using the model where its folder holds no evaluation on this population.
    pub accepted_without_local_validation: Option<AcceptedDecl>,
    /// Of a model that predicts a cost: without this it is refused.
    #[serde(default)]
    pub i_understand_cost_label: bool,
}

/// A model within a stack, whose table is in the same folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseDecl {
    /// In plain words, for people who read.
    pub name: String,
    /// `logistic` or `trees`.
    pub kind: ModelKind,
    pub table: String,
    pub intercept: f64,
    /// Above 0: by which its log-odds are multiplied.
    pub weight: f64,
}

/// Where a trained model comes from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainedDecl {
    /// Layout of the folder; this program reads 1.
    pub format: u32,
    /// The study, and the SHA-256 of its file.
    pub study: String,
    pub study_sha256: String,
    /// What is predicted: outcomes with the same id are the same.
    pub outcome_id: String,
    /// The outcome is a cost.
    #[serde(default)]
    pub cost_label: bool,
    /// On those learnt from; above 0.95 something of the outcome is among the inputs.
    pub auroc_in_training: f64,
    /// Rows learnt from, and those with the outcome.
    pub rows: u64,
    pub events: u64,
}

/// A person who answers for a decision.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDecl {
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    Points,
    Logistic,
    /// A fitted ensemble: the logistic function of the intercept and one leaf of each tree.
    Trees,
    /// The logistic function of the intercept and the log-odds of its bases, each times its weight.
    Stack,
}

impl ModelKind {
    pub fn is_probability(self) -> bool {
        self != Self::Points
    }
}

/// Who answers for the clinical content, since when and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    pub by: String,
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    /// After this date the content needs review: an as-of date beyond it is warned about.
    #[schemars(with = "String", extend("format" = "date"))]
    pub review_by: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSumDecl {
    pub at_least: f64,
    pub counts_as: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdDecl {
    /// A number, or true and false as 1 and 0.
    pub feature: String,
    /// Points count when the feature is at least this.
    pub at_least: f64,
    /// … and below this.
    pub below: Option<f64>,
    pub points: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermDecl {
    pub feature: String,
    /// Of a text feature: 1 where it is this value, otherwise 0.
    pub equals: Option<String>,
    pub coefficient: f64,
    /// What stands in for a null, before all else; without it a null stops the run.
    pub missing: Option<f64>,
    /// The value becomes 1 when it is at least this …
    pub at_least: Option<f64>,
    /// … and below this; otherwise 0.
    pub below: Option<f64>,
    /// What explanations count from: the term's value after cap, transform and division, on average over those learnt
    /// from (default 0). Changes no score.
    pub reference: Option<f64>,
    /// The value is lowered to this first.
    pub cap: Option<f64>,
    #[serde(default)]
    pub transform: Transform,
    /// … and divided by this last.
    pub divide_by: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    #[default]
    Identity,
    /// ln(1 + x)
    Log1p,
    Sqrt,
    Square,
    /// 1 where the feature is null, otherwise 0.
    IsMissing,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandDecl {
    pub name: String,
    pub below: Option<f64>,
}

/// An audit: the demographic items it expects, and by what it splits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditDecl {
    pub title: String,
    /// Features by whose values the counts are split: text, true or false, or a whole number with few values.
    #[serde(default)]
    pub split_by: Vec<String>,
    /// The feature (text) that names who can mend a record; one worklist each.
    pub worklist_by: Option<String>,
    /// At most so many rows a worklist, those worth most; without it all of them.
    pub worklist_rows: Option<u32>,
    #[serde(default)]
    pub items: IndexMap<String, ItemDecl>,
    /// Care through several settings, by name.
    #[serde(default)]
    pub pathways: IndexMap<String, PathwayDecl>,
    /// Whose rows are linked, and whose are not.
    pub linkage: Option<LinkageDecl>,
    /// By what the figures are compared; needed where there are any.
    pub compare: Option<CompareDecl>,
    /// What is counted in every group: who was admitted, listed, screened, recorded.
    #[serde(default)]
    pub figures: IndexMap<String, FigureDecl>,
}

/// One demographic item: what is valid, and which value wins when sources differ.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemDecl {
    pub label: String,
    /// A value is known when it matches this whole (for sources without a value set).
    pub pattern: Option<String>,
    /// A value is known when it is an ISO date not before this (for sources without a value set).
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub date_not_before: Option<Date>,
    /// Values that mean "not known" (for sources without a value set).
    #[serde(default)]
    pub default_values: Vec<String>,
    /// A known value counts for this long from the day on which it was last recorded: "5 years".
    pub expires: Option<String>,
    /// One and the same all life: a source that gives two values is in conflict with itself.
    #[serde(default)]
    pub fixed: bool,
    /// Valid values that say no more than "other".
    pub other: Option<OtherDecl>,
    /// The share of a provider's records that may hold a default code before its score falls (DQMI: default threshold).
    #[serde(default)]
    pub defaults_allowed: f64,
    pub resolve: Resolve,
    /// Sources by trust, for `source_order` and for ties.
    #[serde(default)]
    pub order: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolve {
    MostRecent,
    MostFrequent,
    SourceOrder,
}

impl Resolve {
    pub const ALL: [Self; 3] = [Self::MostRecent, Self::MostFrequent, Self::SourceOrder];

    /// The name in declarations and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::MostRecent => "most_recent",
            Self::MostFrequent => "most_frequent",
            Self::SourceOrder => "source_order",
        }
    }
}

/// A cohort: who is in, who is out, in what order, and how many a team can call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortDecl {
    pub title: String,
    pub purpose: String,
    pub signed_off: SignOff,
    /// The run's role of those who read the lists.
    pub role: Option<String>,
    /// What the recipient should do, in plain words, where none of `actions` holds.
    pub action: Option<String>,
    /// The first that holds says what to do for a person; signed off with the cohort.
    #[serde(default)]
    pub actions: Vec<ActionDecl>,
    /// Every one must hold.
    pub include: Vec<IncludeDecl>,
    #[serde(default)]
    pub exclude: IndexMap<String, ExcludeDecl>,
    /// In place of the run's.
    pub cool_off: Option<CoolOffDecl>,
    pub rank: RankDecl,
    pub capacity: CapacityDecl,
    /// How long the list holds, from the as-of date: "14 days".
    pub valid_for: Option<String>,
    /// Features printed on the list beside the reasons, each once, none with the name of a list's own column.
    #[serde(default)]
    pub show: Vec<String>,
    /// Of the shown features, those that a caller must know first: language, interpreter, how to give information.
    #[serde(default)]
    pub before_calling: Vec<String>,
    /// The feature (text) that names the team within a recipient: a worklist has a page for each. Without it the
    /// recipient is the team.
    pub team: Option<String>,
}

/// Within one, any criterion will do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncludeDecl {
    pub any: IndexMap<String, CriterionDecl>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionDecl {
    /// SQL predicate over features and scores.
    pub when: String,
    /// Plain words; `{feature}` is filled in. Without it the features' own reasons are used; an empty one says nothing.
    pub reason: Option<String>,
}

/// By `when`, or by an event `of` a source `within` a window.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludeDecl {
    pub when: Option<String>,
    pub of: Option<String>,
    pub within: Option<String>,
    #[serde(rename = "where")]
    pub filter: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankDecl {
    /// Features or scores with `asc` or `desc`; nulls last; ties by a keyed hash of the token.
    pub by: Vec<String>,
}
