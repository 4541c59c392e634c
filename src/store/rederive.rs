//! Deriving many days: from the first that changed, for as long as there is something to change.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use rustc_hash::FxHashMap;

use super::carried::Carried;
use super::catalog::Change;
use super::derive::{self, Counts, DayInput, DayOutput, Head, Rollups, SHORTAGE_WINDOW, ServerInput};
use super::facts::FactsByDay;
use super::partition::{self, Encoded, PartitionFile};
use super::registry::Registry;
use super::rows::{EventRow, EventRows, Id, OpenRow};
use super::strings::Strings;
use super::writer::FileIds;
use super::{StoreError, columns};
use crate::event::{Kind, Table};
use crate::time::{Day, Micros, Window, Zone};

/// What days are derived from.
pub(super) struct Rederivation<'a> {
    pub(super) root: &'a Path,
    pub(super) zone: Zone,
    pub(super) registry: &'a Registry,
    /// The files of events, changed ones as they will be.
    pub(super) events: &'a BTreeMap<Day, PartitionFile>,
    /// What they say, likewise.
    pub(super) facts: &'a FactsByDay,
    /// The last instant known of each server.
    pub(super) last: &'a BTreeMap<Id, Micros>,
}

/// The files of events, by day.
pub(super) fn event_files(files: &[PartitionFile]) -> BTreeMap<Day, PartitionFile> {
    let events = files.iter().filter(|file| file.table == Table::Events);
    events.map(|file| (file.day, file.clone())).collect()
}

/// How many files one day yields at most.
const FILES: usize = 6;

/// The files that one day yields: its sessions and denials, their rollups, and what is open at the start of the next.
pub(super) struct Derived {
    pub(super) day: Day,
    pub(super) files: [(Table, Day, Option<Encoded>); FILES],
    pub(super) counts: BTreeMap<Id, Counts>,
}

/// A [`Derived`] whose files are written.
pub(super) struct Written {
    day: Day,
    places: [(Table, Day); FILES],
    /// The new file of each place; nothing where the place is to be empty.
    pub(super) files: [Option<PartitionFile>; FILES],
    /// Places that keep the file they have.
    kept: [bool; FILES],
    pub(super) counts: BTreeMap<Id, Counts>,
}

impl Derived {
    /// Writes all files.
    pub(super) fn write(self, root: &Path, ids: &FileIds) -> Result<Written, StoreError> {
        self.write_changed(root, ids, &|_, _| None)
    }

    /// Writes the files that differ from those that are live.
    pub(super) fn write_changed(self, root: &Path, ids: &FileIds, live: &LiveFile<'_>) -> Result<Written, StoreError> {
        let mut written = Written {
            day: self.day,
            places: std::array::from_fn(|place| (self.files[place].0, self.files[place].1)),
            files: Default::default(),
            kept: [false; FILES],
            counts: self.counts,
        };
        for (place, (table, day, encoded)) in self.files.iter().enumerate() {
            let before = live(*table, *day).map(|file| file.checksum);
            if before == encoded.as_ref().map(|encoded| encoded.checksum) {
                written.kept[place] = true;
            } else if let Some(encoded) = encoded {
                written.files[place] = Some(partition::write(root, *table, *day, ids.next(), encoded)?);
            }
        }
        Ok(written)
    }
}

impl Written {
    /// The day that was derived.
    pub(super) const fn day(&self) -> Day {
        self.day
    }

    /// Names the files in the catalog.
    pub(super) fn put(&self, change: &Change<'_>, generation: u64) -> Result<(), StoreError> {
        for (place, (table, day)) in self.places.iter().enumerate() {
            if !self.kept[place] {
                change.replace_file(*table, *day, self.files[place].as_ref(), generation)?;
            }
        }
        change.replace_counts(self.day, &self.counts)
    }
}

/// Finds the live file of a table and day.
pub(super) type LiveFile<'a> = dyn Fn(Table, Day) -> Option<PartitionFile> + Sync + 'a;

