//! Rows as text, for the formats that have a line or an object for each.
//!
//! ```text
//!   batch ─▶ Cells ─▶ a writer a column ─▶ row by row ─▶ Text
//!                        │ knows what stands before each of its cells, and the cells that come again
//!                        └ Memory: dictionaries and days, kept from batch to batch
//! ```
//!
//! What a cell says is decided in `cell`; here it only goes faster: a text of a dictionary is escaped once, a day is told once,
//! and a column knows its type before its first row.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use arrow::array::{BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::NullBuffer;

use super::cell::{Cell, CellColumn, Cells, Values};
use super::slots::{Days, Padded, Slots};
use super::text::{Text, clock};
use super::{EncodeError, Rows, cell, number};
use crate::report::Column;
use crate::time::{DAY, Granularity, HOUR, Micros, SECOND};

/// How a format spells rows.
pub(super) trait Spelling: Send + Sync + 'static {
    /// What stands for a null.
    const NULL: &'static [u8];
    /// What stands around a text, a date or a time that needs no more care.
    const QUOTE: &'static [u8];
    /// What stands for a row that has nothing in it.
    const NOTHING: &'static [u8];

    /// What stands before a row, but for the first one of all.
    fn before(&self) -> &'static [u8];

    /// What stands before the value of a column.
    fn lead(&self, place: usize, column: &Column) -> Vec<u8>;

    /// What stands behind a row.
    fn end(&self) -> &'static [u8];

    /// Whether a byte may stand in a text as it is.
    fn is_plain(byte: u8) -> bool;

    /// Whether a text that is plain may begin with this byte.
    fn may_begin(byte: u8) -> bool;

    /// Writes any text, with all that stands around it.
    fn write_text(text: &str, out: &mut Vec<u8>);

    /// Writes a number that comes as text.
    fn number(text: &str) -> &[u8];
}

/// Bytes of prewritten cells that a writer keeps, all its columns together.
const KEPT: usize = 16 * 1024 * 1024;
/// Dictionaries of a column that are kept: rows of several files come in turns.
const DICTIONARIES: usize = 2;
/// Bytes of a row, before any was seen.
const ROW: usize = 128;

/// Writes rows, on several threads at once if need be.
pub(super) struct Lines<S> {
    spelling: S,
    columns: Vec<Column>,
    leads: Vec<Padded>,
    /// The same, with a quote.
    quoted: Vec<Padded>,
    nulls: Vec<Padded>,
    booleans: Vec<[Padded; 2]>,
    /// What writers know that do not write now.
    idle: Mutex<Vec<Memory>>,
}

/// What a writer knows from the batches before.
struct Memory {
    columns: Vec<ColumnMemory>,
    /// For texts that need care.
    scratch: Vec<u8>,
    /// Bytes of a row.
    row: usize,
}

struct ColumnMemory {
    dictionaries: Vec<Slots>,
    days: Option<Days>,
}

impl<S: Spelling> Lines<S> {
    pub(super) fn new(columns: Vec<Column>, spelling: S) -> Self {
        let leads: Vec<Vec<u8>> = columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let before = if place == 0 { spelling.before() } else { &[] };
                [before, &spelling.lead(place, column)].concat()
            })
            .collect();
        let with = |value: &[u8]| leads.iter().map(|lead| Padded::new([lead, value].concat())).collect::<Vec<_>>();
        Self {
            nulls: with(S::NULL),
            quoted: with(S::QUOTE),
            booleans: with(b"false").into_iter().zip(with(b"true")).map(|(no, yes)| [no, yes]).collect(),
            leads: with(b""),
            spelling,
            columns,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Writes the rows of a batch.
    fn write(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::new(batch, &self.columns)?;
        let known = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = known.unwrap_or_else(|| Memory::of(self.columns.len()));
        self.write_cells(&cells, batch.num_rows(), &mut memory, out);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        Ok(())
    }

    fn write_cells(&self, cells: &Cells, rows: usize, memory: &mut Memory, out: &mut Vec<u8>) {
        let Memory {
            columns,
            scratch,
            row: width,
        } = memory;
        let before = out.len();
        // A sixteenth more than rows had so far: most often there is room for all of them.
        let mut text = Text::after(out, rows * (*width + *width / 16));
        let most = KEPT / (DICTIONARIES * columns.len().max(1));
        let mut writers = Vec::with_capacity(columns.len());
        for (place, (column, memory)) in cells.columns().iter().zip(columns).enumerate() {
            writers.push(Writer {
                nulls: column.nulls.as_ref(),
                null: &self.nulls[place],
                lead: &self.leads[place],
                quoted: &self.quoted[place],
                kind: self.kind(place, column, memory, most),
            });
        }
        let end = Padded::new(self.spelling.end().to_vec());
        for row in 0..rows {
            let start = text.len();
            for writer in &mut writers {
                writer.put::<S>(row, &mut text, scratch);
            }
            if text.len() == start {
                text.put_all(self.spelling.before());
                text.put_all(S::NOTHING);
            }
            end.put(&mut text);
        }
        if rows > 0 {
            *width = (text.len() - before).div_ceil(rows);
        }
        *out = text.done();
    }

    fn kind<'a>(&'a self, place: usize, column: &'a CellColumn, memory: &'a mut ColumnMemory, most: usize) -> Kind<'a> {
        let lead = self.quoted[place].bytes();
        match &column.values {
            Values::Text(values) => Kind::Text {
                values,
                plain: is_plain::<S>(shown(values)),
            },
            Values::Dictionary { keys, texts } => Kind::Dictionary {
                keys,
                slots: memory.slots_of(texts, most),
            },
            Values::Integer(values) => Kind::Integer(values),
            Values::Float(values) => Kind::Float(values),
            Values::Number(values) => Kind::Number(values),
            Values::Boolean(values) => Kind::Boolean(values, &self.booleans[place]),
            Values::Date(values) => Kind::Date(values.values(), memory.days(lead, S::QUOTE)),
            Values::DateTime(values) => Kind::DateTime(values, memory.days(lead, b" ")),
            Values::Timestamp(values) => Kind::Timestamp(values, memory.days(lead, b" ")),
            Values::Instant(locals, instants) => Kind::Instant(locals, instants, memory.days(lead, b" ")),
            Values::Period(Granularity::Hour, values) => Kind::Hour(values.values(), memory.days(lead, b" ")),
            Values::Period(granularity, values) => Kind::Period {
                granularity: *granularity,
                values: values.values(),
                last: None,
            },
        }
    }
}

