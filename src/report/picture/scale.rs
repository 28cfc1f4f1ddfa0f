//! From numbers to places along a line.

/// A span of numbers laid over a span of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    step: f64,
}

/// So many parts an axis has at least.
const PARTS: f64 = 4.0;

impl Scale {
    /// Over the numbers, widened to round ones, and over the places `from` to `to`; numbers that are not finite are passed
    /// over, and where there are none it is 0 to 1.
    pub fn over(numbers: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let finite = numbers.into_iter().filter(|number| number.is_finite());
        let span = finite.fold(None, |span: Option<(f64, f64)>, number| {
            Some(span.map_or((number, number), |(low, high)| (low.min(number), high.max(number))))
        });
        let (low, high) = match span {
            None => (0.0, 1.0),
            Some((low, high)) if low == high => (low.min(0.0), if high > 0.0 { high } else { low.min(0.0) + 1.0 }),
            Some(span) => span,
        };
        let step = round_step((high - low) / PARTS);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, from, to, step }
    }

    /// Where a number stands; one beyond the scale stands at its end.
    pub fn at(self, number: f64) -> f64 {
        let number = number.clamp(self.low, self.high);
        self.from + (number - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round numbers to write along the axis.
    pub fn ticks(self) -> Vec<f64> {
        let parts = ((self.high - self.low) / self.step).round() as u32;
        (0..=parts).map(|part| self.low + f64::from(part) * self.step).collect()
    }
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let mut step = 1.0;
    while step >= least {
        step /= 10.0;
    }
    while step < least {
        step *= 10.0;
    }
    [step / 5.0, step / 2.0, step].into_iter().find(|step| *step >= least).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_lies_on_its_scale_and_ticks_are_round() {
        for (numbers, ticks) in [
            (vec![0.0, 100.0], vec![0.0, 50.0, 100.0]),
            (vec![0.0, 31.6], vec![0.0, 10.0, 20.0, 30.0, 40.0]),
            (vec![0.0, 0.0], vec![0.0, 0.5, 1.0]),
            (vec![], vec![0.0, 0.5, 1.0]),
            (vec![-1.2, 3.4, f64::NAN], vec![-2.0, 0.0, 2.0, 4.0]),
            (vec![900.0, 1_000_000.0], vec![0.0, 500_000.0, 1_000_000.0]),
        ] {
            let scale = Scale::over(numbers.iter().copied(), 40.0, 400.0);
            assert_eq!(scale.ticks(), ticks, "{numbers:?}");
            assert_eq!((scale.at(ticks[0]), scale.at(*ticks.last().unwrap())), (40.0, 400.0));
            for number in numbers.into_iter().filter(|number| number.is_finite()) {
                assert!((40.0..=400.0).contains(&scale.at(number)), "{number}");
            }
        }
    }

    #[test]
    fn a_scale_may_run_upwards() {
        let scale = Scale::over([0.0, 10.0], 200.0, 0.0);
        assert_eq!((scale.at(0.0), scale.at(5.0), scale.at(10.0), scale.at(99.0)), (200.0, 100.0, 0.0, 0.0));
    }
}
