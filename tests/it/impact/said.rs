//! What is published of impact is worded as it may be: a cause is named of the lottery and of the cut alone, and no number
//! stands without what it assumes.

use std::collections::BTreeSet;
use std::path::Path;

use super::town::{AVOIDED, FINDING, LOW_BEFORE, rows};

/// Words that name a cause.
const CAUSE: [&str; 5] = ["caused", "averted", "avoided", "prevented", "thanks to"];

/// Both ends of an interval, where they are shown.
fn limits(row: &[String], low: usize) -> Option<[f64; 2]> {
    let end = |at: usize| row[at].trim_start_matches('\'').parse().ok();
    Some([end(low)?, end(low + 1)?])
}

fn names_a_cause(text: &str) -> bool {
    CAUSE.iter().any(|word| text.contains(word))
}

/// Every row of `impact.csv`; how many name a cause, and how many say that the two sides differed before.
pub(super) fn table(run: &Path) -> [usize; 2] {
    let (found, methods) = (rows(run, "impact"), rows(run, "impact_methods"));
    let mut counted = [0, 0];
    for row in &found {
        let by_chance = ["lottery", "discontinuity"].contains(&row[3].as_str());
        let differed = row[FINDING].contains("do not rest anything on it");
        assert!(row[4] == "no" || by_chance && !differed, "{row:?}");
        if let Some([low, high]) = limits(row, LOW_BEFORE).filter(|_| limits(row, 10).is_some()) {
            assert_eq!(differed, low > 0.0 || high < 0.0, "{row:?}");
        }
        // Nothing was avoided, as far as anybody knows, but by what may be the cause.
        assert!(row[AVOIDED].is_empty() || row[4] == "yes", "{row:?}");
        if names_a_cause(&row[FINDING]) {
            assert!(row[4] == "yes" && limits(row, 10).is_some_and(|[low, high]| low > 0.0 || high < 0.0), "{row:?}");
        }
        // Each has what it assumes, and the comparison of before and after one that compares somebody.
        assert!(methods.iter().any(|method| method[0] == row[3] && !method[2].is_empty()), "{row:?}");
        if row[3].starts_with("before_after") && !row[9].is_empty() {
            let beside = |other: &&Vec<String>| other[..3] == row[..3] && !other[3].starts_with("before_after");
            assert!(found.iter().filter(beside).any(|other| !other[9].is_empty()), "{row:?}");
        }
        counted[0] += usize::from(names_a_cause(&row[FINDING]));
        counted[1] += usize::from(differed);
    }
    counted
}

/// The page: rows of tables and sentences that name a cause are those of the lottery and the cut.
pub(super) fn page(run: &Path) {
    let html = std::fs::read_to_string(run.join("aggregate/report.html")).unwrap();
    let (_, section) = html.split_once("<h2 id=\"impact\">").unwrap();
    let section = section.split("<h2 id=").next().unwrap();
    let captions: Vec<&str> =
        section.split("<caption ").skip(1).filter_map(|rest| rest.split("<span>").nth(1)?.split('<').next()).collect();
    let names: BTreeSet<&str> = captions.iter().copied().collect();
    assert_eq!(names.len(), captions.len(), "two measures, and no two tables of one name: {captions:?}");
    let (mut said, mut sentences) = (0, Vec::new());
    for (number, row) in section.split("<tr").enumerate() {
        let (row, rest) = match number {
            0 => ("", row),
            _ => row.split_once("</tr>").unwrap_or((row, "")),
        };
        if names_a_cause(row) {
            assert!(row.contains("By lottery") || row.contains("At the cut"), "{row}");
            said += 1;
        }
        sentences.extend(rest.split(['<', '>', '.', '"']));
    }
    for sentence in sentences.iter().filter(|sentence| names_a_cause(sentence)) {
        let sentence = sentence.trim();
        assert!(sentence.starts_with("By lottery: ") || sentence.starts_with("At the cut: "), "{sentence}");
        said += 1;
    }
    assert!(said > 2, "the page names the causes that were found");
    for method in rows(run, "impact_methods") {
        let begins = method[2].split(['\'', '.']).next().unwrap();
        assert!(section.contains(begins), "{}: the page says what it assumes", method[0]);
    }
}
