//! NDJSON: a JSON object a line, and nothing else.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::lines::Lines;
use super::objects::Objects;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, Rows};
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
            lines: Arc::new(Lines::new(document.columns, Objects { before: b"", end: b"}\n" })),
        })
    }
}

struct NdjsonEncoder {
    lines: Arc<Lines<Objects>>,
}

impl Encoder for NdjsonEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.lines.rows(batch, false, out)
    }

    fn rows_alone(&self) -> Option<Arc<dyn Rows>> {
        Some(Arc::clone(&self.lines) as _)
    }

    fn end(&mut self, _: u64, _: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        Ok(Ending::Whole)
    }
}
