//! `active_users(who, started, ended, zone)`: how many are active on each day, in the last fortnight, and ever.
//!
//! For each day there is a bit for every holder. Days are then gone through once: a holder covers the days from an active
//! one until the next, or until fourteen days are over, so that counts are sums of starts and ends of covers:
//!
//! ```text
//!   active   ■  ■              ■
//!   covers   ├──┼─────────────┤├─────────────┤     +1 where a cover starts, −1 past its end
//! ```

use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, Date32Array, Int64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, UInt64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{constant, instants, list, list_of, list_of_structs, of_holder, zone};
use super::documentation::Manual;
use super::holders::Holders;
use crate::kernel::{Activity, Change, ones};
use crate::time::{Day, Micros, Offsets};

/// `active_users(who, started, ended, zone)`: a list of `{day, daily, recent_change, ever_change}`, for local days of which
/// `[started, ended)` holds an instant and those on which a count changes. `daily` is how many are active on the day; running
/// sums of the changes are how many were active in the fourteen days up to it, and on any day up to it. Rows without a name
/// count for nobody.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ActiveUsers(Signature);

impl Default for ActiveUsers {
    fn default() -> Self {
        Self(of_holder(&[DataType::Utf8]))
    }
}

fn fields() -> Vec<Field> {
    let count = |name| Field::new(name, DataType::Int64, false);
    let day = Field::new("day", DataType::Date32, false);
    vec![day, count("daily"), count("recent_change"), count("ever_change")]
}

impl AggregateUDFImpl for ActiveUsers {
    fn name(&self) -> &'static str {
        "active_users"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(fields()))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Seen>::default())
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name, of| Arc::new(Field::new(name, DataType::new_list(of, true), true));
        Ok(vec![
            list("names", DataType::Utf8),
            list("days", DataType::Date32),
            // The same number of words for each day, one after the other.
            list("bits", DataType::UInt64),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "active_users(who, started, ended, zone)",
                description: "How many are active on each day, and how two other counts change: of those active within the \
                              fourteen days up to it, and of those ever active. Running sums of the changes are the counts. A list \
                              of `{day, daily, recent_change, ever_change}`, one for every day on which any of them is not 0.",
                arguments: &[
                    ("who", "a name; rows without one count for nobody"),
                    ("started", "since when"),
                    ("ended", "until when, not included"),
                    ("zone", "an IANA zone, whose days they are; the same in every row"),
                ],
                example: concat!(
                    "SELECT active['day'] AS day, active['daily'] AS daily, active['recent_change'] AS recent, active['ever_change'] AS ever\n",
                    "FROM (SELECT unnest(active_users(user_name, started, ended, 'Europe/Berlin')) AS active FROM sessions)\n",
                    "ORDER BY day;",
                ),
                answer: concat!(
                    " day        | daily | recent | ever\n",
                    "------------+-------+--------+------\n",
                    " 2026-03-02 |     3 |      3 |    3\n",
                    " 2026-03-03 |     4 |      1 |    1\n",
                    " 2026-03-17 |     0 |     -4 |    0\n",
                    "(3 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

/// Who is active on which day.
#[derive(Debug, Default)]
struct Seen {
    offsets: Option<Offsets>,
    holders: Holders,
    activity: Activity,
    /// The day of the last row: its instants, and its place.
    current: Option<(Micros, Micros, usize)>,
}

impl Seen {
    fn add(&mut self, offsets: &mut Offsets, holder: u32, started: Micros, ended: Micros) {
        // Files are days, so that hardly any row is of another day than the one before.
        if let Some((start, end, place)) = self.current
            && start <= started
            && started < ended
            && ended <= end
        {
            self.activity.set(place, holder);
            return;
        }
        for day in offsets.days_touched(started, ended) {
            let place = self.activity.place(day);
            self.activity.set(place, holder);
            let zone = offsets.zone();
            self.current = Some((zone.start_of(day), zone.start_of(day.next()), place));
        }
    }
}

impl Accumulator for Seen {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (started, ended) = (instants(&values[1])?, instants(&values[2])?);
        let mut offsets = match (self.offsets.take(), constant(&values[3], "zone")?) {
            (Some(offsets), _) => offsets,
            (None, Some(name)) => Offsets::new(zone(&name)?),
            (None, None) => return Ok(()),
        };
        let numbers = self.holders.numbers(&values[0])?;
        for row in 0..started.len() {
            if let (Some(holder), true, true) = (numbers.get(row), started.is_valid(row), ended.is_valid(row)) {
                self.add(&mut offsets, holder, started.value(row), ended.value(row));
            }
        }
        self.offsets = Some(offsets);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (names, days, bits) = (states[0].as_list::<i32>(), states[1].as_list::<i32>(), states[2].as_list::<i32>());
        for row in 0..names.len() {
            let (names, days, bits) = (names.value(row), days.value(row), bits.value(row));
            let numbers: Vec<u32> = names
                .as_string::<i32>()
                .iter()
                .map(|name| self.holders.number(name.unwrap_or_default()))
                .collect();
            let (days, bits) = (days.as_primitive::<Date32Type>(), bits.as_primitive::<UInt64Type>().values());
            let words = numbers.len().div_ceil(64);
            for (day, bits) in days.values().iter().zip(bits.chunks(words.max(1))) {
                let place = self.activity.place(Day(*day));
                for holder in ones(bits) {
                    self.activity.set(place, numbers[holder]);
                }
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let words = self.holders.len().div_ceil(64);
        let names: StringArray = (0..self.holders.len())
            .map(|holder| Some(self.holders.name(holder as u32)))
            .collect();
        let days: Date32Array = self.activity.days().map(|(day, _)| Some(day.0)).collect();
        let mut bits = Vec::with_capacity(words * days.len());
        for (_, of_day) in self.activity.days() {
            bits.extend_from_slice(of_day);
            bits.resize(bits.len() + words - of_day.len(), 0);
        }
        Ok(vec![
            list(Arc::new(names))?,
            list(Arc::new(days))?,
            list(Arc::new(UInt64Array::from(bits)))?,
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        list_of_changes(&self.activity)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.holders.size() + self.activity.size()
    }
}

/// What `active_users` gives.
pub(crate) fn list_of_changes(activity: &Activity) -> Result<ScalarValue> {
    let changes = activity.changes();
    let days: Date32Array = changes.keys().map(|day| Some(day.0)).collect();
    let column = |of: fn(&Change) -> i64| -> ArrayRef { Arc::new(changes.values().map(of).map(Some).collect::<Int64Array>()) };
    let columns = vec![
        Arc::new(days) as ArrayRef,
        column(|day| day.daily),
        column(|day| day.recent),
        column(|day| day.ever),
    ];
    list_of_structs(fields(), columns)
}
