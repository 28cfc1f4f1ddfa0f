//! The generator: same seed, same bytes; its truth is what a naive recount of its files finds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

use jiff::civil::{Date, date};
use riskstrat::pipeline::parse::LoadOptions;
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs;

const AS_OF: Date = date(2026, 4, 1);

fn options(out: &Path, persons: u64, seed: u64, format: Format) -> SynthOptions {
    SynthOptions { persons, seed, as_of: AS_OF, out: out.to_owned(), format, clean: false }
}

/// Every file below a folder, by its path, with its bytes.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for kind in fs::read_dir(folder).unwrap() {
        let kind = kind.unwrap();
        for file in fs::read_dir(kind.path()).unwrap() {
            let file = file.unwrap();
            let name = format!("{}/{}", kind.file_name().display(), file.file_name().display());
            found.insert(name, fs::read(file.path()).unwrap());
        }
    }
    found
}

type Rows = Vec<HashMap<String, String>>;

/// All rows of one folder of plain CSV.
fn rows(folder: &Path) -> Rows {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| parse(&fs::read_to_string(file).unwrap())).collect()
}

fn parse(text: &str) -> Rows {
    let mut lines = text.lines().map(fields);
    let header = lines.next().unwrap();
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for format in [Format::Csv, Format::CsvGz, Format::Parquet, Format::Mixed] {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, seed: u64| {
            let out = folder.path().join(name);
            synth::write(&options(&out, 60, seed, format), &mut |_| {}).unwrap();
            bytes(&out)
        };
        let (one, two, other) = (written("1", 5), written("2", 5), written("3", 6));
        assert!(one == two, "{format:?}");
        let differ = one.iter().filter(|(name, bytes)| other.get(*name) != Some(bytes)).count();
        assert!(differ >= 13, "{format:?}: only {differ} files differ by seed");
    }
}

/// A person is the same whoever else is made: so neither chunks nor threads could ever change a byte.
#[test]
fn a_person_does_not_depend_on_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (folder.path().join("few"), folder.path().join("many"));
    synth::write(&options(&few, 40, 9, Format::Csv), &mut |_| {}).unwrap();
    synth::write(&options(&many, 90, 9, Format::Csv), &mut |_| {}).unwrap();
    for kind in ["people", "gp_events", "admissions", "social_care", "truth"] {
        let lines = |out: &Path| -> Vec<String> {
            let name = if kind == "truth" { "people.csv" } else { "part-00001.csv" };
            fs::read_to_string(out.join(kind).join(name)).unwrap().lines().map(str::to_owned).collect()
        };
        let all: HashSet<String> = lines(&many).into_iter().collect();
        assert!(lines(&few).iter().all(|line| all.contains(line)), "{kind}");
    }
}

/// Token, date, recorded and key columns of the event feeds.
const FEEDS: [(&str, &str, &str, &str); 15] = [
    ("gp_events", "EVENT_DATE", "RECORDED_DATE", "EVENT_ID"),
    ("gp_medications", "ISSUE_DATE", "RECORDED_DATE", "ISSUE_ID"),
    ("admissions", "START DATE (HOSPITAL PROVIDER SPELL)", "CDS APPLICABLE DATE", "HOSPITAL PROVIDER SPELL NUMBER"),
    ("attendances", "EMERGENCY CARE ARRIVAL DATE", "CDS APPLICABLE DATE", "EMERGENCY CARE ATTENDANCE IDENTIFIER"),
    ("outpatients", "APPOINTMENT DATE", "CDS APPLICABLE DATE", "ATTENDANCE IDENTIFIER"),
    ("community_contacts", "CARE CONTACT DATE", "DATE AND TIME DATA SET CREATED", "CARE CONTACT IDENTIFIER"),
    ("social_care", "Event Start Date", "Import Date", "Event Reference"),
    ("urgent_calls", "Call Received", "Extract Date", "CaseRef"),
    ("hub_feedback", "CONTACT_DATE", "RECORDED_DATE", "CONTACT_ID"),
    ("gp_appointments", "APPOINTMENT_DATE", "RECORDED_DATE", "APPOINTMENT_ID"),
    ("ambulance_calls", "CALL_DATE", "EXTRACT_DATE", "INCIDENT_ID"),
    ("virtual_wards", "ADMITTED_DATE", "EXTRACT_DATE", "STAY_ID"),
    ("care_homes", "MOVED_IN_DATE", "EXTRACT_DATE", "STAY_ID"),
    ("screening", "INVITATION_DATE", "EXTRACT_DATE", "INVITATION_ID"),
    ("contact_needs", "NOTED_DATE", "EXTRACT_DATE", "NEED_ID"),
];

