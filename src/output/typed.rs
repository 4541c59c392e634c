//! Rows as arrays of the published types: full precision, real dates and instants, plain texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::report::{Column, ColumnType};
use crate::time::{Granularity, Zone};

/// The columns as formats for programs have them.
pub(super) fn schema(columns: &[Column], zone: Zone) -> SchemaRef {
    let field = |column: &Column| {
        let native = column.native.clone();
        Field::new(&column.name, native.unwrap_or_else(|| type_of(column.kind, zone)), true)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn type_of(kind: ColumnType, zone: Zone) -> DataType {
    match kind {
        // Every reader knows plain texts; not every one knows that dictionaries may change from batch to batch.
        ColumnType::Text | ColumnType::Enumeration => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float | ColumnType::Number => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some(zone.name().into())),
        // An hour on the wall clock may come twice or never: it is no instant.
        ColumnType::PeriodOf(Granularity::Hour) | ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Date | ColumnType::Period | ColumnType::PeriodOf(_) => DataType::Date32,
    }
}

/// Rows in these columns.
pub(super) fn rows(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &Arc<Field>| -> Result<ArrayRef, ArrowError> {
        let array = batch
            .column_by_name(field.name())
            .ok_or_else(|| ArrowError::SchemaError(format!("column {} is missing", field.name())))?;
        if array.data_type() == field.data_type() {
            return Ok(Arc::clone(array));
        }
        match field.data_type() {
            // Whatever it is, it has a text.
            DataType::Utf8 => super::cell::texts(array),
            kind => cast(array, kind),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}
