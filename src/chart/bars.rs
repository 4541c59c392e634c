//! Values of periods as bars, or as levels of lines where there are several series.
//!
//! Edges of bars are at whole pixels: bars of neighbours meet without a seam, and gaps are all alike. Where periods are narrower
//! than a pixel, a bar is the highest of those that begin in it.

use super::frame::Plane;
use super::scale::Range;
use super::style;
use super::thin::thin;
use super::ticks::value;
use super::{Chart, Datum, Drawing, Point, Shape};

/// The widest bar; a single period need not be a wall.
const WIDEST: f64 = 120.0;

/// A bar: its edges, and the data that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bar {
    left: f64,
    right: f64,
    first: Datum,
    last: Datum,
    highest: f64,
}

/// Draws the bars of the only series.
pub(super) fn draw(chart: &Chart, plane: &Plane, drawing: &mut Drawing) {
    let data: Vec<Datum> = chart
        .series
        .iter()
        .flat_map(|series| &series.points)
        .copied()
        .filter(Datum::is_there)
        .collect();
    let bars = bars(chart, &data, plane);
    let typical = plane.x.length() / bars.len().max(1) as f64;
    let gap = match typical {
        narrow if narrow < 4.0 => 0.0,
        narrow if narrow < 10.0 => 1.0,
        _ => (typical * 0.18).clamp(2.0, 16.0).round(),
    };
    for bar in bars.into_iter().filter(|bar| bar.highest > 0.0) {
        let room = (bar.right - bar.left - gap).max(1.0);
        let width = room.min(WIDEST);
        let left = bar.left + (bar.right - bar.left - width) / 2.0;
        // The least that can be seen: a single denial among thousands is one.
        let top = plane.y.at(bar.highest).min(plane.bottom() - 1.0);
        drawing.shapes.push(Shape::Rectangle {
            at: Point { x: left, y: top },
            width,
            height: plane.bottom() - top,
            fill: style::color(0),
            title: Some(title(chart, &bar)),
        });
    }
}

fn title(chart: &Chart, bar: &Bar) -> String {
    let (first, last) = (value(chart.x.scale, bar.first.x), value(chart.x.scale, bar.last.x));
    let highest = value(chart.y.scale, bar.highest);
    if first == last {
        format!("{first}: {highest}")
    } else {
        format!("{first} to {last}: at most {highest}")
    }
}

/// The bars of data, the highest for each pixel that more than one of them begins in.
fn bars(chart: &Chart, data: &[Datum], plane: &Plane) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for datum in data {
        let Range { from, to } = chart.x.span(datum.x);
        let left = plane.x.at(from).round();
        let right = plane.x.at(to).round().max(left + 1.0);
        match bars.last_mut() {
            Some(bar) if left < bar.right => {
                bar.last = *datum;
                bar.right = bar.right.max(right);
                bar.highest = bar.highest.max(datum.y);
            }
            _ => bars.push(Bar {
                left,
                right,
                first: *datum,
                last: *datum,
                highest: datum.y,
            }),
        }
    }
    bars
}

/// Draws each series as a line that is level within a period and breaks where periods are missing.
pub(super) fn draw_outlines(chart: &Chart, plane: &Plane, drawing: &mut Drawing) {
    for (place, series) in chart.series.iter().enumerate().rev() {
        let mut run: Vec<Point> = Vec::new();
        let mut end = None;
        for datum in &series.points {
            let Range { from, to } = chart.x.span(datum.x);
            if !datum.is_there() || end != Some(from) {
                drawing.line(thin(&std::mem::take(&mut run)), style::line(place, 1.8));
            }
            if datum.is_there() {
                run.extend([plane.point(from, datum.y), plane.point(to, datum.y)]);
            }
            end = Some(to);
        }
        drawing.line(thin(&run), style::line(place, 1.8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{denials, rectangles_of, series};

    #[test]
    fn more_bars_than_pixels_are_the_highest_of_each_pixel() {
        let mut chart = denials(100_000);
        for datum in &mut chart.series[0].points {
            datum.y = 1.0;
        }
        chart.series[0].points[54_321].y = 40.0;
        let bars = rectangles_of(&chart.draw(960.0, 420.0), style::color(0));
        assert!((500..960).contains(&bars.len()), "{}", bars.len());
        assert_eq!(bars.iter().filter(|bar| bar.2.contains("at most 40")).count(), 1);
        assert!(bars.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
    }

    #[test]
    fn zeros_have_no_bar_and_ones_among_thousands_do() {
        let mut chart = denials(0);
        chart.series = vec![series("", &[(0.0, 0.0), (86_400e6, 1.0), (172_800e6, 90_000.0)])];
        let bars = rectangles_of(&chart.draw(960.0, 420.0), style::color(0));
        let titles: Vec<&str> = bars.iter().map(|bar| bar.2.as_str()).collect();
        assert_eq!(titles, ["1970-01-02: 1", "1970-01-03: 90,000"]);
    }
}
