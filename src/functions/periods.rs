//! `periods(first, last, granularity)`: every period of a range.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray as _, ListArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Date32Type, Field};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::arguments::{arrays, constant, granularity, local_type};
use super::documentation::Manual;
use crate::time::{Day, MOST_PERIODS};

/// `periods(first DATE, last DATE, granularity)`: the wall-clock starts of all periods that share a day with the range.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Periods(Signature);

impl Default for Periods {
    fn default() -> Self {
        // Millions of periods must not become a constant of the plan: the planner would copy and compare them over and over.
        // It leaves alone what it takes for volatile.
        let types = vec![DataType::Date32, DataType::Date32, DataType::Utf8];
        Self(Signature::exact(types, Volatility::Volatile))
    }
}

impl ScalarUDFImpl for Periods {
    fn name(&self) -> &'static str {
        "periods"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(local_type(), true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let (first, last) = (arrays[0].as_primitive::<Date32Type>(), arrays[1].as_primitive::<Date32Type>());
        let length = constant(&arrays[2], "granularity")?.map(|name| granularity(&name)).transpose()?;
        let mut starts = Vec::new();
        let mut lengths = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let before = starts.len();
            if let Some(length) = length {
                let (first, last) = (Day(first.value(row)), Day(last.value(row)));
                starts.extend(length.starts(first, last).take(MOST_PERIODS + 1 - before));
            }
            if starts.len() > MOST_PERIODS {
                return exec_err!("a range of more than {MOST_PERIODS} periods");
            }
            lengths.push(starts.len() - before);
        }
        let values = Arc::new(TimestampMicrosecondArray::from(starts));
        let item = Arc::new(Field::new_list_field(local_type(), true));
        let list = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, None)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "periods(first, last, granularity)",
                description: "The starts of all calendar periods that share a day with a range, on the wall clock: a list, of at \
                              most 5,000,000.",
                arguments: &[
                    ("first", "the first day"),
                    ("last", "the last day, included"),
                    ("granularity", "their length, as in `period_start`; the same in every row"),
                ],
                example: "SELECT unnest(periods(DATE '2026-01-31', DATE '2026-03-01', 'MONTH')) AS month;",
                answer: concat!(
                    " month\n",
                    "---------------------\n",
                    " 2026-01-01 00:00:00\n",
                    " 2026-02-01 00:00:00\n",
                    " 2026-03-01 00:00:00\n",
                    "(3 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}
