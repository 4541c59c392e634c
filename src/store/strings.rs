//! Texts that repeat, each kept once.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// A set of texts, each known by a small number. Number 0 is the empty text, which means "nothing was said".
#[derive(Debug, Clone)]
pub(crate) struct Strings {
    text: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
}

impl Strings {
    pub(crate) fn new() -> Self {
        Self {
            text: String::new(),
            ends: vec![0],
            numbers: HashTable::new(),
        }
    }

    /// The number of a text, new or known.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let Self { text: all, ends, numbers } = self;
        let hash = |text: &str| FxBuildHasher.hash_one(text);
        let at = |number: u32| slice(all, ends, number);
        let entry = numbers.entry(hash(text), |known| at(*known) == text, |known| hash(at(*known)));
        match entry {
            hashbrown::hash_table::Entry::Occupied(known) => *known.get(),
            hashbrown::hash_table::Entry::Vacant(vacant) => {
                let number = u32::try_from(ends.len()).unwrap_or(u32::MAX);
                vacant.insert(number);
                all.push_str(text);
                ends.push(all.len());
                number
            }
        }
    }

    /// Takes in all texts of another set. Returns their numbers here, by their numbers there.
    pub(crate) fn adopt(&mut self, other: &Self) -> Vec<u32> {
        (0..other.len()).map(|number| self.intern(other.get(number as u32))).collect()
    }

    /// The text of a number that [`Strings::intern`] gave.
    pub(crate) fn get(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    /// How many texts there are, the empty one included.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &text[start..ends[number]]
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
}
