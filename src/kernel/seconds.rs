//! By how much a number changes at each second of a day.
//!
//! ```text
//!   changes   · +2 · · −1 +1 · · · · −2 ·      a place for each second, and one for the end of the day
//!             0  1 0 0  1  1 0 0 0 0  1 0      a bit each as they are gone through, so that quiet seconds cost nothing
//! ```

use std::ops::Range;

use super::bits::ones;
use crate::time::{Micros, SECOND, Window};

/// So many seconds are looked at together: as many as a word has bits.
const BLOCK: usize = 64;

/// Changes by second; the room for them is used again for the next day.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    start: Micros,
    /// Whole blocks of them.
    changes: Vec<i32>,
    /// Whether a change was too large for its place.
    overflowed: bool,
}

impl Seconds {
    /// Begins a day without changes; false if the day is not one of whole seconds.
    pub(super) fn begin(&mut self, day: Window) -> bool {
        let places = ((day.end() - day.start()) / SECOND).unsigned_abs() as usize + 1;
        (self.start, self.overflowed) = (day.start(), false);
        self.changes.clear();
        self.changes.resize(places.next_multiple_of(BLOCK), 0);
        (day.end() - day.start()) % SECOND == 0
    }

    /// Adds to the change of a second, counted from the start of the day; the last one is the end of the day.
    #[inline]
    pub(super) fn add(&mut self, second: u32, change: i32) {
        let known = &mut self.changes[second as usize];
        let (sum, overflowed) = known.overflowing_add(change);
        *known = sum;
        self.overflowed |= overflowed;
    }

    /// Whether all changes are told as they were added.
    pub(super) const fn is_exact(&self) -> bool {
        !self.overflowed
    }

    /// The seconds inside a window of the day: after its start, before its end.
    pub(super) fn inside(&self, window: Window) -> Range<usize> {
        let (start, end) = (window.start() - self.start, window.end() - self.start);
        (start / SECOND + 1) as usize..((end + SECOND - 1) / SECOND) as usize
    }

    /// What the changes of some seconds come to.
    pub(super) fn sum(&self, seconds: Range<usize>) -> i64 {
        self.changes[seconds].iter().map(|change| i64::from(*change)).sum()
    }

    /// The instants of a day at which anything changed, in order, and by how much.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Micros, i64)> + '_ {
        self.changes(0..self.changes.len())
    }

    /// Those of some seconds.
    pub(super) fn changes(&self, seconds: Range<usize>) -> impl Iterator<Item = (Micros, i64)> + '_ {
        let first = seconds.start / BLOCK;
        let blocks = self.changes.as_chunks::<BLOCK>().0;
        let blocks = blocks.iter().enumerate().take(seconds.end.div_ceil(BLOCK)).skip(first);
        let words = blocks.map(move |(block, changes)| {
            let begin = block * BLOCK;
            let from = u64::MAX << seconds.start.saturating_sub(begin);
            let until = u64::MAX >> (begin + BLOCK).saturating_sub(seconds.end);
            changed(changes) & from & until
        });
        ones(words).map(move |place| {
            let second = first * BLOCK + place;
            (self.start + second as Micros * SECOND, i64::from(self.changes[second]))
        })
    }
}

/// A bit for each change that is one.
fn changed(changes: &[i32; BLOCK]) -> u64 {
    let eights = changes.as_chunks::<8>().0.iter().enumerate();
    eights.fold(0, |bits, (place, eight)| {
        // The factor moves the lowest bit of each of eight bytes into the highest byte, side by side.
        let bytes = u64::from_le_bytes(eight.map(|change| u8::from(change != 0)));
        bits | bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (place * 8)
    })
}

