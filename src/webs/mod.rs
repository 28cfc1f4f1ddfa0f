//! Webs of care: which organisations, teams and settings are in contact with a person, and how often it changes hands.
//!
//! Made of the contacts that were kept in the one pass. A contact without a recorded provider counts as a contact and for
//! its setting; indices of continuity and hand-offs are over those with one. Of contacts at one time the order is that of
//! their names.

/// Indices of continuity.
pub mod continuity;

/// What is published of webs.
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use jiff::civil::Date;

use crate::calendar::{self, Window};
use crate::error::Result;
use crate::features::keep::{Kept, KeptRow};
use crate::pipeline::decl::Setting;
use crate::pipeline::decl::measures::Provider as Kind;
use crate::pipeline::measures::{Contact, Web, WebFigure};
use crate::workers;
use continuity::{Continuity, continuity};
pub use tables::write;

/// One web of everyone on the spine.
#[derive(Debug, Default)]
pub struct Webs {
    /// By person.
    people: Vec<PersonWeb>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// The web of one person.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct PersonWeb {
    contacts: u32,
    contacts_a_month: f64,
    organisations: u32,
    teams: u32,
    settings: u32,
    hand_offs: u32,
    continuity: Continuity,
    repeated_assessments: u32,
}

/// Setting, organisation and team, as names of [`Kept`].
type Place = (Setting, [u32; 2]);

/// Who was in contact with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    person: u32,
    place: Place,
    contacts: u32,
    first: i32,
    last: i32,
}

/// From which provider to which other the contact changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    person: u32,
    from: Place,
    to: Place,
    hand_offs: u32,
}

/// One contact; the order of the fields is the order of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    person: u32,
    day: i32,
    second: Option<i32>,
    labels: [u32; 2],
    setting: Setting,
}

impl Seen {
    fn place(&self) -> Place {
        (self.setting, self.labels)
    }

    /// Who the provider is; none where it is not recorded. The same organisation is one provider in two settings.
    fn provider(&self, kind: Kind) -> Option<[u32; 2]> {
        let [organisation, team] = self.labels;
        match kind {
            Kind::Organisation => (organisation > 0).then_some([organisation, 0]),
            Kind::Team => (team > 0).then_some([organisation, team]),
        }
    }
}

/// People of whom one worker makes the webs at a time.
const TOGETHER: usize = 1 << 13;

/// The web of everyone on the spine, made by so many workers.
pub fn of(web: &Web, as_of: Date, kept: &Kept, workers: usize) -> Result<Webs> {
    let first = web.window.first_day(as_of).map_or(i32::MIN, calendar::epoch_days);
    let parts = workers::each(workers, workers::ranges(kept.people as usize, TOGETHER), |range| {
        let people = range.start as u32..range.end as u32;
        let seen = contacts(&web.contacts, first, kept, &people);
        let assessed = contacts(&web.assessments, first, kept, &people);
        let mut webs = Webs::default();
        let (mut rest, mut assessed) = (seen.as_slice(), assessed.as_slice());
        for person in people {
            let own = take(&mut rest, person);
            let assessments = take(&mut assessed, person);
            webs.people.push(one(web, own, assessments));
            webs.nodes.extend(nodes(own));
            webs.edges.extend(edges(web.decl.provider, own));
        }
        Ok(webs)
    })?;
    let mut webs = Webs::default();
    for part in parts {
        webs.people.extend(part.people);
        webs.nodes.extend(part.nodes);
        webs.edges.extend(part.edges);
    }
    Ok(webs)
}

/// The contacts of some people on the spine from a day on, in order; a watch may look back further.
fn contacts(rows: &[Contact], first: i32, kept: &Kept, people: &Range<u32>) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for contact in rows {
        let here = kept.of_people(contact.watch, people).iter().filter(|row| row.day >= first);
        seen.extend(here.map(|&KeptRow { person, day, second, labels, .. }| Seen {
            person,
            day,
            second,
            labels,
            setting: contact.setting,
        }));
    }
    seen.sort_unstable();
    seen
}

/// The first of the rest, as far as they are this person's.
fn take<'a>(rest: &mut &'a [Seen], person: u32) -> &'a [Seen] {
    let (own, others) = rest.split_at(rest.partition_point(|seen| seen.person <= person));
    *rest = others;
    own
}

