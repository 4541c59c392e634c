//! Texts as they come, most of which came before, and not long ago.
//!
//! ```text
//!   text ─▶ hash ─▶ place ─▶ the text that was last put there: the same? its number
//!                                                             another?  a new number
//! ```
//!
//! To keep every text once takes a table that is searched for each of them, by the million. A source names the same few
//! thousand over and over: a place for each hash, where the last comer stays, finds nearly all of them at the first look.
//! A text may have several numbers; [`Strings::adopt`](super::strings::Strings::adopt) brings them together.

use super::strings::{Strings, place_of};

/// The most places there are: what is looked at for every row must stay near.
const MOST_PLACES: usize = 64 * 1024;

/// Texts and their numbers; one number has one text.
#[derive(Debug)]
pub(super) struct Recent {
    texts: Strings,
    /// The number of the last text of those that belong here; 0 where none came yet. A power of two of them.
    places: Vec<u32>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            texts: Strings::new(),
            places: vec![0; 64],
        }
    }

    /// A number of a text, new or known.
    #[inline]
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let place = place_of(text, self.places.len());
        let known = self.places[place];
        if known != 0 && self.texts.is(known, text) {
            return known;
        }
        self.add(text, place)
    }

    #[cold]
    fn add(&mut self, text: &str, place: usize) -> u32 {
        let number = self.texts.append(text);
        self.places[place] = number;
        // With four places for a text, few of them share one.
        if self.texts.len() * 4 > self.places.len() && self.places.len() < MOST_PLACES {
            let places = self.places.len() * 2;
            self.places = vec![0; places];
            for known in 1..=number {
                self.places[place_of(self.texts.get(known), places)] = known;
            }
        }
        number
    }

    /// All texts that came, by number.
    pub(super) const fn texts(&self) -> &Strings {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_of_one_text(texts in prop::collection::vec("[ab]{0,9}", 0..3_000)) {
            let mut recent = Recent::new();
            let numbers: Vec<u32> = texts.iter().map(|text| recent.number(text)).collect();
            let found: Vec<&str> = numbers.iter().map(|number| recent.texts().get(*number)).collect();
            prop_assert_eq!(found, texts);
        }
    }

    #[test]
    fn what_came_just_before_is_known() {
        let mut recent = Recent::new();
        for text in ["a", "b", "", "\u{e9}"] {
            let number = recent.number(text);
            assert_eq!(recent.number(text), number);
        }
        assert_eq!(recent.number(""), 0);
        for text in 0..200_000 {
            recent.number(&text.to_string());
        }
        assert_eq!(recent.places.len(), MOST_PLACES);
    }
}
