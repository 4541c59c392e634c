//! Who is up.
//!
//! `lmgrd` starts the vendor daemons, and each of them says that it started too. A crash says nothing: it shows when a
//! daemon starts that should be running, and then it happened at the last instant seen before.
//!
//! ```text
//!   up ──(stops)──▶ down ──(starts)──▶ up          the daemon's own words
//!   up ──(starts again)──▶ down at the last instant seen, then up
//!   starting ──(a request)──▶ up since lmgrd started  the daemon never said that it did
//! ```

use std::collections::BTreeMap;

use super::message::Status;
use crate::import::ImportError;
use crate::time::{MINUTE, Micros};

/// Told that a daemon came up, or went down, at an instant.
pub(super) type Tell<'a> = dyn FnMut(&str, bool, Micros) -> Result<(), ImportError> + 'a;

/// The vendor daemons of a log.
#[derive(Debug, Default)]
pub(super) struct Daemons {
    known: BTreeMap<String, State>,
    /// When `lmgrd` last started.
    lmgrd_started: Option<Micros>,
    /// The last instant at which the log shows life.
    last: Option<Micros>,
    /// The last instant before `lmgrd` began to introduce itself.
    before_banner: Option<Micros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is up; since when is not known.
    Running,
    /// It said at that instant that it started.
    Up(Micros),
    /// It stopped.
    Down,
    /// `lmgrd` started at that instant, and will have started it.
    Starting(Micros),
}

/// A daemon says more than once that it starts, within this time.
const START_UP: Micros = 2 * MINUTE;
const LMGRD: &str = "lmgrd";

impl Daemons {
    /// The last instant at which the log shows life, and the daemons that it knows.
    pub(super) fn known(&self) -> Option<(Micros, impl Iterator<Item = &str>)> {
        Some((self.last?, self.known.keys().map(String::as_str)))
    }

    /// A line that says nothing of servers, but shows that the log was being written.
    pub(super) fn noise(&mut self, daemon: &str, text: &str, at: Micros) {
        let introduces = daemon == LMGRD && (text.starts_with("-----") || text.starts_with("Server's System Date"));
        if introduces && self.before_banner.is_none() {
            self.before_banner = self.last;
        }
        self.last = Some(at);
    }

    /// A daemon asks on behalf of a user: it must be up.
    pub(super) fn request(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        self.last = Some(at);
        self.before_banner = None;
        let since = match self.known.get(daemon) {
            Some(State::Running | State::Up(_)) => return Ok(()),
            Some(State::Starting(since)) => Some(*since),
            Some(State::Down) => Some(at),
            None => self.lmgrd_started,
        };
        if let Some(since) = since {
            tell(daemon, true, since)?;
        }
        self.known.insert(daemon.to_owned(), since.map_or(State::Running, State::Up));
        Ok(())
    }

    /// A daemon says that it, or another one, starts or stops.
    pub(super) fn status(&mut self, daemon: &str, status: Status<'_>, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        match (daemon == LMGRD, status) {
            (true, Status::Started) => {
                let last = self.before_banner.take().or(self.last);
                for (name, state) in &mut self.known {
                    crash(name, *state, last, tell)?;
                    *state = State::Starting(at);
                }
                self.lmgrd_started = Some(at);
            }
            (false, Status::Started) => self.started(daemon, at, tell)?,
            (_, Status::ShutsDown(other)) if self.known.contains_key(other) => self.stopped(other, at, tell)?,
            // It served nobody that the log knows.
            (_, Status::ShutsDown(_)) => {}
            (true, Status::Stops) => {
                for name in self.known.keys().cloned().collect::<Vec<_>>() {
                    self.stopped(&name, at, tell)?;
                }
            }
            (false, Status::Stops) => self.stopped(daemon, at, tell)?,
        }
        self.last = Some(at);
        Ok(())
    }

    fn started(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let before = self.known.get(daemon).copied();
        if let Some(State::Up(since)) = before
            && (since..since + START_UP).contains(&at)
        {
            return Ok(()); // it says so twice
        }
        if let Some(state) = before {
            crash(daemon, state, self.last, tell)?;
        }
        tell(daemon, true, at)?;
        self.known.insert(daemon.to_owned(), State::Up(at));
        Ok(())
    }

    fn stopped(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if !matches!(self.known.get(daemon), Some(State::Down | State::Starting(_))) {
            tell(daemon, false, at)?;
        }
        self.known.insert(daemon.to_owned(), State::Down);
        Ok(())
    }
}

