//! Who gets the places: by rank, within limits and quotas, with floors kept and the last places drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, StringArray};

use super::order::{self, Draw};
use super::select::{EVERYONE, Scene, UNALLOCATED};
use super::{ListRow, Place, words};
use crate::error::{Error, Result};
use crate::pipeline::Cohort;

/// What became of every candidate.
#[derive(Debug, Default)]
pub struct Given {
    /// By recipient, then rank.
    pub rows: Vec<ListRow>,
    /// Listed and reserve by recipient; every recipient with a candidate is there.
    pub recipients: BTreeMap<String, (u64, u64)>,
    pub below_the_cut: u64,
    /// Everyone whose place was drawn for.
    pub drawn: Vec<Drawn>,
    /// By recipient, in rank order.
    pub standing: Vec<Standing>,
}

/// Where a candidate stands: what a later comparison of both sides of the cut needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Index into [`crate::link::People::tokens`].
    pub person: u32,
    pub recipient: Arc<str>,
    /// From 1, within the recipient, listed or not.
    pub position: u32,
    pub listed: bool,
    /// Of being listed, where the place was drawn for.
    pub probability: Option<f64>,
}

/// A candidate for the last places, which go by lottery.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Index into [`crate::link::People::tokens`].
    pub person: u32,
    pub recipient: Arc<str>,
    /// From 1, among those drawn for, in rank order.
    pub order: u32,
    /// Of being listed.
    pub probability: f64,
    pub listed: bool,
}

/// A group that is to have at least so many places of each recipient.
#[derive(Debug)]
pub struct Guarantee {
    pub members: BooleanArray,
    pub at_least: u64,
}

/// What a candidate has, in rank order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waiting,
    /// By rank, or by a floor.
    Sure,
    /// Among those for whom a place is drawn.
    Pool,
    Reserve,
}

/// A group's floor for a recipient that rank alone did not fill.
type Short = BTreeSet<(usize, usize)>;

/// The candidates of one cohort in rank order, and what binds their places.
struct Field<'a> {
    cohort: &'a Cohort,
    /// Best first.
    persons: Vec<u32>,
    /// Index into `names`, by candidate.
    recipients: Vec<usize>,
    names: Vec<String>,
    /// The candidates of each recipient, best first.
    of: Vec<Vec<usize>>,
    bounds: Vec<Bound>,
    floors: &'a [Guarantee],
}

/// At most so many people of a kind: listed, and listed and waiting together.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// Index into `rooms` by candidate; none is not bound.
    of: Vec<Option<usize>>,
    rooms: Vec<Room>,
}

#[derive(Debug, Clone, Copy)]
struct Room {
    listed: u64,
    all: u64,
}

/// Gives the places of a cohort to its candidates, best first.
pub fn give(scene: &Scene, cohort: &Cohort, persons: Vec<u32>, floors: &[Guarantee]) -> Result<Given> {
    let (recipients, names) = recipients(scene, cohort, &persons)?;
    let bounds = bounds(scene, cohort, &persons, &recipients)?;
    let mut of = vec![Vec::new(); names.len()];
    recipients.iter().enumerate().for_each(|(at, recipient)| of[*recipient].push(at));
    let field = Field { cohort, persons, recipients, names, of, bounds, floors };
    // A floor takes places from the ranked only where rank alone leaves it short.
    let mut short = Short::new();
    let fates = loop {
        let fates = field.walk(&short);
        let more: Short = field.short(&fates).difference(&short).copied().collect();
        if more.is_empty() {
            break fates;
        }
        short.extend(more);
    };
    field.settle(scene, fates)
}

fn recipients(scene: &Scene, cohort: &Cohort, persons: &[u32]) -> Result<(Vec<usize>, Vec<String>)> {
    let Some(per) = cohort.per else {
        let names = if persons.is_empty() { Vec::new() } else { vec![EVERYONE.to_owned()] };
        return Ok((vec![0; persons.len()], names));
    };
    let column = scene.texts(per)?;
    let of = |person: &u32| value(&column, *person).unwrap_or(UNALLOCATED);
    let names: BTreeSet<&str> = persons.iter().map(of).collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let recipients = persons.iter().map(|person| index.get(of(person)).copied().unwrap_or_default()).collect();
    Ok((recipients, names.into_iter().map(str::to_owned).collect()))
}

