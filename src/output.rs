//! Rows to bytes: one format a file.
//!
//! ```text
//!   RecordBatch ──▶ Cells (typed, zone applied) ──▶ Encoder ──▶ bytes
//! ```
//!
//! An encoder knows columns and Arrow, but no report and no HTTP. It never holds more than the batch it is given. A new format
//! is a file in `output/` with a [`Format`] in it, and a line in [`FORMATS`].

mod cell;
mod csv;
mod json;
mod number;

use std::fmt;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use crate::report::Column;

/// Every format.
pub const FORMATS: &[&dyn Format] = &[&json::Json, &csv::Csv];

/// A format of reports.
pub trait Format: fmt::Debug + Sync {
    /// The last segment of a path; lower-case.
    fn name(&self) -> &'static str;

    /// What `Content-Type` says.
    fn media_type(&self) -> &'static str;

    /// Whether it is a file that people keep: it has a name, and columns as people want them.
    fn is_download(&self) -> bool;

    /// Whether it tells how many rows there are, whichever of them it shows.
    fn counts_rows(&self) -> bool;

    /// Starts a document of these columns.
    fn encoder(&self, columns: Vec<Column>) -> Box<dyn Encoder>;
}

/// A document that is being written.
pub trait Encoder: Send {
    /// Writes what comes before the first row.
    fn begin(&mut self, out: &mut Vec<u8>);

    /// Writes rows.
    ///
    /// # Errors
    ///
    /// When a column has a type that it should not have, which is our fault.
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError>;

    /// Writes what comes after the last row. `total` is how many rows there are, whichever of them were written.
    fn end(&mut self, total: u64, out: &mut Vec<u8>);
}

/// The format of a name, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name().eq_ignore_ascii_case(name))
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
        let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        assert!(find("JSON").is_some() && find("xml").is_none());
    }

    #[test]
    fn a_document_without_rows_is_whole() {
        for format in FORMATS {
            let mut out = Vec::new();
            let mut encoder = format.encoder(Column::of_features());
            encoder.begin(&mut out);
            encoder.end(0, &mut out);
            assert!(!out.is_empty(), "{}", format.name());
        }
    }
}
