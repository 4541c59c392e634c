//! `held_days(who, started, ended, zone)`: who held a license on which day.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Date32Builder, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature};
use datafusion::scalar::ScalarValue;

use super::arguments::{constant, instants, item, list_of, of_holder, zone};
use super::holders::Holders;
use crate::time::{Day, Offsets};

/// `held_days(who, started, ended, zone)`: a list of `{day, who}`, each pair once, for every local day of which `[started,
/// ended)` holds an instant. Rows without a name count for nobody.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HeldDays(Signature);

impl Default for HeldDays {
    fn default() -> Self {
        Self(of_holder(&[DataType::Utf8]))
    }
}

fn fields() -> Vec<Field> {
    vec![Field::new("day", DataType::Date32, false), Field::new("who", DataType::Utf8, false)]
}

impl AggregateUDFImpl for HeldDays {
    fn name(&self) -> &'static str {
        "held_days"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(fields()))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Pairs>::default())
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("pairs", list_of(fields()), true))])
    }
}

/// Pairs of days and holders: for each day a bit per holder.
#[derive(Debug, Default)]
struct Pairs {
    offsets: Option<Offsets>,
    holders: Holders,
    days: BTreeMap<Day, Vec<u64>>,
}

impl Pairs {
    fn add(&mut self, day: Day, holder: u32) {
        let bits = self.days.entry(day).or_default();
        let word = holder as usize / 64;
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (holder % 64);
    }

    fn list(&self) -> Result<ScalarValue> {
        let (mut days, mut names) = (Date32Builder::new(), StringBuilder::new());
        for (day, bits) in &self.days {
            for holder in (0..self.holders.len() as u32)
                .filter(|holder| bits.get(*holder as usize / 64).is_some_and(|word| word >> (holder % 64) & 1 == 1))
            {
                days.append_value(day.0);
                names.append_value(self.holders.name(holder));
            }
        }
        let days = days.finish();
        let length = days.len();
        let values = StructArray::try_new(fields().into(), vec![Arc::new(days), Arc::new(names.finish())], None)?;
        let list = ListArray::try_new(item(fields()), OffsetBuffer::from_lengths([length]), Arc::new(values), None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (started, ended) = (instants(&values[1])?, instants(&values[2])?);
        let mut offsets = match (self.offsets.take(), constant(&values[3], "zone")?) {
            (Some(offsets), _) => offsets,
            (None, Some(name)) => Offsets::new(zone(&name)?),
            (None, None) => return Ok(()),
        };
        let numbers = self.holders.numbers(&values[0])?;
        for row in 0..started.len() {
            let (Some(holder), true, true) = (numbers.get(row), started.is_valid(row), ended.is_valid(row)) else {
                continue;
            };
            for day in offsets.days_touched(started.value(row), ended.value(row)) {
                self.add(day, holder);
            }
        }
        self.offsets = Some(offsets);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let pairs = states[0].as_list::<i32>();
        for row in (0..pairs.len()).filter(|row| pairs.is_valid(*row)) {
            let pairs = pairs.value(row);
            let (days, names) = (
                pairs.as_struct().column(0).as_primitive::<Date32Type>(),
                pairs.as_struct().column(1),
            );
            let numbers = self.holders.numbers(names)?;
            for row in 0..days.len() {
                if let Some(holder) = numbers.get(row) {
                    self.add(Day(days.value(row)), holder);
                }
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.list()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.holders.size() + self.days.len() * (self.holders.len() / 8 + 64)
    }
}
