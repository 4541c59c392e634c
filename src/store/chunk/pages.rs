//! The pages of a column, and what files say of each and of all.

use std::sync::Arc;

use parquet::basic::{BoundaryOrder, Encoding, EncodingMask, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedPageWriter;
use parquet::schema::types::ColumnDescPtr;

use super::entries::Entries;
use super::runs::Runs;

/// The pages of one chunk, and what is counted of them.
pub(super) struct Pages<'a, 'b> {
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
    pub(super) fn new(column: &'a ColumnDescPtr, writer: SerializedPageWriter<'b, Vec<u8>>, entries: &'a Entries<'a>) -> Self {
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

    pub(super) fn dictionary(&mut self, page: &[u8], compressor: &mut zstd::bulk::Compressor<'_>) -> Result<(), ParquetError> {
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
    pub(super) fn data(
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
        let text_bytes = self.entries.text_bytes(keys);
        let (mut least, mut greatest) = (u32::MAX, 0);
        for key in keys {
            let rank = self.ranks[*key as usize];
            (least, greatest) = (least.min(rank), greatest.max(rank));
            self.used = self.used.max(key + 1);
        }
        let extremes = (!keys.is_empty()).then_some((least, greatest));
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
        runs.put_each(keys);
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

    pub(super) fn close(mut self, properties: &WriterProperties) -> Result<ColumnCloseResult, ParquetError> {
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
