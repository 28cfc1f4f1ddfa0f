//! The command line: arguments, output, exit codes.
//!
//! Data goes to stdout, messages to stderr; `--json` makes both of them machine-readable.

/// Scores head to head.
mod evaluate;

/// Models learnt from studies.
mod learn;

/// One more calibration step.
mod recalibrate;

/// What the commands print.
mod output;

/// `riskstrat explain-plan`.
mod plan;

/// Progress on a terminal, a line a stage elsewhere.
mod progress;

/// `riskstrat release` and `riskstrat withdraw`.
mod release;

/// The folder that `riskstrat init` makes.
mod starter;

/// One person's web of care.
mod web;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::conform::Engine;
use crate::error::{Error, Result};
use crate::explain;
use crate::gates::Consent;
use crate::memory::MemoryLimit;
use crate::pipeline::Pipeline;
use crate::pipeline::parse::{self, LoadOptions};
use crate::pipeline::schema;
use crate::pseudonym::Pseudonym;
use crate::publish;
use crate::release::Ledger;
use crate::run;
use crate::source;
use crate::storage::LocalDisk;
use crate::synth;

/// Population risk stratification: from pseudonymised deliveries to explained outreach lists.
#[derive(Debug, Parser)]
#[command(name = "riskstrat", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Print JSON: results on stdout, messages on stderr.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  published, or already published
  1  ran; a check or the gate failed; nothing published
  2  the command line or a declaration is wrong
  3  an input is not there yet, or is stale
  4  another run holds the lock
  5  memory, disk or storage gave out
  70 a fault of ours";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a pipeline and publish what it makes.
    Run(RunArgs),
    /// Check every declaration of a pipeline; reads no record.
    Check(CheckArgs),
    /// Judge scores on the people of a study, head to head and by group.
    Evaluate(evaluate::EvaluateArgs),
    /// Fit one more calibration step of a model on the people of a study, and write the model with it.
    Recalibrate(recalibrate::RecalibrateArgs),
    /// Write invented, linked deliveries with a known truth.
    Synth(SynthArgs),
    /// Check the lists of a run once more on later deliveries, and write what each recipient is sent.
    Release(release::ReleaseArgs),
    /// Take a release back: a notice to each recipient.
    Withdraw(release::WithdrawArgs),
    /// Learn a model from a study, judge it on people kept back, and write its folder.
    Train(TrainArgs),
    /// List the published runs, and what was released of them.
    List(OutArgs),
    /// Print the JSON Schema of a kind of declaration.
    Schema { kind: schema::Kind },
    /// Make a folder with a small pipeline of your own that runs.
    Init { folder: PathBuf },
    /// Check that a published run and all that was released are whole: every file, every sum, the chain of the ledger.
    Verify(VerifyArgs),
    /// Show what stands behind one person's row of a list.
    Explain(ExplainArgs),
    /// Draw one person's web of care: who is in contact, and how it changes hands.
    Web(web::WebArgs),
    /// Show what a run would read of each source, ask of its rows and hold in memory; reads no record.
    ExplainPlan(plan::PlanArgs),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
    /// Write the man pages into a folder.
    Man { folder: PathBuf },
}

