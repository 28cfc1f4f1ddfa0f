//! Points and terms of a model, bound to features by name.

use arrow::datatypes::DataType;

use super::super::decl::{ModelDecl, TermDecl, Transform};
use super::super::document::Document;
use super::super::problem::Problem;
use super::super::table::Row;
use super::super::{Logistic, Points, PointsItem, Term, Threshold};
use super::Checker;

/// More terms than any model of people has.
const MOST_TERMS: usize = 1_000_000;

impl Checker {
    pub(super) fn points(&mut self, document: &Document, decl: &ModelDecl) -> Option<Points> {
        let items = match (&decl.table, &decl.feature) {
            (Some(table), Some(feature)) if feature.matches("{category}").count() == 1 => {
                self.points_table(document, table, feature)?
            }
            (None, None) if !decl.thresholds.is_empty() => Vec::new(),
            (Some(_), Some(_)) => {
                self.desk.report(
                    document.at_value(&["feature"], "`feature` names each category's feature with `{category}`"),
                );
                return None;
            }
            _ => {
                let problem = document.at_key(&["kind"], "points need `table` and `feature`, or `thresholds`");
                self.desk.report(problem.help("for example table = \"points.csv\" and feature = \"hfrs_{category}\""));
                return None;
            }
        };
        let mut thresholds = Vec::new();
        for (at, threshold) in decl.thresholds.iter().enumerate() {
            let place = at.to_string();
            let path = |key: &'static str| ["thresholds", place.as_str(), key];
            let feature = self.numeric(|message| document.at_value(&path("feature"), message), &threshold.feature);
            let milli = milli(&threshold.points.to_string());
            if milli.is_none() {
                self.desk.report(document.at_value(&path("points"), "points have at most 3 decimal places"));
            }
            if threshold.below.is_some_and(|below| below <= threshold.at_least) {
                self.desk.report(document.at_value(&path("below"), "`below` is above `at_least`"));
            }
            if let (Some(feature), Some(milli)) = (feature, milli) {
                thresholds.push(Threshold { feature, at_least: threshold.at_least, below: threshold.below, milli });
            }
        }
        let floor = decl.floor.map(|floor| milli(&floor.to_string()));
        if floor == Some(None) {
            self.desk.report(document.at_value(&["floor"], "points have at most 3 decimal places"));
        }
        let table_sum = self.table_sum(document, decl);
        if decl.divide_by.is_some_and(|by| by <= 0.0) {
            self.desk.report(document.at_value(&["divide_by"], "`divide_by` is above zero"));
        }
        Some(Points { items, table_sum, thresholds, floor: floor.flatten(), divide_by: decl.divide_by })
    }

    /// What the table's sum counts as, from some value up, lowest first.
    fn table_sum(&mut self, document: &Document, decl: &ModelDecl) -> Vec<(i64, i64)> {
        let mut steps: Vec<(i64, i64)> = Vec::new();
        if decl.table.is_none() && !decl.table_sum.is_empty() {
            self.desk.report(document.at_key(&["table_sum"], "there is no `table` whose sum could count otherwise"));
        }
        for (at, step) in decl.table_sum.iter().enumerate() {
            let place = at.to_string();
            let path = ["table_sum", place.as_str()];
            let (Some(from), Some(counts_as)) = (milli(&step.at_least.to_string()), milli(&step.counts_as.to_string()))
            else {
                self.desk.report(document.at_value(&path, "points have at most 3 decimal places"));
                continue;
            };
            if steps.last().is_some_and(|(below, _)| *below >= from) {
                self.desk.report(document.at_value(&path, "steps stand from the lowest to the highest"));
            }
            steps.push((from, counts_as));
        }
        steps
    }

    fn points_table(&mut self, document: &Document, table: &str, feature: &str) -> Option<Vec<PointsItem>> {
        let (shown, text, rows) = self.table(document, table, &["category", "points"])?;
        let names: Vec<&str> = rows.iter().map(|row| row.get("category")).collect();
        let mut items = Vec::new();
        let mut good = true;
        for (at, row) in rows.iter().enumerate() {
            let here = |message: String| row.problem(message).located(&shown, &text);
            let category = row.get("category");
            if names.iter().take(at).any(|name| *name == category) {
                self.desk.report(here(format!("`{category}` is there twice")));
                good = false;
            }
            let milli = milli(row.get("points"));
            if milli.is_none() {
                self.desk.report(here("`points` is a number with at most 3 decimal places".to_owned()));
            }
            let mut trumps = Vec::new();
            for name in row.get("trumps").split_whitespace() {
                match names.iter().position(|known| *known == name).filter(|other| *other != at) {
                    Some(other) => trumps.push(other),
                    None => {
                        self.desk.report(
                            here(format!("`{category}` trumps no other category `{name}`"))
                                .did_you_mean(name, names.iter().copied()),
                        );
                        good = false;
                    }
                }
            }
            let feature = self.numeric(here, &feature.replace("{category}", category));
            match (feature, milli) {
                (Some(feature), Some(milli)) => {
                    items.push(PointsItem { category: category.to_owned(), feature, milli, trumps })
                }
                _ => good = false,
            }
        }
        good.then_some(items)
    }

