//! Paints texts and filled paths on a page.

use std::ops::Range;

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule};
use krilla::surface::{Location, Surface};
use krilla::text::{Glyph, GlyphId, TextDirection};

use super::drawing::Color;
use super::font::{Face, Fonts};
use super::layout::MARGIN;
use super::script::{self, Part};

/// How letters look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    /// Their size.
    pub(super) size: f32,
    /// Whether they are heavier.
    pub(super) bold: bool,
    /// Their colour.
    pub(super) color: Color,
}

/// What paints on a page.
pub(super) struct Pen<'a> {
    /// The page.
    pub(super) surface: Surface<'a>,
    /// The fonts.
    pub(super) fonts: &'a Fonts,
    /// The glyphs of the text that is being painted; kept for its memory.
    run: Vec<RunGlyph>,
}

impl<'a> Pen<'a> {
    /// What paints on this page.
    pub(super) fn new(surface: Surface<'a>, fonts: &'a Fonts) -> Self {
        Self {
            surface,
            fonts,
            run: Vec::new(),
        }
    }

    /// Paints a line of text that begins at a point.
    pub(super) fn text(&mut self, at: Point, text: &str, lettering: Lettering) {
        if text.is_empty() {
            return;
        }
        let face = self.fonts.face(lettering.bold);
        self.surface.set_fill(Some(paint_of(lettering.color, 1.0)));
        if !script::runs_leftwards(text) {
            self.letters(at, text, face, lettering.size);
            return;
        }
        let mut at = at;
        for part in script::parts(text) {
            match part {
                Part::Rightwards(part) => self.letters(at, part, face, lettering.size),
                Part::Leftwards(part) => {
                    let direction = TextDirection::RightToLeft;
                    self.surface
                        .draw_text(at, face.font().clone(), lettering.size, part, false, direction);
                }
            }
            // Joined letters are narrower than they were measured, if anything: what follows does not cover them.
            at.x += face.width(part.text(), lettering.size);
        }
    }

    /// Paints a glyph for each character.
    fn letters(&mut self, at: Point, text: &str, face: &Face, size: f32) {
        self.run.clear();
        self.run.extend(text.char_indices().map(|(start, c)| RunGlyph::new(face, start, c)));
        self.surface.draw_glyphs(at, &self.run, face.font().clone(), text, size, false);
    }

    /// Fills what a path encloses.
    pub(super) fn fill(&mut self, path: PathBuilder, color: Color, opacity: f64) {
        if let Some(path) = path.finish() {
            self.surface.set_fill(Some(paint_of(color, opacity)));
            self.surface.draw_path(&path);
        }
    }

    /// Fills a band from the left margin on.
    pub(super) fn band(&mut self, top: f32, width: f32, height: f32, color: Color) {
        if let Some(band) = Rect::from_xywh(MARGIN, top, width, height) {
            let mut path = PathBuilder::new();
            path.push_rect(band);
            self.fill(path, color, 1.0);
        }
    }
}

fn paint_of(color: Color, opacity: f64) -> Fill {
    let opacity = NormalizedF32::new(opacity.clamp(0.0, 1.0) as f32).unwrap_or(NormalizedF32::ONE);
    Fill {
        paint: rgb_of(color).into(),
        opacity,
        rule: FillRule::NonZero,
    }
}

/// A colour as the PDF has it.
pub(super) fn rgb_of(Color(red, green, blue): Color) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

/// One character of a text.
#[derive(Debug)]
struct RunGlyph {
    glyph: u16,
    advance: f32,
    start: usize,
    end: usize,
}

impl RunGlyph {
    fn new(face: &Face, start: usize, c: char) -> Self {
        let glyph = face.glyph(c);
        Self {
            glyph,
            advance: face.advance(glyph),
            start,
            end: start + c.len_utf8(),
        }
    }
}

impl Glyph for RunGlyph {
    fn glyph_id(&self) -> GlyphId {
        GlyphId::new(u32::from(self.glyph))
    }

    fn text_range(&self) -> Range<usize> {
        self.start..self.end
    }

    fn x_advance(&self, size: f32) -> f32 {
        self.advance * size
    }

    fn x_offset(&self, _: f32) -> f32 {
        0.0
    }

    fn y_offset(&self, _: f32) -> f32 {
        0.0
    }

    fn y_advance(&self, _: f32) -> f32 {
        0.0
    }

    fn location(&self) -> Option<Location> {
        None
    }
}
