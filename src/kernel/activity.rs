//! Who is active on which day, one bit a holder.

use std::collections::BTreeMap;
use std::mem::size_of;

use super::bits::{count, count_without};
use crate::time::Day;

/// Days in which a user counts as recent, the day itself included.
const FORTNIGHT: i32 = 14;

/// For each day a bit for every holder that is active; holders are small numbers.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    places: BTreeMap<Day, usize>,
    bits: Vec<Vec<u64>>,
}

/// What happens on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// How many are active.
    pub daily: i64,
    /// How the number of those changes that were active within the fourteen days up to it.
    pub recent: i64,
    /// How the number of those changes that were ever active.
    pub ever: i64,
}

impl Activity {
    /// The place of a day, for [`Activity::set`].
    pub fn place(&mut self, day: Day) -> usize {
        *self.places.entry(day).or_insert_with(|| {
            self.bits.push(Vec::new());
            self.bits.len() - 1
        })
    }

    /// Marks a holder as active.
    pub fn set(&mut self, place: usize, holder: u32) {
        let (bits, word) = (&mut self.bits[place], holder as usize / 64);
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (holder % 64);
    }

    /// Marks all holders of these bits.
    pub(crate) fn set_all(&mut self, place: usize, more: &[u64]) {
        let bits = &mut self.bits[place];
        if bits.len() < more.len() {
            bits.resize(more.len(), 0);
        }
        for (bits, more) in bits.iter_mut().zip(more) {
            *bits |= more;
        }
    }

    /// Takes up the days of another part, whose holders have the same numbers.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (day, bits) in other.days() {
            let place = self.place(day);
            self.set_all(place, bits);
        }
    }

    /// The days on which anybody may be active, and who is.
    pub(crate) fn days(&self) -> impl Iterator<Item = (Day, &[u64])> + '_ {
        self.places.iter().map(|(day, place)| (*day, &self.bits[*place][..]))
    }

    /// What happens on each day.
    pub fn changes(&self) -> BTreeMap<Day, Change> {
        let days: Vec<(Day, &[u64])> = self.days().collect();
        let mut changes: BTreeMap<Day, Change> = BTreeMap::new();
        let mut ever = Vec::new();
        let mut rest = Vec::new();
        for (place, (day, bits)) in days.iter().enumerate() {
            let (before, after) = (&days[..place], &days[place + 1..]);
            // Who returns on the very day on which the fortnight is over neither comes nor goes.
            let fortnight_before = before.iter().rev().take_while(|(other, _)| *day <= other.plus(FORTNIGHT));
            let fortnight_after = after.iter().take_while(|(other, _)| *other <= day.plus(FORTNIGHT));
            let come = count_without(bits, fortnight_before.map(|(_, bits)| *bits), &mut rest);
            let gone = count_without(bits, fortnight_after.map(|(_, bits)| *bits), &mut rest);
            let today = changes.entry(*day).or_default();
            today.daily = count(bits);
            today.recent += come;
            today.ever = count_without(bits, [&ever[..]].into_iter(), &mut rest);
            if gone > 0 {
                changes.entry(day.plus(FORTNIGHT)).or_default().recent -= gone;
            }
            ever.resize(ever.len().max(bits.len()), 0);
            for (ever, bits) in ever.iter_mut().zip(*bits) {
                *ever |= bits;
            }
        }
        changes
    }

    /// Roughly how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.bits.iter().map(|bits| bits.capacity() * size_of::<u64>() + 64).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_holder_is_recent_for_a_fortnight_and_counts_once() {
        let mut activity = Activity::default();
        for (day, holder) in [(1, 70), (3, 70), (3, 2), (30, 2)] {
            let place = activity.place(Day(day));
            activity.set(place, holder);
        }
        let told: Vec<(i32, i64, i64, i64)> = activity
            .changes()
            .iter()
            .map(|(day, c)| (day.0, c.daily, c.recent, c.ever))
            .collect();
        assert_eq!(told, [(1, 1, 1, 1), (3, 2, 1, 1), (17, 0, -2, 0), (30, 1, 1, 0), (44, 0, -1, 0)]);
        let mut twice = activity.clone();
        twice.merge(&activity);
        assert_eq!(twice.changes(), activity.changes());
    }

    proptest! {
        #[test]
        fn changes_add_up_to_the_sets_of_each_day(active in proptest::collection::vec((0..60i32, 0..150u32), 0..60)) {
            let mut activity = Activity::default();
            for (day, holder) in &active {
                let place = activity.place(Day(*day));
                activity.set(place, *holder);
            }
            let changes = activity.changes();
            let among = |days: std::ops::RangeInclusive<i32>| {
                let holders = active.iter().filter(|(day, _)| days.contains(day));
                holders.map(|(_, holder)| holder).collect::<BTreeSet<_>>().len() as i64
            };
            for day in 0..80 {
                let sum = |of: fn(&Change) -> i64| changes.range(..=Day(day)).map(|(_, change)| of(change)).sum::<i64>();
                let daily = changes.get(&Day(day)).map_or(0, |change| change.daily);
                prop_assert_eq!(daily, among(day..=day));
                prop_assert_eq!(sum(|change| change.recent), among(day - FORTNIGHT + 1..=day));
                prop_assert_eq!(sum(|change| change.ever), among(0..=day));
            }
        }
    }
}
