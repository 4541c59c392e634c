//! Partition files: written once, never changed, known by their checksum.
//!
//! ```text
//! <store>/<table>/day=2026-03-01/00000000002a.parquet
//! ```
//!
//! A file counts only once the catalog names it; until then it is garbage that the next writer sweeps.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::chunk::{Chunk, Chunks, PAGE_ROWS};
use crate::event::Table;
use crate::time::Day;

/// How hard files are compressed: decoding costs the same at any level, and importing hardly anything at this one.
const ZSTD_LEVEL: i32 = 1;
/// A file of more rows has several groups of them.
const ROWS_OF_A_GROUP: usize = 1024 * 1024;

/// A partition file as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFile {
    /// The number that names it.
    pub id: i64,
    /// Whose rows it holds.
    pub table: Table,
    /// Whose day.
    pub day: Day,
    /// How many rows it has.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub checksum: [u8; 32],
}

impl PartitionFile {
    /// Where it lies, relative to the store.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        relative_path(self.table, self.day, self.id)
    }
}

fn relative_path(table: Table, day: Day, id: i64) -> PathBuf {
    Path::new(table.name())
        .join(format!("day={day}"))
        .join(format!("{id:012x}.parquet"))
}

/// The number that a file of this name would have; nothing if no partition file is named like that.
pub(crate) fn id_of(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
    i64::from_str_radix(name, 16).ok()
}

/// The bytes that a file of these rows has, and their checksum. The same rows make the same bytes.
pub(crate) struct Encoded {
    pub(crate) rows: u64,
    pub(crate) checksum: [u8; 32],
    bytes: Bytes,
}

impl Encoded {
    /// Whether a file has these rows, be it in other bytes: an earlier version may have packed them otherwise.
    pub(crate) fn has_rows_of(&self, store: &Path, file: &PartitionFile) -> Result<bool, StoreError> {
        if file.checksum == self.checksum {
            return Ok(true);
        }
        let mut found = read(store, file)?;
        for made in batches(self.bytes.clone())?.build()? {
            let same = match found.next() {
                Some(found) => found? == made?,
                None => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(found.next().is_none())
    }
}

/// Encodes rows as a file of a table.
pub(crate) fn encode(table: Table, batch: &RecordBatch) -> Result<Encoded, StoreError> {
    let bytes = if (1..=ROWS_OF_A_GROUP).contains(&batch.num_rows()) {
        encode_columns(&properties(table), batch)?
    } else {
        encode_rows(properties(table), batch)?
    };
    Ok(Encoded {
        rows: batch.num_rows() as u64,
        checksum: Sha256::digest(&bytes).into(),
        bytes: bytes.into(),
    })
}

/// Leaves everything to the writer of `parquet`.
fn encode_rows(properties: WriterProperties, batch: &RecordBatch) -> Result<Vec<u8>, StoreError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

/// Writes one group of rows, column by column, to the same bytes.
fn encode_columns(properties: &WriterProperties, batch: &RecordBatch) -> Result<Vec<u8>, StoreError> {
    let mut chunks = Chunks::new(properties, ZSTD_LEVEL).map_err(ParquetError::from)?;
    let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone()))?;
    let (mut file, columns) = writer.into_serialized_writer()?;
    let writers = columns.create_column_writers(0)?;
    let descriptors: Vec<_> = file.schema_descr().columns().to_vec();
    let mut group = file.next_row_group()?;
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    for (((field, array), mut writer), descriptor) in fields.zip(writers).zip(&descriptors) {
        if let Some(Chunk { bytes, close }) = chunks.column(descriptor, array)? {
            group.append_column(&bytes, close)?;
        } else {
            for leaf in compute_leaves(field, array)? {
                writer.write(&leaf)?;
            }
            writer.close()?.append_to_row_group(&mut group)?;
        }
    }
    group.close()?;
    Ok(file.into_inner()?)
}

/// Writes a file and makes its bytes durable; [`sync_folders`] makes its name so.
pub(crate) fn write(store: &Path, table: Table, day: Day, id: i64, encoded: &Encoded) -> Result<PartitionFile, StoreError> {
    let path = store.join(relative_path(table, day, id));
    let folder = path.parent().unwrap_or(store);
    fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&encoded.bytes)?;
        file.sync_all()
    });
    written.map_err(StoreError::io("write", &path))?;
    Ok(PartitionFile {
        id,
        table,
        day,
        rows: encoded.rows,
        bytes: encoded.bytes.len() as u64,
        checksum: encoded.checksum,
    })
}

/// Makes the names of new files durable: the folders they were created in, and theirs.
pub(crate) fn sync_folders<'a>(store: &Path, files: impl Iterator<Item = &'a PartitionFile>) -> Result<(), StoreError> {
    let mut folders: Vec<PathBuf> = files
        .flat_map(|file| {
            let day = store.join(file.path());
            [
                day.parent().map(Path::to_path_buf),
                Some(store.join(file.table.name())),
                Some(store.to_path_buf()),
            ]
        })
        .flatten()
        .collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let synced = File::open(&folder).and_then(|folder| folder.sync_all());
        synced.map_err(StoreError::io("sync", &folder))?;
    }
    Ok(())
}

/// The batches of a file.
pub(crate) fn read(store: &Path, file: &PartitionFile) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>>, StoreError> {
    let batches = open(store, file)?.build()?;
    Ok(batches.map(|batch| batch.map_err(StoreError::from)))
}

