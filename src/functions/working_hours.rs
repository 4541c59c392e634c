//! `working_hours(first, last, opens, closes, zone)`: windows on every day of a range, as an argument of other functions.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{Hours, arrays, exactly, hours_type};
use super::documentation::Manual;

/// `working_hours(first DATE, last DATE, opens 'HH:MM', closes 'HH:MM', zone)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WorkingHoursFunction(Signature);

impl Default for WorkingHoursFunction {
    fn default() -> Self {
        Self(exactly(&[
            DataType::Date32,
            DataType::Date32,
            DataType::Utf8,
            DataType::Utf8,
            DataType::Utf8,
        ]))
    }
}

impl ScalarUDFImpl for WorkingHoursFunction {
    fn name(&self) -> &'static str {
        "working_hours"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(hours_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_constant = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let DataType::Struct(fields) = hours_type() else {
            return exec_err!("working_hours is a struct");
        };
        let hours: ArrayRef = Arc::new(StructArray::try_new(Fields::clone(&fields), arrays(&args)?, None)?);
        Hours::read(&hours)?; // what makes no sense is refused here, where the words still say what it was
        if all_constant && hours.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&hours, 0)?));
        }
        Ok(ColumnarValue::Array(hours))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "working_hours(first, last, opens, closes, zone)",
                description: "Working hours on every day of a range, as an argument of other functions: from opening to closing \
                              time on the wall clock. Closing before opening is the next morning; equal to it, a whole day later.",
                arguments: &[
                    ("first", "the first day"),
                    ("last", "the last day, included"),
                    ("opens", "when they begin, as in `'09:00'`"),
                    ("closes", "when they end, `'24:00'` at the latest"),
                    ("zone", "an IANA zone, whose clock it is"),
                ],
                example: "SELECT working_hours(DATE '2026-03-02', DATE '2026-03-03', '09:00', '17:00', 'Europe/Berlin') AS hours;",
                answer: concat!(
                    " hours\n",
                    "-----------------------------------------------------------------------------------------\n",
                    " {first: 2026-03-02, last: 2026-03-03, opens: 09:00, closes: 17:00, zone: Europe/Berlin}\n",
                    "(1 row)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
