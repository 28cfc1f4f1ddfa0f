//! Student's t: what stands for 1.96 where a spread is estimated from few.

/// From here on it is the normal distribution, to five digits.
const MANY: f64 = 1e6;

/// With one degree of freedom, fewer than one in a million lie beyond.
const FAR: f64 = 1e6;

/// The point beyond which, on either side, a value lies with a chance of `miss` in all, where its middle may be `beside` 0.
/// Degrees of freedom need not be whole; below one, and where they are no number, it is as with one.
pub fn point(degrees: f64, miss: f64, beside: f64) -> f64 {
    let degrees = if degrees.is_nan() { 1.0 } else { degrees.clamp(1.0, MANY) };
    let (mut low, mut high) = (beside, beside + FAR);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        let out = f64::midpoint(outside(middle - beside, degrees), outside(middle + beside, degrees));
        match out > miss {
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
            assert!((two_sided(degrees, 0.05) - point).abs() < 6e-4, "{degrees}: {}", two_sided(degrees, 0.05));
        }
        assert!((two_sided(4.0, 0.01) - 4.604).abs() < 6e-4 && (two_sided(1.0, 0.025) - 25.452).abs() < 6e-4);
        assert!((two_sided(10.0, 0.001) - 4.587).abs() < 6e-4 && (two_sided(1.0, 0.001) - 636.619).abs() < 1e-2);
        assert!(two_sided(2.5, 0.05) < two_sided(2.0, 0.05) && two_sided(2.5, 0.05) > two_sided(3.0, 0.05));
        assert!(two_sided(f64::NAN, 0.05) > 12.0 && two_sided(0.0, 0.05) > 12.0);
    }

    fn two_sided(degrees: f64, miss: f64) -> f64 {
        super::point(degrees, miss, 0.0)
    }

    /// By Simpson's rule: of N(beside, 1), as many lie within the point on either side of 0 as are not to miss.
    #[test]
    fn a_middle_beside_0_is_allowed_for() {
        for (beside, miss) in [(0.5, 0.05), (0.5, 0.0125), (1.0, 0.05), (0.0, 0.01)] {
            let point = super::point(1e9, miss, beside);
            let density = |x: f64| (-(x - beside).powi(2) / 2.0).exp() / std::f64::consts::TAU.sqrt();
            let (steps, width) = (2_000, 2.0 * point / 2_000.0);
            let weight = |at: i32| if at % steps == 0 { 1.0 } else { 2.0 + 2.0 * f64::from(at % 2) };
            let inside =
                (0..=steps).map(|at| weight(at) * density(f64::from(at) * width - point)).sum::<f64>() * width / 3.0;
            assert!((inside - 1.0 + miss).abs() < 2e-6, "{beside} {miss}: {point}, {inside}");
        }
        // As Armstrong and Kolesár print it.
        assert!((super::point(1e9, 0.05, 0.5) - 2.18).abs() < 0.005);
    }
}
