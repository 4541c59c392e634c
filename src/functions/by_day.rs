//! `by_day(first, last, lists)`: what several lists say of each day, side by side.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, Date32Array, ListArray, StructArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Date32Type, Field, Fields};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::arguments::{arrays, item, list_of};
use super::documentation::Manual;
use crate::time::{Day, MOST_PERIODS};

const DAY: &str = "day";

/// `by_day(first DATE, last DATE, list, …)`: a list of `{day, list_1, …}` of every day of a range and of the lists, which are of
/// structs with a `day`. Where a list says nothing of a day, its numbers are 0 and all else is null.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ByDay(Signature);

impl Default for ByDay {
    fn default() -> Self {
        // As of periods, millions of days must not become a constant of the plan.
        Self(Signature::user_defined(Volatility::Volatile))
    }
}

/// What a list of structs with a `day` says besides it; nothing if it is none.
fn told(list: &DataType) -> Option<Fields> {
    let DataType::List(item) = list else {
        return None;
    };
    let DataType::Struct(fields) = item.data_type() else {
        return None;
    };
    let (_, day) = fields.find(DAY)?;
    let others = fields.iter().filter(|field| field.name() != DAY).map(|field| {
        let is_never_null = field.data_type().is_numeric() && !field.is_nullable();
        Field::new(field.name(), field.data_type().clone(), !is_never_null)
    });
    (*day.data_type() == DataType::Date32).then(|| others.collect())
}

fn fields(lists: &[DataType]) -> Result<Vec<Field>> {
    let mut fields = vec![Field::new(DAY, DataType::Date32, false)];
    for (place, list) in lists.iter().enumerate() {
        match told(list) {
            Some(told) => fields.push(Field::new_struct(format!("list_{}", place + 1), told, false)),
            None => return plan_err!("by_day expects lists of structs that have a day of type DATE, got {list}"),
        }
    }
    Ok(fields)
}

impl ScalarUDFImpl for ByDay {
    fn name(&self) -> &'static str {
        "by_day"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_, _, lists @ ..] if !lists.is_empty() => {
                fields(lists)?;
                let range = [DataType::Date32, DataType::Date32];
                Ok(range.into_iter().chain(lists.iter().cloned()).collect())
            }
            _ => plan_err!("by_day expects two days and a list, or several lists"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(list_of(fields(given.get(2..).unwrap_or_default())?))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = arrays(&args)?;
        let (first, last) = (arrays[0].as_primitive::<Date32Type>(), arrays[1].as_primitive::<Date32Type>());
        let lists: Vec<List<'_>> = arrays[2..].iter().map(List::of).collect::<Result<_>>()?;
        let mut days: Vec<i32> = Vec::new();
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); lists.len()];
        let mut lengths = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let mut of_row: Vec<i32> = lists.iter().flat_map(|list| list.days_of(row)).map(|(day, _)| day).collect();
            if first.is_valid(row) && last.is_valid(row) {
                of_row.extend((first.value(row)..=last.value(row)).take(MOST_PERIODS + 1));
            }
            of_row.sort_unstable();
            of_row.dedup();
            if days.len() + of_row.len() > MOST_PERIODS {
                return exec_err!("a range of more than {MOST_PERIODS} days");
            }
            for (number, (list, places)) in lists.iter().zip(&mut places).enumerate() {
                let before = places.len();
                places.resize(before + of_row.len(), list.nothing());
                for (day, place) in list.days_of(row) {
                    let of_day = of_row.partition_point(|known| *known < day);
                    let known = std::mem::replace(&mut places[before + of_day], place);
                    if known != list.nothing() {
                        return exec_err!("list {} of by_day tells of {} more than once", number + 1, Day(day));
                    }
                }
            }
            lengths.push(of_row.len());
            days.append(&mut of_row);
        }
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Date32Array::from(days))];
        for (list, places) in lists.iter().zip(places) {
            columns.push(Arc::new(list.at(&places.into())?));
        }
        let types: Vec<DataType> = arrays[2..].iter().map(|list| list.data_type().clone()).collect();
        let fields = fields(&types)?;
        let values = StructArray::try_new(fields.clone().into(), columns, None)?;
        let list = ListArray::try_new(item(fields), OffsetBuffer::from_lengths(lengths), Arc::new(values), None)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "by_day(first, last, lists)",
                description: "What one or more lists say of each day, side by side: a list of `{day, list_1, list_2, …}`, one for \
                              every day of a range and of the lists, in order. Where a list says nothing of a day, its numbers are \
                              0.",
                arguments: &[
                    ("first", "the first day"),
                    ("last", "the last day, included; with the days of the lists, at most 5,000,000"),
                    (
                        "lists",
                        "lists of structs that have a `day`, each day once, such as those of `active_users` and `daily_peak`",
                    ),
                ],
                example: concat!(
                    "SELECT told['day'] AS day, told['list_1']['daily'] AS users, told['list_2']['peak'] AS hosts\n",
                    "FROM (\n",
                    "    SELECT unnest(by_day(\n",
                    "        DATE '2026-03-01',\n",
                    "        DATE '2026-03-03',\n",
                    "        active_users(user_name, started, ended, 'Europe/Berlin'),\n",
                    "        daily_peak(host, started, ended, 'Europe/Berlin')\n",
                    "    )) AS told\n",
                    "    FROM sessions\n",
                    ")\n",
                    "WHERE told['day'] < DATE '2026-03-04'\n",
                    "ORDER BY day;",
                ),
                answer: concat!(
                    " day        | users | hosts\n",
                    "------------+-------+-------\n",
                    " 2026-03-01 |     0 |     0\n",
                    " 2026-03-02 |     3 |     2\n",
                    " 2026-03-03 |     4 |     3\n",
                    "(3 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

/// A column of lists, the structs in them, and the days that these are of.
struct List<'a> {
    list: &'a ListArray,
    values: &'a StructArray,
    days: &'a Date32Array,
}

