//! Fills pages from the top to the bottom.

use super::drawing::Drawing;
use super::font::Fonts;
use super::layout::{BOTTOM, Item, MARGIN, Style, TEXT_WIDTH, TOP};
use super::rows::one_line;
use super::table::{ROW_HEIGHT, Table};

/// How many lines a title can have, and a value: enough for a long list, and less than a page.
const TITLE_LINES: usize = 3;
const VALUE_LINES: usize = 12;

const FACT_LINE: f32 = 12.0;
const FACT_GAP: f32 = 24.0;

/// How small a chart can get before it begins a page instead.
const SMALLEST_CHART: f32 = 0.65;

/// Fewer rows than that do not begin below a chart, unless they are all.
const FEWEST_ROWS: usize = 3;

/// The space between the table and what is above it.
const TABLE_GAP: f32 = 10.0;

/// A document that is being filled from the top to the bottom.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Item>>,
    page: Vec<Item>,
    y: f32,
}

impl<'a> Flow<'a> {
    /// An empty document.
    pub(super) fn new(fonts: &'a Fonts) -> Self {
        Self {
            fonts,
            pages: Vec::new(),
            page: Vec::new(),
            y: TOP,
        }
    }

    /// Its pages.
    pub(super) fn finish(mut self) -> Vec<Vec<Item>> {
        self.turn();
        self.pages
    }

    /// What stands above everything.
    pub(super) fn front(&mut self, title: &str, subtitle: &str, facts: &[(String, String)]) {
        self.paragraph(title, Style::Title, TITLE_LINES);
        self.paragraph(subtitle, Style::Subtitle, usize::MAX);
        self.facts(facts);
    }

    /// The height of the least part of a table that begins below a chart.
    pub(super) fn least_of(table: &Table, rows: usize) -> f32 {
        table.head_height() + rows.clamp(1, FEWEST_ROWS) as f32 * ROW_HEIGHT
    }

    /// Ends the page.
    fn turn(&mut self) {
        self.pages.push(std::mem::take(&mut self.page));
        self.y = TOP;
    }

    /// What is left of the page.
    fn room(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Begins a page if there is less room than that, and something on this one.
    fn need(&mut self, height: f32) {
        if self.room() < height && !self.page.is_empty() {
            self.turn();
        }
    }

    /// Leaves room to what is above, but never at the top of a page.
    fn gap(&mut self, height: f32) {
        if !self.page.is_empty() {
            self.y += height;
        }
    }

    fn wrap(&self, text: &str, style: Style, width: f32, lines: usize) -> Vec<String> {
        self.fonts.face(style.is_bold()).wrap(&one_line(text), style.size(), width, lines)
    }

    fn line(&mut self, left: f32, base: f32, text: String, style: Style) {
        self.page.push(Item::Line { left, base, text, style });
    }

    fn paragraph(&mut self, text: &str, style: Style, lines: usize) {
        let height = style.size() * 1.4;
        for line in self.wrap(text, style, TEXT_WIDTH, lines) {
            self.need(height);
            let base = self.y + style.size();
            self.line(MARGIN, base, line, style);
            self.y += height;
        }
    }

    /// Labels and values, two beside each other.
    fn facts(&mut self, facts: &[(String, String)]) {
        let half = (TEXT_WIDTH - FACT_GAP) / 2.0;
        let label_width = |of: usize| {
            let face = self.fonts.face(Style::Label.is_bold());
            let widths = facts
                .iter()
                .skip(of)
                .step_by(2)
                .map(|(label, _)| face.width(&one_line(label), Style::Label.size()));
            widths.fold(0.0, f32::max).min(half * 0.4) + 10.0
        };
        let label_widths = [label_width(0), label_width(1)];
        self.gap(6.0);
        for pair in facts.chunks(2) {
            let mut texts = Vec::new();
            for ((index, (label, value)), label_width) in pair.iter().enumerate().zip(label_widths) {
                let left = MARGIN + index as f32 * (half + FACT_GAP);
                texts.push((left, Style::Label, self.wrap(label, Style::Label, label_width - 10.0, VALUE_LINES)));
                texts.push((
                    left + label_width,
                    Style::Value,
                    self.wrap(value, Style::Value, half - label_width, VALUE_LINES),
                ));
            }
            let height = texts.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or(0) as f32 * FACT_LINE;
            self.need(height);
            for (left, style, lines) in texts {
                for (index, line) in lines.into_iter().enumerate() {
                    let base = self.y + index as f32 * FACT_LINE + Style::Label.size();
                    self.line(left, base, line, style);
                }
            }
            self.y += height;
        }
    }

    /// The chart: as wide as the page; smaller where that saves a page, or leaves room for so much below it.
    pub(super) fn chart(&mut self, chart: &Drawing, below: f32) {
        let (width, height) = (chart.width as f32, chart.height as f32);
        if !(width.is_finite() && height.is_finite() && width > 0.0 && height > 0.0) {
            return;
        }
        self.gap(8.0);
        let widest = TEXT_WIDTH / width;
        self.need((widest * SMALLEST_CHART * height).min(BOTTOM - TOP));
        let whole = widest.min(self.room() / height);
        let shared = widest.min((self.room() - below - TABLE_GAP) / height);
        let scale = if shared >= widest * SMALLEST_CHART { shared } else { whole };
        self.page.push(Item::Chart {
            left: MARGIN + (TEXT_WIDTH - width * scale) / 2.0,
            top: self.y,
            scale,
        });
        self.y += height * scale;
    }

    /// The table, in as many parts as it takes.
    pub(super) fn table(&mut self, table: &Table, rows: usize) {
        self.gap(TABLE_GAP);
        let head = table.head_height();
        self.need(Self::least_of(table, rows));
        let mut begin = 0;
        loop {
            let fitting = ((self.room() - head) / ROW_HEIGHT).max(1.0) as usize;
            let end = rows.min(begin + fitting);
            self.page.push(Item::Table {
                top: self.y,
                rows: begin..end,
            });
            self.y += head + (end - begin).max(1) as f32 * ROW_HEIGHT;
            begin = end;
            if begin >= rows {
                return;
            }
            self.turn();
        }
    }

    /// The notes below the table.
    pub(super) fn notes(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.gap(12.0);
        // The head of the notes stays with the first of them.
        self.need(Style::Note.size() * 3.0);
        self.paragraph("Notes", Style::NoteHead, 1);
        for note in notes {
            self.gap(2.0);
            self.paragraph(note, Style::Note, usize::MAX);
        }
    }
}
