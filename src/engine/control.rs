//! What a query may use, what it has used, and the way to stop it.
//!
//! The invariant: a query that is out of time, or that somebody stops, ends with an error; never as if its rows were over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::EngineError;

/// What a query may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes on the disk, for what does not fit into its memory.
    pub scratch: u64,
    /// How long it may work. While it waits for its reader, this time stands still.
    pub time: Option<Duration>,
    /// How long its reader may take nothing.
    pub patience: Option<Duration>,
}

impl Budget {
    /// As much memory as given, and all the time in the world: for a query that has its process to itself.
    #[must_use]
    pub const fn unhurried(memory: u64, scratch: u64) -> Self {
        Self {
            memory,
            scratch,
            time: None,
            patience: None,
        }
    }
}

/// What a query has used so far.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows that have left it.
    pub rows: Count,
    /// Bytes of files that it has read.
    pub scanned: Count,
    /// Set where the bytes that were read tell of rows that the caller may not see; [`Progress::scanned`] stays 0 then.
    pub withholds_scanned: AtomicBool,
    /// Bytes that it has put on the disk for want of memory.
    pub spilled: Count,
    /// Bytes of memory that it holds.
    pub memory: Count,
}

/// A number that one thread writes and any may read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// What it is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Makes it something else.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Makes it more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Makes it less.
    pub fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }
}

/// A query from outside: what it may use, what it has used, and the way to stop it.
#[derive(Debug, Clone)]
pub struct Control {
    /// What it may use.
    pub budget: Budget,
    /// What it has used.
    pub progress: Arc<Progress>,
    /// Stops it.
    pub stop: CancellationToken,
}

impl Control {
    /// Control of a query that has not begun.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            progress: Arc::default(),
            stop: CancellationToken::new(),
        }
    }
}

/// The time that is left to a query.
#[derive(Debug)]
pub(super) struct Clock {
    allowed: Option<Duration>,
    ends: Option<Instant>,
}

impl Clock {
    pub(super) fn start(budget: &Budget) -> Self {
        Self {
            allowed: budget.time,
            ends: budget.time.and_then(|time| Instant::now().checked_add(time)),
        }
    }

    /// Done when the time is up.
    pub(super) async fn up(&self) -> EngineError {
        match self.ends {
            Some(ends) => tokio::time::sleep_until(ends.into()).await,
            None => std::future::pending().await,
        }
        EngineError::OutOfTime {
            allowed: self.allowed.unwrap_or_default(),
        }
    }

    /// Time in which the query did not work does not count.
    pub(super) fn give_back(&mut self, time: Duration) {
        self.ends = self.ends.and_then(|ends| ends.checked_add(time));
    }
}
