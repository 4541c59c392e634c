//! `headroom sql-worker`: what the server starts to answer SQL in. Nobody types it.

use std::fs::File;
use std::io::{stdin, stdout};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use clap::Args;

use super::StoreArgs;
use crate::worker::{self, Allowance};

/// Answer SQL that a server hands in
#[derive(Debug, Args)]
pub(crate) struct SqlWorkerArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[arg(long)]
    scratch: PathBuf,
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    scratch_bytes: u64,
    #[arg(long)]
    partitions: usize,
}

impl SqlWorkerArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let root = std::path::absolute(&self.store.store)?;
        let allowance = Allowance {
            memory: self.memory_bytes,
            scratch: self.scratch,
            scratch_bytes: self.scratch_bytes,
            partitions: self.partitions,
        };
        // Standard output itself looks for ends of lines in what it is given.
        let answers = File::from(stdout().as_fd().try_clone_to_owned()?);
        Ok(worker::attend(&root, &allowance, stdin(), answers)?)
    }
}
