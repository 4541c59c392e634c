//! Sets of small numbers, a bit each.

use std::borrow::Borrow;

/// The places of the ones among bits, in order.
#[inline]
pub(crate) fn ones<W: IntoIterator<Item: Borrow<u64>>>(words: W) -> Ones<W::IntoIter> {
    Ones {
        words: words.into_iter(),
        after: 0,
        rest: 0,
    }
}

/// See [`ones`].
#[derive(Debug)]
pub(crate) struct Ones<W> {
    words: W,
    /// The first place after the word that is looked at.
    after: usize,
    /// What is left of it.
    rest: u64,
}

impl<W: Iterator<Item: Borrow<u64>>> Iterator for Ones<W> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.rest == 0 {
            self.rest = *self.words.next()?.borrow();
            self.after += 64;
        }
        let bit = self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        Some(self.after - 64 + bit)
    }
}

/// How many ones there are.
pub(super) fn count(bits: &[u64]) -> i64 {
    bits.iter().map(|word| i64::from(word.count_ones())).sum()
}

/// How many ones of some bits are in none of the others; what is left of them is worked out in `rest`.
pub(super) fn count_without<'a>(bits: &[u64], others: impl Iterator<Item = &'a [u64]>, rest: &mut Vec<u64>) -> i64 {
    rest.clear();
    rest.extend_from_slice(bits);
    for other in others {
        for (rest, other) in rest.iter_mut().zip(other) {
            *rest &= !other;
        }
    }
    count(rest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bits_of(numbers: &BTreeSet<usize>) -> Vec<u64> {
        let mut words = vec![0; numbers.last().map_or(0, |last| last / 64 + 1)];
        for number in numbers {
            words[number / 64] |= 1 << (number % 64);
        }
        words
    }

    proptest! {
        #[test]
        fn bits_are_sets(
            numbers in proptest::collection::btree_set(0..400usize, 0..80),
            others in proptest::collection::vec(proptest::collection::btree_set(0..500usize, 0..80), 0..4),
        ) {
            let bits = bits_of(&numbers);
            prop_assert_eq!(ones(&bits).collect::<BTreeSet<_>>(), numbers.clone());
            prop_assert!(ones(&bits).is_sorted());
            prop_assert_eq!(count(&bits), numbers.len() as i64);
            let left = numbers.iter().filter(|number| others.iter().all(|other| !other.contains(number)));
            let others: Vec<Vec<u64>> = others.iter().map(bits_of).collect();
            let without = count_without(&bits, others.iter().map(|bits| &bits[..]), &mut vec![7]);
            prop_assert_eq!(without, left.count() as i64);
        }
    }
}
