//! `working_time(hours)`: how long windows are by the clock on the wall.

use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{Hours, arrays, exactly, hours_type};

/// `working_time(working_hours(…))`: days × (closes − opens) in µs, whatever clocks did on those days.
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
        let micros = hours.map(|hours| hours.first.to(hours.last).len() as i64 * hours.hours.nominal());
        Ok(ColumnarValue::Scalar(ScalarValue::Int64(micros)))
    }
}
