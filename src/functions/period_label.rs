//! `period_label(start, granularity)`: how a period is written.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility};

use super::arguments::{arrays, constant, granularity, local_type};
use super::documentation::Manual;

/// `period_label(start, granularity)`: the text of the period that starts at a wall-clock time, like `2019-Q2`. The granularity
/// must be the same in every row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PeriodLabel(Signature);

impl Default for PeriodLabel {
    fn default() -> Self {
        // What `period_start` gives; a time that is typed; a day.
        let starts = [local_type(), DataType::Timestamp(TimeUnit::Nanosecond, None), DataType::Date32];
        let of = |start: DataType| TypeSignature::Exact(vec![start, DataType::Utf8]);
        Self(Signature::one_of(starts.map(of).to_vec(), Volatility::Immutable))
    }
}

impl ScalarUDFImpl for PeriodLabel {
    fn name(&self) -> &'static str {
        "period_label"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let Some(length) = constant(&arrays[1], "granularity")? else {
            return Ok(ColumnarValue::Array(Arc::new(StringArray::from_iter_values([""; 0]))));
        };
        let length = granularity(&length)?;
        let starts = cast(&arrays[0], &local_type())?;
        let starts = starts.as_primitive::<TimestampMicrosecondType>();
        let labels: StringArray = starts.iter().map(|start| start.map(|start| length.label(start))).collect();
        Ok(ColumnarValue::Array(Arc::new(labels)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "period_label(start, granularity)",
                description: "How a calendar period is written, like `2019-Q2`.",
                arguments: &[
                    ("start", "its start on the wall clock"),
                    ("granularity", "its length, as in `period_start`; the same in every row"),
                ],
                example: concat!(
                    "SELECT period_label(period_start(at, 'QUARTER', 'Europe/Berlin'), 'QUARTER') AS quarter, sum(licenses) AS denied\n",
                    "FROM denials GROUP BY quarter;",
                ),
                answer: concat!(" quarter | denied\n", "---------+--------\n", " 2026-Q1 |      4\n", "(1 row)",),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
