//! Marks: dashed lines upwards whose labels stand above the plane, beside the end of their line where they can.
//!
//! ```text
//!                          ╷ 99 %: 14 licenses      row 1
//!      95 %: 12 licenses ╷ ╷                          row 0
//!      ──────────────────╷─╷─────────────────
//! ```
//!
//! Labels never overlap. A line that has to pass a label of a lower row passes behind it.

use super::frame::Plane;
use super::scale::{Mapping, Range};
use super::style::{INK, NAME, PAPER};
use super::{Anchor, Chart, Drawing, Point, Scale, Shape, Stroke};

/// The height of a row of labels.
pub(super) const ROW: f64 = 16.0;

/// The most rows there are, if the picture is high enough for them; a mark without a place in them is a line without a label.
const MOST_ROWS: usize = 5;

/// For how many marks all choices of sides are tried.
const MOST_CHOSEN: usize = 5;

/// Between a line and the label beside it, and between labels.
const GAP: f64 = 5.0;

/// A mark with a place for its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    /// Where the line is.
    pub(super) x: f64,
    /// Where the label begins.
    left: f64,
    /// Where it ends.
    right: f64,
    /// Its row, counted from the plane upwards.
    pub(super) row: usize,
    /// What it says; nothing where it has no place.
    label: String,
}

impl Placed {
    fn new(x: f64, left: f64, label: &str) -> Self {
        Self {
            x,
            left,
            right: left + NAME.width(label),
            row: 0,
            label: label.to_owned(),
        }
    }

    /// Whether the labels would touch.
    fn touches(&self, other: &Self) -> bool {
        self.row == other.row && self.left < other.right + 2.0 * GAP && other.left < self.right + 2.0 * GAP
    }

    /// Whether the line of one goes through the label of the other.
    fn crosses(&self, other: &Self) -> bool {
        let through = |line: &Self, label: &Self| line.row >= label.row && (label.left - 2.0..label.right + 2.0).contains(&line.x);
        through(self, other) || through(other, self)
    }
}

/// Finds places for the labels of all marks that are on the axis, in the picture above the plane and in no more than a height.
pub(super) fn place(chart: &Chart, x: &Mapping, height: f64) -> Vec<Placed> {
    let range = x.range;
    // Labels may reach a little into the margin, but not over the labels of the axis upwards.
    let room = Range {
        from: x.start,
        to: x.end + 14.0,
    };
    let rows = MOST_ROWS.min((height / ROW).max(0.0) as usize);
    let mut marks: Vec<(f64, String)> = chart
        .marks
        .iter()
        .filter(|mark| (range.from..=range.to).contains(&mark.x) && !matches!(chart.x.scale, Scale::Period(_) if mark.x == range.to))
        .map(|mark| (x.at(mark.x), NAME.fit(&mark.label, x.length() / 2.0)))
        .collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let backwards: Vec<(f64, String)> = marks.iter().rev().cloned().collect();
    // All ways to choose sides of few marks are few; for many it has to do to try the same side for all.
    let choices = if marks.len() <= MOST_CHOSEN { 0..1 << marks.len() } else { 0..1 };
    let arrangements = choices.flat_map(|sides: usize| [&marks, &backwards].map(|marks| arranged(marks, sides, room, rows)));
    arrangements.min_by_key(|arrangement| cost(arrangement)).unwrap_or_default()
}

/// What is bad about places: lost labels, then lines through labels, then rows.
fn cost(marks: &[Placed]) -> usize {
    let lost = marks.iter().filter(|mark| mark.label.is_empty()).count();
    let pairs = marks
        .iter()
        .enumerate()
        .flat_map(|(place, mark)| marks.iter().skip(place + 1).map(move |other| (mark, other)));
    let crossings = pairs.filter(|(mark, other)| mark.crosses(other)).count();
    let rows = marks.iter().map(|mark| mark.row + 1).max().unwrap_or_default();
    lost * 10_000 + crossings * 100 + rows
}

