//! Figures of inequality: what is counted, and by what it is compared.

use arrow::datatypes::{DataType, Schema};

use super::super::decl::{AuditDecl, CompareDecl, FigureDecl};
use super::super::document::Document;
use super::super::{Compare, Counted, Figure};
use super::desk::Loaded;
use super::{Checker, text};

/// Stands for a list of any cohort.
const ANY: &str = "any";

impl Checker {
    /// The figures of an audit, once cohorts are known.
    pub(super) fn figures(&mut self, file: &Loaded<AuditDecl>, cohorts_known: bool) {
        // A study counts no figures, and names models of its own.
        if self.judging {
            return;
        }
        let (document, decl) = (&file.document, &file.decl);
        let schema = self.schema();
        let figures: Vec<Figure> = decl
            .figures
            .iter()
            .filter_map(|(name, figure)| self.figure(document, name, figure, &schema, cohorts_known))
            .collect();
        let compare = match (&decl.compare, decl.figures.keys().next()) {
            (Some(compare), _) => Some(self.compare(document, compare)),
            (None, Some(first)) => {
                let problem = document.at_key(&["figures", first], "nothing says by what figures are compared");
                self.desk.report(problem.help("write [compare] with by = [\"…\"]"));
                None
            }
            (None, None) => None,
        };
        if let Some(audit) = self.audits.iter_mut().find(|audit| audit.name == file.name) {
            audit.figures = figures;
            audit.compare = compare;
        }
    }

    fn figure(
        &mut self,
        document: &Document,
        name: &str,
        decl: &FigureDecl,
        schema: &Schema,
        cohorts_known: bool,
    ) -> Option<Figure> {
        self.name(document, &["figures", name], name);
        self.not_blank(document, &["figures", name, "label"], &decl.label);
        if self.audits.iter().flat_map(|audit| &audit.figures).any(|figure| figure.name == name) {
            self.desk.report(document.at_key(&["figures", name], format!("another audit has a figure `{name}`")));
        }
        if let Some(among) = &decl.among {
            self.predicate(document, &["figures", name, "among"], among, schema);
        }
        let counts = match (&decl.when, &decl.listed, &decl.known, &decl.mean) {
            (Some(when), None, None, None) => {
                self.predicate(document, &["figures", name, "when"], when, schema)?;
                Counted::When(when.clone())
            }
            (None, Some(cohort), None, None) => {
                Counted::Listed(self.listed(document, &["figures", name, "listed"], cohort, cohorts_known)?)
            }
            (None, None, Some(item), None) => {
                let Some(at) = self.items.iter().position(|known| known.name == *item) else {
                    let problem =
                        document.at_value(&["figures", name, "known"], format!("no audit has an item `{item}`"));
                    self.desk.report(problem.did_you_mean(item, self.items.iter().map(|item| item.name.as_str())));
                    return None;
                };
                Counted::Known(at)
            }
            (None, None, None, Some(column)) => {
                Counted::Mean(self.number(document, &["figures", name, "mean"], column, schema)?)
            }
            _ => {
                let message = format!("`{name}` needs exactly one of `when`, `listed`, `known` and `mean`");
                self.desk.report(document.at_key(&["figures", name], message));
                return None;
            }
        };
        Some(Figure { name: name.to_owned(), decl: decl.clone(), counts })
    }

    fn listed(&mut self, document: &Document, path: &[&str], cohort: &str, known: bool) -> Option<Vec<usize>> {
        if cohort == ANY {
            return Some((0..self.cohorts.len()).collect());
        }
        let at = self.cohorts.iter().position(|other| other.name == cohort);
        if at.is_none() && known {
            let problem = document.at_value(path, format!("the run has no cohort `{cohort}`"));
            let names = self.cohorts.iter().map(|cohort| cohort.name.as_str()).chain([ANY]);
            self.desk.report(problem.did_you_mean(cohort, names));
        }
        at.map(|at| vec![at])
    }

    /// A feature or score that has a mean.
    pub(super) fn number(
        &mut self,
        document: &Document,
        path: &[&str],
        column: &str,
        schema: &Schema,
    ) -> Option<String> {
        let Ok(field) = schema.field_with_name(column) else {
            if !self.may_be_broken(column) {
                let problem = document.at_value(path, format!("there is no feature or score `{column}`"));
                self.desk
                    .report(problem.did_you_mean(column, schema.fields().iter().map(|field| field.name().as_str())));
            }
            return None;
        };
        if !matches!(field.data_type(), DataType::Int64 | DataType::Float64) {
            let message = format!("`{column}` is {}, which has no mean", text::type_name(field.data_type()));
            self.desk.report(document.at_value(path, message));
        }
        Some(column.to_owned())
    }

    fn compare(&mut self, document: &Document, decl: &CompareDecl) -> Compare {
        let by = self.splits(document, &["compare", "by"], &decl.by);
        for (key, names) in [("ordered", &decl.ordered), ("providers", &decl.providers)] {
            for (at, name) in names.iter().enumerate() {
                let place = at.to_string();
                self.is_compared(document, &["compare", key, &place], name, decl);
            }
        }
        for name in decl.against.keys() {
            self.is_compared(document, &["compare", "against", name], name, decl);
        }
        let age = decl.age.as_ref().and_then(|age| self.split_by(document, &["compare", "age"], age));
        if let Some(standard) = &decl.standard {
            self.not_blank(document, &["compare", "standard", "citation"], &standard.citation);
            if decl.age.is_none() {
                let problem = document.at_key(&["compare", "standard"], "nothing says which age bands these are");
                self.desk.report(problem.help("name the feature with the bands: age = \"…\""));
            }
            if standard.people.values().all(|people| *people == 0) {
                self.desk.report(document.at_key(&["compare", "standard", "people"], "a standard of nobody"));
            }
        }
        let at_random_by = self.splits(document, &["compare", "at_random_by"], &decl.at_random_by);
        Compare { decl: decl.clone(), by, age, at_random_by }
    }

    fn is_compared(&mut self, document: &Document, path: &[&str], name: &str, decl: &CompareDecl) {
        if !decl.by.iter().any(|by| by == name) {
            let problem = document.at_value(path, format!("figures are not compared by `{name}`"));
            self.desk.report(problem.did_you_mean(name, decl.by.iter().map(String::as_str)));
        }
    }
}
