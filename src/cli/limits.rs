//! What queries may use: the same flags for whatever answers queries.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

use crate::app::{AppOptions, QueryOptions};
use crate::engine::EngineOptions;
use crate::machine::{self, Scratch};
use crate::report::Calendars;

/// What queries may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Memory for all queries together, like 8GiB; else half of the machine's
    #[arg(long, env = "HEADROOM_MEMORY", value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Memory for one query; else an equal share for each that runs. What does not fit goes to the disk, or the query fails
    #[arg(long, env = "HEADROOM_QUERY_MEMORY", value_name = "SIZE")]
    query_memory: Option<ByteSize>,
    /// How many queries run at once; the others wait, and callers take turns
    #[arg(long, env = "HEADROOM_QUERIES", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    queries: u32,
    /// How many queries of one caller may wait; more are refused
    #[arg(long, env = "HEADROOM_QUEUE", value_name = "N", default_value_t = 100)]
    queue: u32,
    /// How many seconds a query may work; a request may ask for less
    #[arg(long, env = "HEADROOM_TIME_LIMIT", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    time_limit: Duration,
    /// Folder for what does not fit into memory; else the system's for temporary files
    #[arg(long, env = "HEADROOM_SCRATCH", value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// How much queries may put there
    #[arg(long, env = "HEADROOM_SCRATCH_SIZE", value_name = "SIZE", default_value = "16GiB")]
    scratch_size: ByteSize,
    /// Memory for rollups and footers of files, beside that for queries: what was read once is at hand
    #[arg(long, env = "HEADROOM_KEEP", value_name = "SIZE", default_value = "256MiB")]
    keep: ByteSize,
    /// Answer from sessions and denials alone, without rollups: the same figures, slower
    #[arg(long)]
    no_rollups: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    crate::report::seconds(text).ok_or_else(|| "expected a number of seconds greater than zero".to_owned())
}

/// The least that a query can do anything with.
const LEAST: u64 = 32 * 1024 * 1024;

impl LimitArgs {
    /// How an application with these limits is put together, and the scratch folder that it must outlive.
    pub(super) fn options(&self) -> anyhow::Result<(AppOptions, Scratch)> {
        let memory = self.memory.map_or_else(|| machine::memory() / 2, |size| size.as_u64()).max(LEAST);
        let running = self.queries as usize;
        let share = memory / u64::from(self.queries);
        let query_memory = self.query_memory.map_or(share, |size| size.as_u64()).clamp(LEAST, memory);
        let scratch = Scratch::create(self.scratch.as_deref())?;
        let options = AppOptions {
            engine: EngineOptions {
                memory,
                scratch: Some(scratch.path()),
                scratch_bytes: self.scratch_size.as_u64(),
                kept_bytes: self.keep.as_u64(),
                rollups: !self.no_rollups,
                ..EngineOptions::default()
            },
            queries: QueryOptions {
                running,
                waiting: self.queue as usize,
                time: Some(self.time_limit),
                patience: Some(self.time_limit),
                memory: query_memory,
                scratch: (self.scratch_size.as_u64() / u64::from(self.queries)).max(LEAST),
            },
            calendars: Calendars::default(),
            worker: None,
        };
        Ok((options, scratch))
    }
}

/// How an application is put together that has its process to itself: half of the machine, and no hurry.
pub(super) fn unhurried() -> AppOptions {
    let memory = machine::memory() / 2;
    AppOptions {
        engine: EngineOptions {
            memory,
            ..EngineOptions::default()
        },
        queries: QueryOptions {
            memory,
            ..QueryOptions::default()
        },
        calendars: Calendars::default(),
        worker: None,
    }
}
