//! The most different holders at one instant.
//!
//! Each holder counts once, however many pieces it holds. The edges of a day are brought into the order of their seconds by
//! counting them, ends before starts, and gone through once, with a count of pieces for each holder.

use crate::time::{Micros, SECOND, Window};

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
    places: Vec<u32>,
    sorted: Vec<u32>,
    edges: Vec<(Micros, bool, u32)>,
    held: Vec<u32>,
}

/// The bit of an edge that says whether it is a start.
const START: u32 = 1 << 31;

impl Peaks {
    /// The peak within each part of a day. The parts lie one after the other and cover the day; holders are below `holders`. What
    /// lies outside of the day is cut off.
    pub(crate) fn of(&mut self, parts: &[Window], holders: usize, stays: &[Stay]) -> Vec<i64> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Vec::new();
        };
        let Some(day) = Window::new(first.start(), last.end()) else {
            return vec![0; parts.len()];
        };
        self.held.clear();
        self.held.resize(holders, 0);
        let whole = parts.iter().all(|part| (part.end() - day.start()) % SECOND == 0) && holders < START as usize;
        if whole && self.count(day, stays) {
            self.walk_seconds(day, parts)
        } else {
            self.walk_edges(day, parts, stays)
        }
    }

    /// Brings the edges into the order of seconds; false if there is one between seconds.
    fn count(&mut self, day: Window, stays: &[Stay]) -> bool {
        let seconds = ((day.end() - day.start()) / SECOND).unsigned_abs() as usize;
        // For each second a place for ends and one for starts, and one more.
        self.places.clear();
        self.places.resize(2 * (seconds + 1) + 1, 0);
        let inside = |stay: &Stay| {
            let (start, end) = (stay.started.max(day.start()), stay.ended.min(day.end()));
            (start < end).then(|| (start - day.start(), end - day.start()))
        };
        let mut odd = 0;
        let mut edges = 0;
        for (start, end) in stays.iter().filter_map(inside) {
            let (from, to) = (start / SECOND, end / SECOND);
            odd |= (start - from * SECOND) | (end - to * SECOND);
            self.places[(2 * from + 1).unsigned_abs() as usize + 1] += 1;
            self.places[(2 * to).unsigned_abs() as usize + 1] += 1;
            edges += 2;
        }
        if odd != 0 {
            return false;
        }
        let mut sum = 0;
        for place in &mut self.places {
            sum += *place;
            *place = sum;
        }
        self.sorted.clear();
        self.sorted.resize(edges, 0);
        for stay in stays {
            if let Some((start, end)) = inside(stay) {
                for (key, edge) in [(2 * (start / SECOND) + 1, stay.holder | START), (2 * (end / SECOND), stay.holder)] {
                    let place = &mut self.places[key.unsigned_abs() as usize];
                    self.sorted[*place as usize] = edge;
                    *place += 1;
                }
            }
        }
        true
    }

    fn walk_seconds(&mut self, day: Window, parts: &[Window]) -> Vec<i64> {
        let mut present = 0;
        let mut from = 0;
        parts
            .iter()
            .map(|part| {
                let key = |at: Micros| (2 * ((at - day.start()) / SECOND)).unsigned_abs() as usize;
                // By now each place says where the edges of its key end. What ends as the part begins is not in it.
                let begun = self.places[key(part.start())] as usize;
                let ended = self.places[key(part.end()) - 1] as usize;
                for edge in &self.sorted[from..begun.max(from)] {
                    present += step(&mut self.held, *edge);
                }
                let mut peak = present;
                for edge in &self.sorted[begun.max(from)..ended] {
                    present += step(&mut self.held, *edge);
                    peak = peak.max(present);
                }
                from = ended;
                peak
            })
            .collect()
    }

    fn walk_edges(&mut self, day: Window, parts: &[Window], stays: &[Stay]) -> Vec<i64> {
        self.edges.clear();
        for stay in stays {
            let (start, end) = (stay.started.max(day.start()), stay.ended.min(day.end()));
            if start < end {
                self.edges.push((start, true, stay.holder));
                self.edges.push((end, false, stay.holder));
            }
        }
        // Of one instant, ends come before starts.
        self.edges.sort_unstable();
        let (mut present, mut edges) = (0, self.edges.iter().peekable());
        parts
            .iter()
            .map(|part| {
                while let Some((_, starts, holder)) =
                    edges.next_if(|(at, starts, _)| *at < part.start() || (*at == part.start() && !starts))
                {
                    present += step(&mut self.held, holder | if *starts { START } else { 0 });
                }
                let mut peak = present;
                while let Some((_, starts, holder)) = edges.next_if(|(at, ..)| *at < part.end()) {
                    present += step(&mut self.held, holder | if *starts { START } else { 0 });
                    peak = peak.max(present);
                }
                peak
            })
            .collect()
    }
}

/// How an edge changes the number of holders that are present.
fn step(held: &mut [u32], edge: u32) -> i64 {
    let count = &mut held[(edge & !START) as usize];
    if edge & START == 0 {
        *count -= 1;
        -i64::from(*count == 0)
    } else {
        *count += 1;
        i64::from(*count == 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

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
            prop_assert_eq!(peaks.of(&parts, 5, &stays), expected.clone());
            prop_assert_eq!(peaks.of(&parts, 5, &stays), expected, "nothing of the run before is left");
        }
    }
}
