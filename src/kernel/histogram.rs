//! Time at each level.

use std::collections::BTreeMap;
use std::mem::size_of;

use crate::time::Micros;

/// Levels that most features stay below have a place; the others are looked up.
const LOW: usize = 1 << 16;

/// How long a level was exactly each number but zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    low: Vec<Micros>,
    high: BTreeMap<i64, Micros>,
}

impl Histogram {
    /// Adds time at a level.
    #[inline]
    pub(crate) fn add(&mut self, level: i64, time: Micros) {
        match usize::try_from(level).ok().and_then(|level| self.low.get_mut(level)) {
            Some(known) if level != 0 => *known += time,
            _ => self.add_new(level, time),
        }
    }

    #[cold]
    fn add_new(&mut self, level: i64, time: Micros) {
        match usize::try_from(level) {
            Ok(0) => {}
            Ok(level) if level < LOW => {
                self.low.resize((level + 1).next_power_of_two(), 0);
                self.low[level] += time;
            }
            _ => *self.high.entry(level).or_default() += time,
        }
    }

    /// Adds the time of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.low.len() < other.low.len() {
            self.low.resize(other.low.len(), 0);
        }
        for (time, more) in self.low.iter_mut().zip(&other.low) {
            *time += more;
        }
        for (level, time) in &other.high {
            *self.high.entry(*level).or_default() += time;
        }
    }

    /// The levels at which there was any time.
    #[cfg(test)]
    pub(crate) fn exact(&self) -> BTreeMap<i64, Micros> {
        let low = self.low.iter().copied().zip(0..).filter(|(time, _)| *time != 0);
        let mut time: BTreeMap<i64, Micros> = low.map(|(time, level)| (level, time)).collect();
        time.extend(self.high.iter().filter(|(_, time)| **time != 0));
        time
    }

    /// The greatest level at which there was any time, or 0.
    pub(crate) fn greatest(&self) -> i64 {
        let high = self.high.iter().rev().find(|(_, time)| **time != 0).map_or(0, |(level, _)| *level);
        let low = self.low.iter().rposition(|time| *time != 0).unwrap_or(0) as i64;
        high.max(low)
    }

    /// For each level from 1 to the greatest: how long it was at least so high.
    pub(crate) fn at_least(&self) -> Vec<Micros> {
        let mut at_least = 0;
        let mut times: Vec<Micros> = (1..=self.greatest())
            .rev()
            .map(|level| {
                let exactly = match usize::try_from(level) {
                    Ok(level) if level < LOW => self.low.get(level).copied(),
                    _ => self.high.get(&level).copied(),
                };
                at_least += exactly.unwrap_or(0);
                at_least
            })
            .collect();
        times.reverse();
        times
    }

    /// Roughly how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.low.capacity() * size_of::<Micros>() + self.high.len() * 4 * size_of::<Micros>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_and_high_levels_are_summed_up_alike() {
        let mut histogram = Histogram::default();
        for (level, time) in [(2, 5), (0, 100), (70_000, 1), (1, 3), (2, 2)] {
            histogram.add(level, time);
        }
        assert_eq!(histogram.exact(), BTreeMap::from([(1, 3), (2, 7), (70_000, 1)]));
        assert_eq!(histogram.greatest(), 70_000);
        let at_least = histogram.at_least();
        assert_eq!((at_least.len(), &at_least[..3], at_least[69_999]), (70_000, &[11, 8, 1][..], 1));
        let mut twice = histogram.clone();
        twice.merge(&histogram);
        assert_eq!(twice.exact(), BTreeMap::from([(1, 6), (2, 14), (70_000, 2)]));
        assert!(Histogram::default().at_least().is_empty());
    }
}
