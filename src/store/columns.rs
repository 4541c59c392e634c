//! Rows to Arrow columns and back.
//!
//! Columns are built in the order of [`Table::schema`]; an empty text is a null. Dictionaries hold texts in the order in
//! which the rows first use them, so that equal rows make equal bytes.

mod rollups;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{ArrowNativeType, Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

pub(crate) use self::rollups::{host_peaks, levels, user_days};
use super::rows::{DenialRow, EventRow, EventRows, NEVER, NO_NUMBER, OpenRow, SessionRow};
use super::strings::Strings;
use crate::event::{Kind, Table};
use crate::time::Micros;

/// A batch of events, in the order of the rows.
pub(crate) fn events(rows: &[EventRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    let mut kinds = Strings::new();
    let names = Kind::ALL.map(|kind| kinds.intern(kind.name()));
    let mut columns = EventColumns::with_capacity(rows.len());
    for block in rows.chunks(BLOCK) {
        columns.at.extend(block.iter().map(|row| row.at));
        columns.kind.extend(block.iter().map(|row| names[row.kind as usize]));
        columns.server.extend(block.iter().map(|row| row.server));
        columns
            .feature
            .extend(block.iter().map(|row| if row.feature == 0 { NO_NUMBER } else { row.feature }));
        columns.user.extend(block.iter().map(|row| row.user));
        columns.host.extend(block.iter().map(|row| row.host));
        columns.display.extend(block.iter().map(|row| row.display));
        columns.group.extend(block.iter().map(|row| row.group));
        columns.licenses.extend(block.iter().map(|row| row.licenses));
        columns.handle.extend(block.iter().map(|row| row.handle));
        columns.reason_code.extend(block.iter().map(|row| row.reason_code));
        columns.reason.extend(block.iter().map(|row| row.reason));
        columns.project.extend(block.iter().map(|row| row.project));
        columns.ended.extend(block.iter().map(|row| row.ended));
        columns.borrow_until.extend(block.iter().map(|row| row.borrow_until));
        columns.expires.extend(block.iter().map(|row| row.expires));
        columns.source.extend(block.iter().map(|row| row.source));
        columns.line.extend(block.iter().map(|row| row.line));
    }
    RecordBatch::try_new(
        Table::Events.schema(),
        vec![
            instants(columns.at),
            texts(columns.kind, &kinds),
            integers(columns.server),
            integers(columns.feature),
            texts(columns.user, strings),
            texts(columns.host, strings),
            texts(columns.display, strings),
            texts(columns.group, strings),
            integers(columns.licenses),
            plain_texts(&columns.handle, strings),
            integers(columns.reason_code),
            texts(columns.reason, strings),
            texts(columns.project, strings),
            instants(columns.ended),
            instants(columns.borrow_until),
            Arc::new(nullable::<Date32Type>(columns.expires, NO_NUMBER)),
            texts(columns.source, strings),
            Arc::new(Int64Array::from(columns.line)),
        ],
    )
}

/// So many events stay near while each of their columns is taken out of them.
const BLOCK: usize = 256;

/// The columns of events; texts as numbers.
struct EventColumns {
    at: Vec<Micros>,
    kind: Vec<u32>,
    server: Vec<i32>,
    feature: Vec<i32>,
    user: Vec<u32>,
    host: Vec<u32>,
    display: Vec<u32>,
    group: Vec<u32>,
    licenses: Vec<i32>,
    handle: Vec<u32>,
    reason_code: Vec<i32>,
    reason: Vec<u32>,
    project: Vec<u32>,
    ended: Vec<Micros>,
    borrow_until: Vec<Micros>,
    expires: Vec<i32>,
    source: Vec<u32>,
    line: Vec<i64>,
}

impl EventColumns {
    fn with_capacity(rows: usize) -> Self {
        Self {
            at: Vec::with_capacity(rows),
            kind: Vec::with_capacity(rows),
            server: Vec::with_capacity(rows),
            feature: Vec::with_capacity(rows),
            user: Vec::with_capacity(rows),
            host: Vec::with_capacity(rows),
            display: Vec::with_capacity(rows),
            group: Vec::with_capacity(rows),
            licenses: Vec::with_capacity(rows),
            handle: Vec::with_capacity(rows),
            reason_code: Vec::with_capacity(rows),
            reason: Vec::with_capacity(rows),
            project: Vec::with_capacity(rows),
            ended: Vec::with_capacity(rows),
            borrow_until: Vec::with_capacity(rows),
            expires: Vec::with_capacity(rows),
            source: Vec::with_capacity(rows),
            line: Vec::with_capacity(rows),
        }
    }
}

/// A batch of sessions, in the order of the rows.
pub(crate) fn sessions(rows: &[SessionRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::Sessions.schema(),
        vec![
            instants(gather(rows, |row| row.started)),
            instants(gather(rows, |row| row.ended)),
            instants(gather(rows, |row| row.session_started)),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.continues)))),
            integers(gather(rows, |row| row.server)),
            integers(gather(rows, |row| row.feature)),
            texts(gather(rows, |row| row.user), strings),
            texts(gather(rows, |row| row.host), strings),
            integers(gather(rows, |row| row.licenses)),
        ],
    )
}

