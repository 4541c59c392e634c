//! How wide columns are, and how large letters: what fits, and what gives way.

use super::PaperColumn;
use super::font::Fonts;
use super::rows::{Rows, one_line};
use super::table::PADDING;

/// The sizes of letters that are tried.
const SIZES: [f32; 6] = [8.5, 8.0, 7.5, 7.0, 6.5, 6.0];

/// How much of a column of texts must be seen before letters are made smaller for it, in ems.
const ENOUGH: f32 = 14.0;

/// How narrow a column of texts can get for the sake of numbers, in ems.
const NARROW: f32 = 5.0;

/// How much wider than its contents a column can be, where there is room.
const SPARE: f32 = 12.0;

/// What a column wants, in ems, space around texts included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// For its widest cell.
    cells: f32,
    /// For its head on one line.
    head: f32,
    /// For the longest word of its head.
    word: f32,
    /// Whether it holds numbers.
    numbers: bool,
}

impl Want {
    /// For all of it.
    fn full(&self) -> f32 {
        self.cells.max(self.head)
    }

    /// With its head in lines.
    fn wrapped(&self) -> f32 {
        self.cells.max(self.word)
    }

    /// What it must have.
    fn enough(&self) -> f32 {
        if self.numbers { self.wrapped() } else { self.wrapped().min(ENOUGH) }
    }
}

/// What each column wants.
pub(super) fn wants(columns: &[PaperColumn], rows: &Rows, fonts: &Fonts) -> Vec<Want> {
    let space = 2.0 * PADDING;
    let mut wants: Vec<Want> = columns
        .iter()
        .map(|column| {
            let width = |text: &str| fonts.face(true).width(text, 1.0) + space;
            let title = one_line(&column.title);
            let word = title.split_whitespace().map(width).fold(space, f32::max);
            Want {
                cells: space,
                head: width(title.trim()),
                word,
                numbers: column.right_aligned,
            }
        })
        .collect();
    let face = fonts.face(false);
    for row in 0..rows.rows() {
        for (column, want) in wants.iter_mut().enumerate() {
            want.cells = want.cells.max(face.width(rows.cell(row, column), 1.0) + space);
        }
    }
    wants
}

/// The largest size of letters at which enough of every column is seen.
pub(super) fn size(wants: &[Want], available: f32) -> f32 {
    let enough: f32 = wants.iter().map(Want::enough).sum();
    let [.., smallest] = SIZES;
    SIZES.into_iter().find(|size| enough * size <= available).unwrap_or(smallest)
}

/// The width of each column.
pub(super) fn widths(wants: &[Want], size: f32, available: f32) -> Vec<f32> {
    let sum = |of: fn(&Want) -> f32| wants.iter().map(|want| of(want) * size).sum::<f32>();
    let (full, wrapped) = (sum(Want::full), sum(Want::wrapped));
    if full <= available {
        let spare = ((available - full) / wants.len().max(1) as f32).min(SPARE);
        return wants.iter().map(|want| want.full() * size + spare).collect();
    }
    if wrapped <= available {
        // What is left is shared among heads that would be wider.
        let share = (available - wrapped) / (full - wrapped);
        return wants
            .iter()
            .map(|want| (want.wrapped() + (want.full() - want.wrapped()) * share) * size)
            .collect();
    }
    let numbers: f32 = wants.iter().filter(|want| want.numbers).map(|want| want.wrapped() * size).sum();
    let texts: f32 = wants
        .iter()
        .filter(|want| !want.numbers)
        .map(|want| want.wrapped().min(NARROW) * size)
        .sum();
    let only_texts = numbers + texts <= available;
    let gives_way = |want: &Want| !(only_texts && want.numbers);
    let room = if only_texts { available - numbers } else { available };
    let limit = limit(
        wants
            .iter()
            .filter(|want| gives_way(want))
            .map(|want| want.wrapped() * size)
            .collect(),
        room,
    );
    wants
        .iter()
        .map(|want| {
            if gives_way(want) {
                (want.wrapped() * size).min(limit)
            } else {
                want.wrapped() * size
            }
        })
        .collect()
}

/// The width that the widest are cut to, so that all of them have room.
fn limit(mut widths: Vec<f32>, room: f32) -> f32 {
    widths.sort_by(f32::total_cmp);
    let mut left = room;
    let mut count = widths.len() as f32;
    for width in widths {
        if width * count > left {
            return left / count;
        }
        left -= width;
        count -= 1.0;
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_give_way() {
        // 10 + 20 stay, and the two others share the 60 that are left.
        assert!((limit(vec![500.0, 10.0, 70.0, 20.0], 90.0) - 30.0).abs() < 0.01);
    }
}
