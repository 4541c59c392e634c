//! What tools of PostgreSQL ask before they ask anything: who answers, how it is set, and which columns there are, in their words.

mod catalog;
mod constants;
mod information;
mod order;
mod spelling;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::config::ConfigOptions;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility, create_udf,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use self::catalog::Catalog;
pub(super) use self::spelling::rewrite;
use super::super::EngineResult;

const PG_CATALOG: &str = "pg_catalog";

/// The version of PostgreSQL whose ways are followed.
pub(crate) const VERSION: &str = "16.6";
/// The same as a number.
pub(crate) const VERSION_NUMBER: &str = "160006";

/// What is asked in the middle of queries, and is the same for everybody.
const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("max_index_keys", "32"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", VERSION),
    ("server_version_num", VERSION_NUMBER),
    ("standard_conforming_strings", "on"),
    ("transaction_isolation", "serializable"),
    ("transaction_read_only", "on"),
];

/// Tables of `information_schema` in PostgreSQL's words.
pub(super) fn information<'a>(
    catalog: &str,
    schema: &str,
    tables: impl Iterator<Item = (&'a str, SchemaRef)>,
) -> EngineResult<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    let mut told = information::tables(catalog)?;
    told.push(("columns", columns(catalog, schema, tables)?));
    Ok(told)
}

/// Teaches a session functions that tools call, and completes its `pg_catalog`.
pub(super) fn register(context: &SessionContext, catalog: &str) -> EngineResult<()> {
    if let Some(known) = context.catalog(catalog) {
        let catalogs = Arc::clone(context.state().catalog_list());
        known.register_schema(PG_CATALOG, Arc::new(Catalog::new(catalogs)?))?;
    }
    constants::register(context);
    let version = format!("PostgreSQL {VERSION} (headroom {})", env!("CARGO_PKG_VERSION"));
    context.register_udf(constant("version", DataType::Utf8, ScalarValue::from(version.as_str())));
    context.register_udf(constant("pg_advisory_unlock_all", DataType::Utf8, ScalarValue::Utf8(None)));
    context.register_udf(ScalarUDF::new_from_impl(CurrentSetting::of_session("UTC")));
    Ok(())
}

fn constant(name: &str, kind: DataType, value: ScalarValue) -> ScalarUDF {
    let function = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    create_udf(name, Vec::new(), kind, Volatility::Immutable, Arc::new(function))
}

/// `current_setting(name)`: a setting, or nothing where there is none of that name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting {
    signature: Signature,
    zone: String,
}

impl CurrentSetting {
    fn of_session(zone: &str) -> Self {
        let name = TypeSignature::Exact(vec![DataType::Utf8]);
        let name_or_nothing = TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]);
        Self {
            signature: Signature::one_of(vec![name, name_or_nothing], Volatility::Immutable),
            zone: zone.to_owned(),
        }
    }
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &'static str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
        Some(ScalarUDF::new_from_impl(Self::of_session(zone)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(names) = arrays.first() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)));
        };
        let names = cast(names, &DataType::Utf8)?;
        let value = |name: &str| {
            if name.eq_ignore_ascii_case("timezone") {
                return Some(self.zone.as_str());
            }
            let known = SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            known.map(|(_, value)| *value)
        };
        let values: StringArray = names.as_string::<i32>().iter().map(|name| name.and_then(value)).collect();
        Ok(match &arguments.args[..] {
            [ColumnarValue::Scalar(_), ..] => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            _ => ColumnarValue::Array(Arc::new(values)),
        })
    }
}

/// `information_schema.columns`, with types as PostgreSQL calls them.
fn columns<'a>(catalog: &str, schema: &str, tables: impl Iterator<Item = (&'a str, SchemaRef)>) -> EngineResult<Arc<dyn TableProvider>> {
    let mut rows = Vec::new();
    for (table, columns) in tables {
        for (place, field) in (1_u64..).zip(columns.fields()) {
            rows.push((table, place, Arc::clone(field)));
        }
    }
    let texts = |of: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows.len()).map(of))) };
    let nothing: ArrayRef = Arc::new(StringArray::new_null(rows.len()));
    let no_number: ArrayRef = Arc::new(UInt64Array::new_null(rows.len()));
    let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(_, place, _)| *place)));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("table_catalog", texts(&|_| catalog.to_owned()), false),
        ("table_schema", texts(&|_| schema.to_owned()), false),
        ("table_name", texts(&|row| rows[row].0.to_owned()), false),
        ("column_name", texts(&|row| rows[row].2.name().clone()), false),
        ("ordinal_position", numbers, false),
        ("column_default", Arc::clone(&nothing), true),
        (
            "is_nullable",
            texts(&|row| if rows[row].2.is_nullable() { "YES" } else { "NO" }.to_owned()),
            false,
        ),
        ("data_type", texts(&|row| names(rows[row].2.data_type()).0.to_owned()), false),
        ("character_maximum_length", Arc::clone(&no_number), true),
        ("character_octet_length", Arc::clone(&no_number), true),
        ("numeric_precision", Arc::clone(&no_number), true),
        ("numeric_precision_radix", Arc::clone(&no_number), true),
        ("numeric_scale", Arc::clone(&no_number), true),
        ("datetime_precision", no_number, true),
        ("interval_type", nothing, true),
        ("udt_schema", texts(&|_| "pg_catalog".to_owned()), false),
        ("udt_name", texts(&|row| names(rows[row].2.data_type()).1.to_owned()), false),
    ]);
    let batch = batch.map_err(datafusion::error::DataFusionError::from)?;
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}

/// What PostgreSQL calls a type, in full and in short.
fn names(kind: &DataType) -> (&'static str, &'static str) {
    match kind {
        DataType::Boolean => ("boolean", "bool"),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => ("smallint", "int2"),
        DataType::Int32 | DataType::UInt16 => ("integer", "int4"),
        DataType::Int64 | DataType::UInt32 => ("bigint", "int8"),
        DataType::Float32 => ("real", "float4"),
        DataType::Float64 => ("double precision", "float8"),
        DataType::Date32 | DataType::Date64 => ("date", "date"),
        DataType::Timestamp(_, Some(_)) => ("timestamp with time zone", "timestamptz"),
        DataType::Timestamp(_, None) => ("timestamp without time zone", "timestamp"),
        DataType::List(_) => ("ARRAY", "_text"),
        _ => ("text", "text"),
    }
}
