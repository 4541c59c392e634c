//! Rows to Arrow columns and back.
//!
//! Columns are built in the order of [`Table::schema`]; an empty text is a null. Dictionaries hold texts in the order in
//! which the rows first use them, so that equal rows make equal bytes.

mod rollups;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

pub(crate) use self::rollups::{host_peaks, levels, user_days};
use super::rows::{DenialRow, EventRow, EventRows, NEVER, NO_NUMBER, OpenRow, SessionRow};
use super::strings::Strings;
use crate::event::{Kind, Table};
use crate::time::Micros;

/// A batch of events, in the order of the rows.
pub(crate) fn events(rows: &[EventRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    let text = |number: fn(&EventRow) -> u32| texts(rows.iter().map(number), strings);
    let mut kinds = Strings::new();
    let numbers: Vec<u32> = rows.iter().map(|row| kinds.intern(row.kind.name())).collect();
    RecordBatch::try_new(
        Table::Events.schema(),
        vec![
            instants(rows.iter().map(|row| row.at)),
            texts(numbers.into_iter(), &kinds),
            integers(rows.iter().map(|row| row.server)),
            integers(rows.iter().map(|row| if row.feature == 0 { NO_NUMBER } else { row.feature })),
            text(|row| row.user),
            text(|row| row.host),
            text(|row| row.display),
            text(|row| row.group),
            integers(rows.iter().map(|row| row.licenses)),
            plain_texts(rows.iter().map(|row| row.handle), strings),
            integers(rows.iter().map(|row| row.reason_code)),
            text(|row| row.reason),
            text(|row| row.project),
            instants(rows.iter().map(|row| row.ended)),
            instants(rows.iter().map(|row| row.borrow_until)),
            Arc::new(rows.iter().map(|row| known(row.expires)).collect::<Date32Array>()),
            text(|row| row.source),
            Arc::new(rows.iter().map(|row| row.line).collect::<Int64Array>()),
        ],
    )
}

/// A batch of sessions, in the order of the rows.
pub(crate) fn sessions(rows: &[SessionRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(
        Table::Sessions.schema(),
        vec![
            instants(rows.iter().map(|row| row.started)),
            instants(rows.iter().map(|row| row.ended)),
            instants(rows.iter().map(|row| row.session_started)),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.continues)))),
            integers(rows.iter().map(|row| row.server)),
            integers(rows.iter().map(|row| row.feature)),
            texts(rows.iter().map(|row| row.user), strings),
            texts(rows.iter().map(|row| row.host), strings),
            integers(rows.iter().map(|row| row.licenses)),
        ],
    )
}

/// A batch of denials, in the order of the rows.
pub(crate) fn denials(rows: &[DenialRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    let mut classes = Strings::new();
    let numbers: Vec<u32> = rows.iter().map(|row| classes.intern(row.class.name())).collect();
    RecordBatch::try_new(
        Table::Denials.schema(),
        vec![
            instants(rows.iter().map(|row| row.at)),
            integers(rows.iter().map(|row| row.server)),
            integers(rows.iter().map(|row| row.feature)),
            texts(rows.iter().map(|row| row.user), strings),
            texts(rows.iter().map(|row| row.host), strings),
            integers(rows.iter().map(|row| row.licenses)),
            texts(numbers.into_iter(), &classes),
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.is_true)))),
        ],
    )
}

/// A batch of open sessions, in the order of the rows.
pub(crate) fn open(rows: &[OpenRow], strings: &Strings) -> Result<RecordBatch, ArrowError> {
    let text = |number: fn(&OpenRow) -> u32| texts(rows.iter().map(number), strings);
    RecordBatch::try_new(
        Table::Open.schema(),
        vec![
            instants(rows.iter().map(|row| row.started)),
            instants(rows.iter().map(|row| row.ended)),
            integers(rows.iter().map(|row| row.server)),
            integers(rows.iter().map(|row| row.feature)),
            text(|row| row.user),
            text(|row| row.host),
            text(|row| row.display),
            text(|row| row.group),
            integers(rows.iter().map(|row| row.licenses)),
            plain_texts(rows.iter().map(|row| row.handle), strings),
        ],
    )
}

