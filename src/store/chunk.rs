//! Columns of texts and integers as Parquet, written from the keys of their dictionaries.
//!
//! The writer of `parquet` hashes and compares the text of every row to find its place in the column's dictionary. Here the
//! dictionary is known: [`super::columns`] makes one in which each text is once, in the order of first use. What is left is to
//! pack its keys. Integers are looked up, but neighbours are mostly alike. The bytes are those that the other writer would make, page by page; a column that is not as simple as that is
//! left to it.
//!
//! ```text
//! dictionary page │ data page: levels, keys │ data page │ …        a page has 8,192 rows
//! ```

use std::io;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Encoding, EncodingMask, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use rustc_hash::FxHashMap;

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
                    None => (0..rows).for_each(|_| runs.put(1)),
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

/// What a dictionary holds: each value once, in the order of first use.
enum Entries<'a> {
    Texts(&'a StringArray),
    Integers(&'a [i32]),
}

impl Entries<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Integers(numbers) => numbers.len(),
        }
    }

    /// As a dictionary page has them: texts each after its length.
    fn page(&self) -> Vec<u8> {
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
    fn by_value(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = (0..self.len() as u32).collect();
        match self {
            Self::Texts(texts) => keys.sort_unstable_by_key(|key| texts.value(*key as usize)),
            Self::Integers(numbers) => keys.sort_unstable_by_key(|key| numbers[*key as usize]),
        }
        keys
    }

    fn bytes(&self, key: u32) -> Vec<u8> {
        match self {
            Self::Texts(texts) => texts.value(key as usize).as_bytes().to_vec(),
            Self::Integers(numbers) => numbers[key as usize].to_le_bytes().to_vec(),
        }
    }

    /// How many bytes the values of rows have; nothing if all have as many.
    fn text_bytes(&self, keys: &[u32]) -> Option<i64> {
        match self {
            Self::Texts(texts) => Some(keys.iter().map(|key| i64::from(texts.value_length(*key as usize))).sum()),
            Self::Integers(_) => None,
        }
    }

    fn statistics(&self, extremes: Option<(u32, u32)>, nulls: u64) -> Statistics {
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

/// Whether each text of a dictionary is used, and the first use of each comes after that of the one before.
fn in_order_of_use(texts: &DictionaryArray<Int32Type>) -> bool {
    let mut next = 0;
    let known = texts.keys().iter().flatten().all(|key| {
        next += i32::from(key == next);
        key < next
    });
    known && usize::try_from(next) == Ok(texts.values().len())
}

/// The pages of one chunk, and what is counted of them.
struct Pages<'a, 'b> {
    column: &'a ColumnDescPtr,
    writer: SerializedPageWriter<'b, Vec<u8>>,
    entries: &'a Entries<'a>,
    /// The place of each key in the order of values, and the keys in that order.
    ranks: Vec<u32>,
    by_rank: Vec<u32>,
    /// How many entries of the dictionary were used so far.
    used: u32,
    rows: u64,
    data_pages: i32,
    nulls: u64,
    text_bytes: Option<i64>,
    histogram: Option<LevelHistogram>,
    /// The ranks of the least and greatest text of the chunk, and of the last page that has any.
    extremes: Option<(u32, u32)>,
    last_extremes: Option<(u32, u32)>,
    ascending: bool,
    descending: bool,
    compressed: u64,
    uncompressed: u64,
    dictionary_at: Option<u64>,
    data_at: Option<u64>,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl<'a, 'b> Pages<'a, 'b> {
    fn new(column: &'a ColumnDescPtr, writer: SerializedPageWriter<'b, Vec<u8>>, entries: &'a Entries<'a>) -> Self {
        let by_rank = entries.by_value();
        let mut ranks = vec![0; by_rank.len()];
        for (rank, key) in by_rank.iter().enumerate() {
            ranks[*key as usize] = rank as u32;
        }
        Self {
            column,
            writer,
            entries,
            ranks,
            by_rank,
            used: 0,
            rows: 0,
            data_pages: 0,
            nulls: 0,
            text_bytes: None,
            histogram: LevelHistogram::try_new(column.max_def_level()),
            extremes: None,
            last_extremes: None,
            ascending: true,
            descending: true,
            compressed: 0,
            uncompressed: 0,
            dictionary_at: None,
            data_at: None,
            column_index: ColumnIndexBuilder::new(column.physical_type()),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    fn write(&mut self, page: Page, uncompressed: usize) -> Result<PageWriteSpec, ParquetError> {
        let written = self.writer.write_page(CompressedPage::new(page, uncompressed))?;
        self.compressed += written.compressed_size as u64;
        self.uncompressed += written.uncompressed_size as u64;
        Ok(written)
    }

    fn dictionary(&mut self, page: &[u8], compressor: &mut zstd::bulk::Compressor<'_>) -> Result<(), ParquetError> {
        let dictionary = Page::DictionaryPage {
            buf: compressor.compress(page)?.into(),
            num_values: self.entries.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.dictionary_at = Some(self.write(dictionary, page.len())?.offset);
        Ok(())
    }

    /// Adds a page of so many rows; `keys` are those of the rows that have a text.
    fn data(
        &mut self,
        rows: usize,
        levels: Option<&[u8]>,
        keys: &[u32],
        compressor: &mut zstd::bulk::Compressor<'_>,
    ) -> Result<(), ParquetError> {
        let nulls = (rows - keys.len()) as u64;
        let mut histogram = LevelHistogram::try_new(self.column.max_def_level());
        if let Some(histogram) = &mut histogram {
            histogram.increment_by(0, nulls as i64);
            histogram.increment_by(1, keys.len() as i64);
        }
        if let (Some(all), Some(page)) = (&mut self.histogram, &histogram) {
            all.add(page);
        }
        let mut extremes: Option<(u32, u32)> = None;
        let text_bytes = self.entries.text_bytes(keys);
        for key in keys {
            let rank = self.ranks[*key as usize];
            extremes = Some(extremes.map_or((rank, rank), |(least, greatest)| (least.min(rank), greatest.max(rank))));
            self.used = self.used.max(key + 1);
        }
        let bytes = |rank: u32| self.entries.bytes(self.by_rank[rank as usize]);
        if let Some((least, greatest)) = extremes {
            if let Some((last_least, last_greatest)) = self.last_extremes {
                self.ascending &= last_least <= least && last_greatest <= greatest;
                self.descending &= least <= last_least && greatest <= last_greatest;
            }
            self.last_extremes = extremes;
            let (first, last) = self.extremes.unwrap_or((least, greatest));
            self.extremes = Some((first.min(least), last.max(greatest)));
            self.column_index.append(false, bytes(least), bytes(greatest), nulls as i64);
        } else {
            self.column_index.append(true, vec![], vec![], nulls as i64);
        }
        self.column_index.append_histograms(&None, &histogram);
        self.offset_index.append_row_count(rows as i64);
        self.offset_index.append_unencoded_byte_array_data_bytes(text_bytes);
        if let Some(bytes) = text_bytes {
            *self.text_bytes.get_or_insert(0) += bytes;
        }
        self.nulls += nulls;
        self.rows += rows as u64;
        self.data_pages += 1;

        let width = u32::BITS - self.used.saturating_sub(1).leading_zeros();
        let mut page = Vec::new();
        if let Some(levels) = levels {
            page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
            page.extend_from_slice(levels);
        }
        page.push(width as u8);
        let mut runs = Runs::new(width);
        keys.iter().for_each(|key| runs.put(*key));
        page.append(&mut runs.finish());
        let data = Page::DataPage {
            buf: compressor.compress(&page)?.into(),
            num_values: rows as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.write(data, page.len())?;
        self.data_at.get_or_insert(written.offset);
        self.offset_index
            .append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        Ok(())
    }

    fn close(mut self, properties: &WriterProperties) -> Result<ColumnCloseResult, ParquetError> {
        let key = |rank: u32| self.by_rank[rank as usize];
        let extremes = self.extremes.map(|(least, greatest)| (key(least), key(greatest)));
        let statistics = self.entries.statistics(extremes, self.nulls);
        let count = |page_type, encoding, count| PageEncodingStats {
            page_type,
            encoding,
            count,
        };
        let metadata = ColumnChunkMetaData::builder(Arc::clone(self.column))
            .set_compression(properties.compression(self.column.path()))
            .set_encodings_mask(EncodingMask::new_from_encodings(
                [Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::PLAIN].iter(),
            ))
            .set_page_encoding_stats(vec![
                count(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                count(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, self.data_pages),
            ])
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(self.data_at.unwrap_or_default() as i64)
            .set_dictionary_page_offset(self.dictionary_at.map(|at| at as i64))
            .set_statistics(statistics)
            .set_unencoded_byte_array_data_bytes(self.text_bytes)
            .set_definition_level_histogram(self.histogram.take())
            .build()?;
        self.column_index.set_boundary_order(match (self.ascending, self.descending) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        });
        Ok(ColumnCloseResult {
            bytes_written: self.compressed,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: Some(self.column_index.build()?),
            offset_index: Some(self.offset_index.build()),
        })
    }
}

/// Numbers as runs: of one number, or of any eight times so many, packed.
struct Runs {
    width: u32,
    bytes: Vec<u8>,
    /// Up to eight numbers of which it is not decided how they are written.
    group: [u32; 8],
    waiting: usize,
    last: u32,
    repeats: usize,
    /// The packed run that is being written: where it says how long it is, and how many groups it has.
    packed_at: Option<usize>,
    packed: u8,
}

/// The most groups of a packed run.
const MOST_GROUPS: u8 = 63;

impl Runs {
    const fn new(width: u32) -> Self {
        Self {
            width,
            bytes: Vec::new(),
            group: [0; 8],
            waiting: 0,
            last: 0,
            repeats: 0,
            packed_at: None,
            packed: 0,
        }
    }

    #[inline]
    fn put(&mut self, number: u32) {
        if self.last == number {
            self.repeats += 1;
            if self.repeats > 8 {
                return;
            }
        } else {
            if self.repeats >= 8 {
                self.repeated();
            }
            self.repeats = 1;
            self.last = number;
        }
        self.group[self.waiting] = number;
        self.waiting += 1;
        if self.waiting < 8 {
            return;
        }
        if self.repeats >= 8 {
            // A run of this number begins.
            self.waiting = 0;
            self.end_packed();
        } else {
            self.pack();
            if self.packed == MOST_GROUPS {
                self.end_packed();
            }
            self.repeats = 0;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.packed == 0 && self.repeats > 0 && (self.waiting == 0 || self.repeats == self.waiting) {
            self.repeated();
        } else if self.packed > 0 || self.waiting > 0 {
            if self.waiting > 0 {
                self.group[self.waiting..].fill(0);
                self.pack();
            }
            self.end_packed();
        }
        self.bytes
    }

    fn repeated(&mut self) {
        let mut header = self.repeats << 1;
        while header > 0x7f {
            self.bytes.push(header as u8 | 0x80);
            header >>= 7;
        }
        self.bytes.push(header as u8);
        let bytes = self.last.to_le_bytes();
        self.bytes.extend_from_slice(&bytes[..self.width.div_ceil(8) as usize]);
        self.waiting = 0;
        self.repeats = 0;
    }

    /// Adds a group to the packed run.
    fn pack(&mut self) {
        if self.packed_at.is_none() {
            self.packed_at = Some(self.bytes.len());
            self.bytes.push(0);
        }
        let (mut bits, mut filled) = (0_u64, 0);
        for number in self.group {
            bits |= u64::from(number) << filled;
            filled += self.width;
            while filled >= 8 {
                self.bytes.push(bits as u8);
                bits >>= 8;
                filled -= 8;
            }
        }
        self.packed += 1;
        self.waiting = 0;
    }

    fn end_packed(&mut self) {
        if let Some(at) = self.packed_at.take() {
            self.bytes[at] = self.packed << 1 | 1;
        }
        self.packed = 0;
    }
}
