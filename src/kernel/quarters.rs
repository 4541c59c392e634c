//! The time at each level within each quarter of an hour of a day.
//!
//! A quarter is short enough that working hours of every zone begin and end with one, and long enough that a busy feature has
//! fewer rows of it than pieces: between two quarters it visits few other levels.

use crate::time::{MINUTE, Micros, Window};

/// The length of a quarter, counted from the first instant of its day.
pub(crate) const QUARTER: Micros = 15 * MINUTE;

/// How long a level was held within a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelOfQuarter {
    /// Which quarter of the day, from 0.
    pub quarter: i32,
    /// How many licenses were in use.
    pub level: i64,
    /// For how long.
    pub time: Micros,
}

/// The quarter that an instant begins, if it begins one; the end of the day ends the last one, however short.
pub(crate) fn quarter_of(day: Window, at: Micros) -> Option<i32> {
    if at == day.end() {
        return Some(quarters(day));
    }
    let inside = at - day.start();
    (inside % QUARTER == 0).then(|| i32::try_from(inside / QUARTER).ok()).flatten()
}

/// How many quarters a day has.
pub(crate) fn quarters(day: Window) -> i32 {
    i32::try_from((day.end() - day.start() + QUARTER - 1) / QUARTER).unwrap_or(i32::MAX)
}

/// Cuts stretches at the quarters; they come in order, and so do the rows: by quarter and level.
pub fn levels_of_quarters(day: Window, rows: &mut Vec<LevelOfQuarter>, stretches: impl FnOnce(&mut dyn FnMut(i64, Micros, Micros))) {
    let mut begun = rows.len();
    stretches(&mut |level, from, to| {
        let mut from = from;
        while from < to {
            let quarter = (from - day.start()) / QUARTER;
            let end = to.min(day.start() + (quarter + 1) * QUARTER);
            let row = LevelOfQuarter {
                quarter: i32::try_from(quarter).unwrap_or(i32::MAX),
                level,
                time: end - from,
            };
            if rows.get(begun).is_some_and(|first| first.quarter != row.quarter) {
                begun = unite(rows, begun);
            }
            rows.push(row);
            from = end;
        }
    });
    unite(rows, begun);
}

/// Puts the rows of one quarter in order, one for each level; returns how many rows there are.
fn unite(rows: &mut Vec<LevelOfQuarter>, begun: usize) -> usize {
    rows[begun..].sort_unstable();
    let mut kept = begun;
    for place in begun..rows.len() {
        if kept > begun && rows[kept - 1].level == rows[place].level {
            rows[kept - 1].time += rows[place].time;
        } else {
            rows[kept] = rows[place];
            kept += 1;
        }
    }
    rows.truncate(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_cut_at_quarters_and_united_within_them() {
        let day = Window::new(1_000 * QUARTER, 1_000 * QUARTER + 10 * QUARTER + MINUTE).unwrap();
        let at = |minutes: i64| day.start() + minutes * MINUTE;
        let mut rows = Vec::new();
        levels_of_quarters(day, &mut rows, |each| {
            for (level, from, to) in [(2, 5, 7), (1, 7, 10), (2, 10, 40), (7, 149, 151)] {
                each(level, at(from), at(to));
            }
        });
        let told: Vec<(i32, i64, i64)> = rows.iter().map(|row| (row.quarter, row.level, row.time / MINUTE)).collect();
        let expected = [(0, 1, 3), (0, 2, 7), (1, 2, 15), (2, 2, 10), (9, 7, 1), (10, 7, 1)];
        assert_eq!(told, expected);
        assert_eq!(quarters(day), 11);
        assert_eq!(
            [0, 30, 31, 151].map(|minute| quarter_of(day, at(minute))),
            [Some(0), Some(2), None, Some(11)]
        );
    }
}
