//! Drawings as SVG: a document of its own, with nothing to run and nothing to fetch.

use super::{Anchor, Color, Drawing, Point, Shape, Stroke};

/// Whatever the reader's system has without serifs.
const FONTS: &str = "system-ui, sans-serif";

/// Writes a drawing, with a title and a description for those who cannot see it.
pub fn write(drawing: &Drawing, title: &str, description: &str, out: &mut Vec<u8>) {
    let (width, height) = (number(drawing.width), number(drawing.height));
    put(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" role=\"img\"",
    );
    put(
        out,
        &format!(
            " width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\" stroke-linejoin=\"round\">\n"
        ),
    );
    put(
        out,
        &format!("<title>{}</title>\n<desc>{}</desc>\n", escaped(title), escaped(description)),
    );
    // Dots come by the ten thousand: what neighbours share is written once.
    for shapes in drawing.shapes.chunk_by(|a, b| look(a).is_some() && look(a) == look(b)) {
        let shared = shapes.first().and_then(look).filter(|_| shapes.len() > 1);
        if let Some((fill, opacity)) = shared {
            put(out, &format!("<g{}>\n", filled(fill, opacity)));
        }
        for shape in shapes {
            write_shape(shape, shared.is_some(), out);
        }
        if shared.is_some() {
            put(out, "</g>\n");
        }
    }
    put(out, "</svg>\n");
}

/// What shapes share that can be written in a group.
fn look(shape: &Shape) -> Option<(Color, f64)> {
    match shape {
        Shape::Rectangle { fill, .. } => Some((*fill, 1.0)),
        Shape::Circle { fill, opacity, .. } => Some((*fill, *opacity)),
        Shape::Line { .. } | Shape::Area { .. } | Shape::Text { .. } => None,
    }
}

fn write_shape(shape: &Shape, in_group: bool, out: &mut Vec<u8>) {
    let fill_of = |fill: Color, opacity: f64| if in_group { String::new() } else { filled(fill, opacity) };
    match shape {
        Shape::Line { points, stroke } => {
            put(out, &format!("<polyline fill=\"none\"{} points=\"", stroked(*stroke)));
            write_points(points, out);
            put(out, "\"/>\n");
        }
        Shape::Area { points, fill, opacity } => {
            put(out, &format!("<polygon{} points=\"", filled(*fill, *opacity)));
            write_points(points, out);
            put(out, "\"/>\n");
        }
        Shape::Rectangle {
            at,
            width,
            height,
            fill,
            title,
        } => {
            let (x, y, width, height) = (number(at.x), number(at.y), number(*width), number(*height));
            let fill = fill_of(*fill, 1.0);
            put(
                out,
                &format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{fill}"),
            );
            end("rect", title.as_deref(), out);
        }
        Shape::Circle {
            at,
            radius,
            fill,
            opacity,
            title,
        } => {
            let (x, y, radius) = (number(at.x), number(at.y), number(*radius));
            put(
                out,
                &format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{}", fill_of(*fill, *opacity)),
            );
            end("circle", title.as_deref(), out);
        }
        Shape::Text {
            at,
            text,
            size,
            anchor,
            color,
            bold,
            turned,
        } => {
            let (x, y) = (number(at.x), number(at.y));
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let bold = if *bold { " font-weight=\"bold\"" } else { "" };
            let turn = if *turned {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            let (size, fill) = (number(*size), filled(*color, 1.0));
            put(
                out,
                &format!(
                    "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{bold}{turn}{fill}>{}</text>\n",
                    escaped(text)
                ),
            );
        }
    }
}

/// Ends an element, with a title where it has one.
fn end(name: &str, title: Option<&str>, out: &mut Vec<u8>) {
    match title {
        Some(title) => put(out, &format!("><title>{}</title></{name}>\n", escaped(title))),
        None => put(out, "/>\n"),
    }
}

fn write_points(points: &[Point], out: &mut Vec<u8>) {
    for (place, point) in points.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        put(out, &number(point.x));
        out.push(b',');
        put(out, &number(point.y));
    }
}

fn filled(Color(red, green, blue): Color, opacity: f64) -> String {
    let opacity = if opacity < 1.0 {
        format!(" fill-opacity=\"{}\"", number(opacity))
    } else {
        String::new()
    };
    format!(" fill=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

fn stroked(
    Stroke {
        color: Color(red, green, blue),
        width,
        dash,
    }: Stroke,
) -> String {
    let dash = dash.map_or_else(String::new, |dash| format!(" stroke-dasharray=\"{}\"", number(dash)));
    format!(
        " stroke=\"#{red:02x}{green:02x}{blue:02x}\" stroke-width=\"{}\"{dash}",
        number(width)
    )
}

/// A number to the hundredth, as short as possible; what is none becomes 0.
fn number(number: f64) -> String {
    if !number.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A text for XML: what would be markup is escaped, characters that XML has no place for are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => {}
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(shapes: Vec<Shape>, title: &str) -> String {
        let mut out = Vec::new();
        write(
            &Drawing {
                width: 100.0,
                height: 50.5,
                shapes,
            },
            title,
            "a <b> & c",
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    fn dot(x: f64, title: Option<&str>) -> Shape {
        Shape::Circle {
            at: Point { x, y: 2.0 },
            radius: 1.005,
            fill: Color(0, 16, 255),
            opacity: 0.5,
            title: title.map(str::to_owned),
        }
    }

    #[test]
    fn texts_are_escaped_wherever_they_are() {
        let svg = svg(vec![dot(1.0, Some("<&\"'>\u{1}\u{B}\u{FFFE}x\ny"))], "</title><script>");
        assert!(svg.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"), "{svg}");
        assert!(svg.contains("<desc>a &lt;b&gt; &amp; c</desc>"), "{svg}");
        assert!(svg.contains("><title>&lt;&amp;&quot;&#39;&gt;x y</title></circle>"), "{svg}");
    }

    #[test]
    fn what_neighbours_share_is_written_once() {
        let svg = svg(vec![dot(1.0, None), dot(2.5, None)], "");
        let group =
            "<g fill=\"#0010ff\" fill-opacity=\"0.5\">\n<circle cx=\"1\" cy=\"2\" r=\"1\"/>\n<circle cx=\"2.5\" cy=\"2\" r=\"1\"/>\n</g>\n";
        assert!(svg.contains(group), "{svg}");
    }

    #[test]
    fn numbers_are_short_and_never_odd() {
        let cases = [
            (1.0, "1"),
            (-0.001, "0"),
            (10.0, "10"),
            (2.346, "2.35"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }
}
