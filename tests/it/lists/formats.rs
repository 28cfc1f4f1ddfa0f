//! A list in every format: the same people, nothing that runs, nothing cut.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use riskstrat::cohort::Cohorts;
use riskstrat::error::Error;
use riskstrat::pipeline::decl::{ListFormat, ProbabilityDecl};
use riskstrat::publish::Draft;
use riskstrat::receipt::SourceAccount;
use riskstrat::sheet::about::Freshness;
use riskstrat::sheet::{Sheet, SheetFile, about};

use super::world::{World, floats, texts, world};

/// What has run, or could, where a text is taken for something else.
pub const NASTY: [&str; 14] = [
    "=1+1",
    "+44 20 7946 0000",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "a\r\n=cmd|' /C calc'!A0",
    "＝1+1",
    "a;=1+1",
    "\"=1+1\"",
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "]]>&amp;<!--",
    "{{ 7 * 7 }}",
    "</style><img src=x>",
];

const TOKENS: [&str; 14] =
    ["1E5", "00123", "MAR1", "1234567890123456", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10"];

fn of_texts(notes: &[&'static str]) -> World {
    let risk = (0..notes.len()).map(|at| Some(0.9 - at as f64 / 20.0));
    let band = notes.iter().map(|_| Some("high"));
    let mut world = world(
        &TOKENS[..notes.len()],
        vec![texts("note", notes.iter().map(|note| Some(*note))), texts("pcn", notes.iter().map(|_| Some(notes[9])))],
        vec![floats("risk", risk), texts("risk_band", band)],
    )
    .model("risk")
    .source("gp", "GP")
    .cohort(
        "nasty",
        r#"
        action = "Ring"
        actions = [{ when = "risk > 0.82", do = "Visit" }, { when = "risk > 0.72", do = "Write" }]
        show = ["note"]
        include = [{ any.all = { when = "risk > 0", reason = "{note}" } }]
        rank = { by = ["risk desc"] }
        capacity = { per = "pcn", take = 10, reserve = 10 }"#,
    );
    world.pipeline.formats = ListFormat::ALL.to_vec();
    world.pipeline.decl.publish.identifier_system = Some("https://example.org/token".to_owned());
    let of = ProbabilityDecl { of: "an admission".into(), within: "12 months".into(), calibrated: [0.01, 0.5] };
    world.pipeline.models[0].decl.probability = Some(of);
    world
}

fn nasty() -> World {
    of_texts(&NASTY)
}

fn drafted(world: &World) -> (Cohorts, Draft) {
    let cohorts = world.select();
    let mut draft = Draft::new(1);
    riskstrat::cohort::write(&world.pipeline, &world.people, &world.features, &world.scores, &cohorts, &[], &mut draft)
        .unwrap();
    (cohorts, draft)
}

/// The sheet of the one recipient, as a release reads it.
pub fn sheet(world: &World) -> Sheet {
    let (cohorts, draft) = drafted(world);
    let files = world.published_bytes(&cohorts, &draft);
    let at =
        |ending: &str| files.iter().find(|(path, _)| path.contains("lists/nasty") && path.ends_with(ending)).unwrap().1;
    let about: serde_json::Value = serde_json::from_slice(at("about.json")).unwrap();
    Sheet::read(at("about.json"), about["recipients"][0]["recipient"].as_str().unwrap(), at(".parquet").clone())
        .unwrap()
}

pub fn nasty_sheet() -> Sheet {
    sheet(&nasty())
}

fn text(sheet: &Sheet, format: ListFormat) -> BTreeMap<&'static str, String> {
    let text = |file: SheetFile| (file.ending, String::from_utf8(file.bytes).unwrap());
    sheet.files(format).unwrap().into_iter().map(text).collect()
}

#[test]
fn every_format_holds_the_same_people_and_says_so_to_the_gate() {
    let world = nasty();
    let (cohorts, draft) = drafted(&world);
    let files = world.published(&cohorts, &draft);
    let receipt: serde_json::Value = serde_json::from_str(&files["receipt.json"]).unwrap();
    let outputs = receipt["outputs"].as_array().unwrap();
    let lists = outputs.iter().filter(|output| output["path"].as_str().unwrap().contains("lists/nasty/"));
    let rows = |output: &serde_json::Value| {
        let name = output["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (name.split_once('.').unwrap().1.to_owned(), output["rows"].as_u64())
    };
    let rows: BTreeMap<String, Option<u64>> = lists.map(rows).collect();
    let expected = [
        ("Group.ndjson", Some(10)),
        ("List.ndjson", Some(14)),
        ("RiskAssessment.ndjson", Some(14)),
        ("csv", Some(14)),
        ("ids.txt", Some(10)),
        ("json", None),
        ("parquet", Some(14)),
        ("worklist.html", Some(14)),
        ("xlsx", Some(14)),
    ];
    assert_eq!(rows, expected.map(|(ending, rows)| (ending.to_owned(), rows)).into());
}

#[test]
fn a_file_that_lacks_a_person_is_not_published() {
    let world = nasty();
    let sheet = nasty_sheet();
    let all_but_one: Vec<usize> = (0..14).filter(|row| *row != 3).collect();
    let short = sheet.pick(&all_but_one).unwrap();
    for format in ListFormat::ALL {
        for (file, at) in short.files(format).unwrap().into_iter().zip(0..) {
            let whole = sheet.files(format).unwrap().into_iter().filter(|other| other.ending != file.ending);
            let mut draft = Draft::new(1);
            for file in whole.chain([SheetFile { ending: file.ending, bytes: file.bytes.clone() }]) {
                draft.person_bytes(&format!("lists/nasty/x.{}", file.ending), file.bytes).unwrap();
            }
            let refused = world.publish(&world.select(), &draft);
            let ending = file.ending;
            assert!(
                matches!(&refused, Err(Error::Check(text)) if text.contains(ending)),
                "{format:?} {at}: {refused:?}"
            );
        }
    }
}

#[test]
fn nothing_in_csv_begins_a_formula_and_every_text_reads_back() {
    let csv = nasty_sheet().files(ListFormat::Csv).unwrap().remove(0).bytes;
    let records = riskstrat::publish::read_csv(&csv);
    let at = |name: &str| records[0].iter().position(|heading| heading == name).unwrap();
    let (person, note) = (at("person"), at("note"));
    for (row, (text, token)) in records[1..].iter().zip(NASTY.iter().zip(TOKENS)) {
        let cell = &row[note];
        let risky = |part: &str| part.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '＝']);
        assert!(!cell.split([';', '\t', '\n', '\r']).any(risky), "{cell:?}");
        assert_eq!(cell.replace('\'', ""), text.replace('\'', ""), "only apostrophes were added");
        assert_eq!(row[person].trim_start_matches('\''), token);
    }
    assert_eq!(
        records[1..5].iter().map(|row| row[person].as_str()).collect::<Vec<_>>(),
        ["'1E5", "'00123", "'MAR1", "'1234567890123456"]
    );
}

