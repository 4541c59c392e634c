//! Who holds what: the open sessions of one feature while a day is played.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{Counts, DayInput, DayOutput, LONGEST_SESSION_DAYS, ServerInput};
use crate::event::Kind;
use crate::store::facts::StatusChange;
use crate::store::rows::{EventRow, Id, NEVER, OpenRow, SessionRow};
use crate::time::{DAY, Micros};

/// The open sessions of one feature, in the order in which they began, found by handle or by holder.
///
/// A session that ended keeps its place, marked; the queues drop it when it comes to their front.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    held: Vec<Held>,
    by_holder: FxHashMap<Holder, VecDeque<usize>>,
    by_handle: FxHashMap<u32, VecDeque<usize>>,
    down: bool,
    /// Places of checkouts of more than one license, some of which may come back before the others.
    several: Vec<usize>,
}

#[derive(Debug)]
struct Held {
    row: OpenRow,
    /// Where its piece of this day begins; nothing while its server is down.
    visible: Option<Micros>,
    /// A piece of it was written today.
    written: bool,
    over: bool,
}

/// What a checkin without a handle must share with its checkout.
#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
struct Holder {
    user: u32,
    host: u32,
    display: u32,
    group: u32,
    licenses: i32,
}

impl Holdings {
    /// Takes up what is held at the first instant of the day.
    pub(super) fn begin(&mut self, input: &DayInput<'_>, server: &ServerInput, open: &[OpenRow]) {
        self.held.clear();
        self.by_holder.clear();
        self.by_handle.clear();
        self.several.clear();
        self.down = server.down;
        for row in open {
            self.hold(*row, input.start);
        }
    }

    /// A license is given out, or was held for a time that the source knows.
    pub(super) fn checkout(&mut self, event: &EventRow, output: &mut DayOutput) {
        counts(output, event.server).sessions += 1;
        let row = OpenRow {
            started: event.at,
            ended: if event.kind == Kind::Session { event.ended } else { NEVER },
            server: event.server,
            feature: event.feature,
            user: event.user,
            host: event.host,
            display: event.display,
            group: event.group,
            licenses: event.licenses,
            handle: event.handle,
        };
        self.hold(row, event.at);
    }

    fn hold(&mut self, row: OpenRow, from: Micros) {
        let place = self.held.len();
        if row.ended == NEVER {
            self.by_holder.entry(Holder::of(&row)).or_default().push_back(place);
            if row.licenses > 1 {
                self.several.push(place);
            }
            if row.handle != 0 {
                self.by_handle.entry(row.handle).or_default().push_back(place);
            }
        }
        self.held.push(Held {
            row,
            visible: (!self.down).then_some(from),
            written: false,
            over: false,
        });
    }

    /// A license is given back. Returns whether a checkout explains it.
    pub(super) fn checkin(&mut self, event: &EventRow, output: &mut DayOutput) -> bool {
        let holder = Holder {
            user: event.user,
            host: event.host,
            display: event.display,
            group: event.group,
            licenses: event.licenses,
        };
        let Some(place) = self.match_handle(event.handle).or_else(|| self.match_holder(holder, event, output)) else {
            return false;
        };
        self.end(place, event.at, false, output);
        true
    }

    /// Some of the licenses of one checkout are given back, and the rest stays held. Returns whether a checkout explains it: the oldest
    /// open one of the holder with more licenses.
    pub(super) fn partial_checkin(&mut self, event: &EventRow, output: &mut DayOutput) -> bool {
        let held = &self.held;
        let fits = |place: &usize| {
            let Held { row, over, .. } = &held[*place];
            let same_holder = (row.user, row.host, row.display, row.group) == (event.user, event.host, event.display, event.group);
            let same_handle = event.handle == 0 || row.handle == 0;
            !over && row.ended == NEVER && same_holder && same_handle && row.licenses > event.licenses
        };
        let mut fitting = self.several.iter().copied().filter(fits);
        let Some(place) = fitting.next() else {
            return false;
        };
        if fitting.next().is_some() {
            counts(output, event.server).ambiguous += 1;
        }
        self.write(place, event.at, true, output);
        let held = &mut self.held[place];
        let before = Holder::of(&held.row);
        held.row.licenses -= event.licenses;
        held.visible = held.visible.map(|_| event.at);
        let after = Holder::of(&held.row);
        if let Some(queue) = self.by_holder.get_mut(&before) {
            queue.retain(|queued| *queued != place);
        }
        let queue = self.by_holder.entry(after).or_default();
        let turn = queue.partition_point(|queued| *queued < place);
        queue.insert(turn, place);
        true
    }