pub(super) fn value(column: &StringArray, person: u32) -> Option<&str> {
    let at = person as usize;
    (at < column.len() && column.is_valid(at)).then(|| column.value(at))
}

/// Limits over all recipients, quotas within each; `recipients` numbers that of each person.
pub(super) fn bounds(scene: &Scene, cohort: &Cohort, persons: &[u32], recipients: &[usize]) -> Result<Vec<Bound>> {
    let mut bounds = Vec::new();
    for limit in &cohort.capacity.limits {
        let column = scene.texts(limit.feature)?;
        let room = Room { listed: u64::from(limit.take), all: u64::from(limit.take) + u64::from(limit.reserve) };
        let kind =
            |(_, person): (&usize, &u32)| Some((value(&column, *person).unwrap_or(UNALLOCATED).to_owned(), room));
        bounds.push(Bound::of(recipients.iter().zip(persons).map(kind)));
    }
    for quota in &cohort.capacity.quotas {
        let column = scene.texts(quota.feature)?;
        let kind = |(recipient, person): (&usize, &u32)| {
            let value = value(&column, *person)?;
            let places = u64::from(*quota.at_most.get(value)?);
            Some((format!("{recipient} {value}"), Room { listed: places, all: places }))
        };
        bounds.push(Bound::of(recipients.iter().zip(persons).map(kind)));
    }
    Ok(bounds)
}

impl Bound {
    fn of(kinds: impl Iterator<Item = Option<(String, Room)>>) -> Self {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut rooms = Vec::new();
        let mut number = |(kind, room): (String, Room)| {
            *known.entry(kind).or_insert_with(|| {
                rooms.push(room);
                rooms.len() - 1
            })
        };
        let of = kinds.map(|kind| kind.map(&mut number)).collect();
        Self { of, rooms }
    }

    fn room(&mut self, candidate: usize) -> Option<&mut Room> {
        let kind = self.of.get(candidate).copied().flatten()?;
        self.rooms.get_mut(kind)
    }
}

/// Takes a place within all bounds, or none.
pub(super) fn fits(bounds: &mut [Bound], candidate: usize, listed: bool) -> bool {
    let free =
        |bound: &mut Bound| bound.room(candidate).is_none_or(|room| room.all > 0 && (!listed || room.listed > 0));
    if !bounds.iter_mut().all(free) {
        return false;
    }
    for room in bounds.iter_mut().filter_map(|bound| bound.room(candidate)) {
        room.all -= 1;
        room.listed -= u64::from(listed);
    }
    true
}

