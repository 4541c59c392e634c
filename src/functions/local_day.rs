//! `local_day(at, zone)`: the calendar day of an instant.

use std::sync::Arc;

use arrow::array::Date32Array;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::arguments::{arrays, constant, exactly, instants, zone};
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
}
