//! Paints a drawing: each shape as a path or a text, and nothing outside the drawing's box.
//!
//! A shape with a number that is none is left out.

use krilla::geom::{PathBuilder, Point as Place, Rect, Transform};
use krilla::num::NormalizedF32;
use krilla::paint::{FillRule, LineCap, LineJoin, Stroke as Line, StrokeDash};

use super::drawing::{Anchor, Drawing, Point, Shape, Stroke};
use super::pen::{Lettering, Pen, rgb_of};
use super::rows::one_line;

/// How far off a quarter circle's corners the points lie that bend a curve into it.
const QUARTER: f32 = 0.552_285;

/// Paints a drawing with its corner at a place, larger or smaller than it was drawn.
pub(super) fn paint(pen: &mut Pen<'_>, drawing: &Drawing, at: Place, scale: f32) {
    let mut clip = PathBuilder::new();
    if let Some(whole) = Rect::from_xywh(0.0, 0.0, drawing.width as f32, drawing.height as f32) {
        clip.push_rect(whole);
    }
    let Some(clip) = clip.finish() else { return };
    pen.surface.push_transform(&Transform::from_row(scale, 0.0, 0.0, scale, at.x, at.y));
    pen.surface.push_clip_path(&clip, &FillRule::NonZero);
    for shape in &drawing.shapes {
        paint_shape(pen, shape);
    }
    pen.surface.pop();
    pen.surface.pop();
}

fn paint_shape(pen: &mut Pen<'_>, shape: &Shape) {
    match shape {
        Shape::Line { points, stroke } => paint_line(pen, points, *stroke),
        Shape::Area { points, fill, opacity } => {
            let mut path = through(points);
            path.close();
            pen.fill(path, *fill, *opacity);
        }
        Shape::Rectangle {
            at,
            width,
            height,
            fill,
            title: _,
        } => {
            let mut path = PathBuilder::new();
            if let Some(rectangle) = Rect::from_xywh(at.x as f32, at.y as f32, *width as f32, *height as f32) {
                path.push_rect(rectangle);
            }
            pen.fill(path, *fill, 1.0);
        }
        Shape::Circle {
            at,
            radius,
            fill,
            opacity,
            title: _,
        } => pen.fill(circle(*at, *radius as f32), *fill, *opacity),
        Shape::Text {
            at,
            text,
            size,
            anchor,
            color,
            bold,
            turned,
        } => {
            let place = Place::from_xy(at.x as f32, at.y as f32);
            let lettering = Lettering {
                size: *size as f32,
                bold: *bold,
                color: *color,
            };
            let drawable = place.x.is_finite() && place.y.is_finite() && lettering.size.is_finite() && lettering.size > 0.0;
            if drawable {
                paint_text(pen, place, &one_line(text), lettering, (*anchor, *turned));
            }
        }
    }
}

fn paint_line(pen: &mut Pen<'_>, points: &[Point], stroke: Stroke) {
    let width = stroke.width as f32;
    let Some(path) = through(points).finish() else { return };
    if !(width.is_finite() && width > 0.0) {
        return;
    }
    let dash = stroke.dash.map(|dash| dash as f32).filter(|dash| dash.is_finite() && *dash > 0.0);
    pen.surface.set_fill(None);
    pen.surface.set_stroke(Some(Line {
        paint: rgb_of(stroke.color).into(),
        width,
        miter_limit: 4.0,
        line_cap: LineCap::Butt,
        line_join: LineJoin::Round,
        opacity: NormalizedF32::ONE,
        dash: dash.map(|dash| StrokeDash {
            array: vec![dash, dash],
            offset: 0.0,
        }),
    }));
    pen.surface.draw_path(&path);
    // Whatever is painted next is filled only.
    pen.surface.set_stroke(None);
}

fn through(points: &[Point]) -> PathBuilder {
    let mut path = PathBuilder::new();
    for (index, point) in points.iter().enumerate() {
        let (x, y) = (point.x as f32, point.y as f32);
        if index == 0 {
            path.move_to(x, y);
        } else {
            path.line_to(x, y);
        }
    }
    path
}

/// Four curves, clockwise from the right.
fn circle(at: Point, radius: f32) -> PathBuilder {
    let (x, y, bend) = (at.x as f32, at.y as f32, radius * QUARTER);
    let mut path = PathBuilder::new();
    path.move_to(x + radius, y);
    path.cubic_to(x + radius, y + bend, x + bend, y + radius, x, y + radius);
    path.cubic_to(x - bend, y + radius, x - radius, y + bend, x - radius, y);
    path.cubic_to(x - radius, y - bend, x - bend, y - radius, x, y - radius);
    path.cubic_to(x + bend, y - radius, x + radius, y - bend, x + radius, y);
    path.close();
    path
}

fn paint_text(pen: &mut Pen<'_>, at: Place, text: &str, lettering: Lettering, (anchor, turned): (Anchor, bool)) {
    let width = pen.fonts.face(lettering.bold).width(text, lettering.size);
    let before = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => width / 2.0,
        Anchor::End => width,
    };
    if turned {
        pen.surface.push_transform(&Transform::from_rotate_at(-90.0, at.x, at.y));
    }
    pen.text(Place::from_xy(at.x - before, at.y), text, lettering);
    if turned {
        pen.surface.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Color;
    use super::super::{Paper, Rows, write};
    use super::*;

    fn written(shapes: Vec<Shape>) -> Vec<u8> {
        let chart = Drawing {
            width: 100.0,
            height: 50.0,
            shapes,
        };
        let paper = Paper {
            title: "",
            subtitle: "",
            facts: &[],
            notes: &[],
            columns: &[],
            chart: Some(&chart),
        };
        write(&paper, &Rows::new(0)).unwrap()
    }

    fn shapes(number: f64) -> Vec<Shape> {
        let at = Point { x: number, y: number };
        let fill = Color(1, 2, 3);
        let text = |turned| Shape::Text {
            at,
            text: "a\nb".to_owned(),
            size: number,
            anchor: Anchor::End,
            color: fill,
            bold: true,
            turned,
        };
        vec![
            Shape::Line {
                points: vec![at, Point { x: 9.0, y: 9.0 }],
                stroke: Stroke {
                    color: fill,
                    width: number,
                    dash: Some(number),
                },
            },
            Shape::Area {
                points: vec![at, Point { x: 9.0, y: 9.0 }, Point { x: 9.0, y: 20.0 }],
                fill,
                opacity: number,
            },
            Shape::Rectangle {
                at,
                width: number,
                height: number,
                fill,
                title: None,
            },
            Shape::Circle {
                at,
                radius: number,
                fill,
                opacity: number,
                title: None,
            },
            text(true),
            text(false),
        ]
    }

    #[test]
    fn shapes_of_impossible_numbers_are_left_out() {
        let empty = written(Vec::new());
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(written(shapes(number)) == empty, "{number}");
        }
        let stroke = Stroke {
            color: Color(0, 0, 0),
            width: 1.0,
            dash: None,
        };
        assert!(
            written(vec![Shape::Line {
                points: Vec::new(),
                stroke
            }]) == empty
        );
        for number in [0.0, -3.0, 1e30, 1e300] {
            assert!(written(shapes(number)).starts_with(b"%PDF-"));
        }
    }

    #[test]
    fn shapes_are_painted() {
        let empty = written(Vec::new());
        for shape in shapes(7.0) {
            assert!(written(vec![shape.clone()]) != empty, "{shape:?}");
        }
    }
}
