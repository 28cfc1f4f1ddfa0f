//! The folder that `riskstrat init` makes: a small pipeline that runs, to be changed piece by piece.

use std::path::Path;

use crate::error::{Error, Result};

const FILES: [(&str, &str); 10] = [
    ("run.toml", include_str!("../../fixtures/starter/run.toml")),
    ("sources/people.toml", include_str!("../../fixtures/starter/sources/people.toml")),
    ("sources/visits.toml", include_str!("../../fixtures/starter/sources/visits.toml")),
    ("features/basic.toml", include_str!("../../fixtures/starter/features/basic.toml")),
    ("cohorts/frequent_visitors.toml", include_str!("../../fixtures/starter/cohorts/frequent_visitors.toml")),
    ("audits/recording_gaps.toml", include_str!("../../fixtures/starter/audits/recording_gaps.toml")),
    ("valuesets/sex.csv", include_str!("../../fixtures/starter/valuesets/sex.csv")),
    ("valuesets/valuesets.lock", include_str!("../../fixtures/starter/valuesets/valuesets.lock")),
    ("deliveries/people.csv", include_str!("../../fixtures/starter/deliveries/people.csv")),
    ("deliveries/visits.csv", include_str!("../../fixtures/starter/deliveries/visits.csv")),
];

/// Writes the starter into a folder that is empty or not there; what to do next.
pub fn write(folder: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Error::storage("cannot write", folder, &error);
    let taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Error::Usage(format!("{} is not empty; nothing was written", folder.display())));
    }
    for (path, text) in FILES {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        std::fs::write(&path, text).map_err(failed)?;
    }
    Ok(format!("{} files written; next: riskstrat run {}", FILES.len(), folder.join("run.toml").display()))
}
