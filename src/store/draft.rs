//! A change of the store's events on its way into the store.
//!
//! ```text
//!   put ─▶ events and facts of days ─▶ settle: silent stops ─▶ derive what follows ─▶ one transaction
//! ```
//!
//! An import and an undo make the same of the same events: what follows from events is worked out here alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::StoreError;
use super::aliases::Aliases;
use super::arrivals::Arrivals;
use super::carried::{Carried, Known};
use super::catalog::{Catalog, Change};
use super::derive::Counts;
use super::facts::{DayFacts, FactsByDay, Instants, Marks, last_instants};
use super::partition::{self, PartitionFile};
use super::rederive::{self, Rederivation, Written};
use super::registry::Registry;
use super::rows::{EventRows, Id};
use super::runs::encode_events;
use super::silence::silent_stops;
use super::undo::merged;
use super::views::{View, Views};
use super::writer::{FileIds, Writer, read_events, remove};
use crate::event::{Event, Kind, Table};
use crate::time::{Day, Zone};

/// What a store holds before a change.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) files: Vec<PartitionFile>,
    /// The files of runs.
    pub(super) runs: Vec<PartitionFile>,
    pub(super) facts: FactsByDay,
    pub(super) counts: BTreeMap<(Day, Id), Counts>,
    pub(super) marks: Instants,
    aliases: Aliases,
}

impl Before {
    pub(super) fn read(catalog: &mut Catalog) -> Result<Self, StoreError> {
        let reading = catalog.read()?;
        let marks = reading.marks(&BTreeSet::new())?;
        Ok(Self {
            files: reading.files()?,
            runs: reading.run_files()?,
            facts: reading.facts()?,
            counts: reading.counts()?,
            marks: marks.of_known(&reading.registry()?),
            aliases: reading.aliases()?,
        })
    }
}

/// A change of the store's events, not a part of the store yet.
pub(super) struct Draft {
    root: PathBuf,
    ids: FileIds,
    zone: Zone,
    before: Before,
    /// The files of events as they will be.
    events: BTreeMap<Day, PartitionFile>,
    facts: FactsByDay,
    marks: Instants,
    aliases: Aliases,
    changed: BTreeSet<Day>,
    /// The files of runs by day, new ones as well.
    runs: BTreeMap<Day, Vec<PartitionFile>>,
    new_runs: Vec<PartitionFile>,
    derived: Vec<Written>,
}

impl Draft {
    pub(super) fn new(writer: &Writer, before: Before) -> Self {
        let mut runs: BTreeMap<Day, Vec<PartitionFile>> = BTreeMap::new();
        for run in &before.runs {
            runs.entry(run.day).or_default().push(run.clone());
        }
        Self {
            runs,
            new_runs: Vec::new(),
            root: writer.root.clone(),
            ids: writer.file_ids.clone(),
            zone: writer.zone,
            events: rederive::event_files(&before.files),
            facts: before.facts.clone(),
            marks: before.marks.clone(),
            aliases: before.aliases.clone(),
            before,
            changed: BTreeSet::new(),
            derived: Vec::new(),
        }
    }

    /// Where the store lies.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The numbers of new files.
    pub(super) const fn ids(&self) -> &FileIds {
        &self.ids
    }

    /// The days with events.
    pub(super) fn days(&self) -> BTreeSet<Day> {
        self.events.keys().copied().collect()
    }

    /// The file of a day's events, as it will be.
    pub(super) fn events(&self, day: Day) -> Option<&PartitionFile> {
        self.events.get(&day)
    }

    /// The events of a day that sources tell.
    pub(super) fn told(&self, day: Day) -> Result<EventRows, StoreError> {
        let Some(file) = self.events.get(&day) else {
            return Ok(EventRows::new());
        };
        let mut events = read_events(&self.root, file)?;
        if let Some(facts) = self.facts.get(&day) {
            events.rows.retain(|event| !facts.is_silent_stop(event));
        }
        Ok(events)
    }

    /// The aliases that the events of all days have resolved.
    pub(super) const fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// Resolves other aliases in the events of all days. Where features stand for themselves again, days are merged anew from their runs:
    /// only then are the `views` of all imports read, which grow with every import.
    pub(super) fn realias(&mut self, aliases: Aliases, views: impl FnOnce() -> Result<Views, StoreError>) -> Result<(), StoreError> {
        if aliases == self.aliases {
            return Ok(());
        }
        let anew = if aliases.keep(&self.aliases) { None } else { Some(views()?) };
        self.aliases = aliases;
        for day in self.days() {
            let touched = self.facts.get(&day).is_some_and(|facts| self.aliases.touch(facts));
            if anew.is_none() && !touched {
                continue;
            }
            let told = self.told(day)?;
            let resolved = match &anew {
                None => self.aliases.resolve(told.clone()),
                Some(views) => merged(self, day, &views.of_day(day))?,
            };
            if !resolved.same_rows(&told) {
                self.put(day, &resolved, Instants::new())?;
            }
        }
        Ok(())
    }

    /// Adds the file of a run. Returns the one that is kept: a file of the same rows that is there already makes the new one superfluous.
    pub(super) fn add_run(&mut self, file: PartitionFile) -> Result<PartitionFile, StoreError> {
        let known = self.runs.entry(file.day).or_default();
        if let Some(same) = known.iter().find(|known| known.checksum == file.checksum) {
            remove(&self.root.join(file.path()))?;
            return Ok(same.clone());
        }
        known.push(file.clone());
        self.new_runs.push(file.clone());
        Ok(file)
    }

    /// The file of a run.
    pub(super) fn run(&self, day: Day, id: i64) -> Option<&PartitionFile> {
        self.runs.get(&day)?.iter().find(|run| run.id == id)
    }

