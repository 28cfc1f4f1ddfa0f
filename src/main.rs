//! `riskstrat`: see `riskstrat --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(riskstrat::cli::main())
}
