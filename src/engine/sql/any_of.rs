//! `equals_any(list, x)`: what `x = ANY (list)` means.
//!
//! A list that is known when the query is planned, such as a parameter, becomes `x IN (…)`, which filters and files understand. The
//! invariant: the same as in PostgreSQL. Without an equal item, a null on either side makes the answer null.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// What SQL is rewritten to.
pub(super) const NAME: &str = "equals_any";

/// How many items of a list are compared as `IN (…)`.
const MOST_ITEMS: usize = 2000;

/// The function.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(EqualsAny {
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EqualsAny {
    signature: Signature,
}

impl ScalarUDFImpl for EqualsAny {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, value] = types else {
            return plan_err!("= ANY takes a value and a list");
        };
        let own = match value {
            DataType::Dictionary(_, values) => values.as_ref(),
            DataType::Null => &DataType::Utf8,
            value => value,
        };
        let kind = match list {
            DataType::Null => own.clone(),
            list => {
                let Some(item) = item_of(list) else {
                    return plan_err!("= ANY expects a list, like ARRAY[1, 2], a parameter or a query, got {list}");
                };
                match (item, own) {
                    (DataType::Null, own) => own.clone(),
                    // Texts in a list are what the value is, as in '{1,2}'.
                    (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, own) => own.clone(),
                    (item, own) => match comparison_coercion(item, own) {
                        Some(kind) => kind,
                        None => return plan_err!("= ANY compares {own} with a list of {item}"),
                    },
                }
            }
        };
        Ok(vec![DataType::List(Arc::new(Field::new_list_field(kind.clone(), true))), kind])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(NAME, DataType::Boolean, true)))
    }

    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let items = match args.first() {
            Some(Expr::Literal(ScalarValue::List(list), _)) if list.len() == 1 && list.is_valid(0) => list.value(0),
            _ => return Ok(ExprSimplifyResult::Original(args)),
        };
        if items.len() > MOST_ITEMS {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let items = (0..items.len()).map(|place| ScalarValue::try_from_array(&items, place));
        let items = items.collect::<Result<Vec<_>>>()?;
        let value = Box::new(args.remove(1));
        Ok(ExprSimplifyResult::Simplified(if items.is_empty() {
            lit(false)
        } else {
            Expr::InList(InList::new(value, items.into_iter().map(lit).collect(), false))
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let (lists, values) = (args.args[0].to_array(rows)?, args.args[1].to_array(rows)?);
        let lists = lists.as_list::<i32>();
        let mut answers = Vec::with_capacity(rows);
        for row in 0..rows {
            if lists.is_null(row) {
                answers.push(None);
                continue;
            }
            let items = lists.value(row);
            if items.is_empty() {
                answers.push(Some(false));
                continue;
            }
            let value = values.slice(row, 1);
            let value = cast(&value, items.data_type())?;
            let equal = eq(&items, &arrow::array::Scalar::new(value))?;
            answers.push(if equal.iter().any(|equal| equal == Some(true)) {
                Some(true)
            } else if equal.null_count() > 0 {
                None
            } else {
                Some(false)
            });
        }
        let answers = BooleanArray::from(answers);
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(answers))
        })
    }
}

/// What the items of a list are.
pub(super) fn item_of(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Some(field.data_type()),
        _ => None,
    }
}
