//! Arrow: an IPC stream.

use std::mem::take;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use ::arrow::ipc::writer::StreamWriter;

use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, typed};
use crate::report::Family;

/// An Arrow IPC stream.
#[derive(Debug)]
pub(super) struct Arrow;

impl Format for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn media_type(&self) -> &'static str {
        "application/vnd.apache.arrow.stream"
    }

    fn family(&self) -> Family {
        Family::Records
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(ArrowEncoder {
            schema: typed::schema(&document.columns, document.zone),
            writer: None,
        })
    }
}

struct ArrowEncoder {
    schema: SchemaRef,
    writer: Option<StreamWriter<Vec<u8>>>,
}

impl ArrowEncoder {
    /// The writer, which writes the schema when it is made.
    fn writer(&mut self) -> Result<&mut StreamWriter<Vec<u8>>, EncodeError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => StreamWriter::try_new(Vec::new(), &self.schema)?,
        };
        Ok(self.writer.insert(writer))
    }
}

impl Encoder for ArrowEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.append(self.writer()?.get_mut());
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let rows = typed::rows(batch, &self.schema)?;
        let writer = self.writer()?;
        writer.write(&rows)?;
        out.append(&mut take(writer.get_mut()));
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        let writer = self.writer()?;
        writer.finish()?;
        out.append(writer.get_mut());
        Ok(Ending::Whole)
    }
}
