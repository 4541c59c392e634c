//! The one process that may change a store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::StoreError;
use super::carried::Carried;
use super::catalog::Catalog;
use super::derive::DERIVATION;
use super::facts::{DayFacts, FactsByDay, Instants, last_instants};
use super::incoming::Incoming;
use super::lock::{Gate, WriterLock};
use super::partition::{self, PartitionFile};
use super::rederive::{self, Derived, Rederivation};
use super::rows::EventRows;
use crate::event::Table;
use crate::time::{Day, Zone};

/// The right to change a store. While it lives, every other process that wants it waits.
#[derive(Debug)]
pub struct Writer {
    pub(super) root: PathBuf,
    pub(super) catalog: Catalog,
    pub(super) zone: Zone,
    pub(super) file_ids: FileIds,
    _lock: WriterLock,
}

/// Hands out numbers for files.
#[derive(Debug, Clone)]
pub(super) struct FileIds(Arc<AtomicI64>);

impl FileIds {
    pub(super) fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildSummary {
    /// Days with events.
    pub days: usize,
    /// Derived files that were made anew.
    pub files: usize,
    /// Those of them that differ from what was there.
    pub changed: usize,
}

impl Writer {
    /// Opens a store for writing: waits for other writers, and sweeps what a killed one left behind. A store that an older
    /// version of the program derived is derived again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] without a store, [`StoreError::Busy`] when another process writes for longer than `patience`.
    pub fn open(root: &Path, patience: Duration) -> Result<Self, StoreError> {
        // Before the lock, so that looking for a store leaves no lock file where there is none.
        drop(Catalog::open(root)?);
        let lock = WriterLock::acquire(root, patience)?;
        let mut catalog = Catalog::open(root)?;
        let (zone, last_id) = {
            let reading = catalog.read()?;
            (reading.zone()?, reading.last_file_id()?)
        };
        let mut writer = Self {
            root: root.to_owned(),
            catalog,
            zone,
            file_ids: FileIds(Arc::new(AtomicI64::new(last_id))),
            _lock: lock,
        };
        writer.sweep()?;
        if writer.catalog.read()?.derivation()? < DERIVATION {
            writer.rebuild(&mut |_, _| {})?;
        }
        Ok(writer)
    }

    /// The zone whose days the partitions are.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// Starts to take in the events of one source.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub fn incoming(&mut self, source: &str) -> Result<Incoming<'_>, StoreError> {
        Incoming::new(self, source)
    }

    /// Derives everything anew from the events.
    ///
    /// # Errors
    ///
    /// When events cannot be read or files cannot be written; the store is then as it was.
    pub fn rebuild(&mut self, progress: &mut (dyn FnMut(usize, usize) + Send)) -> Result<RebuildSummary, StoreError> {
        let (registry, files, known, marks) = {
            let reading = self.catalog.read()?;
            let marks = reading.marks(&BTreeSet::new())?;
            (reading.registry()?, reading.files()?, reading.facts()?, marks)
        };
        let events = rederive::event_files(&files);
        let mut facts = FactsByDay::new();
        for (day, file) in &events {
            let rows = read_events(&self.root, file)?;
            let silent_stops = known.get(day).map(|facts| facts.silent_stops.clone()).unwrap_or_default();
            facts.insert(*day, DayFacts::of(&rows.rows, silent_stops));
        }
        let last = last_instants(&facts, &marks.of_known(&registry));
        let rederivation = Rederivation {
            root: &self.root,
            zone: self.zone,
            registry: &registry,
            events: &events,
            facts: &facts,
            last: &last,
        };
        let dirty: BTreeSet<Day> = events.keys().copied().collect();
        let days = dirty.len();
        let mut derived = Vec::new();
        let (root, ids) = (self.root.clone(), self.file_ids.clone());
        rederivation.run(&Carried::anew(dirty), &|_, _| None, &mut |output: Derived| {
            let written = output.write(&root, &ids)?;
            derived.push(written);
            progress(derived.len().min(days), days);
            Ok(())
        })?;

        let new: Vec<&PartitionFile> = derived.iter().flat_map(|day| day.files.iter().flatten()).collect();
        partition::sync_folders(&self.root, new.iter().copied())?;
        let same = |file: &PartitionFile| {
            files
                .iter()
                .any(|old| (old.table, old.day, old.checksum) == (file.table, file.day, file.checksum))
        };
        let changed = new.iter().filter(|file| !same(file)).count();
        let summary = RebuildSummary {
            days,
            files: new.len(),
            changed,
        };
        let change = self.catalog.change()?;
        let generation = change.next_generation()?;
        for file in files.iter().filter(|file| file.table.derived()) {
            change.replace_file(file.table, file.day, None, generation)?;
        }
        for (day, facts) in &facts {
            change.replace_facts(*day, facts)?;
        }
        for day in &derived {
            day.put(&change, generation)?;
        }
        change.set_all_rollups()?;
        change.set_all_facts()?;
        change.set_derivation(DERIVATION)?;
        change.commit()?;
        self.collect_garbage()?;
        Ok(summary)
    }

