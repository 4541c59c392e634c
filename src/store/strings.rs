//! Texts that repeat, each kept once.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// A set of texts, each known by a small number. Texts of one number are equal; equal ones share a number, but for those that
/// came by [`Strings::append`]. Number 0 is the empty text, which means "nothing was said".
#[derive(Debug, Clone)]
pub(crate) struct Strings {
    text: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<usize>,
    /// The number of each text, and its hash, so that growing reads no text.
    numbers: HashTable<(u32, u32)>,
}

impl Strings {
    pub(crate) fn new() -> Self {
        Self {
            text: String::new(),
            ends: vec![0],
            numbers: HashTable::new(),
        }
    }

    /// No texts, and room for so many.
    pub(crate) fn with_capacity(texts: usize) -> Self {
        let mut strings = Self::new();
        strings.ends.reserve(texts);
        strings
    }

    /// The number of a text, new or known.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let Self { text: all, ends, numbers } = self;
        let hash = short_hash(text);
        let is_it = |known: &(u32, u32)| known.1 == hash && same(slice(all, ends, known.0), text);
        match numbers.entry(long_hash(hash), is_it, |known| long_hash(known.1)) {
            Entry::Occupied(known) => known.get().0,
            Entry::Vacant(vacant) => {
                let number = u32::try_from(ends.len()).unwrap_or(u32::MAX);
                vacant.insert((number, hash));
                all.push_str(text);
                ends.push(all.len());
                number
            }
        }
    }

    /// A number for a text that hardly any other row has: it is not looked for, and will not be found by [`Strings::intern`].
    pub(crate) fn append(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends.push(self.text.len());
        number
    }

    /// Appends all texts of another set. Returns what their numbers there must be raised by, to be their numbers here.
    pub(crate) fn append_all(&mut self, other: &Self) -> u32 {
        let before = self.text.len();
        let raise = self.ends.len() - 1;
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().skip(1).map(|end| before + end));
        u32::try_from(raise).unwrap_or(u32::MAX)
    }

    /// Takes in all texts of another set, equal ones under one number. Returns their numbers here, by their numbers there.
    pub(crate) fn adopt(&mut self, other: &Self) -> Vec<u32> {
        (0..other.len()).map(|number| self.intern(other.get(number as u32))).collect()
    }

    /// The text of a number that [`Strings::intern`] gave.
    pub(crate) fn get(&self, number: u32) -> &str {
        let (start, end) = bounds(&self.ends, number);
        &self.text[start..end]
    }

    /// Whether a number is that of a text.
    #[inline]
    pub(super) fn is(&self, number: u32, text: &str) -> bool {
        same(slice(&self.text, &self.ends, number), text)
    }

    /// How many texts there are, the empty one included.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// What is kept of the hash of a text.
fn short_hash(text: &str) -> u32 {
    let hash = FxBuildHasher.hash_one(text);
    (hash ^ hash >> 32) as u32
}

/// As many bits as a table wants, its first and last ones among them, from the bits that are kept.
const fn long_hash(short: u32) -> u64 {
    (short as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The place of a text among so many, a power of two.
pub(super) fn place_of(text: &str, places: usize) -> usize {
    long_hash(short_hash(text)) as usize & (places - 1)
}

/// Whether texts are the same. Names are short: to call somebody for it takes longer than to look at both ends.
#[inline]
pub(super) fn same(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0 => true,
        1 => a[0] == b[0],
        2..=3 => a.first_chunk::<2>() == b.first_chunk() && a.last_chunk::<2>() == b.last_chunk(),
        4..=7 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        17..=32 => a.first_chunk::<16>() == b.first_chunk() && a.last_chunk::<16>() == b.last_chunk(),
        _ => a == b,
    }
}

/// The bytes of a text: whether it ends where characters do need not be asked.
#[inline]
fn slice<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a [u8] {
    let (start, end) = bounds(ends, number);
    &text.as_bytes()[start..end]
}

#[inline]
fn bounds(ends: &[usize], number: u32) -> (usize, usize) {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    (start, ends[number])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number() {
        let mut strings = Strings::new();
        let numbers: Vec<u32> = ["a", "", "b", "a", "ab"].into_iter().map(|text| strings.intern(text)).collect();
        assert_eq!(numbers, [1, 0, 2, 1, 3]);
        assert_eq!([0, 1, 2, 3].map(|number| strings.get(number)), ["", "a", "b", "ab"]);
        assert_eq!(strings.len(), 4);
    }

    #[test]
    fn texts_that_are_appended_keep_their_order() {
        let mut strings = Strings::new();
        strings.intern("a");
        let mut others = Strings::new();
        let numbers = ["b", "a", "b"].map(|text| others.append(text));
        let raise = strings.append_all(&others);
        assert_eq!(numbers.map(|number| strings.get(number + raise)), ["b", "a", "b"]);
        assert_eq!((strings.get(1), strings.len()), ("a", 5));
    }

    #[test]
    fn texts_of_any_length_are_compared_whole() {
        let text: String = ('a'..='z').collect();
        for length in 0..text.len() {
            let whole = &text[..length];
            assert!(same(whole, whole) && !same(whole, &text[..=length]), "{whole}");
            for place in 0..length {
                let other = [&whole[..place], "A", &whole[place + 1..]].concat();
                assert!(!same(whole, &other), "{whole} {other}");
            }
        }
    }
}