#[derive(Debug, Args)]
struct PipelineArgs {
    /// The run file.
    pipeline: PathBuf,
    /// The as-of date; nothing on or after it counts.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// The folder of the deliveries, in place of the run file's.
    #[arg(long, value_name = "FOLDER")]
    deliveries: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct EngineArgs {
    /// Worker threads; changes no published byte. By default one a core.
    #[arg(long, value_name = "N")]
    partitions: Option<usize>,
    /// Rows read at a time; changes no published byte.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    batch_rows: usize,
    /// Beyond so much memory the run stops, such as 4GiB; in place of the run file's.
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<MemoryLimit>,
}

#[derive(Debug, Args)]
struct OutArgs {
    /// The folder that holds the runs.
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Says yes, by name, to lists that differ much from those of the run before; written into the receipt.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    approved_by: Option<String>,
    /// Lets a delivery pass that ends before the last one used; written into the receipt.
    #[arg(long)]
    allow_older: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Also look at the deliveries: every file there, every declared column in its header.
    #[arg(long)]
    headers: bool,
}

#[derive(Debug, Args)]
struct SynthArgs {
    /// The folder to write into; it must be empty or not exist.
    out: PathBuf,
    #[arg(long, default_value_t = 1000)]
    persons: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The date that the deliveries lead up to.
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2026-04-01")]
    as_of: Date,
    #[arg(long, value_enum, default_value_t = SynthFormat::Parquet)]
    format: SynthFormat,
    /// Leave out the planted dirt.
    #[arg(long)]
    clean: bool,
}

#[derive(Debug, Args)]
struct TrainArgs {
    /// The study file.
    study: PathBuf,
    /// The model's folder, which must not exist; its name becomes the score's.
    #[arg(long, value_name = "FOLDER", required_unless_present = "matrix")]
    out: Option<PathBuf>,
    /// The folder of the deliveries, in place of the run file's.
    #[arg(long, value_name = "FOLDER")]
    deliveries: Option<PathBuf>,
    /// Of a study with [acted_on]: the output folder of the runs whose lists were acted on, in place of the study's.
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    /// Write what is learnt from as a CSV, for other programs: a row a person, without token.
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SynthFormat {
    Csv,
    CsvGz,
    Parquet,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The run's id; the current run without one.
    run: Option<String>,
    #[command(flatten)]
    out: OutArgs,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The run's id, or `current`.
    run: String,
    /// The person's token as it stands on the list; `-` reads it from stdin, which keeps it out of the shell's history.
    token: String,
    #[command(flatten)]
    out: OutArgs,
    /// The run file: also show the delivered rows, by file and row number.
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// The folder of the deliveries, in place of the run file's.
    #[arg(long, value_name = "FOLDER", requires = "pipeline")]
    deliveries: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Does what the command line asks; the exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is a wrong command line.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return code;
        }
    };
    output::log_to_stderr(cli.json);
    quiet_panics();
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(&cli)));
    match done.unwrap_or_else(|_| Err(Error::Fault("this should not have happened; nothing was published".to_owned())))
    {
        Ok(()) => 0,
        Err(error) => {
            output::error(&error, cli.json);
            error.exit_code()
        }
    }
}

/// A panic's text can quote a row: only its place is told.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            tracing::error!("a fault at {}:{}", place.file(), place.line());
        }
    }));
}

fn dispatch(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Run(args) => run_pipeline(args, cli.json),
        Command::Check(args) => check(args, cli.json),
        Command::Evaluate(args) => evaluate::run(args, cli.json),
        Command::Recalibrate(args) => recalibrate::run(args, cli.json),
        Command::Synth(args) => make_deliveries(args, cli.json),
        Command::Train(args) => learn::train(args, cli.json),
        Command::Release(args) => release::release(args, cli.json),
        Command::Withdraw(args) => release::withdraw(args, cli.json),
        Command::List(args) => {
            let ledger = Ledger::read(&LocalDisk, &args.out)?;
            output::runs(&publish::list(&LocalDisk, &args.out)?, ledger.entries(), cli.json)
        }
        Command::Schema { kind } => output::json(&schema::print(*kind)),
        Command::Init { folder } => output::line(&starter::write(folder)?),
        Command::Verify(args) => {
            let verified = publish::verify(&LocalDisk, &args.out.out, args.run.as_deref())?;
            output::verified(&verified, &crate::release::verify(&LocalDisk, &args.out.out)?, cli.json)
        }
        Command::Explain(args) => explain_person(args, cli.json),
        Command::Web(args) => web::run(args),
        Command::ExplainPlan(args) => plan::explain(args, cli.json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "riskstrat", &mut script);
            output::bytes(&script)
        }
        Command::Man { folder } => man_pages(folder),
    }
}

