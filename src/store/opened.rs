//! Partition files that are read in part, again and again: footers and places are found once.
//!
//! ```text
//!   file ─▶ footer, places of pages ─┐
//!        ─▶ feature_id ─▶ rows of each feature ─▶ the pages of these rows ─▶ columns
//! ```
//!
//! The invariant: what is known of a file is known of its bytes, which never change.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::mem::size_of;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{AsArray as _, RecordBatch, StringArray, StringBuilder};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader as _};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::partition::PartitionFile;
use super::rows::Id;
use super::{Snapshot, StoreError};
use crate::event::Table;

/// A partition file whose footer was read.
#[derive(Debug)]
pub(crate) struct Opened {
    path: PathBuf,
    table: Table,
    metadata: ArrowReaderMetadata,
    /// Where the rows of each feature begin, in order; nothing for a table that has none.
    features: Vec<(Id, usize)>,
    rows: usize,
}

impl Opened {
    /// Reads the footer of a file, and which rows are of which feature. Adds what was read to `scanned`.
    pub(crate) fn open(snapshot: &Snapshot, file: &PartitionFile, scanned: &Arc<AtomicU64>) -> Result<Self, StoreError> {
        let path = snapshot.root().join(file.path());
        let bytes = Counted::open(&path, scanned)?;
        // Which rows are wanted is known from the features: what pages say of their values would only take room.
        let options = ArrowReaderOptions::new()
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&bytes, options)?;
        let mut opened = Self {
            path,
            table: file.table,
            rows: usize::try_from(file.rows).unwrap_or(usize::MAX),
            metadata,
            features: Vec::new(),
        };
        let mut begin = 0;
        for batch in opened.batches(bytes, &["feature_id"], None, 64 * 1024)? {
            let batch = batch?;
            let Some(features) = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int32Type>()) else {
                break;
            };
            for run in features.values().chunk_by(|a, b| a == b) {
                if opened.features.last().is_none_or(|(feature, _)| *feature != run[0]) {
                    opened.features.push((run[0], begin));
                }
                begin += run.len();
            }
        }
        Ok(opened)
    }

    /// The rows of a feature, if there are any.
    pub(crate) fn rows_of(&self, feature: Id) -> Option<Range<usize>> {
        let place = self.features.binary_search_by_key(&feature, |(feature, _)| *feature).ok()?;
        let end = self.features.get(place + 1).map_or(self.rows, |(_, begin)| *begin);
        Some(self.features[place].1..end)
    }

    /// Reads columns of some rows, or of all, as one batch.
    pub(crate) fn read(
        &self,
        columns: &[&str],
        rows: Option<&[Range<usize>]>,
        scanned: &Arc<AtomicU64>,
    ) -> Result<RecordBatch, StoreError> {
        let count = rows.map_or(self.rows, |rows| rows.iter().map(Range::len).sum());
        let bytes = Counted::open(&self.path, scanned)?;
        let batches = self.batches(bytes, columns, rows, count.max(1))?;
        let schema = self.table.schema();
        let mut batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>()?;
        match batches.len() {
            1 => Ok(batches.remove(0)),
            0 => {
                let places: Vec<usize> = columns.iter().map(|name| schema.index_of(name)).collect::<Result<_, _>>()?;
                Ok(RecordBatch::new_empty(Arc::new(schema.project(&places)?)))
            }
            _ => Ok(concat_batches(&batches[0].schema(), &batches)?),
        }
    }

    /// The different texts of a column, without a look at its rows; one may come more than once. Nothing if the file does not have
    /// all of them in dictionaries.
    ///
    /// In a dictionary there is no text that no row has, as those who write files put one in when they come upon it.
    pub(crate) fn texts(&self, column: &str, scanned: &Arc<AtomicU64>) -> Result<Option<StringArray>, StoreError> {
        let bytes = Arc::new(Counted::open(&self.path, scanned)?);
        let mut texts = StringBuilder::new();
        for group in self.metadata.metadata().row_groups() {
            let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column);
            let Some(chunk) = chunk.filter(|chunk| {
                let pages = chunk.page_encoding_stats_mask();
                pages.is_some_and(|encodings| encodings.is_only(Encoding::RLE_DICTIONARY))
            }) else {
                return Ok(None);
            };
            let mut pages = SerializedPageReader::new(Arc::clone(&bytes), chunk, self.rows, None)?;
            match pages.get_next_page()? {
                Some(Page::DictionaryPage {
                    buf: entries,
                    encoding: Encoding::PLAIN,
                    ..
                }) => plain_texts(&entries, &mut texts)?,
                _ => return Ok(None),
            }
        }
        Ok(Some(texts.finish()))
    }

    fn batches(
        &self,
        bytes: Counted,
        columns: &[&str],
        rows: Option<&[Range<usize>]>,
        at_once: usize,
    ) -> Result<ParquetRecordBatchReader, StoreError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, self.metadata.clone());
        let columns = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let mut builder = builder.with_projection(columns).with_batch_size(at_once);
        if let Some(rows) = rows {
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(rows.iter().cloned(), self.rows));
        }
        Ok(builder.build()?)
    }

    /// Roughly how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.metadata.metadata().memory_size() + self.features.len() * size_of::<(Id, usize)>() + 1024
    }
}

