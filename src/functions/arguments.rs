//! Reading what a function is given.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, Int32Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Int32Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarFunctionArgs, Signature, TypeSignature, Volatility};
use datafusion::scalar::ScalarValue;

use crate::event::{instant_type, text_type};
use crate::time::{Day, Granularity, ParseTimeError, Window, Workdays, WorkingHours, Zone};

/// A signature of exactly these types; DataFusion casts what it is given to them.
pub(super) fn exactly(types: &[DataType]) -> Signature {
    Signature::exact(types.to_vec(), Volatility::Immutable)
}

/// A signature of an interval, a number of licenses or a holder's name, and what follows.
pub(super) fn of_holder(rest: &[DataType]) -> Signature {
    // Names come as they are stored; a cast to plain strings would cost more than the function.
    let of = |name: DataType| TypeSignature::Exact([&[name, instant_type(), instant_type()], rest].concat());
    Signature::one_of(vec![of(text_type()), of(DataType::Utf8)], Volatility::Immutable)
}

/// The value that an argument has in every row; nothing where there is no row.
pub(super) fn constant(array: &ArrayRef, what: &str) -> Result<Option<String>> {
    if array.is_empty() {
        return Ok(None);
    }
    let texts = cast(array, &DataType::Utf8)?;
    if texts.is_null(0) {
        return exec_err!("{what} must not be null");
    }
    Ok(Some(texts.as_string::<i32>().value(0).to_owned()))
}

/// A zone by name.
pub(super) fn zone(name: &str) -> Result<Zone> {
    name.parse().or_else(|error: ParseTimeError| exec_err!("{error}"))
}

/// A granularity by name or number.
pub(super) fn granularity(name: &str) -> Result<Granularity> {
    name.parse().or_else(|error: ParseTimeError| exec_err!("{error}"))
}

/// The arguments of a scalar function as arrays of one length.
pub(super) fn arrays(args: &ScalarFunctionArgs) -> Result<Vec<ArrayRef>> {
    args.args.iter().map(|value| value.to_array(args.number_rows)).collect()
}

/// A column of instants.
pub(super) fn instants(array: &ArrayRef) -> Result<&TimestampMicrosecondArray> {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Ok(instants),
        None => exec_err!("expected instants, got {}", array.data_type()),
    }
}

/// A column of whole numbers.
pub(super) fn integers(array: &ArrayRef) -> Result<&Int32Array> {
    match array.as_primitive_opt::<Int32Type>() {
        Some(integers) => Ok(integers),
        None => exec_err!("expected integers, got {}", array.data_type()),
    }
}

/// The type of `working_hours(…)`: what was asked for, not the windows, so that a constant stays small in every row.
pub(super) fn hours_type() -> DataType {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let date = |name: &str| Field::new(name, DataType::Date32, false);
    DataType::Struct(
        vec![
            date("first"),
            date("last"),
            text("opens"),
            text("closes"),
            text("zone"),
            text("weekdays"),
            text("holidays"),
        ]
        .into(),
    )
}

/// What `working_hours(…)` asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) hours: WorkingHours,
    pub(super) first: Day,
    pub(super) last: Day,
    pub(super) zone: Zone,
    pub(super) workdays: Workdays,
}

impl Hours {
    /// Reads the argument, which must be the same in every row; nothing where there is no row.
    pub(super) fn read(array: &ArrayRef) -> Result<Option<Self>> {
        let Some(fields) = array.as_struct_opt() else {
            return plan_err!("expected working_hours(…), got {}", array.data_type());
        };
        if array.is_empty() {
            return Ok(None);
        }
        let day = |place: usize| Day(fields.column(place).as_primitive::<Date32Type>().value(0));
        let text = |place: usize| fields.column(place).as_string::<i32>().value(0);
        fn read<T: FromStr<Err = ParseTimeError>>(text: &str) -> Result<T> {
            text.parse().or_else(|error: ParseTimeError| exec_err!("{error}"))
        }
        Ok(Some(Self {
            hours: WorkingHours {
                start: read(text(2))?,
                end: read(text(3))?,
            },
            first: day(0),
            last: day(1),
            zone: zone(text(4))?,
            workdays: Workdays {
                weekdays: read(text(5))?,
                holidays: read(text(6))?,
            },
        }))
    }

    /// The windows of all days that count.
    pub(super) fn windows(self) -> Vec<Window> {
        self.hours.windows_on(self.workdays.of(self.first, self.last), self.zone)
    }

    /// Returns how long the windows are by the clock on the wall, whatever clocks did on these days.
    pub(super) fn nominal(&self) -> i64 {
        self.workdays.of(self.first, self.last).count() as i64 * self.hours.nominal()
    }
}

/// The windows of a constant `working_hours(…)`; nothing if it is none.
pub(crate) fn windows_of(hours: &ScalarValue) -> Option<Vec<Window>> {
    let hours = Hours::read(&hours.to_array().ok()?).ok()??;
    Some(hours.windows())
}

/// The windows that share an instant with `[started, ended)`.
pub(super) fn overlapping(windows: &[Window], started: i64, ended: i64) -> impl Iterator<Item = Window> + '_ {
    let first = windows.partition_point(|window| window.end() <= started);
    windows[first..]
        .iter()
        .map_while(move |window| (window.start() < ended).then(|| window.intersect(started, ended)))
        .flatten()
}

/// A wall-clock time without a zone.
pub(super) fn local_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// A list whose items are structs of these fields.
pub(super) fn list_of(fields: Vec<Field>) -> DataType {
    DataType::List(item(fields))
}

/// The field of the items of such a list.
pub(super) fn item(fields: Vec<Field>) -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields.into()), true))
}

/// One list of structs of these fields.
pub(super) fn list_of_structs(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Result<ScalarValue> {
    let values = StructArray::try_new(fields.clone().into(), columns, None)?;
    let list = ListArray::try_new(item(fields), OffsetBuffer::from_lengths([values.len()]), Arc::new(values), None)?;
    Ok(ScalarValue::List(Arc::new(list)))
}

/// One list of values.
pub(super) fn list(values: ArrayRef) -> Result<ScalarValue> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(item, offsets, values, None)?)))
}
