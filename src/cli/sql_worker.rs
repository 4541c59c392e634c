//! `headroom sql-worker`: what the server starts to answer SQL in. Nobody types it.

use std::io::{stdin, stdout};
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
        Ok(worker::attend(&root, &allowance, stdin(), stdout())?)
    }
}
