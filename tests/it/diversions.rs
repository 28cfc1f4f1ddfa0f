//! Diversions: every emergency, its follow-up and its failure, as planted; and single stories at the edges of time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::util::display::array_value_to_string;
use jiff::civil::date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs::{self, ENGINE, declare_source, write};

/// Every row of a published Parquet table, as text, columns in their order.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap().build().unwrap()
    {
        let batch = batch.unwrap();
        assert!(batch.column(0).as_string_opt::<i32>().is_some());
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect());
        }
    }
    rows
}

/// People invented on every change; `tests/full` asks for more.
fn persons() -> u64 {
    std::env::var("RISKSTRAT_DIVERSION_PERSONS").ok().map_or(1_500, |text| text.parse().unwrap())
}

/// The demo's run without what diversions do not need.
fn diversions_alone(options: &LoadOptions, out: &Path) -> PathBuf {
    let mut pipeline = parse::load(&runs::root().join("pipelines/demo.toml"), options).unwrap();
    pipeline.cohorts.clear();
    pipeline.models.clear();
    pipeline.audits.clear();
    pipeline.features.clear();
    pipeline.measures.webs.clear();
    pipeline.measures.demands.clear();
    pipeline.decl.self_check = None;
    runs::run_loaded(&pipeline, out, ENGINE).unwrap()
}

#[test]
fn every_emergency_is_as_planted() {
    let folder = tempfile::tempdir().unwrap();
    let deliveries = folder.path().join("deliveries");
    let (seed, as_of, persons) = (909, date(2026, 4, 1), persons());
    println!("{persons} people of seed {seed}");
    let options = SynthOptions { persons, seed, as_of, out: deliveries.clone(), format: Format::Parquet, clean: false };
    synth::write(&options, &mut |_| {}).unwrap();
    let options = LoadOptions { as_of: Some(as_of), deliveries: Some(deliveries.clone()) };
    let run = diversions_alone(&options, &folder.path().join("runs"));
    let found: BTreeSet<Vec<String>> = rows(&run.join("person/diversions/home_first.parquet")).into_iter().collect();
    let text = std::fs::read_to_string(deliveries.join("truth/emergencies.csv")).unwrap();
    let flag = |cell: &str| match cell {
        "1" => "true".to_owned(),
        "0" => "false".to_owned(),
        _ => String::new(),
    };
    let planted: BTreeSet<Vec<String>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|cells| ("2025-03-01".."2026-03-01").contains(&cells[1].as_str()))
        .map(|cells| [cells[..4].to_vec(), vec![flag(&cells[4]), flag(&cells[5])]].concat())
        .collect();
    let missed: Vec<_> = planted.difference(&found).take(5).collect();
    let too_many: Vec<_> = found.difference(&planted).take(5).collect();
    assert!(missed.is_empty() && too_many.is_empty(), "missed {missed:?}\ntoo many {too_many:?}");
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    found.iter().for_each(|row| *counts.entry((&row[3], &row[4], &row[5])).or_default() += 1);
    println!("{counts:?}");
    for kind in [
        ("home", "true", "true"),
        ("home", "false", "true"),
        ("home", "false", "false"),
        ("bed", "", ""),
        ("neither", "", ""),
    ] {
        assert!(counts.get(&kind).copied().unwrap_or(0) > 3, "{kind:?}: {counts:?}");
    }
    let everywhere = std::fs::read_to_string(run.join("aggregate/diversions.csv")).unwrap();
    let total = everywhere
        .lines()
        .find(|line| line.starts_with("home_first,all places,all months,") && line.contains(",home,"))
        .unwrap();
    let shown: usize = total.split(',').nth(5).unwrap().parse().unwrap();
    let home = found.iter().filter(|row| row[3] == "home").count();
    assert!(shown.abs_diff(home) <= 2, "{shown} shown of {home}");
}

