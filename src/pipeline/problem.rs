//! One thing that is wrong in a declaration, with its place.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

/// A problem in a declaration file: where, what, and where it can be said, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// As messages show it: relative to the run file's folder where possible.
    pub file: String,
    /// From 1; none when the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The line itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Bytes of `text` under the carets.
    #[serde(skip)]
    carets: Range<usize>,
}

impl Problem {
    /// About a whole file.
    pub fn new(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            text: None,
            message: message.into(),
            help: None,
            carets: 0..0,
        }
    }

    /// About these bytes of the file's text; of several lines, the first.
    #[must_use]
    pub fn at(mut self, text: &str, span: Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let from = (start - line_start).min(line.len());
        let to = line.ceil_char_boundary(span.end.saturating_sub(line_start).clamp(from, line.len()));
        self.line = Some(before.matches('\n').count() + 1);
        self.column = Some(before.get(line_start..).unwrap_or_default().chars().count() + 1);
        self.text = Some(line.to_owned());
        self.carets = from..to;
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With "did you mean", when one of the names is close to what was written.
    #[must_use]
    pub fn did_you_mean<'a>(mut self, written: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(name) = closest(written, names) {
            self.help = Some(format!("did you mean `{name}`?"));
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group: Group<'_> = match (&self.text, self.line) {
            (Some(text), Some(line)) => title.element(
                Snippet::source(text.as_str())
                    .line_start(line)
                    .path(self.file.as_str())
                    .annotation(AnnotationKind::Primary.span(self.carets.clone())),
            ),
            _ => title.element(Origin::path(self.file.as_str())),
        };
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        f.write_str(&Renderer::plain().decor_style(DecorStyle::Ascii).render(&[group]))
    }
}

/// The name most like what was written, if any is like it at all; of equals the first.
pub fn closest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 4);
    let written = written.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_a_caret_under_the_word() {
        let text = "label = \"é\"\nwitin = \"12 months\"\n";
        let problem =
            Problem::new("features/x.toml", "unknown key `witin`").at(text, 13..18).help("did you mean `within`?");
        assert_eq!((problem.line, problem.column), (Some(2), Some(1)));
        assert_eq!(
            problem.to_string(),
            "\
error: unknown key `witin`
 --> features/x.toml:2:1
  |
2 | witin = \"12 months\"
  | ^^^^^
  |
  = help: did you mean `within`?"
        );
        let whole = Problem::new("run.toml", "as_of is missing");
        assert_eq!(whole.to_string(), "error: as_of is missing\n--> run.toml");
    }

    #[test]
    fn a_place_beyond_the_text_or_inside_a_character_is_still_a_place() {
        for span in [0..0, 9..1000, 1..2, 3..3] {
            let problem = Problem::new("x.toml", "wrong").at("é\nab", span);
            assert!(problem.to_string().contains("x.toml:"), "{problem}");
        }
    }

    #[test]
    fn only_a_similar_name_is_suggested() {
        let names = ["within", "windows", "where"];
        assert_eq!(closest("witin", names), Some("within"));
        assert_eq!(closest("Within", names), Some("within"));
        assert_eq!(closest("colour", names), None);
    }
}