/// A batch of denials, in the order of the rows.
pub(crate) fn denials(rows: &[DenialRow], strings: &Strings, granted_by: &Strings) -> Result<RecordBatch, ArrowError> {
    let mut classes = Strings::new();
    let numbers: Vec<u32> = rows.iter().map(|row| classes.intern(row.class.name())).collect();
    RecordBatch::try_new(
        Table::Denials.schema(),
        vec![
            instants(gather(rows, |row| row.at)),
            integers(gather(rows, |row| row.server)),
            integers(gather(rows, |row| row.feature)),
            texts(gather(rows, |row| row.user), strings),
            texts(gather(rows, |row| row.host), strings),
            integers(gather(rows, |row| row.licenses)),
            texts(numbers, &classes),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.is_true)))),
            integers(gather(rows, |row| row.reason_code)),
            texts(gather(rows, |row| row.reason), strings),
            texts(gather(rows, |row| row.granted_by), granted_by),
        ],
    )
}

/// A batch of open sessions, in the order of the rows.
pub(crate) fn open(rows: &[OpenRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::Open.schema(),
        vec![
            instants(gather(rows, |row| row.started)),
            instants(gather(rows, |row| row.ended)),
            integers(gather(rows, |row| row.server)),
            integers(gather(rows, |row| row.feature)),
            texts(gather(rows, |row| row.user), strings),
            texts(gather(rows, |row| row.host), strings),
            texts(gather(rows, |row| row.display), strings),
            texts(gather(rows, |row| row.group), strings),
            integers(gather(rows, |row| row.licenses)),
            plain_texts(&gather(rows, |row| row.handle), strings),
        ],
    )
}

/// The columns of events that anything is derived from.
pub(crate) const DERIVED_FROM: [&str; 13] = [
    "at",
    "event",
    "server_id",
    "feature_id",
    "user_name",
    "host",
    "display",
    "group_data",
    "licenses",
    "handle",
    "reason_code",
    "reason",
    "ended",
];

/// Adds the events of a batch to rows in memory. Columns that nothing is derived from may be left out.
pub(crate) fn read_events(batch: &RecordBatch, into: &mut EventRows) -> Result<(), ArrowError> {
    let EventRows { rows, strings } = into;
    let kinds = kinds(batch)?;
    let at = Numbers::of::<TimestampMicrosecondType>(batch, "at", NEVER)?;
    let ended = Numbers::of::<TimestampMicrosecondType>(batch, "ended", NEVER)?;
    let borrow_until = Numbers::perhaps::<TimestampMicrosecondType>(batch, "borrow_until", NEVER)?;
    let line = Numbers::perhaps::<Int64Type>(batch, "line", 0)?;
    let server = Numbers::of::<Int32Type>(batch, "server_id", 0)?;
    let feature = Numbers::of::<Int32Type>(batch, "feature_id", 0)?;
    let licenses = Numbers::of::<Int32Type>(batch, "licenses", 0)?;
    let reason_code = Numbers::of::<Int32Type>(batch, "reason_code", NO_NUMBER)?;
    let expires = Numbers::perhaps::<Date32Type>(batch, "expires", NO_NUMBER)?;
    let user = Texts::of(batch, "user_name", strings)?;
    let host = Texts::of(batch, "host", strings)?;
    let display = Texts::of(batch, "display", strings)?;
    let group = Texts::of(batch, "group_data", strings)?;
    let handle = Texts::of(batch, "handle", strings)?;
    let reason = Texts::of(batch, "reason", strings)?;
    let project = Texts::perhaps(batch, "project", strings)?;
    let source = Texts::perhaps(batch, "source", strings)?;
    rows.reserve(batch.num_rows());
    for (row, kind) in kinds.into_iter().enumerate() {
        rows.push(EventRow {
            at: at.get(row),
            ended: ended.get(row),
            borrow_until: borrow_until.get(row),
            line: line.get(row),
            server: server.get(row),
            feature: feature.get(row),
            user: user.get(row),
            host: host.get(row),
            display: display.get(row),
            group: group.get(row),
            handle: handle.get(row),
            reason: reason.get(row),
            project: project.get(row),
            source: source.get(row),
            licenses: licenses.get(row),
            reason_code: reason_code.get(row),
            expires: expires.get(row),
            kind,
        });
    }
    Ok(())
}

