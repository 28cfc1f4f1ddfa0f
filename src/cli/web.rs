//! `riskstrat web`: one person's web of care as a picture.

use clap::Args;

use super::{OutArgs, output};
use crate::error::{Error, Result};
use crate::explain;
use crate::pseudonym::Pseudonym;
use crate::publish;
use crate::storage::LocalDisk;

#[derive(Debug, Args)]
pub(super) struct WebArgs {
    /// The run's id, or `current`.
    run: String,
    /// The person's token; `-` reads it from stdin, which keeps it out of the shell's history.
    token: String,
    /// Which web, where the run made several.
    #[arg(long, value_name = "NAME")]
    web: Option<String>,
    #[command(flatten)]
    out: OutArgs,
}

/// Prints the picture as SVG.
pub(super) fn run(args: &WebArgs) -> Result<()> {
    let id = Some(args.run.as_str()).filter(|run| *run != "current");
    let verified = publish::verify(&LocalDisk, &args.out.out, id)?;
    let token = match args.token.as_str() {
        "-" => std::io::read_to_string(std::io::stdin())
            .map_err(|_| Error::Usage("the token on stdin is not text".to_owned()))?,
        token => token.to_owned(),
    };
    let svg = explain::web(&args.out.out, &verified.id, &Pseudonym::new(token.trim()), args.web.as_deref())?;
    output::line(&svg)
}
