//! What goes wrong with deliveries in real life, and what a run must do about it (rows of the trust table by their ids).

use std::path::{Path, PathBuf};

use riskstrat::error::Error;
use riskstrat::pipeline::parse::LoadOptions;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::runs::{self, ENGINE};

/// A starter pipeline in a folder of its own, to be spoilt.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        runs::copy(&runs::root().join("fixtures/starter"), folder.path());
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn replace(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replacen(from, to, 1))
    }

    fn append(&self, name: &str, rows: &str) -> &Self {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        self.write(name, &(text + rows))
    }

    fn run_as_of(&self, as_of: Option<&str>) -> Result<PathBuf, Error> {
        let options = LoadOptions { as_of: as_of.map(|date| date.parse().unwrap()), deliveries: None };
        runs::run(&self.path("run.toml"), &options, &self.path("out"), ENGINE)
    }

    fn run(&self) -> PathBuf {
        self.run_as_of(None).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The run is refused with this exit code and a message with these words; nothing is published.
    fn refused(&self, code: u8, words: &[&str]) -> String {
        let error = self.run_as_of(None).map(|run| run.display().to_string()).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.exit_code(), code, "{text}");
        words.iter().for_each(|word| assert!(text.contains(word), "no `{word}` in:\n{text}"));
        assert!(!self.path("out/current").exists(), "nothing is published");
        text
    }
}

fn visits(run: &Path) -> Value {
    runs::account(&runs::receipt(run), "visits").clone()
}

#[test]
fn a2_columns_in_another_order_load_by_name() {
    let home = Home::new();
    let before = runs::people(&home.run(), "features.parquet");
    let text = std::fs::read_to_string(home.path("deliveries/visits.csv")).unwrap();
    let turned = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    home.write("deliveries/visits.csv", &text.lines().map(|line| turned(line) + "\n").collect::<String>());
    assert_eq!(runs::people(&home.run(), "features.parquet"), before);
}

#[test]
fn a4_a_bad_value_late_in_a_file_is_named_by_its_row_and_never_shown() {
    let home = Home::new();
    let mut rows = "token,visit,date,arrived_by\n".to_owned();
    for visit in 0..30_000 {
        let date = if visit == 29_000 { "CANARY7Q" } else { "01/02/2026" };
        rows.push_str(&format!("a1f3,w{visit},{date},walk-in\n"));
    }
    home.write("deliveries/visits.csv", &rows);
    let said = home.refused(1, &["source visits", "visits.csv", "row 29002", "column date", "not a date"]);
    assert!(!said.contains("CANARY7Q"));
    home.replace("sources/visits.toml", "key        = [\"visit\"]", "key = [\"visit\"]\nmax_bad_share = 0.001");
    let run = home.run();
    assert_eq!((&visits(&run)["set_aside"], &visits(&run)["used"]), (&1.into(), &29_999.into()));
    let left = runs::files(&run);
    assert!(left.values().all(|bytes| !bytes.windows(8).any(|window| window == b"CANARY7Q")));
    assert!(left.contains_key("person/set_aside/visits.parquet"));
}

#[test]
fn b8_impossible_dates_never_count_and_are_counted_by_kind() {
    let home = Home::new();
    home.replace(
        "sources/people.toml",
        "practice   =",
        "death_date = { from = \"died\", type = \"date\", optional = true }\npractice   =",
    );
    home.write(
        "deliveries/people.csv",
        "token,born,practice,sex,died\na1f3,1941-05-02,A81001,2,\nb7c2,1978-11-30,A81001,1,2026-02-10\n",
    );
    home.write(
        "deliveries/visits.csv",
        "token,visit,date,arrived_by\n\
         a1f3,v1,01/04/2026,walk-in\na1f3,v2,01/01/2099,walk-in\na1f3,v3,01/05/1941,walk-in\na1f3,v4,02/05/1941,walk-in\n\
         a1f3,v5,01/01/1900,walk-in\na1f3,v6,31/12/9999,walk-in\na1f3,v7,31/03/2026,walk-in\n\
         b7c2,v8,11/02/2026,walk-in\nb7c2,v9,10/02/2026,walk-in\n",
    );
    home.replace("sources/visits.toml", "key        = [\"visit\"]", "key = [\"visit\"]\nmax_bad_share = 0.5");
    let account = visits(&home.run());
    let fates =
        [("future", 2), ("before_birth", 1), ("set_aside", 2), ("after_death", 1), ("off_spine", 1), ("used", 2)];
    for (fate, count) in fates {
        assert_eq!(account[fate], count, "{fate}");
    }
    assert_eq!(account["set_aside_reasons"][0]["rule"], "required, blank", "a placeholder is a missing date");
}