/// The batches of a file, with these columns alone.
pub(crate) fn read_columns(
    store: &Path,
    file: &PartitionFile,
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>>, StoreError> {
    let opened = open(store, file)?;
    let columns = ProjectionMask::columns(opened.parquet_schema(), columns.iter().copied());
    let batches = opened.with_projection(columns).build()?;
    Ok(batches.map(|batch| batch.map_err(StoreError::from)))
}

fn open(store: &Path, file: &PartitionFile) -> Result<ParquetRecordBatchReaderBuilder<File>, StoreError> {
    let path = store.join(file.path());
    let opened = File::open(&path).map_err(StoreError::io("open", &path))?;
    batches(opened)
}

fn batches<R: ChunkReader + 'static>(file: R) -> Result<ParquetRecordBatchReaderBuilder<R>, StoreError> {
    Ok(ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(64 * 1024))
}

/// The length and checksum of the bytes that are on the disk now.
pub(crate) fn checksum(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hash.finalize().into())),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Instants rise within a feature, so their differences are small numbers; everything else repeats. Pages are small
/// enough that the rows of one feature can be read without those of its neighbours.
fn properties(table: Table) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROWS_OF_A_GROUP))
        .set_created_by("headroom".to_owned())
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS);
    for name in ["at", "started", "ended", "session_started", "borrow_until", "line", "level"] {
        if table.schema().index_of(name).is_ok() {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    if table == Table::Sessions {
        // How long each of many sessions lasts is as good as random: compression takes 4 % off, and undoing it takes long.
        properties = properties.set_column_compression(ColumnPath::from("ended"), Compression::UNCOMPRESSED);
    }
    properties.build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arrivals::Arrivals;
    use super::super::columns;
    use super::*;
    use crate::event::{Event, Kind};

    /// Rows of texts that are drawn from so many, some of them missing; runs of one text where `run` is long.
    fn rows(count: usize, texts: usize, run: usize, missing: usize, long: bool) -> RecordBatch {
        let mut rows = Arrivals::with_capacity(count);
        let mut state: u64 = 88_172_645_463_325_252;
        let mut draw = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize
        };
        let (mut user, mut host, mut reason) = (String::new(), String::new(), String::new());
        for row in 0..count {
            if row % run == 0 {
                let absent = missing > 0 && draw() % 8 < missing;
                user = if absent { String::new() } else { format!("u{:x}", draw() % texts) };
                host = format!("h{}", row * texts / count);
                reason = if long { "é".repeat(draw() % 70) } else { String::new() };
            }
            let event = Event {
                user: &user,
                host: &host,
                display: if row >= count / 2 && missing < 8 { "late" } else { "" },
                reason: &reason,
                licenses: 1 + (draw() % texts.min(40)) as u32,
                reason_code: (missing < 8 && draw() % 3 > 0).then(|| draw() as i32 >> (row % 30)),
                ..Event::new(Kind::ALL[draw() % Kind::ALL.len()], row as i64)
            };
            rows.push(&event, 1, 1 + row as i32 / 100);
        }
        let rows = rows.settle("a.log");
        columns::events(&rows.rows, &rows.strings).unwrap()
    }

    fn same_bytes(batch: &RecordBatch) {
        let (a, b) = (
            encode_columns(&properties(Table::Events), batch),
            encode_rows(properties(Table::Events), batch),
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!(a == b, "{} and {} bytes", a.len(), b.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_file_has_the_bytes_that_the_writer_of_parquet_makes(
            count in prop_oneof![1_usize..40, 8_180..8_200_usize, 16_000..30_000_usize],
            texts in prop::sample::select(vec![1_usize, 2, 3, 60, 300, 5_000, 70_000]),
            run in prop::sample::select(vec![1_usize, 3, 8, 9, 40, 500, 9_000]),
            missing in 0_usize..9,
            long in any::<bool>(),
        ) {
            same_bytes(&rows(count, texts, run, missing, long));
        }
    }

    #[test]
    fn a_dictionary_that_grows_too_large_has_the_same_bytes_too() {
        same_bytes(&rows(300_000, 10_000_000, 1, 1, false));
    }

    #[test]
    fn rows_are_told_from_others_however_they_are_packed() {
        let folder = tempfile::tempdir().unwrap();
        let batch = rows(70_000, 300, 3, 2, false);
        let packed = |batch: &RecordBatch| {
            let bytes = encode_rows(WriterProperties::builder().build(), batch).unwrap();
            Encoded {
                rows: batch.num_rows() as u64,
                checksum: Sha256::digest(&bytes).into(),
                bytes: bytes.into(),
            }
        };
        let encoded = encode(Table::Events, &batch).unwrap();
        let mut ids = 1..;
        let mut has_rows_of = |other: &Encoded| {
            let file = write(folder.path(), Table::Events, Day(1), ids.next().unwrap(), other).unwrap();
            encoded.has_rows_of(folder.path(), &file).unwrap()
        };
        assert_ne!(packed(&batch).checksum, encoded.checksum);
        assert!(has_rows_of(&encoded) && has_rows_of(&packed(&batch)));
        assert!(!has_rows_of(&packed(&batch.slice(0, 69_999))));
        assert!(!has_rows_of(&packed(&rows(70_001, 300, 3, 2, false))));
        assert!(!has_rows_of(&packed(&rows(70_000, 299, 3, 2, false))));
    }
}
