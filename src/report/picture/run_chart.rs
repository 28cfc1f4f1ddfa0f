//! A figure from run to run, with the limits of ordinary variation.

use super::canvas::{Anchor, Canvas, LINE, Picture};
use super::plane::Plane;

/// One figure over time.
#[derive(Debug)]
pub(in crate::report) struct RunChart<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// What stands along the axis.
    pub across: &'a str,
    /// What is counted upwards.
    pub up: &'a str,
    /// Oldest first.
    pub visits: Vec<Visit>,
    /// The mean, and the limits of ordinary variation, once there are enough runs.
    pub mean: Option<f64>,
    pub limits: Option<(f64, f64)>,
}

/// The figure of one run.
#[derive(Debug, Clone)]
pub(in crate::report) struct Visit {
    pub date: String,
    /// None where it is hidden: the line is broken there.
    pub value: Option<f64>,
    /// More than ordinary variation: drawn as a diamond.
    pub finding: bool,
}

impl RunChart<'_> {
    pub fn draw(&self) -> Picture {
        let mut canvas = Canvas::default();
        let top = self.key(&mut canvas);
        let last = self.visits.iter().skip(1).map(|_| 1.0).sum::<f64>().max(1.0);
        let limits = self.limits.into_iter().flat_map(|(low, high)| [low, high]);
        let values = self.visits.iter().filter_map(|visit| visit.value).chain(self.mean).chain(limits);
        let plane = Plane::over(top, [0.0, last], values);
        plane.draw_up(&mut canvas, self.up);
        let across = |value: f64| [plane.at(0.0, value), plane.at(last, value)];
        if let Some(mean) = self.mean {
            canvas.line("average", across(mean));
        }
        for limit in self.limits.into_iter().flat_map(|(low, high)| [low, high]) {
            canvas.line("outer", across(limit));
        }
        let mut piece: Vec<(f64, f64)> = Vec::new();
        let mut number = 0.0;
        for visit in &self.visits {
            match visit.value {
                Some(value) => piece.push(plane.at(number, value)),
                None => canvas.line("thread", std::mem::take(&mut piece)),
            }
            number += 1.0;
        }
        canvas.line("thread", piece);
        self.marks(&mut canvas, &plane);
        canvas.finish(self.title, self.description, plane.height())
    }

    fn marks(&self, canvas: &mut Canvas, plane: &Plane) {
        let mut number = 0.0;
        for visit in &self.visits {
            if let Some(value) = visit.value {
                let (x, y) = plane.at(number, value);
                match visit.finding {
                    true => canvas.diamond("outside", x, y),
                    false => canvas.dot("place", x, y),
                }
            }
            number += 1.0;
        }
        let y = plane.bottom() + LINE - 2.0;
        let mut ends =
            [self.visits.first(), self.visits.last().filter(|_| self.visits.len() > 1)].into_iter().flatten();
        if let Some(first) = ends.next() {
            canvas.text("small", (plane.at(0.0, 0.0).0, y), Anchor::Start, &first.date);
        }
        if let Some(last) = ends.next() {
            canvas.text("small", (plane.at(number, 0.0).0, y), Anchor::End, &last.date);
        }
        plane.named(canvas, self.across);
    }

    fn key(&self, canvas: &mut Canvas) -> f64 {
        let mut y = LINE;
        canvas.key(y, "ordinary variation", |canvas, x, y| canvas.dot("place", x, y));
        if self.visits.iter().any(|visit| visit.finding) {
            y += LINE;
            canvas.key(y, "more than ordinary variation", |canvas, x, y| canvas.diamond("outside", x, y));
        }
        let across = |x: f64, y: f64| [(x - 12.0, y), (x + 12.0, y)];
        if self.mean.is_some() {
            y += LINE;
            canvas.key(y, "mean", |canvas, x, y| canvas.line("average", across(x, y)));
        }
        if self.limits.is_some() {
            y += LINE;
            canvas.key(y, "limits of ordinary variation", |canvas, x, y| canvas.line("outer", across(x, y)));
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Mark;
    use super::*;

    #[test]
    fn a_hidden_value_breaks_the_line() {
        let visit = |value: Option<f64>| Visit { date: "2026-04-01".to_owned(), value, finding: value == Some(9.0) };
        let visits = [Some(1.0), Some(2.0), None, Some(3.0), Some(9.0)].map(visit).to_vec();
        let chart = RunChart {
            title: "t",
            description: "d",
            across: "Run",
            up: "Percent",
            visits,
            mean: Some(3.0),
            limits: Some((0.5, 6.0)),
        };
        let picture = chart.draw();
        picture.assert_within();
        let threads: Vec<usize> = picture
            .marks()
            .iter()
            .filter_map(|mark| match mark {
                Mark::Line { class: "thread", points } => Some(points.len()),
                _ => None,
            })
            .collect();
        assert_eq!(threads, [2, 2]);
        let outside = picture.marks().iter().filter(|mark| matches!(mark, Mark::Diamond { .. }));
        assert_eq!(outside.count(), 2, "one, and the key's");
    }

    #[test]
    fn one_run_is_a_chart_too() {
        let visits = vec![Visit { date: "2026-04-01".to_owned(), value: Some(4.0), finding: false }];
        RunChart { title: "t", description: "d", across: "Run", up: "Percent", visits, mean: None, limits: None }
            .draw()
            .assert_within();
    }
}
