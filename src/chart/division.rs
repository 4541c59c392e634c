//! Into which periods an axis of time is divided.

use crate::time::{DAY, Granularity, HOUR, Micros};

/// One way of labelling: which periods, and every how many of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Division {
    /// Which periods.
    pub(super) unit: Granularity,
    /// Every how many of them.
    pub(super) every: i32,
    /// How long that is, about.
    length: Micros,
    /// How much of the axis a label takes.
    room: f64,
    /// What holds one, for a second row.
    pub(super) holder: Option<Granularity>,
}

const fn division(unit: Granularity, every: i32, length: Micros, room: f64, holder: Option<Granularity>) -> Division {
    Division {
        unit,
        every,
        length,
        room,
        holder,
    }
}

/// From the finest to the coarsest; years may be grouped further.
const DIVISIONS: [Division; 9] = [
    division(Granularity::Hour, 1, HOUR, 48.0, Some(Granularity::Day)),
    division(Granularity::Hour, 2, 2 * HOUR, 48.0, Some(Granularity::Day)),
    division(Granularity::Hour, 3, 3 * HOUR, 48.0, Some(Granularity::Day)),
    division(Granularity::Hour, 6, 6 * HOUR, 48.0, Some(Granularity::Day)),
    division(Granularity::Hour, 12, 12 * HOUR, 48.0, Some(Granularity::Day)),
    division(Granularity::Day, 1, DAY, 24.0, Some(Granularity::Month)),
    division(Granularity::Week, 1, 7 * DAY, 32.0, Some(Granularity::Month)),
    division(Granularity::Month, 1, 30 * DAY, 34.0, Some(Granularity::Year)),
    division(Granularity::Quarter, 1, 91 * DAY, 32.0, Some(Granularity::Year)),
];

impl Division {
    /// The finest one whose labels fit where a microsecond is so long, into periods of at least a granularity.
    pub(super) fn finest(per_micro: f64, granularity: Option<Granularity>) -> Self {
        let shortest = granularity.map_or(0, least_length);
        let fits = |division: &Self| division.length >= shortest && division.length as f64 * per_micro >= division.room;
        DIVISIONS.into_iter().find(fits).unwrap_or_else(|| years(per_micro))
    }
}

/// The least time that a period takes, by which finer divisions are passed over.
const fn least_length(granularity: Granularity) -> Micros {
    match granularity {
        Granularity::Hour => HOUR,
        Granularity::Day => DAY,
        Granularity::Week => 7 * DAY,
        Granularity::Month => 28 * DAY,
        Granularity::Quarter => 90 * DAY,
        Granularity::Year => 365 * DAY,
    }
}

/// Years, so many at a time that they fit.
fn years(per_micro: f64) -> Division {
    let room = 44.0;
    let least = room / (365.0 * DAY as f64 * per_micro);
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
        .into_iter()
        .find(|every| f64::from(*every) >= least);
    let every = every.unwrap_or(5000);
    division(Granularity::Year, every, i64::from(every) * 365 * DAY, room, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finest(days: f64, width: f64, granularity: Option<Granularity>) -> (Granularity, i32) {
        let division = Division::finest(width / (days * DAY as f64), granularity);
        (division.unit, division.every)
    }

    #[test]
    fn the_longer_the_range_the_coarser_the_division() {
        assert_eq!(finest(1.0, 900.0, None), (Granularity::Hour, 2));
        assert_eq!(finest(31.0, 900.0, None), (Granularity::Day, 1));
        assert_eq!(finest(90.0, 900.0, None), (Granularity::Week, 1));
        assert_eq!(finest(365.0, 900.0, None), (Granularity::Month, 1));
        assert_eq!(finest(5.0 * 365.0, 900.0, None), (Granularity::Quarter, 1));
        assert_eq!(finest(100.0 * 365.0, 900.0, None), (Granularity::Year, 5));
    }

    #[test]
    fn periods_are_not_divided_into_finer_ones() {
        assert_eq!(finest(365.0, 3000.0, Some(Granularity::Quarter)), (Granularity::Quarter, 1));
        assert_eq!(finest(900.0, 3000.0, Some(Granularity::Year)), (Granularity::Year, 1));
    }
}
