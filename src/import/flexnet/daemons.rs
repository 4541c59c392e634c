//! Vendor daemons: which are up, since when and until when.
//!
//! A manager (`lmgrd`, `lmadmin`) starts the vendor daemons, and each of them says that it serves. A crash says nothing: it shows
//! when a daemon starts that should be running, and then it happened at the last instant seen before.
//!
//! ```text
//!   up ──(says that it stops)──▶ stopping ──(its last return)──▶ down ──(serves)──▶ up
//!   up ──(serves again, a new process)──▶ down at the last instant seen, then up
//!   up ──(rereads, then serves again)──▶ up: the same process
//!   starting ──(a request)──▶ up since the manager started: the daemon never said that it did
//!   a manager starts and gives up: nothing happened
//! ```
//!
//! Words that only promise a change wait: a start of a manager until a daemon serves or somebody asks, a stop until the returns that
//! follow it are read, a start of a daemon until its instant is over (a daemon that has nothing to serve ends in the same second).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::message::Status;
use crate::import::ImportError;
use crate::time::{MINUTE, Micros};

/// Told that a daemon came up, or went down, at an instant.
pub(super) type Tell<'a> = dyn FnMut(&str, bool, Micros) -> Result<(), ImportError> + 'a;

/// The vendor daemons of a log.
#[derive(Debug, Default)]
pub(super) struct Daemons {
    known: BTreeMap<String, Daemon>,
    /// When a manager last started.
    manager_started: Option<Micros>,
    /// A manager began to start, and nothing shows yet that it lives.
    starting: Option<Starting>,
    /// The last instant at which the log shows life.
    last: Option<Micros>,
    /// The last instant before a manager began to introduce itself.
    before_banner: Option<Micros>,
    /// When the manager last said that it rereads its license file.
    reread: Option<Micros>,
    /// Nothing waits to be told, as of the last request.
    is_calm: bool,
}

/// A manager that began to start.
#[derive(Debug, Clone, Copy)]
struct Starting {
    at: Micros,
    /// The last instant seen before.
    last: Option<Micros>,
    /// It said that it cannot go on.
    gives_up: bool,
}

#[derive(Debug, Clone, Copy)]
struct Daemon {
    state: State,
    /// A new process of it said who it is, and has not served yet.
    introduced: Option<Micros>,
    /// It said that it rereads a file.
    reread: Option<Micros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is up; since when is not known.
    Running,
    /// It said at that instant that it started; whether that was handed on.
    Up(Micros, bool),
    /// It stops since the first instant; its last return or word was at the second.
    Stopping(Micros, Micros),
    /// It stopped.
    Down,
    /// A manager started at that instant, and will have started it.
    Starting(Micros),
}

impl State {
    /// Whether it waits to be told.
    const fn waits(self) -> bool {
        matches!(self, Self::Up(_, false) | Self::Stopping(..))
    }
}

impl Daemon {
    const fn new(state: State) -> Self {
        Self {
            state,
            introduced: None,
            reread: None,
        }
    }
}

/// Within this time a daemon says more than once that it starts, and a manager that cannot start gives up.
const START_UP: Micros = 2 * MINUTE;
/// Within this time after a stop, returns are the last words of the daemon.
const LAST_RETURNS: Micros = 2 * MINUTE;
/// Within this time after a reread, a daemon that serves again is the same process.
const REREAD: Micros = 10 * MINUTE;

/// Returns whether a name is that of a manager, which serves no license itself.
pub(super) fn is_manager(daemon: &str) -> bool {
    ["lmgrd", "lmadmin"].iter().any(|manager| daemon.eq_ignore_ascii_case(manager))
}

/// Returns the name of the vendor daemon whose fork speaks: `acmed_1` is `acmed`.
pub(super) fn unforked(daemon: &str) -> &str {
    match daemon.rsplit_once('_') {
        Some((name, number)) if !name.is_empty() && (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            name
        }
        _ => daemon,
    }
}

impl Daemons {
    /// Takes in a line that says nothing of servers, but shows that the log was being written.
    pub(super) fn noise(&mut self, daemon: &str, text: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        self.go_on(at, tell)?;
        let introduces = is_manager(daemon) && (text.starts_with("-----") || text.starts_with("Server's System Date"));
        if introduces && self.before_banner.is_none() {
            self.before_banner = self.last;
        }
        self.last = Some(at);
        Ok(())
    }

