//! The two fonts, and how wide texts are in them.
//!
//! One character is one glyph, looked up in a flat table: two reads a character, where shaping every cell of a large table would
//! take far longer. A character without a glyph is painted as a box. It stays itself in the text of the document: the box is a
//! glyph like others, for readers leave out the text of the font's own sign for what is missing.

use std::borrow::Cow;

use krilla::text::Font;

use super::truetype;

/// What stands for the rest of a text that was cut.
const ELLIPSIS: char = '…';

/// What is painted for a character that has no glyph.
const BOX: char = '□';

/// Where a word can be broken if it must be.
const BREAKS: [char; 6] = ['-', '_', '/', '.', ',', ';'];

/// How much wider than its place a text may be: what rounding makes of a place that was measured by that very text.
const TOLERANCE: f32 = 0.01;

/// Both fonts.
#[derive(Debug)]
pub(super) struct Fonts {
    regular: Face,
    bold: Face,
}

impl Fonts {
    /// The built-in fonts; nothing when they cannot be read.
    pub(super) fn load() -> Option<Self> {
        Some(Self {
            regular: Face::read(dejavu::sans::regular())?,
            bold: Face::read(dejavu::sans::bold())?,
        })
    }

    /// One of them.
    pub(super) fn face(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}

/// A font with its glyphs' widths.
#[derive(Debug)]
pub(super) struct Face {
    font: Font,
    /// The glyph of each character; 0 where there is none.
    glyphs: Vec<u16>,
    /// The glyph of those that have none.
    missing: u16,
    /// The width of each glyph, in units of the font.
    advances: Vec<u16>,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let glyphs = truetype::glyphs(bytes)?;
        let missing = glyphs.get(BOX as usize).copied()?;
        Some(Self {
            font,
            glyphs,
            missing,
            advances: truetype::advances(bytes)?,
        })
    }

    /// The font as it is embedded.
    pub(super) fn font(&self) -> &Font {
        &self.font
    }

    /// The glyph of a character.
    pub(super) fn glyph(&self, c: char) -> u16 {
        self.glyphs
            .get(c as usize)
            .copied()
            .filter(|glyph| *glyph != 0)
            .unwrap_or(self.missing)
    }

    /// How wide a glyph is at size 1.
    pub(super) fn advance(&self, glyph: u16) -> f32 {
        f32::from(self.units(glyph)) / self.font.units_per_em()
    }

    fn units(&self, glyph: u16) -> u16 {
        // Glyphs beyond the table have the width of the last in it.
        self.advances
            .get(usize::from(glyph))
            .or_else(|| self.advances.last())
            .copied()
            .unwrap_or(0)
    }

