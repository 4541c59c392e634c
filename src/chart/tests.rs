//! Charts as a whole: whatever the data, what is drawn is inside the picture.

use super::*;

/// A chart without rows.
pub(super) fn chart(kind: ChartKind, x: Scale, y: Scale) -> Chart {
    let axis = |title: &str, scale: Scale| Axis {
        title: title.to_owned(),
        scale,
    };
    Chart {
        kind,
        title: "A title".to_owned(),
        subtitle: "of a subtitle".to_owned(),
        x: axis("to the right", x),
        y: axis("upwards", y),
        series: Vec::new(),
        marks: Vec::new(),
        note: Some("A note".to_owned()),
    }
}

/// A series of values that all weigh one license.
pub(super) fn series(name: &str, points: &[(f64, f64)]) -> Series {
    let datum = |(x, y): &(f64, f64)| Datum { x: *x, y: *y, weight: 1.0 };
    Series {
        name: name.to_owned(),
        points: points.iter().map(datum).collect(),
    }
}

/// Hours by the number of licenses in use, falling evenly.
pub(super) fn utilization(levels: u32) -> Chart {
    let mut chart = chart(ChartKind::Steps, Scale::Count, Scale::Number);
    let level = |level: u32| (f64::from(level), 2000.0 * (1.0 - f64::from(level) / f64::from(levels + 1)));
    chart.series = vec![series("", &(1..=levels).map(level).collect::<Vec<_>>())];
    chart
}

/// Denied licenses by day.
pub(super) fn denials(days: u32) -> Chart {
    let mut chart = chart(ChartKind::Bars, Scale::Period(Granularity::Day), Scale::Count);
    let day = |day: u32| (f64::from(day) * 86_400e6, f64::from(day % 7));
    chart.series = vec![series("", &(0..days).map(day).collect::<Vec<_>>())];
    chart
}

/// The lines of a colour.
pub(super) fn lines_of(drawing: &Drawing, color: Color) -> Vec<Vec<Point>> {
    let line = |shape: &Shape| match shape {
        Shape::Line { points, stroke } if stroke.color == color => Some(points.clone()),
        _ => None,
    };
    drawing.shapes.iter().filter_map(line).collect()
}

/// The left edges, widths and titles of rectangles of a colour.
pub(super) fn rectangles_of(drawing: &Drawing, color: Color) -> Vec<(f64, f64, String)> {
    let rectangle = |shape: &Shape| match shape {
        Shape::Rectangle {
            at, width, fill, title, ..
        } if *fill == color => Some((at.x, *width, title.clone().unwrap_or_default())),
        _ => None,
    };
    drawing.shapes.iter().filter_map(rectangle).collect()
}

/// The centres, radii and titles of circles.
pub(super) fn circles_of(drawing: &Drawing) -> Vec<(Point, f64, String)> {
    let circle = |shape: &Shape| match shape {
        Shape::Circle { at, radius, title, .. } => Some((*at, *radius, title.clone().unwrap_or_default())),
        _ => None,
    };
    drawing.shapes.iter().filter_map(circle).collect()
}

/// A box around a shape: left, top, right, bottom.
fn bounds(shape: &Shape) -> [f64; 4] {
    let around = |points: &[Point]| {
        points.iter().fold(
            [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
            |[left, top, right, bottom], point| [left.min(point.x), top.min(point.y), right.max(point.x), bottom.max(point.y)],
        )
    };
    match shape {
        Shape::Line { points, .. } | Shape::Area { points, .. } => around(points),
        Shape::Rectangle { at, width, height, .. } => [at.x, at.y, at.x + width, at.y + height],
        Shape::Circle { at, .. } => [at.x, at.y, at.x, at.y],
        Shape::Text {
            at,
            text,
            size,
            anchor,
            bold,
            turned,
            ..
        } => {
            let long = text::width(text, *bold) * size;
            let before = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => long / 2.0,
                Anchor::End => long,
            };
            if *turned {
                [at.x - size, at.y + before - long, at.x + 0.2 * size, at.y + before]
            } else {
                [at.x - before, at.y - 0.8 * size, at.x - before + long, at.y + 0.2 * size]
            }
        }
    }
}

/// Numbers between 0 and 1 that are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() * end as f64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const TEXTS: [&str; 6] = [
    "",
    "Denied licenses",
    "<&\"'>",
    "許可証の使用状況とその他の長い題名",
    "Utilization of every single feature of every license server in the whole company, by hours, including those that nobody uses anymore",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

