//! The rows of a file, and the bytes that they become.
//!
//! Parquet is the store's own file, byte for byte, checked on the way. Texts go through the encoders of reports, with instants
//! spelled out in UTC to the last digit: reports print whole seconds.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use parquet::arrow::ArrowWriter;
use sha2::{Digest as _, Sha256};

use super::ExportError;
use super::file::Sink;
use crate::output::{self, Document, EncodeError, Ending};
use crate::report::columns_of;
use crate::store::{PartitionFile, Snapshot};
use crate::time::rfc3339;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Apache Parquet: types and texts as they are.
    Parquet,
    /// RFC 4180 with a head; what a spreadsheet would run as a formula gets an apostrophe in front.
    Csv,
    /// A JSON object a line; texts as they are.
    Ndjson,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Ndjson];

    /// Its name, and how its files end.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// What a file is made of.
pub(super) enum Rows<'a> {
    /// A file of the store.
    Partition { snapshot: &'a Snapshot, file: &'a PartitionFile },
    /// Few rows, as they are written.
    List { rows: u64, bytes: Vec<u8> },
}

impl Rows<'_> {
    /// The rows of a list.
    pub(super) fn of_list(batch: &RecordBatch, format: ExportFormat) -> Result<Self, ExportError> {
        let bytes = match format {
            ExportFormat::Parquet => in_parquet(batch).map_err(EncodeError::from)?,
            format => {
                let mut text = Text::begin(&batch.schema(), format)?;
                text.add(batch)?;
                text.end()?;
                text.bytes
            }
        };
        Ok(Self::List {
            rows: batch.num_rows() as u64,
            bytes,
        })
    }

    /// How many there are.
    pub(super) const fn count(&self) -> u64 {
        match self {
            Self::Partition { file, .. } => file.rows,
            Self::List { rows, .. } => *rows,
        }
    }

    /// What tells these rows from any other.
    pub(super) fn checksum(&self) -> [u8; 32] {
        match self {
            Self::Partition { file, .. } => file.checksum,
            Self::List { bytes, .. } => Sha256::digest(bytes).into(),
        }
    }

    /// Writes them.
    pub(super) fn write(&self, format: ExportFormat, out: &mut Sink) -> Result<(), ExportError> {
        match (self, format) {
            (Self::List { bytes, .. }, _) => out.put(bytes),
            (Self::Partition { snapshot, file }, ExportFormat::Parquet) => copy(snapshot, file, out),
            (Self::Partition { snapshot, file }, format) => {
                let mut text = Text::begin(&file.table.schema(), format)?;
                for batch in snapshot.read(file)? {
                    text.add(&batch?)?;
                    out.put(&text.bytes)?;
                    text.bytes.clear();
                }
                text.end()?;
                out.put(&text.bytes)
            }
        }
    }
}

/// Copies a file of the store, and checks that it is what was written.
fn copy(snapshot: &Snapshot, file: &PartitionFile, out: &mut Sink) -> Result<(), ExportError> {
    let path = snapshot.root().join(file.path());
    let mut from = File::open(&path).map_err(ExportError::io("open", &path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        let read = from.read(&mut buffer).map_err(ExportError::io("read", &path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        out.put(&buffer[..read])?;
    }
    if <[u8; 32]>::from(hash.finalize()) == file.checksum {
        Ok(())
    } else {
        Err(ExportError::Damaged { path })
    }
}

fn in_parquet(batch: &RecordBatch) -> parquet::errors::Result<Vec<u8>> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(batch)?;
    writer.into_inner()
}

/// A text that is being written; whoever adds rows takes its bytes.
struct Text {
    encoder: Box<dyn output::Encoder>,
    schema: SchemaRef,
    bytes: Vec<u8>,
    rows: u64,
}

impl Text {
    fn begin(schema: &Schema, format: ExportFormat) -> Result<Self, ExportError> {
        let format = output::find(format.name()).unwrap_or(output::FORMATS[0]);
        let fields = schema.fields().iter().map(|field| spelled(field)).collect::<Vec<_>>();
        let (columns, schema) = columns_of(&Schema::new(fields));
        let mut text = Self {
            encoder: format.encoder(Document::of_columns(columns)),
            schema,
            bytes: Vec::new(),
            rows: 0,
        };
        text.encoder.begin(&mut text.bytes)?;
        Ok(text)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        let columns = batch.columns().iter().map(spell).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(EncodeError::from)?;
        self.rows += batch.num_rows() as u64;
        Ok(self.encoder.rows(&batch, &mut self.bytes)?)
    }

    fn end(&mut self) -> Result<(), ExportError> {
        while self.encoder.end(self.rows, &mut self.bytes)? == Ending::More {}
        Ok(())
    }
}

/// A field whose instants are spelled out.
fn spelled(field: &Field) -> Field {
    match field.data_type() {
        DataType::Timestamp(..) => field.clone().with_data_type(DataType::Utf8),
        _ => field.clone(),
    }
}

/// Instants as RFC 3339 in UTC, with as many digits as they have; anything else as it is.
fn spell(array: &ArrayRef) -> ArrayRef {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Arc::new(instants.iter().map(|at| at.map(rfc3339)).collect::<StringArray>()),
        None => Arc::clone(array),
    }
}
