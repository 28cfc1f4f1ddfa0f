//! The verbs about events: source, filter, column, code list.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

use super::super::decl::{ColumnType, EventsVerb, FeatureDecl, Role};
use super::super::document::Document;
use super::super::{Bounds, Codes, Events, Source, Verb, What};
use super::Checker;
use super::column::kind_name;
use crate::codelist::CodeList;

/// What an event verb comes to.
pub(super) struct Made {
    pub events: Verb,
    pub data_type: DataType,
    /// With `each`: category, its label, and the verb for it alone.
    pub categories: Vec<(String, String, Verb)>,
}

impl FeatureDecl {
    /// The verbs that are given; a good declaration has one.
    pub(super) fn verbs(&self) -> Vec<&'static str> {
        let given = [
            ("age", self.age.is_some()),
            ("count", self.count.is_some()),
            ("count_distinct", self.count_distinct.is_some()),
            ("count_days", self.count_days.is_some()),
            ("exists", self.exists.is_some()),
            ("days_since", self.days_since.is_some()),
            ("latest", self.latest.is_some()),
            ("total", self.total.is_some()),
            ("longest", self.longest.is_some()),
            ("bed_days", self.bed_days.is_some()),
            ("open_at_index", self.open_at_index.is_some()),
            ("value", self.value.is_some()),
            ("derived", self.derived.is_some()),
            ("web", self.web.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// The event verb of this name.
    pub(super) fn events(&self, verb: &str) -> Option<(What, &EventsVerb)> {
        let (what, events) = match verb {
            "count" => (What::Count, &self.count),
            "count_distinct" => (What::CountDistinct, &self.count_distinct),
            "count_days" => (What::CountDays, &self.count_days),
            "exists" => (What::Exists, &self.exists),
            "days_since" => (What::DaysSince, &self.days_since),
            "latest" => (What::Latest, &self.latest),
            "total" => (What::Total, &self.total),
            "longest" => (What::Longest, &self.longest),
            "bed_days" => (What::BedDays, &self.bed_days),
            "open_at_index" => (What::OpenAtIndex, &self.open_at_index),
            _ => return None,
        };
        events.as_ref().map(|events| (what, events))
    }

    /// The first event verb given.
    pub(super) fn events_verb(&self) -> Option<&EventsVerb> {
        self.verbs().into_iter().find_map(|verb| self.events(verb)).map(|(_, events)| events)
    }
}

impl Checker {
    pub(super) fn events(
        &mut self,
        document: &Document,
        name: &str,
        verb: &str,
        what: What,
        decl: &EventsVerb,
    ) -> Option<Made> {
        let at = |key: &'static str| [name, verb, key];
        let source = self.source_named(document, &at("of"), &decl.of, &[Role::Events, Role::Feedback])?;
        let schema = source_schema(self.sources.get(source)?);
        let filtered =
            decl.filter.as_ref().is_none_or(|sql| self.filter(document, &at("where"), sql, &schema).is_some());
        let needs_end = matches!(what, What::Longest | What::BedDays | What::OpenAtIndex).then_some(verb);
        if let Some(needs) = needs_end.or(decl.ended.then_some("ended"))
            && self.sources.get(source)?.column("end").is_none()
        {
            let message = format!("`{needs}` needs a column `end`, which `{}` lacks", decl.of);
            self.desk.report(document.at_value(&at("of"), message));
            return None;
        }
        let (column, data_type) = self.verb_column(document, name, verb, what, decl, source)?;
        let (codes, list) = match &decl.codelist {
            Some(list) => {
                let (codes, list) = self.codes(document, name, verb, what, decl, list, source)?;
                (Some(codes), Some(list))
            }
            None => {
                for (key, given) in [
                    ("code", decl.code.is_some()),
                    ("categories", decl.categories.is_some()),
                    ("each", decl.each.is_some()),
                ] {
                    if given {
                        self.desk
                            .report(document.at_key(&[name, verb, key], format!("`{key}` belongs to a `codelist`")));
                    }
                }
                (None, None)
            }
        };
        if !filtered {
            return None;
        }
        let filter = decl.filter.clone();
        let events = Events { what, source, filter, ended: decl.ended, bounds: Bounds::default(), column, codes };
        let categories = match (&list, decl.each) {
            (Some(list), Some(_)) => each(&events, list),
            _ => Vec::new(),
        };
        Some(Made { events: Verb::Events(events), data_type, categories })
    }

    /// The column a verb works on, and the type of what it gives.
    fn verb_column(
        &mut self,
        document: &Document,
        name: &str,
        verb: &str,
        what: What,
        decl: &EventsVerb,
        source: usize,
    ) -> Option<(Option<usize>, DataType)> {
        let path = [name, verb, "column"];
        let plain = match what {
            What::Count | What::CountDays | What::DaysSince | What::Longest | What::BedDays => Some(DataType::Int64),
            What::Exists | What::OpenAtIndex => Some(DataType::Boolean),
            What::CountDistinct | What::Latest | What::Total => None,
        };
        let Some(written) = &decl.column else {
            return match plain {
                Some(data_type) => Some((None, data_type)),
                None if what == What::CountDistinct && decl.codelist.is_some() => Some((None, DataType::Int64)),
                None if what == What::Latest && decl.codelist.is_some() => Some((None, DataType::Utf8)),
                None => {
                    self.desk.report(document.at_key(&[name, verb], format!("`{verb}` needs a `column`")));
                    None
                }
            };
        };
        if let Some(data_type) = plain {
            // With a code list, `column` may name the code column.
            if decl.codelist.is_none() || decl.code.is_some() {
                self.desk.report(document.at_key(&path, format!("`{verb}` works on whole events, not on a column")));
            }
            return Some((None, data_type));
        }
        let column = self.column_named(document, &path, source, written)?;
        let found = self.sources.get(source)?.columns.get(column)?;
        let data_type = match (what, &found.data_type) {
            (What::CountDistinct, _) => DataType::Int64,
            (What::Total, DataType::Int64) => DataType::Int64,
            (What::Total, DataType::Decimal128(_, places)) => DataType::Decimal128(38, *places),
            (What::Total, _) => {
                let message = format!(
                    "`{written}` is of type {}, and only an integer or a decimal has a total",
                    kind_name(found.decl.kind)
                );
                self.desk.report(document.at_value(&path, message));
                return None;
            }
            _ => self.publishable(document, &path, source, column)?,
        };
        Some((Some(column), data_type))
    }

    /// Which codes of which column count.
    #[expect(clippy::too_many_arguments, reason = "the place of the verb and what it says")]
    fn codes(
        &mut self,
        document: &Document,
        name: &str,
        verb: &str,
        what: What,
        decl: &EventsVerb,
        list: &str,
        source: usize,
    ) -> Option<(Codes, Arc<CodeList>)> {
        let at = |key: &'static str| [name, verb, key];
        let codelist = self.lists.code_list(&mut self.desk, document, &at("codelist"), list)?;
        let list = self.lists.get(codelist)?;
        let takes_column = matches!(what, What::CountDistinct | What::Latest | What::Total);
        let named = match (&decl.code, &decl.column) {
            (Some(code), _) => Some(("code", code)),
            (None, Some(column)) if !takes_column => Some(("column", column)),
            _ => None,
        };
        let column = match named {
            Some((key, column)) => self.column_named(document, &at(key), source, column)?,
            None => self.only_code_column(document, &at("codelist"), source)?,
        };
        let found = self.sources.get(source)?.columns.get(column)?;
        if found.decl.system != Some(list.system) {
            let message = match (found.decl.system, found.decl.kind) {
                (Some(_), _) => format!("`{}` and `{}` are of different code systems", found.name, list.name),
                // That it lacks its system is said where it is declared.
                (None, ColumnType::Code) => return None,
                (None, _) => format!("`{}` is no code column", found.name),
            };
            self.desk.report(document.at_value(&at(named.map_or("codelist", |(key, _)| key)), message));
            return None;
        }
        let mut categories: Vec<usize> = Vec::new();
        for (place, category) in decl.categories.iter().flatten().enumerate() {
            match list.category(category) {
                Some(index) => categories.push(index),
                None => {
                    let problem = document.at_value(
                        &[name, verb, "categories", &place.to_string()],
                        format!("`{}` has no category `{category}`", list.name),
                    );
                    self.desk.report(problem.did_you_mean(category, list.categories.iter().map(String::as_str)));
                }
            }
        }
        if decl.categories.is_none() {
            categories = (0..list.categories.len()).collect();
        }
        categories.sort_unstable();
        categories.dedup();
        if decl.categories.as_ref().is_some_and(Vec::is_empty) {
            self.desk.report(document.at_value(&at("categories"), "no category is named"));
        }
        Some((Codes { codelist, column, categories }, list))
    }

    fn only_code_column(&mut self, document: &Document, path: &[&str], source: usize) -> Option<usize> {
        let source = self.sources.get(source)?;
        let codes: Vec<usize> = (0..source.columns.len())
            .filter(|at| source.columns.get(*at).is_some_and(|column| column.decl.kind == ColumnType::Code))
            .collect();
        if let [only] = codes.as_slice() {
            return Some(*only);
        }
        let names: Vec<&str> =
            codes.iter().filter_map(|at| source.columns.get(*at)).map(|column| column.name.as_str()).collect();
        let problem = document.at_value(path, format!("`{}` has {} code columns", source.name, codes.len()));
        let help = format!("say which with `code`: {}", names.join(", "));
        self.desk.report(if names.is_empty() { problem } else { problem.help(help) });
        None
    }
}

/// The verb once for each category that counts.
fn each(events: &Events, list: &CodeList) -> Vec<(String, String, Verb)> {
    let Some(codes) = &events.codes else { return Vec::new() };
    let one = |category: &usize| {
        let alone = Codes { categories: vec![*category], ..codes.clone() };
        let verb = Verb::Events(Events { codes: Some(alone), ..events.clone() });
        Some((list.categories.get(*category)?.clone(), list.labels.get(*category)?.clone(), verb))
    };
    codes.categories.iter().filter_map(one).collect()
}

/// The columns that predicates over events may read.
pub(super) fn source_schema(source: &Source) -> Schema {
    let field = |column: &super::super::Column| Field::new(&column.name, column.data_type.clone(), true);
    Schema::new(source.columns.iter().map(field).collect::<Vec<_>>())
}
