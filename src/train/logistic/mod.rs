//! Penalised logistic regression.

/// What is multiplied by coefficients.
mod design;

/// Systems of as many equations as terms.
mod linear;

/// Sums over all rows.
mod pass;

/// The optimum.
mod solver;

use self::design::{Design, Made, Shape};
use self::solver::Problem;
use super::{Declared, Fitted, Learner, Matrix, Sample, Says};
use crate::error::{Error, Result};
use crate::pipeline::decl::ModelKind;
use crate::pipeline::study::LogisticDecl;

/// The file of the coefficients.
pub const TABLE: &str = "coefficients.csv";

/// One pair of penalties.
#[derive(Debug, Clone)]
pub struct Logistic {
    pub decl: LogisticDecl,
    pub ridge: f64,
    pub lasso: f64,
    pub threads: usize,
}

/// Every pair of penalties that a study declares, the strongest first: of equals the simpler model is kept.
pub fn candidates(decl: &LogisticDecl, threads: usize) -> Vec<Logistic> {
    let sorted = |penalties: &[f64]| {
        let mut penalties = penalties.to_vec();
        penalties.sort_by(|a, b| b.total_cmp(a));
        penalties.dedup();
        penalties
    };
    let (ridges, lassos) = (sorted(&decl.ridge), sorted(&decl.lasso));
    let pairs = lassos.iter().flat_map(|lasso| ridges.iter().map(|ridge| (*ridge, *lasso)));
    pairs.map(|(ridge, lasso)| Logistic { decl: decl.clone(), ridge, lasso, threads }).collect()
}

/// Coefficients on the scale of the inputs themselves.
#[derive(Debug, Clone)]
pub struct Linear {
    pub intercept: f64,
    pub terms: Vec<LinearTerm>,
    pub steps: usize,
    settings: String,
    rows: usize,
}

#[derive(Debug, Clone)]
pub struct LinearTerm {
    made: Made,
    pub coefficient: f64,
    /// None where a lasso makes it meaningless.
    pub standard_error: Option<f64>,
}

impl LinearTerm {
    pub fn input(&self) -> &super::Input {
        &self.made.input
    }
}

impl Logistic {
    /// The fit, coefficients and all.
    pub fn fit_linear(&self, sample: &Sample) -> Result<Linear> {
        let made = design::columns(sample.matrix, sample.weight, &self.decl, self.threads)?;
        let problem = Problem {
            design: Design { matrix: sample.matrix, made: &made },
            outcome: sample.outcome,
            weight: sample.weight,
            ridge: self.ridge,
            lasso: self.lasso,
            threads: self.threads,
        };
        let solution = solver::solve(&problem)?;
        if !solution.converged {
            let after = solution.steps;
            return Err(Error::Check(format!(
                "{}: no optimum after {after} steps; a larger ridge has one",
                self.name()
            )));
        }
        let errors = solver::standard_errors(&problem, &solution)?;
        let mut intercept = solution.coefficients[0];
        let mut terms = Vec::new();
        for (at, made) in made.into_iter().enumerate() {
            let coefficient = solution.coefficients[at + 1] / made.spread;
            intercept -= coefficient * made.mean;
            let standard_error = errors.as_ref().map(|errors| errors[at + 1] / made.spread);
            if coefficient != 0.0 {
                terms.push(LinearTerm { made, coefficient, standard_error });
            }
        }
        Ok(Linear { intercept, terms, steps: solution.steps, settings: self.name(), rows: sample.outcome.len() })
    }
}

impl Learner for Logistic {
    fn name(&self) -> String {
        format!("logistic regression, ridge {}, lasso {}", self.ridge, self.lasso)
    }

    fn fit(&self, sample: &Sample) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(self.fit_linear(sample)?))
    }
}

impl Fitted for Linear {
    fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let mut sums = vec![self.intercept; matrix.rows()];
        let mut values = vec![0.0; matrix.rows()];
        let mut without = None;
        for term in &self.terms {
            let design = Design { matrix, made: std::slice::from_ref(&term.made) };
            design.read(&term.made, 0..matrix.rows(), &mut values);
            sums.iter_mut().zip(&values).for_each(|(sum, value)| *sum += term.coefficient * value);
            if values.iter().any(|value| value.is_nan()) {
                without = Some(&term.made.input.feature);
            }
        }
        match without {
            Some(feature) => Err(Error::Check(format!(
                "input {feature} is missing for people it is judged on, but for none of those learnt from: say what stands in for it in `fill`"
            ))),
            None => Ok(sums.into_iter().map(|sum| 1.0 / (1.0 + (-sum).exp())).collect()),
        }
    }

    fn declare(&self) -> Declared {
        let mut table = "feature,equals,transform,missing,reference,coefficient,standard_error\n".to_owned();
        for term in &self.terms {
            table.push_str(&row(term));
        }
        let errors = match self.terms.iter().all(|term| term.standard_error.is_some()) {
            true => {
                "Standard errors stand beside the coefficients; under a ridge they are those of the biased estimate."
            }
            false => "There are no standard errors: a lasso has none that mean anything.",
        };
        let notes = vec![
            format!("{}, on {} rows: the optimum was reached in {} steps.", self.settings, self.rows, self.steps),
            "Penalties are on standardised inputs; coefficients are on the scale of the inputs themselves.".to_owned(),
            errors.to_owned(),
        ];
        let (kind, table) = (ModelKind::Logistic, Some((TABLE.to_owned(), table)));
        Declared { kind, intercept: Some(self.intercept), table, bases: Vec::new(), notes }
    }
}

/// A row of the table; numbers in the shortest form that reads back to the same bits.
fn row(term: &LinearTerm) -> String {
    let mut equals = String::new();
    let (mut transform, mut missing) = ("", String::new());
    match (&term.made.input.says, term.made.shape) {
        (Says::Is(value), _) => equals = quoted(value),
        (Says::IsMissing, _) | (_, Shape::IsMissing) => transform = "is_missing",
        (Says::Number, Shape::Value { fill, log1p }) => {
            transform = if log1p { "log1p" } else { "" };
            missing = fill.map(|fill| fill.to_string()).unwrap_or_default();
        }
    }
    let error = term.standard_error.map(|error| error.to_string()).unwrap_or_default();
    // The reference is the mean of those learnt from: explanations count from the average person.
    let (feature, reference) = (&term.made.input.feature, term.made.mean);
    format!("{feature},{equals},{transform},{missing},{reference},{},{error}\n", term.coefficient)
}

fn quoted(value: &str) -> String {
    match value.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
