//! Rows in memory: fixed size, texts as numbers, between the dialects, the partition files and derivation.

use std::cmp::Ordering;

use super::strings::Strings;
use crate::event::{Event, Kind, ReasonClass};
use crate::time::Micros;

/// The id of a feature or server in the catalog.
pub type Id = i32;

/// An instant that the row does not have.
pub(crate) const NEVER: Micros = Micros::MIN;
/// A number that the row does not have.
pub(crate) const NO_NUMBER: i32 = i32::MIN;

/// One event; texts are numbers in the [`Strings`] beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventRow {
    pub(crate) at: Micros,
    pub(crate) ended: Micros,
    pub(crate) borrow_until: Micros,
    pub(crate) line: i64,
    pub(crate) server: Id,
    /// 0 for events of the server as a whole.
    pub(crate) feature: Id,
    pub(crate) user: u32,
    pub(crate) host: u32,
    pub(crate) display: u32,
    pub(crate) group: u32,
    pub(crate) handle: u32,
    pub(crate) reason: u32,
    pub(crate) project: u32,
    pub(crate) source: u32,
    pub(crate) licenses: i32,
    pub(crate) reason_code: i32,
    pub(crate) expires: i32,
    pub(crate) kind: Kind,
}

impl EventRow {
    /// The order of rows in a file: by feature and instant, then by what takes effect first, then by everything else
    /// that makes an event another one. Two rows that compare equal are the same event, or the same one twice.
    ///
    /// What a source merely says about an event (reason, project, line) is no part of it.
    pub(crate) fn identity_order(&self, strings: &Strings, other: &Self, others: &Strings) -> Ordering {
        let text = |number: fn(&Self) -> u32| {
            let (a, b) = (number(self), number(other));
            if a == b && std::ptr::eq(strings, others) {
                Ordering::Equal
            } else {
                strings.get(a).cmp(others.get(b))
            }
        };
        (self.feature, self.at, self.server, self.kind)
            .cmp(&(other.feature, other.at, other.server, other.kind))
            .then_with(|| text(|row| row.user))
            .then_with(|| text(|row| row.host))
            .then_with(|| text(|row| row.handle))
            .then_with(|| self.licenses.cmp(&other.licenses))
            .then_with(|| text(|row| row.display))
            .then_with(|| text(|row| row.group))
            .then_with(|| self.ended.cmp(&other.ended))
    }
}

/// The events of one day.
#[derive(Debug, Clone)]
pub(crate) struct EventRows {
    pub(crate) rows: Vec<EventRow>,
    pub(crate) strings: Strings,
}

impl EventRows {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            strings: Strings::new(),
        }
    }

    /// Adds an event whose server and feature have these ids.
    pub(crate) fn push(&mut self, event: &Event<'_>, server: Id, feature: Id, source: &str) {
        let strings = &mut self.strings;
        self.rows.push(EventRow {
            at: event.at,
            ended: event.ended.unwrap_or(NEVER),
            borrow_until: event.borrow_until.unwrap_or(NEVER),
            line: i64::try_from(event.line).unwrap_or(i64::MAX),
            server,
            feature,
            user: strings.intern(event.user),
            host: strings.intern(event.host),
            display: strings.intern(event.display),
            group: strings.intern(event.group_data),
            handle: strings.intern(event.handle),
            reason: strings.intern(event.reason),
            project: strings.intern(event.project),
            source: strings.intern(source),
            licenses: i32::try_from(event.licenses).unwrap_or(i32::MAX),
            reason_code: event.reason_code.unwrap_or(NO_NUMBER),
            expires: event.expires.map_or(NO_NUMBER, |day| day.0),
            kind: event.kind,
        });
    }

    /// Adds all rows of another set.
    pub(crate) fn append(&mut self, other: &Self) {
        let numbers = self.strings.adopt(&other.strings);
        self.rows.extend(other.rows.iter().map(|row| renumbered(*row, &numbers)));
    }

    /// Brings the rows into the order of files. Equal events keep the order in which they came.
    pub(crate) fn sort(&mut self) {
        let Self { rows, strings } = self;
        rows.sort_by(|a, b| a.identity_order(strings, b, strings));
    }

    /// Adds the events of `incoming` that are not here yet; both are sorted, and so is the result. Of an event that one
    /// source tells `n` times and the other `m` times, the greater number is kept: sources that overlap tell the same
    /// events again. Returns how many were here already.
    pub(crate) fn merge(&mut self, incoming: &Self) -> u64 {
        let mut merged = Self {
            rows: Vec::with_capacity(self.rows.len() + incoming.rows.len()),
            strings: self.strings.clone(),
        };
        let numbers = merged.strings.adopt(&incoming.strings);
        let (mut known, mut new) = (self.rows.iter().peekable(), incoming.rows.iter().peekable());
        let mut duplicates = 0;
        loop {
            let order = match (known.peek(), new.peek()) {
                (Some(a), Some(b)) => a.identity_order(&self.strings, b, &incoming.strings),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => merged.rows.extend(known.next().copied()),
                Ordering::Greater => merged.rows.extend(new.next().map(|row| renumbered(*row, &numbers))),
                Ordering::Equal => {
                    merged.rows.extend(known.next().copied());
                    new.next();
                    duplicates += 1;
                }
            }
        }
        *self = merged;
        duplicates
    }
}

fn renumbered(row: EventRow, numbers: &[u32]) -> EventRow {
    let number = |old: u32| numbers[old as usize];
    EventRow {
        user: number(row.user),
        host: number(row.host),
        display: number(row.display),
        group: number(row.group),
        handle: number(row.handle),
        reason: number(row.reason),
        project: number(row.project),
        source: number(row.source),
        ..row
    }
}

/// A holding of licenses within one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) started: Micros,
    pub(crate) ended: Micros,
    pub(crate) session_started: Micros,
    /// The session goes on: into the next day, past a time when the server was down, or past all that is known.
    pub(crate) continues: bool,
    pub(crate) server: Id,
    pub(crate) feature: Id,
    pub(crate) user: u32,
    pub(crate) host: u32,
    pub(crate) licenses: i32,
}

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DenialRow {
    pub(crate) at: Micros,
    pub(crate) server: Id,
    pub(crate) feature: Id,
    pub(crate) user: u32,
    pub(crate) host: u32,
    pub(crate) licenses: i32,
    pub(crate) class: ReasonClass,
    pub(crate) is_true: bool,
}

/// A session that is held at the first instant of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenRow {
    pub(crate) started: Micros,
    /// The end, where the source told it with the start.
    pub(crate) ended: Micros,
    pub(crate) server: Id,
    pub(crate) feature: Id,
    pub(crate) user: u32,
    pub(crate) host: u32,
    pub(crate) display: u32,
    pub(crate) group: u32,
    pub(crate) licenses: i32,
    pub(crate) handle: u32,
}

/// How long how many licenses of a feature were in use within a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LevelRow {
    pub(crate) feature: Id,
    pub(crate) quarter: i32,
    pub(crate) level: i64,
    pub(crate) time: Micros,
}

/// What a user did with a license server on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserDayRow {
    pub(crate) server: Id,
    pub(crate) user: u32,
    pub(crate) held: bool,
    pub(crate) denied: bool,
}

/// The most hosts at one instant of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostPeakRow {
    /// The license server; nothing for all of them.
    pub(crate) server: Option<Id>,
    pub(crate) hosts: i32,
}
