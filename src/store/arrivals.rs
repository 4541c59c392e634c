//! The events of a day as they come.
//!
//! ```text
//!  thread that reads ─▶ Arrivals: rows, each text as it came ─▶ thread that writes: settle ─▶ EventRows
//! ```
//!
//! To find the equals of a text takes longer than anything else that a row goes through before it is sorted. So the thread
//! that reads a source only keeps the texts, and [`Arrivals::settle`] looks for them wherever there is time.

use super::rows::{EventRow, EventRows, Id, NEVER, NO_NUMBER};
use super::strings::Strings;
use crate::event::Event;

/// Rows in the order in which they came. Each text has a number of its own: equal ones do not share it yet.
#[derive(Debug)]
pub(crate) struct Arrivals {
    rows: Vec<EventRow>,
    texts: Strings,
}

impl Arrivals {
    /// No rows, and room for so many.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            texts: Strings::new(),
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
            user: texts.append(event.user),
            host: texts.append(event.host),
            display: texts.append(event.display),
            group: texts.append(event.group_data),
            handle: texts.append(event.handle),
            reason: texts.append(event.reason),
            project: texts.append(event.project),
            source: 0,
            licenses: i32::try_from(event.licenses).unwrap_or(i32::MAX),
            reason_code: event.reason_code.unwrap_or(NO_NUMBER),
            expires: event.expires.map_or(NO_NUMBER, |day| day.0),
            kind: event.kind,
        });
    }

    /// The rows, all of them from this source, with equal texts under one number.
    ///
    /// Handles are mostly names of single sessions. Kept apart, they do not crowd out the names of users and hosts, which
    /// are looked up for every row; rows that are read back share their numbers again.
    pub(crate) fn settle(self, source: &str) -> EventRows {
        let Self { mut rows, texts } = self;
        let mut strings = Strings::new();
        let source = strings.intern(source);
        let mut project = 0;
        for row in &mut rows {
            row.user = strings.intern(texts.get(row.user));
            row.host = strings.intern(texts.get(row.host));
            row.display = strings.intern(texts.get(row.display));
            row.group = strings.intern(texts.get(row.group));
            row.handle = strings.append(texts.get(row.handle));
            row.reason = strings.intern(texts.get(row.reason));
            // Neighbours mostly have it in common.
            project = strings.intern_after(texts.get(row.project), project);
            row.project = project;
            row.source = source;
        }
        EventRows { rows, strings }
    }
}
