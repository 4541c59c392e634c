//! A naive model of every seed figure: the oracle of the property tests.
//!
//! It is written from `definitions.md` alone and shares no code with the engine. Its one virtue is that it can be checked by
//! reading: what is in use at an instant is found by asking every session whether it contains that instant, and an interval is
//! split at *every* instant at which anything could change, so that each piece is constant. There is no sweep line, no index and
//! no running sum.
//!
//! ```text
//! events ──┬─ sessions() ── holds(t) ──┬── utilization()     time inside the windows with u(t) >= k
//!          ├─ statuses() ── is_down(t) ┘── users_count()     users and hosts that hold on a day
//!          ├─ uptime()   ───────────────── utilization()     the denominator
//!          └─ denials()  ───────────────── grouped_denials()
//! ```
//!
//! Two readings are made once and used everywhere:
//!
//! - An instant is an `i64` of microseconds since the epoch, UTC; an interval is half-open.
//! - A *boundary* (a window's edge, the start of a day) is the first instant whose wall clock shows the label; in a skipped hour,
//!   the instant of the jump. A *denial* belongs to the day and the hour its own wall clock shows.

// The signatures mirror the parameters of the reports, one for one; a struct for each would only hide that.
#![expect(clippy::too_many_arguments, reason = "plain functions of plain values")]

mod calendar;
mod denials;
mod ndjson;
mod servers;
mod sessions;
mod users;
mod utilization;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use self::calendar::*;
pub use self::denials::{denials, grouped_denials};
pub use self::ndjson::to_ndjson;
use self::servers::*;
pub use self::sessions::sessions;
use self::sessions::{distinct_hosts, holds};
pub use self::users::users_count;
pub use self::utilization::utilization;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY_MINUTES: u32 = 24 * 60;

/// How long after a denial a license still makes it untrue, the last instant included.
const TRUE_DENIAL_WAIT: i64 = 5 * SECOND;

/// Something a license server recorded at an instant. An empty string is an absent field.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: i64,
    pub kind: Kind,
    pub server: String,
    pub feature: String,
    pub version: String,
    pub user: String,
    pub host: String,
    pub display: String,
    pub licenses: u32,
    pub handle: String,
    pub reason_code: Option<i32>,
    /// The end of a [`Kind::Session`]; without meaning elsewhere.
    pub end: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Checkout,
    Checkin,
    Denial,
    Unsupported,
    ServerUp,
    ServerDown,
    Capacity,
    /// An interval that was already paired where it came from.
    Session,
}

/// A user on a host holds `licenses` of a feature during `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    pub server: String,
    pub feature: String,
    pub version: String,
    pub start: i64,
    pub end: i64,
    pub user: String,
    pub host: String,
    pub licenses: u32,
    /// Never checked in: `end` is the last instant known of the server.
    pub open: bool,
    /// Ended by its server going down or restarting.
    pub truncated: bool,
}

/// What pairing checkouts with checkins came across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub orphans: usize,
    pub ambiguous: usize,
    pub truncated: usize,
    pub open: usize,
    pub sessions: usize,
    /// Checkins that gave back some licenses of a checkout; each is a session of its own here.
    pub parts: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Utilization {
    /// Element `k - 1` is the time inside the windows with at least `k` licenses in use, in microseconds.
    pub levels: Vec<i64>,
    /// The denominator of `incd=true`, in microseconds.
    pub denominator_literal: i64,
    /// The denominator of `incd=false`, in microseconds.
    pub denominator_uptime: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    pub at: i64,
    pub licenses: u32,
    pub user: String,
    pub host: String,
    pub is_true: bool,
    pub class: &'static str,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UsersRow {
    pub day: NaiveDate,
    /// `uct`
    pub total: i64,
    /// `ucdy`
    pub daily: i64,
    /// `ucde`
    pub denial: i64,
    /// `ucch`
    pub hosts: i64,
}

impl Event {
    /// An event of one license with every other field absent.
    pub fn new(kind: Kind, at: i64) -> Self {
        Self {
            at,
            kind,
            server: String::new(),
            feature: String::new(),
            version: String::new(),
            user: String::new(),
            host: String::new(),
            display: String::new(),
            licenses: 1,
            handle: String::new(),
            reason_code: None,
            end: None,
        }
    }

    fn is_of(&self, server: &str, feature: &str, version: &str) -> bool {
        self.server == server && self.feature == feature && self.version == version
    }

    fn is_denial(&self) -> bool {
        matches!(self.kind, Kind::Denial | Kind::Unsupported)
    }

    fn is_status(&self) -> bool {
        matches!(self.kind, Kind::ServerUp | Kind::ServerDown)
    }
}

#[cfg(test)]
mod tests;
