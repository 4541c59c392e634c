//! The program: reads the command line, starts the log, runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use headroom::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    headroom::telemetry::start(cli.log_format());
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::debug!(?error, "failed");
            headroom::cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
