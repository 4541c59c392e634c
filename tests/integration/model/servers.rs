//! Servers: when they are up, when they are down.

use super::*;

/// When `server` was up, in order; intervals that touch are one, empty ones are left out.
pub fn uptime(events: &[Event], server: &str) -> Vec<(i64, i64)> {
    let Some(first_known) = events.iter().filter(|event| event.server == server).map(|event| event.at).min() else {
        return Vec::new();
    };
    let last_known = last_instant_known(events, server);
    let statuses = statuses(events, server);

    let mut up_since = match statuses.first() {
        None | Some(Status { up: false, .. }) => Some(first_known),
        Some(Status { up: true, .. }) => None,
    };
    let mut intervals = Vec::new();
    for status in &statuses {
        match (status.up, up_since) {
            (true, None) => up_since = Some(status.at),
            (false, Some(since)) => {
                intervals.push((since, status.at));
                up_since = None;
            }
            // A restart: uptime goes on. Down while down: nothing changes.
            (true, Some(_)) | (false, None) => {}
        }
    }
    if let Some(since) = up_since {
        intervals.push((since, last_known));
    }

    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in intervals {
        match merged.last_mut() {
            _ if start == end => {}
            Some(previous) if previous.1 == start => previous.1 = end,
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The server came up or went down at an instant. At one instant, down sorts before up: together they are a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Status {
    pub(super) at: i64,
    pub(super) up: bool,
}

pub(super) fn statuses(events: &[Event], server: &str) -> Vec<Status> {
    let of_server = events.iter().filter(|event| event.server == server && event.is_status());
    let mut statuses: Vec<Status> = of_server
        .map(|event| Status {
            at: event.at,
            up: event.kind == Kind::ServerUp,
        })
        .collect();
    statuses.sort();
    statuses
}

/// Down is what a server is after a `server_down`; before its first status event it is not.
pub(super) fn is_down(statuses: &[Status], at: i64) -> bool {
    statuses.iter().rfind(|status| status.at <= at).is_some_and(|status| !status.up)
}

/// Meaningful for a server with events; the epoch for one without.
pub(super) fn last_instant_known(events: &[Event], server: &str) -> i64 {
    let of_server = events.iter().filter(|event| event.server == server);
    let known = of_server.map(|event| match (event.kind, event.end) {
        (Kind::Session, Some(end)) => event.at.max(end),
        _ => event.at,
    });
    known.max().unwrap_or(0)
}