    /// Takes in a request of a user, which a daemon answers only while it is up. `returns` is set for a license that comes back.
    pub(super) fn request(&mut self, daemon: &str, returns: bool, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let known = self.known.get(daemon).map(|known| known.state);
        if self.is_calm && matches!(known, Some(State::Running | State::Up(..))) {
            self.last = Some(at);
            self.before_banner = None;
            return Ok(());
        }
        let requested = self.unsettled_request(daemon, returns, at, tell);
        self.is_calm = self.starting.is_none() && self.known.values().all(|known| !known.state.waits());
        requested
    }

    /// The same where something waits to be told, or the daemon is not known to be up.
    fn unsettled_request(&mut self, daemon: &str, returns: bool, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if let Some(known) = self.known.get_mut(daemon)
            && let State::Stopping(since, last) = &mut known.state
            && returns
            && (*since..*since + LAST_RETURNS).contains(&at)
        {
            *last = at.max(*last);
            self.last = Some(at);
            return Ok(());
        }
        self.go_on(at, tell)?;
        self.lives(tell)?;
        self.last = Some(at);
        self.before_banner = None;
        self.settle(daemon, tell)?;
        let since = match self.known.get(daemon).map(|known| known.state) {
            Some(State::Running | State::Up(..)) => return Ok(()),
            Some(State::Starting(since)) => Some(since),
            Some(State::Down | State::Stopping(..)) => Some(at),
            None => self.manager_started,
        };
        if let Some(since) = since {
            tell(daemon, true, since)?;
        }
        self.set(daemon, since.map_or(State::Running, |since| State::Up(since, true)));
        Ok(())
    }

    /// Takes in what a daemon says of itself, or of another one.
    pub(super) fn status(&mut self, daemon: &str, status: Status<'_>, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        self.is_calm = false;
        if !matches!(status, Status::Stops | Status::ShutsDown(_) | Status::Exited(_)) {
            self.go_on(at, tell)?;
        }
        match (is_manager(daemon), status) {
            (true, Status::Serves | Status::Introduces) => self.manager_starts(at, tell)?,
            (true, Status::GivesUp) => {
                if let Some(starting) = &mut self.starting {
                    starting.gives_up = true;
                }
            }
            (true, Status::Stops) => self.manager_stops(at, tell)?,
            (true, Status::Rereads) => self.reread = Some(at),
            (false, Status::Serves) => self.serves(daemon, at, tell)?,
            (false, Status::Introduces) => self.introduces(daemon, at, tell)?,
            (false, Status::Stops | Status::GivesUp) => self.stops(daemon, at, true, tell)?,
            (false, Status::Rereads) => {
                if let Some(known) = self.known.get_mut(daemon) {
                    known.reread = Some(at);
                }
            }
            (_, Status::Starts(other)) => self.manager_starts_daemon(unforked(other), at, tell)?,
            (_, Status::Exited(other)) => self.stops(unforked(other), at, false, tell)?,
            (_, Status::ShutsDown(other)) if self.known.contains_key(unforked(other)) => self.stops(unforked(other), at, false, tell)?,
            // It served nobody that the log knows.
            (_, Status::ShutsDown(_)) => {}
        }
        self.last = Some(at);
        Ok(())
    }

    /// Ends the log: what waited is told, and `until` hears of each daemon that is up until when the log goes on.
    pub(super) fn finish(&mut self, tell: &mut Tell<'_>, until: &mut dyn FnMut(&str, Micros)) -> Result<(), ImportError> {
        self.lives(tell)?;
        for name in self.known.keys().cloned().collect::<Vec<_>>() {
            self.settle(&name, tell)?;
        }
        for (name, known) in &self.known {
            if let (State::Running | State::Up(..), Some(last)) = (known.state, self.last) {
                until(name, last);
            }
        }
        Ok(())
    }

