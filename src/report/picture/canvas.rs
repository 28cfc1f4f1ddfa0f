//! Marks on a sheet, and the sheet as SVG.

use std::fmt::Write as _;

use minijinja::HtmlEscape;

/// Of every picture, in its own units; ordinary text is 14 high, small text 12.
pub(super) const WIDTH: f64 = 400.0;

/// So many units a letter of ordinary text takes.
const LETTER: f64 = 7.0;

/// A height that a line of text, or of a key, takes.
pub(super) const LINE: f64 = 19.0;

/// A finished picture.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Picture {
    title: String,
    description: String,
    height: f64,
    marks: Vec<Mark>,
}

/// What is drawn; the class says how it looks, on a screen and on paper.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Rect {
        class: &'static str,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    Line {
        class: &'static str,
        points: Vec<(f64, f64)>,
    },
    Dot {
        class: &'static str,
        x: f64,
        y: f64,
    },
    /// Stands on its point, so that it is told from a dot without colour.
    Diamond {
        class: &'static str,
        x: f64,
        y: f64,
    },
    Text {
        class: &'static str,
        x: f64,
        y: f64,
        anchor: Anchor,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Half the width of a dot or diamond.
const MARK: f64 = 4.5;

/// Marks from the top down.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    marks: Vec<Mark>,
}

impl Canvas {
    pub fn rect(&mut self, class: &'static str, x: f64, y: f64, width: f64, height: f64) {
        self.marks.push(Mark::Rect { class, x, y, width, height });
    }

    pub fn line(&mut self, class: &'static str, points: impl IntoIterator<Item = (f64, f64)>) {
        self.marks.push(Mark::Line { class, points: points.into_iter().collect() });
    }

    pub fn dot(&mut self, class: &'static str, x: f64, y: f64) {
        self.marks.push(Mark::Dot { class, x, y });
    }

    pub fn diamond(&mut self, class: &'static str, x: f64, y: f64) {
        self.marks.push(Mark::Diamond { class, x, y });
    }

    pub fn text(&mut self, class: &'static str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.marks.push(Mark::Text { class, x, y, anchor, text: text.to_owned() });
    }

    /// What a row is called, on the left, and what it comes to, on the right of the same line.
    pub fn heading(&mut self, y: f64, label: &str, said: &str) {
        self.text("label", (0.0, y), Anchor::Start, &cut(label, WIDTH - LETTER - width_of(said)));
        self.text("said", (WIDTH, y), Anchor::End, said);
    }

    /// Small text over the whole width, in as many lines as it takes; how far down it reaches.
    pub fn lines(&mut self, mut y: f64, text: &str) -> f64 {
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && width_of(&line) + LETTER + width_of(word) > WIDTH {
                y += LINE - 3.0;
                self.text("small", (0.0, y), Anchor::Start, &line);
                line.clear();
            }
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        self.text("small", (0.0, y + LINE - 3.0), Anchor::Start, &cut(&line, WIDTH));
        y + LINE - 3.0
    }

    /// A line of the key: a mark, drawn by `sample` around a point, and what it means.
    pub fn key(&mut self, y: f64, meaning: &str, sample: impl FnOnce(&mut Self, f64, f64)) {
        sample(self, 14.0, y - 4.5);
        self.text("small", (34.0, y), Anchor::Start, meaning);
    }

    pub fn finish(self, title: &str, description: &str, height: f64) -> Picture {
        Picture { title: title.to_owned(), description: description.to_owned(), height, marks: self.marks }
    }
}

