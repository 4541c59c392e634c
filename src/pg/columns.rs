//! Rows as PostgreSQL knows them: which types are told, and values that are written as them.
//!
//! `arrow-pg` writes values. What it does not, or not rightly, is made into something that it does before: a column is what is told
//! of it, in every row. The invariant: a value is never another one, and nothing is taken for nothing but what is.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_pg::datatypes::{PG_OID_ALIAS_KEY, arrow_schema_to_pg_fields, field_into_pg_type};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::error::PgWireError;
use pgwire::messages::data::{FieldDescription, RowDescription};

use super::error::PgError;

/// How many digits a decimal number may have after its point.
const MOST_PLACES: i8 = 28;

/// What is told of columns.
pub(super) fn told(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let kind = written_as(field.data_type());
        let mut metadata = field.metadata().clone();
        // Numbers of objects are written as such; what names of objects are is told by a number as well.
        if metadata
            .get(PG_OID_ALIAS_KEY)
            .is_some_and(|alias| alias != "oid" || kind != DataType::Int32)
        {
            metadata.remove(PG_OID_ALIAS_KEY);
        }
        Field::new(field.name(), kind, true).with_metadata(metadata)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The type that values of a type are written as.
fn written_as(kind: &DataType) -> DataType {
    match kind {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_) => kind.clone(),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(_, places) | DataType::Decimal64(_, places) | DataType::Decimal128(_, places)
            if (0..=MOST_PLACES).contains(places) =>
        {
            DataType::Decimal128(38, *places)
        }
        // An interval that is nothing would be written as one of no length; one that a dictionary knows nothing of is not.
        DataType::Interval(_) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(kind.clone())),
        DataType::Dictionary(_, values) => match written_as(values) {
            same if same == **values => kind.clone(),
            other => other,
        },
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => {
            let item = match field.data_type() {
                DataType::Dictionary(_, values) => values.as_ref(),
                item => item,
            };
            let item = match item {
                // Numbers that do not fit would be the end of the connection.
                DataType::Decimal128(..) | DataType::Duration(_) => DataType::Utf8,
                item if written_as(item) == *item && !item.is_nested() => item.clone(),
                _ => return DataType::Utf8,
            };
            DataType::List(Arc::new(Field::new_list_field(item, true)))
        }
        // Without a type, and those that have no name in PostgreSQL.
        _ => DataType::Utf8,
    }
}

/// The type that a parameter has where its place asks for a type.
pub(super) fn parameter(kind: Option<&DataType>) -> Type {
    let field = Arc::new(Field::new("", kind.map_or(DataType::Utf8, written_as), true));
    field_into_pg_type(&field).unwrap_or(Type::TEXT)
}

/// Columns, in the formats that are asked for: none for texts, one for all, or one for each.
pub(super) fn fields(told: &Schema, formats: &[i16]) -> Result<Arc<Vec<FieldInfo>>, PgError> {
    let columns = told.fields().len();
    if formats.len() > 1 && formats.len() != columns {
        let given = formats.len();
        return Err(PgError::new(
            "08P01",
            format!("{given} formats are asked for, and there are {columns} columns"),
        ));
    }
    let format = match formats {
        [] | [0] => Format::UnifiedText,
        [1] => Format::UnifiedBinary,
        formats => Format::Individual(formats.to_vec()),
    };
    let fields = arrow_schema_to_pg_fields(told, &format, None);
    let fields = fields.map_err(of_pgwire)?.into_iter().map(|field| {
        let size = size(field.datatype());
        field.with_type_size(size)
    });
    Ok(Arc::new(fields.collect()))
}

/// What a client is told of columns.
pub(super) fn description(fields: &[FieldInfo]) -> RowDescription {
    RowDescription::new(fields.iter().map(FieldDescription::from).collect())
}

/// How many bytes a value takes, if they all take the same.
fn size(kind: &Type) -> i16 {
    match *kind {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => 8,
        Type::INTERVAL => 16,
        _ => -1,
    }
}

