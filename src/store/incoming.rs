//! The events of one source on their way into the store.
//!
//! ```text
//!  push ─▶ arrivals of each day ──(done with, or too many)──▶ settle, sort, encode, write ─▶ runs of each day
//!                                                                                   │ commit
//!                        one run, nothing known of the day: the run is the day's file ◀─┤
//!                        else: all runs together, merged with what is known           ◀─┘
//!                                        │
//!                      derive what follows, then one transaction
//! ```
//!
//! A source in order of time fills one day after the other; its runs are whole days and are written once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::StoreError;
use super::aliases::Aliases;
use super::arrivals::Arrivals;
use super::catalog::Catalog;
use super::derive::Counts;
use super::draft::{Before, Draft};
use super::ledger::{LedgerEntry, Told};
use super::names::Naming;
use super::registry::Registry;
use super::rows::Id;
use super::runs::{Run, RunWriter};
use super::telling::Telling;
use super::writer::Writer;
use crate::event::{Event, Kind};
use crate::time::{Day, Micros, Offsets};

/// How many rows wait in memory before days are written: some 200 MB.
const ROWS_IN_MEMORY: usize = 1_000_000;

/// A day with so many rows is written as soon as as many events of other days have come since: while the source is read on.
const LARGE: usize = 32 * 1024;

/// So many days wait at most when a source is in order of time.
const FEW: usize = 4;

/// Takes in the events of one source; nothing of them is in the store before [`Incoming::commit`].
#[derive(Debug)]
pub struct Incoming<'a> {
    writer: &'a mut Writer,
    source: String,
    registry: Registry,
    offsets: Offsets,
    /// The day of the last event: most events are of the day of the one before.
    current: Option<Current>,
    /// The other days.
    days: BTreeMap<Day, Waiting>,
    rows: usize,
    /// The rows of the day that had most so far.
    most_rows: usize,
    pushed: u64,
    pool: Option<RunWriter>,
    servers: BTreeSet<Id>,
    /// Until when the logs of servers and daemons go on.
    marks: BTreeMap<(String, String), Micros>,
    naming: Naming,
    /// Nothing becomes a part of the store.
    is_trial: bool,
}

/// The day that rows are added to.
#[derive(Debug)]
struct Current {
    day: Day,
    instants: Range<Micros>,
    waiting: Waiting,
    /// The server of its last row.
    server: Id,
}

/// The rows of a day that are not written yet.
#[derive(Debug)]
struct Waiting {
    rows: Arrivals,
    /// When the last of them came, as a count of events.
    touched: u64,
}

/// What a commit changed, and what the store holds now of what it touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events that were in the store already.
    pub duplicates: u64,
    /// Events that were not.
    pub added: u64,
    /// The servers and days of the source.
    pub coverage: Coverage,
    /// What the store holds of them.
    pub holds: Holds,
}

/// Servers, and days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    servers: BTreeSet<Id>,
    days: BTreeSet<Day>,
}

impl Coverage {
    /// Adds the servers and days of another source.
    pub fn add(&mut self, other: Self) {
        self.servers.extend(other.servers);
        self.days.extend(other.days);
    }
}

/// What a store holds of some servers and days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// Sessions that began on these days.
    pub sessions: u64,
    /// Checkins on these days that no checkout explains.
    pub orphans: u64,
    /// Checkins on these days that several checkouts explain.
    pub ambiguous: u64,
    /// Sessions that ended on these days because their server did.
    pub truncated: u64,
    /// Sessions that are still held at the last instants known of these servers.
    pub open: u64,
}

impl Holds {
    /// Reads what a store holds.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub fn read(root: &Path, coverage: &Coverage) -> Result<Self, StoreError> {
        let counts = Catalog::open(root)?.read()?.counts()?;
        Ok(Self::sum(&counts, coverage))
    }

    fn sum(counts: &BTreeMap<(Day, Id), Counts>, coverage: &Coverage) -> Self {
        let mut holds = Self::default();
        for ((day, server), counts) in counts {
            if !coverage.servers.contains(server) {
                continue;
            }
            // Open sessions are counted on the last day of their server, wherever that is.
            holds.open += counts.open;
            if coverage.days.contains(day) {
                holds.sessions += counts.sessions;
                holds.orphans += counts.orphans;
                holds.ambiguous += counts.ambiguous;
                holds.truncated += counts.truncated;
            }
        }
        holds
    }
}

