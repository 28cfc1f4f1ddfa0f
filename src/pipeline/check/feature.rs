//! Features: one verb each, windows and categories spelt out into one feature a name.

use arrow::datatypes::{DataType, TimeUnit};

use super::super::decl::{FeatureDecl, FeaturesDecl, Role, ValueVerb};
use super::super::document::Document;
use super::super::problem::Problem;
use super::super::{Feature, Model, Verb};
use super::desk::Loaded;
use super::events::Made;
use super::text::{fill, placeholders};
use super::{Checker, is_name};
use crate::calendar::Window;

/// Stands in every table of people.
const PERSON: &str = "person";

/// One member of a family: what its name ends in, and what its texts say.
struct Member {
    suffix: String,
    /// The suffix without the window.
    stem: String,
    window: Option<Window>,
    category: Option<String>,
    verb: Verb,
}

impl Checker {
    pub(super) fn feature_file(&mut self, file: &Loaded<FeaturesDecl>) {
        for (name, decl) in &file.decl {
            if self.feature(&file.document, name, decl).is_none() {
                self.broken.insert(name.clone());
            }
        }
    }

    fn feature(&mut self, document: &Document, name: &str, decl: &FeatureDecl) -> Option<()> {
        if !is_name(name) {
            let problem = document.at_key(&[name], format!("`{name}` cannot be the name of a feature"));
            self.desk.report(problem.help("write lower-case letters, digits and `_`, and no word of SQL"));
        }
        let verbs = decl.verbs();
        let events = matches!(verbs.as_slice(), [verb] if decl.events(verb).is_some());
        let windows = self.windows(document, name, decl, events || verbs.len() != 1);
        let bounds = self.bounds(document, name, decl, events || verbs.len() != 1);
        let each = decl.events_verb().is_some_and(|verb| verb.each.is_some());
        self.texts(document, name, decl, events, each);
        let [verb] = verbs.as_slice() else {
            let problem = match verbs.as_slice() {
                [] => document.at_key(&[name], format!("`{name}` has no verb")).help(
                    "one of age, count, count_distinct, count_days, exists, days_since, latest, total, longest, bed_days, open_at_index, value, derived, web",
                ),
                several => document.at_key(&[name, several.last().copied().unwrap_or_default()], format!("`{name}` has more than one verb: {}", several.join(", "))),
            };
            self.desk.report(problem);
            return None;
        };
        let (members, data_type) = match decl.events(verb) {
            Some((what, events)) => {
                let Made { events, data_type, categories } = self.events(document, name, verb, what, events)?;
                let (windows, bounds) = (windows?, bounds?);
                let mut members = family(&windows, &categories, &events);
                members.iter_mut().for_each(|member| member.verb.hang_on(bounds));
                (members, data_type)
            }
            None => {
                let (verb, data_type) = self.plain_verb(document, name, decl)?;
                (
                    vec![Member { suffix: String::new(), stem: String::new(), window: None, category: None, verb }],
                    data_type,
                )
            }
        };
        for member in members {
            self.add(document, name, decl, member, &data_type);
        }
        Some(())
    }

    /// The windows of an event verb; other verbs have none.
    fn windows(
        &mut self,
        document: &Document,
        name: &str,
        decl: &FeatureDecl,
        events: bool,
    ) -> Option<Vec<(String, Window)>> {
        if !events {
            for (key, _) in [("windows", decl.windows.is_some()), ("within", decl.within.is_some())]
                .iter()
                .filter(|(_, given)| *given)
            {
                self.desk.report(document.at_key(&[name, key], "only verbs about events have a window"));
            }
            return None;
        }
        match (&decl.windows, &decl.within) {
            (Some(windows), None) if !windows.is_empty() => {
                let mut made: Vec<(String, Window)> = Vec::new();
                for (at, text) in windows.iter().enumerate() {
                    let place = at.to_string();
                    let path = [name, "windows", place.as_str()];
                    match Window::parse(text) {
                        Ok(window) if made.iter().any(|(_, other)| *other == window) => {
                            self.desk.report(document.at_value(&path, "this window is there twice"));
                        }
                        Ok(window) => made.push((format!("_{}", window.suffix()), window)),
                        Err(message) => self.desk.report(document.at_value(&path, message)),
                    }
                }
                (made.len() == windows.len()).then_some(made)
            }
            (None, Some(text)) => match Window::parse(text) {
                Ok(window) => Some(vec![(String::new(), window)]),
                Err(message) => {
                    self.desk.report(document.at_value(&[name, "within"], message));
                    None
                }
            },
            _ => {
                let problem = document.at_key(&[name], format!("`{name}` needs exactly one of `windows` and `within`"));
                self.desk
                    .report(problem.help("for example windows = [\"90 days\", \"12 months\"] or within = \"ever\""));
                None
            }
        }
    }

