//! Arguments only; what the commands do stands in `hearthwatch::commands`.

use clap::{Parser, Subcommand};
use hearthwatch::commands;
use std::path::PathBuf;
use std::process::ExitCode;

/// Home-safety monitoring gateway: hears the homes, and does not rest until a person has come.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(clap::Args)]
struct ConfigFile {
    #[arg(long, default_value = "config/hearthwatch.toml")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Everything in one process with nothing to install: broker, homes, a caseworker's phone, the console
    #[cfg(feature = "demo")]
    Demo(commands::demo::Options),
    /// The service
    Run(ConfigFile),
    /// Validates the configuration: every mistake with its place and remedy
    Check(ConfigFile),
    /// Takes registry files in: CSV, TOML or JSON
    Import {
        #[command(flatten)]
        config: ConfigFile,
        /// Shows the difference and changes nothing
        #[arg(long)]
        dry_run: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes the registry to stdout as TOML
    Export(ConfigFile),
    /// What the gateway understands of messages: JSON lines on stdin, one answer each on stdout
    Decode(commands::decode::Options),
    /// Recorded readings through the live engine
    Replay(commands::replay::Options),
    /// Simulated homes against any broker
    Fleet(commands::fleet::Options),
    /// Simulated days in which everything fails, held against the promises
    Sim(commands::sim::Options),
    /// Walks the hash chains of the journals
    Verify(ConfigFile),
    /// Tries to open a store's folder, in a process of its own
    #[command(hide = true)]
    ProbeStore { dir: PathBuf },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = matches!(arguments.log_format, LogFormat::Json);
    hearthwatch::enter(json, dispatch(arguments.command))
}

async fn dispatch(command: Command) -> ExitCode {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(options) => commands::demo::demo(options).await,
        Command::Run(file) => match commands::config(&file.config) {
            Ok(config) => commands::run::run(config, &file.config).await,
            Err(code) => code,
        },
        Command::Check(file) => commands::check(&file.config).await,
        Command::Import { config, dry_run, files } => match commands::config(&config.config) {
            Ok(config) => commands::registry::import(config, &files, dry_run).await,
            Err(code) => code,
        },
        Command::Export(file) => match commands::config(&file.config) {
            Ok(config) => commands::registry::export(config).await,
            Err(code) => code,
        },
        Command::Decode(options) => commands::decode::decode_stdin(&options),
        Command::Replay(options) => commands::replay::replay(options),
        Command::Fleet(options) => commands::fleet::fleet(options).await,
        Command::Sim(options) => commands::sim::sim(options),
        Command::Verify(file) => match commands::config(&file.config) {
            Ok(config) => commands::verify::verify(&config),
            Err(code) => code,
        },
        Command::ProbeStore { dir } => ExitCode::from(u8::from(!hearthwatch::store::probe(&dir))),
    }
}
