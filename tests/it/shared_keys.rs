//! Rows of one key that name different people: one row counts, and a sample of people can tell which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::pipeline::parse::LoadOptions;

use crate::runs::{self, ENGINE};

const PEOPLE: usize = 300;

/// The events of `keys` with a key each, of which every `shared`th stands on three rows: who has how many, and the text.
fn events(random: &mut ChaCha8Rng, keys: usize, shared: usize) -> (BTreeMap<String, i64>, String) {
    let mut counts: BTreeMap<String, i64> = (0..PEOPLE).map(|person| (token(person), 0)).collect();
    let mut rows = Vec::new();
    for key in 0..keys {
        let days: Vec<u32> = rand::seq::index::sample(random, 28, 3).into_iter().map(|day| day as u32 + 1).collect();
        let used = if key % shared == 0 { &days[..] } else { &days[..1] };
        let people: Vec<String> = used.iter().map(|_| token(random.random_range(0..PEOPLE))).collect();
        for (person, day) in people.iter().zip(used) {
            rows.push(format!("{key},{person},2026-01-01,2026-02-{day:02}"));
        }
        let last = used.iter().enumerate().max_by_key(|(_, day)| **day).map(|(at, _)| &people[at]).unwrap();
        *counts.get_mut(last).unwrap() += 1;
        // What has not happened yet takes nobody's place, nor does what is bad.
        rows.push(format!("{key},{},2026-05-01,2026-03-01", token(random.random_range(0..PEOPLE))));
        if key == 0 {
            rows.push(format!("{key},{},2026-02-30,2026-03-01", token(random.random_range(0..PEOPLE))));
        }
    }
    rows.shuffle(random);
    (counts, format!("id,person,date,recorded\n{}\n", rows.join("\n")))
}

fn token(person: usize) -> String {
    format!("p{person:04}")
}

fn run(folder: &Path, events: &str) -> std::path::PathBuf {
    let save = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let person = "person = { from = \"person\", type = \"pseudonym\" }\n";
    let head = "title = \"T\"\none_row_is = \"one row\"\nlegal_basis = \"invented\"\n";
    save("sources/people.toml", &format!("role = \"register\"\nfiles = \"people.csv\"\n{head}[columns]\n{person}"));
    save(
        "sources/events.toml",
        &format!(
            "role = \"events\"\nfiles = \"events.csv\"\nkey = [\"id\"]\nmax_bad_share = 0.1\n{head}[columns]\n{person}\
             id = {{ from = \"id\", type = \"text\" }}\ndate = {{ from = \"date\", type = \"date\" }}\n\
             recorded = {{ from = \"recorded\", type = \"date\" }}\n"
        ),
    );
    save("features/all.toml", "[events_1y]\nlabel = \"Events\"\nwithin = \"1 year\"\ncount = { of = \"events\" }\n");
    save(
        "run.toml",
        "title = \"T\"\ndeliveries = \".\"\nas_of = 2026-04-01\nsources = [\"people\", \"events\"]\nfeatures = [\"all\"]\n\
         self_check = { one_in = 10 }\n",
    );
    let people: Vec<String> = (0..PEOPLE).map(token).collect();
    save("people.csv", &format!("person\n{}\n", people.join("\n")));
    save("events.csv", events);
    runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("out"), ENGINE).unwrap()
}

/// Few keys are shared, as where some rows were sent again, or every one, as where everything was; of so many rows at last
/// that they are looked at in several buckets.
#[test]
fn the_row_recorded_last_counts_whoever_it_names() {
    for (seed, keys, shared) in [(1, 3_000, 20), (2, 3_000, 20), (3, 3_000, 1), (4, 9_000, 1)] {
        println!("seed {seed}, one of {keys} keys in {shared} shared");
        let (counts, text) = events(&mut ChaCha8Rng::seed_from_u64(seed), keys, shared);
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), &text);
        let people = runs::people(&run, "features.parquet");
        let found: BTreeMap<String, i64> =
            people.iter().map(|(token, row)| (token.clone(), row["events_1y"].parse().unwrap())).collect();
        assert_eq!(found, counts, "seed {seed}");
        let receipt = fs::read_to_string(run.join("receipt.json")).unwrap();
        assert!(receipt.contains("people computed a second time, one in"), "{receipt}");
    }
}
