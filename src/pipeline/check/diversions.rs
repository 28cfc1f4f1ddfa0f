//! Diversions: rows, and how long each part of the story may take.

use super::super::decl::measures::{DiversionDecl, RowsDecl};
use super::super::document::Document;
use super::super::measures::Diversion;
use super::Checker;
use super::measures::{Asked, below};
use crate::calendar::Window;

/// Months before the first that is counted: an emergency of its eve may be the same one.
const EVE_MONTHS: i32 = 1;

/// Stays that began so long before count as a bed that somebody was in already.
const STAY_MONTHS: i32 = 24;

const MOST_MONTHS: u32 = 120;

impl Checker {
    pub(super) fn diversion(&mut self, document: &Document, name: &str, decl: &DiversionDecl) -> Option<()> {
        let path = ["diversions", name];
        self.measure(document, &path, name, &decl.definition);
        if self.measures.diversions.iter().any(|known| known.name == name) {
            self.desk.report(document.at_key(&path, format!("another file has diversions `{name}`")));
        }
        if !(1..=MOST_MONTHS).contains(&decl.months) {
            let message = format!("1 to {MOST_MONTHS} months are counted");
            self.desk.report(document.at_value(&below(&path, "months"), message));
        }
        let safe_for_days = self.safe_for(document, &below(&path, "safe_for"), &decl.safe_for);
        let longest = safe_for_days.iter().copied().max().unwrap_or(0);
        let months = i32::try_from(decl.months.min(MOST_MONTHS)).unwrap_or(1) + EVE_MONTHS + longest / 28 + 1;
        let mut emergencies = Vec::new();
        for (at, row) in decl.emergencies.iter().enumerate() {
            let place = row.place.as_deref().map(|column| ("place", column));
            let window = Window::Months(months);
            let asked = Asked { of: &row.of, filter: row.filter.as_ref(), labels: [place, None], window };
            emergencies.extend(self.watch(document, &["diversions", name, "emergencies", &at.to_string()], &asked));
        }
        let beds = self.rows(document, &below(&path, "beds"), &decl.beds, Window::Months(months + STAY_MONTHS));
        let care_at_home =
            self.rows(document, &below(&path, "care_at_home"), &decl.care_at_home, Window::Months(months));
        let failures = self.rows(document, &below(&path, "failures"), &decl.failures, Window::Months(months));
        for (key, rows) in
            [("emergencies", decl.emergencies.len()), ("beds", beds.len()), ("care_at_home", care_at_home.len())]
        {
            if rows == 0 {
                self.desk.report(document.at_key(&below(&path, key), format!("`{key}` names no rows")));
            }
        }
        let one_emergency_hours =
            self.hours(document, &below(&path, "one_emergency_within"), &decl.one_emergency_within);
        let no_bed_hours = self.hours(document, &below(&path, "no_bed_within"), &decl.no_bed_within);
        let care_days = self.days_long(document, &below(&path, "care_within"), &decl.care_within);
        self.measures.diversions.push(Diversion {
            name: name.to_owned(),
            decl: decl.clone(),
            emergencies,
            one_emergency_hours: one_emergency_hours?,
            beds,
            no_bed_hours: no_bed_hours?,
            care_at_home,
            care_days: care_days?,
            failures,
            safe_for_days,
        });
        Some(())
    }

    /// Rows without labels.
    pub(super) fn rows(&mut self, document: &Document, path: &[&str], rows: &[RowsDecl], window: Window) -> Vec<usize> {
        let mut watches = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let asked = Asked { of: &row.of, filter: row.filter.as_ref(), labels: [None, None], window };
            watches.extend(self.watch(document, &below(path, &at.to_string()), &asked));
        }
        watches
    }

    /// Lengths in days, shortest first.
    fn safe_for(&mut self, document: &Document, path: &[&str], texts: &[String]) -> Vec<i32> {
        let mut days = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            days.extend(self.days_long(document, &below(path, &at.to_string()), text));
        }
        if texts.is_empty() || !days.is_sorted_by(|a, b| a < b) {
            let problem =
                document.at_value(path, "safety is looked at after one length of time or more, shortest first");
            self.desk.report(problem.help("for example [\"7 days\", \"30 days\"]"));
        }
        days
    }

    /// A length of time in hours: "48 hours".
    fn hours(&mut self, document: &Document, path: &[&str], text: &str) -> Option<i64> {
        let hours = text.strip_suffix(" hours").and_then(|number| number.parse().ok());
        let hours = hours.filter(|hours| (1..=24 * 60).contains(hours));
        if hours.is_none() {
            self.desk.report(document.at_value(path, "write it in hours, such as \"48 hours\""));
        }
        hours
    }
}