/// A daemon that was up starts: it went down without a word, after the last instant seen.
fn crash(daemon: &str, state: State, last: Option<Micros>, tell: &mut Tell<'_>) -> Result<(), ImportError> {
    match (state, last) {
        (State::Running | State::Up(_), Some(last)) => tell(daemon, false, last),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    /// Plays `at daemon what` and returns what was told.
    fn play(lines: &[(i64, &str, &str)]) -> Vec<String> {
        let mut told = Vec::new();
        let mut daemons = Daemons::default();
        for (at, daemon, what) in lines {
            let at = at * SECOND;
            let mut tell = |daemon: &str, up: bool, at: Micros| {
                told.push(format!("{} {daemon} {}", at / SECOND, if up { "up" } else { "down" }));
                Ok(())
            };
            match *what {
                "started" => daemons.status(daemon, Status::Started, at, &mut tell).unwrap(),
                "stops" => daemons.status(daemon, Status::Stops, at, &mut tell).unwrap(),
                "OUT" => daemons.request(daemon, at, &mut tell).unwrap(),
                noise => daemons.noise(daemon, noise, at),
            }
        }
        told
    }

    #[test]
    fn a_crash_happened_at_the_last_instant_seen() {
        let log = [
            (0, "lmgrd", "started"),
            (1, "x", "started"),
            (100, "x", "OUT"),
            (900, "lmgrd", "TIMESTAMP"),
            (5000, "lmgrd", "-----"),
            (5005, "lmgrd", "started"),
            (5009, "x", "started"),
            (5010, "x", "started"),
        ];
        assert_eq!(play(&log), ["1 x up", "900 x down", "5009 x up"]);
    }

    #[test]
    fn a_daemon_that_stops_says_when() {
        let log = [
            (0, "x", "OUT"),
            (10, "x", "stops"),
            (11, "lmgrd", "stops"),
            (500, "x", "started"),
            (501, "x", "OUT"),
        ];
        assert_eq!(play(&log), ["10 x down", "500 x up"]);
    }

    #[test]
    fn a_daemon_that_never_said_it_started_is_up_since_lmgrd_is() {
        let log = [
            (0, "lmgrd", "started"),
            (100, "x", "OUT"),
            (200, "x", "OUT"),
            (9000, "lmgrd", "started"),
            (9100, "x", "OUT"),
        ];
        assert_eq!(play(&log), ["0 x up", "200 x down", "9000 x up"]);
    }

    #[test]
    fn a_log_without_a_start_tells_nothing() {
        assert_eq!(play(&[(0, "x", "OUT"), (100, "lmgrd", "TIMESTAMP")]), [""; 0]);
    }

    #[test]
    fn lmgrd_shuts_down_the_daemon_that_it_names() {
        let mut told = Vec::new();
        let mut daemons = Daemons::default();
        let mut tell = |daemon: &str, up: bool, _: Micros| {
            told.push(format!("{daemon} {up}"));
            Ok(())
        };
        daemons.request("x", 0, &mut tell).unwrap();
        daemons.request("y", 1, &mut tell).unwrap();
        daemons.status(LMGRD, Status::ShutsDown("z"), 2, &mut tell).unwrap();
        daemons.status(LMGRD, Status::ShutsDown("y"), 3, &mut tell).unwrap();
        assert_eq!(told, ["y false"]);
    }

    #[test]
    fn daemons_start_and_stop_on_their_own() {
        let log = [
            (0, "x", "OUT"),
            (1, "y", "OUT"),
            (50, "y", "stops"),
            (60, "x", "OUT"),
            (70, "y", "OUT"),
        ];
        assert_eq!(play(&log), ["50 y down", "70 y up"]);
    }
}
