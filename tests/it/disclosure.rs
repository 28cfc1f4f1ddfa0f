//! An attacker against released tables: every table, total and sum, and two runs of the same people, as a linear program.
//!
//! The attacker reads what is printed, knows the rule and every sum, and asks of each `*` how little and how much it can be.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, Error, OptimizationDirection, Problem};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::disclosure::{AggregateTable, Before, Cell, Label, Rule, Whole, release};

const RULES: [Rule; 5] = [Rule::Hes2018, Rule::OpenSafely, Rule::Mhsds, Rule::Below5, Rule::Threshold10];

/// A person: group in each split, whether listed and admitted, recording state.
struct Person {
    groups: Vec<usize>,
    listed: bool,
    admitted: bool,
    state: usize,
}

struct Population {
    people: Vec<Person>,
    /// Groups of each split, the last "not recorded".
    splits: Vec<usize>,
    states: usize,
}

fn population(rng: &mut ChaCha8Rng) -> Population {
    let splits: Vec<usize> = (0..rng.random_range(2..=3)).map(|_| rng.random_range(2..=5)).collect();
    let states = rng.random_range(2..=4);
    let size = *[12, 40, 90, 200, 600].choose(rng).unwrap();
    // Uneven groups: the later, the rarer.
    let pick = |rng: &mut ChaCha8Rng, of: usize| {
        let mut at = 0;
        while at + 1 < of && rng.random_bool(0.45) {
            at += 1;
        }
        at
    };
    let people = (0..rng.random_range(size / 2..=size))
        .map(|_| Person {
            groups: splits.iter().map(|groups| pick(rng, *groups)).collect(),
            listed: rng.random_bool(0.15),
            admitted: rng.random_bool(0.3),
            state: pick(rng, states),
        })
        .collect();
    Population { people, splits, states }
}

fn text(text: &str) -> Cell {
    Cell::Text(Label::new(text))
}

/// Split, group, and who is in it.
type Group = (String, String, Box<dyn Fn(&Person) -> bool>);

/// Everyone, then each group of each split that is published.
fn groups(population: &Population, published: &[usize]) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![("everyone".to_owned(), "everyone".to_owned(), Box::new(|_| true))];
    for split in published.iter().copied() {
        for group in 0..population.splits[split] {
            let name =
                if group + 1 == population.splits[split] { "not recorded".to_owned() } else { group.to_string() };
            groups.push((format!("split {split}"), name, Box::new(move |person| person.groups[split] == group)));
        }
    }
    groups
}

const EVERYONE: Whole = Whole::Row(&[("split", "everyone"), ("group", "everyone")]);

/// The two shapes in which tables are published: states of people, and parts of people.
fn tables(population: &Population, rule: Rule, published: &[usize]) -> Vec<AggregateTable> {
    let mut gaps = AggregateTable::new("gaps", ["split", "group", "people", "state", "count", "share"])
        .counts("people", "people", &["split", "group"])
        .sums("people", "group", EVERYONE)
        .sums("count", "group", EVERYONE)
        .sums("count", "state", Whole::Column("people"));
    let mut parts = AggregateTable::new("parts", ["split", "group", "people", "listed", "admitted", "share"])
        .counts("people", "people", &["split", "group"])
        .sums("people", "group", EVERYONE)
        .sums("listed", "group", EVERYONE)
        .sums("admitted", "group", EVERYONE)
        .part_of("listed", "people")
        .part_of("admitted", "people");
    for (split, group, is_in) in groups(population, published) {
        let count = |holds: &dyn Fn(&Person) -> bool| {
            population.people.iter().filter(|person| is_in(person) && holds(person)).count() as u64
        };
        let people = count(&|_| true);
        for state in 0..population.states {
            let here = count(&|person| person.state == state);
            let numbers = [Cell::Count(rule.part(here, people)), Cell::Count(rule.share(here, people))];
            let texts = [text(&split), text(&group), Cell::Count(rule.count(people)), text(&state.to_string())];
            gaps.row(texts.into_iter().chain(numbers)).unwrap();
        }
        let [listed, admitted] = [count(&|person| person.listed), count(&|person| person.admitted)];
        let numbers = [rule.count(people), rule.part(listed, people), rule.part(admitted, people)].map(Cell::Count);
        let share = Cell::Count(rule.share(listed, people));
        parts.row([text(&split), text(&group)].into_iter().chain(numbers).chain([share])).unwrap();
    }
    vec![gaps, parts]
}

/// What is printed of a table, header first.
fn printed(table: &AggregateTable) -> Vec<Vec<String>> {
    let cell = |cell: &Cell| match cell {
        Cell::Text(label) => label.as_str().to_owned(),
        Cell::Count(shown) => shown.to_string(),
        Cell::Empty => String::new(),
    };
    let rows = table.rows().iter().map(|row| row.iter().map(cell).collect());
    std::iter::once(table.header().to_vec()).chain(rows).collect()
}