impl Field<'_> {
    /// One pass in rank order, after the floors that are known to be short.
    fn walk(&self, short: &Short) -> Vec<Fate> {
        let mut bounds = self.bounds.clone();
        let mut fates = vec![Fate::Waiting; self.persons.len()];
        let (take, reserve) = (u64::from(self.cohort.decl.capacity.take), u64::from(self.cohort.decl.capacity.reserve));
        let by_rank = take - u64::from(self.cohort.capacity.drawn).min(take);
        let mut sure = vec![0_u64; self.names.len()];
        for (floor, recipient) in short {
            let Some(guarantee) = self.floors.get(*floor) else { continue };
            let mut have = self.members(guarantee, *recipient).filter(|at| fates[*at] == Fate::Sure).count() as u64;
            for at in self.members(guarantee, *recipient) {
                let room = have < guarantee.at_least && sure[*recipient] < take && fates[at] == Fate::Waiting;
                if room && fits(&mut bounds, at, true) {
                    fates[at] = Fate::Sure;
                    sure[*recipient] += 1;
                    have += 1;
                }
            }
        }
        let (mut pools, mut reserves) = (vec![0_u64; self.names.len()], vec![0_u64; self.names.len()]);
        for (at, &to) in self.recipients.iter().enumerate() {
            if fates[at] != Fate::Waiting {
                continue;
            }
            if sure[to] < by_rank && fits(&mut bounds, at, true) {
                fates[at] = Fate::Sure;
                sure[to] += 1;
            } else if sure[to] >= by_rank && pools[to] < 2 * (take - sure[to]) && fits(&mut bounds, at, true) {
                fates[at] = Fate::Pool;
                pools[to] += 1;
            } else if reserves[to] < reserve && fits(&mut bounds, at, false) {
                fates[at] = Fate::Reserve;
                reserves[to] += 1;
            }
        }
        fates
    }

    /// The candidates of a group for a recipient, best first.
    fn members<'b>(&'b self, guarantee: &'b Guarantee, recipient: usize) -> impl Iterator<Item = usize> + 'b {
        self.of[recipient].iter().copied().filter(|at| guarantee.members.value(self.persons[*at] as usize))
    }

    /// Floors that have fewer sure places than they should, though there are more members.
    fn short(&self, fates: &[Fate]) -> Short {
        let mut short = Short::new();
        for (floor, guarantee) in self.floors.iter().enumerate() {
            for recipient in 0..self.names.len() {
                let (mut all, mut sure) = (0, 0);
                for at in self.members(guarantee, recipient) {
                    all += 1;
                    sure += u64::from(fates[at] == Fate::Sure);
                }
                if sure < guarantee.at_least && sure < all {
                    short.insert((floor, recipient));
                }
            }
        }
        short
    }

    /// Draws the last places, and numbers the rows.
    fn settle(&self, scene: &Scene, fates: Vec<Fate>) -> Result<Given> {
        let mut given = Given::default();
        for (recipient, name) in self.names.iter().enumerate() {
            let shared: Arc<str> = name.as_str().into();
            let of =
                |fate: Fate| self.of[recipient].iter().copied().filter(|at| fates[*at] == fate).collect::<Vec<_>>();
            let mut listed = of(Fate::Sure);
            let left =
                usize::try_from(self.cohort.decl.capacity.take).unwrap_or(usize::MAX).saturating_sub(listed.len());
            listed.extend(self.draw(scene, &shared, of(Fate::Pool), left, &mut given.drawn)?);
            listed.sort_unstable();
            given.standing.extend(self.standing(recipient, &shared, &listed, &given.drawn));
            let reserve = of(Fate::Reserve);
            given.recipients.insert(name.clone(), (listed.len() as u64, reserve.len() as u64));
            let placed =
                listed.iter().map(|at| (at, Place::Listed)).chain(reserve.iter().map(|at| (at, Place::Reserve)));
            for (rank, (at, place)) in (1_u32..).zip(placed) {
                let person = self.persons[*at];
                given.rows.push(ListRow {
                    person,
                    recipient: name.clone(),
                    rank,
                    place,
                    reasons: Vec::new(),
                    past: None,
                });
            }
        }
        given.below_the_cut = fates.iter().filter(|fate| **fate == Fate::Waiting).count() as u64;
        Ok(given)
    }

    /// Where each candidate of a recipient stands.
    fn standing(&self, recipient: usize, name: &Arc<str>, listed: &[usize], drawn: &[Drawn]) -> Vec<Standing> {
        let own = drawn.iter().filter(|drawn| drawn.recipient == *name);
        let odds: BTreeMap<u32, f64> = own.map(|drawn| (drawn.person, drawn.probability)).collect();
        let stands = |(position, at): (u32, &usize)| {
            let person = self.persons[*at];
            let listed = listed.binary_search(at).is_ok();
            let probability = odds.get(&person).copied();
            Standing { person, recipient: Arc::clone(name), position, listed, probability }
        };
        (1_u32..).zip(&self.of[recipient]).map(stands).collect()
    }

    /// Who of the pool is listed; where there are no more candidates than places, nothing is drawn.
    fn draw(
        &self,
        scene: &Scene,
        recipient: &Arc<str>,
        pool: Vec<usize>,
        left: usize,
        drawn: &mut Vec<Drawn>,
    ) -> Result<Vec<usize>> {
        if pool.len() <= left {
            return Ok(pool);
        }
        let lot = |at: &usize| Ok((order::lot(scene, self.cohort, self.persons[*at], Draw::Lottery)?, *at));
        let mut lots = pool.iter().map(lot).collect::<Result<Vec<_>>>()?;
        lots.sort_unstable();
        let winners: Vec<usize> = lots.into_iter().take(left).map(|(_, at)| at).collect();
        let probability = left as f64 / pool.len() as f64;
        for (order, at) in (1_u32..).zip(&pool) {
            let (person, listed) = (self.persons[*at], winners.contains(at));
            drawn.push(Drawn { person, recipient: Arc::clone(recipient), order, probability, listed });
        }
        Ok(winners)
    }
}

impl Scene<'_> {
    /// A feature as text.
    pub fn texts(&self, feature: usize) -> Result<StringArray> {
        let column = self.features.columns.column(feature)?;
        words::column(&column.ok_or_else(|| Error::Fault("a feature that names places was not made".to_owned()))?)
    }
}
