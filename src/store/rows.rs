//! Rows in memory: fixed size, texts as numbers, between the dialects, the partition files and derivation.

use std::cmp::Ordering;

use super::strings::Strings;
use crate::event::{Kind, ReasonClass};
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
        (self.feature, self.at, self.server, self.kind)
            .cmp(&(other.feature, other.at, other.server, other.kind))
            .then_with(|| self.details().order(strings, &other.details(), others))
    }

    /// The order of rows that are the same event: by what a source says about it. Where several tell an event, the first row in
    /// this order is kept, so that it does not matter which of them came first.
    fn order_among_same(&self, strings: &Strings, other: &Self, others: &Strings) -> Ordering {
        let text = |number: fn(&Self) -> u32| strings.get(number(self)).cmp(others.get(number(other)));
        text(|row| row.source)
            .then_with(|| self.line.cmp(&other.line))
            .then_with(|| self.reason_code.cmp(&other.reason_code))
            .then_with(|| text(|row| row.reason))
            .then_with(|| text(|row| row.project))
            .then_with(|| (self.borrow_until, self.expires).cmp(&(other.borrow_until, other.expires)))
    }

    /// The order of rows in a file, where no two rows are equal that differ in anything.
    fn file_order(&self, strings: &Strings, other: &Self, others: &Strings) -> Ordering {
        self.identity_order(strings, other, others)
            .then_with(|| self.order_among_same(strings, other, others))
    }

    const fn details(&self) -> Details {
        Details {
            user: self.user,
            host: self.host,
            handle: self.handle,
            licenses: self.licenses,
            display: self.display,
            group: self.group,
            ended: self.ended,
        }
    }
}

/// What tells events of one feature, instant and kind apart.
struct Details {
    user: u32,
    host: u32,
    handle: u32,
    licenses: i32,
    display: u32,
    group: u32,
    ended: Micros,
}

impl Details {
    fn order(&self, strings: &Strings, other: &Self, others: &Strings) -> Ordering {
        let text = |number: fn(&Self) -> u32| {
            let (a, b) = (number(self), number(other));
            if a == b && std::ptr::eq(strings, others) {
                Ordering::Equal
            } else {
                strings.get(a).cmp(others.get(b))
            }
        };
        text(|row| row.user)
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

    /// No rows, and room for so many.
    pub(crate) fn with_capacity(rows: u64) -> Self {
        Self {
            rows: Vec::with_capacity(usize::try_from(rows).unwrap_or_default()),
            strings: Strings::new(),
        }
    }

    /// Adds all rows of another set.
    pub(crate) fn append(&mut self, other: &Self) {
        let numbers = self.strings.adopt(&other.strings);
        self.rows.extend(other.rows.iter().map(|row| renumbered(*row, &numbers)));
    }

    /// Brings the rows into the order of files. Equal events come in the order of their lines.
    ///
    /// Nearly all rows are told apart by feature, instant and kind, which fit one number; only among those that share it are
    /// texts compared.
    pub(crate) fn sort(&mut self) {
        let Self { rows, strings } = self;
        let Some(keys) = sort_keys(rows) else {
            rows.sort_by(|a, b| a.file_order(strings, b, strings));
            return;
        };
        let mut order: Vec<(u64, u32)> = keys.zip(0..).collect();
        order.sort_unstable();
        for same in order.chunk_by_mut(|a, b| a.0 == b.0) {
            if same.len() > 1 {
                let row = |place: &(u64, u32)| &rows[place.1 as usize];
                same.sort_by(|a, b| row(a).file_order(strings, row(b), strings));
            }
        }
        *rows = order.iter().map(|(_, place)| rows[*place as usize]).collect();
    }

    /// Adds the events of `incoming` that are not here yet; both are sorted, and so is the result. Of an event that one
    /// source tells `n` times and the other `m` times, the greater number is kept: sources that overlap tell the same
    /// events again. Of two rows that tell the same event the lesser stays, so that the order of merging does not matter.
    pub(crate) fn merge(&mut self, incoming: &Self) -> Merged {
        let mut rows = Self {
            rows: Vec::with_capacity(self.rows.len() + incoming.rows.len()),
            strings: self.strings.clone(),
        };
        let numbers = rows.strings.adopt(&incoming.strings);
        let (mut known, mut new) = (self.rows.iter().peekable(), incoming.rows.iter().peekable());
        let mut merged = Merged::default();
        loop {
            let order = match (known.peek(), new.peek()) {
                (Some(a), Some(b)) => a.identity_order(&self.strings, b, &incoming.strings),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => rows.rows.extend(known.next().copied()),
                Ordering::Greater => {
                    rows.rows.extend(new.next().map(|row| renumbered(*row, &numbers)));
                    merged.added += 1;
                }
                Ordering::Equal => {
                    merged.duplicates += 1;
                    if let (Some(known), Some(new)) = (known.next(), new.next()) {
                        let replaces = new.order_among_same(&incoming.strings, known, &self.strings).is_lt();
                        merged.replaced += u64::from(replaces);
                        rows.rows.push(if replaces { renumbered(*new, &numbers) } else { *known });
                    }
                }
            }
        }
        *self = rows;
        merged
    }
}

impl EventRows {
    /// Whether two sets have the same rows in the same order, whatever numbers their texts have.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        let same = |(a, b): (&EventRow, &EventRow)| a.file_order(&self.strings, b, &other.strings).is_eq();
        self.rows.len() == other.rows.len() && self.rows.iter().zip(&other.rows).all(same)
    }
}