/// Gives each mark in turn the lowest place that is free, preferably on its side: the left one where its bit is set.
fn arranged(marks: &[(f64, String)], sides: usize, room: Range, rows: usize) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::with_capacity(marks.len());
    for (place, (x, label)) in marks.iter().enumerate() {
        let left = sides.checked_shr(place as u32).unwrap_or_default() & 1 == 1;
        let options: Vec<Placed> = places(*x, label, left, room)
            .flat_map(|option| (0..rows).map(move |row| Placed { row, ..option.clone() }))
            .filter(|option| placed.iter().all(|other| !option.touches(other)))
            .collect();
        let free = options.iter().find(|option| placed.iter().all(|other| !option.crosses(other)));
        let lost = || Placed::new(*x, *x, "");
        let chosen = free.or_else(|| options.first()).cloned().unwrap_or_else(lost);
        placed.push(chosen);
    }
    placed
}

/// The places in the lowest row that are inside the room for labels: on the side, on the other one, and above the line.
fn places(x: f64, label: &str, left: bool, room: Range) -> impl Iterator<Item = Placed> {
    let long = NAME.width(label);
    let (to_right, to_left) = (x + GAP, x - GAP - long);
    let above = (x - long / 2.0).min(room.to - long).max(room.from);
    let begins = if left {
        [to_left, to_right, above]
    } else {
        [to_right, to_left, above]
    };
    let inside = move |begin: &f64| *begin >= room.from && begin + long <= room.to;
    begins.into_iter().filter(inside).map(move |begin| Placed::new(x, begin, label))
}

/// Draws the lines, then the labels over them.
pub(super) fn draw(plane: &Plane, drawing: &mut Drawing) {
    let bottom_of = |mark: &Placed| plane.top() - mark.row as f64 * ROW;
    let stroke = Stroke {
        color: INK,
        width: 1.2,
        dash: Some(4.0),
    };
    for mark in &plane.marks {
        // A label beside its line has the line next to it; one above it has it below.
        let beside = mark.x < mark.left || mark.x > mark.right;
        let top = bottom_of(mark) - if beside { ROW - 3.0 } else { 1.0 };
        drawing.line(
            vec![
                Point {
                    x: mark.x,
                    y: plane.bottom(),
                },
                Point { x: mark.x, y: top },
            ],
            stroke,
        );
    }
    for mark in plane.marks.iter().filter(|mark| !mark.label.is_empty()) {
        let baseline = bottom_of(mark) - 4.5;
        drawing.shapes.push(Shape::Rectangle {
            at: Point {
                x: mark.left - 1.0,
                y: baseline - NAME.size + 1.0,
            },
            width: mark.right - mark.left + 2.0,
            height: NAME.size + 1.5,
            fill: PAPER,
            title: None,
        });
        let middle = f64::midpoint(mark.left, mark.right);
        drawing.text(NAME, Point { x: middle, y: baseline }, Anchor::Middle, mark.label.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::chart;
    use crate::chart::{ChartKind, Mark};

    /// The places of labels on an axis that is 900 long.
    fn arrange(places: &[f64]) -> Vec<Placed> {
        let mut chart = chart(ChartKind::Steps, Scale::Count, Scale::Number);
        let mark = |x: &f64| Mark {
            x: *x,
            label: "95 %: 12 licenses".to_owned(),
        };
        chart.marks = places.iter().map(mark).collect();
        let range = Range { from: 0.0, to: 900.0 };
        place(
            &chart,
            &Mapping {
                range,
                start: 0.0,
                end: 900.0,
            },
            300.0,
        )
    }

    #[test]
    fn labels_of_marks_that_are_far_apart_share_a_row() {
        assert!(arrange(&[100.0, 400.0, 700.0]).iter().all(|mark| mark.row == 0));
    }

    #[test]
    fn labels_never_touch_and_stay_in_the_picture() {
        for first in [10.0, 55.0, 440.0, 850.0, 890.0] {
            for distance in [0.0, 1.0, 8.0, 60.0] {
                let placed = arrange(&[first, first + distance, first + distance * 1.1]);
                for (place, mark) in placed.iter().enumerate() {
                    assert!(!mark.label.is_empty());
                    assert!(mark.left >= 0.0 && mark.right <= 914.0, "{mark:?}");
                    assert!(
                        placed
                            .iter()
                            .skip(place + 1)
                            .all(|other| !mark.touches(other) && !mark.crosses(other)),
                        "{placed:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_mark_without_a_place_has_no_label() {
        let placed = arrange(&[450.0; 40]);
        assert!(placed.iter().any(|mark| mark.label.is_empty()));
        assert!(placed.iter().all(|mark| mark.row < MOST_ROWS));
    }
}
