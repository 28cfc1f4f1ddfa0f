//! Calibration steps: one method each, who fitted it, and tables that keep the order of people.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

use super::super::calibration::{CalibrationDecl, EVERYONE_ELSE, LogitLine, Step};
use super::super::decl::ModelDecl;
use super::super::document::Document;
use super::Checker;

impl Checker {
    /// The steps of a model, in order; those that are wrong are reported.
    pub(super) fn calibration(&mut self, document: &Document, decl: &ModelDecl, probability: bool) -> Vec<Step> {
        if !probability && !decl.calibration.is_empty() {
            let problem =
                document.at_key(&["calibration"], "points are no probability, so there is nothing to calibrate");
            self.desk.report(problem);
            return Vec::new();
        }
        let mut steps = Vec::new();
        for (at, step) in decl.calibration.iter().enumerate() {
            let place = at.to_string();
            for (key, text) in [("fitted_on", &step.fitted_on), ("by", &step.by)] {
                self.not_blank(document, &["calibration", &place, key], text);
            }
            steps.extend(self.step(document, &place, step));
        }
        steps
    }

    fn step(&mut self, document: &Document, place: &str, decl: &CalibrationDecl) -> Option<Step> {
        match decl {
            CalibrationDecl { in_the_large: Some(shift), slope: None, isotonic: None, by_group: None, .. } => {
                let line = LogitLine { intercept: shift.intercept, slope: 1.0 };
                self.rising(document, &["calibration", place, "in_the_large", "intercept"], line).map(Step::Line)
            }
            CalibrationDecl { in_the_large: None, slope: Some(line), isotonic: None, by_group: None, .. } => {
                self.rising(document, &["calibration", place, "slope", "slope"], *line).map(Step::Line)
            }
            CalibrationDecl { in_the_large: None, slope: None, isotonic: Some(isotonic), by_group: None, .. } => {
                let path = ["calibration", place, "isotonic", "table"];
                self.curve(document, &path, &isotonic.table).map(Step::Isotonic)
            }
            CalibrationDecl { in_the_large: None, slope: None, isotonic: None, by_group: Some(by_group), .. } => {
                let path = ["calibration", place, "by_group", "table"];
                let groups = self.lines(document, &path, &by_group.table);
                let here = |message: String| document.at_value(&["calibration", place, "by_group", "feature"], message);
                let feature = self.feature_named(here, &by_group.feature)?;
                let data_type = self.features.get(feature).map(|feature| &feature.data_type);
                if !matches!(data_type, Some(DataType::Utf8 | DataType::Boolean | DataType::Int64)) {
                    self.desk.report(here(format!(
                        "`{}` has no groups: it is no text, yes or no, or whole number",
                        by_group.feature
                    )));
                    return None;
                }
                groups.map(|groups| Step::ByGroup { feature, groups })
            }
            _ => {
                let problem = document.at_key(&["calibration", place], "a step has exactly one method");
                self.desk.report(problem.help("one of in_the_large, slope, isotonic, by_group"));
                None
            }
        }
    }

    fn rising(&mut self, document: &Document, path: &[&str], line: LogitLine) -> Option<LogitLine> {
        if line.is_rising() {
            return Some(line);
        }
        self.desk.report(document.at_value(path, "intercept and slope are finite, and the slope is above 0"));
        None
    }

    fn curve(&mut self, document: &Document, path: &[&str], table: &str) -> Option<Vec<[f64; 2]>> {
        let (shown, text, rows) = self.table_at(document, path, table, &["score", "calibrated"])?;
        let mut points: Vec<[f64; 2]> = Vec::new();
        for row in &rows {
            let number = |column: &str| row.get(column).parse::<f64>().ok().filter(|p| (0.0..=1.0).contains(p));
            let (Some(score), Some(calibrated)) = (number("score"), number("calibrated")) else {
                self.desk.report(row.problem("both are probabilities, from 0 to 1").located(&shown, &text));
                return None;
            };
            if points.last().is_some_and(|[before, value]| score <= *before || calibrated < *value) {
                self.desk.report(row.problem("scores rise, and what they become never falls").located(&shown, &text));
                return None;
            }
            points.push([score, calibrated]);
        }
        Some(points)
    }

    fn lines(&mut self, document: &Document, path: &[&str], table: &str) -> Option<BTreeMap<String, LogitLine>> {
        let (shown, text, rows) = self.table_at(document, path, table, &["group", "intercept", "slope"])?;
        let mut groups = BTreeMap::new();
        for row in &rows {
            let number = |column: &str| row.get(column).parse::<f64>().ok();
            let line =
                number("intercept").zip(number("slope")).map(|(intercept, slope)| LogitLine { intercept, slope });
            let Some(line) = line.filter(LogitLine::is_rising) else {
                let problem = row.problem("intercept and slope are finite numbers, and the slope is above 0");
                self.desk.report(problem.located(&shown, &text));
                return None;
            };
            if groups.insert(row.get("group").to_owned(), line).is_some() {
                self.desk.report(row.problem("this group is there twice").located(&shown, &text));
            }
        }
        if !groups.contains_key(EVERYONE_ELSE) {
            let message = format!("`{table}` has no row `{EVERYONE_ELSE}` for groups without their own");
            self.desk.report(document.at_value(path, message));
            return None;
        }
        Some(groups)
    }
}

impl LogitLine {
    fn is_rising(&self) -> bool {
        self.intercept.is_finite() && self.slope.is_finite() && self.slope > 0.0
    }
}