    pub(super) fn logistic(&mut self, document: &Document, decl: &ModelDecl) -> Option<Logistic> {
        let Some(intercept) = decl.intercept else {
            self.desk.report(document.at_key(&["kind"], "a logistic model needs an `intercept`"));
            return None;
        };
        let mut good = true;
        let mut terms = Vec::new();
        match (&decl.table, decl.terms.is_empty()) {
            (None, false) => {
                for (at, term) in decl.terms.iter().enumerate() {
                    let place = at.to_string();
                    let made = self.term(|message| document.at_value(&["terms", &place, "feature"], message), term);
                    good &= made.is_some();
                    terms.extend(made);
                }
            }
            (Some(table), true) => {
                let (shown, text, rows) = self.table(document, table, &["feature", "coefficient"])?;
                if rows.len() > MOST_TERMS {
                    self.desk.report(Problem::new(&shown, format!("more than {MOST_TERMS} terms")));
                    return None;
                }
                for row in &rows {
                    let here = |message: String| row.problem(message).located(&shown, &text);
                    let made = match term_row(row) {
                        Ok(term) => self.term(here, &term),
                        Err(message) => {
                            self.desk.report(here(message));
                            None
                        }
                    };
                    good &= made.is_some();
                    terms.extend(made);
                }
            }
            _ => {
                self.desk
                    .report(document.at_key(&["kind"], "a logistic model needs exactly one of `terms` and `table`"));
                return None;
            }
        }
        good.then_some(Logistic { intercept, terms })
    }

    fn term(&mut self, at: impl Fn(String) -> Problem, term: &TermDecl) -> Option<Term> {
        let feature = self.read_by(&at, term);
        if term.divide_by == Some(0.0) {
            self.desk.report(at("`divide_by` is zero".to_owned()));
        }
        if let (Some(at_least), Some(below)) = (term.at_least, term.below)
            && below <= at_least
        {
            self.desk.report(at("`below` is above `at_least`".to_owned()));
        }
        let TermDecl { coefficient, missing, at_least, below, cap, transform, divide_by, .. } = *term;
        let (equals, reference) = (term.equals.clone(), term.reference.unwrap_or(0.0));
        Some(Term {
            feature: feature?,
            equals,
            coefficient,
            missing,
            reference,
            at_least,
            below,
            cap,
            transform,
            divide_by,
        })
    }

    /// What a term reads: a number, a text that is compared, or anything of which only its absence counts.
    fn read_by(&mut self, at: impl Fn(String) -> Problem, term: &TermDecl) -> Option<usize> {
        if term.equals.is_none() && term.transform != Transform::IsMissing {
            return self.numeric(at, &term.feature);
        }
        let found = self.feature_named(&at, &term.feature)?;
        let numbers = [term.missing, term.cap, term.divide_by, term.at_least, term.below];
        let alone = numbers.iter().all(Option::is_none);
        if !alone || (term.equals.is_some() && term.transform != Transform::Identity) {
            self.desk.report(at("what is compared or missing counts 1 or 0: nothing is done to it".to_owned()));
        }
        if term.equals.is_some() && self.features.get(found)?.data_type != DataType::Utf8 {
            self.desk.report(at(format!("`{}` is no text, so it equals none", term.feature)));
        }
        Some(found)
    }

    /// A feature that can be reckoned with: a number, or true and false.
    pub(super) fn numeric(&mut self, at: impl Fn(String) -> Problem, name: &str) -> Option<usize> {
        let found = self.feature_named(&at, name)?;
        let data_type = &self.features.get(found)?.data_type;
        if data_type.is_numeric() || *data_type == DataType::Boolean {
            return Some(found);
        }
        self.desk.report(at(format!("`{name}` is {}, and a score needs a number", super::text::type_name(data_type))));
        None
    }
}

fn term_row(row: &Row) -> Result<TermDecl, String> {
    let number = |column: &str| match row.get(column) {
        "" => Ok(None),
        text => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(format!("`{column}` is no finite number")),
        },
    };
    let transform = match row.get("transform") {
        "" | "identity" => Transform::Identity,
        "log1p" => Transform::Log1p,
        "sqrt" => Transform::Sqrt,
        "square" => Transform::Square,
        "is_missing" => Transform::IsMissing,
        _ => return Err("`transform` is one of identity, log1p, sqrt, square, is_missing".to_owned()),
    };
    Ok(TermDecl {
        feature: row.get("feature").to_owned(),
        equals: Some(row.get("equals")).filter(|value| !value.is_empty()).map(str::to_owned),
        coefficient: number("coefficient")?.ok_or("`coefficient` is missing")?,
        missing: number("missing")?,
        at_least: number("at_least")?,
        below: number("below")?,
        reference: number("reference")?,
        cap: number("cap")?,
        transform,
        divide_by: number("divide_by")?,
    })
}

/// A decimal in thousandths, exactly; none when it has more places.
fn milli(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let places = places.trim_end_matches('0');
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || places.len() > 3 || !plain(whole) || !plain(places) {
        return None;
    }
    let milli: i64 = format!("{whole}{places:0<3}").parse().ok()?;
    Some(if negative { -milli } else { milli })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_exact_thousandths() {
        let cases = [
            ("1", Some(1000)),
            ("7.1", Some(7100)),
            ("0.125", Some(125)),
            ("-2.50", Some(-2500)),
            ("1.0000", Some(1000)),
        ];
        for (text, milli_points) in cases {
            assert_eq!(milli(text), milli_points, "{text}");
        }
        for text in ["", ".5", "1.2345", "1e3", "nan", "1,5", "+1", "--1", "9999999999999"] {
            assert_eq!(milli(text), None, "{text}");
        }
    }
}
