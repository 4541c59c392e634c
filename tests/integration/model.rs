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

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

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

/// Every session of every server in order of (server, feature, version, start, end, …), and what pairing them came across.
pub fn sessions(events: &[Event]) -> (Vec<Session>, Counts) {
    let features: BTreeSet<(&str, &str, &str)> = events
        .iter()
        .filter(|event| matches!(event.kind, Kind::Checkout | Kind::Checkin | Kind::Session))
        .map(|event| (event.server.as_str(), event.feature.as_str(), event.version.as_str()))
        .collect();

    let mut sessions = Vec::new();
    let mut counts = Counts::default();
    for (server, feature, version) in features {
        sessions.extend(sessions_of_feature(events, server, feature, version, &mut counts));
    }
    sessions.sort();
    counts.sessions = sessions.len();
    (sessions, counts)
}

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

/// Report 3 for one (server, feature, version). `et_minutes <= st_minutes` is a window that ends on the next day.
pub fn utilization(
    events: &[Event],
    server: &str,
    feature: &str,
    version: &str,
    first: NaiveDate,
    last: NaiveDate,
    st_minutes: u32,
    et_minutes: u32,
    zone: Tz,
) -> Utilization {
    let end_minutes = if et_minutes <= st_minutes {
        et_minutes + DAY_MINUTES
    } else {
        et_minutes
    };
    let windows: Vec<(i64, i64)> = days(first, last)
        .map(|day| (minute_of_day(day, st_minutes, zone), minute_of_day(day, end_minutes, zone)))
        .collect();
    let uptime = uptime(events, server);
    let statuses = statuses(events, server);
    let mut sessions = sessions(events).0;
    sessions.retain(|session| session.server == server && session.feature == feature && session.version == version);

    let mut edges: BTreeSet<i64> = BTreeSet::new();
    edges.extend(windows.iter().flat_map(|&(start, end)| [start, end]));
    edges.extend(uptime.iter().flat_map(|&(start, end)| [start, end]));
    edges.extend(sessions.iter().flat_map(|session| [session.start, session.end]));
    edges.extend(statuses.iter().map(|status| status.at));
    let edges: Vec<i64> = edges.into_iter().collect();

    let mut levels: Vec<i64> = Vec::new();
    let mut denominator_uptime = 0;
    for piece in edges.windows(2) {
        let (start, end) = (piece[0], piece[1]);
        if !contains(&windows, start) {
            continue;
        }
        if contains(&uptime, start) {
            denominator_uptime += end - start;
        }
        let in_use: u32 = sessions
            .iter()
            .filter(|session| holds(session, &statuses, start))
            .map(|session| session.licenses)
            .sum();
        for index in 0..in_use as usize {
            if index == levels.len() {
                levels.push(0);
            }
            levels[index] += end - start;
        }
    }
    Utilization {
        levels,
        denominator_literal: windows.len() as i64 * i64::from(end_minutes - st_minutes) * MINUTE,
        denominator_uptime,
    }
}

/// Report 1 with the *ext* class and truth of each denial, in order of (at, user, host, licenses).
pub fn denials(events: &[Event], server: &str, feature: &str, version: &str, first: NaiveDate, last: NaiveDate, zone: Tz) -> Vec<Denial> {
    let mut denials: Vec<Denial> = events
        .iter()
        .filter(|event| event.is_denial() && event.is_of(server, feature, version))
        .filter(|event| (first..=last).contains(&wall_clock(event.at, zone).date()))
        .map(|event| Denial {
            at: event.at,
            licenses: event.licenses,
            user: event.user.clone(),
            host: event.host.clone(),
            is_true: is_true_denial(events, event),
            class: reason_class(event),
        })
        .collect();
    denials.sort_by(|a, b| (a.at, &a.user, &a.host, a.licenses).cmp(&(b.at, &b.user, &b.host, b.licenses)));
    denials
}

/// Report 2: the denied licenses of every period that `first..=last` touches; `granularity` is the number of `grat`.
pub fn grouped_denials(
    events: &[Event],
    server: &str,
    feature: &str,
    version: &str,
    first: NaiveDate,
    last: NaiveDate,
    granularity: u8,
    zone: Tz,
) -> Vec<(String, i64)> {
    let mut periods: Vec<String> = days(first, last)
        .flat_map(|day| (0..24).map(move |hour| period(hour_of_day(day, hour), granularity)))
        .collect();
    periods.dedup();

    let denied: Vec<(String, i64)> = denials(events, server, feature, version, first, last, zone)
        .into_iter()
        .map(|denial| (period(wall_clock(denial.at, zone), granularity), i64::from(denial.licenses)))
        .collect();
    let denied_in = |text: &str| -> i64 {
        denied
            .iter()
            .filter(|(period, _)| period == text)
            .map(|(_, licenses)| licenses)
            .sum()
    };
    periods
        .into_iter()
        .map(|text| {
            let licenses = denied_in(&text);
            (text, licenses)
        })
        .collect()
}

