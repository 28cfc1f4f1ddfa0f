//! `riskstrat`: see `riskstrat --help`.

use std::process::ExitCode;

/// A run's tables are large and made by several threads: this allocator keeps less of what they free than the C library's.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    ExitCode::from(riskstrat::cli::main())
}
