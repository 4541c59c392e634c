//! Values over time as lines that break where a value is missing.

use super::frame::Plane;
use super::style;
use super::thin::thin;
use super::ticks::value;
use super::{Chart, Datum, Drawing, Point, Scale, Shape};

/// The least distance of values that are marked with a dot.
const ROOM_FOR_DOTS: f64 = 18.0;

/// Draws all series, the first one on top.
pub(super) fn draw(chart: &Chart, plane: &Plane, drawing: &mut Drawing) {
    let longest = chart.series.iter().map(|series| series.points.len()).max().unwrap_or_default() as f64;
    let width = if longest > plane.x.length() { 1.2 } else { 1.8 };
    let spacious = longest * ROOM_FOR_DOTS <= plane.x.length();
    for (place, series) in chart.series.iter().enumerate().rev() {
        for run in runs(chart, &series.points) {
            let dots = if spacious || run.len() == 1 { run } else { &[] };
            let points: Vec<Point> = run.iter().map(|datum| place_of(chart, plane, datum)).collect();
            drawing.line(thin(&points), style::line(place, width));
            for datum in dots {
                drawing.shapes.push(Shape::Circle {
                    at: place_of(chart, plane, datum),
                    radius: if spacious { 3.0 } else { 1.6 },
                    fill: style::color(place),
                    opacity: 1.0,
                    title: Some(title(chart, &series.name, datum)),
                });
            }
        }
    }
}

/// The value of a period is put in its middle.
fn place_of(chart: &Chart, plane: &Plane, datum: &Datum) -> Point {
    let x = match chart.x.scale {
        Scale::Period(_) => {
            let span = chart.x.span(datum.x);
            f64::midpoint(span.from, span.to)
        }
        _ => datum.x,
    };
    plane.point(x, datum.y)
}

fn title(chart: &Chart, name: &str, datum: &Datum) -> String {
    let (x, y) = (value(chart.x.scale, datum.x), value(chart.y.scale, datum.y));
    if chart.series.len() > 1 {
        format!("{name}, {x}: {y}")
    } else {
        format!("{x}: {y}")
    }
}

/// The data between gaps: a gap is a missing value, or a missing period.
fn runs<'a>(chart: &'a Chart, data: &'a [Datum]) -> impl Iterator<Item = &'a [Datum]> {
    let adjoin = |before: &Datum, after: &Datum| match chart.x.scale {
        Scale::Period(_) => chart.x.span(before.x).to >= chart.x.span(after.x).from,
        _ => true,
    };
    data.chunk_by(move |before, after| before.is_there() && after.is_there() && adjoin(before, after))
        .filter(|run| run.iter().all(Datum::is_there))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ChartKind;
    use crate::chart::tests::{chart, circles_of, lines_of, series};
    use crate::time::Granularity;

    const DAY: f64 = 86_400e6;

    #[test]
    fn lines_break_at_missing_values_and_at_missing_days() {
        let mut users = chart(ChartKind::Lines, Scale::Period(Granularity::Day), Scale::Count);
        let values = [
            (0.0, 1.0),
            (1.0, 2.0),
            (2.0, f64::NAN),
            (3.0, 4.0),
            (4.0, 4.0),
            (6.0, 5.0),
            (7.0, 5.0),
            (8.0, f64::NAN),
            (9.0, 1.0),
        ];
        users.series = vec![series("", &values.map(|(day, count)| (day * DAY, count)))];
        let drawing = users.draw(960.0, 420.0);
        let lengths: Vec<usize> = lines_of(&drawing, style::color(0)).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 2, 2]);
        assert_eq!(circles_of(&drawing).len(), 7);
    }

    #[test]
    fn one_day_is_a_dot_for_each_series() {
        let mut users = chart(ChartKind::Lines, Scale::Period(Granularity::Day), Scale::Count);
        users.series = vec![series("a", &[(0.0, 1.0)]), series("b", &[(0.0, 2.0)])];
        let circles = circles_of(&users.draw(960.0, 420.0));
        let titles: Vec<&str> = circles.iter().map(|(_, _, title)| title.as_str()).collect();
        assert_eq!(titles, ["b, 1970-01-01: 2", "a, 1970-01-01: 1"]);
    }
}