const STORIES: &str = "
title = \"Stories\"
signed_off = { by = \"nobody, it is a test\", on = 2024-01-01, review_by = 2099-01-01 }
[diversions.d]
months = 24
one_emergency_within = \"24 hours\"
no_bed_within = \"48 hours\"
care_within = \"3 days\"
safe_for = [\"7 days\", \"30 days\"]
emergencies = [{ of = \"calls\", place = \"place\" }]
beds = [{ of = \"beds\" }]
care_at_home = [{ of = \"visits\" }]
failures = [{ of = \"beds\", where = \"urgent = 'yes'\" }]
definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }
";

fn declare(folder: &Path) {
    let source = |name, rest, columns: &str| declare_source(folder, name, rest, columns);
    let at = "date = { from = \"at\", type = \"datetime\" }\n";
    source("people", "role = \"register\"\n", "death_date = { from = \"died\", type = \"date\", optional = true }\n");
    source("calls", "", &format!("{at}place = {{ from = \"place\", type = \"text\", optional = true }}\n"));
    source(
        "beds",
        "",
        &format!(
            "{at}end = {{ from = \"end\", type = \"date\", optional = true }}\nurgent = {{ from = \"urgent\", type = \"text\" }}\n"
        ),
    );
    source("visits", "", "date = { from = \"at\", type = \"date\" }\n");
    write(&folder.join("measures/stories.toml"), STORIES);
    write(
        &folder.join("run.toml"),
        "title = \"t\"\ndeliveries = \"deliveries\"\nas_of = 2026-12-01\nsources = [\"people\", \"calls\", \"beds\", \"visits\"]\n\
         measures = [\"stories\"]\nmax_data_age = \"3 years\"\n",
    );
}

/// Calls, beds and visits of one person, and what must be found: date, fate, failures within 7 and 30 days.
struct Story {
    name: &'static str,
    calls: &'static [&'static str],
    beds: &'static [(&'static str, &'static str)],
    visits: &'static [&'static str],
    died: &'static str,
    told: &'static [&'static str],
}

const PLAIN: Story = Story { name: "", calls: &[], beds: &[], visits: &[], died: "", told: &[] };

const TOLD: &[Story] = &[
    Story {
        name: "MIDNIGHT",
        calls: &["2026-01-31T23:59:00"],
        visits: &["2026-02-03"],
        told: &["2026-01-31 home false false"],
        ..PLAIN
    },
    Story {
        name: "TOOLATE1",
        calls: &["2026-01-31T23:59:00"],
        visits: &["2026-02-04"],
        told: &["2026-01-31 neither"],
        ..PLAIN
    },
    Story {
        name: "TOOSOON1",
        calls: &["2026-01-31T23:59:00"],
        visits: &["2026-01-30"],
        told: &["2026-01-31 neither"],
        ..PLAIN
    },
    // 48 hours are 48 hours, also where a day had 23 or 25.
    Story {
        name: "SPRING01",
        calls: &["2026-03-28T12:00:00"],
        beds: &[("2026-03-30T13:00:00", "no")],
        visits: &["2026-03-28"],
        told: &["2026-03-28 bed"],
        ..PLAIN
    },
    Story {
        name: "SPRING02",
        calls: &["2026-03-28T12:00:00"],
        beds: &[("2026-03-30T13:01:00", "no")],
        visits: &["2026-03-28"],
        told: &["2026-03-28 home false false"],
        ..PLAIN
    },
    Story {
        name: "AUTUMN01",
        calls: &["2026-10-24T12:00:00"],
        beds: &[("2026-10-26T11:00:00", "no")],
        visits: &["2026-10-24"],
        told: &["2026-10-24 bed"],
        ..PLAIN
    },
    Story {
        name: "AUTUMN02",
        calls: &["2026-10-24T12:00:00"],
        beds: &[("2026-10-26T11:01:00", "yes")],
        visits: &["2026-10-24"],
        told: &["2026-10-24 home true true"],
        ..PLAIN
    },
    // A day of failure is the seventh or the thirtieth, or it is not.
    Story {
        name: "SEVENTH1",
        calls: &["2026-06-01T10:00:00"],
        beds: &[("2026-06-08T23:00:00", "yes")],
        visits: &["2026-06-02"],
        told: &["2026-06-01 home true true"],
        ..PLAIN
    },
    Story {
        name: "EIGHTH01",
        calls: &["2026-06-01T10:00:00"],
        beds: &[("2026-06-09T00:00:00", "yes")],
        visits: &["2026-06-02"],
        told: &["2026-06-01 home false true"],
        ..PLAIN
    },
    Story {
        name: "PLANNED1",
        calls: &["2026-06-01T10:00:00"],
        beds: &[("2026-06-09T00:00:00", "no")],
        visits: &["2026-06-02"],
        told: &["2026-06-01 home false false"],
        ..PLAIN
    },
    Story {
        name: "DIEDLATE",
        calls: &["2026-06-01T10:00:00"],
        visits: &["2026-06-02"],
        died: "2026-07-01",
        told: &["2026-06-01 home false true"],
        ..PLAIN
    },
    Story {
        name: "DIEDSOON",
        calls: &["2026-06-01T10:00:00"],
        visits: &["2026-06-02"],
        died: "2026-06-03",
        told: &["2026-06-01 home true true"],
        ..PLAIN
    },
    Story {
        name: "DIEDOLD1",
        calls: &["2026-06-01T10:00:00"],
        visits: &["2026-06-02"],
        died: "2026-07-02",
        told: &["2026-06-01 home false false"],
        ..PLAIN
    },
    // One emergency, however often somebody calls within a day.
    Story {
        name: "CALLSTWO",
        calls: &["2026-06-01T22:00:00", "2026-06-02T22:00:00"],
        visits: &["2026-06-02"],
        told: &["2026-06-01 home false false"],
        ..PLAIN
    },
    Story {
        name: "CALLSTRE",
        calls: &["2026-06-01T22:00:00", "2026-06-02T22:01:00"],
        visits: &["2026-06-02"],
        told: &["2026-06-01 home false false", "2026-06-02 home false false"],
        ..PLAIN
    },
    // Somebody in a bed has no emergency at home; a month that is not settled is not told.
    Story {
        name: "INABED01",
        calls: &["2026-06-01T22:00:00"],
        beds: &[("2026-05-30T10:00:00", "yes")],
        visits: &["2026-06-02"],
        told: &[],
        ..PLAIN
    },
    Story { name: "UNSETTLD", calls: &["2026-11-01T10:00:00"], visits: &["2026-11-01"], told: &[], ..PLAIN },
    Story {
        name: "SETTLED1",
        calls: &["2026-10-31T23:59:59"],
        visits: &["2026-11-01"],
        told: &["2026-10-31 home false false"],
        ..PLAIN
    },
];

#[test]
fn stories_at_the_edges_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    declare(folder);
    let (mut people, mut calls, mut beds, mut visits) =
        ("id,died\n".to_owned(), "id,at,place\n".to_owned(), "id,at,end,urgent\n".to_owned(), "id,at\n".to_owned());
    let mut expected = BTreeSet::new();
    for story in TOLD {
        let name = story.name;
        people += &format!("{name},{}\n", story.died);
        story.calls.iter().for_each(|at| calls += &format!("{name},{at},Here\n"));
        story.beds.iter().for_each(|(at, urgent)| beds += &format!("{name},{at},,{urgent}\n"));
        story.visits.iter().for_each(|at| visits += &format!("{name},{at}\n"));
        expected.extend(story.told.iter().map(|told| format!("{name} {told}")));
    }
    for (name, text) in [("people", people), ("calls", calls), ("beds", beds), ("visits", visits)] {
        write(&folder.join(format!("deliveries/{name}.csv")), &text);
    }
    let run = runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("runs"), ENGINE).unwrap();
    let found = rows(&run.join("person/diversions/d.parquet"));
    let told = |row: &Vec<String>| {
        let failed = if row[4].is_empty() { String::new() } else { format!(" {} {}", row[4], row[5]) };
        format!("{} {} {}{failed}", row[0], row[1], row[3])
    };
    assert_eq!(found.iter().map(told).collect::<BTreeSet<_>>(), expected);
}
