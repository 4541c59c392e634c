//! `time_at_level(started, ended, licenses, hours)`: how long how many licenses were in use.
//!
//! A sweep over the edges of all intervals, clipped to the windows:
//!
//! ```text
//!   in use   2 ┤      ┌───┐            edges   +1 at a   +1 at b   −1 at c   −1 at d
//!            1 ┤  ┌───┘   └────┐
//!            0 ┼──a───b───c────d──     level 1: d − a, level 2: c − b
//! ```
//!
//! Since intervals are clipped when they come in, partial states only hold edges, and merging them is putting edges together.

use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{Hours, exactly, hours_type, instants, integers, list_of, list_of_structs, overlapping};
use super::documentation::Manual;
use super::sweep::Sweep;
use crate::event::instant_type;
use crate::kernel::Histogram;
use crate::time::Window;

/// More levels than any license has.
const MOST_LEVELS: i64 = 10_000_000;

/// `time_at_level(started, ended, licenses, working_hours(…))`: a list of `{level, micros}` for every level from 1 to the
/// greatest, where `micros` is the time inside the windows with at least `level` licenses in use.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeAtLevel(Signature);

impl Default for TimeAtLevel {
    fn default() -> Self {
        Self(exactly(&[instant_type(), instant_type(), DataType::Int32, hours_type()]))
    }
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("level", DataType::Int64, false),
        Field::new("micros", DataType::Int64, false),
    ]
}

impl AggregateUDFImpl for TimeAtLevel {
    fn name(&self) -> &'static str {
        "time_at_level"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(fields()))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Edges>::default())
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(Sweep::state_fields())
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "time_at_level(started, ended, licenses, hours)",
                description: "For each number of licenses from 1 to the most that were in use at once: how long at least so many \
                              were in use inside working hours. A list of `{level, micros}`.",
                arguments: &[
                    ("started", "when licenses were taken"),
                    ("ended", "when they were given back"),
                    ("licenses", "how many"),
                    ("hours", "`working_hours(…)`, the same in every row"),
                ],
                example: concat!(
                    "SELECT level['level'] AS licenses, level['micros'] / 1000000 AS seconds\n",
                    "FROM (\n",
                    "    SELECT unnest(time_at_level(started, ended, licenses, working_hours(DATE '2026-03-02', DATE '2026-03-03', '09:00', '17:00', 'Europe/Berlin'))) AS level\n",
                    "    FROM sessions WHERE feature_id = 2\n",
                    ")\n",
                    "ORDER BY licenses;",
                ),
                answer: concat!(
                    " licenses | seconds\n",
                    "----------+---------\n",
                    "        1 |   32400\n",
                    "        2 |    8999\n",
                    "(2 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

/// The edges of clipped intervals.
#[derive(Debug, Default)]
struct Edges {
    windows: Option<Vec<Window>>,
    edges: Sweep,
}

impl Accumulator for Edges {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (started, ended, licenses) = (instants(&values[0])?, instants(&values[1])?, integers(&values[2])?);
        if self.windows.is_none() {
            self.windows = Hours::read(&values[3])?.map(Hours::windows);
        }
        let Some(windows) = self.windows.take() else {
            return Ok(());
        };
        for row in 0..started.len() {
            if started.is_null(row) || ended.is_null(row) || licenses.is_null(row) {
                continue;
            }
            for inside in overlapping(&windows, started.value(row), ended.value(row)) {
                let licenses = i64::from(licenses.value(row));
                self.edges.add(inside.start(), licenses);
                self.edges.add(inside.end(), -licenses);
            }
        }
        self.windows = Some(windows);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.edges.merge(states);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        std::mem::take(&mut self.edges).state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        list_of_levels(&self.edges.histogram())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.edges.size()
    }
}

/// What `time_at_level` gives.
pub(crate) fn list_of_levels(histogram: &Histogram) -> Result<ScalarValue> {
    if histogram.greatest() > MOST_LEVELS {
        return exec_err!("more than {MOST_LEVELS} licenses in use");
    }
    // At least k licenses were in use whenever exactly k, k + 1, … were.
    let micros = Int64Array::from(histogram.at_least());
    let levels = Int64Array::from_iter_values(1..=micros.len() as i64);
    list_of_structs(fields(), vec![Arc::new(levels), Arc::new(micros)])
}
