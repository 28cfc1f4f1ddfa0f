//! What a reader could work out, and what is hidden so that they cannot.
//!
//! The reader knows the rule, every published table, every sum, and the run before. What they do not know is which `*` is
//! small and which protects another, so a hidden count is any number from 0 on to them. Where nothing is rounded, further
//! counts are hidden until all sums together leave each small one a range of 8. Rounding protects by itself: what one sum
//! leaves is uncertain by 8, as the difference of two rounded numbers is. Where it would be less, or where many sums together
//! leave less than five numbers, the next smallest count of the same sums is hidden too, as long as they show one.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::decisions::Decisions;
use super::network::{Count, Known, Network};
use super::program::Room;
use super::rule::{Disclosed, Rule};
use super::table::{AggregateTable, Key};

/// Exact counts leave a small one a range of this, and so does each sum of rounded ones.
const WIDTH: f64 = 8.0;

/// All sums of rounded counts together leave this: as much as one rounded number is uncertain.
const NEAR_ZERO: f64 = 4.0;

/// The tables of an earlier run by name, header first, as published: the ledger of what was released.
#[derive(Debug, Default)]
pub struct Before {
    pub tables: BTreeMap<String, Vec<Vec<String>>>,
}

/// Hides in the tables of a run what could be worked out from all of them together and from those of the run before.
pub fn release(rule: Rule, tables: &mut [AggregateTable], before: &Before) -> Decisions {
    let earlier: Vec<AggregateTable> =
        tables.iter().filter_map(|table| table.with_rows(before.tables.get(table.name())?)).collect();
    let hidden_before = hidden(&earlier);
    let same_people = says_the_same(tables, &earlier);
    let mut network = Network::of(rule, tables, if same_people { &earlier } else { &[] });
    hold(rule, &mut network, &hidden_before, same_people);
    protect(rule, &mut network, &hidden_before);
    for at in 0..network.counts.len() {
        let Some(count) = network.counts.get(at).filter(|_| network.is_hidden(at)) else { continue };
        for (table, row, column) in &count.places {
            if let Some(table) = tables.get_mut(*table) {
                table.hide(*row, *column);
            }
        }
    }
    tables.iter_mut().for_each(AggregateTable::hide_derived);
    Decisions::of(rule, tables)
}

fn hidden(tables: &[AggregateTable]) -> HashSet<Key> {
    let cells = tables.iter().flat_map(AggregateTable::count_cells);
    cells.filter(|(.., shown)| shown.is_suppressed()).map(|(_, _, key, _)| key).collect()
}

/// Whether both runs may be of the same people: no count that both show differs.
fn says_the_same(tables: &[AggregateTable], earlier: &[AggregateTable]) -> bool {
    let now: HashMap<Key, Disclosed> =
        tables.iter().flat_map(AggregateTable::count_cells).map(|(_, _, key, shown)| (key, shown)).collect();
    earlier.iter().flat_map(AggregateTable::count_cells).all(|(_, _, key, shown)| {
        now.get(&key).is_none_or(|now| now.is_suppressed() || shown.is_suppressed() || *now == shown)
    })
}

/// What was hidden in the run before stays hidden until it is clear of the limit: a count that crosses it by one person
/// would tell what it was. Of the same people it stays hidden altogether.
fn hold(rule: Rule, network: &mut Network, hidden_before: &HashSet<Key>, same_people: bool) {
    for at in 0..network.counts.len() {
        let Some(count) = network.counts.get(at).filter(|count| hidden_before.contains(&count.key)) else { continue };
        let shown = count.shown.and_then(Disclosed::shown_count);
        if shown.is_some_and(|shown| same_people || shown < rule.clear_from()) {
            network.hide(at);
        }
    }
}

/// Hides further counts until each small one is wide enough. Those that are hidden for it need no room of their own.
fn protect(rule: Rule, network: &mut Network, hidden_before: &HashSet<Key>) {
    let small: Vec<usize> = (0..network.counts.len()).filter(|at| network.is_hidden(*at)).collect();
    network.narrow();
    if !rule.rounds() {
        return protect_exact(network, &small, hidden_before);
    }
    loop {
        let unsafe_ones = small.iter().copied().filter(|at| !is_safe(network, *at));
        let next: Vec<usize> = unsafe_ones.filter_map(|at| other(network, at, Reach::OwnSums, hidden_before)).collect();
        if next.is_empty() {
            return;
        }
        next.into_iter().for_each(|at| network.hide(at));
        network.narrow();
    }
}

/// First against sums by themselves, as far as one leads to the next; then against all of them together.
fn protect_exact(network: &mut Network, small: &[usize], hidden_before: &HashSet<Key>) {
    let small: Vec<usize> = small.iter().copied().filter(|at| !network.is_of_nobody(*at)).collect();
    loop {
        let given_away = network.given_away();
        let away = small.iter().copied().filter(|at| given_away.contains_key(at));
        let next: Vec<usize> = away.filter_map(|at| on_the_way(network, at, &given_away, hidden_before)).collect();
        if next.is_empty() {
            break;
        }
        next.into_iter().for_each(|at| network.hide(at));
    }
    let mut room = Room::default();
    for at in small {
        // Twice as many at each turn: of a large table that leaves no room everything is hidden soon.
        let mut several = 1;
        while !room.is_wide(network, at, WIDTH) {
            if (0..several).take_while(|_| hide_beside(network, at, hidden_before)).count() == 0 {
                break;
            }
            several *= 2;
        }
    }
}