#[test]
fn b9_the_as_of_date_is_given_and_not_in_the_future_of_the_data() {
    let home = Home::new();
    home.replace("run.toml", "as_of      = 2026-04-01\n", "");
    home.refused(2, &["as_of", "--as-of"]);
    let error = home.run_as_of(Some("2036-04-01")).map(|run| run.display().to_string()).unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("is it in the future?"), "{error}");
    let run = home.run_as_of(Some("2024-02-29"));
    assert!(run.is_ok_and(|run| visits(&run)["used"] == 0), "29 February, before any visit");
}

/// B12: ages at the limits on the day before, on and after a birthday, 29 February among them.
#[test]
fn b12_ages_change_on_the_birthday() {
    let home = Home::new();
    home.replace("run.toml", "cohorts    = [\"frequent_visitors\"]\n", "max_data_age = \"150 years\"\n");
    home.write(
        "deliveries/people.csv",
        "token,born,practice,sex\nleap-b12,2008-02-29,A81001,1\nmarch-b12,2008-03-01,A81001,1\nold-b12,1961-04-01,A81001,1\n\
         older-b12,1951-03-31,A81001,1\n",
    );
    let cases = [
        ("2026-02-28", "leap-b12", "17"),
        ("2026-03-01", "leap-b12", "18"),
        ("2026-02-28", "march-b12", "17"),
        ("2026-03-01", "march-b12", "18"),
        ("2024-02-28", "leap-b12", "15"),
        ("2024-02-29", "leap-b12", "16"),
        ("2026-03-31", "old-b12", "64"),
        ("2026-04-01", "old-b12", "65"),
        ("2026-04-02", "old-b12", "65"),
        ("2026-03-30", "older-b12", "74"),
        ("2026-03-31", "older-b12", "75"),
    ];
    for (as_of, person, age) in cases {
        let run = home.run_as_of(Some(as_of)).unwrap();
        assert_eq!(runs::people(&run, "features.parquet")[person]["age_years"], age, "{person} on {as_of}");
    }
}

/// B13: one event on each edge of a window, in a leap year and out of it.
#[test]
fn b13_a_window_opens_on_its_first_day_and_closes_before_the_as_of_date() {
    let cases = [
        ("2024-02-29", "12 months", "28/02/2023", true),
        ("2024-02-29", "12 months", "27/02/2023", false),
        ("2025-02-28", "12 months", "28/02/2024", true),
        ("2025-02-28", "12 months", "27/02/2024", false),
        ("2024-03-01", "365 days", "02/03/2023", true),
        ("2024-03-01", "365 days", "01/03/2023", false),
        ("2024-03-01", "366 days", "01/03/2023", true),
        ("2026-03-31", "1 month", "28/02/2026", true),
        ("2026-03-31", "1 month", "27/02/2026", false),
        ("2026-04-01", "3 years", "01/04/2023", true),
        ("2026-04-01", "3 years", "31/03/2023", false),
        ("2026-04-01", "1 day", "31/03/2026", true),
        ("2026-04-01", "1 day", "01/04/2026", false),
    ];
    for (as_of, window, date, counts) in cases {
        let home = Home::new();
        home.replace("run.toml", "cohorts    = [\"frequent_visitors\"]\n", "max_data_age = \"150 years\"\n");
        home.write(
            "features/basic.toml",
            &format!(
                "[n]\nlabel = \"n\"\nwithin = \"{window}\"\ncount = {{ of = \"visits\" }}\n\
                      [practice]\nlabel = \"p\"\nvalue = {{ of = \"people\", column = \"practice\" }}\n"
            ),
        );
        home.write("deliveries/visits.csv", &format!("token,visit,date,arrived_by\na1f3,v1,{date},walk-in\n"));
        let run = home.run_as_of(Some(as_of)).unwrap();
        let n = &runs::people(&run, "features.parquet")["a1f3"]["n"];
        assert_eq!(n, if counts { "1" } else { "0" }, "{window} to {as_of}: {date}");
    }
}

#[test]
fn c9_a_number_that_is_none_stops_the_run() {
    let home = Home::new();
    home.append(
        "features/basic.toml",
        "\n[ratio]\nlabel = \"r\"\nderived = { sql = \"CAST(visits_90d AS DOUBLE) / CAST(visits_12m AS DOUBLE)\" }\n",
    );
    home.write("deliveries/visits.csv", "token,visit,date,arrived_by\na1f3,v1,03/02/2026,walk-in\n");
    home.refused(1, &["feature ratio", "not a finite number", "4 people"]);
}

