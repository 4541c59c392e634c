//! CSV: RFC 4180, UTF-8, CRLF, a header of full names. Formulas are defused.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::defuse::{begins_formula, defused};
use super::lines::{Lines, Spelling};
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, Rows};
use crate::report::{Column, Family};

/// RFC 4180.
#[derive(Debug)]
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn media_type(&self) -> &'static str {
        "text/csv; charset=utf-8; header=present"
    }

    fn family(&self) -> Family {
        Family::Export
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        let head: Vec<Vec<u8>> = document
            .columns
            .iter()
            .map(|column| {
                let mut title = Vec::new();
                Fields::write_text(&column.title, &mut title);
                title
            })
            .collect();
        Box::new(CsvEncoder {
            bom: document.bom,
            head: head.join(&b","[..]),
            lines: Arc::new(Lines::new(document.columns, Fields)),
        })
    }
}

struct CsvEncoder {
    bom: bool,
    head: Vec<u8>,
    lines: Arc<Lines<Fields>>,
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.bom {
            out.extend_from_slice("\u{feff}".as_bytes());
        }
        let head = if self.head.is_empty() { Fields::NOTHING } else { &self.head };
        out.extend_from_slice(head);
        out.extend_from_slice(Fields.end());
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

/// Fields between commas. One that has a comma, a quote or an end of a line in it stands in quotes, and its quotes are doubled.
struct Fields;

impl Spelling for Fields {
    const NULL: &'static [u8] = b"";
    const QUOTE: &'static [u8] = b"";
    /// An empty line would be no row.
    const NOTHING: &'static [u8] = b"\"\"";

    fn before(&self) -> &'static [u8] {
        b""
    }

    fn lead(&self, place: usize, _: &Column) -> Vec<u8> {
        if place == 0 { Vec::new() } else { b",".to_vec() }
    }

    fn end(&self) -> &'static [u8] {
        b"\r\n"
    }

    fn is_plain(byte: u8) -> bool {
        (byte != b',') & (byte != b'"') & (byte != b'\r') & (byte != b'\n')
    }

    fn may_begin(byte: u8) -> bool {
        !begins_formula(byte)
    }

    fn write_text(text: &str, out: &mut Vec<u8>) {
        let text = defused(text);
        if text.bytes().all(Self::is_plain) {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.push(b'"');
        for (place, part) in text.split('"').enumerate() {
            if place > 0 {
                out.extend_from_slice(b"\"\"");
            }
            out.extend_from_slice(part.as_bytes());
        }
        out.push(b'"');
    }

    fn number(text: &str) -> &[u8] {
        text.as_bytes()
    }
}