#[test]
fn a_workbook_has_no_formula_and_the_same_bytes_each_time() {
    let sheet = nasty_sheet();
    let bytes = sheet.files(ListFormat::Xlsx).unwrap().remove(0).bytes;
    assert!(bytes == sheet.files(ListFormat::Xlsx).unwrap().remove(0).bytes, "the same bytes");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = |name: &str| {
        let mut xml = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut xml).unwrap();
        xml
    };
    let list = part("xl/worksheets/sheet2.xml");
    assert!(!list.contains("<f>") && !list.contains("<f ") && !list.contains("<hyperlink"), "no formula, no link");
    assert!(part("xl/sharedStrings.xml").contains("<t>=1+1</t>"), "the text is as it was");
    assert!(part("docProps/core.xml").contains(">2026-04-01T00:00:00Z<"), "the date is the list's");
}

#[test]
fn what_is_stale_is_red_on_every_sheet_of_a_workbook() {
    let parts = |stale: bool| {
        let mut sheet = nasty_sheet();
        let fresh = Freshness {
            source: "gp".into(),
            title: "GP".into(),
            legal_basis: "direct care".into(),
            data_up_to: None,
            stale,
            counts_here: true,
        };
        sheet.about.sources = vec![fresh];
        let mut archive =
            zip::ZipArchive::new(Cursor::new(sheet.files(ListFormat::Xlsx).unwrap().remove(0).bytes)).unwrap();
        let mut part = |name: &str| {
            let mut xml = String::new();
            archive.by_name(name).unwrap().read_to_string(&mut xml).unwrap();
            xml
        };
        (part("xl/styles.xml"), part("xl/worksheets/sheet1.xml"), part("xl/worksheets/sheet2.xml"))
    };
    let (styles, first, list) = parts(true);
    let fonts: Vec<&str> = styles.split("<font>").skip(1).collect();
    let red = fonts.iter().position(|font| font.contains("FFB10E1E")).unwrap();
    // Of the formats of cells, those in that font; each sheet has a cell in one.
    let formats = styles.split("<cellXfs").nth(1).unwrap().split("<xf ").skip(1).enumerate();
    let reds: Vec<usize> =
        formats.filter(|(_, xf)| xf.contains(&format!("fontId=\"{red}\""))).map(|(at, _)| at).collect();
    for sheet in [&first, &list] {
        assert!(reds.iter().any(|red| sheet.contains(&format!("s=\"{red}\""))), "{reds:?}");
    }
    assert!(list.contains("Stale data: see the first sheet"));
    let (styles, _, list) = parts(false);
    assert!(!styles.contains("B10E1E") && !list.contains("Stale"));
}

