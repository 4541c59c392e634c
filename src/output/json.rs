//! The JSON envelope: `{"success":true,"msg":"","data":[{…}],"code":null,"totalCount":123}`, and what is doubtful after that.

use arrow::array::RecordBatch;

use super::objects::Objects;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format};
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
            objects: Objects::new(document.columns),
            quality: document.quality.as_ref().map(Quality::to_json),
            first: true,
        })
    }
}

struct JsonEncoder {
    objects: Objects,
    quality: Option<String>,
    first: bool,
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(br#"{"success":true,"msg":"","data":["#);
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = &mut self.first;
        self.objects.write(batch, out, |out| {
            if !std::mem::take(first) {
                out.push(b',');
            }
        })?;
        Ok(())
    }

    fn end(&mut self, total: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
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
