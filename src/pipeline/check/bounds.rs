//! The days on which a window hangs: `since`, `before` and `until` of an event verb, `on` of an age.

use arrow::datatypes::DataType;

use super::super::decl::FeatureDecl;
use super::super::document::Document;
use super::super::{Bounds, End};
use super::Checker;
use super::text::type_name;

impl Checker {
    /// What is declared beside the length of the window; none when something of it is wrong.
    pub(super) fn bounds(
        &mut self,
        document: &Document,
        name: &str,
        decl: &FeatureDecl,
        events: bool,
    ) -> Option<Bounds> {
        let given = [("since", &decl.since), ("before", &decl.before), ("until", &decl.until)];
        let mut days = Vec::new();
        for (key, day) in given.into_iter().filter_map(|(key, day)| Some((key, day.as_ref()?))) {
            if events {
                days.push((key, self.day(document, &[name, key], day)?));
            } else {
                self.desk.report(document.at_key(&[name, key], "only verbs about events have a window"));
            }
        }
        if decl.before.is_some() && decl.until.is_some() {
            self.desk.report(document.at_key(&[name, "until"], "a window ends once: `before` a day, or `until` one"));
            return None;
        }
        let day = |wanted: &str| days.iter().find(|(key, _)| *key == wanted).map(|(_, day)| *day);
        Some(Bounds { since: day("since"), end: day("before").map(End::Before).or(day("until").map(End::Until)) })
    }

    /// A feature that is a day.
    pub(super) fn day(&mut self, document: &Document, path: &[&str], name: &str) -> Option<usize> {
        let found = self.feature_named(|message| document.at_value(path, message), name)?;
        let data_type = &self.features.get(found)?.data_type;
        if *data_type == DataType::Date32 {
            return Some(found);
        }
        let message = format!("`{name}` is {}, and a window hangs on a date", type_name(data_type));
        self.desk.report(document.at_value(path, message));
        None
    }
}
