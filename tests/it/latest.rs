//! `latest` over a code list: the state last recorded, worked out by hand.

use std::fs;
use std::path::Path;

use riskstrat::pipeline::parse::LoadOptions;
use sha2::{Digest, Sha256};

use crate::runs::{self, ENGINE};

const MILD: &str = "925791000000100";
const MODERATE: &str = "925831000000107";
const SEVERE: &str = "925861000000102";

/// A run as of 1 April 2026 over events and a list that grades them; every feature row is checked a second time.
fn run(folder: &Path, events: &[(&str, &str, &str)]) -> std::path::PathBuf {
    let save = |path: &str, text: String| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let head = |role: &str, file: &str| {
        format!(
            "title = \"T\"\nrole = \"{role}\"\none_row_is = \"one row\"\nfiles = \"{file}\"\nlegal_basis = \"invented\"\n\
             [columns]\nperson = {{ from = \"person\", type = \"pseudonym\" }}\n"
        )
    };
    save("sources/people.toml", head("register", "people.csv"));
    let columns = "date = { from = \"date\", type = \"date\" }\ncode = { from = \"code\", type = \"code\", system = \"snomed\" }\n";
    save("sources/events.toml", head("events", "events.csv") + columns);
    let list = format!("code,category\n{MILD},mild\n{MODERATE},moderate\n{SEVERE},severe\n");
    let sha256: String = Sha256::digest(&list).iter().map(|byte| format!("{byte:02x}")).collect();
    save("codelists/frailty.csv", list);
    save(
        "codelists/codelists.lock",
        format!(
            "[frailty]\nfile = \"frailty.csv\"\nsha256 = \"{sha256}\"\nsystem = \"snomed\"\nversion = \"1\"\nsource = \"by hand\"\nmatch = \"exact\"\n"
        ),
    );
    save(
        "features/all.toml",
        "[frailty]\nlabel = \"Frailty\"\nwithin = \"1 year\"\nlatest = { of = \"events\", codelist = \"frailty\" }\n\
         [worse]\nlabel = \"Worse\"\nwithin = \"1 year\"\n\
         latest = { of = \"events\", codelist = \"frailty\", categories = [\"moderate\", \"severe\"] }\n"
            .to_owned(),
    );
    save(
        "run.toml",
        "title = \"T\"\ndeliveries = \".\"\nas_of = 2026-04-01\nsources = [\"people\", \"events\"]\nfeatures = [\"all\"]\n\
         self_check = { one_in = 1 }\n"
            .to_owned(),
    );
    save("people.csv", "person\nann\nben\ncat\ndov\neve\n".to_owned());
    let rows: Vec<String> = events.iter().map(|(person, date, code)| format!("{person},{date},{code}")).collect();
    save("events.csv", format!("person,date,code\n{}\n", rows.join("\n")));
    runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("out"), ENGINE).unwrap()
}

#[test]
fn the_state_last_recorded_counts_and_on_one_day_the_later_of_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = vec![
        ("ann", "2025-06-01", SEVERE),
        ("ann", "2025-07-01", MILD),
        ("ben", "2025-07-01", SEVERE),
        ("ben", "2025-07-01", MILD),
        ("cat", "2025-03-31", SEVERE),
        ("dov", "2026-03-31", MODERATE),
        ("dov", "2026-04-01", SEVERE),
        ("eve", "2025-07-01", "22298006"),
    ];
    for name in ["one", "other"] {
        let people = runs::people(&run(&folder.path().join(name), &events), "features.parquet");
        let state = |person: &str| (people[person]["frailty"].as_str(), people[person]["worse"].as_str());
        assert_eq!(state("ann"), ("mild", "severe"), "the later day, and among the worse ones the only one");
        assert_eq!(state("ben"), ("severe", "severe"), "one day: what stands last on the list");
        assert_eq!(state("cat"), ("", ""), "before the window");
        assert_eq!(state("dov"), ("moderate", "moderate"), "nothing on or after the as-of date");
        assert_eq!(state("eve"), ("", ""), "no code of the list");
        events.reverse();
    }
}
