//! Holders as small numbers: users or hosts, met in columns of texts.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use arrow::datatypes::Int32Type;
use datafusion::common::exec_err;
use datafusion::error::Result;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Names and their numbers, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Holders {
    names: Vec<String>,
    numbers: HashMap<String, u32, FxBuildHasher>,
    /// The dictionary of the last batch and its numbers: the batches of one part of a file share theirs.
    last: Option<(StringArray, Arc<[Option<u32>]>)>,
}

/// The holder of each row of a batch; nothing for a null.
pub(super) enum Numbers<'a> {
    Plain(Vec<Option<u32>>),
    Dictionary {
        keys: &'a arrow::array::Int32Array,
        numbers: Arc<[Option<u32>]>,
    },
}

impl Numbers<'_> {
    pub(super) fn get(&self, row: usize) -> Option<u32> {
        match self {
            Self::Plain(numbers) => numbers[row],
            Self::Dictionary { keys, .. } if keys.is_null(row) => None,
            Self::Dictionary { keys, numbers } => numbers[keys.value(row) as usize],
        }
    }
}

impl Holders {
    /// The number of a name, new or known.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The numbers of a column; a name of a dictionary is looked up once, however many rows have it.
    pub(super) fn numbers<'a>(&mut self, names: &'a ArrayRef) -> Result<Numbers<'a>> {
        if let Some(names) = names.as_string_opt::<i32>() {
            return Ok(Numbers::Plain(self.of(names)));
        }
        let dictionary = names.as_any_dictionary_opt().map(|dictionary| dictionary.values());
        match (
            names.as_dictionary_opt::<Int32Type>(),
            dictionary.and_then(|values| values.as_string_opt::<i32>()),
        ) {
            (Some(names), Some(values)) => Ok(Numbers::Dictionary {
                keys: names.keys(),
                numbers: self.of_dictionary(values),
            }),
            _ => exec_err!("expected names, got {}", names.data_type()),
        }
    }

    fn of_dictionary(&mut self, names: &StringArray) -> Arc<[Option<u32>]> {
        if let Some((last, numbers)) = &self.last
            && last.offsets().inner().ptr_eq(names.offsets().inner())
            && last.values().ptr_eq(names.values())
            && last.nulls().is_none()
            && names.nulls().is_none()
        {
            return Arc::clone(numbers);
        }
        let numbers: Arc<[Option<u32>]> = self.of(names).into();
        self.last = Some((names.clone(), Arc::clone(&numbers)));
        numbers
    }

    fn of(&mut self, names: &StringArray) -> Vec<Option<u32>> {
        names.iter().map(|name| name.map(|name| self.number(name))).collect()
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Roughly how much memory they take.
    pub(super) fn size(&self) -> usize {
        self.names.len() * 96
    }
}