fn load(args: &PipelineArgs) -> Result<Pipeline> {
    load_from(&args.pipeline, &LoadOptions { as_of: args.as_of, deliveries: args.deliveries.clone() })
}

fn load_from(file: &Path, options: &LoadOptions) -> Result<Pipeline> {
    in_folder(file, parse::load(file, options))
}

/// Problems name files as seen from here, so that they can be opened.
fn in_folder<T>(file: &Path, loaded: Result<T>) -> Result<T> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    loaded.map_err(|error| match (error, folder) {
        (Error::Declarations(mut problems), Some(folder)) => {
            problems.iter_mut().for_each(|problem| problem.file = folder.join(&problem.file).display().to_string());
            Error::Declarations(problems)
        }
        (error, _) => error,
    })
}

impl EngineArgs {
    fn engine(&self) -> Result<Engine> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let partitions = self.partitions.unwrap_or_else(cores);
        let engine = Engine { partitions, batch_rows: self.batch_rows, memory: self.memory_limit, buckets: None };
        match engine.partitions > 0 && engine.batch_rows > 0 {
            true => Ok(engine),
            false => Err(Error::Usage("--partitions and --batch-rows must be at least 1".to_owned())),
        }
    }
}

fn run_pipeline(args: &RunArgs, json: bool) -> Result<()> {
    let pipeline = load(&args.pipeline)?;
    let consent = Consent { approved_by: args.approved_by.clone(), allow_older: args.allow_older };
    let options = run::Options { out: args.out.out.clone(), engine: args.engine.engine()?, consent };
    let (journal, done) = progress::journal(json);
    let published = run::run(&pipeline, &options, &LocalDisk, &journal);
    done();
    let (id, published) = published?;
    output::published(&pipeline, &id, &published, json)
}

fn check(args: &CheckArgs, json: bool) -> Result<()> {
    let pipeline = load(&args.pipeline)?;
    let delivered = args.headers.then(|| source::find(&pipeline)).transpose()?;
    output::checked(&pipeline, delivered.as_ref(), json)
}

fn make_deliveries(args: &SynthArgs, json: bool) -> Result<()> {
    let options = synth::SynthOptions {
        persons: args.persons,
        seed: args.seed,
        as_of: args.as_of,
        out: args.out.clone(),
        format: match args.format {
            SynthFormat::Csv => synth::Format::Csv,
            SynthFormat::CsvGz => synth::Format::CsvGz,
            SynthFormat::Parquet => synth::Format::Parquet,
        },
        clean: args.clean,
    };
    let (mut step, done) = progress::counter("people", args.persons);
    let summary = synth::write(&options, &mut step);
    done();
    output::synthesised(&args.out, &summary?, json)
}

fn explain_person(args: &ExplainArgs, json: bool) -> Result<()> {
    let run = match args.run.as_str() {
        "current" => None,
        id => Some(id),
    };
    Ledger::read(&LocalDisk, &args.out.out)?;
    let verified = publish::verify(&LocalDisk, &args.out.out, run)?;
    let token = match args.token.as_str() {
        "-" => std::io::read_to_string(std::io::stdin())
            .map_err(|_| Error::Usage("the token on stdin is not text".to_owned()))?,
        token => token.to_owned(),
    };
    let id = verified.id.as_str();
    let as_of = id.split_once('_').and_then(|(date, _)| date.parse().ok());
    let options = LoadOptions { as_of, deliveries: args.deliveries.clone() };
    let pipeline = args.pipeline.as_ref().map(|file| load_from(file, &options)).transpose()?;
    let token = Pseudonym::new(token.trim());
    let explanation = explain::explain(&args.out.out, &verified.id, &token, pipeline.as_ref(), args.engine.engine()?)?;
    output::explanation(&explanation, json)
}

fn man_pages(folder: &Path) -> Result<()> {
    let storage = |error: std::io::Error| Error::storage("cannot write", folder, &error);
    std::fs::create_dir_all(folder).map_err(storage)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(storage)?;
    output::line(&format!("man pages written to {}", folder.display()))
}
