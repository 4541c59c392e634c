//! The JSON envelope: `{"success":true,"msg":"","data":[{…}],"code":null,"totalCount":123}`, and what is doubtful after that; or the
//! rows alone as an array, where a caller asks for that.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::lines::Lines;
use super::objects::Objects;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, Rows};
use crate::report::Family;
use crate::store::Quality;

/// The JSON envelope.
#[derive(Debug)]
pub(super) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn family(&self) -> Family {
        Family::Envelope
    }

    fn disposition(&self) -> Disposition {
        Disposition::Read
    }

    fn counts_rows(&self) -> bool {
        true
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(JsonEncoder {
            lines: Arc::new(Lines::new(document.columns, Objects { before: b",", end: b"}" })),
            quality: document.quality.as_ref().map(Quality::to_json),
            bare: document.bare,
            first: true,
        })
    }
}

struct JsonEncoder {
    lines: Arc<Lines<Objects>>,
    quality: Option<String>,
    /// Rows alone, without the envelope.
    bare: bool,
    first: bool,
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let begin: &[u8] = if self.bare { b"[" } else { br#"{"success":true,"msg":"","data":["# };
        out.extend_from_slice(begin);
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = self.first && batch.num_rows() > 0;
        self.first &= !first;
        self.lines.rows(batch, first, out)
    }

    fn rows_alone(&self) -> Option<Arc<dyn Rows>> {
        Some(Arc::clone(&self.lines) as _)
    }

    fn end(&mut self, total: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        if self.bare {
            out.push(b']');
            return Ok(Ending::Whole);
        }
        out.extend_from_slice(br#"],"code":null,"totalCount":"#);
        out.extend_from_slice(total.to_string().as_bytes());
        if let Some(quality) = &self.quality {
            out.extend_from_slice(br#","quality":"#);
            out.extend_from_slice(quality.as_bytes());
        }
        out.push(b'}');
        Ok(Ending::Whole)
    }
}
