//! What is placed where, page by page, before anything is painted.
//!
//! Things follow each other from the top to the bottom, and what does not fit begins a page. A part of the table is never without
//! its head. Every item lies between the margins; below them is the footer.

use std::ops::Range;

use super::Paper;
use super::flow::Flow;
use super::font::Fonts;
use super::rows::Rows;
use super::table::Table;

/// The width of A4 landscape.
pub(super) const PAGE_WIDTH: f32 = 841.89;
/// Its height.
pub(super) const PAGE_HEIGHT: f32 = 595.28;
/// The margins left and right.
pub(super) const MARGIN: f32 = 40.0;
/// What is between them.
pub(super) const TEXT_WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;

/// Where pages begin.
pub(super) const TOP: f32 = 36.0;
/// Where they end, but for the footer.
pub(super) const BOTTOM: f32 = PAGE_HEIGHT - 46.0;

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The title of the document.
    Title,
    /// The sentence below it.
    Subtitle,
    /// What a fact is about.
    Label,
    /// What it is.
    Value,
    /// What is said below the table.
    Note,
    /// What is above notes.
    NoteHead,
}

impl Style {
    /// The size of letters.
    pub(super) fn size(self) -> f32 {
        match self {
            Self::Title => 18.0,
            Self::Subtitle => 10.0,
            Self::Label | Self::Value => 8.5,
            Self::Note | Self::NoteHead => 8.0,
        }
    }

    /// Whether they are heavier.
    pub(super) fn is_bold(self) -> bool {
        matches!(self, Self::Title | Self::NoteHead)
    }
}

/// Something on a page. Distances are from its top left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A line of text.
    Line {
        /// Where it begins.
        left: f32,
        /// Its base line.
        base: f32,
        /// The text.
        text: String,
        /// How it looks.
        style: Style,
    },
    /// The chart.
    Chart {
        /// Where it begins.
        left: f32,
        /// Its upper edge.
        top: f32,
        /// How much larger it is than it was drawn.
        scale: f32,
    },
    /// A part of the table: the head, and these rows below it.
    Table {
        /// Its upper edge.
        top: f32,
        /// The rows; none where the whole table has none.
        rows: Range<usize>,
    },
}

/// Every page of a document.
#[derive(Debug)]
pub(super) struct Layout {
    /// What is on each page; there is one at least.
    pub(super) pages: Vec<Vec<Item>>,
    /// The measures of the table.
    pub(super) table: Table,
}

impl Layout {
    /// Places everything.
    pub(super) fn new(paper: &Paper<'_>, rows: &Rows, fonts: &Fonts) -> Self {
        let table = Table::new(paper.columns, rows, fonts, TEXT_WIDTH);
        let mut flow = Flow::new(fonts);
        flow.front(paper.title, paper.subtitle, paper.facts);
        if let Some(chart) = paper.chart {
            flow.chart(chart, Flow::least_of(&table, rows.rows()));
        }
        flow.table(&table, rows.rows());
        flow.notes(paper.notes);
        Self {
            pages: flow.finish(),
            table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PaperColumn;
    use super::super::drawing::Drawing;
    use super::super::table::ROW_HEIGHT;
    use super::*;

    fn laid_out(rows: usize, facts: usize, chart: Option<&Drawing>, notes: &[String]) -> Layout {
        let columns = ["User", "Host"].map(|title| PaperColumn {
            title: title.to_owned(),
            right_aligned: false,
        });
        let facts: Vec<(String, String)> = (0..facts)
            .map(|index| (format!("Fact {index}"), "value ".repeat(index % 40)))
            .collect();
        let paper = Paper {
            title: "Title",
            subtitle: "Sentence.",
            facts: &facts,
            notes,
            columns: &columns,
            chart,
        };
        let mut cells = Rows::new(2);
        for index in 0..rows * 2 {
            cells.push_cell(&index.to_string());
        }
        Layout::new(&paper, &cells, &Fonts::load().unwrap())
    }

    fn parts(layout: &Layout) -> Vec<Range<usize>> {
        let items = layout.pages.iter().flatten();
        items
            .filter_map(|item| {
                if let Item::Table { rows, .. } = item {
                    Some(rows.clone())
                } else {
                    None
                }
            })
            .collect()
    }

    const CHART: Drawing = Drawing {
        width: 960.0,
        height: 420.0,
        shapes: Vec::new(),
    };

    #[test]
    fn every_page_of_the_table_has_a_head_and_every_row_is_on_one() {
        for rows in [1, 2, 40, 41, 42, 43, 44, 500, 3001] {
            let layout = laid_out(rows, 4, None, &[]);
            let parts = parts(&layout);
            assert_eq!(parts.len(), layout.pages.len(), "one part a page");
            assert!(parts.iter().cloned().flatten().eq(0..rows));
            assert!(parts.iter().all(|rows| !rows.is_empty() && rows.len() <= 45));
        }
    }

    #[test]
    fn nothing_lies_outside_the_margins() {
        let notes = vec!["A note of many words. ".repeat(30); 40];
        let fonts = Fonts::load().unwrap();
        for (rows, facts, chart) in [(0, 0, None), (500, 7, Some(&CHART)), (39, 300, Some(&CHART)), (43, 41, None)] {
            let layout = laid_out(rows, facts, chart, &notes);
            for item in layout.pages.iter().flatten() {
                let (top, bottom, right) = match item {
                    Item::Line { left, base, text, style } => (
                        base - style.size(),
                        *base,
                        left + fonts.face(style.is_bold()).width(text, style.size()),
                    ),
                    Item::Chart { left, top, scale } => (*top, top + 420.0 * scale, left + 960.0 * scale),
                    Item::Table { top, rows } => {
                        let height = layout.table.head_height() + rows.len() as f32 * ROW_HEIGHT;
                        (*top, top + height, MARGIN + layout.table.width())
                    }
                };
                assert!(
                    top >= TOP - 0.1 && bottom <= BOTTOM + 0.1 && right <= PAGE_WIDTH - MARGIN + 0.1,
                    "{item:?}"
                );
            }
        }
    }

    #[test]
    fn some_rows_begin_below_the_chart_or_none_does() {
        let below_the_chart = |facts: usize| {
            let layout = laid_out(100, facts, Some(&CHART), &[]);
            let page = layout
                .pages
                .iter()
                .find(|page| page.iter().any(|item| matches!(item, Item::Chart { .. })))
                .unwrap()
                .clone();
            page.iter().find_map(|item| {
                if let Item::Table { rows, .. } = item {
                    Some(rows.len())
                } else {
                    None
                }
            })
        };
        let counts: Vec<Option<usize>> = (0..40).map(below_the_chart).collect();
        assert!(counts.iter().flatten().all(|rows| *rows >= 3), "{counts:?}");
        assert!(counts[4].is_some() && counts.contains(&None), "{counts:?}");
    }

    #[test]
    fn a_table_without_rows_has_a_head_and_one_page() {
        let layout = laid_out(0, 2, None, &[]);
        assert!(matches!(parts(&layout)[..], [Range { start: 0, end: 0 }]));
        assert_eq!(layout.pages.len(), 1);
    }

    #[test]
    fn a_chart_without_a_size_is_left_out() {
        for (width, height) in [(0.0, 420.0), (f64::NAN, 420.0), (960.0, f64::INFINITY), (-1.0, 5.0)] {
            let chart = Drawing {
                width,
                height,
                shapes: Vec::new(),
            };
            let layout = laid_out(1, 0, Some(&chart), &[]);
            assert!(!layout.pages.iter().flatten().any(|item| matches!(item, Item::Chart { .. })));
        }
    }
}
