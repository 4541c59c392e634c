//! Is everything there, and does it follow from the events?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::carried::Carried;
use super::draft::{Before, Draft};
use super::facts::{DayFacts, FactsByDay, Instants, last_instants};
use super::partition::{self, PartitionFile};
use super::rederive::{self, Rederivation};
use super::rows::{EventRow, EventRows, Id};
use super::silence::silent_stops;
use super::undo::merged;
use super::views::{View, Views};
use super::writer::{Writer, read_events, stored_files};
use super::{StoreError, columns};
use crate::event::{Kind, Table};
use crate::time::{Day, Micros, Zone};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckSummary {
    /// Partition files that were read.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Everything that is not as it should be.
    pub flaws: Vec<Flaw>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The file, relative to the store.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl Writer {
    /// Reads every file and derives every day again: checksums, counts of rows, order, days, facts, and that what is
    /// derived is what a rebuild would make.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read. What is wrong with files is no error but a [`Flaw`].
    pub fn check(&mut self, progress: &mut (dyn FnMut(usize, usize) + Send)) -> Result<CheckSummary, StoreError> {
        let (registry, files, facts, counts, has_all_rollups) = {
            let reading = self.catalog.read()?;
            let rollups = reading.has_all_rollups()?;
            (reading.registry()?, reading.files()?, reading.facts()?, reading.counts()?, rollups)
        };
        let (has_all_facts, marks) = {
            let reading = self.catalog.read()?;
            (reading.has_all_facts()?, reading.marks(&BTreeSet::new())?.of_known(&registry))
        };
        let facts_to_check = FactsToCheck {
            facts: &facts,
            has_all_facts,
        };
        let mut summary = CheckSummary::default();
        let steps = files.len() * 2;
        for file in &files {
            let flaw = check_file(&self.root, file, self.zone, &facts_to_check);
            summary.flaws.extend(flaw.err().map(|reason| Flaw { path: file.path(), reason }));
            summary.files += 1;
            summary.rows += file.rows;
            summary.bytes += file.bytes;
            progress(summary.files, steps);
        }
        let (runs, views) = {
            let reading = self.catalog.read()?;
            (reading.run_files()?, reading.views()?)
        };
        for run in runs.iter().filter(|run| files.iter().all(|file| file.id != run.id)) {
            let flaw = check_bytes(&self.root, run);
            summary.flaws.extend(flaw.err().map(|reason| Flaw { path: run.path(), reason }));
            summary.files += 1;
            summary.rows += run.rows;
            summary.bytes += run.bytes;
        }
        let named: BTreeSet<PathBuf> = files.iter().chain(&runs).map(PartitionFile::path).collect();
        let retired: BTreeSet<PathBuf> = self.catalog.read()?.retired()?.iter().map(|(file, _)| file.path()).collect();
        for path in stored_files(&self.root)? {
            if !named.contains(&path) && !retired.contains(&path) {
                summary.flaws.push(Flaw {
                    path,
                    reason: "no catalog names it".to_owned(),
                });
            }
        }
        if !summary.flaws.is_empty() {
            return Ok(summary); // nothing can be derived from damaged events
        }

        let events = rederive::event_files(&files);
        for day in facts.keys().filter(|day| !events.contains_key(day)) {
            summary
                .flaws
                .push(flaw(Table::Events, *day, "the catalog has facts of a day without events"));
        }
        let stops = silent_stops(&facts, &marks, self.zone);
        for day in facts.keys().chain(stops.keys()).copied().collect::<BTreeSet<Day>>() {
            let noted = facts.get(&day).map(|facts| &facts.silent_stops);
            let nothing = Instants::new();
            if noted.unwrap_or(&nothing) != stops.get(&day).unwrap_or(&nothing) {
                summary.flaws.push(flaw(
                    Table::Events,
                    day,
                    "the stops of servers that no source told do not follow from its imports",
                ));
            }
        }
        self.check_runs(&runs, &views, &mut summary)?;
        let last = last_instants(&facts, &marks);
        let live: BTreeMap<(Table, Day), &PartitionFile> = files.iter().map(|file| ((file.table, file.day), file)).collect();
        let mut stale: BTreeSet<(Table, Day)> = live.keys().copied().filter(|(table, _)| table.derived()).collect();
        let rederivation = Rederivation {
            root: &self.root,
            zone: self.zone,
            registry: &registry,
            events: &events,
            facts: &facts,
            last: &last,
        };
        let flaws = &mut summary.flaws;
        let root = self.root.clone();
        let mut done = files.len();
        let mut counted: BTreeSet<Day> = BTreeSet::new();
        // With nothing live to compare with, every day that has something is derived.
        rederivation.run(&Carried::anew(events.keys().copied().collect()), &|_, _| None, &mut |derived| {
            for (table, day, encoded) in &derived.files {
                stale.remove(&(*table, *day));
                let is_right = match (live.get(&(*table, *day)), encoded) {
                    (Some(file), Some(encoded)) => encoded.has_rows_of(&root, file)?,
                    // Days that were derived before there were rollups have none: their pieces answer.
                    (None, Some(_)) => table.rollup() && !has_all_rollups,
                    (is, should) => is.is_none() && should.is_none(),
                };
                if !is_right {
                    flaws.push(flaw(*table, *day, "is not what its events derive to; `headroom rebuild` mends it"));
                }
            }
            counted.insert(derived.day);
            let noted = counts
                .iter()
                .filter(|((day, _), _)| *day == derived.day)
                .map(|((_, server), counts)| (*server, *counts));
            if noted.collect::<BTreeMap<_, _>>() != derived.counts {
                flaws.push(flaw(
                    Table::Sessions,
                    derived.day,
                    "its counts in the catalog are not what its events derive to",
                ));
            }
            done += derived.files.len();
            progress(done.min(steps), steps);
            Ok(())
        })?;
        flaws.extend(stale.into_iter().map(|(table, day)| flaw(table, day, "follows from no events")));
        let uncounted: BTreeSet<Day> = counts.keys().map(|(day, _)| *day).filter(|day| !counted.contains(day)).collect();
        flaws.extend(
            uncounted
                .into_iter()
                .map(|day| flaw(Table::Sessions, day, "the catalog has counts of a day without events")),
        );
        Ok(summary)
    }

    /// Checks that the events of each day are those that its imports tell, together.
    fn check_runs(&mut self, runs: &[PartitionFile], views: &Views, summary: &mut CheckSummary) -> Result<(), StoreError> {
        let before = Before::read(&mut self.catalog)?;
        let draft = Draft::new(self, before);
        let days = draft.days().into_iter().chain(runs.iter().map(|run| run.day));
        for day in days.collect::<BTreeSet<Day>>() {
            let told = views.of_day(day);
            let is_run = |view: &View| view.last_line.is_none() && draft.events(day).is_some_and(|file| file.id == view.file);
            if told.len() == 1 && told.iter().all(is_run) {
                continue;
            }
            if !merged(&draft, day, &told)?.same_rows(&draft.told(day)?) {
                summary
                    .flaws
                    .push(flaw(Table::Events, day, "its events are not those that its imports tell"));
            }
        }
        Ok(())
    }
}

fn flaw(table: Table, day: Day, reason: &str) -> Flaw {
    Flaw {
        path: Path::new(table.name()).join(format!("day={day}")),
        reason: reason.to_owned(),
    }
}

/// The facts that files are compared with.
struct FactsToCheck<'a> {
    facts: &'a FactsByDay,
    /// They say what is known before each change of a server's status.
    has_all_facts: bool,
}