/// The day of a cell in any of the ways in which the feeds write it; none for placeholders and impossible days.
fn day(text: &str) -> Option<Date> {
    let iso = match text.split('/').collect::<Vec<_>>().as_slice() {
        [day, month, year] => format!("{year}-{month}-{day}"),
        _ => text.get(..10)?.to_owned(),
    };
    iso.parse().ok().filter(|day: &Date| *day != date(1900, 1, 1))
}

fn valid_snomed(code: &str) -> bool {
    const D: [[usize; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const SECOND: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let digits: Option<Vec<usize>> = code.chars().map(|c| c.to_digit(10).map(|d| d as usize)).collect();
    let Some(digits) = digits.filter(|digits| (6..=18).contains(&digits.len())) else { return false };
    let turned = |position: usize, digit: usize| (0..position % 8).fold(digit, |digit, _| SECOND[digit]);
    digits.iter().rev().enumerate().fold(0, |sum, (at, digit)| D[sum][turned(at, *digit)]) == 0
}

/// Whether a required value of the row is none, told without the generator's tables.
fn bad_value(feed: &str, row: &HashMap<String, String>) -> bool {
    match feed {
        "gp_events" => !valid_snomed(&row["SNOMED_CODE"]),
        "gp_medications" => row["BNF_CODE"].len() < 4 || !row["BNF_CODE"].chars().all(|c| c.is_ascii_alphanumeric()),
        "community_contacts" => {
            !(0..=1440).contains(&row["CLINICAL CONTACT DURATION OF CARE CONTACT"].parse::<i64>().unwrap())
        }
        _ => false,
    }
}

struct Register {
    birth: HashMap<String, Option<Date>>,
    known: HashSet<String>,
    spine: HashSet<String>,
    death: HashMap<String, Date>,
    current: HashMap<String, String>,
}

impl Register {
    fn read(out: &Path) -> Self {
        let chain: HashMap<String, String> = rows(&out.join("superseded"))
            .into_iter()
            .map(|mut row| (row.remove("OLD_PSEUDO_NHS_NUMBER").unwrap(), row.remove("NEW_PSEUDO_NHS_NUMBER").unwrap()))
            .collect();
        let mut register = Self {
            birth: HashMap::new(),
            known: HashSet::new(),
            spine: HashSet::new(),
            death: HashMap::new(),
            current: chain,
        };
        let mut latest: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
        for row in rows(&out.join("people")) {
            let token = register.fold(&row["PSEUDO_NHS_NUMBER"]);
            let unusable =
                day(&row["RECORDED_DATE"]).unwrap() >= AS_OF || day(&row["EFFECTIVE_DATE"]).unwrap() >= AS_OF;
            if blank(&token) || unusable {
                continue;
            }
            let order = |row: &HashMap<String, String>| (row["EFFECTIVE_DATE"].clone(), row["RECORDED_DATE"].clone());
            if latest.get(&token).is_none_or(|seen| order(seen) < order(&row)) {
                latest.insert(token, row);
            }
        }
        for row in rows(&out.join("admissions")) {
            if row["DISCHARGE METHOD CODE (HOSPITAL PROVIDER SPELL)"] == "4" {
                let death = day(&row["DISCHARGE DATE (HOSPITAL PROVIDER SPELL)"]).unwrap();
                register.death.insert(register.fold(&row["PSEUDO_NHS_NUMBER"]), death);
            }
        }
        let opted: HashSet<String> = rows(&out.join("opt_outs"))
            .iter()
            .filter(|row| {
                day(&row["START_DATE"]).unwrap() <= AS_OF && day(&row["END_DATE"]).is_none_or(|end| end > AS_OF)
            })
            .map(|row| register.fold(&row["PSEUDO_NHS_NUMBER"]))
            .collect();
        for (token, row) in latest {
            let starts = day(&row["REGISTRATION_START_DATE"]).is_none_or(|start| start < AS_OF);
            let stays = day(&row["REGISTRATION_END_DATE"]).is_none_or(|end| end >= AS_OF);
            register.death.extend(day(&row["DEATH_DATE"]).map(|death| (token.clone(), death)));
            let lives = !register.death.contains_key(&token);
            if starts && stays && lives && !opted.contains(&token) {
                register.spine.insert(token.clone());
            }
            register.birth.insert(token.clone(), day(&row["BIRTH_DATE"]));
            register.known.insert(token);
        }
        register
    }

    fn fold(&self, token: &str) -> String {
        self.current.get(token).map_or_else(|| token.to_owned(), |newer| self.fold(newer))
    }
}

fn blank(token: &str) -> bool {
    token.is_empty() || token == "NULL" || token.chars().all(|c| c == '0')
}

/// Counts the fates of a feed's rows from the file alone, in the order of the rule.
fn recount(register: &Register, rows: &Rows, feed: (&str, &str, &str, &str)) -> BTreeMap<&'static str, u64> {
    let (name, date, recorded, key) = feed;
    let mut counts = BTreeMap::new();
    let mut left: BTreeMap<&str, &HashMap<String, String>> = BTreeMap::new();
    let mut count = |fate| *counts.entry(fate).or_insert(0) += 1;
    for row in rows {
        count("rows");
        if blank(&row["PSEUDO_NHS_NUMBER"]) || day(&row[date]).is_none() || bad_value(name, row) {
            count("set_aside");
        } else if day(&row[recorded]).unwrap() >= AS_OF {
            count("not_yet_known");
        } else if let Some(double) = left.get_mut(row[key].as_str()) {
            count("duplicates");
            if double[recorded] < row[recorded] {
                *double = row;
            }
        } else {
            left.insert(&row[key], row);
        }
    }
    for row in left.into_values() {
        let token = register.fold(&row["PSEUDO_NHS_NUMBER"]);
        let day = day(&row[date]).unwrap();
        count(match () {
            () if !register.known.contains(&token) => "not_linked",
            () if day >= AS_OF => "future",
            () if register.birth[&token].is_some_and(|birth| day < birth) => "before_birth",
            () if register.death.get(&token).is_some_and(|death| day > *death) => "after_death",
            () if !register.spine.contains(&token) => "off_spine",
            () => "used",
        });
    }
    counts
}

#[test]
fn the_truth_is_what_a_recount_finds() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let summary = synth::write(&options(&out, 1_500, 3, Format::Csv), &mut |_| {}).unwrap();
    let register = Register::read(&out);
    assert_eq!(register.known.len() as u64, summary.people.in_registers);
    assert_eq!(register.spine.len() as u64, summary.people.on_spine);
    assert!(summary.people.balances());
    let expected = parse(&fs::read_to_string(out.join("truth/expected_accounts.csv")).unwrap());
    let mut fates = BTreeSet::new();
    for feed in FEEDS {
        let found = recount(&register, &rows(&out.join(feed.0)), feed);
        let account = expected.iter().find(|row| row["source"] == feed.0).unwrap();
        for (fate, count) in account.iter().filter(|(fate, _)| *fate != "source") {
            assert_eq!(
                count.parse::<u64>().unwrap(),
                found.get(fate.as_str()).copied().unwrap_or(0),
                "{}: {fate}",
                feed.0
            );
        }
        fates.extend(found.into_keys());
    }
    assert_eq!(fates.len(), 10, "every fate comes up: {fates:?}");
    assert!(summary.accounts.iter().all(|account| account.balances()));
}

