//! The events of a day as they come.
//!
//! ```text
//!  thread that reads ─▶ Arrivals: rows, texts as far as they are known ─▶ thread that writes: settle ─▶ EventRows
//! ```
//!
//! The thread that reads a source takes what it can see at a glance to be a text that came before; [`Arrivals::settle`] brings
//! the rest together wherever there is time.

use super::recent::Recent;
use super::rows::{EventRow, EventRows, Id, NEVER, NO_NUMBER};
use super::strings::Strings;
use crate::event::Event;

/// Rows in the order in which they came. A number is of one text, but a text may have several numbers.
#[derive(Debug)]
pub(crate) struct Arrivals {
    rows: Vec<EventRow>,
    texts: Recent,
    /// Handles are mostly names of single sessions. Kept apart, they do not crowd out the names of users and hosts.
    handles: Strings,
}

impl Arrivals {
    /// No rows, and room for so many.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            texts: Recent::new(),
            handles: Strings::with_capacity(rows),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds an event whose server and feature have these ids.
    pub(crate) fn push(&mut self, event: &Event<'_>, server: Id, feature: Id) {
        let texts = &mut self.texts;
        self.rows.push(EventRow {
            at: event.at,
            ended: event.ended.unwrap_or(NEVER),
            borrow_until: event.borrow_until.unwrap_or(NEVER),
            line: i64::try_from(event.line).unwrap_or(i64::MAX),
            server,
            feature,
            user: texts.number(event.user),
            host: texts.number(event.host),
            display: texts.number(event.display),
            group: texts.number(event.group_data),
            handle: self.handles.append(event.handle),
            reason: texts.number(event.reason),
            project: texts.number(event.project),
            source: 0,
            licenses: i32::try_from(event.licenses).unwrap_or(i32::MAX),
            reason_code: event.reason_code.unwrap_or(NO_NUMBER),
            expires: event.expires.map_or(NO_NUMBER, |day| day.0),
            kind: event.kind,
        });
    }

    /// The rows, all of them from this source, with equal texts under one number. Handles, which hardly repeat, keep a number
    /// each; rows that are read back share theirs.
    pub(crate) fn settle(self, source: &str) -> EventRows {
        let Self { mut rows, texts, handles } = self;
        let mut strings = Strings::new();
        let source = strings.intern(source);
        let numbers = strings.adopt(texts.texts());
        let raise = strings.append_all(&handles);
        for row in &mut rows {
            row.user = numbers[row.user as usize];
            row.host = numbers[row.host as usize];
            row.display = numbers[row.display as usize];
            row.group = numbers[row.group as usize];
            row.reason = numbers[row.reason as usize];
            row.project = numbers[row.project as usize];
            if row.handle != 0 {
                row.handle += raise;
            }
            row.source = source;
        }
        EventRows { rows, strings }
    }
}