impl FactsToCheck<'_> {
    /// Whether the catalog says of a day what its events say.
    fn fit(&self, day: Day, events: &EventRows) -> bool {
        let Some(noted) = self.facts.get(&day) else {
            return false;
        };
        let mut read = DayFacts::of(&events.rows, noted.silent_stops.clone());
        if !self.has_all_facts {
            let changes = read.servers.values_mut().flat_map(|server| &mut server.changes);
            changes.for_each(|change| change.before = None);
        }
        let is_there = |(server, at): (&Id, &Micros)| {
            let stop = |event: &&EventRow| event.kind == Kind::ServerDown && event.server == *server && event.at == *at;
            events.rows.iter().filter(stop).count() == 1
        };
        let mut stops = noted
            .silent_stops
            .iter()
            .flat_map(|(server, stops)| stops.iter().map(move |at| (server, at)));
        read == *noted && stops.all(is_there)
    }
}

/// Checks a file by itself; the error says what is wrong with it.
fn check_file(root: &Path, file: &PartitionFile, zone: Zone, facts: &FactsToCheck<'_>) -> Result<(), String> {
    check_bytes(root, file)?;
    let describe = |error: StoreError| format!("cannot be read: {error}");
    if file.table == Table::Events {
        let events = read_events(root, file).map_err(describe)?;
        check_events(&events, file.day, zone)?;
        if !facts.fit(file.day, &events) {
            return Err("the catalog's facts of the day are not those of its events".to_owned());
        }
        let encoded = columns::events(&events.rows, &events.strings).map_err(|error| error.to_string())?;
        if partition::encode(Table::Events, &encoded).map_err(describe)?.checksum != file.checksum {
            return Err("its rows encode to other bytes".to_owned());
        }
    }
    Ok(())
}

/// Checks the bytes of a file, its columns and how many rows it has.
fn check_bytes(root: &Path, file: &PartitionFile) -> Result<(), String> {
    let (bytes, checksum) = partition::checksum(&root.join(file.path())).map_err(|error| error.to_string())?;
    if bytes != file.bytes {
        return Err(format!("has {bytes} bytes instead of {}", file.bytes));
    }
    if checksum != file.checksum {
        return Err("its bytes are not those that were written".to_owned());
    }
    let describe = |error: StoreError| format!("cannot be read: {error}");
    let mut rows = 0;
    for batch in partition::read(root, file).map_err(describe)? {
        let batch = batch.map_err(describe)?;
        if batch.schema().fields() != file.table.schema().fields() {
            return Err("its columns are not those of its table".to_owned());
        }
        rows += batch.num_rows() as u64;
    }
    if rows != file.rows {
        return Err(format!("has {rows} rows instead of {}", file.rows));
    }
    Ok(())
}

fn check_events(events: &EventRows, day: Day, zone: Zone) -> Result<(), String> {
    let inside = zone.start_of(day)..zone.start_of(day.next());
    if let Some(stray) = events.rows.iter().find(|event: &&EventRow| !inside.contains(&event.at)) {
        return Err(format!("has an event of {}", crate::time::rfc3339(stray.at)));
    }
    let sorted = events
        .rows
        .is_sorted_by(|a, b| a.identity_order(&events.strings, b, &events.strings).is_le());
    if sorted {
        Ok(())
    } else {
        Err("its rows are out of order".to_owned())
    }
}
