//! Measures as they are checked: names are indices, texts are windows.

use super::decl::Setting;
use super::decl::measures::{DemandDecl, DiversionDecl, ImpactDecl, WebDecl};
use crate::calendar::Window;

/// Everything that is measured, and the rows that it needs one by one.
#[derive(Debug, Clone, Default)]
pub struct Measures {
    pub watches: Vec<Watch>,
    pub webs: Vec<Web>,
    pub diversions: Vec<Diversion>,
    pub impacts: Vec<Impact>,
    pub demands: Vec<Demand>,
}

/// Rows of a source that are kept one by one while they pass by. Two measures that ask for the same share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Index into [`super::Pipeline::sources`].
    pub source: usize,
    /// SQL over its columns.
    pub filter: Option<String>,
    /// Indices of its columns whose texts are kept.
    pub labels: [Option<usize>; 2],
    /// How far back.
    pub window: Window,
}

#[derive(Debug, Clone)]
pub struct Web {
    pub name: String,
    pub decl: WebDecl,
    pub window: Window,
    pub contacts: Vec<Contact>,
    pub assessments: Vec<Contact>,
    pub again_within_days: i32,
    /// Indices into [`super::Pipeline::features`].
    pub by: Vec<usize>,
}

/// A watch whose labels are organisation and team.
#[derive(Debug, Clone, Copy)]
pub struct Contact {
    /// Index into [`Measures::watches`].
    pub watch: usize,
    pub setting: Setting,
}

/// What a feature takes from a web.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebFigure {
    Contacts,
    ContactsAMonth,
    Organisations,
    Teams,
    Settings,
    /// Contacts with another provider than the contact before.
    HandOffs,
    /// Usual provider of care: the share of contacts with the commonest provider. Null without a contact.
    UsualProvider,
    /// Null for fewer than two contacts, as are the next two.
    BiceBoxerman,
    SequentialContinuity,
    Mmci,
    RepeatedAssessments,
}

impl WebFigure {
    /// A count is never null, and 0 where nothing was.
    pub fn is_count(self) -> bool {
        matches!(
            self,
            Self::Contacts
                | Self::Organisations
                | Self::Teams
                | Self::Settings
                | Self::HandOffs
                | Self::RepeatedAssessments
        )
    }
}

#[derive(Debug, Clone)]
pub struct Diversion {
    pub name: String,
    pub decl: DiversionDecl,
    /// Indices into [`Measures::watches`]; the first label is the place.
    pub emergencies: Vec<usize>,
    pub one_emergency_hours: i64,
    pub beds: Vec<usize>,
    pub no_bed_hours: i64,
    pub care_at_home: Vec<usize>,
    pub care_days: i32,
    pub failures: Vec<usize>,
    /// Shortest first.
    pub safe_for_days: Vec<i32>,
}

#[derive(Debug, Clone)]
pub struct Impact {
    pub name: String,
    pub decl: ImpactDecl,
    /// Indices into [`super::Pipeline::cohorts`].
    pub cohorts: Vec<usize>,
    pub within: Window,
    pub follow_up: Window,
    /// As the declared outcomes: indices into [`Measures::watches`].
    pub outcomes: Vec<usize>,
    /// Its labels say what came of it, and why.
    pub reached: usize,
    /// The same source whatever came of it.
    pub feedback: usize,
}

#[derive(Debug, Clone)]
pub struct Demand {
    pub name: String,
    pub decl: DemandDecl,
    /// Index into [`super::Pipeline::models`].
    pub risk: usize,
    pub window: Window,
    pub predicts: usize,
    /// As the declared events: indices into [`Measures::watches`].
    pub events: Vec<usize>,
    /// Indices into [`super::Pipeline::features`].
    pub by: Vec<usize>,
}

impl Measures {
    /// The sources (indices) that a web reads.
    pub fn sources_of_web(&self, web: usize) -> impl Iterator<Item = usize> {
        let web = self.webs.get(web).into_iter();
        let contacts = web.flat_map(|web| web.contacts.iter().chain(&web.assessments));
        contacts.filter_map(|contact| Some(self.watches.get(contact.watch)?.source))
    }

    /// Names of the measures that look at rows of a source one by one.
    pub fn looking_at(&self, source: usize) -> impl Iterator<Item = &str> {
        let webs = self.webs.iter().map(|web| (&web.name, web.watches()));
        let diversions = self.diversions.iter().map(|diversion| (&diversion.name, diversion.watches()));
        let impacts = self.impacts.iter().map(|impact| (&impact.name, impact.watches()));
        let demands = self.demands.iter().map(|demand| (&demand.name, demand.watches()));
        let of = move |watch: usize| self.watches.get(watch).is_some_and(|watch| watch.source == source);
        let all = webs.chain(diversions).chain(impacts).chain(demands);
        all.filter(move |(_, watches)| watches.iter().any(|watch| of(*watch))).map(|(name, _)| name.as_str())
    }

    /// The watch of this source, filter and labels, looking back at least as far.
    pub fn watch(&mut self, wanted: Watch) -> usize {
        let same = |known: &Watch| {
            (known.source, &known.filter, known.labels) == (wanted.source, &wanted.filter, wanted.labels)
        };
        if let Some(at) = self.watches.iter().position(same) {
            if let Some(known) = self.watches.get_mut(at) {
                known.window = longer(known.window, wanted.window);
            }
            return at;
        }
        self.watches.push(wanted);
        self.watches.len() - 1
    }
}

impl Web {
    fn watches(&self) -> Vec<usize> {
        self.contacts.iter().chain(&self.assessments).map(|contact| contact.watch).collect()
    }
}

impl Diversion {
    fn watches(&self) -> Vec<usize> {
        [&self.emergencies, &self.beds, &self.care_at_home, &self.failures].into_iter().flatten().copied().collect()
    }
}

impl Impact {
    fn watches(&self) -> Vec<usize> {
        self.outcomes.iter().copied().chain([self.reached, self.feedback]).collect()
    }
}

impl Demand {
    fn watches(&self) -> Vec<usize> {
        self.events.iter().copied().chain([self.predicts]).collect()
    }
}

fn longer(a: Window, b: Window) -> Window {
    let far = jiff::civil::Date::constant(2000, 1, 1);
    match (a.first_day(far), b.first_day(far)) {
        (Some(first), Some(other)) if other < first => b,
        (Some(_), Some(_)) => a,
        _ => Window::Ever,
    }
}
