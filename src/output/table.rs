//! A table for a terminal. Columns are as wide as their first rows need; later rows that need more get more.

use arrow::array::RecordBatch;
use unicode_width::UnicodeWidthStr as _;

use super::cell::{Cell, Cells};
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format};
use crate::report::{Column, ColumnType, Family};

/// A table for a terminal.
#[derive(Debug)]
pub(super) struct Table;

/// How many rows are looked at before the first is written.
const LOOKED_AT: usize = 1000;

impl Format for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn media_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn family(&self) -> Family {
        Family::Records
    }

    fn disposition(&self) -> Disposition {
        Disposition::Read
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(TableEncoder {
            columns: document.columns,
            waiting: Vec::new(),
            widths: None,
            rows: 0,
        })
    }
}

struct TableEncoder {
    columns: Vec<Column>,
    /// Rows that wait until the widths are known.
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    rows: u64,
}

impl Encoder for TableEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.rows += batch.num_rows() as u64;
        let cells = Cells::new(batch, &self.columns)?;
        for row in 0..batch.num_rows() {
            self.waiting
                .push((0..self.columns.len()).map(|column| shown(cells.get(row, column))).collect());
        }
        if self.widths.is_some() || self.waiting.len() >= LOOKED_AT {
            self.flush(out);
        }
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        self.flush(out);
        let rows = if self.rows == 1 { "row" } else { "rows" };
        out.extend_from_slice(format!("({} {rows})\n", self.rows).as_bytes());
        Ok(Ending::Whole)
    }
}

impl TableEncoder {
    fn flush(&mut self, out: &mut Vec<u8>) {
        if self.widths.is_none() {
            let width = |place: usize| {
                let cells = self.waiting.iter().map(|row| row[place].width());
                cells.chain([self.columns[place].title.width()]).max().unwrap_or(0)
            };
            let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
            let titles: Vec<String> = self.columns.iter().map(|column| column.title.clone()).collect();
            self.line(&titles, &widths, out);
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
            out.extend_from_slice(rules.join("+").as_bytes());
            out.push(b'\n');
            self.widths = Some(widths);
        }
        let widths = self.widths.clone().unwrap_or_default();
        for row in std::mem::take(&mut self.waiting) {
            self.line(&row, &widths, out);
        }
    }

    fn line(&self, cells: &[String], widths: &[usize], out: &mut Vec<u8>) {
        let numbers = |column: &Column| matches!(column.kind, ColumnType::Integer | ColumnType::Float | ColumnType::Number);
        let cell = |((cell, width), column): ((&String, &usize), &Column)| {
            // Some letters stand on two places of a terminal, and some on none.
            let blank = " ".repeat(width.saturating_sub(cell.width()));
            if numbers(column) {
                format!(" {blank}{cell} ")
            } else {
                format!(" {cell}{blank} ")
            }
        };
        let line: Vec<String> = cells.iter().zip(widths).zip(&self.columns).map(cell).collect();
        out.extend_from_slice(line.join("|").trim_end().as_bytes());
        out.push(b'\n');
    }
}

/// A cell on one line, and nothing in it that a terminal would obey.
fn shown(cell: Cell<'_>) -> String {
    let mut text = Vec::new();
    cell.write_text(&mut text);
    let text = String::from_utf8_lossy(&text);
    // Plans have several lines; those are their point.
    text.replace('\n', "⏎")
        .chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn columns_stand_in_line_whatever_letters_they_have() {
        let columns = Column::of_features();
        let fields = [("fid", DataType::Int64), ("fns", DataType::Utf8), ("lsn", DataType::Utf8)];
        let schema = Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec());
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1, 22])),
            Arc::new(StringArray::from(vec!["漢字", "e\u{301}t"])),
            Arc::new(StringArray::from(vec!["a", "b"])),
        ];
        let mut encoder = Table.encoder(Document::of_columns(columns));
        let mut out = Vec::new();
        encoder
            .rows(&RecordBatch::try_new(Arc::new(schema), arrays).unwrap(), &mut out)
            .unwrap();
        encoder.end(2, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let bars = |line: &str| -> Vec<usize> {
            let places = line.match_indices(['|', '+']).map(|(place, _)| line[..place].width());
            places.collect()
        };
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[..4].iter().all(|line| bars(line) == bars(lines[0])), "{text}");
    }
}
