//! Between a dialect and the store: counts, and fills in the server.

use rustc_hash::FxHashMap;

use super::tally::{Counts, Tally};
use super::{Flaw, FlawKind, ImportError, Sink};
use crate::event::Event;
use crate::store::Incoming;
use crate::time::{DAY, Micros, rfc3339};

/// The bounds of what an event of a license server can say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The first instant that is accepted, and the first that is not.
    times: (Micros, Micros),
    /// The longest session that is accepted.
    session: Micros,
    lifted: bool,
}

/// The first instant that is accepted: 1990-01-01 UTC, before there was such software.
const EARLIEST: Micros = 7305 * DAY;
/// Events may be ahead of the import by no more than this: clocks differ, and zones may be wrong.
const AHEAD: Micros = 2 * DAY;
/// The most licenses of one event: sums of them fit the numbers that reports count in.
const MOST_LICENSES: u32 = 1_000_000;

impl Bounds {
    /// The bounds of an import at an instant; `lifted` takes away those of time.
    pub(super) const fn new(now: Micros, session_days: u32, lifted: bool) -> Self {
        Self {
            times: (EARLIEST, now + AHEAD),
            session: session_days as Micros * DAY,
            lifted,
        }
    }

    /// Returns why an event cannot be true, if it cannot.
    fn broken_by(&self, event: &Event<'_>) -> Option<String> {
        if event.licenses > MOST_LICENSES {
            return Some(format!(
                "{} licenses are more than {MOST_LICENSES}, the most of one event",
                event.licenses
            ));
        }
        if self.lifted {
            return None;
        }
        let last = event.ended.unwrap_or(event.at);
        let (from, until) = self.times;
        if event.at < from || last >= until {
            let wrong = if event.at < from { event.at } else { last };
            return Some(format!(
                "{} is before 1990, or more than 2 days ahead of the import; --allow-any-time takes it in",
                rfc3339(wrong)
            ));
        }
        (last - event.at > self.session).then(|| {
            let days = self.session / DAY;
            format!("the session is longer than {days} days; --longest-session-days accepts longer ones")
        })
    }
}

/// Takes what a dialect reads from one file.
pub(super) struct Intake<'a> {
    incoming: Incoming<'a>,
    tally: Tally,
    counts: Counts,
    file: &'a str,
    server: &'a str,
    strict: bool,
    bounds: Bounds,
    /// The license servers that events may be of; any where there is nothing.
    servers: Option<&'a [String]>,
    /// The store knows vendor daemons: only then do events that name none have to be told apart.
    knows_daemons: bool,
    /// The vendor daemons of features, by license server and name, as far as events without a vendor asked for them.
    daemons: FxHashMap<String, FxHashMap<String, Vec<String>>>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(incoming: Incoming<'a>, file: &'a str, server: &'a str, (strict, bounds): (bool, Bounds)) -> Self {
        Self {
            knows_daemons: incoming.knows_daemons(),
            incoming,
            tally: Tally::default(),
            counts: Counts::default(),
            file,
            server,
            strict,
            bounds,
            servers: None,
            daemons: FxHashMap::default(),
        }
    }

    /// Accepts events of some license servers alone.
    pub(super) fn only_of(self, servers: Option<&'a [String]>) -> Self {
        Self { servers, ..self }
    }

    /// Refuses an event of a license server that events may not be of.
    fn admit(&self, event: &Event<'_>) -> Result<(), ImportError> {
        match self.servers {
            Some(servers) if !servers.iter().any(|server| server == event.server) => Err(ImportError::Hidden {
                name: self.file.to_owned(),
                line: event.line,
                server: event.server.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the vendor daemons of the license server of an event that have its feature, as far as the store knows.
    fn daemons(&mut self, event: &Event<'_>) -> &[String] {
        let is_known = self
            .daemons
            .get(event.server)
            .is_some_and(|features| features.contains_key(event.feature));
        if !is_known {
            let daemons = self.incoming.daemons_of(event.server, event.feature);
            let features = self.daemons.entry(event.server.to_owned()).or_default();
            features.insert(event.feature.to_owned(), daemons);
        }
        let features = self.daemons.get(event.server);
        features.and_then(|features| features.get(event.feature)).map_or(&[], Vec::as_slice)
    }

    /// Returns the event of the vendor daemon that its vendor is the name of, if the license server has such a daemon.
    fn of_daemon<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        let names_daemon = self.knows_daemons
            && event.daemon.is_empty()
            && !event.vendor.is_empty()
            && !event.feature.is_empty()
            && self.daemons(&event).iter().any(|daemon| daemon == event.vendor);
        Event {
            daemon: if names_daemon { event.vendor } else { event.daemon },
            ..event
        }
    }

    /// Returns the reason why an event without a vendor cannot be told apart: several vendor daemons of its server have the feature.
    fn ambiguous_vendor(&mut self, event: &Event<'_>) -> Option<String> {
        if !self.knows_daemons || !event.daemon.is_empty() || !event.vendor.is_empty() || event.feature.is_empty() {
            return None;
        }
        let daemons = self.daemons(event);
        (daemons.len() > 1).then(|| {
            format!(
                "the feature {:?} of the license server {:?} is of several vendor daemons ({}): vendor must say which",
                event.feature,
                event.server,
                daemons.join(", ")
            )
        })
    }

    pub(super) fn finish(mut self) -> (Incoming<'a>, Tally) {
        self.tally.add_events(&self.counts);
        (self.incoming, self.tally)
    }
}

impl Sink for Intake<'_> {
    fn rows(&mut self, rows: u64) {
        self.tally.lines += rows;
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), ImportError> {
        let server = if event.server.is_empty() { self.server } else { event.server };
        let event = Event { server, ..*event };
        self.admit(&event)?;
        let event = self.of_daemon(event);
        if let Some(reason) = self.bounds.broken_by(&event).or_else(|| self.ambiguous_vendor(&event)) {
            return self.flaw(Flaw {
                line: event.line,
                kind: FlawKind::Unparsed,
                reason,
            });
        }
        self.counts.add(&event);
        Ok(self.incoming.push(&event)?)
    }

    fn flaw(&mut self, flaw: Flaw) -> Result<(), ImportError> {
        if self.strict && flaw.kind != FlawKind::Noted {
            return Err(ImportError::Strict {
                name: self.file.to_owned(),
                line: flaw.line,
                reason: flaw.reason,
            });
        }
        self.tally.add_flaw(self.file, flaw);
        Ok(())
    }

    fn manager(&mut self, daemon: &str, manager: &str) {
        self.incoming.manager(self.server, daemon, manager);
    }

    fn package(&mut self, daemon: &str, feature: &str, components: &str) {
        self.incoming.package(self.server, daemon, feature, components);
    }

    fn known_until(&mut self, daemon: &str, at: Micros) {
        self.incoming.known_until(self.server, daemon, at);
    }
}