#[test]
fn d1_blank_tokens_are_refused_before_any_join() {
    let home = Home::new();
    home.append(
        "deliveries/visits.csv",
        ",x1,01/02/2026,walk-in\n  ,x2,01/02/2026,walk-in\nNULL,x3,01/02/2026,walk-in\n0000000000,x4,01/02/2026,walk-in\n",
    );
    home.append("deliveries/people.csv", ",1950-01-01,A81001,1\nNULL,1950-01-01,A81001,1\n");
    for source in ["people", "visits"] {
        let key = if source == "people" { "key        = [\"person\"]" } else { "key        = [\"visit\"]" };
        home.replace(&format!("sources/{source}.toml"), key, &format!("{key}\nmax_bad_share = 0.5"));
    }
    let run = home.run();
    let account = visits(&run);
    assert_eq!((&account["set_aside"], &account["used"]), (&4.into(), &11.into()));
    assert_eq!(runs::receipt(&run)["people"]["in_registers"], 5);
}

#[test]
fn d3_a_repeated_key_of_a_lookup_stops_the_run() {
    let home = Home::new();
    home.write(
        "sources/practices.toml",
        "title = \"Practices\"\nrole = \"lookup\"\none_row_is = \"one practice\"\nfiles = \"practices.csv\"\n\
         key = [\"code\"]\nrows_per_key = \"one\"\nlegal_basis = \"public\"\n\
         [columns]\ncode = { from = \"code\", type = \"code\", system = \"ods\" }\npcn = { from = \"pcn\", type = \"text\" }\n",
    );
    home.replace("run.toml", "[\"people\", \"visits\"]", "[\"practices\", \"people\", \"visits\"]");
    home.replace(
        "sources/people.toml",
        "[demographics]",
        "pcn = { lookup = \"practices\", by = \"practice\", column = \"pcn\", type = \"text\" }\n\n[demographics]",
    );
    home.append("features/basic.toml", "\n[pcn]\nlabel = \"PCN\"\nvalue = { of = \"people\", column = \"pcn\" }\n");
    home.write("deliveries/practices.csv", "code,pcn\nA81001,North\nA81002,South\nA81001,East\n");
    home.refused(1, &["source practices", "column code", "1 row repeats a key"]);
    home.write("deliveries/practices.csv", "code,pcn\nA81001,North\n");
    let features = runs::people(&home.run(), "features.parquet");
    assert_eq!((features["a1f3"]["pcn"].as_str(), features["c9d4"]["pcn"].as_str()), ("North", ""));
}

#[test]
fn d5_tokens_that_lead_round_in_a_circle_stop_the_run() {
    let home = Home::new();
    home.write(
        "sources/replaced.toml",
        "title = \"Replaced\"\nrole = \"superseded\"\none_row_is = \"one\"\nfiles = \"replaced.csv\"\nlegal_basis = \"x\"\n\
         [columns]\nperson = { from = \"old\", type = \"pseudonym\" }\nsuperseded_by = { from = \"new\", type = \"pseudonym\" }\n",
    );
    home.replace("run.toml", "[\"people\", \"visits\"]", "[\"people\", \"visits\", \"replaced\"]");
    home.write("deliveries/replaced.csv", "old,new\nb7c2,q1\nq1,b7c2\n");
    home.refused(1, &["circle"]);
}

/// D6 and K4: a blank line in the opt-outs is refused and empties nothing; without the file there is no list.
#[test]
fn d6_a_blank_opt_out_empties_no_list() {
    let home = Home::new();
    home.write(
        "sources/opt_outs.toml",
        "title = \"Opt-outs\"\nrole = \"opt_out\"\none_row_is = \"one person\"\nfiles = \"opt_outs.csv\"\n\
         legal_basis = \"x\"\nmax_bad_share = 0.9\nmax_age = \"60 days\"\n[columns]\nperson = { from = \"token\", type = \"pseudonym\" }\n\
         recorded = { from = \"on\", type = \"date\", optional = true }\n",
    );
    home.replace("run.toml", "[\"people\", \"visits\"]", "[\"people\", \"visits\", \"opt_outs\"]");
    home.replace("run.toml", "[opt_outs]\nnone_because = \"the people in deliveries/ are invented\"\n", "");
    home.refused(3, &["source opt_outs", "opt_outs.csv"]);
    home.write("deliveries/opt_outs.csv", "token,on\n");
    home.refused(3, &["source opt_outs is empty"]);
    home.write("deliveries/opt_outs.csv", "token,on\nc9d4,2026-03-01\n,2026-03-01\n\"\",2026-03-01\n");
    let run = home.run();
    let listed = runs::list(&run, "frequent_visitors/A81001.csv");
    assert_eq!(listed[0]["person"], "a1f3");
    assert_eq!(runs::receipt(&run)["people"]["opted_out"], 1);
    let bytes = runs::files(&run);
    // Within a hash the four letters are chance.
    let told =
        |window: &[u8]| &window[1..5] == b"c9d4" && !window[0].is_ascii_hexdigit() && !window[5].is_ascii_hexdigit();
    for (name, bytes) in &bytes {
        assert!(!bytes.windows(6).any(told), "{name}: no byte of who opted out");
    }
    home.replace("sources/opt_outs.toml", "max_age = \"60 days\"", "max_age = \"14 days\"");
    let error = home.run_as_of(None).map(|run| run.display().to_string()).unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("source opt_outs is stale"), "{error}");
}

