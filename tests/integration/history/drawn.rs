//! Random histories, dealt out to files.

use std::collections::BTreeSet;

use headroom::event::{Event, Kind};
use headroom::time::{Day, HOUR, MINUTE, Micros, SECOND, Zone};
use proptest::prelude::*;

/// A history, and which of three files tell each of its events.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub zone: Zone,
    first: Day,
    happenings: Vec<Happening>,
    /// Until when each file goes on after its last event.
    quiet: [Micros; 3],
}

/// One event.
#[derive(Debug, Clone)]
struct Happening {
    day: i32,
    time: Micros,
    kind: Kind,
    server: usize,
    feature: usize,
    user: usize,
    licenses: u32,
    handle: usize,
    lasts: Micros,
    files: u8,
}

/// What is imported at once.
#[derive(Debug, Clone)]
pub struct File<'a> {
    pub name: String,
    pub events: Vec<Event<'a>>,
    pub marks: Vec<Mark>,
}

/// Until when the log of a server goes on.
#[derive(Debug, Clone)]
pub struct Mark {
    pub server: &'static str,
    pub daemon: &'static str,
    pub at: Micros,
}

const SERVERS: [(&str, &str); 3] = [("s", ""), ("t", "acme"), ("t", "beta")];
const FEATURES: [&str; 2] = ["f", "g"];
const USERS: [&str; 3] = ["ada", "bob", "zoë"];
const HANDLES: [&str; 3] = ["", "1a", "2b"];

fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        8 => Just(Kind::Checkout),
        7 => Just(Kind::Checkin),
        3 => Just(Kind::Denial),
        2 => Just(Kind::Session),
        2 => Just(Kind::ServerUp),
        2 => Just(Kind::ServerDown),
        1 => Just(Kind::Capacity),
    ];
    let time = prop_oneof![
        // Around midnight, to the second.
        3 => (-6_i64..7).prop_map(|seconds| seconds * SECOND),
        2 => (0_i64..6).prop_map(|hours| hours * 4 * HOUR),
        3 => (0_i64..24 * 60).prop_map(|minutes| minutes * MINUTE),
    ];
    let lasts = prop_oneof![(0_i64..50).prop_map(|hours| hours * HOUR), Just(MINUTE)];
    let who = (0..SERVERS.len(), 0..FEATURES.len(), 0..USERS.len(), 1_u32..3, 0..HANDLES.len());
    let files = prop_oneof![4 => prop::sample::select(vec![1_u8, 2, 4]), 1 => 1_u8..8];
    (0_i32..5, time, kind, who, lasts, files).prop_map(|(day, time, kind, (server, feature, user, licenses, handle), lasts, files)| {
        Happening {
            day,
            time,
            kind,
            server,
            feature,
            user,
            licenses,
            handle,
            lasts,
            files,
        }
    })
}

/// Histories over changes of the clock.
pub fn drawn() -> impl Strategy<Value = Drawn> {
    let days = prop::sample::select(vec![
        ("UTC", "2026-03-01"),
        ("Europe/Berlin", "2026-03-27"),
        ("Europe/Berlin", "2026-10-23"),
        ("America/New_York", "2026-03-06"),
        ("Australia/Lord_Howe", "2026-04-03"),
        ("America/Santiago", "2026-09-04"),
    ]);
    let quiet = prop::array::uniform3(prop_oneof![Just(0_i64), (0_i64..60).prop_map(|hours| hours * HOUR)]);
    (days, prop::collection::vec(happening(), 1..45), quiet).prop_map(|((zone, first), happenings, quiet)| Drawn {
        zone: zone.parse().unwrap(),
        first: first.parse().unwrap(),
        happenings,
        quiet,
    })
}

impl Drawn {
    /// Checkouts and checkins of some users, many a day.
    pub fn of_days(days: i32, a_day: usize) -> Self {
        let happening = |day: i32, number: usize| Happening {
            day,
            time: 24 * HOUR / a_day as i64 * number as i64,
            kind: if number.is_multiple_of(3) { Kind::Checkin } else { Kind::Checkout },
            server: 0,
            feature: number % FEATURES.len(),
            user: number % USERS.len(),
            licenses: 1,
            handle: 0,
            lasts: 0,
            files: 7,
        };
        Self {
            zone: "Europe/Berlin".parse().unwrap(),
            first: "2026-03-26".parse().unwrap(),
            happenings: (0..days)
                .flat_map(|day| (0..a_day).map(move |number| happening(day, number)))
                .collect(),
            quiet: [0; 3],
        }
    }

