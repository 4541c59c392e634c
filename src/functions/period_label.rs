//! `period_label(start, granularity)`: how a period is written.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray as _, StringArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::arguments::{arrays, constant, exactly, granularity, local_type};
use super::documentation::Manual;

/// `period_label(start, granularity)`: the text of the period that starts at a wall-clock time, like `2019-Q2`. The granularity
/// must be the same in every row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PeriodLabel(Signature);

impl Default for PeriodLabel {
    fn default() -> Self {
        Self(exactly(&[local_type(), DataType::Utf8]))
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
        let starts = arrays[0].as_primitive::<TimestampMicrosecondType>();
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
