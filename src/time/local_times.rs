//! Wall-clock times read from a source, line by line.

use super::zone::Occurrence;
use super::{MINUTE, Micros, Zone};

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
}

/// How far threads may put a line behind the one before it.
const JITTER: Micros = MINUTE;

impl LocalTimes {
    /// Times on the wall clock of a zone; none was read yet.
    #[must_use]
    pub const fn new(zone: Zone) -> Self {
        Self { zone, latest: Micros::MIN }
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// The instant of a wall-clock time (microseconds since 1970-01-01 00:00 on that clock), or nothing if it never
    /// happens.
    pub fn instant(&mut self, local: Micros) -> Option<Micros> {
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
