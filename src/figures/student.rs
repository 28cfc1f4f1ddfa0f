//! Student's t: what stands for 1.96 where a spread is estimated from few.

/// From here on it is the normal distribution, to five digits.
const MANY: f64 = 1e6;

/// The point beyond which, on either side, a value lies with a chance of `miss` (0.01 or more) in all. Degrees of freedom
/// need not be whole; below one, and where they are no number, it is as with one.
pub fn point(degrees: f64, miss: f64) -> f64 {
    let degrees = if degrees.is_nan() { 1.0 } else { degrees.clamp(1.0, MANY) };
    let (mut low, mut high) = (0.0, 64.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        match outside(middle, degrees) > miss {
            true => low = middle,
            false => high = middle,
        }
    }
    f64::midpoint(low, high)
}

/// The chance of a value further from 0 than `t`.
fn outside(t: f64, degrees: f64) -> f64 {
    incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5)
}

/// The regularised incomplete beta function, by its continued fraction (Lentz; DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    let mut m = 1.0;
    while m < 10_000.0 {
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
        m += 1.0;
    }
    front * fraction
}

/// The logarithm of the gamma function of a number above 0 (Lanczos, SIAM 1964).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5;
    let mut series = 1.000_000_000_190_015;
    let mut at = x;
    for term in TERMS {
        at += 1.0;
        series += term / at;
    }
    (x + 0.5) * base.ln() - base + (2.506_628_274_631_000_5 * series / x).ln()
}

#[cfg(test)]
mod tests {
    /// The printed table of every textbook (two-sided, 5 %).
    #[test]
    fn the_points_are_those_of_the_table() {
        for (degrees, point) in [
            (1.0, 12.706),
            (2.0, 4.303),
            (3.0, 3.182),
            (5.0, 2.571),
            (10.0, 2.228),
            (30.0, 2.042),
            (120.0, 1.980),
            (1e9, 1.960),
        ] {
            assert!((super::point(degrees, 0.05) - point).abs() < 6e-4, "{degrees}: {}", super::point(degrees, 0.05));
        }
        assert!((super::point(4.0, 0.01) - 4.604).abs() < 6e-4 && (super::point(1.0, 0.025) - 25.452).abs() < 6e-4);
        assert!(super::point(2.5, 0.05) < super::point(2.0, 0.05) && super::point(2.5, 0.05) > super::point(3.0, 0.05));
        assert!(super::point(f64::NAN, 0.05) > 12.0 && super::point(0.0, 0.05) > 12.0);
    }
}
