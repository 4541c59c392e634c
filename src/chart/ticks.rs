//! Values with a label along an axis: round numbers and times of day.

use super::Scale;
use super::calendar;
use super::scale::Range;
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// A labelled part of an axis; a single value where both ends are the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Where it begins.
    pub(super) from: f64,
    /// Where it ends; the label is between the two.
    pub(super) to: f64,
    /// What it is called.
    pub(super) label: String,
}

impl Tick {
    /// A label at a value.
    pub(super) const fn at(value: f64, label: String) -> Self {
        Self {
            from: value,
            to: value,
            label,
        }
    }
}

/// The distance between round numbers of which at most about `most` lie between 0 and `to`.
pub(super) fn step(scale: Scale, to: f64, most: f64) -> f64 {
    let rough = to / most.max(1.0);
    let power = 10f64.powi(rough.log10().floor() as i32);
    // A little less than the rough step is good enough: it may itself be the round one, computed a little too large.
    let round = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let step = round.into_iter().find(|step| *step >= rough * 0.999_999).unwrap_or(10.0 * power);
    if scale == Scale::Count { step.max(1.0) } else { step }
}

/// The multiples of a step from 0 to the last one that is not beyond `to`.
pub(super) fn numbers(step: f64, to: f64) -> Vec<Tick> {
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let last = (to / step + 1e-6).floor() as u32;
    (0..=last)
        .map(|place| f64::from(place) * step)
        .map(|value| Tick::at(value, number(value, decimals)))
        .collect()
}

/// Times of day, at least `room` apart on an axis of a length.
pub(super) fn times_of_day(length: f64, room: f64) -> Vec<Tick> {
    let fits = |hours: &usize| length / 24.0 * *hours as f64 >= room;
    let hours = [1, 2, 3, 4, 6, 12].into_iter().find(fits).unwrap_or(24);
    let times = (0..=24).step_by(hours).map(|hour: i64| hour * HOUR);
    times.map(|time| Tick::at(time as f64, time_of_day(time as f64, false))).collect()
}

/// A time of day: to the minute, or to the second where it is not a whole minute and that matters.
fn time_of_day(micros: f64, exact: bool) -> String {
    let micros = micros.clamp(0.0, DAY as f64) as i64;
    let (hour, minute, second) = (micros / HOUR, micros % HOUR / MINUTE, micros % MINUTE / SECOND);
    if exact && second > 0 {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{hour:02}:{minute:02}")
    }
}

/// A number with so many decimals and with separators between thousands.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:.0e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |_| text.split_at(text.len() - decimals - 1));
    let mut number = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            number.push(',');
        }
        number.push(digit);
    }
    number + fraction
}

/// The exact value, where something is pointed at.
pub(super) fn value(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Count => number(value, 0),
        Scale::Number => {
            let text = number(value, 2);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Scale::Time => calendar::date_and_time(value),
        Scale::TimeOfDay => time_of_day(value, true),
        Scale::Period(granularity) => granularity.label(granularity.start_of(super::scale::micros(value))),
    }
}

/// The range upwards that ends with a round number, and its ticks. Where all is 0 there are still two.
pub(super) fn upwards(scale: Scale, highest: f64, height: f64) -> (Range, Vec<Tick>) {
    if scale == Scale::TimeOfDay {
        let day = Range { from: 0.0, to: DAY as f64 };
        return (day, times_of_day(height, 26.0));
    }
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let step = step(scale, highest, (height / 46.0).max(2.0));
    let top = (highest / step - 1e-6).ceil() * step;
    (Range { from: 0.0, to: top }, numbers(step, top))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn numbers_have_separators_between_thousands() {
        let cases = [
            (0.0, "0"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1200.0, "-1,200"),
        ];
        for (number_, expected) in cases {
            assert_eq!(number(number_, 0), expected);
        }
        assert_eq!(number(1234.5, 2), "1,234.50");
    }

    #[test]
    fn ticks_are_round_and_reach_the_highest_value() {
        let mut highest = 1.3e-6;
        while highest < 1e12 {
            for height in [60.0, 290.0, 1200.0] {
                let (range, ticks) = upwards(Scale::Number, highest, height);
                let step = ticks[1].from;
                let mantissa = step / 10f64.powf(step.log10().floor());
                assert!([1.0, 2.0, 5.0, 10.0].iter().any(|round| (mantissa - round).abs() < 1e-6), "{step}");
                assert!(range.to >= highest * 0.999_99 && range.to <= highest + step, "{highest} {range:?}");
                assert!((ticks.last().unwrap().from - range.to).abs() < step * 1e-3);
                assert!((2..=30).contains(&ticks.len()), "{}", ticks.len());
            }
            highest *= 1.7;
        }
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        assert_eq!(labels(&upwards(Scale::Count, 3.0, 900.0).1), ["0", "1", "2", "3"]);
        assert_eq!(labels(&upwards(Scale::Number, 0.3, 140.0).1), ["0.0", "0.1", "0.2", "0.3"]);
    }

    #[test]
    fn where_all_is_zero_there_are_still_two_ticks() {
        assert_eq!(labels(&upwards(Scale::Count, 0.0, 300.0).1), ["0", "1"]);
    }

    #[test]
    fn a_day_goes_from_midnight_to_midnight() {
        assert_eq!(
            labels(&times_of_day(300.0, 40.0)),
            ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "24:00"]
        );
        assert_eq!(labels(&times_of_day(10.0, 40.0)), ["00:00", "24:00"]);
    }

    #[test]
    fn values_are_told_exactly_but_without_noise() {
        assert_eq!(value(Scale::Number, 1200.5), "1,200.5");
        assert_eq!(value(Scale::Number, 12.0), "12");
        assert_eq!(value(Scale::Time, 1_704_110_400e6), "2024-01-01 12:00");
        assert_eq!(value(Scale::TimeOfDay, 3_661e6), "01:01:01");
    }
}
