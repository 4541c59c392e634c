//! How a table is set: the size of its letters and the width of each column.
//!
//! The columns together are never wider than what there is. Where their contents are: heads are wrapped, letters get smaller,
//! and the widest columns of texts give way; those of numbers come last, for half a number is a wrong one.

use super::PaperColumn;
use super::font::Fonts;
use super::rows::{Rows, one_line};
use super::widths::{size, wants, widths};

/// The space left and right of a cell's text, in ems.
pub(super) const PADDING: f32 = 0.6;

/// How many lines a head can have.
const HEAD_LINES: usize = 5;

/// The height of a row.
pub(super) const ROW_HEIGHT: f32 = 11.5;

/// A table's measures.
#[derive(Debug)]
pub(super) struct Table {
    /// The size of its letters.
    pub(super) size: f32,
    /// Its columns.
    pub(super) columns: Vec<Column>,
}

/// A column's measures.
#[derive(Debug)]
pub(super) struct Column {
    /// Where it begins, from the left of the table.
    pub(super) left: f32,
    /// How wide it is, space around texts included.
    pub(super) width: f32,
    /// Whether texts end at the right.
    pub(super) right_aligned: bool,
    /// Its head, in lines.
    pub(super) head: Vec<String>,
}

impl Table {
    /// Measures a table for a width.
    pub(super) fn new(columns: &[PaperColumn], rows: &Rows, fonts: &Fonts, available: f32) -> Self {
        let wants = wants(columns, rows, fonts);
        let size = size(&wants, available);
        let mut left = 0.0;
        let mut set = Vec::with_capacity(columns.len());
        for (column, width) in columns.iter().zip(widths(&wants, size, available)) {
            let head = fonts
                .face(true)
                .wrap(&one_line(&column.title), size, inner(width, size), HEAD_LINES);
            set.push(Column {
                left,
                width,
                right_aligned: column.right_aligned,
                head,
            });
            left += width;
        }
        Self { size, columns: set }
    }

    /// How wide it is.
    pub(super) fn width(&self) -> f32 {
        self.columns.last().map_or(0.0, |column| column.left + column.width)
    }

    /// The height of a line of the head.
    pub(super) fn head_line(&self) -> f32 {
        self.size * 1.2
    }

    /// How many lines the head has.
    pub(super) fn head_lines(&self) -> usize {
        self.columns.iter().map(|column| column.head.len()).max().unwrap_or(0)
    }

    /// The height of the head.
    pub(super) fn head_height(&self) -> f32 {
        if self.columns.is_empty() {
            0.0
        } else {
            self.head_line() * self.head_lines().max(1) as f32 + 5.0
        }
    }

    /// The room for a text in a column.
    pub(super) fn inner(&self, column: &Column) -> f32 {
        inner(column.width, self.size)
    }

    /// Where a text of a width begins in a column, from the left of the table.
    pub(super) fn start(&self, column: &Column, width: f32) -> f32 {
        let padding = PADDING * self.size;
        if column.right_aligned {
            column.left + column.width - padding - width
        } else {
            column.left + padding
        }
    }
}

fn inner(width: f32, size: f32) -> f32 {
    (width - 2.0 * PADDING * size).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: f32 = 760.0;

    fn table(columns: usize, numbers: fn(usize) -> bool, cell: &str) -> Table {
        let columns: Vec<PaperColumn> = (0..columns)
            .map(|index| PaperColumn {
                title: format!("Licenses in use {index}"),
                right_aligned: numbers(index),
            })
            .collect();
        let mut rows = Rows::new(columns.len());
        for column in &columns {
            rows.push_cell(if column.right_aligned { "1,234,567" } else { cell });
        }
        Table::new(&columns, &rows, &Fonts::load().unwrap(), WIDTH)
    }

    #[test]
    fn columns_are_never_wider_than_the_page() {
        for count in [0, 1, 2, 5, 12, 25, 60, 1000] {
            for cell in ["", "short", "a text that is rather long for a cell", &"x".repeat(5000)] {
                for numbers in [|_| false, |_| true, |index| index % 2 == 0] as [fn(usize) -> bool; 3] {
                    let table = table(count, numbers, cell);
                    assert_eq!(table.columns.len(), count);
                    assert!(table.width() <= WIDTH + 0.1, "{count} columns: {}", table.width());
                    assert!(
                        table
                            .columns
                            .windows(2)
                            .all(|pair| pair[0].left + pair[0].width <= pair[1].left + 0.1)
                    );
                    assert!(table.columns.iter().all(|column| column.width >= 0.0));
                }
            }
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_contents() {
        let table = table(3, |_| false, "short");
        assert!(table.width() < WIDTH / 2.0);
        assert!((table.size - 8.5).abs() < 0.01);
        assert_eq!(table.head_lines(), 1);
    }

    #[test]
    fn texts_give_way_before_numbers_do() {
        let table = table(8, |index| index > 0, &"wide ".repeat(200));
        let number = Fonts::load().unwrap().face(false).width("1,234,567", table.size);
        assert!(table.columns.iter().skip(1).all(|column| table.inner(column) + 0.01 >= number));
    }

    #[test]
    fn many_columns_get_smaller_letters_and_heads_of_lines() {
        let table = table(16, |_| true, "");
        assert!(table.size < 8.5);
        assert!(table.head_lines() > 1);
    }
}
