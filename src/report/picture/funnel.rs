//! Providers by size, within the limits in which chance alone would keep them.

use super::canvas::{Anchor, Canvas, LINE, Picture, WIDTH, width_of};
use super::plane::Plane;

/// Providers with a percentage each.
#[derive(Debug)]
pub(in crate::report) struct Funnel<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// What is counted upwards, and across.
    pub up: &'a str,
    pub across: &'a str,
    pub average: f64,
    pub places: Vec<Place>,
}

#[derive(Debug, Clone)]
pub(in crate::report) struct Place {
    pub label: String,
    pub size: f64,
    pub value: f64,
    pub limits: Option<Limits>,
    /// Outside the limits: drawn as a diamond, with its name.
    pub outside: bool,
}

/// 95 and 99.8 percent of chance at a size, each low and high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Limits {
    pub inner: (f64, f64),
    pub outer: (f64, f64),
}

/// Names that are written beside their marks, farthest from the average first.
const NAMED: usize = 8;

impl Funnel<'_> {
    pub fn draw(&self) -> Picture {
        let mut canvas = Canvas::default();
        let top = key(&mut canvas);
        let sizes = self.places.iter().map(|place| place.size).chain([0.0]);
        let values = self.places.iter().map(|place| place.value).chain([self.average]);
        let plane = Plane::over(top, sizes, values.chain(self.limits().iter().map(|(_, limits)| limits.inner.1)));
        plane.draw_up(&mut canvas, self.up);
        plane.draw_across(&mut canvas, self.across);
        self.draw_limits(&mut canvas, &plane);
        for place in &self.places {
            let (x, y) = plane.at(place.size, place.value);
            match place.outside {
                true => canvas.diamond("outside", x, y),
                false => canvas.dot("place", x, y),
            }
        }
        self.draw_names(&mut canvas, &plane);
        canvas.finish(self.title, self.description, plane.height())
    }

    /// By size, smallest first.
    fn limits(&self) -> Vec<(f64, Limits)> {
        let mut limits: Vec<_> = self.places.iter().filter_map(|place| Some((place.size, place.limits?))).collect();
        limits.sort_by(|a, b| a.0.total_cmp(&b.0));
        limits.dedup_by(|a, b| a.0 == b.0);
        limits
    }

    fn draw_limits(&self, canvas: &mut Canvas, plane: &Plane) {
        let limits = self.limits();
        let mut line = |class, of: fn(&Limits) -> f64| {
            if limits.len() > 1 {
                canvas.line(class, limits.iter().map(|(size, limits)| plane.at(*size, of(limits))));
            }
        };
        line("inner", |limits| limits.inner.0);
        line("inner", |limits| limits.inner.1);
        line("outer", |limits| limits.outer.0);
        line("outer", |limits| limits.outer.1);
        let ends = plane.across.ticks();
        let ends = ends.first().into_iter().chain(ends.last());
        canvas.line("average", ends.map(|size| plane.at(*size, self.average)));
    }

    fn draw_names(&self, canvas: &mut Canvas, plane: &Plane) {
        let mut outside: Vec<&Place> = self.places.iter().filter(|place| place.outside).collect();
        let far = |place: &Place| (place.value - self.average).abs();
        outside.sort_by(|a, b| far(b).total_cmp(&far(a)).then_with(|| a.label.cmp(&b.label)));
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        for place in outside.into_iter().take(NAMED) {
            let (x, y) = plane.at(place.size, place.value);
            let width = width_of(&place.label);
            let left = if x + 10.0 + width > WIDTH { x - 10.0 - width } else { x + 10.0 };
            // Over another name neither could be read; the table has both.
            let free = |(at, until, line): &(f64, f64, f64)| {
                left > *until || left + width < *at || (y - line).abs() > LINE - 6.0
            };
            if left >= 0.0 && taken.iter().all(free) {
                canvas.text("small", (left, (y + 4.0).max(12.0)), Anchor::Start, &place.label);
                taken.push((left, left + width, y));
            }
        }
    }
}

/// What the marks mean, and how far down that reaches.
fn key(canvas: &mut Canvas) -> f64 {
    canvas.key(LINE, "within the limits", |canvas, x, y| canvas.dot("place", x, y));
    canvas.key(2.0 * LINE, "outside the limits", |canvas, x, y| canvas.diamond("outside", x, y));
    let across = |x: f64, y: f64| [(x - 12.0, y), (x + 12.0, y)];
    canvas.key(3.0 * LINE, "average", |canvas, x, y| canvas.line("average", across(x, y)));
    canvas.key(4.0 * LINE, "95% limits", |canvas, x, y| canvas.line("inner", across(x, y)));
    canvas.key(5.0 * LINE, "99.8% limits", |canvas, x, y| canvas.line("outer", across(x, y)));
    5.0 * LINE
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Mark;
    use super::*;

    #[test]
    fn every_place_is_drawn_once_and_the_outside_ones_are_told_apart() {
        let place = |number: u32| Place {
            label: format!("Y{number:05}"),
            size: f64::from(number * 40),
            value: f64::from(number % 17),
            limits: Some(Limits { inner: (4.0, 12.0), outer: (2.0, 14.0) }),
            outside: number % 17 > 14,
        };
        let funnel = Funnel {
            title: "t",
            description: "d",
            up: "Percent",
            across: "People",
            average: 8.0,
            places: (1..=300).map(place).collect(),
        };
        let picture = funnel.draw();
        picture.assert_within();
        let count = |is: fn(&Mark) -> bool| picture.marks().iter().filter(|mark| is(mark)).count();
        let dots = count(|mark| matches!(mark, Mark::Dot { .. })) - 1;
        let diamonds = count(|mark| matches!(mark, Mark::Diamond { .. })) - 1;
        assert_eq!((dots + diamonds, diamonds), (300, funnel.places.iter().filter(|place| place.outside).count()));
        let ys: Vec<(f64, f64)> = picture
            .marks()
            .iter()
            .filter_map(|mark| match mark {
                Mark::Dot { x, y, .. } => Some((*x, *y)),
                _ => None,
            })
            .skip(1)
            .collect();
        let first = &funnel.places[0];
        let second = &funnel.places[1];
        assert!(ys[1].0 > ys[0].0 && second.size > first.size, "to the right is larger");
        assert!(ys[1].1 < ys[0].1 && second.value > first.value, "higher is more");
    }
}
