//! NDJSON: a JSON object a line, and nothing else.

use arrow::array::RecordBatch;

use super::objects::Objects;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format};
use crate::report::Family;

/// JSON objects, one a line.
#[derive(Debug)]
pub(super) struct Ndjson;

impl Format for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn media_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn family(&self) -> Family {
        Family::Records
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(NdjsonEncoder {
            objects: Objects::new(document.columns),
            first: true,
        })
    }
}

struct NdjsonEncoder {
    objects: Objects,
    first: bool,
}

impl Encoder for NdjsonEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = &mut self.first;
        self.objects.write(batch, out, |out| {
            if !std::mem::take(first) {
                out.push(b'\n');
            }
        })?;
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        if !self.first {
            out.push(b'\n');
        }
        Ok(Ending::Whole)
    }
}