/// What merging did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Events that were not there.
    pub(crate) added: u64,
    /// Events that were there already.
    pub(crate) duplicates: u64,
    /// Those of them whose row is another one now.
    pub(crate) replaced: u64,
}

/// A number for each row, in whose order they lie as far as feature, instant and kind say; nothing if they need more room.
///
/// Features have one server each. What is of no feature may be of any server, so that its kind must not count before that.
fn sort_keys(rows: &[EventRow]) -> Option<impl Iterator<Item = u64> + '_> {
    const KIND_BITS: u32 = 4;
    const TIME_BITS: u32 = 38;
    u32::try_from(rows.len()).ok()?;
    let (first, last) = rows.iter().fold((Micros::MAX, Micros::MIN), |(first, last), row| {
        (first.min(row.at), last.max(row.at))
    });
    let (least, most) = rows.iter().fold((Id::MAX, Id::MIN), |(least, most), row| {
        (least.min(row.feature), most.max(row.feature))
    });
    let fits = last.checked_sub(first).is_some_and(|span| span < 1 << TIME_BITS)
        && i64::from(most) < 1 << (u64::BITS - TIME_BITS - KIND_BITS)
        && least >= 0;
    let key = move |row: &EventRow| {
        let kind = if row.feature == 0 { 0 } else { row.kind as u64 };
        let at = (row.at - first).unsigned_abs();
        (u64::from(row.feature.unsigned_abs()) << TIME_BITS | at) << KIND_BITS | kind
    };
    (fits || rows.is_empty()).then(|| rows.iter().map(key))
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
    pub(crate) reason_code: i32,
    /// The license manager's words, a number of the day's strings.
    pub(crate) reason: u32,
    /// The servers that gave the user a license of the feature within the shortage window, a number of
    /// [`super::derive::DayOutput::granted_by`].
    pub(crate) granted_by: u32,
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

impl OpenRow {
    /// The order in which the checkouts of one feature lie in its events.
    pub(crate) fn event_order(&self, other: &Self, strings: &Strings) -> Ordering {
        (self.started.cmp(&other.started)).then_with(|| self.details().order(strings, &other.details(), strings))
    }

