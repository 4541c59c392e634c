//! Servers that went down without a word.
//!
//! A log ends, the next thing known of its server is that it came up: so it went down in between, and was last seen up where the log
//! ends. A dialect that reads both logs as one writes that stop itself; from logs that come one by one it is inferred here.
//!
//! The invariant: the stops follow from the facts and marks of the store alone, in whatever order these came.

use std::collections::BTreeMap;

use super::facts::{FactsByDay, Instants};
use super::rows::Id;
use crate::time::{Day, Micros, Zone};

/// What is known of a server up to some event of it.
struct Seen {
    /// The last instant of its events.
    last: Option<Micros>,
    up: bool,
}

/// The silent stops of all servers, by day.
pub(crate) fn silent_stops(facts: &FactsByDay, marks: &Instants, zone: Zone) -> BTreeMap<Day, Instants> {
    let mut stops: BTreeMap<Day, Instants> = BTreeMap::new();
    let mut seen: BTreeMap<Id, Seen> = BTreeMap::new();
    for (server, facts) in facts.values().flat_map(|day| &day.servers) {
        let Some(marks) = marks.get(server) else {
            continue;
        };
        let seen = seen.entry(*server).or_insert(Seen { last: None, up: true });
        for change in &facts.changes {
            let mark = marks.range(..change.at).next_back();
            if let (true, true, Some(mark), Some(last)) = (change.up, seen.up, mark, change.before.max(seen.last))
                && *mark >= last
            {
                let day = stops.entry(zone.day_of(*mark)).or_default();
                day.entry(*server).or_default().insert(*mark);
            }
            seen.up = change.up;
        }
        seen.last = seen.last.max(Some(facts.last));
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::facts::{DayFacts, ServerFacts, StatusChange};

    const DAY: Micros = 86_400_000_000;

    type Change = (Micros, bool, Option<Micros>);
    type OneDay<'a> = (i32, Micros, Micros, &'a [Change]);

    /// Facts of server 1: per day its first and last instant, and its changes with what is known before.
    fn facts(days: &[OneDay<'_>]) -> FactsByDay {
        let day = |(day, first, last, changes): &OneDay<'_>| {
            let changes = changes.iter().map(|(at, up, before)| StatusChange {
                at: *at,
                up: *up,
                before: *before,
            });
            let server = ServerFacts {
                first: *first,
                last: *last,
                changes: changes.collect(),
            };
            let facts = DayFacts {
                servers: BTreeMap::from([(1, server)]),
                ..DayFacts::default()
            };
            (Day(*day), facts)
        };
        days.iter().map(day).collect()
    }

    fn stops(facts: &FactsByDay, marks: &[Micros]) -> Vec<Micros> {
        let marks = Instants::from([(1, marks.iter().copied().collect())]);
        let stops = silent_stops(facts, &marks, Zone::UTC);
        stops.into_values().flat_map(|day| day.into_values().flatten()).collect()
    }

    #[test]
    fn a_server_that_comes_up_after_the_end_of_its_log_went_down_there() {
        let known = facts(&[(0, 10, 20, &[]), (2, 2 * DAY, 2 * DAY + 9, &[(2 * DAY, true, None)])]);
        assert_eq!(stops(&known, &[30]), [30]);
        assert_eq!(stops(&known, &[20]), [20], "the last line is the last event");
        assert_eq!(stops(&known, &[DAY + 7]), [DAY + 7], "on a day without events");
        assert_eq!(stops(&known, &[25, 30]), [30], "the later of two logs");
        assert_eq!(stops(&known, &[19]), [0; 0], "a longer copy of the log goes on");
        assert_eq!(stops(&known, &[2 * DAY + 9]), [0; 0], "nothing came after");
    }

    #[test]
    fn a_server_that_was_down_or_unknown_did_not_go_down() {
        let down = facts(&[
            (0, 10, 20, &[(20, false, Some(15))]),
            (1, DAY, DAY + 9, &[(DAY + 5, true, Some(DAY))]),
        ]);
        assert_eq!(stops(&down, &[30]), [0; 0]);
        let unknown = facts(&[(1, DAY, DAY + 9, &[(DAY, true, None)])]);
        assert_eq!(stops(&unknown, &[30]), [0; 0]);
    }

    #[test]
    fn several_starts_of_one_day() {
        let known = facts(&[(
            0,
            10,
            90,
            &[(10, true, None), (40, true, Some(20)), (60, false, Some(50)), (80, true, Some(60))],
        )]);
        assert_eq!(stops(&known, &[30, 70]), [30]);
    }
}