    /// Tells what waited for its instant to be over, or for a stop to be complete.
    fn go_on(&mut self, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        for (name, known) in &mut self.known {
            if let State::Up(since, told @ false) = &mut known.state
                && *since != at
            {
                tell(name, true, *since)?;
                *told = true;
            }
        }
        // A manager that is still there after a while lives.
        if self
            .starting
            .is_some_and(|starting| !starting.gives_up && at > starting.at + START_UP)
        {
            self.lives(tell)?;
        }
        Ok(())
    }

    /// Hands on what is known of a daemon and was not told yet.
    fn settle(&mut self, daemon: &str, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let Some(known) = self.known.get_mut(daemon) else {
            return Ok(());
        };
        match &mut known.state {
            State::Up(since, told @ false) => {
                tell(daemon, true, *since)?;
                *told = true;
            }
            State::Stopping(_, last) => {
                tell(daemon, false, *last)?;
                known.state = State::Down;
            }
            _ => {}
        }
        Ok(())
    }

    /// A manager says who it is.
    fn manager_starts(&mut self, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if self
            .starting
            .is_some_and(|starting| (starting.at..starting.at + START_UP).contains(&at) && !starting.gives_up)
        {
            return Ok(()); // it says so twice
        }
        self.lives(tell)?;
        self.starting = Some(Starting {
            at,
            last: self.before_banner.take().or(self.last),
            gives_up: false,
        });
        Ok(())
    }

    /// Something shows that the manager that began to start lives: daemons that were up went down before without a word.
    fn lives(&mut self, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let Some(Starting { at, last, gives_up: false }) = self.starting.take() else {
            return Ok(());
        };
        for name in self.known.keys().cloned().collect::<Vec<_>>() {
            self.settle(&name, tell)?;
        }
        for (name, known) in &mut self.known {
            crash(name, known.state, last, tell)?;
            *known = Daemon::new(State::Starting(at));
        }
        self.manager_started = Some(at);
        Ok(())
    }

    /// A manager ends, and with it what its daemons hold. One that had started nothing ends nothing.
    fn manager_stops(&mut self, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if let Some(starting) = self.starting {
            self.starting = None;
            if starting.gives_up || at <= starting.at + START_UP {
                self.known.values_mut().for_each(|known| known.introduced = None);
                return Ok(());
            }
        }
        for name in self.known.keys().cloned().collect::<Vec<_>>() {
            self.stops(&name, at, false, tell)?;
        }
        Ok(())
    }

    /// A manager says that it starts a daemon: one that should be running has ended.
    fn manager_starts_daemon(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if self.starting.is_some() {
            return Ok(()); // it has yet to serve
        }
        self.settle(daemon, tell)?;
        if let Some(known) = self.known.get(daemon).copied()
            && !matches!(known.state, State::Up(since, _) if (since..since + START_UP).contains(&at))
        {
            crash(daemon, known.state, self.last, tell)?;
            self.set(daemon, State::Starting(at));
        }
        Ok(())
    }

    /// A process of a daemon says who it is.
    fn introduces(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        if self.starting.is_some() {
            // It may find that another one serves already.
            let known = self.known.entry(daemon.to_owned()).or_insert(Daemon::new(State::Down));
            known.introduced = Some(at);
            return Ok(());
        }
        self.started(daemon, at, tell)
    }

    /// A daemon says that it serves features.
    fn serves(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let known = self.known.get(daemon).copied();
        let is_new = self.starting.is_some() || known.is_some_and(|known| known.introduced.is_some());
        let recently = |reread: Option<Micros>| reread.is_some_and(|reread| (reread..reread + REREAD).contains(&at));
        let reread = recently(self.reread) || known.is_some_and(|known| recently(known.reread));
        if let Some(known) = known
            && matches!(known.state, State::Running | State::Up(..))
            && !is_new
            && reread
        {
            return Ok(());
        }
        // Its own words came before it served: it is up since then.
        let since = known.and_then(|known| known.introduced).unwrap_or(at);
        self.lives(tell)?;
        self.started(daemon, since, tell)
    }

    fn started(&mut self, daemon: &str, at: Micros, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        self.settle_stop(daemon, tell)?;
        let before = self.known.get(daemon).map(|known| known.state);
        if let Some(State::Up(since, _)) = before
            && (since..since + START_UP).contains(&at)
        {
            return Ok(()); // it says so twice
        }
        self.settle(daemon, tell)?;
        if let Some(state) = before {
            crash(daemon, state, self.last, tell)?;
        }
        self.set(daemon, State::Up(at, false));
        Ok(())
    }