fn any_chart(chance: &mut Chance) -> Chart {
    let kind = chance.of(&[ChartKind::Steps, ChartKind::Bars, ChartKind::Lines, ChartKind::Points]);
    let granularity = chance.of(&Granularity::ALL);
    let x = chance.of(&[
        Scale::Count,
        Scale::Number,
        Scale::Time,
        Scale::TimeOfDay,
        Scale::Period(granularity),
    ]);
    let y = chance.of(&[Scale::Count, Scale::Number, Scale::TimeOfDay, Scale::Time]);
    let mut drawn = chart(kind, x, y);
    for text in [&mut drawn.title, &mut drawn.subtitle, &mut drawn.x.title, &mut drawn.y.title] {
        *text = chance.of(&TEXTS).to_owned();
    }
    drawn.note = Some(chance.of(&TEXTS).to_owned());
    let (scale, height) = (10f64.powf(chance.next() * 17.0), 10f64.powf(chance.next() * 14.0 - 4.0));
    for _ in 0..chance.below(12) {
        let mut points: Vec<(f64, f64)> = (0..chance.of(&[0, 1, 2, 30, 400]))
            .map(|_| match chance.below(40) {
                0 => (chance.of(&[f64::NAN, f64::INFINITY, -1e300, 1e300, -5.0]), 1.0),
                1 => (chance.next() * scale, chance.of(&[f64::NAN, f64::NEG_INFINITY, 1e300, -3.0, 0.0])),
                _ => (chance.next() * scale, chance.next() * height),
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut rows = series(chance.of(&TEXTS), &points);
        for datum in &mut rows.points {
            datum.weight = chance.of(&[1.0, 1.0, 5.0, 1e6, 0.0, -1.0, f64::NAN]);
        }
        drawn.series.push(rows);
    }
    for _ in 0..chance.below(5) {
        let label = chance.of(&["95 %: 12 licenses", "99 %: 14 licenses", "", TEXTS[4]]).to_owned();
        let anywhere = scale * chance.next();
        let x = chance.of(&[0.0, scale, scale / 2.0, anywhere, f64::NAN]);
        drawn.marks.push(Mark { x, label });
    }
    drawn
}

#[test]
fn all_that_is_drawn_is_inside_the_picture() {
    let mut chance = Chance(11);
    for _ in 0..400 {
        let drawn = any_chart(&mut chance);
        let (width, height) = chance.of(&[(240.0, 160.0), (400.0, 300.0), (842.0, 595.0), (960.0, 420.0), (2000.0, 300.0)]);
        let drawing = drawn.draw(width, height);
        for shape in &drawing.shapes {
            let [left, top, right, bottom] = bounds(shape);
            let inside = left >= 0.0 && top >= 0.0 && right <= width && bottom <= height;
            assert!(
                inside,
                "{shape:?} is not inside {width} x {height} of {:?}",
                (drawn.kind, drawn.x, drawn.y)
            );
        }
    }
}

#[test]
fn texts_never_overlap() {
    let mut chance = Chance(5);
    for _ in 0..400 {
        let drawn = any_chart(&mut chance);
        let (width, height) = chance.of(&[(600.0, 380.0), (842.0, 595.0), (960.0, 420.0), (2000.0, 500.0)]);
        let drawing = drawn.draw(width, height);
        let texts: Vec<&Shape> = drawing.shapes.iter().filter(|shape| matches!(shape, Shape::Text { .. })).collect();
        for (place, text) in texts.iter().enumerate() {
            let [left, top, right, bottom] = bounds(text);
            for other in &texts[place + 1..] {
                let [other_left, other_top, other_right, other_bottom] = bounds(other);
                let apart = right <= other_left || other_right <= left || bottom <= other_top || other_bottom <= top;
                assert!(apart, "{text:?}\n{other:?}\nof {:?}", (drawn.kind, drawn.x, drawn.y));
            }
        }
    }
}

#[test]
fn no_rows_are_said_to_be_none() {
    let empty = chart(ChartKind::Bars, Scale::Time, Scale::Count);
    let mut missing = chart(ChartKind::Lines, Scale::Time, Scale::Count);
    missing.series = vec![series("", &[(0.0, f64::NAN)])];
    for drawn in [empty, missing] {
        let says = |text: &str| {
            drawn
                .draw(960.0, 420.0)
                .shapes
                .iter()
                .any(|shape| matches!(shape, Shape::Text { text: said, .. } if said == text))
        };
        assert!(says("No rows") && says("A title") && says("A note"));
    }
}

#[test]
fn a_size_that_is_none_is_the_least() {
    let drawing = utilization(3).draw(f64::NAN, -1.0);
    assert_eq!((drawing.width, drawing.height), (240.0, 160.0));
}