/// Rows as they are told.
pub(super) fn shaped(batch: &RecordBatch, told: &SchemaRef) -> Result<RecordBatch, PgError> {
    if batch.num_columns() != told.fields().len() {
        return Err(PgError::new("0A000", "cached plan must not change result type"));
    }
    let columns = batch
        .columns()
        .iter()
        .zip(told.fields())
        .map(|(column, field)| shape(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(told), columns, &options).map_err(|error| PgError::internal(&error))
}

fn shape(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef, PgError> {
    if column.data_type() == kind {
        return Ok(Arc::clone(column));
    }
    let wrong = |error: arrow::error::ArrowError| PgError::new("22003", error.to_string());
    match kind {
        DataType::Dictionary(_, values) if **values == *column.data_type() => {
            let keys: Int32Array = (0_i32..)
                .zip(0..column.len())
                .map(|(key, row)| column.is_valid(row).then_some(key))
                .collect();
            let dictionary = DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(column)).map_err(wrong)?;
            Ok(Arc::new(dictionary))
        }
        DataType::Utf8 if column.data_type() == &DataType::Null || !is_text(column.data_type()) => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options).map_err(wrong)?;
            let texts: StringArray = (0..column.len())
                .map(|row| column.is_valid(row).then(|| formatter.value(row).to_string()))
                .map(|text| text.filter(|_| column.data_type() != &DataType::Null))
                .collect();
            Ok(Arc::new(texts))
        }
        kind => cast(column, kind).map_err(wrong),
    }
}

const fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)
    )
}

/// Rows with numbers that are none spelled as PostgreSQL does, where they are written as texts.
pub(super) fn spelled(batch: RecordBatch, fields: &[FieldInfo]) -> Result<RecordBatch, PgError> {
    let endless = |place: usize| {
        let numbers = batch.column(place).as_primitive_opt::<Float64Type>();
        fields.get(place).is_some_and(|field| field.format() == FieldFormat::Text)
            && numbers.is_some_and(|numbers| numbers.iter().flatten().any(f64::is_infinite))
    };
    if !(0..batch.num_columns()).any(endless) {
        return Ok(batch);
    }
    let schema = batch.schema();
    let columns = schema.fields().iter().enumerate().map(|(place, field)| {
        if !endless(place) {
            return (Arc::clone(field), Arc::clone(batch.column(place)));
        }
        let numbers = batch.column(place).as_primitive::<Float64Type>().iter();
        let texts: StringArray = numbers.map(|number| number.map(spell)).collect();
        let field = field.as_ref().clone().with_data_type(DataType::Utf8);
        (Arc::new(field), Arc::new(texts) as ArrayRef)
    });
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| PgError::internal(&error))
}

fn spell(number: f64) -> String {
    match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => format!("{number:?}"),
    }
}