#[test]
fn what_is_planted_is_in_the_file_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let summary = synth::write(&options(&out, 800, 4, Format::Csv), &mut |_| {}).unwrap();
    let planted = parse(&fs::read_to_string(out.join("truth/planted.csv")).unwrap());
    for (row, at) in planted.iter().zip(0..) {
        let text = fs::read_to_string(out.join(&row["file"])).unwrap();
        assert!(text.contains(&row["key"]), "planted row {at}");
    }
    let kinds: BTreeSet<&str> = planted.iter().map(|row| row["kind"].as_str()).collect();
    for kind in [
        "duplicate",
        "orphan",
        "future",
        "not_yet_known",
        "blank_token",
        "placeholder_date",
        "impossible_date",
        "bad_value",
    ] {
        assert!(kinds.contains(kind), "{kind}");
    }
    for source in FEEDS.map(|feed| feed.0) {
        let account = summary.accounts.iter().find(|account| account.source == source).unwrap();
        let of =
            |kind: &str| planted.iter().filter(|row| row["source"] == source && row["kind"] == kind).count() as u64;
        assert_eq!(account.duplicates, of("duplicate"), "{source}");
        assert_eq!(account.not_linked, of("orphan"), "{source}");
        assert_eq!(account.not_yet_known, of("not_yet_known"), "{source}");
        let bad = of("blank_token") + of("placeholder_date") + of("impossible_date") + of("bad_value");
        assert_eq!(account.set_aside, bad, "{source}");
    }
}

