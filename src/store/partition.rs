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
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::event::Table;
use crate::time::Day;

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
    bytes: Vec<u8>,
}

/// Encodes rows as a file of a table.
pub(crate) fn encode(table: Table, batch: &RecordBatch) -> Result<Encoded, StoreError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties(table)))?;
    writer.write(batch)?;
    let bytes = writer.into_inner()?;
    Ok(Encoded {
        rows: batch.num_rows() as u64,
        checksum: Sha256::digest(&bytes).into(),
        bytes,
    })
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
    Ok(ParquetRecordBatchReaderBuilder::try_new(opened)?.with_batch_size(64 * 1024))
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
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_created_by("headroom".to_owned())
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(8 * 1024)
        .set_write_batch_size(8 * 1024);
    for name in ["at", "started", "ended", "session_started", "borrow_until", "line", "level"] {
        if table.schema().index_of(name).is_ok() {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}
