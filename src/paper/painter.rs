//! Paints the pages of a layout: texts, the table, and what is at the foot of every page.

use krilla::error::KrillaError;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings};

use super::Paper;
use super::drawing::Color;
use super::font::Fonts;
use super::layout::{Item, Layout, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, Style, TEXT_WIDTH};
use super::pen::{Lettering, Pen};
use super::picture;
use super::rows::{Rows, one_line};
use super::table::{ROW_HEIGHT, Table};

const INK: Color = Color(0x1f, 0x26, 0x2e);
const PALE_INK: Color = Color(0x5b, 0x66, 0x72);
const HEAD_BAND: Color = Color(0xdf, 0xe6, 0xee);
const ROW_BAND: Color = Color(0xf4, 0xf6, 0xf9);
const RULE: Color = Color(0xb4, 0xbe, 0xc9);

const FOOTER_SIZE: f32 = 7.5;
const FOOTER_BASE: f32 = PAGE_HEIGHT - 24.0;
const FOOTER_RULE: f32 = PAGE_HEIGHT - 36.0;

/// The height of capital letters, in ems: what is centred in a row.
const CAPITALS: f32 = 0.73;

/// Paints every page.
pub(super) fn paint(paper: &Paper<'_>, rows: &Rows, layout: &Layout, fonts: &Fonts) -> Result<Vec<u8>, KrillaError> {
    // Nothing is tagged: a tree of as many nodes as there are cells would be larger than the document.
    let mut document = Document::new_with(SerializeSettings {
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    let title = one_line(paper.title);
    let metadata = Metadata::new()
        .title(title.clone().into_owned())
        .creator("headroom".to_owned())
        .language("en".to_owned());
    document.set_metadata(metadata);
    // The size is positive, so there always are settings.
    let settings = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).unwrap_or_default();
    for (index, items) in layout.pages.iter().enumerate() {
        let mut page = document.start_page_with(settings.clone());
        let mut pen = Pen::new(page.surface(), fonts);
        for item in items {
            match item {
                Item::Line { left, base, text, style } => pen.text(Point::from_xy(*left, *base), text, lettering(*style)),
                Item::Chart { left, top, scale } => {
                    if let Some(chart) = paper.chart {
                        picture::paint(&mut pen, chart, Point::from_xy(*left, *top), *scale);
                    }
                }
                Item::Table { top, rows: part } => {
                    let height = layout.table.head_height();
                    head(&mut pen, &layout.table, *top);
                    let top = top + height;
                    bands(&mut pen, layout.table.width(), top, part.len());
                    for (place, row) in part.clone().enumerate() {
                        cells(&mut pen, &layout.table, top + place as f32 * ROW_HEIGHT, |column| {
                            rows.cell(row, column)
                        });
                    }
                    if part.is_empty() {
                        let at = Point::from_xy(MARGIN + 5.0, row_base(top, Style::Value.size()));
                        pen.text(
                            at,
                            "No rows",
                            Lettering {
                                color: PALE_INK,
                                ..lettering(Style::Value)
                            },
                        );
                    }
                }
            }
        }
        footer(&mut pen, &title, &format!("Page {} of {}", index + 1, layout.pages.len()));
    }
    document.finish()
}

fn lettering(style: Style) -> Lettering {
    let color = match style {
        Style::Title | Style::Value | Style::NoteHead => INK,
        Style::Subtitle | Style::Label | Style::Note => PALE_INK,
    };
    Lettering {
        size: style.size(),
        bold: style.is_bold(),
        color,
    }
}

fn row_base(top: f32, size: f32) -> f32 {
    top + (ROW_HEIGHT + CAPITALS * size) / 2.0
}

/// The head of the table: titles stand at the bottom of a tinted band.
fn head(pen: &mut Pen<'_>, table: &Table, top: f32) {
    let height = table.head_height();
    pen.band(top, table.width(), height, HEAD_BAND);
    pen.band(top + height - 0.6, table.width(), 0.6, RULE);
    let lettering = Lettering {
        size: table.size,
        bold: true,
        color: INK,
    };
    for column in &table.columns {
        let first = table.head_lines() - column.head.len();
        for (index, line) in column.head.iter().enumerate() {
            let base = top + 2.0 + (first + index) as f32 * table.head_line() + table.size;
            let width = pen.fonts.face(true).width(line, table.size);
            pen.text(Point::from_xy(MARGIN + table.start(column, width), base), line, lettering);
        }
    }
}

/// A tint below every second row, in one path.
fn bands(pen: &mut Pen<'_>, width: f32, top: f32, rows: usize) {
    let mut path = PathBuilder::new();
    for row in (1..rows).step_by(2) {
        if let Some(band) = Rect::from_xywh(MARGIN, top + row as f32 * ROW_HEIGHT, width, ROW_HEIGHT) {
            path.push_rect(band);
        }
    }
    pen.fill(path, ROW_BAND, 1.0);
}

fn cells<'r>(pen: &mut Pen<'_>, table: &Table, top: f32, cell: impl Fn(usize) -> &'r str) {
    let lettering = Lettering {
        size: table.size,
        bold: false,
        color: INK,
    };
    let base = row_base(top, table.size);
    for (index, column) in table.columns.iter().enumerate() {
        let face = pen.fonts.face(false);
        let text = face.fit(cell(index), table.size, table.inner(column));
        let width = if column.right_aligned { face.width(&text, table.size) } else { 0.0 };
        pen.text(Point::from_xy(MARGIN + table.start(column, width), base), &text, lettering);
    }
}

fn footer(pen: &mut Pen<'_>, title: &str, number: &str) {
    let lettering = Lettering {
        size: FOOTER_SIZE,
        bold: false,
        color: PALE_INK,
    };
    let face = pen.fonts.face(false);
    let width = face.width(number, FOOTER_SIZE);
    let title = face.fit(title, FOOTER_SIZE, TEXT_WIDTH - width - 20.0);
    pen.band(FOOTER_RULE, TEXT_WIDTH, 0.5, RULE);
    pen.text(Point::from_xy(MARGIN, FOOTER_BASE), &title, lettering);
    pen.text(Point::from_xy(PAGE_WIDTH - MARGIN - width, FOOTER_BASE), number, lettering);
}
