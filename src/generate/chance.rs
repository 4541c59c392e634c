//! Chance that falls the same way on every machine.
//!
//! Only the stream of `ChaCha8` is taken from a library. How numbers are made of it is written out here, because `rand` may
//! change its ways of sampling from one version to the next.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// One stream of chance.
#[derive(Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number less than `end`; nought if `end` is.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        // The upper half of a product is less than `end`, so nothing is cut off. The bias, at most `end` in 2^32, is no
        // matter for usage that never was.
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// A number in `[start, end)`.
    pub(super) fn between(&mut self, start: u32, end: u32) -> u32 {
        start + self.below(end.saturating_sub(start))
    }

    /// True once in `times`.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }
}

/// Picks among things of different weight, in constant time.
#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<u16>,
    widths: Vec<u32>,
}

/// The slots of a wheel, as far as rounding allows; the precision of weights.
const SLOTS: u64 = 1 << 14;

impl Wheel {
    /// A wheel of so many things, weighed in their order. Whatever weighs anything has a slot.
    pub(super) fn new(weights: impl Iterator<Item = u32> + Clone) -> Self {
        let total = weights.clone().map(u64::from).sum::<u64>().max(1);
        let width = |weight: u32| match u64::from(weight) * SLOTS / total {
            0 => u32::from(weight > 0),
            // No larger than SLOTS.
            width => width as u32,
        };
        let widths: Vec<u32> = weights.map(width).collect();
        let slots = (0..).zip(&widths).flat_map(|(thing, width)| (0..*width).map(move |_slot| thing));
        Self {
            slots: slots.collect(),
            widths,
        }
    }

    /// A thing's place.
    pub(super) fn spin(&self, dice: &mut Dice) -> usize {
        // A wheel has a few more slots than SLOTS at most: its length fits.
        usize::from(self.slots[dice.below(self.slots.len() as u32) as usize])
    }

    /// How often each thing comes up, in order; in all 1.
    pub(super) fn shares(&self) -> impl Iterator<Item = f64> {
        let total = f64::from(self.widths.iter().sum::<u32>());
        self.widths.iter().map(move |width| f64::from(*width) / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_specification() {
        // ChaCha8, key and nonce nought, block 0: 3e 00 ef 2f …
        assert_eq!(Dice::new(0).0.next_u32(), 0x2fef_003e);
    }

    #[test]
    fn numbers_stay_below_their_end_and_reach_all() {
        let mut dice = Dice::new(1);
        let mut seen = [0; 6];
        for _throw in 0..6_000 {
            seen[dice.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.between(7, 8), 7);
    }

    #[test]
    fn a_wheel_comes_up_by_weight() {
        let wheel = Wheel::new([3, 0, 1].into_iter());
        let mut dice = Dice::new(1);
        let mut seen = [0; 3];
        for _spin in 0..4_000 {
            seen[wheel.spin(&mut dice)] += 1;
        }
        assert_eq!(wheel.shares().collect::<Vec<_>>(), [0.75, 0.0, 0.25]);
        assert!(seen[0] > 2_800 && seen[1] == 0 && seen[2] > 800, "{seen:?}");
    }
}
