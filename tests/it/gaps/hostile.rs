//! What real columns hold: odd codes, words in place of codes, codes of another census, dates that are none.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use riskstrat::pipeline::parse::LoadOptions;
use sha2::{Digest, Sha256};

use super::tables::{rows, tables, write};
use crate::runs;

/// As delivered, when it was recorded, and how that is recorded.
const ETHNICITY: [(&str, &str, &str); 31] = [
    ("A", "2020-01-01", "known"),
    ("a", "2020-01-01", "known"),
    (" B ", "2020-01-01", "known"),
    ("\"C\"", "2020-01-01", "known"),
    ("s", "2020-01-01", "known"),
    // The first day on which a value of ten years still counts, and the last on which it does not.
    ("A", "2016-04-01", "known"),
    ("A", "2016-03-31", "stale"),
    ("a", "1999-12-31", "stale"),
    ("z", "2020-01-01", "declined"),
    // Who declined long ago has still declined.
    ("Z", "1999-12-31", "declined"),
    ("99", "2020-01-01", "not_known"),
    ("X", "2020-01-01", "not_known"),
    ("x", "2020-01-01", "not_known"),
    ("9", "2020-01-01", "not_known"),
    ("0", "2020-01-01", "outdated"),
    ("8", "2020-01-01", "outdated"),
    ("", "2020-01-01", "blank"),
    ("   ", "2020-01-01", "blank"),
    ("NULL", "2020-01-01", "blank"),
    ("null", "2020-01-01", "blank"),
    ("-", "2020-01-01", "invalid"),
    ("Unknown", "2020-01-01", "invalid"),
    ("099", "2020-01-01", "invalid"),
    ("White British", "2020-01-01", "invalid"),
    ("A1", "2020-01-01", "invalid"),
    // What spreadsheets and other tools leave: blanks that do not break, wide letters, whole numbers with a point.
    ("\u{a0}", "2020-01-01", "blank"),
    ("A\u{a0}", "2020-01-01", "known"),
    ("\u{ff21}", "2020-01-01", "invalid"),
    ("99.0", "2020-01-01", "invalid"),
    ("n/a", "2020-01-01", "invalid"),
    ("#N/A", "2020-01-01", "invalid"),
];

/// Dates of birth and areas, each with how it is recorded.
const BIRTH: [(&str, &str); 10] = [
    ("1970-01-01", "known"),
    ("1905-01-01", "known"),
    ("1904-12-31", "invalid"),
    ("1900-01-01", "not_known"),
    ("01/02/1970", "invalid"),
    ("1970-02-30", "invalid"),
    ("1970-1-1", "invalid"),
    // Nobody is born on the as-of date or later.
    ("2026-04-01", "invalid"),
    ("NULL", "blank"),
    ("", "blank"),
];
const AREA: [(&str, &str); 7] = [
    ("E01000001", "known"),
    ("W01999999", "known"),
    ("E02000001", "invalid"),
    ("E010000011", "invalid"),
    ("E99999999", "not_known"),
    ("e99999999", "not_known"),
    ("ZZ99 3VZ", "invalid"),
];

/// Of each ethnicity so many people: what the preset shows of any number of them is that number.
const EACH: usize = 20;

fn world(folder: &Path) -> BTreeMap<(&'static str, &'static str), usize> {
    let mut planted = BTreeMap::new();
    let mut people = "token,known_on,born,practice,eth,said,area\n".to_owned();
    for number in 0..ETHNICITY.len() * EACH {
        let (ethnicity, known_on, state) = ETHNICITY[number / EACH];
        let (born, of_birth) = BIRTH[number % BIRTH.len()];
        let (area, of_area) = AREA[number % AREA.len()];
        people += &format!("p{number:03},{known_on},1970-01-01,A81001,{ethnicity},{born},{area}\n");
        for key in [("ethnicity", state), ("birth", of_birth), ("area", of_area)] {
            *planted.entry(key).or_default() += 1;
        }
    }
    write(folder, "deliveries/people.csv", &people);
    let codes = std::fs::read_to_string(runs::root().join("models/valuesets/ethnic_category_hes.csv")).unwrap();
    let sha256: String = Sha256::digest(&codes).iter().map(|byte| format!("{byte:02x}")).collect();
    write(folder, "valuesets/eth.csv", &codes);
    let lock = format!("[eth]\nfile = \"eth.csv\"\nsha256 = \"{sha256}\"\nversion = \"1\"\nsource = \"shipped\"\n");
    write(folder, "valuesets/valuesets.lock", &lock);
    write(
        folder,
        "features/who.toml",
        "[practice]\nlabel = \"Practice\"\nvalue = { of = \"people\", column = \"practice\" }\n",
    );
    write(
        folder,
        "run.toml",
        r#"title = "Hostile"
deliveries = "deliveries"
as_of = 2026-04-01
max_data_age = "20 years"
sources = ["people"]
features = ["who"]
audits = ["gaps"]
[opt_outs]
none_because = "invented"
[publish]
disclosure = "hes-2018"
"#,
    );
    write(
        folder,
        "sources/people.toml",
        r#"title = "Register"
role = "register"
one_row_is = "a person"
files = "people.csv"
legal_basis = "invented"
[columns]
person = { from = "token", type = "pseudonym" }
date = { from = "known_on", type = "date" }
birth_date = { from = "born", type = "date" }
practice = { from = "practice", type = "text" }
[demographics]
ethnicity = { from = "eth", values = "eth" }
birth = { from = "said" }
area = { from = "area" }
"#,
    );
    write(
        folder,
        "audits/gaps.toml",
        r#"title = "Gaps"
split_by = ["practice"]
[items.ethnicity]
label = "Ethnicity"
expires = "10 years"
resolve = "most_recent"
[items.birth]
label = "Date of birth"
date_not_before = 1905-01-01
default_values = ["1900-01-01"]
fixed = true
resolve = "source_order"
[items.area]
label = "Area"
pattern = "[EW]01[0-9]{6}"
default_values = ["E99999999"]
resolve = "most_recent"
"#,
    );
    planted
}

#[test]
fn odd_values_are_in_the_states_that_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let planted = world(folder.path());
    let run = runs::run(
        &folder.path().join("run.toml"),
        &LoadOptions { as_of: Some(date(2026, 4, 1)), deliveries: None },
        &folder.path().join("out"),
        runs::ENGINE,
    );
    let tables = tables(&run.unwrap());
    for item in ["ethnicity", "birth", "area"] {
        let all = rows(&tables["recording_gaps"], &["gaps", item, "all sources", "everyone", "everyone"]);
        for line in all {
            let cells: Vec<&str> = line.split(' ').collect();
            let count = planted.get(&(item, cells[1])).copied().unwrap_or_default();
            // Rounded to the nearest five; none is small.
            let shown = (count + 2) / 5 * 5;
            assert_eq!(cells[2], shown.to_string(), "{item} {}", cells[1]);
        }
    }
}
