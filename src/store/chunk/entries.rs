//! What the dictionary of a column holds, and what files say of it.

use arrow::array::{Array as _, StringArray};
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// What a dictionary holds: each value once, in the order of first use.
pub(super) enum Entries<'a> {
    Texts(&'a StringArray),
    Integers(&'a [i32]),
}

impl Entries<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Integers(numbers) => numbers.len(),
        }
    }

    /// As a dictionary page has them: texts each after its length.
    pub(super) fn page(&self) -> Vec<u8> {
        match self {
            Self::Integers(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Self::Texts(texts) => {
                let mut page = Vec::with_capacity(texts.values().len() + 4 * texts.len());
                for text in texts.iter().flatten() {
                    page.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    page.extend_from_slice(text.as_bytes());
                }
                page
            }
        }
    }

    /// The keys, in the order of their values.
    pub(super) fn by_value(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = (0..self.len() as u32).collect();
        match self {
            Self::Texts(texts) => keys.sort_unstable_by_key(|key| texts.value(*key as usize)),
            Self::Integers(numbers) => keys.sort_unstable_by_key(|key| numbers[*key as usize]),
        }
        keys
    }

    pub(super) fn bytes(&self, key: u32) -> Vec<u8> {
        match self {
            Self::Texts(texts) => texts.value(key as usize).as_bytes().to_vec(),
            Self::Integers(numbers) => numbers[key as usize].to_le_bytes().to_vec(),
        }
    }

    /// How many bytes the values of rows have; nothing if all have as many.
    pub(super) fn text_bytes(&self, keys: &[u32]) -> Option<i64> {
        match self {
            Self::Texts(texts) => Some(keys.iter().map(|key| i64::from(texts.value_length(*key as usize))).sum()),
            Self::Integers(_) => None,
        }
    }

    pub(super) fn statistics(&self, extremes: Option<(u32, u32)>, nulls: u64) -> Statistics {
        match self {
            Self::Texts(texts) => {
                let text = |key: u32| ByteArray::from(texts.value(key as usize));
                let (least, greatest) = extremes.map(|(least, greatest)| (text(least), text(greatest))).unzip();
                Statistics::ByteArray(ValueStatistics::new(least, greatest, None, Some(nulls), false))
            }
            Self::Integers(numbers) => {
                let number = |key: u32| numbers[key as usize];
                let (least, greatest) = extremes.map(|(least, greatest)| (number(least), number(greatest))).unzip();
                let statistics = ValueStatistics::new(least, greatest, None, Some(nulls), false);
                Statistics::Int32(statistics.with_backwards_compatible_min_max(true))
            }
        }
    }
}
