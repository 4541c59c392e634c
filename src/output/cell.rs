//! Cells: what stands in a row and column, typed, with the clock of the report applied.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, Int32Array, RecordBatch, StringArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{Datelike as _, Timelike as _};

use crate::report::{Column, ColumnType};
use crate::time::{Day, Granularity, Micros, Offsets, SECOND, Zone};

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    /// A number with all its digits, or the word for what is none.
    Number(&'a str),
    Boolean(bool),
    Date(Day),
    /// A wall-clock time, told to the second.
    DateTime(Micros),
    /// A wall-clock time, told with what it has of a second.
    Timestamp(Micros),
    /// The same of an instant, and how far the clock is ahead of UTC.
    Instant(Micros, Micros),
    /// The period of this length that starts at this wall-clock time.
    Period(Granularity, Micros),
}

/// The columns of a batch as cells.
pub(super) struct Cells {
    columns: Vec<CellColumn>,
}

/// A column of a batch, for whoever reads all of it.
pub(super) struct CellColumn {
    /// Also those of a dictionary's values, and of a column that is nothing but nulls.
    pub(super) nulls: Option<NullBuffer>,
    pub(super) values: Values,
}

/// The values of a column; what stands where there is a null means nothing.
pub(super) enum Values {
    Text(StringArray),
    Dictionary {
        keys: Int32Array,
        texts: StringArray,
    },
    Integer(arrow::array::Int64Array),
    Float(arrow::array::Float64Array),
    Number(StringArray),
    Boolean(arrow::array::BooleanArray),
    Date(arrow::array::Date32Array),
    DateTime(ScalarBuffer<Micros>),
    Timestamp(ScalarBuffer<Micros>),
    /// What the clock shows at instants, and the instants.
    Instant(ScalarBuffer<Micros>, ScalarBuffer<Micros>),
    Period(Granularity, arrow::array::TimestampMicrosecondArray),
}

impl Cells {
    /// The cells of these columns of a batch.
    pub(super) fn new(batch: &RecordBatch, columns: &[Column]) -> Result<Self, ArrowError> {
        let of = |column: &Column| {
            let array = batch
                .column_by_name(&column.name)
                .ok_or_else(|| ArrowError::SchemaError(format!("column {} is missing", column.name)))?;
            Ok(CellColumn {
                nulls: array.logical_nulls(),
                values: Values::new(array, column.kind)?,
            })
        };
        Ok(Self {
            columns: columns.iter().map(of).collect::<Result<_, ArrowError>>()?,
        })
    }

    /// The columns, in order.
    pub(super) fn columns(&self) -> &[CellColumn] {
        &self.columns
    }

    /// The cell of a row and column.
    pub(super) fn get(&self, row: usize, column: usize) -> Cell<'_> {
        let column = &self.columns[column];
        if column.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Cell::Null;
        }
        match &column.values {
            Values::Text(values) => Cell::Text(values.value(row)),
            Values::Dictionary { keys, texts } => Cell::Text(texts.value(keys.value(row) as usize)),
            Values::Integer(values) => Cell::Integer(values.value(row)),
            Values::Float(values) => Cell::Float(values.value(row)),
            Values::Number(values) => Cell::Number(values.value(row)),
            Values::Boolean(values) => Cell::Boolean(values.value(row)),
            Values::Date(values) => Cell::Date(Day(values.value(row))),
            Values::DateTime(values) => Cell::DateTime(values[row]),
            Values::Timestamp(values) => Cell::Timestamp(values[row]),
            Values::Instant(locals, instants) => Cell::Instant(locals[row], locals[row] - instants[row]),
            Values::Period(granularity, values) => Cell::Period(*granularity, values.value(row)),
        }
    }
}