    /// Labels and reasons name only what there is to fill in.
    fn texts(&mut self, document: &Document, name: &str, decl: &FeatureDecl, events: bool, each: bool) {
        self.not_blank(document, &[name, "label"], &decl.label);
        let mut allowed = Vec::new();
        if events {
            allowed.push("window");
        }
        if each {
            allowed.push("category");
        }
        self.placeholders(document, &[name, "label"], &decl.label, &allowed);
        allowed.push("value");
        if events {
            allowed.push("latest_date");
        }
        if let Some(reason) = &decl.reason {
            self.placeholders(document, &[name, "reason"], reason, &allowed);
        }
    }

    /// Each `{name}` of a text is one of these.
    pub(super) fn placeholders(&mut self, document: &Document, path: &[&str], text: &str, allowed: &[&str]) {
        match placeholders(text) {
            Err(at) => self.desk.report(document.inside(path, at, "a brace that opens no `{name}`")),
            Ok(found) => {
                for (name, at) in found.into_iter().filter(|(name, _)| !allowed.contains(name)) {
                    let problem = document.inside(path, at, format!("nothing fills in `{{{name}}}` here"));
                    self.desk.report(problem.did_you_mean(name, allowed.iter().copied()));
                }
            }
        }
    }

    fn plain_verb(&mut self, document: &Document, name: &str, decl: &FeatureDecl) -> Option<(Verb, DataType)> {
        if let Some(age) = &decl.age {
            let path = [name, "age", "of"];
            let source = self.source_named(document, &path, &age.of, &[Role::Register])?;
            if self.sources.get(source)?.column("birth_date").is_none() {
                self.desk.report(document.at_value(&path, format!("`{}` has no column `birth_date`", age.of)));
                return None;
            }
            let on = age.on.as_ref().map(|day| self.day(document, &[name, "age", "on"], day));
            return (on != Some(None)).then_some((Verb::Age { source, on: on.flatten() }, DataType::Int64));
        }
        if let Some(value) = &decl.value {
            return self.value(document, name, value);
        }
        if let Some(web) = &decl.web {
            return self.web_verb(document, name, web);
        }
        let sql = &decl.derived.as_ref()?.sql;
        let path = [name, "derived", "sql"];
        let schema = self.schema();
        let compiled = self.compiled(document, &path, sql, &schema)?;
        let Some(data_type) = feature_type(&compiled.data_type) else {
            let message = format!("this is {}, which no feature can be", super::text::type_name(&compiled.data_type));
            self.desk.report(document.at_value(&path, message));
            return None;
        };
        Some((Verb::Derived { sql: sql.clone() }, data_type))
    }

    fn value(&mut self, document: &Document, name: &str, verb: &ValueVerb) -> Option<(Verb, DataType)> {
        match (&verb.of, &verb.column, &verb.item, &verb.state) {
            (Some(of), Some(column), None, None) => {
                let source = self.source_named(document, &[name, "value", "of"], of, &[Role::Register])?;
                let path = [name, "value", "column"];
                let column = self.column_named(document, &path, source, column)?;
                let data_type = self.publishable(document, &path, source, column)?;
                Some((Verb::Value { source, column }, data_type))
            }
            (None, None, Some(item), None) => {
                let item = self.item_named(document, &[name, "value", "item"], item)?;
                Some((Verb::Item { item }, DataType::Utf8))
            }
            (None, None, None, Some(item)) => {
                let item = self.item_named(document, &[name, "value", "state"], item)?;
                Some((Verb::ItemState { item }, DataType::Utf8))
            }
            _ => {
                let problem =
                    document.at_key(&[name, "value"], "`value` needs `of` and `column`, or `item`, or `state`");
                self.desk.report(problem);
                None
            }
        }
    }

