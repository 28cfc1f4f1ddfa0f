//! What a model foresaw against what happened.

use super::canvas::{Canvas, LINE, Picture};
use super::plane::Plane;

/// One model on the people it was judged on.
#[derive(Debug)]
pub(in crate::report) struct Calibration<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub tenths: Vec<Tenth>,
}

/// A tenth of the people, by their score, in percent.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Tenth {
    pub predicted: f64,
    pub observed: f64,
}

impl Calibration<'_> {
    pub fn draw(&self) -> Picture {
        let mut canvas = Canvas::default();
        canvas.key(LINE, "a tenth of the people", |canvas, x, y| canvas.dot("point", x, y));
        canvas.key(2.0 * LINE, "what was predicted happened", |canvas, x, y| {
            canvas.line("compare", [(x - 12.0, y + 5.0), (x + 12.0, y - 5.0)]);
        });
        let numbers = || self.tenths.iter().flat_map(|tenth| [tenth.predicted, tenth.observed, 0.0]);
        let plane = Plane::over(2.0 * LINE, numbers(), numbers());
        plane.draw_up(&mut canvas, "Percent to whom it happened");
        plane.draw_across(&mut canvas, "Percent predicted");
        let end = plane.across.ticks().last().copied().unwrap_or_default();
        canvas.line("compare", [plane.at(0.0, 0.0), plane.at(end, end)]);
        canvas.line("thread", self.tenths.iter().map(|tenth| plane.at(tenth.predicted, tenth.observed)));
        for tenth in &self.tenths {
            let (x, y) = plane.at(tenth.predicted, tenth.observed);
            canvas.dot("point", x, y);
        }
        canvas.finish(self.title, self.description, plane.height())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Mark;
    use super::*;

    #[test]
    fn what_was_foreseen_lies_on_the_diagonal() {
        let tenths = (0..10).map(|tenth| Tenth { predicted: f64::from(tenth * 6), observed: f64::from(tenth * 6) });
        let picture = Calibration { title: "t", description: "d", tenths: tenths.collect() }.draw();
        picture.assert_within();
        let dots: Vec<(f64, f64)> = picture
            .marks()
            .iter()
            .filter_map(|mark| match mark {
                Mark::Dot { x, y, .. } => Some((*x, *y)),
                _ => None,
            })
            .skip(1)
            .collect();
        assert_eq!(dots.len(), 10);
        let slope = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
        for pair in dots.windows(2) {
            assert!((slope(pair[0], pair[1]) - slope(dots[0], dots[9])).abs() < 1e-9);
        }
    }
}
