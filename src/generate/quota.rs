//! How many requests each day gets, so that the plan's events come out as many as wanted.
//!
//! Days differ by their place in the week and by chance. What rounding takes from one day goes to the next, so that small
//! plans come out as well as large ones.

use super::Plan;
use super::chance::Dice;
use super::names::TRADES;
use super::rhythm::Rhythm;
use super::site::Site;
use crate::time::Day;

/// The wanted events, shared out to days.
#[derive(Debug)]
pub(super) struct Quota {
    /// The wanted events but for the first ones.
    events: u128,
    /// The busyness of all days.
    busy: u128,
    /// What rounding has left over.
    left: u128,
}

impl Quota {
    /// Nothing is shared out yet.
    pub(super) fn new(plan: &Plan, site: &Site) -> Self {
        let first = (TRADES.len() + site.features.len()) as u64;
        Self {
            events: u128::from(plan.wanted().saturating_sub(first)),
            busy: plan.calendar().map(|day| u128::from(Rhythm::busy(day))).sum::<u128>().max(1),
            left: 0,
        }
    }

    /// How many requests a day gets: its part, more or less.
    pub(super) fn on(&mut self, day: Day, dice: &mut Dice) -> u64 {
        let percent = u128::from(dice.between(95, 106));
        // A request makes two events: a checkout and a checkin.
        let whole = 2 * 100 * self.busy;
        let part = self.events * u128::from(Rhythm::busy(day)) * percent + self.left;
        self.left = part % whole;
        u64::try_from(part / whole).unwrap_or(u64::MAX)
    }
}
