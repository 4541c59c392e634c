//! Neutral events as Parquet: the way in for bulk history.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

use super::neutral::{Field, Fields, Records, Value};
use super::{Dialect, Flaw, FlawKind, ImportError, Input, ReadOptions, Sink};
use crate::time::Day;

/// How many rows are decoded at a time.
const BATCH_ROWS: usize = 16 * 1024;

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
        let file = input.seekable()?;
        let metadata = open(&file).map_err(|error| damaged(error.to_string()))?;
        let mut known = Vec::new();
        for (place, column) in metadata.schema().fields().iter().enumerate() {
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
        let mask = ProjectionMask::roots(metadata.parquet_schema(), known);
        let groups = 0..metadata.metadata().num_row_groups();
        // Each group has dictionaries of its own: a batch with rows of two groups would have to be given new ones.
        let batches_of = |group: usize| -> Result<ParquetRecordBatchReader, ImportError> {
            let file = file.try_clone().map_err(|error| damaged(error.to_string()))?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
            let batches = builder
                .with_row_groups(vec![group])
                .with_projection(mask.clone())
                .with_batch_size(BATCH_ROWS)
                .build();
            batches.map_err(|error| damaged(error.to_string()))
        };
        let read = |batch: Result<RecordBatch, ArrowError>| -> Result<(usize, Columns), ImportError> {
            let batch = batch.map_err(|error| damaged(error.to_string()))?;
            let columns = read_columns(&batch).map_err(|reason| ImportError::Columns {
                name: name.clone(),
                reason,
            })?;
            Ok((batch.num_rows(), columns))
        };
        let mut records = Records::new(options.zone);
        let mut line = 0;
        // What comes next is decoded while rows become events.
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(2);
            scope.spawn(move || {
                // Nobody takes more once something failed.
                let send = |rows| sender.send(rows).is_ok();
                groups.map(batches_of).all(|batches| match batches {
                    Ok(batches) => batches.map(read).all(send),
                    Err(error) => send(Err(error)),
                })
            });
            for columns in receiver {
                let (rows, columns) = columns?;
                sink.rows(rows as u64);
                for row in 0..rows {
                    line += 1;
                    match records.event(&Row { columns: &columns, row }, line) {
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
        })
    }
}

/// Reads the footer, and has texts that the file has in dictionaries stay there.
fn open(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let found = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let in_dictionary = |name: &str| {
        let place = found
            .parquet_schema()
            .columns()
            .iter()
            .position(|column| column.path().string() == name);
        let mut groups = found.metadata().row_groups().iter();
        place.is_some_and(|place| groups.all(|group| group.column(place).dictionary_page_offset().is_some()))
    };
    let fields = found.schema().fields().iter().map(|column| {
        if !matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            return Arc::clone(column);
        }
        // Handles are mostly used once.
        let repeats = Field::from_name(column.name()).is_some_and(|field| field != Field::Handle);
        let texts = if repeats && in_dictionary(column.name()) {
            dictionary()
        } else {
            DataType::Utf8
        };
        Arc::new(column.as_ref().clone().with_data_type(texts))
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), ArrowReaderOptions::new().with_schema(schema))
}

/// Texts in a dictionary.
fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The columns of a batch by field; nothing for those that say nothing.
type Columns = [Option<Column>; Field::ALL.len()];

/// A row of a batch.
struct Row<'a> {
    columns: &'a Columns,
    row: usize,
}

impl Fields for Row<'_> {
    #[inline]
    fn get(&self, field: Field) -> Value<'_> {
        self.columns[field as usize]
            .as_ref()
            .map_or(Value::Missing, |column| column.get(self.row))
    }
}

/// A column in one of the types that values are read from.
struct Column {
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    Texts(StringArray),
    /// A place in a dictionary.
    Places(ScalarBuffer<i32>, StringArray),
    Numbers(ScalarBuffer<i64>),
    Days(ScalarBuffer<i32>),
    Instants(ScalarBuffer<i64>),
    /// A timestamp without a zone is a wall-clock time.
    Locals(ScalarBuffer<i64>),
}

impl Column {
    /// A column of one of the types of [`target`]; nothing of one that says nothing.
    fn new(array: &ArrayRef, local: bool) -> Option<Self> {
        let nulls = array.logical_nulls();
        if nulls.as_ref().is_some_and(|nulls| nulls.null_count() == array.len()) || array.is_empty() {
            return None;
        }
        let values = match array.data_type() {
            DataType::Utf8 => Values::Texts(array.as_string::<i32>().clone()),
            DataType::Dictionary(..) => {
                let texts = array.as_dictionary::<Int32Type>();
                Values::Places(texts.keys().values().clone(), texts.values().as_string::<i32>().clone())
            }
            DataType::Int64 => Values::Numbers(array.as_primitive::<Int64Type>().values().clone()),
            DataType::Date32 => Values::Days(array.as_primitive::<Date32Type>().values().clone()),
            DataType::Timestamp(..) => {
                let times = array.as_primitive::<TimestampMicrosecondType>().values().clone();
                if local { Values::Locals(times) } else { Values::Instants(times) }
            }
            _ => return None,
        };
        Some(Self { nulls, values })
    }

    #[inline]
    fn get(&self, row: usize) -> Value<'_> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Value::Missing;
        }
        match &self.values {
            Values::Texts(texts) => Value::text(texts.value(row)),
            Values::Places(places, texts) => Value::text(texts.value(places[row] as usize)),
            Values::Numbers(numbers) => Value::Number(numbers[row]),
            Values::Days(days) => Value::Date(Day(days[row])),
            Values::Instants(times) => Value::Instant(times[row]),
            Values::Locals(times) => Value::Local(times[row]),
        }
    }
}

/// The known columns of a batch, brought into few types; the error names the column and the types it may have.
fn read_columns(batch: &RecordBatch) -> Result<Columns, String> {
    let mut columns = Columns::default();
    for (column, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let Some(field) = Field::from_name(column.name()) else {
            continue;
        };
        let from = array.data_type();
        let to = target(field, from).ok_or_else(|| format!("column {:?} has type {from}, expected {}", field.name(), expected(field)))?;
        let array = cast(array, &to).map_err(|error| format!("column {:?}: {error}", field.name()))?;
        let local = matches!(from, DataType::Timestamp(_, None));
        if let Some(column) = Column::new(&array, local) {
            columns[field as usize] = Some(column);
        }
    }
    Ok(columns)
}

fn target(field: Field, from: &DataType) -> Option<DataType> {
    let textual = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        || matches!(from, DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View));
    match from {
        DataType::Dictionary(..) if textual => return Some(dictionary()),
        DataType::Null => return Some(DataType::Utf8),
        _ if textual => return Some(DataType::Utf8),
        _ => {}
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