impl Picture {
    /// Under an id that no other picture of the page has.
    pub fn svg(&self, id: &str) -> String {
        let mut svg = format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" viewBox=\"0 0 {WIDTH} {}\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            short(self.height),
            HtmlEscape(&self.title),
            HtmlEscape(&self.description)
        );
        for mark in &self.marks {
            // Writing to a String does not fail.
            let _ = mark.write(&mut svg);
        }
        svg.push_str("</svg>");
        svg
    }

    #[cfg(test)]
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Every mark lies on the sheet, and so does every text, as wide as letters are.
    #[cfg(test)]
    pub(super) fn assert_within(&self) {
        let inside = |x: f64, y: f64| {
            assert!((-0.01..=WIDTH + 0.01).contains(&x), "x {x} of {}", self.title);
            assert!((0.0..=self.height).contains(&y), "y {y} of {}", self.title);
        };
        for mark in &self.marks {
            match mark {
                Mark::Rect { x, y, width, height, .. } => {
                    assert!(*width >= 0.0 && *height > 0.0);
                    inside(*x, *y);
                    inside(x + width, y + height);
                }
                Mark::Line { points, .. } => points.iter().for_each(|(x, y)| inside(*x, *y)),
                Mark::Dot { x, y, .. } | Mark::Diamond { x, y, .. } => {
                    inside(x - MARK, y - MARK);
                    inside(x + MARK, y + MARK);
                }
                Mark::Text { x, y, anchor, text, .. } => {
                    let width = width_of(text);
                    let left = match anchor {
                        Anchor::Start => *x,
                        Anchor::Middle => x - width / 2.0,
                        Anchor::End => x - width,
                    };
                    inside(left, *y - 10.0);
                    inside(left + width, *y);
                }
            }
        }
    }
}

impl Mark {
    fn write(&self, svg: &mut String) -> std::fmt::Result {
        match self {
            Self::Rect { class, x, y, width, height } => {
                let [x, y, width, height] = [x, y, width, height].map(|number| short(*number));
                write!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
            }
            Self::Line { class, points } => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect();
                write!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "))
            }
            Self::Dot { class, x, y } => {
                write!(svg, "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{MARK}\"/>", short(*x), short(*y))
            }
            Self::Diamond { class, x, y } => {
                let corners = [(0.0, -MARK), (MARK, 0.0), (0.0, MARK), (-MARK, 0.0)];
                let points = corners.map(|(right, down)| format!("{},{}", short(x + right), short(y + down)));
                write!(svg, "<polygon class=\"{class}\" points=\"{}\"/>", points.join(" "))
            }
            Self::Text { class, x, y, anchor, text } => {
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                let (x, y, text) = (short(*x), short(*y), HtmlEscape(text));
                write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>")
            }
        }
    }
}

/// A tenth of a unit is less than anybody sees.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

pub(super) fn width_of(text: &str) -> f64 {
    text.chars().map(|_| LETTER).sum()
}

/// A text that fits; the table has it whole.
pub(super) fn cut(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let letters = ((width / LETTER) as usize).saturating_sub(1);
    let kept: String = text.chars().take(letters).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_name_and_a_description_and_escapes_every_text() {
        let mut canvas = Canvas::default();
        canvas.heading(14.0, "<b>&", "12.5%");
        canvas.dot("point", 10.04, 20.0);
        canvas.diamond("point", 30.0, 20.0);
        let picture = canvas.finish("Gaps \"x\"", "a < b", 40.0);
        picture.assert_within();
        let svg = picture.svg("p1");
        assert!(svg.starts_with("<svg role=\"img\" aria-labelledby=\"p1-title p1-desc\" viewBox=\"0 0 400 40\">"));
        assert!(svg.contains("<title id=\"p1-title\">Gaps &quot;x&quot;</title><desc id=\"p1-desc\">a &lt; b</desc>"));
        assert!(svg.contains(">&lt;b&gt;&amp;</text>"), "{svg}");
        assert!(svg.contains("<circle class=\"point\" cx=\"10\" cy=\"20\" r=\"4.5\"/>"));
    }

    #[test]
    fn a_text_is_cut_where_it_does_not_fit() {
        assert_eq!(cut("Ethnicity", 70.0), "Ethnicity");
        assert_eq!(cut("Mixed: any other mixed background", 70.0), "Mixed: an…");
    }
}
