//! Columns of texts and integers as Parquet, written from the keys of their dictionaries.
//!
//! The writer of `parquet` hashes and compares the text of every row to find its place in the column's dictionary. Here the
//! dictionary is known: [`super::columns`] makes one in which each text is once, in the order of first use. What is left is to
//! pack its keys. Integers are looked up, but neighbours are mostly alike. The bytes are those that the other writer would make,
//! page by page; a column that is not as simple as that is left to it.
//!
//! ```text
//! dictionary page │ data page: levels, keys │ data page │ …        a page has 8,192 rows
//! ```

mod entries;
mod pages;
mod runs;

use std::io;

use arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use rustc_hash::FxHashMap;

use self::entries::Entries;
use self::pages::Pages;
use self::runs::Runs;

/// How many rows a page has.
pub(super) const PAGE_ROWS: usize = 8 * 1024;
/// Texts longer than this are cut in statistics.
const LONGEST: usize = 64;

/// A chunk, and what the file must know of it.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
}

/// Writes the chunks of one file.
pub(super) struct Chunks<'p> {
    properties: &'p WriterProperties,
    compressor: zstd::bulk::Compressor<'static>,
}

impl<'p> Chunks<'p> {
    pub(super) fn new(properties: &'p WriterProperties, level: i32) -> io::Result<Self> {
        Ok(Self {
            properties,
            compressor: zstd::bulk::Compressor::new(level)?,
        })
    }

    /// The chunk of a column; nothing if the other writer must make it.
    pub(super) fn column(&mut self, column: &ColumnDescPtr, array: &ArrayRef) -> Result<Option<Chunk>, ParquetError> {
        if array.is_empty() || !self.properties.dictionary_enabled(column.path()) {
            return Ok(None);
        }
        match array.data_type() {
            DataType::Dictionary(..) => match array.as_dictionary_opt::<Int32Type>() {
                Some(texts) => self.texts(column, texts),
                None => Ok(None),
            },
            DataType::Int32 => self.integers(column, array.as_primitive::<Int32Type>().values(), array.nulls()),
            DataType::Date32 => self.integers(column, array.as_primitive::<Date32Type>().values(), array.nulls()),
            _ => Ok(None),
        }
    }

    fn texts(&mut self, column: &ColumnDescPtr, texts: &DictionaryArray<Int32Type>) -> Result<Option<Chunk>, ParquetError> {
        let Some(values) = texts.values().as_string_opt::<i32>() else {
            return Ok(None);
        };
        let simple = values.null_count() == 0 && values.iter().flatten().all(|text| text.len() <= LONGEST) && in_order_of_use(texts);
        if !simple {
            return Ok(None);
        }
        let keys = texts.keys();
        self.chunk(column, &Entries::Texts(values), keys.values(), keys.nulls())
    }

    fn integers(&mut self, column: &ColumnDescPtr, values: &[i32], nulls: Option<&NullBuffer>) -> Result<Option<Chunk>, ParquetError> {
        let mut known: FxHashMap<i32, i32> = FxHashMap::default();
        let mut entries = Vec::new();
        let mut last = None;
        let mut key_of = |value: i32| match last {
            Some((same, key)) if same == value => key,
            _ => {
                let key = *known.entry(value).or_insert_with(|| {
                    entries.push(value);
                    entries.len() as i32 - 1
                });
                last = Some((value, key));
                key
            }
        };
        let keys: Vec<i32> = match nulls {
            None => values.iter().map(|value| key_of(*value)).collect(),
            Some(nulls) => {
                let there = values.iter().zip(nulls);
                there.map(|(value, there)| if there { key_of(*value) } else { 0 }).collect()
            }
        };
        self.chunk(column, &Entries::Integers(&entries), &keys, nulls)
    }

    fn chunk(
        &mut self,
        column: &ColumnDescPtr,
        entries: &Entries<'_>,
        keys: &[i32],
        nulls: Option<&NullBuffer>,
    ) -> Result<Option<Chunk>, ParquetError> {
        let dictionary = entries.page();
        if dictionary.len() >= self.properties.column_dictionary_page_size_limit(column.path()) {
            return Ok(None);
        }
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = Pages::new(column, SerializedPageWriter::new(&mut sink), entries);
        pages.dictionary(&dictionary, &mut self.compressor)?;
        let mut present = Vec::with_capacity(PAGE_ROWS);
        for start in (0..keys.len()).step_by(PAGE_ROWS) {
            let rows = PAGE_ROWS.min(keys.len() - start);
            let page = &keys[start..start + rows];
            let nulls = nulls.map(|nulls| nulls.slice(start, rows)).filter(|nulls| nulls.null_count() > 0);
            present.clear();
            match &nulls {
                None => present.extend(page.iter().map(|key| key.unsigned_abs())),
                Some(nulls) => present.extend(nulls.valid_indices().map(|row| page[row].unsigned_abs())),
            }
            let levels = (column.max_def_level() > 0).then(|| {
                let mut runs = Runs::new(1);
                match &nulls {
                    None => runs.put_all(1, rows),
                    Some(nulls) => nulls.iter().for_each(|there| runs.put(u32::from(there))),
                }
                runs.finish()
            });
            pages.data(rows, levels.as_deref(), &present, &mut self.compressor)?;
        }
        let close = pages.close(self.properties)?;
        Ok(Some(Chunk {
            bytes: sink.into_inner()?.into(),
            close,
        }))
    }
}

/// Whether each text of a dictionary is used, and the first use of each comes after that of the one before.
fn in_order_of_use(texts: &DictionaryArray<Int32Type>) -> bool {
    let mut next = 0;
    let known = texts.keys().iter().flatten().all(|key| {
        next += i32::from(key == next);
        key < next
    });
    known && usize::try_from(next) == Ok(texts.values().len())
}
