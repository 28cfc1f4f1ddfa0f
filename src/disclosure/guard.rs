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

/// So many programs are solved before whole sums are hidden, and again before everything is.
const PROGRAMS: usize = 500;

/// No further than so many sums away is looked for a count to hide.
const FAR: usize = 100;

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
        return protect_exact(network, &small, hidden_before, PROGRAMS);
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

/// First against sums by themselves, as far as one leads to the next; then against all of them together. Where that takes too
/// many programs, whole sums are hidden for what is left, and in the end all that it hangs together with but the totals.
fn protect_exact(network: &mut Network, small: &[usize], hidden_before: &HashSet<Key>, programs: usize) {
    let mut room = Room::default();
    let mut left: Vec<usize> = small.iter().copied().filter(|at| !network.is_of_nobody(*at)).collect();
    for whole_sums in [false, true] {
        if whole_sums {
            let sums: Vec<usize> = left.iter().flat_map(|at| network.sums_of(*at)).copied().collect();
            sums.into_iter().for_each(|sum| hide_all(network, sum));
        }
        give_nothing_away(network, small, hidden_before);
        room.may_solve(programs);
        left = make_room(network, &mut room, &left, hidden_before);
    }
    let mut seen: HashSet<usize> = HashSet::new();
    let mut sums: Vec<usize> = left.iter().flat_map(|at| network.sums_of(*at)).copied().collect();
    while let Some(sum) = sums.pop() {
        if seen.insert(sum) {
            hide_all(network, sum);
            sums.extend(network.members(sum).flat_map(|(_, member)| network.sums_of(member)).copied());
        }
    }
}

/// Hides counts until no small one is given away by a sum after the other.
fn give_nothing_away(network: &mut Network, small: &[usize], hidden_before: &HashSet<Key>) {
    let small: Vec<usize> = small.iter().copied().filter(|at| !network.is_of_nobody(*at)).collect();
    loop {
        let given_away = network.given_away();
        let away = small.iter().copied().filter(|at| given_away.contains_key(at));
        let next: Vec<usize> = away.filter_map(|at| on_the_way(network, at, &given_away, hidden_before)).collect();
        if next.is_empty() {
            return;
        }
        next.into_iter().for_each(|at| network.hide(at));
    }
}

/// Hides counts until each of these is wide enough, twice as many at each turn. Those that are left: no count to hide is near,
/// or no more programs may be solved.
fn make_room(network: &mut Network, room: &mut Room, small: &[usize], hidden_before: &HashSet<Key>) -> Vec<usize> {
    let mut left = Vec::new();
    for at in small.iter().copied() {
        let mut several = 1;
        while !room.is_wide(network, at, WIDTH) {
            let hides = |_: &usize| !room.is_spent() && hide_beside(network, at, hidden_before);
            if (0..several).take_while(hides).count() == 0 {
                left.push(at);
                break;
            }
            several *= 2;
        }
    }
    left
}

/// Hides all counts of a sum that may be hidden; its whole only where that is part of another.
fn hide_all(network: &mut Network, sum: usize) {
    let is_part = |at: usize| network.sums_of(at).iter().any(|sum| network.members(*sum).any(|of| of == (false, at)));
    let members: Vec<usize> =
        network.members(sum).map(|(_, member)| member).filter(|member| is_part(*member)).collect();
    for member in members {
        if network.counts.get(member).is_some_and(may_be_hidden) {
            network.hide(member);
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
/// more can be hidden near: an earlier run showed it, or all that hangs together is hidden; or, of rounded counts, all of its sums.
fn other(network: &Network, at: usize, reach: Reach, hidden_before: &HashSet<Key>) -> Option<usize> {
    let width = |sum: &usize| match reach {
        Reach::OwnSums => {
            let told = network.told(*sum, at);
            told.high - told.low.max(0.0)
        }
        Reach::Far | Reach::FarAndZeros => network.room_beside(*sum, at),
    };
    let narrowest_first = |sums: &[usize]| -> Vec<usize> {
        let mut sums: Vec<(f64, usize)> = sums.iter().map(|sum| (width(sum), *sum)).collect();
        sums.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        sums.into_iter().map(|(_, sum)| sum).collect()
    };
    let mut sums = narrowest_first(network.sums_of(at));
    let mut seen: HashSet<usize> = sums.iter().copied().collect();
    while !sums.is_empty() {
        if let Some(found) = sums.iter().find_map(|sum| smallest(network, *sum, at, reach, hidden_before)) {
            return Some(found);
        }
        if reach == Reach::OwnSums || seen.len() > FAR {
            return None;
        }
        let members = sums.iter().flat_map(|sum| network.members(*sum));
        let further = members.flat_map(|(_, member)| network.sums_of(member)).copied();
        let further: Vec<usize> = further.filter(|sum| seen.insert(*sum)).take(FAR).collect();
        sums = narrowest_first(&further);
    }
    None
}

/// The smallest count of a sum that can be hidden; of exact ones one that the fewest other sums would give away at once.
fn smallest(network: &Network, sum: usize, at: usize, reach: Reach, hidden_before: &HashSet<Key>) -> Option<usize> {
    let candidate = |(is_whole, member): (bool, usize)| {
        let count = network.counts.get(member).filter(|count| member != at && may_be_hidden(count))?;
        let shown = count.shown?.shown_count().filter(|shown| *shown > 0 || reach == Reach::FarAndZeros)?;
        let elsewhere = count.sums.iter().filter(|other| **other != sum && reach != Reach::OwnSums);
        let given_away = elsewhere.filter(|other| !network.has_open(**other)).count();
        Some((is_whole, !hidden_before.contains(&count.key), given_away, shown, &count.key, member))
    };
    network.members(sum).filter_map(candidate).min().map(|(.., member)| member)
}

/// What an earlier run showed cannot be taken back.
fn may_be_hidden(count: &Count) -> bool {
    !count.places.is_empty() && count.before.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cell, Whole};
    use super::*;

    /// Where nothing may be worked out, everything that hangs together with a small count is hidden but the total.
    #[test]
    fn without_a_program_all_but_the_total_is_hidden() {
        let rule = Rule::Below5;
        let mut table = AggregateTable::new("t", ["split", "group", "people", "listed"])
            .sums("people", "group", Whole::Row(&[("split", "everyone"), ("group", "everyone")]))
            .sums("listed", "group", Whole::Row(&[("split", "everyone"), ("group", "everyone")]))
            .part_of("listed", "people");
        for (split, group, people, listed) in [
            ("everyone", "everyone", 172, 48),
            ("sex", "1", 90, 30),
            ("sex", "2", 80, 17),
            ("sex", "not recorded", 2, 1),
        ] {
            let counts = [Cell::Count(rule.count(people)), Cell::Count(rule.part(listed, people))];
            table.row([Cell::text(split), Cell::text(group)].into_iter().chain(counts)).unwrap();
        }
        let shown = |programs: usize| {
            let tables = [table.clone()];
            let mut network = Network::of(rule, &tables, &[]);
            let small: Vec<usize> = (0..network.counts.len()).filter(|at| network.is_hidden(*at)).collect();
            network.narrow();
            protect_exact(&mut network, &small, &HashSet::new(), programs);
            network.counts.iter().filter_map(|count| count.shown?.shown_count()).collect::<Vec<u64>>()
        };
        assert_eq!(shown(0), [172]);
        assert!(shown(PROGRAMS).len() > 2, "{:?}", shown(PROGRAMS));
    }
}
