//! What days come to: the same answers as from the tables, a day at a time.
//!
//! ```text
//!   for each day ─▶ a rollup can tell?  yes ─▶ kept in memory, or read          ─┐
//!                                       no  ─▶ pieces ─▶ kernel                 ─┴─▶ put together
//! ```
//!
//! Days are shared out among the engine's threads one by one. The invariant: a rollup is used only for a day of which it says
//! exactly what the pieces say: all of the day is asked for, in the store's own days, and working hours begin and end with its
//! quarters of an hour. A day without rollups, of a store that is older than they are, is answered by its pieces.

mod columns;
mod denials;
mod holders;
mod kept;
mod levels;
mod peaks;
mod pieces;
mod users;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::StringArray;
use datafusion::common::exec_err;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};

pub(super) use self::denials::DeniedAsked;
pub(super) use self::holders::HoldersAsked;
pub(super) use self::kept::Kept;
pub(super) use self::levels::LevelsAsked;
use crate::event::Table;
use crate::store::{Id, Opened, PartitionFile, Snapshot, StoreError, Strings};
use crate::time::{Day, Micros, Window, Zone};

/// What is computed day by day is computed with this.
#[derive(Debug)]
pub(super) struct Days {
    snapshot: Arc<Snapshot>,
    shared: Arc<Shared>,
    scanned: Arc<AtomicU64>,
}

/// What all queries share.
#[derive(Debug)]
pub(super) struct Shared {
    /// What is kept of files.
    pub(super) kept: Kept,
    /// Whether rollups are used where they can be.
    pub(super) rollups: bool,
    /// How many days are worked on at once.
    pub(super) parts: usize,
    /// The numbers of users and of hosts, for as long as the process lives.
    pub(super) users: Names,
    pub(super) hosts: Names,
}

/// Which rows of a table are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    /// Sessions or denials.
    pub(super) table: Table,
    /// Those of these servers; of all where there is nothing.
    pub(super) servers: Option<BTreeSet<Id>>,
    /// Sessions that end after this; denials of this instant or later.
    pub(super) from: Micros,
    /// What begins before this.
    pub(super) until: Micros,
}

impl Days {
    pub(super) fn new(snapshot: Arc<Snapshot>, shared: Arc<Shared>) -> Self {
        Self {
            snapshot,
            shared,
            scanned: Arc::default(),
        }
    }

    /// The same days, for another query.
    pub(super) fn anew(&self) -> Self {
        Self::new(Arc::clone(&self.snapshot), Arc::clone(&self.shared))
    }

    /// How many bytes of files were read.
    pub(super) fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// How many days are worked on at once.
    pub(super) fn parts(&self) -> usize {
        self.shared.parts
    }

    /// Roughly how much memory the days that are worked on take.
    pub(super) fn working_memory(&self) -> usize {
        let files = self.snapshot.files(Table::Sessions).values();
        let most = files.map(|file| file.rows).max().unwrap_or(0);
        usize::try_from(most)
            .unwrap_or(usize::MAX)
            .saturating_mul(BYTES_OF_ROW * self.shared.parts)
    }

    /// The instants of a day of the store.
    fn window(&self, day: Day) -> Option<Window> {
        let zone = self.snapshot.zone();
        Window::new(zone.start_of(day), zone.start_of(day.next()))
    }

    fn file(&self, table: Table, day: Day) -> Option<&PartitionFile> {
        self.snapshot.files(table).get(&day)
    }

    /// The rollup of a day, if rollups are to be used and there is one.
    fn rollup(&self, table: Table, day: Day) -> Option<&PartitionFile> {
        self.file(table, day).filter(|_| self.shared.rollups)
    }

    fn opened(&self, file: &PartitionFile) -> Result<Arc<Opened>> {
        let open = || Opened::open(&self.snapshot, file, &self.scanned).map_err(failed);
        self.shared.kept.opened(file, open)
    }

    /// The days of which a table has rows that may be meant.
    fn days_of(&self, rows: &Rows) -> Vec<Day> {
        let zone = self.snapshot.zone();
        let (first, last) = (zone.day_of(rows.from.max(EARLIEST)), zone.day_of(rows.until.min(LATEST)));
        let files = self.snapshot.files(rows.table);
        if first > last {
            return Vec::new();
        }
        files.range(first..=last).map(|(day, _)| *day).collect()
    }

    /// Works on days, several at a time, and returns what each thread has come to.
    async fn each<T, W>(self: &Arc<Self>, days: Vec<Day>, work: W) -> Result<Vec<T>>
    where
        T: Default + Send + 'static,
        W: Fn(&Self, Day, &mut T) -> Result<()> + Send + Sync + 'static,
    {
        let parts = self.shared.parts.min(days.len()).max(1);
        let shared = Arc::new((days, AtomicUsize::new(0), work));
        let tasks: Vec<_> = (0..parts)
            .map(|_| {
                let (this, shared) = (Arc::clone(self), Arc::clone(&shared));
                SpawnedTask::spawn(async move {
                    let (days, next, work) = &*shared;
                    let mut part = T::default();
                    while let Some(day) = days.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(&this, *day, &mut part)?;
                        // A query that nobody waits for any more ends here.
                        tokio::task::yield_now().await;
                    }
                    Ok::<T, DataFusionError>(part)
                })
            })
            .collect();
        let mut done = Vec::with_capacity(parts);
        for task in tasks {
            match task.join().await {
                Ok(part) => done.push(part?),
                Err(error) => return exec_err!("a part of the query died: {error}"),
            }
        }
        Ok(done)
    }
}

/// Two instants, a name, and edges.
const BYTES_OF_ROW: usize = 48;

/// Bounds of instants that have a day.
const EARLIEST: Micros = -8_000_000_000_000_000;
const LATEST: Micros = 8_000_000_000_000_000;

impl Rows {
    /// Whether all rows of a day are meant, as far as time goes.
    fn covers(&self, day: Window) -> bool {
        self.from <= day.start() && day.end() <= self.until
    }

    /// Whether any row of a day may be meant, as far as time goes.
    fn meet(&self, day: Window) -> bool {
        self.from < day.end() && day.start() < self.until
    }

    fn has_server(&self, server: Id) -> bool {
        self.servers.as_ref().is_none_or(|servers| servers.contains(&server))
    }

    /// Whether a row that covers these instants is meant.
    fn has(&self, started: Micros, ended: Micros) -> bool {
        let after = if self.table == Table::Denials {
            started >= self.from
        } else {
            ended > self.from
        };
        after && started < self.until
    }
}

/// The calendar days of a zone that a day of the store has a part of, and these parts.
fn parts_of(day: Window, zone: Zone) -> (Vec<Day>, Vec<Window>) {
    let days = zone.day_of(day.start()).to(zone.day_of(day.end() - 1));
    let part = |of: Day| {
        Some((
            of,
            Window::new(zone.start_of(of), zone.start_of(of.next()))?.intersect(day.start(), day.end())?,
        ))
    };
    days.filter_map(part).unzip()
}

fn failed(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Texts and their numbers, which never change.
#[derive(Debug)]
pub(super) struct Names(Mutex<Strings>);

impl Names {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Strings::new()))
    }

    /// The numbers of texts, new or known.
    fn numbers(&self, texts: &StringArray) -> Vec<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.iter().map(|text| known.intern(text.unwrap_or_default())).collect()
    }
}