fn one(web: &Web, own: &[Seen], assessments: &[Seen]) -> PersonWeb {
    let kind = web.decl.provider;
    let providers: Vec<[u32; 2]> = own.iter().filter_map(|seen| seen.provider(kind)).collect();
    let different = |kind: Kind| {
        let mut providers: Vec<[u32; 2]> = own.iter().filter_map(|seen| seen.provider(kind)).collect();
        providers.sort_unstable();
        providers.dedup();
        count(providers.len())
    };
    PersonWeb {
        contacts: count(own.len()),
        contacts_a_month: own.len() as f64 / months(web.window),
        organisations: different(Kind::Organisation),
        teams: different(Kind::Team),
        settings: count(own.iter().map(|seen| seen.setting).collect::<BTreeSet<_>>().len()),
        hand_offs: count(providers.windows(2).filter(|pair| pair.first() != pair.last()).count()),
        continuity: continuity(&providers),
        repeated_assessments: count(repeated(kind, assessments, web.again_within_days)),
    }
}

/// Assessments that another provider had made within so many days before.
fn repeated(kind: Kind, assessments: &[Seen], within_days: i32) -> usize {
    let again = |(at, later): &(usize, &Seen)| {
        let before = assessments.get(..*at).unwrap_or_default();
        let other = |earlier: &&Seen| {
            let providers = earlier.provider(kind).zip(later.provider(kind));
            later.day - earlier.day <= within_days && providers.is_some_and(|(earlier, later)| earlier != later)
        };
        before.iter().rev().take_while(|earlier| later.day - earlier.day <= within_days).any(|earlier| other(&earlier))
    };
    assessments.iter().enumerate().filter(again).count()
}

/// How many months a window is long: a year has twelve of them.
fn months(window: Window) -> f64 {
    match window {
        Window::Days(days) => f64::from(days) * 12.0 / 365.25,
        Window::Months(months) => f64::from(months),
        Window::Years(years) => 12.0 * f64::from(years),
        Window::Ever => f64::INFINITY,
    }
}

fn nodes(own: &[Seen]) -> Vec<Node> {
    let mut nodes: BTreeMap<Place, Node> = BTreeMap::new();
    for seen in own {
        let fresh = Node { person: seen.person, place: seen.place(), contacts: 0, first: seen.day, last: seen.day };
        let node = nodes.entry(seen.place()).or_insert(fresh);
        node.contacts += 1;
        node.last = node.last.max(seen.day);
    }
    nodes.into_values().collect()
}

fn edges(kind: Kind, own: &[Seen]) -> Vec<Edge> {
    let known: Vec<&Seen> = own.iter().filter(|seen| seen.provider(kind).is_some()).collect();
    let mut edges: BTreeMap<(Place, Place), Edge> = BTreeMap::new();
    for (from, to) in known.iter().zip(known.iter().skip(1)) {
        if from.provider(kind) != to.provider(kind) {
            let fresh = Edge { person: from.person, from: from.place(), to: to.place(), hand_offs: 0 };
            edges.entry((from.place(), to.place())).or_insert(fresh).hand_offs += 1;
        }
    }
    edges.into_values().collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Webs {
    /// One figure of everyone, as a feature.
    pub fn column(&self, figure: WebFigure) -> ArrayRef {
        if figure.is_count() {
            let counts = self.people.iter().map(|web| web.count(figure).map(i64::from));
            return Arc::new(counts.collect::<Int64Array>());
        }
        Arc::new(self.people.iter().map(|web| web.number(figure)).collect::<Float64Array>())
    }
}

impl PersonWeb {
    fn count(&self, figure: WebFigure) -> Option<u32> {
        match figure {
            WebFigure::Contacts => Some(self.contacts),
            WebFigure::Organisations => Some(self.organisations),
            WebFigure::Teams => Some(self.teams),
            WebFigure::Settings => Some(self.settings),
            WebFigure::HandOffs => Some(self.hand_offs),
            WebFigure::RepeatedAssessments => Some(self.repeated_assessments),
            _ => None,
        }
    }

    fn number(&self, figure: WebFigure) -> Option<f64> {
        match figure {
            WebFigure::ContactsAMonth => Some(self.contacts_a_month),
            WebFigure::UsualProvider => self.continuity.usual_provider,
            WebFigure::BiceBoxerman => self.continuity.bice_boxerman,
            WebFigure::SequentialContinuity => self.continuity.sequential,
            WebFigure::Mmci => self.continuity.mmci,
            counted => self.count(counted).map(f64::from),
        }
    }
}
