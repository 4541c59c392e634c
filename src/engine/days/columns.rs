//! The columns of files as days take them: each by its name, and of the type that it must have.

use arrow::array::{Array, ArrowPrimitiveType, AsArray as _, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;
use datafusion::common::exec_err;
use datafusion::error::Result;

/// The numbers of a column.
pub(super) fn numbers<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a [T::Native]> {
    Ok(column::<PrimitiveArray<T>>(batch, name)?.values())
}

/// A column of what is true or not.
pub(super) fn truths<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray> {
    column(batch, name)
}

fn column<'a, A: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A> {
    match batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref()) {
        Some(column) => Ok(column),
        None => exec_err!("a file has no column {name} of the type that it should have"),
    }
}

/// A column of names: for each row a place among different texts, or none.
pub(super) struct NameColumn {
    pub(super) texts: StringArray,
    pub(super) places: ScalarBuffer<i32>,
}

impl NameColumn {
    pub(super) fn of(batch: &RecordBatch, name: &str) -> Result<Self> {
        let Some(column) = batch.column_by_name(name) else {
            return exec_err!("a file has no column {name}");
        };
        if let Some(texts) = column.as_string_opt::<i32>() {
            let places = (0..).zip(texts.iter()).map(|(place, text)| if text.is_some() { place } else { -1 });
            return Ok(Self {
                places: places.collect(),
                texts: texts.clone(),
            });
        }
        let dictionary = column.as_dictionary_opt::<Int32Type>();
        let Some((dictionary, texts)) = dictionary.and_then(|names| Some((names, names.values().as_string_opt::<i32>()?))) else {
            return exec_err!("column {name} of a file holds no names but {}", column.data_type());
        };
        let keys = dictionary.keys();
        let places = match keys.nulls() {
            None => keys.values().clone(),
            Some(nulls) => keys
                .values()
                .iter()
                .zip(nulls)
                .map(|(key, valid)| if valid { *key } else { -1 })
                .collect(),
        };
        Ok(Self {
            texts: texts.clone(),
            places,
        })
    }
}
