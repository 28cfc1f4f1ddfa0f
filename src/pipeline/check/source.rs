//! Sources: files, keys, roles, lookups.

use super::super::decl::{ColumnDecl, Role, SourceDecl, Tokens};
use super::super::document::Document;
use super::super::{Column, ColumnLookup, Source};
use super::Checker;
use super::column::{data_type, kind_name};
use super::desk::Loaded;
use crate::calendar::Window;

impl Checker {
    pub(super) fn sources(&mut self, files: &[Loaded<SourceDecl>]) {
        for file in files {
            self.source(file);
            let columns = file.decl.columns.iter().map(|(name, decl)| Column {
                name: name.clone(),
                decl: decl.clone(),
                data_type: data_type(decl),
                lookup: None,
            });
            self.sources.push(Source {
                name: file.name.clone(),
                decl: file.decl.clone(),
                columns: columns.collect(),
                demographics: Vec::new(),
            });
        }
        for (at, file) in files.iter().enumerate() {
            for (name, decl) in &file.decl.columns {
                let lookup = self.lookup(&file.document, at, name, decl);
                let column =
                    self.sources.get_mut(at).and_then(|source| source.columns.iter_mut().find(|c| c.name == *name));
                if let Some(column) = column {
                    column.lookup = lookup;
                }
            }
        }
    }

    fn source(&mut self, file: &Loaded<SourceDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        self.not_blank(document, &["legal_basis"], &decl.legal_basis);
        self.not_blank(document, &["one_row_is"], &decl.one_row_is);
        if decl.files.as_slice().is_empty() {
            self.desk.report(document.at_value(&["files"], "no file is named"));
        }
        for pattern in decl.files.as_slice() {
            let outside = pattern.starts_with(['/', '\\']) || pattern.contains("://") || pattern.get(1..2) == Some(":");
            if pattern.trim().is_empty() || outside || pattern.split(['/', '\\']).any(|part| part == "..") {
                let problem = document.at_value(&["files"], "files are named below the deliveries folder");
                self.desk.report(problem.help("write a relative path without `..`"));
            }
        }
        if !(0.0..=1.0).contains(&decl.max_bad_share) {
            self.desk.report(document.at_value(&["max_bad_share"], "a share is between 0 and 1"));
        }
        if decl.separator().is_none() {
            let problem = document.at_value(&["delimiter"], "the separator is one ASCII character, and no quote");
            self.desk.report(problem.help("for example delimiter = \"|\""));
        }
        self.ages(document, decl);
        for (at, key) in decl.key.iter().enumerate() {
            if !decl.columns.contains_key(key) {
                let problem = document.at_value(&["key", &at.to_string()], format!("there is no column `{key}`"));
                self.desk.report(problem.did_you_mean(key, decl.columns.keys().map(String::as_str)));
            }
        }
        self.role(document, decl);
        for (name, column) in &decl.columns {
            self.column(document, decl.tokens, name, column);
            self.words(document, name, column, &decl.blank_values);
        }
    }

    /// How old the rows may be before a list is marked, and before a run stops.
    fn ages(&mut self, document: &Document, decl: &SourceDecl) {
        let limits = [("stale_after", &decl.stale_after), ("max_age", &decl.max_age)];
        for (key, limit) in limits.iter().filter_map(|(key, limit)| Some((*key, limit.as_ref()?))) {
            self.age_limit(document, &[key], limit);
            // Events need a date whatever their age: that is said below.
            let dated = matches!(decl.role, Role::Events | Role::Feedback);
            if !dated && !["date", "recorded"].iter().any(|name| decl.columns.contains_key(*name)) {
                let problem = document.at_key(&[key], "nothing says how old the rows are");
                self.desk.report(problem.help(format!("declare a column `date` or `recorded`, or leave out `{key}`")));
            }
        }
        let oldest = |limit: &Option<String>| Window::parse(limit.as_deref()?).ok()?.first_day(self.as_of);
        if let (Some(stale), Some(refused)) = (oldest(&decl.stale_after), oldest(&decl.max_age))
            && stale <= refused
        {
            let problem = document.at_value(&["stale_after"], "a run stops before this is reached");
            self.desk.report(problem.help("write less than `max_age`"));
        }
    }

    /// What a role needs.
    fn role(&mut self, document: &Document, decl: &SourceDecl) {
        let needed: &[&str] = match decl.role {
            Role::Register | Role::OptOut | Role::AllowList | Role::TestPeople => &["person"],
            Role::Events | Role::Feedback => &["person", "date"],
            Role::Superseded => &["person", "superseded_by"],
            Role::Lookup => &[],
        };
        for name in needed.iter().filter(|name| !decl.columns.contains_key(**name)) {
            let message = format!("a source with the role {} needs a column `{name}`", super::text::role(&decl.role));
            let problem = document.at_key(&["columns"], message);
            self.desk.report(problem.did_you_mean(name, decl.columns.keys().map(String::as_str)));
        }
        if decl.tokens == Tokens::Recipient {
            if !matches!(decl.role, Role::Events | Role::Feedback) {
                self.desk.report(document.at_value(&["tokens"], "only events and feedback come from a recipient"));
            }
            if !decl.columns.contains_key("recipient") {
                let problem = document.at_key(&["columns"], "tokens of recipients need a column `recipient`");
                self.desk.report(problem.help("it names the recipient of the list, as `riskstrat release` wrote it"));
            }
        }
        self.always_there(document, decl);
        if decl.role == Role::Lookup {
            if decl.key.len() != 1 {
                self.desk.report(document.at_key(&["role"], "a lookup needs a `key` of one column"));
            }
            if decl.rows_per_key.is_none() {
                let problem = document.at_key(&["role"], "a lookup says how many rows a key may have");
                self.desk.report(problem.help("write rows_per_key = \"one\""));
            }
        } else if decl.rows_per_key.is_some() {
            self.desk.report(document.at_key(&["rows_per_key"], "only a lookup has `rows_per_key`"));
        }
    }

