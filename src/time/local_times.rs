//! Wall-clock times read from a source, line by line.

use std::ops::Range;

use super::zone::Occurrence;
use super::{HOUR, MINUTE, Micros, Zone};

/// Turns the local times of one source into instants, in the order in which the source gives them.
///
/// A time that happens twice is its first occurrence, unless the order of the lines proves otherwise: once the source
/// has stepped back inside the repeated hour by more than the jitter of threads, it is in the second one. A time that
/// never happens is refused.
///
/// ```
/// use headroom::time::{DAY, Day, HOUR, LocalTimes, MINUTE};
/// let autumn: Day = "2026-10-25".parse()?;
/// let at = |hour: i64, minute: i64| i64::from(autumn.0) * DAY + hour * HOUR + minute * MINUTE;
/// let mut times = LocalTimes::new("Europe/Berlin".parse()?);
/// let first = times.instant(at(2, 50)).unwrap();
/// let second = times.instant(at(2, 10)).unwrap();
/// assert_eq!(second - first, 20 * MINUTE);
/// # Ok::<(), headroom::time::ParseTimeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LocalTimes {
    zone: Zone,
    latest: Micros,
    /// Times around the last one that all happen once, and how far the clock is ahead of UTC then.
    plain: Range<Micros>,
    ahead: Micros,
}

/// How far threads may put a line behind the one before it.
const JITTER: Micros = MINUTE;

impl LocalTimes {
    /// Times on the wall clock of a zone; none was read yet.
    #[must_use]
    pub const fn new(zone: Zone) -> Self {
        Self {
            zone,
            latest: Micros::MIN,
            plain: 0..0,
            ahead: 0,
        }
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// The instant of a wall-clock time (microseconds since 1970-01-01 00:00 on that clock), or nothing if it never
    /// happens.
    pub fn instant(&mut self, local: Micros) -> Option<Micros> {
        if !self.plain.contains(&local) {
            self.look_around(local);
        }
        if self.plain.contains(&local) {
            self.note(local - self.ahead);
            return Some(self.latest);
        }
        self.instant_by_order(local)
    }

    /// The instant of a time that may happen twice, or never.
    fn instant_by_order(&mut self, local: Micros) -> Option<Micros> {
        let at = match self.zone.occurrence(local) {
            Occurrence::Once(at) => at,
            Occurrence::Twice(first, second) if first.saturating_add(JITTER) < self.latest && self.latest < second + JITTER => second,
            // Still inside the second hour, a little behind the line before.
            Occurrence::Twice(_, second) if second <= self.latest => second,
            Occurrence::Twice(first, _) => first,
            Occurrence::Skipped(_) => return None,
        };
        self.note(at);
        Some(at)
    }

    /// Finds out whether the clock just goes on in the hour of `local`: the next time will mostly be of the same hour. No
    /// clock jumps twice within an hour, so that its ends tell.
    fn look_around(&mut self, local: Micros) {
        let start = local.div_euclid(HOUR) * HOUR;
        let end = start + HOUR;
        self.plain = 0..0;
        if let (Occurrence::Once(first), Occurrence::Once(last)) = (self.zone.occurrence(start), self.zone.occurrence(end))
            && last - first == HOUR
        {
            (self.plain, self.ahead) = (start..end, start - first);
        }
    }

    /// The first instant not before `at` at which the wall clock of a zone shows `local`, or its last one; nothing if it
    /// never happens.
    pub(crate) fn first_after(zone: Zone, local: Micros, at: Micros) -> Option<Micros> {
        match zone.occurrence(local) {
            Occurrence::Once(end) => Some(end),
            Occurrence::Twice(first, second) => Some(if first < at { second } else { first }),
            Occurrence::Skipped(_) => None,
        }
    }

    /// An instant that the source gave with its offset, as evidence for the local times that follow.
    pub fn note(&mut self, at: Micros) {
        self.latest = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{DAY, SECOND};

    proptest! {
        #[test]
        fn what_is_remembered_changes_nothing(
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Monrovia", "America/St_Johns"]),
            year in prop::sample::select(vec![1972_i64, 1986, 2006, 2026]),
            steps in prop::collection::vec((-3 * MINUTE..40 * MINUTE, prop::sample::select(vec![0, 0, 0, 60 * DAY])), 1..200),
        ) {
            let zone: Zone = zone.parse().unwrap();
            let mut times = LocalTimes::new(zone);
            let mut latest = Micros::MIN;
            let mut local = (year - 1970) * 365 * DAY;
            for (step, leap) in steps {
                local += (step + leap) / SECOND * SECOND;
                let mut fresh = LocalTimes::new(zone);
                fresh.note(latest);
                let expected = fresh.instant_by_order(local);
                prop_assert_eq!(times.instant(local), expected);
                latest = expected.unwrap_or(latest);
            }
        }
    }
}