impl<S: Spelling> Rows for Lines<S> {
    fn rows(&self, batch: &RecordBatch, first: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        self.write(batch, out)?;
        if first && out.len() > start {
            out.drain(start..start + self.spelling.before().len());
        }
        Ok(())
    }
}

impl Memory {
    fn of(columns: usize) -> Self {
        let nothing = || ColumnMemory {
            dictionaries: Vec::new(),
            days: None,
        };
        Self {
            columns: std::iter::repeat_with(nothing).take(columns).collect(),
            scratch: Vec::new(),
            row: ROW,
        }
    }
}

impl ColumnMemory {
    /// The cells of a dictionary, as far as they are known.
    fn slots_of(&mut self, dictionary: &StringArray, most: usize) -> &mut Slots {
        let known = self.dictionaries.iter().position(|slots| slots.are_of(dictionary));
        // The last ones used are the first ones.
        match known {
            Some(place) => self.dictionaries[..=place].rotate_right(1),
            None => {
                self.dictionaries.truncate(DICTIONARIES - 1);
                self.dictionaries.insert(0, Slots::new(dictionary.clone(), most));
            }
        }
        &mut self.dictionaries[0]
    }

    fn days(&mut self, before: &[u8], behind: &[u8]) -> &mut Days {
        self.days.get_or_insert_with(|| Days::new(before, behind))
    }
}

