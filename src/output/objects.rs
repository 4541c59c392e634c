//! Rows as JSON objects, for the formats that are made of them.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::cell::{Cell, Cells};
use crate::report::Column;

/// Writes rows as JSON objects.
#[derive(Debug)]
pub(super) struct Objects {
    columns: Vec<Column>,
    /// The keys as they are written, with what stands before and after them.
    keys: Vec<Vec<u8>>,
    text: Vec<u8>,
}

impl Objects {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let mut keys = Vec::with_capacity(columns.len());
        for column in &columns {
            let mut key = vec![if keys.is_empty() { b'{' } else { b',' }];
            write_string(&column.name, &mut key);
            key.push(b':');
            keys.push(key);
        }
        Self {
            columns,
            keys,
            text: Vec::new(),
        }
    }

    /// Writes an object for each row; `between` writes what comes before each.
    pub(super) fn write(
        &mut self,
        batch: &RecordBatch,
        out: &mut Vec<u8>,
        mut between: impl FnMut(&mut Vec<u8>),
    ) -> Result<(), ArrowError> {
        let cells = Cells::new(batch, &self.columns)?;
        for row in 0..batch.num_rows() {
            between(out);
            for (column, key) in self.keys.iter().enumerate() {
                out.extend_from_slice(key);
                write_value(cells.get(row, column), &mut self.text, out);
            }
            out.push(b'}');
        }
        Ok(())
    }
}

fn write_value(cell: Cell<'_>, text: &mut Vec<u8>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(value) => write_string(value, out),
        Cell::Float(number) if !number.is_finite() => out.extend_from_slice(b"null"),
        // No number in JSON's eyes: infinite, or none at all.
        Cell::Number(number) if !number.ends_with(|c: char| c.is_ascii_digit()) => out.extend_from_slice(b"null"),
        Cell::Integer(_) | Cell::Float(_) | Cell::Number(_) | Cell::Boolean(_) => cell.write_text(out),
        Cell::Date(_) | Cell::DateTime(_) | Cell::Timestamp(_) | Cell::Period(..) => {
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
