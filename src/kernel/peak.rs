//! The most different holders at one instant.
//!
//! Each holder counts once, however many pieces it holds: in the order of their starts, each piece adds what of its time the
//! holder was not there before.
//!
//! ```text
//!   pieces of a holder   ▂▂▂▂▂▂▂▂       ▂▂▂▂
//!                            ▂▂▂▂▂▂▂▂
//!   what each adds       ▂▂▂▂▂▂▂▂▂▂▂▂   ▂▂▂▂      +1 … −1 at its ends
//! ```

use super::seconds::{Seconds, seconds_of};
use crate::time::{Micros, SECOND, Window};

/// When a holder, known by a number, held something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// From when.
    pub started: Micros,
    /// Until when.
    pub ended: Micros,
    /// The holder's number.
    pub holder: u32,
}

/// Finds peaks; what it works with is used again for the next day.
#[derive(Debug, Default)]
pub struct Peaks {
    spans: Vec<Span>,
    sorted: Vec<Span>,
    /// How many spans begin in each second of the day; then the place of the next of them among those that are sorted.
    begins: Vec<u32>,
    /// Until when, in seconds of the day, each holder is there.
    until: Vec<u32>,
    seconds: Seconds,
    /// The same for what begins or ends between seconds.
    stays: Vec<Stay>,
    until_exactly: Vec<Micros>,
    edges: Vec<(Micros, i64)>,
}

impl Peaks {
    /// The peak within each part of a day. The parts lie one after the other and cover the day; holders are below `holders`. What
    /// lies outside of the day is cut off.
    pub fn of(&mut self, parts: &[Window], holders: usize, stays: impl Iterator<Item = Stay> + Clone) -> Vec<i64> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Vec::new();
        };
        let Some(day) = Window::new(first.start(), last.end()) else {
            return vec![0; parts.len()];
        };
        if self.seconds.begin(day) && self.take_spans(day, holders, stays.clone()) {
            self.sort_spans();
            self.add_spans(holders);
            peaks_of(parts, self.seconds.iter())
        } else {
            self.add_stays(day, holders, stays);
            peaks_of(parts, self.edges.iter().copied())
        }
    }

    /// Takes stays as spans; false if there is one that is none.
    fn take_spans(&mut self, day: Window, holders: usize, stays: impl Iterator<Item = Stay>) -> bool {
        self.spans.clear();
        if holders > 1 << Span::HOLDER || (day.end() - day.start()) / SECOND >= 1 << Span::SECOND {
            return false;
        }
        let mut odd = 0;
        let spans = &mut self.spans;
        stays.for_each(|Stay { started, ended, holder }| {
            if let Some((from, to, between)) = seconds_of(day, started, ended) {
                odd |= between;
                spans.push(Span::new(from, to, holder));
            }
        });
        odd == 0
    }

    /// Puts spans in the order of their starts. Many are counted out to their seconds, few need no place for every second.
    fn sort_spans(&mut self) {
        if self.spans.len() < MANY {
            self.spans.sort_unstable_by_key(|span| span.0);
            return;
        }
        self.begins.clear();
        self.begins.resize(1 << Span::SECOND, 0);
        for span in &self.spans {
            self.begins[span.from() as usize] += 1;
        }
        let mut place = 0;
        for begin in &mut self.begins {
            place += std::mem::replace(begin, place);
        }
        self.sorted.resize(self.spans.len(), Span(0));
        for span in &self.spans {
            let place = &mut self.begins[span.from() as usize];
            self.sorted[*place as usize] = *span;
            *place += 1;
        }
        std::mem::swap(&mut self.spans, &mut self.sorted);
    }

    fn add_spans(&mut self, holders: usize) {
        self.until.clear();
        self.until.resize(holders, 0);
        for span in &self.spans {
            let (from, to, until) = (span.from(), span.to(), &mut self.until[span.holder()]);
            let from = from.max(*until);
            if from < to {
                self.seconds.add(from, 1);
                self.seconds.add(to, -1);
                *until = to;
            }
        }
    }

    /// The same to the microsecond.
    fn add_stays(&mut self, day: Window, holders: usize, stays: impl Iterator<Item = Stay>) {
        self.stays.clear();
        self.stays.extend(stays);
        self.stays.sort_unstable_by_key(|stay| stay.started);
        self.until_exactly.clear();
        self.until_exactly.resize(holders, day.start());
        self.edges.clear();
        for stay in &self.stays {
            let until = &mut self.until_exactly[stay.holder as usize];
            let (from, to) = (stay.started.max(*until), stay.ended.min(day.end()));
            if from < to {
                self.edges.extend([(from, 1), (to, -1)]);
                *until = to;
            }
        }
        // Of one instant, ends come before starts.
        self.edges.sort_unstable();
    }
}

/// So many spans are worth a place for every second.
const MANY: usize = 8192;

/// A stay to the second: when it begins, when it ends and whose it is, the highest bits first.
#[derive(Debug, Clone, Copy)]
struct Span(u64);

impl Span {
    /// Bits of a second of the day, and of a holder.
    const SECOND: u32 = 17;
    const HOLDER: u32 = 30;

    #[inline]
    fn new(from: u32, to: u32, holder: u32) -> Self {
        let (from, to) = (u64::from(from) << (Self::SECOND + Self::HOLDER), u64::from(to) << Self::HOLDER);
        Self(from | to | u64::from(holder))
    }

    #[inline]
    const fn from(self) -> u32 {
        (self.0 >> (Self::SECOND + Self::HOLDER)) as u32
    }

    #[inline]
    const fn to(self) -> u32 {
        (self.0 >> Self::HOLDER) as u32 & ((1 << Self::SECOND) - 1)
    }

    #[inline]
    const fn holder(self) -> usize {
        self.0 as usize & ((1 << Self::HOLDER) - 1)
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

    #[test]
    fn spans_hold_what_they_are_made_of() {
        for (from, to, holder) in [(0, 0, 0), (86_399, 86_400, 7), (131_071, 131_071, (1 << 30) - 1), (1, 131_071, 1)] {
            let span = Span::new(from, to, holder);
            assert_eq!((span.from(), span.to(), span.holder()), (from, to, holder as usize));
        }
    }

    #[test]
    fn many_spans_lie_in_the_order_of_their_starts_as_few_do() {
        for count in [MANY - 1, MANY, 3 * MANY] {
            let second = |n: usize| (n * 7919 % 86_400) as u32;
            let spans: Vec<Span> = (0..count).map(|n| Span::new(second(n), second(n) + 1, n as u32)).collect();
            let mut peaks = Peaks {
                spans: spans.clone(),
                ..Peaks::default()
            };
            peaks.sort_spans();
            let sorted = |spans: &[Span]| spans.iter().map(|span| span.0).collect::<BTreeSet<u64>>();
            assert!(peaks.spans.is_sorted_by_key(|span| span.from()));
            assert_eq!(sorted(&peaks.spans), sorted(&spans), "none is lost");
            assert_eq!(peaks.spans.len(), count);
        }
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
