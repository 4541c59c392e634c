//! What midnight carries from a day into the next, and which days must be derived again because it differs.
//!
//! | carried | seen by |
//! |---|---|
//! | sessions that are held | `rederive`, which goes on for as long as they differ |
//! | servers that are down | [`Carried`]: compared for every midnight, before and after a change |
//! | the last instants known | [`Carried::of`]: the days of the earlier and of the later one |
//! | checkouts just after midnight | [`Carried::of`]: the day before one whose events changed |

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::facts::{FactsByDay, Instants, last_instants};
use super::rows::Id;
use crate::time::{Day, Zone};

/// Facts and marks of a store at one moment.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) facts: &'a FactsByDay,
    pub(super) marks: &'a Instants,
}

/// What must be derived again.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// The days that differ for certain in what they are derived from.
    pub(super) dirty: BTreeSet<Day>,
    /// The days at whose first instant a server is down that was up before the change, or the other way round.
    status: BTreeMap<Id, Vec<Range<Day>>>,
}

impl Carried {
    /// Nothing is known of before: these days are derived, and what follows from them.
    pub(super) fn anew(dirty: BTreeSet<Day>) -> Self {
        Self {
            dirty,
            status: BTreeMap::new(),
        }
    }

    /// Compares what is known before and after the events of some days changed.
    pub(super) fn of(before: Known<'_>, after: Known<'_>, changed: &BTreeSet<Day>, zone: Zone) -> Self {
        let mut dirty = changed.clone();
        for day in changed {
            // Its first checkouts decide which of the last denials of the day before are true ones.
            let previous = day.previous();
            let known = before.facts.contains_key(&previous) || after.facts.contains_key(&previous);
            dirty.extend(known.then_some(previous));
        }
        let (was, is) = (last_instants(before.facts, before.marks), last_instants(after.facts, after.marks));
        for (server, was) in &was {
            // Sessions that were held at the last instant known are held for longer now, or shorter.
            if let Some(is) = is.get(server).filter(|is| *is != was) {
                dirty.extend([zone.day_of(*was), zone.day_of(*is)]);
            }
        }
        let status = status_differences(before.facts, after.facts, changed);
        for (server, ranges) in &status {
            for range in ranges {
                let days = after.facts.range(range.clone());
                dirty.extend(days.filter(|(_, facts)| facts.servers.contains_key(server)).map(|(day, _)| *day));
            }
        }
        Self { dirty, status }
    }

    /// Whether a server's status at the first instant of a day differs from what it was.
    pub(super) fn status_differs(&self, server: Id, day: Day) -> bool {
        let ranges = self.status.get(&server);
        ranges.is_some_and(|ranges| ranges.iter().any(|range| range.contains(&day)))
    }
}

/// The days at whose first instants the status of servers differs.
fn status_differences(before: &FactsByDay, after: &FactsByDay, changed: &BTreeSet<Day>) -> BTreeMap<Id, Vec<Range<Day>>> {
    let last_change = |facts: &FactsByDay, day: &Day, server: Id| {
        let change = facts.get(day).and_then(|facts| facts.last_change(server));
        change.map(|change| change.up)
    };
    let mut servers: BTreeSet<Id> = BTreeSet::new();
    for day in changed {
        let of_day = [before, after].into_iter().filter_map(|facts| facts.get(day));
        let differ = |server: &Id| last_change(before, day, *server) != last_change(after, day, *server);
        servers.extend(of_day.flat_map(super::facts::DayFacts::servers).filter(differ));
    }
    let differences = servers.into_iter().map(|server| {
        let mut turns: BTreeMap<Day, [Option<bool>; 2]> = BTreeMap::new();
        for (which, facts) in [before, after].into_iter().enumerate() {
            for (day, facts) in facts {
                if let Some(last) = facts.last_change(server) {
                    turns.entry(*day).or_default()[which] = Some(last.up);
                }
            }
        }
        (server, ranges(&turns))
    });
    differences.filter(|(_, ranges)| !ranges.is_empty()).collect()
}

/// The days at whose first instants two courses of a status differ; each is up until its first turn.
fn ranges(turns: &BTreeMap<Day, [Option<bool>; 2]>) -> Vec<Range<Day>> {
    let mut ranges: Vec<Range<Day>> = Vec::new();
    let mut status = [true; 2];
    let mut differs_from: Option<Day> = None;
    for (day, turn) in turns {
        ranges.extend(differs_from.take().map(|from| from..day.next()));
        for (status, turn) in status.iter_mut().zip(turn) {
            *status = turn.unwrap_or(*status);
        }
        differs_from = (status[0] != status[1]).then(|| day.next());
    }
    ranges.extend(differs_from.map(|from| from..Day(i32::MAX)));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnights_differ_from_a_turn_to_the_next_that_both_take() {
        let turns = BTreeMap::from([
            (Day(1), [Some(false), Some(false)]),
            (Day(4), [None, Some(true)]),
            (Day(9), [Some(true), None]),
            (Day(12), [None, Some(false)]),
        ]);
        assert_eq!(ranges(&turns), [Day(5)..Day(10), Day(13)..Day(i32::MAX)]);
        assert_eq!(ranges(&BTreeMap::new()), [Day(0)..Day(0); 0]);
    }
}