/// Report 4 over all servers, one row for each day of `first..=last`; events before `first` count where the figure looks back.
pub fn users_count(events: &[Event], first: NaiveDate, last: NaiveDate, model_2019: bool, zone: Tz) -> Vec<UsersRow> {
    let sessions = sessions(events).0;
    let servers: BTreeSet<&str> = events.iter().map(|event| event.server.as_str()).collect();
    let statuses: BTreeMap<&str, Vec<Status>> = servers.into_iter().map(|server| (server, statuses(events, server))).collect();

    // Who holds can change at these instants only, so looking at each of them sees every instant of every day.
    let mut instants: BTreeSet<i64> = BTreeSet::new();
    instants.extend(sessions.iter().flat_map(|session| [session.start, session.end]));
    instants.extend(statuses.values().flatten().map(|status| status.at));
    instants.extend(days(first - Days::new(13), last).map(|day| day_start(day, zone)));
    let holders: Vec<(i64, Vec<&Session>)> = instants
        .into_iter()
        .map(|at| {
            (
                at,
                sessions
                    .iter()
                    .filter(|session| holds(session, &statuses[session.server.as_str()], at))
                    .collect(),
            )
        })
        .collect();

    let holding = |from: i64, to: i64| -> BTreeSet<&str> {
        let within = holders.iter().filter(|(at, _)| (from..to).contains(at));
        within
            .flat_map(|(_, sessions)| sessions)
            .map(|session| session.user.as_str())
            .collect()
    };
    let denied = |from: NaiveDate, to: NaiveDate| -> BTreeSet<&str> {
        let within = events
            .iter()
            .filter(|event| event.is_denial() && (from..=to).contains(&wall_clock(event.at, zone).date()));
        within.map(|event| event.user.as_str()).collect()
    };
    let most_hosts = |from: i64, to: i64| -> usize {
        let within = holders.iter().filter(|(at, _)| (from..to).contains(at));
        within.map(|(_, sessions)| distinct_hosts(sessions)).max().unwrap_or(0)
    };

    days(first, last)
        .map(|day| {
            let (start, end) = (day_start(day, zone), day_start(day + Days::new(1), zone));
            let denied_today = denied(day, day);
            let (daily, total) = if model_2019 {
                let daily = &holding(start, end) | &denied_today;
                let total = &holding(i64::MIN, end) | &denied(NaiveDate::MIN, day);
                (daily, total)
            } else {
                (holding(start, end), holding(day_start(day - Days::new(13), zone), end))
            };
            UsersRow {
                day,
                total: total.len() as i64,
                daily: daily.len() as i64,
                denial: denied_today.len() as i64,
                hosts: most_hosts(start, end) as i64,
            }
        })
        .collect()
}

/// The events in the neutral NDJSON format, in their order; absent fields are left out.
pub fn to_ndjson(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let mut fields = vec![("time", quoted(&rfc3339(event.at))), ("event", quoted(kind_name(event.kind)))];
        if let Some(end) = event.end {
            fields.push(("end", quoted(&rfc3339(end))));
        }
        let strings = [
            ("server", &event.server),
            ("feature", &event.feature),
            ("version", &event.version),
            ("user", &event.user),
            ("host", &event.host),
            ("display", &event.display),
            ("handle", &event.handle),
        ];
        for (name, value) in strings {
            if !value.is_empty() {
                fields.push((name, quoted(value)));
            }
        }
        if !event.is_status() {
            fields.push(("licenses", event.licenses.to_string()));
        }
        if let Some(code) = event.reason_code {
            fields.push(("reason_code", code.to_string()));
        }
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        text.push_str(&format!("{{{}}}\n", fields.join(",")));
    }
    text
}

// ---- Sessions -------------------------------------------------------------------------------------------------------------

/// Plays the events of one feature, and the status events of its server, instant by instant.
fn sessions_of_feature(events: &[Event], server: &str, feature: &str, version: &str, counts: &mut Counts) -> Vec<Session> {
    let own: Vec<&Event> = events.iter().filter(|event| event.is_of(server, feature, version)).collect();
    let statuses = statuses(events, server);
    let mut instants: BTreeSet<i64> = BTreeSet::new();
    instants.extend(own.iter().map(|event| event.at));
    instants.extend(statuses.iter().map(|status| status.at));

    let mut sessions = Vec::new();
    // Oldest first.
    let mut open: Vec<&Event> = Vec::new();
    let mut down = false;
    for now in instants {
        let mut unmatched = Vec::new();
        for checkin in at_instant(&own, Kind::Checkin, now) {
            match take_checkout(&mut open, checkin, counts) {
                Some(checkout) => sessions.push(session(checkout, now)),
                None => unmatched.push(checkin),
            }
        }

        for status in statuses.iter().filter(|status| status.at == now) {
            if status.up || !down {
                counts.truncated += open.len();
                sessions.extend(open.drain(..).map(|checkout| Session {
                    truncated: true,
                    ..session(checkout, now)
                }));
            }
            down = !status.up;
        }

        open.extend(at_instant(&own, Kind::Checkout, now));
        for paired in at_instant(&own, Kind::Session, now) {
            sessions.push(session(paired, paired.end.unwrap_or(now).max(now)));
        }

        // Whatever was open before did not match these checkins, so only a checkout of this instant can.
        for checkin in unmatched {
            match take_checkout(&mut open, checkin, counts) {
                Some(checkout) => sessions.push(session(checkout, now)),
                None => counts.orphans += 1,
            }
        }
    }

    counts.open += open.len();
    let last_known = last_instant_known(events, server);
    sessions.extend(open.into_iter().map(|checkout| Session {
        open: true,
        ..session(checkout, last_known)
    }));
    sessions
}