    fn settle_stop(&mut self, daemon: &str, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        match self.known.get(daemon).map(|known| known.state) {
            Some(State::Stopping(..)) => self.settle(daemon, tell),
            _ => Ok(()),
        }
    }

    /// A daemon ends, or is ended; `itself` says so with its last words. One that has not served yet never was up; another
    /// process of it may be.
    fn stops(&mut self, daemon: &str, at: Micros, itself: bool, tell: &mut Tell<'_>) -> Result<(), ImportError> {
        let known = self.known.get(daemon).copied();
        let is_second = self.starting.is_some() && known.is_some_and(|known| known.introduced.is_some());
        match known.map(|known| known.state) {
            Some(State::Running | State::Up(_, true)) if is_second => return Ok(()),
            // Up and down within one instant: down.
            Some(State::Up(since, false)) if since == at => tell(daemon, false, at)?,
            Some(State::Stopping(since, last)) => {
                if itself && at < since + LAST_RETURNS {
                    self.set(daemon, State::Stopping(since, last.max(at)));
                }
                return Ok(());
            }
            Some(State::Running | State::Up(..)) => {
                self.settle(daemon, tell)?;
                self.set(daemon, State::Stopping(at, at));
                return Ok(());
            }
            Some(State::Down) if !is_second => return Ok(()),
            Some(State::Starting(_)) if !is_second => {}
            _ => tell(daemon, false, at)?,
        }
        self.set(daemon, State::Down);
        Ok(())
    }

    fn set(&mut self, daemon: &str, state: State) {
        match self.known.get_mut(daemon) {
            Some(known) => *known = Daemon::new(state),
            None => {
                self.known.insert(daemon.to_owned(), Daemon::new(state));
            }
        }
    }
}

/// Returns the name without what marks a fork, borrowed where that is possible.
pub(super) fn name_of<'a>(daemon: &Cow<'a, str>) -> Cow<'a, str> {
    match daemon {
        Cow::Borrowed(daemon) => Cow::Borrowed(unforked(daemon)),
        Cow::Owned(daemon) => Cow::Owned(unforked(daemon).to_owned()),
    }
}

