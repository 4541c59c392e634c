//! Who is active on which day, one bit a holder.

use std::collections::BTreeMap;
use std::mem::size_of;

use crate::time::Day;

/// Days in which a user counts as recent, the day itself included.
const FORTNIGHT: i32 = 14;

/// For each day a bit for every holder that is active; holders are small numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity {
    places: BTreeMap<Day, usize>,
    bits: Vec<Vec<u64>>,
}

/// What happens on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// How many are active.
    pub(crate) daily: i64,
    /// How the number of those changes that were active within the fourteen days up to it.
    pub(crate) recent: i64,
    /// How the number of those changes that were ever active.
    pub(crate) ever: i64,
}

impl Activity {
    /// The place of a day, for [`Activity::set`].
    pub(crate) fn place(&mut self, day: Day) -> usize {
        *self.places.entry(day).or_insert_with(|| {
            self.bits.push(Vec::new());
            self.bits.len() - 1
        })
    }

    /// Marks a holder as active.
    pub(crate) fn set(&mut self, place: usize, holder: u32) {
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
    pub(crate) fn changes(&self) -> BTreeMap<Day, Change> {
        let mut changes: BTreeMap<Day, Change> = BTreeMap::new();
        let words = self.bits.iter().map(Vec::len).max().unwrap_or(0);
        let mut last_active: Vec<Option<Day>> = vec![None; words * 64];
        for (day, bits) in self.days() {
            let (mut daily, mut new) = (0, 0);
            for holder in ones(bits) {
                daily += 1;
                match last_active[holder].replace(day) {
                    None => new += 1,
                    Some(before) => changes.entry(before.plus(FORTNIGHT).min(day)).or_default().recent -= 1,
                }
            }
            let today = changes.entry(day).or_default();
            *today = Change {
                daily,
                recent: today.recent + daily,
                ever: new,
            };
        }
        for last in last_active.into_iter().flatten() {
            changes.entry(last.plus(FORTNIGHT)).or_default().recent -= 1;
        }
        changes
    }

    /// Roughly how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.bits.iter().map(|bits| bits.capacity() * size_of::<u64>() + 64).sum()
    }
}

/// The places of the ones among bits.
pub(crate) fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(place, word)| {
        let bits = std::iter::successors((*word != 0).then_some(*word), |rest| {
            let rest = rest & (rest - 1);
            (rest != 0).then_some(rest)
        });
        bits.map(move |rest| place * 64 + rest.trailing_zeros() as usize)
    })
}

#[cfg(test)]
mod tests {
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
}
