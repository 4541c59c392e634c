//! The command line: one command a file.
//!
//! A command says what it takes (its `Args`, which are its `--help`) and what it does (its `run`). Everything else is the
//! library's.

mod calendars;
mod check;
mod demo;
mod document;
mod doors;
mod export;
mod files;
mod generate;
mod import;
mod imports;
mod init;
mod limits;
mod rebuild;
mod report;
mod serve;
mod show;
mod sql;
mod sql_worker;
mod token;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::telemetry::LogFormat;

/// Who was refused a license, how many were in use, for how many of the working hours, by how
/// many users: answers from the logs of license servers
///
/// A first look:      headroom demo
/// Your own log:      headroom import --store licenses --timezone Europe/Berlin adskflex.log
///                    headroom serve --store licenses
/// Without a server:  headroom report features --store licenses --format csv
#[derive(Debug, Parser)]
#[command(name = "headroom", version, verbatim_doc_comment, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Imports(imports::ImportsArgs),
    Serve(serve::ServeArgs),
    Report(report::ReportArgs),
    Sql(sql::SqlArgs),
    Export(export::ExportArgs),
    Files(files::FilesArgs),
    Generate(generate::GenerateArgs),
    Demo(demo::DemoArgs),
    Check(check::CheckArgs),
    Rebuild(rebuild::RebuildArgs),
    Token(token::TokenArgs),
    #[command(hide = true)]
    SqlWorker(sql_worker::SqlWorkerArgs),
}

/// The store that a command works on.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store
    #[arg(long, env = "HEADROOM_STORE", value_name = "DIR")]
    pub(crate) store: PathBuf,
}

impl Cli {
    /// How the command writes its log.
    #[must_use]
    pub const fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Serve(args) => args.log_format(),
            _ => LogFormat::Text,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Whatever the command ran into.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Init(args) => args.run(),
            Command::Import(args) => args.run(),
            Command::Imports(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Report(args) => args.run(),
            Command::Sql(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Files(args) => args.run(),
            Command::Generate(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Rebuild(args) => args.run(),
            Command::Token(args) => args.run(),
            Command::SqlWorker(args) => args.run(),
        }
    }
}

/// Prints a line; a reader that went away is no error.
pub(crate) fn say(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints an error and what caused it, each once.
pub fn complain(error: &anyhow::Error) {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.ends_with(&cause) {
            told = if told.is_empty() { cause } else { format!("{told}: {cause}") };
        }
    }
    let _closed = writeln!(std::io::stderr().lock(), "headroom: {told}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
