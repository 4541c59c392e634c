//! Rows to bytes: one format a file.
//!
//! ```text
//!   RecordBatch ──▶ Cells (typed, zone applied) ──▶ Encoder ──▶ bytes      json ndjson csv xlsx pdf html
//!                                                     │ json, ndjson, csv: rows as lines, at speed
//!               ──▶ arrays of the published types ──▶ Encoder ──▶ bytes    arrow parquet
//!               ──▶ Plot ──▶ Chart ──▶ Drawing ──▶ bytes                   svg, and within html and pdf
//! ```
//!
//! An encoder knows columns and Arrow, but no report and no HTTP. It holds no more than the batch it is given, or says what it
//! holds and where it stops. A new format is a file in `output/` with a [`Format`] in it, and a line in [`FORMATS`].

mod arrow;
mod cell;
mod csv;
mod defuse;
mod document;
mod html;
mod json;
mod lines;
mod ndjson;
mod notes;
mod number;
mod objects;
mod parquet;
mod pdf;
mod plot;
mod slots;
mod svg;
mod table;
mod text;
mod typed;
mod xlsx;

use std::fmt;
use std::sync::Arc;

use ::arrow::array::RecordBatch;
use ::arrow::error::ArrowError;

pub use self::document::{Document, Field, Links};
use crate::report::Family;

/// Every format. Where a caller accepts several alike, the first one is taken.
pub const FORMATS: &[&dyn Format] = &[
    &json::Json,
    &csv::Csv,
    &ndjson::Ndjson,
    &html::Html,
    &xlsx::Xlsx,
    &pdf::Pdf,
    &svg::Svg,
    &arrow::Arrow,
    &parquet::Parquet,
];

/// A table for a terminal; over HTTP nobody has one.
pub const TABLE: &dyn Format = &table::Table;

/// The field with which a form of a page says that it is one: its empty fields say nothing.
pub const FORM_MARK: &str = "form";

/// A format of reports.
pub trait Format: fmt::Debug + Sync {
    /// The last segment of a path; lower-case.
    fn name(&self) -> &'static str;

    /// Other names for it.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// What `Content-Type` says.
    fn media_type(&self) -> &'static str;

    /// Which columns it has when the caller does not choose.
    fn family(&self) -> Family;

    /// Whether it is kept as a file, looked at as one, or just read.
    fn disposition(&self) -> Disposition;

    /// Whether it tells how many rows there are, whichever of them it shows.
    fn counts_rows(&self) -> bool {
        false
    }

    /// Whether it draws the report's chart.
    fn draws(&self) -> bool {
        false
    }

    /// Starts a document.
    fn encoder(&self, document: Document) -> Box<dyn Encoder>;
}

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// A program or a browser reads it; it has no name.
    Read,
    /// A browser shows it; saved, it has a name.
    Shown,
    /// It is saved.
    Saved,
}

/// A document that is being written.
pub trait Encoder: Send {
    /// Writes what comes before the first row.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], which ends the document.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Writes rows.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], which ends the document.
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Who writes rows without knowing what stands before them, where the format has no need to know.
    fn rows_alone(&self) -> Option<Arc<dyn Rows>> {
        None
    }

    /// Writes what comes after the last row, or the next piece of it. `total` is how many rows there are, whichever of them were
    /// written.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], which ends the document.
    fn end(&mut self, total: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError>;
}

/// Writes batches of a document, several at a time; somebody else puts them in order.
pub trait Rows: Send + Sync {
    /// Writes the rows of a batch; `first` are those that no others come before.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], which ends the document.
    fn rows(&self, batch: &RecordBatch, first: bool, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// Whether a document has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it is written.
    Whole,
    /// There is more to write.
    More,
}

/// Why a document cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// More rows than the format takes.
    #[error("the report has more than {most} rows, too many for {format}; narrow it, set \"limit\", or take another format")]
    TooManyRows {
        /// The format.
        format: &'static str,
        /// How many it takes.
        most: usize,
    },
    /// A column has a type that it should not have.
    #[error("rows do not fit their columns")]
    Rows(#[from] ArrowError),
    /// A writer of Parquet failed.
    #[error("Parquet cannot be written")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// A writer of workbooks failed.
    #[error("the workbook cannot be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// A writer of pages failed.
    #[error("the pages cannot be written")]
    Pages(#[from] crate::paper::PdfError),
    /// A file that a document is put together in failed.
    #[error("the document cannot be put together")]
    Scratch(#[from] std::io::Error),
}

/// The format of a name, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Format> {
    let is_called = |format: &&dyn Format| {
        let mut names = std::iter::once(format.name()).chain(format.aliases().iter().copied());
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    FORMATS.iter().copied().find(is_called)
}

/// The names of all formats.
#[must_use]
pub fn names() -> String {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_nobody_elses() {
        let of = |format: &&'static dyn Format| {
            std::iter::once(format.name())
                .chain(format.aliases().iter().copied())
                .collect::<Vec<_>>()
        };
        let mut names: Vec<&str> = FORMATS.iter().flat_map(of).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())));
        let before = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(find("JSON").is_some() && find("XLS").is_some() && find("xml").is_none());
    }

    #[test]
    fn media_types_are_nobody_elses() {
        let mut types: Vec<&str> = FORMATS.iter().map(|format| format.media_type()).collect();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), FORMATS.len());
    }

    #[test]
    fn a_document_without_rows_is_whole() {
        for format in FORMATS {
            let mut out = Vec::new();
            let mut encoder = format.encoder(Document::example());
            encoder.begin(&mut out).unwrap();
            while encoder.end(0, &mut out).unwrap() == Ending::More {}
            assert!(!out.is_empty() || format.name() == "ndjson", "{}", format.name());
        }
    }
}
