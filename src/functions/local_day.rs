//! `local_day(at, zone)`: the calendar day of an instant.

use std::sync::{Arc, LazyLock};

use arrow::array::Date32Array;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::arguments::{arrays, constant, exactly, instants, zone};
use super::documentation::Manual;
use crate::event::instant_type;
use crate::time::Offsets;

/// `local_day(at, zone)`; the zone must be the same in every row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LocalDay(Signature);

impl Default for LocalDay {
    fn default() -> Self {
        Self(exactly(&[instant_type(), DataType::Utf8]))
    }
}

impl ScalarUDFImpl for LocalDay {
    fn name(&self) -> &'static str {
        "local_day"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let Some(name) = constant(&arrays[1], "zone")? else {
            return Ok(ColumnarValue::Array(Arc::new(Date32Array::from_iter_values([]))));
        };
        let mut offsets = Offsets::new(zone(&name)?);
        let days: Date32Array = instants(&arrays[0])?.iter().map(|at| at.map(|at| offsets.day_of(at).0)).collect();
        Ok(ColumnarValue::Array(Arc::new(days)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "local_day(at, zone)",
                description: "The calendar day of an instant, where the clock of a zone hangs.",
                arguments: &[("at", "an instant"), ("zone", "an IANA zone; the same in every row")],
                example: concat!(
                    "SELECT user_name, local_day(at, 'Pacific/Kiritimati') AS day\n",
                    "FROM denials WHERE feature_id = 2 ORDER BY at;",
                ),
                answer: concat!(
                    " user_name | day\n",
                    "-----------+------------\n",
                    " cleo      | 2026-03-02\n",
                    " ben       | 2026-03-03\n",
                    "(2 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
