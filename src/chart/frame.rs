//! The axes, and the plane between them.
//!
//! Room is given from the outside in: what is written above and below, the labels of the vertical axis, those of the horizontal
//! one, the labels of marks; the plane is what is left.

use super::calendar::{self, Calendar};
use super::heading::{self, MARGIN};
use super::marks::{self, Placed};
use super::scale::{Extent, Mapping, Range};
use super::style::{self, AXIS, AXIS_TITLE, GRID, LABEL};
use super::ticks::{self, Tick};
use super::{Anchor, Chart, ChartKind, Color, Drawing, Point, Scale, Shape};

/// The height of a row of labels below the axis.
const ROW: f64 = 15.0;
/// Between the axis and its labels.
const GAP: f64 = 6.0;
/// The least height of the plane.
const LEAST: f64 = 24.0;

/// The plane between the axes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    /// To the right.
    pub(super) x: Mapping,
    /// Upwards.
    pub(super) y: Mapping,
    /// The marks, with places for their labels.
    pub(super) marks: Vec<Placed>,
}

impl Plane {
    /// The place of two values.
    pub(super) fn point(&self, x: f64, y: f64) -> Point {
        Point {
            x: self.x.at(x),
            y: self.y.at(y),
        }
    }

    /// Where the plane begins.
    pub(super) fn top(&self) -> f64 {
        self.y.start.min(self.y.end)
    }

    /// Where it ends.
    pub(super) fn bottom(&self) -> f64 {
        self.y.start.max(self.y.end)
    }
}

/// Draws all that is around data.
pub(super) fn draw(chart: &Chart, extent: Extent, drawing: &mut Drawing) -> Plane {
    let above = heading::above(chart, drawing) + 12.0;
    let below = heading::below(chart, drawing) - if chart.x.title.trim().is_empty() { 0.0 } else { 18.0 };
    let (y_range, y_ticks) = ticks::upwards(chart.y.scale, extent.highest, below - above - 2.0 * ROW);
    let widest = y_ticks.iter().map(|tick| LABEL.width(&tick.label)).fold(0.0, f64::max);
    let title = if chart.y.title.trim().is_empty() { 0.0 } else { 20.0 };
    let (left, right) = (MARGIN + title + widest + 8.0, drawing.width - MARGIN - 4.0);
    let x = Mapping {
        range: extent.x,
        start: left,
        end: right.max(left + 20.0),
    };

    let labels = along(chart, &x);
    let rows = if labels.far.is_empty() { 1.0 } else { 2.0 };
    let bottom = below - GAP - rows * ROW;
    let marks = marks::place(chart, &x, (bottom - above) * 0.4);
    let band = marks.iter().map(|mark| mark.row + 1).max().unwrap_or_default() as f64 * marks::ROW;
    let top = (above + band).min(bottom - LEAST);
    let (start, end) = if chart.y.scale == Scale::TimeOfDay {
        (top, bottom)
    } else {
        (bottom, top)
    };
    let y = Mapping {
        range: y_range,
        start,
        end,
    };
    let plane = Plane { x, y, marks };

    draw_upwards(&plane, y_ticks, drawing);
    draw_along(chart, &plane, labels, drawing);
    titles(chart, &plane, below, drawing);
    plane
}

/// Draws a chart that has no rows.
pub(super) fn without_rows(chart: &Chart, drawing: &mut Drawing) {
    let top = heading::above(chart, drawing) + 6.0;
    let bottom = (heading::below(chart, drawing) - 4.0).max(top + LEAST);
    drawing.shapes.push(Shape::Rectangle {
        at: Point { x: MARGIN, y: top },
        width: drawing.width - 2.0 * MARGIN,
        height: bottom - top,
        fill: Color(246, 248, 250),
        title: None,
    });
    heading::nothing(drawing, top, bottom);
}

/// The labels of the horizontal axis.
fn along(chart: &Chart, x: &Mapping) -> Calendar {
    let near = match chart.x.scale {
        Scale::Time => return calendar::labels(x.range, x.length(), None),
        Scale::Period(granularity) => return calendar::labels(x.range, x.length(), Some(granularity)),
        Scale::TimeOfDay => ticks::times_of_day(x.length(), 48.0),
        scale @ (Scale::Count | Scale::Number) => numbers(scale, x.range, x.length()),
    };
    Calendar {
        near,
        far: Vec::new(),
        divided: true,
    }
}

