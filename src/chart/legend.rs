//! Which series is which, and how large a dot is.

use super::heading::MARGIN;
use super::points;
use super::style::{self, MOST_SERIES, NAME};
use super::ticks::number;
use super::{Anchor, Chart, ChartKind, Color, Drawing, Point, Shape, Stroke};

/// The height of a row.
const ROW: f64 = 18.0;
/// Between the sign of an entry and its name.
const GAP: f64 = 7.0;
/// Between entries.
const BETWEEN: f64 = 20.0;

/// How an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sign {
    Line(Stroke),
    Dot(Color, f64),
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    sign: Sign,
    name: String,
}

impl Entry {
    fn width(&self) -> f64 {
        self.sign.width() + GAP + NAME.width(&self.name)
    }
}

impl Sign {
    fn width(self) -> f64 {
        match self {
            Self::Line(_) => 22.0,
            Self::Dot(_, radius) => radius.max(4.0) * 2.0,
        }
    }
}

/// Draws the legend, where there is anything to tell apart, in rows below `top`; says where it ends.
pub(super) fn draw(chart: &Chart, drawing: &mut Drawing, top: f64) -> f64 {
    let entries = entries(chart, drawing.width * drawing.height);
    if entries.is_empty() {
        return top;
    }
    let rows = rows(&entries, drawing.width - 2.0 * MARGIN, drawing.height * 0.25);
    let bottom = top + rows.len() as f64 * ROW;
    for (place, row) in rows.into_iter().enumerate() {
        let (mut x, middle) = (MARGIN, top + (place as f64 + 0.5) * ROW);
        for entry in row {
            let (sign, width) = (entry.sign.width(), entry.width());
            match entry.sign {
                Sign::Line(stroke) => drawing.line(vec![Point { x, y: middle }, Point { x: x + sign, y: middle }], stroke),
                Sign::Dot(fill, radius) => drawing.shapes.push(Shape::Circle {
                    at: Point {
                        x: x + sign / 2.0,
                        y: middle,
                    },
                    radius,
                    fill,
                    opacity: points::OPACITY,
                    title: None,
                }),
            }
            let at = Point {
                x: x + sign + GAP,
                y: middle + NAME.size * 0.36,
            };
            drawing.text(NAME, at, Anchor::Start, entry.name);
            x += width + BETWEEN;
        }
    }
    bottom + 4.0
}

fn entries(chart: &Chart, area: f64) -> Vec<Entry> {
    let dots = chart.kind == ChartKind::Points;
    let mut entries = Vec::new();
    let sign = |place: usize| {
        if dots {
            Sign::Dot(style::color(place), 4.5)
        } else {
            Sign::Line(style::line(place, 2.0))
        }
    };
    if chart.series.len() > 1 {
        for (place, series) in chart.series.iter().enumerate().take(MOST_SERIES) {
            entries.push(Entry {
                sign: sign(place),
                name: series.name.clone(),
            });
        }
        if let Some(more) = chart.series.len().checked_sub(MOST_SERIES).filter(|more| *more > 0) {
            entries.push(Entry {
                sign: sign(MOST_SERIES),
                name: format!("{} more", number(more as f64, 0)),
            });
        }
    }
    if dots {
        let fill = if chart.series.len() > 1 { style::AXIS } else { style::color(0) };
        for (licenses, radius) in points::Sizes::of(chart, area).examples() {
            let name = if licenses > 1.0 {
                format!("{} licenses", number(licenses, 0))
            } else {
                "1 license".to_owned()
            };
            entries.push(Entry {
                sign: Sign::Dot(fill, radius),
                name,
            });
        }
    }
    entries
}

/// The entries in rows, with names as long as possible without taking more than a height; at the very least one row.
fn rows(entries: &[Entry], room: f64, height: f64) -> Vec<Vec<Entry>> {
    let most = (height / ROW).floor().max(1.0) as usize;
    let mut rows = Vec::new();
    for longest in [320.0, 220.0, 160.0, 110.0, 70.0, 40.0] {
        rows = wrapped(entries, room, longest);
        if rows.len() <= most {
            break;
        }
    }
    // On a picture that small, names of the last series are left out rather than that there is no room for the rows.
    rows.truncate(most);
    rows
}

fn wrapped(entries: &[Entry], room: f64, longest: f64) -> Vec<Vec<Entry>> {
    let (mut rows, mut used): (Vec<Vec<Entry>>, f64) = (Vec::new(), 0.0);
    for entry in entries {
        let name = NAME.fit(&entry.name, longest.min(room - entry.sign.width() - GAP));
        let entry = Entry { name, ..entry.clone() };
        let width = entry.width();
        match rows.last_mut() {
            Some(row) if used + BETWEEN + width <= room => {
                used += BETWEEN + width;
                row.push(entry);
            }
            _ => {
                used = width;
                rows.push(vec![entry]);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| Entry {
            sign: Sign::Dot(style::GREY, 4.0),
            name: (*name).to_owned(),
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn a_row_is_never_wider_than_the_picture() {
        let names = [
            "a",
            "a very long name of a feature that nobody would ever choose but somebody did",
            "設計用ソフトウェアの機能",
            "b",
        ];
        for room in [60.0, 150.0, 400.0, 900.0] {
            for row in rows(&named(&names), room, 72.0) {
                let width: f64 = row.iter().map(Entry::width).sum::<f64>() + BETWEEN * (row.len() - 1) as f64;
                assert!(width <= room + 1e-9, "{width} > {room}");
            }
        }
    }

    #[test]
    fn names_become_shorter_before_rows_become_too_many() {
        let names = ["the first of the long names of series"; 8];
        assert!(rows(&named(&names), 900.0, 400.0).len() > 2);
        assert!(rows(&named(&names), 900.0, 36.0).len() <= 2);
    }
}