impl<'a> List<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        let list = array.as_list_opt::<i32>();
        let values = list.and_then(|list| list.values().as_struct_opt());
        let days = values.and_then(|values| values.column_by_name(DAY)?.as_primitive_opt());
        match (list, values, days) {
            (Some(list), Some(values), Some(days)) => Ok(Self { list, values, days }),
            _ => exec_err!("by_day expected a list of structs with a day, got {}", array.data_type()),
        }
    }

    /// The place of what is told of a day when nothing is: after all structs.
    fn nothing(&self) -> u32 {
        self.values.len() as u32
    }

    /// What is told at some places, without the day.
    fn at(&self, places: &UInt32Array) -> Result<StructArray> {
        let mut columns = Vec::new();
        let (fields, count) = (told(self.list.data_type()).unwrap_or_default(), places.len());
        for field in &fields {
            let Some(column) = self.values.column_by_name(field.name()) else {
                return exec_err!("by_day found no {}", field.name());
            };
            let nothing = match field.data_type().is_numeric() {
                true => ScalarValue::new_zero(field.data_type())?,
                false => ScalarValue::try_new_null(field.data_type())?,
            };
            let all = concat(&[column, &nothing.to_array()?])?;
            columns.push(take(&all, places, None)?);
        }
        Ok(StructArray::try_new_with_length(fields, columns, None, count)?)
    }

    /// The days of a row's list, and where they are told of.
    fn days_of(&self, row: usize) -> impl Iterator<Item = (i32, u32)> + '_ {
        let offsets = self.list.value_offsets();
        let range = if self.list.is_valid(row) {
            offsets[row]..offsets[row + 1]
        } else {
            0..0
        };
        let there = range.filter_map(|place| u32::try_from(place).ok());
        let is_told = |place: &u32| self.values.is_valid(*place as usize) && self.days.is_valid(*place as usize);
        there.filter(is_told).map(|place| (self.days.value(place as usize), place))
    }
}
