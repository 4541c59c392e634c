//! What the catalog keeps of a day's events, so that nobody has to read them again to know it.

use std::collections::BTreeMap;

use super::rows::{EventRow, Id, NEVER, NO_NUMBER};
use crate::event::Kind;
use crate::time::{Day, Micros};

/// A server came up or went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StatusChange {
    pub(crate) at: Micros,
    pub(crate) up: bool,
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

/// The last instant known of each server, on whichever day.
pub(crate) fn last_instants(facts: &BTreeMap<Day, DayFacts>) -> BTreeMap<Id, Micros> {
    let mut last = BTreeMap::new();
    for (server, facts) in facts.values().flat_map(|day| &day.servers) {
        let known = last.entry(*server).or_insert(facts.last);
        *known = facts.last.max(*known);
    }
    last
}

/// What a day's events say about servers and features.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DayFacts {
    pub(crate) servers: BTreeMap<Id, ServerFacts>,
    pub(crate) capacities: Vec<CapacityChange>,
}

impl DayFacts {
    /// Reads the facts off the sorted events of a day.
    pub(crate) fn of(events: &[EventRow]) -> Self {
        let mut facts = Self::default();
        // What is sorted by feature mostly has the server of the one before.
        for of_server in events.chunk_by(|a, b| a.server == b.server) {
            facts.add(of_server);
        }
        // Going down before coming up at one instant is a restart.
        for server in facts.servers.values_mut() {
            server.changes.sort_unstable();
            server.changes.dedup();
        }
        facts
    }

    /// Adds what events of one server say.
    fn add(&mut self, events: &[EventRow]) {
        let Some(first) = events.first() else {
            return;
        };
        let server = self.servers.entry(first.server).or_insert_with(|| ServerFacts {
            first: first.at,
            last: first.at,
            changes: Vec::new(),
        });
        for event in events {
            let last = event.at.max(if event.ended == NEVER { event.at } else { event.ended });
            server.first = server.first.min(event.at);
            server.last = server.last.max(last);
            match event.kind {
                Kind::ServerUp | Kind::ServerDown => server.changes.push(StatusChange {
                    at: event.at,
                    up: event.kind == Kind::ServerUp,
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
}
