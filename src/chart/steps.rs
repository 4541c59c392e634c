//! Levels as a step line: what holds from one value to the next.

use super::frame::Plane;
use super::style;
use super::thin::thin;
use super::ticks::value;
use super::{Chart, Datum, Drawing, Point, Shape};

/// The least distance of steps whose corners are marked.
const ROOM_FOR_DOTS: f64 = 26.0;

/// Draws all series; the area below is filled where there is only one.
pub(super) fn draw(chart: &Chart, plane: &Plane, drawing: &mut Drawing) {
    let alone = chart.series.len() == 1;
    for (place, series) in chart.series.iter().enumerate().rev() {
        for run in levels(&series.points, plane) {
            if alone {
                fill(&run, plane, drawing);
            }
            drawing.line(run, style::line(place, 2.0));
        }
        let count = series.points.iter().filter(|datum| datum.is_there()).count();
        if alone && count as f64 * ROOM_FOR_DOTS <= plane.x.length() {
            corners(chart, &series.points, plane, drawing);
        }
    }
}

/// The line, in as many pieces as gaps make it. A level goes from the one before it up to its own, and falls to nothing at the end.
fn levels(data: &[Datum], plane: &Plane) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut run: Vec<Point> = Vec::new();
    let mut before = data.first().map_or(0.0, |first| first.x - 1.0);
    for datum in data {
        if datum.is_there() {
            run.push(plane.point(before, datum.y));
            run.push(plane.point(datum.x, datum.y));
        } else {
            runs.push(std::mem::take(&mut run));
        }
        if !datum.x.is_nan() {
            before = datum.x;
        }
    }
    if let Some(last) = run.last().copied() {
        run.push(Point { y: plane.bottom(), ..last });
    }
    runs.push(run);
    runs.into_iter().filter(|run| !run.is_empty()).map(|run| thin(&run)).collect()
}

fn fill(run: &[Point], plane: &Plane, drawing: &mut Drawing) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let ground = |point: &Point| Point {
        y: plane.bottom(),
        ..*point
    };
    let mut points = run.to_vec();
    points.extend([ground(last), ground(first)]);
    drawing.shapes.push(Shape::Area {
        points,
        fill: style::color(0),
        opacity: 0.16,
    });
}

/// Marks where each level holds last, so that it is clear which of two heights belongs to a number.
fn corners(chart: &Chart, data: &[Datum], plane: &Plane, drawing: &mut Drawing) {
    for datum in data.iter().filter(|datum| datum.is_there()) {
        drawing.shapes.push(Shape::Circle {
            at: plane.point(datum.x, datum.y),
            radius: 3.0,
            fill: style::color(0),
            opacity: 1.0,
            title: Some(format!("{}: {}", value(chart.x.scale, datum.x), value(chart.y.scale, datum.y))),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{lines_of, series, utilization};

    #[test]
    fn thousands_of_levels_become_a_line_of_the_same_look() {
        let mut chart = utilization(6000);
        // One level stands out, and must still do so.
        chart.series[0].points[3333].y = 8760.0;
        let drawing = chart.draw(960.0, 420.0);
        let lines = lines_of(&drawing, style::color(0));
        let points: Vec<Point> = lines.into_iter().flatten().collect();
        assert!(points.len() < 8000, "{}", points.len());
        let top = points.iter().map(|point| point.y).fold(f64::INFINITY, f64::min);
        assert!(points.iter().filter(|point| point.y == top).any(|point| point.x > 400.0));
    }

    #[test]
    fn a_level_holds_from_the_one_before_it() {
        let mut chart = utilization(0);
        chart.series = vec![series("", &[(1.0, 10.0), (2.0, 5.0)])];
        let lines = lines_of(&chart.draw(960.0, 420.0), style::color(0));
        let [a, b, c, d, e] = lines[0][..] else { panic!("{lines:?}") };
        assert_eq!((a.y, b.x, c.y, d.x), (b.y, c.x, d.y, e.x));
        assert!(a.y < c.y && c.y < e.y);
        assert!((2.0 * b.x - a.x - d.x).abs() < 1e-9);
    }
}
