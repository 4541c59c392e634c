//! CSV: RFC 4180, UTF-8, CRLF, a header of full names.
//!
//! A cell that a spreadsheet would run as a formula gets an apostrophe in front: users choose their own names.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::cell::{Cell, Cells};
use super::{Encoder, Format};
use crate::report::Column;

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

    fn is_download(&self) -> bool {
        true
    }

    fn counts_rows(&self) -> bool {
        false
    }

    fn encoder(&self, columns: Vec<Column>) -> Box<dyn Encoder> {
        Box::new(CsvEncoder { columns, text: Vec::new() })
    }
}

struct CsvEncoder {
    columns: Vec<Column>,
    text: Vec<u8>,
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let titles = self.columns.iter().map(|column| column.title.as_str());
        // Writing to memory cannot fail, and rows of one writer cannot differ in length.
        let _infallible = writer(out).write_record(titles);
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let cells = Cells::new(batch, &self.columns)?;
        let mut writer = writer(out);
        for row in 0..batch.num_rows() {
            for column in 0..self.columns.len() {
                self.text.clear();
                let cell = cells.get(row, column);
                if let Cell::Text(text) = cell
                    && text.starts_with(['=', '+', '-', '@', '\t', '\r'])
                {
                    self.text.push(b'\'');
                }
                cell.write_text(&mut self.text);
                writer.write_field(&self.text).map_err(|error| csv_error(&error))?;
            }
            writer.write_record(None::<&[u8]>).map_err(|error| csv_error(&error))?;
        }
        writer.flush()?;
        Ok(())
    }

    fn end(&mut self, _: u64, _: &mut Vec<u8>) {}
}

fn writer(out: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

fn csv_error(error: &csv::Error) -> ArrowError {
    ArrowError::CsvError(error.to_string())
}
