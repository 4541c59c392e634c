//! What an import did, counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::ser::Serializer;

use super::{Flaw, FlawKind};
use crate::event::{Event, Kind};
use crate::store::{Committed, Coverage, Holds};
use crate::time::{Micros, rfc3339};

/// How many problems are told one by one.
const PROBLEMS: usize = 20;

/// The summary of an import. Its JSON keys are a part of the published interface.
///
/// `sessions`, `orphanCheckins`, `ambiguousMatches` and `truncatedByRestart` count what the store holds, after the import, of
/// the servers and on the days of the files; `openSessions` counts what those servers' last instants leave open. So an import
/// that is repeated tells the same figures, but for `duplicates`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Files that were read.
    pub files: u64,
    /// Lines in them, counted by their ends as `wc -l` does; rows of Parquet.
    pub lines: u64,
    /// Bytes in them, as they lie on the disk.
    pub bytes: u64,
    /// Events by kind, known ones included.
    #[serde(serialize_with = "by_name")]
    pub events: BTreeMap<Kind, u64>,
    /// The first instant of any event.
    #[serde(serialize_with = "instant")]
    pub first: Option<Micros>,
    /// The last instant or end of any event.
    #[serde(serialize_with = "instant")]
    pub last: Option<Micros>,
    /// Sessions that began.
    pub sessions: u64,
    /// Checkins that no checkout explains.
    pub orphan_checkins: u64,
    /// Sessions still held at the last instant known.
    pub open_sessions: u64,
    /// Checkins that several checkouts explain.
    pub ambiguous_matches: u64,
    /// Sessions that ended because their server did.
    pub truncated_by_restart: u64,
    /// Lines whose day is unknown.
    pub undated_lines: u64,
    /// Lines that could not be read.
    pub unparsed_lines: u64,
    /// Last lines that were left out since they have no line end: they may be half a line.
    pub unterminated_lines: u64,
    /// Events that the store had already.
    pub duplicates: u64,
    /// The first things that were wrong.
    pub problems: Vec<Problem>,
    /// How long it took.
    pub seconds: f64,
    /// The servers and days of the files.
    #[serde(skip)]
    pub coverage: Coverage,
}

/// Events while they come in, by the million.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By kind, in the order of [`Kind::ALL`].
    events: [u64; Kind::ALL.len()],
    first: Option<Micros>,
    last: Option<Micros>,
}

impl Counts {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        self.events[event.kind as usize] += 1;
        let last = event.ended.unwrap_or(event.at).max(event.at);
        self.first = Some(self.first.map_or(event.at, |first| first.min(event.at)));
        self.last = Some(self.last.map_or(last, |known| known.max(last)));
    }
}

/// Something that was wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// The line, counted from one.
    pub line: u64,
    /// What was wrong, and what was expected.
    pub reason: String,
}

impl Tally {
    pub(super) fn add_events(&mut self, counts: &Counts) {
        for kind in Kind::ALL {
            if counts.events[kind as usize] > 0 {
                *self.events.entry(kind).or_default() += counts.events[kind as usize];
            }
        }
        self.first = self.first.into_iter().chain(counts.first).min();
        self.last = self.last.max(counts.last);
    }

    pub(super) fn add_flaw(&mut self, file: &str, flaw: Flaw) {
        match flaw.kind {
            FlawKind::Unparsed => self.unparsed_lines += 1,
            FlawKind::Undated => self.undated_lines += 1,
            FlawKind::Noted => {}
        }
        if self.problems.len() < PROBLEMS {
            self.problems.push(Problem {
                file: file.to_owned(),
                line: flaw.line,
                reason: flaw.reason,
            });
        }
    }

    pub(super) fn add_committed(&mut self, committed: &Committed) {
        self.duplicates += committed.duplicates;
        self.coverage = committed.coverage.clone();
        self.set_holds(committed.holds);
    }

    /// Says what the store holds, after the import, of the servers and days of the files.
    pub const fn set_holds(&mut self, holds: Holds) {
        self.sessions = holds.sessions;
        self.orphan_checkins = holds.orphans;
        self.open_sessions = holds.open;
        self.ambiguous_matches = holds.ambiguous;
        self.truncated_by_restart = holds.truncated;
    }

    /// Adds what another file would make the store hold, if it came in by itself.
    pub const fn add_holds_of(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.orphan_checkins += other.orphan_checkins;
        self.open_sessions += other.open_sessions;
        self.ambiguous_matches += other.ambiguous_matches;
        self.truncated_by_restart += other.truncated_by_restart;
    }

    /// Adds the summary of another file. What the store holds of both is no sum: files may share servers and days, so that
    /// [`Tally::set_holds`] must follow.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.lines += other.lines;
        self.bytes += other.bytes;
        for (kind, count) in other.events {
            *self.events.entry(kind).or_default() += count;
        }
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.coverage.add(other.coverage);
        self.undated_lines += other.undated_lines;
        self.unparsed_lines += other.unparsed_lines;
        self.unterminated_lines += other.unterminated_lines;
        self.duplicates += other.duplicates;
        self.problems.extend(other.problems);
        self.problems.truncate(PROBLEMS);
        self.seconds += other.seconds;
    }

    /// Events of all kinds.
    #[must_use]
    pub fn total_events(&self) -> u64 {
        self.events.values().sum()
    }

    /// The summary as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The summary as a person reads it.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.total_events();
        let seconds = self.seconds.max(1e-6);
        writeln!(
            f,
            "{} lines of {} in {:.1} s ({:.0} events/s, {:.1} MB/s)",
            self.lines,
            if self.files == 1 {
                "1 file".to_owned()
            } else {
                format!("{} files", self.files)
            },
            self.seconds,
            events as f64 / seconds,
            self.bytes as f64 / 1e6 / seconds,
        )?;
        let kinds: Vec<String> = self.events.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
        writeln!(f, "  events      {events} ({})", kinds.join(", "))?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(f, "  from, to    {}, {}", rfc3339(first), rfc3339(last))?;
        }
        writeln!(f, "  duplicates  {} were in the store already", self.duplicates)?;
        writeln!(f, "  sessions    {}, {} still open", self.sessions, self.open_sessions)?;
        writeln!(
            f,
            "  doubts      {} orphan checkins, {} ambiguous matches, {} truncated by a restart",
            self.orphan_checkins, self.ambiguous_matches, self.truncated_by_restart
        )?;
        write!(
            f,
            "  lost        {} lines unparsed, {} undated",
            self.unparsed_lines, self.undated_lines
        )?;
        if self.unterminated_lines > 0 {
            write!(
                f,
                "\n  not read    {} last {} without a line end, which may be half a line; --final reads it",
                self.unterminated_lines,
                if self.unterminated_lines == 1 { "line" } else { "lines" }
            )?;
        }
        for problem in &self.problems {
            write!(f, "\n    {}:{}: {}", problem.file, problem.line, problem.reason)?;
        }
        Ok(())
    }
}

fn by_name<S: Serializer>(events: &BTreeMap<Kind, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(events.iter().map(|(kind, count)| (kind.name(), count)))
}

// The signature is serde's.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn instant<S: Serializer>(at: &Option<Micros>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(rfc3339).serialize(serializer)
}
