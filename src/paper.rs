//! A report on paper: PDF, A4 landscape.
//!
//! ```text
//!   Paper, Rows ──▶ Table (column widths) ──▶ Layout (pages of placed items) ──▶ painter ──▶ bytes
//! ```
//!
//! What is placed where is settled before anything is painted, so that a footer knows how many pages there are. The same input
//! gives the same bytes: no clock is read.

mod flow;
mod font;
mod layout;
mod painter;
mod pen;
mod picture;
mod rows;
mod script;
mod table;
mod truetype;
mod widths;

use std::error::Error;
use std::fmt;

use krilla::error::KrillaError;

// The one place that says where drawings live.
use crate::chart as drawing;

pub use rows::Rows;

use drawing::Drawing;
use font::Fonts;
use layout::Layout;

/// What is on the paper, but for the rows of the table.
#[derive(Debug, Clone, Copy)]
pub struct Paper<'a> {
    /// The title; also in every footer.
    pub title: &'a str,
    /// One sentence about it.
    pub subtitle: &'a str,
    /// Parameters, the time of making and the like: label and value.
    pub facts: &'a [(String, String)],
    /// What follows the table, say about the quality of what was counted.
    pub notes: &'a [String],
    /// The columns of the table.
    pub columns: &'a [PaperColumn],
    /// A picture above the table.
    pub chart: Option<&'a Drawing>,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperColumn {
    /// What its head says.
    pub title: String,
    /// Whether cells end at the right, as numbers do. Such a column is made narrower only when nothing else helps.
    pub right_aligned: bool,
}

/// Why there is no PDF.
#[derive(Debug)]
#[non_exhaustive]
pub enum PdfError {
    /// The built-in font cannot be read, which is our fault.
    Font,
    /// Rows have another number of cells than there are columns, which is our fault.
    Columns {
        /// How many columns there are.
        columns: usize,
        /// How many cells a row has.
        cells: usize,
    },
    /// The document could not be put together.
    Document(KrillaError),
}

impl fmt::Display for PdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Font => f.write_str("the built-in font cannot be read"),
            Self::Columns { columns, cells } => write!(f, "rows of {cells} cells do not fit {columns} columns"),
            Self::Document(error) => write!(f, "the PDF could not be written: {error}"),
        }
    }
}

impl Error for PdfError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Document(error) => Some(error),
            Self::Font | Self::Columns { .. } => None,
        }
    }
}

/// The document as PDF.
///
/// # Errors
///
/// When rows and columns do not belong together, or the document cannot be put together.
pub fn write(paper: &Paper<'_>, rows: &Rows) -> Result<Vec<u8>, PdfError> {
    if rows.columns() != paper.columns.len() {
        return Err(PdfError::Columns {
            columns: paper.columns.len(),
            cells: rows.columns(),
        });
    }
    let fonts = Fonts::load().ok_or(PdfError::Font)?;
    let layout = Layout::new(paper, rows, &fonts);
    painter::paint(paper, rows, &layout, &fonts).map_err(PdfError::Document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(titles: &[&str]) -> Vec<PaperColumn> {
        titles
            .iter()
            .map(|title| PaperColumn {
                title: (*title).to_owned(),
                right_aligned: false,
            })
            .collect()
    }

    fn paper(columns: &[PaperColumn]) -> Paper<'_> {
        Paper {
            title: "Denials",
            subtitle: "Who was refused.",
            facts: &[],
            notes: &[],
            columns,
            chart: None,
        }
    }

    fn rows(columns: usize, count: usize) -> Rows {
        let mut rows = Rows::new(columns);
        for row in 0..count {
            for column in 0..columns {
                rows.push_cell(&format!("Юрий {row} Łukasz {column} 漢字 שלום"));
            }
        }
        rows
    }

    #[test]
    fn a_document_is_a_whole_pdf() {
        let columns = columns(&["User", "Host"]);
        for count in [0, 1, 200] {
            let bytes = write(&paper(&columns), &rows(2, count)).unwrap();
            assert!(bytes.starts_with(b"%PDF-"));
            assert!(bytes.trim_ascii_end().ends_with(b"%%EOF"));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let columns = columns(&["User", "Host", "Feature"]);
        let rows = rows(3, 150);
        let first = write(&paper(&columns), &rows).unwrap();
        assert!(first == write(&paper(&columns), &rows).unwrap());
    }

    #[test]
    fn rows_of_other_columns_are_refused() {
        let columns = columns(&["User", "Host"]);
        let error = write(&paper(&columns), &rows(3, 1)).unwrap_err();
        assert_eq!(error.to_string(), "rows of 3 cells do not fit 2 columns");
    }

    #[test]
    fn a_table_without_columns_is_a_document() {
        assert!(write(&paper(&[]), &Rows::new(0)).is_ok());
    }

    #[test]
    fn an_error_can_be_sent_to_another_thread() {
        fn sendable<T: Error + Send + Sync + 'static>() {}
        sendable::<PdfError>();
    }
}
