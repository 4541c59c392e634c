//! What stands around the axes: title, subtitle and legend above, the note below.

use super::legend;
use super::style::{NOTE, NOTHING, SUBTITLE, TITLE};
use super::{Anchor, Chart, Drawing, Point};

/// Between the edge of the picture and what is in it.
pub(super) const MARGIN: f64 = 18.0;

/// The height of a line of the note.
const NOTE_LINE: f64 = 13.0;

/// Writes what stands above; says where it ends.
pub(super) fn above(chart: &Chart, drawing: &mut Drawing) -> f64 {
    let room = drawing.width - 2.0 * MARGIN;
    let mut y = 12.0;
    for (font, text, line) in [(TITLE, &chart.title, 22.0), (SUBTITLE, &chart.subtitle, 17.0)] {
        let text = font.fit(text, room);
        if !text.is_empty() {
            let at = Point {
                x: MARGIN,
                y: y + font.size,
            };
            drawing.text(font, at, Anchor::Start, text);
            y += line;
        }
    }
    legend::draw(chart, drawing, y + 6.0)
}

/// Writes what stands below; says where it begins.
pub(super) fn below(chart: &Chart, drawing: &mut Drawing) -> f64 {
    let bottom = drawing.height - 12.0;
    let note = chart.note.as_deref().unwrap_or_default();
    let most = if drawing.height < 260.0 { 1 } else { 3 };
    let lines = NOTE.lines(note, drawing.width - 2.0 * MARGIN, most);
    let top = bottom - lines.len() as f64 * NOTE_LINE;
    for (place, line) in lines.into_iter().enumerate() {
        let y = top + place as f64 * NOTE_LINE + NOTE.size;
        drawing.text(NOTE, Point { x: MARGIN, y }, Anchor::Start, line);
    }
    if top < bottom { top - 8.0 } else { bottom }
}

/// Says in the middle that there is nothing.
pub(super) fn nothing(drawing: &mut Drawing, top: f64, bottom: f64) {
    let middle = Point {
        x: drawing.width / 2.0,
        y: f64::midpoint(top, bottom) + NOTHING.size / 3.0,
    };
    drawing.text(NOTHING, middle, Anchor::Middle, "No rows".to_owned());
}