impl Values {
    fn new(array: &ArrayRef, kind: ColumnType) -> Result<Self, ArrowError> {
        let casted = |to: &DataType| cast(array, to);
        Ok(match kind {
            ColumnType::Text | ColumnType::Enumeration => match array.as_dictionary_opt::<Int32Type>() {
                Some(dictionary) if *dictionary.values().data_type() == DataType::Utf8 => Self::Dictionary {
                    keys: dictionary.keys().clone(),
                    texts: dictionary.values().as_string::<i32>().clone(),
                },
                _ => Self::Text(texts(array)?.as_string::<i32>().clone()),
            },
            ColumnType::Integer => Self::Integer(casted(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            ColumnType::Float => Self::Float(casted(&DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            ColumnType::Number => Self::Number(texts(array)?.as_string::<i32>().clone()),
            ColumnType::Boolean => Self::Boolean(casted(&DataType::Boolean)?.as_boolean().clone()),
            ColumnType::Date => Self::Date(casted(&DataType::Date32)?.as_primitive::<Date32Type>().clone()),
            ColumnType::DateTime => {
                let DataType::Timestamp(_, Some(zone)) = array.data_type() else {
                    return Err(ArrowError::SchemaError(format!("{} is no instant with a zone", array.data_type())));
                };
                let zone: Zone = zone.parse().map_err(|error| ArrowError::SchemaError(format!("{error}")))?;
                Self::DateTime(locals(array.as_primitive::<TimestampMicrosecondType>().values(), zone))
            }
            ColumnType::Timestamp => wall_clocks(array)?,
            ColumnType::Period => return Err(ArrowError::SchemaError("a period without a length".to_owned())),
            ColumnType::PeriodOf(granularity) => {
                let to = DataType::Timestamp(TimeUnit::Microsecond, None);
                Self::Period(granularity, casted(&to)?.as_primitive::<TimestampMicrosecondType>().clone())
            }
        })
    }
}

/// What stands on the clock of a column's own zone, or of none.
fn wall_clocks(array: &ArrayRef) -> Result<Values, ArrowError> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let micros = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>().values();
    let Some(zone) = zone else {
        return Ok(Values::Timestamp(micros.clone()));
    };
    let locals = match zone.parse::<Zone>() {
        Ok(zone) => locals(micros, zone),
        // An offset like +02:00.
        Err(_) => {
            let clock = zone.parse::<arrow::array::timezone::Tz>()?;
            let ahead = chrono::TimeZone::offset_from_utc_datetime(&clock, &chrono::NaiveDateTime::default());
            let ahead = i64::from(chrono::Offset::fix(&ahead).local_minus_utc()) * SECOND;
            micros.iter().map(|at| at.saturating_add(ahead)).collect()
        }
    };
    Ok(Values::Instant(locals, micros.clone()))
}

/// What the wall clock of a zone shows at instants.
fn locals(instants: &ScalarBuffer<Micros>, zone: Zone) -> ScalarBuffer<Micros> {
    if zone == Zone::UTC {
        return instants.clone();
    }
    let mut offsets = Offsets::new(zone);
    instants.iter().map(|at| offsets.local(*at)).collect()
}

/// Any column as texts: lists, intervals and all.
pub(super) fn texts(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if can_cast_types(array.data_type(), &DataType::Utf8) {
        return cast(array, &DataType::Utf8);
    }
    let options = FormatOptions::default().with_null("null");
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
    let text = |row: usize| {
        let shown = || formatter.value(row).try_to_string();
        array.is_valid(row).then(shown).transpose()
    };
    let texts: StringArray = (0..array.len()).map(text).collect::<Result<_, ArrowError>>()?;
    Ok(Arc::new(texts))
}

impl Cell<'_> {
    /// Writes a cell as plain text, without quotes; a null is nothing.
    pub(super) fn write_text(self, out: &mut Vec<u8>) {
        // Writing to memory cannot fail.
        let _infallible = match self {
            Self::Null => Ok(()),
            Self::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            Self::Integer(number) => write!(out, "{number}"),
            Self::Float(number) => {
                super::number::write(number, out);
                Ok(())
            }
            Self::Number(number) => {
                out.extend_from_slice(number.as_bytes());
                Ok(())
            }
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Date(day) => write!(out, "{day}"),
            Self::DateTime(local) => {
                write_time(local, out);
                Ok(())
            }
            Self::Timestamp(local) => {
                write_whole(local, out);
                Ok(())
            }
            Self::Instant(local, ahead) => {
                write_whole(local, out);
                out.extend_from_slice(&offset(ahead));
                Ok(())
            }
            Self::Period(granularity, start) => write!(out, "{}", granularity.label(start)),
        };
    }
}

/// Writes a wall-clock time with what it has of a second.
fn write_whole(local: Micros, out: &mut Vec<u8>) {
    write_time(local, out);
    // Writing to memory cannot fail.
    let _infallible = match local.rem_euclid(SECOND) {
        0 => Ok(()),
        micros if micros % 1000 == 0 => write!(out, ".{:03}", micros / 1000),
        micros => write!(out, ".{micros:06}"),
    };
}

/// How far a clock is ahead of UTC, like `+02:00`.
pub(super) fn offset(ahead: Micros) -> [u8; 6] {
    let minutes = (ahead.abs() / SECOND / 60) % (100 * 60);
    let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let sign = if ahead < 0 { b'-' } else { b'+' };
    [sign, digit(hours / 10), digit(hours), b':', digit(minutes / 10), digit(minutes)]
}

fn write_time(local: Micros, out: &mut Vec<u8>) {
    let time = chrono::DateTime::from_timestamp_micros(local).unwrap_or_default().naive_utc();
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    // Writing to memory cannot fail.
    let _infallible = write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
}