/// Takes the checkout that `checkin` ends out of `open`: by handle where there is one, else the oldest equal one.
fn take_checkout<'a>(open: &mut Vec<&'a Event>, checkin: &Event, counts: &mut Counts) -> Option<&'a Event> {
    let has_handle = !checkin.handle.is_empty();
    if has_handle && let Some(index) = open.iter().position(|checkout| checkout.handle == checkin.handle) {
        return Some(open.remove(index));
    }

    let holder = |event: &Event| (event.user.clone(), event.host.clone(), event.display.clone(), event.licenses);
    let is_candidate = |checkout: &Event| {
        let may_lack_handle = !has_handle || checkout.handle.is_empty();
        may_lack_handle && holder(checkout) == holder(checkin)
    };
    let candidates: Vec<usize> = (0..open.len()).filter(|&index| is_candidate(open[index])).collect();
    if candidates.len() > 1 {
        counts.ambiguous += 1;
    }
    candidates.first().map(|&index| open.remove(index))
}

/// The events of one kind at one instant in the order they take effect; identical ones keep the order of the file.
fn at_instant<'a>(own: &[&'a Event], kind: Kind, now: i64) -> Vec<&'a Event> {
    let mut found: Vec<&Event> = own.iter().copied().filter(|event| event.kind == kind && event.at == now).collect();
    found.sort_by(|a, b| (&a.user, &a.host, &a.handle, a.licenses, &a.display).cmp(&(&b.user, &b.host, &b.handle, b.licenses, &b.display)));
    found
}

/// The session that `checkout` began, ended in the ordinary way.
fn session(checkout: &Event, end: i64) -> Session {
    Session {
        server: checkout.server.clone(),
        feature: checkout.feature.clone(),
        version: checkout.version.clone(),
        start: checkout.at,
        end,
        user: checkout.user.clone(),
        host: checkout.host.clone(),
        licenses: checkout.licenses,
        open: false,
        truncated: false,
    }
}

/// Whether the session's licenses are in use at `at`. `statuses` are those of the session's server.
fn holds(session: &Session, statuses: &[Status], at: i64) -> bool {
    session.start <= at && at < session.end && !is_down(statuses, at)
}

fn distinct_hosts(sessions: &[&Session]) -> usize {
    let hosts: BTreeSet<&str> = sessions
        .iter()
        .map(|session| session.host.as_str())
        .filter(|host| !host.is_empty())
        .collect();
    hosts.len()
}

// ---- Servers --------------------------------------------------------------------------------------------------------------

/// The server came up or went down at an instant. At one instant, down sorts before up: together they are a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Status {
    at: i64,
    up: bool,
}

fn statuses(events: &[Event], server: &str) -> Vec<Status> {
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
fn is_down(statuses: &[Status], at: i64) -> bool {
    statuses.iter().rfind(|status| status.at <= at).is_some_and(|status| !status.up)
}

/// Meaningful for a server with events; the epoch for one without.
fn last_instant_known(events: &[Event], server: &str) -> i64 {
    let of_server = events.iter().filter(|event| event.server == server);
    let known = of_server.map(|event| match (event.kind, event.end) {
        (Kind::Session, Some(end)) => event.at.max(end),
        _ => event.at,
    });
    known.max().unwrap_or(0)
}

// ---- Denials --------------------------------------------------------------------------------------------------------------

fn reason_class(denial: &Event) -> &'static str {
    match (denial.kind, denial.reason_code) {
        (Kind::Unsupported, _) => "not_entitled",
        (_, Some(-4)) => "capacity",
        (_, Some(-24)) => "queued",
        (_, Some(-5 | -21 | -25)) => "not_entitled",
        (_, Some(-38 | -39 | -87)) => "excluded",
        _ => "other",
    }
}

/// Nobody gave the user a license of that name, whatever the version and the server, soon enough.
fn is_true_denial(events: &[Event], denial: &Event) -> bool {
    let relieved = events.iter().any(|event| {
        matches!(event.kind, Kind::Checkout | Kind::Session)
            && event.user == denial.user
            && event.feature == denial.feature
            && (denial.at..=denial.at + TRUE_DENIAL_WAIT).contains(&event.at)
    });
    matches!(reason_class(denial), "capacity" | "queued") && !relieved
}