    fn match_handle(&mut self, handle: u32) -> Option<usize> {
        let held = &self.held;
        let queue = self.by_handle.get_mut(&handle)?;
        while queue.front().is_some_and(|place| held[*place].over) {
            queue.pop_front();
        }
        queue.pop_front()
    }

    /// First in, first out. A checkin that has a handle must not end a checkout that has another one.
    fn match_holder(&mut self, holder: Holder, event: &EventRow, output: &mut DayOutput) -> Option<usize> {
        let held = &self.held;
        let queue = self.by_holder.get_mut(&holder)?;
        while queue.front().is_some_and(|place| held[*place].over) {
            queue.pop_front();
        }
        let fits = |place: &usize| !held[*place].over && (event.handle == 0 || held[*place].row.handle == 0);
        let mut fitting = queue.iter().enumerate().filter(|(_, place)| fits(place));
        let (turn, place) = fitting.next().map(|(turn, place)| (turn, *place))?;
        if fitting.next().is_some() {
            counts(output, event.server).ambiguous += 1;
        }
        queue.remove(turn);
        Some(place)
    }

    /// The server comes up or goes down. Either way every open session ends, but for those whose end the source knows:
    /// they are only out of use while the server is down.
    pub(super) fn status(&mut self, change: StatusChange, output: &mut DayOutput) {
        if self.down && !change.up {
            return;
        }
        let at = change.at;
        for place in 0..self.held.len() {
            let held = &self.held[place];
            if held.over {
                continue;
            }
            let (ended, server) = (held.row.ended, held.row.server);
            if ended == NEVER {
                counts(output, server).truncated += 1;
                self.end(place, at, false, output);
            } else if ended <= at {
                self.end(place, ended, false, output);
            } else if !change.up {
                self.write(place, at, true, output);
                self.held[place].visible = None;
            } else if self.down {
                self.held[place].visible = Some(at);
            }
        }
        self.down = !change.up;
    }

    /// Ends the day: what is known to go on is handed to the next one.
    pub(super) fn finish(&mut self, input: &DayInput<'_>, server: &ServerInput, output: &mut DayOutput) {
        for place in 0..self.held.len() {
            let held = &self.held[place];
            if held.over {
                continue;
            }
            let row = held.row;
            let lost = row.started.saturating_add(Micros::from(LONGEST_SESSION_DAYS) * DAY);
            if row.ended == NEVER && lost <= input.end {
                counts(output, row.server).open += 1;
                self.end(place, lost.max(input.start), true, output);
            } else if row.ended != NEVER && row.ended <= input.end {
                self.end(place, row.ended, false, output);
            } else if server.last >= input.end {
                self.end(place, input.end, true, output);
                output.open.push(row);
            } else {
                counts(output, row.server).open += 1;
                self.end(place, server.last.max(row.started), true, output);
            }
        }
        // As if the day went on: otherwise a checkin after midnight could end another checkout than one before it.
        let from = output
            .open
            .iter()
            .rposition(|row| Some(row.feature) != self.feature())
            .map_or(0, |place| place + 1);
        output.open[from..].sort_by(|a, b| a.event_order(b, input.strings));
    }

    fn feature(&self) -> Option<Id> {
        self.held.first().map(|held| held.row.feature)
    }

    fn end(&mut self, place: usize, at: Micros, continues: bool, output: &mut DayOutput) {
        self.write(place, at, continues, output);
        self.held[place].over = true;
    }

    /// Writes the piece that ends at `at`. A session that began and ended while its server was down was never in use: it
    /// leaves an empty piece, so that it is not lost.
    fn write(&mut self, place: usize, at: Micros, continues: bool, output: &mut DayOutput) {
        let held = &mut self.held[place];
        let (started, ended) = match held.visible {
            Some(started) => (started, at.max(started)),
            None if held.written || continues => return,
            None => (held.row.started, held.row.started),
        };
        held.written = true;
        output.sessions.push(SessionRow {
            started,
            ended,
            session_started: held.row.started,
            continues,
            server: held.row.server,
            feature: held.row.feature,
            user: held.row.user,
            host: held.row.host,
            licenses: held.row.licenses,
        });
    }
}

impl Holder {
    fn of(row: &OpenRow) -> Self {
        Self {
            user: row.user,
            host: row.host,
            display: row.display,
            group: row.group,
            licenses: row.licenses,
        }
    }
}

fn counts(output: &mut DayOutput, server: Id) -> &mut Counts {
    output.counts.entry(server).or_default()
}
