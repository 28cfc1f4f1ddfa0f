//! `riskstrat`: see `riskstrat --help`.

fn main() {}