fn numbers(scale: Scale, range: Range, length: f64) -> Vec<Tick> {
    let mut most = (length / 64.0).floor().max(1.0);
    loop {
        let step = ticks::step(scale, range.to, most);
        let ticks = ticks::numbers(step, range.to);
        let widest = ticks.iter().map(|tick| LABEL.width(&tick.label)).fold(0.0, f64::max);
        if most < 2.0 || (widest + 14.0) * range.to / step <= length {
            return ticks;
        }
        most -= 1.0;
    }
}

/// Draws the grid and the labels of the vertical axis.
fn draw_upwards(plane: &Plane, ticks: Vec<Tick>, drawing: &mut Drawing) {
    let (left, right) = (plane.x.start, plane.x.end);
    // On a picture that is too low for two labels, the first and the last are those to keep.
    let every = (ticks.len() as f64 * LABEL.size / plane.y.length()).ceil().max(1.0) as usize;
    for tick in ticks.into_iter().step_by(every) {
        let y = plane.y.at(tick.from);
        drawing.line(vec![Point { x: left, y }, Point { x: right, y }], style::solid(GRID, 1.0));
        let at = Point {
            x: left - 8.0,
            y: y + LABEL.size * 0.36,
        };
        drawing.text(LABEL, at, Anchor::End, tick.label);
    }
}

/// Draws the horizontal axis and its labels.
fn draw_along(chart: &Chart, plane: &Plane, labels: Calendar, drawing: &mut Drawing) {
    let (left, right, bottom) = (plane.x.start, plane.x.end, plane.bottom());
    let mut upright = |value: f64, from: f64, to: f64, color: Color| {
        let x = plane.x.at(value);
        drawing.line(vec![Point { x, y: from }, Point { x, y: to }], style::solid(color, 1.0));
    };
    if labels.divided {
        for tick in &labels.near {
            if chart.kind == ChartKind::Points {
                upright(tick.from, plane.top(), bottom, GRID);
            }
            upright(tick.from, bottom, bottom + 4.0, AXIS);
        }
        // A label at its place may be where the line would pass it.
        let below_labels = labels.near.iter().any(|tick| tick.from == tick.to);
        let from = if below_labels { bottom + GAP + ROW } else { bottom };
        for tick in labels.far.iter().skip(1) {
            upright(tick.from, from, bottom + GAP + 2.0 * ROW - 3.0, AXIS);
        }
    }
    drawing.line(
        vec![Point { x: left, y: bottom }, Point { x: right, y: bottom }],
        style::solid(AXIS, 1.0),
    );
    for (row, ticks) in [labels.near, labels.far].into_iter().enumerate() {
        let y = bottom + GAP + row as f64 * ROW + LABEL.size;
        let mut free = 0.0;
        for tick in ticks.into_iter().filter(|tick| !tick.label.is_empty()) {
            let half = LABEL.width(&tick.label) / 2.0;
            let middle = plane.x.at(f64::midpoint(tick.from, tick.to));
            let x = middle.min(drawing.width - 4.0 - half).max(4.0 + half);
            // At the edge of the picture a label is moved inwards, and may then be one too many.
            if x - half >= free {
                drawing.text(LABEL, Point { x, y }, Anchor::Middle, tick.label);
                free = x + half + 3.0;
            }
        }
    }
}

/// Writes what the axes measure.
fn titles(chart: &Chart, plane: &Plane, below: f64, drawing: &mut Drawing) {
    let middle = f64::midpoint(plane.x.start, plane.x.end);
    let title = AXIS_TITLE.fit(&chart.x.title, plane.x.length());
    drawing.text(
        AXIS_TITLE,
        Point {
            x: middle,
            y: below + 14.0,
        },
        Anchor::Middle,
        title,
    );
    let middle = f64::midpoint(plane.top(), plane.bottom());
    let title = AXIS_TITLE.fit(&chart.y.title, plane.y.length() + 2.0 * ROW);
    drawing.turned(
        AXIS_TITLE,
        Point {
            x: MARGIN + AXIS_TITLE.size * 0.8,
            y: middle,
        },
        title,
    );
}
