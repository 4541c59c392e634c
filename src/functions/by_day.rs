//! `by_day(first, last, lists)`: what several lists say of each day, side by side.

use std::collections::BTreeMap;
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
            let mut of_row: BTreeMap<i32, Vec<Option<u32>>> = BTreeMap::new();
            if first.is_valid(row) && last.is_valid(row) {
                let range = (first.value(row)..=last.value(row)).take(MOST_PERIODS + 1);
                of_row.extend(range.map(|day| (day, vec![None; lists.len()])));
            }
            for (list, listed) in lists.iter().enumerate() {
                for (day, place) in listed.days_of(row) {
                    let known = of_row.entry(day).or_insert_with(|| vec![None; lists.len()]);
                    if known[list].replace(place).is_some() {
                        return exec_err!("list {} of by_day tells of {} more than once", list + 1, Day(day));
                    }
                }
            }
            if days.len() + of_row.len() > MOST_PERIODS {
                return exec_err!("a range of more than {MOST_PERIODS} days");
            }
            lengths.push(of_row.len());
            for (day, of_day) in of_row {
                days.push(day);
                for ((list, places), place) in lists.iter().zip(&mut places).zip(of_day) {
                    places.push(place.unwrap_or_else(|| list.nothing()));
                }
            }
        }
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Date32Array::from(days))];
        for (list, places) in lists.iter().zip(places) {
            columns.push(Arc::new(list.at(places.into())?));
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
    fn at(&self, places: UInt32Array) -> Result<StructArray> {
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
            columns.push(take(&all, &places, None)?);
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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use arrow::array::Int64Array;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    /// Two columns of lists, a row each; and a range of days for each row.
    fn ask(rows: [&[Option<(i32, i64)>]; 2], range: Range<i32>) -> Result<Vec<String>> {
        let lists = rows.map(|told| {
            let fields = vec![Field::new("day", DataType::Date32, true), Field::new("n", DataType::Int64, true)];
            let days: Date32Array = told.iter().map(|told| told.map(|(day, _)| day)).collect();
            let counts: Int64Array = told.iter().map(|told| told.map(|(_, n)| n)).collect();
            let values = StructArray::try_new(fields.clone().into(), vec![Arc::new(days), Arc::new(counts)], None).unwrap();
            let offsets = OffsetBuffer::from_lengths([values.len()]);
            Arc::new(ListArray::try_new(item(fields), offsets, Arc::new(values), None).unwrap()) as ArrayRef
        });
        let [one, other] = lists;
        let batch = arrow::array::RecordBatch::try_from_iter([("one", one), ("other", other)]).unwrap();
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        context.register_batch("lists", batch)?;
        context.register_udf(datafusion::logical_expr::ScalarUDF::new_from_impl(ByDay::default()));
        let sql = format!(
            "SELECT told['day'] - DATE '1970-01-01' AS day, told['list_1']['n'] AS one, told['list_2']['n'] AS other
             FROM (SELECT unnest(by_day(DATE '1970-01-01' + {}, DATE '1970-01-01' + {}, one, other)) AS told FROM lists)",
            range.start, range.end
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let batches = runtime.block_on(async { context.sql(&sql).await?.collect().await })?;
        let show = |batch: &arrow::array::RecordBatch| {
            let cell = |column: usize, row| arrow::util::display::array_value_to_string(batch.column(column), row).unwrap();
            (0..batch.num_rows())
                .map(|row| (0..3).map(|column| cell(column, row)).collect::<Vec<_>>().join(","))
                .collect::<Vec<_>>()
        };
        Ok(batches.iter().flat_map(show).collect())
    }

    #[test]
    fn every_day_of_the_range_and_of_the_lists_is_told_of_once_and_in_order() {
        let one = [Some((3, 30)), None, Some((9, 90)), Some((-1, 10))];
        let other = [Some((9, 91)), Some((4, 41))];
        let told = ask([&one, &other], 2..4).unwrap();
        assert_eq!(told, ["-1,10,0", "2,0,0", "3,30,0", "4,0,41", "9,90,91"]);
        assert_eq!(ask([&[], &[]], 7..6).unwrap(), Vec::<String>::new());
        assert_eq!(ask([&[], &[]], 7..7).unwrap(), ["7,0,0"]);
    }

    #[test]
    fn a_day_that_is_told_of_twice_is_an_error() {
        let error = ask([&[Some((1, 1))], &[Some((2, 2)), Some((2, 3))]], 0..1).unwrap_err().to_string();
        assert!(error.contains("list 2 of by_day tells of 1970-01-03 more than once"), "{error}");
    }

    #[test]
    fn what_is_no_list_of_days_is_refused_with_its_type() {
        let context = SessionContext::new();
        context.register_udf(datafusion::logical_expr::ScalarUDF::new_from_impl(ByDay::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (call, told) in [
            ("by_day(DATE '2026-01-01', DATE '2026-01-02', [1, 2])", "List(Int64)"),
            (
                "by_day(DATE '2026-01-01', DATE '2026-01-02', [named_struct('day', 'Monday')])",
                "have a day of type DATE",
            ),
            ("by_day(DATE '2026-01-01', DATE '2026-01-02')", "expects two days and a list"),
        ] {
            let error = runtime.block_on(context.sql(&format!("SELECT {call}"))).unwrap_err().to_string();
            assert!(error.contains(told), "{call}: {error}");
        }
    }
}
