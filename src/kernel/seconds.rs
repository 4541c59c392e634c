//! By how much a number changes at each second of a day.
//!
//! ```text
//!   changes   · +2 · · −1 +1 · · · · −2 ·      a place for each second, and one for the end of the day
//!   changed   0  1 0 0  1  1 0 0 0 0  1 0      a bit each, so that quiet seconds cost nothing
//! ```

use super::bits::ones;
use crate::time::{Micros, SECOND, Window};

/// Changes by second; the room for them is used again for the next day.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    start: Micros,
    changes: Vec<i32>,
    /// Whether a change was too large for its place.
    overflowed: bool,
    changed: Vec<u64>,
}

impl Seconds {
    /// Begins a day without changes; false if the day is not one of whole seconds.
    pub(super) fn begin(&mut self, day: Window) -> bool {
        for second in ones(&self.changed) {
            self.changes[second] = 0;
        }
        let places = ((day.end() - day.start()) / SECOND).unsigned_abs() as usize + 1;
        (self.start, self.overflowed) = (day.start(), false);
        self.changes.resize(places, 0);
        self.changed.clear();
        self.changed.resize(places.div_ceil(64), 0);
        (day.end() - day.start()) % SECOND == 0
    }

    /// Adds to the change of a second, counted from the start of the day; the last one is the end of the day.
    #[inline]
    pub(super) fn add(&mut self, second: u32, change: i32) {
        let known = &mut self.changes[second as usize];
        let (sum, overflowed) = known.overflowing_add(change);
        *known = sum;
        self.overflowed |= overflowed;
        self.changed[second as usize / 64] |= 1 << (second % 64);
    }

    /// Whether all changes are told as they were added.
    pub(super) const fn is_exact(&self) -> bool {
        !self.overflowed
    }

    /// The instants at which there were changes, in order, and by how much; what came and went at once is 0.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Micros, i64)> + '_ {
        ones(&self.changed).map(|second| (self.start + second as i64 * SECOND, i64::from(self.changes[second])))
    }
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
        let told: Vec<(i64, i64)> = seconds.iter().map(|(at, change)| (at / SECOND, change)).collect();
        assert_eq!(told, [(1000, 2), (1063, 0), (1064, 6), (1200, -3)]);
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