    /// Completes the facts of days that an earlier version of the program wrote.
    pub(super) fn refresh_facts(&mut self) -> Result<(), StoreError> {
        let (files, facts) = {
            let reading = self.catalog.read()?;
            if reading.has_all_facts()? {
                return Ok(());
            }
            (reading.files()?, reading.facts()?)
        };
        let mut complete: BTreeMap<Day, DayFacts> = BTreeMap::new();
        for (day, file) in rederive::event_files(&files) {
            let has_changes = facts
                .get(&day)
                .is_some_and(|facts| facts.servers.values().any(|server| !server.changes.is_empty()));
            if has_changes {
                let events = read_events(&self.root, &file)?;
                complete.insert(day, DayFacts::of(&events.rows, Instants::new()));
            }
        }
        let change = self.catalog.change()?;
        for (day, facts) in &complete {
            change.replace_facts(*day, facts)?;
        }
        change.set_all_facts()?;
        change.commit()
    }

    /// Deletes the retired files that no snapshot needs.
    pub(super) fn collect_garbage(&mut self) -> Result<(), StoreError> {
        let gate = Gate::close(&self.root)?;
        let (retired, runs) = {
            let reading = self.catalog.read()?;
            (reading.retired()?, reading.run_files()?)
        };
        if retired.is_empty() {
            return Ok(());
        }
        // Runs are kept for the imports that are theirs.
        let runs: BTreeSet<i64> = runs.iter().map(|run| run.id).collect();
        let oldest = gate.oldest_leased()?.unwrap_or(u64::MAX);
        let change = self.catalog.change()?;
        for (file, generation) in &retired {
            if *generation <= oldest {
                if !runs.contains(&file.id) {
                    remove(&self.root.join(file.path()))?;
                }
                change.forget_file(file.id)?;
            }
        }
        change.commit()
    }

    /// Removes the files that no catalog names: what a writer left behind that did not come to its commit.
    pub(crate) fn sweep(&mut self) -> Result<(), StoreError> {
        self.collect_garbage()?;
        let reading = self.catalog.read()?;
        let mut named: BTreeSet<PathBuf> = reading.files()?.iter().map(PartitionFile::path).collect();
        named.extend(reading.run_files()?.iter().map(PartitionFile::path));
        named.extend(reading.retired()?.iter().map(|(file, _)| file.path()));
        drop(reading);
        for found in stored_files(&self.root)? {
            if !named.contains(&found) {
                remove(&self.root.join(found))?;
            }
        }
        Ok(())
    }
}

/// The partition files that lie in a store, named or not; relative paths.
pub(super) fn stored_files(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let folder = root.join(table.name());
        if !folder.exists() {
            continue;
        }
        for day in list(&folder)? {
            if !day.is_dir() {
                continue;
            }
            for file in list(&day)? {
                if partition::id_of(&file).is_some()
                    && let Ok(relative) = file.strip_prefix(root)
                {
                    found.push(relative.to_owned());
                }
            }
        }
    }
    Ok(found)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::io("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(StoreError::io("list", folder))
}

/// Removes a file, and the folder of its day when that was its last; what is gone already is fine.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::io("remove", path)(error)),
        _ => {}
    }
    if let Some(folder) = path.parent() {
        let _not_empty = fs::remove_dir(folder);
    }
    Ok(())
}

/// The events of a file, in its order.
pub(super) fn read_events(root: &Path, file: &PartitionFile) -> Result<EventRows, StoreError> {
    let mut events = EventRows::with_capacity(file.rows);
    for batch in partition::read(root, file)? {
        super::columns::read_events(&batch?, &mut events)?;
    }
    Ok(events)
}