// ---- The calendar ---------------------------------------------------------------------------------------------------------

fn contains(intervals: &[(i64, i64)], at: i64) -> bool {
    intervals.iter().any(|&(start, end)| start <= at && at < end)
}

fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

fn day_start(day: NaiveDate, zone: Tz) -> i64 {
    minute_of_day(day, 0, zone)
}

/// The boundary at `minutes` on the wall clock of `day`; 1440 and more lie on the next day.
fn minute_of_day(day: NaiveDate, minutes: u32, zone: Tz) -> i64 {
    boundary(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minutes)), zone)
}

fn hour_of_day(day: NaiveDate, hour: u32) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN) + TimeDelta::hours(i64::from(hour))
}

fn wall_clock(at: i64, zone: Tz) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_micros(at).expect("the tests stay within chrono's range");
    utc.with_timezone(&zone).naive_local()
}

/// The first instant at which the wall clock shows `label`; if it skips it, the instant of the jump.
fn boundary(label: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&label).earliest() {
        Some(instant) => instant.timestamp_micros(),
        None => first_instant_not_before(label, zone),
    }
}

/// The first instant whose wall clock is at or past `label`, by trying every minute, then every second of the one before.
fn first_instant_not_before(label: NaiveDateTime, zone: Tz) -> i64 {
    // No zone is two days off UTC, so the wall clock is still before the label here.
    let mut at = label.and_utc().timestamp_micros() - 48 * HOUR;
    while wall_clock(at, zone) < label {
        at += MINUTE;
    }
    at -= MINUTE;
    while wall_clock(at, zone) < label {
        at += SECOND;
    }
    at
}

/// The text of the period that contains an instant with this wall clock.
fn period(label: NaiveDateTime, granularity: u8) -> String {
    let day = label.date();
    match granularity {
        1 => day.format("%Y").to_string(),
        2 => format!("{}-Q{}", day.format("%Y"), day.month0() / 3 + 1),
        3 => day.format("%Y-%m").to_string(),
        4 => {
            let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
            format!("{}-{}", monday.format("%Y-%m-%d"), (monday + Days::new(6)).format("%Y-%m-%d"))
        }
        5 => day.format("%Y-%m-%d").to_string(),
        6 => label.format("%Y-%m-%d %H:00").to_string(),
        _ => panic!("granularity is 1 (year) to 6 (hour), not {granularity}"),
    }
}

// ---- NDJSON ---------------------------------------------------------------------------------------------------------------

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Checkout => "checkout",
        Kind::Checkin => "checkin",
        Kind::Denial => "denial",
        Kind::Unsupported => "unsupported",
        Kind::ServerUp => "server_up",
        Kind::ServerDown => "server_down",
        Kind::Capacity => "capacity",
        Kind::Session => "session",
    }
}

fn rfc3339(at: i64) -> String {
    let precision = if at % SECOND == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Micros
    };
    let utc = DateTime::from_timestamp_micros(at).expect("the tests stay within chrono's range");
    utc.to_rfc3339_opts(precision, true)
}

