//! `working_time(hours)`: how long windows are by the clock on the wall.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{Hours, arrays, exactly, hours_type};
use super::documentation::Manual;

/// `working_time(working_hours(…))`: days that count × (closes − opens) in µs, whatever clocks did on those days.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WorkingTime(Signature);

impl Default for WorkingTime {
    fn default() -> Self {
        Self(exactly(&[hours_type()]))
    }
}

impl ScalarUDFImpl for WorkingTime {
    fn name(&self) -> &'static str {
        "working_time"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let hours = Hours::read(&arrays(&args)?[0])?;
        let micros = hours.map(|hours| hours.nominal());
        Ok(ColumnarValue::Scalar(ScalarValue::Int64(micros)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "working_time(hours)",
                description: "How long working hours are by the clock on the wall, in microseconds: days that count times the time from \
                              opening to closing, whatever clocks did on those days.",
                arguments: &[
                    ("hours", "`working_hours(…)`, the same in every row"),
                ],
                example: "SELECT working_time(working_hours(DATE '2026-03-02', DATE '2026-03-03', '09:00', '17:00', 'Europe/Berlin')) / 3600000000 AS hours;",
                answer: concat!(
                    " hours\n",
                    "-------\n",
                    "    16\n",
                    "(1 row)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