    const fn details(&self) -> Details {
        Details {
            user: self.user,
            host: self.host,
            handle: self.handle,
            licenses: self.licenses,
            display: self.display,
            group: self.group,
            ended: self.ended,
        }
    }
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
    pub(crate) server: Id,
    pub(crate) hosts: i32,
    /// Those of all servers together, the same in every row.
    pub(crate) hosts_of_all: i32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arrivals::Arrivals;
    use super::*;
    use crate::event::Event;

    fn rows(seeds: &[(u8, u8, u8, u8, u8)], spread: i64) -> EventRows {
        let mut rows = Arrivals::with_capacity(seeds.len());
        let names = ["", "b", "a", "aa", "\u{e9}"];
        for (line, (feature, at, kind, user, rest)) in seeds.iter().enumerate() {
            let event = Event {
                user: names[usize::from(*user)],
                host: names[usize::from(rest % 3)],
                handle: names[usize::from(rest % 2)],
                licenses: u32::from(rest % 4),
                ended: (rest % 5 == 0).then_some(i64::from(rest % 7)),
                line: line as u64,
                ..Event::new(Kind::ALL[usize::from(*kind)], i64::from(*at) * spread - 4 * spread)
            };
            // A feature is of one server; events of no feature are of any.
            let server = if *feature == 0 {
                1 + Id::from(rest % 3)
            } else {
                Id::from(*feature) % 2 + 1
            };
            rows.push(&event, server, Id::from(*feature));
        }
        rows.settle("x")
    }

    proptest! {
        #[test]
        fn rows_are_sorted_by_identity_and_then_as_they_came(
            seeds in prop::collection::vec((0_u8..4, 0_u8..9, 0_u8..11, 0_u8..5, any::<u8>()), 0..60),
            spread in prop::sample::select(vec![1_i64, 1_000_000, 3_600_000_000, i64::MAX / 16]),
        ) {
            let mut sorted = rows(&seeds, spread);
            let strings = sorted.strings.clone();
            // One row after the other, each before the first that is greater.
            let mut expected: Vec<EventRow> = Vec::new();
            for row in &sorted.rows {
                let place = expected
                    .iter()
                    .position(|other| row.identity_order(&strings, other, &strings).is_lt())
                    .unwrap_or(expected.len());
                expected.insert(place, *row);
            }
            sorted.sort();
            let lines = |rows: &[EventRow]| rows.iter().map(|row| row.line).collect::<Vec<_>>();
            prop_assert_eq!(lines(&sorted.rows), lines(&expected));
        }

        #[test]
        fn files_are_merged_in_any_order(
            files in prop::array::uniform3(prop::collection::vec((0_u8..2, 0_u8..3, 0_u8..2, 0_u8..2, 0_u8..4), 0..20)),
        ) {
            let file = |place: usize| {
                let mut rows = rows(&files[place], 1);
                let names = ["b.log", "a.log", "b.log"];
                let source = rows.strings.intern(names[place]);
                for row in &mut rows.rows {
                    row.source = source;
                    row.reason_code = row.reason_code.max(place as i32);
                }
                rows.sort();
                rows
            };
            let merged = |order: [usize; 3]| {
                let mut all = EventRows::new();
                for place in order {
                    let all_before = all.rows.len() as u64;
                    let merged = all.merge(&file(place));
                    assert_eq!(all.rows.len() as u64, all_before + merged.added);
                }
                let again = all.rows.len() as u64;
                assert_eq!(all.merge(&file(order[0])), Merged { added: 0, duplicates: files[order[0]].len() as u64, replaced: 0 });
                assert_eq!(all.rows.len() as u64, again);
                let text = |row: &EventRow| format!("{:?}", EventRow { user: 0, host: 0, handle: 0, source: 0, ..*row })
                    + [row.user, row.host, row.handle, row.source].map(|number| all.strings.get(number)).join(" ").as_str();
                all.rows.iter().map(text).collect::<Vec<_>>()
            };
            let first = merged([0, 1, 2]);
            for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                prop_assert_eq!(&merged(order), &first);
            }
        }
    }
}
