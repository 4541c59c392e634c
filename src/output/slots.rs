//! Cells that are written once and copied from then on: those of a dictionary, and days.

use arrow::array::{Array as _, StringArray};
use chrono::Datelike as _;

use super::text::{BLOCK, Text};
use crate::time::Day;

/// A cell that is not written yet.
const NONE: Slot = Slot { start: 0, len: u32::MAX };

/// Where a cell stands.
#[derive(Debug, Clone, Copy)]
struct Slot {
    start: u32,
    len: u32,
}

/// Bytes with a block behind them, so that they can be copied quickly.
#[derive(Debug)]
pub(super) struct Padded {
    bytes: Vec<u8>,
    len: usize,
}

impl Padded {
    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.resize(len + BLOCK, 0);
        Self { bytes, len }
    }

    /// The bytes themselves.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline]
    pub(super) fn put(&self, text: &mut Text) {
        text.put(&self.bytes, 0, self.len);
    }
}

/// The cells of a dictionary: each is written when it is needed first.
#[derive(Debug)]
pub(super) struct Slots {
    /// Held, so that no other dictionary can take its place in memory.
    dictionary: StringArray,
    slots: Vec<Slot>,
    cells: Vec<u8>,
    /// How many bytes of cells are kept; those that do not fit are written anew each time.
    most: usize,
}

impl Slots {
    /// No cell of a dictionary yet.
    pub(super) fn new(dictionary: StringArray, most: usize) -> Self {
        Self {
            slots: vec![NONE; dictionary.len()],
            cells: vec![0; BLOCK],
            dictionary,
            most: most.min(u32::MAX as usize),
        }
    }

    /// Whether they are those of a dictionary: of this one in memory, not one that says the same.
    pub(super) fn are_of(&self, dictionary: &StringArray) -> bool {
        self.dictionary.len() == dictionary.len()
            && self.dictionary.offsets().ptr_eq(dictionary.offsets())
            && self.dictionary.values().ptr_eq(dictionary.values())
    }

    /// Writes the cell of a key; `write` says how its text is written.
    #[inline]
    pub(super) fn put(&mut self, key: usize, text: &mut Text, write: impl FnOnce(&str, &mut Vec<u8>)) {
        let slot = self.slots[key];
        if slot.len == NONE.len {
            self.put_new(key, text, write);
        } else {
            text.put(&self.cells, slot.start as usize, slot.len as usize);
        }
    }

    #[cold]
    fn put_new(&mut self, key: usize, text: &mut Text, write: impl FnOnce(&str, &mut Vec<u8>)) {
        let start = self.cells.len() - BLOCK;
        self.cells.truncate(start);
        write(self.dictionary.value(key), &mut self.cells);
        let end = self.cells.len();
        text.put_all(&self.cells[start..]);
        if end <= self.most {
            self.slots[key] = Slot {
                start: start as u32,
                len: (end - start) as u32,
            };
        } else {
            self.cells.truncate(start);
        }
        self.cells.resize(self.cells.len() + BLOCK, 0);
    }
}

/// How many days are remembered; neighbours never take each other's places.
const DAYS: usize = 64;

/// Days as they stand in a cell: what is before it, `YYYY-MM-DD`, and what is behind.
#[derive(Debug)]
pub(super) struct Days {
    known: Vec<i64>,
    cells: Vec<u8>,
    /// Where the day stands.
    date: usize,
    /// From one day to the next.
    step: usize,
}

/// No day: none that is written is so far away.
const NO_DAY: i64 = i64::MIN;

/// How long a day is: `YYYY-MM-DD`.
const DATE: usize = 10;

impl Days {
    /// No days yet, between these.
    pub(super) fn new(before: &[u8], behind: &[u8]) -> Self {
        let day = [before, &[b'0'; DATE], behind].concat();
        let mut cells = day.repeat(DAYS);
        cells.extend_from_slice(&[0; BLOCK]);
        Self {
            known: vec![NO_DAY; DAYS],
            cells,
            date: before.len(),
            step: day.len(),
        }
    }

    /// Writes a day and what stands around it, unless it is too far away for its year to have four digits.
    #[inline]
    pub(super) fn put(&mut self, day: i64, text: &mut Text) -> bool {
        let place = (day as usize) % DAYS;
        if self.known[place] != day && !self.learn(place, day) {
            return false;
        }
        text.put(&self.cells, place * self.step, self.step);
        true
    }

    #[cold]
    fn learn(&mut self, place: usize, day: i64) -> bool {
        let Ok(number) = i32::try_from(day) else { return false };
        let date = Day(number).date();
        // A day that the calendar does not know is not its own date.
        if Day::from(date) != Day(number) || !(0..10_000).contains(&date.year()) {
            return false;
        }
        let start = place * self.step + self.date;
        self.cells[start..start + DATE].copy_from_slice(Day(number).to_string().as_bytes());
        self.known[place] = day;
        true
    }
}