    fn item_named(&mut self, document: &Document, path: &[&str], item: &str) -> Option<usize> {
        let found = self.items.iter().position(|known| known.name == item);
        if found.is_none() {
            let names = self.items.iter().map(|item| item.name.as_str());
            let problem = document.at_value(path, format!("no audit of the run declares the item `{item}`"));
            self.desk.report(problem.did_you_mean(item, names));
        }
        found
    }

    /// The type of a column whose values may stand beside a person: no token, no list.
    pub(super) fn publishable(
        &mut self,
        document: &Document,
        path: &[&str],
        source: usize,
        column: usize,
    ) -> Option<DataType> {
        let column = self.sources.get(source)?.columns.get(column)?;
        let refused = match (&column.decl.kind, &column.data_type) {
            (super::super::decl::ColumnType::Pseudonym, _) => "a pseudonym is never a value",
            (_, DataType::List(_)) => "a list column has no single value",
            _ => return Some(column.data_type.clone()),
        };
        self.desk.report(document.at_value(path, refused));
        None
    }

    fn add(&mut self, document: &Document, name: &str, decl: &FeatureDecl, member: Member, data_type: &DataType) {
        let full = format!("{name}{}", member.suffix);
        if let Some(problem) = self.taken(&full).map(|what| document.at_key(&[name], what)) {
            self.desk.report(problem);
            return;
        }
        let window = member.window.map(|window| window.to_string()).unwrap_or_default();
        let category = member.category.unwrap_or_default();
        let mut values = Vec::new();
        if member.window.is_some() {
            values.push(("window", window.as_str()));
        }
        if !category.is_empty() {
            values.push(("category", category.as_str()));
        }
        self.features.push(Feature {
            name: full,
            label: fill(&decl.label, &values),
            heading: decl.heading.as_ref().map(|heading| fill(heading, &values)),
            reason: decl.reason.as_ref().map(|reason| fill(reason, &values)),
            never_as_reason: decl.never_as_reason,
            family: format!("{name}{}", member.stem),
            unit: decl.unit.clone(),
            verb: member.verb,
            window: member.window.unwrap_or(Window::Ever),
            data_type: data_type.clone(),
            shown: true,
        });
    }

    /// A feature by name.
    pub(super) fn feature_named(&mut self, problem_at: impl Fn(String) -> Problem, name: &str) -> Option<usize> {
        let found = self.features.iter().position(|feature| feature.shown && feature.name == name);
        if found.is_none() && !self.may_be_broken(name) {
            let names = self.features.iter().map(|feature| feature.name.as_str());
            let problem = problem_at(format!("there is no feature `{name}`")).did_you_mean(name, names);
            self.desk.report(problem);
        }
        found
    }

    /// Why a name cannot be given a second time.
    pub(super) fn taken(&self, name: &str) -> Option<String> {
        if name == PERSON {
            return Some(format!("`{name}` is the column that holds the token beside every feature and score"));
        }
        let feature = self.features.iter().any(|feature| feature.name == name);
        let model = |model: &Model| ["", "_band", "_change"].iter().any(|of| format!("{}{of}", model.name) == name);
        let model = self.models.iter().any(model);
        (feature || model).then(|| format!("there is already a {} `{name}`", if feature { "feature" } else { "score" }))
    }
}

fn family(windows: &[(String, Window)], categories: &[(String, String, Verb)], events: &Verb) -> Vec<Member> {
    let members = |stem: &str, category: Option<&String>, verb: &Verb| {
        let member = |(suffix, window): &(String, Window)| Member {
            suffix: format!("{stem}{suffix}"),
            stem: stem.to_owned(),
            window: Some(*window),
            category: category.cloned(),
            verb: verb.clone(),
        };
        windows.iter().map(member).collect::<Vec<_>>()
    };
    if categories.is_empty() {
        return members("", None, events);
    }
    let of = |(category, label, verb): &(String, String, Verb)| members(&format!("_{category}"), Some(label), verb);
    categories.iter().flat_map(of).collect()
}

/// The one type that features of a kind have.
fn feature_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean | DataType::Date32 | DataType::Decimal128(..) => data_type.clone(),
        other if other.is_integer() => DataType::Int64,
        other if other.is_floating() => DataType::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Second, None),
        _ => return None,
    })
}
