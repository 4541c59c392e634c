//! `period_start(at, granularity, zone)`: the period that holds an instant.

use std::sync::{Arc, LazyLock};

use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::arguments::{arrays, constant, exactly, granularity, instants, local_type, zone};
use super::documentation::Manual;
use crate::event::instant_type;
use crate::time::Offsets;

/// `period_start(at, granularity, zone)`: on the wall clock of the zone. Granularity and zone must be the same in every row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PeriodStart(Signature);

impl Default for PeriodStart {
    fn default() -> Self {
        Self(exactly(&[instant_type(), DataType::Utf8, DataType::Utf8]))
    }
}

impl ScalarUDFImpl for PeriodStart {
    fn name(&self) -> &'static str {
        "period_start"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(local_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let (Some(length), Some(name)) = (constant(&arrays[1], "granularity")?, constant(&arrays[2], "zone")?) else {
            return Ok(ColumnarValue::Array(Arc::new(TimestampMicrosecondArray::from_iter_values([]))));
        };
        let (length, mut offsets) = (granularity(&length)?, Offsets::new(zone(&name)?));
        let starts: TimestampMicrosecondArray = instants(&arrays[0])?
            .iter()
            .map(|at| at.map(|at| length.start_of(offsets.local(at))))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(starts)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "period_start(at, granularity, zone)",
                description: "The start of the calendar period that holds an instant, on the wall clock of a zone.",
                arguments: &[
                    ("at", "an instant"),
                    (
                        "granularity",
                        "`YEAR`, `QUARTER`, `MONTH`, `WEEK`, `DAY` or `HOUR`; the same in every row",
                    ),
                    ("zone", "an IANA zone; the same in every row"),
                ],
                example: concat!(
                    "SELECT period_start(at, 'MONTH', 'Europe/Berlin') AS month, sum(licenses) AS denied\n",
                    "FROM denials GROUP BY month;",
                ),
                answer: concat!(
                    " month               | denied\n",
                    "---------------------+--------\n",
                    " 2026-03-01 00:00:00 |      4\n",
                    "(1 row)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
