//! Wall clocks for columns of instants.

use rustc_hash::FxHashMap;

use super::zone::local_day;
use super::{Day, HOUR, Micros, Zone};

/// A zone that remembers its offsets, for loops over millions of instants.
///
/// Time is cut into blocks of three hours. Where the offset at both ends of a block is the same it holds for the whole
/// block (no zone changes its clock twice in three hours); the few blocks with a change ask the zone each time.
#[derive(Debug)]
pub struct Offsets {
    zone: Zone,
    known: FxHashMap<i64, Option<Micros>>,
    /// The block of the last instant: where it starts, and its offset.
    last: (Micros, Option<Micros>),
}

const BLOCK: Micros = 3 * HOUR;

impl Offsets {
    /// The offsets of a zone; nothing is looked up yet.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            known: FxHashMap::default(),
            last: (Micros::MAX, None),
        }
    }

    /// The wall clock at an instant; the same as [`Zone::local`].
    pub fn local(&mut self, at: Micros) -> Micros {
        if !(0..BLOCK).contains(&at.wrapping_sub(self.last.0)) {
            self.look_up(at);
        }
        at + self.last.1.unwrap_or_else(|| self.zone.offset(at))
    }

    #[cold]
    fn look_up(&mut self, at: Micros) {
        let (zone, start) = (self.zone, at.div_euclid(BLOCK) * BLOCK);
        let offset = *self.known.entry(start).or_insert_with(|| {
            let offset = zone.offset(start);
            (offset == zone.offset(start + BLOCK)).then_some(offset)
        });
        self.last = (start, offset);
    }

    /// The calendar day of an instant; the same as [`Zone::day_of`].
    pub fn day_of(&mut self, at: Micros) -> Day {
        local_day(self.local(at))
    }

    /// The days that the half-open `[started, ended)` touches; none when it is empty.
    pub fn days_touched(&mut self, started: Micros, ended: Micros) -> impl Iterator<Item = Day> + use<> {
        let first = self.day_of(started);
        let last = if ended > started {
            self.day_of(ended - 1)
        } else {
            first.previous()
        };
        first.to(last)
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, MINUTE};

    #[test]
    fn remembered_offsets_are_those_of_the_zone() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"] {
            let zone: Zone = name.parse().unwrap();
            let mut offsets = Offsets::new(zone);
            let start = zone.start_of("2026-01-01".parse().unwrap());
            for at in (start..start + 366 * DAY).step_by(7 * MINUTE as usize) {
                assert_eq!(offsets.local(at), zone.local(at), "{name} {at}");
            }
        }
    }
}