fn kinds(batch: &RecordBatch) -> Result<Vec<Kind>, ArrowError> {
    let mut names = Strings::new();
    let numbers = Texts::of(batch, "event", &mut names)?;
    let kinds: Vec<Option<Kind>> = (0..names.len()).map(|number| Kind::from_name(names.get(number as u32))).collect();
    let kind = |row| {
        let number = numbers.get(row);
        kinds[number as usize].ok_or_else(|| ArrowError::ParseError(format!("unknown kind of event {:?}", names.get(number))))
    };
    (0..batch.num_rows()).map(kind).collect()
}

/// The open sessions of a batch, their texts among `strings`.
pub(crate) fn read_open(batch: &RecordBatch, strings: &mut Strings) -> Result<Vec<OpenRow>, ArrowError> {
    let started = column::<TimestampMicrosecondArray>(batch, "started")?;
    let ended = Numbers::of::<TimestampMicrosecondType>(batch, "ended", NEVER)?;
    let server = column::<Int32Array>(batch, "server_id")?;
    let feature = column::<Int32Array>(batch, "feature_id")?;
    let licenses = column::<Int32Array>(batch, "licenses")?;
    let user = Texts::of(batch, "user_name", strings)?;
    let host = Texts::of(batch, "host", strings)?;
    let display = Texts::of(batch, "display", strings)?;
    let group = Texts::of(batch, "group_data", strings)?;
    let handle = Texts::of(batch, "handle", strings)?;
    Ok((0..batch.num_rows())
        .map(|row| OpenRow {
            started: started.value(row),
            ended: ended.get(row),
            server: server.value(row),
            feature: feature.value(row),
            user: user.get(row),
            host: host.get(row),
            display: display.get(row),
            group: group.get(row),
            licenses: licenses.value(row),
            handle: handle.get(row),
        })
        .collect())
}

/// One value of each row.
fn gather<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn instants(values: Vec<Micros>) -> ArrayRef {
    Arc::new(nullable::<TimestampMicrosecondType>(values, NEVER).with_timezone("UTC"))
}

fn integers(values: Vec<i32>) -> ArrayRef {
    Arc::new(nullable::<Int32Type>(values, NO_NUMBER))
}

/// A column in which one number stands for null. Most columns have no null, or nothing else.
fn nullable<T: ArrowPrimitiveType>(mut values: Vec<T::Native>, null: T::Native) -> PrimitiveArray<T> {
    let nulls = values.iter().filter(|value| **value == null).count();
    if nulls == 0 {
        return PrimitiveArray::new(values.into(), None);
    }
    if nulls == values.len() {
        return PrimitiveArray::new_null(nulls);
    }
    let valid = BooleanBuffer::collect_bool(values.len(), |row| values[row] != null);
    for value in &mut values {
        if *value == null {
            *value = T::Native::default();
        }
    }
    PrimitiveArray::new(values.into(), Some(NullBuffer::new(valid)))
}

fn texts(numbers: Vec<u32>, strings: &Strings) -> ArrayRef {
    let mut values = StringBuilder::new();
    if numbers.iter().all(|number| *number == 0) {
        let keys = Int32Array::new_null(numbers.len());
        return Arc::new(DictionaryArray::new(keys, Arc::new(values.finish())));
    }
    // Handles come after all other texts, and there are many of them.
    let most = numbers.iter().copied().max().unwrap_or_default();
    let mut keys_of = vec![NO_KEY; most as usize + 1];
    let mut used = 0;
    let key = |number: u32| {
        if number == 0 {
            return NO_KEY;
        }
        let key = &mut keys_of[number as usize];
        if *key == NO_KEY {
            values.append_value(strings.get(number));
            *key = used;
            used += 1;
        }
        *key
    };
    let keys = nullable::<Int32Type>(numbers.into_iter().map(key).collect(), NO_KEY);
    // Every key was handed out above, so none lies past the values.
    Arc::new(DictionaryArray::new(keys, Arc::new(values.finish())))
}

fn plain_texts(numbers: &[u32], strings: &Strings) -> ArrayRef {
    if numbers.iter().all(|number| *number == 0) {
        return Arc::new(StringArray::new_null(numbers.len()));
    }
    Arc::new(
        numbers
            .iter()
            .map(|number| (*number != 0).then(|| strings.get(*number)))
            .collect::<StringArray>(),
    )
}

/// The column of a name and type.
pub(super) fn column<'a, A: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A, ArrowError> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref())
        .ok_or_else(|| ArrowError::SchemaError(format!("column {name} is missing or of another type")))
}

