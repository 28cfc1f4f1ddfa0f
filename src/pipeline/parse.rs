//! From a run file to a checked pipeline, or to every problem in every file it names.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::study::StudyPlan;
use super::{Pipeline, check};
use crate::error::{Error, Result};

/// What the command line says beside the run file.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// In place of the run's own `as_of`.
    pub as_of: Option<Date>,
    /// In place of the run's own `deliveries`.
    pub deliveries: Option<PathBuf>,
}

/// Reads and checks every declaration; no delivered record is opened.
pub fn load(run_file: &Path, options: &LoadOptions) -> Result<Pipeline> {
    match check::pipeline(run_file, options)? {
        Ok(pipeline) => Ok(pipeline),
        Err(problems) => Err(Error::Declarations(problems)),
    }
}

/// Reads and checks a study with the run that it names; in place of the run's models those to judge, and no cohorts.
pub fn load_study(study_file: &Path, options: &LoadOptions, models: &[String]) -> Result<(Pipeline, StudyPlan)> {
    check::study(study_file, options, models)?.map_err(Error::Declarations)
}
