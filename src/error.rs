//! What can stop a run, and the exit code it ends with.
//!
//! Messages name source, file, row, column and rule; never a cell's value. Errors of Arrow and DataFusion can quote
//! rows, so their texts are dropped where they are wrapped.

use std::fmt;
use std::path::Path;

use crate::pipeline::problem::Problem;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason a command ends without having done its work.
#[derive(Debug)]
pub enum Error {
    /// A check or the gate failed; nothing was published (exit 1).
    Check(String),
    /// The command line is wrong (exit 2).
    Usage(String),
    /// Declarations are wrong: every problem in every file (exit 2).
    Declarations(Vec<Problem>),
    /// An input is not there yet, or is stale (exit 3).
    NotReady(String),
    /// Another run holds the lock (exit 4).
    Locked(String),
    /// Memory, disk or storage gave out (exit 5).
    Resources(String),
    /// A fault of ours (exit 70).
    Fault(String),
}

impl Error {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Usage(_) | Self::Declarations(_) => 2,
            Self::NotReady(_) => 3,
            Self::Locked(_) => 4,
            Self::Resources(_) => 5,
            Self::Fault(_) => 70,
        }
    }

    /// A storage call on `path` failed.
    pub fn storage(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::Resources(format!("{doing} {}: {}", path.display(), error.kind()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declarations(problems) => {
                for problem in problems {
                    writeln!(f, "{problem}")?;
                }
                let count = problems.len();
                write!(
                    f,
                    "{count} problem{} in the declarations; no record was read",
                    if count == 1 { "" } else { "s" }
                )
            }
            Self::Check(text)
            | Self::Usage(text)
            | Self::NotReady(text)
            | Self::Locked(text)
            | Self::Resources(text)
            | Self::Fault(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Fault(format!("an Arrow kernel failed ({})", variant(&error)))
    }
}

impl From<datafusion::error::DataFusionError> for Error {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Fault(format!("an expression failed while it ran ({})", variant(&error)))
    }
}

/// The name of an error's variant: all of a foreign error that is safe to print.
fn variant(error: &impl fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.chars().take_while(char::is_ascii_alphabetic).collect()
}
