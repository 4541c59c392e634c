//! Functions that tools of PostgreSQL call and that say the same of everything here.
//!
//! The invariant: they know nothing of a store. What they describe, sizes and owners, does not exist.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Signature, SimpleScalarUDF, TypeSignature, Volatility};
use datafusion::prelude::SessionContext;

use super::catalog::FIRST_FUNCTION;
use crate::functions::FUNCTIONS;

/// Whether something is visible or allowed, which it is.
const TRUE: &[&str] = &[
    "pg_collation_is_visible",
    "pg_conversion_is_visible",
    "pg_function_is_visible",
    "pg_opclass_is_visible",
    "pg_operator_is_visible",
    "pg_opfamily_is_visible",
    "pg_statistics_obj_is_visible",
    "pg_ts_config_is_visible",
    "pg_ts_dict_is_visible",
    "pg_ts_parser_is_visible",
    "pg_ts_template_is_visible",
    "pg_type_is_visible",
    "pg_has_role",
    "has_column_privilege",
    "has_function_privilege",
    "has_language_privilege",
    "has_sequence_privilege",
    "has_tablespace_privilege",
    "has_type_privilege",
];
const FALSE: &[&str] = &["pg_is_in_recovery", "pg_is_other_temp_schema"];
/// Texts of which there are none.
const NO_TEXT: &[&str] = &[
    "col_description",
    "obj_description",
    "shobj_description",
    "inet_client_addr",
    "inet_server_addr",
    "pg_describe_object",
    "pg_get_function_result",
    "pg_get_function_sqlbody",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_triggerdef",
    "pg_get_viewdef",
    "pg_relation_filepath",
    "pg_tablespace_location",
];
/// Numbers that are 0.
const ZERO: &[&str] = &[
    "pg_database_size",
    "pg_indexes_size",
    "pg_my_temp_schema",
    "pg_stat_get_live_tuples",
    "pg_table_size",
    "pg_tablespace_size",
    "txid_current",
];

/// Teaches a session these functions.
pub(super) fn register(context: &SessionContext) {
    let names = |names: &'static [&'static str], value: ScalarValue| {
        for name in names {
            context.register_udf(constant(name, &value));
        }
    };
    names(TRUE, ScalarValue::Boolean(Some(true)));
    names(FALSE, ScalarValue::Boolean(Some(false)));
    names(NO_TEXT, ScalarValue::Utf8(None));
    names(ZERO, ScalarValue::Int64(Some(0)));
    context.register_udf(constant("getdatabaseencoding", &ScalarValue::from("UTF8")));
    let set = Signature::any(3, Volatility::Stable);
    // Nothing is set by it: it answers the value, as if it were.
    let value = |arguments: &[ColumnarValue]| match arguments {
        [_, value, _] => value.cast_to(&DataType::Utf8, None),
        _ => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
    };
    let set = SimpleScalarUDF::new_with_signature("set_config", set, DataType::Utf8, Arc::new(value));
    context.register_udf(ScalarUDF::from(set));
    // The number of UTF-8, which is the only one.
    context.register_udf(constant("pg_char_to_encoding", &ScalarValue::Int32(Some(6))));
    for name in ["pg_get_function_arguments", "pg_get_function_identity_arguments"] {
        context.register_udf(of_one(name, &[DataType::Int32], arguments_of));
    }
    context.register_udf(of_one("pg_size_pretty", &[DataType::Int64], pretty));
}

/// A function that answers the same, whatever it is asked.
fn constant(name: &str, value: &ScalarValue) -> ScalarUDF {
    let (kind, value) = (value.data_type(), value.clone());
    let anything = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], Volatility::Stable);
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    ScalarUDF::from(SimpleScalarUDF::new_with_signature(name, anything, kind, Arc::new(answer)))
}

fn of_one(name: &str, types: &[DataType], answer: fn(&ArrayRef) -> Result<StringArray>) -> ScalarUDF {
    let answer = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = answer(&arrays[0])?;
        Ok(match arguments {
            [ColumnarValue::Scalar(_), ..] => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            _ => ColumnarValue::Array(Arc::new(texts)),
        })
    };
    let signature = Signature::exact(types.to_vec(), Volatility::Stable);
    ScalarUDF::from(SimpleScalarUDF::new_with_signature(
        name,
        signature,
        DataType::Utf8,
        Arc::new(answer),
    ))
}

/// The arguments of this project's functions; others have none to tell.
fn arguments_of(numbers: &ArrayRef) -> Result<StringArray> {
    let numbers = cast(numbers, &DataType::Int32)?;
    let arguments = |number: Option<i32>| {
        let place = usize::try_from(number?.checked_sub(FIRST_FUNCTION)?).ok()?;
        let told = FUNCTIONS.get(place)?.documentation()?.arguments?;
        Some(told.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", "))
    };
    Ok(numbers.as_primitive::<Int32Type>().iter().map(arguments).collect())
}

/// Sizes as PostgreSQL prints them.
fn pretty(sizes: &ArrayRef) -> Result<StringArray> {
    let sizes = cast(sizes, &DataType::Int64)?;
    let told = |size: i64| {
        let (mut size, mut unit) = (size, "bytes");
        for next in ["kB", "MB", "GB", "TB", "PB"] {
            if size.abs() < 10 * 1024 {
                break;
            }
            size = (size + 512) / 1024;
            unit = next;
        }
        format!("{size} {unit}")
    };
    Ok(sizes.as_primitive::<Int64Type>().iter().map(|size| size.map(told)).collect())
}
