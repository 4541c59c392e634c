//! Cells: what stands in a row and column, typed, with the clock of the report applied.

use std::io::Write as _;

use arrow::array::{Array, ArrayRef, AsArray as _, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{Datelike as _, Timelike as _};

use crate::report::{Column, ColumnType};
use crate::time::{Day, Granularity, Micros, Offsets, Zone};

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(Day),
    /// A wall-clock time.
    DateTime(Micros),
    /// The period of this length that starts at this wall-clock time.
    Period(Granularity, Micros),
}

/// The columns of a batch as cells.
pub(super) struct Cells<'a> {
    columns: Vec<CellColumn<'a>>,
}

struct CellColumn<'a> {
    array: &'a ArrayRef,
    values: Values,
}

enum Values {
    Text(StringArray),
    Dictionary { keys: Int32Array, texts: StringArray },
    Integer(arrow::array::Int64Array),
    Float(arrow::array::Float64Array),
    Boolean(arrow::array::BooleanArray),
    Date(arrow::array::Date32Array),
    DateTime(Vec<Micros>),
    Period(Granularity, arrow::array::TimestampMicrosecondArray),
}

impl<'a> Cells<'a> {
    /// The cells of these columns of a batch.
    pub(super) fn new(batch: &'a RecordBatch, columns: &[Column]) -> Result<Self, ArrowError> {
        let of = |column: &Column| {
            let array = batch
                .column_by_name(&column.name)
                .ok_or_else(|| ArrowError::SchemaError(format!("column {} is missing", column.name)))?;
            Ok(CellColumn {
                array,
                values: Values::new(array, column.kind)?,
            })
        };
        Ok(Self {
            columns: columns.iter().map(of).collect::<Result<_, ArrowError>>()?,
        })
    }

    /// The cell of a row and column.
    pub(super) fn get(&self, row: usize, column: usize) -> Cell<'_> {
        let column = &self.columns[column];
        if column.array.is_null(row) {
            return Cell::Null;
        }
        match &column.values {
            Values::Text(values) => Cell::Text(values.value(row)),
            Values::Dictionary { keys, texts } => Cell::Text(texts.value(keys.value(row) as usize)),
            Values::Integer(values) => Cell::Integer(values.value(row)),
            Values::Float(values) => Cell::Float(values.value(row)),
            Values::Boolean(values) => Cell::Boolean(values.value(row)),
            Values::Date(values) => Cell::Date(Day(values.value(row))),
            Values::DateTime(values) => Cell::DateTime(values[row]),
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
                _ => Self::Text(casted(&DataType::Utf8)?.as_string::<i32>().clone()),
            },
            ColumnType::Integer => Self::Integer(casted(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            ColumnType::Float => Self::Float(casted(&DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            ColumnType::Boolean => Self::Boolean(casted(&DataType::Boolean)?.as_boolean().clone()),
            ColumnType::Date => Self::Date(casted(&DataType::Date32)?.as_primitive::<Date32Type>().clone()),
            ColumnType::DateTime => {
                let DataType::Timestamp(_, Some(zone)) = array.data_type() else {
                    return Err(ArrowError::SchemaError(format!("{} is no instant with a zone", array.data_type())));
                };
                let zone: Zone = zone.parse().map_err(|error| ArrowError::SchemaError(format!("{error}")))?;
                let mut offsets = Offsets::new(zone);
                let instants = array.as_primitive::<TimestampMicrosecondType>();
                Self::DateTime(instants.values().iter().map(|at| offsets.local(*at)).collect())
            }
            ColumnType::Period => return Err(ArrowError::SchemaError("a period without a length".to_owned())),
            ColumnType::PeriodOf(granularity) => {
                let to = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None);
                Self::Period(granularity, casted(&to)?.as_primitive::<TimestampMicrosecondType>().clone())
            }
        })
    }
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
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Date(day) => write!(out, "{day}"),
            Self::DateTime(local) => {
                let time = chrono::DateTime::from_timestamp_micros(local).unwrap_or_default().naive_utc();
                let (year, month, day) = (time.year(), time.month(), time.day());
                let (hour, minute, second) = (time.hour(), time.minute(), time.second());
                write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
            Self::Period(granularity, start) => write!(out, "{}", granularity.label(start)),
        };
    }
}