/// A JSON string.
fn quoted(value: &str) -> String {
    let mut text = String::from('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

/// The worked examples of `definitions.md`, and the corners on which it is silent.
#[cfg(test)]
mod tests {
    use chrono_tz::{America, Europe, Pacific};

    use super::*;

    const UTC: Tz = Tz::UTC;

    #[test]
    fn denials_of_the_worked_example() {
        let events = example_denials();
        let (first, last) = (day("2015-01-01"), day("2015-01-02"));

        let rows: Vec<_> = denials(&events, "s", "f", "1", first, last, UTC)
            .into_iter()
            .map(|row| (row.at, row.licenses, row.user, row.host))
            .collect();
        let expected = [
            (at("2015-01-01 08:59:59"), 1, "alice".to_owned(), "ws1".to_owned()),
            (at("2015-01-01 09:00:00"), 2, "bob".to_owned(), "ws2".to_owned()),
            (at("2015-01-02 23:59:59"), 1, "alice".to_owned(), "ws1".to_owned()),
        ];
        assert_eq!(rows, expected);

        let grouped = |granularity| grouped_denials(&events, "s", "f", "1", first, last, granularity, UTC);
        assert_eq!(grouped(1), [("2015".to_owned(), 4)]);
        assert_eq!(grouped(2), [("2015-Q1".to_owned(), 4)]);
        assert_eq!(grouped(3), [("2015-01".to_owned(), 4)]);
        assert_eq!(grouped(4), [("2014-12-29-2015-01-04".to_owned(), 4)]);
        assert_eq!(grouped(5), [("2015-01-01".to_owned(), 3), ("2015-01-02".to_owned(), 1)]);

        let hours = grouped(6);
        assert_eq!(hours.len(), 48);
        assert_eq!(hours.iter().filter(|(_, denied)| *denied == 0).count(), 45);
        for (text, denied) in [("2015-01-01 08:00", 1), ("2015-01-01 09:00", 2), ("2015-01-02 23:00", 1)] {
            assert!(hours.contains(&(text.to_owned(), denied)), "{text} in {hours:?}");
        }
    }

    #[test]
    fn a_denial_is_true_unless_a_license_follows_within_five_seconds() {
        let denial = |code| Event {
            reason_code: Some(code),
            ..event(Kind::Denial, "2015-01-01 10:00:00", "alice", "h")
        };
        let truth = |events: &[Event]| {
            let found = denials(events, "s", "f", "1", day("2015-01-01"), day("2015-01-01"), UTC);
            (found[0].class, found[0].is_true)
        };
        assert_eq!(truth(&[denial(-4)]), ("capacity", true));
        assert_eq!(truth(&[denial(-24)]), ("queued", true));
        for (code, class) in [
            (-5, "not_entitled"),
            (-21, "not_entitled"),
            (-25, "not_entitled"),
            (-38, "excluded"),
            (-97, "other"),
        ] {
            assert_eq!(truth(&[denial(code)]), (class, false));
        }
        let unsupported = Event {
            kind: Kind::Unsupported,
            ..denial(-4)
        };
        assert_eq!(truth(&[unsupported]), ("not_entitled", false));

        let relief = Event {
            server: "other".to_owned(),
            version: "2".to_owned(),
            ..event(Kind::Checkout, "2015-01-01 10:00:05", "alice", "h")
        };
        let too_late = Event {
            at: relief.at + 1,
            ..relief.clone()
        };
        let too_early = Event {
            at: at("2015-01-01 10:00:00") - 1,
            ..relief.clone()
        };
        let another_user = Event {
            user: "bob".to_owned(),
            ..relief.clone()
        };
        assert_eq!(truth(&[denial(-4), relief]), ("capacity", false));
        assert_eq!(truth(&[denial(-4), too_late, too_early, another_user]), ("capacity", true));
    }

    #[test]
    fn denials_are_cut_by_the_wall_clock() {
        // 25 October 2015: Berlin shows 02:30 at 00:30 UTC and again at 01:30 UTC.
        let autumn = [
            event(Kind::Denial, "2015-10-25 00:30:00", "a", "h"),
            event(Kind::Denial, "2015-10-25 01:30:00", "a", "h"),
        ];
        let hours = grouped_denials(&autumn, "s", "f", "1", day("2015-10-25"), day("2015-10-25"), 6, Europe::Berlin);
        assert_eq!(hours.len(), 24);
        assert_eq!(hours[2], ("2015-10-25 02:00".to_owned(), 2));

        let spring = grouped_denials(&autumn, "s", "f", "1", day("2015-03-29"), day("2015-03-29"), 6, Europe::Berlin);
        assert_eq!(spring.len(), 24);
        assert_eq!(spring[2], ("2015-03-29 02:00".to_owned(), 0));
    }

    #[test]
    fn utilization_of_the_worked_example() {
        let events = example_utilization();
        let (first, last) = (day("2015-01-01"), day("2015-01-02"));
        let figures = utilization(&events, "s", "f", "1", first, last, 9 * 60, 17 * 60, UTC);
        assert_eq!(figures.levels, [17 * HOUR / 2, 7 * HOUR, 3 * HOUR / 2]);
        assert_eq!(figures.denominator_literal, 16 * HOUR);
        assert_eq!(figures.denominator_uptime, 12 * HOUR);

        // Per cent with two decimals, half away from zero, as whole hundredths.
        let percent = |denominator: i64| -> Vec<i64> {
            figures
                .levels
                .iter()
                .map(|level| (2 * 10_000 * level + denominator) / (2 * denominator))
                .collect()
        };
        assert_eq!(percent(figures.denominator_literal), [5313, 4375, 938]);
        assert_eq!(percent(figures.denominator_uptime), [7083, 5833, 1250]);
    }

    #[test]
    fn windows_may_be_overnight_or_a_whole_day() {
        let events = example_utilization();
        let one = |st: u32, et: u32| utilization(&events, "s", "f", "1", day("2015-01-01"), day("2015-01-01"), st * 60, et * 60, UTC);

        // 22:00 – 06:00 next day: only c holds.
        let overnight = one(22, 6);
        assert_eq!(
            (overnight.levels, overnight.denominator_literal, overnight.denominator_uptime),
            (vec![8 * HOUR], 8 * HOUR, 8 * HOUR)
        );
        // 08:00 – 08:00: a, b and c from the first until the next day's 08:00.
        let whole = one(8, 8);
        assert_eq!(whole.denominator_literal, 24 * HOUR);
        assert_eq!(whole.levels, [24 * HOUR, 8 * HOUR, 5 * HOUR / 2]);
        assert_eq!(one(0, 24), one(0, 0));
    }

    #[test]
    fn a_window_follows_the_clock_change() {
        let up = [
            event(Kind::ServerUp, "2015-01-01 00:00:00", "", ""),
            event(Kind::ServerDown, "2016-01-01 00:00:00", "", ""),
        ];
        let length = |date: &str, st, et| {
            let figures = utilization(&up, "s", "f", "1", day(date), day(date), st, et, Europe::Berlin);
            assert_eq!(figures.denominator_literal, i64::from(et - st) * MINUTE);
            figures.denominator_uptime
        };
        assert_eq!(length("2015-03-29", 0, 1440), 23 * HOUR);
        assert_eq!(length("2015-10-25", 0, 1440), 25 * HOUR);
        // The skipped hour is empty, and an edge inside of it is the jump.
        assert_eq!(length("2015-03-29", 120, 180), 0);
        assert_eq!(length("2015-03-29", 150, 240), HOUR);
        // The repeated hour begins and ends at its first occurrence.
        assert_eq!(length("2015-10-25", 120, 150), HOUR / 2);
        assert_eq!(length("2015-10-25", 150, 180), 3 * HOUR / 2);
    }

    #[test]
    fn a_boundary_is_the_first_instant_not_before_its_label() {
        let cases = [
            (Europe::Berlin, "2015-03-29"),
            (Europe::Berlin, "2015-10-25"),
            (America::Sao_Paulo, "2015-10-18"),
            (America::Sao_Paulo, "2015-02-22"),
            (America::St_Johns, "2010-11-07"),
            (Pacific::Apia, "2011-12-30"),
            (UTC, "2015-01-01"),
        ];
        for (zone, date) in cases {
            for minutes in (0..2 * DAY_MINUTES).step_by(30) {
                let label = day(date).and_time(NaiveTime::MIN) - TimeDelta::hours(12) + TimeDelta::minutes(i64::from(minutes));
                assert_eq!(boundary(label, zone), first_instant_not_before(label, zone), "{label} in {zone}");
            }
        }
    }

    #[test]
    fn users_count_of_the_worked_example() {
        let mut events = vec![
            event(Kind::Checkout, "2015-01-01 23:00:00", "alice", "h1"),
            event(Kind::Checkin, "2015-01-02 01:00:00", "alice", "h1"),
            event(Kind::Checkout, "2015-01-01 23:30:00", "bob", "h2"),
            event(Kind::Checkin, "2015-01-01 23:45:00", "bob", "h2"),
            event(Kind::Denial, "2015-01-03 12:00:00", "bob", "h2"),
            event(Kind::Checkout, "2015-01-02 00:30:00", "carol", "h1"),
            event(Kind::Checkin, "2015-01-02 02:00:00", "carol", "h1"),
        ];
        let rows = |events: &[Event], model_2019| -> Vec<_> {
            let rows = users_count(events, day("2015-01-01"), day("2015-01-03"), model_2019, UTC);
            rows.into_iter()
                .map(|row| (row.day.to_string(), row.total, row.daily, row.denial, row.hosts))
                .collect()
        };
        let (first, second, third) = ("2015-01-01".to_owned(), "2015-01-02".to_owned(), "2015-01-03".to_owned());
        let mut expected = [(first, 2, 2, 0, 2), (second, 3, 2, 0, 1), (third, 3, 0, 1, 0)];
        assert_eq!(rows(&events, false), expected);
        expected[2].2 = 1;
        assert_eq!(rows(&events, true), expected);

        // A session of no length makes nobody active, and a host without a name is none.
        events.push(event(Kind::Checkout, "2015-01-03 10:00:00", "dave", "h3"));
        events.push(event(Kind::Checkin, "2015-01-03 10:00:00", "dave", "h3"));
        assert_eq!(rows(&events, true), expected);
        events.push(event(Kind::Checkout, "2015-01-03 10:00:00", "carol", ""));
        events.push(event(Kind::Checkin, "2015-01-03 10:00:01", "carol", ""));
        expected[2].2 = 2;
        assert_eq!(rows(&events, true), expected);
    }

    #[test]
    fn users_count_looks_back_fourteen_days_or_for_ever() {
        let events = [
            event(Kind::Checkout, "2015-01-01 10:00:00", "alice", "h1"),
            event(Kind::Checkin, "2015-01-01 11:00:00", "alice", "h1"),
            event(Kind::Denial, "2015-01-01 12:00:00", "bob", "h1"),
        ];
        let totals = |model_2019| -> Vec<i64> {
            users_count(&events, day("2015-01-13"), day("2015-01-15"), model_2019, UTC)
                .into_iter()
                .map(|row| row.total)
                .collect()
        };
        assert_eq!(totals(false), [1, 1, 0]);
        assert_eq!(totals(true), [2, 2, 2]);
    }

    #[test]
    fn a_checkin_without_a_handle_ends_the_oldest() {
        let events = [
            event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
            event(Kind::Checkout, "2015-01-01 11:00:00", "a", "h"),
            event(Kind::Checkin, "2015-01-01 12:00:00", "a", "h"),
            event(Kind::Checkin, "2015-01-01 13:00:00", "a", "h"),
            event(Kind::Checkin, "2015-01-01 14:00:00", "a", "h"),
        ];
        let (found, counts) = sessions(&events);
        assert_eq!(spans(&found), ["10:00-12:00", "11:00-13:00"]);
        let expected = Counts {
            orphans: 1,
            ambiguous: 1,
            sessions: 2,
            ..Counts::default()
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_handle_comes_before_age() {
        let handled = |kind, time, handle: &str| Event {
            handle: handle.to_owned(),
            ..event(kind, time, "a", "h")
        };
        let events = [
            handled(Kind::Checkout, "2015-01-01 10:00:00", "1"),
            handled(Kind::Checkout, "2015-01-01 11:00:00", "2"),
            handled(Kind::Checkout, "2015-01-01 11:30:00", ""),
            // By handle, though of another user.
            Event {
                user: "b".to_owned(),
                ..handled(Kind::Checkin, "2015-01-01 12:00:00", "2")
            },
            // No such handle is open: the one without a handle, unambiguously, and then nothing.
            handled(Kind::Checkin, "2015-01-01 13:00:00", "9"),
            handled(Kind::Checkin, "2015-01-01 14:00:00", "9"),
            // Without a handle: whatever is equal.
            handled(Kind::Checkin, "2015-01-01 15:00:00", ""),
        ];
        let (found, counts) = sessions(&events);
        assert_eq!(spans(&found), ["10:00-15:00", "11:00-12:00", "11:30-13:00"]);
        assert_eq!((counts.orphans, counts.ambiguous, counts.open), (1, 0, 0));
    }

    #[test]
    fn within_an_instant_checkins_come_first() {
        // Written out of order on purpose: the file's order within an instant does not matter.
        let events = [
            event(Kind::Checkout, "2015-01-01 11:00:00", "a", "h"),
            event(Kind::Checkin, "2015-01-01 11:00:00", "a", "h"),
            event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
            event(Kind::Checkin, "2015-01-01 12:00:00", "b", "h"),
            event(Kind::Checkout, "2015-01-01 12:00:00", "b", "h"),
        ];
        let (found, counts) = sessions(&events);
        assert_eq!(spans(&found), ["10:00-11:00", "11:00-12:00", "12:00-12:00"]);
        assert_eq!((counts.orphans, counts.ambiguous, counts.open), (0, 0, 1));
        assert_eq!(found.iter().map(|session| session.open).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn a_restart_ends_what_is_open_but_not_what_is_paired() {
        let paired = Event {
            end: Some(at("2015-01-01 20:00:00")),
            ..event(Kind::Session, "2015-01-01 09:00:00", "b", "h")
        };
        let events = [
            paired,
            event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
            event(Kind::ServerDown, "2015-01-01 12:00:00", "", ""),
            // Opened while down: stays, but is not in use, until the server comes up.
            event(Kind::Checkout, "2015-01-01 13:00:00", "a", "h"),
            event(Kind::ServerDown, "2015-01-01 14:00:00", "", ""),
            event(Kind::ServerUp, "2015-01-01 15:00:00", "", ""),
            event(Kind::Checkout, "2015-01-01 15:00:00", "a", "h"),
            // A restart in one instant.
            event(Kind::ServerUp, "2015-01-01 16:00:00", "", ""),
            event(Kind::ServerDown, "2015-01-01 16:00:00", "", ""),
        ];
        let (found, counts) = sessions(&events);
        assert_eq!(spans(&found), ["09:00-20:00", "10:00-12:00", "13:00-15:00", "15:00-16:00"]);
        assert_eq!(
            found.iter().map(|session| session.truncated).collect::<Vec<_>>(),
            [false, true, true, true]
        );
        assert_eq!((counts.truncated, counts.open, counts.orphans, counts.sessions), (3, 0, 0, 4));

        let up: Vec<_> = uptime(&events, "s")
            .into_iter()
            .map(|(start, end)| (clock(start), clock(end)))
            .collect();
        let expected = [("09:00".to_owned(), "12:00".to_owned()), ("15:00".to_owned(), "20:00".to_owned())];
        assert_eq!(up, expected);

        let day = day("2015-01-01");
        let figures = utilization(&events, "s", "f", "1", day, day, 0, DAY_MINUTES, UTC);
        assert_eq!(figures.levels, [8 * HOUR, 3 * HOUR]);
        assert_eq!(figures.denominator_uptime, 8 * HOUR);
    }

    #[test]
    fn uptime_by_the_first_and_the_last_status() {
        let capacity = event(Kind::Capacity, "2015-01-01 08:00:00", "", "");
        let up = event(Kind::ServerUp, "2015-01-01 09:00:00", "", "");
        let down = event(Kind::ServerDown, "2015-01-01 10:00:00", "", "");
        let last = event(Kind::Denial, "2015-01-01 11:00:00", "a", "h");
        let hours = |events: &[Event]| -> Vec<(i64, i64)> {
            let midnight = at("2015-01-01 00:00:00");
            uptime(events, "s")
                .into_iter()
                .map(|(start, end)| ((start - midnight) / HOUR, (end - midnight) / HOUR))
                .collect()
        };
        assert_eq!(hours(&[capacity.clone(), last.clone()]), [(8, 11)]);
        assert_eq!(hours(&[capacity.clone(), down.clone(), last.clone()]), [(8, 10)]);
        assert_eq!(hours(&[capacity.clone(), up.clone(), last.clone()]), [(9, 11)]);
        assert_eq!(hours(&[capacity, up, down, last.clone()]), [(9, 10)]);
        assert_eq!(hours(&[last]), []);
        assert_eq!(hours(&[]), []);
    }

    #[test]
    fn ndjson_leaves_absent_fields_out() {
        let denial = Event {
            at: at("2015-01-01 10:00:00") + 1_500,
            display: "tab\t\"q\" \\".to_owned(),
            reason_code: Some(-4),
            ..event(Kind::Denial, "2015-01-01 10:00:00", "a", "h")
        };
        let paired = Event {
            end: Some(at("2015-01-01 12:00:00")),
            licenses: 2,
            handle: "7f".to_owned(),
            ..event(Kind::Session, "2015-01-01 11:00:00", "a", "")
        };
        let up = Event {
            server: "s".to_owned(),
            ..Event::new(Kind::ServerUp, at("2015-01-01 09:00:00"))
        };
        let expected = concat!(
            r#"{"time":"2015-01-01T10:00:00.001500Z","event":"denial","server":"s","feature":"f","version":"1","user":"a","#,
            r#""host":"h","display":"tab\u0009\"q\" \\","licenses":1,"reason_code":-4}"#,
            "\n",
            r#"{"time":"2015-01-01T11:00:00Z","event":"session","end":"2015-01-01T12:00:00Z","server":"s","feature":"f","#,
            r#""version":"1","user":"a","handle":"7f","licenses":2}"#,
            "\n",
            r#"{"time":"2015-01-01T09:00:00Z","event":"server_up","server":"s"}"#,
            "\n",
        );
        assert_eq!(to_ndjson(&[denial, paired, up]), expected);
    }

    fn example_denials() -> Vec<Event> {
        vec![
            event(Kind::Denial, "2015-01-02 23:59:59", "alice", "ws1"),
            event(Kind::Denial, "2015-01-01 08:59:59", "alice", "ws1"),
            Event {
                licenses: 2,
                ..event(Kind::Denial, "2015-01-01 09:00:00", "bob", "ws2")
            },
            event(Kind::Denial, "2015-01-03 00:00:00", "alice", "ws1"),
        ]
    }

    fn example_utilization() -> Vec<Event> {
        let two = |kind, time| Event {
            licenses: 2,
            ..event(kind, time, "b", "h")
        };
        vec![
            event(Kind::ServerUp, "2015-01-01 00:00:00", "", ""),
            event(Kind::Checkout, "2015-01-01 08:00:00", "a", "h"),
            two(Kind::Checkout, "2015-01-01 10:00:00"),
            event(Kind::Checkin, "2015-01-01 10:30:00", "a", "h"),
            event(Kind::Checkout, "2015-01-01 16:00:00", "c", "h"),
            two(Kind::Checkin, "2015-01-01 18:00:00"),
            event(Kind::Checkin, "2015-01-02 09:30:00", "c", "h"),
            event(Kind::ServerDown, "2015-01-02 13:00:00", "", ""),
        ]
    }

    /// An event of version 1 of feature `f` on server `s`, at a UTC time.
    fn event(kind: Kind, time: &str, user: &str, host: &str) -> Event {
        Event {
            server: "s".to_owned(),
            feature: "f".to_owned(),
            version: "1".to_owned(),
            user: user.to_owned(),
            host: host.to_owned(),
            ..Event::new(kind, at(time))
        }
    }

    fn at(time: &str) -> i64 {
        NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S")
            .unwrap()
            .and_utc()
            .timestamp_micros()
    }

    fn day(date: &str) -> NaiveDate {
        date.parse().unwrap()
    }

    fn clock(at: i64) -> String {
        wall_clock(at, UTC).format("%H:%M").to_string()
    }

    /// Each session as `10:00-12:00`.
    fn spans(sessions: &[Session]) -> Vec<String> {
        sessions
            .iter()
            .map(|session| format!("{}-{}", clock(session.start), clock(session.end)))
            .collect()
    }
}
