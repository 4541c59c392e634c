//! The calendar: days, windows, periods, boundaries.

use super::*;

pub(super) fn contains(intervals: &[(i64, i64)], at: i64) -> bool {
    intervals.iter().any(|&(start, end)| start <= at && at < end)
}

pub(super) fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

pub(super) fn day_start(day: NaiveDate, zone: Tz) -> i64 {
    minute_of_day(day, 0, zone)
}

/// The boundary at `minutes` on the wall clock of `day`; 1440 and more lie on the next day.
pub(super) fn minute_of_day(day: NaiveDate, minutes: u32, zone: Tz) -> i64 {
    boundary(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minutes)), zone)
}

pub(super) fn hour_of_day(day: NaiveDate, hour: u32) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN) + TimeDelta::hours(i64::from(hour))
}

pub(super) fn wall_clock(at: i64, zone: Tz) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_micros(at).expect("the tests stay within chrono's range");
    utc.with_timezone(&zone).naive_local()
}

/// The first instant at which the wall clock shows `label`; if it skips it, the instant of the jump.
pub(super) fn boundary(label: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&label).earliest() {
        Some(instant) => instant.timestamp_micros(),
        None => first_instant_not_before(label, zone),
    }
}

/// The first instant whose wall clock is at or past `label`, by trying every minute, then every second of the one before.
pub(super) fn first_instant_not_before(label: NaiveDateTime, zone: Tz) -> i64 {
    // No zone is two days off UTC, so the wall clock is still before the label here.
    let mut at = label.and_utc().timestamp_micros() - 48 * HOUR;
    while wall_clock(at, zone) < label {
        at += MINUTE;
    }
    at -= MINUTE;
    while wall_clock(at, zone) < label {
        at += SECOND;
    }
    at
}

/// The text of the period that contains an instant with this wall clock.
pub(super) fn period(label: NaiveDateTime, granularity: u8) -> String {
    let day = label.date();
    match granularity {
        1 => day.format("%Y").to_string(),
        2 => format!("{}-Q{}", day.format("%Y"), day.month0() / 3 + 1),
        3 => day.format("%Y-%m").to_string(),
        4 => {
            let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
            format!("{}-{}", monday.format("%Y-%m-%d"), (monday + Days::new(6)).format("%Y-%m-%d"))
        }
        5 => day.format("%Y-%m-%d").to_string(),
        6 => label.format("%Y-%m-%d %H:00").to_string(),
        _ => panic!("granularity is 1 (year) to 6 (hour), not {granularity}"),
    }
}
