//! Functions that can make much of little: they are refused before they do.
//!
//! What a function makes is not counted against the memory of its query until it is there. `repeat('x', 2000000000)` is one such
//! step, in a constant even while a plan is made. The functions below say how much they will make from their arguments alone.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

/// How many bytes a function may make of the rows that travel together.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// How much a function makes of its arguments, all rows together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Measure {
    /// A text, so many times.
    Repeat,
    /// A text of so many characters.
    Pad,
    /// A list from here to there.
    Range,
    /// A list of so many of the first argument.
    RepeatInList,
    /// A list of so many.
    Resize,
}

const MEASURES: [(&str, Measure); 7] = [
    ("repeat", Measure::Repeat),
    ("lpad", Measure::Pad),
    ("rpad", Measure::Pad),
    ("range", Measure::Range),
    ("generate_series", Measure::Range),
    ("array_repeat", Measure::RepeatInList),
    ("array_resize", Measure::Resize),
];

/// The function, within limits where it needs some.
pub(super) fn limited(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match MEASURES.iter().find(|(name, _)| *name == function.name()) {
        Some((_, measure)) => Arc::new(ScalarUDF::new_from_impl(Limited {
            function: Arc::clone(function),
            measure: *measure,
        })),
        None => Arc::clone(function),
    }
}

/// A function within limits.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Limited {
    function: Arc<ScalarUDF>,
    measure: Measure,
}

impl ScalarUDFImpl for Limited {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.function.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bytes = self.measure.bytes(&arguments)?;
        if bytes > MOST_BYTES {
            return exec_err!(
                "{}() would make {} MiB at once; at most {} MiB are accepted",
                self.name(),
                bytes / (1024 * 1024),
                MOST_BYTES / (1024 * 1024)
            );
        }
        self.function.invoke_with_args(arguments)
    }
}

impl Measure {
    /// What will be made; nothing of arguments that the function itself refuses.
    fn bytes(self, arguments: &ScalarFunctionArgs) -> Result<u64> {
        // Constants are one row, however many rows travel.
        let constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { arguments.number_rows };
        let arrays = arguments
            .args
            .iter()
            .map(|argument| argument.to_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let rows = 0..rows;
        let sum = |one: &dyn Fn(usize) -> u64| rows.clone().map(one).fold(0_u64, u64::saturating_add);
        Ok(match (self, &arrays[..]) {
            (Self::Repeat, [texts, times]) => {
                let (lengths, times) = (lengths(texts)?, numbers(times)?);
                sum(&|row| lengths(row).saturating_mul(count(&times, row)))
            }
            (Self::Pad, [_, lengths, ..]) => {
                let lengths = numbers(lengths)?;
                // A character may take four bytes.
                sum(&|row| count(&lengths, row).saturating_mul(4))
            }
            (Self::RepeatInList, [items, times]) => {
                let each = (items.get_array_memory_size() / items.len().max(1)).max(8) as u64;
                let times = numbers(times)?;
                sum(&|row| count(&times, row).saturating_mul(each))
            }
            (Self::Resize, [_, lengths, ..]) => {
                let lengths = numbers(lengths)?;
                sum(&|row| count(&lengths, row).saturating_mul(8))
            }
            (Self::Range, [ends]) => {
                let ends = numbers(ends)?;
                sum(&|row| count(&ends, row).saturating_mul(8))
            }
            (Self::Range, [first, last, rest @ ..]) => {
                let (first, last) = (positions(first)?, positions(last)?);
                let step = rest.first().map(steps).transpose()?;
                sum(&|row| {
                    let step = step.as_ref().map_or(1, |step| count(step, row).max(1));
                    let distance = if first.is_null(row) || last.is_null(row) {
                        0
                    } else {
                        first.value(row).abs_diff(last.value(row))
                    };
                    (distance / step).saturating_add(1).saturating_mul(8)
                })
            }
            _ => 0,
        })
    }
}

/// How long texts are, in bytes.
fn lengths(texts: &ArrayRef) -> Result<impl Fn(usize) -> u64 + use<>> {
    let texts = cast(texts, &DataType::LargeUtf8)?;
    Ok(move |row| texts.as_string::<i64>().value(row).len() as u64)
}

fn numbers(array: &ArrayRef) -> Result<Int64Array> {
    Ok(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn count(numbers: &Int64Array, row: usize) -> u64 {
    if numbers.is_null(row) {
        0
    } else {
        numbers.value(row).unsigned_abs()
    }
}

/// Where a range begins or ends: numbers, or microseconds.
fn positions(array: &ArrayRef) -> Result<Int64Array> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            numbers(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?)
        }
        _ => numbers(array),
    }
}

/// How far a step goes, in the same.
fn steps(array: &ArrayRef) -> Result<Int64Array> {
    match array.data_type() {
        DataType::Interval(_) => {
            let intervals = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
            let micros = intervals.as_primitive::<IntervalMonthDayNanoType>().iter().map(|interval| {
                let interval = interval?;
                let days = i64::from(interval.months) * 28 + i64::from(interval.days);
                Some(days.saturating_mul(86_400_000_000).saturating_add(interval.nanoseconds / 1000))
            });
            Ok(micros.collect())
        }
        _ => numbers(array),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_with_a_measure_is_there() {
        use std::any::Any;

        use datafusion::execution::SessionStateBuilder;

        let state = SessionStateBuilder::new().with_default_features().build();
        for (name, measure) in MEASURES {
            let function = state.scalar_functions().get(name).unwrap_or_else(|| panic!("{name}"));
            let limited = limited(function);
            let inner: &dyn Any = limited.inner().as_ref();
            assert_eq!(
                inner.downcast_ref::<Limited>().map(|limited| limited.measure),
                Some(measure),
                "{name}"
            );
        }
    }
}