impl Rederivation<'_> {
    /// Derives the days that differ for certain, and after each of them those that follow, until what is open at midnight is what it
    /// was, and so is the status of whoever holds it.
    ///
    /// Reading the next day, deriving this one and encoding the one before go on at the same time.
    pub(super) fn run(
        &self,
        carried_over: &Carried,
        live: &LiveFile<'_>,
        emit: &mut (dyn FnMut(Derived) -> Result<(), StoreError> + Send),
    ) -> Result<(), StoreError> {
        let name_of_feature = self.registry.name_of_feature();
        let mut servers = ServerTimelines::new(self.facts, self.last);
        let mut dirty = carried_over.dirty.clone();
        thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::sync_channel::<Computed>(1);
            let encoder = scope.spawn(move || receiver.into_iter().try_for_each(|computed| emit(computed.encode()?)));
            let mut prefetched: Option<(Day, ScopedJoinHandle<'_, Result<EventRows, StoreError>>)> = None;
            let mut carried: Option<(Day, Vec<OpenRow>, Strings)> = None;
            let alive = loop {
                let (day, open, open_strings) = match carried.take() {
                    Some(carried) => carried,
                    None => match dirty.first().copied() {
                        Some(day) => self.live_open(day, live)?,
                        None => break true,
                    },
                };
                dirty.remove(&day);
                let mut events = match prefetched.take() {
                    Some((fetched, handle)) if fetched == day => handle.join().map_err(|_panic| StoreError::Worker)??,
                    _ => self.events_of(day)?,
                };
                let next = scope.spawn(move || self.events_of(day.next()));
                let open = renumber(&open, &open_strings, &mut events.strings);

                let (start, end) = (self.zone.start_of(day), self.zone.start_of(day.next()));
                let mut next_head = Head::new();
                let next = if needs_head(&events.rows, end) {
                    let next = next.join().map_err(|_panic| StoreError::Worker)??;
                    next_head = head(&next, end, &name_of_feature);
                    scope.spawn(move || Ok(next))
                } else {
                    next
                };
                prefetched = Some((day.next(), next));

                let inputs = servers.at(day);
                let output = derive::day(&DayInput {
                    start,
                    end,
                    events: &events.rows,
                    open: &open,
                    strings: &events.strings,
                    servers: &inputs,
                    name_of_feature: &name_of_feature,
                    next_head: &next_head,
                });
                let open_next = encode(Table::Open, columns::open(&output.open, &events.strings))?;
                let before = live(Table::Open, day.next()).map(|file| file.checksum);
                let differs = before != open_next.as_ref().map(|open| open.checksum)
                    || output.open.iter().any(|row| carried_over.status_differs(row.server, day.next()));
                if differs || dirty.contains(&day.next()) {
                    carried = Some((day.next(), output.open.clone(), events.strings.clone()));
                }
                let computed = Computed {
                    day,
                    window: Window::new(start, end),
                    output,
                    open_next,
                    strings: events.strings,
                };
                if sender.send(computed).is_err() {
                    break false; // the encoder failed and says why
                }
            };
            drop(sender);
            let encoded = encoder.join().map_err(|_panic| StoreError::Worker)?;
            debug_assert!(alive || encoded.is_err(), "the encoder only stops early when it fails");
            encoded
        })
    }

    fn events_of(&self, day: Day) -> Result<EventRows, StoreError> {
        let Some(file) = self.events.get(&day) else {
            return Ok(EventRows::new());
        };
        let mut events = EventRows::with_capacity(file.rows);
        for batch in partition::read_columns(self.root, file, &columns::DERIVED_FROM)? {
            columns::read_events(&batch?, &mut events)?;
        }
        Ok(events)
    }

    fn live_open(&self, day: Day, live: &LiveFile<'_>) -> Result<(Day, Vec<OpenRow>, Strings), StoreError> {
        let (mut rows, mut strings) = (Vec::new(), Strings::new());
        if let Some(file) = live(Table::Open, day) {
            for batch in partition::read(self.root, &file)? {
                rows.extend(columns::read_open(&batch?, &mut strings)?);
            }
        }
        Ok((day, rows, strings))
    }
}

/// A derived day on its way to the encoder.
struct Computed {
    day: Day,
    /// Its instants; a day that has none, as zones skipped some, has no rows.
    window: Option<Window>,
    output: DayOutput,
    open_next: Option<Encoded>,
    strings: Strings,
}