    /// Whose row it is and when it happened is delivered with every row.
    fn always_there(&mut self, document: &Document, decl: &SourceDecl) {
        let dated = matches!(decl.role, Role::Events | Role::Feedback);
        let names = ["person", "superseded_by", "date"].into_iter().filter(|name| *name != "date" || dated);
        for (name, column) in names.filter_map(|name| Some((name, decl.columns.get(name)?))) {
            let given = [
                ("optional", column.optional, "leave it out: a row without it is set aside"),
                ("may_be_absent", column.may_be_absent, "leave it out: a file without it is refused"),
                ("lookup", column.lookup.is_some(), "read it `from` a delivered column"),
            ];
            // Of the columns that an expression reads, a file may lack one; a row for which nothing is left is set aside.
            let may = |key: &str| key == "may_be_absent" && column.expr.is_some() && name == "person";
            for (key, _, help) in given.into_iter().filter(|(key, given, _)| *given && !may(key)) {
                let message = format!("`{name}` is there in every row: no `{key}` here");
                self.desk.report(document.at_key(&["columns", name, key], message).help(help));
            }
        }
    }

    /// A column filled from a lookup source.
    fn lookup(&mut self, document: &Document, at: usize, name: &str, decl: &ColumnDecl) -> Option<ColumnLookup> {
        let path = |key: &'static str| ["columns", name, key];
        let Some(lookup) = &decl.lookup else {
            for (key, _) in [("by", &decl.by), ("column", &decl.column)].iter().filter(|(_, given)| given.is_some()) {
                self.desk.report(document.at_key(&path(key), format!("`{key}` belongs to a `lookup`")));
            }
            return None;
        };
        let (Some(by), Some(column)) = (&decl.by, &decl.column) else {
            let message = format!("`{name}` needs `by` (our column with the key) and `column` (what to take)");
            self.desk.report(document.at_key(&["columns", name], message));
            return None;
        };
        if self.sources.get(at)?.decl.role == Role::Lookup {
            let problem = document.at_key(&path("lookup"), "a lookup reads delivered columns, not looked-up ones");
            self.desk.report(problem.help("look it up in the source that reads this one, a second `lookup` column"));
            return None;
        }
        let by_index = self.column_named(document, &path("by"), at, by);
        let source = self.source_named(document, &path("lookup"), lookup, &[Role::Lookup])?;
        let column_index = self.column_named(document, &path("column"), source, column)?;
        let found = self.sources.get(source)?.columns.get(column_index)?;
        if found.data_type != data_type(decl) {
            let message = format!("`{lookup}.{column}` is of type {}", kind_name(found.decl.kind));
            self.desk.report(document.at_value(&path("type"), message));
        }
        let by_index = by_index?;
        if self.sources.get(at)?.column(name).is_none_or(|own| by_index >= own) {
            let problem = document.at_value(&path("by"), format!("`{by}` does not stand before `{name}`"));
            self.desk.report(problem.help(format!("a column stands behind what it reads: declare `{by}` first")));
        }
        self.same_key(document, &path("by"), (at, by_index), source);
        Some(ColumnLookup { source, by: by_index, column: column_index })
    }

    /// Keys that are written differently never meet.
    fn same_key(&mut self, document: &Document, path: &[&str], by: (usize, usize), lookup: usize) -> Option<()> {
        let ours = self.sources.get(by.0)?.columns.get(by.1)?;
        let lookup = self.sources.get(lookup)?;
        let theirs = lookup.columns.get(lookup.column(lookup.decl.key.first()?)?)?;
        let same = (ours.decl.kind, ours.decl.system, &ours.data_type)
            == (theirs.decl.kind, theirs.decl.system, &theirs.data_type);
        if !same {
            let message = format!(
                "`{}` is {}, and the key `{}.{}` is {}",
                ours.name,
                written(ours),
                lookup.name,
                theirs.name,
                written(theirs)
            );
            let problem = document.at_value(path, message);
            self.desk.report(problem.help("declare both with the same `type`, `system` and `places`"));
        }
        Some(())
    }

    pub(super) fn not_blank(&mut self, document: &Document, path: &[&str], text: &str) {
        if text.trim().is_empty() {
            self.desk.report(document.at_value(path, "this may not be empty"));
        }
    }
}

/// What a key is, for people: "code (icd10)".
fn written(column: &Column) -> String {
    let kind = kind_name(column.decl.kind);
    let kind = if column.data_type.is_nested() { format!("a list of {kind}") } else { kind.to_owned() };
    match &column.decl.system {
        Some(system) => format!("{kind} ({})", format!("{system:?}").to_lowercase()),
        None => kind,
    }
}
