//! PDF: what was asked, the chart, and the rows as a table on pages.
//!
//! Pages are numbered out of how many there are, and columns are as wide as they need, so that rows are kept until the last one
//! is there: at most [`MOST_ROWS`].

use arrow::array::RecordBatch;

use super::cell::Cells;
use super::plot::Plot;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, notes};
use crate::paper::{Paper, PaperColumn, Rows};
use crate::report::{ColumnType, Family};

/// Two thousand pages, which nobody reads.
const MOST_ROWS: usize = 100_000;

/// Pages to print.
#[derive(Debug)]
pub(super) struct Pdf;

impl Format for Pdf {
    fn name(&self) -> &'static str {
        "pdf"
    }

    fn media_type(&self) -> &'static str {
        "application/pdf"
    }

    fn family(&self) -> Family {
        Family::Export
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn draws(&self) -> bool {
        true
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(PdfEncoder {
            rows: Rows::new(document.columns.len()),
            plot: document.chart.is_some().then(|| Plot::new(document.clone()).without_heading()),
            document,
            text: Vec::new(),
        })
    }
}

struct PdfEncoder {
    document: Document,
    rows: Rows,
    plot: Option<Plot>,
    text: Vec<u8>,
}

impl Encoder for PdfEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.rows.rows() + batch.num_rows() > MOST_ROWS {
            return Err(EncodeError::TooManyRows {
                format: "pdf",
                most: MOST_ROWS,
            });
        }
        let cells = Cells::new(batch, &self.document.columns)?;
        for row in 0..batch.num_rows() {
            for column in 0..self.document.columns.len() {
                self.text.clear();
                cells.get(row, column).write_text(&mut self.text);
                self.rows.push_cell(&String::from_utf8_lossy(&self.text));
            }
        }
        if let Some(plot) = &mut self.plot {
            plot.add(batch)?;
        }
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        let is_number = |kind| matches!(kind, ColumnType::Integer | ColumnType::Float | ColumnType::Number);
        let columns = self.document.columns.iter().map(|column| PaperColumn {
            title: column.title.clone(),
            right_aligned: is_number(column.kind),
        });
        let columns: Vec<PaperColumn> = columns.collect();
        let drawing = self.plot.take().map(Plot::draw);
        let notes = notes::of(&self.document);
        let paper = Paper {
            title: &self.document.title,
            subtitle: &self.document.subtitle,
            facts: &self.document.facts,
            notes: &notes,
            columns: &columns,
            chart: drawing.as_ref(),
        };
        out.append(&mut crate::paper::write(&paper, &self.rows)?);
        Ok(Ending::Whole)
    }
}
