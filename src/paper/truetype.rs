//! Reads what is needed of a TrueType font: which glyph a character has, and how wide glyphs are.

/// Characters that are looked up; there are no glyphs beyond.
const LAST_CHARACTER: u32 = 0x1_ffff;

/// A table of a TrueType font.
fn table(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let records = bytes.get(12..)?.chunks_exact(16).take(usize::from(u16_at(bytes, 4)?));
    let record = records.into_iter().find(|record| record.starts_with(&name))?;
    let offset = u32_at(record, 8)? as usize;
    bytes.get(offset..offset.checked_add(u32_at(record, 12)? as usize)?)
}

/// The glyph of each character, from the character map of format 12, which has all of them.
pub(super) fn glyphs(bytes: &[u8]) -> Option<Vec<u16>> {
    let map = table(bytes, *b"cmap")?;
    let mut offsets = map
        .get(4..)?
        .chunks_exact(8)
        .take(usize::from(u16_at(map, 2)?))
        .filter_map(|record| u32_at(record, 4));
    let map = offsets.find_map(|offset| map.get(offset as usize..).filter(|map| u16_at(map, 0) == Some(12)))?;
    let mut glyphs = Vec::new();
    for group in map.get(16..)?.chunks_exact(12).take(u32_at(map, 12)? as usize) {
        let (first, last, glyph) = (u32_at(group, 0)?, u32_at(group, 4)?, u32_at(group, 8)?);
        let last = last.min(LAST_CHARACTER);
        for c in first..=last {
            let index = c as usize;
            if glyphs.len() <= index {
                glyphs.resize(index + 1, 0);
            }
            if let Some(place) = glyphs.get_mut(index) {
                *place = u16::try_from(glyph + (c - first)).ok()?;
            }
        }
    }
    Some(glyphs)
}

/// The width of each glyph.
pub(super) fn advances(bytes: &[u8]) -> Option<Vec<u16>> {
    let count = u16_at(table(bytes, *b"hhea")?, 34)?;
    table(bytes, *b"hmtx")?
        .chunks_exact(4)
        .take(usize::from(count))
        .map(|metric| u16_at(metric, 0))
        .collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_font_is_not_read() {
        let font = dejavu::sans::regular();
        for bytes in [&[][..], &font[..8], &font[..1000], &[0xff; 64]] {
            assert!(glyphs(bytes).is_none() && advances(bytes).is_none());
        }
        assert!(glyphs(font).is_some() && advances(font).is_some());
    }
}