/// Writes the cells of a column of a batch.
struct Writer<'a> {
    nulls: Option<&'a NullBuffer>,
    null: &'a Padded,
    lead: &'a Padded,
    quoted: &'a Padded,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Text {
        values: &'a StringArray,
        plain: bool,
    },
    Dictionary {
        keys: &'a Int32Array,
        slots: &'a mut Slots,
    },
    Integer(&'a Int64Array),
    Float(&'a Float64Array),
    Number(&'a StringArray),
    Boolean(&'a BooleanArray, &'a [Padded; 2]),
    Date(&'a [i32], &'a mut Days),
    DateTime(&'a [Micros], &'a mut Days),
    Timestamp(&'a [Micros], &'a mut Days),
    Instant(&'a [Micros], &'a [Micros], &'a mut Days),
    Hour(&'a [Micros], &'a mut Days),
    Period {
        granularity: Granularity,
        values: &'a [Micros],
        /// The last period, and how it is told.
        last: Option<(Micros, Padded)>,
    },
}

impl Writer<'_> {
    #[inline]
    fn put<S: Spelling>(&mut self, row: usize, text: &mut Text, scratch: &mut Vec<u8>) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return self.null.put(text);
        }
        let lead = self.lead;
        match &mut self.kind {
            Kind::Dictionary { keys, slots } => {
                let write = |value: &str, out: &mut Vec<u8>| {
                    out.extend_from_slice(lead.bytes());
                    S::write_text(value, out);
                };
                slots.put(keys.value(row) as usize, text, write);
            }
            Kind::Text { values, plain } => {
                let offsets = values.value_offsets();
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                let value = &values.value_data()[start..end];
                let begins = value.first().is_none_or(|byte| S::may_begin(*byte));
                if begins && (*plain || is_plain::<S>(value)) {
                    self.quoted.put(text);
                    text.put(values.value_data(), start, end - start);
                    text.put_all(S::QUOTE);
                } else {
                    lead.put(text);
                    scratch.clear();
                    S::write_text(values.value(row), scratch);
                    text.put_all(scratch);
                }
            }
            Kind::Integer(values) => {
                lead.put(text);
                text.put_integer(values.value(row));
            }
            Kind::Float(values) => {
                let value = values.value(row);
                if value.is_finite() {
                    lead.put(text);
                    number::put(value, text);
                } else {
                    self.null.put(text);
                }
            }
            Kind::Number(values) => {
                lead.put(text);
                text.put_all(S::number(values.value(row)));
            }
            Kind::Boolean(values, cells) => cells[usize::from(values.value(row))].put(text),
            Kind::Date(values, days) => {
                let day = values[row];
                if !days.put(i64::from(day), text) {
                    self.put_slowly::<S>(Cell::Date(crate::time::Day(day)), text, scratch);
                }
            }
            Kind::DateTime(values, days) => {
                let at = values[row];
                if !put_time::<S>(at, days, text) {
                    self.put_slowly::<S>(Cell::DateTime(at), text, scratch);
                }
            }
            Kind::Timestamp(values, days) => {
                let at = values[row];
                if at.rem_euclid(SECOND) != 0 || !put_time::<S>(at, days, text) {
                    self.put_slowly::<S>(Cell::Timestamp(at), text, scratch);
                }
            }
            Kind::Instant(locals, instants, days) => {
                let (local, ahead) = (locals[row], locals[row] - instants[row]);
                if local.rem_euclid(SECOND) != 0 || !put_instant::<S>(local, ahead, days, text) {
                    self.put_slowly::<S>(Cell::Instant(local, ahead), text, scratch);
                }
            }
            Kind::Hour(values, days) => {
                let start = values[row];
                if !put_hour::<S>(start, days, text) {
                    self.put_slowly::<S>(Cell::Period(Granularity::Hour, start), text, scratch);
                }
            }
            Kind::Period { granularity, values, last } => {
                let start = values[row];
                if last.as_ref().is_none_or(|(known, _)| *known != start) {
                    let cell = [self.quoted.bytes(), granularity.label(start).as_bytes(), S::QUOTE].concat();
                    *last = Some((start, Padded::new(cell)));
                }
                if let Some((_, cell)) = last {
                    cell.put(text);
                }
            }
        }
    }

    /// Writes a date or a time as it is always written: nothing in it needs care.
    #[cold]
    fn put_slowly<S: Spelling>(&self, cell: Cell<'_>, text: &mut Text, scratch: &mut Vec<u8>) {
        scratch.clear();
        cell.write_text(scratch);
        self.quoted.put(text);
        text.put_all(scratch);
        text.put_all(S::QUOTE);
    }
}

/// The bytes of all values, one after the other.
fn shown(values: &StringArray) -> &[u8] {
    let offsets = values.value_offsets();
    let bound = |offset: Option<&i32>| offset.map_or(0, |offset| *offset as usize);
    &values.value_data()[bound(offsets.first())..bound(offsets.last())]
}

/// Whether bytes may stand in a text as they are. All are looked at, many at once: most often they may.
fn is_plain<S: Spelling>(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & S::is_plain(*byte))
}

/// Writes a wall-clock time to the second, unless it is too far away.
#[inline]
fn put_time<S: Spelling>(at: Micros, days: &mut Days, text: &mut Text) -> bool {
    put_clock::<S, { "hh:mm:ss".len() }>(at, days, text)
}

/// Writes a wall-clock time to the second and how far its clock is ahead of UTC, unless it is too far away.
#[inline]
fn put_instant<S: Spelling>(local: Micros, ahead: Micros, days: &mut Days, text: &mut Text) -> bool {
    let (day, rest) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    if !days.put(day, text) {
        return false;
    }
    let (clock, offset) = (clock((rest / SECOND) as u32), cell::offset(ahead));
    let mut written = [0; 15];
    written[..8].copy_from_slice(&clock);
    written[8..14].copy_from_slice(&offset);
    written[14] = S::QUOTE.first().copied().unwrap_or_default();
    text.put_first(written, 14 + S::QUOTE.len());
    true
}

/// Writes a wall-clock hour, unless it is too far away.
#[inline]
fn put_hour<S: Spelling>(start: Micros, days: &mut Days, text: &mut Text) -> bool {
    put_clock::<S, { "hh:mm".len() }>(start - start.rem_euclid(HOUR), days, text)
}

/// Writes a day and so many characters of a clock.
#[inline]
fn put_clock<S: Spelling, const LENGTH: usize>(at: Micros, days: &mut Days, text: &mut Text) -> bool {
    let (day, rest) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    if !days.put(day, text) {
        return false;
    }
    let [a, b, c, d, e, f, g, h] = clock((rest / SECOND) as u32);
    let mut written = [a, b, c, d, e, f, g, h, 0];
    written[LENGTH] = S::QUOTE.first().copied().unwrap_or_default();
    text.put_first(written, LENGTH + S::QUOTE.len());
    true
}