/// Hides the next count beside this one; not where nothing more can be hidden.
fn hide_beside(network: &mut Network, at: usize, hidden_before: &HashSet<Key>) -> bool {
    let next = other(network, at, Reach::Far, hidden_before);
    let next = next.or_else(|| other(network, at, Reach::FarAndZeros, hidden_before));
    next.into_iter().for_each(|next| network.hide(next));
    next.is_some()
}

/// The count to hide so that a small one is not given away: in the sum that gives it away, or in those on the way there.
fn on_the_way(
    network: &Network,
    at: usize,
    given_away: &HashMap<usize, usize>,
    hidden_before: &HashSet<Key>,
) -> Option<usize> {
    for reach in [Reach::Far, Reach::FarAndZeros] {
        let (mut way, mut seen) = (vec![at], HashSet::new());
        seen.insert(at);
        let mut next = 0;
        while let Some(from) = way.get(next).copied() {
            next += 1;
            let Some(sum) = given_away.get(&from) else { continue };
            if let Some(found) = smallest(network, *sum, from, reach, hidden_before) {
                return Some(found);
            }
            way.extend(network.members(*sum).map(|(_, member)| member).filter(|member| seen.insert(*member)));
        }
    }
    None
}

/// Of rounded counts: wide enough, or part of what is published as nobody, which tells of no person.
fn is_safe(network: &Network, at: usize) -> bool {
    let printed = |sum: &usize| network.left_by_print(*sum, at) >= WIDTH;
    network.is_of_nobody(at) || (width(network, at) >= NEAR_ZERO && network.sums_of(at).iter().all(printed))
}

/// How uncertain a count is by each of its sums, and by what is known of the others in them.
fn width(network: &Network, at: usize) -> f64 {
    let told = network.sums_of(at).iter().map(|sum| network.told(*sum, at)).fold(Known::ANY, Known::and);
    told.high - told.low.max(0.0)
}

/// Where to look for a count to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    OwnSums,
    Far,
    FarAndZeros,
}

/// The count to hide with this one: in the sum that tells most of it, one that was hidden before, else the smallest that is
/// shown; the whole of the sum last. Where its own sums show nothing more, in the sums that those hang on. None where nothing
/// more can be hidden: an earlier run showed it, or all that hangs together is hidden; or, of rounded counts, all of its sums.
fn other(network: &Network, at: usize, reach: Reach, hidden_before: &HashSet<Key>) -> Option<usize> {
    let width = |sum: &usize| match reach {
        Reach::OwnSums => {
            let told = network.told(*sum, at);
            told.high - told.low.max(0.0)
        }
        Reach::Far | Reach::FarAndZeros => network.room_beside(*sum, at),
    };
    let mut sums = network.sums_of(at).to_vec();
    sums.sort_by(|a, b| width(a).total_cmp(&width(b)).then(a.cmp(b)));
    let mut seen: HashSet<usize> = sums.iter().copied().collect();
    while !sums.is_empty() {
        if let Some(found) = sums.iter().find_map(|sum| smallest(network, *sum, at, reach, hidden_before)) {
            return Some(found);
        }
        if reach == Reach::OwnSums {
            return None;
        }
        let members = sums.iter().flat_map(|sum| network.members(*sum));
        let mut further: Vec<usize> =
            members.flat_map(|(_, member)| network.sums_of(member)).copied().filter(|sum| seen.insert(*sum)).collect();
        further.sort_by(|a, b| width(a).total_cmp(&width(b)).then(a.cmp(b)));
        sums = further;
    }
    None
}

/// The smallest count of a sum that can be hidden; of exact ones one that the fewest other sums would give away at once.
fn smallest(network: &Network, sum: usize, at: usize, reach: Reach, hidden_before: &HashSet<Key>) -> Option<usize> {
    let candidate = |(is_whole, member): (bool, usize)| {
        // What an earlier run showed cannot be taken back.
        let can_be_hidden = |count: &&Count| member != at && !count.places.is_empty() && count.before.is_none();
        let count = network.counts.get(member).filter(can_be_hidden)?;
        let shown = count.shown?.shown_count().filter(|shown| *shown > 0 || reach == Reach::FarAndZeros)?;
        let elsewhere = count.sums.iter().filter(|other| **other != sum && reach != Reach::OwnSums);
        let given_away = elsewhere.filter(|other| !network.has_open(**other)).count();
        Some((is_whole, !hidden_before.contains(&count.key), given_away, shown, &count.key, member))
    };
    network.members(sum).filter_map(candidate).min().map(|(.., member)| member)
}
