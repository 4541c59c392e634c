//! Edges of intervals, and the time at each level between them.
//!
//! Time is cut into blocks of 86,400 s. The edges of a busy block that lie on whole seconds are counted into one slot a second
//! and summed up from left to right, which needs no sorting; a quiet block, or one with edges between seconds, is sorted.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Int32Array, Int64Array, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Int64Type, UInt32Type};
use datafusion::error::Result;
use datafusion::scalar::ScalarValue;
use rustc_hash::FxHashMap;

use super::arguments::list;
use crate::kernel::Histogram;
use crate::time::{DAY, Micros, SECOND};

/// Seconds in a block.
const SLOTS: usize = 86_400;
/// With more edges than this, a slot for each second is cheaper than sorting.
const BUSY: usize = 4096;

/// The edges of intervals: at an instant the level changes by a number.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    blocks: Vec<Block>,
    places: FxHashMap<i64, usize>,
    last: Option<(i64, usize)>,
}

#[derive(Debug)]
struct Block {
    /// Which block of all time it is.
    number: i64,
    /// Edges on whole seconds of the block.
    whole: Vec<(u32, i32)>,
    /// All other edges, in microseconds of the block, and changes too large for 32 bits.
    odd: Vec<(Micros, i64)>,
}

impl Sweep {
    /// Adds an edge.
    pub(super) fn add(&mut self, at: Micros, change: i64) {
        let number = at.div_euclid(DAY);
        let place = match self.last {
            Some((last, place)) if last == number => place,
            _ => self.place(number),
        };
        let (block, inside) = (&mut self.blocks[place], at.rem_euclid(DAY));
        match (inside % SECOND, i32::try_from(change)) {
            // A block has fewer seconds than 32 bits.
            (0, Ok(change)) => block.whole.push(((inside / SECOND) as u32, change)),
            _ => block.odd.push((inside, change)),
        }
    }

    fn place(&mut self, number: i64) -> usize {
        let place = *self.places.entry(number).or_insert_with(|| {
            self.blocks.push(Block {
                number,
                whole: Vec::new(),
                odd: Vec::new(),
            });
            self.blocks.len() - 1
        });
        self.last = Some((number, place));
        place
    }

    /// The columns of a state: eight bytes for an edge on a whole second.
    pub(super) fn state_fields() -> Vec<FieldRef> {
        let list = |name, of| Arc::new(Field::new(name, DataType::new_list(of, true), true));
        vec![
            list("blocks", DataType::Int64),
            list("lengths", DataType::Int64),
            list("seconds", DataType::UInt32),
            list("changes", DataType::Int32),
            list("odd_at", DataType::Int64),
            list("odd_changes", DataType::Int64),
        ]
    }

    /// All edges, to be merged into those of another part.
    pub(super) fn state(self) -> Result<Vec<ScalarValue>> {
        let edges = self.blocks.iter().map(|block| block.whole.len()).sum();
        let (mut seconds, mut changes) = (Vec::with_capacity(edges), Vec::with_capacity(edges));
        let (mut blocks, mut lengths, mut odd_at, mut odd_changes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for block in self.blocks {
            blocks.push(block.number);
            lengths.push(block.whole.len() as i64);
            for (second, change) in block.whole {
                seconds.push(second);
                changes.push(change);
            }
            for (inside, change) in block.odd {
                odd_at.push(block.number * DAY + inside);
                odd_changes.push(change);
            }
        }
        let integers = |values: Vec<i64>| list(Arc::new(Int64Array::from(values)));
        Ok(vec![
            integers(blocks)?,
            integers(lengths)?,
            list(Arc::new(UInt32Array::from(seconds)))?,
            list(Arc::new(Int32Array::from(changes)))?,
            integers(odd_at)?,
            integers(odd_changes)?,
        ])
    }

    /// Takes up the edges of other parts.
    pub(super) fn merge(&mut self, states: &[ArrayRef]) {
        for row in 0..states.first().map_or(0, |state| state.len()) {
            let columns: Vec<ArrayRef> = states.iter().map(|state| state.as_list::<i32>().value(row)).collect();
            let integers = |place: usize| columns[place].as_primitive::<Int64Type>().values();
            let (mut seconds, mut changes) = (
                &columns[2].as_primitive::<UInt32Type>().values()[..],
                &columns[3].as_primitive::<Int32Type>().values()[..],
            );
            for (number, length) in integers(0).iter().zip(integers(1)) {
                let place = self.place(*number);
                let length = length.unsigned_abs() as usize;
                let (of_block, rest) = seconds.split_at(length);
                let (changes_of_block, changes_rest) = changes.split_at(length);
                self.blocks[place]
                    .whole
                    .extend(of_block.iter().copied().zip(changes_of_block.iter().copied()));
                (seconds, changes) = (rest, changes_rest);
            }
            for (at, change) in integers(4).iter().zip(integers(5)) {
                self.add(*at, *change);
            }
        }
    }

    /// How long the level was exactly each number but zero.
    pub(super) fn histogram(&self) -> Histogram {
        let mut blocks: Vec<&Block> = self.blocks.iter().collect();
        blocks.sort_unstable_by_key(|block| block.number);
        let mut state = State::default();
        let mut slots = vec![0i64; SLOTS];
        for block in blocks {
            let start = block.number * DAY;
            if block.odd.is_empty() && block.whole.len() > BUSY {
                for (second, change) in &block.whole {
                    slots[*second as usize] += i64::from(*change);
                }
                for (second, change) in slots.iter_mut().enumerate() {
                    if *change != 0 {
                        state.change(start + second as i64 * SECOND, std::mem::take(change));
                    }
                }
            } else {
                let mut edges: Vec<(Micros, i64)> = block.iter().collect();
                edges.sort_unstable_by_key(|(at, _)| *at);
                for at_once in edges.chunk_by(|a, b| a.0 == b.0) {
                    state.change(start + at_once[0].0, at_once.iter().map(|(_, change)| change).sum());
                }
            }
        }
        state.time
    }

    /// Roughly how much memory the edges take.
    pub(super) fn size(&self) -> usize {
        let of = |block: &Block| block.whole.capacity() * size_of::<(u32, i32)>() + block.odd.capacity() * size_of::<(Micros, i64)>();
        self.blocks.iter().map(of).sum::<usize>() + self.blocks.capacity() * size_of::<Block>()
    }
}

impl Block {
    fn iter(&self) -> impl Iterator<Item = (Micros, i64)> + '_ {
        let whole = self
            .whole
            .iter()
            .map(|(second, change)| (i64::from(*second) * SECOND, i64::from(*change)));
        whole.chain(self.odd.iter().copied())
    }
}

