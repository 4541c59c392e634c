//! Lines with more points than a picture can show.

use super::Point;

/// How many columns of a pixel are kept apart: two, for screens and paper that are finer than a pixel.
const COLUMNS: f64 = 2.0;

/// The same line with at most four points in each column: its first, its lowest, its highest and its last. The points go to the
/// right, so that whatever the line covered, it still covers.
pub(super) fn thin(points: &[Point]) -> Vec<Point> {
    let column = |point: &Point| (point.x * COLUMNS).floor();
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| column(a) == column(b)) {
        if column.len() <= 4 {
            kept.extend_from_slice(column);
            continue;
        }
        let by_height = |a: &(usize, &Point), b: &(usize, &Point)| a.1.y.total_cmp(&b.1.y);
        let lowest = column.iter().enumerate().min_by(by_height).map(|(place, _)| place);
        let highest = column.iter().enumerate().max_by(by_height).map(|(place, _)| place);
        let mut places = [Some(0), lowest, highest, Some(column.len() - 1)];
        places.sort_unstable();
        let mut before = None;
        for place in places {
            if place != before {
                kept.extend(place.and_then(|place| column.get(place)));
            }
            before = place;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mut seed: u64) -> impl Iterator<Item = f64> {
        std::iter::from_fn(move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((seed >> 40) as f64 / (1u64 << 24) as f64)
        })
    }

    #[test]
    fn each_column_keeps_its_ends_its_lowest_and_its_highest_point() {
        let heights: Vec<f64> = numbers(7).take(100_000).map(|part| part * 300.0).collect();
        let line: Vec<Point> = heights
            .iter()
            .enumerate()
            .map(|(at, y)| Point {
                x: at as f64 / 1000.0,
                y: *y,
            })
            .collect();
        let thinned = thin(&line);
        assert!(thinned.len() <= 100 * 2 * 4, "{}", thinned.len());
        for column in 0..200 {
            let inside = |points: &[Point]| -> Vec<f64> {
                let (from, to) = (f64::from(column) / 2.0, f64::from(column + 1) / 2.0);
                points
                    .iter()
                    .filter(|point| (from..to).contains(&point.x))
                    .map(|point| point.y)
                    .collect()
            };
            let (all, kept) = (inside(&line), inside(&thinned));
            let lowest = |heights: &[f64]| heights.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = |heights: &[f64]| heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!((lowest(&all), highest(&all)), (lowest(&kept), highest(&kept)));
            assert_eq!((all.first(), all.last()), (kept.first(), kept.last()));
        }
    }

    #[test]
    fn a_line_with_room_for_its_points_keeps_them_all_in_order() {
        let line: Vec<Point> = numbers(3)
            .take(500)
            .enumerate()
            .map(|(at, y)| Point { x: at as f64 * 0.7, y })
            .collect();
        assert_eq!(thin(&line), line);
    }
}
