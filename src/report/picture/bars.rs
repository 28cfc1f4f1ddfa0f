//! Bars, one a group, each of one part or several; what is hidden is said in words and never drawn as 0.

use super::canvas::{Anchor, Canvas, LINE, Picture, WIDTH};
use super::scale::Scale;
use crate::report::words;

/// Groups with a number each.
#[derive(Debug)]
pub(in crate::report) struct Bars<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// What the axis counts.
    pub axis: &'a str,
    /// The axis reaches at least so far.
    pub at_least: f64,
    /// What each look of a part means; empty where there is one.
    pub key: &'a [(&'static str, &'a str)],
    pub rows: Vec<Bar>,
}

#[derive(Debug, Clone)]
pub(in crate::report) struct Bar {
    pub label: String,
    /// What the bar comes to, in words.
    pub said: String,
    /// From the left; none where the number is hidden.
    pub parts: Vec<Part>,
}

/// A part of a bar: how it looks, and its length.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Part {
    pub look: &'static str,
    pub value: f64,
}

const ROW: f64 = 42.0;
pub(super) const THICK: f64 = 14.0;

impl Bars<'_> {
    pub fn draw(&self) -> Picture {
        let mut canvas = Canvas::default();
        let mut y = 0.0;
        let (drawn, unseen_rows) = apart(&self.rows, |row| row.parts.is_empty());
        for (look, meaning) in self.key.iter().filter(|_| !drawn.is_empty()) {
            y += LINE;
            canvas.key(y, meaning, |canvas, x, y| canvas.rect(look, x - 12.0, y - 6.0, 24.0, 12.0));
        }
        y += if y == 0.0 { 0.0 } else { 8.0 };
        let lengths = self.rows.iter().map(|row| row.parts.iter().map(|part| part.value).sum());
        let scale = Scale::over([0.0, self.at_least].into_iter().chain(lengths), 0.0, WIDTH);
        for row in &drawn {
            let top = y + 20.0;
            match row.parts.as_slice() {
                [] => unseen(&mut canvas, y + 15.0, top, &row.label, &row.said),
                _ => canvas.heading(y + 15.0, &row.label, &row.said),
            }
            let mut reached = 0.0;
            for part in &row.parts {
                let (from, to) = (scale.at(reached), scale.at(reached + part.value));
                canvas.rect(part.look, from, top, to - from, THICK);
                reached += part.value;
            }
            y += ROW;
        }
        if !drawn.is_empty() {
            axis(&mut canvas, scale, y, self.axis);
            y += 2.0 * LINE + 4.0;
        }
        y = together(&mut canvas, y, unseen_rows.iter().map(|row| (row.label.as_str(), row.said.as_str())));
        canvas.finish(self.title, self.description, y)
    }
}

/// So many rows without a number stand in their places; of more, only the names are written.
const FRAMES: usize = 2;

/// The rows to draw, and those whose names alone are written.
pub(super) fn apart<T>(rows: &[T], is_unseen: impl Fn(&T) -> bool) -> (Vec<&T>, Vec<&T>) {
    match rows.iter().filter(|row| is_unseen(row)).count() {
        0..=FRAMES => (rows.iter().collect(), Vec::new()),
        _ => rows.iter().partition(|row| !is_unseen(row)),
    }
}

/// The names of rows without a number, below a frame that says why; how far down they reach.
pub(super) fn together<'a>(canvas: &mut Canvas, mut y: f64, rows: impl Iterator<Item = (&'a str, &'a str)>) -> f64 {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for (label, why) in rows {
        match by_reason.iter_mut().find(|(known, _)| *known == why) {
            Some((_, labels)) => labels.push(label),
            None => by_reason.push((why, vec![label])),
        }
    }
    for (why, labels) in by_reason {
        canvas.rect("unseen", 0.0, y + 6.0, WIDTH, THICK);
        canvas.text("small", (6.0, y + 17.0), Anchor::Start, why);
        y = canvas.lines(y + 8.0 + THICK, &labels.join(", ")) + 6.0;
    }
    y
}

/// A row without a number: an empty frame that says why.
pub(super) fn unseen(canvas: &mut Canvas, y: f64, top: f64, label: &str, why: &str) {
    canvas.heading(y, label, "");
    canvas.rect("unseen", 0.0, top, WIDTH, THICK);
    canvas.text("small", (6.0, top + 11.0), Anchor::Start, why);
}

/// A line with numbers below it, and what they count.
pub(super) fn axis(canvas: &mut Canvas, scale: Scale, y: f64, counts: &str) {
    canvas.line("axis", [(0.0, y), (WIDTH, y)]);
    let ticks = scale.ticks();
    for (place, tick) in ticks.iter().enumerate() {
        let anchor = match place {
            0 => Anchor::Start,
            place if place + 1 == ticks.len() => Anchor::End,
            _ => Anchor::Middle,
        };
        let x = scale.at(*tick);
        canvas.line("axis", [(x, y), (x, y + 4.0)]);
        canvas.text("small", (x, y + LINE - 2.0), anchor, &words::plain(*tick));
    }
    canvas.text("small", (0.0, y + 2.0 * LINE), Anchor::Start, counts);
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Mark;
    use super::*;

    fn bars(rows: Vec<Bar>) -> Picture {
        let key = [("known", "known"), ("gap", "not known")];
        Bars { title: "t", description: "d", axis: "Percent of people", at_least: 100.0, key: &key, rows }.draw()
    }

    #[test]
    fn a_bar_is_as_long_as_its_number() {
        let row = |label: &str, values: &[f64]| Bar {
            label: label.to_owned(),
            said: "said".to_owned(),
            parts: values.iter().map(|value| Part { look: "known", value: *value }).collect(),
        };
        let picture = bars(vec![row("a", &[25.0, 50.0]), row("b", &[0.0]), row(&"long ".repeat(30), &[100.0])]);
        picture.assert_within();
        let drawn = picture.marks().iter().filter_map(|mark| match mark {
            Mark::Rect { x, width, height, .. } if *height == THICK => Some((*x, *width)),
            _ => None,
        });
        assert_eq!(drawn.collect::<Vec<_>>(), [(0.0, 100.0), (100.0, 200.0), (0.0, 0.0), (0.0, 400.0)]);
    }

    #[test]
    fn of_many_that_are_hidden_the_names_stand_together() {
        let hidden = |label: String| Bar { label, said: "not shown: fewer than 8".to_owned(), parts: Vec::new() };
        let rows: Vec<Bar> = (0..20).map(|at| hidden(format!("Group {at} of the twenty"))).collect();
        let picture = bars(rows);
        picture.assert_within();
        let svg = picture.svg("p");
        assert_eq!(svg.matches("not shown: fewer than 8").count(), 1);
        // A line may end behind a number.
        let said = svg.replace("</text>", " ");
        assert!((0..20).all(|at| said.contains(&format!("Group {at} "))), "{svg}");
        assert!(!svg.contains("class=\"axis\""), "an axis of nothing");
    }

    #[test]
    fn what_is_hidden_is_no_bar() {
        let hidden = Bar { label: "a".to_owned(), said: "not shown: fewer than 8".to_owned(), parts: Vec::new() };
        let picture = bars(vec![hidden]);
        picture.assert_within();
        let svg = picture.svg("p");
        assert!(svg.contains("not shown: fewer than 8") && svg.contains("class=\"unseen\""));
        assert_eq!(svg.matches("height=\"14\"").count(), 1, "{svg}");
    }
}