/// Adds the events of a batch to rows in memory.
pub(crate) fn read_events(batch: &RecordBatch, into: &mut EventRows) -> Result<(), ArrowError> {
    let EventRows { rows, strings } = into;
    let kinds = Texts::of(batch, "event", strings)?;
    let kinds: Vec<Kind> = (0..batch.num_rows())
        .map(|row| {
            let name = strings.get(kinds.get(row));
            Kind::from_name(name).ok_or_else(|| ArrowError::ParseError(format!("unknown kind of event {name:?}")))
        })
        .collect::<Result<_, _>>()?;
    let at = column::<TimestampMicrosecondArray>(batch, "at")?;
    let ended = column::<TimestampMicrosecondArray>(batch, "ended")?;
    let borrow_until = column::<TimestampMicrosecondArray>(batch, "borrow_until")?;
    let line = column::<Int64Array>(batch, "line")?;
    let server = column::<Int32Array>(batch, "server_id")?;
    let feature = column::<Int32Array>(batch, "feature_id")?;
    let licenses = column::<Int32Array>(batch, "licenses")?;
    let reason_code = column::<Int32Array>(batch, "reason_code")?;
    let expires = column::<Date32Array>(batch, "expires")?;
    let user = Texts::of(batch, "user_name", strings)?;
    let host = Texts::of(batch, "host", strings)?;
    let display = Texts::of(batch, "display", strings)?;
    let group = Texts::of(batch, "group_data", strings)?;
    let handle = Texts::of(batch, "handle", strings)?;
    let reason = Texts::of(batch, "reason", strings)?;
    let project = Texts::of(batch, "project", strings)?;
    let source = Texts::of(batch, "source", strings)?;
    rows.reserve(batch.num_rows());
    for (row, kind) in kinds.into_iter().enumerate() {
        rows.push(EventRow {
            at: at.value(row),
            ended: instant_or_never(ended, row),
            borrow_until: instant_or_never(borrow_until, row),
            line: line.value(row),
            server: server.value(row),
            feature: if feature.is_null(row) { 0 } else { feature.value(row) },
            user: user.get(row),
            host: host.get(row),
            display: display.get(row),
            group: group.get(row),
            handle: handle.get(row),
            reason: reason.get(row),
            project: project.get(row),
            source: source.get(row),
            licenses: licenses.value(row),
            reason_code: if reason_code.is_null(row) {
                NO_NUMBER
            } else {
                reason_code.value(row)
            },
            expires: if expires.is_null(row) { NO_NUMBER } else { expires.value(row) },
            kind,
        });
    }
    Ok(())
}

/// The open sessions of a batch, their texts among `strings`.
pub(crate) fn read_open(batch: &RecordBatch, strings: &mut Strings) -> Result<Vec<OpenRow>, ArrowError> {
    let started = column::<TimestampMicrosecondArray>(batch, "started")?;
    let ended = column::<TimestampMicrosecondArray>(batch, "ended")?;
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
            ended: instant_or_never(ended, row),
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

fn instants(values: impl Iterator<Item = Micros>) -> ArrayRef {
    let values = values.map(|at| (at != NEVER).then_some(at));
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn integers(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(values.map(known).collect::<Int32Array>())
}

fn known(value: i32) -> Option<i32> {
    (value != NO_NUMBER).then_some(value)
}

fn instant_or_never(column: &TimestampMicrosecondArray, row: usize) -> Micros {
    if column.is_null(row) { NEVER } else { column.value(row) }
}

fn texts(numbers: impl Iterator<Item = u32>, strings: &Strings) -> ArrayRef {
    const UNSEEN: i32 = -1;
    let mut keys_of = vec![UNSEEN; strings.len()];
    let mut values = StringBuilder::new();
    let mut used = 0;
    let keys: Int32Array = numbers
        .map(|number| {
            if number == 0 {
                return None;
            }
            let key = &mut keys_of[number as usize];
            if *key == UNSEEN {
                values.append_value(strings.get(number));
                *key = used;
                used += 1;
            }
            Some(*key)
        })
        .collect();
    // Every key was handed out above, so none lies past the values.
    Arc::new(DictionaryArray::new(keys, Arc::new(values.finish())))
}

fn plain_texts(numbers: impl Iterator<Item = u32>, strings: &Strings) -> ArrayRef {
    Arc::new(
        numbers
            .map(|number| (number != 0).then(|| strings.get(number)))
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

/// A column of texts as numbers.
enum Texts<'a> {
    Dictionary { keys: &'a Int32Array, numbers: Vec<u32> },
    Plain { numbers: Vec<u32> },
}

impl<'a> Texts<'a> {
    fn of(batch: &'a RecordBatch, name: &str, strings: &mut Strings) -> Result<Self, ArrowError> {
        if let Ok(plain) = column::<StringArray>(batch, name) {
            let numbers = plain.iter().map(|text| strings.intern(text.unwrap_or_default())).collect();
            return Ok(Self::Plain { numbers });
        }
        let dictionary = column::<DictionaryArray<Int32Type>>(batch, name)?;
        let values = dictionary
            .values()
            .as_any()
            .downcast_ref::<StringArray>()
            .ok_or_else(|| ArrowError::SchemaError(format!("column {name} is no text")))?;
        let numbers = values.iter().map(|text| strings.intern(text.unwrap_or_default())).collect();
        Ok(Self::Dictionary {
            keys: dictionary.keys(),
            numbers,
        })
    }

    fn get(&self, row: usize) -> u32 {
        match self {
            Self::Dictionary { keys, .. } if keys.is_null(row) => 0,
            Self::Dictionary { keys, numbers } => numbers[keys.value(row) as usize],
            Self::Plain { numbers } => numbers[row],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::time::Day;

    #[test]
    fn events_survive_the_round_trip() {
        let mut rows = EventRows::new();
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
        rows.push(&full, 1, 2, "a.log");
        rows.push(&Event::new(Kind::ServerUp, -7), 1, 0, "a.log");
        let batch = events(&rows.rows, &rows.strings).unwrap();
        let mut read = EventRows::new();
        read_events(&batch, &mut read).unwrap();
        assert_eq!(read.rows.len(), 2);
        assert_eq!(events(&read.rows, &read.strings).unwrap(), batch);
        assert!(batch.column(3).is_null(1), "a server event has no feature");
    }
}
