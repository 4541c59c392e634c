//! `working_hours(first, last, opens, closes, zone, weekdays, holidays)`: windows on the days of a range, as an argument of other
//! functions. The last two may be missing or null: then every day counts.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility};
use datafusion::scalar::ScalarValue;

use super::arguments::{Hours, arrays, hours_type};
use super::documentation::Manual;

/// `working_hours(first DATE, last DATE, opens 'HH:MM', closes 'HH:MM', zone, weekdays 'mon-fri', holidays '2026-12-25,…')`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WorkingHoursFunction(Signature);

impl Default for WorkingHoursFunction {
    fn default() -> Self {
        let of = |texts: usize| TypeSignature::Exact([vec![DataType::Date32; 2], vec![DataType::Utf8; texts]].concat());
        Self(Signature::one_of(vec![of(3), of(4), of(5)], Volatility::Immutable))
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
        let mut given = arrays(&args)?;
        for (place, every_day) in [(5, "mon-sun"), (6, "")] {
            match given.get_mut(place) {
                Some(texts) if texts.null_count() > 0 => *texts = or_else(texts, every_day),
                Some(_) => {}
                None => given.push(Arc::new(StringArray::from(vec![every_day; args.number_rows]))),
            }
        }
        let hours: ArrayRef = Arc::new(StructArray::try_new(Fields::clone(&fields), given, None)?);
        Hours::read(&hours)?; // what makes no sense is refused here, where the words still say what it was
        if all_constant && hours.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&hours, 0)?));
        }
        Ok(ColumnarValue::Array(hours))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "working_hours(first, last, opens, closes, zone, weekdays, holidays)",
                description: "Working hours on the days of a range, as an argument of other functions: from opening to closing \
                              time on the wall clock. Closing before opening is the next morning; equal to it, a whole day later. \
                              The hours belong to the day on which they begin.",
                arguments: &[
                    ("first", "the first day"),
                    ("last", "the last day, included"),
                    ("opens", "when they begin, as in `'09:00'`"),
                    ("closes", "when they end, `'24:00'` at the latest"),
                    ("zone", "an IANA zone, whose clock it is"),
                    ("weekdays", "the weekdays that count, as in `'mon-fri'` or `'1,3,5'`; null or missing for all"),
                    ("holidays", "the days that do not count, as in `'2026-01-01,2026-12-24..2026-12-26'`; null or missing for none"),
                ],
                example: "SELECT working_hours(DATE '2026-03-02', DATE '2026-03-03', '09:00', '17:00', 'Europe/Berlin') AS hours;",
                answer: concat!(
                    " hours\n",
                    "------------------------------------------------------------------------------------------------------------------------\n",
                    " {first: 2026-03-02, last: 2026-03-03, opens: 09:00, closes: 17:00, zone: Europe/Berlin, weekdays: mon-sun, holidays: }\n",
                    "(1 row)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

/// Puts a text in the place of nulls.
fn or_else(texts: &ArrayRef, text: &str) -> ArrayRef {
    let texts = texts.as_string::<i32>().iter().map(|known| Some(known.unwrap_or(text)));
    Arc::new(texts.collect::<StringArray>())
}