/// Cuts a piece off at the ends of a day: its seconds from the start of the day, and what of its ends lies between seconds.
/// Nothing if no part of it is in the day.
#[inline]
pub(super) fn seconds_of(day: Window, started: Micros, ended: Micros) -> Option<(u32, u32, Micros)> {
    let (start, end) = (started.max(day.start()), ended.min(day.end()));
    if start >= end {
        return None;
    }
    let (start, end) = ((start - day.start()).unsigned_abs(), (end - day.start()).unsigned_abs());
    let second = SECOND.unsigned_abs();
    let (from, to) = (start / second, end / second);
    let odd = (start - from * second) | (end - to * second);
    // A day has fewer seconds than 32 bits.
    Some((from as u32, to as u32, odd as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_in_order_and_are_gone_with_their_day() {
        let day = |first: i64, seconds: i64| Window::new(first * SECOND, (first + seconds) * SECOND).unwrap();
        let mut seconds = Seconds::default();
        assert!(seconds.begin(day(1000, 200)));
        for (second, change) in [(200, -3), (64, 1), (0, 2), (64, 5), (63, 4), (63, -4)] {
            seconds.add(second, change);
        }
        let told = |seconds: &Seconds, range: Range<usize>| -> Vec<(i64, i64)> {
            seconds.changes(range).map(|(at, change)| (at / SECOND, change)).collect()
        };
        // What came and went at once is no change.
        let all = [(1000, 2), (1064, 6), (1200, -3)];
        assert_eq!(seconds.iter().map(|(at, change)| (at / SECOND, change)).collect::<Vec<_>>(), all);
        for from in 0..=201 {
            for until in from..=201 {
                let range = 1000 + from as i64..1000 + until as i64;
                let inside: Vec<(i64, i64)> = all.into_iter().filter(|(at, _)| range.contains(at)).collect();
                assert_eq!(told(&seconds, from..until), inside, "{from}..{until}");
                assert_eq!(seconds.sum(from..until), inside.iter().map(|(_, change)| change).sum::<i64>());
            }
        }
        assert!(seconds.begin(day(2000, 100)));
        assert_eq!(seconds.iter().count(), 0);
        seconds.add(64, 1);
        assert_eq!(seconds.iter().collect::<Vec<_>>(), [(2064 * SECOND, 1)]);
        assert!(seconds.begin(day(0, 300)));
        seconds.add(200, 1);
        assert_eq!(seconds.iter().collect::<Vec<_>>(), [(200 * SECOND, 1)]);
        assert!(!seconds.begin(Window::new(0, SECOND + 1).unwrap()));
        seconds.add(0, i32::MAX);
        assert!(seconds.is_exact());
        seconds.add(0, 1);
        assert!(!seconds.is_exact());
        seconds.begin(day(0, 1));
        assert!(seconds.is_exact());
    }

    #[test]
    fn seconds_inside_a_window_come_after_its_start_and_before_its_end() {
        let mut seconds = Seconds::default();
        seconds.begin(Window::new(10 * SECOND, 20 * SECOND).unwrap());
        let inside = |from: i64, to: i64| seconds.inside(Window::new(10 * SECOND + from, 10 * SECOND + to).unwrap());
        assert_eq!(inside(0, 10 * SECOND), 1..10);
        assert_eq!(inside(2 * SECOND, 3 * SECOND), 3..3);
        assert_eq!(inside(2 * SECOND - 1, 3 * SECOND + 1), 2..4);
        assert_eq!(inside(2 * SECOND + 1, 2 * SECOND + 2), 3..3);
    }

    #[test]
    fn pieces_are_cut_off_at_the_day() {
        let day = Window::new(10 * SECOND, 20 * SECOND).unwrap();
        let of = |from: i64, to: i64| seconds_of(day, from, to);
        assert_eq!(of(9 * SECOND + 1, 12 * SECOND), Some((0, 2, 0)));
        assert_eq!(of(12 * SECOND, 21 * SECOND + 1), Some((2, 10, 0)));
        assert_eq!(
            of(12 * SECOND + 1, 13 * SECOND).map(|(from, to, odd)| (from, to, odd != 0)),
            Some((2, 3, true))
        );
        assert_eq!(
            [of(5, 10 * SECOND), of(20 * SECOND, 21 * SECOND), of(15 * SECOND, 15 * SECOND)],
            [None; 3]
        );
    }
}
