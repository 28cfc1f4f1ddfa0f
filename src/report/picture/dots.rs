//! A dot a group, with its interval, and the bounds within which it lies however the gaps are filled.

use super::bars::{apart, axis, together, unseen};
use super::canvas::{Canvas, LINE, Picture, WIDTH};
use super::scale::Scale;

/// Groups with a figure each.
#[derive(Debug)]
pub(in crate::report) struct Dots<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// What the axis counts.
    pub axis: &'a str,
    /// Whether it says what its marks mean; where several stand together, one does.
    pub key: bool,
    /// A figure to compare with, and what it is.
    pub line: Option<(f64, &'a str)>,
    /// What the dot is, and the lines and marks around it, where any row has them.
    pub point: &'a str,
    pub interval: &'a str,
    pub bounds: &'a str,
    pub second: &'a str,
    pub rows: Vec<Dot>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Dot {
    pub label: String,
    /// What the figure is, in words.
    pub said: String,
    /// None where it is hidden.
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub bounds: Option<(f64, f64)>,
    /// Another estimate of the same.
    pub second: Option<f64>,
}

const ROW: f64 = 44.0;

/// So far from the sides, so that a mark at the end of the axis is whole.
const MARGIN: f64 = 6.0;

impl Dots<'_> {
    pub fn draw(&self) -> Picture {
        let mut canvas = Canvas::default();
        let (drawn, unseen_rows) = apart(&self.rows, Dot::is_unseen);
        let mut y = if drawn.is_empty() || !self.key { 0.0 } else { self.key(&mut canvas) + 8.0 };
        let numbers = self.rows.iter().flat_map(Dot::numbers).chain(self.line.map(|(number, _)| number));
        let scale = Scale::over(numbers.chain([0.0]), MARGIN, WIDTH - MARGIN);
        let (top, bottom) = (y, drawn.iter().fold(y, |y, _| y + ROW));
        for tick in scale.ticks().into_iter().filter(|_| !drawn.is_empty()) {
            canvas.line("grid", [(scale.at(tick), top), (scale.at(tick), bottom)]);
        }
        for (row, number) in drawn.iter().zip(0_u16..) {
            row.draw(&mut canvas, scale, top + ROW * f64::from(number) + 29.0);
        }
        if let Some((number, _)) = self.line.filter(|_| !drawn.is_empty()) {
            canvas.line("compare", [(scale.at(number), top), (scale.at(number), bottom)]);
        }
        // Words stand over the lines that they meet.
        for row in &drawn {
            match row.is_unseen() {
                true => unseen(&mut canvas, y + 15.0, y + 22.0, &row.label, &row.said),
                false => canvas.heading(y + 15.0, &row.label, &row.said),
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

    /// Says what each kind of mark means, and how far down that reaches.
    fn key(&self, canvas: &mut Canvas) -> f64 {
        let mut y = LINE;
        canvas.key(y, self.point, |canvas, x, y| canvas.dot("point", x, y));
        let any = |has: fn(&Dot) -> bool| self.rows.iter().any(has);
        if any(|row| row.interval.is_some()) {
            y += LINE;
            canvas.key(y, self.interval, |canvas, x, y| canvas.line("interval", [(x - 12.0, y), (x + 12.0, y)]));
        }
        if any(|row| row.bounds.is_some()) {
            y += LINE;
            canvas.key(y, self.bounds, |canvas, x, y| canvas.rect("bounds", x - 12.0, y - 6.0, 24.0, 12.0));
        }
        if any(|row| row.second.is_some()) {
            y += LINE;
            canvas.key(y, self.second, |canvas, x, y| canvas.diamond("second", x, y));
        }
        if let Some((_, meaning)) = self.line {
            y += LINE;
            canvas.key(y, meaning, |canvas, x, y| canvas.line("compare", [(x, y - 7.0), (x, y + 7.0)]));
        }
        y
    }
}

impl Dot {
    fn is_unseen(&self) -> bool {
        self.value.is_none() && self.bounds.is_none()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let spans = [self.interval, self.bounds].into_iter().flatten().flat_map(|(low, high)| [low, high]);
        spans.chain(self.value).chain(self.second)
    }

    fn draw(&self, canvas: &mut Canvas, scale: Scale, y: f64) {
        if let Some((low, high)) = self.bounds {
            canvas.rect("bounds", scale.at(low), y - 7.0, scale.at(high) - scale.at(low), 14.0);
        }
        if let Some((value, second)) = self.value.zip(self.second) {
            canvas.line("apart", [(scale.at(value), y), (scale.at(second), y)]);
        }
        if let Some((low, high)) = self.interval {
            canvas.line("interval", [(scale.at(low), y), (scale.at(high), y)]);
        }
        if let Some(second) = self.second {
            canvas.diamond("second", scale.at(second), y);
        }
        if let Some(value) = self.value {
            canvas.dot("point", scale.at(value), y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Mark;
    use super::*;

    #[test]
    fn marks_stand_where_their_numbers_are() {
        let rows = vec![
            Dot {
                label: "a".to_owned(),
                said: "50%".to_owned(),
                value: Some(50.0),
                interval: Some((40.0, 60.0)),
                bounds: Some((25.0, 75.0)),
                second: Some(45.0),
            },
            Dot { label: "b".to_owned(), said: "not shown".to_owned(), ..Dot::default() },
            Dot { label: "c".to_owned(), value: Some(100.0), ..Dot::default() },
        ];
        let picture = Dots {
            title: "t",
            description: "d",
            axis: "Percent",
            key: true,
            line: Some((48.0, "everyone")),
            point: "this run",
            interval: "95% interval",
            bounds: "bounds",
            second: "at random",
            rows,
        }
        .draw();
        picture.assert_within();
        let (left, unit) = (MARGIN, (WIDTH - 2.0 * MARGIN) / 100.0);
        let at = |number: f64| left + unit * number;
        let dots: Vec<f64> = picture
            .marks()
            .iter()
            .filter_map(|mark| match mark {
                Mark::Dot { x, .. } => Some(*x),
                _ => None,
            })
            .collect();
        assert_eq!(dots[1..], [at(50.0), at(100.0)], "after the key's own");
        let bounds: Vec<(f64, f64)> = picture
            .marks()
            .iter()
            .filter_map(|mark| match mark {
                Mark::Rect { class: "bounds", x, width, .. } => Some((*x, x + width)),
                _ => None,
            })
            .collect();
        assert_eq!(bounds[1..], [(at(25.0), at(75.0))]);
        let unseen = picture.marks().iter().filter(|mark| matches!(mark, Mark::Rect { class: "unseen", .. }));
        assert_eq!(unseen.count(), 1, "the one that is hidden");
    }
}
