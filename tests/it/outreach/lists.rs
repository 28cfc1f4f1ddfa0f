//! Whatever the people and the places are: nobody kept off is listed, no limit is exceeded, the sums balance, and the order
//! of the rows decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};
use jiff::ToSpan;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use riskstrat::gates::Consent;
use riskstrat::history::PLACES;
use riskstrat::journal::Journal;
use riskstrat::pipeline::Pipeline;
use riskstrat::publish;
use riskstrat::receipt::{CohortAccount, Receipt};
use riskstrat::run::{self, Options};
use riskstrat::storage::Storage;

use super::hub::{self, AS_OF, Hub, ON_THE_SPINE, Person};
use crate::populations::random;
use crate::publishing::disks::Memory;
use crate::runs::ENGINE;

/// Populations that share one random declaration: reading declarations takes longer than running them.
const A_DECLARATION: u64 = 10;

/// What a cohort says of its places.
#[derive(Debug, Clone, Default)]
struct Places {
    per_team: bool,
    take: u64,
    reserve: u64,
    draw: Option<f64>,
    /// For each practice, listed and waiting beyond.
    limit: Option<(u64, u64)>,
    /// Of the oldest.
    quota: Option<u64>,
    /// Of area A.
    floor: Option<u64>,
    weight: Option<f64>,
}

impl Places {
    fn random(random: &mut ChaCha8Rng, per_team: bool) -> Self {
        let mut some = |share: f64| random.random_bool(share);
        let (draw, limit, quota, floor, weight) = (some(0.4), some(0.3), some(0.3), some(0.3), some(0.3));
        let take = random.random_range(1..9);
        Self {
            per_team,
            take,
            reserve: random.random_range(0..5),
            draw: draw.then(|| [0.5, 0.75, 1.0][random.random_range(0..3)]),
            limit: limit.then(|| (random.random_range(1..5), random.random_range(0..3))),
            quota: quota.then(|| random.random_range(0..4)),
            floor: floor.then(|| random.random_range(1..=take)),
            weight: weight.then(|| [0.25, 1.5, 4.0][random.random_range(0..3)]),
        }
    }

    fn toml(&self) -> String {
        let mut toml = String::from("[capacity]\n");
        if self.per_team {
            toml += "per = \"team\"\n";
        }
        toml += &format!("take = {}\nreserve = {}\n", self.take, self.reserve);
        toml += &self.draw.map(|share| format!("draw = {share}\n")).unwrap_or_default();
        let group = "group = \"area A\"\nwhen = \"area = 'A'\"\nbecause = \"a test\"\n";
        if let Some((take, reserve)) = self.limit {
            toml += &format!("[[capacity.limit]]\nper = \"practice\"\ntake = {take}\nreserve = {reserve}\n");
        }
        if let Some(places) = self.quota {
            toml += &format!("[[capacity.quota]]\nby = \"band\"\nat_most = {{ old = {places} }}\n");
        }
        if let Some(places) = self.floor {
            toml += &format!("[[capacity.floor]]\n{group}at_least = {places}\n");
        }
        toml + &self.weight.map(|times| format!("[[capacity.weight]]\n{group}times = {times}\n")).unwrap_or_default()
    }

