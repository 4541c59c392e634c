//! What the catalog keeps of a day's events, so that nobody has to read them again to know it.

use std::collections::{BTreeMap, BTreeSet};

use super::registry::Registry;
use super::rows::{EventRow, Id, NEVER, NO_NUMBER};
use crate::event::Kind;
use crate::time::{Day, Micros};

/// A server came up or went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StatusChange {
    pub(crate) at: Micros,
    pub(crate) up: bool,
    /// The latest instant or end of the server's events that lie before it on the same day.
    pub(crate) before: Option<Micros>,
}

/// The total of a feature changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CapacityChange {
    pub(crate) at: Micros,
    pub(crate) feature: Id,
    pub(crate) total: i32,
    /// The last day of the license.
    pub(crate) expires: Option<i32>,
}

/// What a day's events say about one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerFacts {
    pub(crate) first: Micros,
    /// The latest instant or end of any event.
    pub(crate) last: Micros,
    pub(crate) changes: Vec<StatusChange>,
}

/// The facts of all days.
pub(crate) type FactsByDay = BTreeMap<Day, DayFacts>;

/// Instants of servers, in order.
pub(crate) type Instants = BTreeMap<Id, BTreeSet<Micros>>;

/// Until when the logs of servers go on, by name: a log may tell so of a server that nothing else is known of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks(pub(crate) BTreeMap<(String, String), BTreeSet<Micros>>);

impl Marks {
    /// Adds a mark of a server and daemon.
    pub(crate) fn add(&mut self, server: String, daemon: String, at: Micros) {
        self.0.entry((server, daemon)).or_default().insert(at);
    }

    /// The marks of the servers that a registry knows.
    pub(crate) fn of_known(&self, registry: &Registry) -> Instants {
        let servers = registry.servers().iter();
        let known = servers.filter_map(|server| {
            let marks = self.0.get(&(server.name.clone(), server.daemon.clone()))?;
            Some((server.id, marks.clone()))
        });
        known.collect()
    }
}

/// The last instant known of each server that has events, on whichever day.
pub(crate) fn last_instants(facts: &FactsByDay, marks: &Instants) -> BTreeMap<Id, Micros> {
    let mut last = BTreeMap::new();
    for (server, facts) in facts.values().flat_map(|day| &day.servers) {
        let known = last.entry(*server).or_insert(facts.last);
        *known = facts.last.max(*known);
    }
    for (server, known) in &mut last {
        let mark = marks.get(server).and_then(BTreeSet::last);
        *known = mark.copied().unwrap_or(*known).max(*known);
    }
    last
}

/// What a day's events say about servers and features.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DayFacts {
    pub(crate) servers: BTreeMap<Id, ServerFacts>,
    pub(crate) capacities: Vec<CapacityChange>,
    /// When servers went down without a word: such a stop has a row among the events, but no source told it, and no other
    /// fact counts it.
    pub(crate) silent_stops: Instants,
}

impl DayFacts {
    /// Reads the facts off the sorted events of a day, some of which are silent stops.
    pub(crate) fn of(events: &[EventRow], silent_stops: Instants) -> Self {
        let mut facts = Self {
            silent_stops,
            ..Self::default()
        };
        // What is sorted by feature mostly has the server of the one before.
        for of_server in events.chunk_by(|a, b| a.server == b.server) {
            facts.add(of_server);
        }
        // Going down before coming up at one instant is a restart.
        for server in facts.servers.values_mut() {
            server.changes.sort_unstable();
            server.changes.dedup();
        }
        facts.look_before_changes(events);
        facts
    }

    /// Whether a row of the day is a silent stop.
    pub(crate) fn is_silent_stop(&self, event: &EventRow) -> bool {
        is_silent_stop(&self.silent_stops, event)
    }

    /// When a server came up or went down, silent stops included, in order.
    pub(crate) fn changes(&self, server: Id) -> Vec<StatusChange> {
        let mut changes = self.servers.get(&server).map(|facts| facts.changes.clone()).unwrap_or_default();
        if let Some(stops) = self.silent_stops.get(&server) {
            changes.extend(stops.iter().map(|at| StatusChange {
                at: *at,
                up: false,
                before: None,
            }));
            changes.sort_unstable();
        }
        changes
    }

    /// The last change of a server, silent stops included.
    pub(crate) fn last_change(&self, server: Id) -> Option<StatusChange> {
        self.changes(server).pop()
    }

    /// The servers that came up or went down, or of which there are events.
    pub(crate) fn servers(&self) -> BTreeSet<Id> {
        self.servers.keys().chain(self.silent_stops.keys()).copied().collect()
    }

    /// Adds what events of one server say.
    fn add(&mut self, events: &[EventRow]) {
        for event in events {
            if is_silent_stop(&self.silent_stops, event) {
                continue;
            }
            let server = self.servers.entry(event.server).or_insert_with(|| ServerFacts {
                first: event.at,
                last: event.at,
                changes: Vec::new(),
            });
            server.first = server.first.min(event.at);
            server.last = server.last.max(last_of(event));
            match event.kind {
                Kind::ServerUp | Kind::ServerDown => server.changes.push(StatusChange {
                    at: event.at,
                    up: event.kind == Kind::ServerUp,
                    before: None,
                }),
                Kind::Capacity => self.capacities.push(CapacityChange {
                    at: event.at,
                    feature: event.feature,
                    total: event.licenses,
                    expires: (event.expires != NO_NUMBER).then_some(event.expires),
                }),
                _ => {}
            }
        }
    }

    /// Finds what is known before each change.
    fn look_before_changes(&mut self, events: &[EventRow]) {
        let Self { servers, silent_stops, .. } = self;
        if servers.values().all(|facts| facts.changes.is_empty()) {
            return;
        }
        for event in events {
            let Some(facts) = servers.get_mut(&event.server).filter(|_| !is_silent_stop(silent_stops, event)) else {
                continue;
            };
            let next = facts.changes.partition_point(|change| change.at <= event.at);
            if let Some(change) = facts.changes.get_mut(next) {
                change.before = change.before.max(Some(last_of(event)));
            }
        }
        for facts in servers.values_mut() {
            let mut before = None;
            for of_instant in facts.changes.chunk_by_mut(|a, b| a.at == b.at) {
                before = of_instant.iter().map(|change| change.before).max().flatten().max(before);
                of_instant.iter_mut().for_each(|change| change.before = before);
            }
        }
    }
}

fn is_silent_stop(stops: &Instants, event: &EventRow) -> bool {
    event.kind == Kind::ServerDown && stops.get(&event.server).is_some_and(|stops| stops.contains(&event.at))
}

/// The instant or end of an event.
const fn last_of(event: &EventRow) -> Micros {
    if event.ended == NEVER || event.ended < event.at {
        event.at
    } else {
        event.ended
    }
}