    /// The rows of a view of a day.
    pub(super) fn view(&self, day: Day, view: View) -> Result<EventRows, StoreError> {
        match self.run(day, view.file) {
            Some(file) => Ok(view.cut(read_events(&self.root, file)?)),
            None => Ok(EventRows::new()),
        }
    }

    /// Puts the file of a run in the place of a day's events.
    pub(super) fn put_run(&mut self, file: PartitionFile, facts: DayFacts) {
        self.changed.insert(file.day);
        self.facts.insert(file.day, facts);
        self.events.insert(file.day, file);
    }

    /// Puts events in the place of a day's, some of which are silent stops.
    pub(super) fn put(&mut self, day: Day, events: &EventRows, stops: Instants) -> Result<(), StoreError> {
        let replaced = self.events.remove(&day);
        let runs = self.runs.get(&day).map(Vec::as_slice).unwrap_or_default();
        let is_named = |file: &PartitionFile| self.before.files.iter().chain(runs).any(|named| named.id == file.id);
        if let Some(file) = replaced.filter(|file| !is_named(file)) {
            remove(&self.root.join(file.path()))?;
        }
        self.changed.insert(day);
        if events.rows.is_empty() {
            self.facts.remove(&day);
            return Ok(());
        }
        let encoded = encode_events(events)?;
        let file = match runs.iter().find(|run| run.checksum == encoded.checksum) {
            Some(same) => same.clone(),
            None => partition::write(&self.root, Table::Events, day, self.ids.next(), &encoded)?,
        };
        self.events.insert(day, file);
        self.facts.insert(day, DayFacts::of(&events.rows, stops));
        Ok(())
    }

    /// Settles when servers went down without a word, from the facts and marks as they will be, and writes that among the events.
    pub(super) fn settle(&mut self, marks: &Marks, registry: &Registry) -> Result<(), StoreError> {
        self.marks = marks.of_known(registry);
        let mut stops = silent_stops(&self.facts, &self.marks, self.zone);
        let days: BTreeSet<Day> = stops.keys().chain(self.facts.keys()).copied().collect();
        for day in days {
            let stops = stops.remove(&day).unwrap_or_default();
            let known = self.facts.get(&day).map(|facts| &facts.silent_stops);
            if *known.unwrap_or(&Instants::new()) != stops {
                self.put_stops(day, stops)?;
            }
        }
        Ok(())
    }

    fn put_stops(&mut self, day: Day, stops: Instants) -> Result<(), StoreError> {
        let mut events = self.told(day)?;
        for (server, stops) in &stops {
            let mut arrivals = Arrivals::with_capacity(stops.len());
            for at in stops {
                arrivals.push(&Event::new(Kind::ServerDown, *at), *server, 0);
            }
            events.append(&arrivals.settle(""));
        }
        events.sort();
        self.put(day, &events, stops)
    }

    /// Derives the days that differ in what they are derived from. Returns the counts as they will be.
    pub(super) fn derive(
        &mut self,
        registry: &Registry,
        progress: &mut (dyn FnMut(usize, usize) + Send),
    ) -> Result<BTreeMap<(Day, Id), Counts>, StoreError> {
        let (before, after) = (
            Known {
                facts: &self.before.facts,
                marks: &self.before.marks,
            },
            Known {
                facts: &self.facts,
                marks: &self.marks,
            },
        );
        let carried = Carried::of(before, after, &self.changed, self.zone);
        let files = self.before.files.iter();
        let live_files: FxHashMap<(Table, Day), &PartitionFile> = files.map(|file| ((file.table, file.day), file)).collect();
        let live = |table: Table, day: Day| live_files.get(&(table, day)).copied().cloned();
        let last = last_instants(&self.facts, &self.marks);
        let rederivation = Rederivation {
            root: &self.root,
            zone: self.zone,
            registry,
            events: &self.events,
            facts: &self.facts,
            last: &last,
        };
        let total = carried.dirty.len();
        let (root, ids, derived) = (&self.root, &self.ids, &mut self.derived);
        rederivation.run(&carried, &live, &mut |output| {
            derived.push(output.write_changed(root, ids, &live)?);
            progress(derived.len().min(total), total);
            Ok(())
        })?;
        // Days that were derived have new counts, beside those of the days that were not.
        let mut counts = std::mem::take(&mut self.before.counts);
        let rederived: BTreeSet<Day> = self.derived.iter().map(Written::day).collect();
        counts.retain(|(day, _), _| !rederived.contains(day));
        for derived in &self.derived {
            counts.extend(derived.counts.iter().map(|(server, counts)| ((derived.day(), *server), *counts)));
        }
        Ok(counts)
    }

    /// Whether a reader of the store would see another one.
    pub(super) fn changes_something(&self) -> bool {
        !self.changed.is_empty() || !self.derived.is_empty() || self.marks != self.before.marks
    }

    /// Makes the names of the new files durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let events = self.changed.iter().filter_map(|day| self.events.get(day));
        let derived = self.derived.iter().flat_map(|day| day.files.iter().flatten());
        partition::sync_folders(&self.root, events.chain(derived).chain(&self.new_runs))
    }

    /// Names everything in the catalog.
    pub(super) fn put_into(&self, change: &Change<'_>) -> Result<(), StoreError> {
        for run in &self.new_runs {
            change.put_run_file(run)?;
        }
        if !self.changes_something() {
            return Ok(());
        }
        let generation = change.next_generation()?;
        let nothing = DayFacts::default();
        for day in &self.changed {
            change.replace_file(Table::Events, *day, self.events.get(day), generation)?;
            change.replace_facts(*day, self.facts.get(day).unwrap_or(&nothing))?;
        }
        for day in &self.derived {
            day.put(change, generation)?;
        }
        Ok(())
    }
}
