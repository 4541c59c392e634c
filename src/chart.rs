//! Charts: the rows of a report as a picture.
//!
//! ```text
//!   Chart ── draw ──▶ Drawing ── svg::write ──▶ SVG
//!                        └────── a painter of pages
//! ```
//!
//! A [`Chart`] says what is shown; [`Chart::draw`] decides where. Whatever the rows hold, every text lies inside the picture,
//! no two labels of an axis or of marks overlap, and the vertical axis begins at 0, so that heights can be compared. A number that
//! is not finite is a datum that is not there.

mod bars;
mod calendar;
mod division;
mod drawing;
mod frame;
mod heading;
mod legend;
mod lines;
mod marks;
mod points;
mod scale;
mod steps;
mod style;
pub mod svg;
mod text;
mod thin;
mod ticks;

pub use self::drawing::{Anchor, Color, Drawing, Point, Shape, Stroke};
use crate::time::Granularity;

/// What a picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The form of it.
    pub kind: ChartKind,
    /// What it is about.
    pub title: String,
    /// Which part of the world, or nothing.
    pub subtitle: String,
    /// The axis to the right.
    pub x: Axis,
    /// The axis upwards.
    pub y: Axis,
    /// The rows.
    pub series: Vec<Series>,
    /// Values to the right that deserve a line of their own.
    pub marks: Vec<Mark>,
    /// What a reader has to know in order not to be misled.
    pub note: Option<String>,
}

/// The form of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// A datum holds from the one before it (the first: from one less) up to its own x.
    Steps,
    /// A datum is a bar as wide as its period; with several series, a level of the line of its series.
    Bars,
    /// A datum is a point of the line of its series.
    Lines,
    /// A datum is a dot.
    Points,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it measures; may be empty.
    pub title: String,
    /// How it measures.
    pub scale: Scale,
}

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Whole numbers from 0.
    Count,
    /// Numbers from 0.
    Number,
    /// Wall-clock microseconds since 1970; on a vertical axis, just numbers.
    Time,
    /// Microseconds since midnight; the whole day is shown, on a vertical axis from the top as in a diary.
    TimeOfDay,
    /// Wall-clock starts of periods; on a vertical axis, just numbers.
    Period(Granularity),
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What they have in common; told where there are several series.
    pub name: String,
    /// The rows, ascending by x (dots: in any order).
    pub points: Vec<Datum>,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datum {
    /// Its value on the axis to the right.
    pub x: f64,
    /// Its value on the axis upwards; below 0 is shown as 0.
    pub y: f64,
    /// The area of its dot, where 1 is one license; what is not a positive number counts as 1.
    pub weight: f64,
}

/// A line upwards with a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where it meets the axis to the right.
    pub x: f64,
    /// What it says.
    pub label: String,
}

impl Chart {
    /// The picture, in a size of at least 240 by 160.
    #[must_use]
    pub fn draw(&self, width: f64, height: f64) -> Drawing {
        let size = |asked: f64, least: f64| if asked > least { asked.min(20_000.0) } else { least };
        let mut drawing = Drawing::blank(size(width, 240.0), size(height, 160.0));
        let Some(extent) = scale::Extent::of(self) else {
            frame::without_rows(self, &mut drawing);
            return drawing;
        };
        let plane = frame::draw(self, extent, &mut drawing);
        match self.kind {
            ChartKind::Steps => steps::draw(self, &plane, &mut drawing),
            ChartKind::Bars if self.series.len() > 1 => bars::draw_outlines(self, &plane, &mut drawing),
            ChartKind::Bars => bars::draw(self, &plane, &mut drawing),
            ChartKind::Lines => lines::draw(self, &plane, &mut drawing),
            ChartKind::Points => points::draw(self, &plane, &mut drawing),
        }
        marks::draw(&plane, &mut drawing);
        drawing
    }
}

#[cfg(test)]
mod tests;
