//! Stretches of a day in which the number of licenses in use stays the same.

use crate::time::{Micros, SECOND, Window};

/// With more edges than this, a place for each second is cheaper than sorting.
const BUSY: usize = 4096;

/// Sweeps over the pieces of days; what it works with is used again for the next day.
#[derive(Debug, Default)]
pub(crate) struct Sweeper {
    changes: Vec<i64>,
    edges: Vec<(Micros, i64)>,
}

impl Sweeper {
    /// Calls `each(level, from, to)` for the stretches of the day in which licenses were in use, in order. A piece is when it began,
    /// when it ended, and how many licenses it held; what lies outside of the day is cut off.
    pub(crate) fn stretches(
        &mut self,
        day: Window,
        pieces: impl ExactSizeIterator<Item = (Micros, Micros, i32)> + Clone,
        each: impl FnMut(i64, Micros, Micros),
    ) {
        if pieces.len() * 2 > BUSY && self.count(day, pieces.clone()) {
            self.walk_seconds(day, each);
        } else {
            self.sort(day, pieces);
            self.walk_edges(each);
        }
    }

    /// Counts the edges of each second; false if there is one between seconds.
    fn count(&mut self, day: Window, pieces: impl Iterator<Item = (Micros, Micros, i32)>) -> bool {
        let seconds = ((day.end() - day.start()) / SECOND).unsigned_abs() as usize;
        self.changes.clear();
        // The last place is for ends at the end of the day.
        self.changes.resize(seconds + 1, 0);
        let mut odd = (day.end() - day.start()) % SECOND;
        for (started, ended, licenses) in pieces {
            let (start, end) = (started.max(day.start()), ended.min(day.end()));
            if start >= end {
                continue;
            }
            let (start, end) = (start - day.start(), end - day.start());
            let (from, to) = (start / SECOND, end / SECOND);
            odd |= (start - from * SECOND) | (end - to * SECOND);
            self.changes[from.unsigned_abs() as usize] += i64::from(licenses);
            self.changes[to.unsigned_abs() as usize] -= i64::from(licenses);
        }
        odd == 0
    }

    fn walk_seconds(&self, day: Window, mut each: impl FnMut(i64, Micros, Micros)) {
        let (mut level, mut since) = (0, day.start());
        for (second, change) in self.changes.iter().enumerate() {
            if *change == 0 {
                continue;
            }
            let at = day.start() + second as i64 * SECOND;
            if level != 0 {
                each(level, since, at);
            }
            level += change;
            since = at;
        }
    }

    fn sort(&mut self, day: Window, pieces: impl Iterator<Item = (Micros, Micros, i32)>) {
        self.edges.clear();
        for (started, ended, licenses) in pieces {
            let (start, end) = (started.max(day.start()), ended.min(day.end()));
            if start < end {
                self.edges.push((start, i64::from(licenses)));
                self.edges.push((end, -i64::from(licenses)));
            }
        }
        self.edges.sort_unstable_by_key(|(at, _)| *at);
    }

    fn walk_edges(&self, mut each: impl FnMut(i64, Micros, Micros)) {
        let (mut level, mut since) = (0, 0);
        for at_once in self.edges.chunk_by(|a, b| a.0 == b.0) {
            let change: i64 = at_once.iter().map(|(_, change)| change).sum();
            if change == 0 {
                continue;
            }
            let at = at_once[0].0;
            if level != 0 {
                each(level, since, at);
            }
            level += change;
            since = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const DAY: Micros = 40_000 * SECOND;

    fn day() -> Window {
        Window::new(7 * DAY, 8 * DAY).unwrap()
    }

    /// The time at each level, by looking at every piece between any two cuts.
    fn naive(pieces: &[(Micros, Micros, i32)]) -> BTreeMap<i64, Micros> {
        let mut cuts: Vec<Micros> = pieces.iter().flat_map(|(start, end, _)| [*start, *end]).collect();
        cuts.extend([day().start(), day().end()]);
        cuts.retain(|cut| (day().start()..=day().end()).contains(cut));
        cuts.sort_unstable();
        let mut time = BTreeMap::new();
        for pair in cuts.windows(2) {
            let inside = pieces.iter().filter(|(start, end, _)| *start <= pair[0] && pair[0] < *end);
            let level: i64 = inside.map(|(_, _, licenses)| i64::from(*licenses)).sum();
            if level != 0 && pair[0] < pair[1] {
                *time.entry(level).or_default() += pair[1] - pair[0];
            }
        }
        time
    }

    fn swept(sweeper: &mut Sweeper, pieces: &[(Micros, Micros, i32)]) -> BTreeMap<i64, Micros> {
        let (mut time, mut last) = (BTreeMap::new(), day().start());
        sweeper.stretches(day(), pieces.iter().copied(), |level, from, to| {
            assert!(last <= from && from < to && to <= day().end(), "{last} {from} {to}");
            last = to;
            *time.entry(level).or_default() += to - from;
        });
        time
    }

    proptest! {
        #[test]
        fn sorted_and_counted_edges_give_the_same(
            pieces in proptest::collection::vec((-DAY / 4..DAY, 0..DAY / 2, 1..50i32, any::<bool>()), 0..40)
        ) {
            let cut = |at: Micros, whole: bool| if whole { at / SECOND * SECOND } else { at };
            let pieces: Vec<_> = pieces.iter().map(|(start, length, licenses, whole)| {
                (day().start() + cut(*start, *whole), day().start() + cut(start + length, *whole), *licenses)
            }).collect();
            let mut sweeper = Sweeper::default();
            prop_assert_eq!(swept(&mut sweeper, &pieces), naive(&pieces));
            let whole: Vec<_> = pieces.iter().map(|(start, end, n)| (start / SECOND * SECOND, end / SECOND * SECOND, *n)).collect();
            let mut counted = BTreeMap::new();
            prop_assert!(sweeper.count(day(), whole.iter().copied()));
            sweeper.walk_seconds(day(), |level, from, to| *counted.entry(level).or_default() += to - from);
            prop_assert_eq!(counted, naive(&whole));
        }
    }

    #[test]
    fn busy_days_are_counted_unless_an_edge_lies_between_seconds() {
        let piece = |n: i64| {
            let start = day().start() + n * 7919 % 30_000 * SECOND;
            (start, start + n * 31 % 9000 * SECOND, 1 + (n % 3) as i32)
        };
        let mut pieces: Vec<_> = (0..3000).map(piece).collect();
        let mut levels = vec![0i64; 40_000];
        for (start, end, licenses) in &pieces {
            let place = |at: Micros| ((at - day().start()) / SECOND) as usize;
            for level in &mut levels[place(*start)..place(*end)] {
                *level += i64::from(*licenses);
            }
        }
        let mut expected = BTreeMap::new();
        for level in levels.into_iter().filter(|level| *level != 0) {
            *expected.entry(level).or_default() += SECOND;
        }
        let mut sweeper = Sweeper::default();
        assert_eq!(swept(&mut sweeper, &pieces), expected);
        pieces.push((day().start() + 1, day().start() + 2, 1));
        assert_eq!(
            swept(&mut sweeper, &pieces).values().sum::<Micros>(),
            expected.values().sum::<Micros>() + 1
        );
        pieces.pop();
        assert_eq!(swept(&mut sweeper, &pieces), expected, "nothing of the day before is left");
    }
}