#[test]
fn e4_a_run_that_the_second_computation_contradicts_is_not_published() {
    // What differs is planted where the engine keeps it: the features of one person are turned before the comparison.
    let home = Home::new();
    let pipeline = riskstrat::pipeline::parse::load(&home.path("run.toml"), &LoadOptions::default()).unwrap();
    let delivered = riskstrat::source::find(&pipeline).unwrap();
    let conformed = riskstrat::conform::conform(&pipeline, &delivered, ENGINE).unwrap();
    let mut records = riskstrat::link::link(&conformed).unwrap();
    let share = riskstrat::oracle::share(&pipeline, &records.tokens);
    records.keep_rows_of(|token| riskstrat::oracle::sampled(token, share.unwrap()));
    let (people, mut features, accounts) = riskstrat::features::pass(records, &|_| ()).unwrap();
    let scores = riskstrat::score::score(&pipeline, &features, 2).unwrap();
    let check = |features: &riskstrat::features::Features| {
        riskstrat::oracle::self_check(
            &pipeline,
            &delivered,
            share,
            accounts.sampled.clone(),
            &people,
            features,
            &scores,
        )
    };
    assert!(check(&features).is_ok_and(|checks| checks.iter().all(|check| check.passed)));
    let made = features.columns.whole().unwrap();
    let mut columns = made.columns().to_vec();
    let visits = made.schema().index_of("visits_12m").unwrap();
    let turned: Vec<Option<i64>> = (0..people.tokens.len()).map(|_| Some(7)).collect();
    columns[visits] = std::sync::Arc::new(arrow::array::Int64Array::from(turned));
    features.columns = (&arrow::array::RecordBatch::try_new(made.schema(), columns).unwrap()).into();
    let error = check(&features).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("feature visits_12m differs for 5 people"), "{error}");
}

/// C3: a list that meets nothing is named, in the log and in the receipt; how far each list meets its codes is counted.
#[test]
fn c3_a_code_list_that_meets_nothing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    runs::copy(&runs::root().join("fixtures/tiny"), folder.path());
    runs::copy(&runs::root().join("models"), &folder.path().join("models"));
    let run = || {
        let run_file = folder.path().join("run.toml");
        runs::run(&run_file, &LoadOptions::default(), &folder.path().join("out"), ENGINE).unwrap()
    };
    let met = |receipt: &Value| {
        let lists = runs::account(receipt, "gp_events")["code_lists"].clone();
        let list = lists.as_array().unwrap().iter().find(|list| list["codelist"] == "tiny_conditions").unwrap().clone();
        (list["events"].as_u64().unwrap(), list["on_list"].as_u64().unwrap())
    };
    let receipt = runs::receipt(&run());
    assert_eq!(met(&receipt), (9, 6));
    assert!(receipt["warnings"].as_array().unwrap().is_empty());

    let codes = folder.path().join("codelists/tiny_conditions.csv");
    let text = std::fs::read_to_string(&codes).unwrap();
    let other = text.replace("44054006", "38341003").replace("84114007", "195967001").replace("13645005", "49436004");
    std::fs::write(&codes, &other).unwrap();
    let hash =
        |text: &str| Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let lock = folder.path().join("codelists/codelists.lock");
    let locked = std::fs::read_to_string(&lock).unwrap().replace(&hash(&text), &hash(&other));
    std::fs::write(&lock, locked).unwrap();
    let run = run();
    let receipt = runs::receipt(&run);
    assert_eq!(met(&receipt), (9, 0));
    let expected = "code list tiny_conditions meets none of the 9 rows with a code in gp_events.code";
    assert_eq!(receipt["warnings"][0], expected);
    assert!(std::fs::read_to_string(run.join("log.ndjson")).unwrap().contains(expected));
}