    /// An event of each server and feature, long before all others.
    pub fn names(&self) -> Vec<Event<'static>> {
        let at = self.zone.start_of(self.first.plus(-30)) + HOUR;
        let of_server = |(server, daemon): (&'static str, &'static str)| {
            FEATURES.map(|feature| Event {
                server,
                daemon,
                feature,
                licenses: 7,
                ..Event::new(Kind::Capacity, at)
            })
        };
        SERVERS.into_iter().flat_map(of_server).collect()
    }

    fn event(&self, happening: &Happening) -> Event<'static> {
        let (server, daemon) = SERVERS[happening.server];
        let at = self.zone.start_of(self.first.plus(happening.day)) + happening.time;
        let event = Event {
            server,
            daemon,
            ..Event::new(happening.kind, at)
        };
        match happening.kind {
            Kind::ServerUp | Kind::ServerDown => event,
            Kind::Capacity => Event {
                feature: FEATURES[happening.feature],
                licenses: happening.licenses,
                ..event
            },
            kind => Event {
                feature: FEATURES[happening.feature],
                user: USERS[happening.user],
                host: "h",
                licenses: happening.licenses,
                handle: HANDLES[happening.handle],
                reason_code: (kind == Kind::Denial).then_some(-4),
                ended: (kind == Kind::Session).then_some(at + happening.lasts),
                ..event
            },
        }
    }

    /// The events of some files in order of time, each once, and the files that tell it.
    fn events(&self, files: u8) -> Vec<Event<'static>> {
        let mut seen = BTreeSet::new();
        let told = self.happenings.iter().filter(|happening| happening.files & files > 0);
        let mut events: Vec<Event<'static>> = told
            .map(|happening| self.event(happening))
            .filter(|event| seen.insert(format!("{event:?}")))
            .collect();
        events.sort_by_key(|event| event.at);
        for (line, event) in (1..).zip(&mut events) {
            event.line = line;
        }
        events
    }

    fn marks(&self, file: usize) -> Vec<Mark> {
        let events = self.events(1 << file);
        let marks = SERVERS.iter().enumerate().filter_map(|(place, (server, daemon))| {
            let of_server = events.iter().filter(|event| (event.server, event.daemon) == (*server, *daemon));
            let last = of_server.map(|event| event.at).max()?;
            let quiet = if place == 0 { 0 } else { self.quiet[file] };
            Some(Mark {
                server,
                daemon,
                at: last + quiet,
            })
        });
        marks.collect()
    }

    /// The three files.
    pub fn files(&self) -> [File<'static>; 3] {
        [0, 1, 2].map(|file| File {
            name: format!("{file}.log"),
            events: self.events(1 << file),
            marks: self.marks(file),
        })
    }

    /// All events as one file, with the stops that the ends of some logs show.
    pub fn whole(&self, marks: &[Mark]) -> File<'static> {
        let mut events = self.events(7);
        events.extend(self.stops(marks));
        events.sort_by_key(|event| event.at);
        let latest = SERVERS.iter().filter_map(|(server, daemon)| {
            let of_server = marks.iter().filter(|mark| (mark.server, mark.daemon) == (*server, *daemon));
            of_server.max_by_key(|mark| mark.at).cloned()
        });
        File {
            name: "whole.log".to_owned(),
            events,
            marks: latest.collect(),
        }
    }

    /// Where a log ends and the next that is known of its server is that it comes up, it went down at that end.
    fn stops(&self, marks: &[Mark]) -> Vec<Event<'static>> {
        let mut all = self.names();
        all.extend(self.events(7));
        let is_up = |event: &&Event<'_>| event.kind == Kind::ServerUp;
        let stop = |up: &Event<'static>| {
            let same = |event: &&Event<'_>| (event.server, event.daemon) == (up.server, up.daemon);
            let before = || all.iter().filter(same).filter(|event| event.at < up.at);
            let known = before().map(|event| event.ended.unwrap_or(event.at).max(event.at)).max()?;
            let of_server = marks.iter().filter(|mark| (mark.server, mark.daemon) == (up.server, up.daemon));
            let mark = of_server.map(|mark| mark.at).filter(|at| *at < up.at).max()?;
            let statuses = all.iter().filter(same).filter(|event| match event.kind {
                Kind::ServerUp => event.at < up.at,
                Kind::ServerDown => event.at <= up.at,
                _ => false,
            });
            let status = statuses.max_by_key(|event| (event.at, event.kind == Kind::ServerUp));
            let was_up = status.is_none_or(|status| status.kind == Kind::ServerUp);
            (was_up && mark >= known).then(|| Event {
                server: up.server,
                daemon: up.daemon,
                ..Event::new(Kind::ServerDown, mark)
            })
        };
        let mut stops: Vec<Event<'static>> = all.iter().filter(is_up).filter_map(stop).collect();
        stops.sort_by_key(|stop| (stop.at, stop.server, stop.daemon));
        stops.dedup();
        stops
    }
}
