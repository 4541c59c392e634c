//! Rows of text cells, kept close together: one text, and where each cell ends in it.
//!
//! No cell holds a control character or a line break: each was made a space, so that a cell is one line wherever it is painted.

use std::borrow::Cow;

/// The rows of a table.
#[derive(Debug, Clone)]
pub struct Rows {
    columns: usize,
    text: String,
    ends: Vec<usize>,
}

impl Rows {
    /// No rows yet, of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            text: String::new(),
            ends: Vec::new(),
        }
    }

    /// Adds the next cell of the row that is being filled.
    pub fn push_cell(&mut self, cell: &str) {
        self.text.push_str(&one_line(cell));
        self.ends.push(self.text.len());
    }

    /// How many rows there are; one that is not filled up counts.
    #[must_use]
    pub fn rows(&self) -> usize {
        if self.columns == 0 {
            0
        } else {
            self.ends.len().div_ceil(self.columns)
        }
    }

    /// How many columns a row has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The text of a cell; empty where there is none.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> &str {
        if column >= self.columns {
            return "";
        }
        let index = row * self.columns + column;
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end).unwrap_or("")
    }
}

/// The text on one line: what would break it, or cannot be painted, is a space.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(breaks) {
        Cow::Owned(text.replace(breaks, " "))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_went_in() {
        let mut rows = Rows::new(2);
        for cell in ["Müller", "", "漢字", "four", "", ""] {
            rows.push_cell(cell);
        }
        assert_eq!(rows.rows(), 3);
        let back: Vec<&str> = (0..3).flat_map(|row| [rows.cell(row, 0), rows.cell(row, 1)]).collect();
        assert_eq!(back, ["Müller", "", "漢字", "four", "", ""]);
    }

    #[test]
    fn control_characters_become_spaces() {
        let mut rows = Rows::new(1);
        rows.push_cell("a\tb\r\nc\u{2028}d\0");
        assert_eq!(rows.cell(0, 0), "a b  c d ");
    }

    #[test]
    fn a_row_that_is_not_filled_up_ends_in_empty_cells() {
        let mut rows = Rows::new(2);
        for cell in ["one", "two", "three"] {
            rows.push_cell(cell);
        }
        assert_eq!((rows.rows(), rows.cell(1, 0), rows.cell(1, 1)), (2, "three", ""));
        assert_eq!((rows.cell(2, 0), rows.cell(0, 2)), ("", ""));
    }

    #[test]
    fn rows_without_columns_are_none() {
        assert_eq!(Rows::new(0).rows(), 0);
        assert_eq!(Rows::new(3).rows(), 0);
    }
}
