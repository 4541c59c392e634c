//! Neutral events as Parquet: the way in for bulk history.

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use super::neutral::{Field, Record, Records, Value};
use super::{Dialect, Flaw, FlawKind, ImportError, Input, ReadOptions, Sink};
use crate::time::Day;

/// The neutral fields as columns.
#[derive(Debug)]
pub(super) struct Parquet;

impl Dialect for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn title(&self) -> &'static str {
        "neutral events, Parquet"
    }

    fn recognises(&self, sample: &[u8]) -> bool {
        sample.starts_with(b"PAR1")
    }

    fn read(&self, input: &mut Input, options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), ImportError> {
        let name = input.name().to_owned();
        let damaged = |reason: String| ImportError::Parquet {
            name: name.clone(),
            reason,
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(input.seekable()?).map_err(|error| damaged(error.to_string()))?;
        let mut known = Vec::new();
        for (place, column) in builder.schema().fields().iter().enumerate() {
            if Field::from_name(column.name()).is_some() {
                known.push(place);
            } else {
                sink.flaw(Flaw {
                    line: 1,
                    kind: FlawKind::Noted,
                    reason: format!("column {:?} is unknown and left out", column.name()),
                })?;
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), known);
        let batches = builder.with_projection(mask).with_batch_size(16 * 1024).build();
        let mut records = Records::new(options.zone);
        let mut line = 0;
        for batch in batches.map_err(|error| damaged(error.to_string()))? {
            let batch = batch.map_err(|error| damaged(error.to_string()))?;
            sink.rows(batch.num_rows() as u64);
            let columns = read_columns(&batch).map_err(|reason| ImportError::Columns {
                name: name.clone(),
                reason,
            })?;
            for row in 0..batch.num_rows() {
                line += 1;
                let mut record = Record::new();
                for column in &columns {
                    record.set(column.field, column.value(row));
                }
                match records.event(&record, line) {
                    Ok(event) => sink.event(&event)?,
                    Err(reason) => sink.flaw(Flaw {
                        line,
                        kind: FlawKind::Unparsed,
                        reason,
                    })?,
                }
            }
        }
        Ok(())
    }
}

/// A column in one of the types that values are read from.
struct Column {
    field: Field,
    array: ArrayRef,
    /// A timestamp without a zone is a wall-clock time.
    local: bool,
}

impl Column {
    fn value(&self, row: usize) -> Value<'_> {
        if self.array.is_null(row) {
            return Value::Missing;
        }
        match self.array.data_type() {
            DataType::Utf8 => Value::Text(self.array.as_string::<i32>().value(row).into()),
            DataType::Int64 => Value::Number(self.array.as_primitive::<Int64Type>().value(row)),
            DataType::Date32 => Value::Date(Day(self.array.as_primitive::<Date32Type>().value(row))),
            DataType::Timestamp(..) => {
                let time = self.array.as_primitive::<TimestampMicrosecondType>().value(row);
                if self.local { Value::Local(time) } else { Value::Instant(time) }
            }
            _ => Value::Missing,
        }
    }
}

/// The known columns of a batch, brought into few types; the error names the column and the types it may have.
fn read_columns(batch: &RecordBatch) -> Result<Vec<Column>, String> {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    fields
        .filter_map(|(column, array)| Field::from_name(column.name()).map(|field| (field, array)))
        .map(|(field, array)| {
            let from = array.data_type();
            let to =
                target(field, from).ok_or_else(|| format!("column {:?} has type {from}, expected {}", field.name(), expected(field)))?;
            let array = cast(array, &to).map_err(|error| format!("column {:?}: {error}", field.name()))?;
            let local = matches!(from, DataType::Timestamp(_, None));
            Ok(Column { field, array, local })
        })
        .collect()
}

fn target(field: Field, from: &DataType) -> Option<DataType> {
    let textual = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        || matches!(from, DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View));
    if textual || *from == DataType::Null {
        return Some(DataType::Utf8);
    }
    match (field, from) {
        (Field::Time | Field::End | Field::BorrowUntil, DataType::Timestamp(_, zone)) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        (Field::Licenses | Field::ReasonCode, integer) if integer.is_integer() => Some(DataType::Int64),
        // Handles are numbers in some sources.
        (Field::Handle, integer) if integer.is_integer() => Some(DataType::Utf8),
        (Field::Expires, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) => Some(DataType::Date32),
        _ => None,
    }
}

fn expected(field: Field) -> &'static str {
    match field {
        Field::Time | Field::End | Field::BorrowUntil => "a timestamp or a string",
        Field::Licenses | Field::ReasonCode => "an integer or a string",
        Field::Expires => "a date or a string",
        _ => "a string",
    }
}
