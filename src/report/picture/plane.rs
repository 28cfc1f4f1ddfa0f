//! Two axes at a right angle.

use super::canvas::{Anchor, Canvas, LINE, WIDTH};
use super::scale::Scale;
use crate::report::words;

/// Where the axes stand.
pub(super) const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 8.0;
const HEIGHT: f64 = 240.0;

/// A field with an axis on the left and one below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub across: Scale,
    pub up: Scale,
    top: f64,
}

impl Plane {
    /// Below `top`, over these numbers; the axis on the left begins at 0 or below.
    pub fn over(top: f64, across: impl IntoIterator<Item = f64>, up: impl IntoIterator<Item = f64>) -> Self {
        let top = top + LINE + 8.0;
        Self {
            across: Scale::over(across, LEFT, RIGHT),
            up: Scale::over(up.into_iter().chain([0.0]), top + HEIGHT, top),
            top,
        }
    }

    pub fn at(&self, across: f64, up: f64) -> (f64, f64) {
        (self.across.at(across), self.up.at(up))
    }

    /// The axis on the left, with what it counts above it.
    pub fn draw_up(&self, canvas: &mut Canvas, counts: &str) {
        canvas.text("small", (0.0, self.top - 12.0), Anchor::Start, counts);
        for tick in self.up.ticks() {
            let y = self.up.at(tick);
            canvas.line("grid", [(LEFT, y), (RIGHT, y)]);
            canvas.text("small", (LEFT - 6.0, y + 4.0), Anchor::End, &words::plain(tick));
        }
        canvas.line("axis", [(LEFT, self.top), (LEFT, self.bottom())]);
        canvas.line("axis", [(LEFT, self.bottom()), (RIGHT, self.bottom())]);
    }

    /// The axis below.
    pub fn draw_across(&self, canvas: &mut Canvas, counts: &str) {
        let ticks = self.across.ticks();
        for (place, tick) in ticks.iter().enumerate() {
            let x = self.across.at(*tick);
            let anchor = if place + 1 == ticks.len() { Anchor::End } else { Anchor::Middle };
            canvas.line("axis", [(x, self.bottom()), (x, self.bottom() + 4.0)]);
            canvas.text("small", (x, self.bottom() + LINE - 2.0), anchor, &words::plain(*tick));
        }
        self.named(canvas, counts);
    }

    /// What the axis below counts.
    pub fn named(&self, canvas: &mut Canvas, counts: &str) {
        canvas.text("small", (LEFT, self.bottom() + 2.0 * LINE), Anchor::Start, counts);
    }

    pub fn bottom(&self) -> f64 {
        self.top + HEIGHT
    }

    /// Of the whole picture.
    pub fn height(&self) -> f64 {
        self.bottom() + 2.0 * LINE + 4.0
    }
}