    fn rank_alone(&self) -> bool {
        self.draw.is_none()
            && self.limit.is_none()
            && self.quota.is_none()
            && self.floor.is_none()
            && self.weight.is_none()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    token: String,
    cohort: String,
    recipient: String,
    rank: i64,
    listed: bool,
}

/// A candidate drawn for: recipient, order, probability, whether listed, and token.
type Drawn = (String, i64, f64, bool, String);

/// What a run published.
struct Published {
    receipt: Receipt,
    rows: Vec<Row>,
    drawn: BTreeMap<String, Vec<Drawn>>,
    /// Files that only people's data decide.
    bytes: BTreeMap<String, Vec<u8>>,
}

/// Runs into an output folder in memory.
fn publish(pipeline: &Pipeline, storage: &Memory, out: &std::path::Path) -> Result<Published, String> {
    let options = Options { out: out.to_owned(), engine: ENGINE, consent: Consent::default() };
    let (id, _) = run::run(pipeline, &options, storage, &Journal::default()).map_err(|error| error.to_string())?;
    let folder = out.join("runs").join(id.as_str());
    let receipt: Receipt = serde_json::from_slice(&storage.read(&folder.join("receipt.json")).unwrap()).unwrap();
    let table = |path: &str| publish::table(storage, out, &receipt, path).unwrap();
    let mut rows = Vec::new();
    let places = table(PLACES).unwrap();
    let text = |name: &str| places.column_by_name(name).unwrap().as_string::<i32>().clone();
    let ranks = places.column_by_name("rank").unwrap().as_primitive::<Int64Type>();
    for row in 0..places.num_rows() {
        let cell = |name: &str| text(name).value(row).to_owned();
        let listed = cell("place") == "listed";
        let (token, cohort, recipient) = (cell("person"), cell("cohort"), cell("recipient"));
        rows.push(Row { token, cohort, recipient, rank: ranks.value(row), listed });
    }
    let mut drawn = BTreeMap::new();
    for cohort in ["first", "second"] {
        let Some(draws) = table(&format!("person/draws/{cohort}.parquet")) else { continue };
        let of = |row: usize| {
            let text = |name: &str| draws.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
            let order = draws.column_by_name("rank_order").unwrap().as_primitive::<Int64Type>().value(row);
            let probability = draws.column_by_name("probability").unwrap().as_primitive::<Float64Type>().value(row);
            let listed = draws.column_by_name("drawn").unwrap().as_boolean().value(row);
            (text("recipient"), order, probability, listed, text("person"))
        };
        drawn.insert(cohort.to_owned(), (0..draws.num_rows()).map(of).collect());
    }
    let about_people = |path: &&str| path.starts_with("person/") || path.contains("list_");
    let paths: Vec<String> = receipt.outputs.iter().map(|output| output.path.clone()).collect();
    let bytes = paths.iter().map(String::as_str).filter(about_people);
    let bytes = bytes.map(|path| (path.to_owned(), storage.read(&folder.join(path)).unwrap())).collect();
    Ok(Published { receipt, rows, drawn, bytes })
}

fn account<'a>(published: &'a Published, cohort: &str) -> &'a CohortAccount {
    published.receipt.cohorts.iter().find(|account| account.cohort == cohort).unwrap()
}

/// How many people have a place and are such people.
fn count(rows: &[&Row], people: &BTreeMap<&str, &Person>, listed_only: bool, is: impl Fn(&Person) -> bool) -> u64 {
    rows.iter().filter(|row| (row.listed || !listed_only) && is(people[row.token.as_str()])).count() as u64
}

/// What must hold of one cohort's rows.
fn bounded(places: &Places, cohort: &str, published: &Published, people: &BTreeMap<&str, &Person>, seed: u64) {
    let rows: Vec<&Row> = published.rows.iter().filter(|row| row.cohort == cohort).collect();
    let recipients: BTreeSet<&str> = rows.iter().map(|row| row.recipient.as_str()).collect();
    for recipient in recipients {
        let mine: Vec<&Row> = rows.iter().copied().filter(|row| row.recipient == recipient).collect();
        let listed = count(&mine, people, true, |_| true);
        assert!(listed <= places.take && mine.len() as u64 - listed <= places.reserve, "seed {seed}: {places:?}");
        let ranks: Vec<i64> = mine.iter().map(|row| row.rank).collect();
        assert_eq!(ranks, (1..=mine.len() as i64).collect::<Vec<_>>(), "seed {seed}");
        assert!(mine.is_sorted_by_key(|row| !row.listed), "seed {seed}: the reserve stands behind the list");
        if let Some(quota) = places.quota {
            let old = count(&mine, people, false, |person| person.band(AS_OF) == "old");
            assert!(old <= quota, "seed {seed}: {old} of at most {quota}");
        }
        if let (Some(floor), None, None) = (places.floor, places.limit, places.quota) {
            let theirs = |person: &&&Person| {
                person.area == "A" && (!places.per_team || person.team.unwrap_or("unallocated") == recipient)
            };
            let candidates =
                people.values().filter(theirs).filter(|person| candidate(person) && free(published, cohort, person));
            let have = count(&mine, people, true, |person| person.area == "A");
            assert!(have >= floor.min(candidates.count() as u64), "seed {seed}: {have} of at least {floor}");
        }
    }
    if let Some((take, more)) = places.limit {
        for practice in [Some("P1"), Some("P2"), Some("P3"), Some("P4"), None] {
            let of = |person: &Person| person.practice == practice;
            let (listed, all) = (count(&rows, people, true, of), count(&rows, people, false, of));
            assert!(listed <= take && all <= take + more, "seed {seed}: {practice:?} has {listed} and {all}");
        }
    }
}

fn candidate(person: &Person) -> bool {
    person.kept_off.is_none() && person.visits > 0
}

