//! The most different holders at one instant.
//!
//! Each holder counts once, however many pieces it holds: the pieces of a holder are put in order and united, and what is left of
//! them comes and goes in a number of holders.
//!
//! ```text
//!   pieces of a day ─▶ by holder ─▶ united │ ▂▂▂▂▂  ▂▂▂  │ ─▶ +1 … −1 … ─▶ the most, in each part of the day
//! ```

use super::seconds::{Seconds, seconds_of};
use crate::time::{Micros, Window};

/// When a holder, known by a number, held something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) started: Micros,
    pub(crate) ended: Micros,
    pub(crate) holder: u32,
}

/// Finds peaks; what it works with is used again for the next day.
#[derive(Debug, Default)]
pub(crate) struct Peaks {
    /// Spans as they come, and their holders: the second in which one begins and, in the lower half, the one in which it ends.
    came: Vec<(u64, u32)>,
    /// The same, those of each holder together, and where these end.
    spans: Vec<u64>,
    places: Vec<u32>,
    seconds: Seconds,
    stays: Vec<Stay>,
    edges: Vec<(Micros, i64)>,
}

impl Peaks {
    /// The peak within each part of a day. The parts lie one after the other and cover the day; holders are below `holders`. What
    /// lies outside of the day is cut off.
    pub(crate) fn of(&mut self, parts: &[Window], holders: usize, stays: impl Iterator<Item = Stay> + Clone) -> Vec<i64> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Vec::new();
        };
        let Some(day) = Window::new(first.start(), last.end()) else {
            return vec![0; parts.len()];
        };
        if self.seconds.begin(day) && self.share_out(day, holders, stays.clone()) {
            self.unite_spans();
            peaks_of(parts, self.seconds.iter())
        } else {
            self.unite_stays(day, stays);
            peaks_of(parts, self.edges.iter().copied())
        }
    }

    /// Puts the spans of each holder together; false if one begins or ends between seconds.
    fn share_out(&mut self, day: Window, holders: usize, stays: impl Iterator<Item = Stay>) -> bool {
        self.places.clear();
        self.places.resize(holders, 0);
        self.came.clear();
        let mut odd = 0;
        for Stay { started, ended, holder } in stays {
            if let Some((from, to, between)) = seconds_of(day, started, ended) {
                odd |= between;
                self.came.push(((u64::from(from) << 32) | u64::from(to), holder));
                self.places[holder as usize] += 1;
            }
        }
        if odd != 0 {
            return false;
        }
        let mut begin = 0;
        for place in &mut self.places {
            begin += std::mem::replace(place, begin);
        }
        self.spans.clear();
        self.spans.resize(self.came.len(), 0);
        for (span, holder) in &self.came {
            let place = &mut self.places[*holder as usize];
            self.spans[*place as usize] = *span;
            *place += 1;
        }
        true
    }

    fn unite_spans(&mut self) {
        let mut begin = 0;
        for end in &self.places {
            let spans = &mut self.spans[begin..*end as usize];
            begin = *end as usize;
            spans.sort_unstable();
            let spans = spans.iter().map(|span| ((span >> 32) as u32, *span as u32));
            unite(spans, |from, to| {
                self.seconds.add(from, 1);
                self.seconds.add(to, -1);
            });
        }
    }

    /// The same to the microsecond.
    fn unite_stays(&mut self, day: Window, stays: impl Iterator<Item = Stay>) {
        self.stays.clear();
        self.stays.extend(stays);
        self.stays.sort_unstable_by_key(|stay| (stay.holder, stay.started));
        self.edges.clear();
        for of_holder in self.stays.chunk_by(|a, b| a.holder == b.holder) {
            let inside = of_holder
                .iter()
                .map(|stay| (stay.started.max(day.start()), stay.ended.min(day.end())));
            unite(inside.filter(|(start, end)| start < end), |start, end| {
                self.edges.extend([(start, 1), (end, -1)]);
            });
        }
        // Of one instant, ends come before starts.
        self.edges.sort_unstable();
    }
}

/// Unites spans that overlap or touch; they come in the order of their beginnings.
fn unite<T: Ord + Copy>(spans: impl Iterator<Item = (T, T)>, mut each: impl FnMut(T, T)) {
    let mut known: Option<(T, T)> = None;
    for (from, to) in spans {
        match &mut known {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => {
                if let Some((from, to)) = known.replace((from, to)) {
                    each(from, to);
                }
            }
        }
    }
    if let Some((from, to)) = known {
        each(from, to);
    }
}

/// The most that changes come to within each part.
fn peaks_of(parts: &[Window], changes: impl Iterator<Item = (Micros, i64)>) -> Vec<i64> {
    let (mut present, mut changes) = (0, changes.peekable());
    parts
        .iter()
        .map(|part| {
            // What ends as the part begins is not in it.
            while let Some((_, change)) = changes.next_if(|(at, _)| *at <= part.start()) {
                present += change;
            }
            let mut peak = present;
            while let Some((_, change)) = changes.next_if(|(at, _)| *at < part.end()) {
                present += change;
                peak = peak.max(present);
            }
            peak
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::time::SECOND;

    const DAY: Micros = 1000 * SECOND;

    /// The holders at every instant at which anything changes.
    fn naive(part: Window, stays: &[Stay]) -> i64 {
        let instants = stays.iter().flat_map(|stay| [stay.started, stay.ended]).chain([part.start()]);
        let inside = instants.filter(|at| part.start() <= *at && *at < part.end());
        let present = |at: Micros| {
            let holding = stays.iter().filter(|stay| stay.started <= at && at < stay.ended);
            holding.map(|stay| stay.holder).collect::<BTreeSet<u32>>().len() as i64
        };
        inside.map(present).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn peaks_are_those_of_every_instant(
            stays in proptest::collection::vec((-200..1200i64, 0..300i64, 0..5u32), 0..40),
            cuts in proptest::collection::btree_set(1..1000i64, 0..3),
            between_seconds in any::<bool>(),
        ) {
            let begin = 5 * DAY;
            let unit = if between_seconds { SECOND / 3 } else { SECOND };
            let stays: Vec<Stay> = stays.iter().map(|(start, length, holder)| Stay {
                started: begin + start * unit,
                ended: begin + (start + length) * unit,
                holder: *holder,
            }).collect();
            let cuts: Vec<Micros> = [0].into_iter().chain(cuts).chain([1000]).map(|cut| begin + cut * SECOND).collect();
            let parts: Vec<Window> = cuts.windows(2).map(|pair| Window::new(pair[0], pair[1]).unwrap()).collect();
            let expected: Vec<i64> = parts.iter().map(|part| naive(*part, &stays)).collect();
            let mut peaks = Peaks::default();
            prop_assert_eq!(peaks.of(&parts, 5, stays.iter().copied()), expected.clone());
            prop_assert_eq!(peaks.of(&parts, 5, stays.iter().copied()), expected, "nothing of the run before is left");
        }
    }
}