#[test]
fn a_worklist_is_one_page_a_team_where_every_text_is_text() {
    let page = text(&nasty_sheet(), ListFormat::Worklist).remove("worklist.html").unwrap();
    let harmless = text(&sheet(&of_texts(&["x"; 14])), ListFormat::Worklist).remove("worklist.html").unwrap();
    let tags = |page: &str| -> Vec<String> {
        let tag = |rest: &str| rest.split('>').next().unwrap().to_owned();
        page.split('<').skip(1).map(tag).filter(|tag| !tag.starts_with("meta http-equiv")).collect()
    };
    assert_eq!(tags(&page), tags(&harmless), "no text makes a tag or an attribute");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;") && page.contains("{{ 7 * 7 }}"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "nothing runs");
    for outside in ["http://", "https://", "<script", "<link", "<img", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("<h3>Reserve: call only when a place falls free</h3>"));
}

#[test]
fn fhir_says_who_why_and_no_more_than_is_known() {
    let sheet = nasty_sheet();
    let files = text(&sheet, ListFormat::Fhir);
    let lines = |ending: &str| -> Vec<serde_json::Value> {
        files[ending].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (assessments, list, group) = (lines("RiskAssessment.ndjson"), lines("List.ndjson"), lines("Group.ndjson"));
    assert_eq!((assessments.len(), list.len(), group.len()), (14, 1, 1));
    let first = &assessments[0];
    assert_eq!(first["subject"]["identifier"]["value"], "1E5");
    assert_eq!(first["note"][0]["text"], "=1+1");
    let prediction = &first["prediction"][0];
    assert_eq!(prediction["rationale"], "more than 1 in 2 in the next 12 months");
    assert!(prediction.get("probabilityDecimal").is_none(), "a bound is no probability");
    assert_eq!(prediction["whenPeriod"], serde_json::json!({ "start": "2026-04-01", "end": "2027-03-31" }));
    assert_eq!(assessments[13]["prediction"][0]["probabilityDecimal"], 0.25);
    assert_eq!(list[0]["entry"][13]["flag"]["text"], "reserve");
    assert_eq!(list[0]["entry"][0]["item"]["reference"], format!("RiskAssessment/{}", first["id"].as_str().unwrap()));
    assert_eq!(group[0]["quantity"], 10);
}

#[test]
fn ids_are_those_with_a_place_one_a_line() {
    let ids = text(&nasty_sheet(), ListFormat::Ids).remove("ids.txt").unwrap();
    assert_eq!(ids, TOKENS[..10].iter().map(|token| format!("{token}\n")).collect::<String>());
}

#[test]
fn a_list_too_long_for_a_workbook_is_refused_before_it_is_written() {
    let mut sheet = nasty_sheet();
    let first = UInt32Array::from(vec![0; 1_048_576]);
    sheet.rows = take_record_batch(&sheet.rows, &first).unwrap();
    let refused = sheet.files(ListFormat::Xlsx).map(|_| ());
    assert!(matches!(&refused, Err(Error::Check(text)) if text.contains("1048576 people")), "{refused:?}");
}

fn column(sheet: &Sheet, name: &str) -> Vec<String> {
    let csv = sheet.files(ListFormat::Csv).unwrap().remove(0).bytes;
    let records = riskstrat::publish::read_csv(&csv);
    let at = records[0].iter().position(|heading| heading == name).unwrap();
    records[1..].iter().map(|row| row[at].clone()).collect()
}

#[test]
fn the_first_action_that_holds_is_suggested() {
    let actions = column(&nasty_sheet(), "suggested_action");
    assert_eq!(actions[..6], ["Visit", "Visit", "Write", "Write", "Ring", "Ring"]);
}

#[test]
fn who_may_not_be_told_why_is_told_so() {
    let mut world = nasty();
    world.pipeline.cohorts[0].include[0][0].told = false;
    let why = column(&sheet(&world), "reasons");
    assert!(why.iter().all(|why| why == "Meets the criteria of this list; your role is not shown which"), "{why:?}");
}

#[test]
fn a_source_older_than_it_should_be_is_marked() {
    let mut world = nasty();
    world.pipeline.sources[0].decl.stale_after = Some("45 days".to_owned());
    let words = |date: Option<&str>| {
        let account =
            SourceAccount { source: "gp".into(), data_up_to: date.map(str::to_owned), ..SourceAccount::default() };
        about::freshness(&world.pipeline, &world.pipeline.cohorts[0], &[account])[0].words()
    };
    assert_eq!(words(Some("2026-02-15")), "GP: 15 February 2026");
    assert_eq!(words(Some("2026-02-14")), "GP: 14 February 2026 (stale)");
    assert_eq!(words(None), "GP: no date (stale)");
}