/// Whether the other list, where it comes first, left the person free.
fn free(published: &Published, cohort: &str, person: &Person) -> bool {
    let owned = published.rows.iter().any(|row| row.token == person.token && row.cohort != cohort);
    !owned || account(published, cohort).excluded.iter().all(|excluded| !excluded.reason.starts_with("on another list"))
}

/// Sums, owners and order, against what is known of the people.
fn accounted(published: &Published, people: &BTreeMap<&str, &Person>, order: [&str; 2], seed: u64) {
    let on_spine = people.values().filter(|person| person.kept_off.is_none_or(|why| ON_THE_SPINE.contains(&why)));
    assert_eq!(published.receipt.people.on_spine, on_spine.count() as u64, "seed {seed}");
    let candidates = people.values().filter(|person| candidate(person)).count() as u64;
    let [owner, later] = order.map(|cohort| account(published, cohort));
    let given = |account: &CohortAccount| account.listed + account.reserve + account.below_the_cut + account.not_drawn;
    assert_eq!(given(owner), candidates, "seed {seed}");
    let owned = owner.listed + owner.reserve;
    assert_eq!(given(later) + owned, candidates, "seed {seed}");
    let elsewhere = later.excluded.iter().find(|excluded| excluded.reason == format!("on another list: {}", order[0]));
    assert_eq!(elsewhere.map_or(0, |excluded| excluded.people), owned, "seed {seed}");
    let tokens: BTreeSet<&str> = published.rows.iter().map(|row| row.token.as_str()).collect();
    assert_eq!(tokens.len(), published.rows.len(), "seed {seed}: somebody has two places");
    let drawn = published.drawn.values().flatten().map(|(.., token)| token.as_str());
    for token in tokens.into_iter().chain(drawn) {
        assert_eq!(people[token].kept_off, None, "seed {seed}: someone kept off is on a list or drawn for");
    }
}

/// Without anything but the rank, nobody behind the cut needs more than anyone before it.
fn by_rank(published: &Published, people: &BTreeMap<&str, &Person>, seed: u64) {
    let need = |token: &str| {
        let visits = people[token].visits;
        [1, 2, 3, 5, 8].into_iter().filter(|at_least| visits >= *at_least).count()
    };
    for row in published.rows.iter().filter(|row| row.cohort == "first") {
        let ahead = |other: &&Row| other.cohort == "first" && other.recipient == row.recipient && other.rank < row.rank;
        let least = published.rows.iter().filter(ahead).map(|other| need(&other.token)).min();
        assert!(least.is_none_or(|least| least >= need(&row.token)), "seed {seed}");
    }
}

/// The upper half of those drawn for: how many of them were listed, how many should be, and the variance of that.
#[derive(Debug, Default)]
struct Fairness {
    pools: u64,
    listed: f64,
    expected: f64,
    variance: f64,
}

impl Fairness {
    fn note(&mut self, drawn: &[Drawn], seed: u64) {
        let recipients: BTreeSet<&str> = drawn.iter().map(|(recipient, ..)| recipient.as_str()).collect();
        for recipient in recipients {
            let pool: Vec<&Drawn> = drawn.iter().filter(|(to, ..)| to == recipient).collect();
            let (all, listed) = (pool.len() as f64, pool.iter().filter(|(_, _, _, listed, _)| *listed).count() as f64);
            assert!(pool.iter().all(|(_, _, probability, ..)| *probability == listed / all), "seed {seed}");
            assert!(listed < all && all <= 2.0 * listed, "seed {seed}: {listed} of {all}");
            let upper: Vec<_> = pool.iter().filter(|(_, order, ..)| *order as f64 <= all / 2.0).collect();
            let share = upper.len() as f64 / all;
            self.pools += 1;
            self.listed += upper.iter().filter(|(_, _, _, listed, _)| *listed).count() as f64;
            self.expected += listed * share;
            self.variance += listed * share * (1.0 - share) * (all - listed) / (all - 1.0);
        }
    }
}

/// A week later: what the hub did with the list.
fn next_week(people: &[Person], published: &Published, random: &mut ChaCha8Rng) -> Vec<Person> {
    let listed: BTreeSet<&str> = published.rows.iter().filter(|row| row.listed).map(|row| row.token.as_str()).collect();
    let mut people = people.to_vec();
    for person in people.iter_mut().filter(|person| listed.contains(person.token.as_str())) {
        if random.random_bool(0.6) {
            person.kept_off =
                Some(["contacted", "declined_long_ago", "died_in_hospital", "opted_out"][random.random_range(0..4)]);
        }
    }
    people
}