#[test]
fn a_clean_world_has_no_faults() {
    let folder = tempfile::tempdir().unwrap();
    let options = SynthOptions { clean: true, ..options(&folder.path().join("out"), 300, 4, Format::Csv) };
    let summary = synth::write(&options, &mut |_| {}).unwrap();
    for account in summary.accounts {
        let faults =
            account.set_aside + account.not_yet_known + account.duplicates + account.not_linked + account.future;
        assert_eq!(faults + account.before_birth, 0, "{}", account.source);
    }
    assert!(summary.people.died > 0 && summary.people.opted_out > 0 && summary.people.left > 0);
}

/// The chance that somebody with the outcome has a higher risk than somebody without.
fn auroc(people: &Rows) -> f64 {
    let of = |outcome: &str| -> Vec<f64> {
        people.iter().filter(|row| row["outcome_12m"] == outcome).map(|row| row["true_risk"].parse().unwrap()).collect()
    };
    let (with, without) = (of("1"), of("0"));
    let wins: f64 = with
        .iter()
        .map(|high| {
            without
                .iter()
                .map(|low| {
                    if high > low {
                        1.0
                    } else if high == low {
                        0.5
                    } else {
                        0.0
                    }
                })
                .sum::<f64>()
        })
        .sum();
    wins / (with.len() * without.len()) as f64
}

#[test]
fn risk_tells_who_is_admitted_and_care_rises_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    synth::write(&options(&out, 3_000, 11, Format::Csv), &mut |_| {}).unwrap();
    let people = parse(&fs::read_to_string(out.join("truth/people.csv")).unwrap());
    let area = auroc(&people);
    assert!(area > 0.7, "AUROC {area}");
    let share = people.iter().filter(|row| row["outcome_12m"] == "1").count() as f64 / 3_000.0;
    assert!((0.03..0.12).contains(&share), "share with the outcome {share}");
    let risk = |row: &HashMap<String, String>| row["true_risk"].parse::<f64>().unwrap();
    let by_token: HashMap<&str, f64> = people.iter().map(|row| (row["token"].as_str(), risk(row))).collect();
    let high = people.iter().filter(|row| risk(row) > 0.1).count() as f64;
    let rate = |feed: &str| {
        let rows = rows(&out.join(feed));
        let risks: Vec<f64> =
            rows.iter().filter_map(|row| by_token.get(row["PSEUDO_NHS_NUMBER"].as_str()).copied()).collect();
        let above = risks.iter().filter(|risk| **risk > 0.1).count() as f64;
        (above / high, (risks.len() as f64 - above) / (3_000.0 - high))
    };
    for feed in ["admissions", "attendances", "gp_medications", "community_contacts", "social_care", "urgent_calls"] {
        let (above, below) = rate(feed);
        assert!(above > 1.5 * below, "{feed}: {above} a person at risk, {below} otherwise");
    }
}

