//! The JSON envelope: `{"success":true,"msg":"","data":[{…}],"code":null,"totalCount":123}`.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::cell::{Cell, Cells};
use super::{Encoder, Format};
use crate::report::Column;

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

    fn is_download(&self) -> bool {
        false
    }

    fn counts_rows(&self) -> bool {
        true
    }

    fn encoder(&self, columns: Vec<Column>) -> Box<dyn Encoder> {
        let mut keys = Vec::with_capacity(columns.len());
        for column in &columns {
            let mut key = Vec::new();
            write_string(&column.name, &mut key);
            key.push(b':');
            keys.push(key);
        }
        Box::new(JsonEncoder {
            columns,
            keys,
            first: true,
            text: Vec::new(),
        })
    }
}

struct JsonEncoder {
    columns: Vec<Column>,
    keys: Vec<Vec<u8>>,
    first: bool,
    text: Vec<u8>,
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"success":true,"msg":"","data":["#);
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let cells = Cells::new(batch, &self.columns)?;
        for row in 0..batch.num_rows() {
            out.extend_from_slice(if self.first { b"{" } else { b",{" });
            self.first = false;
            for (column, key) in self.keys.iter().enumerate() {
                if column > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key);
                write_value(cells.get(row, column), &mut self.text, out);
            }
            out.push(b'}');
        }
        Ok(())
    }

    fn end(&mut self, total: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"],"code":null,"totalCount":"#);
        out.extend_from_slice(total.to_string().as_bytes());
        out.push(b'}');
    }
}

fn write_value(cell: Cell<'_>, text: &mut Vec<u8>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(value) => write_string(value, out),
        Cell::Float(number) if !number.is_finite() => out.extend_from_slice(b"null"),
        Cell::Integer(_) | Cell::Float(_) | Cell::Boolean(_) => cell.write_text(out),
        Cell::Date(_) | Cell::DateTime(_) | Cell::Period(..) => {
            // Dates have nothing to escape.
            text.clear();
            cell.write_text(text);
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        }
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // Writing a text to memory cannot fail.
    let _infallible = serde_json::to_writer(out, text);
}
