//! CSV: RFC 4180, UTF-8, CRLF, a header of full names. Formulas are defused.

use arrow::array::RecordBatch;

use super::cell::{Cell, Cells};
use super::defuse::defused;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format};
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
        Box::new(CsvEncoder {
            columns: document.columns,
            text: Vec::new(),
        })
    }
}

struct CsvEncoder {
    columns: Vec<Column>,
    text: Vec<u8>,
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let titles = self.columns.iter().map(|column| defused(&column.title));
        writer(out)
            .write_record(titles.map(|title| title.into_owned().into_bytes()))
            .map_err(io)
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::new(batch, &self.columns)?;
        let mut writer = writer(out);
        for row in 0..batch.num_rows() {
            for column in 0..self.columns.len() {
                match cells.get(row, column) {
                    Cell::Text(text) => writer.write_field(defused(text).as_bytes()),
                    cell => {
                        self.text.clear();
                        cell.write_text(&mut self.text);
                        writer.write_field(&self.text)
                    }
                }
                .map_err(io)?;
            }
            writer.write_record(None::<&[u8]>).map_err(io)?;
        }
        Ok(writer.flush()?)
    }

    fn end(&mut self, _: u64, _: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        Ok(Ending::Whole)
    }
}

fn writer(out: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn io(error: csv::Error) -> EncodeError {
    EncodeError::Scratch(std::io::Error::other(error.to_string()))
}