#[test]
fn ethnicity_is_missing_more_where_people_are_deprived() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    synth::write(&options(&out, 4_000, 12, Format::Csv), &mut |_| {}).unwrap();
    let people = parse(&fs::read_to_string(out.join("truth/people.csv")).unwrap());
    let decile: HashMap<&str, u8> =
        people.iter().map(|row| (row["token"].as_str(), row["imd_decile"].parse().unwrap())).collect();
    let mut counts = [(0.0, 0.0); 2];
    for row in rows(&out.join("people")) {
        let Some(decile) = decile.get(row["PSEUDO_NHS_NUMBER"].as_str()) else { continue };
        let (missing, all) = &mut counts[usize::from(*decile > 5)];
        *all += 1.0;
        *missing += f64::from(u8::from(row["ETHNIC_CATEGORY"].is_empty()));
    }
    let [deprived, other] = counts.map(|(missing, all): (f64, f64)| missing / all);
    assert!(deprived > 1.3 * other, "{deprived} against {other}");
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kept"), "").unwrap();
    let refused = synth::write(&options(folder.path(), 5, 1, Format::Csv), &mut |_| {});
    assert!(refused.is_err_and(|error| error.exit_code() == 2));
}

/// What `fixtures/demo` is made with.
fn demo(out: &Path) -> SynthOptions {
    SynthOptions { persons: 800, seed: 2026, as_of: AS_OF, out: out.to_owned(), format: Format::Mixed, clean: false }
}

/// `UPDATE_FIXTURES=1 cargo test the_demo_deliveries` writes them anew.
#[test]
fn the_demo_deliveries_are_what_the_generator_makes() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("demo");
    synth::write(&demo(&made), &mut |_| {}).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        let _ = fs::remove_dir_all(&kept);
        synth::write(&demo(&kept), &mut |_| {}).unwrap();
    }
    let (made, kept) = (bytes(&made), bytes(&kept));
    let stale: Vec<&String> =
        made.keys().chain(kept.keys()).filter(|name| made.get(*name) != kept.get(*name)).collect();
    assert!(stale.is_empty(), "fixtures/demo is not what synth makes: {stale:?}; UPDATE_FIXTURES=1 writes it anew");
    let size: usize = kept.values().map(Vec::len).sum();
    assert!(size < 1_500_000, "fixtures/demo has {size} bytes");
}

/// The shipped declarations, run on a population of another seed: every count of the receipt is the planted one.
#[test]
fn a_receipt_holds_what_was_planted() {
    let folder = tempfile::tempdir().unwrap();
    for (format, name) in [(Format::Csv, "csv"), (Format::Parquet, "parquet")] {
        let deliveries = folder.path().join(name);
        let summary = synth::write(&options(&deliveries, 500, 21, format), &mut |_| {}).unwrap();
        let load = LoadOptions { as_of: Some(AS_OF), deliveries: Some(deliveries) };
        let weekly = runs::root().join("pipelines/nhs-weekly.toml");
        let run = runs::run(&weekly, &load, &folder.path().join("out"), runs::ENGINE).unwrap();
        let receipt = runs::receipt(&run);
        for expected in &summary.accounts {
            let account = runs::account(&receipt, &expected.source);
            let found = |fate: &str| account[fate].as_u64().unwrap();
            let context = format!("{name}, {}", expected.source);
            assert_eq!(found("rows"), expected.rows, "{context}");
            assert_eq!(found("used"), expected.used, "{context}");
            assert_eq!(found("set_aside"), expected.set_aside, "{context}");
            assert_eq!(found("not_yet_known"), expected.not_yet_known, "{context}");
            assert_eq!(found("duplicates"), expected.duplicates, "{context}");
            assert_eq!(found("not_linked"), expected.not_linked, "{context}");
            assert_eq!(found("off_spine"), expected.off_spine, "{context}");
            assert_eq!(found("future"), expected.future, "{context}");
            assert_eq!(found("before_birth"), expected.before_birth, "{context}");
            assert_eq!(found("after_death"), expected.after_death, "{context}");
        }
        assert_eq!(receipt["people"]["on_spine"].as_u64(), Some(summary.people.on_spine));
    }
}
