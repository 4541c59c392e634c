//! Which parts of a text run from right to left.
//!
//! The text as a whole runs from left to right, as the tables do; numbers always do.

/// A part of a text that runs in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// From left to right.
    Rightwards(&'t str),
    /// From right to left; letters depend on their neighbours.
    Leftwards(&'t str),
}

impl<'t> Part<'t> {
    /// The part itself.
    pub(super) fn text(self) -> &'t str {
        match self {
            Self::Rightwards(text) | Self::Leftwards(text) => text,
        }
    }
}

/// Whether any part of a text runs from right to left.
pub(super) fn runs_leftwards(text: &str) -> bool {
    // All such letters have a first byte in UTF-8 from here on, which most texts do not have at all.
    text.bytes().any(|byte| byte >= 0xd6) && text.chars().any(is_leftwards)
}

/// The parts of a text. What is neither a letter nor a digit goes with the letters on both sides of it where they agree.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let part = |from: usize, to: usize| text.get(from..to).filter(|part| !part.is_empty());
    let mut from = 0;
    // Where the part ends if it runs leftwards.
    let mut end = None;
    for (index, c) in text.char_indices() {
        if is_leftwards(c) {
            if end.is_none() {
                parts.extend(part(from, index).map(Part::Rightwards));
                from = index;
            }
            end = Some(index + c.len_utf8());
        } else if c.is_alphanumeric()
            && let Some(end) = end.take()
        {
            parts.extend(part(from, end).map(Part::Leftwards));
            from = end;
        }
    }
    if let Some(end) = end {
        parts.extend(part(from, end).map(Part::Leftwards));
        from = end;
    }
    parts.extend(part(from, text.len()).map(Part::Rightwards));
    parts
}

/// Hebrew, Arabic and what is written like them, without digits.
fn is_leftwards(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}') && !c.is_numeric()
}

#[cfg(test)]
mod tests {
    use super::Part::{Leftwards, Rightwards};
    use super::*;

    #[test]
    fn only_some_scripts_run_leftwards() {
        assert!(runs_leftwards("שלום") && runs_leftwards("a مرحبا"));
        assert!(!runs_leftwards("Müller Łukasz Ελλάδα Юрий 漢字 … 😀 ٣"));
    }

    #[test]
    fn numbers_and_other_letters_keep_their_direction() {
        assert_eq!(parts("שלום עולם 25"), [Leftwards("שלום עולם"), Rightwards(" 25")]);
        assert_eq!(
            parts("a (דוד-לוי) ٣٤"),
            [Rightwards("a ("), Leftwards("דוד-לוי"), Rightwards(") ٣٤")]
        );
        assert_eq!(parts("דוד x לוי"), [Leftwards("דוד"), Rightwards(" x "), Leftwards("לוי")]);
    }

    #[test]
    fn parts_are_the_whole_text() {
        for text in ["", "a", "ש", "…ש…", "שa1 ש - ש"] {
            assert_eq!(parts(text).into_iter().map(Part::text).collect::<String>(), text);
        }
    }
}
