//! `daily_peak(who, started, ended, zone)`: the most holders at one instant of each day.
//!
//! A holder holds as long as any of its intervals does. So its intervals are united first, as they come; a sweep over the
//! edges of what is left then counts holders:
//!
//! ```text
//!   h1  ├──────┤ ├─┤          h1  ├──────┤ ├─┤
//!   h1     ├───────┤     ─▶   h1  ├──────────┤        what is left of a busy host is a few intervals a day
//! ```

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, Date32Array, Int64Array, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{constant, instants, item, list_of, list_of_structs, of_holder, zone};
use super::documentation::Manual;
use super::holders::Holders;
use crate::time::{Day, Micros, Offsets};

/// `daily_peak(who, started, ended, zone)`: a list of `{day, peak}` for every local day on which anybody holds anything.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DailyPeak(Signature);

impl Default for DailyPeak {
    fn default() -> Self {
        Self(of_holder(&[DataType::Utf8]))
    }
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("day", DataType::Date32, false),
        Field::new("peak", DataType::Int64, false),
    ]
}

fn state_fields() -> Vec<Field> {
    let integer = |name| Field::new(name, DataType::Int64, false);
    vec![Field::new("who", DataType::Utf8, false), integer("started"), integer("ended")]
}

impl AggregateUDFImpl for DailyPeak {
    fn name(&self) -> &'static str {
        "daily_peak"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(fields()))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Presence>::default())
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let text = Field::new("zone", DataType::Utf8, true);
        Ok(vec![
            Arc::new(Field::new("intervals", list_of(state_fields()), true)),
            Arc::new(text),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "daily_peak(who, started, ended, zone)",
                description: "For each day the most different holders at one instant. A list of `{day, peak}`, one for every day \
                              on which anybody holds anything.",
                arguments: &[
                    ("who", "the name of a holder: a user or a host"),
                    ("started", "since when it holds something"),
                    ("ended", "until when, not included"),
                    ("zone", "an IANA zone, whose days they are; the same in every row"),
                ],
                example: concat!(
                    "SELECT busy['day'] AS day, busy['peak'] AS hosts\n",
                    "FROM (SELECT unnest(daily_peak(host, started, ended, 'Europe/Berlin')) AS busy FROM sessions)\n",
                    "ORDER BY day;",
                ),
                answer: concat!(
                    " day        | hosts\n",
                    "------------+-------\n",
                    " 2026-03-02 |     2\n",
                    " 2026-03-03 |     3\n",
                    "(2 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

/// When each holder holds anything: disjoint intervals, in order.
#[derive(Debug, Default)]
struct Presence {
    zone: Option<String>,
    holders: Holders,
    intervals: Vec<Vec<(Micros, Micros)>>,
    count: usize,
}

impl Presence {
    fn add(&mut self, holder: u32, started: Micros, ended: Micros) {
        if started >= ended {
            return;
        }
        let holder = holder as usize;
        if self.intervals.len() <= holder {
            self.intervals.resize_with(holder + 1, Vec::new);
        }
        let intervals = &mut self.intervals[holder];
        self.count += 1;
        let from = first_touching(intervals, started);
        let until = from + intervals[from..].iter().take_while(|(start, _)| *start <= ended).count();
        if from == until {
            intervals.insert(from, (started, ended));
            return;
        }
        let united = (started.min(intervals[from].0), ended.max(intervals[until - 1].1));
        intervals[from] = united;
        intervals.drain(from + 1..until);
        self.count -= until - from;
    }

    /// Takes up intervals of another part, in any order; [`Presence::unite`] must follow.
    fn append(&mut self, holder: u32, interval: (Micros, Micros)) {
        let holder = holder as usize;
        if self.intervals.len() <= holder {
            self.intervals.resize_with(holder + 1, Vec::new);
        }
        self.intervals[holder].push(interval);
    }

    fn unite(&mut self) {
        for intervals in &mut self.intervals {
            intervals.sort_unstable();
            intervals.dedup_by(|next, last| {
                let touches = next.0 <= last.1;
                if touches {
                    last.1 = last.1.max(next.1);
                }
                touches
            });
        }
        self.count = self.intervals.iter().map(Vec::len).sum();
    }

    /// The peak of each day: edges of united intervals, day by day.
    fn peaks(&self, zone: crate::time::Zone) -> BTreeMap<Day, i64> {
        let mut offsets = Offsets::new(zone);
        let mut edges_of_day: BTreeMap<Day, Vec<(Micros, i64)>> = BTreeMap::new();
        for (started, ended) in self.intervals.iter().flatten() {
            for day in offsets.days_touched(*started, *ended) {
                let edges = edges_of_day.entry(day).or_default();
                // An interval that began before the day is there from before its first instant.
                edges.push((*started, 1));
                edges.push((*ended, -1));
            }
        }
        let peak = |(day, mut edges): (Day, Vec<(Micros, i64)>)| {
            let (start, end) = (zone.start_of(day), zone.start_of(day.next()));
            for edge in &mut edges {
                edge.0 = edge.0.clamp(start, end);
            }
            // At one instant, what ends comes before what begins.
            edges.sort_unstable();
            let (mut present, mut peak) = (0, 0);
            for (_, change) in edges {
                present += change;
                peak = present.max(peak);
            }
            (day, peak)
        };
        edges_of_day.into_iter().map(peak).collect()
    }
}

/// The place of the first interval that ends at `started` or later. Files come in order of days, so that it lies near the
/// end: steps back are doubled until it is passed.
fn first_touching(intervals: &[(Micros, Micros)], started: Micros) -> usize {
    let (mut from, mut until, mut step) = (intervals.len(), intervals.len(), 1);
    while from > 0 && intervals[from - 1].1 >= started {
        until = from;
        from -= step.min(from);
        step *= 2;
    }
    from + intervals[from..until].partition_point(|(_, end)| *end < started)
}

impl Accumulator for Presence {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (started, ended) = (instants(&values[1])?, instants(&values[2])?);
        if self.zone.is_none() {
            self.zone = constant(&values[3], "zone")?;
        }
        let numbers = self.holders.numbers(&values[0])?;
        for row in 0..started.len() {
            if let (Some(holder), true, true) = (numbers.get(row), started.is_valid(row), ended.is_valid(row)) {
                self.add(holder, started.value(row), ended.value(row));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (intervals, zones) = (states[0].as_list::<i32>(), states[1].as_string::<i32>());
        for row in (0..intervals.len()).filter(|row| intervals.is_valid(*row)) {
            if self.zone.is_none() && zones.is_valid(row) {
                self.zone = Some(zones.value(row).to_owned());
            }
            let intervals = intervals.value(row);
            let columns = intervals.as_struct().columns();
            let (started, ended) = (columns[1].as_primitive::<Int64Type>(), columns[2].as_primitive::<Int64Type>());
            let numbers = self.holders.numbers(&columns[0])?;
            for row in 0..started.len() {
                if let Some(holder) = numbers.get(row) {
                    self.append(holder, (started.value(row), ended.value(row)));
                }
            }
        }
        self.unite();
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (mut names, mut started, mut ended) = (StringBuilder::new(), Vec::new(), Vec::new());
        for (holder, intervals) in self.intervals.iter().enumerate() {
            for (start, end) in intervals {
                names.append_value(self.holders.name(holder as u32));
                started.push(*start);
                ended.push(*end);
            }
        }
        let length = started.len();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(names.finish()),
            Arc::new(Int64Array::from(started)),
            Arc::new(Int64Array::from(ended)),
        ];
        let values = StructArray::try_new(state_fields().into(), columns, None)?;
        let list = ListArray::try_new(item(state_fields()), OffsetBuffer::from_lengths([length]), Arc::new(values), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list)), ScalarValue::Utf8(self.zone.clone())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let peaks = match &self.zone {
            Some(name) => self.peaks(zone(name)?),
            None => BTreeMap::new(),
        };
        list_of_peaks(&peaks)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.holders.size() + self.count * 2 * size_of::<(Micros, Micros)>()
    }
}

/// What `daily_peak` gives.
pub(crate) fn list_of_peaks(peaks: &BTreeMap<Day, i64>) -> Result<ScalarValue> {
    let days: Date32Array = peaks.keys().map(|day| Some(day.0)).collect();
    let peaks: Int64Array = peaks.values().map(|peak| Some(*peak)).collect();
    list_of_structs(fields(), vec![Arc::new(days), Arc::new(peaks)])
}