fn check(published: &Published, people: &[Person], places: [&Places; 2], order: [&str; 2], seed: u64) {
    let by_token: BTreeMap<&str, &Person> = people.iter().map(|person| (person.token.as_str(), person)).collect();
    accounted(published, &by_token, order, seed);
    for (places, cohort) in places.into_iter().zip(["first", "second"]) {
        bounded(places, cohort, published, &by_token, seed);
    }
    if places[0].rank_alone() && order[0] == "first" {
        by_rank(published, &by_token, seed);
    }
}

#[test]
fn every_list_holds_who_it_may_and_no_one_else() {
    let populations = std::env::var("RISKSTRAT_LISTS").ok().and_then(|text| text.parse().ok()).unwrap_or(30_u64);
    let first: u64 = std::env::var("RISKSTRAT_SEED").map_or(0, |seed| seed.parse().unwrap());
    let end = first + populations;
    println!("{populations} populations, seeds {first} to {}", end - 1);
    let mut fairness = Fairness::default();
    for first_seed in (first..end).step_by(A_DECLARATION as usize) {
        let declared = &mut random(first_seed, 50);
        let places = [Places::random(declared, true), Places::random(declared, false)];
        let hub = Hub::new(&places[0].toml(), &places[1].toml());
        let order = if declared.random_bool(0.5) { ["first", "second"] } else { ["second", "first"] };
        let outreach = format!(
            "remember = true\none_owner = true\nprecedence = [\"{}\", \"{}\"]\n[limits]\nrows_shrink = 1.0\n\
             rows_grow = 1000.0\nlist_size = 1000.0\nlist_turnover = 1.0\ngroup_points = 100\njudged_from = 1000\n",
            order[0], order[1]
        );
        hub.replace("run.toml", "one_owner = true\n", &outreach);
        let one_in = if first_seed == first { 1 } else { 0 };
        hub.replace("run.toml", "one_in = 1", &format!("one_in = {one_in}"));
        let mut pipeline = hub.load();
        for seed in first_seed..(first_seed + A_DECLARATION).min(end) {
            let people = hub::people(seed, &mut random(seed, 51));
            let rows = hub::rows(&people, AS_OF);
            let out = tempfile::tempdir().unwrap();
            let run = |pipeline: &mut Pipeline, storage: &Memory, out: &std::path::Path, folder: &str, as_of| {
                (pipeline.as_of, pipeline.deliveries) = (as_of, hub.path(folder));
                publish(pipeline, storage, out).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
            };
            let disk = Memory::with(out.path());
            hub.deliver_to("deliveries", &rows, None);
            let plain = run(&mut pipeline, &disk, out.path(), "deliveries", AS_OF);
            check(&plain, &people, [&places[0], &places[1]], order, seed);
            plain.drawn.values().for_each(|drawn| fairness.note(drawn, seed));
            hub.deliver_to("shuffled", &rows, Some(&mut random(seed, 52)));
            let elsewhere = tempfile::tempdir().unwrap();
            let shuffled = run(&mut pipeline, &Memory::with(elsewhere.path()), elsewhere.path(), "shuffled", AS_OF);
            let same = plain.bytes.keys().eq(shuffled.bytes.keys());
            assert!(
                same && plain
                    .bytes
                    .iter()
                    .all(|(path, bytes)| path.contains("set_aside") || *bytes == shuffled.bytes[path]),
                "seed {seed}: the order of the rows decides"
            );
            if seed % 3 > 0 {
                continue;
            }
            let later = next_week(&people, &plain, &mut random(seed, 53));
            hub.deliver_to("later", &hub::rows(&later, AS_OF + 7.days()), None);
            let week = run(&mut pipeline, &disk, out.path(), "later", AS_OF + 7.days());
            check(&week, &later, [&places[0], &places[1]], order, seed);
            assert_eq!(week.receipt.basis.previous_run.as_deref(), Some(plain.receipt.run_id.as_str()), "seed {seed}");
        }
    }
    let off = (fairness.listed - fairness.expected) / fairness.variance.sqrt();
    println!(
        "{} draws: the upper half was listed {} times, {:.1} expected, {off:.2} standard deviations off",
        fairness.pools, fairness.listed, fairness.expected
    );
    assert!(fairness.pools > populations / 10, "too few draws to judge");
    assert!(off.abs() < 4.5, "the lottery favours a half");
}
