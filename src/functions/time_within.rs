//! `time_within(started, ended, hours)`: how much of an interval lies inside windows.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, Int64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::arguments::{Hours, arrays, exactly, hours_type, instants, overlapping};
use super::documentation::Manual;
use crate::event::instant_type;

/// `time_within(started, ended, working_hours(…))`: real µs of `[started, ended)` inside the windows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeWithin(Signature);

impl Default for TimeWithin {
    fn default() -> Self {
        Self(exactly(&[instant_type(), instant_type(), hours_type()]))
    }
}

impl ScalarUDFImpl for TimeWithin {
    fn name(&self) -> &'static str {
        "time_within"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let (started, ended) = (instants(&arrays[0])?, instants(&arrays[1])?);
        let windows = Hours::read(&arrays[2])?.map(Hours::windows).unwrap_or_default();
        let within = |row: usize| {
            let inside = overlapping(&windows, started.value(row), ended.value(row));
            inside.map(|window| window.end() - window.start()).sum::<i64>()
        };
        let micros: Int64Array = (0..started.len())
            .map(|row| (started.is_valid(row) && ended.is_valid(row)).then(|| within(row)))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(micros)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "time_within(started, ended, hours)",
                description: "How much of an interval lies inside working hours, in real microseconds.",
                arguments: &[
                    ("started", "the first instant of the interval"),
                    ("ended", "its end, not included"),
                    ("hours", "`working_hours(…)`, the same in every row"),
                ],
                example: concat!(
                    "SELECT sum(time_within(started, ended, working_hours(DATE '2026-03-02', DATE '2026-03-03', '09:00', '17:00', 'Europe/Berlin'))) / 1000000 AS seconds\n",
                    "FROM uptime WHERE server_id = 1;",
                ),
                answer: concat!(
                    " seconds\n",
                    "---------\n",
                    "   50395\n",
                    "(1 row)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
