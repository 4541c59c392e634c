//! Single happenings as dots, whose area is their weight.
//!
//! Dots on the same half pixel are one dot with the sum of their weights: nobody could tell them apart, and neither picture nor
//! reader has to carry them all.

use std::f64::consts::PI;

use super::frame::Plane;
use super::style;
use super::ticks::value;
use super::{Chart, Datum, Drawing, Point, Series, Shape};

/// How much a dot covers: where many are, it gets darker.
pub(super) const OPACITY: f64 = 0.5;
/// How much it covers where dots lie over each other nearly everywhere.
const CROWDED: f64 = 0.35;

/// The largest radius.
const LARGEST: f64 = 20.0;
/// The radius of the heaviest datum.
const HEAVIEST: f64 = 13.0;
/// The least radius; smaller dots would not be seen.
const LEAST: f64 = 0.7;
/// The radius of the largest example in the legend.
const EXAMPLE: f64 = 8.0;
/// How much of the picture all dots together may cover.
const COVER: f64 = 0.35;
/// So many dots say when they were; more would only make the picture heavy.
const MOST_TITLES: usize = 3000;

/// How large dots are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sizes {
    /// The radius of one license.
    one: f64,
    /// The greatest weight of a datum.
    heaviest: f64,
    /// How much a dot covers.
    opacity: f64,
}

/// The dots of one place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Dot {
    /// The place, in half pixels.
    place: (i64, i64),
    weight: f64,
    first: Datum,
    last: Datum,
}

impl Sizes {
    /// For the data of a chart on a picture of an area: so that neither the heaviest one nor all together are out of proportion.
    pub(super) fn of(chart: &Chart, area: f64) -> Self {
        let data = || {
            chart
                .series
                .iter()
                .flat_map(|series| &series.points)
                .filter(|datum| datum.is_there())
        };
        let heaviest = data().map(weight).fold(1.0, f64::max);
        let total: f64 = data().map(weight).sum();
        let alone = HEAVIEST / heaviest.sqrt();
        let together = (COVER * area / (PI * total)).sqrt();
        let one = alone.min(together).clamp(0.25, 3.2);
        let crowded = data().count() as f64 * PI * one.max(LEAST).powi(2) > COVER * area / 2.0;
        Self {
            one,
            heaviest,
            opacity: if crowded { CROWDED } else { OPACITY },
        }
    }

    fn radius(self, weight: f64) -> f64 {
        (self.one * weight.sqrt()).clamp(LEAST, LARGEST)
    }

    /// Weights whose size the legend shows, with their radius; none where all weigh the same.
    pub(super) fn examples(self) -> Vec<(f64, f64)> {
        let round = (0..9).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
        let shown = |weight: &f64| *weight <= self.heaviest && self.radius(*weight) <= EXAMPLE;
        let largest = round.take_while(shown).last().filter(|weight| *weight > 1.0);
        let weights = largest.map_or_else(Vec::new, |largest| vec![1.0, largest]);
        weights.into_iter().map(|weight| (weight, self.radius(weight))).collect()
    }
}

fn weight(datum: &Datum) -> f64 {
    if datum.weight > 0.0 && datum.weight.is_finite() {
        datum.weight
    } else {
        1.0
    }
}

/// Draws the dots, the largest at the back.
pub(super) fn draw(chart: &Chart, plane: &Plane, drawing: &mut Drawing) {
    let sizes = Sizes::of(chart, drawing.width * drawing.height);
    let mut dots: Vec<(usize, Dot)> = Vec::new();
    for (place, series) in chart.series.iter().enumerate() {
        dots.extend(merged(series, plane).into_iter().map(|dot| (place, dot)));
    }
    dots.sort_by(|a, b| b.1.weight.total_cmp(&a.1.weight));
    let titles = dots.len() <= MOST_TITLES;
    for (series, dot) in dots {
        drawing.shapes.push(Shape::Circle {
            at: Point {
                x: dot.place.0 as f64 / 2.0,
                y: dot.place.1 as f64 / 2.0,
            },
            radius: sizes.radius(dot.weight),
            fill: style::color(series),
            opacity: sizes.opacity,
            title: titles.then(|| title(chart, series, &dot)),
        });
    }
}

/// One dot for each half pixel.
fn merged(series: &Series, plane: &Plane) -> Vec<Dot> {
    let dot = |datum: &Datum| {
        let at = plane.point(datum.x, datum.y);
        let place = ((at.x * 2.0).round() as i64, (at.y * 2.0).round() as i64);
        Dot {
            place,
            weight: weight(datum),
            first: *datum,
            last: *datum,
        }
    };
    let mut dots: Vec<Dot> = series.points.iter().filter(|datum| datum.is_there()).map(dot).collect();
    dots.sort_by(|a, b| a.place.cmp(&b.place).then(a.first.x.total_cmp(&b.first.x)));
    dots.dedup_by(|later, kept| {
        let same = later.place == kept.place;
        if same {
            kept.weight += later.weight;
            kept.last = later.last;
        }
        same
    });
    dots
}

fn title(chart: &Chart, series: usize, dot: &Dot) -> String {
    let at = |datum: &Datum| match chart.x.scale {
        // The day, then the time of that day.
        super::Scale::Time if chart.y.scale == super::Scale::TimeOfDay => {
            let date = value(chart.x.scale, datum.x);
            let date = date.split_once(' ').map_or(date.as_str(), |(date, _)| date);
            format!("{date} {}", value(chart.y.scale, datum.y))
        }
        _ => format!("{}, {}", value(chart.x.scale, datum.x), value(chart.y.scale, datum.y)),
    };
    let (first, last) = (at(&dot.first), at(&dot.last));
    let when = if first == last { first } else { format!("{first} to {last}") };
    let weight = value(super::Scale::Number, dot.weight);
    let licenses = if dot.weight == 1.0 { "license" } else { "licenses" };
    let name = chart
        .series
        .get(series)
        .filter(|_| chart.series.len() > 1)
        .map(|series| format!("{}, ", series.name));
    format!("{}{when}: {weight} {licenses}", name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{chart, circles_of, series};
    use crate::chart::{ChartKind, Scale};

    #[test]
    fn dots_on_the_same_half_pixel_are_one_with_the_sum_of_their_weights() {
        let mut denials = chart(ChartKind::Points, Scale::Time, Scale::TimeOfDay);
        denials.series = vec![series("", &[(0.0, 3_600e6), (1.0, 3_601e6), (40_000e6, 7_200e6)])];
        denials.series[0].points[1].weight = 3.0;
        let circles = circles_of(&denials.draw(960.0, 420.0));
        let found: Vec<&str> = circles
            .iter()
            .map(|(_, _, title)| title.as_str())
            .filter(|title| !title.is_empty())
            .collect();
        assert_eq!(
            found,
            ["1970-01-01 01:00 to 1970-01-01 01:00:01: 4 licenses", "1970-01-01 02:00: 1 license"]
        );
    }

    #[test]
    fn areas_are_in_proportion_to_weights() {
        let sizes = Sizes {
            one: 2.0,
            heaviest: 16.0,
            opacity: 0.5,
        };
        assert_eq!(sizes.radius(4.0), 2.0 * sizes.radius(1.0));
        assert_eq!(sizes.examples(), [(1.0, 2.0), (10.0, sizes.radius(10.0))]);
        assert_eq!(
            Sizes {
                one: 3.0,
                heaviest: 1.0,
                opacity: 0.5
            }
            .examples(),
            []
        );
    }
}
