//! `riskstrat release` and `riskstrat withdraw`: their arguments, and the key.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use zeroize::Zeroizing;

use super::{EngineArgs, OutArgs, load_from, output, progress};
use crate::error::{Error, Result};
use crate::gates::Consent;
use crate::pipeline::parse::LoadOptions;
use crate::release::{self, Request, WithdrawRequest};
use crate::run::Options;
use crate::storage::LocalDisk;
use crate::token::Key;

#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// The run file, as the run was made with it.
    pipeline: PathBuf,
    /// The run to release: its id, or `current`.
    #[arg(long, value_name = "RUN", default_value = "current")]
    run: String,
    /// The date of the release: everyone is judged again as of this date.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Date,
    /// The folder of the later deliveries, in place of the run file's.
    #[arg(long, value_name = "FOLDER")]
    deliveries: Option<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
    /// Who answers for the release.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    key: KeyArgs,
    /// The key is another than that of the last release, on purpose: every recipient gets new tokens.
    #[arg(long)]
    new_key: bool,
    /// Only this cohort; may be given more than once.
    #[arg(long = "cohort", value_name = "COHORT")]
    cohorts: Vec<String>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Where the key of all tokens comes from; never from the command line itself, which others can read.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct KeyArgs {
    /// A file that only its owner can read (mode 0600), with at least 32 bytes.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The name of an environment variable, with at least 32 bytes.
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
}

#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The release, as `riskstrat list` names it.
    release: String,
    /// Why, in words that its recipients will read.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who answers for the withdrawal.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Only from this recipient; may be given more than once.
    #[arg(long = "recipient", value_name = "NAME")]
    recipients: Vec<String>,
    /// The date of the withdrawal; without it, that of the last event in the ledger.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Date>,
    #[command(flatten)]
    out: OutArgs,
}

pub fn release(args: &ReleaseArgs, json: bool) -> Result<()> {
    said("--by", &args.by)?;
    let key = args.key.read()?;
    let pipeline =
        load_from(&args.pipeline, &LoadOptions { as_of: Some(args.as_of), deliveries: args.deliveries.clone() })?;
    let options = Options { out: args.out.out.clone(), engine: args.engine.engine()?, consent: Consent::default() };
    let request = Request {
        run: Some(args.run.clone()).filter(|run| run != "current"),
        cohorts: args.cohorts.clone(),
        by: args.by.clone(),
        new_key: args.new_key,
    };
    let (journal, done) = progress::journal(json);
    let released = release::release(&pipeline, &options, &request, &key, &LocalDisk, &journal);
    done();
    output::event(&released?, json)
}

pub fn withdraw(args: &WithdrawArgs, json: bool) -> Result<()> {
    said("--by", &args.by)?;
    said("--reason", &args.reason)?;
    let request = WithdrawRequest {
        release: args.release.clone(),
        recipients: args.recipients.clone(),
        reason: args.reason.clone(),
        by: args.by.clone(),
        on: args.on,
    };
    output::event(&release::withdraw(&LocalDisk, &args.out.out, &request)?, json)
}

fn said(what: &str, text: &str) -> Result<()> {
    match text.trim().is_empty() {
        true => Err(Error::Usage(format!("{what} is empty"))),
        false => Ok(()),
    }
}

impl KeyArgs {
    fn read(&self) -> Result<Key> {
        match (&self.key_file, &self.key_env) {
            (Some(path), _) => key_file(path),
            (None, Some(name)) => {
                let value = std::env::var_os(name)
                    .ok_or_else(|| Error::Usage(format!("the environment has no variable {name}")))?;
                Key::new(Zeroizing::new(value.into_encoded_bytes()))
            }
            (None, None) => Err(Error::Usage("give --key-file or --key-env".to_owned())),
        }
    }
}

/// A key that others could have read is none.
fn key_file(path: &Path) -> Result<Key> {
    let unreadable = |error: std::io::Error| Error::Usage(format!("the key file {}: {}", path.display(), error.kind()));
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return Err(Error::Usage(format!(
            "the key file {} can be read by others than its owner: make another key, and give its file mode 0600",
            path.display()
        )));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Key::new(bytes)
}
