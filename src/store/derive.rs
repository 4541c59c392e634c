//! Events to sessions and denials, day by day.
//!
//! ```text
//!    open at 00:00 ─┐
//!    events of the day ─┼──▶ day() ──▶ sessions, denials, open at 24:00 ──▶ the next day
//!    server up or down ─┘                          │
//!                                                  └──▶ rollups: levels, user_days, host_peaks
//! ```
//!
//! The invariant: what a day yields depends on nothing but its input, so that a day derived again, in whatever order the
//! events came into the store, yields the same rows. Sessions match within one feature, so features are derived one after
//! the other, in the order of the files.

mod denials;
mod holdings;
mod rollups;

use rustc_hash::FxHashMap;

use self::holdings::Holdings;
use super::facts::StatusChange;
use super::rows::{DenialRow, EventRow, Id, OpenRow, SessionRow};
use super::strings::Strings;
use crate::event::Kind;
use crate::time::Micros;

/// The longest that a session can be whose end no source tells, in days: then its end is taken to be lost.
pub const LONGEST_SESSION_DAYS: u32 = 400;

/// Version of the rules by which days are derived. It grows with each change of what the same events yield, so that a writer
/// derives the days of an older store again.
pub(crate) const DERIVATION: u32 = 2;

pub(crate) use self::denials::{Head, SHORTAGE_WINDOW};
pub(crate) use self::rollups::Rollups;

/// What one day is derived from.
pub(crate) struct DayInput<'a> {
    /// The first instant of the day.
    pub(crate) start: Micros,
    /// The first instant of the next.
    pub(crate) end: Micros,
    /// The day's events, sorted.
    pub(crate) events: &'a [EventRow],
    /// What is held at `start`, sorted by feature and start.
    pub(crate) open: &'a [OpenRow],
    pub(crate) strings: &'a Strings,
    pub(crate) servers: &'a FxHashMap<Id, ServerInput>,
    /// Features of one name have one number here, whichever server serves them.
    pub(crate) name_of_feature: &'a FxHashMap<Id, u32>,
    /// The first checkouts of the next day.
    pub(crate) next_head: &'a Head,
}

/// What a day needs to know of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerInput {
    /// It is down at the first instant of the day.
    pub(crate) down: bool,
    /// Its changes within the day, in order.
    pub(crate) changes: Vec<StatusChange>,
    /// The last instant known, on whichever day.
    pub(crate) last: Micros,
}

/// What one day yields; all rows are sorted.
#[derive(Debug)]
pub(crate) struct DayOutput {
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) denials: Vec<DenialRow>,
    /// The texts of [`DenialRow::granted_by`].
    pub(crate) granted_by: Strings,
    /// What is held at the first instant of the next day.
    pub(crate) open: Vec<OpenRow>,
    pub(crate) counts: FxHashMap<Id, Counts>,
}

impl DayOutput {
    fn new() -> Self {
        Self {
            sessions: Vec::new(),
            denials: Vec::new(),
            granted_by: Strings::new(),
            open: Vec::new(),
            counts: FxHashMap::default(),
        }
    }
}

/// What derivation noticed about a server on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Sessions that began.
    pub(crate) sessions: u64,
    /// Checkins that no checkout explains.
    pub(crate) orphans: u64,
    /// Checkins that several checkouts explain.
    pub(crate) ambiguous: u64,
    /// Sessions that ended because the server did.
    pub(crate) truncated: u64,
    /// Sessions that were still held at the last instant known.
    pub(crate) open: u64,
}

/// Derives one day.
pub(crate) fn day(input: &DayInput<'_>) -> DayOutput {
    let mut output = DayOutput::new();
    let unknown = ServerInput::default();
    let (mut events, mut open) = (input.events, input.open);
    let mut holdings = Holdings::default();
    loop {
        let feature = match (events.first(), open.first()) {
            (None, None) => break,
            (Some(event), None) => event.feature,
            (None, Some(held)) => held.feature,
            (Some(event), Some(held)) => event.feature.min(held.feature),
        };
        let of_feature;
        let held;
        (of_feature, events) = events.split_at(events.partition_point(|event| event.feature == feature));
        (held, open) = open.split_at(open.partition_point(|row| row.feature == feature));
        // Events of servers as a whole come first in a file; they were read into `servers` already.
        if feature == 0 {
            continue;
        }
        let server = of_feature
            .first()
            .map_or_else(|| held.first().map_or(0, |row| row.server), |event| event.server);
        let known = input.servers.get(&server).unwrap_or(&unknown);
        let from = output.sessions.len();
        holdings.begin(input, known, held);
        feature_day(of_feature, known, &mut holdings, &mut output);
        holdings.finish(input, known, &mut output);
        sort_sessions(&mut output.sessions[from..], input.strings);
    }
    output.denials = denials::of_day(input, &mut output.granted_by);
    output
}

/// Plays the events of one feature. At one instant what ends comes before what begins; a checkin that nothing explains
/// by then may still belong to a checkout of the same instant.
fn feature_day(events: &[EventRow], server: &ServerInput, holdings: &mut Holdings, output: &mut DayOutput) {
    let mut changes = server.changes.iter().peekable();
    let mut unexplained: Vec<&EventRow> = Vec::new();
    for instant in events.chunk_by(|a, b| a.at == b.at) {
        let at = instant[0].at;
        while let Some(change) = changes.next_if(|change| change.at < at) {
            holdings.status(*change, output);
        }
        unexplained.clear();
        for checkin in instant.iter().filter(|event| event.kind == Kind::Checkin) {
            if !holdings.checkin(checkin, output) {
                unexplained.push(checkin);
            }
        }
        while let Some(change) = changes.next_if(|change| change.at == at) {
            holdings.status(*change, output);
        }
        for event in instant {
            match event.kind {
                Kind::Checkout | Kind::Session => holdings.checkout(event, output),
                _ => {}
            }
        }
        for checkin in &unexplained {
            if !holdings.checkin(checkin, output) && !holdings.partial_checkin(checkin, output) {
                output.counts.entry(checkin.server).or_default().orphans += 1;
            }
        }
    }
    for change in changes {
        holdings.status(*change, output);
    }
}

fn sort_sessions(sessions: &mut [SessionRow], strings: &Strings) {
    sessions.sort_by(|a, b| {
        (a.started, a.ended, a.session_started, a.licenses, a.continues)
            .cmp(&(b.started, b.ended, b.session_started, b.licenses, b.continues))
            .then_with(|| strings.get(a.user).cmp(strings.get(b.user)))
            .then_with(|| strings.get(a.host).cmp(strings.get(b.host)))
    });
}