/// A daemon that was up starts: it went down without a word, after the last instant seen.
fn crash(daemon: &str, state: State, last: Option<Micros>, tell: &mut Tell<'_>) -> Result<(), ImportError> {
    match (state, last) {
        (State::Running | State::Up(..), Some(last)) => tell(daemon, false, last),
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
                "started" => daemons.status(daemon, Status::Serves, at, &mut tell).unwrap(),
                "says who" => daemons.status(daemon, Status::Introduces, at, &mut tell).unwrap(),
                "rereads" => daemons.status(daemon, Status::Rereads, at, &mut tell).unwrap(),
                "gives up" => daemons.status(daemon, Status::GivesUp, at, &mut tell).unwrap(),
                "stops" => daemons.status(daemon, Status::Stops, at, &mut tell).unwrap(),
                "x exited" => daemons.status(daemon, Status::Exited("x"), at, &mut tell).unwrap(),
                "starts x" => daemons.status(daemon, Status::Starts("x"), at, &mut tell).unwrap(),
                "OUT" => daemons.request(daemon, false, at, &mut tell).unwrap(),
                "IN" => daemons.request(daemon, true, at, &mut tell).unwrap(),
                noise => daemons.noise(daemon, noise, at, &mut tell).unwrap(),
            }
        }
        let mut tell = |daemon: &str, up: bool, at: Micros| {
            told.push(format!("{} {daemon} {}", at / SECOND, if up { "up" } else { "down" }));
            Ok(())
        };
        let mut until = Vec::new();
        daemons
            .finish(&mut tell, &mut |daemon, at| until.push(format!("{daemon} until {}", at / SECOND)))
            .unwrap();
        told.extend(until);
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
        assert_eq!(play(&log), ["1 x up", "900 x down", "5009 x up", "x until 5010"]);
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
        assert_eq!(play(&log), ["10 x down", "500 x up", "x until 501"]);
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
        assert_eq!(play(&log), ["0 x up", "200 x down", "9000 x up", "x until 9100"]);
    }

    #[test]
    fn a_log_without_a_start_tells_how_long_it_goes_on() {
        assert_eq!(play(&[(0, "x", "OUT"), (100, "lmgrd", "TIMESTAMP")]), ["x until 100"]);
    }

    #[test]
    fn lmgrd_shuts_down_the_daemon_that_it_names() {
        let mut told = Vec::new();
        let mut daemons = Daemons::default();
        let mut tell = |daemon: &str, up: bool, _: Micros| {
            told.push(format!("{daemon} {up}"));
            Ok(())
        };
        daemons.request("x", false, 0, &mut tell).unwrap();
        daemons.request("y", false, 1, &mut tell).unwrap();
        daemons.status("lmgrd", Status::ShutsDown("z"), 2, &mut tell).unwrap();
        daemons.status("lmgrd", Status::ShutsDown("y"), 3, &mut tell).unwrap();
        daemons.finish(&mut tell, &mut |_, _| {}).unwrap();
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
        assert_eq!(play(&log), ["50 y down", "70 y up", "x until 70", "y until 70"]);
    }

    #[test]
    fn a_reread_is_no_restart() {
        let log = [
            (0, "lmgrd", "started"),
            (1, "x", "started"),
            (900, "lmgrd", "rereads"),
            (901, "x", "started"),
            (5000, "x", "rereads"),
            (5001, "x", "started"),
            (9000, "x", "started"),
        ];
        assert_eq!(play(&log), ["1 x up", "5001 x down", "9000 x up", "x until 9000"]);
    }

    #[test]
    fn returns_after_a_stop_are_returns_and_the_daemon_ends_after_them() {
        let log = [
            (0, "x", "started"),
            (50, "x", "OUT"),
            (100, "x", "stops"),
            (101, "x", "IN"),
            (101, "lmgrd", "stops"),
            (102, "x", "IN"),
            (400, "lmgrd", "TIMESTAMP"),
        ];
        assert_eq!(play(&log), ["0 x up", "102 x down"]);
    }

    #[test]
    fn a_manager_that_gives_up_ends_nothing() {
        for last_word in ["gives up", "TIMESTAMP"] {
            let log = [
                (0, "lmgrd", "started"),
                (1, "x", "started"),
                (500, "x", "OUT"),
                (900, "lmgrd", "started"),
                (901, "lmgrd", last_word),
                (902, "lmgrd", "stops"),
                (950, "x", "IN"),
            ];
            assert_eq!(play(&log), ["1 x up", "x until 950"], "{last_word}");
        }
        let second_daemon = [
            (1, "x", "started"),
            (900, "lmgrd", "started"),
            (901, "x", "says who"),
            (902, "x", "stops"),
            (902, "lmgrd", "x exited"),
            (903, "lmgrd", "stops"),
            (950, "x", "IN"),
        ];
        assert_eq!(play(&second_daemon), ["1 x up", "x until 950"]);
    }

    #[test]
    fn a_daemon_that_its_manager_saw_exit_is_down_since_then() {
        let log = [
            (0, "x", "started"),
            (50, "x", "OUT"),
            (100, "lmgrd", "x exited"),
            (100, "lmgrd", "starts x"),
            (101, "x", "says who"),
            (102, "x", "started"),
        ];
        assert_eq!(play(&log), ["0 x up", "100 x down", "101 x up", "x until 102"]);
    }

    #[test]
    fn a_daemon_that_starts_and_ends_in_one_second_is_down() {
        let log = [
            (5, "lmgrd", "started"),
            (6, "x", "says who"),
            (6, "x", "stops"),
            (6, "y", "started"),
        ];
        assert_eq!(play(&log), ["6 x down", "6 y up", "y until 6"]);
        assert_eq!(play(&[(6, "x", "says who"), (6, "x", "stops")]), ["6 x down"]);
    }

    #[test]
    fn forks_are_their_daemon() {
        assert_eq!(
            ["acmed_1", "acmed_12", "acmed", "ptc_d", "acmed_", "_1", "a_123"].map(unforked),
            ["acmed", "acmed", "acmed", "ptc_d", "acmed_", "_1", "a_123"]
        );
    }
}