    /// How wide a text is.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let units: u64 = text.chars().map(|c| u64::from(self.units(self.glyph(c)))).sum();
        units as f32 / self.font.units_per_em() * size
    }

    /// The text, or its beginning and an ellipsis where it is wider than that; nothing where not even that has room.
    pub(super) fn fit<'t>(&self, text: &'t str, size: f32, width: f32) -> Cow<'t, str> {
        let limit = width + TOLERANCE;
        // A text of a megabyte is not measured to its end.
        let Some(_) = self.overflow(text, size, limit) else {
            return Cow::Borrowed(text);
        };
        let ellipsis = self.advance(self.glyph(ELLIPSIS)) * size;
        if ellipsis > limit {
            return Cow::Borrowed("");
        }
        let end = self.overflow(text, size, limit - ellipsis).unwrap_or(text.len());
        let kept = text.get(..end).unwrap_or("").trim_end();
        Cow::Owned(format!("{kept}{ELLIPSIS}"))
    }

    /// Where the first character begins that does not fit.
    fn overflow(&self, text: &str, size: f32, limit: f32) -> Option<usize> {
        let mut units = 0_u64;
        let limit = limit / size * self.font.units_per_em();
        text.char_indices().find_map(|(index, c)| {
            units += u64::from(self.units(self.glyph(c)));
            (units as f32 > limit).then_some(index)
        })
    }

    /// The text in lines, at most so many; the last is cut where there would be more.
    pub(super) fn wrap(&self, text: &str, size: f32, width: f32, lines: usize) -> Vec<String> {
        let mut wrapped = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if wrapped.len() + 1 >= lines {
                wrapped.push(self.fit(rest, size, width).into_owned());
                break;
            }
            let end = self.line_end(rest, size, width + TOLERANCE);
            let (line, after) = rest.split_at(end);
            wrapped.push(line.trim_end().to_owned());
            rest = after.trim_start();
        }
        wrapped
    }

    /// Where a line is broken: at the last space that fits, or else inside a word; after one character at least.
    fn line_end(&self, text: &str, size: f32, limit: f32) -> usize {
        let Some(overflow) = self.overflow(text, size, limit) else {
            return text.len();
        };
        let fitting = text.get(..overflow).unwrap_or("");
        let at_space = text.get(overflow..).is_some_and(|after| after.starts_with(' '));
        let last_space = if at_space { Some(overflow) } else { fitting.rfind(' ') };
        let last_break = || fitting.rfind(BREAKS).map(|before| before + 1);
        let first_character = text.chars().next().map_or(0, char::len_utf8);
        last_space.or_else(last_break).unwrap_or(overflow).max(first_character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // What DejaVu Sans says of itself, of 2048: A 1401, i 569, space 651; bold: A 1585.
        let fonts = Fonts::load().unwrap();
        assert!((fonts.face(false).width("Ai ", 2048.0) - 2621.0).abs() < 0.1);
        assert!((fonts.face(true).width("A", 2048.0) - 1585.0).abs() < 0.1);
    }

    #[test]
    fn letters_of_many_languages_have_glyphs() {
        let fonts = Fonts::load().unwrap();
        for c in "MüllerŁukaszΕλλάδαЮрийשלוםمرحبا…–".chars() {
            assert_ne!(fonts.face(false).glyph(c), fonts.face(false).glyph('□'), "{c}");
        }
        for c in ['漢', '\u{10ffff}'] {
            assert_eq!(fonts.face(true).glyph(c), fonts.face(true).glyph('□'));
        }
    }

    #[test]
    fn a_text_that_is_cut_fits() {
        let fonts = Fonts::load().unwrap();
        let face = fonts.face(false);
        let text = "Łukasz Müller, Ελλάδα, 漢字 and quite some more";
        let full = face.width(text, 8.0);
        assert_eq!(face.fit(text, 8.0, full), text);
        for tenth in 0..10 {
            let width = full * tenth as f32 / 10.0;
            let cut = face.fit(text, 8.0, width);
            assert!(face.width(&cut, 8.0) <= width + 0.02, "{cut} in {width}");
            assert!(cut.is_empty() || cut.ends_with('…'));
        }
        assert_eq!(face.fit(text, 8.0, 0.0), "");
    }

    #[test]
    fn lines_fit_and_hold_every_word() {
        let fonts = Fonts::load().unwrap();
        let face = fonts.face(true);
        let text = "one two three averyveryveryverylongwordthatfitsnowhere four";
        let lines = face.wrap(text, 8.0, 60.0, 99);
        assert!(lines.iter().all(|line| face.width(line, 8.0) <= 60.02), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        let cut = face.wrap(text, 8.0, 60.0, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with('…'));
        assert!(face.wrap("  ", 8.0, 60.0, 2).is_empty());
    }

    #[test]
    fn a_word_is_broken_where_it_has_parts() {
        let fonts = Fonts::load().unwrap();
        let face = fonts.face(false);
        assert_eq!(
            face.wrap("catia_v5_hd2", 8.0, face.width("catia_v5_h", 8.0), 9),
            ["catia_v5_", "hd2"]
        );
    }

    #[test]
    fn a_line_without_room_still_ends() {
        let fonts = Fonts::load().unwrap();
        assert_eq!(fonts.face(false).wrap("äb", 8.0, 0.0, 9), ["ä", "b"]);
    }
}
