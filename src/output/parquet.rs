//! Parquet, a row group at a time.

use std::mem::take;
use std::sync::Arc;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;

use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, typed};
use crate::report::Family;

/// How many rows are in memory before they are written.
const GROUP_ROWS: usize = 128 * 1024;

/// Parquet.
#[derive(Debug)]
pub(super) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn media_type(&self) -> &'static str {
        "application/vnd.apache.parquet"
    }

    fn family(&self) -> Family {
        Family::Records
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(ParquetEncoder {
            schema: typed::schema(&document.columns, document.zone),
            writer: None,
        })
    }
}

struct ParquetEncoder {
    schema: SchemaRef,
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl ParquetEncoder {
    fn writer(&mut self) -> Result<&mut ArrowWriter<Vec<u8>>, EncodeError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .build();
                ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(properties))?
            }
        };
        Ok(self.writer.insert(writer))
    }
}

impl Encoder for ParquetEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let rows = typed::rows(batch, &self.schema)?;
        let writer = self.writer()?;
        writer.write(&rows)?;
        writer.sync()?;
        // What is written leaves; the writer itself counts where it is.
        out.append(&mut take(writer.inner_mut()));
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        let writer = self.writer()?;
        writer.finish()?;
        out.append(writer.inner_mut());
        Ok(Ending::Whole)
    }
}