impl<'a> Incoming<'a> {
    pub(super) fn new(writer: &'a mut Writer, source: &str) -> Result<Self, StoreError> {
        let registry = writer.catalog.read()?.registry()?;
        let offsets = Offsets::new(writer.zone);
        Ok(Self {
            is_trial: false,
            writer,
            source: source.to_owned(),
            registry,
            offsets,
            current: None,
            days: BTreeMap::new(),
            rows: 0,
            most_rows: 0,
            pushed: 0,
            pool: None,
            servers: BTreeSet::new(),
            marks: BTreeMap::new(),
            naming: Naming::default(),
        })
    }

    /// Takes in an event.
    ///
    /// # Errors
    ///
    /// When rows have to be written and cannot be.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), StoreError> {
        let server = self.registry.server(event.server, event.daemon);
        let feature = if event.feature.is_empty() {
            0
        } else {
            let feature = self.registry.feature(server, event.feature, event.version, event.vendor);
            self.naming.feature(feature, event.vendor);
            if event.kind != Kind::Capacity {
                self.naming.used(feature);
            }
            feature
        };
        if !self.current.as_ref().is_some_and(|current| current.instants.contains(&event.at)) {
            self.turn_to(event.at)?;
        }
        if let Some(current) = &mut self.current {
            if current.server != server {
                current.server = server;
                self.servers.insert(server);
            }
            current.waiting.rows.push(event, server, feature);
        }
        self.pushed += 1;
        self.rows += 1;
        if self.rows >= ROWS_IN_MEMORY {
            self.write_oldest()?;
        }
        Ok(())
    }

    /// Makes [`Incoming::commit`] work out what it would change, and change nothing.
    #[must_use]
    pub fn trial(self, is_trial: bool) -> Self {
        Self { is_trial, ..self }
    }

    /// Returns whether any license server is known by a vendor daemon.
    #[must_use]
    pub fn knows_daemons(&self) -> bool {
        self.registry.servers().iter().any(|server| !server.daemon.is_empty())
    }

    /// Returns the vendor daemons of a license server that have a feature, in order of their names.
    #[must_use]
    pub fn daemons_of(&self, server: &str, feature: &str) -> Vec<String> {
        self.registry.daemons_of(server, feature)
    }

    /// Notes which license manager a server runs.
    pub fn manager(&mut self, server: &str, daemon: &str, manager: &str) {
        let server = self.registry.server(server, daemon);
        self.registry.set_manager(server, manager);
        self.naming.server(server, manager);
    }

    /// Notes what a package consists of: the names of features, separated by blanks.
    pub fn package(&mut self, server: &str, daemon: &str, feature: &str, components: &str) {
        let server = self.registry.server(server, daemon);
        let feature = self.registry.feature(server, feature, "", daemon);
        self.registry.set_package(feature, components);
        self.naming.server(server, "");
        self.naming.feature(feature, daemon);
        self.naming.package(feature, components);
    }

    /// Notes that the source's log of a daemon goes on until an instant, with events or without.
    pub fn known_until(&mut self, server: &str, daemon: &str, at: Micros) {
        let mark = self.marks.entry((server.to_owned(), daemon.to_owned())).or_insert(at);
        *mark = at.max(*mark);
    }

    /// Makes the day of an instant the one that rows are added to.
    fn turn_to(&mut self, at: Micros) -> Result<(), StoreError> {
        // Days of one source are alike, and the largest of them was no day off. Where many wait, they have to be small.
        let rows = self.current.as_ref().map_or(0, |current| current.waiting.rows.len());
        self.most_rows = self.most_rows.max(rows);
        let room = if self.days.len() < FEW { self.most_rows } else { rows };
        self.turn_from();
        let day = self.offsets.day_of(at);
        let zone = self.offsets.zone();
        let waiting = match self.days.remove(&day) {
            Some(known) => known,
            None => {
                self.write_quiet()?;
                Waiting {
                    rows: Arrivals::with_capacity(room),
                    touched: 0,
                }
            }
        };
        self.current = Some(Current {
            day,
            instants: zone.start_of(day)..zone.start_of(day.next()),
            waiting,
            server: 0,
        });
        Ok(())
    }

    /// Puts the day that rows were added to among the others.
    fn turn_from(&mut self) {
        if let Some(Current { day, mut waiting, .. }) = self.current.take() {
            waiting.touched = self.pushed;
            self.days.insert(day, waiting);
        }
    }

    /// Writes the days that a source in order of time is done with. Should more of them come after all, they get another run.
    fn write_quiet(&mut self) -> Result<(), StoreError> {
        let is_quiet = |waiting: &Waiting| waiting.rows.len() >= LARGE && waiting.touched + LARGE as u64 <= self.pushed;
        let quiet: Vec<Day> = self
            .days
            .iter()
            .filter(|(_, waiting)| is_quiet(waiting))
            .map(|(day, _)| *day)
            .collect();
        quiet.into_iter().try_for_each(|day| self.write_day(day))
    }

    /// Writes the days that were quiet for longest, until half of the rows are gone.
    fn write_oldest(&mut self) -> Result<(), StoreError> {
        self.turn_from();
        let mut by_age: Vec<(u64, Day)> = self.days.iter().map(|(day, waiting)| (waiting.touched, *day)).collect();
        by_age.sort_unstable();
        for (_, day) in by_age {
            if self.rows <= ROWS_IN_MEMORY / 2 {
                break;
            }
            self.write_day(day)?;
        }
        Ok(())
    }

    fn write_day(&mut self, day: Day) -> Result<(), StoreError> {
        let Some(Waiting { rows, .. }) = self.days.remove(&day) else {
            return Ok(());
        };
        self.rows -= rows.len();
        let pool = self
            .pool
            .get_or_insert_with(|| RunWriter::start(&self.writer.root, &self.writer.file_ids, &self.source));
        if pool.write(day, rows) {
            return Ok(());
        }
        // They stopped because one failed: joining them says how.
        let ended = self.pool.take().map_or(Ok(Vec::new()), RunWriter::finish);
        ended.and(Err(StoreError::Worker))
    }

    /// Makes the events a part of the store, all of them or none. The ledger's entry is made from what was found.
    ///
    /// # Errors
    ///
    /// When files cannot be read or written; the store is then as it was.
    pub fn commit(
        mut self,
        progress: &mut (dyn FnMut(usize, usize) + Send),
        ledger: impl FnOnce(&Committed) -> LedgerEntry,
    ) -> Result<Committed, StoreError> {
        self.turn_from();
        let waiting: Vec<Day> = self.days.keys().copied().collect();
        for day in waiting {
            self.write_day(day)?;
        }
        let runs = self.pool.take().map_or_else(|| Ok(Vec::new()), RunWriter::finish)?;
        let mut runs_of_day: BTreeMap<Day, Vec<Run>> = BTreeMap::new();
        for run in runs {
            runs_of_day.entry(run.file.day).or_default().push(run);
        }

        let mut committed = Committed {
            coverage: Coverage {
                servers: std::mem::take(&mut self.servers),
                days: runs_of_day.keys().copied().collect(),
            },
            ..Committed::default()
        };
        self.writer.refresh_facts()?;
        let before = Before::read(&mut self.writer.catalog)?;
        let mut draft = Draft::new(self.writer, before);
        let firsts = runs_of_day.values().flatten().flat_map(|run| run.facts.servers.values());
        let begins = firsts.map(|facts| facts.first).min();
        let (supersedes, marks, earlier) = {
            let reading = self.writer.catalog.read()?;
            let supersedes = reading.superseded_by(&self.source, begins, &committed.coverage.servers)?;
            let mut marks = reading.marks(&supersedes)?;
            for ((server, daemon), at) in &self.marks {
                marks.add(server.clone(), daemon.clone(), *at);
            }
            let earlier = supersedes.iter().map(|import| Ok((*import, reading.views_of(*import)?)));
            (supersedes.clone(), marks, earlier.collect::<Result<_, StoreError>>()?)
        };
        let reading = self.writer.catalog.read()?;
        let mut used = reading.used_features_without(0)?;
        used.extend(self.naming.all_used());
        draft.realias(Aliases::of(&self.registry, &used), || reading.views())?;
        drop(reading);
        let mut told = Telling::new(earlier);
        for (day, runs) in runs_of_day {
            let merged = told.merge_day(day, runs, &mut draft)?;
            committed.duplicates += merged.duplicates;
            committed.added += merged.added;
        }
        draft.settle(&marks, &self.registry)?;
        let counts = draft.derive(&self.registry, progress)?;
        committed.holds = Holds::sum(&counts, &committed.coverage);

        if self.is_trial {
            // The entry would have been made; the files that were written belong to nobody, and go with the next sweep.
            drop(ledger(&committed));
            return Ok(committed);
        }
        draft.sync()?;
        let change = self.writer.catalog.change()?;
        draft.put_into(&change)?;
        change.put_registry(&self.registry)?;
        change.replace_aliases(draft.aliases())?;
        let servers = &committed.coverage.servers;
        let of_import = self.registry.servers().iter().filter(|server| servers.contains(&server.id));
        let entry = Told {
            servers,
            names: of_import.map(|server| &*server.name).collect(),
            marks: &self.marks,
            supersedes: &supersedes,
        };
        let import = change.put_import(&ledger(&committed), &entry)?;
        servers.iter().for_each(|server| self.naming.server(*server, ""));
        change.put_names(import, &self.naming.finish())?;
        told.put_into(&change, import)?;
        change.retire_run_files()?;
        change.commit()?;
        self.writer.collect_garbage()?;
        Ok(committed)
    }
}