/// The texts of a dictionary: of each its length, in four bytes, and its bytes.
fn plain_texts(mut entries: &[u8], texts: &mut StringBuilder) -> ParquetResult<()> {
    let cut = || ParquetError::EOF("a dictionary is cut off".to_owned());
    while !entries.is_empty() {
        let (length, rest) = entries.split_first_chunk().ok_or_else(cut)?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
        texts.append_value(str::from_utf8(text)?);
        entries = rest;
    }
    Ok(())
}

/// A file that is read at places, by one thread, and counts how much was.
struct Counted {
    file: Arc<File>,
    length: u64,
    scanned: Arc<AtomicU64>,
}

impl Counted {
    fn open(path: &Path, scanned: &Arc<AtomicU64>) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let length = file.metadata().map_err(StoreError::io("read", path))?.len();
        Ok(Self {
            file: Arc::new(file),
            length,
            scanned: Arc::clone(scanned),
        })
    }
}

impl Length for Counted {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Counted {
    type T = BufReader<ReadFrom>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(ReadFrom {
            file: Arc::clone(&self.file),
            at: start,
            scanned: Arc::clone(&self.scanned),
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        // What is read need not be cleared before.
        let mut bytes = Vec::with_capacity(length);
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} go beyond the end of the file"
            )));
        }
        self.scanned.fetch_add(length as u64, Ordering::Relaxed);
        Ok(bytes.into())
    }
}

/// Reads on from a place.
struct ReadFrom {
    file: Arc<File>,
    at: u64,
    scanned: Arc<AtomicU64>,
}

impl Read for ReadFrom {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        self.scanned.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::ArrayRef;
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

    use super::*;

    /// The texts of a column of a file that is written so, and how many there are.
    fn texts(names: &[Option<&str>], properties: WriterPropertiesBuilder) -> Option<(BTreeSet<String>, usize)> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("names.parquet");
        let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        let batch = RecordBatch::try_from_iter([("user_name", names)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let scanned = Arc::default();
        let opened = Opened {
            metadata: ArrowReaderMetadata::load(&Counted::open(&path, &scanned).unwrap(), ArrowReaderOptions::new()).unwrap(),
            path,
            table: Table::Sessions,
            features: Vec::new(),
            rows: batch.num_rows(),
        };
        let texts = opened.texts("user_name", &scanned).unwrap()?;
        Some((texts.iter().flatten().map(ToOwned::to_owned).collect(), texts.iter().count()))
    }

    #[test]
    fn texts_of_a_column_are_those_of_its_rows() {
        let names = [Some("zoë"), None, Some("ann"), Some("zoë"), Some(""), Some("ann"), Some("bob")];
        let expected: BTreeSet<String> = names.iter().flatten().map(|name| (*name).to_owned()).collect();
        assert_eq!(texts(&names, WriterProperties::builder()), Some((expected.clone(), 4)));
        // Of three groups of rows, with a dictionary each.
        let groups = WriterProperties::builder().set_max_row_group_row_count(Some(3));
        assert_eq!(texts(&names, groups), Some((expected, 6)));
        assert_eq!(texts(&[None, None], WriterProperties::builder()), Some((BTreeSet::new(), 0)));
    }

    #[test]
    fn a_column_that_is_not_all_in_a_dictionary_has_to_be_read() {
        assert_eq!(
            texts(&[Some("ann")], WriterProperties::builder().set_dictionary_enabled(false)),
            None
        );
        let many: Vec<String> = (0..5000).map(|n| format!("user-{n}")).collect();
        let names: Vec<Option<&str>> = many.iter().map(|name| Some(name.as_str())).collect();
        let full = WriterProperties::builder()
            .set_dictionary_page_size_limit(1024)
            .set_write_batch_size(100);
        assert_eq!(texts(&names, full), None);
    }

    #[test]
    fn a_dictionary_that_is_cut_off_is_an_error() {
        let whole = [3, 0, 0, 0, b'a', b'n', b'n', 0, 0, 0, 0];
        let mut told = StringBuilder::new();
        plain_texts(&whole, &mut told).unwrap();
        assert_eq!(told.finish(), StringArray::from(vec!["ann", ""]));
        for end in [1, 4, 6, 8, 10] {
            assert!(plain_texts(&whole[..end], &mut told).is_err(), "{end}");
        }
        assert!(plain_texts(&[1, 0, 0, 0, 0xff], &mut told).is_err(), "no text");
    }
}