/// A column of numbers; what is not there is a number that no row has.
enum Numbers<'a, T> {
    All(T),
    Plain(&'a [T]),
    Nullable(&'a [T], &'a NullBuffer, T),
}

impl<'a, T: ArrowNativeType> Numbers<'a, T> {
    fn of<A: ArrowPrimitiveType<Native = T>>(batch: &'a RecordBatch, name: &str, missing: T) -> Result<Self, ArrowError> {
        let column = column::<PrimitiveArray<A>>(batch, name)?;
        Ok(match column.nulls() {
            Some(nulls) if nulls.null_count() == nulls.len() => Self::All(missing),
            Some(nulls) if nulls.null_count() > 0 => Self::Nullable(column.values(), nulls, missing),
            _ => Self::Plain(column.values()),
        })
    }

    fn perhaps<A: ArrowPrimitiveType<Native = T>>(batch: &'a RecordBatch, name: &str, missing: T) -> Result<Self, ArrowError> {
        if batch.schema_ref().index_of(name).is_ok() {
            Self::of::<A>(batch, name, missing)
        } else {
            Ok(Self::All(missing))
        }
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        match self {
            Self::All(value) => *value,
            Self::Plain(values) => values[row],
            Self::Nullable(_, nulls, missing) if nulls.is_null(row) => *missing,
            Self::Nullable(values, ..) => values[row],
        }
    }
}

/// A column of texts as numbers.
enum Texts<'a> {
    Nothing,
    Dictionary { keys: Numbers<'a, i32>, numbers: Vec<u32> },
    Plain { numbers: Vec<u32> },
}

/// The key of a text that is not there.
const NO_KEY: i32 = -1;

impl<'a> Texts<'a> {
    fn of(batch: &'a RecordBatch, name: &str, strings: &mut Strings) -> Result<Self, ArrowError> {
        if let Ok(plain) = column::<StringArray>(batch, name) {
            if plain.null_count() == plain.len() {
                return Ok(Self::Nothing);
            }
            let numbers = plain.iter().map(|text| strings.intern(text.unwrap_or_default())).collect();
            return Ok(Self::Plain { numbers });
        }
        let dictionary = column::<DictionaryArray<Int32Type>>(batch, name)?;
        let values = dictionary
            .values()
            .as_any()
            .downcast_ref::<StringArray>()
            .ok_or_else(|| ArrowError::SchemaError(format!("column {name} is no text")))?;
        let keys = dictionary.keys();
        let numbers = values.iter().map(|text| strings.intern(text.unwrap_or_default())).collect();
        Ok(match keys.nulls() {
            Some(nulls) if nulls.null_count() == nulls.len() => Self::Nothing,
            Some(nulls) if nulls.null_count() > 0 => Self::Dictionary {
                keys: Numbers::Nullable(keys.values(), nulls, NO_KEY),
                numbers,
            },
            _ => Self::Dictionary {
                keys: Numbers::Plain(keys.values()),
                numbers,
            },
        })
    }

    fn perhaps(batch: &'a RecordBatch, name: &str, strings: &mut Strings) -> Result<Self, ArrowError> {
        if batch.schema_ref().index_of(name).is_ok() {
            Self::of(batch, name, strings)
        } else {
            Ok(Self::Nothing)
        }
    }

    #[inline]
    fn get(&self, row: usize) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Dictionary { keys, numbers } => numbers.get(keys.get(row) as usize).copied().unwrap_or_default(),
            Self::Plain { numbers } => numbers[row],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arrivals::Arrivals;
    use super::*;
    use crate::event::Event;
    use crate::time::Day;

    #[test]
    fn events_survive_the_round_trip() {
        let mut rows = Arrivals::with_capacity(2);
        let full = Event {
            user: "alice",
            host: "h1",
            display: ":0",
            group_data: "G",
            licenses: 3,
            handle: "2f",
            reason_code: Some(-4),
            reason: "no",
            project: "p",
            ended: Some(9),
            borrow_until: Some(10),
            expires: Some(Day(11)),
            line: 12,
            ..Event::new(Kind::Session, 5)
        };
        rows.push(&full, 1, 2);
        rows.push(&Event::new(Kind::ServerUp, -7), 1, 0);
        let rows = rows.settle("a.log");
        let batch = events(&rows.rows, &rows.strings).unwrap();
        let mut read = EventRows::new();
        read_events(&batch, &mut read).unwrap();
        assert_eq!(read.rows.len(), 2);
        assert_eq!(events(&read.rows, &read.strings).unwrap(), batch);
        assert!(batch.column(3).is_null(1), "a server event has no feature");
    }
}
