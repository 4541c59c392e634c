//! When requests come and how long licenses are held: the working day of the site.
//!
//! Everything here is about the wall clock. A quarter of an hour that a clock change swallows gets its requests at the
//! instant of the jump, one that is repeated at its first occurrence.

use super::chance::{Dice, Wheel};
use crate::time::{DAY, Day, HOUR, MINUTE, Micros, SECOND, Zone};

/// How busy the site is at each full hour and, to close the circle, at midnight again.
const HOURS: [u32; 25] = [
    4, 3, 2, 2, 3, 5, 10, 22, 75, 150, 165, 155, 100, 105, 150, 158, 140, 95, 48, 27, 18, 13, 9, 6, 4,
];

/// How busy each day of the week is in percent of a working day, Monday first.
const WEEK: [u32; 7] = [97, 104, 104, 101, 94, 13, 11];

/// How long licenses are held: weight, and the bounds in minutes. The last is a job left running overnight.
const LENGTHS: [(u32, u32, u32); 6] = [
    (28, 1, 15),
    (30, 15, 60),
    (24, 60, 180),
    (12, 180, 360),
    (4, 360, 600),
    (2, OVERNIGHT, 1_560),
];

/// From how many minutes on a holding is a job that no user waits for.
const OVERNIGHT: u32 = 600;

/// When the last users leave.
const CLOSING: Micros = 19 * HOUR + 30 * MINUTE;

/// The working day of the site.
#[derive(Debug)]
pub(super) struct Rhythm {
    quarters: Wheel,
    lengths: Wheel,
}

impl Rhythm {
    /// The one rhythm there is.
    pub(super) fn new() -> Self {
        // Between two full hours the rate changes evenly.
        let quarters = (0..96).map(|quarter: usize| {
            let (hour, past) = (quarter / 4, (quarter % 4) as u32);
            HOURS[hour] * (4 - past) + HOURS[hour + 1] * past
        });
        Self {
            quarters: Wheel::new(quarters),
            lengths: Wheel::new(LENGTHS.iter().map(|(weight, _least, _most)| *weight)),
        }
    }

    /// How busy a day is in percent of a working day.
    pub(super) fn busy(day: Day) -> u32 {
        // 1970-01-01 was a Thursday, three days into its week.
        WEEK[(i64::from(day.0) + 3).rem_euclid(7) as usize]
    }

    /// Replaces `into` by so many instants of a day, in order, on full seconds.
    pub(super) fn requests(&self, dice: &mut Dice, day: (Day, Zone), count: u64, into: &mut Vec<Micros>) {
        let (day, zone) = day;
        let starts: Vec<Micros> = (0..=96).map(|quarter| zone.instant(day, quarter * 15 * MINUTE)).collect();
        into.clear();
        into.extend((0..count).map(|_request| {
            let quarter = self.quarters.spin(dice);
            let seconds = (starts[quarter + 1] - starts[quarter]) / SECOND;
            starts[quarter] + i64::from(dice.below(u32::try_from(seconds).unwrap_or(0))) * SECOND
        }));
        into.sort_unstable();
    }

    /// How long a license is held that is given out so long after midnight.
    pub(super) fn length(&self, dice: &mut Dice, since_midnight: Micros) -> Micros {
        let (_weight, least, most) = LENGTHS[self.lengths.spin(dice)];
        let length = i64::from(dice.between(least * 60, most * 60)) * SECOND;
        let until_closing = CLOSING - since_midnight;
        if least >= OVERNIGHT || until_closing < 2 * HOUR || length < until_closing || dice.one_in(6) {
            return length;
        }
        // People go home, not all at once.
        until_closing - i64::from(dice.below(7_000)) * SECOND
    }

    /// How many of a day's licenses are held at the busiest time of the day, if none is refused.
    pub(super) fn peak(&self) -> f64 {
        let quarters: Vec<f64> = self.quarters.shares().collect();
        let held: Vec<f64> = (0..96).map(|quarter| self.still_held(f64::from(quarter) * 15.0)).collect();
        let at = |end: usize| (0..=end).map(|start| quarters[start] * held[end - start]).sum();
        (0..96).map(at).fold(0.0, f64::max)
    }

    /// Which part of the licenses is held for longer than so many minutes.
    fn still_held(&self, minutes: f64) -> f64 {
        let part = |(share, (_weight, least, most)): (f64, &(u32, u32, u32))| {
            let (least, most) = (f64::from(*least), f64::from(*most));
            share * ((most - minutes) / (most - least)).clamp(0.0, 1.0)
        };
        self.lengths.shares().zip(&LENGTHS).map(part).sum()
    }
}

/// The first instant after a day.
pub(super) fn end_of(day: Day, zone: Zone) -> Micros {
    zone.instant(day, DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(day: &str, zone: &str) -> (Vec<Micros>, Day, Zone) {
        let (day, zone) = (day.parse().unwrap(), zone.parse().unwrap());
        let mut instants = Vec::new();
        Rhythm::new().requests(&mut Dice::new(1), (day, zone), 50_000, &mut instants);
        (instants, day, zone)
    }

    #[test]
    fn a_day_ramps_up_dips_at_lunch_and_sleeps_at_night() {
        let (instants, day, zone) = requests("2026-01-05", "America/New_York");
        let mut hours = [0; 24];
        for at in instants {
            hours[((zone.local(at) - i64::from(day.0) * DAY) / HOUR) as usize] += 1;
        }
        assert!(hours[7] * 2 < hours[8] && hours[8] < hours[9], "{hours:?}");
        assert!(hours[12] < hours[10] && hours[12] < hours[14], "{hours:?}");
        assert!(hours[..6].iter().all(|night| *night > 0 && night * 20 < hours[10]), "{hours:?}");
    }

    #[test]
    fn requests_stay_on_their_day_where_the_clock_changes() {
        for (day, zone) in [
            ("2026-03-29", "Europe/Berlin"),
            ("2026-10-25", "Europe/Berlin"),
            ("2026-04-05", "Australia/Lord_Howe"),
        ] {
            let (instants, day, zone) = requests(day, zone);
            assert_eq!(instants.len(), 50_000);
            assert!(instants.is_sorted());
            assert!(instants.iter().all(|at| zone.day_of(*at) == day && at % SECOND == 0));
        }
    }

    #[test]
    fn the_peak_is_that_of_a_simulated_day() {
        let rhythm = Rhythm::new();
        let mut dice = Dice::new(1);
        let (starts, day, zone) = requests("2026-01-05", "UTC");
        let midnight = zone.start_of(day);
        let sessions: Vec<_> = starts
            .iter()
            .map(|at| (*at, at + rhythm.length(&mut dice, at - midnight)))
            .collect();
        let held = |at: Micros| sessions.iter().filter(|(start, end)| (*start..*end).contains(&at)).count();
        let most = (0..96).map(|quarter| held(midnight + quarter * 15 * MINUTE)).max().unwrap();
        let (simulated, expected) = (most as f64 / 50_000.0, rhythm.peak());
        assert!((simulated / expected - 1.0).abs() < 0.1, "{simulated} {expected}");
    }
}
