//! Colours and letters: the look that all charts share.
//!
//! The colours of series differ for every common kind of colour blindness; where their greys on paper come close, their dashes
//! differ.

use super::text;
use super::{Anchor, Color, Drawing, Point, Shape, Stroke};

/// What is under everything.
pub(super) const PAPER: Color = Color(255, 255, 255);
/// Text that is read first, and lines of marks.
pub(super) const INK: Color = Color(31, 41, 51);
/// Text that is read when it is looked for.
pub(super) const GREY: Color = Color(91, 103, 117);
/// The line that values stand on.
pub(super) const AXIS: Color = Color(130, 143, 157);
/// Lines that lead the eye.
pub(super) const GRID: Color = Color(228, 232, 236);

/// How many series can be told apart.
pub(super) const MOST_SERIES: usize = 8;

const SERIES: [(Color, Option<f64>); MOST_SERIES] = [
    (Color(0, 114, 178), None),
    (Color(222, 143, 5), None),
    (Color(51, 34, 136), None),
    (Color(0, 133, 98), Some(7.0)),
    (Color(204, 102, 158), Some(7.0)),
    (Color(128, 24, 56), Some(7.0)),
    (Color(213, 94, 0), Some(2.5)),
    (Color(63, 162, 219), Some(2.5)),
];

/// The colour of a series by its place; all beyond those that can be told apart share one.
pub(super) fn color(place: usize) -> Color {
    SERIES.get(place).map_or(Color(178, 186, 194), |(color, _)| *color)
}

/// The line of a series by its place.
pub(super) fn line(place: usize, width: f64) -> Stroke {
    Stroke {
        color: color(place),
        width,
        dash: SERIES.get(place).and_then(|(_, dash)| *dash),
    }
}

/// A solid line.
pub(super) const fn solid(color: Color, width: f64) -> Stroke {
    Stroke { color, width, dash: None }
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Font {
    /// The size of its letters.
    pub(super) size: f64,
    /// Their colour.
    pub(super) color: Color,
    /// Heavier than other text.
    pub(super) bold: bool,
}

/// What a chart is about.
pub(super) const TITLE: Font = font(16.0, INK, true);
/// Which part of the world.
pub(super) const SUBTITLE: Font = font(12.0, GREY, false);
/// The names of series, and what marks say.
pub(super) const NAME: Font = font(11.5, INK, false);
/// The values along axes.
pub(super) const LABEL: Font = font(11.0, GREY, false);
/// What an axis measures.
pub(super) const AXIS_TITLE: Font = font(11.5, INK, false);
/// Small print.
pub(super) const NOTE: Font = font(10.0, GREY, false);
/// What stands where nothing is.
pub(super) const NOTHING: Font = font(15.0, GREY, false);

const fn font(size: f64, color: Color, bold: bool) -> Font {
    Font { size, color, bold }
}

impl Font {
    /// How wide a text will be at most, in common fonts without serifs.
    pub(super) fn width(self, text: &str) -> f64 {
        text::width(text, self.bold) * self.size
    }

    fn shape(self, at: Point, anchor: Anchor, text: String) -> Shape {
        Shape::Text {
            at,
            text,
            size: self.size,
            anchor,
            color: self.color,
            bold: self.bold,
            turned: false,
        }
    }

    /// The text, cut with an ellipsis where it is wider than `room`.
    pub(super) fn fit(self, text: &str, room: f64) -> String {
        text::fit(text, self.bold, room / self.size)
    }

    /// The text in at most so many lines, the last one cut with an ellipsis.
    pub(super) fn lines(self, text: &str, room: f64, most: usize) -> Vec<String> {
        text::lines(text, self.bold, room / self.size, most)
    }
}

impl Drawing {
    /// Nothing yet, on paper.
    pub(super) fn blank(width: f64, height: f64) -> Self {
        let paper = Shape::Rectangle {
            at: Point { x: 0.0, y: 0.0 },
            width,
            height,
            fill: PAPER,
            title: None,
        };
        Self {
            width,
            height,
            shapes: vec![paper],
        }
    }

    /// Writes a text; nothing where it is empty.
    pub(super) fn text(&mut self, font: Font, at: Point, anchor: Anchor, text: String) {
        self.letters(font.shape(at, anchor, text));
    }

    /// Writes a text centred at a point and turned to be read from below.
    pub(super) fn turned(&mut self, font: Font, at: Point, text: String) {
        let mut shape = font.shape(at, Anchor::Middle, text);
        if let Shape::Text { turned, .. } = &mut shape {
            *turned = true;
        }
        self.letters(shape);
    }

    /// Draws a line through points; nothing where there are less than two.
    pub(super) fn line(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, stroke });
        }
    }

    fn letters(&mut self, shape: Shape) {
        if !matches!(&shape, Shape::Text { text, .. } if text.is_empty()) {
            self.shapes.push(shape);
        }
    }
}
