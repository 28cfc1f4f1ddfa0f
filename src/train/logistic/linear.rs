//! Small dense systems: symmetric matrices of as many rows as a model has terms, stored whole, row by row.

/// The lower Cholesky factor of a symmetric positive definite matrix; none when it is not one.
pub fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    let largest = (0..n).map(|i| matrix[i * n + i]).fold(0.0, f64::max);
    for i in 0..n {
        for j in 0..=i {
            let (row, other) = (&lower[i * n..i * n + j], &lower[j * n..j * n + j]);
            let rest = matrix[i * n + j] - row.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            if i == j {
                // What is left of a column that the others make up is only rounding.
                if rest.is_nan() || rest <= largest * 1e-13 {
                    return None;
                }
                lower[i * n + i] = rest.sqrt();
            } else {
                lower[i * n + j] = rest / lower[j * n + j];
            }
        }
    }
    Some(lower)
}

/// Solves `L L' x = b` in place.
pub fn solve(lower: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let done: f64 = lower[i * n..i * n + i].iter().zip(b.iter()).map(|(l, x)| l * x).sum();
        b[i] = (b[i] - done) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        let done: f64 = (i + 1..n).map(|k| lower[k * n + i] * b[k]).sum();
        b[i] = (b[i] - done) / lower[i * n + i];
    }
}

/// Sweeps of coordinate descent before it is given up.
const SWEEPS: usize = 10_000;

/// The minimum of `g'(z − b) + ½ (z − b)'H(z − b) + ½ ridge |z|² + lasso |z|₁`, the first coordinate unpenalised.
pub fn descend(hessian: &[f64], gradient: &[f64], from: &[f64], ridge: f64, lasso: f64) -> Vec<f64> {
    let n = from.len();
    let mut z = from.to_vec();
    // The gradient of the smooth part at `z`.
    let mut slope = gradient.to_vec();
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        for j in 0..n {
            let (ridge, lasso) = if j == 0 { (0.0, 0.0) } else { (ridge, lasso) };
            let curve = hessian[j * n + j];
            let free = curve * z[j] - slope[j];
            let shrunk = if free > lasso { free - lasso } else { (free + lasso).min(0.0) };
            let moved = if curve + ridge > 0.0 { shrunk / (curve + ridge) - z[j] } else { 0.0 };
            if moved != 0.0 {
                z[j] += moved;
                slope.iter_mut().zip(&hessian[j * n..(j + 1) * n]).for_each(|(s, h)| *s += h * moved);
                largest = largest.max(moved.abs());
            }
        }
        if largest <= 1e-13 * (1.0 + z.iter().fold(0.0, |a: f64, b| a.max(b.abs()))) {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f64; 9] = [4.0, 2.0, 0.4, 2.0, 5.0, 1.0, 0.4, 1.0, 3.0];

    #[test]
    fn a_system_is_solved() {
        let lower = cholesky(&MATRIX, 3).unwrap();
        let mut b = vec![9.2, 15.0, 11.4];
        solve(&lower, 3, &mut b);
        for (x, wanted) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((x - wanted).abs() < 1e-12, "{b:?}");
        }
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 4.0], 2), None);
    }

    #[test]
    fn descent_without_lasso_is_the_solution_and_a_large_lasso_leaves_only_the_first() {
        let (gradient, from) = ([1.0, -2.0, 0.5], [0.3, 0.1, -0.2]);
        let mut step = gradient.map(|g| -g).to_vec();
        let mut ridged = MATRIX;
        (ridged[4], ridged[8]) = (ridged[4] + 0.7, ridged[8] + 0.7);
        step[1] -= 0.7 * from[1];
        step[2] -= 0.7 * from[2];
        solve(&cholesky(&ridged, 3).unwrap(), 3, &mut step);
        let z = descend(&MATRIX, &gradient, &from, 0.7, 0.0);
        for j in 0..3 {
            assert!((z[j] - from[j] - step[j]).abs() < 1e-10, "{z:?}");
        }
        let z = descend(&MATRIX, &gradient, &from, 0.0, 100.0);
        assert_eq!((z[1], z[2]), (0.0, 0.0));
    }
}
