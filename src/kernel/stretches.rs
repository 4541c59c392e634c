//! Stretches of a day in which the number of licenses in use stays the same.

use super::seconds::{Seconds, seconds_of};
use crate::time::{Micros, Window};

/// With more edges than this, a place for each second is cheaper than sorting.
const BUSY: usize = 4096;

/// Sweeps over the pieces of days; what it works with is used again for the next day.
#[derive(Debug, Default)]
pub struct Sweeper {
    seconds: Seconds,
    edges: Vec<(Micros, i64)>,
}

impl Sweeper {
    /// Calls `each(level, from, to)` for the stretches of windows of a day in which licenses were in use, in order. The windows lie in
    /// order, apart from each other and inside the day. A piece is when it began, when it ended, and how many licenses it held; what
    /// lies outside of the day is cut off.
    pub fn stretches(
        &mut self,
        (day, windows): (Window, &[Window]),
        pieces: impl ExactSizeIterator<Item = (Micros, Micros, i32)> + Clone,
        each: impl FnMut(i64, Micros, Micros),
    ) {
        if pieces.len() * 2 > BUSY && self.count(day, pieces.clone()) {
            self.walk_seconds(windows, each);
        } else {
            self.sort(day, pieces);
            self.walk_edges(windows, each);
        }
    }

    /// What lies between windows is only added up.
    fn walk_edges(&self, windows: &[Window], mut each: impl FnMut(i64, Micros, Micros)) {
        let (mut level, mut rest) = (0, &self.edges[..]);
        for window in windows {
            let (before, after) = rest.split_at(rest.partition_point(|(at, _)| *at <= window.start()));
            let (inside, after) = after.split_at(after.partition_point(|(at, _)| *at < window.end()));
            level += before.iter().map(|(_, change)| change).sum::<i64>();
            rest = after;
            level = walk(*window, level, inside.iter().copied(), &mut each);
        }
    }

    fn walk_seconds(&self, windows: &[Window], mut each: impl FnMut(i64, Micros, Micros)) {
        let (mut level, mut known) = (0, 0);
        for window in windows {
            let inside = self.seconds.inside(*window);
            level += self.seconds.sum(known..inside.start);
            known = inside.end;
            level = walk(*window, level, self.seconds.changes(inside), &mut each);
        }
    }

    /// Counts the edges of each second; false if there is one between seconds, or too much at once.
    fn count(&mut self, day: Window, pieces: impl Iterator<Item = (Micros, Micros, i32)>) -> bool {
        if !self.seconds.begin(day) {
            return false;
        }
        let mut odd = 0;
        let seconds = &mut self.seconds;
        pieces.for_each(|(started, ended, licenses)| {
            if let Some((from, to, between)) = seconds_of(day, started, ended) {
                odd |= between;
                seconds.add(from, licenses);
                seconds.add(to, -licenses);
            }
        });
        odd == 0 && seconds.is_exact()
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
}

/// Goes through the changes inside a window in the order of time. Returns the level that they end with.
fn walk(window: Window, before: i64, changes: impl Iterator<Item = (Micros, i64)>, each: &mut impl FnMut(i64, Micros, Micros)) -> i64 {
    let (mut level, mut since) = (before, window.start());
    for (at, change) in changes {
        if level != 0 && since < at {
            each(level, since, at);
        }
        level += change;
        since = at;
    }
    if level != 0 {
        each(level, since, window.end());
    }
    level
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::time::SECOND;

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
        swept_in(&[day()], sweeper, pieces)
    }

    fn swept_in(windows: &[Window], sweeper: &mut Sweeper, pieces: &[(Micros, Micros, i32)]) -> BTreeMap<i64, Micros> {
        let (mut time, mut last) = (BTreeMap::new(), day().start());
        sweeper.stretches((day(), windows), pieces.iter().copied(), |level, from, to| {
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
            sweeper.walk_seconds(&[day()], |level, from, to| *counted.entry(level).or_default() += to - from);
            prop_assert_eq!(counted, naive(&whole));
        }
    }

    proptest! {
        #[test]
        fn windows_have_what_of_each_stretch_lies_in_them(
            pieces in proptest::collection::vec((-DAY / 4..DAY, 0..DAY / 2, 1..50i32), 0..40),
            cuts in proptest::collection::btree_set(0..=DAY, 2..8),
            whole in any::<bool>(),
        ) {
            let cut = |at: Micros| if whole { at / SECOND * SECOND } else { at };
            let pieces: Vec<_> = pieces.iter().map(|(start, length, licenses)| {
                (day().start() + cut(*start), day().start() + cut(start + length), *licenses)
            }).collect();
            let cuts: Vec<Micros> = cuts.into_iter().map(|at| day().start() + at).collect();
            let windows: Vec<Window> = cuts.chunks_exact(2).map(|pair| Window::new(pair[0], pair[1]).unwrap()).collect();
            let mut expected: BTreeMap<i64, Micros> = BTreeMap::new();
            for window in &windows {
                let inside: Vec<_> = pieces.iter().map(|(start, end, n)| (*start.max(&window.start()), *end.min(&window.end()), *n)).collect();
                let inside: Vec<_> = inside.into_iter().filter(|(start, end, _)| start < end).collect();
                naive(&inside).into_iter().for_each(|(level, time)| *expected.entry(level).or_default() += time);
            }
            let mut sweeper = Sweeper::default();
            prop_assert_eq!(swept_in(&windows, &mut sweeper, &pieces), expected.clone());
            if sweeper.count(day(), pieces.iter().copied()) {
                let mut counted = BTreeMap::new();
                sweeper.walk_seconds(&windows, |level, from, to| *counted.entry(level).or_default() += to - from);
                prop_assert_eq!(counted, expected);
            } else {
                prop_assert!(!whole);
            }
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
        let many = (day().start(), day().start() + SECOND, i32::MAX);
        pieces.extend([many; 3]);
        let greatest = swept(&mut sweeper, &pieces).into_keys().next_back();
        assert!(greatest.is_some_and(|level| level >= 3 * i64::from(i32::MAX)), "{greatest:?}");
    }
}
