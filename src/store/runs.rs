//! Parts of a day's events, written while the source is read on.
//!
//! ```text
//!  write ─▶ queue ─▶ settle, sort, encode, write    one thread each, as many as the machine runs at once
//!                ╰─▶ settle, sort, encode, write
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::arrivals::Arrivals;
use super::facts::{DayFacts, Instants};
use super::partition::{self, Encoded, PartitionFile};
use super::rows::EventRows;
use super::writer::FileIds;
use super::{StoreError, columns};
use crate::event::Table;
use crate::time::Day;

/// Each thread has a day in memory; more of them than this would wait for the one that reads.
const MOST_THREADS: usize = 4;

/// A part of a day's events, written.
#[derive(Debug)]
pub(super) struct Run {
    /// Its place among the runs of the source.
    number: u64,
    pub(super) file: PartitionFile,
    pub(super) facts: DayFacts,
}

/// Sorts and writes runs beside the thread that reads the source.
///
/// However it ends, its threads have ended by then: nothing is written behind anybody's back.
#[derive(Debug)]
pub(super) struct RunWriter {
    sender: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<Result<Vec<Run>, StoreError>>>,
    sent: u64,
}

#[derive(Debug)]
struct Job {
    number: u64,
    day: Day,
    arrivals: Arrivals,
}

impl RunWriter {
    pub(super) fn start(root: &Path, ids: &FileIds, source: &str) -> Self {
        let (sender, receiver) = sync_channel(1);
        let (receiver, failed) = (Arc::new(Mutex::new(receiver)), Arc::default());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let spawn = |_| {
            let worker = Worker {
                jobs: Arc::clone(&receiver),
                failed: Arc::clone(&failed),
                root: root.to_owned(),
                ids: ids.clone(),
                source: source.to_owned(),
            };
            thread::spawn(move || worker.run())
        };
        Self {
            sender: Some(sender),
            threads: (0..threads).map(spawn).collect(),
            sent: 0,
        }
    }

    /// Has a part of a day written. Returns whether there is anybody left to do so; if not, [`RunWriter::finish`] says why.
    pub(super) fn write(&mut self, day: Day, arrivals: Arrivals) -> bool {
        let number = self.sent;
        self.sent += 1;
        let job = Job { number, day, arrivals };
        self.sender.as_ref().is_some_and(|sender| sender.send(job).is_ok())
    }

    /// The runs, in the order in which they were sent.
    pub(super) fn finish(mut self) -> Result<Vec<Run>, StoreError> {
        let parts: Result<Vec<_>, _> = self.join().into_iter().collect();
        let mut runs: Vec<Run> = parts?.into_iter().flatten().collect();
        runs.sort_unstable_by_key(|run| run.number);
        Ok(runs)
    }

    /// Waits for all threads. What each of them has written.
    fn join(&mut self) -> Vec<Result<Vec<Run>, StoreError>> {
        drop(self.sender.take());
        let ended = self.threads.drain(..).map(JoinHandle::join);
        ended.map(|written| written.unwrap_or(Err(StoreError::Worker))).collect()
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        drop(self.join());
    }
}

struct Worker {
    jobs: Arc<Mutex<Receiver<Job>>>,
    /// One of the threads failed: there is no use in what the others do.
    failed: Arc<AtomicBool>,
    root: PathBuf,
    ids: FileIds,
    source: String,
}

impl Worker {
    fn run(self) -> Result<Vec<Run>, StoreError> {
        let mut runs = Vec::new();
        while let Some(job) = self.next() {
            let run = self.write(job);
            self.failed.fetch_or(run.is_err(), Ordering::Relaxed);
            runs.push(run?);
        }
        Ok(runs)
    }

    fn next(&self) -> Option<Job> {
        let job = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        job.filter(|_| !self.failed.load(Ordering::Relaxed))
    }

    fn write(&self, Job { number, day, arrivals }: Job) -> Result<Run, StoreError> {
        let mut events = arrivals.settle(&self.source);
        events.sort();
        Ok(Run {
            number,
            file: write_events(&self.root, day, &events, &self.ids)?,
            facts: DayFacts::of(&events.rows, Instants::new()),
        })
    }
}

/// Writes sorted events as a file of their day.
pub(super) fn write_events(root: &Path, day: Day, events: &EventRows, ids: &FileIds) -> Result<PartitionFile, StoreError> {
    partition::write(root, Table::Events, day, ids.next(), &encode_events(events)?)
}

/// Encodes sorted events as a file of their day.
pub(super) fn encode_events(events: &EventRows) -> Result<Encoded, StoreError> {
    partition::encode(Table::Events, &columns::events(&events.rows, &events.strings)?)
}