impl Computed {
    /// Rollups are made and encoded beside the pieces that they follow from.
    fn encode(self) -> Result<Derived, StoreError> {
        let (rollups, pieces) = thread::scope(|scope| {
            let rollups = scope.spawn(|| self.rollups());
            let pieces = self.pieces();
            (rollups.join(), pieces)
        });
        let [levels, user_days, host_peaks] = rollups.map_err(|_panic| StoreError::Worker)??;
        let [sessions, denials] = pieces?;
        Ok(Derived {
            day: self.day,
            files: [
                (Table::Sessions, self.day, sessions),
                (Table::Denials, self.day, denials),
                (Table::Levels, self.day, levels),
                (Table::UserDays, self.day, user_days),
                (Table::HostPeaks, self.day, host_peaks),
                (Table::Open, self.day.next(), self.open_next),
            ],
            counts: self.output.counts.into_iter().collect(),
        })
    }

    fn pieces(&self) -> Result<[Option<Encoded>; 2], StoreError> {
        let DayOutput {
            sessions,
            denials,
            granted_by,
            ..
        } = &self.output;
        Ok([
            encode(Table::Sessions, columns::sessions(sessions, &self.strings))?,
            encode(Table::Denials, columns::denials(denials, &self.strings, granted_by))?,
        ])
    }

    fn rollups(&self) -> Result<[Option<Encoded>; 3], StoreError> {
        let DayOutput { sessions, denials, .. } = &self.output;
        let rollups = self.window.map(|day| Rollups::of_day(day, sessions, denials, &self.strings));
        let Rollups {
            levels,
            user_days,
            host_peaks,
        } = rollups.unwrap_or_default();
        Ok([
            encode(Table::Levels, columns::levels(&levels))?,
            encode(Table::UserDays, columns::user_days(&user_days, &self.strings))?,
            encode(Table::HostPeaks, columns::host_peaks(&host_peaks))?,
        ])
    }
}

/// The file of some rows; nothing where there are none.
fn encode(table: Table, rows: Result<RecordBatch, ArrowError>) -> Result<Option<Encoded>, StoreError> {
    let rows = rows?;
    (rows.num_rows() > 0).then(|| partition::encode(table, &rows)).transpose()
}

fn renumber(open: &[OpenRow], from: &Strings, to: &mut Strings) -> Vec<OpenRow> {
    let mut number = |old: u32| to.intern(from.get(old));
    open.iter()
        .map(|row| OpenRow {
            user: number(row.user),
            host: number(row.host),
            display: number(row.display),
            group: number(row.group),
            handle: number(row.handle),
            ..*row
        })
        .collect()
}

/// Whether a refusal so late in the day may be helped by a checkout of the next.
fn needs_head(events: &[EventRow], end: Micros) -> bool {
    events
        .iter()
        .any(|event| event.kind.of_denial() && event.at + SHORTAGE_WINDOW >= end)
}

fn head(events: &EventRows, start: Micros, name_of_feature: &FxHashMap<Id, u32>) -> Head {
    let first = events.rows.iter().filter(|event| event.at <= start + SHORTAGE_WINDOW);
    let got = first.filter(|event| matches!(event.kind, Kind::Checkout | Kind::Session));
    got.filter_map(|event| {
        Some((
            *name_of_feature.get(&event.feature)?,
            events.strings.get(event.user).to_owned(),
            event.at,
            event.server,
        ))
    })
    .collect()
}

/// Whether servers are up, day after day.
struct ServerTimelines<'a> {
    facts: &'a FactsByDay,
    last: &'a BTreeMap<Id, Micros>,
    /// Who is down at the first instant of `day`.
    down: FxHashMap<Id, bool>,
    day: Day,
}

impl<'a> ServerTimelines<'a> {
    fn new(facts: &'a FactsByDay, last: &'a BTreeMap<Id, Micros>) -> Self {
        Self {
            facts,
            last,
            down: FxHashMap::default(),
            day: Day(i32::MIN),
        }
    }

    /// What is known of the servers on a day; days are asked for in order.
    fn at(&mut self, day: Day) -> FxHashMap<Id, ServerInput> {
        for facts in self.facts.range(self.day..day).map(|(_, facts)| facts) {
            for server in facts.servers() {
                if let Some(change) = facts.last_change(server) {
                    self.down.insert(server, !change.up);
                }
            }
        }
        self.day = day;
        let today = self.facts.get(&day);
        let input = |(server, last): (&Id, &Micros)| {
            let input = ServerInput {
                down: self.down.get(server).copied().unwrap_or_default(),
                changes: today.map(|facts| facts.changes(*server)).unwrap_or_default(),
                last: *last,
            };
            (*server, input)
        };
        self.last.iter().map(input).collect()
    }
}