/// What the attacker makes of print: counts by name, and sums.
#[derive(Default)]
struct Attack {
    /// What is printed of each count, in every place.
    counts: BTreeMap<String, Vec<String>>,
    sums: Vec<(String, Vec<String>)>,
    /// A count is no more than another.
    parts: Vec<(String, String)>,
}

impl Attack {
    fn read(&mut self, printed: &BTreeMap<String, Vec<Vec<String>>>) {
        let mut over_groups: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut over_states: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, rows) in printed {
            for row in &rows[1..] {
                let at = format!("{} {}", row[0], row[1]);
                let columns: Vec<(String, &String)> = match table.as_str() {
                    "gaps" => vec![("people".to_owned(), &row[2]), (format!("state {}", row[3]), &row[4])],
                    _ => vec![
                        ("people".to_owned(), &row[2]),
                        ("listed".to_owned(), &row[3]),
                        ("admitted".to_owned(), &row[4]),
                    ],
                };
                for (what, shown) in columns {
                    let name = format!("{what} of {at}");
                    self.counts.entry(name.clone()).or_default().push(shown.clone());
                    if what.starts_with("state") {
                        over_states.entry(at.clone()).or_default().push(name.clone());
                    } else if what != "people" {
                        self.parts.push((name.clone(), format!("people of {at}")));
                    }
                    if row[0] != "everyone" {
                        let names = over_groups.entry((what, row[0].clone())).or_default();
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
            }
        }
        self.sums
            .extend(over_groups.into_iter().map(|((what, _), names)| (format!("{what} of everyone everyone"), names)));
        self.sums.extend(over_states.into_iter().map(|(at, names)| (format!("people of {at}"), names)));
    }

    /// The narrowest that print says of a count; a `*` says that it is not below 0.
    fn bounds(rule: Rule, shown: &[String]) -> (f64, f64) {
        let of = |shown: &String| match (shown.parse::<f64>(), rule) {
            (Ok(count), Rule::Below5 | Rule::Threshold10) => (count, count),
            (Ok(0.0), _) => (0.0, 0.0),
            (Ok(count), Rule::Mhsds) => ((count - 2.0).max(5.0), count + 2.0),
            (Ok(count), _) => ((count - 2.0).max(8.0), count + 2.0),
            (Err(_), _) => (0.0, f64::INFINITY),
        };
        shown.iter().map(of).fold((0.0, f64::INFINITY), |all, one| (all.0.max(one.0), all.1.min(one.1)))
    }

    /// How little and how much a hidden count can be.
    fn interval(&self, rule: Rule, target: &str) -> (f64, f64) {
        let extreme = |direction: OptimizationDirection| {
            let mut problem = Problem::new(direction);
            let mut variables = BTreeMap::new();
            for (name, shown) in &self.counts {
                let bounds = Self::bounds(rule, shown);
                variables.insert(name, problem.add_var(f64::from(u8::from(name == target)), bounds));
            }
            for (whole, parts) in &self.sums {
                let mut terms: Vec<_> = parts.iter().map(|part| (variables[part], 1.0)).collect();
                terms.push((variables[whole], -1.0));
                problem.add_constraint(&terms, ComparisonOp::Eq, 0.0);
            }
            for (part, whole) in &self.parts {
                problem.add_constraint([(variables[part], 1.0), (variables[whole], -1.0)], ComparisonOp::Le, 0.0);
            }
            match problem.solve() {
                Ok(solution) => solution.objective(),
                Err(Error::Unbounded) => match direction {
                    OptimizationDirection::Maximize => f64::INFINITY,
                    OptimizationDirection::Minimize => f64::NEG_INFINITY,
                },
                Err(error) => panic!("{target}: {error}"),
            }
        };
        (extreme(OptimizationDirection::Minimize), extreme(OptimizationDirection::Maximize))
    }
}

/// The smallest count above 0 that a rule shows.
fn smallest(rule: Rule) -> u64 {
    match rule {
        Rule::Hes2018 | Rule::OpenSafely => 8,
        Rule::Mhsds | Rule::Below5 => 5,
        Rule::Threshold10 => 10,
    }
}

/// Every count by the name that the attacker gives it.
fn truth(population: &Population, published: &[usize]) -> BTreeMap<String, u64> {
    let mut truth = BTreeMap::new();
    for (split, group, is_in) in groups(population, published) {
        let mut count = |what: &str, holds: &dyn Fn(&Person) -> bool| {
            let people = population.people.iter().filter(|person| is_in(person) && holds(person)).count();
            truth.insert(format!("{what} of {split} {group}"), people as u64);
        };
        count("people", &|_| true);
        count("listed", &|person| person.listed);
        count("admitted", &|person| person.admitted);
        (0..population.states).for_each(|state| count(&format!("state {state}"), &|person| person.state == state));
    }
    truth
}

/// K1: no small count, all rounded where the rule rounds, no share of none or all of a small base.
fn looks_safe(rule: Rule, table: &[Vec<String>], seed: u64) {
    let smallest = smallest(rule);
    let exact = matches!(rule, Rule::Below5 | Rule::Threshold10);
    for row in &table[1..] {
        for (column, cell) in table[0].iter().zip(row) {
            if !["people", "count", "listed", "admitted"].contains(&column.as_str()) || cell == "*" {
                continue;
            }
            let count: u64 = cell.parse().unwrap();
            let lowest = if exact { smallest } else { smallest / 5 * 5 };
            assert!(count == 0 || count >= lowest, "seed {seed}, {rule:?}: {count} is shown");
            assert!(exact || count.is_multiple_of(5), "seed {seed}, {rule:?}: {count} is not rounded");
        }
        let people = row[2].parse::<u64>().ok();
        let share = row.last().unwrap();
        let told = row[if table[0][4] == "count" { 4 } else { 3 }].parse::<f64>();
        if let (Some(people), true) = (people, ["0.0", "100.0"].contains(&share.as_str())) {
            assert!(people >= 20, "seed {seed}, {rule:?}: {share} % of {people}");
        }
        // Shares are those of the counts as they are printed.
        if let (Ok(share), Some(people), Ok(part)) = (share.parse::<f64>(), people, told) {
            assert!((share - 100.0 * part / people as f64).abs() <= 0.051, "seed {seed}, {rule:?}: {row:?}");
        }
    }
}

fn by_name(tables: &[AggregateTable]) -> BTreeMap<String, Vec<Vec<String>>> {
    tables.iter().map(|table| (table.name().to_owned(), printed(table))).collect()
}

/// Attacks one population in two runs, of which the second publishes another split; returns the `*` attacked.
fn attack(seed: u64) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let population = population(&mut rng);
    let rule = *RULES.choose(&mut rng).unwrap();
    let all: Vec<usize> = (0..population.splits.len()).collect();
    let mut first = tables(&population, rule, &all[1..]);
    release(rule, &mut first, &Before::default());
    let before = Before { tables: by_name(&first) };
    let mut second = tables(&population, rule, &all);
    let decisions = release(rule, &mut second, &before);
    let now = by_name(&second);
    let mut attack = Attack::default();
    let mut shown_first = Attack::default();
    shown_first.read(&before.tables);
    attack.read(&before.tables);
    attack.read(&now);
    now.values().chain(before.tables.values()).for_each(|table| looks_safe(rule, table, seed));
    let stars = now.values().flatten().flatten().filter(|cell| *cell == "*").count();
    let told: usize = decisions.tables.iter().map(|table| table.hidden.len()).sum();
    assert_eq!(stars, told, "seed {seed}: each * is a decision");
    let truth = truth(&population, &all);
    let is_small = |name: &&String| (1..smallest(rule)).contains(&truth[*name]);
    let is_hidden = |shown: &[String]| shown.iter().all(|cell| cell == "*");
    let hidden = attack.counts.iter().filter(|(_, shown)| is_hidden(shown)).map(|(name, _)| name);
    let hidden: Vec<&String> = hidden.filter(is_small).collect();
    for name in &hidden {
        let (low, high) = attack.interval(rule, name);
        // K2: a range of 8; of rounded counts never fewer than three numbers, by all tables of both runs together.
        let wide = if matches!(rule, Rule::Below5 | Rule::Threshold10) { 8.0 } else { 2.0 };
        // What the first run showed of a smaller total bounds its parts, whatever the second hides.
        let shown_before = |whole: &String| shown_first.counts.get(whole).and_then(|cells| cells[0].parse().ok());
        let totals = attack.sums.iter().filter(|(_, parts)| parts.contains(name)).map(|(whole, _)| whole);
        let totals = totals.chain(attack.parts.iter().filter(|(part, _)| part == *name).map(|(_, whole)| whole));
        let wide = totals.filter_map(shown_before).fold(wide, f64::min);
        assert!(high - low >= wide - 1e-6, "seed {seed}, {rule:?}: {name} is known to lie in {low} to {high}");
    }
    hidden.len()
}

/// Each population makes four tables: two in each of two runs. `RISKSTRAT_TABLES` scales it.
#[test]
fn no_hidden_count_is_recovered_by_a_linear_program() {
    let scale = std::env::var("RISKSTRAT_TABLES").ok();
    let tables: u64 = scale.and_then(|tables| tables.parse().ok()).unwrap_or(200);
    let attacked: usize = (0..tables.div_ceil(4)).map(attack).sum();
    println!("{tables} tables, {attacked} small counts attacked, none recovered");
    assert!(attacked > 0);
}