/// The level while edges are gone through, and the time spent at each.
#[derive(Debug, Default)]
struct State {
    level: i64,
    since: Micros,
    time: Histogram,
}

impl State {
    fn change(&mut self, at: Micros, change: i64) {
        self.time.add(self.level, at - self.since);
        self.level += change;
        self.since = at;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Every second, or every edge, summed up from all intervals.
    fn naive(intervals: &[(Micros, Micros, i64)]) -> BTreeMap<i64, Micros> {
        let mut cuts: Vec<Micros> = intervals.iter().flat_map(|(start, end, _)| [*start, *end]).collect();
        cuts.sort_unstable();
        let mut time = BTreeMap::new();
        for pair in cuts.windows(2) {
            let inside = intervals.iter().filter(|(start, end, _)| *start <= pair[0] && pair[0] < *end);
            let level: i64 = inside.map(|(_, _, licenses)| licenses).sum();
            if level != 0 && pair[0] < pair[1] {
                *time.entry(level).or_default() += pair[1] - pair[0];
            }
        }
        time
    }

    fn swept(intervals: &[(Micros, Micros, i64)]) -> BTreeMap<i64, Micros> {
        let mut sweep = Sweep::default();
        for (start, end, licenses) in intervals {
            sweep.add(*start, *licenses);
            sweep.add(*end, -licenses);
        }
        let time = sweep.histogram().exact();
        // Edges that come as states of two parts are the same edges.
        let mut parts = [Sweep::default(), Sweep::default()];
        for (number, (start, end, licenses)) in intervals.iter().enumerate() {
            parts[number % 2].add(*start, *licenses);
            parts[number / 2 % 2].add(*end, -licenses);
        }
        let mut merged = Sweep::default();
        for part in parts {
            let state: Vec<ArrayRef> = part.state().unwrap().iter().map(|column| column.to_array().unwrap()).collect();
            merged.merge(&state);
        }
        assert_eq!(merged.histogram().exact(), time);
        time
    }

    proptest! {
        #[test]
        fn quiet_blocks_are_summed_up_right(
            intervals in proptest::collection::vec((-2 * DAY..2 * DAY, 0..DAY, 1..100_000i64, any::<bool>()), 0..60)
        ) {
            let whole = |at: Micros, whole: bool| if whole { at / SECOND * SECOND } else { at };
            let intervals: Vec<_> = intervals.iter().map(|(start, length, licenses, is_whole)| {
                (whole(*start, *is_whole), whole(start + length, *is_whole), *licenses)
            }).collect();
            prop_assert_eq!(swept(&intervals), naive(&intervals));
        }
    }

    #[test]
    fn busy_blocks_are_summed_up_right() {
        let intervals: Vec<_> = (0..9000i64)
            .map(|n| {
                let start = n * 7919 % (3 * 86_400);
                (start * SECOND - DAY, (start + n * 31 % 7000) * SECOND - DAY, 1 + n % 3)
            })
            .collect();
        // A naive sum over all cuts would take minutes: here it is one over all seconds.
        let mut levels = vec![0i64; 4 * 86_400];
        for (start, end, licenses) in &intervals {
            for second in start / SECOND + 86_400..end / SECOND + 86_400 {
                levels[second as usize] += licenses;
            }
        }
        let mut expected = BTreeMap::new();
        for level in levels.into_iter().filter(|level| *level != 0) {
            *expected.entry(level).or_default() += SECOND;
        }
        assert_eq!(swept(&intervals), expected);
    }
}