/// What went wrong while a value was written.
pub(super) fn of_pgwire(error: PgWireError) -> PgError {
    match error {
        PgWireError::UserError(told) if told.code == "22003" => PgError::new("22003", told.message),
        error => PgError::internal(&error),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray, ListArray, NullArray, StructArray,
        TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::{Int64Type, IntervalMonthDayNano};
    use arrow_pg::datatypes::encode_recordbatch;

    use super::*;

    /// The values of the rows of a column, in a format.
    fn written(column: ArrayRef, format: i16) -> (Type, Vec<Option<Vec<u8>>>) {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
        let told = told(&batch.schema());
        let fields = fields(&told, &[format]).unwrap();
        let batch = spelled(shaped(&batch, &told).unwrap(), &fields).unwrap();
        let rows = encode_recordbatch(Arc::clone(&fields), batch).map(|row| {
            let row = row.unwrap();
            let length = i32::from_be_bytes(row.data[..4].try_into().unwrap());
            (length >= 0).then(|| row.data[4..].to_vec())
        });
        (fields[0].datatype().clone(), rows.collect())
    }

    fn texts(column: impl arrow::array::Array + 'static) -> (Type, Vec<Option<String>>) {
        let (kind, values) = written(Arc::new(column), 0);
        (
            kind,
            values
                .into_iter()
                .map(|value| value.map(|value| String::from_utf8(value).unwrap()))
                .collect(),
        )
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn every_type_is_told_and_written() {
        assert_eq!(texts(Int64Array::from(vec![Some(-7), None])), (Type::INT8, vec![some("-7"), None]));
        assert_eq!(
            texts(BooleanArray::from(vec![Some(true), None])),
            (Type::BOOL, vec![some("t"), None])
        );
        assert_eq!(
            texts(Float64Array::from(vec![Some(0.1), None])),
            (Type::FLOAT8, vec![some("0.1"), None])
        );
        assert_eq!(
            texts(UInt64Array::from(vec![u64::MAX])),
            (Type::NUMERIC, vec![some("18446744073709551615")])
        );
        let endless = Float64Array::from(vec![Some(f64::INFINITY), Some(1.0), Some(f64::NEG_INFINITY), None, Some(f64::NAN)]);
        let spelled = [some("Infinity"), some("1.0"), some("-Infinity"), None, some("NaN")];
        assert_eq!(texts(endless), (Type::FLOAT8, spelled.to_vec()));
        let dictionary: DictionaryArray<Int32Type> = [Some("größe"), None, Some("größe")].into_iter().collect();
        assert_eq!(texts(dictionary), (Type::TEXT, vec![some("größe"), None, some("größe")]));
        assert_eq!(
            texts(Date32Array::from(vec![Some(20514), None])),
            (Type::DATE, vec![some("2026-03-02"), None])
        );
        let at = TimestampMicrosecondArray::from(vec![Some(1_772_442_000_250_000), None]);
        assert_eq!(texts(at.clone()), (Type::TIMESTAMP, vec![some("2026-03-02 09:00:00.250000"), None]));
        let (kind, zoned) = texts(at.with_timezone("UTC"));
        assert_eq!(
            (kind, zoned),
            (Type::TIMESTAMPTZ, vec![some("2026-03-02 09:00:00.250000+00"), None])
        );
        let decimals = Decimal128Array::from(vec![Some(12_345), None])
            .with_precision_and_scale(38, 2)
            .unwrap();
        assert_eq!(texts(decimals), (Type::NUMERIC, vec![some("123.45"), None]));
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
        assert_eq!(texts(lists), (Type::INT8_ARRAY, vec![some("{1,NULL}"), None]));
        assert_eq!(texts(NullArray::new(1)), (Type::TEXT, vec![None]));
    }

    #[test]
    fn an_interval_that_is_nothing_is_nothing() {
        let intervals = IntervalMonthDayNanoArray::from(vec![Some(IntervalMonthDayNano::new(1, 2, 3_000_000_000)), None]);
        let (kind, values) = texts(intervals);
        assert_eq!((kind, &values[1]), (Type::INTERVAL, &None));
        assert!(values[0].as_deref().is_some_and(|text| text.contains("2 days")), "{values:?}");
    }

    #[test]
    fn what_has_no_name_in_postgresql_is_a_text() {
        let field = Arc::new(Field::new("a", DataType::Int64, true));
        let values: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        assert_eq!(texts(StructArray::from(vec![(field, values)])), (Type::TEXT, vec![some("{a: 1}")]));
        let fine = Decimal128Array::from(vec![1]).with_precision_and_scale(38, 30).unwrap();
        assert_eq!(texts(fine), (Type::TEXT, vec![some("0.000000000000000000000000000001")]));
    }

    #[test]
    fn bytes_are_those_of_postgresql() {
        assert_eq!(
            written(Arc::new(Int64Array::from(vec![7])), 1).1,
            [Some(7_i64.to_be_bytes().to_vec())]
        );
        assert_eq!(
            written(Arc::new(Date32Array::from(vec![20514])), 1).1,
            [Some(9557_i32.to_be_bytes().to_vec())]
        );
        let at = TimestampMicrosecondArray::from(vec![1_772_442_000_000_000]).with_timezone("UTC");
        let micros = 9557_i64 * 86_400_000_000 + 9 * 3_600_000_000;
        assert_eq!(written(Arc::new(at), 1).1, [Some(micros.to_be_bytes().to_vec())]);
    }

    #[test]
    fn rows_are_what_was_told_of_them() {
        let batch = RecordBatch::try_from_iter([("c", Arc::new(Int64Array::from(vec![7])) as ArrayRef)]).unwrap();
        let told = told(&Schema::new(vec![Field::new("c", DataType::Null, true)]));
        let shaped = shaped(&batch, &told).unwrap();
        assert_eq!(shaped.column(0).as_ref(), &StringArray::from(vec!["7"]));
        assert!(fields(&told, &[0, 1]).is_err());
    }
}
